"""The generator of customers with a known truth: the same bytes for the same seed, hard enough, and fair.

Uses build/bench/generate and build/bench/evaluate when they are newer than their sources, else builds
them into a temporary directory.
"""
import collections
import csv
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
POPULATIONS = ["chinese", "western", "mixed"]
RECORDS = 20000


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    built = ROOT / os.environ.get("BUILD", "build") / "bench"
    newest = max(p.stat().st_mtime for p in BENCH.glob("*.[ch]"))
    directory = tmp_path_factory.mktemp("tools")
    found = {}
    for name in ("generate", "evaluate"):
        program = built / name
        if not program.exists() or program.stat().st_mtime < newest:
            compiler = shutil.which(os.environ.get("CC", "cc"))
            if not compiler:
                pytest.skip("no C compiler and no build/bench/" + name)
            program = directory / name
            subprocess.run([compiler, "-O2", "-o", str(program), str(BENCH / (name + ".c")), "-lm"],
                           check=True)
        found[name] = str(program)
    return found


def generate(tools, directory, **options):
    arguments = [tools["generate"], "--out", str(directory)]
    for name, value in {"records": RECORDS, "seed": 1, **options}.items():
        arguments += ["--" + name] + ([] if value is True else [str(value)])
    subprocess.run(arguments, check=True, timeout=60)
    return directory


def evaluate(tools, directory, *arguments):
    output = subprocess.run([tools["evaluate"], "--truth", str(directory / "truth.csv"), *arguments],
                            check=True, timeout=60, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pairwise(truth, predicted):
    def pairs(labels):
        return sum(n * (n - 1) // 2 for n in collections.Counter(labels).values())
    common = pairs(zip(truth, predicted))
    precision, recall = common / pairs(predicted), common / pairs(truth)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("form", ["single", "sources"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tools, tmp_path, form):
    one, again, other = (generate(tools, tmp_path / name, seed=seed, records=3000, format=form)
                         for name, seed in (("one", 7), ("again", 7), ("other", 8)))
    names = sorted(p.name for p in one.iterdir())
    assert names == sorted(p.name for p in again.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (again / name).read_bytes()
        assert (one / name).read_bytes() != (other / name).read_bytes()


FROZEN = {
    "chinese": "69da1076af0d4028143bac01ec5f5a8e2b24ce7aa905f6190b66d5ac0214e05d",
    "western": "f764f0dec2e58ee498d768e3c4cd76eacb6e3d90b6104dbd11341f1f83c6c722",
    "mixed": "2641c1f52976d15a366d1270672ef12dabe073fa149e61c2cd898988fca33fca",
}


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_generator_is_frozen(tools, tmp_path, population):
    """The matcher is tuned against this data: who changes it measures everything anew, and says so."""
    generate(tools, tmp_path, population=population, records=2000)
    digest = hashlib.sha256()
    for name in ("customers.csv", "truth.csv"):
        digest.update((tmp_path / name).read_bytes())
    assert digest.hexdigest() == FROZEN[population]


@pytest.mark.parametrize("noise", ["light", "default", "heavy"])
@pytest.mark.parametrize("population", POPULATIONS)
def test_joining_on_phone_or_email_is_not_enough(tools, tmp_path, population, noise):
    generate(tools, tmp_path, population=population, noise=noise)
    scores = evaluate(tools, tmp_path, "--baseline", str(tmp_path / "customers.csv"))
    baselines = {k: v for k, v in scores.items()
                 if k.startswith("baseline") and k.endswith("pairwise_f1")}
    assert len(baselines) == 3
    assert max(baselines.values()) < 0.80, baselines


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_reachable_bound_leaves_room_and_is_not_everything(tools, tmp_path, population):
    generate(tools, tmp_path, population=population)
    scores = evaluate(tools, tmp_path)
    assert scores["bound_pairwise_precision"] == 1
    assert 0.85 < scores["bound_pairwise_f1"] < 1
    assert 0.85 < scores["bound_b_cubed_f1"] < 1


@pytest.mark.parametrize("population", POPULATIONS)
def test_about_four_records_in_ten_repeat_somebody(tools, tmp_path, population):
    generate(tools, tmp_path, population=population)
    truth = rows(tmp_path / "truth.csv")
    sizes = collections.Counter(row["entity"] for row in truth)
    assert len(truth) == RECORDS
    assert 0.36 < 1 - len(sizes) / RECORDS < 0.46
    assert max(sizes.values()) >= 10


def test_reachable_groups_never_join_two_customers(tools, tmp_path):
    generate(tools, tmp_path)
    owner = {}
    for row in rows(tmp_path / "truth.csv"):
        assert owner.setdefault(row["reachable_group"], row["entity"]) == row["entity"]


def test_single_and_sources_hold_the_same_records(tools, tmp_path):
    single = generate(tools, tmp_path / "single", records=3000, population="chinese")
    many = generate(tools, tmp_path / "many", records=3000, population="chinese", format="sources")
    assert (single / "truth.csv").read_bytes() == (many / "truth.csv").read_bytes()
    ids = {row["id"]: row for row in rows(single / "customers.csv")}
    seen = set()
    for source in ("crm", "shop", "landing", "summit", "loyalty"):
        for row in rows(many / (source + ".csv")):
            seen.add(row["id"])
            whole = ids[row["id"]]
            assert whole["source"] == source
            assert row.get("phone", row.get("手机")) == whole["phone"]
    assert seen == set(ids)


def test_no_two_customers_own_one_mailbox_or_number(tools, tmp_path):
    generate(tools, tmp_path, population="western", evidence=True)
    evidence = {row["id"]: row for row in rows(tmp_path / "evidence.csv")}
    values = collections.defaultdict(set)
    for row in rows(tmp_path / "customers.csv"):
        seen = evidence[row["id"]]["email"]
        if seen.endswith("="):
            local, _, domain = row["email"].lower().partition("@")
            if domain in ("gmail.com", "googlemail.com"):
                local, domain = local.split("+")[0].replace(".", ""), "gmail.com"
            values[local, domain].add(seen)
    assert len(values) > 1000
    assert all(len(owners) == 1 for owners in values.values())


def test_the_scorer_agrees_with_a_plain_count(tools, tmp_path):
    generate(tools, tmp_path, records=4000)
    truth = rows(tmp_path / "truth.csv")
    by_name = {row["id"]: (row["full_name"] or row["given_name"] + row["family_name"]).lower()
               for row in rows(tmp_path / "customers.csv")}
    with open(tmp_path / "out.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["full name", "customer_id", "id"])
        for row in truth:
            writer.writerow(['a "quoted",\nname', by_name[row["id"]] or "none " + row["id"], row["id"]])
    labels = [by_name[row["id"]] or row["id"] for row in truth]
    scores = evaluate(tools, tmp_path, "--prediction", str(tmp_path / "out.csv"))
    entities = [row["entity"] for row in truth]
    precision, recall, f1 = pairwise(entities, labels)
    assert scores["pairwise_precision"] == pytest.approx(precision, abs=1e-5)
    assert scores["pairwise_recall"] == pytest.approx(recall, abs=1e-5)
    assert scores["pairwise_f1"] == pytest.approx(f1, abs=1e-5)

    size_true, size_found = collections.Counter(entities), collections.Counter(labels)
    both = collections.Counter(zip(entities, labels))
    count = len(truth)
    assert scores["b_cubed_precision"] == pytest.approx(
        sum(n * n / size_found[label] for (_, label), n in both.items()) / count, abs=1e-5)
    assert scores["b_cubed_recall"] == pytest.approx(
        sum(n * n / size_true[entity] for (entity, _), n in both.items()) / count, abs=1e-5)


def test_the_truth_scores_one_and_an_empty_answer_is_counted_as_alone(tools, tmp_path):
    generate(tools, tmp_path, records=2000)
    truth = rows(tmp_path / "truth.csv")
    for name, label in (("right", lambda row: row["entity"]), ("alone", lambda row: "")):
        with open(tmp_path / (name + ".csv"), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "customer_id"])
            writer.writerows([row["id"], label(row)] for row in truth)
    right = evaluate(tools, tmp_path, "--prediction", str(tmp_path / "right.csv"))
    alone = evaluate(tools, tmp_path, "--prediction", str(tmp_path / "alone.csv"))
    assert right["pairwise_f1"] == right["b_cubed_f1"] == 1
    assert right["of_bound"] > 1 and right["lucky"] > 0
    assert alone["pairwise_recall"] == 0
    assert alone["records_alone_or_missing"] == len(truth)
