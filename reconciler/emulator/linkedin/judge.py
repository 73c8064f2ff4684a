"""
Whether an experiment may be created, or changed as asked, in the state it is in.

One judgement serves create, update and the validate action. Source: the lists of what may change before and after the
start under "Update Experiments" of the page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.emulator.linkedin.lifecycle import STARTED, may_create, may_intend
from reconciler.emulator.linkedin.problems import Failure
from reconciler.emulator.linkedin.rules import check_entities, check_overlap, check_values
from reconciler.emulator.linkedin.schema import READ_ONLY, REQUIRED, check_fields, check_whole
from reconciler.emulator.world import Row, World

EDITABLE_AFTER_START = frozenset(
    {"name", "description", "scheduledEndAt", "autoStop", "confidence", "userIntendedState", "cells"}
)
_CELL_TEXTS = ("name", "description")


def new_failures(world: World, body: Mapping[str, Any]) -> list[Failure]:
    """Give what forbids creating an experiment with this body; a flaw of shape hides everything else."""
    failures = read_only_failures(body) + check_whole(body)
    if failures:
        return failures
    failures = check_values(body, body.keys(), world.now_ms())
    if not may_create(body["userIntendedState"]):
        failures.append(Failure("INVALID_STATE_TRANSITION", "/userIntendedState"))
    failures += check_entities(world, body)
    return failures + check_overlap(world, body, None)


def patch_shape_failures(row: Row, sets: Mapping[str, Any], deletes: Collection[str]) -> list[Failure]:
    """Give the flaws of a patch that show before it is applied: no such field, wrong type, read-only, required."""
    never = [name for name in (*sets, *deletes) if name == "account"]
    failures = [Failure("SET_OR_UPDATE_NOT_ALLOWED", f"/{name}") for name in never]
    failures += read_only_failures([*sets, *deletes])
    failures += check_fields({name: value for name, value in sets.items() if name != "account"})
    for name in deletes:
        if name in REQUIRED and name != "account":
            failures.append(Failure("SCHEMA_MISMATCH", f"/{name}", more="It is required."))
        elif name not in (*READ_ONLY, "account", "description", "autoStop"):
            failures.append(Failure("SCHEMA_MISMATCH", f"/{name}", more="No such field."))
    return failures


def change_failures(world: World, row: Row, merged: Mapping[str, Any], touched: Collection[str]) -> list[Failure]:
    """
    Give what forbids turning the stored `row` into `merged`, of which the fields `touched` were written.

    A field that is closed in the row's state is refused even when the value is the same.
    """
    closed = _closed(row, merged, touched)
    failures = [Failure("SET_OR_UPDATE_NOT_ALLOWED", f"/{name}") for name in closed]
    wanted = merged["userIntendedState"]
    extended = "scheduledEndAt" in touched and merged["scheduledEndAt"] > row["scheduledEndAt"]
    if "userIntendedState" in touched and not may_intend(row, wanted, end_extended=extended):
        failures.append(Failure("INVALID_STATE_TRANSITION", "/userIntendedState"))
    if row["executionState"] == "ENDED":
        return failures
    launched = row["userIntendedState"] == "DRAFT" and wanted == "ACTIVE"
    judged = set(merged) if launched else set(touched)
    failures += check_values(merged, judged, world.now_ms())
    canceled = wanted == "CANCELED"
    if row["executionState"] not in STARTED and not canceled:
        failures += check_entities(world, merged)
    if judged & {"cells", "scheduledStartAt", "scheduledEndAt", "userIntendedState"}:
        failures += check_overlap(world, merged, row["id"])
    return failures


def read_only_failures(names: Collection[str]) -> list[Failure]:
    """Give a failure for each read-only field among the names."""
    return [Failure("SET_OR_UPDATE_NOT_ALLOWED", f"/{name}") for name in names if name in READ_ONLY]


def _closed(row: Row, merged: Mapping[str, Any], touched: Collection[str]) -> list[str]:
    if row["executionState"] == "ENDED":
        repeated = merged["userIntendedState"] == row["userIntendedState"]
        return [name for name in touched if name != "userIntendedState" or not repeated]
    closed = ["account"] if "account" in touched else []
    if row["executionState"] in STARTED:
        closed += [name for name in touched if name not in EDITABLE_AFTER_START and name != "account"]
        if "cells" in touched and _frozen_part(merged["cells"]) != _frozen_part(row["cells"]):
            closed.append("cells")
    return closed


def _frozen_part(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the cells without their texts: what must stay, order included, once the experiment has started."""
    return [{key: value for key, value in cell.items() if key not in _CELL_TEXTS} for cell in cells]
