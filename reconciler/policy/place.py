"""Where a place inside an expression stands in the YAML file around it, and the lines that show it."""

from __future__ import annotations

from reconciler.manifests.document import Document
from reconciler.model.diagnostic import Location, PathTuple
from reconciler.policy.engine import Flaw

_WIDE = 90
"""Characters of an expression's line that are shown around a flaw."""


def place_of(document: Document, path: PathTuple, text: str, flaw: Flaw) -> Location:
    """
    Give the place of a flaw of an expression that stands at `path`.

    Where YAML's own spelling (escapes, folded lines) makes the place uncertain, gives that of the expression.
    """
    start = document.locate(path)
    lines = text.split("\n")
    if not 0 < flaw.line <= len(lines):
        return start
    line, head = lines[flaw.line - 1], document.source.line(start.line)[start.column - 1 :]
    if head[:1] in "|>":
        number = _row(document, start, line, flaw.line)
        indent = document.source.line(number).find(line) if number else -1
        return start if indent < 0 else Location(start.file, number, indent + flaw.column)
    quote = 1 if head[:1] in ("'", '"') else 0
    if len(lines) == 1 and head[quote:].startswith(line):
        return Location(start.file, start.line, start.column + quote + flaw.column - 1)
    return start


def _row(document: Document, start: Location, line: str, wanted: int) -> int:
    """Give the number of a block's line, counted from its indicator on; 0 where it is not where it should be."""
    if not line.strip():
        return 0
    for number in range(start.line + wanted, start.line + wanted + 50):
        if line in document.source.line(number):
            return number
    return 0


def excerpt(text: str, flaw: Flaw) -> tuple[str, ...]:
    """Give the line of an expression that a flaw is in, and a caret below it; tabs count as one character."""
    lines = text.split("\n")
    if not 0 < flaw.line <= len(lines):
        return ()
    line = lines[flaw.line - 1].replace("\t", " ")
    left = max(0, flaw.column - 1 - _WIDE // 2)
    shown = line[left : left + _WIDE]
    before = "…" if left else ""
    after = "…" if left + _WIDE < len(line) else ""
    return (f"{before}{shown}{after}", " " * (len(before) + flaw.column - 1 - left) + "^")
