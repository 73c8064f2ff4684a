"""`--format github` of validate, plan and drift: the runner's commands, with paths from the repository's root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.cli.ci import project_folder
from reconciler.cli.main import main

COMMAND = re.compile(r"^::(error|warning|notice) ", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Give a starter project in a folder of a repository, the working directory of the test."""
    folder = tmp_path / "teams" / "growth"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert main(["init"]) == 0
    capsys.readouterr()
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Change a text that stands once in a file."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def outside(text: str) -> str:
    """Give what stands outside of stop-commands, where the runner listens."""
    matched = re.fullmatch(r"::stop-commands::([0-9a-f]{32})\n(.*)^::\1::\n(.*)", text, re.DOTALL | re.MULTILINE)
    assert matched, text
    return matched[3]


@pytest.mark.parametrize("command", [["validate"], ["plan", "--emulator"], ["drift", "--emulator"]])
def test_a_wrong_manifest_is_marked_by_every_command(
    project: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    edit(project / "experiments/linkedin/headline-test.yaml", "confidence: 90", "confidence: 900")
    assert main([*command, "--format", "github"]) == 1
    shown = capsys.readouterr()
    heard = outside(shown.out)
    assert heard.startswith("::error file=teams/growth/experiments/linkedin/headline-test.yaml,line=11,col=15,")
    assert "LIN005" in heard
    assert not COMMAND.search(shown.err)


def test_valid_plan_marks_nothing_and_is_shown_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--emulator", "--format", "github"]) == 0
    shown = capsys.readouterr()
    assert outside(shown.out) == ""
    assert "3 to create" in shown.out
    assert main(["validate", "--format", "github"]) == 0
    assert "3 experiments in 3 manifests: valid" in capsys.readouterr().out


def test_drift_is_marked_at_the_line_of_the_field(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--emulator", "--auto-approve"]) == 0
    assert main(["emulator", "edit", "x-ads", "hr7l0", "name=a\n::error::faked, ##[error]b"]) == 0
    capsys.readouterr()
    assert main(["drift", "--emulator", "--format", "github"]) == 2
    (line,) = outside(capsys.readouterr().out).splitlines()
    assert line.startswith("::warning file=teams/growth/experiments/x/creative-test.yaml,line=9,col=")


def test_folder_within_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert project_folder({}, inner) == ""
    assert project_folder({"CI_PROJECT_DIR": str(tmp_path)}, inner) == "a/b"
    assert project_folder({"GITHUB_WORKSPACE": str(inner)}, inner) == ""
    (tmp_path / "a" / ".git").mkdir()
    assert project_folder({"GITHUB_WORKSPACE": "/elsewhere"}, inner) == "b"
