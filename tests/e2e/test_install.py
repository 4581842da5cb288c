"""What `make install` leaves, as the service of systemd would meet it: a user of its own, no more."""
import os
import subprocess

import pytest

from conftest import ROOT, unprivileged

from daemon import BUILD, PROGRAM


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """An installed tree that everybody may look into."""
    directory = tmp_path_factory.mktemp("install")
    for path in (directory, *directory.parents):
        if path.stat().st_uid == os.geteuid() and str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o055)
    make("install", directory)
    return directory


def make(target, directory):
    done = subprocess.run(["make", "-s", target, f"DESTDIR={directory}", f"BUILD={os.path.relpath(BUILD, ROOT)}", "PREFIX=/usr"],
                          cwd=ROOT, text=True, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def identity():
    if os.geteuid() != 0:
        return {}
    uid, gid = unprivileged()
    return {"user": uid, "group": gid, "extra_groups": []}


def test_the_service_can_read_what_was_installed(tree):
    """ExecStartPre is `tributary check` as the service's user: what that cannot read never starts (exit code 78 is final)."""
    unit = (tree / "usr/lib/systemd/system/tributary.service").read_text()
    assert "ExecStartPre=/usr/bin/tributary check\n" in unit and "User=tributary\n" in unit
    assert "u tributary " in (tree / "usr/lib/sysusers.d/tributary.conf").read_text()
    done = subprocess.run([tree / "usr/bin/tributary", "check"], cwd="/", text=True, capture_output=True, timeout=60,
                          env={"TRIBUTARY_CONFIG": str(tree / "etc/tributary/tributary.yaml")}, check=False, **identity())
    assert done.returncode == 0 and "good" in done.stderr, done.stderr


def test_installing_again_keeps_the_configuration_and_uninstalling_too(tree):
    config = tree / "etc/tributary/tributary.yaml"
    config.write_text("rules: [people]\n")
    make("install", tree)
    assert config.read_text() == "rules: [people]\n"
    make("uninstall", tree)
    assert config.exists()
    assert [path for path in tree.rglob("*") if path.is_file()] == [config]


def test_the_manual_page_has_every_command():
    done = subprocess.run([PROGRAM, "man"], text=True, capture_output=True, timeout=60, check=True)
    helped = subprocess.run([PROGRAM, "help"], text=True, capture_output=True, timeout=60, check=True)
    for line in helped.stdout.splitlines():
        if line.startswith("  "):
            assert line.split()[0] in done.stdout
