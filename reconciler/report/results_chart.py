"""A small chart of intervals, a bar a line, all on one scale: for terminals, in Unicode or in plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.platforms.outcomes import Interval
from reconciler.report.results_words import number

COLUMNS = 40


def bars(intervals: Sequence[Interval | None], *, unicode: bool, columns: int = COLUMNS) -> list[str]:
    """Give a bar of exactly `columns` columns for each interval, an empty one where there is none."""
    known = [interval for interval in intervals if interval is not None]
    if not known:
        return [" " * columns for _ in intervals]
    low, high = min(interval.lower for interval in known), max(interval.upper for interval in known)
    return [_bar(interval, low, high, columns, unicode=unicode) for interval in intervals]


def scale(intervals: Sequence[Interval | None], columns: int = COLUMNS) -> str:
    """Give the line below the bars: the least bound on the left, the greatest on the right."""
    known = [interval for interval in intervals if interval is not None]
    if not known:
        return ""
    low = number(min(interval.lower for interval in known))
    high = number(max(interval.upper for interval in known))
    return low if low == high else low + high.rjust(max(columns - len(low), len(high) + 1))


def _bar(interval: Interval | None, low: float, high: float, columns: int, *, unicode: bool) -> str:
    if interval is None:
        return " " * columns
    first, last = (_column(value, low, high, columns) for value in (interval.lower, interval.upper))
    left, middle, right, point = "├─┤│" if unicode else "[-]|"
    length = last - first + 1
    bar = point if length == 1 else left + middle * (length - 2) + right
    return (" " * first + bar).ljust(columns)


def _column(value: float, low: float, high: float, columns: int) -> int:
    """Give the column of a value; halves are subtracted so that the largest numbers there are do not overflow."""
    span = high / 2 - low / 2
    return round((value / 2 - low / 2) / span * (columns - 1)) if span else 0
