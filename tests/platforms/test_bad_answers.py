"""Answers of the wrong shape, found by fuzzing: each is a bad answer in words, never a traceback later on."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import BadAnswer
from reconciler.platforms.response import Response
from reconciler.platforms.salesforce.kinds import KIND as SALESFORCE
from reconciler.platforms.x_ads.kinds import XAdsABTest

X = XAdsABTest()


def x_body(**changes: Any) -> dict[str, Any]:
    groups = [
        {"id": f"p{number}", "name": "g", "description": None, "size": "50.0", "entity_ids": [f"c{number}"]}
        for number in (1, 2)
    ]
    return {
        "id": "hr7l0",
        "name": "a",
        "description": None,
        "entity_type": "CAMPAIGN",
        "status": "SCHEDULED",
        "deleted": False,
        "start_time": "2027-01-01T00:00:00Z",
        "end_time": "2027-01-08T00:00:00Z",
        "user_groups": groups,
    } | changes


def test_the_body_that_is_changed_below_is_a_good_one() -> None:
    assert X.from_wire(x_body(), account="a1").remote_id == "hr7l0"


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_an_answer_of_x_that_is_no_object(body: Any) -> None:
    with pytest.raises(BadAnswer):
        X.from_wire(body, account="a1")


@pytest.mark.parametrize("name", ["name", "description", "entity_type"])
@pytest.mark.parametrize("value", [7, ["a"], {"a": 1}])
def test_a_text_of_x_that_is_no_text(name: str, value: Any) -> None:
    with pytest.raises(BadAnswer):
        X.from_wire(x_body(**{name: value}), account="a1")


@pytest.mark.parametrize("changes", [{"name": ["g"]}, {"description": 7}, {"entity_ids": 7}, {"size": True}])
def test_a_group_of_x_of_the_wrong_shape(changes: dict[str, Any]) -> None:
    body = x_body()
    body["user_groups"][0].update(changes)
    with pytest.raises(BadAnswer):
        X.from_wire(body, account="a1")


@pytest.mark.parametrize(
    "part",
    [
        {"cohorts": [{"name": ["a"], "label": "A", "isControl": True}]},
        {"cohorts": [{"name": "a", "label": "A", "attributeValues": [{"attributeName": ["x"], "value": "1"}]}]},
        {"primaryMetrics": [{"metricType": "EngagementSignal", "metricName": ["m"]}]},
        {"parameters": [{"engagementSignalName": {}, "parameterName": "p", "values": []}]},
    ],
)
def test_a_name_of_salesforce_that_is_no_text(part: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        SALESFORCE.from_wire({"id": "1Ga", "name": "e", "state": "Created", "dataSpaceName": "default", **part})


@pytest.mark.parametrize("status", [["Active"], {}, 7])
def test_a_status_of_salesforce_that_is_no_text_settles_nothing(status: Any) -> None:
    live = SALESFORCE.from_wire({"id": "1Ga", "name": "e", "state": "Created", "status": status})
    assert not live.failure


@pytest.mark.parametrize("body", [rb'{"id": "\ud800"}', rb'["\udfff"]', rb'{"\ud800": 1}'])
def test_half_a_surrogate_pair_in_an_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        Response(200, {}, body).json()
