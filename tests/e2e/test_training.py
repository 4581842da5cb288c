"""The whole walk of a model learned from what an installation holds: load, train from the database, name the file, preview,
apply, and back."""
import json
import os
import subprocess

import pytest
from conftest import ROOT
from daemon import Daemon
from oracles import check_structure, rows

GENERATE = ROOT / os.environ.get("BUILD", "build") / "bench/generate"
RECORDS = 4000
CONFIG = "sources:\n  crm: {{type: csv, drop: {drop}, id: [id]}}\nrules: [people]\n"


def config(tmp_path):
    (tmp_path / "drop").mkdir(exist_ok=True)
    return CONFIG.format(drop=tmp_path / "drop")


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    out = tmp_path_factory.mktemp("generated")
    program = GENERATE
    if not program.exists():
        program = out / "generate"
        subprocess.run(["cc", "-O2", "-o", str(program), str(ROOT / "tests/bench/generate.c"), "-lm"], check=True)
    subprocess.run([str(program), "--population", "mixed", "--records", str(RECORDS), "--seed", "11", "--noise", "default",
                    "--out", str(out)], check=True)
    return out / "customers.csv"


@pytest.fixture
def daemon(postgres, database, tmp_path, sheet):
    made = Daemon(tmp_path, postgres.conninfo(database), config(tmp_path))
    made.start()
    made.run("load", "crm", str(sheet))
    yield made
    made.stop()


def partition(connection):
    return dict(rows(connection, "SELECT record_id, customer_id FROM tributary.record WHERE customer_id IS NOT NULL"))


def everything(connection):
    """What a training that writes would change."""
    return [rows(connection, f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")
            for table in ("tributary.record", "tributary.customer", "tributary.link", "tributary.generation", "tributary.counter")]


def rematch(daemon, *arguments):
    return json.loads(daemon.run("rematch", *arguments, "--format=json").stdout)


def test_what_is_stored_teaches_a_model_that_can_be_previewed_applied_and_taken_back(daemon, postgres, database, tmp_path):
    connection = postgres.connect(database)
    before, written = partition(connection), everything(connection)
    model = tmp_path / "learned.yaml"
    told = daemon.run("train", "-o", str(model)).stderr
    assert everything(connection) == written, "training wrote to the database"
    assert f"{len(before)} records" in told and "pass (keys)" in told, told
    assert model.read_text().startswith("# database - learned by `tributary train` from database")
    daemon.run("train", "-o", str(tmp_path / "again.yaml"))
    assert (tmp_path / "again.yaml").read_bytes() == model.read_bytes()

    daemon.config.write_text(daemon.config.read_text() + f"match: {{model: {model}}}\n")
    daemon.restart()
    assert partition(connection) == before, "a model took effect before it was applied"
    preview = rematch(daemon, "--preview")
    assert preview["records"] == len(before) and preview["merges"] + preview["splits"] > 0
    rematch(daemon, "--apply")
    after = partition(connection)
    assert len({customer for customer in after.values()}) == preview["customers"]["after"]
    assert sum(before[record] != after[record] for record in before) == preview["records_moved"] > 0
    check_structure(connection)
    rematch(daemon, "--apply", "1")
    assert partition(connection) == before
    check_structure(connection)


def test_a_stopped_installation_teaches_as_well_and_too_few_records_are_told(daemon, postgres, database, tmp_path):
    daemon.stop()
    assert daemon.run("train", "-o", str(tmp_path / "m.yaml")).returncode == 0
    connection = postgres.connect(database)
    connection.cursor().execute("DELETE FROM tributary.record WHERE record_id > 30")
    done = daemon.run("train", check=False)
    assert done.returncode == 1 and "too little to learn from" in done.stderr and done.stdout == ""


def test_a_database_that_is_not_there_is_said(tmp_path):
    made = Daemon(tmp_path, "host=127.0.0.1 port=9 dbname=nobody", config(tmp_path))
    done = made.run("train", check=False)
    assert done.returncode == 69 and "cannot connect to the database" in done.stderr, done.stderr
