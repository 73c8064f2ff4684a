"""Laying a platform's own dry run over a plan: its errors block, its warnings are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.model.change import Action, Change, Plan, PlanWarning, block
from reconciler.model.resource import Found, Key, Live
from reconciler.plan.fields import ID, difference
from reconciler.plan.inputs import Inputs
from reconciler.plan.order import freed_for, propagated
from reconciler.platforms.session import Preflight, PreflightFinding, PreflightItem

ASKED = frozenset({Action.CREATE, Action.UPDATE, Action.ADOPT, Action.REPLACE})


def preflight_items(plan: Plan, inputs: Inputs) -> dict[str, list[PreflightItem]]:
    """
    Give what to ask each connection: every create and update that is not blocked.

    An update's target is live with the wanted changes laid over it; a replace is asked as the create it ends in.
    """
    items: dict[str, list[PreflightItem]] = {}
    for change in plan.changes:
        if change.action not in ASKED or not change.calls or change.target is None:
            continue
        live = _live(change, inputs) if change.action in (Action.UPDATE, Action.ADOPT) else None
        if live is None:
            target = {key: value for key, value in change.target.items() if value is not None}
        else:
            kind = inputs.kinds(change.key.kind, change.connection)
            record = inputs.records.get(change.key)
            ignored = change.lifecycle.ignore_changes
            target = difference(kind, change.target, live, record=record, ignored=ignored).target
            name = kind.lifecycle_field
            if name and all(item.path != name for item in change.fields):  # the plan leaves it as live has it
                target = {**target, name: live.spec.get(name)}
            target = {key: _plain(value) for key, value in target.items() if value is not None}
        items.setdefault(change.connection, []).append(PreflightItem(change.key, target, live))
    return items


def with_preflight(plan: Plan, answers: Mapping[str, Preflight], inputs: Inputs) -> Plan:
    """
    Give the plan with the dry run's findings.

    An error about something that an earlier change of the same plan frees does not block: it is expected now and gone
    by then.
    """
    findings: dict[Key, tuple[PreflightFinding, ...]] = {}
    warnings = list(plan.warnings)
    asked = {item.key for items in preflight_items(plan, inputs).values() for item in items}
    for answer in answers.values():
        findings.update({key: found for key, found in answer.findings.items() if key in asked})
        for sentence, keys in answer.refused.items():
            names = ", ".join(str(key) for key in sorted(keys) if key in asked)
            warnings += [PlanWarning("", sentence.replace("{names}", names))] if names else []
        warnings.extend(PlanWarning("", message) for message in sorted(set(answer.warnings)))
    changes = {}
    for change in plan.changes:
        found = findings.get(change.key, ())
        freed = freed_for(change, plan, inputs) if any(item.is_error for item in found) else frozenset()
        changes[change.key] = _with(change, found, freed)
    return replace(plan, changes=tuple(propagated(changes).values()), warnings=tuple(warnings))


def _with(change: Change, findings: tuple[PreflightFinding, ...], freed: frozenset[str]) -> Change:
    errors, notes = [], []
    for finding in findings:
        about = f" ({finding.entity})" if finding.entity else ""
        sentence = f"the platform's check says {finding.code}{about}: {finding.message}"
        if not finding.is_error:
            notes.append(sentence)
        elif freed and (finding.entity in freed or not finding.entity) and finding.code in FREED_LATER:
            notes.append(f"{sentence} (an earlier change of this plan frees it)")
        else:
            errors.append(sentence)
    change = replace(change, warnings=(*change.warnings, *notes))
    return block(change, *errors) if errors else change


FREED_LATER = frozenset({"CAMPAIGN_ALREADY_SCHEDULED"})
"""Codes that say "somebody else holds it", which an earlier change of the same plan may end."""


def _live(change: Change, inputs: Inputs) -> Live | None:
    reading = inputs.readings.get(change.key)
    if isinstance(reading, Found):
        return reading.live
    return inputs.met.get((change.connection, change.remote_id or ""))


def _plain(value: object) -> object:
    """Give a merged value without our own markers and without cleared keys."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != ID and item is not None}
    return value
