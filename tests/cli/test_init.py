"""`reconciler init`: what it writes validates, can be planned at once, and overwrites nothing."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from reconciler.cli.main import main

WRITTEN = (
    "reconciler.yaml",
    "experiments/linkedin/headline-test.yaml",
    "experiments/x/creative-test.yaml",
    "experiments/salesforce/hero-test.yaml",
    ".github/workflows/reconciler.yaml",
    ".gitignore",
)


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a starter project, the working directory of the test."""
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    return tmp_path


def test_says_every_file_that_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    for name in WRITTEN:
        assert (tmp_path / name).is_file()
        assert f"wrote {tmp_path / name}\n" in said


def test_starter_validates_without_any_warning(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["validate"]) == 0
    shown = capsys.readouterr()
    assert shown.out.strip().endswith("valid")
    assert shown.err == ""


def test_starter_plans_one_create_a_platform(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["plan", "--emulator", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert {change["platform"]: change["action"] for change in plan["changes"]} == {
        "linkedin": "create",
        "x-ads": "create",
        "salesforce": "create",
    }
    assert [change["warnings"] for change in plan["changes"]] == [[], [], []]


def test_no_date_of_the_starter_has_passed(starter: Path) -> None:
    spec = yaml.safe_load((starter / "experiments/x/creative-test.yaml").read_text())["spec"]
    assert timedelta(days=5) < spec["start_time"] - datetime.now(UTC) < timedelta(days=8)
    assert spec["end_time"] - spec["start_time"] == timedelta(days=14)


def test_editor_lines_point_at_schemas_that_are_there(starter: Path) -> None:
    for name in WRITTEN[:4]:
        first = (starter / name).read_text().splitlines()[0]
        prefix, _, target = first.partition("$schema=")
        assert prefix == "# yaml-language-server: "
        schema = (starter / name).parent / target
        assert json.loads(schema.read_text())["$schema"]


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".reconciler/state.json", False),
        (".reconciler/state.json.journal", False),
        (".reconciler/state.json.backup", True),
        (".reconciler/state.json.lock", True),
        (".reconciler/emulator/state.json", True),
        (".reconciler/production/state.json", False),
        (".reconciler/production/state.json.journal", False),
        (".reconciler/production/state.json.backup", True),
        (".reconciler/emulator/production/state.json", True),
        (".reconciler/schemas/manifest.json", True),
        ("plan.json", True),
        ("experiments/x/creative-test.yaml", False),
    ],
)
def test_state_is_kept_in_git_and_the_rest_is_not(starter: Path, path: str, ignored: bool) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=starter, check=True)
    asked = subprocess.run(["git", "check-ignore", "-q", path], cwd=starter, check=False)
    assert asked.returncode == (0 if ignored else 1)


def test_workflow_can_keep_the_state_and_names_no_secret_that_the_project_lacks(starter: Path) -> None:
    text = (starter / ".github/workflows/reconciler.yaml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["apply"]["permissions"] == {"contents": "write"}
    project = (starter / "reconciler.yaml").read_text()
    assert "env" not in workflow, "only the steps that talk to the platforms see the secrets"
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    named = {name for step in steps for name in step.get("env", {})} - {"RECONCILER", "GITHUB_TOKEN"}
    assert named and all(f"${{{variable}}}" in project for variable in named)
    assert not any("secrets." in str(step) for step in steps if "pip install" in str(step.get("run")))
    assert all("$" in step["run"] for step in steps if "pip install" in str(step.get("run"))), "a pinned source"


def test_lines_of_an_existing_gitignore_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("node_modules/\nplan.json")
    assert main(["init", str(tmp_path)]) == 0
    lines = (tmp_path / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["node_modules/", "plan.json"]
    assert lines.count("plan.json") == 1
    assert ".reconciler/*" in lines


def test_folder_with_a_space_is_quoted_in_the_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my tests"]) == 0
    assert "reconciler -C 'my tests' validate" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reconciler.yaml").write_text("mine\n")
    assert main(["init", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["reconciler.yaml"]
    assert (tmp_path / "reconciler.yaml").read_text() == "mine\n"


def test_file_in_the_place_of_the_folder_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["init", str(tmp_path / "taken")]) == 1
    assert "cannot be written" in capsys.readouterr().err
