"""A plan file that somebody else wrote to between the review and the apply: nothing of it is sent."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
Tamper = Callable[[dict[str, Any]], object]


def saved(lab: Lab, case: Case, action: str) -> dict[str, Any]:
    """Give a sound plan of one change of that action."""
    lab.manifest(case.kind, case.spec)
    if action != "create":
        lab.apply()
    if action == "update":
        lab.manifest(case.kind, {**case.spec, **case.by_hand})
    if action == "delete":
        lab.unwrite(case.kind)
        lab.write_file("experiments/other.yaml", "# nothing here\n---\n")
    if action == "delete":
        (lab.dir / "experiments/other.yaml").unlink()
        made = lab.plan("--allow-destroy=1", "--allow-empty")
    else:
        made = lab.plan()
    (change,) = made["changes"]
    assert change["action"] == action and change["calls"]
    lab.forget_requests()
    return made


def refused(lab: Lab, made: dict[str, Any]) -> str:
    """Apply a tampered plan: an error in words, and nothing that changes anything went out."""
    lab.write_file("plan.json", json.dumps(made))
    ran = lab.run("apply", "plan.json")
    assert "Traceback" not in ran.out + ran.err
    assert lab.writes == [], lab.writes
    assert ran.code == 1, ran.out + ran.err
    return ran.err


def call(made: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = made["changes"][0]["calls"][0]
    return first


ELSEWHERE: dict[str, Tamper] = {
    "another resource of the API": lambda made: call(made).update(path="/rest/adCampaigns/1"),
    "a user of the org": lambda made: call(made).update(path="/services/data/v65.0/sobjects/User/005xx"),
    "dots": lambda made: call(made).update(path=call(made)["path"] + "/../../x"),
    "encoded dots": lambda made: call(made).update(path=call(made)["path"] + "/%2e%2e/x"),
    "a query in the path": lambda made: call(made).update(path=call(made)["path"] + "?ids=List(1)"),
    "an at sign": lambda made: call(made).update(path="/@evil.example/x"),
    "a line break in the path": lambda made: call(made).update(path=call(made)["path"] + "\r\nX-Evil: 1"),
    "terminal escapes in the path": lambda made: call(made).update(path="/\x1b]0;owned\x07"),
    "another host": lambda made: call(made).update(path="https://evil.example/x"),
    "another host without a scheme": lambda made: call(made).update(path="//evil.example/x"),
    "a method of no kind": lambda made: call(made).update(method="TRACE"),
    "a method with a line break": lambda made: call(made).update(method="POST / HTTP/1.1\r\nHost: evil\r\n\r\nGET"),
    "a header": lambda made: call(made)["headers"].update({"X-HTTP-Method-Override": "DELETE"}),
    "credentials": lambda made: call(made)["headers"].update({"Authorization": "Bearer other"}),
    "another host by header": lambda made: call(made)["headers"].update({"Host": "evil.example"}),
    "a line break in a header": lambda made: call(made)["headers"].update({"X-A": "b\r\nX-Evil: 1"}),
    "a query": lambda made: call(made)["query"].update({"action": "Archive"}),
    "another key in the body": lambda made: call(made)["body"].update({"evil": 1}),
    "another body": lambda made: call(made).update(body={"patch": {"$set": {"account": "urn:li:sponsoredAccount:9"}}}),
    "no body": lambda made: call(made).update(body=None),
    "a body that is a list": lambda made: call(made).update(body=[1]),
    "a body of megabytes": lambda made: call(made).update(body={"name": "x" * 5_000_000}),
    "one call more": lambda made: made["changes"][0]["calls"].append(copy.deepcopy(call(made))),
    "a delete": lambda made: call(made).update(method="DELETE", purpose="delete", body=None, headers={}, query={}),
    "a create": lambda made: call(made).update(purpose="create"),
    "an archive": lambda made: call(made).update(purpose="archive"),
    "another platform": lambda made: made["changes"][0].update(platform="evil"),
}


@pytest.mark.parametrize("how", ELSEWHERE)
@pytest.mark.parametrize("action", ["create", "update"])
@pytest.mark.parametrize("case", EVERY)
def test_calls_that_are_not_the_kinds_own(lab: Lab, case: Case, action: str, how: str) -> None:
    if how == "one call more" and action == "update":
        pytest.skip("the same update twice does what it does once")
    if how == "a create" and action == "create":
        pytest.skip("it is one")
    made = saved(lab, case, action)
    ELSEWHERE[how](made)
    words = refused(lab, made)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", words)
    assert not re.search(r"(?m)^X-Evil", words)


@pytest.mark.parametrize("case", EVERY)
def test_a_sound_plan_is_carried_out(lab: Lab, case: Case) -> None:
    """The same plans without tampering are applied: it is the tampering that is refused."""
    for action in ("create", "update", "delete"):
        made = saved(lab, case, action)
        lab.write_file("plan.json", json.dumps(made))
        lab.apply("plan.json")
        assert lab.writes


@pytest.mark.parametrize("action", ["update", "delete"])
@pytest.mark.parametrize("case", EVERY)
def test_the_id_of_another_experiment(lab: Lab, case: Case, action: str) -> None:
    """In the call alone, or in call and change alike: the record says which id is meant."""
    lab.manifest(case.kind, case.fresh(7), "other")
    lab.apply()
    other = lab.remote_id(f"{case.kind}/other")
    lab.run("state", "rm", f"{case.kind}/other").must(0)
    lab.unwrite(case.kind, "other")
    made = saved(lab, case, action)
    own = made["changes"][0]["remoteId"]
    in_call = copy.deepcopy(made)
    call(in_call)["path"] = call(in_call)["path"].replace(own, other)
    assert "is no call that this version makes" in refused(lab, in_call)
    everywhere = json.loads(json.dumps(made).replace(own, other))
    lab.write_file("plan.json", json.dumps(everywhere))
    ran = lab.run("apply", "plan.json")
    assert ran.code == 1 and lab.writes == [], ran.out + ran.err


@pytest.mark.parametrize("case", EVERY)
def test_values_other_than_those_shown(lab: Lab, case: Case) -> None:
    """What a create sends is what is recorded as wanted; what an update sends stands among its fields."""
    for action in ("create", "update"):
        made = saved(lab, case, action)
        text = json.dumps(call(made)["body"])
        shown = case.by_hand if action == "update" else case.spec
        value = next(value for value in shown.values() if isinstance(value, str) and json.dumps(value) in text)
        call(made)["body"] = json.loads(text.replace(json.dumps(value), '"something else"'))
        assert "is no call that this version makes" in refused(lab, made)
        if action == "create":
            lab.unwrite(case.kind)


def test_a_connection_of_another_platform(lab: Lab) -> None:
    made = saved(lab, LINKEDIN, "create")
    made["changes"][0]["connection"] = "x"
    assert "is not one of linkedin" in refused(lab, made)


def test_another_account(lab: Lab) -> None:
    """X: the account is part of the path, and only that of the wanted or the live test will do."""
    made = saved(lab, X_ADS, "update")
    call(made)["path"] = call(made)["path"].replace("18ce54d4x5t", "other")
    refused(lab, made)


def test_actions_that_the_change_does_not_have(lab: Lab) -> None:
    """Salesforce: a query in place of the fields turns a renaming into a start."""
    made = saved(lab, SALESFORCE, "update")
    call(made).update(query={"action": "Start"}, body={}, purpose="update")
    refused(lab, made)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (lambda made: made.update(formatVersion="9.0"), "formatVersion"),
        (lambda made: made.update(environment="other"), "other"),
        (lambda made: made["state"].update(lineage="0" * 8), "another state"),
        (lambda made: made["changes"][0].update(action="forget"), "is no call"),
        (lambda made: made["changes"][0].update(after=[made["changes"][0]["key"]]), "does not go before it"),
        (lambda made: made["changes"].append(made["changes"][0]), "stands twice"),
        (lambda made: made["changes"][0].update(key="Evil/../x"), ""),
        (lambda made: made["changes"][0].update(connection="evil"), "no connection"),
        (lambda made: made["changes"][0].update(desired={"name": 1}), ""),
        (lambda made: made["changes"][0].update(desired={"cells": 3, "user_groups": 3, "cohorts": 3}), ""),
    ],
)
@pytest.mark.parametrize("case", EVERY)
def test_a_plan_bound_to_what_it_was_made_for(lab: Lab, case: Case, how: Tamper, says: str) -> None:
    made = saved(lab, case, "update")
    how(made)
    assert says in refused(lab, made)


def test_plan_files_that_are_none(lab: Lab) -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for text in ("", "{", "[]", "null", '{"formatVersion": 1}', json.dumps(deep), "[" * 100_000, "9" * 10_000):
        lab.write_file("plan.json", text)
        ran = lab.run("apply", "plan.json").must(1)
        assert "plan.json" in ran.err
    made = saved(lab, LINKEDIN, "create")
    made["changes"][0]["desired"] = {"cells": deep}
    assert "nested too deep" in refused(lab, made)


def test_a_plan_without_end(lab: Lab) -> None:
    """A device or a pipe is read up to a bound, not until memory is used up."""
    from reconciler.cli import apply_command

    assert apply_command.LONGEST_PLAN <= 512 * 1024 * 1024
    apply_command.LONGEST_PLAN, before = 1_000_000, apply_command.LONGEST_PLAN
    try:
        assert "longer than" in lab.run("apply", "/dev/zero").must(1).err
    finally:
        apply_command.LONGEST_PLAN = before


def test_a_link_beside_the_plan_is_not_followed(lab: Lab, tmp_path: Path) -> None:
    """A folder that others write to: the plan goes to a file of a name that nobody can guess."""
    precious = lab.write_file("precious", "mine")
    (lab.dir / "plan.json.tmp").symlink_to(precious)
    (lab.dir / ".plan.json.tmp").symlink_to(precious)
    (lab.dir / "plan.json").symlink_to(precious)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.plan("--out", "plan.json")
    assert precious.read_text() == "mine"
    assert not (lab.dir / "plan.json").is_symlink()
