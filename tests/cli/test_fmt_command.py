"""`reconciler fmt`: what it writes, what it prints, and how it exits."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import main

PROJECT = 'version: 1\nmanifests: ["experiments/**/*.yaml"]\n'
UNTIDY = "# why\nkind:   LinkedInExperiment\napiVersion: reconciler/v1\nspec:\n    name: 'N' # label\n    account: 1\n"
TIDY = '# why\napiVersion: reconciler/v1\nkind: LinkedInExperiment\nspec:\n  account: 1\n  name: "N"  # label\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "experiments" / "more").mkdir(parents=True)
    return tmp_path


def write(project: Path, name: str, text: str) -> Path:
    path = project / "experiments" / name
    path.write_text(text)
    return path


def test_files_of_the_project_are_formatted_and_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untidy, tidy = write(project, "more/a.yaml", UNTIDY), write(project, "b.yaml", TIDY)
    stamp = tidy.stat().st_mtime_ns, tidy.stat().st_ino
    assert main(["fmt"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "experiments/more/a.yaml\n"
    assert shown.err == "1 file formatted, 1 left as they are\n"
    assert untidy.read_text() == TIDY
    assert (tidy.stat().st_mtime_ns, tidy.stat().st_ino) == stamp
    assert (project / "reconciler.yaml").read_text() == PROJECT
    assert main(["fmt", "--check"]) == 0


def test_check_names_files_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untidy = write(project, "a.yaml", UNTIDY)
    assert main(["fmt", "--check"]) == 2
    assert capsys.readouterr().out == "experiments/a.yaml\n"
    assert untidy.read_text() == UNTIDY


def test_diff_shows_what_would_change(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untidy = write(project, "a.yaml", "a:   1\r\nb: 2")
    assert main(["fmt", "--diff"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[:3] == ["--- experiments/a.yaml", "+++ experiments/a.yaml", "@@ -1,2 +1,2 @@"]
    assert "-b: 2\n\\ No newline at end of file\n" in shown.out and "+a: 1\n" in shown.out
    assert untidy.read_bytes() == b"a:   1\r\nb: 2"
    assert main(["fmt", "--check", "--diff"]) == 2


def test_a_file_with_a_mistake_is_left_and_the_others_are_formatted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, untidy = write(project, "a.yaml", "a:   1\na: 2\n"), write(project, "b.yaml", UNTIDY)
    assert main(["fmt"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "experiments/b.yaml\n"
    assert 'experiments/a.yaml:2:1: error: the key "a" stands twice' in shown.err
    assert "1 file formatted, 0 left as they are, 1 with errors" in shown.err
    assert bad.read_text() == "a:   1\na: 2\n" and untidy.read_text() == TIDY
    write(project, "b.yaml", UNTIDY)
    assert main(["fmt", "--check"]) == 1


def test_paths_are_files_or_folders_and_need_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(UNTIDY)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "two.yml").write_text(UNTIDY)
    assert main(["fmt", "one.yaml", "folder"]) == 0
    assert capsys.readouterr().out == "folder/two.yml\none.yaml\n"
    assert main(["fmt", "nowhere.yaml"]) == 1
    assert "nowhere.yaml: error: no such file or folder" in capsys.readouterr().err
    assert main(["fmt"]) == 1
    assert "there is no reconciler.yaml" in capsys.readouterr().err


def test_formatting_asks_only_for_the_globs_of_the_project_file(project: Path) -> None:
    (project / "reconciler.yaml").write_text(PROJECT + "connections: {x: {platform: nowhere}}\n")
    untidy = write(project, "a.yaml", UNTIDY)
    assert main(["fmt"]) == 0
    assert untidy.read_text() == TIDY


def test_a_project_file_that_cannot_be_read_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "reconciler.yaml").write_text("version: 1\nmanifests: 7\n")
    assert main(["fmt"]) == 1
    assert "reconciler.yaml:2:12" in capsys.readouterr().err


def test_a_link_out_of_the_project_is_not_followed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.yaml"
    outside.write_text(UNTIDY)
    (project / "experiments" / "a.yaml").symlink_to(outside)
    assert main(["fmt"]) == 1
    assert main(["fmt", "experiments/a.yaml"]) == 1
    assert outside.read_text() == UNTIDY


class Stdin:
    """Standard input that holds bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("arguments", "text", "code", "printed"),
    [
        ([], UNTIDY, 0, TIDY),
        ([], TIDY, 0, TIDY),
        (["--check"], UNTIDY, 2, "<stdin>\n"),
        (["--check"], TIDY, 0, ""),
        ([], "a: [\n", 1, ""),
    ],
)
def test_standard_input(
    arguments: list[str],
    text: str,
    code: int,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(text.encode()))
    assert main(["fmt", *arguments, "-"]) == code
    assert capsys.readouterr().out == printed


def test_standard_input_stands_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-", "experiments"]) == 1
    assert "does not go together" in capsys.readouterr().err
