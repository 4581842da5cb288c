"""Spaces: records of two brands or tenants never meet, whatever happens to the configuration."""
from conftest import wait_until
from daemon import Daemon, settled

PERSON = {"name": "林晓雯", "email": "xiaowen.lin@gmail.com", "phone": "+8613917173952"}


def source(name, space):
    return f"  {name}: {{type: form, path: /f/{name}, space: {space}}}\n"


def configure(daemon, *sources):
    text = daemon.config.read_text(encoding="utf-8")
    daemon.config.write_text(text[:text.index("sources:")] + "sources:\n" + "".join(sources), encoding="utf-8")


def post(daemon, connection, *names):
    """One post of the same person through each form; waits until all are resolved."""
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM golden.record_customer")
    before, = cursor.fetchone()
    for name in names:
        assert daemon.post(f"/f/{name}", PERSON | {"_idempotency_key": f"{name}{before}"})[0] == 200

    def resolved():
        cursor.execute("SELECT count(*) FROM golden.record_customer")
        return cursor.fetchone()[0] == before + len(names) and settled(connection)

    wait_until(resolved, 30, "the posts to be resolved")


def customers(connection):
    """{space: [the sources of each of its customers]}, from the golden views."""
    cursor = connection.cursor()
    cursor.execute("SELECT c.space, array_agg(r.source ORDER BY r.source) FROM golden.customer c "
                   "JOIN golden.record_customer r USING (customer_id) GROUP BY c.customer_id, c.space ORDER BY 1, 2")
    found = {}
    for space, sources in cursor.fetchall():
        found.setdefault(space, []).append(sources)
    return found


def test_spaces_never_meet_when_sources_are_added_moved_and_retired(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources:\n" + source("a", "alpha") + source("b", "beta"))
    connection = postgres.connect(database)
    connection.autocommit = True
    with daemon:
        post(daemon, connection, "a", "b")
        assert customers(connection) == {"alpha": [["a"]], "beta": [["b"]]}
    configure(daemon, source("c", "gamma"), source("b", "beta"), source("a", "alpha"))  # another one first
    with daemon:
        post(daemon, connection, "a", "b", "c")
        assert customers(connection) == {"alpha": [["a", "a"]], "beta": [["b", "b"]], "gamma": [["c"]]}
    configure(daemon, source("d", "beta"))  # a, b and c are retired: their records stay where they are
    with daemon:
        post(daemon, connection, "d")
        assert customers(connection) == {"alpha": [["a", "a"]], "beta": [["b", "b", "d"]], "gamma": [["c"]]}


def test_a_source_that_moves_to_another_space_takes_its_records_along(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources:\n" + source("a", "alpha") + source("b", "beta"))
    connection = postgres.connect(database)
    connection.autocommit = True
    with daemon:
        post(daemon, connection, "a", "b")
    configure(daemon, source("a", "alpha"), source("b", "alpha"))
    with daemon:
        wait_until(lambda: customers(connection) == {"alpha": [["a", "b"]]}, 20, lambda: str(customers(connection)))
    configure(daemon, source("a", "alpha"), source("b", "beta"))
    with daemon:
        wait_until(lambda: customers(connection) == {"alpha": [["a"]], "beta": [["b"]]}, 20,
                   lambda: str(customers(connection)))
        cursor = connection.cursor()
        cursor.execute("SELECT DISTINCT s.name, r.space FROM tributary.record r JOIN tributary.source s USING (source_id) "
                       "ORDER BY 1")
        assert cursor.fetchall() == [("a", "alpha"), ("b", "beta")]
    connection.close()
