"""Policies as a user meets them: in validate, plan, apply and `reconciler policy`, against the embedded platforms."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from reconciler.model.time import iso

HEAD = """\
version: 1
connections:
  linkedin:
    platform: linkedin
    accounts: ["urn:li:sponsoredAccount:123"]
    auth: {access_token: "${LINKEDIN_ACCESS_TOKEN}"}
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata:
  name: NAME
  labels: LABELS
spec:
  account: urn:li:sponsoredAccount:123
  name: A test
  keyMetric: CPC
  confidence: 90
  autoStop: AUTO_STOP_DISABLED
  scheduledStartAt: START
  scheduledEndAt: END
  cells:
    - {name: a, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:FIRST"}}
    - {name: b, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:SECOND"}}
"""
START = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=40)
"""Well ahead of the embedded platforms' clock, which begins with the real one."""
KEY = "LinkedInExperiment/first"
Run = Callable[..., tuple[int, str, str]]


def manifest(name: str = "first", labels: str = "{}", number: int = 1000) -> str:
    """Give a manifest whose campaigns nobody else has."""
    text = MANIFEST.replace("NAME", name).replace("LABELS", labels)
    text = text.replace("START", iso(START)).replace("END", iso(START + timedelta(days=14)))
    return text.replace("FIRST", str(number)).replace("SECOND", str(number + 1))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one experiment that asks for a confidence of 90, in which the test runs."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/first.yaml").write_text(manifest())
    (tmp_path / "reconciler.yaml").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give what a command line comes to: exit code, output, errors."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(words))
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def with_policies(project: Path, text: str) -> None:
    """Write the policies of the project."""
    (project / "reconciler.yaml").write_text(HEAD + "policies:\n" + textwrap.indent(textwrap.dedent(text), "  "))


def planned(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    """Give exit code and JSON of a plan."""
    code, out, err = run("plan", "--emulator", "--format", "json", *words)
    assert out, err
    return code, json.loads(out)


STRICT = "- {use: min-confidence, params: {percent: 95}}\n"


def test_an_error_is_one_of_validate_and_blocks_in_plan(project: Path, run: Run) -> None:
    with_policies(project, STRICT)
    code, _, err = run("validate")
    assert code == 1
    assert "experiments/first.yaml:4:9: error policy/min-confidence" in err
    assert "confidence is 90; it has to be at least 95" in err
    assert "source: reconciler.yaml:8:5" in err

    code, plan = planned(run)
    assert code == 3
    (change,) = plan["changes"]
    assert (change["action"], change["intent"], change["calls"]) == ("blocked", "create", [])
    assert change["policies"] == [
        {
            "name": "min-confidence",
            "message": "confidence is 90; it has to be at least 95",
            "blocks": True,
            "overriddenBy": None,
            "reason": None,
        }
    ]
    (reason,) = change["reasons"]
    assert reason.startswith("policy min-confidence: confidence is 90")
    assert "policy-override/min-confidence: REASON" in reason
    assert f"--override-policy {KEY}=min-confidence:REASON" in reason
    assert plan["policies"]["digest"].startswith("sha256:")


def test_plan_does_not_stop_at_what_validate_calls_an_error(project: Path, run: Run) -> None:
    with_policies(project, STRICT)
    (project / "experiments/second.yaml").write_text(manifest("second", number=2000).replace("dence: 90", "dence: 95"))
    code, out, _ = run("apply", "--emulator", "--auto-approve", "--skip-blocked", "--format", "json")
    assert code == 3
    results = {item["key"]: (item["result"], item["callsSent"]) for item in json.loads(out)["outcomes"]}
    assert results["LinkedInExperiment/second"] == ("done", 1)
    assert results[KEY] == ("blocked", 0)


def test_a_warning_blocks_nothing(project: Path, run: Run) -> None:
    with_policies(project, "- {use: min-confidence, params: {percent: 95}, severity: warn}\n")
    code, _, err = run("validate")
    assert (code, "warning policy/min-confidence" in err) == (0, True)
    code, plan = planned(run)
    assert code == 0
    assert plan["changes"][0]["warnings"][0] == "policy min-confidence: confidence is 90; it has to be at least 95"


def test_a_label_with_a_reason_sets_a_policy_aside(project: Path, run: Run) -> None:
    with_policies(project, STRICT)
    path = project / "experiments/first.yaml"
    path.write_text(manifest(labels='{policy-override/min-confidence: "pilot, agreed with Ana"}'))
    code, _, err = run("validate")
    assert code == 0
    assert "overridden by a label of the manifest (pilot, agreed with Ana)" in err
    code, plan = planned(run)
    assert code == 0
    note = plan["changes"][0]["policies"][0]
    assert (note["blocks"], note["overriddenBy"], note["reason"]) == (False, "label", "pilot, agreed with Ana")
    assert "is overridden by a label" in plan["changes"][0]["warnings"][0]

    path.write_text(manifest(labels='{policy-override/min-confidence: " "}'))
    code, _, err = run("validate")
    assert (code, "it gives no reason, so it overrides nothing" in err) == (1, True)
    path.write_text(manifest(labels='{policy-override/min-confidance: "x"}'))
    code, _, err = run("validate")
    assert (code, 'there is no policy "min-confidance"; did you mean min-confidence?' in err) == (1, True)


def test_a_flag_sets_a_policy_aside_for_one_plan(project: Path, run: Run) -> None:
    with_policies(project, STRICT)
    code, plan = planned(run, "--override-policy", f"{KEY}=min-confidence:pilot")
    assert code == 0
    note = plan["changes"][0]["policies"][0]
    assert (note["overriddenBy"], note["reason"]) == ("flag", "pilot")
    code, out, _ = run("plan", "--emulator", "--override-policy", f"{KEY}=min-confidence")
    assert (code, "is overridden by --override-policy (no reason given)" in " ".join(out.split())) == (0, True)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        pytest.param("nonsense", "is not a key", id="no-key"),
        pytest.param(KEY, "write KEY=POLICY", id="no-policy"),
        pytest.param(f"{KEY}=min-confidense:x", "did you mean min-confidence?", id="misspelt-policy"),
        pytest.param("LinkedInExperiment/frist=min-confidence:x", f"did you mean {KEY}?", id="misspelt-key"),
        pytest.param(f"{KEY}=fixed:x", "cannot be overridden", id="not-overridable"),
    ],
)
def test_a_flag_that_sets_nothing_aside_is_an_error(project: Path, run: Run, flag: str, said: str) -> None:
    with_policies(project, STRICT + "- {use: owner-label, name: fixed, overridable: false}\n")
    code, _, err = run("plan", "--emulator", "--override-policy", flag)
    assert (code, said in err) == (1, True), err


def test_not_overridable_means_by_nobody(project: Path, run: Run) -> None:
    with_policies(project, "- {use: owner-label, overridable: false}\n")
    (project / "experiments/first.yaml").write_text(manifest(labels='{policy-override/owner-label: "please"}'))
    code, _, err = run("validate")
    assert (code, "the policy owner-label cannot be overridden" in err) == (1, True)
    code, plan = planned(run)
    assert (code, plan["changes"][0]["reasons"][0].endswith("this policy cannot be overridden")) == (3, True)


def test_what_waits_for_a_blocked_change_is_blocked_too(project: Path, run: Run) -> None:
    assert run("apply", "--emulator", "--auto-approve")[0] == 0
    (project / "experiments/first.yaml").write_text(
        manifest().replace("Campaign:1000", "Campaign:3000").replace("  name: A test", "  name: Moved")
    )
    (project / "experiments/second.yaml").write_text(manifest("second", number=4000).replace("4001", "1000"))
    assert planned(run)[0] == 0
    with_policies(project, "- {name: no, match: experiment.name == 'first', assert: change.action == 'create'}\n")
    code, plan = planned(run)
    reasons = {change["key"]: change["reasons"] for change in plan["changes"]}
    assert code == 3
    assert "policy no: " in reasons[KEY][-1]
    assert reasons["LinkedInExperiment/second"] == [f"it waits for {KEY}, which is blocked"]


def test_of_a_manifest_that_is_gone_only_policies_on_changes_are_judged(project: Path, run: Run) -> None:
    assert run("apply", "--emulator", "--auto-approve")[0] == 0
    (project / "experiments/second.yaml").write_text(manifest("second", number=2000).replace("dence: 90", "dence: 99"))
    (project / "experiments/first.yaml").unlink()
    with_policies(project, STRICT)
    code, plan = planned(run, "--allow-destroy")
    assert (code, [change["action"] for change in plan["changes"]]) == (0, ["delete", "create"])
    with_policies(project, "- {name: keep, assert: change.action != 'delete', message: 'ends {{ experiment.key }}'}\n")
    code, plan = planned(run, "--allow-destroy")
    assert code == 3
    assert plan["changes"][0]["policies"][0]["message"] == f"ends {KEY}"


def test_a_saved_plan_is_judged_again_when_the_policies_have_changed(project: Path, run: Run) -> None:
    assert run("plan", "--emulator", "--out", "plan.json")[0] == 0
    with_policies(project, STRICT)
    code, _, err = run("apply", "plan.json", "--emulator")
    assert code == 3
    assert "the policies are not those that the plan was made with" in err
    assert "nothing was sent: 1 change is blocked" in err

    flag = ("--override-policy", f"{KEY}=min-confidence:pilot")
    assert run("plan", "--emulator", "--out", "plan.json", *flag)[0] == 0
    assert run("apply", "plan.json", "--emulator", *flag)[0] == 1
    with_policies(project, STRICT + "- {use: whole-weeks}\n")
    code, out, err = run("apply", "plan.json", "--emulator")
    assert (code, "the policies are not those" in err) == (0, True), out + err


def test_a_saved_plan_is_judged_again_by_what_speaks_of_now(project: Path, run: Run) -> None:
    with_policies(project, "- {use: lead-time, params: {span: 30d}}\n")
    assert run("plan", "--emulator", "--out", "plan.json")[0] == 0
    assert run("emulator", "clock", "20d")[0] == 0
    code, out, err = run("apply", "plan.json", "--emulator")
    assert code == 3, out + err
    assert "has to be planned at least 30 d ahead" in " ".join(out.split())


def test_cases_beside_policies(project: Path, run: Run) -> None:
    with_policies(
        project,
        """\
        - name: cheap
          match: experiment.platform == 'linkedin'
          assert: change.calls < 5
          message: "{{ change.calls }} calls"
          cases:
            - {name: few, given: {change: {calls: 3}}, expect: pass}
            - {name: many, given: {change.calls: 7}, expect: fail, message: 7 calls}
            - {name: other, given: {experiment: {kind: XAdsABTest}}, expect: skip}
        - use: min-duration
          cases:
            - {given: {experiment: {start: "2026-12-01T00:00:00Z", end: "2026-12-05T00:00:00Z"}}, expect: fail}
            - {given: {experiment: {duration: 8d}}, expect: pass}
        """,
    )
    code, out, _ = run("policy", "test")
    assert (code, "5 cases, all as expected." in out) == (0, True), out

    text = (project / "reconciler.yaml").read_text()
    (project / "reconciler.yaml").write_text(text.replace("calls: 3}}, expect: pass", "calls: 9}}, expect: pass"))
    code, out, _ = run("policy", "test", "cheap")
    assert code == 1
    assert "FAIL  few  reconciler.yaml:13:9" in out
    assert "expected pass, and it failed: 9 calls" in out
    assert "3 cases, 1 failed." in out
    code, out, _ = run("policy", "test", "--format", "json")
    assert (code, json.loads(out)["failed"]) == (1, 1)
    code, _, err = run("policy", "test", "cheep")
    assert (code, "did you mean cheap?" in err) == (1, True)


def test_list_explain_and_variables(project: Path, run: Run) -> None:
    with_policies(project, STRICT)
    code, out, _ = run("policy", "list")
    assert (code, "Policies of this project\n  min-confidence\n" in out, "no-weekend-start" in out) == (0, True, True)
    code, out, _ = run("policy", "explain", "min-confidence")
    assert (code, "percent: 95" in out) == (0, True)
    code, out, _ = run("policy", "explain", "max-duration")
    assert (code, "span: 60d" in out) == (0, True)
    code, _, err = run("policy", "explain", "max-durration")
    assert (code, "did you mean max-duration?" in err) == (1, True)
    code, out, _ = run("policy", "variables")
    assert (code, "experiment.shares: list of doubles" in out) == (0, True)
    code, out, _ = run("policy", "list", "--format", "json")
    assert json.loads(out)["policies"][0]["judged"] == "validate and plan"


def test_hypotheses_are_advice(project: Path, run: Run) -> None:
    figures = "  hypothesis: {baseline: 0.02, relativeEffect: 0.05, dailyTraffic: 300, audience: de}\nspec:"
    (project / "experiments/first.yaml").write_text(manifest().replace("spec:", figures, 1))
    (project / "experiments/second.yaml").write_text(manifest("second", number=2000).replace("spec:", figures, 1))
    code, _, err = run("validate")
    assert code == 0
    assert "warning SAN002" in err
    assert "warning SAN004" in err
    code, plan = planned(run)
    assert code == 0
    assert {warning[:6] for warning in plan["changes"][0]["warnings"]} >= {"SAN002", "SAN004"}
    with_policies(project, "- {use: enough-traffic}\n")
    assert planned(run)[0] == 3
