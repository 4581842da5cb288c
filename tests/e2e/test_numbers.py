"""What accept writes down for good: its numbers, which are never given twice, and when something was received."""
from conftest import wait_until
from daemon import Daemon, ledger, settled


def rows(connection, sql, *values):
    cursor = connection.cursor()
    cursor.execute(sql, values or None)
    return cursor.fetchall() if cursor.description else None


def put(daemon, external_id, name, **more):
    return daemon.api("/v1/records", {"external_id": external_id, **more,
                                      "fields": {"full_name": name, "email": f"{external_id}@mail.example.org"}})


def test_numbers_outlive_the_rows_they_were_given_to(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources:\n  landing: {type: form, path: /f, retention: 1h}\n")
    connection = postgres.connect(database)
    with daemon:
        for i in range(3):
            assert daemon.post("/f", {"name": f"Ann Lee{i}", "email": f"ann{i}@mail.example.org"})[0] == 200
        wait_until(lambda: settled(connection), 20, "three records")
    seqs, batches = rows(connection, "SELECT max(accept_seq) FROM tributary.raw")[0][0], \
        rows(connection, "SELECT max(batch_id) FROM tributary.batch")[0][0]
    # As it is some hours after a quiet hour: nothing stands of what was accepted.
    rows(connection, "UPDATE tributary.batch SET resolved_at = resolved_at - interval '2 hours'")
    rows(connection, "UPDATE tributary.raw SET received_at = received_at - interval '2 hours'")
    with daemon:
        for table in ("raw", "batch"):
            wait_until(lambda table=table: rows(connection, f"SELECT count(*) FROM tributary.{table}") == [(0,)], 20, f"no {table}")
    with daemon:
        assert daemon.post("/f", {"name": "Zoe Lee", "email": "zoe@mail.example.org"})[0] == 200
        assert rows(connection, "SELECT accept_seq > %s FROM tributary.raw", seqs) == [(True,)]
        assert rows(connection, "SELECT batch_id > %s FROM tributary.batch", batches) == [(True,)]
        wait_until(lambda: settled(connection), 20, "the fourth")
        assert rows(connection, "SELECT count(*), count(DISTINCT accept_seq) FROM tributary.record") == [(4, 4)]
    connection.close()


def test_received_is_when_it_came_also_after_a_version_from_the_future(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection, holder = postgres.connect(database), postgres.connect(database)
    with daemon:
        put(daemon, "a", "Ann Lee", effective_at="2099-01-01T00:00:00Z")
        wait_until(lambda: settled(connection), 20, "the record")
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE tributary.event IN ACCESS EXCLUSIVE MODE")
        put(daemon, "a", "Ann Smith")  # the newest word of its source all the same
        assert rows(connection, "SELECT count(*) FROM tributary.raw WHERE received_at > now() + interval '1 minute'") == [(0,)]
        assert rows(connection, "SELECT effective_at > '2099-01-01' FROM tributary.raw WHERE effective_at IS NOT NULL") == [(True,)]
        daemon.kill()  # and read back from there
        holder.rollback()
        daemon.start()
        wait_until(lambda: settled(connection), 20, "the second version")
        assert rows(connection, "SELECT full_name FROM golden.customer") == [("Ann Smith",)]
        assert ledger(connection)["api"]["updated"] == 1
    holder.close()
    connection.close()
