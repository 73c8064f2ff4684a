from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]


def canonical(stated: dict[str, Any]) -> dict[str, Any]:
    return KIND.canonical(KIND.spec_model.model_validate(stated).model_dump(exclude_unset=True))


def with_value(spec: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_the_pages_create_example_is_canonical_already(spec: dict[str, Any]) -> None:
    assert canonical(spec) == spec


@pytest.mark.parametrize(
    ("stated", "size"),
    [
        (50, "50.00"),
        (50.0, "50.00"),
        (33.33, "33.33"),
        ("40", "40.00"),
        ("40.0", "40.00"),
        ("1.00", "1.00"),
        (99, "99.00"),
    ],
)
def test_sizes_have_one_spelling(spec: dict[str, Any], stated: Any, size: str) -> None:
    stated_spec = with_value(spec, ("user_groups", 0, "size"), stated)
    assert canonical(stated_spec)["user_groups"][0]["size"] == size
    jsonschema.validate(stated_spec, KIND.spec_model.model_json_schema())


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (True, "not true"),
        (None, "not null"),
        (["50"], "a number or a string"),
        ("", "decimal number"),
        ("fifty", "decimal number"),
        ("5e1", "decimal number"),
        ("+50", "decimal number"),
        ("50.", "decimal number"),
        ("٥٠", "decimal number"),
        (float("nan"), "decimal number"),
        (float("inf"), "decimal number"),
        ("05", "leading zeros"),
        (33.333, "two decimals"),
        ("50.000", "two decimals"),
        (0.99, "1.00 to 99.00"),
        (0, "1.00 to 99.00"),
        (-5, "decimal number"),
        ("99.01", "1.00 to 99.00"),
        (100, "1.00 to 99.00"),
    ],
)
def test_other_sizes_are_refused(spec: dict[str, Any], stated: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        canonical(with_value(spec, ("user_groups", 0, "size"), stated))
    (error,) = caught.value.errors()
    assert error["loc"] == ("user_groups", 0, "size")
    assert message in error["msg"]


@pytest.mark.parametrize("stated", ["0.99", "99.01", "100", "50.000", "05", "fifty", 0.5, 99.5, True, None])
def test_the_json_schema_refuses_the_same_sizes(spec: dict[str, Any], stated: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_value(spec, ("user_groups", 0, "size"), stated), KIND.spec_model.model_json_schema())


@pytest.mark.parametrize(
    ("stated", "time"),
    [
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"),
        ("2026-12-01T10:00:00+0100", "2026-12-01T09:00:00Z"),
        ("2026-12-01 09:00:00Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00:00.000Z", "2026-12-01T09:00:00Z"),
    ],
)
def test_times_have_one_spelling(spec: dict[str, Any], stated: str, time: str) -> None:
    assert canonical(with_value(spec, ("end_time",), stated))["end_time"] == time


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("2026-12-01T09:00:00", "no time zone"),
        ("2026-12-01", "not a time"),
        ("tomorrow", "not a time"),
        ("2026-12-01T09:00:00.5Z", "whole seconds"),
        (1796115600000, "a time is text"),
        (None, "a time is text"),
    ],
)
def test_other_times_are_refused(spec: dict[str, Any], stated: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        canonical(with_value(spec, ("start_time",), stated))
    assert [error["loc"] for error in caught.value.errors()] == [("start_time",)]
    assert message in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        pytest.param(("account_id",), 123, "put it in quotes", id="number-as-account"),
        pytest.param(("account_id",), "", "not empty", id="empty-account"),
        pytest.param(("account_id",), "a/b", "slashes", id="account-with-slash"),
        pytest.param(("user_groups", 0, "entity_ids", 1), 100000.0, "put it in quotes", id="number-as-entity"),
        pytest.param(("user_groups", 0, "entity_ids", 1), "a,b", "commas", id="entity-with-comma"),
        pytest.param(("user_groups", 0, "entity_ids"), [], "at least 1 item", id="no-entities"),
        pytest.param(("user_groups", 0, "entity_ids"), "f2qcw", "valid list", id="entities-not-a-list"),
        pytest.param(("entity_type",), "campaign", "'CAMPAIGN' or 'LINE_ITEM'", id="entity-type"),
        pytest.param(("name",), "", "null to clear", id="empty-name"),
        pytest.param(("name",), 5, "valid string", id="name-number"),
        pytest.param(("name",), "n" * 256, "at most 255 characters", id="long-name"),
        pytest.param(("description",), "d" * 1025, "at most 1024 characters", id="long-description"),
        pytest.param(("user_groups", 1, "name"), "n" * 256, "at most 255 characters", id="long-group-name"),
        pytest.param(("user_groups", 1, "description"), "", "null to clear", id="empty-group-description"),
        pytest.param(("user_groups",), [], "at least 2 items", id="no-groups"),
        pytest.param(("user_groups",), None, "valid list", id="null-groups"),
        pytest.param(("status",), "LIVE", "not permitted", id="read-only-key"),
        pytest.param(("user_groups", 0, "id"), "p1bcx", "not permitted", id="group-id"),
    ],
)
def test_shape(spec: dict[str, Any], path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        canonical(with_value(spec, path, value))
    (error,) = caught.value.errors()
    assert error["loc"] == path
    assert message in error["msg"]


def test_thirty_groups_and_no_more(spec: dict[str, Any]) -> None:
    def groups(count: int) -> list[dict[str, Any]]:
        return [{"entity_ids": [f"e{index}"], "size": 3} for index in range(count)]

    assert len(canonical(with_value(spec, ("user_groups",), groups(30)))["user_groups"]) == 30
    with pytest.raises(ValidationError):
        canonical(with_value(spec, ("user_groups",), groups(31)))


@pytest.mark.parametrize("key", ["account_id", "entity_type", "start_time", "end_time", "user_groups"])
def test_required(spec: dict[str, Any], key: str) -> None:
    del spec[key]
    with pytest.raises(ValidationError) as caught:
        canonical(spec)
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [((key,), "missing")]


def test_null_clears_and_absence_says_nothing(spec: dict[str, Any]) -> None:
    del spec["name"]
    spec["description"] = None
    spec["user_groups"][0]["name"] = None
    result = canonical(spec)
    assert "name" not in result
    assert result["description"] is None
    assert result["user_groups"][0] == {"name": None, "size": "50.00", "entity_ids": ["f2qcw", "f2tht"]}


def test_lengths_count_characters(spec: dict[str, Any]) -> None:
    assert canonical(with_value(spec, ("name",), "😀" * 255))["name"] == "😀" * 255


def test_importing_the_platform_is_light() -> None:
    code = (
        "import sys, reconciler.platforms.x_ads; sys.exit(bool({'pydantic', 'httpx', 'oauthlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
