"""Another model or survivorship waits as a pending generation; applied, it leaves what a database would hold that never knew
another, and applying the old one again brings everything back."""
import json
import random

from conftest import wait_until
from daemon import Daemon
from histories import World, configuration
from oracles import check_events, check_structure, rows, snapshot
from test_properties import Way

ANOTHER = {"golden": "  city: [recent]\n  full_name: [frequent, recent]\n  tags: [source]\n",
           "extra": "match: {link: 0.6, review: 0.4}\n"}
A_THIRD = {"golden": "  full_name: [source, recent]\n", "extra": "match: {link: 0.999, review: 0.9}\n"}


def deliver(way, seed):
    versions = [version for world in way.worlds for version in world.versions]
    random.Random(seed).shuffle(versions)
    for at in range(0, len(versions), 300):
        way.post(versions[at:at + 300])
    way.settle()


def generations(connection):
    return rows(connection, "SELECT count(*), count(applied_at) FROM tributary.generation")[0]


def counters(connection):
    return rows(connection, "SELECT (SELECT value FROM tributary.counter WHERE name = 'event_seq'), "
                            "(SELECT value FROM tributary.counter WHERE name = 'write_set')")[0]


def rematch(way, *arguments):
    return json.loads(way.daemon.run("rematch", *arguments, "--format=json").stdout)


def configure(way, choices):
    text = way.daemon.config.read_text().split("sources:")[0]
    way.daemon.config.write_text(text + configuration(way.worlds, **choices))


def test_a_changed_generation_leaves_nothing_of_the_one_before(postgres, tmp_path):
    worlds = [World(i, f"generation {i}") for i in range(12)]
    template = postgres.create_database()
    daemon = Daemon(tmp_path / "template", postgres.conninfo(template), configuration(worlds))
    daemon.start()
    assert daemon.stop() == 0
    fresh = {}
    for name, choices in (("another", ANOTHER), ("third", A_THIRD)):
        way = Way(postgres, tmp_path / name, template, worlds)
        configure(way, choices)
        way.daemon.start()
        wait_until(lambda way=way: generations(way.connection) == (2, 2), 10, "both to be applied")  # that of the template, and this one, applied to nothing
        deliver(way, 1)
        fresh[name] = snapshot(way.connection)
        way.close()
    way = Way(postgres, tmp_path / "changed", template, worlds)
    way.daemon.start()
    deliver(way, 2)
    first = snapshot(way.connection)
    assert first != fresh["another"] and first != fresh["third"]
    for choices, wanted in ((ANOTHER, fresh["another"]), (A_THIRD, fresh["third"]), ({}, first), (ANOTHER, fresh["another"])):
        before = dict(rows(way.connection, "SELECT customer_id, created_at FROM tributary.customer"))
        way.end("stop")
        way.connection.cursor().execute("UPDATE tributary.customer SET owner = 'kim', team = 'north'")
        configure(way, choices)
        way.daemon.start()
        standing = snapshot(way.connection)
        assert [row["state"] for row in rematch(way, "--list")].count("pending") == 1
        rematch(way, "--apply", "--actor", "kim")
        assert snapshot(way.connection) != standing
        assert [row["state"] for row in rematch(way, "--list")].count("pending") == 0
        found = snapshot(way.connection)
        for values in (value for space in found.values() for value in space.values()):
            values.pop("owner", None)
            values.pop("team", None)
        for values in (value for space in wanted.values() for value in space.values()):
            values.pop("owner", None)
            values.pop("team", None)
        assert found == wanted
        check_structure(way.connection)
        check_events(way.connection)
        kept = rows(way.connection, "SELECT customer_id, owner, team, created_at FROM tributary.customer")
        assert all((owner, team) == ("kim", "north") for customer, owner, team, at in kept if before.get(customer) == at)
        written = counters(way.connection)
        way.daemon.restart()
        assert counters(way.connection) == written, "the same generation was applied twice"
    assert "partition_differs" not in way.daemon.log.read_text()
    way.close()
    postgres.drop_database(template)
