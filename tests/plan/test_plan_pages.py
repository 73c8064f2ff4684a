"""The pages' own update examples, through the whole planner: exactly the bodies that the pages print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plan_builders import LI, SF, X, at, bodies, only, plan

from reconciler.model.change import Action
from reconciler.model.resource import Desired, Key, Record
from reconciler.plan.fields import recorded_children

PLATFORMS = Path(__file__).parents[1] / "platforms"


def page(path: str) -> Any:
    return json.loads((PLATFORMS / path).read_text("utf-8"))


def test_x_update_example() -> None:
    before = page("x_ads/bodies/create_answer.json")["data"]
    shown = X.from_wire(before, account="18ce54d4x5t")
    applied = X.canonical({"account_id": "18ce54d4x5t", **page("x_ads/bodies/create_request.json")})
    key = Key("XAdsABTest", "first")
    rec = Record(key, "x-ads", "x", "hr7l0", applied, children=recorded_children(X, applied, shown), status="SCHEDULED")
    wanted = json.loads(json.dumps(applied))
    del wanted["description"]
    wanted["end_time"] = "2022-06-01T01:00:00Z"
    wanted["user_groups"][0] |= {"description": "first AB test group", "size": "60.00"}
    wanted["user_groups"][1] |= {"size": "40.00", "entity_ids": ["f2rqi", "f2tws", "f2syz"]}
    made = plan([Desired(key, "x-ads", "x", wanted)], [rec], {key: shown}, now=at("2022-05-25T00:30:00Z"))
    change = only(made)
    assert change.action is Action.UPDATE
    (call,) = change.calls
    assert (call.method, call.path) == ("PUT", "/12/accounts/18ce54d4x5t/ab_tests/hr7l0")
    assert call.body == {
        "description": None,
        "end_time": "2022-06-01T01:00:00Z",
        "user_groups": [
            {"id": "p1bcx", "description": "first AB test group", "size": "60.00"},
            {"id": "p1bcy", "size": "40.00", "entity_ids": ["f2rqi", "f2tws", "f2syz"]},
        ],
    }


def test_salesforce_update_example() -> None:
    after = page("salesforce/bodies/updated.json")
    shown = SF.from_wire({**after, "label": "old label", "description": "old description"})
    applied = {key: value for key, value in shown.spec.items() if key != "state"}
    key = Key("SalesforceExperiment", "exp")
    wanted = {**applied, "label": "newExperimentLabel", "description": "new description"}
    rec = Record(key, "salesforce", "crm", shown.remote_id, applied, status=shown.status)
    change = only(plan([Desired(key, "salesforce", "crm", wanted)], [rec], {key: shown}))
    assert change.action is Action.UPDATE and change.status == "Started"
    (call,) = change.calls
    assert call.method == "PATCH" and not call.query
    assert call.path == "/services/data/v65.0/personalization/abn-experiments/1GaSB00000Cojr30AB"
    assert call.body == {"label": "newExperimentLabel", "description": "new description"}


def linkedin_page_case(**changed: Any) -> tuple[Desired, Record, Any]:
    body = {
        "id": 1234,
        "account": "urn:li:sponsoredAccount:5",
        "name": "test",
        "keyMetric": "CPC",
        "confidence": 90,
        "userIntendedState": "ACTIVE",
        "executionState": "RUNNING",
        "scheduledStartAt": 1790000000000,
        "scheduledEndAt": 1792000000000,
        "cells": [
            {
                "name": "Campaign 1",
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
        ],
    }
    shown = LI.from_wire(body)
    key = Key("LinkedInExperiment", "test")
    rec = Record(key, "linkedin", "linkedin", "1234", shown.spec, status="RUNNING")
    return Desired(key, "linkedin", "linkedin", {**shown.spec, **changed}), rec, shown


def test_linkedin_extends_the_end() -> None:
    wanted, rec, shown = linkedin_page_case(scheduledEndAt="2026-10-17T00:36:52Z")
    change = only(plan([wanted], [rec], {wanted.key: shown}, now=at("2026-10-01T00:00:00Z")))
    (call,) = change.calls
    assert (call.method, call.path) == ("POST", "/rest/adExperiments/1234")
    assert dict(call.headers) == {"X-RestLi-Method": "partial_update"}
    assert bodies(change) == [{"patch": {"$set": {"scheduledEndAt": 1792197412000}}}]


def test_linkedin_page_moment_in_milliseconds() -> None:
    """The page's own number is in seconds by mistake: 1792221412 is sent as 1792221412000."""
    wanted, rec, shown = linkedin_page_case()
    wanted.spec["scheduledEndAt"] = LI.canonical({"scheduledEndAt": 1792221412000})["scheduledEndAt"]
    change = only(plan([wanted], [rec], {wanted.key: shown}, now=at("2026-10-01T00:00:00Z")))
    assert bodies(change) == [{"patch": {"$set": {"scheduledEndAt": 1792221412000}}}]


def test_linkedin_renames_a_cell() -> None:
    wanted, rec, shown = linkedin_page_case()
    cells = json.loads(json.dumps(shown.spec["cells"]))
    cells[0]["name"] = "Updated Campaign 1"
    wanted.spec["cells"] = cells
    change = only(plan([wanted], [rec], {wanted.key: shown}, now=at("2026-10-01T00:00:00Z")))
    assert bodies(change) == [page("linkedin/bodies/update_cells.json")]
    assert [item.path for item in change.fields] == ["cells[0].name"]
