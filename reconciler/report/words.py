"""The words of the reports: actions, results, numbers, times, and lines that wrap."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from reconciler.model.change import Action
from reconciler.model.outcome import Result
from reconciler.model.time import iso
from reconciler.report.clean import clean
from reconciler.report.style import Style

WIDTH = 110
"""Columns that wrapped lines keep to; ids, paths and long words go beyond rather than being cut."""

SYMBOL = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: ">",
    Action.FORGET: ".",
    Action.NO_OP: "=",
    Action.BLOCKED: "!",
}

DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "ended",
    Action.ADOPT: "adopted",
    Action.FORGET: "forgotten",
    Action.NO_OP: "recorded",
    Action.BLOCKED: "blocked",
}

RESULT = {
    Result.DONE: "done",
    Result.UNCHANGED: "already so",
    Result.STALE: "stale",
    Result.FAILED: "failed",
    Result.SKIPPED: "held back",
    Result.BLOCKED: "blocked",
    Result.NOT_TRIED: "not tried",
}


def action_style(action: Action, style: Style) -> Callable[[str], str]:
    """Give how an action's symbol and word are marked."""
    match action:
        case Action.CREATE:
            return style.good
        case Action.UPDATE:
            return style.changed
        case Action.REPLACE | Action.DELETE:
            return style.bad
        case Action.BLOCKED:
            return style.alarm
        case Action.ADOPT | Action.FORGET | Action.NO_OP:
            return style.note


def counted(number: int, one: str, many: str = "") -> str:
    """Give a number with its noun: `1 call`, `2 calls`, `4,000 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str], limit: int = 10) -> str:
    """Give words in a row, at most `limit` of them, and how many more there are."""
    every = list(words)
    shown = every[:limit] if len(every) > limit + 1 else every
    rest = len(every) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")


def spell_minutes(minutes: float) -> str:
    """Give a number of minutes, rounded up: `1 min`, `2 h 5 min`."""
    whole = max(int(-(-minutes // 1)), 1)
    hours, rest = divmod(whole, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def left(until: datetime, now: datetime) -> str:
    """Give the time left as two units at most: `24 days left`, `3 h 5 min left`, or `passed`."""
    span = until - now
    if span <= timedelta(0):
        return "passed"
    minutes = int(span.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days >= 3:
        return f"{days} days left"
    if days:
        return f"{counted(days, 'day')} {hours} h left" if hours else f"{counted(days, 'day')} left"
    if hours:
        return f"{hours} h {minutes % 60} min left" if minutes % 60 else f"{hours} h left"
    return f"{minutes} min left" if minutes else "less than a minute left"


def moment(value: datetime) -> str:
    """Give a time as people and programs both read it."""
    return iso(value)


def wrapped(label: str, sentence: str, indent: int, mark: Callable[[str], str] = str) -> list[str]:
    """
    Give `label: sentence` as lines, the later ones indented below the first word.

    The sentence comes from outside and is cleaned; `mark` colours the label alone.
    """
    head = f"{label}: " if label else ""
    body = textwrap.wrap(
        clean(sentence),
        max(WIDTH - indent - len(head), 40),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
    space = " " * indent
    first = space + (mark(head[:-1]) + " " if head else "") + body[0]
    return [first, *(space + " " * len(head) + line for line in body[1:])]
