"""Giant values: one anonymous post of them is resolved, and nothing that comes after waits for it, restart or not."""
import pytest
from conftest import wait_until
from daemon import Daemon, ledger, settled
from oracles import rows

CONFIG = """sources:
  landing: {type: form, path: /f/landing}
  staff: {type: form, path: /f/staff, employers: true}
rules: [people]
fields:
  note: {type: text}
  remark: {type: text}
  policy: {type: id_number}
  size: {type: number}
"""
GIANTS = {
    "place": {"email": "ann@example.org", "city": "Österreich " * 5400},
    "latin": {"name": "Ännö " * 10000, "email": "ann@example.org", "city": "Österreich" * 5000, "address": "Ölstraße 5 " * 5000,
              "district": "Österreich" * 5000, "policy": "ABC-" * 15000},
    "han": {"name": "Ann Lee", "email": "ann@example.org", "member_no": "ABC" * 20000, "wechat_id": "ABC" * 20000,
            "city": "中文" * 10000, "district": "中文" * 10000, "address": "中文路" * 7000, "company": "中文路" * 7000},
    "own": {"name": "Ann Lee", "email": "ann@example.org", "note": "Wörter " * 8000, "remark": "中文字" * 7000, "size": "1" * 60000},
}


def outcome(connection, source):
    row = ledger(connection)[source]
    return row["stored"], row["quarantined"], row["rejected"], row["in_flight"]


@pytest.mark.parametrize("name", list(GIANTS))
@pytest.mark.parametrize("source", ["landing", "staff"])
def test_a_giant_post_holds_nothing_up(postgres, database, tmp_path, name, source):
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG)
    connection = postgres.connect(database)
    with daemon:
        daemon.post(f"/f/{source}", GIANTS[name])
        wait_until(lambda: settled(connection) and sum(outcome(connection, source)[:3]) == 1, 30, "the giant to be resolved")
        daemon.kill()
        daemon.start()
        daemon.post(f"/f/{source}", {"name": "Bob Ray", "email": "bob@example.org"})
        wait_until(lambda: settled(connection) and sum(outcome(connection, source)[:3]) == 2, 30, "the post after it")
        assert outcome(connection, source) == (2, 0, 0, 0)
        assert max(length for length, in rows(connection, "SELECT length(features) FROM tributary.record")) <= 2048
        assert "out of memory" not in daemon.log.read_text()
    connection.close()


def test_other_fields_read_a_stored_giant_again(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG)
    connection = postgres.connect(database)
    with daemon:
        for giant in GIANTS.values():
            daemon.post("/f/landing", giant)
        wait_until(lambda: settled(connection) and outcome(connection, "landing")[0] == len(GIANTS), 30, "the giants to be stored")
        customers = rows(connection, "SELECT count(*) FROM golden.customer")
        daemon.stop()
        daemon.config.write_text(daemon.config.read_text() + "  color: {type: text}\n")
        daemon.start()
        daemon.run("rematch", "--apply")
        assert rows(connection, "SELECT count(*) FROM golden.customer") == customers
        assert "rematch.too_large" not in daemon.log.read_text()
        daemon.post("/f/landing", {"name": "Bob Ray", "email": "bob@example.org"})
        wait_until(lambda: settled(connection) and outcome(connection, "landing")[0] == len(GIANTS) + 1, 30, "the post after it")
    connection.close()
