"""The rules that go across fields and rows: sizes, entities, flights and the time window of an A/B test."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reconciler.emulator.world import Row, World
from reconciler.emulator.x_ads import rows, times
from reconciler.emulator.x_ads.refusals import Findings

APP_OBJECTIVES = frozenset({"APP_INSTALLS", "APP_ENGAGEMENTS"})
_WHOLE = Decimal(100)
_CENT = Decimal("0.01")
_MAX_LINE_ITEM_GROUPS = 5


def check_groups(entity_type: str, groups: list[Row], findings: Findings) -> None:
    """Check what holds inside one complete array of user groups: count, sum of sizes, disjoint entities."""
    highest = 30 if entity_type == "CAMPAIGN" else _MAX_LINE_ITEM_GROUPS
    if not 2 <= len(groups) <= highest:
        findings.invalid("user_groups", f"Expected 2 to {highest} user groups, got {len(groups)}")
    check_sum(groups, findings)
    seen: set[str] = set()
    for at, group in enumerate(groups):
        for entity in group["entity_ids"]:
            if entity in seen:
                findings.invalid(f"user_groups[{at}].entity_ids", "An entity can be in one user group only", entity)
            seen.add(entity)
    if entity_type == "LINE_ITEM":
        _check_line_item_groups(groups, findings)


def check_sum(groups: Iterable[Row], findings: Findings) -> None:
    """Check that the sizes given add up to exactly 100.00."""
    total = sum((Decimal(group["size"]) for group in groups if "size" in group), Decimal(0))
    if total != _WHOLE:
        findings.invalid("user_groups", f"The size values must add up to 100.00, got {total:.2f}")


def _check_line_item_groups(groups: list[Row], findings: Findings) -> None:
    for at, group in enumerate(groups):
        if len(group["entity_ids"]) != 1:
            message = "A user group of line items holds exactly one"
            findings.invalid(f"user_groups[{at}].entity_ids", message, group["entity_ids"])
    if groups and sorted(Decimal(group["size"]) for group in groups) != equal_split(len(groups)):
        findings.invalid("user_groups", "User groups of line items must be of equal size")


def equal_split(groups: int) -> list[Decimal]:
    """Give the sizes of an equal split, smallest first; what does not divide goes to one group (33.33 33.33 33.34)."""
    share = (_WHOLE / groups).quantize(_CENT, rounding="ROUND_DOWN")
    return [share] * (groups - 1) + [_WHOLE - share * (groups - 1)]


def check_entities(
    world: World, account_id: str, entity_type: str, groups: list[Row], own_id: str | None, findings: Findings
) -> None:
    """
    Check that every entity exists in the account, is not deleted and is in no other test that is not deleted.

    A completed test goes on holding its entities; a deleted one lets them go. At line item level all line items of
    the one campaign must be in the test.
    """
    known = rows.table(world, "campaigns" if entity_type == "CAMPAIGN" else "line_items")
    holders = {
        entity: row["id"]
        for row in rows.table(world, "ab_tests").values()
        if not row.get("deleted") and row["id"] != own_id
        for group in row["user_groups"]
        for entity in group["entity_ids"]
    }
    noun = "campaign" if entity_type == "CAMPAIGN" else "line item"
    for at, group in enumerate(groups):
        place = f"user_groups[{at}].entity_ids"
        for entity in group["entity_ids"]:
            row = known.get(entity)
            if row is None or row["account_id"] != account_id or row.get("deleted"):
                findings.invalid(place, f'There is no {noun} "{entity}" in this account', entity)
            elif entity in holders:
                message = f'The {noun} "{entity}" is already in A/B test "{holders[entity]}"'
                findings.invalid(place, message, entity)
    if entity_type == "LINE_ITEM" and not findings.problems:
        _check_whole_campaign(world, groups, findings)


def _check_whole_campaign(world: World, groups: list[Row], findings: Findings) -> None:
    items = rows.table(world, "line_items")
    chosen = {entity for group in groups for entity in group["entity_ids"]}
    campaigns = {items[entity]["campaign_id"] for entity in chosen}
    if len(campaigns) != 1:
        findings.invalid("user_groups", "The line items of an A/B test must be of one campaign", sorted(campaigns))
        return
    lacking = {
        row["id"] for row in items.values() if row["campaign_id"] in campaigns and not row.get("deleted")
    } - chosen
    if lacking:
        findings.invalid("user_groups", "Every line item of the campaign must be in the A/B test", sorted(lacking))


def check_window(world: World, row: dict[str, Any], changed: Iterable[str], findings: Findings) -> None:
    """
    Check the time window of `row` as it will be.

    The times in `changed` must be in the future; the rest holds whatever changed: the end after the start, at least
    1 day between them (5 where an app objective is involved), and an overlap with the flight of every entity.
    """
    now = rows.now_shown(world)
    for key in ("start_time", "end_time"):
        if key in changed and row[key] <= now:
            findings.invalid(key, f"{key} must be in the future", row[key])
    if row["start_time"] >= row["end_time"]:
        findings.invalid("end_time", "end_time must be after start_time", row["end_time"])
        return
    flights = _flights(world, row)
    items = [item for found in flights.values() for item in found]
    days = 5 if any(item["objective"] in APP_OBJECTIVES for item in items) else 1
    if times.parse(row["end_time"]) - times.parse(row["start_time"]) < timedelta(days=days):
        findings.invalid("end_time", f"The A/B test must run for at least {days} day(s)", row["end_time"])
    for entity, found in flights.items():
        if not any(_overlaps(item, row["start_time"], row["end_time"]) for item in found):
            findings.invalid("start_time", f'The A/B test does not overlap the flight dates of "{entity}"', entity)


def _flights(world: World, row: dict[str, Any]) -> dict[str, list[Row]]:
    """
    Give for each entity that exists the line items, not deleted, that carry its flight dates.

    A campaign without a line item has no flight, so nothing overlaps it.
    """
    name, column = ("campaigns", "campaign_id") if row["entity_type"] == "CAMPAIGN" else ("line_items", "id")
    known = rows.table(world, name)
    entities = [entity for group in row["user_groups"] for entity in group["entity_ids"]]
    found: dict[str, list[Row]] = {entity: [] for entity in entities if entity in known}
    for item in rows.table(world, "line_items").values():
        if item[column] in found and not item.get("deleted"):
            found[item[column]].append(item)
    return found


def _overlaps(item: Row, start: str, end: str) -> bool:
    """Tell whether a flight shares time with the window; a missing start or end of the flight is open."""
    begins, ends = item.get("start_time"), item.get("end_time")
    return (begins is None or begins < end) and (ends is None or ends > start)
