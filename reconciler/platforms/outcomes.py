"""
What an experiment has come to, in values that fit every platform, and the reader of each platform.

A platform's `outcome` module reads what there is beyond the experiment itself: LinkedIn has a resource of results, with
a winner and intervals; Salesforce shows how far its analysis is; X has no results at all, and its reader says where the
figures stand. Readers are imported when they are used; a test holds that every registered platform has one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from importlib import import_module
from typing import TypeAlias

from reconciler.model.resource import Key, Live
from reconciler.platforms.session import ConnectionSettings, Platform


class Conclusion(StrEnum):
    """What is known of an experiment's outcome."""

    WINNER = "winner"
    NO_DIFFERENCE = "no-practical-difference"
    """No winner, although a small difference would have been seen."""
    NO_WINNER = "no-winner"
    NOT_READY = "not-ready"
    """The platform has computed nothing yet."""
    NOT_SHOWN = "not-shown"
    """The platform's API shows no winner, whatever happened."""
    GONE = "gone"
    NOT_CREATED = "not-created"
    UNKNOWN = "unknown"
    """It could not be read."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Inclusive bounds of the key metric, in the platform's own unit; `lower` is never above `upper`."""

    lower: float
    upper: float


@dataclass(frozen=True)
class Arm:
    """
    One cell, group or cohort: its name, the entities that stand behind it, and its share of the people in percent.

    `share` is text with the decimals that the platform keeps; empty where it is not known.
    """

    name: str
    entities: tuple[str, ...] = ()
    share: str = ""
    control: bool = False
    winner: bool = False
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """
    What a platform has computed.

    `confidence` is in percent; `minimum_detectable_effect` relative (0.08 is 8 %). `generated_on` is the day at whose
    midnight (UTC) the data end. Until `settles_at` the figures may still move; None: it is not known when.
    """

    metric: str
    confidence: int | None = None
    p_value: float | None = None
    minimum_detectable_effect: float | None = None
    generated_on: date | None = None
    settles_at: datetime | None = None
    preliminary: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the platform shows: its name there, what people call it, its value, and that in words."""

    name: str
    label: str
    value: str | int | float | None
    words: str = ""


@dataclass(frozen=True)
class ExperimentResult:
    """
    One experiment's outcome so far.

    `start` and `end` are the schedule where the platform has one, else when it was started and stopped. `arm_word` is
    what the platform calls its arms, `entity_word` what stands behind them. `problem` says what could not be read; the
    rest holds nevertheless.
    """

    key: Key
    platform: str
    connection: str
    remote_id: str
    conclusion: Conclusion
    name: str = ""
    status: str = ""
    start: datetime | None = None
    end: datetime | None = None
    arm_word: str = "arm"
    entity_word: str = ""
    arms: tuple[Arm, ...] = ()
    statistics: Statistics | None = None
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def winner(self) -> Arm | None:
        """The arm that won, where there is one."""
        return next((arm for arm in self.arms if arm.winner), None)


@dataclass(frozen=True)
class ResultsReport:
    """The outcomes in the order of their keys, and the moment at which they were read (aware UTC)."""

    results: tuple[ExperimentResult, ...]
    read_at: datetime
    environment: str | None = None

    @property
    def problems(self) -> tuple[ExperimentResult, ...]:
        """Those of which something could not be read."""
        return tuple(result for result in self.results if result.problem)


@dataclass(frozen=True)
class Subject:
    """One managed experiment whose outcome is asked for, as it is live."""

    key: Key
    live: Live


OutcomeReader: TypeAlias = Callable[
    [ConnectionSettings, Sequence[Subject], datetime], Awaitable[Mapping[Key, ExperimentResult]]
]
"""
Gives the outcome of every subject, all of one connection, at a moment (aware UTC).

Never raises PlatformError: what could not be read stands in `problem`. Sends reads only.
"""

_MODULES = {
    "linkedin": "reconciler.platforms.linkedin.outcome",
    "x-ads": "reconciler.platforms.x_ads.outcome",
    "salesforce": "reconciler.platforms.salesforce.outcome",
}


def outcome_reader_of(platform: Platform) -> OutcomeReader:
    """Give the reader of outcomes of a platform; raises KeyError when it has none."""
    reader: OutcomeReader = import_module(_MODULES[platform.name]).read_outcomes
    return reader
