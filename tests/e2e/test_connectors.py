"""The json_api connector and its presets against servers that answer, and misbehave, as the real ones do.

Run from the top of the checkout: /usr/bin/python3 -m pytest tests/e2e/test_connectors.py. Builds build/tests/drive_connector.
"""
import json
import os
import subprocess

import fake_servers as fake
import pytest
from conftest import ROOT

TOP = str(ROOT)
BUILD = os.environ.get("BUILD", "build")
PROGRAM = os.path.join(TOP, BUILD, "tests", "drive_connector")


@pytest.fixture(scope="session", autouse=True)
def program():
    subprocess.run(["make", "-s", "BUILD=" + BUILD, os.path.relpath(PROGRAM, TOP)], cwd=TOP, check=True)


class Source:
    """One source, whose cursor outlives runs as it does in the daemon."""

    def __init__(self, path, section, secret=None):
        self.path = path
        self.secret_file = path / "secret"
        self.set_secret(secret or "none")
        self.config = path / "tributary.yaml"
        self.config.write_text("state_dir: %s\nsources:\n  s:\n%s" % (
            path, "".join("    %s\n" % line for line in section.splitlines())))

    def set_secret(self, secret):
        self.secret_file.write_text(secret + "\n")

    def run(self, batch=1000, wait_ms=2000):
        done = subprocess.run([PROGRAM, str(self.config), "s", str(self.path / "cursor"), str(batch), str(wait_ms)],
                              cwd=TOP, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.errors = [line for line in lines if "error" in line]
        return [line for line in lines if "error" not in line]

    def cursor(self):
        return json.loads((self.path / "cursor").read_text())


WOO = """preset: woocommerce
url: %s
key_file: %s/secret
every: 1h
retry_first: 10ms
retry_last: 100ms
timeout: 1s"""
EVENTBRITE = """preset: eventbrite
url: %s
key_file: %s/secret
every: 1h
parameters: {event: ["9"]}
retry_first: 10ms
retry_last: 100ms"""


def ids(deliveries):
    return [(r["external_id"], r["part"]) for d in deliveries for r in d["records"]]


@pytest.fixture
def shop(tmp_path):
    with fake.WooCommerce() as server:
        yield server, Source(tmp_path, WOO % (server.url, tmp_path), server.key)


@pytest.fixture
def summit(tmp_path):
    with fake.Eventbrite() as server:
        yield server, Source(tmp_path, EVENTBRITE % (server.url, tmp_path), server.token)


def test_an_order_is_two_parts_and_an_activity(shop):
    server, source = shop
    server.add_customer(25)
    server.add_order(727)
    deliveries = source.run()
    assert ids(deliveries) == [("customer/25", "billing"), ("order/727", "billing"), ("order/727", "shipping")]
    billing = deliveries[1]["records"][0]
    assert billing["columns"]["given_name"] == "B727"
    assert billing["columns"]["email"] == "b727@example.com"
    assert billing["effective_us"] == 1772359200000000  # 2026-03-01T10:00:00 without a Z is UTC
    assert billing["activities"] == [{"type": "order", "key": "order/727", "at_us": 1772355600000000, "data": {
        "number": "727", "status": "processing", "total": "29.350", "currency": "USD"}}]
    assert deliveries[1]["position"] == "orders page 1 item 1"
    assert server.requests[0][2]["Authorization"].startswith("Basic ")


def test_a_trashed_order_is_a_deletion(shop):
    server, source = shop
    server.add_order(1, status="trash")
    assert [r["op"] for d in source.run() for r in d["records"]] == ["delete", "delete"]


def test_pages_are_read_to_the_end_in_batches_of_any_size(shop):
    server, source = shop
    for number in range(1, 251):
        server.add_order(number)
    assert ids(source.run(batch=33)) == [("order/%d" % n, part) for n in range(1, 251)
                                         for part in ("billing", "shipping")]
    assert [q["page"] for p, q, h in server.requests if p.endswith("orders")] == ["1", "2", "3"]


def test_the_next_sweep_asks_only_for_what_changed_with_an_overlap(shop):
    server, source = shop
    server.add_order(1, modified="2026-03-01T10:00:00")
    server.add_order(2, modified="2026-03-02T10:00:00")
    source.run()
    server.requests.clear()
    server.add_order(1, modified="2026-03-03T10:00:00", status="completed")
    assert {i for i, part in ids(source.run())} == {"order/1", "order/2"}  # 2 is inside the overlap: a repeat
    asked = [q for p, q, h in server.requests if p.endswith("orders")]
    assert asked[0]["modified_after"] == "2026-03-02T09:50:00"
    server.requests.clear()
    source.run()
    asked = [q for p, q, h in server.requests if p.endswith("orders")]
    assert asked[0]["modified_after"] == "2026-03-03T09:50:00"


def test_items_that_vanish_while_pages_are_read_do_not_hide_others(shop):
    server, source = shop
    for number in range(1, 251):
        server.add_order(number)

    def remove():
        with server.lock:
            server.orders = [o for o in server.orders if o["id"] > 5]

    keep = fake.after(lambda: None)
    server.faults = [keep, keep, fake.after(remove)]  # customers, orders page 1, then page 2
    seen = {i for i, part in ids(source.run())}
    assert seen == {"order/%d" % n for n in range(1, 251)}


def test_throttling_is_obeyed_and_loses_nothing(shop):
    server, source = shop
    for number in range(1, 151):
        server.add_order(number)
    server.faults = [fake.throttle("0.2"), fake.throttle("0"), fake.after(lambda: None), fake.after(lambda: None),
                     fake.throttle("0.05")]
    assert len({i for i, part in ids(source.run())}) == 150
    assert source.errors == []


def test_a_long_wait_is_taken_as_asked(shop):
    server, source = shop
    server.faults = [fake.throttle("120")]
    assert source.run() == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault, error", [
    (fake.broken(500), "json_api.server"), (fake.broken(503), "json_api.server"),
    (fake.broken(200), "json_api.not_json"), (fake.cut_short, "http.failed"), (fake.trickle(3), "http.deadline"),
    (fake.broken(200, b'{"code": "x"'), "json_api.not_json"), (fake.broken(200, b'"x"'), "json_api.no_items"),
    (fake.redirect("http://elsewhere.invalid/"), "http.redirect")])
def test_a_broken_answer_is_told_and_asked_for_again(shop, fault, error):
    server, source = shop
    server.add_order(1)
    server.faults = [fault]
    assert ids(source.run()) == [("order/1", "billing"), ("order/1", "shipping")]
    assert [e["error"] for e in source.errors] == [error]


def test_a_redirect_on_the_same_host_is_followed(shop):
    server, source = shop
    server.add_order(1)
    server.faults = [fake.redirect("/wp-json/wc/v3/customers?page=1&per_page=100")]
    assert ids(source.run()) == [("order/1", "billing"), ("order/1", "shipping")]
    assert source.errors == []


def test_a_server_that_is_down_is_told_with_growing_waits(shop):
    server, source = shop
    server.faults = [fake.broken(500)] * 50
    assert source.run() == []
    waits = [e["wait_ms"] for e in source.errors]
    assert len(waits) == 5 and max(waits) <= 100 and waits[-1] > waits[0]


def test_a_crash_in_mid_sweep_goes_on_at_its_page(shop):
    server, source = shop
    for number in range(1, 251):
        server.add_order(number)
    keep = fake.after(lambda: None)
    server.faults = [keep, keep] + [fake.broken(500)] * 5  # page 2 of orders fails until the run ends
    first = ids(source.run())
    assert source.cursor()["endpoints"]["orders"]["position"] == "2"
    server.requests.clear()
    second = ids(source.run())
    assert [q["page"] for p, q, h in server.requests if p.endswith("orders")] == ["2", "3"]
    assert {i for i, part in first + second} == {"order/%d" % n for n in range(1, 251)}


def test_attendees_bring_registrations_check_ins_and_their_answers(summit):
    server, source = summit
    server.add(1)
    server.add(2, checked_in=True, changed="2026-10-03T00:00:00Z")
    server.add(3, cancelled=True)
    deliveries = source.run()
    assert ids(deliveries) == [("attendee/1", "main"), ("attendee/2", "main"), ("attendee/3", "main")]
    assert [[a["type"] for a in d["records"][0]["activities"]] for d in deliveries] == [
        ["registration"], ["registration", "check_in"], ["registration", "cancellation"]]
    assert deliveries[0]["records"][0]["columns"]["Company size"] == "10-50"
    assert [q.get("continuation") for p, q, h in server.requests] == [None, "at-2"]
    server.requests.clear()
    source.run()
    assert server.requests[0][1]["changed_since"] == "2026-10-02T23:50:00Z"


def test_a_renewed_token_is_read_from_its_file_once(summit, tmp_path):
    server, source = summit
    for number in range(5):
        server.add(number)

    def renew():
        server.token = "token-2"
        source.set_secret("token-2")

    server.faults = [fake.after(lambda: None), fake.after(renew)]
    assert len(ids(source.run())) == 5
    assert source.errors == []


def test_an_expired_token_is_told(summit):
    server, source = summit
    server.add(1)
    server.token = "other"
    assert source.run() == []
    assert {e["error"] for e in source.errors} == {"json_api.refused_key"}
    assert all("token-1" not in e["text"] for e in source.errors)


def test_a_position_the_server_forgot_starts_the_sweep_again(summit):
    server, source = summit
    for number in range(5):
        server.add(number)
    server.faults = [fake.after(lambda: None), fake.broken(400)]
    assert set(ids(source.run())) == {("attendee/%d" % n, "main") for n in range(5)}


class Plain(fake.FakeServer):
    """A list with an ETag, and one paged by Link headers or by offset."""
    items = [{"id": n, "email": "p%d@example.com" % n} for n in range(7)]

    def answer(self, handler, path, query):
        if path == "/etag":
            if handler.headers.get("If-None-Match") == '"v1"':
                handler.reply(304, b"")
            else:
                handler.reply(200, self.items, {"ETag": '"v1"'})
            return
        start = int(query.get("start", 0))
        headers = {}
        if start + 3 < len(self.items):
            headers["Link"] = '</link?start=0>; rel="first", </link?start=%d>; rel="next"' % (start + 3)
        handler.reply(200, {"data": {"rows": self.items[start:start + 3]}}, headers)


PLAIN = """type: json_api
url: %s
auth: none
every: 1h
endpoints:
  - name: list
    path: /%s
%s
    records:
      - {id: "{id}", columns: {email: email}}"""


@pytest.mark.parametrize("path, paging", [
    ("link", "    items: data.rows\n    paging: {type: link}"),
    ("offset", "    items: data.rows\n    paging: {type: offset, param: start, size: 3}")])
def test_link_and_offset_paging(tmp_path, path, paging):
    with Plain() as server:
        source = Source(tmp_path, PLAIN % (server.url, path, paging))
        assert [i for i, part in ids(source.run())] == [str(n) for n in range(7)]
        assert len(server.requests) == 3


@pytest.mark.parametrize("target", ["http://elsewhere.invalid/link?start=3", "/link?start=3&x=" + "y" * 5000])
def test_a_next_page_that_cannot_be_asked_does_not_end_the_sweep(tmp_path, target):
    class Astray(Plain):
        def answer(self, handler, path, query):
            handler.reply(200, {"data": {"rows": self.items[:3]}}, {"Link": '<%s>; rel="next"' % target})

    with Astray() as server:
        source = Source(tmp_path, PLAIN % (server.url, "link", "    items: data.rows\n    paging: {type: link}\n"
                                           "    since: {param: since}") + "\nretry_first: 1ms\nretry_last: 2ms")
        assert source.run() == []  # the page is not passed by: its cursor would say the rest was read
        assert {e["error"] for e in source.errors} == {"json_api.next_page"}
        assert not (tmp_path / "cursor").exists() or source.cursor()["endpoints"]["list"]["since"] == 0


def test_an_unchanged_list_is_answered_by_its_tag(tmp_path):
    with Plain() as server:
        source = Source(tmp_path, PLAIN % (server.url, "etag", ""))
        assert len(source.run()) == 7
        assert source.run() == []
        assert server.requests[-1][2]["If-None-Match"] == '"v1"'


@pytest.mark.parametrize("item, refusal", [
    ('{"id": null, "email": "a@b.c"}', "json.no_id"), ('{"id": 1, "email": "a\\u0000b"}', "json.nul"),
    ('{"id": 1, "email": "\\ud800"}', "json.bad_string"), ('[1]', "json.not_an_object"),
    ('{"id": 1, "email": "%s"}' % ("x" * (1 << 20)), "json.too_large")], ids=["id", "nul", "surrogate", "list", "large"])
def test_an_item_that_cannot_be_kept_is_refused_and_the_rest_go_on(tmp_path, item, refusal):
    class One(fake.FakeServer):
        def answer(self, handler, path, query):
            handler.reply(200, ('[{"id": 12345678901234567890123, "email": "x"}, %s, {"id": 3}]' % item).encode())

    with One() as server:
        source = Source(tmp_path, PLAIN % (server.url, "x", ""))
        deliveries = source.run()
        assert [d["refusal"] for d in deliveries] == ["", refusal, ""]
        assert deliveries[0]["records"][0]["external_id"] == "12345678901234567890123"
