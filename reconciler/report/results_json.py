"""Outcomes as JSON values, for programs; within format `1.x` keys are only added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.model.time import iso
from reconciler.platforms.outcomes import Arm, ExperimentResult, ResultsReport
from reconciler.report.json import FORMAT_VERSION
from reconciler.report.results_words import arm_name

if TYPE_CHECKING:
    from datetime import datetime


def results_to_json(report: ResultsReport) -> dict[str, Any]:
    """Give a report as JSON values; `complete` is False when something could not be read."""
    return {
        "formatVersion": FORMAT_VERSION,
        "readAt": iso(report.read_at),
        "environment": report.environment,
        "complete": not report.problems,
        "results": [_result(result) for result in report.results],
    }


def _result(result: ExperimentResult) -> dict[str, Any]:
    found = result.statistics
    won = result.winner
    return {
        "key": str(result.key),
        "platform": result.platform or None,
        "connection": result.connection or None,
        "remoteId": result.remote_id or None,
        "name": result.name or None,
        "status": result.status or None,
        "start": _time(result.start),
        "end": _time(result.end),
        "conclusion": result.conclusion.value,
        "winner": arm_name(won) if won else None,
        "preliminary": found.preliminary if found else None,
        "settlesAt": _time(found.settles_at) if found else None,
        "keyMetric": (found.metric or None) if found else None,
        "confidence": found.confidence if found else None,
        "pValue": found.p_value if found else None,
        "minimumDetectableEffect": found.minimum_detectable_effect if found else None,
        "generatedOn": found.generated_on.isoformat() if found and found.generated_on else None,
        "armKind": result.arm_word,
        "entityKind": result.entity_word or None,
        "arms": [_arm(arm) for arm in result.arms],
        "details": {fact.name: fact.value for fact in result.facts},
        "notes": list(result.notes),
        "problem": result.problem or None,
    }


def _arm(arm: Arm) -> dict[str, Any]:
    bounds = arm.interval
    return {
        "name": arm.name or None,
        "entities": list(arm.entities),
        "share": arm.share or None,
        "control": arm.control,
        "winner": arm.winner,
        "confidenceInterval": {"lowerBound": bounds.lower, "upperBound": bounds.upper} if bounds else None,
    }


def _time(value: datetime | None) -> str | None:
    return iso(value) if value else None
