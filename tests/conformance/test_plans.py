"""Plans as a whole: order, cycles, guards, targets, moments, blocked parts, saved plans."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab, at, same_calls

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
CLAIMING = [pytest.param(case, id=case.kind) for case in (LINKEDIN, X_ADS)]


def many(lab: Lab, case: Case, count: int) -> list[str]:
    """Write and apply some experiments of a kind; gives their keys."""
    keys = [lab.manifest(case.kind, case.fresh(number), name=f"e{number:02}") for number in range(count)]
    lab.apply()
    lab.forget_requests()
    return keys


def by_key(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the changes of a plan by key."""
    return {change["key"]: change for change in made["changes"]}


def second_of(case: Case, spec: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Give `spec` with its second cell or group over the campaign of `other`'s second one."""
    name = "cells" if case is LINKEDIN else "user_groups"
    reference = "reference" if case is LINKEDIN else "entity_ids"
    first, second = spec[name]
    return {**spec, name: [first, {**second, reference: other[name][1][reference]}]}


# --- order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CLAIMING)
def test_who_releases_goes_before_who_claims(lab: Lab, case: Case) -> None:
    """`e00` claims the campaign that `e01` gives up for another one."""
    keys = many(lab, case, 2)
    zero, one, spare = case.fresh(0), case.fresh(1), case.fresh(2)
    lab.manifest(case.kind, second_of(case, zero, one), name="e00")
    lab.manifest(case.kind, second_of(case, one, spare), name="e01")
    made = lab.plan(code=0)
    assert [change["key"] for change in made["changes"]] == [keys[1], keys[0]]
    lab.apply()
    same_calls(lab.writes, [call for change in made["changes"] for call in change["calls"]])
    lab.settled()


@pytest.mark.parametrize("case", CLAIMING)
def test_who_ends_goes_before_who_claims(lab: Lab, case: Case) -> None:
    keys = many(lab, case, 2)
    lab.unwrite(case.kind, "e01")
    lab.manifest(case.kind, second_of(case, case.fresh(0), case.fresh(1)), name="e00")
    made = lab.plan("--allow-destroy", code=0)
    assert [(change["key"], change["action"]) for change in made["changes"]] == [
        (keys[1], "delete"),
        (keys[0], "update"),
    ]
    lab.apply("--allow-destroy")
    same_calls(lab.writes, [call for change in made["changes"] for call in change["calls"]])
    lab.settled()


@pytest.mark.parametrize("case", CLAIMING)
def test_a_cycle_is_blocked_with_both_named(lab: Lab, case: Case) -> None:
    keys = many(lab, case, 2)
    zero, one = case.fresh(0), case.fresh(1)
    lab.manifest(case.kind, second_of(case, zero, one), name="e00")
    lab.manifest(case.kind, second_of(case, one, zero), name="e01")
    made = lab.plan(code=3)
    for key in keys:
        assert by_key(made)[key]["action"] == "blocked"
        words = " ".join(by_key(made)[key]["reasons"])
        assert keys[0] in words and keys[1] in words
    lab.apply(code=3)
    assert lab.writes == []


@pytest.mark.parametrize("case", CLAIMING)
def test_what_a_stranger_holds_is_blocked(lab: Lab, case: Case) -> None:
    key = lab.manifest(case.kind, case.fresh(0), name="e00")
    lab.apply()
    lab.run("state", "rm", key).must(0)
    lab.unwrite(case.kind, "e00")
    lab.forget_requests()
    lab.manifest(case.kind, second_of(case, case.fresh(1), case.fresh(0)), name="mine")
    (change,) = lab.plan(code=3)["changes"]
    assert change["intent"] == "create" and "not managed here" in " ".join(change["reasons"])
    lab.apply(code=3)
    assert lab.writes == []


@pytest.mark.parametrize("case", CLAIMING)
def test_with_skip_blocked_what_depends_on_it_is_held_back(lab: Lab, case: Case) -> None:
    keys = many(lab, case, 3)
    zero, one, spare = case.fresh(0), case.fresh(1), case.fresh(4)
    lab.manifest(case.kind, second_of(case, zero, one), name="e00")
    spec = {**second_of(case, one, spare), ("account" if case is LINKEDIN else "account_id"): _other(case)}
    lab.manifest(case.kind, spec, name="e01")
    lab.manifest(case.kind, {**case.fresh(2), "name": "renamed"}, name="e02")
    changes = by_key(lab.plan(code=3))
    assert changes[keys[1]]["action"] == "blocked" and changes[keys[0]]["action"] == "blocked"
    assert changes[keys[2]]["action"] == "update"
    lab.apply(code=3)
    assert lab.writes == []
    lab.apply("--skip-blocked", code=3)
    same_calls(lab.writes, changes[keys[2]]["calls"])
    assert set(by_key(lab.plan(code=3))) == set(keys[:2])


def _other(case: Case) -> str:
    return "urn:li:sponsoredAccount:500000001" if case is LINKEDIN else "acc2"


# --- guards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
def test_an_empty_project_is_an_error(lab: Lab, case: Case) -> None:
    many(lab, case, 2)
    for number in range(2):
        lab.unwrite(case.kind, f"e{number:02}")
    before = lab.state_file.read_bytes()
    for words in (("plan",), ("apply", "--auto-approve")):
        ran = lab.run(*words, "--allow-destroy").must(1)
        assert "--allow-empty" in ran.err and "2 experiment(s)" in ran.err
    assert lab.writes == [] and lab.state_file.read_bytes() == before
    lab.apply("--allow-empty", "--allow-destroy")
    assert len(lab.writes) == 2
    assert lab.run("state", "list", "--format", "json").must(0).json == {}


@pytest.mark.parametrize("case", EVERY)
def test_more_endings_than_the_guard_allows(lab: Lab, case: Case) -> None:
    many(lab, case, 7)
    for number in range(6):
        lab.unwrite(case.kind, f"e{number:02}")
    made = lab.plan("--allow-destroy", code=3)
    assert made["summary"]["blocked"] == 6
    assert all("--allow-destroy=6" in " ".join(change["reasons"]) for change in made["changes"])
    lab.apply("--allow-destroy=5", code=3)
    assert lab.writes == []
    assert lab.plan("--allow-destroy=6", code=0)["summary"]["delete"] == 6
    lab.apply("--allow-destroy=6")
    assert len(lab.writes) == 6
    lab.settled()


def test_a_share_of_many_is_guarded_too(lab: Lab) -> None:
    many(lab, SALESFORCE, 10)
    for number in range(4):
        lab.unwrite(SALESFORCE.kind, f"e{number:02}")
    made = lab.plan("--allow-destroy", code=3)
    assert made["summary"]["blocked"] == 4
    assert "maxDestroyPercent" in " ".join(made["changes"][0]["reasons"])
    assert lab.plan("--allow-destroy=4", code=0)["summary"]["delete"] == 4


# --- targets, moments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
def test_target(lab: Lab, case: Case) -> None:
    keys = many(lab, case, 3)
    for number in range(3):
        lab.manifest(case.kind, {**case.fresh(number), **case.by_hand}, name=f"e{number:02}")
    made = lab.plan("--target", keys[0], keys[2], code=0)
    assert set(by_key(made)) == {keys[0], keys[2]}
    lab.apply("--target", keys[1])
    assert len(lab.writes) == 1
    assert set(by_key(lab.plan(code=0))) == {keys[0], keys[2]}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_an_unknown_target_names_near_ones(lab: Lab, command: str) -> None:
    many(lab, SALESFORCE, 1)
    ran = lab.run(command, *(["--auto-approve"] if command == "apply" else []), "--target", "SalesforceExperiment/e0")
    assert "did you mean SalesforceExperiment/e00" in ran.must(1).err
    assert lab.writes == []


@pytest.mark.parametrize("case", CLAIMING)
def test_as_of_judges_as_if_it_were_then(lab: Lab, case: Case) -> None:
    key = lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.forget_requests()
    fixed = next(edit for edit in case.edits if edit.name in ("keyMetric", "name") and edit.verdicts[1] == "replace")
    lab.manifest(case.kind, case.edited(fixed))
    assert by_key(lab.plan(code=0))[key]["action"] == "update"
    change = by_key(lab.plan("--as-of", at(8), code=3))[key]
    assert change["action"] == "blocked"
    saved = lab.dir / "plan.json"
    assert lab.run("plan", "--as-of", at(6), "--out", str(saved)).must(0)
    lab.run("apply", str(saved)).must(1)
    assert lab.writes == []


def test_as_of_without_an_offset_is_refused(lab: Lab) -> None:
    many(lab, SALESFORCE, 1)
    assert "--as-of" in lab.run("plan", "--as-of", "2026-12-01T00:00:00").must(1).err


@pytest.mark.parametrize("case", EVERY)
def test_detailed_exitcode(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    lab.run("plan", "--detailed-exitcode").must(2)
    lab.run("plan").must(0)
    lab.apply()
    lab.run("plan", "--detailed-exitcode").must(0)


@pytest.mark.parametrize("case", CLAIMING)
def test_the_moment_until_which_a_plan_holds(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    assert lab.plan(code=0)["validUntil"] == at(7)
    lab.apply()
    assert lab.plan(code=0)["validUntil"] is None


# --- saved plans -----------------------------------------------------------------------------------------------------


def saved_change(lab: Lab, case: Case) -> dict[str, Any]:
    """Create an experiment, change its manifest, and save the plan of that as plan.json; gives the one change."""
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.run("plan", "--out", "plan.json").must(0)
    lab.forget_requests()
    (change,) = json.loads((lab.dir / "plan.json").read_text())["changes"]
    found: dict[str, Any] = change
    return found


@pytest.mark.parametrize("case", EVERY)
def test_a_saved_plan_is_carried_out_as_saved(lab: Lab, case: Case) -> None:
    """Manifests changed after the plan do not matter; a second run of the same file sends nothing."""
    change = saved_change(lab, case)
    lab.manifest(case.kind, case.spec)
    lab.apply("plan.json")
    same_calls(lab.writes, change["calls"])
    lab.forget_requests()
    lab.apply("plan.json")
    assert lab.writes == []
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_a_saved_create_is_not_carried_out_twice(lab: Lab, case: Case) -> None:
    key = lab.manifest(case.kind, case.spec)
    lab.run("plan", "--out", "plan.json").must(0)
    lab.apply("plan.json")
    remote_id = lab.remote_id(key)
    lab.forget_requests()
    lab.apply("plan.json")
    assert lab.writes == [] and lab.remote_id(key) == remote_id


@pytest.mark.parametrize("case", EVERY)
def test_a_saved_plan_is_stale_after_a_hand_edit(lab: Lab, case: Case) -> None:
    change = saved_change(lab, case)
    before = lab.record(change["key"])["applied"]
    lab.by_hand(case.platform, change["remoteId"], description="by hand")
    ran = lab.apply("plan.json", code=1)
    assert "description" in ran.out + ran.err and "changed on the platform" in ran.out + ran.err
    assert lab.writes == []
    assert lab.record(change["key"])["applied"] == before


@pytest.mark.parametrize("case", CLAIMING)
def test_a_saved_plan_is_stale_when_the_clock_moved_the_status(lab: Lab, case: Case) -> None:
    saved_change(lab, case)
    lab.pass_time(days=8)
    lab.apply("plan.json", code=1)
    assert lab.writes == []


@pytest.mark.parametrize("case", CLAIMING)
def test_a_saved_create_is_stale_once_its_start_has_passed(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    lab.run("plan", "--out", "plan.json").must(0)
    lab.pass_time(days=7, seconds=1)
    ran = lab.apply("plan.json", code=1)
    assert at(7) in ran.out + ran.err
    assert lab.writes == []


@pytest.mark.parametrize("case", EVERY)
def test_a_stale_change_does_not_hold_back_the_others(lab: Lab, case: Case) -> None:
    keys = many(lab, case, 2)
    for number in range(2):
        lab.manifest(case.kind, {**case.fresh(number), **case.by_hand}, name=f"e{number:02}")
    lab.run("plan", "--out", "plan.json").must(0)
    changes = by_key(json.loads((lab.dir / "plan.json").read_text()))
    changed_field = {"LinkedInExperiment": "name", "XAdsABTest": "name", "SalesforceExperiment": "label"}[case.kind]
    lab.by_hand(case.platform, changes[keys[0]]["remoteId"], **{changed_field: "somebody else"})
    lab.apply("plan.json", code=1)
    same_calls(lab.writes, changes[keys[1]]["calls"])


@pytest.mark.parametrize("case", EVERY)
def test_a_saved_plan_needs_no_flag_again(lab: Lab, case: Case) -> None:
    many(lab, case, 2)
    lab.unwrite(case.kind, "e01")
    lab.run("plan", "--allow-destroy", "--out", "plan.json").must(0)
    lab.apply("plan.json")
    assert len(lab.writes) == 1
    lab.settled()


def test_a_saved_blocked_plan_sends_nothing(lab: Lab) -> None:
    many(lab, SALESFORCE, 2)
    lab.unwrite(SALESFORCE.kind, "e01")
    lab.run("plan", "--out", "plan.json").must(3)
    lab.apply("plan.json", code=3)
    assert lab.writes == []


def test_a_plan_of_another_state_is_refused(lab: Lab) -> None:
    saved_change(lab, SALESFORCE)
    for path in lab.state_file.parent.glob("state.json*"):
        path.unlink()
    lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(3), name="other")
    lab.apply("--target", f"{SALESFORCE.kind}/other")
    lab.forget_requests()
    ran = lab.apply("plan.json", code=1)
    assert "another state" in ran.err
    assert lab.writes == []


# --- all together ----------------------------------------------------------------------------------------------------


def test_all_platforms_at_once(lab: Lab) -> None:
    for case in CASES:
        for number in range(3):
            lab.manifest(case.kind, case.fresh(number), name=f"e{number}")
    assert lab.plan(code=0)["summary"]["create"] == 9
    lab.apply()
    assert len(lab.writes) == 9
    lab.settled()
    listed = lab.run("state", "list", "--format", "json").must(0).json
    assert len(listed) == 9 and len({record["remoteId"] for record in listed.values()}) == 9


def test_ignored_and_unmanaged_are_listed_apart(lab: Lab) -> None:
    keys = many(lab, LINKEDIN, 2)
    lab.run("state", "rm", keys[1]).must(0)
    lab.unwrite(LINKEDIN.kind, "e01")
    found = lab.drift("--unmanaged")
    assert found["drift"] == []
    (stranger,) = [item for item in found["unmanaged"] if item["platform"] == "linkedin"]
    assert stranger["name"] == "headline 1" and stranger["status"] == "PENDING"
    assert stranger["account"] == "urn:li:sponsoredAccount:123"
