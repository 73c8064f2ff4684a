"""Changes made by a person in the platform's own interface, past the API: what drift is made of."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.world import Row, World
from reconciler.emulator.x_ads import changes as updates
from reconciler.emulator.x_ads import checks, fields, rows
from reconciler.emulator.x_ads.refusals import Findings, Refusal

PERSON = {"user_id": "756201191646691330", "username": "person_in_ui"}


def edit(world: World, remote_id: str, changes: dict[str, Any]) -> None:
    """
    Change an A/B test as an update through the API would, but of any status and without a look at the clock.

    `changes` has the form of an update's body: `user_groups` either all with ids (edits) or none (recreated).
    Raises KeyError for an id that is unknown or deleted, ValueError for changes that leave no valid test.
    """
    row = _found(world, remote_id)
    findings = Findings()
    try:
        given = fields.update_fields(changes, findings)
        findings.settle()
        after = updates.changed(world, row, given, findings)
        if updates.touches_window(given):
            checks.check_window(world, after, (), findings)
        findings.settle()
    except Refusal as refused:
        raise ValueError(str(refused)) from None
    after["user_groups"] = updates.with_group_ids(world, after["user_groups"])
    row.update(after, updated_at=rows.now_shown(world), updated_by=dict(PERSON))
    rows.tick(world)


def remove(world: World, remote_id: str) -> None:
    """Delete an A/B test. Raises KeyError for an id that is unknown or deleted."""
    row = _found(world, remote_id)
    row.update(deleted=True, updated_at=rows.now_shown(world), updated_by=dict(PERSON))


def _found(world: World, remote_id: str) -> Row:
    row = rows.table(world, "ab_tests").get(remote_id)
    if row is None or row.get("deleted"):
        raise KeyError(remote_id)
    return row
