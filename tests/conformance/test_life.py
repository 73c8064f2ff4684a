"""Every kind through its whole life: create, nothing to do, each field in each status, replace, drift, removal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kinds import CASES, Case, Edit
from laboratory import CONNECTIONS, Lab, at, same_calls

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
STATUSES = [pytest.param(case, status, id=f"{case.kind}-{status}") for case in CASES for status in case.reach]
EDITS = [
    pytest.param(case, status, edit, edit.verdicts[number], id=f"{case.kind}-{status}-{edit.name}")
    for case in CASES
    for number, status in enumerate(case.reach)
    for edit in case.edits
]


def begin(lab: Lab, case: Case, status: str, **lifecycle: Any) -> str:
    """Create the experiment and bring it into a status; gives its key."""
    key = lab.manifest(case.kind, case.spec, **lifecycle)
    lab.apply()
    case.reach[status](lab, lab.remote_id(key))
    lab.forget_requests()
    return key


def only(made: dict[str, Any]) -> dict[str, Any]:
    """Give the one change of a plan."""
    change: dict[str, Any]
    (change,) = made["changes"]
    return change


def with_ids(body: Any, ids: list[str]) -> Any:
    """Put the ids of groups in the place of `#0`, `#1`."""
    if isinstance(body, dict):
        return {key: with_ids(value, ids) for key, value in body.items()}
    if isinstance(body, list):
        return [with_ids(item, ids) for item in body]
    return ids[int(body[1:])] if isinstance(body, str) and body.startswith("#") else body


@pytest.mark.parametrize("case", EVERY)
def test_create_then_nothing_to_do(lab: Lab, case: Case) -> None:
    key = lab.manifest(case.kind, case.spec)
    change = only(lab.plan(code=0))
    assert (change["key"], change["action"], change["remoteId"]) == (key, "create", None)
    assert {item["path"].split("[")[0] for item in change["fields"]} >= set(case.spec)
    assert all(item["before"] is None for item in change["fields"])
    assert len(change["calls"]) == case.create_calls
    assert lab.writes == []

    lab.apply()
    same_calls(lab.writes, change["calls"])
    record = lab.record(key)
    assert (record["connection"], bool(record["remoteId"])) == (CONNECTIONS[case.platform], True)

    lab.forget_requests()
    made = lab.plan("--detailed-exitcode", code=0)
    assert made["changes"] == [] and made["summary"]["no-op"] == 1
    reads = [one for one in lab.requests if one.method == "GET"]
    assert len(reads) == 1, "one experiment costs one read"
    before = lab.state_file.read_bytes()
    lab.apply()
    assert lab.writes == []
    assert lab.state_file.read_bytes() == before
    assert lab.drift()["drift"] == []


@pytest.mark.parametrize(("case", "status"), STATUSES)
def test_nothing_to_do_in_each_status(lab: Lab, case: Case, status: str) -> None:
    """The clock and the platform move a test on by themselves: that is progress, neither drift nor a change."""
    key = begin(lab, case, status)
    assert lab.plan(code=0)["changes"] == []
    found = lab.drift()
    first = next(iter(case.reach))
    if status not in ("ENDED",):
        assert found["drift"] == []
    if status not in (first, "ENDED"):
        assert [(item["key"], item["kind"], item["status"]) for item in found["progress"]] == [
            (key, "progress", status)
        ]
    assert lab.writes == []


@pytest.mark.parametrize(("case", "status", "edit", "verdict"), EDITS)
def test_each_field_in_each_status(lab: Lab, case: Case, status: str, edit: Edit, verdict: str) -> None:
    key = begin(lab, case, status)
    ids = list(lab.record(key).get("children", {}).get("user_groups", []))
    lab.manifest(case.kind, case.edited(edit))
    change = only(lab.plan())
    paths = [item["path"] for item in change["fields"]]
    assert set(edit.paths) <= set(paths), paths
    assert change["status"] == status
    lab.forget_requests()
    if verdict == "update":
        assert change["action"] == "update", change
        assert all(item["allowed"] for item in change["fields"])
        (call,) = change["calls"]
        assert call["body"] == with_ids(copy.deepcopy(edit.body), ids)
        began = lab.now()
        lab.apply()
        assert (lab.now() - began).total_seconds() < 1, "it waits for nothing but Salesforce's own job"
        same_calls(lab.writes, change["calls"])
        lab.forget_requests()
        lab.settled()
        assert lab.writes == []
        return
    assert (change["action"], change["calls"]) == ("blocked", [])
    assert change["intent"] in ("update", "replace")
    words = " ".join(change["reasons"])
    assert edit.paths[0] in words and status in words
    assert "onImmutableChange: replace" in words
    blocked = [item for item in change["fields"] if not item["allowed"]]
    assert edit.paths[0] in [item["path"] for item in blocked] and all(item["reason"] for item in blocked)
    before = lab.state_file.read_bytes()
    lab.apply(code=3)
    assert lab.writes == []
    assert lab.state_file.read_bytes() == before


REPLACES = [
    pytest.param(case, status, edit, id=f"{case.kind}-{status}-{edit.name}")
    for case in CASES
    for number, status in enumerate(case.reach)
    for edit in case.edits
    if edit.verdicts[number] == "replace"
]


@pytest.mark.parametrize(("case", "status", "edit"), REPLACES)
def test_replace(lab: Lab, case: Case, status: str, edit: Edit) -> None:
    """The old one is ended in the platform's way, the new one created, and the old one's id is remembered."""
    key = begin(lab, case, status, onImmutableChange="replace")
    old = lab.remote_id(key)
    lab.manifest(case.kind, case.edited(edit, also=True), onImmutableChange="replace")
    ending = case.ending[status]
    if ending:
        blocked = only(lab.plan(code=3))
        assert (blocked["action"], blocked["intent"]) == ("blocked", "replace")
        assert "--allow-destroy" in " ".join(blocked["reasons"])
    flags = ["--allow-destroy"] if ending else []
    change = only(lab.plan(*flags, code=0))
    assert change["action"] == "replace"
    assert any("results restart" in words for words in change["warnings"])
    lab.forget_requests()
    lab.apply(*flags)
    same_calls(lab.writes, change["calls"])
    assert_ending(lab.writes[: len(ending)], ending)
    record = lab.record(key)
    assert record["remoteId"] != old and record["predecessors"] == [old]
    lab.pass_time(minutes=2)
    assert lab.plan(code=0)["changes"] == []


def assert_ending(sent: list[Any], ending: tuple[tuple[str, str], ...]) -> None:
    """Fail unless these requests end an experiment as the platform's page says."""
    assert len(sent) == len(ending)
    for one, (method, what) in zip(sent, ending, strict=True):
        assert one.method == method
        if what == "CANCELED":
            assert one.body == {"patch": {"$set": {"userIntendedState": "CANCELED"}}}
            assert one.headers["x-restli-method"] == "partial_update"
        elif what:
            assert (one.query, one.body) == (f"action={what}", {})


# --- removal ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "status"), STATUSES)
def test_removal_in_each_status(lab: Lab, case: Case, status: str) -> None:
    key = begin(lab, case, status)
    lab.unwrite(case.kind)
    lab.manifest("XAdsABTest", {**CASES[1].fresh(10), "start_time": at(100), "end_time": at(120)}, name="stays")
    lab.apply("--target", "XAdsABTest/stays")
    lab.forget_requests()
    ending = case.ending[status]
    if ending:
        change = only(lab.plan(code=3))
        assert (change["action"], change["intent"]) == ("blocked", "delete")
        assert "--allow-destroy" in " ".join(change["reasons"])
        lab.apply(code=3)
        assert lab.writes == []
        change = only(lab.plan("--allow-destroy", code=0))
        assert change["action"] == "delete"
    else:
        change = only(lab.plan(code=0))
        assert (change["action"], change["calls"]) == ("forget", [])
    lab.apply("--allow-destroy")
    same_calls(lab.writes, change["calls"])
    assert_ending(lab.writes, ending)
    listed = lab.run("state", "list", "--format", "json").must(0).json
    assert key not in listed
    lab.settled()


@pytest.mark.parametrize(("case", "status"), STATUSES)
def test_abandon_in_each_status(lab: Lab, case: Case, status: str) -> None:
    key = begin(lab, case, status, onRemoval="abandon")
    lab.unwrite(case.kind)
    change = only(lab.plan("--allow-empty", code=0))
    assert (change["key"], change["action"], change["calls"]) == (key, "forget", [])
    lab.apply("--allow-empty")
    assert lab.writes == []
    assert lab.run("state", "list", "--format", "json").must(0).json == {}


@pytest.mark.parametrize("case", EVERY)
def test_prevent_destroy(lab: Lab, case: Case) -> None:
    begin(lab, case, next(iter(case.reach)), preventDestroy=True)
    lab.unwrite(case.kind)
    change = only(lab.plan("--allow-empty", "--allow-destroy", code=3))
    assert (change["action"], change["intent"], change["calls"]) == ("blocked", "delete", [])
    assert "preventDestroy" in " ".join(change["reasons"])
    lab.apply("--allow-empty", "--allow-destroy", code=3)
    assert lab.writes == []


# --- drift ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
def test_edited_by_hand_is_drift_and_brought_back(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    lab.by_hand(case.platform, lab.remote_id(key), **case.by_hand)
    (item,) = lab.drift()["drift"]
    assert (item["key"], item["kind"], item["platform"]) == (key, "edited", case.platform)
    applied, live = case.spec[case.hand_path], case.by_hand[case.hand_path]
    assert item["fields"] == [{"path": case.hand_path, "applied": applied, "live": live}]
    change = only(lab.plan(code=0))
    (moved,) = change["fields"]
    assert (moved["path"], moved["before"], moved["after"], moved["drifted"]) == (case.hand_path, live, applied, True)
    lab.apply()
    same_calls(lab.writes, change["calls"])
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_a_hand_edit_taken_over_is_recorded_without_a_call(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    lab.by_hand(case.platform, lab.remote_id(key), **case.by_hand)
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    assert lab.plan(code=0)["changes"] == []
    assert len(lab.drift()["drift"]) == 1, "drift is judged against what was applied"
    lab.apply()
    assert lab.writes == []
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_an_ignored_field_is_neither_drift_nor_a_change(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)), ignoreChanges=[case.hand_path])
    lab.by_hand(case.platform, lab.remote_id(key), **case.by_hand)
    lab.settled()
    assert lab.writes == []


@pytest.mark.parametrize("case", EVERY)
def test_taken_away_by_hand_is_missing_and_created_anew(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    old = lab.remote_id(key)
    lab.pass_time(minutes=5)
    lab.take_away(case.platform, old)
    (item,) = lab.drift()["drift"]
    assert (item["key"], item["kind"], item["remoteId"]) == (key, "missing", old)
    change = only(lab.plan(code=0))
    assert change["action"] == "create"
    assert any("removed outside" in words for words in change["warnings"])
    lab.apply()
    assert len(lab.writes) == 1 and lab.remote_id(key) != old
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_just_created_and_not_visible_is_not_gone(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    lab.take_away(case.platform, lab.remote_id(key))
    made = lab.plan()
    if case.platform == "x-ads":
        return  # X shows deleted tests as deleted: that is proof, also right after the create
    assert made["changes"] == []
    assert any("not visible yet" in item["message"] for item in made["warnings"])
    assert lab.drift()["drift"] == []


@pytest.mark.parametrize("case", EVERY)
def test_gone_from_both_sides_is_forgotten(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    lab.pass_time(minutes=5)
    lab.take_away(case.platform, lab.remote_id(key))
    lab.unwrite(case.kind)
    change = only(lab.plan("--allow-empty", code=0))
    assert (change["action"], change["calls"]) == ("forget", [])
    lab.apply("--allow-empty")
    assert lab.writes == []


# --- adopt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("way", ["state rm", "lost state"])
def test_adopt(lab: Lab, case: Case, way: str) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    remote_id = lab.remote_id(key)
    if way == "state rm":
        lab.run("state", "rm", key).must(0)
    else:
        for path in lab.state_file.parent.glob("state.json*"):
            path.unlink()
    change = only(lab.plan(code=0))
    assert (change["action"], change["remoteId"], change["calls"]) == ("adopt", remote_id, [])
    lab.apply()
    assert lab.writes == [] and lab.remote_id(key) == remote_id
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_adopt_and_update(lab: Lab, case: Case) -> None:
    key = begin(lab, case, next(iter(case.reach)))
    remote_id = lab.remote_id(key)
    lab.run("state", "rm", key).must(0)
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    change = only(lab.plan(code=0))
    assert change["action"] == "adopt" and len(change["calls"]) == 1
    lab.apply()
    same_calls(lab.writes, change["calls"])
    assert lab.remote_id(key) == remote_id
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_renamed_in_the_state(lab: Lab, case: Case) -> None:
    begin(lab, case, next(iter(case.reach)))
    lab.unwrite(case.kind)
    lab.manifest(case.kind, case.spec, name="b")
    lab.run("state", "mv", f"{case.kind}/a", f"{case.kind}/b").must(0)
    lab.settled()
    assert lab.writes == []
