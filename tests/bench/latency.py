#!/usr/bin/python3
"""make bench-latency: how long a form post takes to become a committed golden record, and a webhook.

    tests/bench/latency.py [--build build] [--records 160000] [--beside 160000] [--rate 200] [--seconds 20]
                           [--set KEY=VALUE]...

Records are loaded first (160,000 generated ones make some 100,000 customers). Then posts of new people are sent
at a fixed rate, whether or not earlier ones were answered (open loop), and every time is counted from when a post
was *due*: `answered` when its 2xx was read, `committed` when the transaction that wrote its golden record
committed (pg_xact_commit_timestamp), `told` when a local webhook had received its lead.created. Once with nothing else
to do, once while `tributary load` takes in a file. Beside it, on the same server while nothing else runs, what one bare
INSERT and COMMIT of one row takes, one after the other: every figure is also told as a multiple of its percentile.
Prints `name value` a line, in milliseconds.
"""
import argparse
import collections
import json
import multiprocessing
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

import server as bench_server
from open_loop import receive, send
from server import ROOT, Server

CONFIG = """\
postgres: {{url: "{url}"}}
state_dir: {state}
http: {{public: "127.0.0.1:{public}", private: "127.0.0.1:{private}", trusted_proxies: [127.0.0.1]}}
sources:
  bench: {{type: csv, drop: {state}/drop, id: [id], time: registered_at}}
  landing: {{type: form, path: /f/landing, country: DE}}
rules: [people]
sinks:
  here: {{type: webhook, url: "http://127.0.0.1:{sink}/", events: [lead.created], sources: [landing]}}
log: {{level: warn}}
{more}"""

BARE_COMMITS = 2000
SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def tell(label, name, values, bare=None):
    for title, share in SHARES.items():
        value = percentile(values, share)
        print(f"{label}_{name}_{title}_ms {value * 1000:.2f}")
        if bare and title != "max":
            print(f"{label}_{name}_{title}_of_bare_commit {value / percentile(bare, share):.1f}", flush=True)


def bare_commits(server):
    """Seconds that each of some bare transactions of one row takes."""
    server.create("bare")
    connection = psycopg2.connect(host=server.base, user="tributary", dbname="bare")
    connection.autocommit = True
    times = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.bare (id bigint PRIMARY KEY, body text)")
        for number in range(BARE_COMMITS):
            started = time.monotonic()
            cursor.execute("INSERT INTO public.bare VALUES (%s, %s)", (number, "x" * 200))
            times.append(time.monotonic() - started)
    connection.close()
    return times


def measure(server, ports, arguments, label, arrivals, bare, beside=None):
    last_before = server.psql("bench", "SELECT coalesce(max(record_id), 0) FROM tributary.record")
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=send, args=(ports["public"], arguments.rate, arguments.seconds, label,
                                                         results))
    process.start()
    posts = results.get(timeout=arguments.seconds + 120)
    process.join()
    beside_ran_on = beside is not None and beside.poll() is None
    kept = {key: (due, answered) for key, due, answered, status in posts if 200 <= status < 300}
    statuses = collections.Counter(status for _, _, _, status in posts)
    committed, told, until = {}, {}, time.monotonic() + 60
    while time.monotonic() < until and (len(committed) < len(kept) or len(told) < len(kept)):
        while not arrivals.empty():
            key, at = arrivals.get()
            told[key.split(":", 1)[-1]] = at
        rows = server.psql("bench", f"""
            SELECT r.external_id, extract(epoch FROM pg_xact_commit_timestamp(r.xmin)) FROM tributary.record r
            WHERE r.record_id > {last_before} AND r.external_id LIKE '%{label}-%'""")
        committed = {row.split("|")[0].split(":", 1)[-1]: float(row.split("|")[1]) for row in rows.splitlines()}
        time.sleep(0.2)
    print(f"{label}_posts {len(posts)}")
    print(f"{label}_kept {len(kept)}")
    for status, count in sorted(statuses.items()):
        if not 200 <= status < 300:
            print(f"{label}_status_{status} {count}")
    tell(label, "answered", [answered - due for due, answered in kept.values()], bare)
    tell(label, "committed", [committed[key] - kept[key][0] for key in kept if key in committed], bare)
    tell(label, "told", [told[key] - kept[key][0] for key in kept if key in told], bare)
    print(f"{label}_not_committed {len(set(kept) - set(committed))}")
    print(f"{label}_not_told {len(set(kept) - set(told))}")
    if beside is not None:
        print(f"{label}_load_ran_all_the_time {int(beside_ran_on)}")


def generate(arguments, directory, seed, records):
    subprocess.run([arguments.build / "bench/generate", "--population", "mixed", "--records", str(records),
                    "--seed", str(seed), "--out", directory], check=True)
    return directory / "customers.csv"


def is_ready(arguments, config, port):
    """Records are resolved; before that posts are only kept."""
    with socket.socket() as probe: # before it listens the command would start an engine of its own
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return False
    asked = subprocess.run([arguments.build / "tributary", "status", "--config", config, "--format=json"], check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return asked.returncode == 0 and json.loads(asked.stdout).get("ready") is True


def run(arguments, directory):
    settings = bench_server.cluster_settings
    bench_server.cluster_settings = lambda: settings() + ["track_commit_timestamp=on"]
    server = Server()
    daemon = sink = beside = None
    try:
        server.create("bench")
        state = directory / "state"
        (state / "drop").mkdir(parents=True)
        ports = {"public": free_port(), "private": free_port(), "sink": free_port()}
        more = "limits: {" + ", ".join(s.replace("=", ": ", 1) for s in arguments.set) + "}\n" if arguments.set else ""
        config = directory / "latency.yaml"
        config.write_text(CONFIG.format(url=server.url("bench"), state=state, more=more, **ports))
        first = generate(arguments, directory / "first", 11, arguments.records)
        summary = subprocess.run([arguments.build / "tributary", "load", "--config", config, "--format=json", "bench", first],
                                 check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        print(f"customers_present {json.loads(summary)['customers']}", flush=True)
        # Other people's ids begin anew in each file: keep them apart.
        more_rows = generate(arguments, directory / "more", 12, arguments.beside or arguments.records)
        text = more_rows.read_text().splitlines(keepends=True)
        more_rows.write_text(text[0] + "".join("m" + line for line in text[1:]))
        arrivals = multiprocessing.Queue()
        sink = multiprocessing.Process(target=receive, args=(ports["sink"], arrivals), daemon=True)
        sink.start()
        daemon = subprocess.Popen([arguments.build / "tributary", "run", "--config", config])
        until = time.monotonic() + 120 + arguments.records / 10000
        while not is_ready(arguments, config, ports["private"]):
            if daemon.poll() is not None or time.monotonic() > until:
                raise SystemExit("bench: the daemon did not become ready")
            time.sleep(0.2)
        bare = bare_commits(server)
        tell("bare", "commit", bare)
        measure(server, ports, arguments, "alone", arrivals, bare)
        beside = subprocess.Popen([arguments.build / "tributary", "load", "--config", config, "bench", more_rows],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        measure(server, ports, arguments, "beside_load", arrivals, bare, beside)
    finally:
        for process in (beside, daemon):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=60)
        if sink is not None:
            sink.terminate()
        server.remove()


def main():
    parser = argparse.ArgumentParser(description="from a post to its golden record")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--records", type=int, default=160000)
    parser.add_argument("--beside", type=int, default=0, help="records of the load beside the posts; 0: as many")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--set", action="append", default=[], help="a limit: batch_records=500")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    directory = Path(tempfile.mkdtemp(prefix="tributary-latency.", dir="/tmp"))
    try:
        run(arguments, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
