"""Platforms that do wrong: answers lost before or after the commit, limits, nonsense, stale reads. It converges."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest
import yaml
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
EXPERIMENTS = {"linkedin": "adExperiments", "x-ads": "ab_tests", "salesforce": "abn-experiments"}
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}
UPDATES = {"linkedin": "POST", "x-ads": "PUT", "salesforce": "PATCH"}
LOST: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "500 before": {"status": 500, "body": "down"},
    "500 after": {"status": 500, "body": "down", "commit": True},
    "503 as HTML after": {
        "status": 503,
        "body": "<html><body>busy</body></html>",
        "headers": {"content-type": "text/html"},
        "commit": True,
    },
    "408 after": {"status": 408, "body": {}, "commit": True},
    "HTML with 200, after": {
        "status": 200,
        "body": "<html>ok</html>",
        "headers": {"content-type": "text/html"},
        "commit": True,
    },
    "cut short": {"truncate": 10},
}


def hit(case: Case, method: str, do: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a faults entry for writes of one kind, the dry run left out."""
    match = {
        "platform": case.platform,
        "method": method,
        "path": EXPERIMENTS[case.platform],
        "query": "^(?!action=val)",
    }
    return {"match": match, "do": do, **more}


def alive(lab: Lab, case: Case) -> list[dict[str, Any]]:
    """Give the experiments of a kind that are there."""
    rows = lab.table(case.platform, TABLES[case.platform]).values()
    return [row for row in rows if not row.get("deleted")]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("case", EVERY)
def test_a_create_whose_answer_is_lost(lab: Lab, case: Case, lost: str) -> None:
    """One apply, or two: it ends with exactly one experiment, recorded."""
    key = lab.manifest(case.kind, case.spec)
    lab.faults(hit(case, "POST", LOST[lost]))
    first = lab.run("apply", "--auto-approve")
    assert "Traceback" not in first.err and first.code in (0, 1)
    if first.code:
        lab.apply()
    (row,) = alive(lab, case)
    assert lab.remote_id(key) == str(row["id"])
    lab.settled()


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("case", EVERY)
def test_an_update_whose_answer_is_lost(lab: Lab, case: Case, lost: str) -> None:
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.forget_requests()
    lab.faults(hit(case, UPDATES[case.platform], LOST[lost]))
    first = lab.run("apply", "--auto-approve")
    assert "Traceback" not in first.err and first.code in (0, 1)
    if first.code:
        lab.apply()
    if "after" in lost or lost == "cut short":
        assert len(lab.writes) == 1, "what took effect is not sent again"
    assert len(alive(lab, case)) == 1
    lab.settled()


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("case", EVERY)
def test_a_delete_whose_answer_is_lost(lab: Lab, case: Case, lost: str) -> None:
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.unwrite(case.kind)
    lab.faults(hit(case, "DELETE", LOST[lost]))
    first = lab.run("apply", "--auto-approve", "--allow-empty", "--allow-destroy")
    assert "Traceback" not in first.err and first.code in (0, 1)
    if first.code:
        lab.apply("--allow-empty", "--allow-destroy")
    assert alive(lab, case) == []
    assert lab.run("state", "list", "--format", "json").must(0).json == {}


@pytest.mark.parametrize("lost", ["dropped before", "dropped after", "500 after"])
@pytest.mark.parametrize("case", EVERY)
def test_a_replace_whose_answers_are_lost(lab: Lab, case: Case, lost: str) -> None:
    """Both halves lose their answers; still one old one ended, one new one there."""
    key = lab.manifest(case.kind, case.spec, onImmutableChange="replace")
    lab.apply()
    old = lab.remote_id(key)
    edit = next(edit for edit in case.edits if edit.verdicts[0] == "replace")
    lab.manifest(case.kind, case.edited(edit, also=True), onImmutableChange="replace")
    if case is SALESFORCE:  # Salesforce keeps the API name of what was there
        assert lab.plan("--allow-destroy")["summary"]["replace"] == 1
    lab.faults(hit(case, "DELETE", LOST[lost]), hit(case, "POST", LOST[lost]))
    for _ in range(3):
        if lab.run("apply", "--auto-approve", "--allow-destroy").code == 0:
            break
    (row,) = alive(lab, case)
    record = lab.record(key)
    assert record["remoteId"] == str(row["id"]) != old and record["predecessors"] == [old]
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("method", ["GET", "write"])
@pytest.mark.parametrize("told", ["seconds", "date", "reset header", "nothing"])
def test_429_waits_as_told_and_goes_on(lab: Lab, case: Case, method: str, told: str) -> None:
    headers = {
        "seconds": {"Retry-After": "7"},
        "date": {"Retry-After": formatdate(time.time() + 9, usegmt=True)},
        "reset header": {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 9)},
        "nothing": {},
    }[told]
    key = lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.forget_requests()
    verb = "GET" if method == "GET" else UPDATES[case.platform]
    lab.faults(hit(case, verb, {"status": 429, "headers": headers, "body": {"message": "slow down"}}))
    before = lab.now()
    ran = lab.apply()
    assert "429" in ran.err and "waiting" in ran.err
    if told in ("seconds", "date"):
        assert 5 <= (lab.now() - before).total_seconds() <= 12
    refused = [one for one in lab.requests if one.status == 429]
    assert len(refused) == 1
    assert len([one for one in lab.writes if one.status != 429]) == 1
    lab.settled()
    assert lab.remote_id(key)


@pytest.mark.parametrize("case", EVERY)
def test_a_wait_longer_than_allowed_ends_the_run(lab: Lab, case: Case) -> None:
    keys = [lab.manifest(case.kind, case.fresh(number), name=f"e{number}") for number in range(3)]
    limit = {"status": 429, "headers": {"Retry-After": "3600"}, "body": {}}
    lab.faults(hit(case, "POST", limit, times=100, after=1))
    ran = lab.run("apply", "--auto-approve", "--max-wait", "60").must(1)
    assert "--max-wait" in ran.out + ran.err and "3600" not in ran.out
    assert len(alive(lab, case)) == 1
    listed = lab.run("state", "list", "--format", "json").must(0).json
    assert len([key for key in keys if listed.get(key, {}).get("remoteId")]) == 1
    lab.faults()
    lab.apply()
    assert len(alive(lab, case)) == 3
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_reads_are_repeated(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.faults(hit(case, "GET", {"status": 500, "body": "oops"}), hit(case, "GET", {"drop": "before"}, after=1))
    assert lab.plan(code=0)["changes"] == []


NONSENSE: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": "oops"},
    "403": {"status": 403, "body": {"message": "no"}},
    "HTML": {"status": 200, "body": "<html>login</html>", "headers": {"content-type": "text/html"}},
    "cut short": {"truncate": 12},
    "another JSON": {"status": 200, "body": {"hello": 1}},
    "a list": {"status": 200, "body": [1, 2]},
    "null": {"status": 200, "body": "null", "headers": {"content-type": "application/json"}},
    "a redirect": {"status": 302, "body": "", "headers": {"location": "http://127.0.0.1:1/"}},
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("case", EVERY)
def test_what_cannot_be_read_is_unknown_never_gone(lab: Lab, case: Case, nonsense: str) -> None:
    """An incomplete plan: exit 1, and nothing is created anew or ended because of it."""
    lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.pass_time(minutes=5)
    lab.forget_requests()
    before = lab.state_file.read_bytes()
    lab.faults(hit(case, "GET", NONSENSE[nonsense], times=1000))
    ran = lab.run("plan", "--format", "json").must(1)
    assert ran.json["complete"] is False and ran.json["changes"] == []
    ran = lab.apply(code=1)
    assert "incomplete" in ran.err
    lab.run("drift").must(1)
    assert lab.writes == [] and lab.state_file.read_bytes() == before


@pytest.mark.parametrize("case", EVERY)
def test_one_unreadable_platform_does_not_hide_the_others(lab: Lab, case: Case) -> None:
    for other in CASES:
        lab.manifest(other.kind, other.spec)
    lab.apply()
    for other in CASES:
        lab.manifest(other.kind, {**other.spec, **other.by_hand})
    lab.faults(hit(case, "GET", {"status": 500, "body": ""}, times=1000))
    made = lab.run("plan", "--format", "json").must(1).json
    assert {change["platform"] for change in made["changes"]} == {one.platform for one in CASES} - {case.platform}


@pytest.mark.parametrize("case", EVERY)
def test_a_stale_read_after_a_write_is_not_fought(lab: Lab, case: Case) -> None:
    lab.manifest(case.kind, case.spec)
    lab.faults(hit(case, "GET", {"stale": True}, times=2))
    lab.apply()
    lab.manifest(case.kind, {**case.spec, **case.by_hand})
    lab.forget_requests()
    # The planner's read and the read before the write are true; those after the write are old.
    lab.faults(hit(case, "GET", {"stale": True}, times=2, after=2))
    lab.apply()
    assert len(lab.writes) == 1
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_the_platform_refuses(lab: Lab, case: Case) -> None:
    """A refusal is reported in the platform's words; the state is as it was, and the rest goes on."""
    lab.manifest(case.kind, case.fresh(0), name="e0")
    lab.manifest(case.kind, case.fresh(1), name="e1")
    lab.faults(hit(case, "POST", {"status": 422, "body": {"code": "NO_WAY", "message": "because"}}))
    ran = lab.apply(code=1)
    assert "because" in ran.out + ran.err or "NO_WAY" in ran.out + ran.err
    assert len(alive(lab, case)) == 1
    lab.apply()
    assert len(alive(lab, case)) == 2
    lab.settled()


def test_salesforce_token_that_ends_in_the_middle(lab: Lab) -> None:
    """One 401, one new token, and on."""
    for number in range(3):
        lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(number), name=f"e{number}")
    expired = {"status": 401, "body": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]}
    lab.faults(hit(SALESFORCE, "POST", expired, after=1))
    lab.apply()
    assert len(alive(lab, SALESFORCE)) == 3
    assert len([one for one in lab.requests if "oauth" in one.path]) == 2
    lab.settled()


def test_linkedin_token_that_ends_in_the_middle(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a refresh token: one 401, one new access token, and on; no secret stands in the project."""
    base_url = lab.server.base_url("linkedin")
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    project["connections"]["linkedin"]["auth"] = {
        "client_id": "${LI_ID}",
        "client_secret": "${LI_SECRET}",
        "refresh_token": "${LI_REFRESH}",
        "token_url": f"{base_url}/oauth/v2/accessToken",
    }
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    for name, value in (("ID", "emulator-client"), ("SECRET", "emulator-secret"), ("REFRESH", "emulator-refresh")):
        monkeypatch.setenv(f"LI_{name}", value)
    for number in range(3):
        lab.manifest(LINKEDIN.kind, LINKEDIN.fresh(number), name=f"e{number}")
    expired = {"status": 401, "body": {"status": 401, "code": "EXPIRED_ACCESS_TOKEN", "message": "expired"}}
    lab.faults(hit(LINKEDIN, "POST", expired, after=1))
    lab.apply()
    assert len(alive(lab, LINKEDIN)) == 3
    assert len([one for one in lab.requests if "oauth" in one.path]) == 2
    for path in (lab.dir / ".reconciler").rglob("*"):
        assert b"emulator-" not in path.read_bytes()
    lab.settled()


@pytest.mark.parametrize("case", EVERY)
def test_401_that_stays_stops_the_connection(lab: Lab, case: Case) -> None:
    keys = [lab.manifest(case.kind, case.fresh(number), name=f"e{number}") for number in range(3)]
    lab.faults(hit(case, "POST", {"status": 401, "body": {"message": "who"}}, times=1000))
    ran = lab.apply(code=1)
    assert "not authorised" in ran.out + ran.err
    assert alive(lab, case) == []
    lab.faults()
    lab.apply()
    assert len(alive(lab, case)) == len(keys)


def test_salesforce_daily_quota_ends_the_run(lab: Lab) -> None:
    for number in range(4):
        lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(number), name=f"e{number}")
    words = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    lab.faults(hit(SALESFORCE, "POST", {"status": 403, "body": words}, times=1000, after=1))
    ran = lab.apply(code=1)
    assert "REQUEST_LIMIT_EXCEEDED" in ran.out + ran.err
    assert len(alive(lab, SALESFORCE)) == 1
    lab.faults()
    lab.apply()
    assert len(alive(lab, SALESFORCE)) == 4


def test_salesforce_stuck_in_processing(lab: Lab) -> None:
    """It is waited for five minutes, then left for the next run, which finds it."""
    key = lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started"})
    lab.settings(processing_seconds=1000)
    before = lab.now()
    ran = lab.apply(code=1)
    assert "Processing" in ran.out + ran.err
    assert 290 <= (lab.now() - before).total_seconds() <= 400
    assert len(lab.writes) == 1
    lab.settings(processing_seconds=0.3)
    lab.pass_time(minutes=30)
    lab.apply()
    assert [one.query for one in lab.writes] == ["", "action=Start"]
    assert lab.remote_id(key)
    lab.settled()


def test_salesforce_slow_jobs_are_waited_for(lab: Lab) -> None:
    lab.settings(processing_seconds=45, deleting_seconds=45)
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started"})
    lab.apply()
    lab.settled()
    lab.unwrite(SALESFORCE.kind)
    lab.apply("--allow-empty", "--allow-destroy")
    assert [row["state"] for row in alive(lab, SALESFORCE)] == ["Archived"]


def test_x_lock_that_is_not_had(lab: Lab) -> None:
    """423 says that nothing was done: it is sent again."""
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.faults(hit(X_ADS, "POST", {"status": 423, "body": {"errors": [{"code": "LOCK_ACQUISITION_TIMEOUT"}]}}))
    lab.apply()
    assert len(alive(lab, X_ADS)) == 1
    lab.settled()


def test_linkedin_write_conflict_is_resolved_by_reading(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.apply()
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, **LINKEDIN.by_hand})
    lab.forget_requests()
    lab.faults(hit(LINKEDIN, "POST", {"status": 409, "body": {"code": "WRITE_CONFLICT", "status": 409}}))
    lab.apply()
    assert len(lab.writes) == 2
    lab.settled()


@pytest.mark.parametrize("kind", [403, 500])
def test_linkedin_dry_run_that_is_not_to_be_had_is_a_warning(lab: Lab, kind: int) -> None:
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    match = {"platform": "linkedin", "query": "validateExperimentSetup"}
    lab.faults({"match": match, "times": 1000, "do": {"status": kind, "body": {"status": kind, "message": "no"}}})
    made = lab.plan(code=0)
    assert made["summary"]["create"] == 1
    assert any("check" in item["message"] for item in made["warnings"])
    lab.apply()
    assert len(alive(lab, LINKEDIN)) == 1


def test_linkedin_dry_run_blocks_what_linkedin_would_refuse(lab: Lab) -> None:
    """Campaign 2001 stands in another group: no rule here knows that, LinkedIn's own check does."""
    first, second = LINKEDIN.spec["cells"]
    elsewhere = {**second, "reference": {"campaign": "urn:li:sponsoredCampaign:2001"}}
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "cells": [first, elsewhere]})
    (change,) = lab.plan(code=3)["changes"]
    assert "CAMPAIGN_GROUPS_DIFFERENT" in " ".join(change["reasons"])
    lab.apply(code=3)
    assert lab.writes == []
    assert lab.plan("--no-preflight", code=0)["summary"]["create"] == 1
