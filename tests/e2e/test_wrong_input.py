"""Everything a person or a program can get wrong: configurations, rules, files, forms, API calls, databases, bytes.

What is wrong is said, where it is and what to do; what is right beside it goes through; nothing disappears.
"""
import gzip
import http.client
import io
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import urllib.parse
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import wait_until
from daemon import PROGRAM, Daemon, ledger, settled
from oracle import CONFIG, Oracle

LONG = os.environ.get("TRIBUTARY_LONG") == "1"


def tributary(*arguments):
    return subprocess.run([str(PROGRAM), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


# ---- configuration and rules ----

def test_all_errors_of_a_configuration_are_told_at_once(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("state_dir: relative/path\n"
                    "http: {public: \"8080\", max_bdy: 1M}\n"
                    "sources:\n"
                    "  landing: {type: fom, path: /f/landing}\n"
                    "  sheet: {type: csv, drop: /tmp/x, settle: soon}\n"
                    "limits: {batch_records: many}\n"
                    "sorces: {}\n", encoding="utf-8")
    for command in ("check", "run"):
        result = tributary(command, "--config", path)
        assert result.returncode == 78, result.stderr
        lines = [line for line in result.stderr.splitlines() if line.startswith(f"{path}:")]
        places = {tuple(map(int, re.match(r"(\d+):(\d+): ", line[len(str(path)) + 1:]).groups())) for line in lines}
        assert {line for line, _ in places} >= {2, 4, 5, 6, 7}, result.stderr
        assert "did you mean 'max_body'?" in result.stderr
        assert "did you mean 'form'?" in result.stderr
        assert "did you mean 'sources'?" in result.stderr


@pytest.mark.parametrize("text", ["", "\0", "[1, 2", "- a\n- b\n", "a: &x [*x]\n", "\xff\xfe", "sources: {a: {b: {c: {d: 1}}}}\n",
                                  "{" * 5000, "x: !!python/object:os.system ls\n", "a: 1\na: 2\n", "\t- x"])
def test_no_configuration_is_read_without_a_verdict(tmp_path, text):
    path = tmp_path / "odd.yaml"
    path.write_bytes(text.encode("latin-1"))
    result = tributary("check", "--config", path)
    assert result.returncode in (0, 78) and (result.returncode == 0 or result.stderr.strip()), result


def test_a_configuration_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        result = tributary("run", "--config", path)
        assert result.returncode == 78 and str(path) in result.stderr


def test_a_wrong_rule_pack_is_told_by_its_place(tmp_path):
    pack = tmp_path / "mine.yaml"
    pack.write_text("fields:\n  size: {type: numbr}\nclean:\n  - {field: sise, trim: true}\n", encoding="utf-8")
    path = tmp_path / "t.yaml"
    path.write_text(f"rules: [people, {pack}]\n", encoding="utf-8")
    result = tributary("check", "--config", path)
    assert result.returncode == 78
    assert f"{pack}:2:" in result.stderr, result.stderr


def test_a_taken_port_is_told(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", daemon.public))
        taken.listen()
        result = tributary("run", "--config", daemon.config)
        assert result.returncode not in (0, 70) and result.returncode > 0, result.stderr
        assert f"127.0.0.1:{daemon.public}: Address already in use; hint: " in result.stderr
    with daemon:
        assert daemon.is_ready()


def test_a_wrong_configuration_at_sighup_is_told_in_the_log_and_nothing_changes(postgres, database, tmp_path):
    """A broken pack was called good, and a wrong key was told on bare lines between the log's JSON."""
    pack = tmp_path / "mine.yaml"
    pack.write_text("pack: mine\nrules:\n  - {id: mine.phone, field: phone, usable: true, severity: warn}\n")
    daemon = Daemon(tmp_path, postgres.conninfo(database), f"rules: [people, {pack}]\n")

    def logged(since):
        return [json.loads(line) for line in daemon.log.read_text().splitlines()[since:]]

    def hang_up(wanted):
        since = len(daemon.log.read_text().splitlines())
        daemon.process.send_signal(signal.SIGHUP)
        return wait_until(lambda: [e for e in logged(since) if e["id"] == wanted] and logged(since), 20, wanted)

    with daemon:
        assert hang_up("run.config_good")
        good = pack.read_text()
        pack.write_text(good.replace("warn", "warm"))
        assert any(e["id"] == "run.config_problem" and f"{pack}:3:" in e["message"] and "warm" in e["message"]
                   for e in hang_up("run.config_bad"))
        pack.write_text(good)
        config = daemon.config.read_text()
        daemon.config.write_text(config + "sourcess: {}\n")
        assert any("unknown key 'sourcess'" in e["message"] for e in hang_up("run.config_bad"))
        daemon.config.write_text(config)
        assert hang_up("run.config_good")
        assert daemon.is_ready()


# ---- databases that are not as they should be ----

class Later:
    """A daemon started over a database that is wrong, which is put right while it runs."""

    def __init__(self, server, directory, database, user="tributary"):
        self.server, self.database, self.oracle = server, database, Oracle(1)
        conninfo = server.conninfo(database).replace("user=tributary", f"user={user}")
        self.daemon = Daemon(directory, conninfo, CONFIG.replace("DROP", str(directory / "drop")))

    def start(self, told):
        self.daemon.start(ready=False)
        wait_until(lambda: self.daemon.is_ready("/livez"), 20, "life")
        wait_until(lambda: told in self.daemon.log.read_text(), 20, lambda: self.daemon.log.read_text()[-2000:])
        assert not self.daemon.is_ready() and self.daemon.is_ready("/readyz")
        status = self.daemon.run("status", check=False)
        assert status.returncode == 75 and "NOT READY" in status.stdout, status
        assert self.oracle.post(self.daemon)

    def mended(self):
        wait_until(self.daemon.is_ready, 20, "readiness, unaided")
        assert self.oracle.post(self.daemon)
        connection = self.server.connect(self.database)
        self.oracle.judge(connection)
        connection.close()
        assert self.daemon.stop() == 0


def test_a_database_that_does_not_exist_yet(own_postgres, tmp_path):
    later = Later(own_postgres, tmp_path, "not_there")
    later.start('database \\"not_there\\" does not exist')
    connection = own_postgres.connect()
    connection.cursor().execute("CREATE DATABASE not_there TEMPLATE template0")
    connection.close()
    later.mended()


def test_a_wrong_password(own_postgres, tmp_path):
    name = own_postgres.create_database()
    connection = own_postgres.connect()
    cursor = connection.cursor()
    cursor.execute("CREATE ROLE careful LOGIN SUPERUSER PASSWORD 'other'")
    with open(f"{own_postgres.base}/data/pg_hba.conf", "w", encoding="utf-8") as hba:
        hba.write("local all careful scram-sha-256\nlocal all all trust\n")
    cursor.execute("SELECT pg_reload_conf()")
    later = Later(own_postgres, tmp_path, name, user="careful password=canary-word")
    later.start("password authentication failed")
    assert "canary-word" not in later.daemon.log.read_text()
    cursor.execute("ALTER ROLE careful PASSWORD 'canary-word'")
    connection.close()
    later.mended()


def test_a_database_of_a_newer_tributary(own_postgres, tmp_path):
    name = own_postgres.create_database()
    later = Later(own_postgres, tmp_path, name)
    with later.daemon:
        pass
    connection = own_postgres.connect(name)
    cursor = connection.cursor()
    cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'tributary' "
                   "AND table_name LIKE '%migration%'")
    table = cursor.fetchone()[0]
    cursor.execute(f"INSERT INTO tributary.{table} (number, name, sha256) VALUES (9999, '9999_future', 'x')")
    later.start("database is newer than this binary: it has migration 9999_future; hint: run the newer tributary")
    cursor.execute(f"DELETE FROM tributary.{table} WHERE number = 9999")
    connection.close()
    later.mended()


def test_commands_without_their_database_end_with_a_word(tmp_path):
    sheet = tmp_path / "x.csv"
    sheet.write_text("id,full_name\n1,Kim\n")

    def run(arguments):
        directory = tmp_path / arguments[0]
        daemon = Daemon(directory, f"host={directory} user=x dbname=y", CONFIG.replace("DROP", str(directory / "drop")))
        result = daemon.run(*arguments, check=False, timeout=120)
        assert result.returncode in (69, 75), (arguments, result)
        assert "cannot connect to the database" in result.stderr, result.stderr

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, [["sources", "list"], ["load", "sheet", str(sheet)], ["customer", "show", "1"]]))


# ---- files ----

def row(key):
    return f"{key},Kim {key.title()},{key}@mail.example.org\n"


HEADER = "id,full_name,email\n"


def workbook():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    return out.getvalue()


# name -> bytes, ids stored, (code, position, beginning of the bytes kept) of the rejects, folder it ends in
FILES = {
    "empty.csv": (b"", [], [], "done"),
    "header.csv": (HEADER.encode(), [], [], "done"),
    "binary.csv": (random.Random(1).randbytes(5000), [], [("csv.", "binary.csv", random.Random(1).randbytes(20))], "failed"),
    "book.xlsx": (workbook(), [], [("csv.not_a_text_file", "book.xlsx", b"PK")], "failed"),
    "zipped.csv": (gzip.compress(b"id\n1\n"), [], [("csv.not_a_text_file", "zipped.csv", b"\x1f\x8b")], "failed"),
    "strange.csv": (b"foo,bar\n1,2\n", [], [("csv.no_id_column", "strange.csv", b"foo,bar")], "failed"),
    "noid.csv": ((HEADER + row("na") + ",Kim Nobody,x@mail.example.org\n").encode(), ["na"],
                 [("csv.no_id", "noid.csv:3", b",Kim Nobody")], "done"),
    "ragged.csv": ((HEADER + row("ra") + "rb,Kim Rb\n" + row("rc") + "rd,Kim,rd@mail.example.org,more\n").encode(),
                   ["ra", "rc"], [("csv.ragged_row", "ragged.csv:3", b"rb,Kim Rb"), ("csv.ragged_row", "ragged.csv:5", b"rd,")],
                   "done"),
    "nul.csv": ((HEADER + row("ua") + "ub,K\0m,ub@mail.example.org\n" + row("uc")).encode(), ["ua", "uc"],
                [("csv.nul", "nul.csv:3", b"ub,K\0m,")], "done"),
    "bytes.csv": (HEADER.encode() + row("ba").encode() + b"bb,K\xff\xfem,bb@mail.example.org\n" + row("bc").encode(),
                  ["ba", "bb", "bc"], [], "done"),
    "huge.csv": ((HEADER + row("ha") + "hb," + "x" * 3000000 + ",hb@mail.example.org\n" + row("hc")).encode(), ["ha", "hc"],
                 [("csv.row_too_long", "huge.csv:3", b"hb,xxx")], "done"),
    "quote.csv": ((HEADER + row("qa") + 'qb,"Kim Qb,qb@mail.example.org\n' + row("qc")).encode(), ["qa", "qc"],
                  [("csv.unclosed_quote", "quote.csv:3", b'qb,"Kim')], "done"),
    "mac.csv": ((HEADER + row("ma") + row("mb")).replace("\n", "\r").encode(), ["ma", "mb"], [], "done"),
    "utf16.csv": ((HEADER + row("va") + row("vb")).encode("utf-16"), ["va", "vb"], [], "done"),
    "bom.csv": ((HEADER + row("oa")).encode("utf-8-sig"), ["oa"], [], "done"),
    "wide.csv": ((",".join(["id"] + [f"c{i}" for i in range(9999)]) + "\n" + ",".join(["wa"] * 10000) + "\n").encode(),
                 None, None, None),  # judged by the ledger alone
}


def test_wrong_files_in_the_drop_folder(postgres, database, tmp_path):
    drop = tmp_path / "drop"
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG.replace("DROP", str(drop)))
    connection = postgres.connect(database)
    cursor = connection.cursor()
    with daemon:
        for name, (content, *_) in FILES.items():
            (drop / f".{name}").write_bytes(content)
            (drop / f".{name}").rename(drop / name)
        wait_until(lambda: not any(path.is_file() for path in [*drop.glob("*"), *drop.glob("work/*")]), 30,
                   "the files to be put away")
        wait_until(lambda: settled(connection), 30, "everything to be resolved")
        cursor.execute("SELECT external_id FROM tributary.record")
        stored = {one for one, in cursor.fetchall()}
        cursor.execute("SELECT code, position, body FROM tributary.reject")
        rejects = {position: (code, bytes(body)) for code, position, body in cursor.fetchall()}
        for name, (content, ids, wrong, folder) in FILES.items():
            if ids is None:
                continue
            assert set(ids) <= stored, name
            assert (drop / folder / name).is_file(), name
            assert (drop / "failed" / f"{name}.reason.txt").is_file() == (folder == "failed"), name
            for code, position, begin in wrong:
                assert position in rejects, (name, sorted(rejects))
                assert rejects[position][0].startswith(code) and rejects[position][1].startswith(begin), name
        expected = {one for _, ids, _, _ in FILES.values() for one in ids or []}
        assert stored - {"wa"} == expected
        assert len(rejects) - sum(1 for p in rejects if p.startswith("wide.csv")) == sum(len(f[2] or []) for f in FILES.values())
        counts = ledger(connection)["sheet"]
        assert counts["received"] == counts["stored"] + counts["rejected"] and counts["stored"] == len(stored)
        assert daemon.post("/f/landing", {"name": "Kim After", "email": "after@mail.example.org"})[0] == 200
    connection.close()


# ---- forms ----

FORM = """
sources:
  landing: {type: form, path: /f/landing, required: [name, email], origins: ["https://www.example.com"],
            redirect: "https://www.example.com/thanks"}
"""
GOOD = {"name": "Kim Li", "email": "kim@mail.example.org"}


def codes(reply):
    return [(error.get("field", ""), error["code"]) for error in json.loads(reply).get("errors", [])]


def too_large(daemon, port, path, size, headers=None):
    """The status of the reply to a body larger than is allowed, of which a client sends what the server takes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("POST", path)
    for name, value in {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(size), **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status  # before a byte of it was sent
    connection.close()
    return status


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def test_wrong_forms(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), FORM)
    connection = postgres.connect(database)
    cursor = connection.cursor()
    json_type = {"Content-Type": "application/json"}
    refused = [
        (400, [("", "form.empty")], {"fields": {}}),
        (422, [("email", "required")], {"fields": {"name": "Kim"}}),
        (422, [("name", "required")], {"fields": {"email": "kim@mail.example.org", "name": "   "}}),
        (400, [("", "form.json")], {"body": b'{"name":', "headers": json_type}),
        (400, [("", "form.json")], {"body": b"[]", "headers": json_type}),
        (400, [("", "form.encoding")], {"body": b"name=%ff%fe&email=a@b.cn"}),
        (400, [("", "form.encoding")], {"body": b"name=%ff&email=a@b.cn",
                                        "headers": {"Content-Type": "application/x-www-form-urlencoded; charset=klingon"}}),
        (403, [("", "form.origin")], {"fields": GOOD, "headers": {"Origin": "https://evil.example.net"}}),
        (403, [("", "form.origin")], {"fields": GOOD, "headers": {"Origin": "https://www.example.com.evil.example.net"}}),
    ]
    with daemon:
        for status, wanted, request in refused:
            got, reply = daemon.post("/f/landing", **request)
            assert (got, codes(reply)) == (status, wanted), request
        assert too_large(daemon, daemon.public, "/f/landing", 2000000) == 413
        assert daemon.post("/f/nothing", GOOD)[0] == 404
        assert daemon.post("/f/landing", body=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data; boundary=x"})[0] == 400
        opener = urllib.request.build_opener(NoRedirect)
        for name in ("_next", "_redirect", "redirect", "next", "return_to"):
            for aim in ("https://evil.example.net/x", "//evil.example.net", "javascript:alert(1)",
                        "https://www.example.com@evil.example.net/", "https://www.example.com\\@evil.example.net"):
                body = urllib.parse.urlencode({**GOOD, name: aim}).encode()
                try:
                    with opener.open(urllib.request.Request(f"http://127.0.0.1:{daemon.public}/f/landing", data=body,
                                                            headers={"Accept": "text/html"})) as answer:
                        where, text = answer.headers.get("Location", ""), answer.read().decode()
                except urllib.error.HTTPError as answer:
                    assert answer.code in (302, 303), answer.code
                    where, text = answer.headers["Location"], answer.read().decode()
                assert "evil" not in where and "javascript" not in where and "evil" not in text, (name, aim, where)
        assert daemon.post("/f/landing", GOOD, headers={"Origin": "https://www.example.com"})[0] == 200
        wait_until(lambda: settled(connection), 20, "everything to be resolved")
        cursor.execute("SELECT count(DISTINCT customer_id) FROM tributary.record")
        assert cursor.fetchone()[0] == 1  # only what was right is there
        assert ledger(connection)["landing"]["rejected"] == 0
    connection.close()


# ---- the API ----

def test_wrong_api_calls(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    cursor = connection.cursor()
    with daemon:
        def call(body, headers=None, path="/v1/records"):
            status, reply = daemon.post(path, body=body, port=daemon.private,
                                        headers={"Content-Type": "application/json", **(headers or {})})
            return status, json.loads(reply)

        token = {"Authorization": f"Bearer {daemon.token}"}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": daemon.token}, {"Authorization": "Bearer "}):
            assert call(b"{}", headers) == (401, {"errors": [{"code": "http.token"}]})
        assert call(b"{", token)[0] == 400
        assert call(b"\xff\xfe", token)[0] == 400
        assert call(b"{}", token, "/v1/nothing")[0] == 404
        assert call(b'{"source":"nope","external_id":"a","fields":{}}', token)[0] == 404
        assert too_large(daemon, daemon.private, "/v1/records", 9 << 20, token) == 413
        each = [
            (b"{}", "records.empty"),
            (b'{"external_id":"a","op":"explode","fields":{}}', "records.op"),
            (b'{"external_id":"a\\u0000b","fields":{"full_name":"Kim"}}', "records.json"),
            (b'{"external_id":"a","effective_at":"yesterday","fields":{"full_name":"Kim"}}', "records.time"),
            (b'{"external_id":"a","fields":"x"}', "records.type"),
            (b'{"external_id":"deep","fields":{"full_name":' + b"[" * 100000 + b"]" * 100000 + b"}}", "records.json"),
        ]
        for body, code in each:
            status, reply = call(body, token)
            assert status == 200 and reply["results"][0]["status"] == "rejected", (body[:60], reply)
            assert reply["results"][0]["errors"][0]["code"] == code, (body[:60], reply)
        good = b'{"external_id":"good","fields":{"full_name":"Kim Good","email":"good@mail.example.org"}}'
        status, reply = call(b'{"records":[{"external_id":"bad","op":"explode","fields":{}},' + good + b"]}", token)
        assert [result["status"] for result in reply["results"]] == ["rejected", "accepted"]
        wait_until(lambda: settled(connection), 20, "everything to be resolved")
        cursor.execute("SELECT body FROM tributary.reject ORDER BY reject_id")
        kept = [bytes(body) for body, in cursor.fetchall()]
        assert all(body in kept for body, _ in each)
        cursor.execute("SELECT external_id FROM tributary.record")
        assert cursor.fetchall() == [("good",)]
    connection.close()


# ---- bytes ----

POISON = {
    "nul": b"a\x00b", "bell": b"a\x07b", "escape": b"\x1b[31m", "cr": b"a\rb", "crlf": b"a\r\nb", "del": b"a\x7fb",
    "bad utf-8": b"a\xffb", "overlong": b"a\xc0\x80b", "surrogate": b"a\xed\xa0\x80b", "cut": b"a\xe4\xb8", "too high": b"\xf4\x90\x80\x80",
    "u+fffe": "a\ufffeb".encode(), "bom": "\ufeffab".encode(), "nfd": "Zoe\u0308".encode(), "rtl": "\u202egnik".encode(),
    "zero width": "a\u200bb".encode(), "emoji": "👩‍👩‍👧".encode(), "tags": "\U000e0041".encode(), "private": "\ue000".encode(),
    "quote": b"a'b\"c`d", "sql": b"'); DROP TABLE tributary.record; --", "html": b"<script>alert(1)</script>",
    "percent": b"%00%ff%", "backslash": b"a\\b\\u0000", "copy end": b"\\.", "long": b"x" * 100000, "spaces": b" \t\v\f ",
}
FORM_PLACES = ["name", "email", "phone", "company", "message", "unknown_column", "field name", "_idempotency_key", "json", "utm_source"]
API_PLACES = ["external_id", "part", "full_name", "email", "field name", "activity key", "activity data", "consent text", "escaped"]


def form_request(place, poison):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    fields = {b"name": b"Kim Sample", b"company": b"Sample"}
    if place == "json":
        headers = {"Content-Type": "application/json"}
        return b'{"name":"Kim","message":"' + poison.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"}', headers
    if place == "field name":
        fields[poison] = b"x"
    else:
        fields[place.encode()] = poison
    return urllib.parse.urlencode(fields).encode(), headers


def api_body(place, poison, serial):
    quoted = b'"' + poison.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    if place == "escaped":
        quoted = b'"' + b"".join(b"\\u%04x" % unit for unit in poison) + b'"'
        place = "full_name"
    parts = {"external_id": b'"p%d"' % serial, "part": b'"main"', "full_name": b'"Kim Sample"', "email": b'"s@mail.example.org"',
             "field name": b'"x"', "activity key": b'"k"', "activity data": b'"d"', "consent text": b'"t"', place: quoted}
    if place == "external_id":
        parts[place] = b'"%d' % serial + quoted[1:]
    return (b'{"external_id":%s,"part":%s,"fields":{"full_name":%s,"email":%s,%s:"v"},'
            b'"activities":[{"type":"order","key":%s,"data":{"x":%s}}],'
            b'"consents":[{"purpose":"marketing","granted":true,"text":%s}]}' %
            (parts["external_id"], parts["part"], parts["full_name"], parts["email"], parts["field name"], parts["activity key"],
             parts["activity data"], parts["consent text"]))


def test_poison_in_every_place_is_kept_exactly_or_refused(postgres, database, tmp_path):
    drop = tmp_path / "drop"
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG.replace("DROP", str(drop)), http=", requests_per_second: 0")
    connection = postgres.connect(database)
    cursor = connection.cursor()
    kept, refused = [], 0
    with daemon:
        for place, poison in itertools.product(FORM_PLACES, POISON.values()):
            body, headers = form_request(place, poison)
            status, reply = daemon.post("/f/landing", body=body, headers=headers)
            assert status in (200, 400, 413, 422), (place, poison[:20], status, reply)
            kept += [body] if status == 200 else []
            refused += status != 200
        token = {"Authorization": f"Bearer {daemon.token}", "Content-Type": "application/json"}
        for serial, (place, poison) in enumerate(itertools.product(API_PLACES, POISON.values())):
            body = api_body(place, poison, serial)
            status, reply = daemon.post("/v1/records", body=body, headers=token, port=daemon.private)
            assert status in (200, 400), (place, poison[:20], status, reply)
            kept += [body] if status == 200 else []
            refused += status != 200
        rows = []
        for serial, poison in enumerate(POISON.values()):
            if b"\n" in poison or b"\r" in poison or b'"' in poison:
                continue
            for text in (b"k%d,%s,x@mail.example.org" % (serial, poison), b"%s-%d,Kim,x@mail.example.org" % (poison, serial)):
                rows.append(text)
        (drop / ".p.csv").write_bytes(HEADER.encode() + b"\n".join(rows) + b"\n")
        (drop / ".p.csv").rename(drop / "p.csv")
        wait_until(lambda: (drop / "done" / "p.csv").is_file() and settled(connection), 60, lambda: ledger(connection))
        # The exact bytes: in raw, or with the rejects of what was refused on sight.
        cursor.execute("SELECT body FROM tributary.raw UNION SELECT body FROM tributary.reject")
        there = {bytes(body) for body, in cursor.fetchall()}
        assert not [body for body in kept if body not in there]
        assert not [text for text in rows if text not in there and len(text) < 60000]
        counts = ledger(connection)
        assert counts["sheet"]["received"] == len(rows)
        assert counts["landing"]["received"] + counts["api"]["received"] == len(kept)
        assert all(row["quarantined"] == 0 for row in counts.values()) or \
            not daemon.log.read_text().count("resolve.refused")  # the database itself refused nothing
        cursor.execute("SELECT count(*) FROM tributary.reject WHERE code = 'store.refused'")
        assert cursor.fetchone()[0] == 0
        oracle = Oracle(9)
        assert oracle.post(daemon)
        wait_until(lambda: not oracle.missing(connection), 10, "a fresh record")
        print(f"{len(kept) + refused + len(rows)} cases, {len(kept)} kept, {refused} refused on sight")
    connection.close()


def test_operations_name_what_is_wrong_with_their_body(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {landing: {type: form, path: /f/landing}}\n")
    with daemon:
        def answer(body):
            status, reply = daemon.post("/v1/ops/customer.show", body=body, port=daemon.private, headers={
                "Content-Type": "application/json", "Authorization": f"Bearer {daemon.token}"})
            assert status == 400, (status, reply)
            (error,) = json.loads(reply)["errors"]
            return error["code"], error["text"]

        for body, wanted in ((b'{"id": 1,}', "line 1, column"), (b"[1]", "is a list"), (b'"1"', "is a text"), (b"7", "is a number"),
                             (b"null", "is null"), (b"\xff", "is no JSON")):
            code, text = answer(body)
            assert code == "op.body" and wanted in text, (body, text)
        assert answer(b'{"id": "x"}') == ("op.argument", "id must be a number above 0")


def test_the_daemon_loads_no_file_it_is_not_configured_for(postgres, database, tmp_path):
    drop, data, elsewhere = (tmp_path / name for name in ("drop", "data", "elsewhere"))
    for folder in (drop, data, elsewhere):
        folder.mkdir()
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    f"load_dirs: [{data}]\nsources: {{sheet: {{type: csv, drop: {drop}, id: [id], settle: 1h}}}}\n")
    connection = postgres.connect(database)

    def load(path):
        status, reply = daemon.post("/v1/ops/load", body=json.dumps({"source": "sheet", "path": str(path), "actor": "ann"}).encode(),
                                    port=daemon.private, headers={"Authorization": f"Bearer {daemon.token}"})
        reply = json.loads(reply)
        if status == 200:
            wait_until(lambda: daemon.api("/v1/ops/load.progress", {"id": reply["id"]})["state"] == "done", 20, "the load")
        return status, reply

    for number, folder in enumerate((drop, data, elsewhere, tmp_path / "elsewhere")):
        (folder / "people.csv").write_text(f"id,name,email\n{number},Kim Lee,kim{number}@mail.example.org\n")
    with daemon:
        assert load(data / "people.csv")[0] == 200 and load(drop / "people.csv")[0] == 200
        (data / "link.csv").symlink_to(elsewhere / "people.csv")
        for path in (elsewhere / "people.csv", data / "link.csv", data / ".." / "elsewhere" / "people.csv", "/etc/passwd",
                     "/nowhere/at/all", f"{data}/nothing/../../elsewhere/people.csv", f"{data}x/people.csv"):
            status, reply = load(path)
            assert status == 409 and reply["errors"][0]["code"] == "op.load_dir", (path, status, reply)
            assert "load_dirs" in reply["errors"][0]["text"]
        assert load(data / "nothing.csv")[1]["errors"][0]["code"] == "engine.load_file"
        # The command gives the daemon a copy, and takes it away.
        done = daemon.run("load", "sheet", str(elsewhere / "people.csv"))
        assert "1 received" in done.stdout and list((daemon.state / "load").iterdir()) == []
        done = daemon.run("load", "sheet", str(elsewhere / "missing.csv"), check=False)
        assert done.returncode == 1 and "cannot read" in done.stderr
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM tributary.record")
        assert cursor.fetchone() == (3,)
        (daemon.state / "load" / "copy.left").mkdir()
        (daemon.state / "load" / "copy.left" / "people.csv").write_text("id\n1\n")
        daemon.restart()
        assert list((daemon.state / "load").iterdir()) == []
    connection.close()
