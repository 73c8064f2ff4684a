"""Experiments over time in words: what a row of the drawing says to those who do not see it."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.model.change import Action
from reconciler.plan.schedules import Conflict, Schedule, Window
from reconciler.report.words import listed


def sentence(item: Schedule) -> str:
    """Give in words what the row of an experiment shows."""
    status = f" ({item.status})" if item.status else ""
    what = "not managed here" if item.key is None else "unchanged" if item.action is Action.NO_OP else item.action.value
    parts = [f"{item.title}{status}, {what}: {span(item.after if item.after else item.before)}"]
    if item.before and item.after and item.before != item.after:
        parts.append(f"it was {span(item.before)}")
    if item.ends:
        parts.append("the plan ends it")
    if item.editable_until:
        parts.append(f"everything can still be changed until {day(item.editable_until)}")
    if item.deadline:
        parts.append(f"the change has to be applied before {day(item.deadline)}")
    parts += [conflict_words(conflict) for conflict in item.conflicts]
    return "; ".join(parts)


def conflict_words(conflict: Conflict) -> str:
    """Give a conflict as words: with whom, about what, when."""
    return f"conflict with {conflict.other} about {shared_words(conflict)}"


def shared_words(conflict: Conflict) -> str:
    """Give as words what a conflict is about and when."""
    when = "" if conflict.window == Window() else f", {span(conflict.window)}"
    return f"{listed(conflict.entities, 3)}{when}"


def span(window: Window | None) -> str:
    """Give a window as words; `no dates` where nothing is known."""
    if window is None or (window.start is None and window.end is None):
        return "no dates"
    start = day(window.start) if window.start else "start not known"
    return f"{start} to {day(window.end) if window.end else 'open end'}"


def day(time: datetime) -> str:
    """Give a time to the minute, UTC: `2026-12-01 09:00 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
