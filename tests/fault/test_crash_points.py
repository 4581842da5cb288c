"""Killed at every named point, and at random: nothing acknowledged is lost, nothing is there twice, no person is needed.

A run posts forms, pushes records and drops a sheet until the daemon kills itself at the point (daemon/base/crash_point.h),
starts it again, sends what was not acknowledged once more, and asks the oracle. TRIBUTARY_LONG=1: 25 runs a point.
"""
import os
import random
import signal
import threading

import pytest
from conftest import wait_until
from daemon import Daemon
from oracle import CONFIG, Oracle

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
RUNS = 25 if LONG else 1

ONLINE = ["accept.begun", "accept.copied", "accept.before_commit", "accept.committed", "accept.before_reply",
          "store.commit_sent", "write.begun", "write.copied", "write.before_commit", "write.committed",
          "csv.before_claim", "csv.claimed", "csv.before_done", "csv.done"]
SPOOL = ["spool.before_commit", "spool.kept", "spool.stored"]
STOP = ["stop.begun", "stop.accepted", "stop.resolved"]
MIGRATION = ["migrate.before_commit", "migrate.committed", "store.commit_sent"]


@pytest.fixture(scope="module")
def template(postgres, tmp_path_factory):
    """A migrated database without records."""
    name = postgres.create_database()
    directory = tmp_path_factory.mktemp("template")
    daemon = Daemon(directory, postgres.conninfo(name), CONFIG.replace("DROP", str(directory / "drop")))
    daemon.start()
    assert daemon.stop() == 0
    yield name
    postgres.drop_database(name)


class Run:
    """A database, a daemon and an oracle of their own."""

    def __init__(self, postgres, directory, database, seed):
        self.postgres, self.database = postgres, database
        self.drop = directory / "drop"
        self.oracle = Oracle(seed)
        self.daemon = Daemon(directory, postgres.conninfo(database), CONFIG.replace("DROP", str(self.drop)),
                             http=", requests_per_second: 0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.kill()
        self.postgres.drop_database(self.database)

    def is_dead(self):
        return self.daemon.process.poll() is not None

    def is_ready_or_dead(self):
        try:
            return self.is_dead() or self.daemon.is_ready()
        except AssertionError:
            return True

    def post_until_dead(self, posts):
        """Posts from four clients, each until it is done or the daemon is dead."""
        def client():
            for _ in range(posts // 4):
                if self.is_dead():
                    return
                self.oracle.post(self.daemon)
                self.oracle.push(self.daemon)

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()

    def wait_dead(self, deadline_s=20):
        wait_until(self.is_dead, deadline_s, "the crash point to be passed")
        assert self.daemon.process.wait() == -signal.SIGKILL
        self.daemon.process = None

    def recover_and_judge(self):
        self.daemon.start()
        self.oracle.send_again(self.daemon)
        assert self.oracle.post(self.daemon)
        connection = self.postgres.connect(self.database)
        try:
            self.oracle.judge(connection)
        finally:
            connection.close()
        print(self.oracle.counts())
        wait_until(lambda: not any(path.is_file() for path in self.drop.glob("work/*")), 10, "the files to be put away")
        assert not any(path.is_file() for path in self.drop.glob("failed/*"))
        assert self.daemon.stop() == 0


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("point", ONLINE)
def test_killed_at(postgres, template, tmp_path, point, run):
    rng = random.Random(f"{point}/{run}")
    nth = 1 if point.startswith("csv") else rng.randrange(1, 8)
    with Run(postgres, tmp_path, postgres.create_database(template), ONLINE.index(point) * 1000 + run) as it:
        it.oracle.sheet(it.drop, 50, "first.csv")
        if point.startswith("csv"):
            it.daemon.start(ready=False, environment={"TRIBUTARY_CRASH_POINT": point})
        else:
            it.daemon.start(ready=False, environment={"TRIBUTARY_CRASH_POINT": f"{point}:{nth}"})
            wait_until(it.is_ready_or_dead, 20, "readiness or death")
            it.post_until_dead(80)
        it.wait_dead()
        it.oracle.sheet(it.drop, 10, "second.csv")
        it.recover_and_judge()


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("point", SPOOL)
def test_killed_in_the_spool_at(own_postgres, tmp_path, point, run):
    with Run(own_postgres, tmp_path, own_postgres.create_database(), 100000 + SPOOL.index(point) * 1000 + run) as it:
        nth = random.Random(f"{point}/{run}").randrange(1, 4) if point != "spool.stored" else 1
        own_postgres.stop()
        it.daemon.start(ready=False, environment={"TRIBUTARY_CRASH_POINT": f"{point}:{nth}"})
        wait_until(lambda: it.daemon.is_ready("/livez"), 20, "life")
        it.post_until_dead(16)
        own_postgres._launch()
        wait_until(own_postgres._answers, 60, "PostgreSQL's start")
        it.wait_dead()
        it.recover_and_judge()


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("point", STOP)
def test_killed_while_stopping_at(postgres, template, tmp_path, point, run):
    with Run(postgres, tmp_path, postgres.create_database(template), 200000 + STOP.index(point) * 1000 + run) as it:
        it.daemon.start(environment={"TRIBUTARY_CRASH_POINT": point})
        it.oracle.sheet(it.drop, 200, "first.csv")
        stopper = threading.Timer(random.Random(f"{point}/{run}").random() * 0.3, it.daemon.process.terminate)
        stopper.start()
        it.post_until_dead(80)
        it.wait_dead()
        it.recover_and_judge()


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("point", MIGRATION)
def test_killed_in_a_migration_at(postgres, tmp_path, point, run):
    with Run(postgres, tmp_path, postgres.create_database(), 300000 + MIGRATION.index(point) * 1000 + run) as it:
        it.daemon.start(ready=False, environment={"TRIBUTARY_CRASH_POINT": f"{point}:{1 + run % 3}"})
        it.wait_dead()
        it.recover_and_judge()


def test_killed_at_random_again_and_again(postgres, template, tmp_path):
    rng = random.Random(4)
    with Run(postgres, tmp_path, postgres.create_database(template), 400000) as it:
        for kill in range(100 if LONG else 6):
            it.oracle.sheet(it.drop, 100, f"sheet{kill}.csv")
            it.daemon.start(ready=False)
            wait_until(lambda: it.daemon.is_ready("/livez"), 20, "life")
            killer = threading.Timer(rng.random() * 0.8, it.daemon.process.kill)
            killer.start()
            it.post_until_dead(400)
            killer.join()
            it.wait_dead()
        it.recover_and_judge()
