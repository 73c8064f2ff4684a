"""What a manifest may say: types, limits, spellings, and how they come out."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from linkedin_samples import KIND, cell, spec, stated
from pydantic import ValidationError

from reconciler.platforms.linkedin import PLATFORM


def errors(**changes: Any) -> list[tuple[tuple[Any, ...], str, str]]:
    try:
        KIND.spec_model.model_validate(stated(**changes))
    except ValidationError as error:
        return [(item["loc"], item["type"], item["msg"]) for item in error.errors()]
    return []


def test_the_least_manifest_is_kept_as_stated_and_wants_to_be_active() -> None:
    assert spec() == {**stated(), "userIntendedState": "ACTIVE"}
    assert "autoStop" not in spec()


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        pytest.param("2026-12-07T09:00:00+01:00", "2026-12-07T08:00:00Z", id="offset"),
        pytest.param("2026-12-07T08:00Z", "2026-12-07T08:00:00Z", id="no-seconds"),
        pytest.param(1796630400000, "2026-12-07T08:00:00Z", id="milliseconds"),
        pytest.param(1796630400739, "2026-12-07T08:00:00.739Z", id="below-a-second"),
    ],
)
def test_times_have_one_spelling(value: Any, canonical: str) -> None:
    assert spec(scheduledStartAt=value)["scheduledStartAt"] == canonical


@pytest.mark.parametrize("account", ["urn:li:sponsoredAccount:5", "5", 5])
def test_an_account_may_be_a_bare_number(account: Any) -> None:
    assert spec(account=account)["account"] == "urn:li:sponsoredAccount:5"


@pytest.mark.parametrize("campaign", ["urn:li:sponsoredCampaign:7", "7", 7])
def test_a_campaign_may_be_a_bare_number(campaign: Any) -> None:
    cells = [{**cell("a", 1), "reference": {"campaign": campaign}}, cell("b", 2)]
    assert spec(cells=cells)["cells"][0]["reference"] == {"campaign": "urn:li:sponsoredCampaign:7"}


def test_text_is_composed_and_an_empty_description_is_null() -> None:
    assert spec(name="Cafe\u0301")["name"] == "Caf\u00e9"
    assert spec(description="")["description"] is None
    assert spec(description=None)["description"] is None
    cells = [cell("a", 1, description=""), cell("b", 2, description="memo")]
    assert [item.get("description") for item in spec(cells=cells)["cells"]] == [None, "memo"]


def test_canonical_is_its_own_canonical_form() -> None:
    once = spec(scheduledStartAt=1796630400739, account=5, description="Cafe\u0301")
    assert KIND.canonical(once) == once


@pytest.mark.parametrize("key", ["account", "name", "keyMetric", "confidence", "scheduledStartAt", "scheduledEndAt"])
def test_required_fields_are_required_and_not_cleared(key: str) -> None:
    assert [(loc, kind) for loc, kind, _ in errors(**{key: ...})] == [((key,), "missing")]
    assert [loc for loc, _, _ in errors(**{key: None})] == [(key,)]


@pytest.mark.parametrize("key", ["name", "trafficWeight", "reference"])
def test_required_fields_of_a_cell(key: str) -> None:
    broken = {name: value for name, value in cell("a", 1).items() if name != key}
    assert [(loc, kind) for loc, kind, _ in errors(cells=[broken, cell("b", 2)])] == [(("cells", 0, key), "missing")]


@pytest.mark.parametrize(
    ("changes", "loc", "rule", "words"),
    [
        ({"confidence": 50}, ("confidence",), "LIN005", "51 to 99"),
        ({"confidence": 100}, ("confidence",), "LIN005", "51 to 99"),
        ({"confidence": 90.0}, ("confidence",), "int_type", "integer"),
        ({"confidence": True}, ("confidence",), "int_type", "integer"),
        ({"confidence": "90"}, ("confidence",), "int_type", "integer"),
        ({"name": ""}, ("name",), "LIN012", "1 to 100"),
        ({"name": "x" * 101}, ("name",), "LIN012", "101 characters"),
        ({"name": 5}, ("name",), "string_type", "string"),
        ({"description": "x" * 1001}, ("description",), "LIN013", "at most 1000"),
        ({"keyMetric": "cpc"}, ("keyMetric",), "literal_error", "'CPC'"),
        ({"autoStop": None}, ("autoStop",), "literal_error", "AUTO_STOP_AT_WINNER"),
        ({"userIntendedState": "CANCELLED"}, ("userIntendedState",), "literal_error", "CANCELED"),
        ({"account": "urn:li:sponsoredCampaign:5"}, ("account",), "account_urn", "urn:li:sponsoredAccount:123456"),
        ({"account": "urn:li:sponsoredAccount:05"}, ("account",), "account_urn", "number"),
        ({"account": True}, ("account",), "account_urn", "number"),
        ({"scheduledStartAt": 1792221412}, ("scheduledStartAt",), "LIN017", "seconds"),
        ({"scheduledStartAt": 1792221412}, ("scheduledStartAt",), "LIN017", "1792221412000"),
        ({"scheduledStartAt": 0}, ("scheduledStartAt",), "LIN017", "positive"),
        ({"scheduledStartAt": -1561964400000}, ("scheduledStartAt",), "LIN017", "positive"),
        ({"scheduledStartAt": 1796630400000.0}, ("scheduledStartAt",), "LIN017", "not a time"),
        ({"scheduledStartAt": "2026-12-07"}, ("scheduledStartAt",), "LIN017", "not a time"),
        ({"scheduledStartAt": "2026-12-07T08:00:00"}, ("scheduledStartAt",), "LIN017", "time zone"),
        ({"scheduledStartAt": "1969-12-07T08:00:00Z"}, ("scheduledStartAt",), "LIN009", "1970"),
        ({"scheduledEndAt": 10**17}, ("scheduledEndAt",), "LIN017", "milliseconds"),
        ({"cells": [cell("a", 1)]}, ("cells",), "LIN001", "exactly 2"),
        ({"cells": [cell("a", 1), cell("b", 2), cell("c", 3)]}, ("cells",), "LIN001", "3 cells"),
        ({"cells": [cell("a", 1, 0), cell("b", 2)]}, ("cells", 0, "trafficWeight"), "LIN003", "1 to 99"),
        ({"cells": [cell("a", 1), cell("b", 2, 100)]}, ("cells", 1, "trafficWeight"), "LIN003", "1 to 99"),
        ({"cells": [cell("x" * 100, 1), cell("b", 2)]}, ("cells", 0, "name"), "LIN014", "1 to 99"),
        (
            {"cells": [cell("a", 1, description="x" * 500), cell("b", 2)]},
            ("cells", 0, "description"),
            "LIN015",
            "at most 499",
        ),
        ({"id": 5}, ("id",), "extra_forbidden", "not permitted"),
        ({"executionState": "RUNNING"}, ("executionState",), "extra_forbidden", "not permitted"),
        ({"cells": [cell("a", 1, wieght=5), cell("b", 2)]}, ("cells", 0, "wieght"), "extra_forbidden", "not permitted"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], loc: tuple[Any, ...], rule: str, words: str) -> None:
    found = errors(**changes)
    assert [(where, kind) for where, kind, _ in found] == [(loc, rule)]
    assert words in found[0][2]


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": 51},
        {"confidence": 99},
        {"name": "x" * 100},
        {"description": "x" * 1000},
        {"cells": [cell("x" * 99, 1, 1, description="x" * 499), cell("b", 2, 99)]},
        {"scheduledStartAt": 10**11},
    ],
)
def test_limits_are_inclusive(changes: dict[str, Any]) -> None:
    assert errors(**changes) == []


def test_all_errors_of_a_manifest_are_reported() -> None:
    assert len(errors(confidence=1, nmae="x", keyMetric="CPX", scheduledStartAt=5)) == 4


def test_the_json_schema_shows_limits_and_agrees_with_the_model() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = KIND.spec_model.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert schema["properties"]["confidence"]["minimum"] == 51
    assert schema["properties"]["userIntendedState"]["default"] == "ACTIVE"
    assert schema["properties"]["keyMetric"]["enum"] == ["CPC", "CPM", "CPV", "CPMS"]
    stops = ["AUTO_STOP_AT_END_DATE", "AUTO_STOP_AT_WINNER", "AUTO_STOP_DISABLED"]
    assert schema["properties"]["autoStop"]["enum"] == stops
    assert schema["properties"]["userIntendedState"]["enum"] == ["DRAFT", "ACTIVE", "PAUSED", "CANCELED"]
    assert schema["properties"]["cells"]["minItems"] == schema["properties"]["cells"]["maxItems"] == 2
    assert all(field.get("description") for field in schema["properties"].values())
    for good in ({}, {"account": 5}, {"scheduledStartAt": 1796630400000}, {"scheduledEndAt": "2027-01-01 08:00+01:00"}):
        assert check(stated(**good)), good
    for bad in (
        {"confidence": 100},
        {"scheduledStartAt": 1796630400},
        {"scheduledStartAt": "2026-12-07T08:00:00"},
        {"name": ""},
        {"cells": []},
        {"account": "x"},
        {"id": 1},
    ):
        assert not check(stated(**bad)), bad
        assert errors(**bad), bad


def test_importing_the_platform_is_light() -> None:
    code = "import json, sys; import reconciler.platforms.linkedin; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx", "pydantic", "stamina"} & set(json.loads(done.stdout))


def test_the_platform_says_how_it_is_reached() -> None:
    assert PLATFORM.name == "linkedin"
    assert PLATFORM.default_base_url == "https://api.linkedin.com"
    assert PLATFORM.default_api_version == KIND.api_version == "202609"
    assert KIND.at("202601").api_version == "202601"
