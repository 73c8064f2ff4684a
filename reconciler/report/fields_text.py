"""The field changes of one experiment as lines: what was, what will be, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.model.change import Action, Change, FieldChange, Severity
from reconciler.report.body import filled
from reconciler.report.clean import as_json, clean, short, shortened
from reconciler.report.detail import MISSING, Detail, inner_changes
from reconciler.report.style import Style
from reconciler.report.words import WIDTH, counted, wrapped

PAD = 48
"""Paths are padded to the longest of the experiment, up to this."""
PATHS = 20
"""Inner paths shown of one field; its call and the plan's JSON hold all of them."""
ITEMS = 100
"""Items shown of those that come, and of those that go; the plan's JSON holds all of them."""
VALUE = 160
"""Characters shown of one value; the call below holds all of it."""
WHOLE = 10**9


def field_lines(change: Change, style: Style, *, verbose: bool = False, indent: int = 4) -> list[str]:
    """
    Give every field change of an experiment, `path: before -> after`, with marks for what needs thought.

    A create shows `path: value`. A field's own reason is left out where the experiment's reasons hold it already.
    """
    fields, meant = change.fields, change.intent or change.action
    pad = padding([item.path for item in fields])
    lines: list[str] = []
    for item in fields:
        lines += _field(item, meant, style, verbose=verbose, indent=indent, pad=pad)
        if item.reason and not any(item.reason in reason for reason in change.reasons):
            lines += wrapped("not allowed", item.reason, indent + 2, style.bad)
    return lines


def padding(paths: Sequence[str]) -> int:
    """Give the width to which paths are padded, with their colon and a space."""
    return min(max((len(path) for path in paths), default=0), PAD) + 2


def change_lines(head: str, before: str, after: str, style: Style, marks: str = "", start: int = 0) -> list[str]:
    """
    Give `head before -> after`, on two lines where one would be too long.

    `start` is the column where the values begin, when `head` holds colours.
    """
    start, length = start or len(head), len(before) + len(after)
    was, now = style.bad(before), style.good(after)
    if start + length + 4 <= WIDTH or length < WIDTH // 2:
        return [f"{head}{was} -> {now}{marks}"]
    return [f"{head}{was}", f"{' ' * (min(start, PAD + 8) - 3)}-> {now}{marks}"]


def two_sides(before: Any, after: Any, limit: int = VALUE) -> tuple[str, str]:
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


def inner_lines(inner: Sequence[Detail], style: Style, indent: int, *, verbose: bool = False) -> list[str]:
    """Give the differences inside a field: items that come and go several to a line, inner paths one a line."""
    limit = WHOLE if verbose else VALUE
    most = len(inner) if verbose else ITEMS
    most_paths = len(inner) if verbose else PATHS
    lists: dict[str, list[Detail]] = {}
    for item in inner:
        if item.item:
            lists.setdefault(item.path, []).append(item)
    lines: list[str] = []
    for path, items in lists.items():
        removed = [short(item.before, limit) for item in items if item.after is MISSING]
        added = [short(item.after, limit) for item in items if item.before is MISSING]
        lines += _bag("-", path, removed, most, style.bad, indent)
        lines += _bag("+", path, added, most, style.good, indent)
    paths = [item for item in inner if not item.item]
    shown = paths if len(paths) <= most_paths + 1 else paths[:most_paths]
    for item in shown:
        lines += _path(item, style, indent, limit)
    if len(shown) < len(paths):
        lines.append(f"{' ' * indent}... and {counted(len(paths) - len(shown), 'more difference')}")
    return lines


# --- parts -----------------------------------------------------------------------------------------------------------


def _field(item: FieldChange, meant: Action, style: Style, *, verbose: bool, indent: int, pad: int) -> list[str]:
    head = " " * indent + f"{clean(item.path)}: ".ljust(pad)
    marks = _marks(item, meant, style)
    limit = WHOLE if verbose else VALUE
    if meant is Action.CREATE and item.before is None:
        return [f"{head}{short(item.after, limit)}{marks}"]
    inner = inner_changes(item.before, item.after)
    if inner:
        return [f"{head}{_tally(inner)}{marks}", *inner_lines(inner, style, indent + 2, verbose=verbose)]
    before, after = two_sides(item.before, item.after, limit)
    if item.path.endswith("]") and item.before is None:
        return [f"{head}{style.good(f'+ {after}')}{marks}"]
    if item.path.endswith("]") and item.after is None:
        return [f"{head}{style.bad(f'- {before}')}{marks}"]
    before = "(not set)" if item.before is None else before
    after = "(cleared)" if item.after is None else after
    return change_lines(head, before, after, style, marks)


def _marks(item: FieldChange, meant: Action, style: Style) -> str:
    marks = []
    if meant is Action.REPLACE and (not item.allowed or item.severity is Severity.DESTRUCTIVE):
        marks.append(style.alarm("[forces the replace]"))
    elif not item.allowed:
        marks.append(style.alarm("[not allowed]"))
    elif item.severity is Severity.DESTRUCTIVE:
        marks.append(style.alarm("[destructive: cannot be undone]"))
    elif item.severity is Severity.INVALIDATES:
        marks.append(style.changed("[invalidates results]"))
    if item.drifted:
        marks.append(style.note("[changed outside of this tool]"))
    return "".join(f"  {mark}" for mark in marks)


def _window(text: str, start: int, end: int, limit: int) -> str:
    middle = shortened(text[start : len(text) - end], limit)
    return (f"[{start:,} alike]..." if start else "") + middle + (f"...[{end:,} alike]" if end else "")


def _tally(inner: Sequence[Detail]) -> str:
    added = sum(1 for item in inner if item.before is MISSING)
    removed = sum(1 for item in inner if item.after is MISSING)
    changed = len(inner) - added - removed
    counts = ((changed, "changed"), (added, "added"), (removed, "removed"))
    return ", ".join(f"{number:,} {word}" for number, word in counts if number)


def _path(item: Detail, style: Style, indent: int, limit: int) -> list[str]:
    name, space = clean(item.path), " " * indent
    if item.before is MISSING:
        return [f"{space}{style.good('+')} {name}: {style.good(short(item.after, limit))}"]
    if item.after is MISSING:
        return [f"{space}{style.bad('-')} {name}: {style.bad(short(item.before, limit))}"]
    before, after = two_sides(item.before, item.after, limit)
    return change_lines(f"{space}{style.changed('~')} {name}: ", before, after, style, start=indent + len(name) + 4)


def _bag(symbol: str, path: str, items: Sequence[str], most: int, mark: Callable[[str], str], indent: int) -> list[str]:
    """Give the items of a list that come or go, several to a line."""
    shown = items if len(items) <= most + 1 else items[:most]
    rest = len(items) - len(shown)
    head = f"{symbol} {clean(path)}: " if path else f"{symbol} "
    texts = [*shown, *([f"... and {rest:,} more"] if rest else [])]
    return [
        " " * indent + (mark(head[:-1]) + " " if not index else " " * len(head)) + mark(line)
        for index, line in enumerate(filled(texts, WIDTH - indent - len(head)))
    ]
