"""What the daemon tells sinks of customers: whom it concerns, and the same whatever came before."""
from conftest import wait_until
from daemon import Daemon, Receiver, settled


def ask(connection, sql, *parameters):
    cursor = connection.cursor()
    cursor.execute(sql, parameters or None)
    return cursor.fetchall() if cursor.description else None


def kinds(receiver):
    return [(event["type"].removeprefix("tributary.").removesuffix(".v1"), event["data"].get("customer_id"))
            for event in receiver.events()]


def test_a_sink_of_some_sources_hears_what_becomes_of_their_customers(postgres, database, tmp_path):
    """What no delivery caused (a steward's merge, a split, a removal) and what another source's caused was once not told."""
    shop, landing = Receiver(), Receiver()
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    "sources:\n  shop: {type: records}\n  landing: {type: records}\nsinks:\n"
                    f"  shop: {{type: webhook, url: \"{shop.url}\", sources: [shop]}}\n"
                    f"  landing: {{type: webhook, url: \"{landing.url}\", sources: [landing], events: [\"*\"]}}\n")
    connection = postgres.connect(database)
    ann = {"full_name": "Ann Lee", "email": "ann.lee@gmail.com", "phone": "+442079460991"}

    def put(source, key, fields, stored):
        daemon.api("/v1/records", {"source": source, "external_id": key, "fields": fields})
        wait_until(lambda: ask(connection, "SELECT count(*) FROM tributary.record") == [(stored,)] and settled(connection))

    def drop(source, key, left):
        daemon.api("/v1/records", {"source": source, "external_id": key, "op": "delete"})
        wait_until(lambda: ask(connection, "SELECT count(*) FROM golden.record_customer") == [(left,)] and settled(connection))
    with daemon:
        put("shop", "a", ann, 1)
        put("landing", "b", {"full_name": "Bob Zed", "email": "bob.zed@gmail.com"}, 2)
        put("landing", "c", {"full_name": "Cy Poe", "email": "cy.poe@gmail.com"}, 3)
        put("landing", "d", {**ann, "city": "Leeds"}, 4)          # joins what shop knows
        daemon.run("customer", "merge", "1", "2", "--actor", "t")   # by a person
        daemon.run("decision", "undo", "1", "--actor", "t")
        drop("shop", "a", 3)                                        # landing's record goes on as customer 4
        drop("landing", "d", 2)
        drop("landing", "b", 1)
        wait_until(lambda: ask(connection, "SELECT min(cursor_seq) = (SELECT max(seq) FROM tributary.event) FROM tributary.sink")
                   == [(True,)])
    wanted = [("lead.created", 1), ("customer.merged", 1), ("lead.merged", 1), ("customer.split", 1), ("customer.merged", 4)]
    assert [kind for kind in kinds(shop) if kind[0] != "customer.updated"] == wanted
    assert ("customer.updated", 1) in kinds(shop)
    assert {customer for _, customer in kinds(shop)} == {1, 4}
    told = kinds(landing)
    assert ("lead.created", 1) not in told and ("lead.created", 2) in told and ("lead.created", 3) in told
    assert [kind for kind in told if kind[0] == "customer.removed"] == [("customer.removed", 4), ("customer.removed", 2)]
    assert ("customer.split", 1) in told and ("customer.merged", 1) in told
    connection.close()
    shop.close()
    landing.close()


def test_a_lead_always_says_which_record_made_it(postgres, database, tmp_path):
    """A lead whose record came in an earlier batch was once told without external_id and part."""
    sink = Receiver()
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    f"sources:\n  shop: {{type: records}}\nsinks:\n  crm: {{type: webhook, url: \"{sink.url}\", events: [lead.created]}}\n")
    connection = postgres.connect(database)
    with daemon:
        for key, part in (("a 1", "main"), ("b \"2\"", "buyer")):
            daemon.api("/v1/records", {"source": "shop", "external_id": key, "part": part, "fields": {
                "full_name": "Ann Lee", "email": "ann.lee@gmail.com", "phone": "+442079460991"}})
        wait_until(lambda: ask(connection, "SELECT count(*) FROM golden.customer, golden.record_customer") == [(2,)])
        daemon.run("customer", "split", "1", "2", "--actor", "t")
        wait_until(lambda: len(sink.events()) == 2)
    leads = [event["data"]["lead"] for event in sink.events()]
    assert [(lead["source"], lead["record_id"], lead["external_id"], lead["part"]) for lead in leads] == [
        ("shop", 1, "a 1", "main"), ("shop", 2, "b \"2\"", "buyer")]
    connection.close()
    sink.close()
