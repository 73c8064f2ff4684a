"""What changed inside one field, as rows of a Markdown table: field, before, after."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.detail import MISSING, Detail
from reconciler.report.fields_text import two_sides
from reconciler.report.markdown_escape import NOTHING_SHOWN
from reconciler.report.markdown_fit import name, shown_text, value
from reconciler.report.words import counted


def inner_rows(path: str, inner: Sequence[Detail], most: int, limit: int) -> list[list[str]]:
    """
    Give a row for each list that gained or lost items, and for each inner path, at most `most` of either.

    `path` is the field's own; values are shown with about `limit` characters.
    """
    rows: list[list[str]] = []
    lists: dict[str, list[Detail]] = {}
    for detail in inner:
        if detail.item:
            lists.setdefault(detail.path, []).append(detail)
    for below, details in lists.items():
        gone = [detail.before for detail in details if detail.after is MISSING]
        new = [detail.after for detail in details if detail.before is MISSING]
        at = name(_below(path, below), 120)
        rows.append([at, _bag("without", gone, most, limit), _bag("with", new, most, limit)])
    paths = [detail for detail in inner if not detail.item]
    for detail in paths[:most]:
        was = None if detail.before is MISSING else detail.before
        before, after = two_sides(was, None if detail.after is MISSING else detail.after, limit)
        before = NOTHING_SHOWN if detail.before is MISSING else shown_text(before)
        after = "*removed*" if detail.after is MISSING else shown_text(after)
        rows.append([name(_below(path, detail.path), 120), before, after])
    if len(paths) > most:
        rows.append([name(path, 100), " ", f"and {counted(len(paths) - most, 'more difference')}"])
    return rows


def _below(path: str, inner: str) -> str:
    return path if not inner else f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


def _bag(word: str, items: Sequence[object], most: int, limit: int) -> str:
    shown = items if len(items) <= most + 1 else items[:most]
    rest = len(items) - len(shown)
    listed = ", ".join(value(item, limit) for item in shown)
    return f"{word} {listed}{f' and {rest:,} more' if rest else ''}" if items else " "
