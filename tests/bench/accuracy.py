#!/usr/bin/python3
"""make bench-accuracy: how well records are recognised, on sets with a known truth, beside Splink.

    tests/bench/accuracy.py [--build build] [--only WORD]... [--records 20000] [--seed N] [--no-splink] [--json FILE]

No labels are used: `tributary dedupe` with what it ships, told which field a column is and nothing else; the truth
only judges the result. Sets that lie in ../shared/data/er are left out, saying so, when absent. Per set:

  P R F1      of pairs of records put together; B3 is the B-cubed F1
  of bound    F1 by the best F1 that evidence allows (own generator only)
  reach       of the pairs that are one customer, how many are compared at all (pairs completeness)
  pairs/rec   pairs compared per record

Splink 4 gets the same sheets and columns, trains itself as its manual says (splink_dedupe.py), runs on two threads, and
its threshold is the best one, chosen by the truth. Pairs of names and companies are judged by `tributary score`
at 0.5. The own generator runs on seeds that were used in tuning and on fresh ones, drawn anew unless --seed names
one. Prints a table and asserts nothing.
"""
import argparse
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import accuracy_measures as measures
import accuracy_sets as sets
from accuracy_negatives import hard_negatives
from splink_place import python_with_splink

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data/er"
NEGATIVES, NEGATIVES_SEED = 500, 20260
TUNING_SEEDS = {("mixed", "default"): 1, ("chinese", "default"): 1, ("western", "default"): 1,
                ("mixed", "heavy"): 1, ("chinese", "heavy"): 1, ("western", "heavy"): 1}


class Bench:
    def __init__(self, arguments, directory):
        self.arguments, self.directory = arguments, directory
        self.tributary = arguments.build / "tributary"
        self.python = None
        self.results = []

    def wanted(self, name):
        return not self.arguments.only or any(word in name for word in self.arguments.only)

    # -- tributary ------------------------------------------------------------------------------------------------

    def dedupe(self, table, sheet):
        out = self.directory / "out.csv"
        command = [self.tributary, "dedupe", sheet, "-o", out, "--threads", "2"]
        if table.own_fields:
            config = self.directory / "own.yaml"
            config.write_text("fields:\n" + "".join(f"  {name}: {{type: {kind}}}\n"
                                                    for name, kind in table.own_fields.items()))
            command += ["--config", config]
        for pair in table.maps + [f"{column}=-" for column in ["id"] + table.dropped]:
            command += ["--map", pair]
        started = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            sys.exit(f"bench: {table.name}: {done.stderr}")
        with open(out, encoding="utf-8", newline="") as file:
            return {row["id"]: row["customer_id"] for row in csv.DictReader(file)}, seconds

    def blocking(self, table, sheet):
        """What share of the true pairs is compared, and how many pairs a record."""
        truth, pairs = self.directory / "truth.csv", self.directory / "pairs.tsv"
        with open(truth, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id", "entity")] + list(table.truth.items()))
        command = [self.arguments.build / "bench/bench_match", sheet, truth]
        for column in table.dropped:
            command += ["--without", column]
        for pair in table.maps:
            command += ["--map", pair]
        for name, kind in table.own_fields.items():
            command += ["--own", f"{name}={kind}"]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        told = dict(line.split()[:2] for line in told.splitlines() if len(line.split()) == 2)
        return (float(told["pairs_of_one_reached"]) / max(float(told["true_pairs"]), 1),
                float(told["pairs_per_record"]), float(told["keys_per_record"]))

    # -- splink ---------------------------------------------------------------------------------------------------

    def splink(self, table, sheet):
        if not self.python or not table.splink:
            return {}
        spec, pairs = self.directory / "spec.json", self.directory / "splink.csv"
        spec.write_text(json.dumps(table.splink))
        done = subprocess.run([self.python, ROOT / "tests/bench/splink_dedupe.py", sheet, spec, pairs],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"Splink failed on {table.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return {}
        told = json.loads(done.stdout.splitlines()[-1])
        with open(pairs, encoding="utf-8", newline="") as file:
            scored = [(float(row[0]), row[1], row[2]) for row in csv.reader(file)]
        best = measures.best_threshold(table.truth, scored)
        reached = sum(table.truth[a] == table.truth[b] for _, a, b in scored)
        return {"splink_f1": best["f1"], "splink_precision": best["precision"], "splink_recall": best["recall"],
                "splink_threshold": best["threshold"], "splink_of": best["of"],
                "splink_candidates_right": reached, "splink_train_s": told["train_s"],
                "splink_predict_s": told["predict_s"]}

    # -- sets -----------------------------------------------------------------------------------------------------

    def table(self, table):
        sheet = self.directory / "sheet.csv"
        table.write(sheet)
        predicted, seconds = self.dedupe(table, sheet)
        result = {"set": table.name, "records": len(table.rows), "seconds": seconds}
        result.update(measures.grouping(table.truth, predicted))
        result["reach"], result["pairs_per_record"], result["keys_per_record"] = self.blocking(table, sheet)
        if table.reachable:
            result["bound_f1"] = measures.bound(table.truth, table.reachable)
            result["of_bound"] = result["f1"] / result["bound_f1"]
        result.update(self.splink(table, sheet))
        self.results.append(result)
        show_table(result)

    def score(self, pairs, kind):
        """[(left, right)] -> the scores of `tributary score --type kind`."""
        path = self.directory / "score.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("left", "right")] + list(pairs))
        text = subprocess.run([self.tributary, "score", path, "--type", kind], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout
        return [float(row["score"]) for row in csv.DictReader(text.splitlines())]

    def pairs(self, name, pairs):
        """pairs: (left, right, whether the same, type, group)"""
        started, said = time.monotonic(), {}
        for kind in sorted({pair[3] for pair in pairs}):
            chosen = [number for number, pair in enumerate(pairs) if pair[3] == kind]
            scores = self.score([pairs[number][:2] for number in chosen], kind)
            said.update((number, score >= 0.5) for number, score in zip(chosen, scores))
        result = {"set": name, "seconds": time.monotonic() - started}
        result.update(measures.labelled([(said[number], pair[2]) for number, pair in enumerate(pairs)]))
        wrong, all_of = Counter(), Counter()
        for number, pair in enumerate(pairs):
            all_of[pair[4]] += 1
            wrong[pair[4]] += said[number] != pair[2]
            if self.arguments.errors and said[number] != pair[2]:
                print(f"  {'missed' if pair[2] else 'wrongly one'}: {pair[0]} | {pair[1]} ({pair[4]})", file=sys.stderr)
        result["wrong"] = {group: f"{wrong[group]} of {all_of[group]}" for group in sorted(all_of)}
        self.results.append(result)
        show_pairs(result)


def number(value, digits=4):
    return f"{value:.{digits}f}" if isinstance(value, float) else "-" if value is None else str(value)


ROW = "{:<38} {:>7} {:>7} {:>7} {:>7} {:>7} {:>8} {:>7} {:>9} {:>6} | {:>7} {:>7} {:>7} {:>8} {:>6}"


def show_heading():
    print(ROW.format("set", "records", "P", "R", "F1", "B3", "of bound", "reach", "pairs/rec", "s", "Splink", "P", "R",
                     "at", "s"), flush=True)


def show_table(r):
    threshold = r.get("splink_threshold")
    seconds = r["splink_train_s"] + r["splink_predict_s"] if "splink_f1" in r else None
    print(ROW.format(r["set"], r["records"], number(r["precision"]), number(r["recall"]), number(r["f1"]),
                     number(r["b_cubed_f1"]), number(r.get("of_bound")), number(r["reach"]),
                     number(r["pairs_per_record"], 2), number(r["seconds"], 1), number(r.get("splink_f1")),
                     number(r.get("splink_precision")), number(r.get("splink_recall")),
                     "-" if threshold is None else f"{threshold:.6g}", number(seconds, 1)), flush=True)


def show_pairs(r):
    print(f"{r['set']}: {r['pairs']} pairs, MCC {r['mcc']:.4f}, F1 {r['f1']:.4f}, precision {r['precision']:.4f}, "
          f"recall {r['recall']:.4f}, specificity {r['specificity']:.4f}; wrong: "
          + ", ".join(f"{group} {told}" for group, told in r["wrong"].items()), flush=True)


def absent(directory):
    if directory.is_dir():
        return False
    print(f"{directory.name}: not here ({DATA} has no such directory): left out", flush=True)
    return True


def run_tables(bench, arguments):
    show_heading()
    if not absent(DATA / "febrl"):
        for numbers in (["1"], ["2"], ["3"], ["4a", "4b"]):
            for with_id in (True, False):
                name = "febrl" + numbers[0][0]
                if bench.wanted(name):
                    bench.table(sets.febrl(DATA / "febrl", numbers, with_id))
    if not absent(DATA / "fake_1000") and bench.wanted("fake_1000"):
        bench.table(sets.fake_1000(DATA / "fake_1000"))
    for told in (False, True):
        if bench.wanted("dedupe_csv_example") and not absent(DATA / "dedupe_csv_example"):
            bench.table(sets.centres(DATA / "dedupe_csv_example", told))
    for (population, noise), tuning_seed in TUNING_SEEDS.items():
        for seed, fresh in ((tuning_seed, False), (arguments.seed, True)):
            if bench.wanted(f"own {population} {noise} {'fresh' if fresh else 'tuning'}"):
                bench.table(sets.generated(arguments.build, bench.directory, population, noise, arguments.records,
                                           seed, fresh))


def run_pairs(bench):
    directory = DATA / "zh_company_name_match_epiphany"
    if not absent(directory) and bench.wanted("zh companies"):
        pairs = sets.company_pairs(directory)
        negatives = hard_negatives([name for a, b, _ in pairs for name in (a, b)], NEGATIVES, NEGATIVES_SEED)
        bench.pairs("zh companies",
                    [(a, b, same, "company", "same" if same else "different") for a, b, same in pairs] +
                    [(a, b, False, "company", "made: other " + change) for a, b, change in negatives])
    directory = DATA / "opensanctions_name_bench"
    if not absent(directory) and bench.wanted("opensanctions"):
        bench.pairs("opensanctions names", [pair + (pair[3],) for pair in sets.name_pairs(directory)])


def main():
    parser = argparse.ArgumentParser(description="accuracy on sets with a known truth")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", action="append", help="sets whose name has this word")
    parser.add_argument("--records", type=int, default=20000, help="of each generated set")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000, 1 << 31))
    parser.add_argument("--no-splink", action="store_true")
    parser.add_argument("--errors", action="store_true", help="shows the pairs of names judged wrongly")
    parser.add_argument("--json", type=Path, help="writes all figures there")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    directory = Path(tempfile.mkdtemp(prefix="tributary-accuracy.", dir=os.environ.get("TMPDIR", "/tmp")))
    bench = Bench(arguments, directory)
    try:
        if not arguments.no_splink:
            bench.python = python_with_splink(arguments.build)
        run_tables(bench, arguments)
        run_pairs(bench)
        if arguments.json:
            arguments.json.write_text(json.dumps(bench.results, indent=1, ensure_ascii=False) + "\n")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
