"""The mutability table, written out again from X's page: "can only be updated while SCHEDULED", one exception."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.change import FieldChange
from reconciler.model.kind import Evidence, Verdict
from reconciler.model.resource import Live
from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]
IN_PLACE, REPLACE = Verdict.IN_PLACE, Verdict.REPLACE

TABLE = {
    # path                          SCHEDULED  LIVE      COMPLETED
    "account_id": (REPLACE, REPLACE, REPLACE),
    "entity_type": (REPLACE, REPLACE, REPLACE),
    "start_time": (IN_PLACE, REPLACE, REPLACE),
    "end_time": (IN_PLACE, IN_PLACE, REPLACE),
    "name": (IN_PLACE, REPLACE, REPLACE),
    "description": (IN_PLACE, REPLACE, REPLACE),
    "user_groups[2]": (IN_PLACE, REPLACE, REPLACE),
    "user_groups[0].entity_ids": (IN_PLACE, REPLACE, REPLACE),
    "user_groups[0].size": (IN_PLACE, REPLACE, REPLACE),
    "user_groups[0].name": (IN_PLACE, REPLACE, REPLACE),
    "user_groups[0].description": (IN_PLACE, REPLACE, REPLACE),
}
STATUSES = ("SCHEDULED", "LIVE", "COMPLETED")


def live(status: str) -> Live:
    return Live("hr7l0", status, {}, over=status == "COMPLETED")


@pytest.mark.parametrize(
    ("path", "status", "verdict"),
    [(path, status, cell) for path, row in TABLE.items() for status, cell in zip(STATUSES, row, strict=True)],
)
def test_cell(path: str, status: str, verdict: Verdict) -> None:
    cell = KIND.verdict(FieldChange(path, "a", "b"), live(status), {})
    assert cell.verdict is verdict
    assert cell.evidence in (Evidence.SEED, Evidence.DOC)
    assert cell.note or verdict is IN_PLACE


def test_the_table_has_a_row_for_each_field_and_no_other() -> None:
    rows = {path.replace("[0]", "[]").replace("[2]", "[]") for path in TABLE}
    assert {field.path for field in KIND.fields} == rows
    model: dict[str, Any] = KIND.spec_model.model_json_schema()
    tops = set(model["properties"])
    inner = {f"user_groups[].{name}" for name in model["$defs"]["UserGroup"]["properties"]}
    assert (tops - {"user_groups"}) | {"user_groups[]"} | inner == rows


def test_an_unknown_status_allows_nothing() -> None:
    assert KIND.verdict(FieldChange("name", "a", "b"), live("PAUSED"), {}).verdict is Verdict.NEVER


def test_only_the_end_of_a_live_test_spoils_a_running_comparison() -> None:
    assert {field.path: field.spoils_in for field in KIND.fields if field.spoils_in} == {"end_time": {"LIVE"}}


def test_what_can_be_cleared() -> None:
    clearable = {field.path for field in KIND.fields if field.clearable}
    assert clearable == {"name", "description", "user_groups[].name", "user_groups[].description"}


def test_entities_compare_as_sets_and_the_rest_as_it_is() -> None:
    assert KIND.same("user_groups[].entity_ids", ["a", "b"], ["b", "a"])
    assert not KIND.same("user_groups[].entity_ids", ["a", "b"], ["a"])
    assert not KIND.same("user_groups[].entity_ids", ["a"], None)
    assert KIND.same("user_groups[].size", "50.00", "50.0")
    assert not KIND.same("user_groups[].size", "50.00", "50.01")
    assert not KIND.same("name", "a", None)
    assert KIND.same("name", None, None)
