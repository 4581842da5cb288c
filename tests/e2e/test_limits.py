"""limits.records: what is known goes on, what is new is refused where it comes in, loudly, and nothing answered 2xx is lost."""
import urllib.error

import pytest
from conftest import wait_until
from daemon import Daemon, ledger, settled

LIMIT = 1000


def records(first, count, word="Lee"):
    return {"records": [{"external_id": f"k{i}", "fields": {"full_name": f"Name{i} {word}", "email": f"n{i}@mail.example.org"}}
                        for i in range(first, first + count)]}


def refused(daemon, body):
    with pytest.raises(urllib.error.HTTPError) as error:
        daemon.api("/v1/records", body)
    return error.value.code, error.value.headers.get("Retry-After")


def test_at_limits_records_updates_go_on_and_new_keys_are_refused(postgres, database, tmp_path):
    drop = tmp_path / "drop"
    daemon = Daemon(tmp_path, postgres.conninfo(database), f"sources:\n  sheet: {{type: csv, drop: {drop}, id: [id], settle: 50ms}}\n"
                    f"limits: {{records: {LIMIT}}}\n")
    connection = postgres.connect(database)
    with daemon:
        for first in (0, 400):
            daemon.api("/v1/records", records(first, 400))
        code, after = refused(daemon, records(800, 400))  # 200 of them would find room: all or none
        assert code == 503 and after
        daemon.api("/v1/records", records(800, 200))
        assert refused(daemon, records(1000, 1))[0] == 503
        assert daemon.api("/v1/records", records(0, 1, "Smith"))["results"][0]["status"] == "accepted"
        wait_until(lambda: settled(connection), 30, "all of it to be resolved")
        rows = ledger(connection)["api"]
        assert (rows["stored"], rows["updated"], rows["quarantined"]) == (LIMIT, 1, 0), rows

        assert daemon.is_ready("/readyz") and not daemon.is_ready("/readyz?strict")
        assert "accept.records_max" in daemon.log.read_text()

        # A file with a new key waits where it is; one that is loaded by hand ends with the reason.
        drop.mkdir(exist_ok=True)
        (drop / "new.csv").write_text("id,full_name,email\n1,Ann Lee,ann@mail.example.org\n")
        wait_until(lambda: any("limits.records" in source["last_error"] for source in daemon.api("/v1/status")["sources"]), 20,
                   "the source to say what it waits for")
        sheet = tmp_path / "x.csv"
        sheet.write_text("id,full_name,email\n2,Bob Lee,bob@mail.example.org\n")
        done = daemon.run("load", "sheet", str(sheet), check=False)
        assert done.returncode != 0 and "limits.records is reached" in done.stdout + done.stderr, done
        assert ledger(connection)["sheet"]["received"] == 0
        daemon.stop()

        # With a raised limit the file goes on, and what was refused is taken.
        daemon.config.write_text(daemon.config.read_text().replace(f"records: {LIMIT}", f"records: {LIMIT + 10}"))
        daemon.start()
        wait_until(lambda: ledger(connection)["sheet"]["stored"] == 1, 20, "the file's record")
        assert daemon.api("/v1/records", records(1000, 1))["results"][0]["status"] == "accepted"
        assert daemon.is_ready("/readyz?strict")
    connection.close()


def test_what_slipped_past_limits_records_is_quarantined_not_fatal(own_postgres, tmp_path):
    """Posts kept in the spool by a daemon that had not read the database yet: answered 2xx, so they are in the ledger."""
    database = own_postgres.create_database()
    daemon = Daemon(tmp_path, own_postgres.conninfo(database), "sources:\n  landing: {type: form, path: /f}\n"
                    f"limits: {{records: {LIMIT}}}\n", http=", requests_per_second: 0")
    with daemon:
        for first in (0, 500):
            daemon.api("/v1/records", records(first, 500))
    own_postgres.stop()
    daemon.start(ready=False)
    wait_until(lambda: daemon.is_ready("/livez"), 20, "life")
    for i in range(3):
        assert daemon.post("/f", {"name": f"Ann Lee{i}", "email": f"ann{i}@mail.example.org"})[0] == 200
    own_postgres._launch()
    wait_until(own_postgres._answers, 60, "PostgreSQL's start")
    connection = own_postgres.connect(database)
    wait_until(lambda: ledger(connection)["landing"]["quarantined"] == 3, 30, lambda: ledger(connection))
    assert daemon.api("/v1/records", records(0, 1, "Smith"))["results"][0]["status"] == "accepted"
    wait_until(lambda: ledger(connection)["api"]["updated"] == 1, 20, "an update to be resolved")
    done = daemon.run("rejects", "list")
    assert done.stdout.count("record.no_room") == 3, done.stdout
    daemon.stop()
    daemon.config.write_text(daemon.config.read_text().replace(f"records: {LIMIT}", f"records: {LIMIT + 10}"))
    daemon.start()
    daemon.run("rejects", "retry", "--all")
    wait_until(lambda: ledger(connection)["landing"]["stored"] == 3, 20, lambda: ledger(connection))
    connection.close()
    assert daemon.stop() == 0
