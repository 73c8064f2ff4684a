"""The examples are tested: every project validates without a warning, can be planned, and the demo runs to its end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import main

ROOT = Path(__file__).parent.parent
PROJECTS = sorted(path.parent for path in (ROOT / "examples").glob("*/reconciler.yaml"))
FILES = sorted(path for project in PROJECTS for path in project.rglob("*.yaml"))


def test_there_is_an_example_for_every_platform_and_one_for_all() -> None:
    assert {project.name for project in PROJECTS} >= {"growth-team", "linkedin", "x-ads", "salesforce"}
    kinds = {kind for path in FILES for kind in re.findall(r"^kind: (\w+)", path.read_text(), re.MULTILINE)}
    assert kinds == {"LinkedInExperiment", "XAdsABTest", "SalesforceExperiment"}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_project_validates_without_a_warning(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    assert main(["validate"]) == 0
    shown = capsys.readouterr()
    assert shown.out.strip().endswith("valid")
    assert shown.err == ""


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_project_can_be_planned_before_its_dates(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shutil.copytree(project, tmp_path / "project"))
    options = ["--emulator", "--no-preflight", "--as-of", "2027-01-04T00:00:00Z", "--format", "json"]
    assert main(["plan", *options]) == 0
    plan = json.loads(capsys.readouterr().out)
    manifests = sum(len(re.findall(r"^kind:", path.read_text(), re.MULTILINE)) for path in project.rglob("*.yaml"))
    assert plan["summary"]["create"] == manifests == len(plan["changes"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "examples")))
def test_editor_line_points_at_the_right_schema(path: Path) -> None:
    text = path.read_text()
    line = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert line
    schema = (path.parent / line.group(1)).resolve()
    assert schema.parent == ROOT / "schemas"
    kinds = set(re.findall(r"^kind: (\w+)", text, re.MULTILINE))
    expected = {"LinkedInExperiment": "linkedin-experiment", "XAdsABTest": "xads-ab-test"}
    names = {expected.get(kind, "salesforce-experiment") for kind in kinds} or {"project"}
    assert {schema.stem} == names
    assert schema.is_file()


def test_commands_of_the_examples_readme_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    reconciler (.+)$", (ROOT / "examples/README.md").read_text(), re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        with monkeypatch.context() as context:
            context.chdir(tmp_path)
            assert main(command.split()) == 0, capsys.readouterr().err


@pytest.fixture
def on_path(tmp_path: Path) -> Path:
    """Give a command `reconciler` that runs this interpreter."""
    command = tmp_path / "bin" / "reconciler"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    command.chmod(0o755)
    return command


def _demo(command: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "examples/demo.sh")],
        env={**os.environ, "RECONCILER": str(command), "DEMO_DIR": str(folder), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_demo_runs_to_its_end(on_path: Path, tmp_path: Path) -> None:
    done = _demo(on_path, tmp_path / "demo")
    assert done.returncode == 0, done.stdout
    shown = done.stdout
    assert "\x1b" not in shown
    for said in ("exit code 2", "exit code 3", "Drift: 3 experiments of 3", "The end"):
        assert said in shown
    assert "Traceback" not in shown
    last = shown.rindex("$ reconciler drift --emulator")
    assert "No drift" in shown[last:]


def test_demo_stops_at_the_first_unexpected_exit_code(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    done = _demo(broken, tmp_path / "demo")
    assert done.returncode == 1
    assert "exit code 0 was expected, and it was 7" in done.stdout
    assert done.stdout.count("\n$ ") == 1
