"""GitLab's component, the Jenkinsfile, the shell script and the hooks: their lines, run as they are written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ci_elsewhere import component, stages
from ci_runner import ROOT
from ci_team import SECRETS, Team
from stand_in import SHA, TOKEN

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
PLATFORMS = {name: value for name, value in SECRETS.items() if name[:2] in ("LI", "X_", "SF")}
SCRIPT = ROOT / "examples/ci/shell/experiments.sh"


def bash(team: Team, text: str, folder: Path, shell: tuple[str, ...], **variables: str) -> tuple[int, str]:
    """Run lines as a CI does; gives exit code and what was said, which holds no secret."""
    done = subprocess.run(
        [*shell, text],
        cwd=folder,
        env={**team.runner.variables, "HOME": str(team.runner.work), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
    )
    assert not any(secret in done.stdout for secret in SECRETS.values()) and "Traceback" not in done.stdout
    return done.returncode, done.stdout


def fresh(team: Team, name: str) -> Path:
    """Give a clone of its own, of what is on main."""
    folder = team.runner.work / name
    team.git("clone", "-q", f"file://{team.remote}", str(folder), folder=team.runner.work)
    return folder


# --- GitLab ----------------------------------------------------------------------------------------------------------


def gitlab(team: Team, job: str, folder: Path, **more: str) -> tuple[int, str]:
    """Run a job as GitLab's runner does: before_script and script in one bash."""
    base, own = component()[".experiments"], component()[f"experiments-{job}"]
    assert own["extends"] == ".experiments"
    lines = [*base["before_script"], *own["script"]]
    assert not any("[[" in line for line in lines), "what inputs say is no part of a script"
    variables = {
        "CI_PROJECT_URL": f"file://{team.remote}".removesuffix(".git"),
        "CI_PROJECT_DIR": str(folder),
        "CI_API_V4_URL": f"{team.forge.url}/gitlab/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_JOB_URL": "https://gitlab.example/acme/ads/-/jobs/1",
        "CI_COMMIT_SHA": SHA,
        "GITLAB_TOKEN": TOKEN,
        **PLATFORMS,
        **more,
    }
    for name, value in base["variables"].items():
        variables[name] = value.replace("$CI_PROJECT_DIR", str(folder))
    return bash(team, "\n".join(lines), folder, ("bash", "-eo", "pipefail", "-c"), **variables)


def test_gitlab_from_a_merge_request_to_drift_and_back(team: Team) -> None:
    folder = fresh(team, "gitlab")
    code, said = gitlab(team, "validate", folder)
    assert code == 0 and "3 manifests: valid" in said, said
    code, said = gitlab(team, "plan", folder, CI_MERGE_REQUEST_IID="5")
    assert code == 0, said
    (note,) = team.forge.texts
    assert "3 to create" in note.body
    code, said = gitlab(team, "apply", folder)
    assert code == 0 and "Apply: 3 done" in said, said
    assert TOKEN not in (folder / ".git/config").read_text()
    code, said = gitlab(team, "apply", folder)
    assert code == 1 and "nothing was sent; make a new plan" in said, said
    team.edit("x-ads", team.x_test()["id"], name="Theirs")
    code, said = gitlab(team, "drift", folder)
    (issue,) = team.forge.issues
    assert code == 0 and "Theirs" in issue.body and (folder / "drift.xml").exists(), said
    team.edit("x-ads", team.x_test()["id"], name="Creative, photo or drawing")
    assert gitlab(team, "drift", folder)[0] == 0 and issue.state == "closed"


def test_gitlab_plans_no_merge_request_of_a_fork() -> None:
    jobs = component()
    assert (
        "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID"
        in jobs["experiments-plan"]["rules"][0]["if"]
    )
    assert all("merge_request" not in rule["if"] for rule in jobs["experiments-apply"]["rules"])
    assert jobs["experiments-apply"]["resource_group"] and jobs["experiments-apply"]["interruptible"] is False


# --- Jenkins ---------------------------------------------------------------------------------------------------------


def jenkins(team: Team, stage: str, folder: Path, **more: str) -> tuple[int, str]:
    """Run a stage as Jenkins does, by `sh -xe`; what -x shows is left out of what is looked at."""
    variables = {
        "RECONCILER": "reconciler @ file:///nowhere",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": "acme/ads",
        "GITHUB_API_URL": f"{team.forge.url}/api/v3",
        "GITHUB_GRAPHQL_URL": f"{team.forge.url}/api/graphql",
        **PLATFORMS,
        **more,
    }
    return bash(team, stages()[stage], folder, ("sh", "-xec"), **variables)


def test_jenkins_from_a_pull_request_to_drift(team: Team) -> None:
    folder = fresh(team, "jenkins")
    code, said = jenkins(team, "Validate", folder)
    assert code == 0 and "3 manifests: valid" in said, said
    code, said = jenkins(team, "Plan", folder, CHANGE_ID="5")
    assert code == 0 and "3 to create" in team.forge.texts[0].body, said
    code, said = jenkins(team, "Apply", folder)
    assert code == 0 and "Apply: 3 done" in said, said
    team.edit("x-ads", team.x_test()["id"], name="Theirs")
    code, said = jenkins(team, "Drift", folder)
    assert code == 0 and "Theirs" in team.forge.issues[0].body, said
    assert "creative-test" in (folder / "drift.xml").read_text()


# --- a shell ---------------------------------------------------------------------------------------------------------


def test_the_shell_script_from_plan_to_drift(team: Team) -> None:
    folder = fresh(team, "shell")

    def script(what: str, **more: str) -> tuple[int, str]:
        return bash(team, f'"{SCRIPT}" {what}', folder, ("bash", "-c"), **{**PLATFORMS, **more})

    assert script("other")[0] == 1
    code, said = script("plan")
    assert code == 0 and "3 to create" in said, said
    assert "<html" in (folder / "reports/plan.html").read_text()
    code, said = script("apply")
    assert code == 0 and "Apply: 3 done" in said, said
    assert script("apply")[0] == 1, "a plan is carried out once"
    team.edit("x-ads", team.x_test()["id"], name="Theirs")
    code, said = script("drift", PROJECT=str(folder))
    assert code == 2 and json.loads((folder / "reports/drift.json").read_text())["drift"], said


# --- pre-commit ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hooked(tmp_path: Path, tools: Path) -> Any:
    """Give a function that runs a hook's entry as pre-commit does, in a project."""
    variables = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(["reconciler", "init", "p"], cwd=tmp_path, env=variables, check=True, capture_output=True)

    def run(name: str, folder: str = "p") -> subprocess.CompletedProcess[str]:
        (hook,) = [hook for hook in HOOKS if hook["id"] == name]
        assert hook["pass_filenames"] is False and hook["language"] == "python"
        words = [*hook["entry"].split(), *hook["args"]]
        return subprocess.run(words, cwd=tmp_path / folder, env=variables, capture_output=True, text=True)

    return run


def test_hook_validate(hooked: Any, tmp_path: Path) -> None:
    assert hooked("reconciler-validate").returncode == 0
    path = tmp_path / "p/experiments/x/creative-test.yaml"
    path.write_text(path.read_text().replace('"50.00"', '"49.00"'))
    done = hooked("reconciler-validate")
    assert done.returncode == 1 and "creative-test.yaml" in done.stderr


def test_hook_fmt_and_schema(hooked: Any, tmp_path: Path) -> None:
    path = tmp_path / "p/experiments/x/creative-test.yaml"
    before = path.read_text()
    path.write_text(before.replace("  name: creative-test", "  name:   creative-test"))
    assert hooked("reconciler-fmt").returncode == 0 and path.read_text() == before
    schemas = tmp_path / "p/.reconciler/schemas"
    shutil.rmtree(schemas)
    assert hooked("reconciler-schema").returncode == 0 and (schemas / "manifest.json").exists()
