"""`tributary score`: what it prints, and how well it tells labelled pairs that nobody here made up.

Needs the built program: build/tributary, or $TRIBUTARY. The labelled sets lie in ../shared/data beside the
checkout; tests that want them skip when they are absent. The floors are some way below what was measured.
"""
import csv
import io
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TRIBUTARY", ROOT / os.environ.get("BUILD", "build") / "tributary"))
NAMES = ROOT.parent / "shared/data/er/opensanctions_name_bench/cases.csv"

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no %s; hint: make" % PROGRAM)


def score(*arguments, text=None):
    return subprocess.run([str(PROGRAM), "score", *map(str, arguments)], input=text, capture_output=True, text=True,
                          timeout=120)


def test_scores_follow_the_pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text('left,right,label\n张伟,Zhang Wei,yes\nJohn Smith,"Smith, John",yes\n李娜,王强,no\n')
    result = score("--type", "person_name", path)
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["left"] for row in rows] == ["张伟", "John Smith", "李娜"]
    assert rows[1]["right"] == "Smith, John"
    assert [float(row["score"]) >= 0.5 for row in rows] == [True, True, False]
    assert "mcc 1.0000" in result.stderr


def test_the_summary_is_json_when_asked(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("a,b,same\na@example.org,A@Example.org,1\na@example.org,zoe@example.org,0\n")
    result = score("--summary", "--format=json", "--type", "email", path)
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["labelled"] == 2 and summary["at_half"]["f1"] == 1


def test_what_is_wrong_is_said(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("left,right\na,b\n")
    assert score("--type", "colour", path).returncode == 64
    wrong = score("--type", "text", "--left", "nowhere", path)
    assert wrong.returncode == 64 and "nowhere" in wrong.stderr
    absent = score("--type", "text", tmp_path / "absent.csv")
    assert absent.returncode == 1 and "absent.csv" in absent.stderr


@pytest.mark.skipif(not NAMES.exists(), reason="no labelled names beside the checkout")
@pytest.mark.parametrize("schemas, field, floor", [(("Person",), "person_name", 0.60),
                                                   (("Company", "Organization", "LegalEntity"), "company", 0.55)])
def test_labelled_names_are_told_apart(tmp_path, schemas, field, floor):
    path = tmp_path / "pairs.csv"
    with open(NAMES, encoding="utf-8", newline="") as source, open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["left", "right", "label"])
        for row in csv.DictReader(source):
            if row["schema"] in schemas:
                writer.writerow([row["name1"], row["name2"], row["is_match"]])
    result = score("--summary", "--format=json", "--type", field, path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["at_half"]["mcc"] >= floor
