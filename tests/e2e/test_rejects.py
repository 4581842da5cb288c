"""A reject is effectively once, too: what was refused and comes again is a repeat, before and after a start."""
from conftest import wait_until
from daemon import Daemon, ledger, settled

SHEET = "id,full_name,email\n1,Ann Lee,ann.lee@gmail.com\n2,Bob\n3,,\n"  # one stored, one the connector refuses, one the rules


def rejects(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT code, state FROM tributary.reject ORDER BY reject_id")
    return cursor.fetchall()


def test_what_was_rejected_is_a_repeat_when_it_comes_again(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), f"sources:\n  s: {{type: csv, drop: {tmp_path}/drop, id: [id]}}\n")
    connection = postgres.connect(database)
    sheet, other = tmp_path / "x.csv", tmp_path / "y.csv"
    sheet.write_text(SHEET)
    other.write_text(SHEET.replace("2,Bob\n", "2,Bobby\n"))
    wanted = {"received": 3, "stored": 1, "rejected": 2, "repeat": 0}

    def load(path, **more):
        daemon.run("load", "s", str(path), check=False)
        wait_until(lambda: settled(connection), 20, "the load to be resolved")
        for key, value in more.items():
            wanted[key] += value
        row = ledger(connection)["s"]
        assert {key: row[key] for key in wanted} == wanted

    with daemon:
        load(sheet)
        first = rejects(connection)
        assert [code for code, _ in first] == ["csv.ragged_row", "record.empty"], first
        load(sheet, received=3, repeat=3)
        assert rejects(connection) == first
        daemon.restart()
        load(sheet, received=3, repeat=3)
        assert rejects(connection) == first
        load(other, received=3, repeat=2, rejected=1)  # other bytes are another reject
        daemon.kill()
        daemon.start()
        load(other, received=3, repeat=3)

        # A retry is no repeat, and what it makes again is known again; what was dropped stays done with.
        daemon.run("rejects", "drop", "1")
        daemon.run("rejects", "retry", "2")
        wait_until(lambda: len(rejects(connection)) == 4, 20, "the retried one to be rejected again")
        wanted.update(received=wanted["received"] + 1, rejected=wanted["rejected"] + 1)
        daemon.restart()
        load(sheet, received=3, repeat=3)
        assert sorted(rejects(connection)) == sorted([("csv.ragged_row", "dropped"), ("record.empty", "retried"),
                                                      ("csv.ragged_row", "open"), ("record.empty", "open")])
    connection.close()


def test_one_bad_record_posted_again_and_again_is_one_reject(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    with daemon:
        for _ in range(3):
            reply = daemon.api("/v1/records", {"records": [{"external_id": "a", "nonsense": 1}, {"external_id": "b", "fields": {}}]})
            assert [result["status"] for result in reply["results"]] == ["rejected", "rejected"]
        wait_until(lambda: settled(connection), 20, "all to be resolved")
        row = ledger(connection)["api"]
        assert (row["received"], row["rejected"], row["repeat"]) == (6, 2, 4)
        assert len(rejects(connection)) == 2
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM golden.event WHERE type LIKE '%rejected%'")
        assert cursor.fetchone() == (2,)
    connection.close()
