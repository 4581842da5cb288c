"""A throw-away PostgreSQL with the settings of the private cluster (daemon/store/cluster_setup.c), for benches."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cluster_settings():
    """The lines of `settings` in cluster_setup.c that are no comment and not about the log."""
    text = (ROOT / "daemon/store/cluster_setup.c").read_text()
    body = text[text.index("static const char settings[]"):]
    lines = re.findall(r'"([^"\\]*)\\n"', body[:body.index(";\n")])
    settings = [line.replace(" ", "") for line in lines if not line.startswith(("#", "log"))]
    if len(settings) < 10:
        raise SystemExit("bench: the settings of cluster_setup.c are not where they were")
    return [setting.replace("'", "") for setting in settings]


class Server:
    def __init__(self):
        found = [Path("/usr/lib/postgresql/15/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
        self.bin_dir = next((d for d in found if os.access(d / "postgres", os.X_OK)), None)
        if self.bin_dir is None:
            raise SystemExit("bench: PostgreSQL's server programs are not installed")
        self.base = tempfile.mkdtemp(prefix="tributary-bench.", dir="/tmp")
        self.identity = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.base, owner.pw_uid, owner.pw_gid)
            self.identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        subprocess.run([self.bin_dir / "initdb", "-D", f"{self.base}/data", "-U", "tributary", "-A", "trust",
                        "-E", "UTF8", "--no-locale"], cwd="/", check=True, stdout=subprocess.DEVNULL, **self.identity)
        arguments = [self.bin_dir / "postgres", "-D", f"{self.base}/data"]
        for setting in ["listen_addresses=", f"unix_socket_directories={self.base}",
                        "unix_socket_permissions=0777", *cluster_settings()]:
            arguments += ["-c", setting]
        with open(f"{self.base}/log", "wb") as log:
            self.process = subprocess.Popen(arguments, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **self.identity)
        until = time.monotonic() + 60
        while subprocess.run([self.bin_dir / "pg_isready", "-q", "-h", self.base, "-d", "postgres"],
                             check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit("bench: PostgreSQL did not start:\n" + Path(f"{self.base}/log").read_text())
            time.sleep(0.05)

    def psql(self, database, *commands):
        """Runs commands in one session; what they print, unaligned."""
        arguments = [self.bin_dir / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.base,
                     "-U", "tributary", "-d", database]
        for command in commands:
            arguments += ["-c", command]
        return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def start_psql(self, database, commands):
        """The same without waiting, the commands on its standard input."""
        process = subprocess.Popen([self.bin_dir / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.base,
                                    "-U", "tributary", "-d", database], stdin=subprocess.PIPE, text=True)
        process.stdin.write("\n".join(commands) + "\n")
        process.stdin.close()
        return process

    def create(self, database):
        self.psql("postgres", f"CREATE DATABASE {database} TEMPLATE template0")

    def wal_bytes(self):
        return int(self.psql("postgres", "SELECT pg_current_wal_lsn() - '0/0'"))

    def cpu_seconds(self):
        """User and system time of the postmaster's children, living and gone."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(stat.parent.name) == self.process.pid:
                ticks += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == self.process.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def url(self, database):
        return f"postgresql://tributary@/{database}?host={self.base}"

    def remove(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=60)
        shutil.rmtree(self.base, ignore_errors=True)
