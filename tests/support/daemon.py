"""A tributary daemon for a test: its own state directory, free ports, a database of the test's server."""
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import ROOT, wait_until

BUILD = Path(os.environ.get("TRIBUTARY_BUILD", ROOT / "build"))
PROGRAM = BUILD / "tributary"
GIVEN = set()


def free_port():
    """Never the same twice, and below those that outgoing connections take."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        if port in GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        GIVEN.add(port)
        return port


class Daemon:
    """`config` is YAML without state_dir, postgres and http (more keys of http: ", key: value"). Use as a context manager, or start and stop by hand."""

    def __init__(self, directory, conninfo, config, name="tributary", http=""):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state = self.directory / "state"
        self.public, self.private = free_port(), free_port()
        self.config = self.directory / f"{name}.yaml"
        postgres = f'postgres: {{url: "{conninfo}"}}\n' if conninfo else ""
        self.config.write_text(
            f"state_dir: {self.state}\n{postgres}"
            f'http: {{public: "127.0.0.1:{self.public}", private: "127.0.0.1:{self.private}"{http}}}\n'
            + config, encoding="utf-8")
        self.log = self.directory / "log"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, ready=True, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(PROGRAM), "run", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=dict(os.environ, **(environment or {})))
        if ready:
            wait_until(self.is_ready, 60, "the daemon to be ready")
        return self

    def is_ready(self, path="/readyz?strict"):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.private}{path}", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    @property
    def token(self):
        return (self.state / "token").read_text().strip()

    def post(self, path, fields=None, body=None, headers=None, timeout=30, port=None):
        """(status, reply text). Fields are sent as a form, body as it is."""
        data = body if body is not None else "&".join(
            f"{urllib.parse.quote(str(k))}={urllib.parse.quote(str(v))}" for k, v in fields.items()).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.public}{path}", data=data, method="POST",
                                         headers={"Accept": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def api(self, path, body=None):
        """A request to the private side, with the token; the JSON of the reply."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.private}{path}", data=data,
                                         headers={"Authorization": f"Bearer {self.token}",
                                                  "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def run(self, *arguments, check=True, timeout=300):
        """Another tributary command with this configuration."""
        done = subprocess.run([str(PROGRAM), *arguments, "--config", str(self.config)], timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check:
            assert done.returncode == 0, (done.stdout, done.stderr)
        return done


def ledger(connection):
    """The ledger by source, each row checked to balance."""
    cursor = connection.cursor()
    cursor.execute("SELECT source, received, stored, updated, deleted, repeat, rejected, quarantined, suppressed, in_flight "
                   "FROM tributary.ledger")
    rows = {}
    for source, received, *outcomes in cursor.fetchall():
        assert received == sum(outcomes), (source, received, outcomes)
        rows[source] = dict(zip(("stored", "updated", "deleted", "repeat", "rejected", "quarantined", "suppressed",
                                 "in_flight"), outcomes), received=received)
    return rows


def settled(connection):
    """True when nothing is in flight."""
    return all(row["in_flight"] == 0 for row in ledger(connection).values())


class Receiver:
    """An endpoint for webhooks that keeps what it is sent."""

    def __init__(self):
        self.received, self.lock = [], threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.received.append((time.time(), dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self, kind=None):
        with self.lock:
            events = [json.loads(body) for _, _, body in self.received]
        return [event for event in events if kind is None or event["type"] == kind]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
