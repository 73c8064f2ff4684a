"""
A person at Campaign Manager: changes made outside the API, without its roles but within the shapes of the platform.

An id is an experiment's number, or the URN of an account, a campaign group or a campaign.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from reconciler.emulator.linkedin import lifecycle
from reconciler.emulator.linkedin.schema import EXECUTION, REQUIRED, check_whole
from reconciler.emulator.world import Table, World

_TABLES = {
    "sponsoredAccount": "accounts",
    "sponsoredCampaignGroup": "campaignGroups",
    "sponsoredCampaign": "campaigns",
}
_STATUSES = ("ACTIVE", "DRAFT", "PAUSED", *lifecycle.DEAD_CAMPAIGN)
_ACTOR = "urn:li:member:99"


def edit(world: World, remote_id: str, changes: dict[str, Any]) -> None:
    """
    Set fields of an experiment, an account, a group or a campaign; None takes an optional field away.

    In an experiment `userIntendedState` acts as the button in the UI does (campaigns pause, the test ends), while
    `executionState` is set as it is. Raises KeyError for an unknown id, ValueError for what the platform's shapes do
    not allow; then nothing is changed.
    """
    table, key = _place(world, remote_id)
    row = table[key]
    if not re.fullmatch(r"[0-9]+", remote_id):
        if "id" in changes:
            raise ValueError("an id cannot change")
        if "status" in changes and changes["status"] not in _STATUSES:
            raise ValueError(f"status is one of {', '.join(_STATUSES)}")
        _set(row, copy.deepcopy(changes))
        return
    sets = copy.deepcopy(changes)
    for name in ("id", "created", "lastModified"):
        if name in sets:
            raise ValueError(f"{name} cannot be edited")
    for name, value in sets.items():
        if value is None and name in REQUIRED:
            raise ValueError(f"{name} is required")
    if sets.get("executionState", "PENDING") not in EXECUTION:
        raise ValueError(f"executionState is one of {', '.join(EXECUTION)}")
    _check_whole_row({**row, **sets})
    wanted = sets.pop("userIntendedState", row["userIntendedState"])
    if row["executionState"] == "ENDED" and "executionState" not in sets and wanted != row["userIntendedState"]:
        raise ValueError("an ended experiment takes no other state")
    moves_on = sets.get("scheduledEndAt", 0) > row["scheduledEndAt"]
    _set(row, sets)
    if "executionState" in sets:
        row["userIntendedState"] = wanted
        if row["executionState"] == "ENDED":
            row.setdefault("endedAt", world.now_ms())
        elif row["executionState"] != "PENDING":
            row.setdefault("_startedAt", min(row["scheduledStartAt"], world.now_ms()))
    else:
        if row["userIntendedState"] == "DRAFT" and wanted == "ACTIVE":
            row["_launchedAt"] = world.now_ms()
        lifecycle.intend(world, row, wanted)
        if moves_on:
            lifecycle.rerun(world, row)
    row["lastModified"] = {"actor": _ACTOR, "time": world.now_ms()}


def remove(world: World, remote_id: str) -> None:
    """Take an experiment, account, group or campaign away in any state; raises KeyError for an unknown id."""
    table, key = _place(world, remote_id)
    del table[key]


def _place(world: World, remote_id: str) -> tuple[Table, str]:
    match = re.fullmatch(r"urn:li:(\w+):([0-9]+)", remote_id)
    name = _TABLES.get(match.group(1)) if match else "experiments"
    key = match.group(2) if match else remote_id
    table = world.table("linkedin", name) if name else {}
    if key not in table:
        raise KeyError(remote_id)
    return table, key


def _set(row: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            row.pop(name, None)
        else:
            row[name] = value


def _check_whole_row(merged: dict[str, Any]) -> None:
    shown = {name: value for name, value in merged.items() if value is not None and not name.startswith("_")}
    flaws = check_whole(shown)
    if flaws:
        raise ValueError("; ".join(f"{flaw.path}: {flaw.message}" for flaw in flaws))
