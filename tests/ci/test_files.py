"""The files of CI against the published schemas, actionlint and shellcheck, and our own rules for them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ci_elsewhere import component, stages
from ci_runner import ACTION, ROOT

BIN = Path(sys.executable).parent
WORKFLOWS = [
    *sorted((ROOT / "examples/ci/github").glob("*.yaml")),
    ROOT / ".github/workflows/ci.yaml",
    ROOT / "reconciler/cli/starter/workflow.yaml.txt",
]
STEPS = [step for step in ACTION["runs"]["steps"] if "run" in step]


def checked(schema: str, *files: Path) -> str:
    """Check files with a schema of SchemaStore; gives what is said."""
    words = ["--builtin-schema", f"vendor.{schema}", "--force-filetype", "yaml", *map(str, files)]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True, cwd=ROOT)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def shell_says(text: str, shell: str = "bash", *but: str) -> str:
    """Give what shellcheck says of a script, `but` for some findings."""
    words = [
        str(BIN / "shellcheck"),
        "--shell",
        shell,
        "--severity",
        "style",
        "--exclude",
        ",".join(("SC2153", *but)),
        "-",
    ]
    return subprocess.run(words, input=text, capture_output=True, text=True).stdout


def test_workflows_have_the_published_schema() -> None:
    assert checked("github-workflows", *WORKFLOWS) == ""


def test_the_action_has_the_published_schema(tmp_path: Path) -> None:
    assert checked("github-actions", ROOT / "action.yml") == ""
    (tmp_path / "action.yml").write_text(
        (ROOT / "action.yml").read_text().replace("using: composite", "using: compost")
    )
    assert "compost" in checked("github-actions", tmp_path / "action.yml"), "the check finds something"


def test_the_component_has_the_published_schema(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text(yaml.safe_dump(component()))
    assert checked("gitlab-ci", tmp_path / ".gitlab-ci.yml", ROOT / "examples/ci/gitlab/.gitlab-ci.yml") == ""
    (tmp_path / ".gitlab-ci.yml").write_text(yaml.safe_dump(component()).replace("when: always", "when: now"))
    assert "now" in checked("gitlab-ci", tmp_path / ".gitlab-ci.yml"), "the check finds something"


def test_shell_of_the_others_is_clean() -> None:
    jobs = component()
    for job in jobs.values():
        lines = ["set -eo pipefail", *jobs[".experiments"]["before_script"], *job.get("script", [])]
        assert shell_says("\n".join(lines), "bash", "SC2016") == ""  # git's helper expands its variable itself
    for text in stages().values():
        assert shell_says(text, "sh") == ""
    assert shell_says((ROOT / "examples/ci/shell/experiments.sh").read_text()) == ""


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    words = [str(BIN / "actionlint"), "-no-color", "-shellcheck", str(BIN / "shellcheck"), "-pyflakes="]
    done = subprocess.run([*words, *map(str, WORKFLOWS)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "a.yaml").write_text(WORKFLOWS[0].read_text().replace("secrets.SF", "secret.SF"))
    done = subprocess.run([*words, str(tmp_path / "a.yaml")], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "secret" in done.stdout, "the check finds something"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.get("id", step["name"]))
def test_a_step_of_the_action_is_safe(step: dict[str, Any]) -> None:
    assert step["shell"] == "bash" and step["run"].startswith("set -euo pipefail\n")
    assert "${{" not in step["run"], "what comes from outside comes in through env"
    assert shell_says("#!/usr/bin/env bash\n" + step["run"]) == ""


def test_what_others_run_is_pinned() -> None:
    texts = [path.read_text() for path in (ROOT / "action.yml", *WORKFLOWS)]
    used = [name for text in texts for name in re.findall(r"uses: (\S+.*)", text)]
    theirs = [name for name in used if not name.startswith("OWNER/reconciler@COMMIT")]
    assert theirs and all(re.match(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", name) for name in theirs), theirs
    assert len({name for name in theirs if "checkout" in name}) == 1


def test_only_the_action_is_given_credentials() -> None:
    for path in WORKFLOWS[:-2]:
        flow = yaml.safe_load(path.read_text())
        assert "env" not in flow and "env" not in next(iter(flow["jobs"].values()))
        assert flow["permissions"]["contents"] in ("read", "write")
        assert "pull_request_target" not in path.read_text()
