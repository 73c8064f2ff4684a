"""The GitHub workflows, run as they are written: from a pull request to the merge, to drift, and back."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ci_runner import ROOT, JobRun
from ci_team import SECRETS, Team
from stand_in import SHA, TOKEN

FOLDER = ROOT / "examples" / "ci" / "github"


def workflow(name: str) -> dict[str, Any]:
    """Give a workflow; its steps use the reconciler of this checkout instead of installing one."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    for job in found["jobs"].values():
        for step in job["steps"]:
            if "reconciler@" in step.get("uses", ""):
                step["with"]["install"] = False
    return found


def asked(team: Team, sha: str, *, fork: bool = False, author: str = "anna") -> JobRun:
    """Run the workflow of pull requests for a commit, as pull request number 5."""
    head = {"sha": SHA, "repo": {"full_name": "mallory/ads" if fork else "acme/ads"}}
    payload = {"pull_request": {"number": 5, "head": head, "user": {"login": author}}, "sender": {"login": author}}
    return team.runner.run(workflow("plan"), "pull_request", payload, sha, sha, fork=fork)["plan"]


def merged(team: Team, name: str = "apply") -> dict[str, JobRun]:
    return team.runner.run(workflow(name), "push", {}, "refs/heads/main", team.git("rev-parse", "main"))


def looked(team: Team) -> JobRun:
    return team.runner.run(workflow("drift"), "schedule", {}, "refs/heads/main", team.git("rev-parse", "main"))["drift"]


def right(run: JobRun) -> JobRun:
    """Give the run, which went well and has said no secret."""
    assert run.ok and not run.skipped, run.log
    assert not any(secret in run.log + run.summary for secret in SECRETS.values())
    return run


def test_from_a_pull_request_to_the_merge(team: Team) -> None:
    sha = team.commit("more", "a pull request")
    run = right(asked(team, sha))
    (comment,) = team.forge.texts
    assert "3 to create" in comment.body and "XAdsABTest/creative-test" in comment.body
    (check,) = team.forge.checks
    assert check["conclusion"] == "success" and check["head_sha"] == SHA
    assert "3 to create" in run.summary and "stop-commands" in run.log
    assert team.live("x-ads", "ab_tests") == [], "a plan changes nothing"

    team.change("name: Creative, photo or drawing", "name: Photo or drawing")
    right(asked(team, team.commit("more")))
    assert len(team.forge.texts) == 1 and "Photo or drawing" in team.forge.texts[0].body

    team.merge("more")
    applied = right(merged(team)["apply"])
    assert applied.steps["apply"]["result"] == "applied" and "Apply: 3 done" in applied.summary
    assert team.x_test()["name"] == "Photo or drawing"
    assert "refs/reconciler/state" in team.git("ls-remote", "origin")
    again = right(merged(team)["apply"])
    assert again.steps["plan"]["result"] == "empty" and team.command("plan", "--detailed-exitcode").returncode == 0
    run = right(asked(team, team.commit("later")))
    assert "No changes" in team.forge.texts[0].body


def test_a_pull_request_whose_manifests_are_wrong(team: Team) -> None:
    right(asked(team, team.commit("more")))
    assert "3 to create" in team.forge.texts[0].body
    team.change('size: "50.00"', 'size: "49.00"')
    run = asked(team, team.commit("more"))
    assert not run.ok and "::error" in run.log
    assert len(team.forge.texts) == 1 and "No plan could be made" in team.forge.texts[0].body
    assert "3 to create" not in team.forge.texts[0].body, "the comment does not go on showing an old plan"


@pytest.mark.parametrize("who", ["fork", "dependabot"])
def test_a_stranger_is_validated_without_secrets(team: Team, who: str) -> None:
    stranger = {"fork": True} if who == "fork" else {"author": "dependabot[bot]"}
    sha = team.commit("theirs")
    run = right(asked(team, sha, **stranger))  # type: ignore[arg-type]
    assert run.steps["begin"]["mode"] == "validate"
    assert "valid" in run.log and "::notice" in run.log
    assert team.forge.seen == [] and "Plan" not in run.ran
    team.change('size: "50.00"', 'size: "49.00"')
    run = asked(team, team.commit("theirs"), **stranger)  # type: ignore[arg-type]
    assert not run.ok and "::error file=experiments/x/creative-test.yaml" in run.log
    assert team.forge.seen == []


def test_the_plan_of_one_job_is_carried_out_by_the_next(team: Team) -> None:
    done = merged(team, "approve")
    right(done["plan"])
    applied = right(done["apply"])
    assert "Plan" not in applied.ran and "3 done" in applied.summary
    done = merged(team, "approve")
    assert done["plan"].ok and done["apply"].skipped, "there is nothing to approve"


def test_a_stale_plan_is_refused(team: Team) -> None:
    flow, sha = workflow("approve"), team.git("rev-parse", "main")
    plan = right(team.runner.job(flow, "plan", "push", {}, "refs/heads/main", sha))
    assert team.command("apply", "--auto-approve", "--target", "XAdsABTest/creative-test").returncode == 0
    run = team.runner.job(flow, "apply", "push", {}, "refs/heads/main", sha, {"plan": plan})
    assert not run.ok and "nothing was sent; make a new plan" in run.summary
    assert team.live("linkedin", "experiments") == []


def test_a_plan_that_somebody_changed_on_the_way_is_refused(team: Team) -> None:
    flow, sha = workflow("approve"), team.git("rev-parse", "main")
    plan = right(team.runner.job(flow, "plan", "push", {}, "refs/heads/main", sha))
    (folder,) = team.runner.artifacts.values()
    text = (folder / "plan.json").read_text()
    (folder / "plan.json").write_text(text.replace("Creative, photo or drawing", "Theirs"))
    run = team.runner.job(flow, "apply", "push", {}, "refs/heads/main", sha, {"plan": plan})
    assert not run.ok and "the signature of" in run.log and team.live("x-ads", "ab_tests") == []


def test_drift_keeps_one_issue(team: Team) -> None:
    right(merged(team)["apply"])
    assert right(looked(team)).steps["drift"]["result"] == "none"
    assert team.forge.issues == []
    number = team.x_test()["id"]
    team.edit("x-ads", number, name="Theirs")
    run = right(looked(team))
    (issue,) = team.forge.issues
    assert "XAdsABTest/creative-test" in issue.body and "Theirs" in issue.body and issue.labels == ["experiments"]
    assert "Theirs" in run.summary
    team.edit("x-ads", number, name="Theirs again")
    right(looked(team))
    assert len(team.forge.issues) == 1 and "Theirs again" in issue.body and issue.state == "open"
    right(merged(team)["apply"])
    right(looked(team))
    assert issue.state == "closed" and "drift is gone" in issue.comments[0].body
    assert len(team.forge.issues) == 1 and TOKEN not in issue.body


def test_the_workflow_that_init_writes(team: Team) -> None:
    team.runner.vars["RECONCILER"] = "reconciler @ file:///nowhere"
    text = (team.clone / ".github/workflows/reconciler.yaml").read_text()
    flow = {**yaml.safe_load(text), "env": {"GITHUB_API_URL": f"{team.forge.url}/api/v3"}}
    sha = team.git("rev-parse", "main")
    payload = {"pull_request": {"number": 5, "head": {"sha": SHA, "repo": {"full_name": "mallory/ads"}}}}
    done = team.runner.run(flow, "pull_request", payload, sha, sha, fork=True)
    assert "3 manifests: valid" in right(done["plan"]).log and team.forge.texts == [] and done["apply"].skipped
    payload["pull_request"]["head"]["repo"]["full_name"] = "acme/ads"  # type: ignore[index]
    done = team.runner.run(flow, "pull_request", payload, sha, sha)
    assert "3 to create" in right(done["plan"]).summary and "3 to create" in team.forge.texts[0].body
    done = team.runner.run(flow, "push", {}, "refs/heads/main", sha)
    assert "Apply: 3 done" in right(done["apply"]).log and done["plan"].skipped and done["drift"].skipped
    team.edit("x-ads", team.x_test()["id"], name="Theirs")
    done = team.runner.run(flow, "schedule", {}, "refs/heads/main", sha)
    assert right(done["drift"]) and "Theirs" in team.forge.issues[0].body


def test_inputs_are_text_and_no_commands(team: Team) -> None:
    hostile = "$(touch pwned) `touch pwned`; touch pwned #'\"\n--oops\n::set-output name=x::y"
    for mode in ("plan", "drift"):
        flow = workflow(mode)
        flow["jobs"][mode]["steps"][1]["with"] |= {"args": hostile, "environment": hostile.split("\n")[0]}
        run = team.runner.run(flow, "schedule", {}, "refs/heads/main", team.git("rev-parse", "main"))[mode]
        assert not run.ok and "No such option '--oops'" in run.log and team.forge.seen == []
    flow["jobs"][mode]["steps"][1]["with"] |= {"mode": hostile}
    run = team.runner.run(flow, "schedule", {}, "refs/heads/main", team.git("rev-parse", "main"))[mode]
    assert not run.ok and "the input mode is none of" in run.log
    assert list(team.runner.work.rglob("pwned")) == []


@pytest.mark.parametrize(("mode", "event"), [("plan", "pull_request_target"), ("apply", "pull_request")])
def test_what_would_hand_secrets_to_a_stranger_is_refused(team: Team, mode: str, event: str) -> None:
    run = team.runner.run(workflow(mode), event, {}, "refs/heads/main", team.git("rev-parse", "main"))[mode]
    assert not run.ok and ("pull_request_target" in run.log or "nobody has merged" in run.log)
    assert run.ran[-1] == "Decide what may be done" and team.forge.seen == []
