"""Decisions of one request, and what follows from them, are committed together: a failure or a crash leaves all of it or nothing."""
import pytest
from conftest import wait_until
from daemon import Daemon, settled

SAME = {"full_name": "Xiaowen Lin", "email": "xiaowen.lin@gmail.com", "phone": "+8613917173952"}
REFUSE = """
CREATE FUNCTION tributary.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM tributary.decision) >= 2 OR TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'no more' USING ERRCODE = '22023';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON tributary.decision FOR EACH ROW EXECUTE FUNCTION tributary.refuse()"""


def rows(connection, sql):
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall() if cursor.description else None


def customers(connection):
    return rows(connection, "SELECT customer_id, record_count FROM golden.customer ORDER BY 1")


def put(daemon, connection, external_id, fields):
    daemon.api("/v1/records", {"external_id": external_id, "fields": fields})
    wait_until(lambda: settled(connection), 20, "the record to be resolved")


@pytest.fixture
def four(postgres, database, tmp_path):
    """A daemon with one customer of four records, and a connection."""
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    with daemon:
        for number in range(4):
            put(daemon, connection, str(number), SAME)
        assert customers(connection) == [(1, 4)]
        yield daemon, connection
    connection.close()


def test_a_split_that_fails_halfway_has_decided_nothing(four):
    """It once committed each of its decisions by itself: told as a failure, in effect after the next start."""
    daemon, connection = four
    rows(connection, REFUSE)
    done = daemon.run("customer", "split", "1", "4", "--actor", "test", check=False)  # three decisions
    assert done.returncode != 0 and "nothing was decided" in done.stderr, done
    assert rows(connection, "SELECT count(*) FROM tributary.decision") == [(0,)]
    put(daemon, connection, "other", {"full_name": "Ann Lee", "email": "ann.lee@gmail.com"})  # the rest goes on
    assert customers(connection) == [(1, 4), (5, 1)]
    daemon.restart()
    assert customers(connection) == [(1, 4), (5, 1)]
    rows(connection, "DROP TRIGGER refuse ON tributary.decision")
    daemon.run("customer", "split", "1", "4", "--actor", "test")
    assert customers(connection) == [(1, 3), (4, 1), (5, 1)]
    assert rows(connection, "SELECT count(*), count(DISTINCT at) FROM tributary.decision") == [(3, 1)]


def test_an_undo_that_fails_has_taken_nothing_back(four):
    daemon, connection = four
    put(daemon, connection, "other", {"full_name": "Ann Lee", "email": "ann.lee@gmail.com"})
    daemon.run("customer", "merge", "1", "5", "--actor", "test")
    assert customers(connection) == [(1, 5)]
    decision = str(rows(connection, "SELECT max(decision_id) FROM tributary.decision")[0][0])
    rows(connection, REFUSE)
    done = daemon.run("decision", "undo", decision, "--actor", "test", check=False)
    assert done.returncode != 0 and "nothing was decided" in done.stderr, done
    daemon.restart()
    assert customers(connection) == [(1, 5)]
    rows(connection, "DROP TRIGGER refuse ON tributary.decision")
    daemon.run("decision", "undo", decision, "--actor", "test")
    assert customers(connection) == [(1, 4), (5, 1)]
    assert daemon.run("decision", "undo", decision, "--actor", "test", check=False).returncode != 0  # it stands no more


@pytest.mark.parametrize("point, decided", [("write.before_commit", False), ("write.committed", True)])
def test_a_crash_leaves_a_decision_with_what_follows_from_it_or_neither(four, point, decided):
    daemon, connection = four
    daemon.stop()
    daemon.start(environment={"TRIBUTARY_CRASH_POINT": point})
    assert daemon.run("customer", "split", "1", "4", "--actor", "test", check=False).returncode != 0
    daemon.process.wait(timeout=20)
    log = daemon.log.stat().st_size
    daemon.start()
    assert customers(connection) == ([(1, 3), (4, 1)] if decided else [(1, 4)])
    assert rows(connection, "SELECT count(*) FROM tributary.decision") == [(3 if decided else 0,)]
    assert "resolve.partition_differs" not in daemon.log.read_bytes()[log:].decode()


def test_an_assignment_that_fails_has_stored_nobody(four):
    """It once stored who looks after the records before anybody could say whether the customer would follow."""
    daemon, connection = four
    rows(connection, REFUSE.replace("tributary.decision FOR", "tributary.history FOR").replace(
        "IF (SELECT count(*) FROM tributary.decision) >= 2 OR TG_OP = 'UPDATE' THEN", "IF true THEN"))
    done = daemon.run("customer", "assign", "1", "--owner", "dan", check=False)
    assert done.returncode != 0 and "nothing was decided" in done.stderr, done
    assert rows(connection, "SELECT count(*) FROM tributary.assignment") == [(0,)]
    assert rows(connection, "SELECT count(*) FROM tributary.record WHERE assignment_id IS NOT NULL") == [(0,)]
    rows(connection, "DROP TRIGGER refuse ON tributary.history")
    daemon.run("customer", "assign", "1", "--owner", "dan")
    assert rows(connection, "SELECT owner FROM golden.customer") == [("dan",)]
    assert rows(connection, "SELECT count(*), min(owner) FROM tributary.assignment") == [(1, "dan")]
    daemon.restart()
    put(daemon, connection, "0", SAME | {"city": "Berlin"})
    assert rows(connection, "SELECT owner FROM golden.customer") == [("dan",)]
