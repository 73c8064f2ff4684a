"""
The outcome of a Salesforce Personalization experiment, as far as the resource shows it: its state, when it was started,
stopped and last analysed, and by which thresholds a winner is picked.

Neither the seed page nor the reference (doc D9) has a field for the winner, a chance to win or an interval: the figures
are in the Personalization app alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from reconciler.model.resource import Key, Live
from reconciler.model.time import iso, parse_time
from reconciler.platforms.outcomes import Arm, Conclusion, ExperimentResult, Fact, Subject
from reconciler.platforms.salesforce.facts import DEFAULT_WINNER_MODE, WEIGHT_SUM
from reconciler.platforms.session import ConnectionSettings

NO_WINNER_SHOWN: Final = (
    "Salesforce's API does not show which cohort is ahead or has won, nor its figures: look at the experiment in the "
    "Personalization app"
)
_MANUAL: Final = "the winner is picked by hand: in Manual mode participants and durations are not enforced"
_MAY_HAVE_WON: Final = "in Automatic mode the platform may have stopped it by itself because it found a winner"


async def read_outcomes(
    settings: ConnectionSettings, subjects: Sequence[Subject], now: datetime
) -> Mapping[Key, ExperimentResult]:
    """Give what the resource itself shows; sends nothing more."""
    return {subject.key: _outcome(subject, settings) for subject in subjects}


def _outcome(subject: Subject, settings: ConnectionSettings) -> ExperimentResult:
    live = subject.live
    mode = live.spec.get("winnerSelectionMode", DEFAULT_WINNER_MODE)
    notes = [f"its last change failed: Salesforce reports {live.failure}"] if live.failure else []
    notes.append(NO_WINNER_SHOWN)
    if mode == "Manual":
        notes.append(_MANUAL)
    elif mode == "Automatic" and live.status in ("Stopped", "Archived"):
        notes.append(_MAY_HAVE_WON)
    return ExperimentResult(
        subject.key,
        settings.platform,
        settings.name,
        live.remote_id,
        Conclusion.NOT_SHOWN,
        name=str(live.spec.get("label") or live.name),
        status=live.status,
        start=_moment(live, "startedDate"),
        end=_moment(live, "stoppedDate"),
        arm_word="cohort",
        arms=tuple(_arms(live)),
        facts=tuple(_facts(live, mode)),
        notes=tuple(notes),
    )


def _arms(live: Live) -> Iterator[Arm]:
    for cohort in live.spec.get("cohorts", ()):
        weight = cohort.get("allocationWeight")
        share = f"{weight * 100 / WEIGHT_SUM:.2f}" if isinstance(weight, int) else ""
        yield Arm(cohort.get("label") or cohort.get("name", ""), share=share, control=cohort.get("isControl") is True)


def _facts(live: Live, mode: Any) -> Iterator[Fact]:
    spec = live.spec
    for name, label in (("startedDate", "started"), ("stoppedDate", "stopped"), ("lastAnalyzed", "last analysed")):
        when = _moment(live, name)
        yield Fact(name, label, iso(when) if when else None, iso(when) if when else "not yet")
    if live.busy:
        yield Fact("status", "job", live.busy)
    yield Fact("winnerSelectionMode", "winner picked", str(mode), "by hand" if mode == "Manual" else "")
    chance = spec.get("chanceToWinThreshold")
    yield Fact("chanceToWinThreshold", "chance to win", chance, f"at least {chance:g} %" if _is_number(chance) else "")
    participants = spec.get("minimumRequiredParticipants")
    words = f"at least {participants:,}" if _is_number(participants) else ""
    yield Fact("minimumRequiredParticipants", "participants", participants, words)
    for name, label in (
        ("minimumDurationInMinutes", "shortest run"),
        ("maximumDurationInMinutes", "longest run"),
        ("scheduleFrequencyInMinutes", "analysed every"),
    ):
        minutes = spec.get(name)
        yield Fact(name, label, minutes, _span(minutes))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _span(minutes: Any) -> str:
    """Give minutes in the largest unit that divides them; empty for what is no number."""
    if not isinstance(minutes, int | float) or isinstance(minutes, bool):
        return ""
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= size and minutes % size == 0:
            number = minutes // size
            return f"{number:g} {unit}" + ("" if number == 1 else "s")
    return f"{minutes:g} minutes"


def _moment(live: Live, name: str) -> datetime | None:
    value = live.extra.get(name)
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None
