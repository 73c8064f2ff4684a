"""
Text from outside made safe to put into Markdown that GitHub or GitLab shows.

A name may hold a pipe that breaks a table, backticks, HTML, a link, a mention (`@team` sends mail), or a reference such
as `#12` that links to something else. Backslashes do not help everywhere (a pipe inside a code span of a table, a
mention), so characters become numeric references, which no Markdown reader takes for syntax. What some readers still
look for in the finished page (mentions, references, addresses) gets a character of no width in its middle. Names go
into `<code>`, where mentions and references do nothing.
"""

from __future__ import annotations

import re

from reconciler.report.clean import clean

_SYNTAX = re.compile(r"[\\`*_{}\[\]<>|~#@$^&\"']|!(?=\[)")
_ADDRESS = re.compile(r"(?<=/)(?=/)|(?<=[wW]{3})(?=\.)")
_LINE_START = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)]))")
_INDENT = re.compile("^ +")
_REFERENCE = re.compile(r"([@#!~%&$^])(?=[\w\"])")
_PREFIX = re.compile(r"\b(GH|gh|GL)-(?=\d)")
_MARK = "\u200b"
NOTHING_SHOWN = "\u2013"
"""What an empty name is shown as."""


def escaped(text: str) -> str:
    """Give text on one line that reads as itself anywhere in a Markdown line or table cell, and does nothing there."""
    marked = _REFERENCE.sub(rf"\1{_MARK}", clean(text))
    marked = _PREFIX.sub(rf"\g<0>{_MARK}", marked)
    return _coded(marked)


def code(text: str) -> str:
    """Give a name in the type of code, safe anywhere in a Markdown line or table cell; a dash for an empty one."""
    return f"<code>{_coded(clean(text))}</code>" if text else NOTHING_SHOWN


def row(cells: list[str]) -> str:
    """Give one row of a table; the cells are Markdown already, and hold no raw pipe or line break."""
    return f"| {' | '.join(cell or NOTHING_SHOWN for cell in cells)} |"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Give the lines of a table; the cells are Markdown already."""
    return [row(header), row(["---"] * len(header)), *(row(cells) for cells in rows)]


def _coded(text: str) -> str:
    text = _ADDRESS.sub(_MARK, text)
    coded = _SYNTAX.sub(lambda match: f"&#{ord(match.group())};", text).replace(_MARK, f"&#{ord(_MARK)};")
    coded = _LINE_START.sub(lambda match: match[1] + "".join(f"&#{ord(char)};" for char in match[2]), coded)
    return _INDENT.sub(lambda match: "&#32;" * len(match.group()), coded)
