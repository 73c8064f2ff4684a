"""States, statuses and what may change in each: the tables of the platform page's life cycle."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.emulator import salesforce

STATES = ("Created", "Started", "Stopped", "Archived")
LEGAL = {("Created", "Start"), ("Started", "Stop"), ("Stopped", "Archive")}
SETTINGS = {
    "winnerSelectionMode": "Manual",
    "chanceToWinThreshold": 90,
    "minimumRequiredParticipants": 500,
    "minimumDurationInMinutes": 600,
    "maximumDurationInMinutes": 6000,
    "scheduleFrequencyInMinutes": 60,
}
LISTS: dict[str, Any] = {
    "cohorts": [
        {"name": "cohort_2", "label": "Two", "isControl": False, "allocationWeight": 7000},
        {"name": "cohort_9", "label": "Nine", "isControl": True, "allocationWeight": 3000},
    ],
    "primaryMetrics": [{"metricType": "EngagementSignalCompound", "metricName": "X", "overallScoreWeight": 10000}],
    "secondaryMetrics": [],
    "parameters": [],
    "criteria": '{"a": {"b": 1}}',
}
IDENTITY = {
    "name": "testExp50",
    "dataSpaceName": "default",
    "schemaName": "AResponseTemplate",
    "schemaEnum": "FlowPath",
    "source": "FlowBuilder",
    "sourceRecordId": "300SB0000000001",
    "profileDataGraphName": "RTDG",
}


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()[0]["errorCode"]


@pytest.mark.parametrize("action", ["Start", "Stop", "Archive"])
@pytest.mark.parametrize("state", STATES)
def test_transitions(api: Any, state: str, action: str) -> None:
    api.create()
    api.bring_to("testExp50", state)
    response = api.act("testExp50", action)
    if (state, action) in LEGAL:
        assert response.status_code == 200
        assert response.json()["status"] == "Processing"
        api.wait()
        assert api.get("testExp50")["status"] == "Active"
        assert code(api.act("testExp50", action)) == (400, "INVALID_OPERATION")
    else:
        assert code(response) == (400, "INVALID_OPERATION")
        assert api.get("testExp50")["state"] == state


def test_dates_of_start_and_stop(api: Any) -> None:
    api.create()
    api.wait(60)
    started = api.act("testExp50", "Start").json()
    assert (started["startedDate"], started["stoppedDate"]) == ("2026-01-07T14:56:22.000Z", None)
    assert started["lastModifiedDate"] == started["startedDate"]
    api.wait(3600)
    stopped = api.act("testExp50", "Stop").json()
    assert (stopped["startedDate"], stopped["stoppedDate"]) == ("2026-01-07T14:56:22.000Z", "2026-01-07T15:56:22.000Z")


@pytest.mark.parametrize("action", ["start", "Pause", ""])
def test_unknown_action(api: Any, action: str) -> None:
    api.create()
    assert code(api.act("testExp50", action)) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_an_action_without_any_body(api: Any) -> None:
    api.create()
    assert api.call("PATCH", "testExp50?action=Start").json()["state"] == "Started"


def test_an_action_beside_fields_is_ignored(api: Any, make_body: Callable[..., Any]) -> None:
    made = api.call("POST", "?action=Start", json=make_body())
    assert (made.status_code, made.json()["state"]) == (201, "Created")
    api.wait()
    changed = api.call("PATCH", "testExp50?action=Start", json={"label": "new"})
    assert (changed.status_code, changed.json()["state"], changed.json()["label"]) == (200, "Created", "new")


def test_neither_field_nor_action(api: Any) -> None:
    api.create()
    assert code(api.patch("testExp50", {})) == (400, "INVALID_INPUT")
    assert code(api.call("PATCH", "testExp50")) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("field", [*SETTINGS, *LISTS])
@pytest.mark.parametrize("state", STATES)
def test_settings_and_lists_change_before_the_start_alone(api: Any, state: str, field: str) -> None:
    value = {**SETTINGS, **LISTS}[field]
    api.create()
    api.bring_to("testExp50", state)
    before = api.get("testExp50")
    response = api.patch("testExp50", {field: value})
    if state != "Created":
        assert code(response) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
        assert api.get("testExp50") == before
        return
    assert (response.status_code, response.json()["status"]) == (200, "Processing")
    api.wait()
    after = api.get("testExp50")
    assert after["status"] == "Active"
    if field == "criteria":
        assert after[field] == json.loads(value)
    elif field != "cohorts":
        assert after[field] == value


@pytest.mark.parametrize("field", ["label", "description"])
@pytest.mark.parametrize("state", STATES)
def test_texts_change_until_archived(api: Any, state: str, field: str) -> None:
    api.create()
    api.bring_to("testExp50", state)
    response = api.patch("testExp50", {field: "new"})
    if state == "Archived":
        assert code(response) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    else:
        assert (response.status_code, response.json()[field], response.json()["status"]) == (200, "new", "Active")


@pytest.mark.parametrize("field", IDENTITY)
@pytest.mark.parametrize("state", STATES)
def test_identity_never_changes(api: Any, state: str, field: str) -> None:
    api.create()
    api.bring_to("testExp50", state)
    assert code(api.patch("testExp50", {field: IDENTITY[field]})) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_list_replaces_the_list_and_cohorts_keep_their_ids_by_name(api: Any) -> None:
    before = {cohort["name"]: cohort for cohort in api.create()["cohorts"]}
    api.wait(60)
    after = api.patch("testExp50", {"cohorts": LISTS["cohorts"]}).json()["cohorts"]
    assert [cohort["name"] for cohort in after] == ["cohort_2", "cohort_9"]
    kept, fresh = after
    assert (kept["id"], kept["createdDate"]) == (before["cohort_2"]["id"], before["cohort_2"]["createdDate"])
    assert kept["attributeValues"] == []
    assert kept["isFallThrough"] is False
    assert fresh["id"] not in {cohort["id"] for cohort in before.values()}
    assert fresh["createdDate"] > kept["createdDate"]


def test_null_and_empty_text_clear_and_a_cleared_key_is_shown_as_the_page_does(api: Any) -> None:
    cohorts = [
        {"name": "a", "label": "A", "isControl": True, "allocationWeight": 5000, "description": "d"},
        {"name": "b", "label": "B", "isControl": False, "allocationWeight": 5000, "personalizerName": "p"},
    ]
    made = api.create(description="d", criteria='{"a": 1}', cohorts=cohorts)
    assert (made["cohorts"][0]["description"], made["cohorts"][1]["personalizerName"]) == ("d", "p")
    assert api.patch("testExp50", {"description": None}).json()["description"] is None
    assert api.patch("testExp50", {"description": "e"}).json()["description"] == "e"
    assert api.patch("testExp50", {"description": ""}).json()["description"] is None
    cohorts[0]["description"] = None
    after = api.patch("testExp50", {"criteria": None, "cohorts": cohorts}).json()
    assert "criteria" not in after
    assert "description" not in after["cohorts"][0]


def test_an_update_is_judged_as_a_whole(api: Any) -> None:
    api.create()
    assert code(api.patch("testExp50", {"cohorts": LISTS["cohorts"][:1]}))[0] == 400
    assert code(api.patch("testExp50", {"label": "x", "nonsense": 1})) == (400, "JSON_PARSER_ERROR")
    assert api.get("testExp50")["label"] == "testExp50"


@pytest.mark.parametrize("status", ["Processing", "Deleting"])
def test_writes_meet_409_until_the_operation_is_done(api: Any, make_body: Callable[..., Any], status: str) -> None:
    api.call("POST", "", json=make_body())
    if status == "Deleting":
        api.wait()
        assert api.call("DELETE", "testExp50").status_code == 202
    assert api.get("testExp50")["status"] == status
    for response in (
        api.patch("testExp50", {"label": "x"}),
        api.act("testExp50", "Start"),
        api.call("DELETE", "testExp50"),
    ):
        assert code(response) == (409, "CONFLICT")


def test_processing_lasts_as_long_as_the_seed_says(
    api: Any, settings: dict[str, Any], make_body: Callable[..., Any]
) -> None:
    settings["processing_seconds"] = 30
    api.call("POST", "", json=make_body())
    api.wait(29)
    assert api.get("testExp50")["status"] == "Processing"
    api.wait(1)
    assert api.get("testExp50")["status"] == "Active"


@pytest.mark.parametrize("state", STATES)
def test_delete(api: Any, state: str) -> None:
    made = api.create()
    api.bring_to("testExp50", state)
    response = api.call("DELETE", made["id"])
    if state == "Started":
        assert code(response) == (400, "INVALID_OPERATION")
        return
    assert (response.status_code, response.content) == (202, b"")
    assert api.get("testExp50")["status"] == "Deleting"
    api.wait()
    assert code(api.call("GET", made["id"])) == (404, "NOT_FOUND")
    assert code(api.call("DELETE", "testExp50")) == (404, "NOT_FOUND")


@pytest.mark.parametrize("by", ["label", "settings"])
def test_a_creation_that_fails_can_only_be_deleted(api: Any, settings: dict[str, Any], by: str) -> None:
    if by == "settings":
        settings["create_error"] = ["testExp50"]
    api.create(label="bad [CreateError]" if by == "label" else "fine")
    assert api.get("testExp50")["status"] == "CreateError"
    assert code(api.patch("testExp50", {"label": "x"})) == (400, "INVALID_OPERATION")
    assert code(api.act("testExp50", "Start")) == (400, "INVALID_OPERATION")
    assert api.call("DELETE", "testExp50").status_code == 202
    api.wait()
    assert api.call("GET", "testExp50").status_code == 404


def test_an_edit_that_fails_goes_back_and_may_be_tried_again(api: Any, settings: dict[str, Any]) -> None:
    api.create()
    before = api.get("testExp50")
    assert api.patch("testExp50", {"label": "x [EditError]"}).json()["status"] == "Processing"
    api.wait()
    after = api.get("testExp50")
    assert (after["status"], after["label"]) == ("EditError", before["label"])
    settings["edit_error"] = ["testExp50"]
    assert api.act("testExp50", "Start").json()["state"] == "Started"
    api.wait()
    after = api.get("testExp50")
    assert (after["state"], after["startedDate"], after["status"]) == ("Created", None, "EditError")
    settings["edit_error"] = []
    assert api.patch("testExp50", {"label": "good"}).json()["status"] == "Active"


def test_a_deletion_that_fails_leaves_the_experiment(api: Any, settings: dict[str, Any]) -> None:
    settings["delete_error"] = ["testExp50"]
    api.create()
    assert api.call("DELETE", "testExp50").status_code == 202
    api.wait()
    assert api.get("testExp50")["status"] == "DeleteError"
    settings["delete_error"] = []
    assert api.call("DELETE", "testExp50").status_code == 202


def test_an_experiment_of_another_org_is_read_only(api: Any, world: Any) -> None:
    api.create()
    salesforce.edit(world, "testExp50", {"isRemote": True})
    for response in (
        api.patch("testExp50", {"label": "x"}),
        api.act("testExp50", "Start"),
        api.call("DELETE", "testExp50"),
    ):
        assert code(response) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


AUTOMATIC = {"winnerSelectionMode": "Automatic", "minimumDurationInMinutes": 60, "maximumDurationInMinutes": 600}


def test_automatic_stops_at_its_longest_duration_and_is_analysed_until_then(api: Any) -> None:
    api.create(**AUTOMATIC, scheduleFrequencyInMinutes=90)
    api.bring_to("testExp50", "Started")
    assert api.get("testExp50")["lastAnalyzed"] is None
    api.wait(200 * 60)
    running = api.get("testExp50")
    assert (running["state"], running["lastAnalyzed"]) == ("Started", "2026-01-07T17:55:22.000Z")
    api.wait(4000 * 60)
    over = api.get("testExp50")
    assert (over["state"], over["stoppedDate"]) == ("Stopped", "2026-01-08T00:55:22.000Z")
    assert over["lastAnalyzed"] == "2026-01-07T23:55:22.000Z"


def test_automatic_stops_when_a_winner_is_found_but_not_before_the_shortest_duration(
    api: Any, settings: dict[str, Any]
) -> None:
    settings["winner_after_minutes"] = {"testExp50": 10}
    api.create(**AUTOMATIC)
    api.bring_to("testExp50", "Started")
    api.wait(59 * 60)
    assert api.get("testExp50")["state"] == "Started"
    api.wait(60)
    assert api.get("testExp50")["stoppedDate"] == "2026-01-07T15:55:22.000Z"


def test_manual_runs_on_past_its_durations(api: Any) -> None:
    api.create()
    api.bring_to("testExp50", "Started")
    api.wait(200 * 86400)
    assert api.get("testExp50")["state"] == "Started"


def test_edits_by_hand(api: Any, world: Any) -> None:
    made = api.create()
    salesforce.edit(world, made["id"], {"state": "Stopped"})
    stopped = api.get("testExp50")
    assert (stopped["state"], stopped["stoppedDate"]) == ("Stopped", "2026-01-07T14:55:22.000Z")
    assert stopped["lastModifiedById"] != made["lastModifiedById"]
    salesforce.edit(world, "testExp50", {"label": "by hand", "chanceToWinThreshold": 99.5, "cohorts": LISTS["cohorts"]})
    edited = api.get("testExp50")
    assert (edited["label"], edited["chanceToWinThreshold"]) == ("by hand", 99.5)
    assert edited["cohorts"][0]["id"] == made["cohorts"][1]["id"]
    salesforce.edit(world, "testExp50", {"name": "renamed", "status": "EditError"})
    assert api.get("renamed")["status"] == "EditError"
    salesforce.remove(world, made["id"])
    assert api.call("GET", "renamed").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "Running"},
        {"status": "Fine"},
        {"isRemote": "yes"},
        {"label": ""},
        {"colour": "red"},
        {"cohorts": []},
        {"name": "other"},
    ],
    ids=str,
)
def test_nonsense_by_hand(api: Any, world: Any, changes: dict[str, Any]) -> None:
    api.create(name="other")
    api.create()
    before = api.get("testExp50")
    with pytest.raises(ValueError):
        salesforce.edit(world, "testExp50", changes)
    assert api.get("testExp50") == before


def test_unknown_by_hand(world: Any) -> None:
    with pytest.raises(KeyError):
        salesforce.edit(world, "nothing", {"label": "x"})
    with pytest.raises(KeyError):
        salesforce.remove(world, "nothing")
