"""What a create is refused for, code by code, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.linkedin.seeds import campaign


def only(api: Any, answer: Any) -> str:
    """Give the one code of a refusal whose envelope and status agree."""
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["code"] != "MULTIPLE_VALIDATIONS_FAILED", body
    assert answer.headers["X-RestLi-Error-Response"] == "true"
    return str(body["code"])


def in_days(number: float) -> Any:
    return lambda api: api.days(number)


VALUE_CASES = [
    pytest.param({"confidence": 50}, "INVALID_CONFIDENCE_VALUE", id="confidence-50"),
    pytest.param({"confidence": 100}, "INVALID_CONFIDENCE_VALUE", id="confidence-100"),
    pytest.param({"scheduledStartAt": 0}, None, id="start-zero"),
    pytest.param({"scheduledEndAt": in_days(0.5)}, "INVALID_SCHEDULE", id="end-before-start"),
    pytest.param({"scheduledEndAt": in_days(1)}, "INVALID_SCHEDULE", id="end-equals-start"),
    pytest.param({"scheduledEndAt": in_days(91.01)}, "INVALID_SCHEDULE", id="longer-than-90-days"),
    pytest.param(
        {"scheduledStartAt": in_days(120), "scheduledEndAt": in_days(180.01)}, "INVALID_END_TIME", id="beyond-180-days"
    ),
    pytest.param(
        {"scheduledStartAt": in_days(-3), "scheduledEndAt": in_days(-1)}, "INVALID_END_TIME", id="end-in-the-past"
    ),
    pytest.param({"userIntendedState": "PAUSED"}, "INVALID_STATE_TRANSITION", id="born-paused"),
    pytest.param({"userIntendedState": "CANCELED"}, "INVALID_STATE_TRANSITION", id="born-canceled"),
    pytest.param({"account": "urn:li:sponsoredAccount:9"}, "ACCOUNT_NOT_FOUND", id="no-such-account"),
    pytest.param({"second": 9}, "CAMPAIGN_NOT_FOUND", id="no-such-campaign"),
    pytest.param({"second": 1024}, "CAMPAIGN_NOT_SERVABLE", id="campaign-canceled"),
    pytest.param({"second": 2001}, "CAMPAIGN_GROUPS_DIFFERENT", id="two-groups"),
    pytest.param({"second": 160000001}, "CAMPAIGNS_FROM_DIFFERENT_ACCOUNT", id="two-accounts"),
    pytest.param({"first": 160000001, "second": 160000002}, "CAMPAIGNS_FROM_DIFFERENT_ACCOUNT", id="other-account"),
    pytest.param({"second": 1001}, "DUPLICATE_ELEMENTS_IN_CELLS", id="same-campaign-twice"),
    pytest.param({"keyMetric": "CPV"}, "INVALID_KEY_METRIC", id="views-without-video"),
    pytest.param({"keyMetric": "CPMS"}, "INVALID_KEY_METRIC", id="messages-without-mail"),
    pytest.param(
        {"first": 3001, "second": 3002},
        "CAMPAIGN_GROUP_DYNAMIC_BUDGET_OPTIMIZATION_MUST_BE_DISABLED",
        id="dynamic-budgets",
    ),
]


@pytest.mark.parametrize(("changes", "code"), VALUE_CASES)
def test_values_and_entities(api: Any, changes: dict[str, Any], code: str | None) -> None:
    resolved = {name: value(api) if callable(value) else value for name, value in changes.items()}
    answer = api.create(**resolved)
    if code is None:
        assert api.codes(answer) == ["INVALID_SCHEDULE", "INVALID_START_TIME"]
        return
    codes = api.codes(answer)
    if "INVALID_KEY_METRIC" in codes:
        assert set(codes) == {code}
    else:
        assert only(api, answer) == code
    assert answer.status_code == 422
    assert api.world.table("linkedin", "experiments") == {}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param((50, 49), ["INVALID_SUM_OF_WEIGHT_OF_CELLS"], id="sum-99"),
        pytest.param((0, 100), ["INVALID_WEIGHT_OF_CELL", "INVALID_WEIGHT_OF_CELL"], id="zero-and-hundred"),
        pytest.param((100, 1), ["INVALID_SUM_OF_WEIGHT_OF_CELLS", "INVALID_WEIGHT_OF_CELL"], id="both"),
    ],
)
def test_weights(api: Any, weights: tuple[int, int], expected: list[str]) -> None:
    cells = api.cells()
    for cell, weight in zip(cells, weights, strict=True):
        cell["trafficWeight"] = weight
    assert api.codes(api.create(cells=cells)) == expected


@pytest.mark.parametrize("count", [0, 1, 3])
def test_number_of_cells(api: Any, count: int) -> None:
    cells = (api.cells() + api.cells(1003, 1004))[:count]
    assert only(api, api.create(cells=cells)) == "INVALID_NO_OF_CELLS"


SHAPE_CASES = [
    *(
        pytest.param({name: ...}, f"/{name}", id=f"without-{name}")
        for name in (
            "account",
            "name",
            "keyMetric",
            "confidence",
            "scheduledStartAt",
            "scheduledEndAt",
            "userIntendedState",
            "cells",
        )
    ),
    pytest.param({"Name": "x"}, "/Name", id="unknown-key"),
    pytest.param({"name": ""}, "/name", id="empty-name"),
    pytest.param({"name": "n" * 101}, "/name", id="name-101"),
    pytest.param({"name": "\N{ROCKET}" * 51}, "/name", id="name-102-utf-16-units"),
    pytest.param({"name": None}, "/name", id="null-name"),
    pytest.param({"description": "d" * 1001}, "/description", id="description-1001"),
    pytest.param({"description": None}, "/description", id="null-description"),
    pytest.param({"confidence": 90.0}, "/confidence", id="float"),
    pytest.param({"confidence": "90"}, "/confidence", id="text-for-number"),
    pytest.param({"confidence": True}, "/confidence", id="bool-for-number"),
    pytest.param({"scheduledEndAt": "2026-12-31T00:00:00Z"}, "/scheduledEndAt", id="iso-time"),
    pytest.param({"keyMetric": "cpc"}, "/keyMetric", id="lower-case-enum"),
    pytest.param({"autoStop": "NEVER"}, "/autoStop", id="unknown-enum"),
    pytest.param({"userIntendedState": "CANCELLED"}, "/userIntendedState", id="two-ls"),
    pytest.param({"account": 123}, "/account", id="bare-number-for-urn"),
    pytest.param({"account": "urn:li:sponsoredCampaign:123"}, "/account", id="other-urn"),
    pytest.param({"cells": {}}, "/cells", id="cells-no-array"),
]


@pytest.mark.parametrize(("changes", "path"), SHAPE_CASES)
def test_shapes(api: Any, changes: dict[str, Any], path: str) -> None:
    answer = api.create(**changes)
    assert only(api, answer) == "SCHEMA_MISMATCH"
    assert answer.json()["errorDetails"]["pathErrors"][0]["input"]["inputPath"]["fieldPath"] == path


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"name": ...}, "/cells/1/name", id="without-name"),
        pytest.param({"name": "n" * 100}, "/cells/1/name", id="name-100"),
        pytest.param({"description": "d" * 500}, "/cells/1/description", id="description-500"),
        pytest.param({"trafficWeight": "50"}, "/cells/1/trafficWeight", id="weight-text"),
        pytest.param({"reference": {}}, "/cells/1/reference/campaign", id="no-campaign"),
        pytest.param({"reference": {"campaign": 1002}}, "/cells/1/reference/campaign", id="bare-number"),
        pytest.param({"id": 1}, "/cells/1/id", id="unknown-key"),
    ],
)
def test_shapes_of_cells(api: Any, change: dict[str, Any], path: str) -> None:
    cells = api.cells()
    cells[1] = {name: value for name, value in {**cells[1], **change}.items() if value is not ...}
    answer = api.create(cells=cells)
    assert only(api, answer) == "SCHEMA_MISMATCH"
    assert answer.json()["errorDetails"]["pathErrors"][0]["input"]["inputPath"]["fieldPath"] == path


def test_lengths_at_the_limit_are_taken(api: Any) -> None:
    cells = api.cells()
    cells[0] |= {"name": "n" * 99, "description": "d" * 499}
    answer = api.create(name="n" * 100, description="d" * 1000, cells=cells, confidence=99)
    assert answer.status_code == 201


@pytest.mark.parametrize("name", ["id", "executionState", "endedAt", "terminationReason", "created", "lastModified"])
def test_read_only_fields(api: Any, name: str) -> None:
    assert only(api, api.create(**{name: 1})) == "SET_OR_UPDATE_NOT_ALLOWED"


def test_left_out_options_get_the_default(api: Any) -> None:
    answer = api.create(autoStop=..., description=...)
    assert answer.json()["autoStop"] == "AUTO_STOP_AT_END_DATE"
    assert "description" not in answer.json()


def test_ninety_days_and_180_days_ahead_are_still_allowed(api: Any) -> None:
    api.created(scheduledStartAt=api.days(90), scheduledEndAt=api.days(180))


def test_a_past_start_runs_at_once(api: Any) -> None:
    start = api.days(-3)
    body = api.create(scheduledStartAt=start).json()
    assert (body["executionState"], body["scheduledStartAt"]) == ("RUNNING", start)


def test_accounts_and_campaigns_with_their_own_trouble(api: Any) -> None:
    tables = api.world.data["tables"]["linkedin"]
    assert "ACCOUNT_NOT_SERVABLE" in api.codes(api.create(account="urn:li:sponsoredAccount:600000001"))
    tables["accounts"]["123"]["_brandLiftTests"] = [{"start": api.days(10), "end": api.days(12)}]
    assert api.codes(api.create()) == ["ACCOUNT_ALREADY_RUNNING_BRAND_LIFT_TEST"]
    assert api.create(first=1003, second=1004, scheduledEndAt=api.days(10)).status_code == 201
    tables["accounts"]["123"].pop("_brandLiftTests")
    tables["campaigns"]["5001"] = campaign(5001, 123, 601, _minimumBid="20")
    assert api.codes(api.create(second=5001)) == ["CAMPAIGN_BID_MUST_BE_GREATER_THAN_MINIMUM"]
    tables["campaigns"]["5001"] = campaign(5001, 123, 601, _creatives=["DRAFT"])
    assert api.codes(api.create(second=5001)) == ["NO_ACTIVE_CREATIVES"]


def test_video_and_message_metrics_on_fitting_campaigns(api: Any) -> None:
    api.created(first=2001, second=2002, keyMetric="CPV")
    mail = {"first": 170000001, "second": 170000002, "account": "urn:li:sponsoredAccount:500000001"}
    api.created(**mail, keyMetric="CPMS")


class TestOverlap:
    def test_same_campaign_in_overlapping_dates_is_409(self, api: Any) -> None:
        api.created()
        answer = api.create(first=1003, second=1002)
        assert only(api, answer) == "CAMPAIGN_ALREADY_SCHEDULED"
        assert answer.status_code == 409
        assert answer.json()["errorDetails"]["associatedEntity"] == {"campaign": "urn:li:sponsoredCampaign:1002"}

    def test_both_campaigns_taken_is_still_one_409(self, api: Any) -> None:
        api.created()
        assert api.create().status_code == 409

    def test_with_another_failure_it_becomes_one_of_several(self, api: Any) -> None:
        api.created()
        answer = api.create(confidence=1)
        assert answer.status_code == 422
        assert api.codes(answer) == ["CAMPAIGN_ALREADY_SCHEDULED", "INVALID_CONFIDENCE_VALUE"]

    def test_touching_dates_do_not_overlap(self, api: Any) -> None:
        api.created(scheduledEndAt=api.days(31))
        api.created(scheduledStartAt=api.days(31), scheduledEndAt=api.days(60))

    def test_drafts_neither_block_nor_are_checked(self, api: Any) -> None:
        api.created(userIntendedState="DRAFT")
        api.created()
        api.created(userIntendedState="DRAFT")

    def test_an_ended_one_holds_nothing(self, api: Any) -> None:
        number = api.created(scheduledStartAt=api.days(-1))
        assert api.patch(number, {"userIntendedState": "CANCELED"}).status_code == 204
        api.created()

    def test_a_past_start_counts_from_now(self, api: Any) -> None:
        api.created(scheduledStartAt=api.days(-1), scheduledEndAt=api.days(2))
        api.pass_days(3)
        api.created(scheduledStartAt=api.days(-10), scheduledEndAt=api.days(20))
