"""
Time in expressions: days, moments with an offset, spans. There is no `now`: a plan must not change by itself.

Offsets are fixed (`+01:00`, `Z`); names of time zones are not known, since their rules differ between machines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from datetime import date as _Date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?\s*(Z|[+-]\d\d:\d\d)?")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_NO_NOW = "a plan must not change by itself: write a fixed date, or hand it in with --var"


class Wrong(ValueError):
    """An expression asks for something that does not go; the message says what, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, order=True)
class Span:
    """A length of time."""

    value: timedelta

    def __str__(self) -> str:
        return f"a span of {self.value}"


@dataclass(frozen=True, order=True)
class Day:
    """A day without a time and without an offset."""

    value: _Date

    def __str__(self) -> str:
        return self.value.isoformat()


@dataclass(frozen=True, order=True)
class Moment:
    """A moment, with the offset in which it is written."""

    value: datetime

    def __str__(self) -> str:
        return self.value.isoformat().replace("+00:00", "Z")


def attribute(value: Span | Day | Moment, name: str) -> object:
    """Give what `value.name` is in an expression; raises Wrong for a name that is not there."""
    if isinstance(value, Span):
        known: dict[str, object] = {
            "days": value.value // timedelta(days=1),
            "hours": value.value // timedelta(hours=1),
            "minutes": value.value // timedelta(minutes=1),
        }
    else:
        day = value.value
        known = {
            "iso": str(value),
            "year": day.year,
            "month": day.month,
            "day": day.day,
            "week": day.isocalendar().week,
            "weekday": WEEKDAYS[day.weekday()],
        }
        if isinstance(value, Moment):
            known |= {"date": Day(value.value.date()), "hour": value.value.hour, "minute": value.value.minute}
    if name not in known:
        what = "a span" if isinstance(value, Span) else "a date"
        raise Wrong(f'{what} has no "{name}"', f"it has {', '.join(known)}")
    return known[name]


# --- helpers that expressions call -----------------------------------------------------------------------------------


def date(text: object = None) -> Day | Moment:
    """Give the day or moment that ISO 8601 text states; a time needs an offset or Z."""
    if isinstance(text, Day | Moment):
        return text
    if text is None or (isinstance(text, str) and text.strip().lower() in ("", "now", "today")):
        raise Wrong("date() needs a date", _NO_NOW)
    if not isinstance(text, str):
        raise Wrong(f"date() takes text, and found {_told(text)}", 'write it like date("2026-12-01T09:00:00Z")')
    try:
        if _DAY.fullmatch(text):
            return Day(_Date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(f'"{text[:40]}" is no date', 'write it like date("2026-12-01T09:00:00Z")') from None
    if moment.tzinfo is None:
        raise Wrong(f'"{text[:40]}" has a time without an offset', "add Z or an offset such as +01:00")
    return Moment(moment)


def weeks(count: object) -> Span:
    """Give a span of weeks."""
    return _span("weeks", count)


def days(count: object) -> Span:
    """Give a span of days."""
    return _span("days", count)


def hours(count: object) -> Span:
    """Give a span of hours."""
    return _span("hours", count)


def minutes(count: object) -> Span:
    """Give a span of minutes."""
    return _span("minutes", count)


def next_weekday(start: object, weekday: object) -> Day | Moment:
    """Give the first such weekday after a date, never the date itself; the time of day stays."""
    begin = date(start)
    name = weekday.strip().lower() if isinstance(weekday, str) else ""
    if name not in WEEKDAYS:
        raise Wrong(f"{_told(weekday)} is no weekday", f"write one of {', '.join(WEEKDAYS)}")
    ahead = (WEEKDAYS.index(name) - begin.value.weekday() - 1) % 7 + 1
    moved = added(begin, Span(timedelta(days=ahead)))
    assert isinstance(moved, Day | Moment)
    return moved


def at(day: object, clock: object) -> Moment:
    """Give a date's day at a time of day; a day without an offset needs one in the time: `09:00+01:00`."""
    begin = date(day)
    match = _CLOCK.fullmatch(clock.strip()) if isinstance(clock, str) else None
    if match is None:
        raise Wrong(f"{_told(clock)} is no time of day", 'write it like "09:00" or "09:00+01:00"')
    if match[4]:
        zone = _offset(match[4])
    elif isinstance(begin, Moment):
        assert begin.value.tzinfo is not None
        zone = begin.value.tzinfo  # type: ignore[assignment]
    else:
        raise Wrong(f"{begin} has no offset, and the time has none", 'write the time like "09:00+01:00"')
    try:
        clock_time = time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError:
        raise Wrong(f"{_told(clock)} is no time of day", "hours go to 23, minutes to 59") from None
    return Moment(datetime.combine(begin.value, clock_time, zone))


def tz(moment: object, offset: object) -> Moment:
    """Give the same moment, written with another offset."""
    begin = date(moment)
    if not isinstance(begin, Moment):
        raise Wrong(f"{begin} is a day; it has no offset to change", 'use at(day, "09:00+01:00")')
    try:
        return Moment(begin.value.astimezone(_offset(offset)))
    except OverflowError:
        raise Wrong("the date is out of range") from None


HELPERS = {
    "at": at,
    "date": date,
    "days": days,
    "hours": hours,
    "minutes": minutes,
    "next_weekday": next_weekday,
    "tz": tz,
    "weeks": weeks,
}


# --- arithmetic ------------------------------------------------------------------------------------------------------


def added(left: Day | Moment | Span, right: Day | Moment | Span) -> Day | Moment | Span:
    """Give a date or span plus a span; raises Wrong for two dates, and past the calendar's end."""
    if isinstance(right, Day | Moment):
        left, right = right, left
    if not isinstance(right, Span):
        raise Wrong("two dates cannot be added", "add a span: days(14)")
    try:
        if isinstance(left, Span):
            return Span(left.value + right.value)
        if isinstance(left, Moment):
            return Moment(left.value + right.value)
        if right.value % timedelta(days=1):
            raise Wrong(f"{left} is a day without a time, so only whole days can be added", "use at(day, time) first")
        return Day(left.value + right.value)
    except OverflowError:
        raise Wrong("the date is out of range") from None


def taken(left: Day | Moment | Span, right: Day | Moment | Span) -> Day | Moment | Span:
    """Give a date or span minus a span, or the span between two dates of one sort."""
    if isinstance(right, Span):
        return added(left, Span(-right.value))
    if isinstance(left, Moment) and isinstance(right, Moment):
        return Span(left.value - right.value)
    if isinstance(left, Day) and isinstance(right, Day):
        return Span(left.value - right.value)
    raise Wrong("these two cannot be subtracted", "take a span from a date, or a date from one of the same sort")


def _span(unit: str, count: object) -> Span:
    if isinstance(count, bool) or not isinstance(count, int | float):
        raise Wrong(f"{unit}() takes a number, and found {_told(count)}")
    try:
        return Span(timedelta(**{unit: count}))
    except (OverflowError, ValueError):
        raise Wrong(f"{unit}() takes a number that a calendar can hold") from None


def _offset(text: object) -> timezone:
    if text in ("Z", "UTC"):
        return UTC
    match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[3]) > 59 or int(match[2]) > 14:
        raise Wrong(f"{_told(text)} is no offset", 'write "+01:00" or "Z"; names of time zones are not known here')
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-size if match[1] == "-" else size)


def _told(value: object) -> str:
    if isinstance(value, str):
        return f'"{value[:40]}"'
    if isinstance(value, bool | int | float):
        return str(value).lower()[:40]
    return "nothing" if value is None else str(value)[:40] if isinstance(value, Span | Day | Moment) else "a collection"
