"""
A manifest whose name changed: told by `metadata.movedFrom`, or recognised and asked about.

The key is `Kind/name`, so a new name without a word about the old one reads as "end the old, create the new". The plan
says so where the two look like one experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.errors import PlanProblem
from reconciler.model.change import Action, Change
from reconciler.model.resource import Desired, Key, Record
from reconciler.plan.inputs import Inputs


def moved_records(desired: Mapping[Key, Desired], records: Mapping[Key, Record]) -> dict[Key, Record]:
    """
    Give the records with those of renamed manifests under their new keys; a moved record keeps its old `key` inside.

    A `movedFrom` that has been applied, or that names nothing, means nothing. Raises PlanProblem when the old name's
    manifest is still there, or two manifests claim the same old name.
    """
    moved = dict(records)
    claimed: dict[Key, Key] = {}
    for key, want in desired.items():
        if not want.moved_from or want.moved_from == key.name:
            continue
        old = Key(key.kind, want.moved_from)
        if old not in records or key in records:
            continue
        if old in desired:
            raise PlanProblem(f"{key}: metadata.movedFrom names {old}, whose manifest is still there; take one out")
        if old in claimed:
            raise PlanProblem(f"{key} and {claimed[old]} both say metadata.movedFrom: {old.name}; only one can be it")
        claimed[old] = key
        moved[key] = moved.pop(old)
    return moved


def with_moves(changes: Mapping[Key, Change], inputs: Inputs) -> dict[Key, Change]:
    """
    Give the changes with the key under which each is recorded until now, where that is another one.

    A renamed manifest whose experiment needs nothing, or can be given nothing (it is over, or not visible yet), still
    gets its record moved: without that, the next manifest without `movedFrom` would create the experiment anew.
    """
    result = dict(changes)
    targets = inputs.options.targets
    for key, record in sorted(inputs.records.items()):
        if record.key == key or (targets and key not in targets):
            continue
        if key in changes:
            reason = f"it was {record.key} before (metadata.movedFrom)"
            result[key] = replace(changes[key], moved_from=str(record.key), reasons=(*changes[key].reasons, reason))
            continue
        result[key] = Change(
            key=key,
            platform=record.platform,
            connection=record.connection,
            action=Action.NO_OP,
            remote_id=record.remote_id or None,
            status=record.status or None,
            lifecycle=record.lifecycle,
            moved_from=str(record.key),
        )
    return result


def with_rename_hints(changes: Mapping[Key, Change], inputs: Inputs) -> dict[Key, Change]:
    """Give the changes with a warning where a new manifest looks like a recorded one whose manifest is gone."""
    result = dict(changes)
    gone = sorted(key for key in inputs.records if key not in inputs.desired and key in changes)
    for key in sorted(inputs.desired):
        want = inputs.desired[key]
        if key in inputs.records or key not in changes:
            continue
        kind = inputs.kinds(key.kind, want.connection)
        identity = kind.identity({name: value for name, value in want.spec.items() if value is not None})
        for old in gone:
            record = inputs.records[old]
            alike = old.kind == key.kind and record.connection == want.connection and record.applied
            if not alike or kind.identity(record.applied) != identity:
                continue
            hint = (
                f"it looks like {old} under a new name; to keep that experiment, say metadata.movedFrom: {old.name} "
                f"in {key}, or run: reconciler state mv {old} {key}"
            )
            for item in (old, key):
                if result[item].action is not Action.FORGET or item == key:
                    result[item] = replace(result[item], warnings=(*result[item].warnings, hint))
    return result
