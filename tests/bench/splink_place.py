"""A throw-away Python environment with Splink, under the build folder."""
import subprocess
import sys

PACKAGES = ["splink==4.*", "duckdb", "pandas"]


def python_with_splink(build):
    """Its interpreter, made and filled when needed; None, saying so, when it cannot be."""
    place = build / "bench/splink"
    python = place / "bin/python"
    if not python.exists():
        print("making an environment for Splink under build/bench/splink", file=sys.stderr)
        subprocess.run(["/usr/bin/python3", "-m", "venv", place], check=True)
    have = subprocess.run([python, "-c", "import splink, duckdb, pandas"], stderr=subprocess.DEVNULL)
    if have.returncode:
        got = subprocess.run([python, "-m", "pip", "install", "-q"] + PACKAGES)
        if got.returncode:
            print("Splink cannot be installed: its columns stay empty", file=sys.stderr)
            return None
    return python
