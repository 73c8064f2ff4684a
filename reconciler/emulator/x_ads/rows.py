"""The tables of this platform, how a row is shown, and what the clock does to A/B tests."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.world import Row, Table, World
from reconciler.emulator.x_ads import times

PLATFORM = "x-ads"
_FIRST_TEST = int("hr7l0", 36)  # the ids of the reference page's example are the first ones given out
_FIRST_GROUP = int("p1bcx", 36)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SHOWN = (
    "created_at",
    "created_by",
    "deleted",
    "description",
    "end_time",
    "entities",
    "entity_type",
    "id",
    "name",
    "start_time",
    "status",
    "user_groups",
    "updated_at",
    "updated_by",
)


def table(world: World, name: str) -> Table:
    """Give the live table `name`: credentials, accounts, campaigns, line_items or ab_tests."""
    return world.table(PLATFORM, name)


def now_shown(world: World) -> str:
    """Give the world's time as the platform writes it."""
    return times.shown(world.now())


def shown_test(row: Row) -> dict[str, Any]:
    """
    Give an A/B test as the API shows it.

    `entities` holds the ids of the user groups, not of campaigns: so it is in every example of the reference.
    """
    account_id = row["account_id"]
    entities = [{"id": group["id"], "account_id": account_id} for group in row["user_groups"]]
    groups = [
        {key: group.get(key) for key in ("id", "name", "description", "size", "entity_ids")}
        for group in row["user_groups"]
    ]
    full: dict[str, Any] = {"name": None, "description": None, **row, "entities": entities, "user_groups": groups}
    return {key: full[key] for key in _SHOWN}


def new_test_id(world: World) -> tuple[str, int]:
    """Give an id no test has had, and its number, which keeps the order of creation."""
    while True:
        number = world.next_number(f"{PLATFORM}.ab_test", _FIRST_TEST)
        remote_id = _base36(number)
        if remote_id not in table(world, "ab_tests"):
            return remote_id, number


def new_group_id(world: World) -> str:
    """Give an id no user group has had."""
    taken = {group["id"] for row in table(world, "ab_tests").values() for group in row["user_groups"]}
    while True:
        remote_id = _base36(world.next_number(f"{PLATFORM}.user_group", _FIRST_GROUP))
        if remote_id not in taken:
            return remote_id


def tick(world: World) -> None:
    """
    Move every test that is not deleted to the status its times ask for: SCHEDULED, LIVE, COMPLETED, never back.

    `updated_at` is left alone: no one edited the test.
    """
    now = now_shown(world)
    for row in table(world, "ab_tests").values():
        if row.get("deleted") or row["status"] == "COMPLETED":
            continue
        if row["end_time"] <= now:
            row["status"] = "COMPLETED"
        elif row["start_time"] <= now:
            row["status"] = "LIVE"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
