"""The field changes of one experiment as lines: what was, what will be, and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.model.change import FieldChange, Severity
from reconciler.report.clean import as_json, clean, short, shortened
from reconciler.report.detail import MISSING, Detail, inner_changes
from reconciler.report.style import Style
from reconciler.report.words import WIDTH, counted, wrapped

PAD = 32
"""Paths are padded to the longest of the experiment, up to this."""
ITEMS = 20
"""Items and inner paths shown of one field; the call below holds all of them."""
VALUE = 160
"""Characters shown of one value; the call below holds all of it."""


def field_lines(
    fields: Sequence[FieldChange],
    reasons: Sequence[str],
    style: Style,
    *,
    creating: bool,
    verbose: bool,
    indent: int = 4,
) -> list[str]:
    """
    Give every field change, `path: before -> after`, with marks for what needs thought.

    A create shows `path: value`. A field's own reason is left out where `reasons` of the experiment hold it already.
    """
    pad = min(max((len(item.path) for item in fields), default=0), PAD) + 2
    lines: list[str] = []
    for item in fields:
        lines += _field(item, style, creating=creating, verbose=verbose, indent=indent, pad=pad)
        if item.reason and not any(item.reason in reason for reason in reasons):
            lines += wrapped("not allowed", item.reason, indent + 2, style.bad)
    return lines


def _field(item: FieldChange, style: Style, *, creating: bool, verbose: bool, indent: int, pad: int) -> list[str]:
    head = " " * indent + f"{clean(item.path)}:".ljust(pad)
    marks = _marks(item, style)
    limit = 10**9 if verbose else VALUE
    if creating and item.before is None:
        return [f"{head}{short(item.after, limit)}{marks}"]
    inner = inner_changes(item.before, item.after)
    if inner:
        return [f"{head}{_tally(inner)}{marks}", *_inner(inner, style, indent + 2, verbose=verbose)]
    before, after = two_sides(item.before, item.after, limit)
    if item.path.endswith("]") and item.before is None:
        return [f"{head}{style.good(f'+ {after}')}{marks}"]
    if item.path.endswith("]") and item.after is None:
        return [f"{head}{style.bad(f'- {before}')}{marks}"]
    if item.after is None:
        after = "(cleared)"
    if item.before is None:
        before = "(not set)"
    return change_lines(head, style.bad(before), style.good(after), len(before) + len(after), marks)


def change_lines(head: str, before: str, after: str, length: int, marks: str) -> list[str]:
    """Give `head before -> after`, on two lines where one would be too long; `length` is that of the bare values."""
    if len(head) + length + 4 <= WIDTH or length < WIDTH // 2:
        return [f"{head}{before} -> {after}{marks}"]
    return [f"{head}{before}", f"{' ' * (len(head) - 3)}-> {after}{marks}"]


def two_sides(before: Any, after: Any, limit: int) -> tuple[str, str]:
    """Give both sides on a line each; of long text only the part that differs, with a little of what surrounds it."""
    was, now = as_json(before), as_json(after)
    if max(len(was), len(now)) <= limit:
        return was, now
    if not (isinstance(before, str) and isinstance(after, str)):
        return shortened(was, limit), shortened(now, limit)
    shortest = min(len(was), len(now))
    front = next((index for index in range(shortest) if was[index] != now[index]), shortest)
    back = next((index for index in range(shortest - front) if was[-1 - index] != now[-1 - index]), shortest - front)
    start, end = max(front - 20, 0), max(back - 20, 0)
    return _window(was, start, end, limit), _window(now, start, end, limit)


def _window(text: str, start: int, end: int, limit: int) -> str:
    middle = shortened(text[start : len(text) - end], limit)
    return (f"[{start:,} alike]..." if start else "") + middle + (f"...[{end:,} alike]" if end else "")


def _tally(inner: Sequence[Detail]) -> str:
    added = sum(1 for item in inner if item.before is MISSING)
    removed = sum(1 for item in inner if item.after is MISSING)
    changed = len(inner) - added - removed
    parts = [f"{changed:,} changed"] if changed else []
    parts += [f"{added:,} added"] if added else []
    parts += [f"{removed:,} removed"] if removed else []
    return ", ".join(parts)


def _inner(inner: Sequence[Detail], style: Style, indent: int, *, verbose: bool) -> list[str]:
    shown = inner if verbose or len(inner) <= ITEMS + 1 else inner[:ITEMS]
    limit = 10**9 if verbose else VALUE
    space = " " * indent
    lines = []
    for item in shown:
        path = f"{clean(item.path)}: " if item.path else ""
        if item.before is MISSING:
            lines.append(f"{space}{style.good('+')} {path}{style.good(short(item.after, limit))}")
        elif item.after is MISSING:
            lines.append(f"{space}{style.bad('-')} {path}{style.bad(short(item.before, limit))}")
        else:
            before, after = two_sides(item.before, item.after, limit)
            head = f"{space}{style.changed('~')} {path}"
            lines += [f"{head}{style.bad(before)} -> {style.good(after)}"]
    if len(shown) < len(inner):
        lines.append(f"{space}... and {counted(len(inner) - len(shown), 'more difference')}")
    return lines


def _marks(item: FieldChange, style: Style) -> str:
    marks = []
    if not item.allowed:
        marks.append(style.alarm("[not allowed]"))
    if item.severity is Severity.DESTRUCTIVE:
        marks.append(style.alarm("[destructive: cannot be undone]"))
    elif item.severity is Severity.INVALIDATES:
        marks.append(style.changed("[invalidates results]"))
    if item.drifted:
        marks.append(style.note("[changed outside of this tool]"))
    return "".join(f"  {mark}" for mark in marks)
