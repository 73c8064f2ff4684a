"""Field changes and calls as the values that the HTML templates show: text in pieces, the pieces that differ marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from reconciler.model.change import Action, Call, Change, FieldChange, Severity
from reconciler.plan.drift import FieldDrift
from reconciler.report.body import body_lines, target_of
from reconciler.report.clean import as_json, clean, shortened
from reconciler.report.detail import MISSING, Detail, inner_changes
from reconciler.report.words import counted

VALUE = 2_000
"""Characters shown of one value; the JSON report holds all of it."""
ITEMS = 150
"""Differences shown inside one field; the JSON report holds all of them."""
BODY = 60_000
"""Characters shown of one call's body; the JSON plan holds all of it."""

Pieces: TypeAlias = tuple[tuple[str, bool], ...]
"""A value's text in pieces, each with whether it is what differs."""
NOT_SET: Pieces = (("not set", False),)
CLEARED: Pieces = (("cleared", False),)


@dataclass(frozen=True, slots=True)
class Badge:
    """A short mark with its look (a CSS class)."""

    text: str
    look: str


@dataclass(frozen=True, slots=True)
class Part:
    """
    One difference inside a field: `sign` is +, - or ~; `before` and `after` are empty where there is none.

    `item` says that it is an item of a plain list, of which many stand on a line.
    """

    sign: str
    path: str
    before: Pieces = ()
    after: Pieces = ()
    item: bool = False


@dataclass(frozen=True, slots=True)
class FieldView:
    """
    One row of a table of fields: either two values, or the differences inside.

    `blank_before` and `blank_after` say that the text stands for no value; `more` counts the parts left out.
    """

    path: str
    before: Pieces = ()
    after: Pieces = ()
    blank_before: bool = False
    blank_after: bool = False
    tally: str = ""
    parts: tuple[Part, ...] = ()
    more: int = 0
    badges: tuple[Badge, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallView:
    """One call: `what` is its purpose in words, `body` its JSON, empty where it has none."""

    number: int
    what: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str


def change_fields(change: Change) -> tuple[FieldView, ...]:
    """Give every field change of an experiment; a reason that the experiment gives already is not said again."""
    meant = change.intent or change.action
    return tuple(_field(item, change, meant) for item in change.fields)


def drift_fields(fields: Sequence[FieldDrift]) -> tuple[FieldView, ...]:
    """Give every field that moved, applied on the left, live on the right."""
    return tuple(_sides(item.path, item.applied, item.live) for item in fields)


def call_views(change: Change) -> tuple[CallView, ...]:
    """Give every call of an experiment, those of a replace with which experiment they are for."""
    return tuple(_call(call, number, change.old_calls) for number, call in enumerate(change.calls, 1))


# --- fields ----------------------------------------------------------------------------------------------------------


def _field(item: FieldChange, change: Change, meant: Action) -> FieldView:
    said = item.reason and any(item.reason in reason for reason in change.reasons)
    return _sides(item.path, item.before, item.after, tuple(_badges(item, meant)), "" if said else item.reason or "")


def _badges(item: FieldChange, meant: Action) -> Iterator[Badge]:
    if meant is Action.REPLACE and (not item.allowed or item.severity is Severity.DESTRUCTIVE):
        yield Badge("forces the replace", "alarm")
    elif not item.allowed:
        yield Badge("not allowed", "alarm")
    elif item.severity is Severity.DESTRUCTIVE:
        yield Badge("destructive: cannot be undone", "alarm")
    elif item.severity is Severity.INVALIDATES:
        yield Badge("invalidates results", "warn")
    if item.drifted:
        yield Badge("changed outside of this tool", "note")


def _sides(path: str, before: Any, after: Any, badges: tuple[Badge, ...] = (), reason: str = "") -> FieldView:
    path, reason = clean(path), clean(reason)
    if inner := inner_changes(before, after):
        shown = inner if len(inner) <= ITEMS + 1 else inner[:ITEMS]
        parts = tuple(_part(item) for item in shown)
        more = len(inner) - len(shown)
        return FieldView(path, tally=_tally(inner), parts=parts, more=more, badges=badges, reason=reason)
    if before is None or after is None:
        return FieldView(
            path,
            NOT_SET if before is None else _whole(before),
            CLEARED if after is None else _whole(after),
            before is None,
            after is None,
            badges=badges,
            reason=reason,
        )
    was, now = two_sides(before, after)
    return FieldView(path, was, now, badges=badges, reason=reason)


def two_sides(before: Any, after: Any) -> tuple[Pieces, Pieces]:
    """Give two values as text in pieces; of two texts only the middle that differs is marked."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return _whole(before, differs=True), _whole(after, differs=True)
    was, now = as_json(before), as_json(after)
    shortest = min(len(was), len(now))
    front = next((index for index in range(shortest) if was[index] != now[index]), shortest)
    back = next((index for index in range(shortest - front) if was[-1 - index] != now[-1 - index]), shortest - front)
    if front + back < shortest // 3:
        return _whole(before, differs=True), _whole(after, differs=True)
    return _marked(was, front, back), _marked(now, front, back)


def _marked(text: str, front: int, back: int) -> Pieces:
    end = len(text) - back
    pieces = ((text[:front], False), (text[front:end], True), (text[end:], False))
    return tuple((shortened(piece, VALUE // 3), differs) for piece, differs in pieces if piece)


def _whole(value: Any, *, differs: bool = False) -> Pieces:
    return ((shortened(as_json(value), VALUE), differs),)


def _part(item: Detail) -> Part:
    path = clean(item.path)
    if item.before is MISSING:
        return Part("+", path, after=_whole(item.after), item=item.item)
    if item.after is MISSING:
        return Part("-", path, before=_whole(item.before), item=item.item)
    before, after = two_sides(item.before, item.after)
    return Part("~", path, before, after)


def _tally(inner: Sequence[Detail]) -> str:
    added = sum(1 for item in inner if item.before is MISSING)
    removed = sum(1 for item in inner if item.after is MISSING)
    counts = ((len(inner) - added - removed, "changed"), (added, "added"), (removed, "removed"))
    return ", ".join(f"{number:,} {word}" for number, word in counts if number)


# --- calls -----------------------------------------------------------------------------------------------------------


def _call(call: Call, number: int, old_calls: int) -> CallView:
    which = "" if not old_calls else " the old one" if number <= old_calls else " the new one"
    body = "" if call.body is None else "\n".join(body_lines(call.body, 0, 100))
    if len(body) > BODY:
        body = f"{body[:BODY]}\n… {counted(len(body), 'character')} in all; the JSON plan holds the whole body"
    return CallView(
        number,
        call.purpose.value + which,
        clean(call.method),
        target_of(call),
        tuple((clean(str(key)), clean(str(value))) for key, value in call.headers.items()),
        body,
    )
