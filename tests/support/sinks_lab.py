"""What tests of sinks stand on: a private PostgreSQL, the dispatcher alone, a receiver, and events put by SQL."""
import http.server
import json
import os
import pathlib
import queue
import subprocess
import threading
import time

import psycopg2
import psycopg2.extensions

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
DRIVER = BUILD / "tests" / "drive_dispatcher"
DEADLINE_S = 20


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Returns what the condition returns once that is true."""
    until = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(0.005)


class Server:
    """A throw-away PostgreSQL, from tests/unit/with_postgres.sh."""

    def __init__(self):
        self.process = subprocess.Popen(
            [ROOT / "tests/unit/with_postgres.sh", "sh", "-c", 'echo "$TRIBUTARY_TEST_DB"; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.conninfo = self.process.stdout.readline().strip()
        self.count = 0

    def new_database(self):
        self.count += 1
        name = f"sinks_{self.count}"
        admin = psycopg2.connect(self.conninfo)
        admin.autocommit = True
        admin.cursor().execute(f"CREATE DATABASE {name}")
        admin.close()
        return self.conninfo.replace("dbname=postgres", f"dbname={name}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Request:
    def __init__(self, headers, body):
        self.at = time.monotonic()
        self.headers = headers
        self.body = body
        self.event = json.loads(body)
        self.seq = int(self.event["sequence"])
        self.customer = int(self.event["subject"]) if "subject" in self.event else 0


class Receiver:
    """Answers every POST as `answer(request, earlier attempts of it)` says: (status, headers)."""

    def __init__(self):
        self.requests = []
        self.lock = threading.Lock()
        self.answer = lambda request, earlier: (204, {})
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                request = Request({k.lower(): v for k, v in self.headers.items()}, body)
                with receiver.lock:
                    earlier = sum(1 for r in receiver.requests if r.seq == request.seq)
                    receiver.requests.append(request)
                status, headers = receiver.answer(request, earlier)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                request.answered = status

            def log_message(self, *args):
                pass

        class Quick(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass  # dispatchers are killed in these tests

        self.server = Quick(("127.0.0.1", 0), Handler)
        self.server.RequestHandlerClass.disable_nagle_algorithm = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def seqs(self, customer=None):
        with self.lock:
            return [r.seq for r in self.requests if customer is None or r.customer == customer]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Dispatcher:
    """tests/unit/drive_dispatcher.c: the dispatcher of the daemon, alone, on a clock that can be moved on."""

    def __init__(self, directory, conninfo, sinks, limits=None):
        self.conninfo = conninfo
        self.config = pathlib.Path(directory) / "tributary.yaml"
        document = {"state_dir": str(directory), "sinks": sinks, "sources": {
            "shop": {"type": "csv", "drop": str(directory) + "/shop", "space": "red"},
            "landing": {"type": "csv", "drop": str(directory) + "/landing", "space": "blue"}}}
        if limits:
            document["limits"] = limits
        self.config.write_text(json.dumps(document))
        self.log = open(pathlib.Path(directory) / "dispatcher.log", "ab")
        self.db = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([DRIVER, self.config, self.conninfo], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        line = self.process.stdout.readline()
        assert line == "ready\n", line + open(self.log.name).read()
        if self.db is None:
            self.db = psycopg2.connect(self.conninfo)
            self.db.autocommit = True
            self.ask("INSERT INTO tributary.source (name, type) VALUES ('shop', 'csv'), ('landing', 'csv') "
                     "ON CONFLICT DO NOTHING")
        wait_until(lambda: self.is_loaded(), "sinks loaded")

    def is_loaded(self):
        names = json.loads(self.config.read_text())["sinks"]
        return len(names) == self.ask("SELECT count(*) FROM tributary.sink")[0][0] and self.tell("status") != "[]"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        if not line.startswith(("wake", "stop")):
            return self.process.stdout.readline().strip()
        if line.startswith("wake"):
            return self.process.stdout.readline().strip()
        return None

    def status(self, sink):
        return next(s for s in json.loads(self.tell("status")) if s["name"] == sink)

    def ask(self, sql, parameters=None):
        cursor = self.db.cursor()
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None

    def put(self, events, wake=True):
        """Events as the resolver writes them: (type, customer, source, data) each. Returns the last seq."""
        self.ask("BEGIN")
        cursor = self.db.cursor()
        cursor.execute("SELECT value FROM tributary.counter WHERE name = 'event_seq' FOR UPDATE")
        seq = cursor.fetchone()[0]
        rows = []
        for kind, customer, source, data in events:
            seq += 1
            rows.append((seq, customer or None, source, kind, json.dumps(data)))
        cursor.executemany("INSERT INTO tributary.event (seq, at, customer_id, source_id, type, data) VALUES (%s, now(), %s, "
                           "(SELECT source_id FROM tributary.source WHERE name = %s), %s, %s)", rows)
        cursor.execute("UPDATE tributary.counter SET value = %s WHERE name = 'event_seq'", (seq,))
        self.ask("COMMIT")
        if wake:
            self.tell(f"wake {seq}")
        return seq

    def put_updates(self, customers, source="shop"):
        return self.put([("customer.updated", c, source,
                          {"customer_id": c, "version": 1, "changes": {}, "kind": "person",
                           "customer": {"name": f"客户 {c}"}}) for c in customers])

    def put_record(self, record_id, space="red", test=False, customer=None):
        self.ask("INSERT INTO tributary.record (record_id, source_id, kind, flags, version, customer_id, effective_at, "
                 "content_hash, accept_seq, stored_at, updated_at, space, external_id, part, clean, features) VALUES "
                 "(%s, 1, 0, %s, 1, %s, now(), 0, 0, now(), now(), %s, %s, 'main', '{}', '')",
                 (record_id, 8 if test else 0, customer or record_id, space, str(record_id)))

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.write("stop\n")
            self.process.stdin.flush()
        assert self.process.wait(15) == 0
        self.process.stdin.close()
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(15)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        if self.db:
            self.db.close()
        self.log.close()


def listen(conninfo, channel):
    """A queue of the payloads notified on the channel, and what ends it."""
    connection = psycopg2.connect(conninfo)
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    connection.cursor().execute(f"LISTEN {channel}")

    def latest():
        connection.poll()
        return [int(n.payload) for n in connection.notifies]
    return connection, latest
