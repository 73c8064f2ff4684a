"""
Drift reports and the end of an apply as JSON values; the plan's own JSON is in `reconciler.plan.saved`.

The formats are versioned: within `1.x` keys are only added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.model.change import Change, Plan
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.plan.drift import Drift, DriftReport

FORMAT_VERSION = "1.0"


def drift_to_json(report: DriftReport) -> dict[str, Any]:
    """Give a drift report as JSON values; `complete` is False when something could not be read."""
    return {
        "formatVersion": FORMAT_VERSION,
        "complete": not report.problems,
        "checked": report.checked,
        "drift": _drifts(report.drift),
        "progress": _drifts(report.progress),
        "unmanaged": [
            {
                "platform": item.platform,
                "connection": item.connection,
                "account": item.account,
                "remoteId": item.remote_id,
                "name": item.name,
                "status": item.status,
            }
            for item in report.unmanaged
        ],
        "problems": list(report.problems),
    }


def apply_to_json(result: ApplyResult, plan: Plan) -> dict[str, Any]:
    """Give what became of a plan as JSON values: an outcome for each change, and how many ended in each way."""
    changes = {change.key: change for change in plan.changes}
    return {
        "formatVersion": FORMAT_VERSION,
        "environment": plan.environment,
        "complete": plan.complete,
        "interrupted": result.interrupted,
        "summary": {kind.value: result.count(kind) for kind in Result},
        "callsSent": sum(item.calls_sent for item in result.outcomes),
        "recorded": len(plan.bookkeeping),
        "outcomes": [_outcome(item, changes.get(item.key)) for item in result.outcomes],
        "problems": list(plan.problems),
    }


def _drifts(items: Sequence[Drift]) -> list[dict[str, Any]]:
    return [
        {
            "key": str(item.key),
            "platform": item.platform,
            "connection": item.connection,
            "remoteId": item.remote_id,
            "kind": item.kind.value,
            "status": item.status,
            "fields": [{"path": field.path, "applied": field.applied, "live": field.live} for field in item.fields],
        }
        for item in items
    ]


def _outcome(item: Outcome, change: Change | None) -> dict[str, Any]:
    return {
        "key": str(item.key),
        "platform": change.platform if change else None,
        "connection": change.connection if change else None,
        "action": item.action.value,
        "intent": change.intent.value if change and change.intent else None,
        "result": item.result.value,
        "message": item.message,
        "callsSent": item.calls_sent,
        "remoteId": item.remote_id or None,
        "warnings": list(item.warnings),
    }
