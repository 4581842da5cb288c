"""What is kept how long, and that keeping and removing it hinders nobody."""
import pytest

from conftest import wait_until
from daemon import Daemon


def ask(connection, sql, *parameters):
    cursor = connection.cursor()
    cursor.execute(sql, parameters or None)
    return cursor.fetchall() if cursor.description else None


@pytest.fixture
def place(postgres, database, tmp_path):
    """place(configuration) gives a daemon that has made its tables and stands still, and a connection to its database."""
    connections = []

    def make(configuration):
        daemon = Daemon(tmp_path, postgres.conninfo(database), configuration)
        daemon.start()
        daemon.stop()
        connections.append(postgres.connect(database))
        return daemon, connections[-1]
    yield make
    for connection in connections:
        connection.close()


def put_old_events(connection, count):
    for table, columns in (("event", "customer_id, type"), ("event_body", "customer_id, data")):
        value = "'lead.created'" if table == "event" else "'{}'"
        ask(connection, f"INSERT INTO tributary.{table} (seq, at, {columns}) "
                        f"SELECT g, now() - interval '2 days', g, {value} FROM generate_series(1, {count}) g")
    ask(connection, "UPDATE tributary.counter SET value = %s WHERE name = 'event_seq'", count)


def test_a_sink_that_is_gone_holds_no_events_back(place):
    """A row of a sink that is configured no more, or not enabled, once held all events for ever; a refused one none at all."""
    daemon, connection = place("sources: {}\n")
    put_old_events(connection, 3000)
    ask(connection, "INSERT INTO tributary.sink (name, type, cursor_seq, state) VALUES ('gone', 'webhook', 10, 'active'), "
                    "('off', 'webhook', 20, 'active'), ('refused', 'webhook', 30, 'disabled'), ('slow', 'webhook', 1500, 'active')")
    ask(connection, "INSERT INTO tributary.sink_parked (sink, seq, next_at) SELECT name, 5, now() FROM tributary.sink "
                    "WHERE name <> 'slow'")
    ask(connection, "INSERT INTO tributary.sink_parked (sink, seq, next_at) VALUES ('slow', 1400, now() + interval '1 day')")
    head = daemon.config.read_text()
    nowhere = 'type: webhook, url: "http://127.0.0.1:1/", when_full: slow'
    waiting = f"  off: {{{nowhere}, enabled: false}}\n  refused: {{{nowhere}}}\n"
    limits = "retention: {events: 1m}\nlimits: {events: 1000}\n"
    for sinks, kept in ((f"sinks:\n{waiting}  slow: {{{nowhere}}}\n", 1400), (f"sinks:\n{waiting}", 2001), ("", 0)):
        daemon.config.write_text(head + limits + sinks)
        with daemon:
            wait_until(lambda: ask(connection, "SELECT coalesce(min(seq), 0) FROM tributary.event")[0][0] == kept, 20,
                       f"the oldest kept is {kept}")
        assert ask(connection, "SELECT count(*) FROM tributary.event")[0][0] == (3001 - kept if kept else 0)
        assert ask(connection, "SELECT coalesce(min(seq), 0) FROM tributary.event_body")[0][0] == kept
