"""Lifecycle fields: every move from every state, by manifest and by hand (pages: LinkedIn 7, Salesforce 4)."""

from __future__ import annotations

from typing import Any

import pytest
from kinds import LINKEDIN, SALESFORCE, X_ADS
from laboratory import Lab, at, epoch_ms, same_calls

# --- LinkedIn --------------------------------------------------------------------------------------------------------

# From (intended, execution state) to each other intended state; copied from the page's table, the careful reading.
MOVES = {
    ("DRAFT", "PENDING"): {"ACTIVE": "update", "PAUSED": "blocked", "CANCELED": "blocked"},
    ("ACTIVE", "PENDING"): {"DRAFT": "blocked", "PAUSED": "blocked", "CANCELED": "update"},
    ("ACTIVE", "RUNNING"): {"DRAFT": "blocked", "PAUSED": "update", "CANCELED": "update"},
    ("ACTIVE", "ON_HOLD"): {"DRAFT": "blocked", "PAUSED": "update", "CANCELED": "update"},
    ("PAUSED", "ON_HOLD"): {"DRAFT": "blocked", "ACTIVE": "update", "CANCELED": "update"},
    ("ACTIVE", "STOPPED"): {"DRAFT": "blocked", "PAUSED": "blocked", "CANCELED": "update"},
}


def linkedin_in(lab: Lab, intended: str, execution: str, **lifecycle: Any) -> str:
    """Create an experiment and bring it into a pair of states through manifests and the clock; gives its key."""
    first = "ACTIVE" if intended == "PAUSED" else intended
    key = lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": first}, **lifecycle)
    lab.apply()
    if intended == "PAUSED":
        lab.pass_time(days=8)
        lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": "PAUSED"}, **lifecycle)
        lab.apply()
    else:
        LINKEDIN.reach[execution](lab, lab.remote_id(key))
    row = lab.table("linkedin", "experiments")[lab.remote_id(key)]
    assert (row["userIntendedState"], row["executionState"]) == (intended, execution)
    lab.forget_requests()
    return key


@pytest.mark.parametrize(
    ("before", "to", "action"),
    [
        pytest.param(before, to, action, id=f"{'-'.join(before)}-to-{to}")
        for before, moves in MOVES.items()
        for to, action in moves.items()
    ],
)
def test_linkedin_moves(lab: Lab, before: tuple[str, str], to: str, action: str) -> None:
    linkedin_in(lab, *before)
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": to})
    (change,) = lab.plan()["changes"]
    assert change["action"] == action, change
    if action == "blocked":
        assert "userIntendedState" in " ".join(change["reasons"])
        lab.apply(code=3)
        assert lab.writes == []
        return
    (call,) = change["calls"]
    assert call["body"] == {"patch": {"$set": {"userIntendedState": to}}}
    assert change["fields"][0]["severity"] == ("destructive" if to == "CANCELED" else "harmless")
    lab.apply()
    same_calls(lab.writes, change["calls"])
    lab.settled()


@pytest.mark.parametrize(("state", "code"), [("DRAFT", 0), ("ACTIVE", 0), ("PAUSED", 3), ("CANCELED", 3)])
def test_linkedin_created_in_a_state(lab: Lab, state: str, code: int) -> None:
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": state})
    lab.apply(code=code)
    assert [one.body["userIntendedState"] for one in lab.writes] == ([state] if code == 0 else [])


def test_linkedin_runs_again_with_a_later_end(lab: Lab) -> None:
    key = linkedin_in(lab, "ACTIVE", "STOPPED")
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": "ACTIVE", "scheduledEndAt": at(50)})
    lab.apply()
    (sent,) = lab.writes
    assert sent.body == {"patch": {"$set": {"scheduledEndAt": epoch_ms(at(50))}}}
    assert lab.table("linkedin", "experiments")[lab.remote_id(key)]["executionState"] == "RUNNING"
    lab.settled()


def test_linkedin_cancelled_by_manifest_is_guarded_by_prevent_destroy(lab: Lab) -> None:
    linkedin_in(lab, "ACTIVE", "RUNNING", preventDestroy=True)
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "userIntendedState": "CANCELED"}, preventDestroy=True)
    (change,) = lab.plan(code=3)["changes"]
    assert "preventDestroy" in " ".join(change["reasons"])
    lab.apply(code=3)
    assert lab.writes == []


def test_linkedin_paused_by_hand_is_brought_back(lab: Lab) -> None:
    key = linkedin_in(lab, "ACTIVE", "RUNNING")
    lab.by_hand("linkedin", lab.remote_id(key), userIntendedState="PAUSED")
    (item,) = lab.drift()["drift"]
    assert (item["key"], item["kind"]) == (key, "state")
    assert item["fields"] == [{"path": "userIntendedState", "applied": "ACTIVE", "live": "PAUSED"}]
    (change,) = lab.plan(code=0)["changes"]
    assert change["calls"][0]["body"] == {"patch": {"$set": {"userIntendedState": "ACTIVE"}}}
    lab.apply()
    lab.settled()


def test_linkedin_cancelled_by_hand_is_never_created_anew_by_itself(lab: Lab) -> None:
    key = linkedin_in(lab, "ACTIVE", "RUNNING")
    lab.by_hand("linkedin", lab.remote_id(key), userIntendedState="CANCELED")
    (item,) = lab.drift()["drift"]
    assert (item["kind"], item["status"]) == ("state", "ENDED")
    made = lab.plan(code=0)
    assert made["changes"] == [] and made["warnings"][0]["key"] == key
    lab.apply()
    assert lab.writes == []


def test_linkedin_ended_by_linkedin_is_progress(lab: Lab) -> None:
    key = linkedin_in(lab, "ACTIVE", "RUNNING")
    lab.by_hand("linkedin", "urn:li:sponsoredCampaign:1001", status="ARCHIVED")
    found = lab.drift()
    assert found["drift"] == []
    assert [(item["key"], item["status"]) for item in found["progress"]] == [(key, "ENDED")]
    assert lab.plan(code=0)["changes"] == []


# --- Salesforce ------------------------------------------------------------------------------------------------------

ACTIONS = {
    ("Created", "Started"): ["Start"],
    ("Created", "Stopped"): None,
    ("Created", "Archived"): None,
    ("Started", "Created"): None,
    ("Started", "Stopped"): ["Stop"],
    ("Started", "Archived"): ["Stop", "Archive"],
    ("Stopped", "Created"): None,
    ("Stopped", "Started"): None,
    ("Stopped", "Archived"): ["Archive"],
    ("Archived", "Created"): None,
    ("Archived", "Started"): None,
}


def salesforce_in(lab: Lab, *states: str) -> str:
    """Create an experiment and lead it through states by its manifest; gives its key."""
    key = ""
    for state in states:
        key = lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": state})
        lab.apply()
    lab.forget_requests()
    return key


@pytest.mark.parametrize(
    ("move", "actions"), [pytest.param(*item, id="-to-".join(item[0])) for item in ACTIONS.items()]
)
def test_salesforce_moves(lab: Lab, move: tuple[str, str], actions: list[str] | None) -> None:
    before, to = move
    way = ["Created", "Started", "Stopped", "Archived"]
    key = salesforce_in(lab, *way[: way.index(before) + 1])
    remote_id = lab.remote_id(key)
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": to})
    (change,) = lab.plan()["changes"]
    if actions is None:
        assert change["action"] == "blocked" and "state" in " ".join(change["reasons"])
        lab.apply(code=3)
        assert lab.writes == []
        return
    assert change["action"] == "update"
    path = f"/services/data/v65.0/personalization/abn-experiments/{remote_id}"
    assert [(call["method"], call["path"], call["query"], call["body"]) for call in change["calls"]] == [
        ("PATCH", path, {"action": action}, {}) for action in actions
    ]
    lab.apply()
    same_calls(lab.writes, change["calls"])
    lab.settled()
    assert lab.record(key)["status"] == to


def test_salesforce_created_and_started(lab: Lab) -> None:
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started"})
    lab.apply()
    assert [(one.method, one.query) for one in lab.writes] == [("POST", ""), ("PATCH", "action=Start")]
    assert "state" not in lab.writes[0].body and lab.writes[1].body == {}
    assert all(one.headers["x-chatter-entity-encoding"] == "false" for one in lab.requests if "oauth" not in one.path)
    lab.settled()


@pytest.mark.parametrize("state", ["Stopped", "Archived"])
def test_salesforce_is_not_created_to_be_ended(lab: Lab, state: str) -> None:
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": state})
    lab.apply(code=3)
    assert lab.writes == []


def test_salesforce_fields_go_before_the_start(lab: Lab) -> None:
    salesforce_in(lab, "Created")
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started", "label": "New", "chanceToWinThreshold": 90})
    lab.apply()
    assert [(one.query, one.body) for one in lab.writes] == [
        ("", {"label": "New", "chanceToWinThreshold": 90}),
        ("action=Start", {}),
    ]
    lab.settled()


def test_salesforce_stopped_by_hand_cannot_be_brought_back(lab: Lab) -> None:
    manual = {**SALESFORCE.spec, "winnerSelectionMode": "Manual", "state": "Started"}
    key = lab.manifest(SALESFORCE.kind, manual)
    lab.apply()
    lab.forget_requests()
    lab.by_hand("salesforce", lab.remote_id(key), state="Stopped")
    (item,) = lab.drift()["drift"]
    assert (item["kind"], item["status"]) == ("state", "Stopped")
    made = lab.plan(code=0)
    assert made["changes"] == [] and "cannot be started again" in made["warnings"][0]["message"]
    lab.manifest(SALESFORCE.kind, {**manual, "label": "New"})
    lab.apply()
    assert [(one.query, one.body) for one in lab.writes] == [("", {"label": "New"})]
    assert lab.plan(code=0)["changes"] == []


def test_salesforce_stopped_by_the_platform_with_a_winner_is_progress(lab: Lab) -> None:
    key = lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started"})
    lab.settings(winner_after_minutes={"hero": 30000})
    lab.apply()
    lab.pass_time(days=22)
    found = lab.drift()
    assert found["drift"] == []
    assert [(item["key"], item["status"]) for item in found["progress"]] == [(key, "Stopped")]
    made = lab.plan(code=0)
    assert made["changes"] == [] and made["warnings"][0]["key"] == key


def test_salesforce_state_that_is_not_stated_is_left_alone(lab: Lab) -> None:
    key = lab.manifest(SALESFORCE.kind, SALESFORCE.spec)
    lab.apply()
    lab.forget_requests()
    for state in ("Started", "Stopped"):
        lab.by_hand("salesforce", lab.remote_id(key), state=state)
        found = lab.drift()
        assert found["drift"] == [] and [item["status"] for item in found["progress"]] == [state]
        assert lab.plan(code=0)["changes"] == []
    lab.apply()
    assert lab.writes == []


def test_salesforce_owned_elsewhere_is_left_alone(lab: Lab) -> None:
    key = lab.manifest(SALESFORCE.kind, SALESFORCE.spec)
    lab.apply()
    lab.by_hand("salesforce", lab.remote_id(key), isRemote=True)
    lab.forget_requests()
    assert lab.plan(code=0)["changes"] == []
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "label": "New"})
    (change,) = lab.plan(code=3)["changes"]
    assert "isRemote" in " ".join(change["reasons"])
    lab.apply(code=3)
    assert lab.writes == []


@pytest.mark.parametrize("mark", ["CreateError", "EditError", "DeleteError"])
def test_salesforce_job_that_fails(lab: Lab, mark: str) -> None:
    """A failed job is a failure with the platform's words; nothing is sent twice."""
    key = lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "name": "fragile"})
    if mark == "CreateError":
        lab.settings(create_error=["fragile"])
        ran = lab.apply(code=1)
        assert "CreateError" in ran.out + ran.err
        lab.forget_requests()
        (change,) = lab.plan(code=3)["changes"]
        assert "CreateError" in " ".join(change["reasons"])
        lab.apply(code=3)
        assert lab.writes == []
        return
    lab.apply()
    lab.forget_requests()
    if mark == "EditError":
        lab.settings(edit_error=["fragile"])
        lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "name": "fragile", "label": "New"})
        ran = lab.apply(code=1)
        lab.settings(edit_error=[])
        assert len(lab.writes) == 1 and mark in ran.out + ran.err
        lab.apply()
        assert len(lab.writes) == 2
        lab.settled()
    else:
        lab.settings(delete_error=["fragile"])
        lab.unwrite(SALESFORCE.kind)
        ran = lab.apply("--allow-destroy", "--allow-empty", code=1)
        assert len(lab.writes) == 1 and mark in ran.out + ran.err
        assert lab.remote_id(key)
        lab.settings(delete_error=[])
        lab.apply("--allow-destroy", "--allow-empty")
        assert len(lab.writes) == 2


# --- X ---------------------------------------------------------------------------------------------------------------


def test_x_moves_by_the_clock_alone(lab: Lab) -> None:
    key = lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    for days, status in ((0, "SCHEDULED"), (8, "LIVE"), (20, "COMPLETED")):
        lab.pass_time(days=days)
        found = lab.drift()
        assert found["drift"] == []
        assert [item["status"] for item in found["progress"]] == ([status] if days else [])
        assert lab.plan(code=0)["changes"] == []
    lab.unwrite(X_ADS.kind)
    (change,) = lab.plan("--allow-empty", code=0)["changes"]
    assert (change["key"], change["action"], change["status"]) == (key, "forget", "COMPLETED")


def test_x_shortening_a_live_test_spoils_it(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    lab.pass_time(days=8)
    lab.manifest(X_ADS.kind, {**X_ADS.spec, "end_time": at(20)})
    (change,) = lab.plan(code=0)["changes"]
    assert change["fields"][0]["severity"] == "invalidates-results" and change["warnings"]
    lab.apply()
    lab.settled()
