"""One experiment of a plan as Markdown, at four levels of detail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.model.change import Action, Call, Change, FieldChange, Severity
from reconciler.model.resource import Desired
from reconciler.report.affected import affected
from reconciler.report.body import body_lines, target_of
from reconciler.report.clean import clean, shortened
from reconciler.report.detail import inner_changes
from reconciler.report.field_rows import inner_rows
from reconciler.report.fields_text import two_sides
from reconciler.report.markdown_escape import NOTHING_SHOWN, table
from reconciler.report.markdown_fit import fenced, name, names, said, shown_text
from reconciler.report.words import counted, left, moment

ALL, CALLS, CONTEXT, LINE, LEFT_OUT = range(5)
"""Everything; without the calls; without the context too; one line; nothing."""
LEVELS = LEFT_OUT
_VALUE = {ALL: 160, CALLS: 160, CONTEXT: 48}
_ROWS = {ALL: 100, CALLS: 60, CONTEXT: 12}
_ITEMS = {ALL: 40, CALLS: 40, CONTEXT: 6}
_SENTENCES = {ALL: 12, CALLS: 12, CONTEXT: 4}
_BODY = 12_000
"""Characters of a call's body that are shown."""
_CALLS = 12


def kept(change: Change) -> int:
    """Give how soon a change loses its details: what ends or is blocked last, what is only recorded first."""
    if change.action is Action.BLOCKED:
        return 1
    if change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields):
        return 0
    if any(item.severity is Severity.INVALIDATES for item in change.fields):
        return 2
    return 4 if change.action in (Action.ADOPT, Action.FORGET) else 3


def change_part(change: Change, now: datetime, wanted: Desired | None, level: int) -> str:
    """
    Give one experiment's part, with the empty line that ends it; `level` is ALL, CALLS, CONTEXT or LINE.

    `now` is the moment from which the time left is counted.
    """
    if level == LINE:
        return f"- {_title(change)}{_why(change)}\n\n"
    lines = [f"<details><summary>{_title(change)}</summary>", "", *_about(change, now, wanted, level)]
    lines += [*_fields(change, level), *_calls(change, level), "</details>", "", ""]
    return "\n".join(lines)


# --- parts -----------------------------------------------------------------------------------------------------------


def _title(change: Change) -> str:
    word = _word(change.action)
    meant = f" ({_word(change.intent)})" if change.intent and change.action is Action.BLOCKED else ""
    extent = [counted(len(change.fields), "field")] if change.fields else []
    extent += [counted(len(change.calls), "call")] if change.calls else []
    severities = {item.severity for item in change.fields}
    danger = ""
    if change.action is not Action.BLOCKED:
        if change.destroys or Severity.DESTRUCTIVE in severities:
            danger = " – <b>cannot be undone</b>"
        elif Severity.INVALIDATES in severities:
            danger = " – <b>results do not compare any more</b>"
    drifted = " – takes back a change by hand" if any(item.drifted for item in change.fields) else ""
    tail = f" – {', '.join(extent)}" if extent else ""
    return f"<b>{word}</b>{meant} {name(str(change.key))}{tail}{danger}{drifted}"


def _word(action: Action) -> str:
    return "end" if action is Action.DELETE else action.value


def _why(change: Change) -> str:
    sentence = next(iter((*reversed(change.reasons), *change.warnings)), "")
    return f": {said(sentence, 120)}" if sentence else ""


def _about(change: Change, now: datetime, wanted: Desired | None, level: int) -> Iterator[str]:
    about = [f"id {name(change.remote_id, 80)}"] if change.remote_id else []
    about += [said(change.status, 40)] if change.status else []
    about += [f"connection {name(change.connection, 60)}"]
    if wanted is not None and wanted.location.file:
        place = wanted.location
        about.append(f"manifest {name(f'{place.file}:{place.line}' if place.line else place.file, 160)}")
    yield ", ".join(about)
    yield ""
    most = _SENTENCES[level]
    label = "Blocked" if change.action is Action.BLOCKED else "Because"
    lines = [f"- **{label}:** {said(reason)}" for reason in change.reasons[:most]]
    lines += [f"- **Warning:** {said(warning)}" for warning in change.warnings[:most]]
    rest = max(len(change.reasons) - most, 0) + max(len(change.warnings) - most, 0)
    lines += [f"- and {counted(rest, 'more', 'more')}"] if rest else []
    if change.valid_until and change.action is not Action.BLOCKED:
        lines.append(f"- **Closes:** {moment(change.valid_until)} ({left(change.valid_until, now)})")
    if change.moved_from:
        lines.append(f"- **Was:** {name(change.moved_from)}; its record moves along")
    if level < CONTEXT:
        lines += _context(change, wanted)
    if lines:
        yield from lines
        yield ""


def _context(change: Change, wanted: Desired | None) -> Iterator[str]:
    if change.after:
        yield f"- **Waits for:** {names([str(key) for key in change.after])}"
    spec: dict[str, Any] = {**change.expected, **(change.target or (wanted.spec if wanted else {}))}
    whom = affected(spec)
    if whom:
        yield f"- **Affects:** {'; '.join(f'{word} {names(values)}' for word, values in whom)}"
    if wanted is not None and wanted.labels:
        labels = [f"{label}: {text}" for label, text in sorted(wanted.labels.items())]
        yield f"- **Labels:** {names(labels)}"


# --- fields ----------------------------------------------------------------------------------------------------------


def _fields(change: Change, level: int) -> Iterator[str]:
    if not change.fields:
        return
    meant, most = change.intent or change.action, _ROWS[level]
    creates = meant is Action.CREATE and all(item.before is None for item in change.fields)
    rows: list[list[str]] = []
    shown = 0
    for item in change.fields:
        if len(rows) >= most:
            break
        rows += _rows(item, change, meant, level)
        shown += 1
    marked = any(row[3] for row in rows)
    header = ["field", *(["value"] if creates else ["now", "after"]), *(["note"] if marked else [])]
    cells = [[row[0], *(row[2:3] if creates else row[1:3]), *(row[3:] if marked else [])] for row in rows]
    if marked:
        cells = [[*row[:-1], row[-1] or " "] for row in cells]
    yield from table(header, cells)
    yield ""
    if shown < len(change.fields):
        yield f"and {counted(len(change.fields) - shown, 'more field')}."
        yield ""


def _rows(item: FieldChange, change: Change, meant: Action, level: int) -> list[list[str]]:
    """Give the rows of one field: field, now, after, note; a list or an object gives one for each inner path."""
    path, notes, limit = name(item.path, 100), _notes(item, change, meant), _VALUE[level]
    inner = inner_changes(item.before, item.after)
    if not inner:
        before, after = two_sides(item.before, item.after, limit)
        before = NOTHING_SHOWN if item.before is None else shown_text(before)
        after = ("*removed*" if item.path.endswith("]") else "*cleared*") if item.after is None else shown_text(after)
        return [[path, before, after, notes]]
    rows = inner_rows(item.path, inner, _ITEMS[level], limit)
    return [[*row, "" if number else notes] for number, row in enumerate(rows)]


def _notes(item: FieldChange, change: Change, meant: Action) -> str:
    notes: list[str] = []
    if meant is Action.REPLACE and (not item.allowed or item.severity is Severity.DESTRUCTIVE):
        notes.append("**forces the replace**")
    elif not item.allowed:
        notes.append("**not allowed**")
    elif item.severity is Severity.DESTRUCTIVE:
        notes.append("**cannot be undone**")
    elif item.severity is Severity.INVALIDATES:
        notes.append("**results do not compare any more**")
    if item.drifted:
        notes.append("changed outside of this tool")
    if item.reason and not any(item.reason in reason for reason in change.reasons):
        notes.append(said(item.reason, 200))
    return ", ".join(notes)


# --- calls -----------------------------------------------------------------------------------------------------------


def _calls(change: Change, level: int) -> Iterator[str]:
    if change.action in (Action.ADOPT, Action.FORGET) and not change.calls:
        yield "No call: only the record is dropped." if change.action is Action.FORGET else "No call: it is recorded."
        yield ""
    if level > ALL or not change.calls:
        return
    yield f"<details><summary>{counted(len(change.calls), 'call')}</summary>"
    yield ""
    for number, call in enumerate(change.calls[:_CALLS], 1):
        which = "" if not change.old_calls else ", the old one" if number <= change.old_calls else ", the new one"
        yield f"{number}. {call.purpose.value}{which}:"
        yield ""
        yield from fenced(_call(call), "http")
        yield ""
    if len(change.calls) > _CALLS:
        yield f"and {counted(len(change.calls) - _CALLS, 'more call')}."
        yield ""
    yield "</details>"
    yield ""


def _call(call: Call) -> list[str]:
    lines = [shortened(f"{clean(call.method)} {target_of(call)}", 2000)]
    lines += [shortened(f"{clean(str(key))}: {clean(str(text))}", 500) for key, text in call.headers.items()]
    if call.body is None:
        return lines
    lines.append("")
    used = 0
    body = body_lines(call.body, 0, 100)
    for index, line in enumerate(body):
        if used + len(line) > _BODY:
            return [*lines, f"... {counted(len(body) - index, 'more line')} of this body, see the plan as JSON"]
        used += len(line)
        lines.append(line)
    return lines
