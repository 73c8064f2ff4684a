"""
A saved plan, held against the policies once more when it is applied.

The plan is carried out as it was saved; policies may only take from it: what they forbid today is blocked. What the
plan itself keeps of an experiment stands for what was live, and today's manifests for labels and hypotheses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.model.change import Change, Plan
from reconciler.model.resource import Desired, Found, Key, Live, Reading, Record
from reconciler.plan.inputs import Inputs
from reconciler.policy.judge import Judge
from reconciler.policy.override import overridden


def rejudged(
    judge: Judge, saved: Plan, desired: Mapping[Key, Desired], records: Mapping[Key, Record], now: datetime
) -> Plan:
    """Give a saved plan with what the policies forbid now blocked; overrides that it shows still hold."""
    kept = overridden(saved, judge.policies, "label", "flag")
    wanted = {change.key: item for change in saved.changes if (item := _wanted(change, desired)) is not None}
    inputs = Inputs(
        desired={**desired, **wanted},
        records=records,
        readings={change.key: reading for change in saved.changes if (reading := _read(judge, change)) is not None},
        others=(),
        kinds=judge.kinds,
        now=now,
        as_of=now,
        environment=saved.environment,
    )
    judge = replace(judge, flags={**kept, **judge.flags})
    bare = replace(saved, changes=tuple(replace(change, policies=()) for change in saved.changes))
    return judge.of_plan(bare, inputs)


def _wanted(change: Change, desired: Mapping[Key, Desired]) -> Desired | None:
    """Give the manifest of a change with the spec that the plan will make of it; None where the plan ends it."""
    if change.target is None:
        return None
    now = desired.get(change.key)
    if now is not None:
        return replace(now, spec=change.target)
    return Desired(change.key, change.platform, change.connection, change.target)


def _read(judge: Judge, change: Change) -> Reading | None:
    """Give what was live when the plan was made, as far as the plan keeps it."""
    if change.remote_id is None or change.status is None:
        return None
    kind = judge.kinds(change.key.kind, change.connection)
    account = str(change.expected.get(kind.account_field) or "") if kind.account_field else ""
    return Found(Live(change.remote_id, change.status, dict(change.expected), account=account))
