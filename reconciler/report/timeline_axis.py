"""The axis of the drawing of experiments over time: moments to places, windows to bars, dates where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.plan.schedules import Schedule

WIDTH = 1000
LABELS = 236
"""Where the time axis begins; experiments' names stand left of it."""
PAST = timedelta(days=75)
FUTURE = timedelta(days=200)
STEPS_D = (1, 2, 7, 14, 28, 56, 112)
WHOLE, UPPER, LOWER, BELOW = (5, 12), (3, 5), (10, 9), (19, 2)
"""Where in a row a bar stands and how high it is: alone, what was, what is wanted, what lasts only for a while."""


@dataclass(frozen=True, slots=True)
class Bar:
    """
    A piece of a row: where it is, what it means (a CSS class), and whether it goes on beyond the drawing.

    `top` and `height` count from the row's top: two windows of one experiment stand above each other.
    """

    x: float
    width: float
    look: str
    cut_left: bool = False
    cut_right: bool = False
    top: int = 5
    height: int = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis with its date; without one where the moment's flag covers the place."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    """The word of the moment on the axis: the line stands at `x`, the flag from `left` on, within the drawing."""

    x: float
    left: float
    width: float
    text: str


class Axis:
    """Times to places: a span around the moment that shows as much of all windows as stays readable."""

    def __init__(self, items: Sequence[Schedule], now: datetime) -> None:
        times = [
            time
            for item in items
            for window in (item.before, item.after)
            if window
            for time in (window.start, window.end)
            if time
        ]
        first = max(min([*times, now]), now - PAST)
        last = min(max([*times, now]), now + FUTURE)
        margin = max((last - first) * 0.03, timedelta(days=2))
        self.first, self.last = first - margin, last + margin
        self._span = (self.last - self.first).total_seconds()

    def x(self, time: datetime) -> float:
        """Give the place of a time; one outside of the span is at the edge."""
        share = (time - self.first).total_seconds() / self._span
        return round(LABELS + min(max(share, 0), 1) * (WIDTH - LABELS), 1)

    def bar(
        self, start: datetime | None, end: datetime | None, look: str, place: tuple[int, int] = WHOLE
    ) -> Bar | None:
        """Give the bar of a window, open ends to the edge; None where it lies outside of the span."""
        if (end is not None and end <= self.first) or (start is not None and start >= self.last):
            return None
        left, right = self.x(start or self.first), self.x(end or self.last)
        cut_left = start is None or start < self.first
        return Bar(left, max(round(right - left, 1), 2), look, cut_left, end is None or end > self.last, *place)

    def flag(self, now: datetime, word: str) -> Flag:
        """Give the flag of the moment; at the edges it moves inwards."""
        x, width = self.x(now), _room(word) + 8
        return Flag(x, round(min(max(x - width / 2, LABELS), WIDTH - width), 1), round(width, 1), word)

    def ticks(self, flag: Flag) -> tuple[Tick, ...]:
        """Give eight or so lines at whole days (UTC), Mondays where the steps are weeks, none below the flag."""
        days = self._span / 86_400
        step = next((step for step in STEPS_D if days / step <= 9), STEPS_D[-1])
        day = self.first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if step >= 7:
            day += timedelta(days=-day.weekday() % 7)
        found: list[Tick] = []
        year = 0
        while day < self.last:
            x = self.x(day)
            text = f"{day.day} {day:%b}" + (f" {day.year}" if day.year != year else "")
            half = _room(text) / 2 + 4
            if x + half < WIDTH:
                free = x + half < flag.left or x - half > flag.left + flag.width
                found.append(Tick(x, text if free else ""))
                year = day.year if free else year
            day += timedelta(days=step)
        return tuple(found)


def _room(text: str) -> float:
    """Give about how wide a short text is drawn."""
    return 6.6 * len(text)
