"""
What one experiment needs, looked at alone: create, update, replace, delete, adopt, forget, nothing, or blocked.

Every branch answers a sentence of the contract; what ties experiments together (guards, order, who holds a campaign)
is decided afterwards, on these drafts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.model.change import Action, Change, block
from reconciler.model.kind import Verdict
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Record, Spec, Unknown
from reconciler.plan.changing import changing, ending, judged
from reconciler.plan.fields import Difference, difference, same_spec, stated_fields
from reconciler.plan.inputs import GRACE, Inputs
from reconciler.platforms.base import Kind, Situation


@dataclass(frozen=True, slots=True)
class Draft:
    """
    One experiment's part of a plan.

    `change` is None when there is nothing to do and nothing to record; a NO_OP change has only something to record.
    `warnings` are those of an experiment that needs no change. `problem` says why it could not be planned at all.
    """

    change: Change | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""


def draft_wanted(desired: Desired, inputs: Inputs) -> Draft:
    """Give the draft of an experiment that has a manifest."""
    record = inputs.records.get(desired.key)
    kind = inputs.kinds(desired.key.kind, desired.connection)
    if record is not None and record.remote_id and record.connection != desired.connection:
        return Draft(_moved_connection(desired, record))
    if record is None or not record.remote_id:
        return _unrecorded(kind, desired, record, inputs)
    reading = inputs.readings.get(desired.key, Unknown("it was not read"))
    match reading:
        case Unknown(reason, unlisted):
            if unlisted and _young(record, inputs):
                return Draft(warnings=(_not_visible(record, "run plan again in a minute"),))
            return Draft(problem=f"{desired.key}: {record.remote_id} could not be read: {reason}")
        case Gone(proof):
            return _gone(kind, desired, record, proof, inputs)
        case Found(live):
            return _live(kind, desired, record, inputs.seen(kind, live), inputs, adopting=False)


def draft_removed(record: Record, inputs: Inputs) -> Draft:
    """Give the draft of a recorded experiment whose manifest is gone."""
    kind = inputs.kinds(record.key.kind, record.connection)
    base = Change(
        key=record.key,
        platform=record.platform,
        connection=record.connection,
        action=Action.FORGET,
        remote_id=record.remote_id or None,
        status=record.status or None,
        lifecycle=record.lifecycle,
    )
    twin = _recorded_elsewhere(record, inputs)
    if twin is not None:
        return Draft(replace(base, reasons=(f"{twin} is recorded for the same experiment, which goes on",)))
    if record.lifecycle.on_removal == "abandon":
        why = "the manifest is gone and lifecycle.onRemoval is abandon: it stays as it is on the platform"
        return Draft(replace(base, reasons=(why,)))
    if record.remote_id:
        reading = inputs.readings.get(record.key, Unknown("it was not read"))
    elif record.intent_at is None:
        reading = Gone("it was never created")
    else:
        same = _candidates(kind, record.connection, record.applied, record.key, inputs)
        if record.connection in inputs.unsearched:
            return Draft(problem=f"{record.key}: its create was not finished, and it could not be searched for")
        reading = Found(same[0]) if same else Gone("its create was not finished and it was not found")
    match reading:
        case Unknown(reason, unlisted):
            if unlisted and _young(record, inputs):
                return Draft(warnings=(_not_visible(record, "its removal is planned once it shows"),))
            return Draft(problem=f"{record.key}: {record.remote_id} could not be read: {reason}")
        case Gone(proof):
            if _young(record, inputs):
                return Draft(warnings=(_not_visible(record, "its removal is planned once it shows"),))
            return Draft(replace(base, reasons=(f"the manifest is gone, and so is the experiment: {proof}",)))
        case Found(live):
            return Draft(ending(kind, base, inputs.seen(kind, live), record, inputs))


def _recorded_elsewhere(record: Record, inputs: Inputs) -> Key | None:
    """Give another key with a manifest that is recorded for the same experiment: a rename was interrupted half way."""
    if not record.remote_id:
        return None
    same = inputs.recorded.get((record.connection, record.remote_id), ())
    return min((key for key in same if key in inputs.desired), default=None)


# --- a manifest without a recorded experiment ----------------------------------------------------------------


def _unrecorded(kind: Kind, desired: Desired, record: Record | None, inputs: Inputs) -> Draft:
    if desired.import_id and record is None:
        return _imported(kind, desired, inputs)
    if desired.connection in inputs.unsearched:
        return Draft(problem=f"{desired.key}: connection {desired.connection} could not be searched for it")
    same = _candidates(kind, desired.connection, desired.spec, desired.key, inputs)
    if not same and record is not None and record.applied:
        same = _candidates(kind, desired.connection, record.applied, desired.key, inputs)
    if len(same) > 1:
        listed = ", ".join(f"{live.remote_id} ({live.status})" for live in same)
        change = _create(kind, desired, record, inputs)
        reason = (
            f"{len(same)} live experiments look like this one: {listed}; end the ones that are not wanted, "
            "or import the right one"
        )
        return Draft(block(replace(change, action=Action.ADOPT), reason))
    if same:
        interrupted = record is not None and record.intent_at is not None
        seen = inputs.seen(kind, same[0])
        return _live(kind, desired, record if interrupted else None, seen, inputs, adopting=True)
    return Draft(_create(kind, desired, record, inputs))


def _imported(kind: Kind, desired: Desired, inputs: Inputs) -> Draft:
    """A manifest that names the live experiment it speaks of: take that one over, or say why not."""
    for key in inputs.recorded.get((desired.connection, desired.import_id), ()):
        reason = f"metadata.importId {desired.import_id} is managed already, as {key}; take one of the two out"
        return Draft(block(replace(_create(kind, desired, None, inputs), action=Action.ADOPT), reason))
    match inputs.readings.get(desired.key, Unknown("it was not read")):
        case Unknown(reason):
            return Draft(problem=f"{desired.key}: metadata.importId {desired.import_id} could not be read: {reason}")
        case Gone(proof):
            reason = (
                f"metadata.importId {desired.import_id} is not there ({proof}); correct it, or take it out to create "
                "a new experiment"
            )
            return Draft(block(replace(_create(kind, desired, None, inputs), action=Action.ADOPT), reason))
        case Found(live):
            return _live(kind, desired, None, inputs.seen(kind, live), inputs, adopting=True)


def _candidates(kind: Kind, connection: str, spec: Spec, key: Key, inputs: Inputs) -> list[Live]:
    """Give the live, unrecorded experiments of the same identity, oldest id first; those that are over do not count."""
    found = {
        live.remote_id: live
        for live in inputs.alike(kind, connection, kind.identity(spec))
        if all(other == key for other in inputs.recorded.get((connection, live.remote_id), ()))
        and kind.could_be(spec, live)
    }
    return [found[remote_id] for remote_id in sorted(found)]


def _create(kind: Kind, desired: Desired, record: Record | None, inputs: Inputs, *warnings: str) -> Change:
    """Give the create of an experiment, judged at the plan's moment."""
    spec = {key: value for key, value in desired.spec.items() if value is not None}
    change = Change(
        key=desired.key,
        platform=desired.platform,
        connection=desired.connection,
        action=Action.CREATE,
        fields=stated_fields(kind, spec),
        calls=kind.create_calls(spec),
        warnings=tuple(warnings),
        target=desired.spec,
        lifecycle=desired.lifecycle,
        predecessors=record.predecessors if record else (),
    )
    return judged(kind, change, Situation(Action.CREATE, inputs.as_of, None, spec, spec))


def _gone(kind: Kind, desired: Desired, record: Record, proof: str, inputs: Inputs) -> Draft:
    if _young(record, inputs):
        return Draft(warnings=(_not_visible(record, "run plan again in a minute"),))
    warning = f"{record.remote_id} was removed outside of this tool ({proof}); it will be created anew"
    change = _create(kind, desired, record, inputs, warning)
    return Draft(replace(change, predecessors=(*record.predecessors, record.remote_id)))


def _young(record: Record, inputs: Inputs) -> bool:
    return record.created_at is not None and inputs.now - record.created_at < GRACE


def _not_visible(record: Record, what: str) -> str:
    return f"{record.remote_id} was created moments ago and is not visible yet on the platform; {what}"


def _moved_connection(desired: Desired, record: Record) -> Change:
    change = Change(
        key=desired.key,
        platform=desired.platform,
        connection=desired.connection,
        action=Action.REPLACE,
        remote_id=record.remote_id,
        status=record.status or None,
        target=desired.spec,
        lifecycle=desired.lifecycle,
    )
    return block(
        change,
        f"metadata.connection changed from {record.connection} to {desired.connection}, and an experiment cannot move; "
        "give the manifest a new metadata.name, so that the old one is ended and a new one created",
    )


# --- a live experiment ---------------------------------------------------------------------------------------


def _live(kind: Kind, desired: Desired, record: Record | None, live: Live, inputs: Inputs, *, adopting: bool) -> Draft:
    ignored = desired.lifecycle.ignore_changes
    delta = difference(kind, desired.spec, live, record=record, ignored=ignored)
    if record is not None and (record.inflight or record.intent_at is not None):
        # What differs is what our own interrupted run left; nobody else need have moved it.
        delta = replace(delta, changes=tuple(replace(item, drifted=False) for item in delta.changes))
    released = tuple(
        f"{path} is no longer stated and cannot be cleared on the platform: it is left as it is"
        for path in delta.released
    )
    change = Change(
        key=desired.key,
        platform=desired.platform,
        connection=desired.connection,
        action=Action.ADOPT if adopting else Action.UPDATE,
        remote_id=live.remote_id,
        status=live.status,
        expected=_expected(desired, record, live),
        target=desired.spec,
        lifecycle=desired.lifecycle,
        predecessors=record.predecessors if record else (),
        warnings=released,
        reasons=_adopt_reasons(record, live) if adopting else (),
    )
    if live.owned_elsewhere and delta.changes:
        reason = "it is owned by another org (isRemote) and can only be read here; change it there"
        return Draft(block(replace(change, fields=delta.changes), reason))
    if live.over and not adopting:
        return _over(kind, desired, record, live, delta, change, inputs)
    delta, stuck = _without_stuck_lifecycle(kind, desired, record, live, delta)
    if not delta.changes:
        resting = tuple(kind.judge(Situation(Action.NO_OP, inputs.as_of, live, desired.spec, delta.target)))
        stops = [item.message for item in resting if item.blocks]
        if stops:
            return Draft(block(change, *stops))
        warnings = (*stuck, *(item.message for item in resting), *released)
        if adopting:
            return Draft(replace(change, warnings=warnings))
        recorded = record is not None and _as_recorded(kind, desired, record)
        return Draft(None if recorded else replace(change, action=Action.NO_OP, warnings=warnings), warnings)
    return Draft(changing(kind, desired, live, delta, replace(change, warnings=stuck + released), inputs))


def _adopt_reasons(record: Record | None, live: Live) -> tuple[str, ...]:
    if record is not None:
        return (f"an earlier run was interrupted while creating it; it was found as {live.remote_id}",)
    name = f" {live.name!r}" if live.name else ""
    return (f"{live.remote_id}{name} is live with the same identity and is not recorded yet",)


def _as_recorded(kind: Kind, desired: Desired, record: Record) -> bool:
    """Tell whether the record already says what the manifest says."""
    return (
        record.key == desired.key
        and same_spec(kind, desired.spec, record.applied)
        and desired.spec.keys() == record.applied.keys()
        and desired.lifecycle == record.lifecycle
        and not record.inflight
        and record.intent_at is None
    )


def _over(
    kind: Kind,
    desired: Desired,
    record: Record | None,
    live: Live,
    delta: Difference,
    change: Change,
    inputs: Inputs,
) -> Draft:
    """An experiment that can never run again: nothing by itself; a changed manifest needs a new one."""
    wants_end = kind.lifecycle_field is not None and desired.spec.get(kind.lifecycle_field) in kind.ending_states
    if wants_end:
        rest = tuple(item for item in delta.changes if item.path != kind.lifecycle_field)
        delta = replace(delta, changes=rest)
    if delta.changes and record is not None and not _asks_nothing(kind, desired, record):
        return Draft(changing(kind, desired, live, delta, change, inputs))
    warnings: tuple[str, ...] = ()
    if not wants_end:
        names = ", ".join(item.path for item in delta.changes)
        differs = f" ({names} differs)" if names else ""
        warnings = (
            f"it is {live.status} on the platform and can neither run nor change any more{differs}; "
            "remove the manifest to forget it",
        )
    recorded = record is not None and _as_recorded(kind, desired, record)
    if delta.changes or recorded:
        return Draft(warnings=warnings)
    return Draft(replace(change, action=Action.NO_OP, warnings=warnings), warnings)


def _asks_nothing(kind: Kind, desired: Desired, record: Record) -> bool:
    """Tell whether the manifest says what it said when it was last applied (ignored fields aside)."""
    ignored = set(desired.lifecycle.ignore_changes)
    wanted = {key: value for key, value in desired.spec.items() if key not in ignored}
    before = {key: value for key, value in record.applied.items() if key not in ignored}
    return same_spec(kind, wanted, before)


def _without_stuck_lifecycle(
    kind: Kind, desired: Desired, record: Record | None, live: Live, delta: Difference
) -> tuple[Difference, tuple[str, ...]]:
    """
    Take out a lifecycle move that the platform can never make and that the manifest did not newly ask for.

    Stopped by hand while `Started` is wanted cannot be undone: the other changes still go, with a warning.
    """
    name = kind.lifecycle_field
    if name is None or record is None or desired.spec.get(name) != record.applied.get(name):
        return delta, ()
    for change in delta.changes:
        if change.path != name:
            continue
        cell = kind.verdict(change, live, delta.target)
        if cell.verdict is not Verdict.NEVER:
            break
        rest = tuple(item for item in delta.changes if item is not change)
        target = {**delta.target, name: live.spec.get(name)}
        note = f": {cell.note}" if cell.note else ""
        return Difference(rest, target, delta.released), (
            f"{name} is {change.before!r} on the platform while the manifest wants {change.after!r}{note}",
        )
    return delta, ()


def _expected(desired: Desired, record: Record | None, live: Live) -> Spec:
    """Give the managed fields as they are live now: what a later apply has to find unmoved."""
    names: Sequence[str] = [*desired.spec, *(record.applied if record else ())]
    ignored = desired.lifecycle.ignore_changes
    return {name: live.spec.get(name) for name in dict.fromkeys(names) if name not in ignored}
