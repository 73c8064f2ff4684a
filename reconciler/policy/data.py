"""The values of the variables: of one manifest, of what is live, of one change, and of the whole project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.model.resource import Desired, Found, Key, Live, Record, Spec
from reconciler.plan.inputs import Inputs
from reconciler.platforms.base import Kind
from reconciler.sanity.figures import figures, shares, wanted_ended, whole_weeks, window

_DAY = timedelta(days=1)
_INT64 = range(-(2**63), 2**63)
_WEIGHT = (Severity.HARMLESS, Severity.INVALIDATES, Severity.DESTRUCTIVE)
_MAKES = frozenset({Action.CREATE, Action.REPLACE, Action.ADOPT})


@dataclass(frozen=True)
class Around:
    """What is the same for all experiments: the environment, counts, and who overlaps with whom."""

    environment: str
    experiments: int
    overlaps: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)
    managed: int = 0
    actions: Mapping[Action, int] = field(default_factory=dict)


def of_manifest(desired: Desired, kind: Kind, around: Around) -> dict[str, Any]:
    """Give the variables that need nothing but the manifests."""
    spec = desired.spec
    found = figures(desired, kind)
    span = window(kind, spec)
    return {
        **_times("experiment", span),
        "experiment.kind": desired.key.kind,
        "experiment.name": desired.key.name,
        "experiment.key": str(desired.key),
        "experiment.labels": dict(desired.labels),
        "experiment.platform": desired.platform,
        "experiment.connection": desired.connection,
        "experiment.account": account_of(kind, spec),
        "experiment.title": str(spec.get(kind.label_field) or ""),
        "experiment.spec": cel_value(spec),
        "experiment.scheduled": span is not None,
        "experiment.shares": list(shares(kind, spec)),
        "experiment.ending": wanted_ended(kind, spec),
        "experiment.audience": desired.hypothesis.audience if desired.hypothesis else "",
        "project.environment": around.environment,
        "project.experiments": around.experiments,
        "sanity.stated": found.stated,
        "sanity.needed": found.needed,
        "sanity.expected": found.expected,
        "sanity.neededDays": found.needed_days,
        "sanity.power": found.power,
        "sanity.powered": found.powered,
        "sanity.wholeWeeks": whole_weeks(span),
        "sanity.overlaps": [str(key) for key in around.overlaps.get(desired.key, ())],
    }


def of_live(live: Live | None, kind: Kind) -> dict[str, Any]:
    """Give the variables of what the platform reports; the usual ones where it reports nothing."""
    if live is None:
        return {
            "live.exists": False,
            "live.status": "",
            "live.running": False,
            "live.over": False,
            "live.remoteId": "",
            "live.spec": {},
        }
    times = {"live.start": live.start, "live.end": live.end}
    return {
        **{name: moment for name, moment in times.items() if moment is not None},
        "live.exists": True,
        "live.status": live.status,
        "live.running": live.status in kind.running_statuses and not live.over,
        "live.over": live.over,
        "live.remoteId": live.remote_id,
        "live.spec": cel_value(live.spec),
    }


def of_change(change: Change) -> dict[str, Any]:
    """Give the variables of a change; of a blocked one what it would be."""
    action = change.intent or change.action
    worst = max((_WEIGHT.index(item.severity) for item in change.fields), default=0)
    return {
        "change.action": action.value,
        "change.severity": Severity.DESTRUCTIVE.value if change.destroys else _WEIGHT[worst].value,
        "change.destroys": change.destroys or action is Action.DELETE,
        "change.blocked": change.action is Action.BLOCKED,
        "change.calls": len(change.calls),
        "change.reasons": list(change.reasons),
        "change.paths": [item.path for item in change.fields],
        "change.fields": [
            {
                "path": item.path,
                "before": cel_value(item.before),
                "after": cel_value(item.after),
                "severity": item.severity.value,
                "drifted": item.drifted,
                "allowed": item.allowed,
                "reason": item.reason or "",
            }
            for item in change.fields
        ],
    }


def of_project(around: Around, account: str, now: datetime) -> dict[str, Any]:
    """Give the variables of the project as a plan leaves it; `account` is that of the experiment judged."""
    count = around.actions
    return {
        "now": now,
        "project.accountRunning": around.running.get(account, 0),
        "project.running": dict(around.running),
        "project.managed": around.managed,
        "project.creates": count.get(Action.CREATE, 0),
        "project.updates": count.get(Action.UPDATE, 0),
        "project.replaces": count.get(Action.REPLACE, 0),
        "project.deletes": count.get(Action.DELETE, 0),
        "project.changes": sum(count.values()),
    }


def around_plan(plan: Plan, inputs: Inputs, overlaps: Mapping[Key, tuple[Key, ...]]) -> Around:
    """Give what a whole plan comes to."""
    return Around(
        environment=inputs.environment or "",
        experiments=len(inputs.desired),
        overlaps=overlaps,
        running=_running(plan, inputs),
        managed=len(inputs.records),
        actions=Counter(change.intent or change.action for change in plan.changes),
    )


def account_key(account: str, connection: str) -> str:
    """Give by what experiments are counted: the account, or the connection where the platform has none."""
    return account or connection


def account_of(kind: Kind, spec: Spec) -> str:
    """Give the account that a spec names, empty where the platform has none."""
    return str(spec.get(kind.account_field) or "") if kind.account_field else ""


def _running(plan: Plan, inputs: Inputs) -> dict[str, int]:
    """Count, by account, the experiments that are not over once the plan is carried out."""
    changes = {change.key: change for change in plan.changes}
    count: Counter[str] = Counter()
    for key in sorted({*inputs.records, *changes}):
        change, record = changes.get(key), inputs.records.get(key)
        action = (change.intent or change.action) if change else Action.NO_OP
        connection = change.connection if change else record.connection if record else ""
        kind = inputs.kinds(key.kind, connection)
        wanted = inputs.desired.get(key)
        spec = wanted.spec if wanted else record.applied if record else {}
        reading = inputs.readings.get(key)
        live = inputs.seen(kind, reading.live) if isinstance(reading, Found) else None
        if action in (Action.DELETE, Action.FORGET) or (wanted and wanted_ended(kind, wanted.spec)):
            continue
        stands = not live.over if live is not None else reading is None and _may_run(kind, record, inputs.as_of)
        if action in _MAKES or stands:
            account = account_of(kind, spec) or (live.account if live else "")
            count[account_key(account, connection)] += 1
    return dict(count)


def _may_run(kind: Kind, record: Record | None, now: datetime) -> bool:
    """Tell of an experiment that was not read (--target) whether it counts: by its record, which may be old."""
    if record is None or not record.remote_id:
        return False
    span = window(kind, record.applied)
    return span[1] > now if span is not None else record.status in kind.running_statuses


def _times(prefix: str, span: tuple[datetime, datetime] | None) -> dict[str, Any]:
    if span is None:
        return {}
    start, end = span
    return {
        f"{prefix}.start": start,
        f"{prefix}.end": end,
        f"{prefix}.duration": end - start,
        f"{prefix}.days": (end - start) / _DAY,
    }


def cel_value(value: Any) -> Any:
    """Give a JSON value as expressions can hold it: without keys that are null, numbers within 64 bits."""
    if isinstance(value, Mapping):
        return {str(key): cel_value(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [cel_value(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
        return float(value) if abs(value) < 2**1000 else str(value)
    return value
