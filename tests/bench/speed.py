#!/usr/bin/python3
"""make bench-speed: the speed that is promised, as ratios of one run.

    tests/bench/speed.py [--build build] [--records 1000000] [--runs 3] [--seed N] [--only STEP]... [--no-splink]
                         [--low 400000] [--high 4000000] [--probe 100000] [--rate 500] [--seconds 30]

  load      `tributary load` into PostgreSQL beside two floors of COPY (run.py), medians of --runs; how much memory the
            candidate index takes a record; how long a start takes with those records
  dedupe    `tributary dedupe` beside Splink on DuckDB, two threads each: predict and cluster against the whole of ours,
            training apart from both; Splink's threshold is the best of a few, chosen by the truth
  growth    a load of --low and one of --high records and --probe more: what the last --probe cost, as a ratio
  latency   posts at --rate with the customers of 1.6 * --records records present, alone and beside a load (latency.py)

Prints `name value` a line and asserts nothing.
"""
import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import run
from accuracy_sets import GENERATED_SPLINK
from server import ROOT, Server
from splink_place import python_with_splink

THRESHOLDS = ["0.5", "0.8", "0.95", "0.99", "0.999"]
STEPS = ["load", "dedupe", "growth", "latency"]


def tell(values):
    for name, value in values.items():
        print(f"{name} {value:.3f}".rstrip("0").rstrip("."), flush=True)


def medians(runs):
    return {name: statistics.median(one[name] for one in runs) for name in runs[0]}


def generate(arguments, directory, records):
    directory.mkdir(exist_ok=True)
    subprocess.run([arguments.build / "bench/generate", "--population", "mixed", "--records", str(records), "--seed",
                    str(arguments.seed), "--noise", "default", "--out", directory], check=True)
    return directory


# -- load -------------------------------------------------------------------------------------------------------------

def step_load(arguments, directory):
    generate(arguments, directory, arguments.records)
    run.split(directory, arguments.records)
    told = medians([run.one_run(arguments, directory, number) for number in range(arguments.runs)])
    tell({f"load_{name}": value for name, value in told.items()})
    tell({"start_s_per_million": (told["start_half_s"] - told["start_empty_s"]) / (told["records"] / 2) * 1e6})


# -- dedupe -----------------------------------------------------------------------------------------------------------

def f1_of(arguments, directory, prediction):
    text = subprocess.run([arguments.build / "bench/evaluate", "--truth", directory / "truth.csv", "--prediction",
                           prediction], check=True, stdout=subprocess.PIPE, text=True).stdout
    told = dict(line.split()[:2] for line in text.splitlines() if len(line.split()) >= 2)
    return float(told["pairwise_f1"])


def our_dedupe(arguments, directory):
    out = directory / "ours.csv"
    started = time.monotonic()
    process = subprocess.Popen([arguments.tributary, "dedupe", directory / "customers.csv", "-o", out, "--threads", "2",
                                "--map", "id=-", "--map", "source=-", "--map", "registered_at=-"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"bench: dedupe ended with {status}")
    return {"seconds": time.monotonic() - started, "cpu_s": usage.ru_utime + usage.ru_stime,
            "rss_mb": usage.ru_maxrss / 1000, "f1": f1_of(arguments, directory, out)}


def splink(arguments, directory, python):
    spec, pairs = directory / "spec.json", directory / "pairs.csv"
    spec.write_text(json.dumps(GENERATED_SPLINK))
    process = subprocess.Popen([python, ROOT / "tests/bench/splink_dedupe.py", directory / "customers.csv", spec, pairs,
                                *THRESHOLDS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text, complaints = process.communicate()
    if process.returncode:
        print(f"Splink failed: {complaints.decode().strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    told = json.loads(text.splitlines()[-1])
    f1, best = max((f1_of(arguments, directory, f"{pairs}.{threshold}"), threshold) for threshold in THRESHOLDS)
    return {"train_s": told["train_s"], "predict_s": told["predict_s"], "predict_cpu_s": told["predict_cpu_s"],
            "cluster_s": told["clusters"][best]["s"], "cluster_cpu_s": told["clusters"][best]["cpu_s"],
            "threshold": float(best), "f1": f1}


def step_dedupe(arguments, directory):
    generate(arguments, directory, arguments.records)
    ours = medians([our_dedupe(arguments, directory) for _ in range(arguments.runs)])
    tell({f"dedupe_{name}": value for name, value in ours.items()})
    python = None if arguments.no_splink else python_with_splink(arguments.build)
    told = splink(arguments, directory, python) if python else None
    if told:
        tell({f"splink_{name}": value for name, value in told.items()})
        tell({"dedupe_times_as_fast": (told["predict_s"] + told["cluster_s"]) / ours["seconds"],
              "dedupe_times_less_cpu": (told["predict_cpu_s"] + told["cluster_cpu_s"]) / ours["cpu_s"],
              "dedupe_f1_above_splink": ours["f1"] - told["f1"]})


# -- growth -----------------------------------------------------------------------------------------------------------

RESOLVED = re.compile(r"(\d+) of \d+ records resolved")


def daemon_cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sampled_load(arguments, server, config, path):
    """One load: [(records resolved, wall, CPU of the daemon, CPU of the server)] as it went on."""
    process = subprocess.Popen([arguments.tributary, "load", "--config", config, "bench", path], text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    samples, started, server_before = [], time.monotonic(), server.cpu_seconds()
    for line in process.stderr:
        found = RESOLVED.search(line)
        if found and process.poll() is None:
            samples.append((int(found[1]), time.monotonic() - started, daemon_cpu(process.pid),
                            server.cpu_seconds() - server_before))
    if process.wait() != 0:
        raise SystemExit(f"bench: load of {path} ended with {process.returncode}")
    return samples


def cost_of_last(samples, width):
    """us a record, of wall, daemon and server, of the last so many records."""
    last = samples[-1]
    first = max((sample for sample in samples if sample[0] <= last[0] - width), default=samples[0])
    return {name: (last[column] - first[column]) * 1e6 / (last[0] - first[0])
            for column, name in ((1, "wall_us"), (2, "daemon_cpu_us"), (3, "server_cpu_us"))}


def with_stored(arguments, directory, stored):
    """What the last --probe records of one load cost, of a set of its own: as many of them are of people who are there
    already, however large the set is, and neither a cold start nor a checkpoint just before is in it."""
    generate(arguments, directory, stored + arguments.probe)
    server = Server()
    try:
        server.create("bench")
        state = directory / "state"
        (state / "drop").mkdir(parents=True)
        config = directory / "bench.yaml"
        config.write_text(run.CONFIG.format(url=server.url("bench"), state=state, more=""))
        return cost_of_last(sampled_load(arguments, server, config, directory / "customers.csv"), arguments.probe)
    finally:
        server.remove()
        shutil.rmtree(directory)


def step_growth(arguments, directory):
    costs = []
    for records in (arguments.low, arguments.high):
        costs.append(with_stored(arguments, directory / str(records), records))
        tell({f"at_{records}_{name}": value for name, value in costs[-1].items()})
    tell({"growth_wall_ratio": costs[1]["wall_us"] / costs[0]["wall_us"],
          "growth_cpu_ratio": (costs[1]["daemon_cpu_us"] + costs[1]["server_cpu_us"]) /
                              (costs[0]["daemon_cpu_us"] + costs[0]["server_cpu_us"])})


# -- latency ----------------------------------------------------------------------------------------------------------

def step_latency(arguments, _):
    records = int(arguments.records * 1.6)
    subprocess.run([sys.executable, ROOT / "tests/bench/latency.py", "--build", arguments.build, "--records",
                    str(records), "--beside", str(arguments.records), "--rate", str(arguments.rate), "--seconds",
                    str(arguments.seconds)], check=True)


def main():
    parser = argparse.ArgumentParser(description="the speed that is promised")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--only", action="append", choices=STEPS, default=[])
    parser.add_argument("--no-splink", action="store_true")
    parser.add_argument("--low", type=int, default=400000)
    parser.add_argument("--high", type=int, default=4000000)
    parser.add_argument("--probe", type=int, default=100000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--set", action="append", default=[], help="a limit: batch_records=4000")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.tributary = arguments.build / "tributary"
    print(f"seed {arguments.seed}\nrecords {arguments.records}", flush=True)
    for step in arguments.only or STEPS:
        directory = Path(tempfile.mkdtemp(prefix=f"tributary-{step}.", dir="/tmp"))
        try:
            globals()[f"step_{step}"](arguments, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


main()
