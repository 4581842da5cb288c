#!/usr/bin/env python3
"""Runs every kind of test and ends with one line: N passed, N failed, N skipped.

    run_all.py [--build build] [--only unit,e2e,...] [--fuzz-seconds 5] [--jobs 2]

Steps: unit (cmocka, beside a throw-away PostgreSQL where a test wants one), rules (the tests beside the shipped
rules), e2e and fault (pytest), sanitize (the unit tests under ASan and UBSan), threads (those with threads
under TSan), lint, fuzz (a few seconds a target). Each step's output goes to build/test-logs/STEP.log; what failed is
shown. Exit code 1 when anything failed or nothing ran.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD_DEADLINE_S = 1200
TEST_DEADLINE_S = 300
LINT_DEADLINE_S = 900
SUITE_DEADLINE_S = 1800
# Unit tests that look like this run under TSan too.
THREADED = re.compile(r'pthread_|#include "daemon/(?:base/(?:queue|stop)|http/|accept/(?:acceptor|lanes|pull|spool)|'
                      r'resolve/(?:resolver|writer)|events/dispatcher|store/(?:db|cluster)|engine/)')
SKIPPED = 77  # how a lint check says that its tool is not here


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed=0, failed=0, skipped=0, names=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.failures.extend(names)


def run(command, env=None, timeout=TEST_DEADLINE_S, log_path=None):
    """Runs a command; returns (exit code, output). Too late: all its processes are ended, first with a chance to tidy.
    With log_path the output can be followed there meanwhile."""
    with open(log_path, "w+b") if log_path else tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, **(env or {})), start_new_session=True)
        late = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            late = True
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(15)
                    break
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue
        log.seek(0)
        text = log.read().decode("utf-8", "replace")
    return (124, f"{text}\ntook longer than {timeout} s\n") if late else (process.returncode, text)


def at_once(options, log, function, items):
    """function(item) for each item, some at a time; prints and logs each output as (failed, text) comes back."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for failed, text in pool.map(function, items):
            log.write(text)
            log.flush()
            if failed:
                print(text[-4000:], flush=True)


def build(options, counts, log, what, target):
    code, output = run(["make", "-s", f"-j{options.jobs}", f"BUILD={options.build}", target], timeout=BUILD_DEADLINE_S)
    log.write(output)
    if code != 0:
        print(output[-4000:])
        counts.add(failed=1, names=[f"{what}: does not build"])
    return code == 0


def wants_postgres(name):
    with open(f"{ROOT}/tests/unit/{name}.c", encoding="utf-8") as file:
        text = file.read()
    return "TRIBUTARY_TEST_DB" in text or '"tests/unit/pg.h"' in text


def cmocka(options, counts, log, folder, env=None, names=None):
    """Runs every unit test of a build (those in `names`, when given) and counts its cases."""
    if names is None:
        names = sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{ROOT}/tests/unit/test_*.c"))

    def one(name):
        binary = f"{ROOT}/{folder}/tests/{name}"
        started = time.monotonic()
        code, output = run((["tests/unit/with_postgres.sh"] if wants_postgres(name) else []) + [binary], env)
        passed = len(re.findall(r"^\[       OK \] ", output, re.M))
        failed = set(re.findall(r"^\[  FAILED  \] ([A-Za-z_]\w*)$", output, re.M))
        skipped = len(set(re.findall(r"^\[  SKIPPED \] ([A-Za-z_]\w*)$", output, re.M)))
        if code != 0 and not failed:
            failed = {f"ended with {code}"}
        if code == 0 and not passed and not skipped:
            failed = {"ran no test"}
        counts.add(passed, len(failed), skipped, [f"{name}: {test}" for test in sorted(failed)])
        return failed, f"==== {name} ({time.monotonic() - started:.1f} s)\n{output}"

    at_once(options, log, one, names)


def unit(options, counts, log):
    if build(options, counts, log, "unit", "unit-build"):
        cmocka(options, counts, log, options.build)


def rules(options, counts, log):
    code, output = run([f"{options.build}/tributary", "test"])
    log.write(output)
    found = re.search(r"(\d+) passed, (\d+) failed", output)
    if not found or (code != 0 and int(found.group(2)) == 0):
        counts.add(failed=1, names=[f"rules: tributary test ended with {code}"])
        print(output[-2000:])
        return
    counts.add(int(found.group(1)), int(found.group(2)))
    if int(found.group(2)):
        counts.failures.append("rules: " + output)


def sanitize(options, counts, log):
    if build(options, counts, log, "sanitize", "sanitize-build"):
        cmocka(options, counts, log, f"{options.build}/sanitize",
               {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1",
                "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lint/lsan.supp:print_suppressions=0"})


def threads(options, counts, log):
    if build(options, counts, log, "threads", "threads-build"):
        names = sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{ROOT}/tests/unit/test_*.c")
                       if THREADED.search(open(path, encoding="utf-8").read()))
        cmocka(options, counts, log, f"{options.build}/threads", names=names,
               env={"TSAN_OPTIONS": f"suppressions={ROOT}/tests/lint/tsan.supp:halt_on_error=0:exitcode=66"})


def lint(options, counts, log):
    def one(check):
        name = os.path.basename(check)
        started = time.monotonic()
        code, output = run([check, options.build], timeout=LINT_DEADLINE_S)
        counts.add(int(code == 0), int(code not in (0, SKIPPED)), int(code == SKIPPED),
                   [f"lint: {name}"] if code not in (0, SKIPPED) else [])
        if code == SKIPPED:
            print(f"lint: {name} skipped: {output.strip()[-200:]}")
        return code not in (0, SKIPPED), f"==== {name} ({time.monotonic() - started:.1f} s)\n{output}"

    at_once(options, log, one, sorted(glob.glob(f"{ROOT}/tests/lint/check_*")))


def fuzz(options, counts, log):
    if not build(options, counts, log, "fuzz", "sanitize-build"):
        return

    def one(name):
        target = f"{ROOT}/{options.build}/sanitize/fuzz/{name}"
        corpus = f"{ROOT}/tests/fuzz/corpus/{name[len('fuzz_'):]}"
        work = f"{ROOT}/{options.build}/fuzz-work/{name}"
        os.makedirs(work, exist_ok=True)
        command = [target, f"-max_total_time={options.fuzz_seconds}", "-timeout=25", "-rss_limit_mb=4096",
                   "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={work}/", work]
        code, output = run(command + ([corpus] if os.path.isdir(corpus) else []),
                           {"LSAN_OPTIONS": f"suppressions={ROOT}/tests/lint/lsan.supp:print_suppressions=0"},
                           timeout=options.fuzz_seconds + TEST_DEADLINE_S)
        counts.add(int(code == 0), int(code != 0), names=[f"fuzz: {name}"] if code else [])
        return code, f"==== {name}\n{output}"

    at_once(options, log, one, sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{ROOT}/tests/fuzz/fuzz_*.c")))


def suite(options, counts, log, folder):
    """A folder of pytest."""
    report = f"{ROOT}/{options.build}/test-logs/{folder}.xml"
    if os.path.exists(report):
        os.unlink(report)
    code, output = run([sys.executable, "-m", "pytest", "-q", "-x" if options.stop else "-ra", "-p", "no:cacheprovider",
                        "--durations=10", f"--junitxml={report}", f"tests/{folder}"],
                       {"TRIBUTARY_BUILD": f"{ROOT}/{options.build}", "PYTHONDONTWRITEBYTECODE": "1"},
                       timeout=SUITE_DEADLINE_S, log_path=f"{ROOT}/{options.build}/test-logs/pytest-{folder}.log")
    log.write(output)
    try:
        found = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    except (OSError, xml.etree.ElementTree.ParseError):
        counts.add(failed=1, names=[f"{folder}: pytest ended with {code}"])
        print(output[-4000:])
        return
    total, skipped = int(found.get("tests")), int(found.get("skipped"))
    failed = int(found.get("failures")) + int(found.get("errors"))
    names = [f"{folder}: {case.get('classname')}.{case.get('name')}" for case in found.iter("testcase")
             if case.find("failure") is not None or case.find("error") is not None]
    counts.add(total - skipped - failed, failed, skipped, names)
    if failed or code not in (0, 1):
        print(output[-8000:])
    for line in re.findall(r"^SKIPPED .*$", output, re.M):
        print(line)


def e2e(options, counts, log):
    suite(options, counts, log, "e2e")


def fault(options, counts, log):
    suite(options, counts, log, "fault")


STEPS = [("unit", unit), ("rules", rules), ("e2e", e2e), ("fault", fault), ("sanitize", sanitize),
         ("threads", threads), ("lint", lint), ("fuzz", fuzz)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="")
    parser.add_argument("--fuzz-seconds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--stop", action="store_true", help="stop e2e at the first failure")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    unknown = set(only) - {name for name, _ in STEPS}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    os.makedirs(f"{ROOT}/{options.build}/test-logs", exist_ok=True)
    total, begun = Counts(), time.monotonic()
    for name, step in STEPS:
        if only and name not in only:
            continue
        counts, started = Counts(), time.monotonic()
        with open(f"{ROOT}/{options.build}/test-logs/{name}.log", "w", encoding="utf-8") as log:
            step(options, counts, log)
        print(f"{name}: {counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped "
              f"in {time.monotonic() - started:.0f} s", flush=True)
        total.add(counts.passed, counts.failed, counts.skipped, counts.failures)
    print(f"took {time.monotonic() - begun:.0f} s; logs are in {options.build}/test-logs")
    for failure in total.failures:
        print(f"FAILED {failure}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
