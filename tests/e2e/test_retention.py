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
    """Half of them as they were before an event had its body with it."""
    ask(connection, "CREATE TABLE tributary.event_body_rest PARTITION OF tributary.event_body DEFAULT")
    ask(connection, "INSERT INTO tributary.event (seq, at, customer_id, type, data) SELECT g, date_trunc('day', now()) - interval '2 days', "
                    "g, 'lead.created', CASE WHEN g %% 2 = 0 THEN '{}' END FROM generate_series(1, %s) g", count)
    ask(connection, "INSERT INTO tributary.event_body (seq, at, customer_id, data) SELECT seq, at, customer_id, '{}' FROM tributary.event "
                    "WHERE data IS NULL")
    assert ask(connection, "SELECT count(*) FROM golden.event WHERE data = '{}'") == [(count,)]
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
        assert ask(connection, "SELECT count(*) FROM tributary.event_body b WHERE NOT EXISTS (SELECT FROM tributary.event e "
                               "WHERE e.seq = b.seq)") == [(0,)]


def test_retention_keeps_up(place):
    """Each table once lost 20,000 rows an hour at most, however much was past its time."""
    daemon, connection = place("sources:\n  short: {type: form, path: /f/short, retention: 1h}\n  long: {type: form, path: /f/long}\n"
                               "  other: {type: form, path: /f/other, retention: 1d}\n"
                               "retention: {events: 1d, rejects: 1d, history: 1d, activities: 1d}\n")
    source = dict(ask(connection, "SELECT name, source_id FROM tributary.source"))
    for number, (name, age) in enumerate((("short", "3 days"), ("long", "2 days"), ("other", "2 days"), ("short", "1 minute"))):
        ask(connection, "INSERT INTO tributary.raw (accept_seq, received_at, source_id, pending_parts, flags, position, meta, body) "
            "SELECT %s + g, now() - %s::interval, %s, 1, 0, 'p', '{}', 'x' FROM generate_series(1, 12000) g",
            number * 12000, age, source[name])
    put_old_events(connection, 25000)
    ask(connection, "INSERT INTO tributary.history (at, customer_id, version, what, actor, changes) SELECT "
        "now() - interval '2 days', g, 1, CASE WHEN g % 1000 = 0 THEN 'merged' ELSE 'updated' END, 't', '{}' "
        "FROM generate_series(1, 25000) g")
    ask(connection, "INSERT INTO tributary.activity (at, record_id, source_id, type, key, data) SELECT "
        "now() - g % 90 * interval '1 day' - interval '25 hours', g, 1, 'form', 'k', '{}' FROM generate_series(1, 25000) g")
    ask(connection, "INSERT INTO tributary.reject (source_id, accept_seq, record_no, at, quarantined, code, field, param, position, "
        "external_id, part, meta, body, identifiers) SELECT 1, g, 0, now() - interval '2 days', false, 'c', '', '', '', '', '', '', '', '' "
        "FROM generate_series(1, 25000) g")
    daemon.start()
    left = "SELECT " + ", ".join(f"(SELECT count(*) FROM tributary.{table})" for table in
                                 ("event", "event_body", "history", "activity", "reject"))
    wait_until(lambda: ask(connection, left) == [(0, 0, 25, 0, 0)], 60, lambda: f"all gone but {ask(connection, left)}")
    assert dict(ask(connection, "SELECT s.name, count(*) FROM tributary.raw JOIN tributary.source s USING (source_id) GROUP BY 1")) == {
        "long": 12000, "short": 12000}
    wait_until(lambda: "past their retention" in daemon.log.read_text(), 20, "said")
    daemon.stop()


def test_a_long_report_hinders_nobody_when_a_month_begins(place, postgres, database):
    """Making a month's partitions once waited for the report without end, and everybody else waited behind it."""
    daemon, connection = place("sources:\n  landing: {type: form, path: /f/landing}\n")
    months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'tributary.event'::regclass"
    (count,), = ask(connection, months)
    (last,), = ask(connection, "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'tributary.event'::regclass "
                               "AND inhrelid::regclass::text !~ 'rest'")
    ask(connection, f"DROP TABLE {last}")
    report = postgres.connect(database)
    report.autocommit = False
    ask(report, "SELECT count(*) FROM golden.event")
    with daemon:
        assert daemon.post("/f/landing", {"name": "Ann Lee", "email": "ann.lee@gmail.com"})[0] == 200
        wait_until(lambda: ask(connection, "SELECT count(*) FROM tributary.record") == [(1,)], 30, "resolved while the report goes on")
        ask(connection, "SET lock_timeout = '10s'")
        assert ask(connection, "SELECT type FROM golden.event") == [("lead.created",)]
        assert ask(connection, months) == [(count - 1,)]
        report.rollback()
        wait_until(lambda: ask(connection, months) == [(count,)], 60, "the month is made")
    report.close()


def test_partitions_that_retention_has_emptied_are_dropped(place, postgres, database):
    """They once stayed for ever: five tables more each month."""
    daemon, connection = place("sources:\n  landing: {type: form, path: /f/landing}\n")
    for table in ("raw", "history", "activity", "event", "event_body"):
        for month in ("2019-11", "2019-12", "2020-01"):
            ask(connection, f"CREATE TABLE tributary.{table}_{month.replace('-', '')} PARTITION OF tributary.{table} "
                            f"FOR VALUES FROM ('{month}-01 00:00+00') TO (timestamptz '{month}-01 00:00+00' + interval '1 month')")
    ask(connection, "INSERT INTO tributary.activity (at, record_id, source_id, type, key, data) VALUES "
                    "('2019-12-05', 1, 1, 'order', 'k', '{}')")
    old = "SELECT relname FROM pg_class WHERE relname ~ '^[a-z_]+_20(19|20)[0-9]{2}$' AND relkind = 'r' ORDER BY 1"
    assert len(ask(connection, old)) == 15
    now = "SELECT count(*) FROM pg_class WHERE relname ~ '_2[0-9]{5}$' AND relkind = 'r'"
    (of_now,), = ask(connection, now)
    report = postgres.connect(database)
    report.autocommit = False
    ask(report, "SELECT count(*) FROM golden.event")
    with daemon:
        wait_until(lambda: len(ask(connection, old)) == 12, 30, "the first of each table but those a report reads")
        assert daemon.post("/f/landing", {"name": "Ann Lee", "email": "ann.lee@gmail.com"})[0] == 200
        wait_until(lambda: ask(connection, "SELECT count(*) FROM golden.customer") == [(1,)], 30, "resolved while the report goes on")
        assert ("activity_201912",) in ask(connection, old)
    report.rollback()
    report.close()
    for _ in range(3):  # each start looks at once
        with daemon:
            wait_until(lambda: "is dropped" in daemon.log.read_text(), 20, "said")
    assert ask(connection, old) == [("activity_201912",)]
    assert ask(connection, now) == [(of_now - 14,)]
    assert ask(connection, "SELECT type FROM golden.activity ORDER BY at") == [("order",), ("form",)]
