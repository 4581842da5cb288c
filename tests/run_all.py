#!/usr/bin/env python3
"""Runs every kind of test and ends with one line: N passed, N failed, N skipped.

    run_all.py [--build build] [--only unit,e2e,...] [--fuzz-seconds 5]

Steps: unit (cmocka, beside a throw-away PostgreSQL), rules (the tests beside the shipped rules), sanitize (the
unit tests under ASan and UBSan), lint, fuzz (a few seconds a target), e2e (pytest). Each step's output goes to
build/test-logs/STEP.log; what failed is shown. Exit code 1 when anything failed or nothing ran.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed=0, failed=0, skipped=0, names=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.failures.extend(names)


def run(command, log, env=None, timeout=1500):
    """Runs a command with its output in a log; returns (exit code, output)."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(os.environ, **(env or {})), timeout=timeout, check=False)
        code, output = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        code, output = 124, (late.stdout or b"").decode("utf-8", "replace") + "\ntook too long\n"
    log.write(output)
    log.flush()
    return code, output


def cmocka(binaries, counts, log, env=None):
    for binary in binaries:
        code, output = run(["tests/unit/with_postgres.sh", binary], log, env)
        name = os.path.basename(binary)
        passed = len(re.findall(r"^\[       OK \]", output, re.M))
        failed = re.findall(r"^\[  FAILED  \] (\w+)$", output, re.M)
        skipped = len(re.findall(r"^\[  SKIPPED \] \w+$", output, re.M)) // 2 \
            if "[  SKIPPED ]" in output else 0
        if code != 0 and not failed:
            failed = [f"ended with {code}"]
        if code == 0 and not passed and not skipped:
            failed = ["ran no test"]
        failed = sorted(set(failed))
        counts.add(passed, len(failed), skipped, [f"{name}: {test}" for test in failed])
        if failed:
            print(output[-4000:])


def unit(options, counts, log):
    code, output = run(["make", "-s", "-j2", f"BUILD={options.build}", "unit-build"], log)
    if code != 0:
        print(output[-4000:])
        counts.add(failed=1, names=["unit: does not build"])
        return
    cmocka(sorted(b for b in glob.glob(f"{ROOT}/{options.build}/tests/test_*") if not b.endswith(".d")),
           counts, log)


def rules(options, counts, log):
    code, output = run([f"{options.build}/tributary", "test"], log)
    found = re.search(r"(\d+) passed, (\d+) failed", output)
    if not found or (code != 0 and int(found.group(2)) == 0):
        counts.add(failed=1, names=[f"rules: tributary test ended with {code}"])
        print(output[-2000:])
        return
    counts.add(int(found.group(1)), int(found.group(2)))
    if int(found.group(2)):
        counts.failures.append("rules: " + output)


def sanitize(options, counts, log):
    build = f"{options.build}/sanitize"
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
    code, output = run(["make", "-s", "-j2", f"BUILD={build}", "OPTIMIZE=-O1 -g", f"SANITIZE={flags}",
                        "HARDEN=-fPIE", "unit-build"], log)
    if code != 0:
        print(output[-4000:])
        counts.add(failed=1, names=["sanitize: does not build"])
        return
    cmocka(sorted(b for b in glob.glob(f"{ROOT}/{build}/tests/test_*") if not b.endswith(".d")), counts, log,
           {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lint/lsan.supp:print_suppressions=0"})


def lint(options, counts, log):
    for check in sorted(glob.glob(f"{ROOT}/tests/lint/check_*")):
        code, output = run([check, options.build], log)
        name = os.path.basename(check)
        if code == 77:
            counts.add(skipped=1)
            print(f"lint: {name} skipped: {output.strip()[-200:]}")
        elif code == 0:
            counts.add(passed=1)
        else:
            counts.add(failed=1, names=[f"lint: {name}"])
            print(output[-3000:])


def fuzz(options, counts, log):
    build = f"{options.build}/fuzz"
    code, output = run(["make", "-s", "-j2", f"BUILD={build}", "fuzz-build"], log)
    if code != 0:
        print(output[-4000:])
        counts.add(failed=1, names=["fuzz: does not build"])
        return
    for target in sorted(b for b in glob.glob(f"{ROOT}/{build}/fuzz/fuzz_*") if "." not in os.path.basename(b)):
        name = os.path.basename(target)
        corpus = f"{ROOT}/tests/fuzz/corpus/{name[len('fuzz_'):]}"
        work = f"{ROOT}/{build}/work/{name}"
        os.makedirs(work, exist_ok=True)
        command = [target, f"-max_total_time={options.fuzz_seconds}", "-timeout=10", "-rss_limit_mb=4096",
                   f"-artifact_prefix={work}/", work] + ([corpus] if os.path.isdir(corpus) else [])
        code, output = run(command, log, {"ASAN_OPTIONS": "detect_leaks=0"})
        counts.add(int(code == 0), int(code != 0), names=[f"fuzz: {name}"] if code else [])
        if code:
            print(output[-3000:])


def e2e(options, counts, log):
    report = f"{ROOT}/{options.build}/test-logs/e2e.xml"
    code, output = run([sys.executable, "-m", "pytest", "-q", "-x" if options.stop else "-ra", "-p", "no:cacheprovider",
                        f"--junitxml={report}", "tests/e2e"], log,
                       {"TRIBUTARY_BUILD": f"{ROOT}/{options.build}", "PYTHONDONTWRITEBYTECODE": "1"}, timeout=1800)
    try:
        suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    except (OSError, xml.etree.ElementTree.ParseError):
        counts.add(failed=1, names=[f"e2e: pytest ended with {code}"])
        print(output[-4000:])
        return
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    names = [f"e2e: {case.get('classname')}.{case.get('name')}" for case in suite.iter("testcase")
             if case.find("failure") is not None or case.find("error") is not None]
    counts.add(total - skipped - failed, failed, skipped, names)
    if failed or code not in (0, 1):
        print(output[-8000:])
    for line in re.findall(r"^SKIPPED .*$", output, re.M):
        print(line)


STEPS = [("unit", unit), ("rules", rules), ("sanitize", sanitize), ("lint", lint), ("fuzz", fuzz), ("e2e", e2e)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="")
    parser.add_argument("--fuzz-seconds", type=int, default=5)
    parser.add_argument("--stop", action="store_true", help="stop e2e at the first failure")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    os.makedirs(f"{ROOT}/{options.build}/test-logs", exist_ok=True)
    total = Counts()
    for name, step in STEPS:
        if only and name not in only:
            continue
        counts, started = Counts(), time.monotonic()
        with open(f"{ROOT}/{options.build}/test-logs/{name}.log", "w", encoding="utf-8") as log:
            step(options, counts, log)
        print(f"{name}: {counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped "
              f"in {time.monotonic() - started:.0f} s", flush=True)
        total.add(counts.passed, counts.failed, counts.skipped, counts.failures)
    for failure in total.failures:
        print(f"FAILED {failure}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
