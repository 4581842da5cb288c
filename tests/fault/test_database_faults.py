"""PostgreSQL restarted, killed, frozen, and losing answers, while posts come in: no post that was acknowledged is lost,
none is there twice, the daemon goes on by itself and answers for its health meanwhile; and it stops when it is told to.

TRIBUTARY_LONG=1: 1,000 lost answers instead of 50, frozen for 60 s instead of 8, ten faults of a kind instead of one.
"""
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import psycopg2
import pytest
from commit_proxy import CommitProxy
from conftest import signal_all, wait_until
from daemon import PROGRAM, Daemon, ledger, settled
from oracle import CONFIG, Oracle

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
FREEZE_S = 60 if LONG else 8


class Load:
    """Clients that post until they are told to stop, and one that looks after the health."""

    def __init__(self, daemon, oracle, clients=4):
        self.daemon, self.oracle, self.done = daemon, oracle, threading.Event()
        self.slowest_s, self.looks, self.bad_health = 0.0, 0, []
        self.threads = [threading.Thread(target=self._client) for _ in range(clients)]
        self.threads.append(threading.Thread(target=self._look))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def _client(self):
        while not self.done.is_set():
            self.oracle.post(self.daemon, timeout=60)

    def _look(self):
        while not self.done.wait(0.05):
            started = time.monotonic()
            for path in ("/livez", "/readyz"):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{self.daemon.private}{path}", timeout=10) as reply:
                        reply.read()
                except (urllib.error.URLError, OSError) as problem:
                    self.bad_health.append(f"{path}: {problem}")
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.looks += 1

    def judge(self):
        """Health was answered throughout, without waiting for the database (on a quiet machine, in less than a second)."""
        print(f"health: {self.looks} looks, the slowest {self.slowest_s:.3f} s")
        assert self.bad_health == [] and self.slowest_s < (1.0 if LONG else FREEZE_S / 2)

    def wait_for_more(self, posts, deadline_s=60):
        wanted = len(self.oracle.acknowledged) + posts
        wait_until(lambda: len(self.oracle.acknowledged) >= wanted, deadline_s, "posts to be acknowledged")


class Setting:
    def __init__(self, server, directory, seed, conninfo=None):
        self.server, self.database = server, server.create_database()
        self.drop, self.oracle = directory / "drop", Oracle(seed)
        self.daemon = Daemon(directory, (conninfo or server.conninfo)(self.database),
                             CONFIG.replace("DROP", str(self.drop)), http=", requests_per_second: 0")

    def __enter__(self):
        self.daemon.start()
        return self

    def __exit__(self, *_):
        self.daemon.kill()

    def judge(self, deadline_s=60):
        wait_until(self.daemon.is_ready, 15, "readiness, unaided")
        self.oracle.send_again(self.daemon)
        assert self.oracle.post(self.daemon)
        connection = self.server.connect(self.database)
        try:
            rows = self.oracle.judge(connection, deadline_s)
        finally:
            connection.close()
        print(self.oracle.counts())
        return rows

    def transitions(self, text):
        return sum(text in line for line in self.daemon.log.read_text(errors="replace").splitlines())


def restart(how):
    def fault(server, _):
        server.stop(how)
        server._launch()
        wait_until(server._answers, 60, "PostgreSQL's start")
    return fault


def backends(server, database):
    """Process ids of the daemon's sessions; none while the server recovers."""
    try:
        connection = server.connect()
    except psycopg2.OperationalError:
        return []
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name LIKE 'tributary%%'",
                       (database,))
        return [pid for pid, in cursor.fetchall()]
    finally:
        connection.close()


def terminate(server, database):
    connection = server.connect()
    connection.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
    connection.close()


def kill_one(server, database):
    pids = wait_until(lambda: backends(server, database), 30, "a backend of the daemon's")
    os.kill(pids[0], signal.SIGKILL)  # the server restarts itself
    wait_until(server._answers, 60, "PostgreSQL's recovery")


FAULTS = {"restarted fast": restart(signal.SIGINT), "restarted immediately": restart(signal.SIGQUIT),
          "killed": restart(signal.SIGKILL), "its backends terminated": terminate, "a backend killed": kill_one}


@pytest.mark.parametrize("fault", FAULTS)
def test_postgresql_is(own_postgres, tmp_path, fault):
    with Setting(own_postgres, tmp_path, list(FAULTS).index(fault)) as it:
        it.oracle.sheet(it.drop, 2000, "first.csv")
        with Load(it.daemon, it.oracle) as load:
            for _ in range(10 if LONG else 1):
                load.wait_for_more(50)
                FAULTS[fault](own_postgres, it.database)
                load.wait_for_more(50)
        assert set(it.oracle.answers) == {200}
        load.judge()
        rows = it.judge()
        assert rows["landing"]["rejected"] == rows["landing"]["quarantined"] == 0
        assert it.transitions("accept.database_back") <= (30 if LONG else 4)  # told once a transition, not once a post
        assert it.daemon.stop() == 0


@pytest.mark.parametrize("who", ["backends", "everything"])
def test_postgresql_is_frozen(own_postgres, tmp_path, who):
    with Setting(own_postgres, tmp_path, 50) as it:
        it.oracle.sheet(it.drop, 2000, "first.csv")
        with Load(it.daemon, it.oracle) as load:
            load.wait_for_more(20)
            frozen = backends(own_postgres, it.database) + ([own_postgres.process.pid] if who == "everything" else [])
            signal_all(frozen, signal.SIGSTOP)
            thaw_at = time.monotonic() + FREEZE_S
            load.wait_for_more(20)  # into the spool
            if who == "everything":  # else a new connection is as good
                wait_until(lambda: not it.daemon.is_ready(), 30, "the daemon to say that its database is away")
            wait_until(lambda: time.monotonic() > thaw_at, FREEZE_S + 1)
            signal_all(frozen, signal.SIGCONT)
            load.wait_for_more(20)
        assert set(it.oracle.answers) == {200}
        load.judge()
        it.judge()
        assert it.daemon.stop() == 0


def test_lost_answers_of_commits(own_postgres, tmp_path):
    cuts = 1000 if LONG else 50
    proxy = CommitProxy(own_postgres)
    with Setting(own_postgres, tmp_path, 60, proxy.conninfo) as it:
        it.oracle.sheet(it.drop, 2000, "first.csv")
        proxy.cut_every(3, cuts)
        with Load(it.daemon, it.oracle) as load:
            wait_until(lambda: proxy.cuts >= cuts, 600 if LONG else 120, lambda: f"{proxy.cuts} cuts")
        assert load.bad_health == []
        it.judge()
        print(f"lost answers: {proxy.cuts}")
        assert it.daemon.stop() == 0
    proxy.close()


def test_a_retried_reject_whose_commit_was_not_answered_is_resolved_once_it_is_known(own_postgres, tmp_path):
    """The retry gives up after some attempts; what it committed all the same stays nobody's secret until the next start."""
    proxy = CommitProxy(own_postgres)
    proxy.shuts = True
    with Setting(own_postgres, tmp_path, 61, proxy.conninfo) as it:
        connection = own_postgres.connect(it.database)
        cursor = connection.cursor()
        it.daemon.api("/v1/records", {"external_id": "a", "fields": {"message": "hello"}})
        wait_until(lambda: ledger(connection)["api"]["rejected"] == 1, 20, "a reject")
        proxy.cut_every(1, 1)
        done = it.daemon.run("rejects", "retry", "--all", check=False)
        assert done.returncode != 0 and "did not say whether" in done.stderr, done
        cursor.execute("SELECT state FROM tributary.reject")
        assert cursor.fetchall() == [("retried",)]  # it was committed
        assert ledger(connection)["api"]["in_flight"] == 1
        proxy.shut = proxy.shuts = False
        wait_until(lambda: ledger(connection)["api"]["rejected"] == 2, 60, lambda: ledger(connection))
        assert settled(connection)
        connection.close()
        assert it.daemon.stop() == 0
    proxy.close()


# ---- stopping ----

def stop_within(daemon, limit_s=30):  # the promise is 20; what is slow on top is the machine
    started = time.monotonic()
    code = daemon.stop()
    assert code == 0
    assert time.monotonic() - started <= limit_s
    return time.monotonic() - started


@pytest.mark.parametrize("phase", ["at once", "idle", "under load", "in a load, the database stopped",
                                   "in a load, the database frozen", "the database away from the start"])
def test_sigterm_ends_it_in_time(own_postgres, tmp_path, phase):
    it = Setting(own_postgres, tmp_path, 70)
    frozen = []
    if phase == "the database away from the start":
        own_postgres.stop()
    it.daemon.start(ready=False)
    if phase == "at once":
        # Before the signals are blocked SIGTERM ends the process as it ends any other.
        wait_until(lambda: it.daemon.log.exists() and "http.listening" in it.daemon.log.read_text(), 20, "the first words")
    elif phase == "the database away from the start":
        wait_until(lambda: it.daemon.is_ready("/livez"), 20, "life")
        assert it.oracle.post(it.daemon)
    else:
        wait_until(it.daemon.is_ready, 30, "readiness")
    if phase == "under load":
        it.oracle.sheet(it.drop, 5000, "first.csv")
        with Load(it.daemon, it.oracle) as load:
            load.wait_for_more(50)
            load.done.set()
            stop_within(it.daemon)
            load.bad_health.clear()
    elif phase.startswith("in a load"):
        it.oracle.sheet(it.drop, 20000, "first.csv")
        connection = own_postgres.connect(it.database)
        cursor = connection.cursor()

        def begun():
            cursor.execute("SELECT count(*) FROM tributary.record")
            return cursor.fetchone()[0] > 100

        wait_until(begun, 30, "the load to be under way")
        connection.close()
        if phase.endswith("stopped"):
            own_postgres.stop()
        else:
            frozen = backends(own_postgres, it.database)
            signal_all(frozen, signal.SIGSTOP)
        assert it.oracle.post(it.daemon)  # after its deadline it is in the spool
    if it.daemon.process:
        stop_within(it.daemon)
    signal_all(frozen, signal.SIGCONT)
    if own_postgres.process is None:
        own_postgres._launch()
        wait_until(own_postgres._answers, 60, "PostgreSQL's start")
    with it:
        it.judge()
        assert it.daemon.stop() == 0


def test_a_second_daemon_is_told_to_go_away(postgres, tmp_path):
    with Setting(postgres, tmp_path, 80) as it:
        second = subprocess.run([str(PROGRAM), "run", "--config", str(it.daemon.config)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
        assert second.returncode == 75, second.stdout
        assert f"another tributary uses state_dir {it.daemon.state}" in second.stdout and "hint: " in second.stdout
        assert it.daemon.is_ready()
        assert it.oracle.post(it.daemon)
        it.judge()
        assert it.daemon.stop() == 0


def open_files(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def test_sighup_with_a_broken_configuration_changes_nothing(postgres, tmp_path):
    with Setting(postgres, tmp_path, 90) as it:
        good = it.daemon.config.read_text()
        assert it.oracle.post(it.daemon)
        it.judge()  # what is opened when it is first needed is open now
        before = open_files(it.daemon)
        lines = good.splitlines()
        for broken in ("sources: [", good + "sinkz: {}\n", good.replace("type: form", "type: from"), "", "\0",
                       "\n".join(lines[:-2]) + "\nlimits: {batch_records: many}\n"):
            it.daemon.config.write_text(broken)
            told = it.transitions(f"{it.daemon.config}:") + it.transitions("run.config_good")
            it.daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda told=told: it.transitions(f"{it.daemon.config}:") + it.transitions("run.config_good") > told, 10,
                       "the verdict in the log")
            assert it.oracle.post(it.daemon)
        it.daemon.config.unlink()
        it.daemon.process.send_signal(signal.SIGHUP)
        assert it.oracle.post(it.daemon)
        it.daemon.config.write_text(good)
        for _ in range(1000 if LONG else 100):
            it.daemon.process.send_signal(signal.SIGHUP)
        good_before = it.transitions("run.config_good")
        wait_until(lambda: it.transitions("run.config_good") > good_before or
                   (it.daemon.process.send_signal(signal.SIGHUP) or False), 10, "a good verdict")
        wait_until(lambda: open_files(it.daemon) < before + 20, 10, "descriptors to be closed")  # and not one for each of the 100
        it.judge()
        assert it.daemon.stop() == 0
