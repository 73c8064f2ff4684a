"""`docs/threat-model.md` and the tests of this folder speak of the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "threat-model.md").read_text("utf-8")


def ours() -> set[str]:
    """Give the names of the tests of this folder, this file's aside."""
    return {
        node.name
        for path in HERE.glob("test_sec_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_test_named_exists_and_every_test_is_named() -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", PAGE))
    assert named == ours()


def test_every_line_has_a_test_and_says_what_remains() -> None:
    threats = PAGE.split("\n## 1.", 1)[1]
    rows = [line for line in threats.splitlines() if line.startswith("|") and not line.startswith(("|---", "| what"))]
    assert len(rows) > 40
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4 and all(cells), row
        assert "`test_" in cells[2] or "pip-audit" in row, row
