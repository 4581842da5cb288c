"""What a steward decides repairs everything a reader sees, is told downstream, outlives deletion and redelivery, and can be taken
back: then all is as if it had never been."""
import pytest
from conftest import wait_until
from daemon import Daemon, settled
from oracles import check_events, check_structure, rows
from test_rematch import exact

CONFIG = """
sources:
  shop: {type: records, country: DE}
  desk: {type: records, country: DE, leads: false}
"""


def person(number, name, mail, granted, tags, at):
    return {"external_id": number, "effective_at": f"2026-03-0{at}T08:00:00Z",
            "fields": {"full_name": name, "email": mail, "tags": tags},
            "consents": [{"purpose": "news", "granted": granted, "version": "1"}],
            "activities": [{"type": "order", "key": f"order {number}", "data": {"total": at}}]}


RECORDS = {"shop": [person("1", "Ann Lee", "ann@example.org", True, "vip", 1), person("2", "Ann M. Lee", "ann@example.org", True, "expo", 2),
                    person("3", "Ann Lee", "ann@example.org", True, "dealer", 3), person("4", "Bo Fox", "bo@example.org", True, "vip", 4)],
           "desk": [person("5", "Robert Fox", "robert@example.net", False, "late", 5)]}


class Shop:
    def __init__(self, postgres, database, directory):
        self.connection = postgres.connect(database)
        self.daemon = Daemon(directory, postgres.conninfo(database), CONFIG)
        self.daemon.start()
        for source in RECORDS:
            self.send(source, *RECORDS[source])
        assert self.customers() == {1: 1, 2: 1, 3: 1, 4: 4, 5: 5}

    def send(self, source, *records):
        reply = self.daemon.api("/v1/records", {"records": [{"source": source, **record} for record in records]})
        assert all(result["status"] != "rejected" for result in reply["results"]), reply
        wait_until(lambda: settled(self.connection), 20, "the records to be resolved")

    def op(self, name, **arguments):
        return self.daemon.api(f"/v1/ops/{name}", {"actor": "kim", **arguments})

    def customers(self):
        return dict(rows(self.connection, "SELECT record_id, customer_id FROM tributary.record"))

    def one(self, view, customer, what):
        return rows(self.connection, f"SELECT {what} FROM golden.{view} WHERE customer_id = %s", customer)

    def events(self, after):
        return [(kind, customer) for kind, customer in rows(
            self.connection, "SELECT type, customer_id FROM golden.event WHERE seq > %s ORDER BY seq", after)]

    def last_event(self):
        return rows(self.connection, "SELECT coalesce(max(seq), 0) FROM golden.event")[0][0]

    def check(self):
        check_structure(self.connection)
        check_events(self.connection)


@pytest.fixture
def shop(postgres, database, tmp_path):
    made = Shop(postgres, database, tmp_path)
    yield made
    made.connection.close()
    made.daemon.stop()


def test_a_merge_repairs_everything_and_undone_leaves_nothing(shop):
    before, last = exact(shop.connection), shop.last_event()
    decision = shop.op("customer.merge", a=4, b=5)
    assert shop.customers()[5] == 4 and shop.one("redirect", 4, "old_id") == [(5,)]
    (tags, emails), = shop.one("customer", 4, "tags, email")
    assert sorted(tags) == ["late", "vip"] and sorted(emails) == ["bo@example.org", "robert@example.net"]
    assert shop.one("consent", 4, "purpose, granted, statements") == [("news", False, 2)]  # the most restrictive
    assert sorted(shop.one("activity", 4, "key, source")) == [("order 4", "shop"), ("order 5", "desk")]
    assert ("customer.merged", 4) in shop.events(last)
    assert shop.one("history", 4, "what, actor") == [("merged", "kim")]
    shop.check()
    last = shop.last_event()
    shop.op("decision.undo", id=decision["group"])
    assert exact(shop.connection) == before
    assert ("customer.split", 4) in shop.events(last)
    shop.check()


def test_a_split_repairs_everything_is_one_decision_and_undone_leaves_nothing(shop):
    before, last = exact(shop.connection), shop.last_event()
    assert sorted(shop.one("customer", 1, "tags")[0][0]) == ["dealer", "expo", "vip"]
    decision = shop.op("customer.split", id=1, records=[1])
    assert decision["count"] == len(decision["decisions"]) == 2 and decision["group"] == decision["decisions"][0]
    assert decision["customers"] == {"1": 1, "2": 2, "3": 2}
    assert shop.customers() == {1: 1, 2: 2, 3: 2, 4: 4, 5: 5}
    assert sorted(shop.one("customer", 2, "tags")[0][0]) == ["dealer", "expo"] and shop.one("customer", 1, "tags") == [(["vip"],)]
    assert shop.one("consent", 1, "statements") == [(1,)] and shop.one("consent", 2, "statements") == [(2,)]
    assert shop.one("activity", 1, "key") == [("order 1",)]
    assert sorted(shop.one("activity", 2, "key")) == [("order 2",), ("order 3",)]
    assert shop.one("redirect", 2, "old_id") == [(3,)]
    assert ("customer.split", 1) in shop.events(last)
    shop.check()
    (listed,) = shop.op("decision.list")
    assert (listed["origin"], listed["pairs"], listed["standing"]) == ("split", 2, 2)
    assert len(shop.op("decision.list", pairs=True)) == 2
    last = shop.last_event()
    assert shop.op("decision.undo", id=decision["decisions"][1]) == {"retracted": decision["decisions"][1], "pairs": 2}
    assert exact(shop.connection) == before
    assert ("customer.merged", 1) in shop.events(last)
    shop.check()


def test_one_pair_of_a_split_can_be_taken_back_alone(shop):
    decision = shop.op("customer.split", id=1, records=[1, 2])
    assert decision["count"] == 2 and shop.customers()[3] == 3
    assert shop.op("decision.undo", id=decision["decisions"][0], alone=True)["pairs"] == 1
    assert shop.customers()[2] != shop.customers()[3]  # the other pair still stands
    assert shop.op("decision.undo", id=decision["decisions"][0])["pairs"] == 1  # the rest of the group
    assert shop.customers()[2] == shop.customers()[3] == 1
    shop.check()


@pytest.mark.parametrize("meanwhile", ["nothing", "a restart", "a kill"])
def test_decisions_outlive_deletion_and_redelivery(shop, meanwhile):
    shop.op("customer.split", id=1, records=[3])
    shop.op("customer.merge", a=4, b=5)
    assert shop.customers() == {1: 1, 2: 1, 3: 3, 4: 4, 5: 4}
    values = exact(shop.connection)
    for number, source in (("3", "shop"), ("5", "desk")):
        shop.send(source, {"external_id": number, "effective_at": "2026-03-08T08:00:00Z", "op": "delete"})
    assert shop.customers() == {1: 1, 2: 1, 3: None, 4: 4, 5: None}
    assert shop.one("consent", 4, "granted") == [(True,)] and shop.one("customer", 4, "tags") == [(["vip"],)]
    shop.check()
    if meanwhile != "nothing":
        (shop.daemon.kill if meanwhile == "a kill" else shop.daemon.stop)()
        shop.daemon.start()
    again = {"3": RECORDS["shop"][2], "5": RECORDS["desk"][0]}
    for number, source in (("3", "shop"), ("5", "desk")):
        shop.send(source, {**again[number], "effective_at": "2026-03-09T08:00:00Z"})
    assert shop.customers() == {1: 1, 2: 1, 3: 3, 4: 4, 5: 4}
    found = exact(shop.connection)
    for what in ("redirect", "link"):
        assert found[what] == values[what], what
    assert shop.one("consent", 4, "granted") == [(False,)] and sorted(shop.one("customer", 4, "tags")[0][0]) == ["late", "vip"]
    shop.check()
    for row in shop.op("decision.list"):
        shop.op("decision.undo", id=row["decision_id"])
    assert shop.customers() == {1: 1, 2: 1, 3: 1, 4: 4, 5: 5}
    shop.check()


def test_the_newest_decision_wins(shop):
    shop.op("customer.split", id=1, records=[3])
    merge = shop.op("customer.merge", a=1, b=3)
    assert shop.customers()[3] == 1
    shop.op("decision.undo", id=merge["group"])
    assert shop.customers()[3] == 3
    shop.check()


def test_a_split_of_a_large_customer_is_one_command(shop):
    shop.send("shop", *(person(str(100 + i), "Cy Moe", "cy@example.org", True, "many", 1) for i in range(60)))
    (customer, count), = rows(shop.connection, "SELECT customer_id, count(*) FROM tributary.record GROUP BY 1 HAVING count(*) > 10")
    assert count == 60
    before = exact(shop.connection)
    members = sorted(record for record, of in shop.customers().items() if of == customer)
    decision = shop.op("customer.split", id=customer, records=members[30:])
    assert decision["count"] == 900
    assert {shop.customers()[record] for record in members[30:]} == {members[30]}
    shop.check()
    assert shop.op("decision.undo", id=decision["group"])["pairs"] == 900
    assert exact(shop.connection) == before
    shop.check()


def test_who_looks_after_a_customer_goes_with_its_records(shop):
    def owners():
        return {customer: (owner, team) for customer, owner, team in rows(
            shop.connection, "SELECT customer_id, owner, team FROM golden.customer WHERE owner IS NOT NULL OR team IS NOT NULL")}

    last = shop.last_event()
    assert shop.op("customer.assign", id=4, owner="ada", team="north")["records"] == 1
    assert shop.op("customer.assign", id=3, owner="ben", team="")["customer_id"] == 1
    assert owners() == {4: ("ada", "north"), 1: ("ben", None)}
    assert shop.events(last) == [("customer.updated", 4), ("customer.updated", 1)]
    assert rows(shop.connection, "SELECT actor, changes FROM golden.history WHERE customer_id = 4") == \
        [("kim", {"owner": [None, "ada"], "team": [None, "north"]})]
    merge = shop.op("customer.merge", a=4, b=5)
    shop.op("customer.assign", id=5, owner="cat", team="south")
    assert owners() == {4: ("cat", "south"), 1: ("ben", None)}
    shop.op("decision.undo", id=merge["group"])
    assert owners() == {4: ("cat", "south"), 5: ("cat", "south"), 1: ("ben", None)}  # it was said of both
    shop.op("customer.assign", id=5, owner="", team="")
    merge = shop.op("customer.merge", a=1, b=4)
    assert owners() == {1: ("cat", "south")}  # the newest word
    shop.op("decision.undo", id=merge["group"])
    assert owners() == {4: ("cat", "south"), 1: ("ben", None)}
    split = shop.op("customer.split", id=1, records=[2])
    assert owners() == {4: ("cat", "south"), 1: ("ben", None), 2: ("ben", None)}
    shop.daemon.restart()
    shop.send("shop", {**RECORDS["shop"][1], "effective_at": "2026-03-10T08:00:00Z"})
    shop.send("shop", {"external_id": "4", "effective_at": "2026-03-10T08:00:00Z", "op": "delete"})
    assert owners() == {1: ("ben", None), 2: ("ben", None)}
    shop.send("shop", {**RECORDS["shop"][3], "effective_at": "2026-03-11T08:00:00Z"})
    assert owners() == {4: ("cat", "south"), 1: ("ben", None), 2: ("ben", None)}
    shop.op("decision.undo", id=split["group"])
    assert owners() == {4: ("cat", "south"), 1: ("ben", None)}
    shop.check()
    assert "owner dan" in shop.daemon.run("customer", "assign", "5", "--owner", "dan").stdout
    assert owners()[5] == ("dan", None)
