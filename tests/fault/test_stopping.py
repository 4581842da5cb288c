"""A stop ends within its 20 s whatever the daemon waits for, and nothing that was accepted is lost by it."""
import signal
import subprocess
import threading
import time
import urllib.error

from conftest import signal_all, wait_until
from daemon import Daemon, ledger, settled
from oracles import rows

STOP_WITHIN_S = 30  # the promise is 20; what is slow on top is the machine
ROWS = 20000


def processes_of(postgres):
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postgres.process.pid)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()
    return [postgres.process.pid, *map(int, children)]


def test_a_stop_does_not_wait_for_a_frozen_database_under_load(own_postgres, tmp_path):
    name = own_postgres.create_database()
    drop = tmp_path / "drop"
    drop.mkdir()
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,full_name,email\n" + "".join(
        f"{i},Person {chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{i},p{i}@mail.example.org\n" for i in range(ROWS)), encoding="utf-8")
    daemon = Daemon(tmp_path, own_postgres.conninfo(name),
                    f"sources:\n  sheet: {{type: csv, drop: {drop}, id: [id], settle: 50ms}}\n  landing: {{type: form, path: /f/landing}}\n")
    daemon.start()
    for i in range(2):
        daemon.api("/v1/records", {"external_id": f"a{i}", "fields": {"full_name": f"Kim Miller{i}", "email": f"k{i}@mail.example.org"}})
    connection = own_postgres.connect(name)
    wait_until(lambda: settled(connection), 20, "two records")
    ids = [record for record, in rows(connection, "SELECT record_id FROM tributary.record")]
    sheet.rename(drop / "sheet.csv")
    wait_until(lambda: ledger(connection)["sheet"]["received"] > 0, 60, "the sheet to be read")
    connection.close()
    frozen = processes_of(own_postgres)
    answers = {}

    def ask(path, body=None):
        try:
            daemon.api(path, body)
            answers[path] = 200
        except urllib.error.HTTPError as refused:
            answers[path] = refused.code
        except OSError:
            answers[path] = 0

    waiting = [threading.Thread(target=ask, args=("/v1/ops/customer.merge", {"a": ids[0], "b": ids[1], "actor": "kim"})),
               threading.Thread(target=ask, args=("/v1/status",))]
    try:
        signal_all(frozen, signal.SIGSTOP)
        for thread in waiting:
            thread.start()
        posted = daemon.post("/f/landing", {"name": "Late Comer", "email": "late@mail.example.org"})[0]
        begin = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begin < STOP_WITHIN_S
    finally:
        signal_all(frozen, signal.SIGCONT)
    for thread in waiting:
        thread.join()
    assert answers["/v1/ops/customer.merge"] != 200, answers
    daemon.start()
    connection = own_postgres.connect(name)
    wait_until(lambda: ledger(connection)["sheet"]["received"] == ROWS and settled(connection), 120, "the whole sheet")
    assert rows(connection, "SELECT count(*), count(DISTINCT (source_id, external_id)) FROM tributary.record") == \
        [(ROWS + 2 + (posted == 200),) * 2]
    assert daemon.stop() == 0
    connection.close()
