"""
Experiments over time as geometry: rows by platform and account, bars on one time axis, marks for what needs care.

Everything here is numbers and text; the template draws it as SVG. Lengths are in units of the drawing, which is WIDTH
wide and made wider or narrower by the page as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from types import MappingProxyType
from typing import Final

from reconciler.model.change import Action
from reconciler.model.resource import Key
from reconciler.plan.schedules import Schedule, Window
from reconciler.report.clean import clean
from reconciler.report.timeline_axis import BELOW, LOWER, UPPER, WHOLE, Axis, Bar, Flag, Tick
from reconciler.report.timeline_words import sentence
from reconciler.report.words import SYMBOL, counted

ROW = 22
HEAD = 30
"""Height of the axis."""
ROWS_OF_ACCOUNT = 30
"""Rows drawn of one account at most; changes and conflicts first."""
ROWS = 160
"""Rows drawn in all at most; the table below the drawing names every experiment."""
NOWHERE: Final[Mapping[Key, str]] = MappingProxyType({})
NAME = 34
"""Characters of a name that fit left of the axis."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One line of the drawing: an account's heading, an experiment, or how many more there are.

    `title` says in words all that the bars show. `ends_at` is where a mark says that the plan ends it, `deadline` where
    one says by when its change has to be applied. `anchor` is its change on the page.
    """

    y: int
    label: str
    title: str
    look: str
    symbol: str = ""
    anchor: str = ""
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
    now: Flag
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Timeline:
    """All drawings, the moment of the line, and how many experiments they leave out."""

    panels: tuple[Panel, ...]
    now: datetime
    now_word: str
    left_out: int

    @property
    def looks(self) -> frozenset[str]:
        """Give what occurs in the drawings and wants explaining: looks of bars, `deadline` and `ends`."""
        rows = [row for panel in self.panels for row in panel.rows]
        found = {bar.look for row in rows for bar in row.bars}
        found |= {"deadline" for row in rows if row.deadline is not None}
        return frozenset(found | {"ends" for row in rows if row.ends_at is not None})


def timeline(
    items: Sequence[Schedule], now: datetime, *, now_word: str = "now", anchors: Mapping[Key, str] = NOWHERE
) -> Timeline:
    """Give the drawings of all experiments, a platform each, on one axis; `now` is where the line stands."""
    axis = Axis(items, now)
    panels: list[Panel] = []
    room, left_out = ROWS, 0
    ordered = sorted(items, key=lambda item: (item.platform, item.connection, item.account))
    groups = {platform: list(of) for platform, of in groupby(ordered, key=lambda item: item.platform)}
    flag = axis.flag(now, now_word)
    for number, (platform, its) in enumerate(groups.items()):
        share = max(room // (len(groups) - number), 4)
        rows, drawn = _rows(its, axis, now, share, anchors)
        room -= drawn
        left_out += len(its) - drawn
        height = HEAD + ROW * len(rows) + 6
        title = f"{counted(len(its), 'experiment')} over time"
        panels.append(Panel(platform, title, height, axis.ticks(flag), flag, tuple(rows)))
    return Timeline(tuple(panels), now, now_word, left_out)


def _rows(
    items: Sequence[Schedule], axis: Axis, now: datetime, room: int, anchors: Mapping[Key, str]
) -> tuple[list[Row], int]:
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
            anchor = anchors.get(item.key, "") if item.key else ""
            rows.append(_row(item, axis, now, y(), anchor))
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


def _row(item: Schedule, axis: Axis, now: datetime, y: int, anchor: str) -> Row:
    bars = [bar for bar in _bars(item, axis, now) if bar]
    shown = item.before or item.after
    end = axis.x(min(now, shown.end or now)) if item.ends and shown else None
    deadline = axis.x(item.deadline) if item.deadline and item.deadline <= axis.last else None
    note = "" if bars else "ran earlier" if item.over else "no dates"
    look = "unmanaged" if item.key is None else item.action.value
    name = item.key.name if item.key else item.title
    label = _fitted(clean(name), NAME)
    return Row(y, label, clean(sentence(item)), look, SYMBOL[item.action], anchor, tuple(bars), end, deadline, note)


def _bars(item: Schedule, axis: Axis, now: datetime) -> Iterator[Bar | None]:
    before = item.before if item.before and _dated(item.before, item) else None
    after = item.after if item.after and _dated(item.after, item) else None
    changes = before != after and item.action is not Action.NO_OP
    two = bool(changes and before and after)
    if before:
        base = "over" if item.over else "unmanaged" if item.key is None else "live"
        look = "before" if two or (item.ends and after is None) else base
        yield axis.bar(before.start, before.end, look, UPPER if two else WHOLE)
    if after and changes:
        look = "wanted" if item.action is Action.BLOCKED else "after" if before else "new"
        yield axis.bar(after.start, after.end, look, LOWER if two else WHOLE)
    if item.editable_until:
        yield axis.bar(now, item.editable_until, "editable", BELOW)
    for window in {conflict.window: None for conflict in item.conflicts}:
        held = _both(item.after or item.before or Window(), window)
        if held:
            yield axis.bar(held.start, held.end, "conflict", LOWER if two else WHOLE)


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


def _fitted(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
