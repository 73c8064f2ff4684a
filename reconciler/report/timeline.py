"""
Experiments over time as geometry: rows by platform and account, bars on one time axis, marks for what needs care.

Everything here is numbers and text; the template draws it as SVG. Lengths are in units of the drawing, which is WIDTH
wide and made wider or narrower by the page as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from reconciler.model.change import Action
from reconciler.plan.schedules import Conflict, Schedule, Window
from reconciler.report.clean import clean
from reconciler.report.words import SYMBOL, counted

WIDTH = 1000
LABELS = 236
"""Where the time axis begins; experiments' names stand left of it."""
ROW = 22
HEAD = 30
"""Height of the axis."""
ROWS_OF_ACCOUNT = 30
"""Rows drawn of one account at most; changes and conflicts first."""
ROWS = 160
"""Rows drawn in all at most; the table below the drawing names every experiment."""
PAST = timedelta(days=75)
FUTURE = timedelta(days=200)
NAME = 34
"""Characters of a name that fit left of the axis."""
STEPS_D = (1, 2, 7, 14, 28, 56, 112)


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a row: where it is, what it means (a CSS class), and whether it goes on beyond the drawing."""

    x: float
    width: float
    look: str
    cut_left: bool = False
    cut_right: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis with its date."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """
    One line of the drawing: an account's heading, an experiment, or how many more there are.

    `title` says in words all that the bars show. `ends_at` is where a mark says that the plan ends it, `deadline` where
    one says by when its change has to be applied.
    """

    y: int
    label: str
    title: str
    look: str
    symbol: str = ""
    bars: tuple[Bar, ...] = ()
    ends_at: float | None = None
    deadline: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """The drawing of one platform."""

    platform: str
    title: str
    height: int
    ticks: tuple[Tick, ...]
    now: float
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Timeline:
    """All drawings, the moment of the line, and how many experiments they leave out."""

    panels: tuple[Panel, ...]
    now: datetime
    now_word: str
    left_out: int


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

    def bar(self, start: datetime | None, end: datetime | None, look: str) -> Bar | None:
        """Give the bar of a window, open ends to the edge; None where it lies outside of the span."""
        if (end is not None and end <= self.first) or (start is not None and start >= self.last):
            return None
        left, right = self.x(start or self.first), self.x(end or self.last)
        cut_left = start is None or start < self.first
        return Bar(left, max(round(right - left, 1), 2), look, cut_left, end is None or end > self.last)

    def ticks(self) -> tuple[Tick, ...]:
        """Give eight or so lines at whole days (UTC), Mondays where the steps are weeks."""
        days = self._span / 86_400
        step = next((step for step in STEPS_D if days / step <= 9), STEPS_D[-1])
        day = self.first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if step >= 7:
            day += timedelta(days=-day.weekday() % 7)
        found: list[Tick] = []
        year = 0
        while day < self.last:
            x = self.x(day)
            if x < WIDTH - 50:
                found.append(Tick(x, f"{day.day} {day:%b}" + (f" {day.year}" if day.year != year else "")))
                year = day.year
            day += timedelta(days=step)
        return tuple(found)


def timeline(items: Sequence[Schedule], now: datetime, *, now_word: str = "now") -> Timeline:
    """Give the drawings of all experiments, a platform each, on one axis; `now` is where the line stands."""
    axis = Axis(items, now)
    panels: list[Panel] = []
    room, left_out = ROWS, 0
    ordered = sorted(items, key=lambda item: (item.platform, item.connection, item.account))
    groups = {platform: list(of) for platform, of in groupby(ordered, key=lambda item: item.platform)}
    for number, (platform, its) in enumerate(groups.items()):
        share = max(room // (len(groups) - number), 4)
        rows, drawn = _rows(its, axis, now, share)
        room -= drawn
        left_out += len(its) - drawn
        height = HEAD + ROW * len(rows) + 6
        title = f"{counted(len(its), 'experiment')} over time"
        panels.append(Panel(platform, title, height, axis.ticks(), axis.x(now), tuple(rows)))
    return Timeline(tuple(panels), now, now_word, left_out)


def _rows(items: Sequence[Schedule], axis: Axis, now: datetime, room: int) -> tuple[list[Row], int]:
    rows: list[Row] = []
    drawn = hidden = hidden_accounts = 0

    def y() -> int:
        return HEAD + ROW * len(rows)

    for (connection, account), group in groupby(items, key=lambda item: (item.connection, item.account)):
        its = sorted(group, key=_weight)
        shown = its[: max(min(ROWS_OF_ACCOUNT, room - drawn), 0)]
        if not shown:
            hidden, hidden_accounts = hidden + len(its), hidden_accounts + 1
            continue
        name = clean(" · ".join(part for part in (connection, account) if part))
        most = _most_at_once(its)
        note = f"{counted(len(its), 'experiment')}" + (f", up to {most} at once" if most > 1 else "")
        rows.append(Row(y(), _fitted(name, 90), f"{name}: {note}", "account", note=note))
        for item in sorted(shown, key=_start):
            rows.append(_row(item, axis, now, y()))
        drawn += len(shown)
        if len(shown) < len(its):
            text = f"and {len(its) - len(shown):,} more of this account, in the table below"
            rows.append(Row(y(), text, text, "more"))
    if hidden:
        text = f"and {hidden:,} more of {counted(hidden_accounts, 'other account')}, in the table below"
        rows.append(Row(y(), text, text, "more"))
    return rows, drawn


def _weight(item: Schedule) -> tuple[int, datetime]:
    """Put first what a reviewer must see: conflicts, changes, then what runs or is to come, last what is over."""
    if item.conflicts or item.ends or item.action is Action.BLOCKED:
        return 0, _start(item)
    if item.action is not Action.NO_OP:
        return 1, _start(item)
    return (3 if item.over else 2), _start(item)


def _start(item: Schedule) -> datetime:
    window = item.after or item.before or Window()
    return window.start or datetime.max.replace(tzinfo=UTC)


def _row(item: Schedule, axis: Axis, now: datetime, y: int) -> Row:
    bars = [bar for bar in _bars(item, axis, now) if bar]
    shown = item.before or item.after
    end = axis.x(min(now, shown.end or now)) if item.ends and shown else None
    deadline = axis.x(item.deadline) if item.deadline and item.deadline <= axis.last else None
    note = "" if bars else "ran earlier" if item.over else "no dates"
    look = "unmanaged" if item.key is None else item.action.value
    name = item.key.name if item.key else item.title
    label = _fitted(clean(name), NAME)
    return Row(y, label, clean(sentence(item)), look, SYMBOL[item.action], tuple(bars), end, deadline, note)


def _bars(item: Schedule, axis: Axis, now: datetime) -> Iterator[Bar | None]:
    before, after = item.before, item.after
    blocked = item.action is Action.BLOCKED
    if before and _dated(before, item):
        same = before == after or (item.action is Action.NO_OP)
        base = "over" if item.over else "unmanaged" if item.key is None else "live"
        yield axis.bar(before.start, before.end, base if same else "before")
    if after and after != before and _dated(after, item):
        yield axis.bar(after.start, after.end, "wanted" if blocked else "new" if before is None else "after")
    if item.editable_until:
        yield axis.bar(now, item.editable_until, "editable")
    for window in {conflict.window for conflict in item.conflicts}:
        held = _both(after or before or Window(), window)
        if held:
            yield axis.bar(held.start, held.end, "conflict")


def _dated(window: Window, item: Schedule) -> bool:
    return window.start is not None or (item.scheduled and window.end is not None)


def _both(one: Window, other: Window) -> Window | None:
    starts = [time for time in (one.start, other.start) if time]
    ends = [time for time in (one.end, other.end) if time]
    start, end = max(starts, default=None), min(ends, default=None)
    return None if start and end and start >= end else Window(start, end)


def _most_at_once(items: Sequence[Schedule]) -> int:
    """Give the largest number of experiments whose windows share a moment."""
    events: list[tuple[datetime, int]] = []
    for item in items:
        window = item.after
        if window and window.start and not item.ends and not item.over:
            events.append((window.start, 1))
            if window.end:
                events.append((window.end, -1))
    most = running = 0
    for _, step in sorted(events):
        running += step
        most = max(most, running)
    return most


# --- words -----------------------------------------------------------------------------------------------------------


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
    when = "" if conflict.window == Window() else f", {span(conflict.window)}"
    return f"conflict with {conflict.other} about {', '.join(conflict.entities[:3])}{when}"


def span(window: Window | None) -> str:
    """Give a window as words; `no dates` where nothing is known."""
    if window is None or (window.start is None and window.end is None):
        return "no dates"
    start = day(window.start) if window.start else "start not known"
    return f"{start} to {day(window.end) if window.end else 'open end'}"


def day(time: datetime) -> str:
    """Give a time to the minute, UTC: `2026-12-01 09:00 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _fitted(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
