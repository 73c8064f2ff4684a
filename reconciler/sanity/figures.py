"""The numbers of one experiment: its arms, its window, and what its hypothesis comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.model.hypothesis import DEFAULT_ALPHA, Hypothesis
from reconciler.model.resource import Desired, Spec
from reconciler.model.time import parse_time
from reconciler.platforms.base import Kind
from reconciler.sanity.power import Question, needed, needed_when_equal, reached

DAY = timedelta(days=1)
_OFF_DAYS = 0.1
"""How far a window may be off a whole number of weeks: the clocks go forward and back by an hour."""


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What statistics say of one experiment; zeros where something that they need is not stated.

    `needed` and `expected` are people in all arms together, `needed_days` days of the stated traffic, `power` the
    chance to find the effect within the schedule, `alpha` what was reckoned with.
    """

    stated: bool = False
    alpha: float = DEFAULT_ALPHA
    needed: int = 0
    needed_when_equal: int = 0
    needed_days: float = 0.0
    expected: int = 0
    power: float = 0.0

    @property
    def powered(self) -> bool:
        """Whether the schedule brings as many people as needed."""
        return self.stated and 0 < self.needed <= self.expected


def shares(kind: Kind, spec: Spec) -> tuple[float, ...]:
    """Give the shares of the arms in percent of their sum, in the manifest's order; empty where none are stated."""
    if kind.split_fields is None:
        return ()
    arms, share, _ = kind.split_fields
    sizes = [_number(arm.get(share)) if isinstance(arm, Mapping) else 0.0 for arm in spec.get(arms) or ()]
    total = sum(sizes)
    return tuple(100 * size / total for size in sizes) if total > 0 else ()


def window(kind: Kind, spec: Spec) -> tuple[datetime, datetime] | None:
    """Give start and end where the manifest schedules it."""
    if kind.window_fields is None:
        return None
    start, end = (spec.get(name) for name in kind.window_fields)
    if not (isinstance(start, str) and isinstance(end, str)):
        return None
    try:
        return parse_time(start), parse_time(end)
    except ValueError:
        return None


def wanted_ended(kind: Kind, spec: Spec) -> bool:
    """Tell whether the manifest wants the experiment ended."""
    return kind.lifecycle_field is not None and spec.get(kind.lifecycle_field) in kind.ending_states


def figures(desired: Desired, kind: Kind) -> Figures:
    """Give what the hypothesis of a manifest comes to."""
    stated = desired.hypothesis
    if stated is None or stated.baseline is None or stated.effect is None:
        return Figures()
    alpha = _alpha(stated, kind, desired.spec)
    question = Question(stated.baseline, stated.effect, alpha, stated.power, _control_first(kind, desired.spec))
    people, found, expected = needed(question), window(kind, desired.spec), 0
    if found is not None and stated.daily_traffic is not None:
        expected = int(stated.daily_traffic * ((found[1] - found[0]) / DAY))
    return Figures(
        stated=True,
        alpha=alpha,
        needed=people,
        needed_when_equal=needed_when_equal(question),
        needed_days=people / stated.daily_traffic if stated.daily_traffic else 0.0,
        expected=expected,
        power=reached(question, expected),
    )


def whole_weeks(found: tuple[datetime, datetime] | None) -> bool:
    """Tell whether a window lasts a whole number of weeks, at least one; an hour of summer time does not count."""
    if found is None:
        return False
    weeks = (found[1] - found[0]) / (7 * DAY)
    return round(weeks) >= 1 and abs(weeks - round(weeks)) * 7 <= _OFF_DAYS


def _alpha(stated: Hypothesis, kind: Kind, spec: Spec) -> float:
    if stated.alpha is not None:
        return stated.alpha
    confidence = _number(spec.get(kind.confidence_field)) if kind.confidence_field else 0.0
    return 1 - confidence / 100 if 50 < confidence < 100 else DEFAULT_ALPHA


def _control_first(kind: Kind, spec: Spec) -> tuple[float, ...]:
    found = shares(kind, spec)
    if kind.split_fields is None or not kind.split_fields[2]:
        return found
    arms, _, marks = kind.split_fields
    control = next((index for index, arm in enumerate(spec.get(arms) or ()) if arm.get(marks) is True), 0)
    return (*found[control : control + 1], *found[:control], *found[control + 1 :])


def _number(value: Any) -> float:
    try:
        return float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError, OverflowError):
        return 0.0
