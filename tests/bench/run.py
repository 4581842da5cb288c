#!/usr/bin/python3
"""make bench: a load of generated customers into an empty database, beside what COPY needs for the same rows.

    tests/bench/run.py [--build build] [--records 200000] [--seed N] [--runs 1] [--keep DIR] [--set KEY=VALUE]...

One run: a fresh database and state_dir, two files of half the records each, `tributary load` of one after the
other; then, in the same run, the two yardsticks:

  own floor    the final rows of our own tables, dumped by binary COPY and copied by two parallel connections into
               empty tables with the same indexes
  plain floor  the same with three plain tables: the raw bytes, one golden row per customer, one event row per
               customer, each with a primary key

Prints `name value` a line and asserts nothing: a machine's noise is no regression. With --runs N medians are
printed; ratios are taken inside each run.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import ROOT, Server

CONFIG = """\
postgres: {{url: "{url}"}}
state_dir: {state}
sources:
  bench: {{type: csv, drop: {state}/drop, id: [id], time: registered_at}}
rules: [people]
log: {{level: warn}}
{more}"""

# The rows of a design without history, evidence or provenance: what came, who it is, one event.
PLAIN = {
    "raw": ("SELECT accept_seq, received_at, source_id, body FROM tributary.raw",
            "accept_seq bigint PRIMARY KEY, received_at timestamptz, source_id integer, body bytea"),
    "customer": ("SELECT * FROM golden.customer", None),
    "event": ("SELECT DISTINCT ON (customer_id) seq, at, customer_id, type FROM golden.event "
              "WHERE customer_id IS NOT NULL ORDER BY customer_id, seq",
              "seq bigint PRIMARY KEY, at timestamptz, customer_id bigint, type text"),
}


def split(directory, records):
    """customers.csv as two files of half the rows each."""
    with open(directory / "customers.csv", "rb") as source:
        header = source.readline()
        for number in (1, 2):
            with open(directory / f"part{number}.csv", "wb") as part:
                part.write(header)
                for _ in range(records // 2 if number == 1 else records):
                    part.write(source.readline())


def load(arguments, config, path):
    """One `tributary load`: its summary, with its CPU seconds and peak memory."""
    started = time.monotonic()
    process = subprocess.Popen([arguments.tributary, "load", "--config", config, "--format=json", "bench", path],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, complaints = process.stdout, process.stderr
    text = output.read()
    told = complaints.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.stderr.buffer.write(told)
        raise SystemExit(f"bench: load of {path} ended with {status}")
    summary = json.loads(text)
    summary["wall_s"] = time.monotonic() - started
    summary["cpu_s"] = usage.ru_utime + usage.ru_stime
    summary["rss_bytes"] = usage.ru_maxrss * 1024
    return summary


def copy_in_two(server, database, jobs):
    """jobs: (bytes, table, file). Seconds that two connections take to copy them in."""
    lanes, weights = [[], []], [0, 0]
    for size, table, path in sorted(jobs, reverse=True):
        lane = weights.index(min(weights))
        weights[lane] += size
        lanes[lane].append(f"\\copy {table} from '{path}' with (format binary)")
    server.psql("postgres", "CHECKPOINT")
    started = time.monotonic()
    workers = [server.start_psql(database, lane) for lane in lanes if lane]
    if any([worker.wait() for worker in workers]):
        raise SystemExit("bench: a copy of the floor failed")
    return time.monotonic() - started


def own_floor(server, database, directory):
    tables = server.psql(database, """
        SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'tributary'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition""").split()
    jobs = []
    for table in tables:
        path = directory / f"own.{table}"
        server.psql(database, f"\\copy (SELECT * FROM {table}) to '{path}' with (format binary)")
        if path.stat().st_size > 65536:
            jobs.append((path.stat().st_size, table, path))
    server.create("own")
    schema = subprocess.run([server.bin_dir / "pg_dump", "-s", "-h", server.base, "-U", "tributary", database],
                            check=True, stdout=subprocess.PIPE).stdout
    subprocess.run([server.bin_dir / "psql", "-X", "-q", "-h", server.base, "-U", "tributary", "-d", "own"],
                   input=schema, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = copy_in_two(server, "own", jobs)
    server.psql("postgres", "DROP DATABASE own")
    return seconds, sum(size for size, _, _ in jobs)


def plain_floor(server, database, directory):
    server.create("plain")
    jobs = []
    for name, (query, columns) in PLAIN.items():
        path = directory / f"plain.{name}"
        server.psql(database, f"\\copy ({query}) to '{path}' with (format binary)")
        if columns is None: # golden.customer's own columns
            columns = server.psql(database, """
                SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) ||
                                  CASE attname WHEN 'customer_id' THEN ' PRIMARY KEY' ELSE '' END, ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = 'golden.customer'::regclass AND attnum > 0 AND NOT attisdropped""")
        server.psql("plain", f"CREATE TABLE public.{name} ({columns})")
        jobs.append((path.stat().st_size, f"public.{name}", path))
    seconds = copy_in_two(server, "plain", jobs)
    server.psql("postgres", "DROP DATABASE plain")
    return seconds, sum(size for size, _, _ in jobs)


def quality(arguments, server, database, directory):
    prediction = directory / "prediction.csv"
    server.psql(database, "\\copy (SELECT external_id AS id, customer_id FROM golden.record_customer) "
                          f"to '{prediction}' with (format csv, header)")
    text = subprocess.run([arguments.build / "bench/evaluate", "--truth", directory / "truth.csv",
                           "--prediction", prediction], check=True, stdout=subprocess.PIPE, text=True).stdout
    told = dict(line.split()[:2] for line in text.splitlines() if len(line.split()) >= 2)
    names = ("pairwise_precision", "pairwise_recall", "pairwise_f1", "b_cubed_f1", "bound_pairwise_f1", "of_bound")
    return {name: float(told[name]) for name in names if name in told}


def ledger_balances(server, database):
    return server.psql(database, "SELECT bool_and(received = stored + updated + deleted + repeat + rejected + "
                                 "quarantined + suppressed + in_flight) FROM tributary.ledger") == "t"


def one_run(arguments, directory, number):
    server = Server()
    try:
        database = "bench"
        server.create(database)
        state = directory / f"state{number}"
        (state / "drop").mkdir(parents=True)
        config = directory / "bench.yaml"
        more = "limits: {" + ", ".join(s.replace("=", ": ", 1) for s in arguments.set) + "}\n" if arguments.set else ""
        config.write_text(CONFIG.format(url=server.url(database), state=state, more=more))
        server.psql("postgres", "CHECKPOINT")
        wal, server_cpu = server.wal_bytes(), server.cpu_seconds()
        parts = [load(arguments, config, directory / f"part{n}.csv") for n in (1, 2)]
        wal, server_cpu = server.wal_bytes() - wal, server.cpu_seconds() - server_cpu
        records = sum(part["received"] for part in parts)
        seconds = sum(part["seconds"] for part in parts)
        own, own_bytes = own_floor(server, database, directory)
        plain, plain_bytes = plain_floor(server, database, directory)
        size = int(server.psql("postgres", f"SELECT pg_database_size('{database}')"))
        result = {
            "records": records, "customers": parts[-1]["customers"], "events": parts[-1]["events"],
            "seconds": seconds, "records_per_s": records / seconds,
            "own_floor_s": own, "own_floor_ratio": seconds / own,
            "plain_floor_s": plain, "plain_floor_ratio": seconds / plain,
            "own_floor_bytes_per_record": own_bytes / records, "plain_floor_bytes_per_record": plain_bytes / records,
            "wal_bytes_per_record": wal / records, "database_bytes_per_record": size / records,
            "first_half_s": parts[0]["seconds"], "second_half_s": parts[1]["seconds"],
            "second_to_first": parts[1]["seconds"] / parts[0]["seconds"],
            "start_empty_s": parts[0]["wall_s"] - parts[0]["seconds"],
            "start_half_s": parts[1]["wall_s"] - parts[1]["seconds"],
            "daemon_cpu_us_per_record": sum(part["cpu_s"] for part in parts) * 1e6 / records,
            "server_cpu_us_per_record": server_cpu * 1e6 / records,
            "index_bytes_per_record": parts[-1]["index_bytes"] / max(parts[-1]["records"], 1),
            "peak_rss_mb": max(part["rss_bytes"] for part in parts) / 1e6,
            "ledger_balances": float(ledger_balances(server, database)),
        }
        result.update(quality(arguments, server, database, directory))
        return result
    finally:
        server.remove()


def main():
    parser = argparse.ArgumentParser(description="a load beside its floors")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--records", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--population", default="mixed")
    parser.add_argument("--noise", default="default")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work in this directory and leave the generated files there")
    parser.add_argument("--set", action="append", default=[], help="a limit: batch_records=4000")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.tributary = arguments.build / "tributary"
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="tributary-bench-files.", dir="/tmp"))
    directory.mkdir(exist_ok=True)
    try:
        subprocess.run([arguments.build / "bench/generate", "--population", arguments.population, "--records",
                        str(arguments.records), "--seed", str(arguments.seed), "--noise", arguments.noise,
                        "--out", directory], check=True)
        split(directory, arguments.records)
        print(f"population {arguments.population}\nnoise {arguments.noise}\nseed {arguments.seed}", flush=True)
        runs = [one_run(arguments, directory, number) for number in range(arguments.runs)]
        for name in runs[0]:
            value = statistics.median(run[name] for run in runs)
            print(f"{name} {value:.3f}".rstrip("0").rstrip("."))
    finally:
        if arguments.keep is None:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
