"""What stewards decided measures the machine: by band, with counts that can be checked against the database, and Wilson's intervals."""
import json
from math import sqrt

import pytest
from oracles import rows
from test_rematch import stored, way  # noqa: F401 (fixtures)


def wilson(hits, trials, z=1.959963984540054):
    if trials == 0:
        return None, 0, 1
    share = hits / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return share, max(0, centre - half), min(1, centre + half)


def ask(way, *arguments):
    return json.loads(way.daemon.run("quality", *arguments, "--format=json").stdout)


def band_of(quality, probability):
    return next(band for band in reversed(quality["bands"]) if probability >= band["from"])


def test_decided_reviews_are_measured_band_by_band(way):
    way.daemon.start()
    daemon = way.daemon
    empty = ask(way)
    assert empty["decided_pairs"] == 0 and empty["suggested"]["review"] is None
    links = rows(way.connection, "SELECT count(*) FROM tributary.link WHERE reason = 1")[0][0]
    reviews = json.loads(daemon.run("review", "list", "--limit", "1000", "--format=json").stdout)
    doubtful = [review for review in reviews if review["reason"] == "doubtful"]
    assert sum(band["pairs"] for band in empty["bands"]) == links + len(doubtful) and len(doubtful) >= 3
    assert all(band["machine"] == ("links" if band["from"] >= empty["link"] else "asks" if band["from"] >= empty["review"] else "leaves")
               for band in empty["bands"])
    decided = {}
    for place, review in enumerate(doubtful[:6]):
        if (review["a"], review["b"]) not in {(r["a"], r["b"]) for r in json.loads(
                daemon.run("review", "list", "--limit", "1000", "--format=json").stdout)}:
            continue  # what was decided before has answered it
        word = "same" if place % 3 == 2 else "different"
        daemon.run("review", "decide", str(review["review_id"]), word)
        decided[review["a"], review["b"]] = word
    merged = daemon.api("/v1/ops/customer.merge", {"a": 1, "b": 2, "actor": "kim"})
    quality = ask(way)
    assert quality["decided_pairs"] == len(decided) + 1 and quality["decided_reviews"] == len(decided)
    assert sum(band["same"] for band in quality["bands"]) == sum(word == "same" for word in decided.values())
    assert sum(band["different"] for band in quality["bands"]) == sum(word == "different" for word in decided.values())
    assert sum(band["merged_by_hand"] for band in quality["bands"]) + quality["unjudged_same"] == 1
    for band in quality["bands"]:
        if band["machine"] == "asks":
            wanted = wilson(band["same"], band["same"] + band["different"])
        elif band["machine"] == "links":
            wanted = wilson(band["pairs"] - band["different"] - band["split_by_hand"], band["pairs"])
        else:
            wanted = wilson(0, 0)
        assert [band["right"][key] for key in ("value", "low", "high")] == pytest.approx(wanted, abs=1e-6)
    assert 0 < quality["precision"]["low"] <= quality["precision"]["value"] <= quality["precision"]["high"] <= 1
    daemon.run("decision", "undo", str(merged["decisions"][0]))
    assert ask(way)["decided_pairs"] == len(decided)
    text = daemon.run("quality").stdout
    print(text)
    assert "decided pairs" in text and "match.link: " in text and "too few decisions" in text
    assert "above 0 and below 1" in daemon.run("quality", "--wanted", "2", check=False).stderr


def test_a_split_is_one_mistake_however_many_pairs_it_decides(way):
    way.daemon.start()
    (customer, records), = rows(way.connection, "SELECT customer_id, array_agg(record_id ORDER BY record_id) FROM tributary.record "
                                                "WHERE customer_id IS NOT NULL GROUP BY 1 HAVING count(*) >= 4 ORDER BY count(*) DESC LIMIT 1")
    reply = way.daemon.api("/v1/ops/customer.split", {"id": customer, "records": records[2:], "actor": "kim"})
    assert reply["count"] == 2 * (len(records) - 2) == len(reply["decisions"])
    quality = ask(way)
    assert quality["decided_pairs"] == reply["count"]
    assert sum(band["split_by_hand"] for band in quality["bands"]) + quality["unjudged_different"] == 1
