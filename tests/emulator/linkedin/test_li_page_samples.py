"""
Every request sample of the A/B Testing page, sent as it stands there, over a real socket by a client of its own.

Changed only where the page slips: the update sample has seconds for milliseconds and lacks its method header, the
"all criteria" sample has the path twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.emulator.linkedin.seeds import account, campaign, group

BEFORE_THE_SAMPLE = datetime(2019, 6, 20, tzinfo=UTC)

CREATE: dict[str, Any] = {
    "name": "Experiment 1",
    "account": "urn:li:sponsoredAccount:123",
    "keyMetric": "CPC",
    "confidence": 90,
    "scheduledEndAt": 1562964400000,
    "scheduledStartAt": 1561964400000,
    "userIntendedState": "ACTIVE",
    "autoStop": "AUTO_STOP_DISABLED",
    "cells": [
        {"name": "cell1", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:123"}},
        {"name": "cell2", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:345"}},
    ],
}


@pytest.fixture
def sample(api: Any) -> Any:
    """The world of the page: the summer of 2019, with the account and the campaigns of its samples."""
    world = api.world
    world.move_to(BEFORE_THE_SAMPLE)
    tables = world.data["tables"]["linkedin"]
    tables["accounts"]["1234567"] = account(1234567)
    tables["campaignGroups"]["1234567"] = group(1234567, 1234567)
    early = {"runSchedule": {"start": 1557000000000}}
    tables["campaigns"]["12345"] = campaign(12345, 1234567, 1234567, **early)
    for number in (22345, 1234567, 2234567, 3234567):
        tables["campaigns"][str(number)] = campaign(number, 1234567, 1234567)
    return api


def test_create_sample_gives_201_and_the_whole_entity_with_its_id(sample: Any) -> None:
    answer = sample.call("POST", "/rest/adExperiments", CREATE)
    assert answer.status_code == 201
    body = answer.json()
    assert {key: body[key] for key in CREATE} == CREATE
    assert answer.headers["X-RestLi-Id"] == str(body["id"])
    assert answer.headers["Location"].endswith(f"/rest/adExperiments/{body['id']}")
    assert body["executionState"] == "PENDING"


def test_erroneous_sample_gives_the_three_codes_of_the_page(sample: Any) -> None:
    sent = {**CREATE, "scheduledEndAt": 156211978530, "scheduledStartAt": -1561964400000}
    answer = sample.call("POST", "/rest/adExperiments", sent)
    body = answer.json()
    assert answer.status_code == body["status"] == 422
    assert body["code"] == "MULTIPLE_VALIDATIONS_FAILED"
    assert body["errorDetailType"] == "com.linkedin.ads.AdExperimentExceptionDetail"
    assert body["exceptionClass"] == "com.linkedin.restli.server.RestLiServiceException"
    details = body["errorDetails"]["details"]
    assert [one["code"] for one in details] == ["INVALID_START_TIME", "INVALID_END_TIME", "INVALID_SCHEDULE"]
    start = {"inputPath": {"fieldPath": "/scheduledStartAt"}, "value": {"decimalValue": "-1561964400000"}}
    assert details[0]["detail"] == {"pathErrors": [{"input": start}]}
    assert details[2]["detail"] == {}


def test_validate_sample_warns_of_the_campaign_that_runs_already(sample: Any) -> None:
    entity = {
        **CREATE,
        "name": "Test1",
        "account": "urn:li:sponsoredAccount:1234567",
        "scheduledEndAt": 1562119781530,
        "scheduledStartAt": 1561119781530,
        "cells": [
            {"name": "cell1", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:12345"}},
            {"name": "cell2", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:22345"}},
        ],
    }
    answer = sample.validate(entity)
    assert answer.status_code == 200
    value = answer.json()["value"]
    assert set(value) == {"items", "validatedAt"}
    early = next(item for item in value["items"] if item["code"] == "CAMPAIGN_STARTS_TOO_EARLY")
    assert early == {
        "code": "CAMPAIGN_STARTS_TOO_EARLY",
        "level": "WARNING",
        "detail": {"associatedEntity": {"campaign": "urn:li:sponsoredCampaign:12345"}},
        "message": "The campaign is scheduled to run before the experiment scheduled start time.",
    }
    assert all(item["level"] == "WARNING" for item in value["items"])


def test_batch_get_sample_has_results_and_errors(sample: Any) -> None:
    number = sample.call("POST", "/rest/adExperiments", CREATE).json()["id"]
    sample.world.table("linkedin", "experiments")["12685"] = {
        **sample.world.table("linkedin", "experiments").pop(str(number)),
        "id": 12685,
    }
    answer = sample.get("/rest/adExperiments?ids=List(12685,11111)")
    assert answer.status_code == 200
    assert set(answer.json()["results"]) == {"12685"}
    assert answer.json()["errors"] == {
        "11111": {
            "code": "EXPERIMENT_NOT_FOUND",
            "exceptionClass": "com.linkedin.restli.server.RestLiServiceException",
            "message": "AdExperiment referenced in the request doesn't exist",
            "status": 404,
        }
    }


def test_update_samples_end_date_and_whole_cells(sample: Any) -> None:
    number = sample.call("POST", "/rest/adExperiments", CREATE).json()["id"]
    assert sample.patch(number, {"scheduledEndAt": 1563064400000}).status_code == 204
    new = [
        {
            "name": "Updated Campaign 1",
            "description": "This is campaign 1",
            "trafficWeight": 50,
            "reference": {"campaign": "urn:li:sponsoredCampaign:123"},
        },
        {
            "name": "Campaign 2",
            "description": "This is campaign 2",
            "trafficWeight": 50,
            "reference": {"campaign": "urn:li:sponsoredCampaign:345"},
        },
    ]
    assert sample.patch(number, {"cells": new}).status_code == 204
    assert sample.read(number)["cells"] == new
    assert sample.read(number)["scheduledEndAt"] == 1563064400000


def test_update_sample_as_printed_is_refused(sample: Any) -> None:
    number = sample.call("POST", "/rest/adExperiments", CREATE).json()["id"]
    body = {"patch": {"$set": {"scheduledEndAt": 1792221412}}}
    headless = sample.call("POST", f"/rest/adExperiments/{number}", body)
    assert headless.status_code == 400
    assert sample.patch(number, body["patch"]["$set"]).status_code == 422


def test_finder_samples(sample: Any) -> None:
    two = [
        {"name": "a", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1234567"}},
        {"name": "b", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:2234567"}},
    ]
    sent = {**CREATE, "account": "urn:li:sponsoredAccount:1234567", "cells": two}
    number = sample.call("POST", "/rest/adExperiments", sent).json()["id"]
    by_campaign = sample.get(
        "/rest/adExperiments?q=search"
        "&search=(campaignCriteria:(values:List(urn%3Ali%3AsponsoredCampaign%3A1234567)))"
        "&sort=List((field:NAME),(field:CREATED,order:DESCENDING))"
    )
    assert by_campaign.status_code == 200
    assert [one["id"] for one in by_campaign.json()["elements"]] == [number]
    assert by_campaign.json()["paging"] == {"start": 0, "count": 10, "total": 1, "links": []}
    by_all = sample.get(
        "/rest/adExperiments?q=search"
        "&search=(accountCriteria:(values:List(urn%3Ali%3AsponsoredAccount%3A1234567)),"
        "campaignCriteria:(values:List(urn%3Ali%3AsponsoredCampaign%3A1234567)),"
        "keyMetricCriteria:(values:List(CPC)),userIntendedStateCriteria:(values:List(ACTIVE)),"
        "executionStateCriteria:(values:List(PENDING,RUNNING)),"
        "campaignGroupCriteria:(values:List(urn%3Ali%3AsponsoredCampaignGroup%3A1234567)))"
    )
    assert [one["id"] for one in by_all.json()["elements"]] == [number]
    none = sample.get("/rest/adExperiments?q=search&search=(keyMetricCriteria:(values:List(CPM)))")
    assert none.json()["elements"] == []


def test_delete_sample(sample: Any) -> None:
    number = sample.call("POST", "/rest/adExperiments", CREATE).json()["id"]
    assert sample.call("DELETE", f"/rest/adExperiments/{number}").status_code == 204
    gone = sample.get(f"/rest/adExperiments/{number}")
    assert (gone.status_code, gone.json()["code"]) == (404, "EXPERIMENT_NOT_FOUND")


def test_result_samples(sample: Any) -> None:
    number = sample.call("POST", "/rest/adExperiments", CREATE).json()["id"]
    waiting = sample.get(f"/rest/adExperimentResults/{number}")
    assert (waiting.status_code, waiting.json()["code"]) == (404, "EXPERIMENT_RESULT_NOT_FOUND")
    sample.world.table("linkedin", "experiments")[str(number)] |= {"_effect": 0.3, "_leader": 1}
    sample.world.move_to(datetime(2019, 7, 12, 15, tzinfo=UTC))
    one = sample.get(f"/rest/adExperimentResults/{number}").json()
    assert one["experimentId"] == number
    assert one["generatedOn"] == {"day": 12, "month": 7, "year": 2019}
    assert one["winner"] == f"urn:li:adExperimentCell:(urn:li:sponsoredCampaign:345,{number})"
    assert 0 <= one["pValue"] <= 0.1
    assert [set(cell) for cell in one["cellResults"]] == [{"cell", "confidenceInterval"}] * 2
    assert all(
        cell["confidenceInterval"]["lowerBound"] < cell["confidenceInterval"]["upperBound"]
        for cell in one["cellResults"]
    )
    sampled = sample.get(f"/rest/adExperimentResults/?q=searchByCriteria&criteria=(experimentIds:List({number},234))")
    assert sampled.json() == [one]
    template = sample.get(f"/rest/adExperimentResults?q=search&criteria=(experimentIds:(values:List({number})))")
    assert template.json()["elements"] == [one]
