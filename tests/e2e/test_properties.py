"""Seeded random histories, delivered in different ways into different databases: the same must come of them, however they came.

What is random: versions of records in any order and batching, delivered again, with stops and kills of the daemon in between, and
the decisions of stewards. What must hold is in oracles.py. TRIBUTARY_LONG=1 plays many more; TRIBUTARY_SEED=n other ones.
"""
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import wait_until
from daemon import Daemon, ledger, settled
from histories import World, configuration
from oracles import check_events, check_structure, record_names, rows, snapshot

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
SEED = int(os.environ.get("TRIBUTARY_SEED", "1"))
ROUNDS = 50 if LONG else 5
WORLDS = 100  # in a round


def worlds_of(round_number):
    return [World(i, f"{SEED}/{round_number}/{i}", hub=66 if i == 0 else 9 if i % 8 == 1 else 0, web_deletes=i % 2 == 0)
            for i in range(WORLDS)]


class Watch:
    """Looks at the ledger and at record ids all the time while deliveries go on."""

    def __init__(self, postgres, database):
        self.connection = postgres.connect(database)
        self.names, self.looks, self.failure = {}, 0, None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.stopping.wait(0.005):
                ledger(self.connection)
                self.looks += 1
                if self.looks % 20 == 0:
                    self._same_records()
        except Exception as failure:  # told by the test's own thread
            self.failure = failure

    def _same_records(self):
        for record, name in record_names(self.connection).items():
            assert self.names.setdefault(record, name) == name, f"record id {record} was {self.names[record]} and is {name}"

    def close(self):
        self.stopping.set()
        self.thread.join()
        self._same_records()
        self.connection.close()
        if self.failure:
            raise self.failure


class Way:
    """One database and its daemon."""

    def __init__(self, postgres, directory, template, worlds):
        self.postgres, self.worlds = postgres, worlds
        self.database = postgres.create_database(template)
        self.daemon = Daemon(directory, postgres.conninfo(self.database), configuration(worlds))
        self.connection = postgres.connect(self.database)
        self.counts = {"posts": 0, "restarts": 0, "kills": 0}
        self.decided = {}
        self.posting = ThreadPoolExecutor(6)
        self.ids = {}

    def post(self, versions):
        """One request per source among them, in any order of versions inside."""
        by_source = {}
        for version in versions:
            by_source.setdefault(version.source, []).append(version.body())
        list(self.posting.map(lambda body: self.daemon.api("/v1/records", {"records": body}), by_source.values()))
        self.counts["posts"] += len(by_source)

    def settle(self):
        wait_until(lambda: settled(self.connection), 60, "everything to be resolved")

    def end(self, how):
        if how == "kill":
            self.daemon.kill()
        else:
            assert self.daemon.stop() == 0
        self.counts["kills" if how == "kill" else "restarts"] += 1

    def merge(self, world, place):
        _, a, b, _ = world.decisions[place]
        if not {a, b} <= self.ids.keys():  # an id once given stays
            self.ids = {name: record for record, name in record_names(self.connection).items()}
        ids = self.ids
        reply = self.daemon.api("/v1/ops/customer.merge", {"a": ids[a], "b": ids[b], "actor": "steward"})
        self.decided[world.number, place] = reply.get("result", reply)["decisions"][0]

    def insert(self, worlds, kinds):
        """Straight into the table, as a crash between the row and what follows it leaves it."""
        for world in worlds:
            for kind, a, b, undone in world.decisions:
                if kind in kinds and not (kind == "always" and undone):
                    self.connection.cursor().execute(
                        "INSERT INTO tributary.decision (kind, a_source, a_external_id, a_part, b_source, b_external_id, b_part, actor) "
                        "VALUES (%s, %s, %s, 'main', %s, %s, 'main', 'steward')", (kind, *a, *b))

    def close(self):
        self.posting.shutdown()
        self.connection.close()
        self.daemon.kill()
        self.postgres.drop_database(self.database)


def phases(world):
    """The places of its decisions: first the always, then the never, then the always that came later."""
    kinds = [kind for kind, *_ in world.decisions]
    first = kinds.index("never") if "never" in kinds else len(kinds)
    last = len(kinds) - kinds[::-1].index("never") if "never" in kinds else len(kinds)
    return range(first), range(last, len(kinds))


def play(way, rng, shuffled):
    """All versions in batches, by time or shuffled and some twice, with restarts, kills and decisions in between."""
    versions = [version for world in way.worlds for version in world.versions]
    if shuffled:
        versions += rng.sample(versions, len(versions) // 5)
        rng.shuffle(versions)
    else:
        versions.sort(key=lambda version: (version.at, version.source))
    cuts = sorted(rng.sample(range(len(versions)), 5 if shuffled else 2))
    way.daemon.start()
    at = 0
    decided_at = len(versions) * 2 // 3
    decided = False
    while at < len(versions):
        count = rng.choice((1, 3, 20, 120, 240))
        while not shuffled and versions[min(at + count, len(versions)) - 1].at - versions[at].at > 8:
            count -= 1  # what a scene does in one act is seen before the next
        way.post(versions[at:at + count])
        if not shuffled:
            way.settle()  # or, on a slow machine, several acts are resolved in one turn
        at += count
        if not shuffled:
            way.settle()  # what a turn takes in at once leaves no merges and splits to be seen
        if cuts and at > cuts[0]:
            cuts.pop(0)
            way.end(rng.choice(("kill", "kill", "stop")) if shuffled else "stop")
            way.daemon.start()
        if not decided and at > decided_at:
            decided = True
            present = set(record_names(way.connection).values())
            for world in way.worlds:
                for place in phases(world)[0]:
                    if not set(world.decisions[place][1:3]) <= present:
                        break
                    way.merge(world, place)
    way.settle()
    for world in way.worlds:
        for place in phases(world)[0]:
            if (world.number, place) not in way.decided:
                way.merge(world, place)
    way.end("stop")
    way.insert(way.worlds, ("never",))
    way.daemon.start()
    for world in way.worlds:
        for place in phases(world)[1]:
            way.merge(world, place)
    for world in way.worlds:
        for place, (_, _, _, undone) in enumerate(world.decisions):
            if undone:
                way.daemon.api("/v1/ops/decision.undo", {"id": way.decided[world.number, place], "actor": "steward"})
    way.settle()


def from_scratch(way, rng):
    """Only the newest versions, in large batches, the decisions known beforehand."""
    way.insert(way.worlds, ("always", "never"))
    versions = [version for world in way.worlds for version in world.final()]
    rng.shuffle(versions)
    way.daemon.start()
    for at in range(0, len(versions), 700):
        way.post(versions[at:at + 700])
    way.settle()


def compare(worlds, results):
    for world in worlds:
        space = f"space{world.number}"
        first = results[0].get(space, {})
        for name, result in zip(("shuffled", "from scratch"), results[1:]):
            other = result.get(space, {})
            groups = sorted(first.keys() ^ other.keys(), key=str)
            assert not groups, f"{space}, seed {SEED}: {name} has other customers: {groups}"
            for group, values in first.items():
                for what in values.keys() | other[group].keys():
                    if what in ("is a lead", "lead_at", "lead_source") and world.web_deletes:
                        continue  # a customer whose lead was deleted keeps the lead that was told
                    assert values.get(what) == other[group].get(what), \
                        f"{space}, seed {SEED}: {name} differs in {what} of {group}: {values.get(what)} {other[group].get(what)}"


@pytest.fixture(scope="module")
def template(postgres, tmp_path_factory):
    """A database with the schema in it, so that each history starts at once."""
    name = postgres.create_database()
    daemon = Daemon(tmp_path_factory.mktemp("template"), postgres.conninfo(name), configuration(worlds_of(0)))
    daemon.start()
    assert daemon.stop() == 0
    yield name
    postgres.drop_database(name)


SCENES = ("merges", "refused unions", "deleted bridges", "decisions")


def scenes(connection):
    """{space: how often each of SCENES happened}."""
    return {space: dict(zip(SCENES, counts)) for space, *counts in rows(connection, """
        WITH told AS (
            SELECT r.space, e.type, e.data::jsonb -> 'records' AS records
            FROM golden.event e JOIN tributary.record r ON r.record_id = e.customer_id),
        ends AS (
            SELECT space, array_agg(record_id::text) AS ids FROM tributary.record
            WHERE external_id IN ('scene-left', 'scene-right') GROUP BY 1)
        SELECT s.space,
               (SELECT count(*) FROM told WHERE told.space = s.space AND told.type = 'customer.merged'),
               (SELECT count(*) FROM tributary.review w JOIN tributary.record a ON a.record_id = w.a
                WHERE a.space = s.space AND w.reason > 1),
               (SELECT count(*) FROM told WHERE told.space = s.space AND told.type = 'customer.split'
                AND told.records ?| s.ids),
               (SELECT count(*) FROM tributary.decision d JOIN tributary.source o ON o.name = d.a_source
                WHERE o.space = s.space)
        FROM ends s""")}


def play_one(postgres, directory, template, worlds, number):
    way = Way(postgres, directory, template, worlds)
    rng = random.Random(f"{SEED}/{number}")
    watch = Watch(postgres, way.database)
    try:
        if number == 2:
            from_scratch(way, rng)
        else:
            play(way, rng, shuffled=number == 1)
        watch.close()
        check_structure(way.connection)
        told = check_events(way.connection)
        result = snapshot(way.connection)
        for source, row in ledger(way.connection).items():
            for outcome, count in row.items():
                way.counts[outcome] = way.counts.get(outcome, 0) + count
        reasons = dict(rows(way.connection, "SELECT reason, count(*) FROM tributary.review GROUP BY 1"))
        way.counts.update(told, looks=watch.looks, open_reviews=reasons)
        if number == 0:
            way.counts["scenes"] = scenes(way.connection)
        before = (snapshot(way.connection), rows(way.connection, "SELECT count(*) FROM tributary.event"))
        way.daemon.restart()
        assert before == (snapshot(way.connection), rows(way.connection, "SELECT count(*) FROM tributary.event")), \
            "a restart changed something"
        assert way.daemon.stop() == 0
        return result, way.counts
    finally:
        watch.stopping.set()
        way.close()


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_what_comes_of_records_does_not_depend_on_how_they_came(postgres, template, tmp_path, round_number):
    started = time.monotonic()
    worlds = worlds_of(round_number)
    with ThreadPoolExecutor(3) as pool:
        played = list(pool.map(lambda number: play_one(postgres, tmp_path / str(number), template, worlds, number), range(3)))
    facts = {}
    for world in worlds:
        for what, count in world.facts().items():
            facts[what] = facts.get(what, 0) + count
        for kind, *_, undone in world.decisions:
            facts[kind] = facts.get(kind, 0) + 1
            facts["undone"] = facts.get("undone", 0) + undone
    print(f"\n{WORLDS} histories, {sum(len(w.versions) for w in worlds)} versions, {time.monotonic() - started:.1f} s")
    happened = played[0][1].pop("scenes")
    for what in SCENES:
        assert all(happened[f"space{world.number}"][what] > 0 for world in worlds), f"a history without {what}"
        facts[what] = sum(counts[what] for counts in happened.values())
    assert all(world.facts()["band crossings"] > 0 for world in worlds)
    print(f"every history holds {', '.join(SCENES)} and band crossings: {facts}")
    for name, (_, counts) in zip(("by time", "shuffled", "from scratch"), played):
        print(f"  {name}: {json.dumps(counts, sort_keys=True)}")
    compare(worlds, [result for result, _ in played])
