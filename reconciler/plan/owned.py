"""
Whether the calls of a saved plan are the tool's own.

A saved plan is a file that others can write to on its way from the review to the apply, and its calls are sent with the
project's credentials. So each call has to be one that its kind makes: creates are made anew from the wanted spec and
compared whole, the others are held against the kind's own paths, methods, headers and keys for that remote id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Action, Call, Change, Purpose
from reconciler.platforms.base import Kind

MOST_CHARACTERS = 4 * 1024 * 1024
"""Of one call's body as JSON; the largest that a manifest can state is far below."""

_CHANGING = frozenset(Purpose) - {Purpose.CREATE, Purpose.DELETE}
_ENDING = frozenset(Purpose) - {Purpose.CREATE, Purpose.UPDATE, Purpose.START}
_PURPOSES = {
    Action.UPDATE: _CHANGING,
    Action.ADOPT: _CHANGING,
    Action.DELETE: _ENDING,
    Action.REPLACE: _ENDING,
}


def check_calls(change: Change, kind: Kind) -> None:
    """Raise PlanUnreadable, naming the call, unless every call of a change is one that the kind makes for it."""
    if change.platform != kind.platform:
        raise PlanUnreadable(f"{change.key} is said to be of {change.platform!r}, its kind is of {kind.platform!r}")
    creates = change.action in (Action.CREATE, Action.REPLACE)
    living = change.calls[: change.old_calls] if creates else change.calls
    for call in living:
        if call.purpose not in _PURPOSES.get(change.action, ()) or not _owned(call, change, kind):
            raise _foreign(call, change)
    if creates:
        _check_create(change.calls[change.old_calls :], change, kind)


def _owned(call: Call, change: Change, kind: Kind) -> bool:
    try:
        return len(_text(call.body)) <= MOST_CHARACTERS and kind.owns(call, change)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return False  # values of other types than any manifest can state


def _check_create(calls: Sequence[Call], change: Change, kind: Kind) -> None:
    spec = {key: value for key, value in (change.target or {}).items() if value is not None}
    try:
        own = kind.create_calls(spec)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise PlanUnreadable(f"{change.key}: what is wanted is no spec of {kind.name}") from None
    if len(own) != len(calls):
        raise PlanUnreadable(f"{change.key} has {len(calls)} calls where creating it takes {len(own)}")
    for call, made in zip(calls, own, strict=True):
        if _text(_parts(call)) != _text(_parts(made)):
            raise _foreign(call, change)


def _parts(call: Call) -> dict[str, Any]:
    return {
        "method": call.method,
        "path": call.path,
        "purpose": call.purpose.value,
        "query": dict(call.query),
        "headers": dict(call.headers),
        "body": call.body,
    }


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _foreign(call: Call, change: Change) -> PlanUnreadable:
    shown = json.dumps(call.line)[1:-1]
    shown = shown if len(shown) <= 200 else shown[:199] + "…"
    return PlanUnreadable(
        f"{change.key}: {shown} is no call that this version makes for that change; the plan file was changed by hand "
        "or made by another version, and nothing was sent"
    )
