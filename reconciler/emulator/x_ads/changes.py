"""
What an update does to an A/B test: the three readings of `user_groups`, and which fields each status lets change.

All objects with an id: edits merged into the groups of those ids. None with an id: the array is recreated and every
group gets a new id. Both kinds in one array is refused when the body is read.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.world import Row, World
from reconciler.emulator.x_ads import checks, fields, rows
from reconciler.emulator.x_ads.refusals import Findings, refusal


def check_status(status: str, given: dict[str, Any], findings: Findings) -> None:
    """
    Check that a test of this status lets these fields change.

    SCHEDULED: all. LIVE: `end_time` alone. COMPLETED: nothing, which raises `Refusal` 403 ACTION_NOT_ALLOWED.
    """
    if status == "COMPLETED":
        message = "A COMPLETED A/B test cannot be updated"
        raise refusal(403, "ACTION_NOT_ALLOWED", message, parameter="status", value=status)
    if status == "LIVE":
        for key in given:
            if key != "end_time":
                findings.invalid(key, f"{key} can only be updated while the status is SCHEDULED", details=status)


def changed(world: World, row: Row, given: dict[str, Any], findings: Findings) -> Row:
    """
    Give the row as it would be with the fields of `given` (as read by `fields.update_fields`); `row` stays as it is.

    What is wrong with the outcome is noted in `findings`; new groups have no id yet (see `with_group_ids`).
    """
    after = {**row, **given}
    if "user_groups" in given:
        after["user_groups"] = _merged_groups(row["user_groups"], given["user_groups"], findings)
        findings.settle()
        checks.check_groups(row["entity_type"], after["user_groups"], findings)
        if any("entity_ids" in group for group in given["user_groups"]):
            checks.check_entities(
                world, row["account_id"], row["entity_type"], after["user_groups"], row["id"], findings
            )
    return after


def touches_window(given: dict[str, Any]) -> bool:
    """Tell whether an update changes what the time window is checked against: the times or the entities."""
    groups = given.get("user_groups", [])
    return bool({"start_time", "end_time"} & given.keys()) or any("entity_ids" in group for group in groups)


def new_groups(given: list[dict[str, Any]]) -> list[Row]:
    """Give the groups of a create or a replacement as rows without an id, what is not given as None."""
    return [{key: group.get(key) for key in fields.GROUP_FIELDS} for group in given]


def with_group_ids(world: World, groups: list[Row]) -> list[Row]:
    """Give the groups, those without an id with a new one."""
    return [group if "id" in group else {"id": rows.new_group_id(world), **group} for group in groups]


def _merged_groups(before: list[Row], given: list[dict[str, Any]], findings: Findings) -> list[Row]:
    if not fields.by_id(given):
        return new_groups(given)
    edits = {group["id"]: group for group in given}
    known = {group["id"] for group in before}
    if len(edits) != len(given):
        findings.invalid("user_groups", "A user group is given twice", [group["id"] for group in given])
    for at, group in enumerate(given):
        if group["id"] not in known:
            findings.invalid(f"user_groups[{at}].id", "This A/B test has no such user group", group["id"])
    if any("size" in group for group in given):
        # Whether the platform adds up the request or the outcome is not documented; both must be 100.00 here.
        checks.check_sum(given, findings)
    return [{**group, **edits.get(group["id"], {})} for group in before]
