"""The command line as people meet it: init, check, help, the generated reference.

Needs the built program: build/tributary, or $TRIBUTARY.
"""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TRIBUTARY", ROOT / os.environ.get("BUILD", "build") / "tributary"))

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no %s; hint: make" % PROGRAM)


def tributary(*arguments, **environment):
    return subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


def test_the_starter_configuration_is_good(tmp_path):
    path = tmp_path / "tributary.yaml"
    assert tributary("init", str(path)).returncode == 0
    result = tributary("check", TRIBUTARY_CONFIG=str(path))
    assert result.returncode == 0, result.stderr
    again = tributary("init", str(path))
    assert again.returncode == 1 and "--force" in again.stderr
    assert tributary("init", "--force", str(path)).returncode == 0


def test_the_starter_configuration_goes_where_output_is_sent(tmp_path):
    path = tmp_path / "tributary.yaml"
    with open(path, "wb") as out:
        done = subprocess.run([str(PROGRAM), "init"], cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert tributary("check", str(path)).returncode == 0


def uncommented(text, names):
    """The text with the sections of these names out of their comment, and nothing else."""
    lines, inside, depth = [], False, 0
    for line in text.splitlines():
        bare = line.replace("#", "", 1)
        indent = len(bare) - len(bare.lstrip())
        if line.lstrip().startswith("#") and bare.strip().split(":")[0] in names:
            inside, depth = True, indent
        elif inside and (not line.lstrip().startswith("#") or bare.strip() == "" or indent <= depth):
            inside = False
        lines.append(bare if inside else line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("names, counted", [
    (["postgres"], "sources: 0"), (["landing"], "sources: 1"), (["shop"], "sources: 1"), (["summit"], "sources: 1"),
    (["fields"], "good"), (["landing", "shop", "golden"], "sources: 2"), (["sinks"], "sinks: 1")])
def test_every_example_of_the_starter_configuration_works_once_uncommented(tmp_path, names, counted):
    """Uncommenting is how people begin; `sources: {}` followed by a section is no YAML."""
    text = uncommented(tributary("init", "-").stdout, names)
    for name, secret in (("shop.key", "ck_1:cs_1"), ("crm.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")):
        (tmp_path / name).write_text(secret + "\n")
        text = text.replace(f"/etc/tributary/{name}", str(tmp_path / name))
    (tmp_path / "one.yaml").write_text(text)
    done = tributary("check", str(tmp_path / "one.yaml"), DATABASE_URL="postgresql://h/db")
    assert done.returncode == 0 and counted in done.stderr, done.stderr


def test_what_check_prints_is_a_configuration(tmp_path):
    path, printed = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_text("postgres: {url: \"postgresql://u:canary@h/db\"}\nsinks: {n: {type: notify}}\n")
    result = tributary("check", "--print", str(path))
    assert result.returncode == 0, result.stderr
    assert "canary" not in result.stdout
    printed.write_text(result.stdout)
    again = tributary("check", "--print", str(printed))
    assert again.stdout == result.stdout


def test_every_problem_has_file_line_and_column(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("rules: [poeple]\nhttp: {public: nowhere}\nsinks: {a: {type: notify, evnts: x}}\n")
    result = tributary("check", str(path))
    assert result.returncode == 78 and result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines == [
        f"{path}:1:9: unknown rule pack 'poeple'; hint: did you mean 'people'?",
        f"{path}:2:16: http.public: 'nowhere' is not address:port; hint: 127.0.0.1:8080 or off",
        f"{path}:3:27: unknown key 'evnts' in sinks.a; hint: did you mean 'events'?",
        "3 problems"]
    result = tributary("check", "--format=json", str(path))
    assert result.returncode == 78
    assert [p["line"] for p in json.loads(result.stdout)] == [1, 2, 3]


def test_the_reference_in_docs_is_current():
    result = tributary("config-doc")
    assert result.returncode == 0
    committed = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert result.stdout == committed, "hint: make docs"


def test_the_schema_is_json_and_knows_every_documented_key():
    schema = json.loads(tributary("config-doc", "--schema").stdout)
    assert schema["properties"]["http"]["properties"]["max_connections"]["maximum"] == 65536
    sink = schema["properties"]["sinks"]["additionalProperties"]["properties"]
    assert {"type", "url", "secret_file", "channel"} <= set(sink)
    assert "map" in schema["properties"]["sources"]["additionalProperties"]["properties"]


def test_usage_errors_are_64_and_name_the_nearest():
    result = tributary("chekc")
    assert result.returncode == 64 and "did you mean 'check'?" in result.stderr
    assert tributary().returncode == 64
    assert tributary("check", "--no-such").returncode == 64


def test_a_full_disk_is_no_success():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        result = subprocess.run([str(PROGRAM), "--help"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert result.returncode == 1


def test_the_manual_page_formats():
    page = tributary("man")
    assert page.returncode == 0 and page.stdout.startswith(".TH TRIBUTARY 8")


def test_check_judges_what_only_the_compiled_rules_know(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("fields:\n  level: {type: category}\n"
                    "sinks: {n: {type: notify, fields: [phone, emial, level]}}\n"
                    "golden: {phne: [verified], email: [lates]}\n")
    result = tributary("check", str(path))
    assert result.returncode == 78
    lines = result.stderr.splitlines()
    assert len(lines) == 4, lines
    assert lines[0] == f"{path}:3:43: fields: unknown field 'emial'; hint: did you mean 'email'?"
    assert lines[1].startswith(f"{path}:4:10: ") and "phne" in lines[1]
    assert lines[2].startswith(f"{path}:4:36: ") and "lates" in lines[2]


def test_a_map_to_a_field_that_is_none_is_refused_by_whoever_reads_it(tmp_path):
    path, sheet = tmp_path / "map.yaml", tmp_path / "in.csv"
    path.write_text(f"state_dir: {tmp_path}/state\nsources: {{s: {{type: csv, drop: {tmp_path}/drop, map: {{Sitename: company}}}}}}\n")
    sheet.write_text("Sitename\nAcme\n")
    for command in (["check"], ["run"], ["load", "s", str(sheet)]):
        result = tributary(*command, "--config", str(path))
        assert result.returncode == 78 and f"{path}:2:" in result.stderr and "unknown field 'Sitename'" in result.stderr, result


def test_a_failed_rule_test_says_what_was_wanted(tmp_path):
    pack, config = tmp_path / "mine.yaml", tmp_path / "config.yaml"
    pack.write_text("pack: mine\ntests:\n  - {name: one, given: {name: Ann Lee, hobby: chess},"
                    " expect: {tags: [vip], hobby: chess, phone: '+1'}}\n")
    config.write_text("fields: {hobby: {type: text}}\n")
    result = tributary("test", str(pack))
    assert result.returncode == 1 and "tags is none, wanted [vip]\n" in result.stdout and 'wanted "+1"' in result.stdout
    assert 'unknown field "hobby"' in result.stdout and "hint: --config=FILE" in result.stderr
    result = tributary("test", str(pack), "--config", str(config))
    assert "hobby" not in result.stdout and result.stderr == ""
