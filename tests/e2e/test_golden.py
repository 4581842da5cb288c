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


def test_an_id_whose_record_is_deleted_leads_to_where_its_customer_went_on(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    connection.autocommit = True
    cursor = connection.cursor()
    person = {"full_name": "Xiaowen Lin", "email": "xiaowen.lin@gmail.com", "phone": "+8613917173952"}

    def put(external_id, fields=None, records=None):
        daemon.api("/v1/records", {"external_id": external_id, "fields": fields} if fields else
                   {"external_id": external_id, "op": "delete"})

        def there():
            cursor.execute("SELECT count(*) FROM golden.record_customer")
            return cursor.fetchone()[0] == records and settled(connection)
        wait_until(there, 30, "the record to be resolved")

    def redirects():
        cursor.execute("SELECT old_id, customer_id FROM golden.redirect ORDER BY 1")
        return dict(cursor.fetchall())

    with daemon:
        for i in range(1, 5):
            put(str(i), person, i)
        put("1", records=3)
        assert redirects() == {1: 2, 3: 2, 4: 2}
        put("2", records=2)  # what was left to 2 is left to 3 now: one step
        assert redirects() == {1: 3, 2: 3, 4: 3}
        daemon.run("customer", "split", "3", "4", "--actor", "test")
        assert redirects() == {1: 3, 2: 3}
        put("3", records=1)
        assert redirects() == {1: None, 2: None, 3: None}  # the last of its customer; 4 is another
        put("1", person | {"email": "xiaowen.lin@example.org"}, 2)
        assert redirects()[3] in (None, 1)
        put("1", records=1)
        put("4", records=0)
        assert redirects() == {1: None, 2: None, 3: None, 4: None}
    connection.close()


@pytest.mark.parametrize("restart", [False, True])
def test_a_deleted_record_is_no_lead_any_more_and_its_return_is_one(postgres, database, tmp_path, restart):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    connection.autocommit = True
    cursor = connection.cursor()

    def put(record, records):
        daemon.api("/v1/records", {"external_id": "1"} | record)

        def there():
            cursor.execute("SELECT count(*) FROM golden.record_customer")
            return cursor.fetchone()[0] == records and settled(connection)
        wait_until(there, 30, "the record to be resolved")

    with daemon:
        put({"fields": {"full_name": "Solo Person", "email": "solo@gmail.com"}}, 1)
        put({"op": "delete"}, 0)
        cursor.execute("SELECT lead_at FROM tributary.record")
        assert cursor.fetchall() == [(None,)]
        if restart:
            daemon.restart()
        put({"fields": {"full_name": "Solo Person", "email": "solo@gmail.com"}}, 1)
        cursor.execute("SELECT lead_count FROM golden.customer")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("SELECT type FROM golden.event WHERE type LIKE 'lead%' ORDER BY seq")
        assert [kind for kind, in cursor.fetchall()] == ["lead.created", "lead.created"]
    connection.close()


OLD_FORM = """
CREATE TABLE tributary.event_body_rest PARTITION OF tributary.event_body DEFAULT;
INSERT INTO tributary.event_body SELECT seq, at, customer_id, data::json FROM tributary.event;
UPDATE tributary.event SET data = NULL;
UPDATE tributary.record SET clean_json = clean::json, clean = NULL;
UPDATE tributary.link SET evidence_json = evidence::json, evidence = NULL;
UPDATE tributary.customer SET provenance_json = provenance::json, provenance = NULL;
UPDATE tributary.history SET changes_json = changes::json, changes = NULL;
"""


def seen(connection):
    cursor = connection.cursor()
    found = {}
    for view in ("customer", "identity", "provenance", "history", "event", "works_for"):
        cursor.execute(f"SELECT to_jsonb(v)::text FROM golden.{view} v ORDER BY 1")
        found[view] = cursor.fetchall()
    return found


def test_rows_of_before_0013_say_the_same(postgres, database, tmp_path):
    """They are not rewritten by the migration, but when they change."""
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources:\n  landing: {type: form, path: /f/landing, country: CN, employers: true}\n")
    connection = postgres.connect(database)
    cursor = connection.cursor()
    forms = [{"name": "Ann Lee", "email": "ann.lee@gmail.com", "company": "Huaxin Technology", "job_title": "Buyer"},
             {"name": "Ann Lee", "email": "ann.lee@gmail.com", "phone": "13917173952", "city": "上海"},
             {"name": "Bo Wang", "email": "bo.wang@gmail.com"}]

    def post(form, records):
        assert daemon.post("/f/landing", form)[0] == 200
        wait_until(lambda: one(connection, "SELECT count(*) FROM tributary.record") == records and settled(connection), 20, "resolved")

    with daemon:
        for count, form in enumerate(forms):
            post(form, count + 2)
        shown = {op: daemon.run(*op.split()).stdout for op in ("customer show 1", "customer history 1", "explain 1 3")}
    before = seen(connection)
    assert all(before.values())
    cursor.execute(OLD_FORM)
    assert seen(connection) == before
    with daemon:
        assert {op: daemon.run(*op.split()).stdout for op in shown} == shown
        assert one(connection, "SELECT count(*) FROM tributary.record WHERE clean IS NOT NULL") == 0
        post({"name": "Ann Lee", "email": "ann.lee@gmail.com", "phone": "13917173952", "city": "北京"}, 5)
        assert one(connection, "SELECT changes FROM golden.history WHERE customer_id = 1 ORDER BY version DESC LIMIT 1")["city"][1] == "北京市"
        assert one(connection, "SELECT provenance_json IS NULL AND provenance IS NOT NULL FROM tributary.customer WHERE customer_id = 1")
    connection.close()
