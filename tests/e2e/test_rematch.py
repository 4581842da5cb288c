"""What another generation would change is told beforehand, exactly; applied, it can be taken back, exactly; killed in the middle of
it, the daemon goes on; and while it is applied nothing that is posted is lost."""
import itertools
import json
import random
import signal
import threading

import pytest
from conftest import wait_until
from daemon import Daemon, settled
from histories import World, configuration
from oracles import check_events, check_structure, rows, snapshot
from test_generations import ANOTHER, configure, counters, deliver, rematch
from test_properties import Way

LOOSE = {"golden": "  city: [recent]\n", "extra": "match: {link: 0.75, review: 0.5}\n"}
STRICT = {"extra": "match: {link: 0.9999, review: 0.95}\n"}
POINTS = ["rematch.begun", "rematch.moved", "rematch.golden", "write.begun", "write.before_commit", "write.committed"]


def exact(connection):
    """Everything a reader can see, ids included, but for versions and times of writing."""
    seen = {}
    for view in ("customer", "record_customer", "redirect", "identity", "provenance", "consent", "activity"):
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM golden.{view}")
        names = [column.name for column in cursor.description]
        kept = [i for i, name in enumerate(names)
                if name not in ("version", "updated_at", "created_at", "lead_at", "lead_source", "lead_count")]
        seen[view] = sorted((tuple(str(row[i]) for i in kept) for row in cursor.fetchall()))
    seen["link"] = sorted(rows(connection, "SELECT a, b, reason, weight, evidence::text FROM tributary.link"))
    seen["review"] = sorted(rows(connection, "SELECT a, b, reason, weight, bridge_a, bridge_b FROM tributary.review"), key=str)
    seen["record"] = sorted((i, bytes(f), c) for i, f, c in rows(connection, "SELECT record_id, features, clean::text FROM tributary.record"))
    return seen


def standing(connection):
    """What a preview speaks of."""
    values = {}
    for customer, field, value in rows(connection, "SELECT customer_id, field, value FROM golden.provenance"):
        values.setdefault(customer, {}).setdefault(field, []).append(value)
    return {"customer_of": dict(rows(connection, "SELECT record_id, customer_id FROM tributary.record WHERE customer_id IS NOT NULL")),
            "leads": {record for record, in rows(connection, "SELECT record_id FROM tributary.record WHERE lead_at IS NOT NULL "
                                                             "AND customer_id IS NOT NULL")},
            "reviews": set(rows(connection, "SELECT a, b FROM tributary.review")),
            "values": values}


def parts(of, in_):
    """How many more groups of `in_` the groups of `of` lie in than one each."""
    groups = {}
    for record in of:
        groups.setdefault(of[record], set()).add(in_[record])
    return sum(len(found) - 1 for found in groups.values())


def check_preview(preview, before, after):
    was, now = before["customer_of"], after["customer_of"]
    assert was.keys() == now.keys()
    assert preview["records"] == len(was) and preview["records_moved"] == sum(was[record] != now[record] for record in was)
    assert preview["merges"] == parts(now, was) and preview["splits"] == parts(was, now)
    assert preview["customers"] == {"before": len(set(was.values())), "after": len(set(now.values()))}
    leads_was = {record: was[record] for record in before["leads"]}
    leads_now = {record: now[record] for record in before["leads"]}
    assert preview["leads"] == {"merged": parts(leads_now, leads_was), "split": parts(leads_was, leads_now),
                                "made": len(after["leads"] - before["leads"])}
    assert preview["reviews"] == {"before": len(before["reviews"]), "after": len(after["reviews"]),
                                  "opened": len(after["reviews"] - before["reviews"]),
                                  "closed": len(before["reviews"] - after["reviews"])}
    fields, changed = {}, 0
    for customer in before["values"].keys() & after["values"].keys():
        old, new = before["values"][customer], after["values"][customer]
        differing = [field for field in old.keys() | new.keys() if old.get(field) != new.get(field)]
        changed += bool(differing)
        for field in differing:
            fields[field] = fields.get(field, 0) + 1
    assert (preview["golden"]["fields"], preview["golden"]["changed"]) == (fields, changed)
    for sample in preview["samples"]["merges"]:
        for customer, records in sample["from"].items():
            assert all(was[record] == int(customer) and now[record] == sample["customer"] for record in records)
    for sample in preview["samples"]["splits"]:
        for customer, records in sample["into"].items():
            assert all(now[record] == int(customer) and was[record] == sample["customer"] for record in records)
    return changed


@pytest.fixture(scope="module")
def stored(postgres, tmp_path_factory):
    """Worlds whose records a daemon took in: (worlds, a database to clone, what it holds)."""
    worlds = [World(i, f"rematch {i}") for i in range(10)]
    template = postgres.create_database()
    daemon = Daemon(tmp_path_factory.mktemp("template"), postgres.conninfo(template), configuration(worlds))
    daemon.start()
    assert daemon.stop() == 0
    way = Way(postgres, tmp_path_factory.mktemp("stored"), template, worlds)
    way.daemon.start()
    deliver(way, 3)
    found = snapshot(way.connection)
    way.connection.close()
    assert way.daemon.stop() == 0
    yield worlds, way.database, found
    postgres.drop_database(way.database)
    postgres.drop_database(template)


@pytest.fixture
def way(postgres, stored, tmp_path):
    worlds, database, _ = stored
    made = Way(postgres, tmp_path / "way", database, worlds)
    yield made
    made.close()


@pytest.mark.parametrize("choices", [LOOSE, STRICT, ANOTHER], ids=["loose", "strict", "another"])
def test_a_preview_says_what_applying_does_and_applying_the_old_one_brings_everything_back(way, choices):
    configure(way, choices)
    way.daemon.start()
    old, before, written = exact(way.connection), standing(way.connection), counters(way.connection)
    preview = rematch(way, "--preview", "--samples", "1000")
    assert counters(way.connection) == written and exact(way.connection) == old, "a preview changed something"
    assert preview["generation"] == 2 and preview["from"] == 1 and preview["cleaning"] is None
    applied = rematch(way, "--apply", "--actor", "kim")
    changed = check_preview(preview, before, standing(way.connection))
    assert applied["events"].get("review.opened", 0) == preview["reviews"]["opened"]
    print({key: preview[key] for key in ("merges", "splits", "leads", "reviews", "records_moved")}, changed, applied["events"])
    assert preview["merges"] + preview["splits"] > 0 and changed > 0
    check_structure(way.connection)
    check_events(way.connection)
    assert {actor for actor, in rows(way.connection, "SELECT DISTINCT actor FROM golden.history WHERE event_seq > %s", written[0])} == {"kim"}
    text = way.daemon.run("rematch", "--preview", "1").stdout
    assert f"generation 1 in the place of 2" in text and "nothing is changed" in text
    rematch(way, "--apply", "1")
    assert exact(way.connection) == old
    check_structure(way.connection)
    check_events(way.connection)
    assert [row["state"] for row in rematch(way, "--list")] == ["pending", "in force"]
    nothing = way.daemon.run("rematch", "--apply", "1", check=False)
    assert nothing.returncode == 1 and "generation 1 is the one in force" in nothing.stderr


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_a_generation_is_applied_the_next_start_goes_on(way, point):
    configure(way, LOOSE)
    way.daemon.start()
    preview, before = rematch(way, "--preview"), standing(way.connection)
    assert way.daemon.stop() == 0
    way.daemon.start(environment={"TRIBUTARY_CRASH_POINT": point})
    assert way.daemon.run("rematch", "--apply", check=False, timeout=60).returncode != 0
    wait_until(lambda: way.daemon.process.poll() is not None, 20, "the crash point to be passed")
    assert way.daemon.process.wait() == -signal.SIGKILL
    way.daemon.process = None
    way.daemon.start()
    states = {row["generation"]: row["state"] for row in rematch(way, "--list")}
    assert states == {1: "applied before", 2: "in force"}, states
    assert "was being applied when the daemon ended" in way.daemon.log.read_text()
    check_preview(preview, before, standing(way.connection))
    check_structure(way.connection)
    check_events(way.connection)
    written = counters(way.connection)
    way.daemon.restart()
    assert counters(way.connection) == written


def test_a_reload_makes_a_generation_pending_and_status_says_what_differs(way):
    way.daemon.start()
    assert way.daemon.api("/v1/status")["generation"] == {"in_force": 1, "being_applied": False, "pending": None}
    none = way.daemon.run("rematch", "--preview", check=False)
    assert none.returncode == 1 and "nothing is pending" in none.stderr
    configure(way, {"extra": "match: {link: 0.75, review: 0.5}\nfields: {hobby: {type: text}}\n"})
    way.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: way.daemon.api("/v1/status")["generation"]["pending"] == 2, 10, "the generation to be pending")
    generation = way.daemon.api("/v1/status")["generation"]
    assert generation["difference"] == {"differs": ["rules", "thresholds"],
                                        "columns": {"added": ["hobby"], "removed": [], "retyped": []}}
    assert "generation 1 is in force; generation 2 is pending: other rules, thresholds; new fields hobby" in way.daemon.run("status").stdout
    configure(way, {})
    way.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: way.daemon.api("/v1/status")["generation"]["pending"] is None, 10, "nothing to be pending")


def test_posts_while_a_generation_is_applied_are_taken_and_follow_it(way):
    configure(way, LOOSE)
    way.daemon.start()
    world, refused, done = way.worlds[0], [], threading.Event()
    posted = []

    def client():
        rng = random.Random(5)
        while not done.is_set() and len(posted) < 2000:
            person = {"source": world.web, "external_id": f"new-{len(posted)}",
                      "fields": {"full_name": "林晓雯", "phone": f"+86139{rng.randint(10000000, 99999999)}"}}
            reply = way.daemon.api("/v1/records", {"records": [person]})
            (posted if reply.get("ok", True) else refused).append(person["external_id"])

    thread = threading.Thread(target=client)
    thread.start()
    try:
        for generation in ("2", "1", "2"):
            rematch(way, "--apply", generation)
    finally:
        done.set()
        thread.join()
    print(len(posted), way.daemon.run("status").stdout[:600])
    wait_until(lambda: way.daemon.api("/v1/status")["spooled"] == 0, 20, "the spool to be empty")
    way.settle()
    assert not refused and posted
    there = {external for external, in rows(way.connection, "SELECT external_id FROM tributary.record WHERE external_id LIKE 'new-%%'")}
    assert there == set(posted), rows(way.connection, "SELECT DISTINCT code, field, quarantined FROM tributary.reject")
    assert settled(way.connection)
    check_structure(way.connection)
    check_events(way.connection)


def test_a_generation_whose_texts_are_not_kept_gives_way_to_the_configured_one(way):
    way.connection.cursor().execute("UPDATE tributary.generation SET detail = '{}'")
    configure(way, LOOSE)
    way.daemon.start()
    assert "generation 1 cannot be kept" in way.daemon.log.read_text()
    assert [row["state"] for row in rematch(way, "--list")] == ["in force", "applied before"]
    refused = way.daemon.run("rematch", "--apply", "1", check=False)
    assert refused.returncode == 78 and "generation 1 cannot be applied again" in refused.stderr


# ---- rules ----

def rules_configuration(directory, greeting, severity="warn", fields=""):
    (directory / "own.yaml").write_text(
        f"rules:\n  - {{id: greeting, field: interest, replace: {{pattern: '^hello', with: '{greeting}'}}}}\n"
        f"  - {{id: no_rome, field: city, pattern: '^(?!Rome$)', severity: {severity}, code: city.rome}}\n", encoding="utf-8")
    return f"rules: [people, {directory}/own.yaml]\n{fields}sources:\n  desk: {{type: records, country: DE}}\n"


def people(daemon, records):
    daemon.api("/v1/records", {"records": [{"source": "desk", "external_id": number, "fields": fields} for number, fields in records.items()]})


class Desk:
    """A daemon with rules of its own and four people, one of them in Rome."""

    def __init__(self, postgres, database, directory):
        self.directory, self.connection = directory, postgres.connect(database)
        self.daemon = Daemon(directory, postgres.conninfo(database), rules_configuration(directory, "hi"))
        self.head = self.daemon.config.read_text().split("rules:")[0]
        self.daemon.start()
        people(self.daemon, {
            "1": {"full_name": "Ann Lee", "email": "ann@example.org", "interest": "hello boats", "city": "Rome"},
            "2": {"full_name": "Bob Ray", "email": "bob@example.org", "interest": "hello cars", "city": "Bonn"},
            "3": {"full_name": "Cy Moe", "email": "cy@example.org", "interest": "hello planes"}})
        people(self.daemon, {"4": {"full_name": "Di Fox", "email": "di@example.org", "hobby": "hello chess"}})
        wait_until(lambda: len(self.interests()) == 4 and settled(self.connection), 20, "the records")

    def interests(self):
        return [value and value[0] for value, in rows(self.connection, "SELECT interest FROM golden.customer ORDER BY customer_id")]

    def configure(self, *choices, **more):
        self.daemon.config.write_text(self.head + rules_configuration(self.directory, *choices, **more))
        self.daemon.restart()


@pytest.fixture
def desk(postgres, database, tmp_path):
    made = Desk(postgres, database, tmp_path)
    yield made
    made.connection.close()
    made.daemon.stop()


def without(cleaning, key):
    return {name: value for name, value in cleaning.items() if name != key}


def test_changed_rules_clean_stored_records_again_from_their_raw_bytes(desk):
    assert desk.interests() == ["hi boats", "hi cars", "hi planes", None]
    old = exact(desk.connection)
    desk.configure("good day", "reject")
    assert exact(desk.connection) == old, "a pending generation changed something"
    preview = rematch(desk, "--preview")
    assert preview["cleaning"]["refused"] == [{"record": 1, "code": "city.rome"}]
    assert without(preview["cleaning"], "refused") == {"cleaned_again": 3, "changed": 2, "kept_raw_gone": 0, "kept_unreadable": 0,
                                                      "kept_too_large": 0, "kept_refused": 1}
    assert preview["golden"]["fields"] == {"interest": 2} and exact(desk.connection) == old
    assert rematch(desk, "--apply")["cleaning"] == preview["cleaning"]
    assert desk.interests() == ["hi boats", "good day cars", "good day planes", None]
    check_structure(desk.connection)
    check_events(desk.connection)
    rematch(desk, "--apply", "1")
    assert exact(desk.connection) == old


def test_records_whose_raw_bytes_are_gone_stay_as_they_were_and_are_counted(desk):
    desk.configure("good day")
    desk.connection.cursor().execute("DELETE FROM tributary.raw WHERE accept_seq = (SELECT accept_seq FROM tributary.record "
                                     "WHERE external_id = '4')")
    desk.connection.cursor().execute("UPDATE tributary.raw SET body = 'torn' WHERE accept_seq = (SELECT accept_seq FROM tributary.record "
                                     "WHERE external_id = '3')")
    preview = rematch(desk, "--preview")
    assert without(preview["cleaning"], "refused") == {"cleaned_again": 2, "changed": 2, "kept_raw_gone": 1, "kept_unreadable": 1,
                                                      "kept_too_large": 0, "kept_refused": 0}
    assert rematch(desk, "--apply")["cleaning"] == preview["cleaning"]
    assert desk.interests() == ["good day boats", "good day cars", "hi planes", None]


@pytest.mark.parametrize("point", ["rematch.begun", "rematch.reread", "rematch.reread:2", "rematch.golden"])
def test_killed_while_records_are_cleaned_again_the_next_start_goes_on(desk, point):
    desk.configure("good day")
    assert desk.daemon.stop() == 0
    desk.daemon.start(environment={"TRIBUTARY_CRASH_POINT": point})
    died = desk.daemon.run("rematch", "--apply", check=False, timeout=60).returncode != 0
    assert died or point.endswith(":2")  # one page only
    if died:
        wait_until(lambda: desk.daemon.process.poll() is not None, 20, "the crash point to be passed")
        desk.daemon.process.wait()
        desk.daemon.process = None
        desk.daemon.start()
    assert desk.interests() == ["good day boats", "good day cars", "good day planes", None]
    check_structure(desk.connection)
    check_events(desk.connection)


def test_a_kind_that_changes_reaches_the_golden_record_also_when_killed_in_between(desk):
    """Only the kind changes, so that no value tells the start after the kill that the golden record is not written yet."""
    desk.configure("hi", fields="")
    rules = desk.directory / "own.yaml"
    rules.write_text(rules.read_text(encoding="utf-8") + "  - {id: firms, when: {equals: {city: Bonn}}, kind: company}\n",
                     encoding="utf-8")
    assert desk.daemon.stop() == 0
    desk.daemon.start(environment={"TRIBUTARY_CRASH_POINT": "rematch.reread"})
    assert desk.daemon.run("rematch", "--apply", check=False, timeout=60).returncode != 0
    wait_until(lambda: desk.daemon.process.poll() is not None, 20, "the crash point to be passed")
    desk.daemon.process.wait()
    desk.daemon.process = None
    desk.daemon.start()
    kinds = dict(rows(desk.connection, "SELECT customer_id, kind FROM golden.customer"))
    assert kinds == {1: "person", 2: "company", 3: "person", 4: "person"}
    assert desk.daemon.api("/v1/status")["companies"] == 1


def test_the_generation_applied_last_stands_also_after_the_clock_was_set_back(desk):
    desk.connection.cursor().execute("UPDATE tributary.generation SET applied_at = applied_at + interval '1 day'")
    desk.configure("good day")
    rematch(desk, "--apply")
    desk.daemon.restart()
    assert [row["state"] for row in rematch(desk, "--list")] == ["in force", "applied before"]
    assert desk.interests() == ["good day boats", "good day cars", "good day planes", None]


def test_a_record_that_stands_with_a_customer_there_is_not_is_judged_again(desk):
    people(desk.daemon, {"1b": {"full_name": "Ann Lee", "email": "ann@example.org"}, "1c": {"full_name": "Ann Lee", "email": "ann@example.org"}})
    wait_until(lambda: rows(desk.connection, "SELECT record_count FROM golden.customer WHERE customer_id = 1") == [(3,)], 20, "one Ann")
    assert desk.daemon.stop() == 0
    desk.connection.cursor().execute("UPDATE tributary.record SET customer_id = 5 WHERE record_id = 6")  # 5 is in customer 1
    desk.daemon.start()
    wait_until(lambda: rows(desk.connection, "SELECT customer_id FROM tributary.record WHERE record_id = 6") == [(1,)], 20, "it to be mended")
    assert "all records are judged again" in desk.daemon.log.read_text()
    check_structure(desk.connection)


def test_a_new_field_has_its_column_and_its_values_once_its_generation_is_applied(desk):
    def hobbies():
        return [value for value, in rows(desk.connection, "SELECT x_hobby FROM golden.customer ORDER BY customer_id")]

    desk.configure("hi", fields="fields: {hobby: {type: text}}\n")
    people(desk.daemon, {"5": {"full_name": "Ed Orr", "email": "ed@example.org", "hobby": "go"}})
    wait_until(lambda: len(desk.interests()) == 5, 20, "a record by the rules in force")
    assert rows(desk.connection, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'golden.customer'::regclass AND attname = 'x_hobby'") == [(0,)]
    old = exact(desk.connection)
    rematch(desk, "--apply")
    assert hobbies() == [None, None, None, "hello chess", "go"]
    rematch(desk, "--apply", "1")
    assert hobbies() == [None] * 5  # the column stays
    back = exact(desk.connection)
    assert [row[:len(other)] for row, other in zip(back.pop("customer"), old["customer"])] == old.pop("customer") and back == old


COLOURS = "fields:\n  colour: {type: text}\n  shoe: {type: text}\n"


@pytest.mark.parametrize("fields", [COLOURS.replace("  colour", "  allergy: {type: text}\n  colour"), ""])
def test_posts_that_waited_while_a_generation_was_applied_are_cleaned_by_its_rules(desk, fields):
    """Their values stay in the fields they were posted in, also when a field has come before them or all are gone."""
    desk.configure("hi", fields=COLOURS)
    desk.daemon.run("rematch", "--apply")
    more = {"colour": "red", "shoe": "42"}
    for first in range(0, 3000, 500):
        people(desk.daemon, {f"s{i}": {"full_name": f"Per Son{i}", "email": f"s{i}@example.org", **more} for i in range(first, first + 500)})
    wait_until(lambda: settled(desk.connection), 60, "the records")
    desk.configure("good day", fields=fields)
    done = threading.Event()

    def client():
        for i in itertools.count():
            if done.is_set():
                return
            people(desk.daemon, {f"n{i}": {"full_name": f"New Body{i}", "email": f"n{i}@example.net", "interest": "hello sky", **more}})

    thread = threading.Thread(target=client)
    thread.start()
    desk.daemon.run("rematch", "--apply")
    done.set()
    thread.join()
    wait_until(lambda: settled(desk.connection), 60, "what was posted meanwhile")
    new = "FROM golden.customer WHERE full_name LIKE 'New Body%%'"
    assert rows(desk.connection, f"SELECT DISTINCT interest[1] {new}") == [("good day sky",)]
    if fields:
        assert rows(desk.connection, f"SELECT DISTINCT x_allergy, x_colour, x_shoe {new}") == [(None, "red", "42")]
