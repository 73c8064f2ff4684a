"""
An apply and a person in the pages of the platform, an apply and a merge: what is refused, what is told, what is lost.

No platform takes a precondition on a write. So the live experiment is read right before each change, and again after.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
PATHS = {"linkedin": "adExperiments", "x-ads": "ab_tests", "salesforce": "abn-experiments"}
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}
OURS: dict[str, dict[str, Any]] = {
    "linkedin": {"name": "ours"},
    "x-ads": {"name": "ours"},
    "salesforce": {"label": "ours"},
}
THEIRS_SAME: dict[str, dict[str, Any]] = {
    "linkedin": {"name": "theirs"},
    "x-ads": {"name": "theirs"},
    "salesforce": {"label": "theirs"},
}
THEIRS_OTHER: dict[str, dict[str, Any]] = {
    "linkedin": {"description": "theirs"},
    "x-ads": {"description": "theirs"},
    "salesforce": {"description": "theirs"},
}


def managed(lab: Lab, case: Case) -> tuple[str, str]:
    """Create one; gives its key and remote id."""
    spec = {**case.spec, "description": "as it was"}
    key = lab.manifest(case.kind, spec)
    lab.apply()
    lab.pass_time(minutes=2)
    lab.manifest(case.kind, {**spec, **OURS[case.platform]})
    lab.forget_requests()
    return key, lab.remote_id(key)


def live(lab: Lab, case: Case) -> dict[str, Any]:
    (row,) = lab.table(case.platform, TABLES[case.platform]).values()
    return dict(row)


def after_read(case: Case, number: int, remote_id: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Give a fault: a person edits right after the n-th read (from 0) of the experiment was answered."""
    match = {"platform": case.platform, "method": "GET", "path": PATHS[case.platform]}
    return {"match": match, "after": number, "do": {"edit": {remote_id: changes}}}


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("theirs", [THEIRS_SAME, THEIRS_OTHER], ids=["the same field", "another field"])
def test_an_edit_between_plan_and_apply(lab: Lab, case: Case, theirs: dict[str, dict[str, Any]]) -> None:
    """The saved plan is refused as stale, nothing is sent, the person's edit stands; a new plan shows it."""
    _, remote_id = managed(lab, case)
    lab.run("plan", "--out", "saved.json").must(0)
    changes = theirs[case.platform]
    lab.by_hand(case.platform, remote_id, **changes)
    ran = lab.apply("saved.json", code=1)
    (field,) = changes
    assert f"{field} changed on the platform since the plan was made; make a new plan" in " ".join(ran.out.split())
    assert lab.writes == [] and live(lab, case)[field] == "theirs"
    made = lab.plan()
    assert field in {item["path"] for item in made["changes"][0]["fields"]}
    lab.apply()
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_an_edit_while_a_person_looks_at_the_plan(lab: Lab, case: Case) -> None:
    """`apply` plans, and the edit comes right behind its reads: it is read again before the change, and refused."""
    _, remote_id = managed(lab, case)
    lab.faults(after_read(case, 0, remote_id, THEIRS_OTHER[case.platform]))
    ran = lab.apply(code=1)
    assert "description changed on the platform since the plan was made" in " ".join(ran.out.split())
    assert lab.writes == [] and live(lab, case)["description"] == "theirs"
    lab.apply()
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_an_edit_of_another_field_between_the_read_and_the_write(lab: Lab, case: Case) -> None:
    """Only what the plan shows is written, so the edit stands; it is told, and the next plan has it."""
    key, remote_id = managed(lab, case)
    lab.faults(after_read(case, 1, remote_id, THEIRS_OTHER[case.platform]))
    ran = lab.apply()
    now = live(lab, case)
    assert (now["description"], now[next(iter(OURS[case.platform]))]) == ("theirs", "ours")
    assert "somebody else changed description on the platform while this was carried out" in " ".join(ran.out.split())
    assert len(lab.writes) == 1
    (found,) = lab.drift()["drift"]
    assert (found["key"], found["kind"]) == (key, "edited")
    assert [item["path"] for item in found["fields"]] == ["description"]
    (change,) = lab.plan()["changes"]
    assert [item["path"] for item in change["fields"]] == ["description"]


@pytest.mark.parametrize("case", EVERY)
def test_an_edit_of_the_same_field_between_the_read_and_the_write(lab: Lab, case: Case) -> None:
    """
    What remains: the last one wins, and no answer tells of the other. Where LinkedIn says WRITE_CONFLICT, see below.

    The window is one round trip; the state and the platform agree after it.
    """
    _, remote_id = managed(lab, case)
    lab.faults(after_read(case, 1, remote_id, THEIRS_SAME[case.platform]))
    lab.apply()
    (name,) = OURS[case.platform]
    assert live(lab, case)[name] == "ours" and len(lab.writes) == 1
    lab.settled()


@pytest.mark.parametrize("theirs", [THEIRS_SAME, THEIRS_OTHER, {}], ids=["the same field", "another field", "nothing"])
def test_a_write_conflict_is_resolved_by_reading(lab: Lab, theirs: dict[str, dict[str, Any]]) -> None:
    """LinkedIn's guard: a managed field that moved makes the change stale; else it is sent once more."""
    _, remote_id = managed(lab, LINKEDIN)
    conflict = {
        "match": {"platform": "linkedin", "method": "POST", "path": "adExperiments/", "query": "^$"},
        "do": {
            "status": 409,
            "body": {"status": 409, "code": "WRITE_CONFLICT", "message": "changed meanwhile"},
            **({"edit": {remote_id: theirs["linkedin"]}} if theirs else {}),
        },
    }
    lab.faults(conflict)
    if not theirs:
        lab.apply()
        assert [one.status for one in lab.writes] == [409, 204] or [one.status for one in lab.writes] == [409, 200]
        lab.settled()
        return
    ran = lab.apply(code=1)
    (field,) = theirs["linkedin"]
    assert f"{field} changed on the platform since the plan was made" in " ".join(ran.out.split())
    assert [one.status for one in lab.writes] == [409] and live(lab, LINKEDIN)[field] == "theirs"
    lab.apply()
    lab.settled()


def test_a_write_conflict_that_stays_ends_after_three_attempts(lab: Lab) -> None:
    managed(lab, LINKEDIN)
    match = {"platform": "linkedin", "method": "POST", "path": "adExperiments/", "query": "^$"}
    body = {"status": 409, "code": "WRITE_CONFLICT", "message": "changed meanwhile"}
    lab.faults({"match": match, "times": 100, "do": {"status": 409, "body": body}})
    ran = lab.apply(code=1)
    assert "WRITE_CONFLICT" in ran.out and len(lab.writes) == 3
    lab.faults()
    lab.apply()
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_taken_away_between_the_read_and_the_write(lab: Lab, case: Case) -> None:
    """It is gone when the write comes: refused, told; the next plan creates it anew and says why."""
    _, remote_id = managed(lab, case)
    match = {"platform": case.platform, "method": "GET", "path": PATHS[case.platform]}
    lab.faults({"match": match, "after": 1, "do": {"remove": [remote_id]}})
    lab.apply(code=1)
    made = lab.plan()
    (change,) = made["changes"]
    assert change["action"] == "create" and any("removed outside" in line for line in change["warnings"])


# --- an apply and a merge --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
def test_a_merge_between_plan_and_apply(lab: Lab, case: Case) -> None:
    """The saved plan is carried out as it was saved and reviewed; the new manifests come with the next plan."""
    managed(lab, case)
    lab.run("plan", "--out", "saved.json").must(0)
    (name,) = OURS[case.platform]
    lab.manifest(case.kind, {**case.spec, "description": "as it was", name: "merged since"})
    lab.apply("saved.json")
    assert live(lab, case)[name] == "ours"
    (change,) = lab.plan()["changes"]
    assert [(item["path"], item["before"], item["after"]) for item in change["fields"]] == [
        (name, "ours", "merged since")
    ]


def test_a_merge_that_takes_the_project_to_another_place_of_the_state(lab: Lab) -> None:
    """A saved plan is bound to the state it was made from: beside another one it is refused, with words."""
    managed(lab, X_ADS)
    lab.run("plan", "--out", "saved.json").must(0)
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    lab.write_file("reconciler.yaml", yaml.safe_dump({**project, "state": {"path": "other/state.json"}}))
    lab.manifest(SALESFORCE.kind, SALESFORCE.spec)
    lab.apply("--target", f"{SALESFORCE.kind}/a")
    ran = lab.apply("saved.json", code=1)
    assert "the plan was made from another state" in ran.err
    assert [one for one in lab.writes if one.platform == "x-ads"] == []


@pytest.mark.parametrize("case", EVERY)
def test_two_plans_of_one_state(lab: Lab, case: Case) -> None:
    """The second is carried out in what still fits; what the first has changed is refused as stale, told beforehand."""
    managed(lab, case)
    lab.run("plan", "--out", "first.json").must(0)
    (name,) = OURS[case.platform]
    lab.manifest(case.kind, {**case.spec, "description": "as it was", name: "the other"})
    lab.run("plan", "--out", "second.json").must(0)
    lab.apply("first.json")
    lab.forget_requests()
    ran = lab.apply("second.json", code=1)
    assert "the state has moved on since the plan was made (serial 1 then, 2 now)" in ran.err
    assert f"{name} changed on the platform since the plan was made; make a new plan" in " ".join(ran.out.split())
    assert lab.writes == [] and live(lab, case)[name] == "ours"
    ran = lab.apply("first.json")
    assert lab.writes == [], "a plan that was carried out already has nothing left to do"


@pytest.mark.parametrize("case", EVERY)
def test_two_plans_that_create_the_same(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    lab.run("plan", "--out", "first.json").must(0)
    lab.run("plan", "--out", "second.json").must(0)
    lab.apply("first.json")
    lab.apply("second.json")
    assert len(lab.table(case.platform, TABLES[case.platform])) == 1
    assert len([one for one in lab.writes if one.method == "POST" and one.status in (200, 201)]) == 1
    lab.settled()
