"""What end-to-end and fault tests share, beside the modules in tests/support: a private PostgreSQL on a
unix socket, databases in it, and waiting without sleeping long.

The server belongs to nobody's cluster: it lives in a temporary directory, runs as an unprivileged user when the
tests run as root, and is gone at the end of the session.
"""
import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
BIN_DIRS = ["/usr/lib/postgresql/15/bin"] + sorted(
    str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))


def wait_until(condition, deadline_s=10.0, what="the condition"):
    """Calls condition until it gives something true, and returns that. A deadline ends a test that hangs; it says nothing
    about speed, so a busy machine is given its time."""
    until = time.monotonic() + max(deadline_s, 30)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"{what() if callable(what) else what}: not within {max(deadline_s, 30)} s")
        time.sleep(0.02)


def unprivileged():
    """(uid, gid) for programs that refuse root; our own when we are not root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    pytest.skip("no unprivileged user to run PostgreSQL as")


def signal_all(pids, how):
    """Signals processes; one that has ended meanwhile (a backend whose client left) needs none."""
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            pass


class Postgres:
    """A throw-away PostgreSQL: `conninfo(database)`, `create_database()`, and faults: stop, start, freeze, thaw."""

    made = None  # a data directory of initdb's, copied for every other server

    def __init__(self):
        self.bin_dir = next((d for d in BIN_DIRS if os.access(f"{d}/postgres", os.X_OK)), None)
        if self.bin_dir is None:
            pytest.skip("PostgreSQL's server programs are not installed")
        self.uid, self.gid = unprivileged()
        self.base = tempfile.mkdtemp(prefix="tributary-e2e.", dir="/tmp")
        os.chown(self.base, self.uid, self.gid)
        self.process = None
        self.databases = 0
        if Postgres.made is None:
            directory = tempfile.mkdtemp(prefix="tributary-initdb.", dir="/tmp")
            os.chown(directory, self.uid, self.gid)
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
            self._run("initdb", "-D", f"{directory}/data", "-U", "tributary", "-A", "trust", "-E", "UTF8",
                      "--no-locale", "-N")
            Postgres.made = f"{directory}/data"
        self._run("/bin/cp", "-a", Postgres.made, f"{self.base}/data")

    def _identity(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def _run(self, name, *arguments):
        done = subprocess.run([os.path.join(self.bin_dir, name), *arguments], cwd="/", text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **self._identity())
        assert done.returncode == 0, done.stdout

    def start(self, *settings):
        options = ["listen_addresses=", f"unix_socket_directories={self.base}", "unix_socket_permissions=0777",
                   "fsync=off", "shared_buffers=64MB", *settings]
        arguments = [f"{self.bin_dir}/postgres", "-D", f"{self.base}/data"]
        for option in options:
            arguments += ["-c", option]
        self.arguments = arguments
        self._launch()
        wait_until(self._answers, 60, "PostgreSQL's start")

    def _launch(self):
        with open(f"{self.base}/log", "wb") as log:
            self.process = subprocess.Popen(self.arguments, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **self._identity())

    def _answers(self):
        if self.process.poll() is not None:
            text = Path(f"{self.base}/log").read_text(errors="replace")
            assert "pre-existing shared memory block" in text, text
            self._launch()  # children of a killed postmaster live a little longer
        return subprocess.run([f"{self.bin_dir}/pg_isready", "-q", "-h", self.base, "-d", "postgres", "-U", "tributary"],
                              check=False).returncode == 0

    def stop(self, how=signal.SIGINT):
        """SIGINT is a fast shutdown, SIGQUIT an immediate one, SIGKILL a crash."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.process = None

    def conninfo(self, database="postgres"):
        return f"host={self.base} user=tributary dbname={database}"

    def url(self, database="postgres"):
        return f"postgresql://tributary@/{database}?host={self.base}"

    def connect(self, database="postgres"):
        import psycopg2
        connection = psycopg2.connect(self.conninfo(database))
        connection.autocommit = True
        return connection

    def create_database(self, template="template0"):
        """A new database, empty or a copy of one that nobody is connected to; its name."""
        self.databases += 1
        name = f"test_{self.databases}"
        connection = self.connect()
        try:
            connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            connection.close()
        return name

    def drop_database(self, name):
        connection = self.connect()
        try:
            connection.cursor().execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            connection.close()

    def remove(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.base, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    """One server for the whole session. Tests that hurt it make their own with `own_postgres`."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_postgres():
    """A server of the test's own, to stop, kill and freeze."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgres):
    """The name of an empty database that lives as long as the test."""
    name = postgres.create_database()
    yield name
    postgres.drop_database(name)
