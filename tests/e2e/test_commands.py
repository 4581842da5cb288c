"""Everything a person does from the command line, with a running daemon and without one: "someone with nothing but --help can
load a file, find a customer, ask why, undo a merge, decide a review, replay an event."

Needs the built program: build/tributary, or $TRIBUTARY_BUILD.
"""
import csv
import io
import json
import os
import random
import signal
import subprocess
import threading
import xml.dom.minidom

import pytest

from conftest import wait_until
from daemon import PROGRAM, Daemon, ledger

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no %s; hint: make" % PROGRAM)

SHEET = """no,name,phone,email
1,张三,13812345678,zhangsan@example-firm.cn
2,Zhang San,13812345678,
3,李四,13912345679,li@lisi-shop.cn
4,李四,,li@lisi-shop.cn
5,王建国,13712348765,
6,王建军,13712348765,
7,陈七,137,
8,赵九,13655551234,zhao@zhaojiu-trade.cn
"""
STRICT = """pack: mine
rules:
  - {id: mine.phone, field: phone, usable: true, severity: SEVERITY}
"""


class Place:
    """A configuration with a sheet loaded into it. `daemon` is None when every command works on its own."""

    def __init__(self, directory, conninfo):
        self.directory = directory
        self.drop, self.events = directory / "drop", directory / "events.jsonl"
        self.pack, self.sheet = directory / "mine.yaml", directory / "people.csv"
        self.sheet.write_text(SHEET, encoding="utf-8")
        self.write_rules("reject")
        self.daemon = Daemon(directory, conninfo, f"""
rules: [people, {self.pack}]
sources:
  sheet: {{type: csv, drop: {self.drop}, id: [no], country: CN}}
  form: {{type: form, path: /f, country: CN}}
sinks:
  lines: {{type: file, path: {self.events}}}
log: {{level: warn}}
""")
        self.running = False

    def write_rules(self, severity):
        self.pack.write_text(STRICT.replace("SEVERITY", severity), encoding="utf-8")

    def start(self):
        self.daemon.start()
        self.running = True

    def text(self, *arguments, code=0):
        done = self.daemon.run(*arguments, check=False)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    def json(self, *arguments):
        return json.loads(self.daemon.run(*arguments, "--format=json").stdout)

    def record(self, external_id):
        rows = [r for r in self.json("customer", "find", external_id) if r["external_id"] == external_id]
        assert len(rows) == 1, rows
        return rows[0]["record_id"]

    def customer_of(self, record):
        return self.json("customer", "show", str(record))["customer_id"]


@pytest.fixture(params=["with a daemon", "alone"])
def place(request, tmp_path, postgres, database):
    made = Place(tmp_path, postgres.conninfo(database))
    made.connection = postgres.connect(database)
    if request.param == "with a daemon":
        made.start()
    try:
        summary = made.json("load", "sheet", str(made.sheet))
        assert summary["received"] == 8 and summary["records"] == 7
        yield made
    finally:
        made.connection.close()
        made.daemon.stop()


def test_load_again_changes_nothing(place):
    again = place.json("load", "sheet", str(place.sheet))
    assert again["received"] == 8 and again["records"] == 7
    assert again["repeats"] == 8  # the refused row too, also for a process of its own
    ledger(place.connection)


def test_load_says_what_became_of_the_rows(place):
    sheet = place.directory / "more.csv"
    sheet.write_text("no,name,phone,Colour\n21,孙十一,13733332221,red\n22,周十二,137,blue\n,,,\n1,张三,13812345678,\n")
    told = place.text("load", "sheet", str(sheet))
    assert "understood: no = id, name = full_name, phone = phone; 1 column is kept as it is\n" in told
    assert "\n3 received: 1 stored, 1 updated, 1 rejected; in " in "\n" + told
    assert "tributary rejects list --source=sheet" in told
    ledger(place.connection)


@pytest.mark.parametrize("content, said", [
    (b"a;b\n1;2\n", "understood: nothing; 2 columns are kept as they are; hint: "),
    (b"no,name\n,\x00\x01\x02\n,\x03\x00\n", "nothing of "),
    (b"PK\x03\x04\x14\x00\x06\x00", "not read as a sheet: "),
    (b"name,phone\nx,1\n", "not read as a sheet: no column 'no', which is part of the id\n")])
def test_a_load_that_keeps_nothing_has_failed(place, content, said):
    """It once said `20 received, 0 of them repeats` and ended with 0, all twenty refused."""
    sheet = place.directory / "wrong.csv"
    sheet.write_bytes(content)
    told = place.text("load", "sheet", str(sheet), code=1)
    assert said in told and ": 0 stored, " in told and " rejected; in " in told
    assert f"tributary load: nothing of {sheet} was stored\n" in told
    done = place.daemon.run("load", "sheet", str(sheet), "--format=json", check=False)
    report = json.loads(done.stdout)
    assert report["stored"] == 0 and report["rejected"] + report["repeats"] == report["received"]


def test_find_and_show(place):
    found = place.json("customer", "find", "zhangsan@")
    assert [r["external_id"] for r in found] == ["1"]
    for text in ("13812345678", "138 1234 5678", "+86 138-1234-5678"):
        assert [r["external_id"] for r in place.json("customer", "find", text)] == ["1", "2"], text
    assert [r["external_id"] for r in place.json("customer", "find", "王建")] == ["5", "6"]
    assert place.json("customer", "find", "ZHANG san")[0]["external_id"] == "2"
    for nothing in ("full_name", "%", '"', "100%", "back\\slash"):
        assert place.json("customer", "find", nothing) == [], nothing
    one, two = place.record("1"), place.record("2")
    # What is exact goes by the index, and then only what is exact is told; a part of it reads everything.
    for exact in ("zhangsan@example-firm.cn", "ZhangSan@Example-Firm.cn", str(one)):
        assert one in [r["record_id"] for r in place.json("customer", "find", exact)], exact
    assert [r["external_id"] for r in place.json("customer", "find", "angsan@example")] == ["1"]
    assert "1" in [r["external_id"] for r in place.json("customer", "find", "1381")]  # a piece of a phone, whatever ids there are
    assert len(place.json("customer", "find", "1")) > 1  # some record's id, and a piece of others' numbers
    shown = place.json("customer", "show", str(two))
    assert shown["customer_id"] == one and shown["asked"] == two
    assert sorted(r["external_id"] for r in shown["records"]) == ["1", "2"]
    text = place.text("customer", "show", str(two))
    assert f"{two} is in customer {one} now." in text and "zhangsan@example-firm.cn" in text and "phone same" in text
    assert "no customer has or had the id 999" in place.text("customer", "show", "999", code=1)
    place.text("customer", "show", "nobody", code=64)


def test_explain_says_why_and_why_not(place):
    one, two, three = place.record("1"), place.record("2"), place.record("3")
    linked = place.json("explain", str(one), str(two))
    assert linked["verdict"] == "linked" and linked["shares_live_key"] and linked["weight"] > linked["link"]["weight"]
    total = linked["prior"] + sum(c["weight"] for c in linked["comparisons"])
    assert abs(total - linked["weight"]) < 0.01
    phone = next(c for c in linked["comparisons"] if c["name"] == "phone")
    assert (phone["level"], phone["a"], phone["b"]) == ("same", "+8613812345678", "+8613812345678")
    assert [(p["from"], p["to"]) for p in linked["path"]] == [(one, two)]
    apart = place.json("explain", str(one), str(three))
    assert apart["verdict"] == "apart" and not apart["shares_live_key"] and apart["pairs_examined"] == 4
    assert any("share no live key" in why for why in apart["why"])
    assert any("bits are missing" in why for why in apart["why"])
    svg = place.directory / "why.svg"
    text = place.text("explain", str(one), str(two), "--svg", str(svg))
    assert f"One customer: {one}." in text and "romanised" in text
    assert xml.dom.minidom.parse(str(svg)).documentElement.tagName == "svg"
    assert "there is no living record 999" in place.text("explain", "1", "999", code=1)
    place.text("explain", "1", "1", code=64)


def test_an_undone_merge_has_its_old_ids_back(place):
    one, three, four = place.record("1"), place.record("3"), place.record("4")
    before = place.json("customer", "show", str(three))
    assert place.customer_of(four) == three
    merged = place.json("customer", "merge", str(one), str(four), "--actor=ann", "--note=same desk")
    assert set(merged["customers"].values()) == {one}
    assert place.customer_of(three) == one
    through = place.json("explain", str(place.record("2")), str(three))
    assert through["verdict"] == "linked"
    assert [p["to"] for p in through["path"]] == [one, four, three]
    assert any(p["reason"] == "decision" for p in through["path"])
    decision = place.json("decision", "list")[0]
    assert (decision["kind"], decision["actor"], decision["note"]) == ("always", "ann", "same desk")
    place.text("decision", "undo", str(decision["decision_id"]), "--actor=bob")
    after = place.json("customer", "show", str(three))
    assert after["customer_id"] == three
    assert [r["record_id"] for r in after["records"]] == [r["record_id"] for r in before["records"]]
    assert after["customer"]["full_name"] == before["customer"]["full_name"]
    assert place.json("decision", "list")[0]["retracted_by"] == "bob"
    assert "there is no decision" in place.text("decision", "undo", str(decision["decision_id"]), code=1)
    history = place.json("customer", "history", str(one))
    assert {"merged", "split"} <= {h["what"] for h in history} and {"ann", "bob"} <= {h["actor"] for h in history}
    assert "→" in place.text("customer", "history", str(one))
    assert [h["version"] for h in history] == list(range(history[0]["version"], 0, -1))
    assert (history[-1]["what"], history[-1]["actor"], history[-1]["event_seq"]) == ("created", "sheet", None)


def test_history_begins_with_how_a_customer_came_to_be(place):
    one, two = place.record("1"), place.record("2")
    assert place.json("customer", "history", str(two)) == []  # never a customer of its own
    place.text("customer", "split", str(one), str(two), "--actor=ann")
    first = place.json("customer", "history", str(two))[-1]
    assert (first["version"], first["what"], first["actor"]) == (1, "split", "ann")


def test_values_that_are_no_use_are_marked_and_a_person_has_a_persons_name(place):
    sheet = place.directory / "marked.csv"
    sheet.write_text("no,name,email,company\n31,钱十三,not-an-email,中国石油化工股份有限公司\n32,周十四,test@test.com,\n")
    place.text("load", "sheet", str(sheet))
    assert place.json("customer", "find", "中国石油")[0]["name"] == "钱十三"
    shown = place.text("customer", "show", str(place.record("31")))
    assert shown.count("not-an-email (invalid)") == 2 and "钱十三 (" not in shown
    assert shown.count("中国石油化工股份有限公司 (") == 0
    assert "test@test.com (names nobody)" in place.text("customer", "show", str(place.record("32")))


def test_a_split_stays_split(place):
    one, two = place.record("1"), place.record("2")
    place.text("customer", "split", str(one), str(two))
    assert place.customer_of(two) == two
    place.text("load", "sheet", str(place.sheet))
    assert place.customer_of(two) == two
    why = place.json("explain", str(one), str(two))
    assert why["verdict"] == "apart" and any("never one customer" in w for w in why["why"])
    assert any("without that they would match" in w for w in why["why"])
    undo = [str(d["decision_id"]) for d in place.json("decision", "list") if d["retracted_at"] is None]
    place.text("decision", "undo", *undo)
    assert place.customer_of(two) == one
    place.text("customer", "split", str(one), str(place.record("8")), code=64)


@pytest.mark.parametrize("word", ["same", "different"])
def test_review_is_decided(place, word):
    five, six = place.record("5"), place.record("6")
    reviews = place.json("review", "list")
    mine = [r for r in reviews if (r["a"], r["b"]) == (five, six)]
    assert len(mine) == 1 and 0.7 <= mine[0]["probability"] < 0.95
    assert place.json("explain", str(five), str(six))["verdict"] == "review"
    assert "王建国" in place.text("review", "list")
    place.text("review", "decide", str(mine[0]["review_id"]), "maybe", code=64)
    place.text("review", "decide", str(mine[0]["review_id"]), word)
    assert (place.customer_of(six) == five) == (word == "same")
    assert not [r for r in place.json("review", "list") if (r["a"], r["b"]) == (five, six)]
    place.text("review", "decide", str(mine[0]["review_id"]), word, code=1)


def test_rejects_are_retried_after_a_rule_was_mended(place):
    rejects = place.json("rejects", "list", "--source=sheet")
    assert [r["body"] for r in rejects] == ["7,陈七,137,"]
    assert rejects[0]["position"].endswith(":8") and rejects[0]["state"] == "open"
    same = place.json("rejects", "retry", str(rejects[0]["reject_id"]))
    assert same == {"retried": 1, "rejected_again": 1, "still_unreadable": 0, "resolved": True}
    place.write_rules("warn")
    if place.running:
        place.daemon.restart()
    place.text("rematch", "--apply")
    mended = place.json("rejects", "retry", "--all")
    assert mended["retried"] == 1 and mended["rejected_again"] == 0
    assert place.json("rejects", "list") == []
    assert [r["state"] for r in place.json("rejects", "list", "--state=all")] == ["retried", "retried"]
    assert place.customer_of(place.record("7")) == place.record("7")
    counts = ledger(place.connection)["sheet"]
    assert counts["received"] == 10 and counts["stored"] == 8 and counts["rejected"] == 2
    place.text("rejects", "retry", str(rejects[0]["reject_id"]), code=1)
    place.text("rejects", "retry", code=64)


def test_a_retried_reject_does_not_overwrite_what_came_later(place):
    newer = place.directory / "newer.csv"
    newer.write_text("no,name,phone,email\n7,陈小七,13612349876,\n", encoding="utf-8")
    place.text("load", "sheet", str(newer))
    seven = place.record("7")
    place.write_rules("warn")
    if place.running:
        place.daemon.restart()
    place.text("rematch", "--apply")
    assert place.json("rejects", "retry", "--source=sheet")["retried"] == 1
    shown = place.json("customer", "show", str(seven))
    assert shown["customer"]["full_name"] == "陈小七"
    ledger(place.connection)


def test_rejects_are_dropped(place):
    assert place.json("rejects", "drop", "--all") == {"dropped": 1}
    assert place.json("rejects", "list") == []
    assert place.json("rejects", "drop", "--all") == {"dropped": 0}


def test_events_are_listed(place):
    events = place.json("events", "tail")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    leads = place.json("events", "tail", "--type=lead.created")
    assert len(leads) == 5 and {e["type"] for e in leads} == {"lead.created"}
    assert place.json("events", "tail", "--since", str(events[-2]["seq"])) == events[-1:]
    assert [e["seq"] for e in place.json("events", "tail", "--limit=2")] == [e["seq"] for e in events[-2:]]
    assert "张三" in place.text("events", "tail") or "Zhang San" in place.text("events", "tail")
    if not place.running:
        assert "no daemon runs" in place.text("events", "tail", "--follow", code=69)


def test_sources_and_status(place):
    sheet = next(s for s in place.json("sources", "list") if s["name"] == "sheet")
    assert (sheet["received"], sheet["stored"], sheet["rejected"], sheet["in_flight"]) == (8, 7, 1, 0)
    status = place.json("status")
    assert status["records"] == 7 and status["customers"] == 5 and status["database"] == "up"
    text = place.text("status")
    assert "7 records, 5 customers" in text and "13812345678" not in text
    assert ("running for" in text) == place.running
    assert "there is no source nowhere" in place.text("sources", "pause", "nowhere", code=1)


def test_a_paused_source_is_not_asked(place):
    if not place.running:
        pytest.skip("nobody asks sources without a daemon")
    place.text("sources", "pause", "sheet")
    place.drop.mkdir(exist_ok=True)
    (place.drop / "more.csv").write_text("no,name,phone\n50,孙十,13577770000\n", encoding="utf-8")
    status, _ = place.daemon.post("/f", {"name": "周一", "phone": "13566660000"})
    assert status == 200  # the others go on
    place.daemon.restart()  # and it outlives a restart
    sheet = next(s for s in place.json("sources", "list") if s["name"] == "sheet")
    assert sheet["paused"] and sheet["received"] == 8
    assert (place.drop / "more.csv").exists()
    place.text("sources", "resume", "sheet")
    wait_until(lambda: place.json("customer", "find", "孙十"), 20, "the dropped file to be read")


def test_events_are_followed_and_replayed(place):
    if not place.running:
        pytest.skip("nobody tells sinks without a daemon")
    count = len(place.json("events", "tail"))
    wait_until(lambda: place.events.exists() and len(place.events.read_text().splitlines()) == count, 20,
               "the sink to be told")
    follower = subprocess.Popen([str(PROGRAM), "events", "tail", "-f", "--since", str(count), "--format=json",
                                 "--config", str(place.daemon.config)], stdout=subprocess.PIPE, text=True)
    try:
        place.text("customer", "merge", str(place.record("1")), str(place.record("3")))
        first = json.loads(follower.stdout.readline())
        assert first["seq"] == count + 1 and first["type"].startswith(("customer.", "lead."))
    finally:
        follower.send_signal(signal.SIGTERM)
        follower.communicate(timeout=10)
    now = len(place.json("events", "tail"))
    wait_until(lambda: len(place.events.read_text().splitlines()) == now, 20, "the sink to be told of the merge")
    assert place.json("events", "replay", "lines", "--from=2", "--to=3")["events"] == 2
    wait_until(lambda: len(place.events.read_text().splitlines()) == now + 2, 20, "the events to come again")
    place.text("events", "replay", "lines", code=64)
    place.text("events", "replay", "nobody", "--dead", code=1)


def test_a_daemon_that_cannot_be_asked_is_unavailable(tmp_path, postgres, database):
    place = Place(tmp_path, postgres.conninfo(database))
    text = place.daemon.config.read_text()
    place.daemon.config.write_text(text.replace(f'private: "127.0.0.1:{place.daemon.private}"', 'private: "off"'))
    place.daemon.start(ready=False)
    try:
        wait_until(lambda: (place.daemon.state / "lock").exists(), 20, "the lock")
        assert "http.private is off" in place.text("status", code=69)
    finally:
        place.daemon.stop()
    place.daemon.config.write_text(text)
    place.start()
    try:
        token = place.daemon.state / "token"
        kept = token.read_text()
        token.unlink()
        assert "cannot read the daemon's token" in place.text("status", code=69)
        token.write_text("0" * 64)
        assert "does not take the token" in place.text("status", code=1)
        token.write_text(kept)
        place.text("status")
    finally:
        place.daemon.stop()


# ---- dedupe: no database, no configuration ----

def dedupe(*arguments, code=0):
    done = subprocess.run([str(PROGRAM), "dedupe", *map(str, arguments)], capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr.decode()
    return done


def test_dedupe_keeps_every_byte_and_adds_the_customer(tmp_path):
    lines = ["\ufeffContacts of the fair,,\r\n", "\r\n", '"姓名","手机",Note\r\n', '"张三",13812345678,"a ""x"", b"\r\n',
             "Zhang San,+86 138 1234 5678,\r\n", '李四,13912345679,"two\r\nlines"\r\n', ",,\r\n",
             "李四,13912345679,again\r\n", "short\r\n", "Too,1,@,13700000002,extra\r\n", "赵六,13612345555,wide,, ,\r\n",
             "\"open,1,2\r\n", "nul\0,1,2\r\n", "王五,13712345555,last"]
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes("".join(lines).encode())
    done = dedupe(source, "-o", target, "--country=CN")
    assert b"7 records are 5 customers" not in done.stdout, done.stdout
    assert "4 rows have another number of cells than the header, or cannot be read: left as they are, without an id: " \
           "lines 10, 11, 13, 14\n" in done.stdout.decode()
    ids = [None, None, "customer_id", "1", "1", "3", None, "3", None, None, "7", None, None, "10"]
    expected = ""
    for line, added in zip(lines, ids):
        body = line.rstrip("\r\n")
        if "wide" in body:  # empty cells beyond the header's make room for the id under its heading
            body, line = "赵六,13612345555,wide", "赵六,13612345555,wide\r\n"
        expected += body + (("," + added) if added else "") + line[len(body):]
    assert target.read_bytes().decode() == expected
    assert dedupe(source, "--country=CN").stdout == target.read_bytes()
    assert not (tmp_path / "out.csv.part").exists()


def test_dedupe_writes_into_a_pipe_or_device_and_never_replaces_it(tmp_path):
    """`-o /dev/null`, run as root, renamed its file over the device."""
    source, pipe, got = tmp_path / "in.csv", tmp_path / "pipe", []
    source.write_text("name,phone\nAnn Lee,+34612345678\n")
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    dedupe(source, "-o", pipe)
    reader.join(60)
    assert got == [b"name,phone,customer_id\nAnn Lee,+34612345678,1\n"]
    assert pipe.is_fifo() and not (tmp_path / "pipe.part").exists()


def test_dedupe_of_other_encodings_and_delimiters_comes_out_in_utf8(tmp_path):
    source = tmp_path / "gbk.csv"
    source.write_bytes("姓名;手机\n张三;13812345678\n张三;13812345678\n".encode("gb18030"))
    done = dedupe(source, "--country=CN", "--format=json")
    assert done.stdout.decode() == "姓名;手机;customer_id\n张三;13812345678;1\n张三;13812345678;1\n"
    figures = json.loads(done.stderr.decode().splitlines()[-1])
    assert figures["records"] == 2 and figures["customers"] == 1 and figures["largest_records"] == 2


def test_dedupe_maps_columns_by_hand(tmp_path):
    source = tmp_path / "odd.csv"
    source.write_text("wer,funk,email\nAnna Schmidt,+49 30 1234567,office@big-firm.de\n"
                      "Anna Schmidt,030 1234567,office@big-firm.de\nPeter Vogel,+49 40 7654321,office@big-firm.de\n")
    done = dedupe(source, "--map", "wer=full_name", "--map", "funk=phone", "--map", "email=-", "--country=DE")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [r["customer_id"] for r in rows] == ["1", "1", "3"]
    assert b"funk = phone" in done.stderr
    assert b"did you mean phone" in dedupe(source, "--map", "funk=phonee", code=64).stderr
    assert b"has no column 'tel'" in dedupe(source, "--map", "tel=phone", code=64).stderr
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("aa,bb\n1,2\n")
    assert b"no column is known" in dedupe(nothing, code=64).stderr


def test_dedupe_groups_rows_that_are_alike_however_many(tmp_path):
    source = tmp_path / "many.csv"
    with open(source, "w", encoding="utf-8") as out:
        out.write("name,phone,email\n")
        for i in range(5000):
            out.write("Maria Hernandez,+34 612 345 678,maria.hernandez@tienda-sol.es\n")
            out.write(f"Wang Wei,,wang.wei{i}@firm{i}.cn\n")
    figures = json.loads(dedupe(source, "-o", tmp_path / "out.csv", "--format=json").stdout)
    assert figures["records"] == 10000 and figures["largest_records"] == 5000 and figures["customers"] == 5001


def test_dedupe_says_what_it_cannot_read(tmp_path):
    assert b"cannot read" in dedupe(tmp_path / "missing.csv", code=1).stderr
    book = tmp_path / "book.csv"
    book.write_bytes(b"PK\x03\x04 and so on")
    assert b"xlsx" in dedupe(book, code=1).stderr
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert b"is empty" in dedupe(empty, code=1).stderr


# ---- train: a model without labels ----

def people_sheet(path):
    """200 people in two records each and 300 in one; a guild nobody has heard of, and a number for each row."""
    draw = random.Random(5)
    given = ["Anna", "Bernd", "Clara", "David", "Elena", "Frank", "Greta", "Hugo", "Irma", "Jonas", "Karin", "Lothar"]
    family = ["Albers", "Brandt", "Conrad", "Dietz", "Eckert", "Fink", "Gerlach", "Hauser", "Imhof", "Jaeger", "Kessler"]
    work = ["tailor", "painter", "miller", "baker", "weaver", "cooper", "glazier", "saddler", "mason", "carter"]
    rows = []
    for person in range(500):
        row = [draw.choice(given), draw.choice(family), f"{draw.randint(1930, 2000)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
               draw.choice(work) + " of " + draw.choice(family).lower(), f"{draw.randint(10000, 10200)}"]
        rows += [(person, row)] * (2 if person < 200 else 1)
    draw.shuffle(rows)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row id", "first name", "last name", "birthday", "guild", "zip"])
        for number, (_, row) in enumerate(rows):
            cells = list(row)
            if draw.random() < 0.2:
                cells[draw.randrange(2)] += "x"
            writer.writerow([number] + cells)
    return [person for person, _ in rows]


def train(*arguments, code=0):
    done = subprocess.run([str(PROGRAM), "train", *map(str, arguments)], capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr.decode()
    return done


def test_train_learns_columns_nobody_knows_and_repeats_to_the_byte(tmp_path):
    sheet, model = tmp_path / "people.csv", tmp_path / "model.yaml"
    truth = people_sheet(sheet)
    told = train(sheet, "-o", model, "--country=DE").stderr.decode()
    assert "guild (text)" in told and "row id" not in told.split("compared by their type:")[1].splitlines()[0]
    assert "pass (keys)" in told and "rounds" in told
    text = model.read_text()
    assert "\n  guild: # from" in text and "frequency: value" not in text and " of fink" not in text
    # A file lists how common values are where the configuration calls them public.
    public = tmp_path / "public.yaml"
    public.write_text(f"state_dir: {tmp_path}/state\nfields: {{guild: {{type: text, sensitivity: public}}}}\n")
    listed = train(sheet, "--config", public, "--country=DE").stdout.decode()
    assert "\n  guild: # from" in listed and "frequency: value" in listed and "\n        \"weaver\": " in listed
    train(sheet, "-o", tmp_path / "again.yaml", "--country=DE")
    assert (tmp_path / "again.yaml").read_text() == text
    done = dedupe(sheet, "--model", model, "--country=DE")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    together = {(truth[int(r["customer_id"]) - 1], truth[n]) for n, r in enumerate(rows) if int(r["customer_id"]) != n + 1}
    assert all(a == b for a, b in together) and len(together) > 180
    # dedupe by itself comes to the same, and says so
    done = dedupe(sheet, "--country=DE")
    assert b"trained on 700 records" in done.stderr
    assert [r["customer_id"] for r in csv.DictReader(io.StringIO(done.stdout.decode()))] == [r["customer_id"] for r in rows]
    assert b"trained" not in dedupe(sheet, "--country=DE", "--no-train").stderr
    assert b"trained" not in dedupe(sheet, "--country=DE", "--model=shipped").stderr


def test_train_takes_a_type_by_hand_and_says_what_it_does_not_know(tmp_path):
    sheet = tmp_path / "people.csv"
    people_sheet(sheet)
    assert "\n  trade: # from" in train(sheet, "--map", "guild=trade:text").stdout.decode()
    assert b"there is no type 'words'" in train(sheet, "--map", "guild=trade:words", code=64).stderr
    assert b"is there already" in train(sheet, "--map", "guild=email:text", code=64).stderr
    small = tmp_path / "small.csv"
    small.write_text("name,email\nAnna Fink,anna@fink.de\nBernd Voss,bernd@voss.de\n")
    assert b"too little to learn from" in train(small, code=1).stderr
    assert b"not trained" in dedupe(small).stderr
    assert b"cannot read the model" in dedupe(sheet, "--model", tmp_path / "none.yaml", code=1).stderr
