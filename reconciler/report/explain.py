"""The answers of `reconciler explain` as text for a terminal: what a field means, its limits, when it may change."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.model.diagnostic import Rule
from reconciler.model.kind import Evidence, Field, Verdict
from reconciler.platforms.base import Kind
from reconciler.report.clean import clean
from reconciler.report.explain_words import (
    LEGEND,
    OTHER_MOVES,
    VERDICT,
    clearing_words,
    consequences,
    default_words,
    first_sentence,
    notes,
)
from reconciler.report.moves import births_of, moves_of
from reconciler.report.rule_fields import fields_of, rules_of
from reconciler.report.source_pages import pages_of
from reconciler.report.style import PLAIN, Style
from reconciler.report.topics import (
    Envelope,
    EnvelopeRow,
    EveryKind,
    OneAdvice,
    OneField,
    OneKind,
    OneRule,
    Topic,
    envelope_rows,
)
from reconciler.report.words import WIDTH, counted

_LABEL = 9
_NARROWEST = 32


def explain_text(topic: Topic, style: Style = PLAIN) -> str:
    """Give the answer to a question as text that ends in a line break."""
    match topic:
        case EveryKind(kinds):
            lines = _every_kind(kinds, style)
        case OneKind(kind):
            lines = _one_kind(kind, style)
        case OneField():
            lines = _one_field(topic, style)
        case OneRule(kind, rule):
            lines = _one_rule(kind, rule, style)
        case OneAdvice(rule):
            lines = _one_advice(rule, style)
        case Envelope():
            lines = _envelope(topic, style)
    return "\n".join(line.rstrip() for line in lines) + "\n"


# --- kinds -------------------------------------------------------------------------------------------------------


def _every_kind(kinds: Sequence[Kind], style: Style) -> Iterator[str]:
    yield style.bold("Kinds of experiments")
    rows = [(kind.name, kind.summary) for kind in kinds]
    yield from _columns(rows, style)
    yield ""
    yield style.bold("In every manifest")
    yield from _columns([(row.path, row.meaning) for row in envelope_rows() if "." not in row.path], style)
    yield ""
    name = kinds[0].name
    path, rule = typed(kinds[0].fields[-1].path), kinds[0].rules[0].id
    yield f"Next: reconciler explain {name}, explain {name}.{path}, explain {rule}"


def _one_kind(kind: Kind, style: Style) -> Iterator[str]:
    yield style.bold(kind.name) + style.dim(f"  platform {kind.platform}")
    yield ""
    yield from _text(kind.summary)
    yield ""
    yield from _labelled(kind.status_field, ", ".join(kind.statuses), style, len(kind.status_field) + 2)
    yield ""
    yield style.bold("Fields of spec") + style.dim("  (* required; in lists: in every item)")
    rows = [(_starred(row.path, row.required), row.type, first_sentence(row.meaning)) for row in kind.fields]
    yield from _columns(rows, style)
    for head in ("lifecycle", "metadata"):
        yield ""
        yield style.bold(head)
        yield from _columns([_short_row(row) for row in envelope_rows() if row.path.startswith(f"{head}.")], style)
    yield ""
    first, last = kind.rules[0].id, kind.rules[-1].id
    yield f"{counted(len(kind.rules), 'rule')}, {first} to {last}: reconciler explain {first}"
    yield f"Limits, defaults and when a field may change: reconciler explain {kind.name}.{typed(kind.fields[-1].path)}"


def typed(path: str) -> str:
    """Give a path as it is best typed: shells have their own idea of `[]`."""
    return path.replace("[]", "")


def _short_row(row: EnvelopeRow) -> tuple[str, str, str]:
    more = "".join(
        part
        for part in (f" {row.limits}." if row.type == "enum" else "", f" Default {row.default}." if row.default else "")
    )
    return _starred(row.path.split(".", 1)[1], row.required), row.type, row.meaning + more


def _starred(path: str, required: bool) -> str:
    return f"{path} *" if required else path


# --- one field ---------------------------------------------------------------------------------------------------


def _one_field(topic: OneField, style: Style) -> Iterator[str]:
    kind, field = topic.kind, topic.field
    yield style.bold(f"{kind.name}.{topic.path}") + (style.dim(f"  {_tags(field)}") if field else "")
    yield ""
    if field is None:
        yield from _text("A step on the way to what is inside it.")
    else:
        yield from _text(field.meaning)
        yield ""
        yield from _facts(field, style)
    if topic.inside:
        yield ""
        yield style.bold("Inside it") + style.dim("  (* required)")
        rows = [(_starred(row.path, row.required), row.type, first_sentence(row.meaning)) for row in topic.inside]
        yield from _columns(rows, style)
    if field is None:
        return
    yield ""
    if field.path == kind.lifecycle_field:
        yield from _moves(kind, style)
    else:
        yield from _changes(kind, field, style)
    rules = rules_of(kind, field.path)
    if rules:
        yield ""
        yield style.bold("Rules that speak of it")
        for rule in rules:
            yield from _rule_entry(rule, style)
    yield from _legend(kind, [field.source, *(rule.source for rule in rules)], style)


def _tags(field: Field) -> str:
    return ", ".join(
        part
        for part in (
            field.type,
            "required" if field.required else "optional",
            "in any order" if field.set_like else "",
        )
        if part
    )


def _facts(field: Field, style: Style) -> Iterator[str]:
    facts = (
        ("limits", field.limits or "none known"),
        ("default", default_words(field)),
        ("clear", clearing_words(field)),
        ("source", field.source),
    )
    for label, text in facts:
        if text:
            yield from _labelled(label, text, style)


def _changes(kind: Kind, field: Field, style: Style) -> Iterator[str]:
    yield style.bold("When it may change")
    rows = []
    for status in kind.statuses:
        cell = field.cell(status)
        rows.append((status, VERDICT[cell.verdict], cell.evidence.value, notes(kind, field, status)))
    yield from _columns([(kind.status_field, "a change is", "source", ""), *rows], style, header=True)
    for sentence in consequences([field.cell(status) for status in kind.statuses]):
        yield ""
        yield from _text(sentence)


def _moves(kind: Kind, style: Style) -> Iterator[str]:
    moves = moves_of(kind)
    yield style.bold("Which value may follow which")
    named = any(row.currents for row in moves)
    header = (kind.status_field, *(("now",) if named else ()), "wanted", "the change is", "source", "")
    rows = [
        (
            ", ".join(row.statuses),
            *((", ".join(row.currents) or "any",) if named else ()),
            ", ".join(row.wanted),
            VERDICT[row.cell.verdict],
            row.cell.evidence.value,
            row.cell.note,
        )
        for row in moves
    ]
    yield from _columns([header, *rows], style, header=True, below=named)
    yield ""
    yield from _text(OTHER_MOVES)
    yield ""
    yield style.bold("A new experiment")
    births = [(item.wanted, "allowed" if item.allowed else "blocked", item.note) for item in births_of(kind)]
    yield from _columns(births, style)
    for sentence in consequences([row.cell for row in moves]):
        yield ""
        yield from _text(sentence)


# --- rules and the envelope --------------------------------------------------------------------------------------


def _rule_entry(rule: Rule, style: Style) -> Iterator[str]:
    mark = style.changed if rule.severity.value == "warning" else style.bad
    yield f"  {style.bold(rule.id)}  {mark(rule.severity.value)}  {clean(rule.title)}"
    yield from _labelled("fix", rule.fix, style, indent=10)
    yield from _labelled("source", rule.source, style, indent=10)


def _one_rule(kind: Kind, rule: Rule, style: Style) -> Iterator[str]:
    mark = style.changed if rule.severity.value == "warning" else style.bad
    yield f"{style.bold(rule.id)}  {mark(rule.severity.value)}  {style.dim(kind.name)}"
    yield ""
    yield from _text(rule.title[:1].upper() + rule.title[1:] + ".")
    yield ""
    yield from _labelled("fix", rule.fix, style)
    yield from _labelled("source", rule.source, style)
    paths = fields_of(kind, rule)
    yield from _labelled("fields", "all" if len(paths) == len(kind.fields) else ", ".join(paths), style)
    yield from _legend(kind, [rule.source], style)


def _one_advice(rule: Rule, style: Style) -> Iterator[str]:
    yield f"{style.bold(rule.id)}  {style.changed(rule.severity.value)}  {style.dim('the same for every kind')}"
    yield ""
    yield from _text(rule.title[:1].upper() + rule.title[1:] + ".")
    yield ""
    yield from _labelled("fix", rule.fix, style)
    yield from _labelled("source", rule.source, style)
    yield from _labelled("needs", "metadata.hypothesis in the manifest", style)


def _legend(kind: Kind, sources: Sequence[str], style: Style) -> Iterator[str]:
    """Say what the marks of the sources mean, and which pages they name."""
    yield ""
    yield from _text(LEGEND, mark=style.dim)
    for mark, address in pages_of(kind, sources):
        yield from _labelled(mark, address, style, width=6)


def _envelope(topic: Envelope, style: Style) -> Iterator[str]:
    first, *rest = topic.rows
    tags = ", ".join((first.type, "required" if first.required else "optional"))
    yield style.bold(topic.path) + style.dim(f"  {tags}; the same for every kind")
    yield ""
    yield from _text(first.meaning)
    if first.limits or first.default:
        yield ""
    for label, text in (("limits", first.limits), ("default", first.default)):
        if text:
            yield from _labelled(label, text, style)
    if rest:
        yield ""
        yield style.bold("Keys") + style.dim("  (* required)")
        yield from _columns([_short_row(row) for row in rest], style)


# --- layout ------------------------------------------------------------------------------------------------------


def _text(text: str, indent: int = 2, mark: Callable[[str], str] = str) -> Iterator[str]:
    for line in textwrap.wrap(clean(text), WIDTH - indent, break_long_words=False, break_on_hyphens=False):
        yield " " * indent + mark(line)


def _labelled(label: str, text: str, style: Style, width: int = _LABEL, indent: int = 2) -> Iterator[str]:
    space = WIDTH - indent - width
    lines = textwrap.wrap(clean(text), space, break_long_words=False, break_on_hyphens=False) or [""]
    yield " " * indent + style.note(label.ljust(width)) + lines[0]
    yield from (" " * (indent + width) + line for line in lines[1:])


def _columns(
    rows: Iterable[Sequence[str]], style: Style, *, header: bool = False, indent: int = 2, below: bool = False
) -> Iterator[str]:
    """
    Give rows as columns of which the last wraps; verdicts are coloured, a header is dim.

    With `below` the last column stands under its row, which leaves more room to wide tables.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(len(row[index]) for row in cells) for index in range(len(cells[0]) - 1)]
    start = indent + 4 if below else indent + sum(widths) + 2 * len(widths)
    for number, row in enumerate(cells):
        last = textwrap.wrap(row[-1], max(WIDTH - start, _NARROWEST), break_long_words=False, break_on_hyphens=False)
        dim = style.dim if header and number == 0 else None
        head = "  ".join(_painted(cell.ljust(width), style, dim) for cell, width in zip(row, widths, strict=False))
        if below:
            yield " " * indent + head
            yield from (" " * start + style.dim(line) for line in last)
        else:
            yield " " * indent + head + "  " + (last[0] if last else "")
            yield from (" " * start + line for line in last[1:])


def _painted(cell: str, style: Style, mark: Callable[[str], str] | None) -> str:
    if mark is None:
        mark = {
            VERDICT[Verdict.IN_PLACE]: style.good,
            "allowed": style.good,
            VERDICT[Verdict.REPLACE]: style.changed,
            VERDICT[Verdict.NEVER]: style.bad,
            "blocked": style.bad,
            Evidence.ASSUMED.value: style.dim,
        }.get(cell.strip(), str)
    return mark(cell)
