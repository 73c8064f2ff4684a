"""Which files are read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.manifests import discover


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in [
        "reconciler.yaml",
        "experiments/a.yaml",
        "experiments/b.yml",
        "experiments/deep/er/c.yaml",
        "experiments/deep/d.txt",
        "experiments/.hidden/e.yaml",
        "experiments/.f.yaml",
        ".reconciler/g.yaml",
        "other/h.yaml",
        "other/h1.yaml",
    ]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a: 1\n")
    return root


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["experiments/**/*.yaml"], ["experiments/a.yaml", "experiments/deep/er/c.yaml"]),
        (["experiments/*.yaml"], ["experiments/a.yaml"]),
        (["experiments/**/er/*"], ["experiments/deep/er/c.yaml"]),
        (["**/*.yml", "other/h?.yaml"], ["experiments/b.yml", "other/h1.yaml"]),
        (["./other/[gh].yaml"], ["other/h.yaml"]),
        (["other/[!x]*.yaml"], ["other/h.yaml", "other/h1.yaml"]),
        (["other/h.yaml", "other/**"], ["other/h.yaml", "other/h1.yaml"]),
        (
            ["**/*.yaml"],
            ["experiments/a.yaml", "experiments/deep/er/c.yaml", "other/h.yaml", "other/h1.yaml"],
        ),
    ],
)
def test_patterns(project: Path, patterns: Sequence[str], names: list[str]) -> None:
    found = discover(project, patterns)
    assert [file.name for file in found.files] == names
    assert found.diagnostics == ()


def test_a_pattern_that_matches_nothing_is_a_warning(project: Path) -> None:
    (problem,) = discover(project, ["nowhere/*.yaml"]).diagnostics
    assert (problem.severity.value, problem.message) == ("warning", 'the pattern "nowhere/*.yaml" matches no file')


@pytest.mark.parametrize("pattern", ["/etc/*.yaml", "../*.yaml", "a/../../*.yaml", "~/x", "C:/x", "a\\b", " "])
def test_a_pattern_cannot_leave_the_project(project: Path, pattern: str) -> None:
    found = discover(project, [pattern])
    assert found.files == () and [p.severity.value for p in found.diagnostics] == ["error"]


def test_paths_are_files_or_folders(project: Path) -> None:
    found = discover(project, [], ["other/h.yaml", "experiments", "experiments/.f.yaml", "./reconciler.yaml"])
    assert [file.name for file in found.files] == [
        "experiments/.f.yaml",
        "experiments/a.yaml",
        "experiments/b.yml",
        "experiments/deep/er/c.yaml",
        "other/h.yaml",
    ]


def test_paths_that_lead_nowhere_are_errors(project: Path) -> None:
    (project / "empty").mkdir()
    found = discover(project, [], ["gone.yaml", "empty", "other/h.yaml"])
    assert [(p.location.file, p.message) for p in found.diagnostics if p.location] == [
        ("gone.yaml", "no such file or folder"),
        ("empty", "the folder holds no .yaml or .yml file"),
    ]
    assert [file.name for file in found.files] == ["other/h.yaml"]


def test_links_inside_the_project_are_followed_once(project: Path) -> None:
    (project / "experiments/link.yaml").symlink_to(project / "other/h.yaml")
    (project / "experiments/loop").symlink_to(project / "experiments")
    found = discover(project, ["experiments/**/*.yaml", "other/*.yaml"])
    assert found.diagnostics == ()
    real = [os.path.realpath(file.path) for file in found.files]
    assert len(real) == len(set(real)) == 4


def test_links_that_leave_the_project_are_refused(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("a: 1")
    (project / "experiments/file.yaml").symlink_to(outside / "secret.yaml")
    (project / "experiments/folder").symlink_to(outside)
    (project / "linked").symlink_to(outside)
    found = discover(project, ["experiments/**/*.yaml", "linked/*.yaml"])
    assert [file.name for file in found.files] == ["experiments/a.yaml", "experiments/deep/er/c.yaml"]
    refused = [p for p in found.diagnostics if "leads out" in p.message]
    assert [p.location.file for p in refused if p.location] == ["experiments/file.yaml", "experiments/folder", "linked"]
    (project / "linked").unlink()
    found = discover(project, [], ["experiments/file.yaml"])
    assert [p.severity.value for p in found.diagnostics] == ["error"] and found.files == ()


def test_what_is_no_file_is_not_opened(project: Path) -> None:
    os.mkfifo(project / "experiments/pipe.yaml")
    (project / "experiments/broken.yaml").symlink_to(project / "nothing.yaml")
    found = discover(project, ["experiments/*.yaml"])
    assert [file.name for file in found.files] == ["experiments/a.yaml"]
    assert len(found.diagnostics) == 2
