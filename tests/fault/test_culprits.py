"""Records the database refuses, though nothing of ours did: exactly they are quarantined, all others are stored.

A CHECK constraint added to tributary.record stands for what nobody foresaw.
"""
import math
import os
import re

import pytest
from conftest import wait_until
from daemon import Daemon, ledger, settled
from oracle import CONFIG, Oracle

LONG = os.environ.get("TRIBUTARY_LONG") == "1"


class Refusing:
    """A daemon over a database that refuses the external ids it is told."""

    def __init__(self, postgres, directory):
        self.name = postgres.create_database()
        self.drop = directory / "drop"
        self.daemon = Daemon(directory, postgres.conninfo(self.name),
                             CONFIG.replace("DROP", str(self.drop)).replace("batch_records: 20", "batch_records: 1000"),
                             http=", requests_per_second: 0")
        self.daemon.start()
        self.connection = postgres.connect(self.name)
        self.cursor = self.connection.cursor()
        self.cursor.execute("CREATE TABLE public.poison (external_id text PRIMARY KEY)")
        self.cursor.execute("CREATE FUNCTION public.is_poison(id text) RETURNS boolean LANGUAGE sql STABLE AS "
                            "'SELECT EXISTS (SELECT FROM public.poison WHERE external_id = id)'")
        self.cursor.execute("ALTER TABLE tributary.record ADD CONSTRAINT no_poison "
                            "CHECK (NOT public.is_poison(external_id))")

    def poison(self, ids):
        self.cursor.executemany("INSERT INTO public.poison VALUES (%s) ON CONFLICT DO NOTHING", [(one,) for one in ids])

    def sheet(self, ids, file):
        part = self.drop / ".part"
        self.drop.mkdir(parents=True, exist_ok=True)
        oracle = Oracle(hash(file) % 10000)
        lines = ["id,full_name,email"]
        for one in ids:
            email, fields = oracle.person()
            lines.append(f"{one},{fields['name']},{email}")
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.rename(self.drop / file)

    def wait_settled(self, received):
        def all_resolved():
            rows = ledger(self.connection).values()  # one look: two could fall on both sides of an accept
            return sum(row["received"] for row in rows) == received and all(row["in_flight"] == 0 for row in rows)

        wait_until(all_resolved, 60, lambda: ledger(self.connection))

    def ids(self, sql):
        self.cursor.execute(sql)
        return sorted(one for one, in self.cursor.fetchall())

    def stored(self):
        return self.ids("SELECT external_id FROM tributary.record")

    def quarantined(self):
        return self.ids("SELECT external_id FROM tributary.reject WHERE quarantined AND code = 'store.refused'")

    def trials(self):
        """Of the last search."""
        return int(re.findall(r"\((\d+) trials\)", self.daemon.log.read_text())[-1])

    def close(self):
        assert self.daemon.stop() == 0
        self.connection.close()


@pytest.fixture
def refusing(postgres, tmp_path):
    it = Refusing(postgres, tmp_path)
    try:
        yield it
    finally:
        it.daemon.kill()
        postgres.drop_database(it.name)


@pytest.mark.parametrize("size", [1000] if LONG else [64])
def test_one_culprit_at_each_position(refusing, size):
    positions = range(size) if LONG else [0, 1, size // 3, size - 2, size - 1]
    total, culprits = 0, []
    for position in positions:
        ids = [f"r{position}x{i}" for i in range(size)]
        culprits.append(ids[position])
        refusing.poison(culprits[-1:])
        refusing.sheet(ids, f"s{position}.csv")
        total += size
        refusing.wait_settled(total)
        assert refusing.quarantined() == sorted(culprits)
        assert refusing.trials() <= 2 * math.log2(size) + 2
    assert len(refusing.stored()) == total - len(culprits)
    refusing.close()


@pytest.mark.parametrize("bad", [2, 30, 60])
def test_many_culprits_and_all(refusing, bad):
    ids = [f"r{i}" for i in range(60)]
    culprits = ids[::60 // bad][:bad]
    refusing.poison(culprits)
    refusing.sheet(ids, "s.csv")
    refusing.wait_settled(60)
    assert refusing.quarantined() == sorted(culprits)
    assert refusing.stored() == sorted(set(ids) - set(culprits))
    assert ledger(refusing.connection)["sheet"]["quarantined"] == bad
    refusing.close()


def test_a_culprit_among_posts_with_a_new_version_and_a_retry(refusing):
    daemon = refusing.daemon
    refusing.poison(["i:bad"])
    for key in ("good1", "bad", "good2"):
        status, reply = daemon.post("/f/landing", {"name": f"Kim {key}", "email": f"{key}@mail.example.org",
                                                   "_idempotency_key": key})
        assert status == 200, reply
    refusing.wait_settled(3)
    assert refusing.quarantined() == ["i:bad"] and refusing.stored() == ["i:good1", "i:good2"]
    daemon.restart()  # nothing is left over that a start would trip on
    refusing.wait_settled(3)
    refusing.cursor.execute("DELETE FROM public.poison")
    daemon.run("rejects", "retry", "--source", "landing", "--actor", "test")
    wait_until(lambda: "i:bad" in refusing.stored(), 20, "the retried record")
    # A version of a record that stands may be refused too: then the old one stands.
    refusing.cursor.execute("ALTER TABLE tributary.record ADD CONSTRAINT no_word CHECK (clean::text NOT LIKE '%Unspeakable%')")
    status, _ = daemon.post("/f/landing", {"name": "Unspeakable Kim", "email": "good1@mail.example.org",
                                           "_idempotency_key": "good1"})
    assert status == 200
    wait_until(lambda: refusing.quarantined() == ["i:bad", "i:good1"], 30, lambda: refusing.quarantined())
    assert settled(refusing.connection)
    refusing.cursor.execute("SELECT clean::text FROM tributary.record WHERE external_id = 'i:good1'")
    assert "Unspeakable" not in refusing.cursor.fetchone()[0]
    refusing.close()


def test_what_is_refused_of_the_customer_is_found_too(refusing):
    refusing.cursor.execute("ALTER TABLE tributary.customer ADD CONSTRAINT c CHECK (NOT 'p1x2@mail.example.org' = ANY (email))")
    oracle = Oracle(1)
    for i in range(4):
        email, fields = oracle.person()
        assert oracle.send(refusing.daemon, email, dict(fields, _idempotency_key=f"k{i}"))
    refusing.wait_settled(4)
    assert refusing.quarantined() == ["i:k1"]
    refusing.close()


def test_what_is_refused_only_together_is_held_whole(refusing):
    """No record alone is to blame for a link; the batch is quarantined rather than tried for ever."""
    refusing.cursor.execute("ALTER TABLE tributary.link ADD CONSTRAINT l CHECK (reason < 0)")
    person = {"full_name": "Lin Xiaowen", "email": "lin@mail.example.org", "phone": "+8613917173952"}
    refusing.daemon.api("/v1/records", {"records": [{"external_id": one, "fields": person} for one in ("a", "b")]})
    refusing.wait_settled(2)
    assert refusing.quarantined() == ["a", "b"] and refusing.stored() == []
    refusing.daemon.api("/v1/records", {"external_id": "c", "fields": person})
    refusing.wait_settled(3)
    assert refusing.stored() == ["c"]
    refusing.close()
