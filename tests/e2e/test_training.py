"""The whole walk of a model learned from what an installation holds: load, train from the database, name the file, preview,
apply, and back."""
import json
import os
import random
import subprocess

import pytest
from conftest import ROOT
from daemon import PROGRAM, Daemon
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


def test_records_of_before_migration_0013_teach_the_same(daemon, postgres, database, tmp_path):
    connection = postgres.connect(database)
    daemon.stop()
    daemon.run("train", "-o", str(tmp_path / "text.yaml"))
    connection.cursor().execute("UPDATE tributary.record SET clean_json = clean::json, clean = NULL WHERE record_id % 3 > 0")
    daemon.run("train", "-o", str(tmp_path / "json.yaml"))
    assert (tmp_path / "json.yaml").read_bytes() == (tmp_path / "text.yaml").read_bytes()


def test_a_sample_takes_neighbours_and_strangers_alike(postgres, database):
    connection = postgres.connect(database)
    cursor, share, count = connection.cursor(), 0.3, 100000
    cursor.execute("CREATE SCHEMA tributary; CREATE TABLE tributary.record (record_id int8, space text, clean text, clean_json json, flags int, "
                   f"customer_id int8); INSERT INTO tributary.record SELECT g, '', g, NULL, 0, g FROM generate_series(1, {count}) g")
    query = (ROOT / "sql/queries/train_records.sql").read_text()
    cursor.execute("PREPARE sample AS " + query)
    samples = []
    for seed in (0, 1, 2, 2**63 - 1):
        taken = {int(clean) for _, clean in rows(connection, f"EXECUTE sample ({seed}, {int(share * 1048576)})")}
        assert abs(len(taken) - count * share) < count * 0.01
        for step in (1, 2, 7, 1000):
            pairs = sum(record + step in taken for record in taken)
            assert abs(pairs - count * share**2) < count * 0.01, (seed, step, pairs)
        samples.append(taken)
    assert abs(len(samples[0] & samples[1]) - count * share**2) < count * 0.01
    assert len(rows(connection, "EXECUTE sample (1, 1048576)")) == count


GIVEN = ("Anna", "Bert", "Carla", "Dirk", "Eva", "Fritz", "Gerd", "Hanna")
ILLNESSES = [f"{illness} {grade}" for illness in ("hepatitis", "epilepsy", "lupus", "asthma") for grade in ("alpha", "beta", "gamma")]


def people_with_own_fields(path):
    """900 people in one to three rows each: a diagnosis, a craft, a hobby; one craft is one person's."""
    draw = random.Random(5)
    lines = ["id,name,email,phone,birth_date,city,diagnosis,craft,hobby"]
    for person in range(900):
        name = f"{draw.choice(GIVEN)} {draw.choice('BDFGKLMNPRST')}{draw.choice(('eier', 'oeller', 'ansen', 'ichter'))}{draw.choice(('mann', 'son', 'berg'))}"
        birth = f"19{draw.randint(40, 99)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        own = (draw.choice(ILLNESSES), "bellfounder" if person == 7 else draw.choice(("beekeeper", "glassblower", "nurse", "welder", "stoker")),
               draw.choice(("chess", "rowing", "pottery", "falconry", "origami")))
        for _ in range(3 if person == 7 else draw.randint(1, 3)):
            lines.append(",".join([str(len(lines)), name, f"p{person}@example.de" if draw.random() < 0.7 else "",
                                   f"+49 30 90{person:05}" if draw.random() < 0.6 else "", birth if draw.random() < 0.8 else "", "Berlin", *own]))
    path.write_text("\n".join(lines) + "\n")


def test_a_model_file_names_only_common_values_of_public_fields(postgres, database, tmp_path):
    people_with_own_fields(tmp_path / "in.csv")
    text = config(tmp_path) + ("fields: {diagnosis: {type: text, sensitivity: sensitive}, hobby: {type: text}, "
                               "craft: {type: text, sensitivity: public}}\n")
    model = tmp_path / "m.yaml"
    with Daemon(tmp_path, postgres.conninfo(database), text) as daemon:
        daemon.run("load", "crm", str(tmp_path / "in.csv"))
        daemon.run("train", "-o", str(model))
        written = model.read_text().lower()
        for field in ("diagnosis", "hobby", "craft"):
            assert f"  {field}: #" in written, written[-3000:]
        assert "glassblower" in written and "bellfounder" not in written
        for value in ("hepatitis", "lupus", "gamma", "chess", "falconry"):
            assert value not in written
        daemon.config.write_text(daemon.config.read_text() + f"match: {{model: {model}}}\n")
        daemon.restart()
        rematch(daemon, "--apply")
        details = "".join(row[0] for row in rows(postgres.connect(database), "SELECT detail::text FROM tributary.generation")).lower()
        assert "glassblower" in details and not any(value in details for value in ("hepatitis", "falconry", "bellfounder"))
    # Of a sheet alone nobody said that a column is public.
    taught = subprocess.run([str(PROGRAM), "train", str(tmp_path / "in.csv")], capture_output=True, text=True, check=True).stdout.lower()
    assert "craft" in taught and not any(value in taught for value in ("glassblower", "hepatitis", "falconry", "bellfounder"))


def test_nothing_is_made_to_learn_from(tmp_path):
    made = Daemon(tmp_path, "", config(tmp_path))
    done = made.run("train", check=False)
    assert done.returncode == 1 and "nothing to learn from" in done.stderr and "hint: " in done.stderr, done.stderr
    assert not (made.state / "postgres").exists() and not (made.state / "postgres.new").exists()
