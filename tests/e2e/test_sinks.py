"""Sinks: what is told downstream, in which order, how often, and what happens when it is not taken."""
import base64
import collections
import hashlib
import hmac
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

import sinks_lab
from sinks_lab import ROOT, BUILD, Dispatcher, Receiver, Server, listen, wait_until

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.fixture(scope="module")
def server():
    subprocess.run(["make", "-s", f"BUILD={BUILD}", os.path.relpath(sinks_lab.DRIVER, ROOT)],
                   cwd=ROOT, check=True)
    running = Server()
    if not running.conninfo:
        pytest.skip("no PostgreSQL server programs here")
    yield running
    running.close()


@pytest.fixture
def receiver():
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def start(server, tmp_path):
    """start(sinks) gives a dispatcher on a new database."""
    running = []

    def start_one(sinks, limits=None):
        running.append(Dispatcher(tmp_path, server.new_database(), sinks, limits))
        return running[-1]
    yield start_one
    for dispatcher in running:
        dispatcher.close()


def webhook(receiver, **options):
    return {"type": "webhook", "url": receiver.url, **options}


def is_done(dispatcher, sink, delivered):
    status = dispatcher.status(sink)
    return status["delivered"] >= delivered and status["backlog"] == 0 and status["parked"] == 0


def test_envelope_and_signature(start, receiver):
    dispatcher = start({"crm": webhook(receiver, secret=SECRET, headers={"X-Team": "sales"})})
    dispatcher.put([("lead.created", 7, "shop", {"customer_id": 7, "customer": {"name": "张三"}})])
    wait_until(lambda: is_done(dispatcher, "crm", 1), "delivered")
    (request,) = receiver.requests
    event = request.event
    assert event["specversion"] == "1.0" and event["type"] == "tributary.lead.created.v1"
    assert event["id"] == "evt_1" == request.headers["webhook-id"]
    assert event["subject"] == "7" and event["source"] == "/tributary"
    assert event["sequence"] == "0000000000000000001"
    assert event["data"] == {"customer_id": 7, "customer": {"name": "张三"}}
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["user-agent"].startswith("tributary/")
    assert request.headers["x-team"] == "sales"
    signed = f"evt_1.{request.headers['webhook-timestamp']}.".encode() + request.body
    mac = hmac.new(base64.b64decode(SECRET[6:]), signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


def test_order_per_customer_with_several_in_flight(start, receiver):
    chance = random.Random(5)
    most = collections.Counter()
    busy = collections.Counter()
    lock = threading.Lock()
    overlaps = []

    def answer(request, earlier):
        with lock:
            busy[request.customer] += 1
            if busy[request.customer] > 1:
                overlaps.append(request.customer)
            most["all"] = max(most["all"], sum(busy.values()))
        time.sleep(chance.random() / 100)
        with lock:
            busy[request.customer] -= 1
        return (204, {})
    receiver.answer = answer
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([chance.randrange(1, 30) for _ in range(600)])
    wait_until(lambda: is_done(dispatcher, "crm", 600), "all delivered")
    assert sorted(receiver.seqs()) == list(range(1, 601))
    assert overlaps == []
    assert 4 <= most["all"] <= 8
    for customer in range(1, 30):
        assert receiver.seqs(customer) == sorted(receiver.seqs(customer))


def test_failure_parks_its_customer_and_lets_others_pass(start, receiver):
    receiver.answer = lambda request, earlier: (500 if request.seq == 1 and earlier < 2 else 204, {})
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([7, 8, 7, 9])
    wait_until(lambda: dispatcher.status("crm")["delivered"] == 2, "the others delivered")
    wait_until(lambda: dispatcher.ask("SELECT count(*) FROM tributary.sink_parked")[0][0] == 2, "two parked")
    assert dispatcher.ask("SELECT cursor_seq FROM tributary.sink")[0][0] == 4
    assert 3 not in receiver.seqs()
    dispatcher.tell("advance 6000")      # the first wait: 5 s and up to a tenth
    wait_until(lambda: dispatcher.ask("SELECT attempts FROM tributary.sink_parked WHERE seq = 1") == [(2,)], "tried again")
    dispatcher.tell("advance 331000")    # the second: 5 min
    wait_until(lambda: is_done(dispatcher, "crm", 4), "all delivered")
    assert receiver.seqs(7) == [1, 1, 1, 3]
    ids = {r.headers["webhook-id"] for r in receiver.requests if r.seq == 1}
    assert ids == {"evt_1"}
    assert dispatcher.ask("SELECT count(*) FROM tributary.sink_parked")[0][0] == 0


def merged(into, gone):
    return [(kind, into, "shop", {"customer_id": into, "merged": gone, "records": [gone]})
            for kind in ("customer.merged", "lead.merged")]


def test_a_merge_waits_for_both_customers(start, receiver):
    """After one failure the merged customer was once told of after its merge: it came back to life at the sink."""
    receiver.answer = lambda request, earlier: (500 if request.seq == 2 and earlier < 2 else 204, {})
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put([("lead.created", 1, "shop", {"customer_id": 1}), ("lead.created", 2, "shop", {"customer_id": 2})] +
                   merged(1, 2) + [("customer.updated", 1, "shop", {"customer_id": 1}),
                                   ("customer.updated", 3, "shop", {"customer_id": 3})])
    wait_until(lambda: dispatcher.ask("SELECT count(*) FROM tributary.sink_parked")[0][0] == 4, "what names 2, and 1 behind it")
    wait_until(lambda: dispatcher.status("crm")["delivered"] == 2, "the others delivered")
    dispatcher.tell("advance 6000")
    wait_until(lambda: dispatcher.ask("SELECT attempts FROM tributary.sink_parked WHERE seq = 2") == [(2,)], "tried again")
    dispatcher.stop()                    # whom a parked event waits for is known again after a restart
    dispatcher.start()
    dispatcher.ask("UPDATE tributary.sink_parked SET next_at = now() WHERE seq = 2")
    dispatcher.ask("UPDATE tributary.sink SET updated_at = clock_timestamp()")
    dispatcher.tell("wake 0")
    wait_until(lambda: is_done(dispatcher, "crm", 6), "all delivered")
    assert [seq for seq in receiver.seqs() if seq != 6][-5:] == [2, 2, 3, 4, 5]


def test_a_split_waits_for_every_customer_it_names(start, receiver):
    receiver.answer = lambda request, earlier: (500 if request.seq == 1 and earlier == 0 else 204, {})
    dispatcher = start({"crm": webhook(receiver, retry=["50ms"])})
    dispatcher.put([("customer.removed", 5, "shop", {"customer_id": 5}),
                    ("customer.split", 4, None, {"customer_id": 4, "records": {"5": 5, "6": 6, "7": 6}, "customer": None}),
                    ("lead.created", 6, "shop", {"customer_id": 6}), ("customer.updated", 8, "shop", {"customer_id": 8}),
                    ("customer.split", 9, None, {"customer_id": 9, "records": [1]}), ("customer.merged", 8, None, {})])
    wait_until(lambda: is_done(dispatcher, "crm", 6), "all delivered")
    assert [seq for seq in receiver.seqs() if seq < 4] == [1, 1, 2, 3]


def test_no_two_events_under_way_name_one_customer(start, receiver):
    chance = random.Random(8)
    lock, busy, overlaps, places, events = threading.Lock(), set(), [], collections.defaultdict(list), []

    def names(data):
        return {data["customer_id"], data.get("merged", data["customer_id"]), *data.get("records", {}).values()}  # of a split

    def answer(request, earlier):
        named = names(request.event["data"])
        with lock:
            overlaps.extend(busy & named)
            busy.update(named)
        time.sleep(chance.random() / 200)
        with lock:
            busy.difference_update(named)
            failed = chance.random() < 0.05 and earlier < 2
            if not failed:
                for customer in named:
                    places[customer].append(request.seq)
        return (500 if failed else 204, {})
    receiver.answer = answer
    dispatcher = start({"crm": webhook(receiver, retry=["5ms"] * 20)})
    for _ in range(600):
        one, other, third = chance.sample(range(1, 40), 3)
        kind = chance.choice(["customer.updated", "customer.updated", "customer.merged", "customer.split"])
        data = {"customer_id": one}
        if kind == "customer.merged":
            data["merged"] = other
        if kind == "customer.split":
            data["records"] = {"1": other, "2": third}
        events.append((kind, one, "shop", data))
    dispatcher.put(events)
    wait_until(lambda: is_done(dispatcher, "crm", 600), "all delivered", 60)
    assert overlaps == []
    for customer, order in places.items():
        assert order == sorted(order), customer


def test_retry_after_is_respected(start, receiver):
    receiver.answer = lambda request, earlier: (
        (503, {"Retry-After": "3600"}) if request.seq == 1 and earlier == 0 else (204, {}))
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([7])
    wait_until(lambda: dispatcher.status("crm")["parked"] == 1, "parked")
    dispatcher.tell("advance 3000000")
    dispatcher.put_updates([8])
    wait_until(lambda: receiver.seqs(8), "another customer")
    assert receiver.seqs(7) == [1]
    dispatcher.tell("advance 700000")
    wait_until(lambda: is_done(dispatcher, "crm", 2), "tried again after the hour")


def test_429_holds_the_whole_sink_and_counts_no_attempt(start, receiver):
    receiver.answer = lambda request, earlier: (
        (429, {"Retry-After": "100"}) if request.seq == 1 and earlier < 5 else (204, {}))
    dispatcher = start({"crm": webhook(receiver, parallel=1, max_attempts=2)})
    dispatcher.put_updates([7, 8])
    wait_until(lambda: "429" in dispatcher.status("crm")["reason"], "said")
    assert receiver.seqs() == [1]
    wait_until(lambda: (dispatcher.tell("advance 101000"), is_done(dispatcher, "crm", 2))[1], "all delivered")
    assert receiver.seqs() == [1] * 6 + [2]


def test_410_disables_the_sink_until_it_is_enabled(start, receiver):
    receiver.answer = lambda request, earlier: (410, {})
    dispatcher = start({"crm": webhook(receiver, parallel=1)})
    dispatcher.put_updates([7, 8, 9])
    wait_until(lambda: dispatcher.ask("SELECT state, reason FROM tributary.sink") == [("disabled", "HTTP 410")],
               "disabled")
    assert receiver.seqs() == [1]
    dispatcher.put_updates([10])
    dispatcher.stop()
    dispatcher.start()                   # a restart does not enable it
    assert dispatcher.status("crm")["state"] == "disabled"
    receiver.answer = lambda request, earlier: (204, {})
    dispatcher.tell("enable crm")
    wait_until(lambda: is_done(dispatcher, "crm", 4), "caught up")
    assert receiver.seqs() == [1, 1, 2, 3, 4]


def test_dead_letter_lets_later_events_go_and_can_be_replayed(start, receiver):
    receiver.answer = lambda request, earlier: (400 if request.seq == 1 else 204, {})
    dispatcher = start({"crm": webhook(receiver, max_attempts=3, retry=["20ms", "30ms"])})
    dispatcher.put_updates([7, 7, 8])
    wait_until(lambda: dispatcher.status("crm")["dead"] == 1 and dispatcher.status("crm")["parked"] == 0, "dead")
    assert receiver.seqs(7) == [1, 1, 1, 2]
    wait_until(lambda: dispatcher.ask("SELECT seq, attempts, last_status, last_error FROM tributary.sink_parked "
                                      "WHERE dead") == [(1, 3, 400, "HTTP 400")], "kept")
    receiver.answer = lambda request, earlier: (204, {})
    assert dispatcher.tell("replay_dead crm") == "1"
    wait_until(lambda: len(receiver.seqs(7)) == 5 and dispatcher.status("crm")["dead"] == 0, "replayed")
    assert receiver.seqs(7) == [1, 1, 1, 2, 1]


def test_replay_of_a_range_keeps_the_order(start, receiver):
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([7, 8, 7, 8, 7])
    wait_until(lambda: is_done(dispatcher, "crm", 5), "delivered")
    wait_until(lambda: dispatcher.ask("SELECT cursor_seq FROM tributary.sink")[0][0] == 5, "saved")
    receiver.requests.clear()
    assert dispatcher.tell("replay crm 2 5") == "4"
    wait_until(lambda: is_done(dispatcher, "crm", 9), "told again")
    assert receiver.seqs(7) == [3, 5] and receiver.seqs(8) == [2, 4]
    assert dispatcher.tell("replay nobody 1 2") == "0"


def test_a_replay_tells_only_what_the_filter_wants(start, receiver):
    """A replay once parked every event of the range, and what was parked was told unasked: other spaces' customers too."""
    dispatcher = start({"crm": webhook(receiver, events=["lead.*", "record.rejected"], spaces=["red"], sources=["shop"])})
    dispatcher.put_record(7, space="red")
    dispatcher.put_record(8, space="blue")
    dispatcher.put_record(9, space="red", test=True)
    dispatcher.put([(kind, customer, source, {"customer_id": customer}) for kind in ("lead.created", "customer.updated")
                    for customer in (7, 8, 9) for source in ("shop", "landing", None)] +
                   [("record.rejected", 0, "shop", {}), ("record.rejected", 0, "landing", {})])
    wait_until(lambda: is_done(dispatcher, "crm", 2), "delivered")
    wait_until(lambda: dispatcher.ask("SELECT cursor_seq FROM tributary.sink")[0][0] == 20, "saved")
    assert sorted(receiver.seqs()) == [1, 19]
    assert dispatcher.tell("replay crm 1 0") == "2"
    wait_until(lambda: is_done(dispatcher, "crm", 4), "told again")
    assert sorted(receiver.seqs()) == [1, 1, 19, 19]
    # What is parked already is held against the filter too: it was made narrower since, or an older version parked it.
    dispatcher.ask("INSERT INTO tributary.sink_parked (sink, seq, customer_id, next_at) SELECT 'crm', seq, customer_id, now() "
                   "FROM tributary.event")
    dispatcher.ask("UPDATE tributary.sink SET updated_at = clock_timestamp()")
    dispatcher.tell("wake 0")
    wait_until(lambda: is_done(dispatcher, "crm", 6), "told again")
    wait_until(lambda: dispatcher.ask("SELECT count(*) FROM tributary.sink_parked")[0][0] == 0, "the rest forgotten")
    assert sorted(receiver.seqs()) == [1, 1, 1, 19, 19, 19]


def test_kill_repeats_but_never_skips(start, receiver):
    receiver.answer = lambda request, earlier: (time.sleep(0.002), (204, {}))[1]
    dispatcher = start({"crm": webhook(receiver)})
    chance = random.Random(3)
    dispatcher.put_updates([chance.randrange(1, 50) for _ in range(800)])
    for share in (100, 300, 500):
        wait_until(lambda: len(receiver.seqs()) >= share, f"{share} delivered")
        dispatcher.kill()
        dispatcher.start()
    wait_until(lambda: is_done(dispatcher, "crm", 1) and set(receiver.seqs()) == set(range(1, 801)), "all")
    repeats = len(receiver.seqs()) - 800
    print(f"3 kills in 800 deliveries: {repeats} repeated")
    assert repeats <= 3 * 300
    for customer in range(1, 50):
        first = list(dict.fromkeys(receiver.seqs(customer)))
        assert first == sorted(first)


def test_orderly_stop_repeats_nothing(start, receiver):
    receiver.answer = lambda request, earlier: (time.sleep(0.002), (204, {}))[1]
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([1 + i % 40 for i in range(600)])
    wait_until(lambda: len(receiver.seqs()) >= 100, "some delivered")
    dispatcher.stop()
    dispatcher.start()
    wait_until(lambda: set(receiver.seqs()) == set(range(1, 601)), "all")
    assert len(receiver.seqs()) == 600


def test_endpoint_down_for_hours_parks_little_and_catches_up(start, receiver):
    down = threading.Event()
    down.set()
    receiver.answer = lambda request, earlier: (503 if down.is_set() else 204, {})
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates(list(range(1, 1001)))
    wait_until(lambda: dispatcher.status("crm")["state"] == "failing", "seen to be down")
    for _ in range(80):                  # six hours and more, probe by probe
        seen = len(receiver.seqs())
        wait_until(lambda: (dispatcher.tell("advance 331000"), len(receiver.seqs()) > seen)[1], "a probe")
    status = dispatcher.status("crm")
    assert status["parked"] <= 120 and status["dead"] == 0 and len(receiver.seqs()) <= 200
    assert dispatcher.ask("SELECT state FROM tributary.sink")[0][0] == "active"
    down.clear()
    wait_until(lambda: (dispatcher.tell("advance 331000"), dispatcher.status("crm")["state"] == "active")[1], "up again")
    wait_until(lambda: (dispatcher.tell("advance 3000"), is_done(dispatcher, "crm", 1000))[1], "caught up")
    assert set(receiver.seqs()) == set(range(1, 1001))


def test_redirect_is_a_failure(start, receiver):
    receiver.answer = lambda request, earlier: (302, {"Location": receiver.url})
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.put_updates([7])
    wait_until(lambda: dispatcher.status("crm")["parked"] == 1, "parked")
    assert receiver.seqs() == [1]


def test_full_log_disables_loudly(start, receiver):
    receiver.answer = lambda request, earlier: (500, {})
    dispatcher = start({"crm": webhook(receiver)}, limits={"events": 1000})
    dispatcher.put_updates(list(range(1, 1500)))
    wait_until(lambda: dispatcher.status("crm")["state"] == "disabled", "disabled")
    assert "limits.events" in dispatcher.status("crm")["reason"]


def test_a_sink_enabled_late_is_told_what_is_kept_and_says_what_is_not(start, receiver):
    """It was once disabled again at once, with the same backlog; and events that were past their retention were missing unsaid."""
    dispatcher = start({"crm": webhook(receiver)}, limits={"events": 1000})
    dispatcher.tell("pause crm")
    wait_until(lambda: dispatcher.status("crm")["state"] == "paused", "paused")
    dispatcher.put_updates(list(range(1, 1501)))
    wait_until(lambda: dispatcher.ask("SELECT state FROM tributary.sink") == [("disabled",)], "disabled, though paused")
    dispatcher.ask("DELETE FROM tributary.event WHERE seq <= 400")
    dispatcher.tell("enable crm")
    wait_until(lambda: is_done(dispatcher, "crm", 1100), "told what is kept")
    assert sorted(receiver.seqs()) == list(range(401, 1501))
    assert "events 1 to 400 are past their retention" in open(dispatcher.log.name).read()


def test_filters_and_projection(start, receiver):
    other = Receiver()
    dispatcher = start({
        "leads": webhook(receiver, events=["lead.*"], fields=["name"]),
        "red": webhook(other, spaces=["red"], test_records=True)})
    dispatcher.put_record(7, space="red")
    dispatcher.put_record(8, space="red", test=True)
    dispatcher.put_record(9, space="blue")
    data = {"customer_id": 7, "changes": {"name": ["a", "b"], "phone": ["1", "2"]},
            "customer": {"name": "b", "phone": "2"}}
    dispatcher.put([("lead.created", 7, "shop", data), ("customer.updated", 7, "shop", data),
                    ("lead.created", 8, "shop", data), ("lead.returned", 9, "landing", data),
                    ("record.rejected", 0, "shop", {"code": "x"}), ("record.rejected", 0, "landing", {"code": "x"})])
    wait_until(lambda: is_done(dispatcher, "leads", 2) and is_done(dispatcher, "red", 4), "delivered")
    assert sorted(receiver.seqs()) == [1, 4]
    assert receiver.requests[0].event["data"] == {"customer_id": 7, "changes": {"name": ["a", "b"]},
                                                  "customer": {"name": "b"}}
    assert sorted(other.seqs()) == [1, 2, 3, 5]
    other.close()


def test_new_sink_starts_at_the_end_unless_told(start, receiver, tmp_path):
    dispatcher = start({"old": webhook(receiver)})
    dispatcher.put_updates([1, 2, 3])
    wait_until(lambda: is_done(dispatcher, "old", 3), "delivered")
    dispatcher.stop()
    late, whole = Receiver(), Receiver()
    again = Dispatcher(tmp_path, dispatcher.conninfo, {
        "old": webhook(receiver), "late": webhook(late), "whole": webhook(whole, start="beginning")})
    again.put_updates([4])
    wait_until(lambda: len(whole.seqs()) == 4 and late.seqs() and len(receiver.seqs()) == 4, "all told")
    assert late.seqs() == [4] and sorted(whole.seqs()) == [1, 2, 3, 4]
    again.close()
    late.close()
    whole.close()


def test_pause_and_enable(start, receiver):
    dispatcher = start({"crm": webhook(receiver)})
    dispatcher.tell("pause crm")
    wait_until(lambda: dispatcher.status("crm")["state"] == "paused", "paused")
    dispatcher.put_updates([7])
    wait_until(lambda: dispatcher.status("crm")["backlog"] == 1, "seen")
    dispatcher.tell("enable crm")
    wait_until(lambda: receiver.seqs() == [1], "delivered")


def test_database_connection_lost(start, receiver):
    dispatcher = start({"crm": webhook(receiver)})
    for round_number in range(1, 6):
        dispatcher.put_updates(list(range(1, 41)))
        dispatcher.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE application_name = 'tributary dispatch'")
        wait_until(lambda: set(receiver.seqs()) == set(range(1, round_number * 40 + 1)), f"round {round_number}")
    wait_until(lambda: dispatcher.ask("SELECT cursor_seq FROM tributary.sink")[0][0] == 200, "saved")


def test_file_is_appended_and_may_be_rotated(start, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"torn":')
    dispatcher = start({"archive": {"type": "file", "path": str(path)}})
    dispatcher.put_updates([7, 8, 7])
    wait_until(lambda: is_done(dispatcher, "archive", 3), "written")
    os.rename(path, tmp_path / "events.jsonl.1")
    dispatcher.put_updates([9])
    wait_until(lambda: is_done(dispatcher, "archive", 4), "written after the rotation")
    lines = (tmp_path / "events.jsonl.1").read_text().splitlines()
    assert lines[0] == '{"torn":'
    assert [json.loads(line)["id"] for line in lines[1:]] == ["evt_1", "evt_2", "evt_3"]
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["evt_4"]


def test_file_that_cannot_be_written_holds_the_cursor(start, tmp_path):
    path = tmp_path / "later" / "events.jsonl"
    dispatcher = start({"archive": {"type": "file", "path": str(path)}})
    dispatcher.put_updates([7, 8])
    wait_until(lambda: "cannot open" in dispatcher.status("archive")["reason"], "said")
    assert dispatcher.status("archive")["backlog"] == 2
    path.parent.mkdir()
    dispatcher.tell("advance 6000")
    wait_until(lambda: is_done(dispatcher, "archive", 2), "written")
    assert len(path.read_text().splitlines()) == 2


def test_listen(start):
    dispatcher = start({"mine": {"type": "notify", "channel": "my_leads", "events": ["lead.created"]}})
    common, common_seqs = listen(dispatcher.conninfo, "tributary_event")
    mine, my_seqs = listen(dispatcher.conninfo, "my_leads")
    dispatcher.put([("customer.updated", 7, "shop", {}), ("lead.created", 7, "shop", {})])
    last = dispatcher.put([("customer.updated", 7, "shop", {})])
    wait_until(lambda: common_seqs()[-1:] == [last], "notified")
    wait_until(lambda: my_seqs()[-1:] == [2], "notified on a channel of its own")
    common.close()
    mine.close()


def test_latency_when_idle(start, receiver):
    dispatcher = start({"crm": webhook(receiver, secret=SECRET)})
    waits = []
    for customer in range(1, 42):
        dispatcher.put_updates([customer])
        sent = time.monotonic()
        wait_until(lambda: len(receiver.seqs()) == customer, "delivered")
        waits.append(receiver.requests[-1].at - sent)
        wait_until(lambda: is_done(dispatcher, "crm", customer), "saved")
    waits = sorted(waits[1:])
    print(f"from wake to receipt: median {waits[20] * 1000:.1f} ms, worst {waits[-1] * 1000:.1f} ms")
    assert waits[20] < 0.05


@pytest.fixture
def official_modules():
    """The packages of tests/e2e/npm, installed below build/ once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node is not installed: the official packages cannot be asked")
    modules, wanted = BUILD / "npm" / "node_modules", ROOT / "tests/e2e/npm"
    marker = modules / ".installed"
    if not marker.exists() or marker.read_text() != (wanted / "package-lock.json").read_text():
        modules.parent.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(wanted / name, modules.parent)
        fetched = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=modules.parent, check=False, timeout=300,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if fetched.returncode != 0:
            reason = next((line for line in fetched.stdout.splitlines() if "ERR! request" in line or "ERR! code" in line), "")
            pytest.skip(f"npm cannot fetch the official packages: {reason}")
        shutil.copy(wanted / "package-lock.json", marker)
    return modules


def test_official_packages_accept_a_delivery(start, receiver, tmp_path, official_modules):
    dispatcher = start({"crm": webhook(receiver, secret=SECRET)})
    dispatcher.put([("lead.created", 7, "shop", {"customer_id": 7, "customer": {"name": "张三 \"引号\" 😀"}}),
                    ("record.rejected", 0, "shop", {"code": "email.invalid"})])
    wait_until(lambda: is_done(dispatcher, "crm", 2), "delivered")
    for request in receiver.requests:
        given = tmp_path / "delivery.json"
        given.write_text(json.dumps({"headers": request.headers, "body": request.body.decode(), "secret": SECRET}))
        run = subprocess.run(["node", ROOT / "tests/e2e/npm/verify.cjs", given], capture_output=True, text=True,
                             env={**os.environ, "NODE_PATH": str(official_modules)})
        assert run.returncode == 0, run.stderr
        told = json.loads(run.stdout)
        assert told["type"] == request.event["type"] and told["data"] == request.event["data"]
        assert told["refused"] == ["body", "timestamp", "id"]


def fences(language):
    """The examples of docs/events.md in one language."""
    text = (ROOT / "docs/events.md").read_text()
    return [part.split("```")[0] for part in text.split(f"```{language}\n")[1:]]


def test_documented_receiver_accepts_a_delivery_and_nothing_else(start, receiver):
    dispatcher = start({"crm": webhook(receiver, secret=SECRET), "plain": webhook(receiver, secret="words of ours")})
    dispatcher.put_updates([7])
    wait_until(lambda: is_done(dispatcher, "crm", 1) and is_done(dispatcher, "plain", 1), "delivered")
    documented = {}
    exec(fences("python")[0], documented)
    accepted = 0
    for request in receiver.requests:
        for secret in (SECRET, "words of ours", "another"):
            try:
                accepted += documented["receive"](secret, request.headers, request.body)["id"] == "evt_1"
            except ValueError:
                pass
    assert accepted == 2


def test_documentation_names_every_event_and_its_examples_are_json():
    text = (ROOT / "docs/events.md").read_text()
    declared = (ROOT / "daemon/config/tables.c").read_text().split("event_names[] = {")[1].split("}")[0]
    for name in re.findall(r'"([a-z.]+)"', declared):
        assert f"**{name}** -" in text, name
    assert len([json.loads(example) for example in fences("json")]) >= 7
