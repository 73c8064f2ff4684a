"""`explain` and `completion` from the command line, and what the shell is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS, main

PROJECT = """\
version: 1
connections:
  linkedin: {platform: linkedin, auth: {access_token: "${TOKEN}"}}
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata: {name: headline-test}
spec: {}
---
kind: XAdsABTest
metadata: {name: creative-test}
"""


def test_a_field_is_explained_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "XAdsABTest.user_groups.size"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("XAdsABTest.user_groups[].size  decimal, required\n")
    for words in ("1.00 to 99.00", "SCHEDULED", "XAD001", "onImmutableChange: replace"):
        assert words in shown


def test_kinds_are_listed_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("LinkedInExperiment", "XAdsABTest", "SalesforceExperiment", "lifecycle"))


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "LinkedInExperiment.keyMetric", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["topic"], told["kind"], told["path"], told["required"]) == (
        "field",
        "LinkedInExperiment",
        "keyMetric",
        True,
    )
    assert {cell["status"]: cell["verdict"] for cell in told["change"]} == {
        "PENDING": "in place",
        "RUNNING": "replace",
        "ON_HOLD": "replace",
        "STOPPED": "replace",
        "ENDED": "replace",
    }


def test_an_unknown_word_exits_1_and_names_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "LinkedInExperiment.cells.trafficWieght"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "did you mean LinkedInExperiment.cells[].trafficWeight?" in told.err


def test_the_reference_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--out", str(tmp_path / "a" / "b")]) == 0
    assert (tmp_path / "a" / "b" / "README.md").exists()
    assert "wrote" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["explain", "--out", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["explain", "LIN007", "--out", str(tmp_path)]) == 1


# --- completion ----------------------------------------------------------------------------------------------------


def completed(folder: Path, *words: str) -> list[str]:
    """Give what bash would be offered for the last word; fails when anything is written to stderr."""
    environ = {
        **os.environ,
        "_RECONCILER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("reconciler", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"], env=environ, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return [line.split(",", 1)[1] for line in done.stdout.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two manifests and a state with another experiment."""
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "both.yaml").write_text(MANIFEST)
    (tmp_path / ".reconciler").mkdir()
    (tmp_path / ".reconciler" / "state.json").write_text(json.dumps({"experiments": {"XAdsABTest/managed": {}}}))
    return tmp_path


def test_commands_complete(tmp_path: Path) -> None:
    assert completed(tmp_path, "") == list(COMMANDS)
    assert completed(tmp_path, "ex") == ["explain"]


def test_keys_complete_for_target(folder: Path) -> None:
    every = ["LinkedInExperiment/headline-test", "XAdsABTest/creative-test", "XAdsABTest/managed"]
    assert completed(folder, "plan", "--target", "") == every
    assert completed(folder, "apply", "--target", "XAdsABTest/c") == ["XAdsABTest/creative-test"]


def test_managed_keys_complete_for_state(folder: Path) -> None:
    assert completed(folder, "state", "rm", "") == ["XAdsABTest/managed"]
    assert completed(folder.parent, "-C", str(folder), "state", "mv", "X") == ["XAdsABTest/managed"]


def test_topics_complete(tmp_path: Path) -> None:
    assert completed(tmp_path, "explain", "")[:3] == ["LinkedInExperiment", "XAdsABTest", "SalesforceExperiment"]
    assert completed(tmp_path, "explain", "XAdsABTest.user_groups.s") == ["XAdsABTest.user_groups.size"]
    assert "LIN007" in completed(tmp_path, "explain", "LIN00")


@pytest.mark.parametrize("broken", ["reconciler.yaml", ".reconciler/state.json", "experiments/both.yaml"])
def test_a_broken_project_never_shows_at_the_prompt(folder: Path, broken: str) -> None:
    (folder / broken).write_bytes(b"{[\xff\x00")
    completed(folder, "plan", "--target", "")
    completed(folder, "state", "show", "")
    completed(folder, "no-such-command", "x")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_RECONCILER_COMPLETE={shell}_complete" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_takes_the_script(folder: Path) -> None:
    """The printed script, loaded by a real bash, fills in a key."""
    driver = f"""
        reconciler() {{ {sys.executable} -m reconciler "$@"; }}
        export -f reconciler
        PATH={folder}/bin:$PATH
        eval "$({sys.executable} -m reconciler completion bash)" || exit 1
        COMP_WORDS=(reconciler state rm XAds); COMP_CWORD=3
        _reconciler_completion reconciler XAds rm
        echo "${{COMPREPLY[@]}}"
    """
    (folder / "bin").mkdir()
    tool = folder / "bin" / "reconciler"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
    tool.chmod(0o755)
    done = subprocess.run(["bash", "-c", driver], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("XAdsABTest/managed", "")


def test_bad_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 1
    assert "bash" in capsys.readouterr().err
