"""The contract with readers, schema golden: what it holds, what it says of itself, and who may see it."""
import psycopg2
import pytest
from conftest import wait_until
from daemon import Daemon, settled

CONFIG = """
fields:
  membership_level: {type: category, label: Membership level, aliases: [会员等级, level]}
  score: {type: number, sensitivity: public}
sources:
  landing:
    type: form
    path: /f/landing
    country: CN
    lawful_basis: consent
    consent: {newsletter: {purpose: marketing, text: Send me news., version: "2026-11"}}
golden: {source_rank: [landing, api]}
"""


@pytest.fixture
def golden(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG)
    connection = postgres.connect(database)
    with daemon:
        status, _ = daemon.post("/f/landing", {
            "name": "林晓雯", "email": "xiaowen.lin@gmail.com", "phone": "139 1717 3952", "会员等级": "金卡", "score": "1,234.5",
            "newsletter": "yes", "utm_source": "wechat", "message": "请联系我"}, headers={"User-Agent": "a browser"})
        assert status == 200
        daemon.api("/v1/records", {"external_id": "7", "fields": {"full_name": "Xiaowen Lin", "email": "xiaowen.lin@gmail.com"}})
        wait_until(lambda: one(connection, "SELECT count(*) FROM tributary.record") == 2 and settled(connection), 20,
                   "two records")
        yield connection
    connection.close()


def one(connection, query, *arguments):
    cursor = connection.cursor()
    cursor.execute(query, arguments or None)
    return cursor.fetchone()[0]


def test_views_hold_what_the_contract_says(golden):
    cursor = golden.cursor()
    cursor.execute("SELECT customer_id, kind, space, version, lead_source, full_name, email, phone, x_membership_level, x_score "
                   "FROM golden.customer")
    (row,) = cursor.fetchall()
    assert row[:2] == (1, "person") and row[4] == "landing"
    assert row[5] == "林晓雯" and row[7] == ["+8613917173952"] and row[8] == "金卡" and float(row[9]) == 1234.5
    assert one(golden, "SELECT count(*) FROM golden.identity WHERE type = 'email' AND customer_id = 1") == 2
    assert one(golden, "SELECT customer_id FROM golden.record_customer WHERE source = 'api' AND external_id = '7'") == 1
    assert one(golden, "SELECT customer_id FROM golden.redirect WHERE old_id = 2") == 1
    assert one(golden, "SELECT source FROM golden.provenance WHERE field = 'phone'") == "landing"
    cursor.execute("SELECT purpose, granted FROM golden.consent")
    assert cursor.fetchall() == [("marketing", True)]
    assert one(golden, "SELECT user_agent FROM tributary.consent") == "a browser"
    cursor.execute("SELECT type, source FROM golden.activity")
    assert cursor.fetchall() == [("form", "landing")]
    cursor.execute("SELECT seq, type FROM golden.event ORDER BY seq")
    events = cursor.fetchall()
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1)) and events[0][1] == "lead.created"
    assert one(golden, "SELECT lawful_basis FROM golden.record_customer WHERE source = 'landing'") == "consent"


def test_every_view_and_column_has_a_comment(golden):
    cursor = golden.cursor()
    cursor.execute("SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
                   "WHERE c.relnamespace = 'golden'::regnamespace AND NOT a.attisdropped "
                   "AND col_description(c.oid, a.attnum) IS NULL")
    assert cursor.fetchall() == []
    cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'golden'::regnamespace AND relkind = 'v' "
                   "AND obj_description(oid) IS NULL")
    assert cursor.fetchall() == []


def test_the_reader_sees_only_golden(golden):
    cursor = golden.cursor()
    cursor.execute("SET ROLE tributary_reader")
    cursor.execute("SELECT table_name FROM information_schema.views WHERE table_schema = 'golden'")
    views = [name for name, in cursor.fetchall()]
    assert {"customer", "identity", "record_customer", "redirect", "history", "provenance", "activity", "consent",
            "event"} <= set(views)
    for view in views:
        cursor.execute(f"SELECT * FROM golden.{view} LIMIT 1")
    for table in ("record", "raw", "customer", "secret", "reject"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SELECT * FROM tributary.{table} LIMIT 1")
    with pytest.raises(psycopg2.Error):
        cursor.execute("DELETE FROM golden.record_customer")
    cursor.execute("RESET ROLE")


def test_a_removed_field_stays_and_reads_null(postgres, database, tmp_path):
    first = Daemon(tmp_path, postgres.conninfo(database), CONFIG)
    with first:
        pass
    later = Daemon(tmp_path, postgres.conninfo(database), CONFIG.replace(
        "  membership_level: {type: category, label: Membership level, aliases: [会员等级, level]}\n", ""), name="later")
    connection = postgres.connect(database)
    with later:
        assert later.post("/f/landing", {"name": "O'Brien, Mary", "email": "mary@mail.example.org"})[0] == 200
        wait_until(lambda: one(connection, "SELECT count(*) FROM golden.customer") == 1, 20, "the customer")
        assert one(connection, "SELECT x_membership_level FROM golden.customer") is None
    connection.close()
