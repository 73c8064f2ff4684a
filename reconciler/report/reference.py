"""
The reference of all kinds as Markdown pages, from the tables that the planner and `explain` read.

`reconciler explain --out docs/reference` writes them; a test holds the committed ones current.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.kind import Field, Verdict
from reconciler.platforms.base import Kind
from reconciler.report.explain_words import (
    IN_PLACE,
    LEGEND,
    NEVER,
    OTHER_MOVES,
    REPLACE,
    SPOILS,
    VERDICT,
    clearing_words,
    default_words,
)
from reconciler.report.moves import births_of, moves_of
from reconciler.report.rule_fields import fields_of
from reconciler.report.source_pages import pages_of
from reconciler.report.topics import EnvelopeRow, envelope_rows
from reconciler.sanity.rules import RULES

_MADE = "<!-- Made by `reconciler explain --out docs/reference`; edit the tables in reconciler/platforms instead. -->"


def reference_pages(kinds: Sequence[Kind]) -> Mapping[str, str]:
    """Give the text of every page by its file name: an index, one page a kind, and one on the rest of a manifest."""
    pages = {"README.md": _index(kinds), "manifest.md": _envelope_page()}
    pages.update({page_name(kind): _kind_page(kind) for kind in kinds})
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in pages.items()}


def page_name(kind: Kind) -> str:
    """Give the file name of a kind's page: `XAdsABTest` is `xads-ab-test.md`, like its schema."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", kind.name).lower()
    return words.replace("linked-in", "linkedin").replace("x-ads", "xads") + ".md"


# --- pages -------------------------------------------------------------------------------------------------------


def _index(kinds: Sequence[Kind]) -> Iterator[str]:
    yield from ("# Reference", "", _MADE, "")
    yield "One page for each kind of experiment: its fields, their limits, when they may change, and the rules that are"
    yield "checked. In a terminal, `reconciler explain KIND.field` shows the same for one field."
    yield ""
    yield from _table(
        ("Kind", "Platform", "What it is"),
        ((f"[`{kind.name}`]({page_name(kind)})", _text(kind.platform), _text(kind.summary)) for kind in kinds),
    )
    around = "What stands around `spec` in every manifest is on [one page](manifest.md), the ready policies and what"
    yield from ("", f"{around} policies may speak of on [another](policies.md).", "")
    yield from _how_to_read()


def _how_to_read() -> Iterator[str]:
    yield from ("## How to read the tables", "")
    for sentence in (IN_PLACE, REPLACE, NEVER):
        yield f"- {_leading_word(sentence)}"
    yield ""
    yield "How firm a fact is:"
    yield ""
    for part in LEGEND.split("; "):
        yield f"- {_leading_word(part)}"


def _leading_word(sentence: str) -> str:
    word, _, rest = sentence.partition(":")
    return f"**{_text(word)}**: {_code_kept(rest.strip())}."


def _kind_page(kind: Kind) -> Iterator[str]:
    yield from (f"# {kind.name}", "", _MADE, "")
    yield _text(kind.summary)
    yield ""
    yield f"Platform `{kind.platform}`. Its `{kind.status_field}` is one of {_codes(kind.statuses)}."
    yield "[How to read the tables](README.md#how-to-read-the-tables)."
    yield from ("", "## Fields", "")
    yield from _table(
        ("Field", "Type", "Required", "Meaning", "Limits"),
        (
            (f"`{row.path}`", _text(row.type), "yes" if row.required else "", _text(row.meaning), _text(row.limits))
            for row in kind.fields
        ),
    )
    yield from ("", "### Defaults and clearing", "")
    yield "What becomes of a field that the manifest leaves out."
    yield ""
    yield from _table(
        ("Field", "Default of the platform", "Can be cleared", "Source"),
        (
            (f"`{row.path}`", _text(default_words(row)), _text(clearing_words(row)), _text(row.source))
            for row in kind.fields
        ),
    )
    yield from _mutability(kind)
    yield from _transitions(kind)
    yield from ("", "## Rules", "")
    yield from _table(
        ("Rule", "Severity", "What holds", "What to do", "Fields", "Source"),
        (
            (
                rule.id,
                rule.severity.value,
                _text(rule.title),
                _text(rule.fix),
                _paths(kind, fields_of(kind, rule)),
                _text(rule.source),
            )
            for rule in kind.rules
        ),
    )
    pages = pages_of(kind, [*(row.source for row in kind.fields), *(rule.source for rule in kind.rules)])
    if pages:
        yield from ("", "## Pages", "", "What the short marks of the sources stand for.", "")
        yield from _table(("Mark", "Page"), ((mark, _text(address)) for mark, address in pages))


def _mutability(kind: Kind) -> Iterator[str]:
    yield from ("", "## When a field may change", "")
    numbers: dict[str, int] = {}
    rows = [
        (f"`{row.path}`", *(_cell(row, status, numbers) for status in kind.statuses))
        for row in kind.fields
        if row.path != kind.lifecycle_field
    ]
    yield from _table(("Field", *kind.statuses), rows)
    yield ""
    if kind.lifecycle_field:
        yield f"`{kind.lifecycle_field}` has a [table of its own](#transitions)."
        yield ""
    yield from (f"{number}. {_text(note[:1].upper() + note[1:])}." for note, number in numbers.items())


def _cell(field: Field, status: str, numbers: dict[str, int]) -> str:
    """Give one cell: the verdict, how firm it is, and the numbers of its notes."""
    cell = field.cell(status)
    notes = [cell.note] if cell.note else []
    if status in field.spoils_in and cell.verdict is Verdict.IN_PLACE:
        notes.append(SPOILS)
    marks = "".join(f" ({numbers.setdefault(note, len(numbers) + 1)})" for note in notes)
    return f"{VERDICT[cell.verdict]}, {cell.evidence.value}{marks}"


def _transitions(kind: Kind) -> Iterator[str]:
    moves = moves_of(kind)
    if not moves:
        return
    named = any(row.currents for row in moves)
    yield from ("", "## Transitions", "")
    yield f"Which value of `{kind.lifecycle_field}` may follow which."
    yield ""
    yield from _table(
        (f"`{kind.status_field}`", *(("Now",) if named else ()), "Wanted", "The change is", "Source", "Note"),
        (
            (
                _codes(row.statuses),
                *((_codes(row.currents) or "any",) if named else ()),
                _codes(row.wanted),
                VERDICT[row.cell.verdict],
                row.cell.evidence.value,
                _code_kept(row.cell.note),
            )
            for row in moves
        ),
    )
    yield from ("", OTHER_MOVES, "")
    yield from _table(
        ("A new experiment with", "Is", "Note"),
        (
            (f"`{item.wanted}`", "allowed" if item.allowed else "blocked", _code_kept(item.note))
            for item in births_of(kind)
        ),
    )


def _envelope_page() -> Iterator[str]:
    yield from ("# Around `spec`: what every manifest has", "", _MADE, "")
    rows = envelope_rows()
    for head in (row for row in rows if "." not in row.path):
        yield from (f"## `{head.path}`", "", _code_kept(head.meaning))
        below = [row for row in rows if row.path.startswith(f"{head.path}.")]
        facts = [part for part in (head.limits and f"Value: `{head.limits}`.",) if part]
        yield from (" ".join(facts), "") if facts else ("",)
        if below:
            yield from _table(
                ("Key", "Type", "Required", "Meaning", "Limits", "Default"),
                (_envelope_row(row) for row in below),
            )
            yield ""
    yield from (
        "## Advice from `metadata.hypothesis`",
        "",
        "Always a warning; `docs/policies.md` tells what is assumed.",
        "",
    )
    yield from _table(
        ("Rule", "Says", "What to do", "Source"),
        ((f"`{rule.id}`", _text(rule.title), _text(rule.fix), _text(rule.source)) for rule in RULES),
    )


def _envelope_row(row: EnvelopeRow) -> tuple[str, ...]:
    return (
        f"`{row.path}`",
        _text(row.type),
        "yes" if row.required else "",
        _code_kept(row.meaning),
        _text(row.limits),
        _text(row.default),
    )


# --- Markdown ----------------------------------------------------------------------------------------------------


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace(chr(10), ' ') for cell in row)} |"


_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")


def _text(text: str) -> str:
    """Give plain text that Markdown leaves as it is; addresses stay whole, so that they become links."""
    return "".join(
        part if part.startswith("https://") else _SPECIAL.sub(r"\\\1", part)
        for part in re.split(r"(https://[^\s;,)|<>]+)", text)
    )


def _code_kept(text: str) -> str:
    """Give text in which what stands between backticks already is code, and the rest plain."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _text(text)
    return "".join(
        f"`{part.replace('|', chr(92) + '|')}`" if index % 2 else _text(part) for index, part in enumerate(parts)
    )


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _paths(kind: Kind, paths: Sequence[str]) -> str:
    return "all" if len(paths) == len(kind.fields) else _codes(paths)
