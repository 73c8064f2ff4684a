"""The dry run: which body it takes, what it finds, and that it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.linkedin.seeds import campaign


def whole(api: Any, number: int, **changes: Any) -> dict[str, Any]:
    """Give a stored experiment as a client sends it for an edit: with its id, without the other read-only fields."""
    server_made = ("executionState", "endedAt", "terminationReason", "created", "lastModified")
    return {**{name: value for name, value in api.read(number).items() if name not in server_made}, **changes}


def test_a_sound_new_experiment_has_no_items(api: Any) -> None:
    answer = api.validate(api.body())
    assert answer.json() == {"value": {"items": [], "validatedAt": api.days(0)}}
    assert api.world.table("linkedin", "experiments") == {}


def test_errors_come_as_items_of_a_200(api: Any) -> None:
    answer = api.validate(api.body(confidence=5, second=9))
    assert api.items(answer, "ERROR") == ["CAMPAIGN_NOT_FOUND", "INVALID_CONFIDENCE_VALUE"]
    missing = api.validate(api.body(name=...))
    assert api.items(missing, "ERROR") == ["SCHEMA_MISMATCH"]


def test_an_id_that_is_not_stored_is_404(api: Any) -> None:
    assert api.validate({**api.body(), "id": 7}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"adExperiment": []}, {"adExperiment": {}, "x": 1}])
def test_parameter_of_the_action(api: Any, body: Any) -> None:
    path = "/rest/adExperiments?action=validateExperimentSetup"
    assert api.call("POST", path, body).status_code == 400


def test_a_stored_one_does_not_clash_with_itself(api: Any) -> None:
    number = api.created()
    answer = api.validate(whole(api, number))
    assert answer.json()["value"] == {"items": [], "validatedAt": api.days(0), "experimentId": number}
    new = api.validate(api.body())
    assert api.items(new, "ERROR") == ["CAMPAIGN_ALREADY_SCHEDULED"]


def test_an_edit_is_judged_by_the_stored_state(api: Any) -> None:
    number = api.created(scheduledStartAt=api.days(-1))
    assert api.items(api.validate(whole(api, number)), "ERROR") == []
    assert api.items(api.validate(whole(api, number, keyMetric="CPM")), "ERROR") == ["SET_OR_UPDATE_NOT_ALLOWED"]
    draft = api.validate(whole(api, number, userIntendedState="DRAFT"))
    assert api.items(draft, "ERROR") == ["INVALID_STATE_TRANSITION"]
    read_only = api.validate({**whole(api, number), "executionState": "RUNNING"})
    assert api.items(read_only, "ERROR") == ["SET_OR_UPDATE_NOT_ALLOWED"]
    assert api.read(number)["keyMetric"] == "CPC"


@pytest.mark.parametrize(("wanted", "code"), [("PAUSED", "AB_TEST_PAUSED"), ("CANCELED", "AB_TEST_CANCELED")])
def test_pausing_and_canceling_are_warned_of(api: Any, wanted: str, code: str) -> None:
    number = api.created(scheduledStartAt=api.days(-1))
    answer = api.validate(whole(api, number, userIntendedState=wanted))
    assert api.items(answer, "WARNING") == [code]
    assert api.items(answer, "ERROR") == []


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (1019, "CAMPAIGN_STARTS_TOO_EARLY"),
        (1020, "CAMPAIGN_STARTS_TOO_LATE"),
        (1021, "CAMPAIGN_AUDIENCE_EXPANSION_ENABLED"),
        (1022, "CAMPAIGN_DIFFERENT_TARGETING"),
        (1023, "CAMPAIGN_ON_HOLD"),
    ],
)
def test_warnings_of_the_odd_campaigns(api: Any, second: int, code: str) -> None:
    answer = api.validate(api.body(second=second))
    assert api.items(answer, "WARNING") == [code]
    assert api.create(second=second).status_code == 201


def test_the_other_warnings(api: Any) -> None:
    tables = api.world.data["tables"]["linkedin"]
    body = api.body(scheduledEndAt=api.days(11))
    assert "AB_TEST_DURATION_BELOW_RECOMMENDATION" in api.items(api.validate(body), "WARNING")
    assert "AB_TEST_BUDGET_BELOW_RECOMMENDATION" in api.items(api.validate(body), "WARNING")
    uneven = api.validate(api.body(cells=api.cells(weight=40)))
    assert api.items(uneven, "WARNING") == ["BUDGET_AND_CELL_WEIGHT_NOT_PROPORTIONAL"]
    ends = {"runSchedule": {"end": api.days(20)}, "_creatives": ["ACTIVE", "DRAFT"]}
    tables["campaigns"]["5001"] = campaign(5001, 123, 601, **ends)
    tables["campaignGroups"]["601"]["runSchedule"]["end"] = api.days(25)
    tables["accounts"]["123"]["servingStatuses"] = ["ACCOUNT_TOTAL_BUDGET_HOLD"]
    assert api.items(api.validate(api.body(second=5001)), "WARNING") == [
        "ACCOUNT_ON_HOLD",
        "CAMPAIGN_FINISHES_TOO_EARLY",
        "CAMPAIGN_GROUP_SCHEDULE_ENDS_TOO_SOON",
        "SOME_CREATIVES_IN_DRAFT",
    ]
