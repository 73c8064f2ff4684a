"""`reconciler results` against the emulated platforms, through the command line: outcomes, refusals, what is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS
from laboratory import Lab, at

KEYS = [f"{case.kind}/a" for case in CASES]
PROJECT = """\
version: 1
connections:
  linkedin: {platform: linkedin, auth: {access_token: "${LINKEDIN_ACCESS_TOKEN}"}}
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata: {name: headline}
spec:
  account: urn:li:sponsoredAccount:500000001
  name: Headline
  keyMetric: CPC
  confidence: 90
  scheduledStartAt: START
  scheduledEndAt: END
  cells:
    - {name: question, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:160000001"}}
    - {name: claim, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:160000002"}}
"""


def applied(lab: Lab, *cases: Any) -> None:
    """Make the experiments of these kinds live."""
    for case in cases:
        lab.manifest(case.kind, case.spec)
    lab.apply()
    lab.forget_requests()


def results(lab: Lab, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """Give the outcomes by key."""
    told = lab.run("results", "--format", "json", *words).must(code).json
    assert told["formatVersion"] == "1.0"
    assert told["complete"] is (code == 0)
    return {item["key"]: item for item in told["results"]}


def row(lab: Lab) -> dict[str, Any]:
    """Give the emulated LinkedIn's own row of the experiment."""
    (found,) = lab.server.world.table("linkedin", "experiments").values()
    changeable: dict[str, Any] = found
    return changeable


def test_nothing_is_managed(lab: Lab) -> None:
    assert "Nothing is managed yet" in lab.run("results").must(0).out
    assert lab.requests == []


def test_every_platform_says_what_it_knows(lab: Lab) -> None:
    applied(lab, *CASES)
    found = results(lab)
    assert list(found) == sorted(KEYS)
    assert found["LinkedInExperiment/a"]["conclusion"] == "not-ready"
    assert found["LinkedInExperiment/a"]["status"] == "PENDING"
    salesforce = found["SalesforceExperiment/a"]
    assert (salesforce["conclusion"], salesforce["status"]) == ("not-shown", "Created")
    assert salesforce["details"]["winnerSelectionMode"] == SALESFORCE.spec.get("winnerSelectionMode", "Manual")
    assert salesforce["details"]["lastAnalyzed"] is None
    assert sum(float(arm["share"]) for arm in salesforce["arms"]) == 100
    x = found["XAdsABTest/a"]
    assert (x["conclusion"], x["status"], x["start"]) == ("not-shown", "SCHEDULED", at(7))
    assert [arm["entities"] for arm in x["arms"]] == [group["entity_ids"] for group in X_ADS.spec["user_groups"]]
    assert "/stats/accounts/18ce54d4x5t" in x["details"]["analytics"]
    assert any("no resource for the results" in note for note in x["notes"])


def test_a_winner_as_days_pass(lab: Lab) -> None:
    applied(lab, LINKEDIN)
    row(lab).update(_effect=0.3, _leader=1)
    lab.pass_time(days=20)
    (found,) = results(lab).values()
    assert found["conclusion"] == "winner"
    assert found["winner"] == "test"
    assert found["preliminary"] is True
    assert found["generatedOn"] == at(20)[:10]
    assert [arm["winner"] for arm in found["arms"]] == [False, True]
    assert all(arm["confidenceInterval"]["lowerBound"] > 0 for arm in found["arms"])
    text = lab.run("results").must(0).out
    assert "Cell test (campaign 1002) wins so far at 90 % confidence" in text
    assert "preliminary" in text
    lab.pass_time(days=24)
    (found,) = results(lab).values()
    assert found["preliminary"] is False
    assert "preliminary" not in lab.run("results").must(0).out


def test_no_practical_difference(lab: Lab) -> None:
    applied(lab, LINKEDIN)
    row(lab).update(_effect=0.0)
    lab.pass_time(days=38)
    (found,) = results(lab).values()
    assert found["minimumDetectableEffect"] < 0.1
    assert (found["conclusion"], found["winner"], found["pValue"]) == ("no-practical-difference", None, None)


def test_salesforce_started_and_stopped(lab: Lab) -> None:
    applied(lab, SALESFORCE)
    remote_id = lab.remote_id("SalesforceExperiment/a")
    SALESFORCE.reach["Stopped"](lab, remote_id)
    (found,) = results(lab).values()
    assert found["status"] == "Stopped"
    assert found["details"]["startedDate"] == found["start"] is not None
    assert found["details"]["stoppedDate"] == found["end"] is not None


def test_a_failed_change_on_salesforce_is_told(lab: Lab) -> None:
    applied(lab, SALESFORCE)
    (found,) = lab.server.world.table("salesforce", "experiments").values()
    found["status"] = "EditError"
    (told,) = results(lab).values()
    assert "EditError" in told["notes"][0]
    assert told["conclusion"] == "not-shown"


def test_reads_only_and_takes_no_lock(lab: Lab) -> None:
    applied(lab, *CASES)
    before = {path: path.read_bytes() for path in (lab.dir / ".reconciler").rglob("*") if path.is_file()}
    lab.run("results").must(0)
    assert lab.writes == []
    assert {path: path.read_bytes() for path in (lab.dir / ".reconciler").rglob("*") if path.is_file()} == before
    asked = [request for request in lab.requests if "adExperimentResults" in request.path]
    assert [(request.method, request.path) for request in asked] == [
        ("GET", f"/rest/adExperimentResults/{lab.remote_id('LinkedInExperiment/a')}")
    ]


def test_only_the_named_ones(lab: Lab) -> None:
    applied(lab, *CASES)
    assert list(results(lab, KEYS[1], KEYS[1])) == [KEYS[1]]
    assert {request.platform for request in lab.requests if "oauth" not in request.path} == {CASES[1].platform}


def test_a_manifest_alone_is_not_created_yet(lab: Lab) -> None:
    key = lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    (found,) = results(lab, key).values()
    assert (found["conclusion"], found["remoteId"]) == ("not-created", None)
    assert results(lab) == {}


def test_an_unknown_key_exits_1_and_names_near_ones(lab: Lab) -> None:
    applied(lab, LINKEDIN)
    ran = lab.run("results", "LinkedInExperiment/b").must(1)
    assert ran.out == ""
    assert "did you mean LinkedInExperiment/a?" in ran.err
    assert "is not a key" in lab.run("results", "headline").must(1).err
    assert lab.requests == []


def test_gone_is_told_and_no_error(lab: Lab) -> None:
    applied(lab, LINKEDIN)
    lab.server.world.table("linkedin", "experiments").clear()
    (found,) = results(lab).values()
    assert found["conclusion"] == "gone"
    assert "Gone from the platform" in lab.run("results").must(0).out


@pytest.mark.parametrize("format", ["text", "json", "markdown"])
def test_what_cannot_be_read_leaves_the_others_and_exits_1(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    applied(lab, *CASES)
    monkeypatch.delenv("X_CONSUMER_KEY")
    ran = lab.run("results", "--format", format).must(1)
    assert "X_CONSUMER_KEY" in ran.out.replace("&#95;", "_")
    assert "LinkedIn shows the first results" in ran.out
    assert "Personalization app" in ran.out.replace("\n  ", " ")


def test_results_that_are_refused_leave_status_and_schedule(lab: Lab) -> None:
    applied(lab, LINKEDIN)
    lab.faults({"match": {"path": ".*adExperimentResults.*"}, "do": {"status": 403, "body": {"code": "FORBIDDEN"}}})
    (found,) = results(lab, code=1).values()
    assert found["status"] == "PENDING"
    assert found["start"] == at(7)
    assert "r_ads" in found["problem"]


def test_a_connection_that_the_project_lost(lab: Lab) -> None:
    applied(lab, LINKEDIN, X_ADS)
    project = (lab.dir / "reconciler.yaml").read_text()
    (lab.dir / "reconciler.yaml").write_text(project.replace("  x:\n", "  other:\n"))
    found = results(lab, code=1)
    assert "connection 'x'" in found["XAdsABTest/a"]["problem"]
    assert found["LinkedInExperiment/a"]["problem"] is None


def test_hostile_names_reach_no_terminal_and_no_table(lab: Lab) -> None:
    hostile = "a|b`c`<script>@octo\x1b[31m\u202e"
    applied(lab, LINKEDIN)
    row(lab).update(name=hostile, cells=[{**cell, "name": hostile} for cell in LINKEDIN.spec["cells"]])
    lab.pass_time(days=20)
    for words in ((), ("--format", "markdown")):
        out = lab.run("results", *words).must(0).out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert "<script>" not in out
    assert "@octo" not in out
    assert all(line.count("|") in (4, 5) for line in out.splitlines() if line.startswith("|"))


def test_the_embedded_platforms_when_days_have_passed(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "experiments").mkdir()
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    today = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = MANIFEST.replace("START", today).replace("END", _plus_days(today, 30))
    (tmp_path / "experiments" / "a.yaml").write_text(text)
    run("apply", "--emulator", "--auto-approve")
    assert "Not ready yet" in run("results", "--emulator")
    run("emulator", "clock", "21d")
    shown = run("results", "--emulator")
    assert "CPC, 90 % confidence interval" in shown
    assert "---" in shown
    assert shown.isascii()
    (found,) = json.loads(run("results", "--emulator", "--format", "json"))["results"]
    assert found["preliminary"] is True
    assert found["generatedOn"] == _plus_days(today, 21)[:10]


def _plus_days(text: str, days: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
