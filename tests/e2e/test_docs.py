"""docs/golden.md says what the database says of itself. With TRIBUTARY_WRITE_DOCS=1 (make docs) it is written."""
import os
import sys

from conftest import ROOT
from daemon import Daemon

sys.path.insert(0, str(ROOT / "tools"))
import golden  # noqa: E402


def test_the_golden_contract_is_documented(postgres, database, tmp_path):
    page = ROOT / "docs/golden.md"
    with Daemon(tmp_path, postgres.conninfo(database), "sources:\n  landing: {type: form, path: /f/landing}\n"):
        connection = postgres.connect(database)
        wanted = golden.document(page.read_text(encoding="utf-8"), connection)
        connection.close()
    if os.environ.get("TRIBUTARY_WRITE_DOCS"):
        page.write_text(wanted, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == wanted, "docs/golden.md is not current; hint: make docs"
