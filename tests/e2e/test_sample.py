"""The sample of `make run`, as the README shows it."""
import json
import os
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import ROOT, wait_until
from daemon import BUILD, PROGRAM, free_port

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no %s; hint: make" % PROGRAM)


class Sample:
    def __init__(self, directory, public, private):
        self.out = directory / "out"
        self.state = directory / "state"
        if os.geteuid() == 0:  # the private PostgreSQL runs as a user of its own, who must get there
            for path in (directory, *directory.parents):
                if str(path).startswith("/tmp/"):
                    path.chmod(path.stat().st_mode | 0o011)
        self.environment = {**os.environ, "TRIBUTARY_STATE": str(self.state), "TRIBUTARY_PUBLIC": f"127.0.0.1:{public}",
                            "TRIBUTARY_PRIVATE": f"127.0.0.1:{private}"}

    def run(self):
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([ROOT / "packaging/run-sample.sh", BUILD], env=self.environment, stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def said(self):
        return self.out.read_text(encoding="utf-8", errors="replace")

    def shown(self):
        """What it prints once all is resolved."""
        wait_until(lambda: "Ctrl-C ends it. Try" in self.said() or self.process.poll() is not None, 120, self.said)
        assert self.process.poll() is None, self.said()
        return self.said()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0

    def ask(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments, "--config", self.state / "tributary.yaml"], text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_the_sample_is_what_the_readme_says_each_time(tmp_path):
    sample = Sample(tmp_path, free_port(), free_port())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for turn in (1, 2):
        sample.run()
        said = sample.shown()
        records = re.findall(r"^ +(\d+) +(landing|summit|shop|contacts) +\S+ +main +\d{4}", said, re.M)
        assert records == re.findall(r"^ +(\d+) +(landing|summit|shop|contacts) +\S+ +main +\d{4}", readme, re.M), said
        assert [number for number, _ in records] == ["1", "2", "6", "9", "10"]
        assert len({line.split()[0] for line in said.splitlines() if line.rstrip().endswith("+8615011227788")}) == 1
        if turn == 1:
            split = sample.ask("customer", "split", "1", "10")
            assert split.splitlines()[0] == "decision 1; tributary decision undo 1 takes it back"
            assert split.splitlines()[0] in readme and "record 10 is in customer 10\n" in split
            events = [json.loads(line) for line in (sample.state / "events.jsonl").read_text().splitlines()]
            assert any(e["id"] == "evt_9" and e["type"] == "tributary.customer.split.v1" for e in events)
            sample.ask("decision", "undo", "1")
            why = re.findall(r"^(?:prior|name|email) .*$", readme, re.M)
            assert len(why) == 3 and all(line in sample.ask("explain", "1", "2") for line in why)
        sample.end()


def test_the_sample_posts_to_nobody_else(tmp_path):
    """Something else stands at its addresses and says yes to everything: nothing is posted there."""
    posts = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"yes")

        def do_POST(self):
            posts.append(self.path)
            self.do_GET()

        def log_message(self, *_):
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Other) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sample = Sample(tmp_path, *(server.server_port for server in servers))
    sample.state.mkdir()
    (sample.state / "token").write_text("0" * 64 + "\n")
    sample.run()
    assert sample.process.wait(timeout=120) != 0, sample.said()
    assert "Address already in use" in sample.said() and posts == []
    for server in servers:
        server.shutdown()
