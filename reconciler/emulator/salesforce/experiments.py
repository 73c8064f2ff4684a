"""
Experiment rows: finding them, making them from a body, showing them.

A row is the representation without `url`; `criteria`, `schemaEnum` and, beside it, `schemaName` are left out of the
representation while unset, and so are a cohort's `description` and `personalizerName` and a metric's
`engagementSignalName` (the seed page's uneven key set). Keys are shown in alphabetical order, as there.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.salesforce.errors import not_found
from reconciler.emulator.salesforce.ids import COHORT_PREFIX, EXPERIMENT_PREFIX, record_id, same_record
from reconciler.emulator.salesforce.tables import ADMIN_USER, table, timestamp
from reconciler.emulator.world import Row, World

COLLECTION = "personalization/abn-experiments"
_UNSET: Row = {
    "description": None,
    "profileDataGraphName": None,
    "sourceRecordId": None,
    "primaryMetrics": [],
    "secondaryMetrics": [],
    "parameters": [],
    "minimumRequiredParticipants": None,
    "chanceToWinThreshold": None,
    "minimumDurationInMinutes": None,
    "maximumDurationInMinutes": None,
    "scheduleFrequencyInMinutes": None,
    "winnerSelectionMode": "Manual",
}
_LEFT_OUT_WHEN_UNSET = ("criteria", "schemaEnum")
_NESTED_LEFT_OUT_WHEN_UNSET = ("description", "personalizerName", "engagementSignalName")


def complete_rows(world: World) -> None:
    """Fill, in place, what hand-written rows of a seed leave out: id (the row's key), dates, empty lists, state."""
    now = timestamp(world.now())
    for key, row in table(world, "experiments").items():
        defaults = {
            **_unset(),
            "id": key,
            "label": row.get("name", key),
            "dataSpaceName": "default",
            "cohorts": [],
            **_beginning(ADMIN_USER, now, "Active"),
        }
        for name, value in defaults.items():
            row.setdefault(name, value)


def _unset() -> Row:
    return {key: list(value) if isinstance(value, list) else value for key, value in _UNSET.items()}


def _beginning(user_id: str, now: str, status: str) -> Row:
    """Give the keys that the platform sets on a new experiment."""
    return {
        "isRemote": False,
        "state": "Created",
        "status": status,
        "startedDate": None,
        "stoppedDate": None,
        "lastAnalyzed": None,
        "createdById": user_id,
        "createdDate": now,
        "lastModifiedById": user_id,
        "lastModifiedDate": now,
    }


def find_id(world: World, id_or_name: str) -> str | None:
    """
    Give the 18-character id of the experiment named by id (15 or 18 characters) or API name, None when there is none.

    A name may carry its data space as prefix, `myDs_name`; names of the data space `default` are bare.
    """
    rows = table(world, "experiments")
    if id_or_name in rows:
        return id_or_name
    for key, row in rows.items():
        space = row["dataSpaceName"]
        if same_record(id_or_name, key) or row["name"] == id_or_name:
            return key
        if space != "default" and id_or_name == f"{space}_{row['name']}":
            return key
    return None


def find(world: World, id_or_name: str) -> Row:
    """Give the row of an experiment named by id or API name. Refuses (404) where there is none."""
    key = find_id(world, id_or_name)
    if key is None:
        raise not_found(f"The requested experiment does not exist: {id_or_name}")
    return table(world, "experiments")[key]


def name_is_taken(world: World, name: str, *, except_id: str | None = None) -> bool:
    """Tell whether another experiment of the org has this API name; capitals make no difference."""
    wanted = name.casefold()
    rows = table(world, "experiments").items()
    return any(row["name"].casefold() == wanted for key, row in rows if key != except_id)


def new_row(world: World, fields: Row, user_id: str) -> Row:
    """Give the row of a new experiment made from checked input fields, state Created, status Processing."""
    return {
        **_unset(),
        **fields,
        "cohorts": stored_cohorts(world, fields["cohorts"], [], user_id),
        "id": record_id(EXPERIMENT_PREFIX, world.next_number("salesforce.experiment")),
        **_beginning(user_id, timestamp(world.now()), "Processing"),
    }


def stored_cohorts(world: World, given: list[Row], before: list[Row], user_id: str) -> list[Row]:
    """Give the rows of a whole new cohort list: a cohort that keeps its name keeps its id and creation."""
    known = {row["name"]: row for row in before}
    now = timestamp(world.now())
    rows = []
    for cohort in given:
        old = known.get(cohort["name"])
        made = (
            {key: old[key] for key in ("id", "createdById", "createdDate")}
            if old
            else {
                "id": record_id(COHORT_PREFIX, world.next_number("salesforce.cohort")),
                "createdById": user_id,
                "createdDate": now,
            }
        )
        values = [
            {"attributeEnum": None, "attributeName": None, **value} for value in cohort.get("attributeValues", [])
        ]
        rows.append({"isFallThrough": False, **cohort, "attributeValues": values, **made})
    return rows


def merged(world: World, row: Row, changes: Row, user_id: str) -> Row:
    """Give a copy of `row` with checked input fields changed; lists replace the whole list."""
    after = {**row, **changes}
    if "cohorts" in changes:
        after["cohorts"] = stored_cohorts(world, changes["cohorts"], row["cohorts"], user_id)
    return after


def touch(world: World, row: Row, user_id: str) -> None:
    """Note who changed a row, and when, in place."""
    row["lastModifiedById"] = user_id
    row["lastModifiedDate"] = timestamp(world.now())


def shown(row: Row, version: str) -> dict[str, Any]:
    """Give the representation of a row for an API version (`v65.0`)."""
    content = {**row, "url": f"/services/data/{version}/{COLLECTION}/{row['id']}"}
    for key in _LEFT_OUT_WHEN_UNSET:
        if content.get(key) is None:
            content.pop(key, None)
    if content.get("schemaName") is None and "schemaEnum" in content:
        content.pop("schemaName", None)
    for key in ("cohorts", "primaryMetrics", "secondaryMetrics"):
        content[key] = [_without_unset(item) for item in content[key]]
    ordered: dict[str, Any] = _ordered(content)
    return ordered


def _without_unset(item: Row) -> Row:
    return {key: value for key, value in item.items() if value is not None or key not in _NESTED_LEFT_OUT_WHEN_UNSET}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value
