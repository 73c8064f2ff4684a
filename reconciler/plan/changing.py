"""
What a live experiment's change comes to: every field's change held against the kind's table and rules, then an update,
a replace, an ending, or blocked with what would lift it.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.change import Action, Change, FieldChange, Purpose, Severity, block
from reconciler.model.kind import Verdict, template
from reconciler.model.resource import Desired, Live, Record
from reconciler.plan.fields import Difference
from reconciler.plan.inputs import Inputs
from reconciler.platforms.base import Kind, Situation

RESTARTS = "results restart and people are assigned anew: the old experiment's data stays with its old id"
ANEW = "results restart and people are assigned anew: the old experiment is deleted, and nothing of it stays"
ALLOW = "--allow-destroy"


def changing(kind: Kind, desired: Desired, live: Live, delta: Difference, change: Change, inputs: Inputs) -> Change:
    """Judge every field's change: an update, a replace, or blocked."""
    each, verdicts = [], []
    for item in delta.changes:
        cell = kind.verdict(item, live, delta.target)
        verdicts.append(cell.verdict)
        allowed = cell.verdict is Verdict.IN_PLACE
        reason = None if allowed else _refusal(kind, item, live, cell.note)
        each.append(replace(item, allowed=allowed, reason=reason, severity=_severity(kind, item, live, cell.verdict)))
    fields = tuple(each)
    change = replace(change, fields=fields)
    refused = tuple(item.reason for item in fields if item.reason)
    if not refused:
        calls = kind.update_calls(live, delta.target, fields)
        situation = Situation(Action.UPDATE, inputs.as_of, live, desired.spec, delta.target, fields)
        change = judged(kind, replace(change, calls=calls, reasons=change.reasons), situation)
        ends = any(item.severity is Severity.DESTRUCTIVE for item in fields)
        if ends and desired.lifecycle.prevent_destroy:
            return block(
                change, "the change ends the experiment, and lifecycle.preventDestroy is true; take it out first"
            )
        return change
    replaceable = all(
        verdict is not Verdict.NEVER or _begins_anew(kind, item, live)
        for item, verdict in zip(fields, verdicts, strict=True)
    )
    wants_replace = desired.lifecycle.on_immutable_change == "replace"
    if replaceable and wants_replace and change.action is not Action.ADOPT:
        return _replacement(kind, desired, live, replace(change, reasons=(*change.reasons, *refused)), inputs)
    lifts: tuple[str, ...] = ()
    if replaceable and not wants_replace:
        how = "create a new one" if live.over else "end this experiment and create a new one"
        lifts = (f"set lifecycle.onImmutableChange: replace to {how}, or take the change back",)
    return block(change, *refused, *lifts)


def _begins_anew(kind: Kind, item: FieldChange, live: Live) -> bool:
    """Tell whether a lifecycle move that an ended experiment can never make is what a new one begins with."""
    ended = live.over or live.status in kind.ending_states
    return ended and item.path == kind.lifecycle_field and item.after not in kind.ending_states


def _refusal(kind: Kind, item: FieldChange, live: Live, note: str) -> str:
    because = f": {note}" if note else ""
    return f"{item.path} cannot change while {kind.status_field} is {live.status}{because}"


def _severity(kind: Kind, item: FieldChange, live: Live, verdict: Verdict) -> Severity:
    if item.path == kind.lifecycle_field and item.after in kind.ending_states:
        return Severity.DESTRUCTIVE
    if verdict is not Verdict.IN_PLACE:
        return Severity.HARMLESS if live.over else Severity.DESTRUCTIVE
    index = kind.field_index()
    row = index.get(template(item.path))
    return Severity.INVALIDATES if row and kind.column(live) in row.spoils_in else Severity.HARMLESS


def _replacement(kind: Kind, desired: Desired, live: Live, change: Change, inputs: Inputs) -> Change:
    """Give a replace: the old one out of the way first, then the create; the plan says what that costs."""
    spec = {key: value for key, value in desired.spec.items() if value is not None}
    ending = kind.end_calls(live)
    deleted = any(call.purpose is Purpose.DELETE for call in ending)
    warnings = [ANEW if deleted else RESTARTS]
    if live.over:
        warnings.append(
            f"{live.remote_id} is over ({live.status}); whether the platform frees what it held is unknown: "
            "a refusal of the create will be reported"
        )
    change = replace(
        change,
        action=Action.REPLACE,
        calls=(*ending, *kind.create_calls(spec)),
        old_calls=len(ending),
        predecessors=(*change.predecessors, live.remote_id),
        warnings=(*change.warnings, *warnings),
        destroys=bool(ending),
    )
    change = judged(kind, change, Situation(Action.REPLACE, inputs.as_of, live, desired.spec, spec, change.fields))
    return _allowed_to_destroy(change, inputs) if ending else change


def ending(kind: Kind, base: Change, live: Live, record: Record, inputs: Inputs) -> Change:
    """Give the platform's way of ending an experiment whose manifest is gone; one that is over is forgotten."""
    calls = kind.end_calls(live)
    base = replace(base, remote_id=live.remote_id, status=live.status)
    if live.over or not calls:
        return replace(base, reasons=(f"the manifest is gone and the experiment is over ({live.status})",))
    change = replace(
        base,
        action=Action.DELETE,
        calls=calls,
        reasons=("the manifest is gone",),
        expected={key: live.spec.get(key) for key in record.applied},
        destroys=True,
    )
    if live.owned_elsewhere:
        return block(change, "it is owned by another org (isRemote) and can only be read here; end it there")
    situation = Situation(Action.DELETE, inputs.as_of, live, record.applied, live.spec)
    return _allowed_to_destroy(judged(kind, change, situation), inputs)


def _allowed_to_destroy(change: Change, inputs: Inputs) -> Change:
    if change.lifecycle.prevent_destroy:
        return block(change, "lifecycle.preventDestroy is true; set it to false and apply that first")
    if inputs.options.allow_destroy is None:
        what = "replacing" if Action.REPLACE in (change.action, change.intent) else "ending"
        return block(change, f"{what} an experiment needs {ALLOW}")
    return change


def judged(kind: Kind, change: Change, situation: Situation) -> Change:
    """Lay the clock and live rules over a change."""
    judgements = tuple(kind.judge(situation))
    change = replace(
        change,
        warnings=(*change.warnings, *(item.message for item in judgements if not item.blocks)),
        valid_until=kind.deadline(situation),
    )
    stops = [item for item in judgements if item.blocks]
    if not stops:
        return change
    by_path = {item.path: item.message for item in stops if item.path}
    fields = tuple(
        replace(item, allowed=False, reason=by_path[item.path]) if item.path in by_path else item
        for item in change.fields
    )
    return block(replace(change, fields=fields), *(item.message for item in stops))
