"""What may change when: patches before the start, after it and after the end, and the moves of the two states."""

from __future__ import annotations

from typing import Any

import pytest


def running(api: Any, **changes: Any) -> int:
    """Give the id of an experiment that has been running for a while."""
    number = api.created(scheduledStartAt=api.days(-1), **changes)
    assert api.read(number)["executionState"] == "RUNNING"
    return int(number)


class TestPatchForm:
    def test_without_its_header_it_is_400(self, api: Any) -> None:
        number = api.created()
        answer = api.call("POST", f"/rest/adExperiments/{number}", {"patch": {"$set": {"name": "b"}}})
        assert answer.status_code == 400
        assert api.read(number)["name"] == "headline"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"patch": []},
            {"patch": {"name": "b"}},
            {"patch": {"$set": []}},
            {"patch": {"$delete": "description"}},
            {"patch": {"$delete": ["description", "description"]}},
            {"patch": {"$set": {"description": "x"}, "$delete": ["description"]}},
            {"$set": {"name": "b"}},
        ],
    )
    def test_malformed_patches_are_400(self, api: Any, body: Any) -> None:
        number = api.created()
        answer = api.call("POST", f"/rest/adExperiments/{number}", body, {"X-RestLi-Method": "PARTIAL_UPDATE"})
        assert answer.status_code == 400

    def test_null_is_no_value(self, api: Any) -> None:
        assert api.codes(api.patch(api.created(), {"description": None})) == ["SCHEMA_MISMATCH"]

    def test_delete_takes_optional_fields_away(self, api: Any) -> None:
        number = api.created(autoStop="AUTO_STOP_DISABLED")
        assert api.patch(number, deletes=["description", "autoStop"]).status_code == 204
        after = api.read(number)
        assert "description" not in after
        assert after["autoStop"] == "AUTO_STOP_AT_END_DATE"

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("name", "SCHEMA_MISMATCH"),
            ("nonsense", "SCHEMA_MISMATCH"),
            ("account", "SET_OR_UPDATE_NOT_ALLOWED"),
            ("id", "SET_OR_UPDATE_NOT_ALLOWED"),
        ],
    )
    def test_delete_of_others_is_refused(self, api: Any, name: str, code: str) -> None:
        assert api.codes(api.patch(api.created(), deletes=[name])) == [code]

    def test_several_failures_and_nothing_is_applied(self, api: Any) -> None:
        number = api.created()
        answer = api.patch(number, {"name": "other", "confidence": 5, "scheduledEndAt": api.days(200)})
        assert api.codes(answer) == ["INVALID_CONFIDENCE_VALUE", "INVALID_END_TIME", "INVALID_SCHEDULE"]
        assert api.read(number)["name"] == "headline"

    def test_unknown_id_is_404(self, api: Any) -> None:
        assert (api.patch(7, {"name": "x"}).status_code, api.call("DELETE", "/rest/adExperiments/7").status_code) == (
            404,
            404,
        )

    def test_last_modified_moves_and_created_stays(self, api: Any) -> None:
        number = api.created()
        before = api.read(number)
        api.pass_days(0.1)
        api.patch(number, {"name": "other"})
        after = api.read(number)
        assert after["created"] == before["created"]
        assert after["lastModified"]["time"] == before["lastModified"]["time"] + 8_640_000


class TestMutability:
    def test_before_the_start_all_but_account_changes(self, api: Any) -> None:
        number = api.created(first=2001, second=2002)
        sets = {
            "name": "b",
            "keyMetric": "CPV",
            "confidence": 80,
            "scheduledStartAt": api.days(2),
            "scheduledEndAt": api.days(40),
            "autoStop": "AUTO_STOP_DISABLED",
            "cells": api.cells(2003, 2004, 30),
        }
        assert api.patch(number, sets).status_code == 204
        assert {key: api.read(number)[key] for key in sets} == sets
        assert api.codes(api.patch(number, {"account": "urn:li:sponsoredAccount:123"})) == ["SET_OR_UPDATE_NOT_ALLOWED"]

    @pytest.mark.parametrize("name", ["keyMetric", "scheduledStartAt"])
    def test_after_the_start_the_design_is_closed_even_for_equal_values(self, api: Any, name: str) -> None:
        number = running(api)
        answer = api.patch(number, {name: api.read(number)[name]})
        assert (answer.status_code, api.codes(answer)) == (422, ["SET_OR_UPDATE_NOT_ALLOWED"])

    def test_after_the_start_texts_and_the_rest_change(self, api: Any) -> None:
        number = running(api)
        cells = api.cells()
        cells[0] |= {"name": "renamed", "description": "new"}
        sets = {"name": "b", "description": "c", "confidence": 80, "autoStop": "AUTO_STOP_DISABLED", "cells": cells}
        assert api.patch(number, sets | {"scheduledEndAt": api.days(60)}).status_code == 204
        assert {key: api.read(number)[key] for key in sets} == sets

    @pytest.mark.parametrize("kind", ["weight", "campaign", "order"])
    def test_after_the_start_the_rest_of_the_cells_is_closed(self, api: Any, kind: str) -> None:
        number = running(api)
        cells = {"weight": api.cells(weight=40), "campaign": api.cells(1001, 1003), "order": api.cells()[::-1]}[kind]
        assert api.codes(api.patch(number, {"cells": cells})) == ["SET_OR_UPDATE_NOT_ALLOWED"]

    def test_end_may_move_up_to_90_days_after_the_start(self, api: Any) -> None:
        number = running(api)
        assert api.codes(api.patch(number, {"scheduledEndAt": api.days(89) + 1})) == ["INVALID_SCHEDULE"]
        assert api.patch(number, {"scheduledEndAt": api.days(89)}).status_code == 204

    def test_after_the_end_nothing_changes(self, api: Any) -> None:
        number = running(api)
        api.patch(number, {"userIntendedState": "CANCELED"})
        assert api.codes(api.patch(number, {"name": "b"})) == ["SET_OR_UPDATE_NOT_ALLOWED"]
        assert "INVALID_STATE_TRANSITION" in api.codes(api.patch(number, {"userIntendedState": "ACTIVE"}))
        assert api.patch(number, {"userIntendedState": "CANCELED"}).status_code == 204
        assert "SET_OR_UPDATE_NOT_ALLOWED" in api.codes(
            api.patch(number, {"userIntendedState": "CANCELED", "name": "b"})
        )

    def test_update_into_the_dates_of_another_is_409(self, api: Any) -> None:
        api.created(scheduledStartAt=api.days(40), scheduledEndAt=api.days(60))
        number = api.created()
        answer = api.patch(number, {"scheduledEndAt": api.days(41)})
        assert (answer.status_code, api.codes(answer)) == (409, ["CAMPAIGN_ALREADY_SCHEDULED"])
        assert api.patch(number, {"scheduledEndAt": api.days(40)}).status_code == 204


class TestStates:
    @pytest.mark.parametrize("wanted", ["DRAFT", "PAUSED"])
    def test_pending_is_not_paused_or_drafted(self, api: Any, wanted: str) -> None:
        assert api.codes(api.patch(api.created(), {"userIntendedState": wanted})) == ["INVALID_STATE_TRANSITION"]

    def test_pending_is_canceled(self, api: Any) -> None:
        number = api.created()
        assert api.patch(number, {"userIntendedState": "CANCELED"}).status_code == 204
        body = api.read(number)
        assert (body["executionState"], body["endedAt"]) == ("ENDED", api.days(0))

    @pytest.mark.parametrize("wanted", ["PAUSED", "CANCELED"])
    def test_draft_is_only_launched(self, api: Any, wanted: str) -> None:
        number = api.created(userIntendedState="DRAFT")
        assert api.codes(api.patch(number, {"userIntendedState": wanted})) == ["INVALID_STATE_TRANSITION"]
        assert api.patch(number, {"userIntendedState": "ACTIVE"}).status_code == 204

    def test_draft_waits_past_its_start_and_runs_when_launched(self, api: Any) -> None:
        number = api.created(userIntendedState="DRAFT")
        api.pass_days(5)
        assert api.read(number)["executionState"] == "PENDING"
        api.patch(number, {"userIntendedState": "ACTIVE"})
        assert api.read(number)["executionState"] == "RUNNING"

    def test_launching_checks_everything_again(self, api: Any) -> None:
        number = api.created(userIntendedState="DRAFT")
        api.created()
        assert api.patch(number, {"userIntendedState": "ACTIVE"}).status_code == 409
        api.pass_days(40)
        assert api.codes(api.patch(number, {"userIntendedState": "ACTIVE"})) == ["INVALID_END_TIME"]

    def test_pause_holds_and_pauses_the_campaigns_and_resume_runs(self, api: Any) -> None:
        number = running(api)
        end = api.read(number)["scheduledEndAt"]
        assert api.patch(number, {"userIntendedState": "PAUSED"}).status_code == 204
        held = api.read(number)
        assert (held["executionState"], held["userIntendedState"], held["scheduledEndAt"]) == ("ON_HOLD", "PAUSED", end)
        assert api.get("/rest/adAccounts/123/adCampaigns/1001").json()["status"] == "PAUSED"
        assert api.codes(api.patch(number, {"userIntendedState": "DRAFT"})) == ["INVALID_STATE_TRANSITION"]
        assert api.patch(number, {"userIntendedState": "ACTIVE"}).status_code == 204
        assert api.read(number)["executionState"] == "RUNNING"
        assert api.get("/rest/adAccounts/123/adCampaigns/1001").json()["status"] == "ACTIVE"

    def test_running_is_not_drafted(self, api: Any) -> None:
        assert api.codes(api.patch(running(api), {"userIntendedState": "DRAFT"})) == ["INVALID_STATE_TRANSITION"]

    def test_the_clock_starts_stops_and_ends(self, api: Any) -> None:
        number = api.created(autoStop="AUTO_STOP_DISABLED")
        api.pass_days(1)
        assert api.read(number)["executionState"] == "RUNNING"
        api.pass_days(30)
        assert api.read(number)["executionState"] == "STOPPED"
        assert api.get("/rest/adAccounts/123/adCampaigns/1001").json()["status"] == "ACTIVE"
        api.pass_days(60)
        body = api.read(number)
        assert body["executionState"] == "ENDED"
        assert body["endedAt"] == body["scheduledStartAt"] + 90 * 86_400_000
        assert "90 days" in body["terminationReason"]

    def test_a_stopped_one_runs_again_when_its_end_moves(self, api: Any) -> None:
        number = api.created()
        api.pass_days(32)
        assert api.read(number)["executionState"] == "STOPPED"
        assert api.get("/rest/adAccounts/123/adCampaigns/1002").json()["status"] == "PAUSED"
        assert api.codes(api.patch(number, {"userIntendedState": "ACTIVE"})) == ["INVALID_STATE_TRANSITION"]
        assert api.codes(api.patch(number, {"userIntendedState": "PAUSED"})) == ["INVALID_STATE_TRANSITION"]
        sets = {"userIntendedState": "ACTIVE", "scheduledEndAt": api.days(10)}
        assert api.patch(number, sets).status_code == 204
        assert api.read(number)["executionState"] == "RUNNING"
        assert api.get("/rest/adAccounts/123/adCampaigns/1002").json()["status"] == "ACTIVE"
        api.pass_days(11)
        assert api.read(number)["executionState"] == "STOPPED"
        assert api.patch(number, {"userIntendedState": "CANCELED"}).status_code == 204
        assert api.read(number)["executionState"] == "ENDED"

    def test_stop_at_winner(self, api: Any) -> None:
        number = running(api, autoStop="AUTO_STOP_AT_WINNER", scheduledEndAt=api.days(80))
        api.world.table("linkedin", "experiments")[str(number)] |= {"_effect": 0.3, "_leader": 0}
        api.pass_days(20)
        assert api.read(number)["executionState"] == "STOPPED"
        assert "winner" in api.get(f"/rest/adExperimentResults/{number}").json()

    def test_no_effect_no_winner(self, api: Any) -> None:
        number = running(api, scheduledEndAt=api.days(80))
        api.world.table("linkedin", "experiments")[str(number)] |= {"_effect": 0.0, "_leader": 0}
        api.pass_days(20)
        body = api.get(f"/rest/adExperimentResults/{number}").json()
        assert "winner" not in body
        assert "pValue" not in body

    def test_results_need_two_days(self, api: Any) -> None:
        number = running(api)
        path = f"/rest/adExperimentResults/{number}"
        api.pass_days(1.9)
        assert api.get(path).json()["code"] == "EXPERIMENT_RESULT_NOT_FOUND"
        api.pass_days(0.1)
        assert api.get(path).status_code == 200
        assert api.get("/rest/adExperimentResults/5").json()["code"] == "EXPERIMENT_NOT_FOUND"


class TestDelete:
    def test_only_while_pending(self, api: Any) -> None:
        draft = api.created(userIntendedState="DRAFT")
        assert api.call("DELETE", f"/rest/adExperiments/{draft}").status_code == 204
        answer = api.call("DELETE", f"/rest/adExperiments/{running(api)}")
        assert (answer.status_code, answer.json()["code"]) == (405, "DELETION_NOT_ALLOWED")

    def test_an_id_is_never_given_twice(self, api: Any) -> None:
        first = api.created()
        api.call("DELETE", f"/rest/adExperiments/{first}")
        assert api.created() == first + 1


class TestEventsOutside:
    def edit(self, api: Any, remote_id: str, changes: Any) -> None:
        url = api.server.control_url + "/edit"
        sent = {"platform": "linkedin", "id": remote_id, "changes": changes}
        answer = api.session.post(url, json=sent, timeout=10)
        assert answer.status_code == 204, answer.text

    @pytest.mark.parametrize(
        ("urn", "changes"),
        [
            ("urn:li:sponsoredCampaign:1001", {"status": "PAUSED"}),
            ("urn:li:sponsoredCampaign:1001", {"status": "REMOVED"}),
            ("urn:li:sponsoredCampaignGroup:601", {"status": "PAUSED"}),
            ("urn:li:sponsoredAccount:123", {"status": "REMOVED"}),
        ],
    )
    def test_what_cancels_a_running_test(self, api: Any, urn: str, changes: Any) -> None:
        number = running(api)
        self.edit(api, urn, changes)
        body = api.read(number)
        assert (body["executionState"], body["userIntendedState"]) == ("ENDED", "ACTIVE")
        assert "erroneous condition" in body["terminationReason"]

    def test_what_holds_it_and_lets_it_go_again(self, api: Any) -> None:
        number = running(api)
        self.edit(api, "urn:li:sponsoredCampaign:1002", {"servingStatuses": ["CAMPAIGN_TOTAL_BUDGET_HOLD"]})
        assert api.read(number)["executionState"] == "ON_HOLD"
        self.edit(api, "urn:li:sponsoredCampaign:1002", {"servingStatuses": ["RUNNABLE"]})
        assert api.read(number)["executionState"] == "RUNNING"
        self.edit(api, "urn:li:sponsoredCampaign:1002", {"runSchedule": {"end": api.days(0)}})
        assert api.read(number)["executionState"] == "ON_HOLD"

    def test_a_campaign_paused_before_the_start_only_holds(self, api: Any) -> None:
        number = api.created(second=1023)
        api.pass_days(2)
        assert api.read(number)["executionState"] == "ON_HOLD"

    def test_edits_of_an_experiment_by_hand(self, api: Any) -> None:
        number = running(api)
        self.edit(api, str(number), {"name": "by hand", "description": None, "userIntendedState": "PAUSED"})
        body = api.read(number)
        assert (body["name"], body["executionState"]) == ("by hand", "ON_HOLD")
        assert "description" not in body
        assert body["lastModified"]["actor"] == "urn:li:member:99"

    @pytest.mark.parametrize(
        ("remote_id", "changes", "status"),
        [
            ("7", {"name": "x"}, 404),
            ("urn:li:sponsoredCampaign:7", {"name": "x"}, 404),
            (None, {"confidence": "x"}, 400),
            (None, {"nonsense": 1}, 400),
            (None, {"name": None}, 400),
            (None, {"executionState": "GONE"}, 400),
            (None, {"id": 5}, 400),
        ],
    )
    def test_nonsense_by_hand(self, api: Any, remote_id: str | None, changes: Any, status: int) -> None:
        number = str(api.created())
        url = api.server.control_url + "/edit"
        sent = {"platform": "linkedin", "id": remote_id or number, "changes": changes}
        before = api.read(int(number))
        assert api.session.post(url, json=sent, timeout=10).status_code == status
        assert api.read(int(number)) == before

    def test_removed_by_hand(self, api: Any) -> None:
        number = running(api)
        url = api.server.control_url + "/remove"
        sent = {"platform": "linkedin", "id": str(number)}
        assert api.session.post(url, json=sent, timeout=10).status_code == 204
        assert api.session.post(url, json=sent, timeout=10).status_code == 404
        assert api.get(f"/rest/adExperiments/{number}").status_code == 404
