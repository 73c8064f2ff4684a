"""A person in the platform's own screens: changes and removals that the API's client did not make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.salesforce.experiments import find_id, merged, name_is_taken, touch
from reconciler.emulator.salesforce.lifecycle import STATES, STATUSES, enter_state, snapshot
from reconciler.emulator.salesforce.rules import broken_rules, fill_open_weights
from reconciler.emulator.salesforce.shape import Problems, read_update
from reconciler.emulator.salesforce.tables import UI_USER, table
from reconciler.emulator.world import Row, World


def edit(world: World, remote_id: str, changes: Mapping[str, Any]) -> None:
    """
    Change an experiment at once, whatever its state: input fields by their wire names, `state`, `status`, `isRemote`.

    `remote_id` is a record id or API name. Values and rules are those of the API; what may change when is not judged.
    Raises KeyError for an unknown experiment, ValueError for a change that makes no sense.
    """
    with world.lock:
        row = table(world, "experiments")[_known_id(world, remote_id)]
        special = {key: changes[key] for key in ("state", "status", "isRemote") if key in changes}
        if special.get("state", "Created") not in STATES or special.get("status", "Active") not in STATUSES:
            raise ValueError(f"{remote_id}: no such state or status: {special}")
        if not isinstance(special.get("isRemote", False), bool):
            raise ValueError(f"{remote_id}: isRemote is true or false")
        after = _edited(world, row, {key: value for key, value in changes.items() if key not in special})
        if "state" in special and special["state"] != row["state"]:
            enter_state(after, special["state"], world.now())
        after.update(special)
        touch(world, after, UI_USER)
        if "status" in special:
            table(world, "jobs").pop(row["id"], None)
        row.clear()
        row.update(after)


def remove(world: World, remote_id: str) -> None:
    """Remove an experiment at once. Raises KeyError for an unknown one."""
    with world.lock:
        key = _known_id(world, remote_id)
        del table(world, "experiments")[key]
        table(world, "jobs").pop(key, None)


def _known_id(world: World, remote_id: str) -> str:
    key = find_id(world, remote_id)
    if key is None:
        raise KeyError(remote_id)
    return key


def _edited(world: World, row: Row, changes: Row) -> Row:
    """Give a copy of the row with input fields changed."""
    if not changes:
        return snapshot(row)
    problems: Problems = []
    fields: Row = read_update(changes, "", problems)
    if not problems:
        fill_open_weights(fields)
        problems += broken_rules(world, {**row, **fields})
    if problems:
        raise ValueError("; ".join(problem.message for problem in problems))
    if "name" in fields and name_is_taken(world, fields["name"], except_id=row["id"]):
        raise ValueError(f"name: an experiment with the name {fields['name']} exists already")
    return snapshot(merged(world, row, fields, UI_USER))
