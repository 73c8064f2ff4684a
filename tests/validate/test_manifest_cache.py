"""What is kept from run to run never changes what comes out: with the cache and without it, everything is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.resource import Desired
from reconciler.platforms.registry import KINDS
from reconciler.project import load_project
from reconciler.report.style import Style
from reconciler.report.text import diagnostics_text
from reconciler.validate import manifest_cache
from reconciler.validate.manifest_cache import ManifestCache
from reconciler.validate.prepared import KEPT
from reconciler.validate.validated import Validated, validate

PROJECT = """\
version: 1
manifests: ["experiments/**/*.yaml"]
variables: {weeks_long: 4, team: growth}
connections:
  linkedin: {platform: linkedin, auth: {access_token: "${T}"}}
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata:
  name: NAME
  labels: {team: TEAM}
lifecycle: {preventDestroy: true, ignoreChanges: [description]}
spec:
  account: urn:li:sponsoredAccount:512345
  name: TITLE
  keyMetric: CPC
  confidence: 90
  scheduledStartAt: 2027-03-01T09:00:00Z
  scheduledEndAt: 2027-03-29T09:00:00Z
  autoStop: AUTO_STOP_DISABLED
  cells:
    - {name: a, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:C1"}}
    - {name: b, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:C2"}}
"""


def manifest(name: str, campaign: int = 1, title: str = "Headline", team: str = "growth") -> str:
    text = MANIFEST.replace("NAME", name).replace("TITLE", title).replace("TEAM", team)
    return text.replace("C1", str(campaign)).replace("C2", str(campaign + 1))


def write(folder: Path, files: dict[str, str], project: str = PROJECT) -> None:
    (folder / "experiments").mkdir(parents=True, exist_ok=True)
    (folder / "reconciler.yaml").write_text(project)
    for old in (folder / "experiments").iterdir():
        old.unlink()
    for name, text in files.items():
        (folder / "experiments" / name).write_text(text)


def outcome(found: Validated) -> object:
    """Everything that anybody can see of it, places of values included."""
    places = {
        key: [str(item.locate(path)) for path in ((), ("name",), ("cells", 1, "reference", "campaign"), ("absent",))]
        for key, item in found.desired.items()
    }
    return (list(found.desired.items()), found.diagnostics, found.documents, found.expanded(), places)


def both(folder: Path, cache: ManifestCache, environment: str | None = None) -> Validated:
    """Validate with and without the cache, and hold one against the other."""
    project = load_project(folder, environment)
    plain = validate(project, KINDS)
    kept = validate(project, KINDS, (), cache)
    assert outcome(kept) == outcome(plain)
    return kept


GOOD = st.builds(
    manifest,
    st.sampled_from(["one", "two", "three"]),
    st.integers(1, 4),
    st.sampled_from(["Headline", '"{{ name | upper }}"', '"{{ team }}"']),
)
TEXTS = st.one_of(
    GOOD,
    GOOD.map(lambda text: text + "---\n" + manifest("second", 90)),
    GOOD.map(lambda text: text.replace("confidence: 90", "confidence: 9")),
    GOOD.map(lambda text: text.replace("LinkedInExperiment\n", "LinkedInExperiment\nforEach: {x: 1, y: 2}\n")),
    st.sampled_from(["", "# nothing\n", "a: [", "just text\n", "\ufeff" + manifest("bom", 50)]),
)
TREES = st.dictionaries(st.sampled_from(["a.yaml", "b.yaml", "c.yaml"]), TEXTS, min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(trees=st.lists(TREES, min_size=2, max_size=4))
def test_any_course_of_edits_comes_out_the_same(tmp_path_factory: pytest.TempPathFactory, trees: list[object]) -> None:
    folder = tmp_path_factory.mktemp("course")
    cache = ManifestCache(folder / "cache.txt")
    for tree in trees:
        assert isinstance(tree, dict)
        write(folder, tree)
        both(folder, cache)


def test_a_file_that_did_not_change_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.yaml": manifest("a"), "b.yaml": manifest("b", 10)})
    cache = ManifestCache(tmp_path / "cache.txt")
    project = load_project(tmp_path)
    first = validate(project, KINDS, (), cache)
    parsed: list[str] = []
    module = sys.modules["reconciler.manifests.load"]
    read = module.load_text
    monkeypatch.setattr(
        module, "load_text", lambda text, name, **how: (parsed.append(name), read(text, name, **how))[1]
    )
    again = validate(project, KINDS, (), cache)
    assert parsed == [] and again.desired == first.desired
    (tmp_path / "experiments" / "b.yaml").write_text(manifest("b", 10, "Another"))
    changed = validate(project, KINDS, (), cache)
    assert parsed == ["experiments/b.yaml"]
    assert [item.spec["name"] for item in changed.desired.values()] == ["Headline", "Another"]


@pytest.mark.parametrize(
    "project",
    [
        PROJECT.replace("growth", "brand"),
        PROJECT.replace("linkedin: {", "li: {"),
        PROJECT + "defaults: {LinkedInExperiment: {spec: {description: from the project}}}\n",
        PROJECT.replace("version: 1", "version: 1 # another text"),
    ],
    ids=["variable", "connection", "defaults", "comment"],
)
def test_another_project_file_is_another_entry(tmp_path: Path, project: str) -> None:
    files = {"a.yaml": manifest("a", title='"{{ team }}"')}
    cache = ManifestCache(tmp_path / "cache.txt")
    write(tmp_path, files)
    both(tmp_path, cache)
    before = cache.read()
    write(tmp_path, files, project)
    both(tmp_path, cache)
    assert before.keys().isdisjoint(cache.read().keys())


def test_a_conflict_with_a_kept_file_is_told_at_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": manifest("a"), "b.yaml": manifest("b", 10)})
    cache = ManifestCache(tmp_path / "cache.txt")
    assert not both(tmp_path, cache).diagnostics
    write(tmp_path, {"a.yaml": manifest("a"), "b.yaml": manifest("b", 1), "c.yaml": manifest("a", 30)})
    found = both(tmp_path, cache)
    assert {str(item.location) for item in found.errors} >= {"experiments/c.yaml:4:9"}
    assert {item.location.file for item in found.errors if item.location} == {
        "experiments/b.yaml",
        "experiments/c.yaml",
    }


def test_what_cannot_be_trusted_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": manifest("a")})
    cache = ManifestCache(tmp_path / "cache.txt")
    both(tmp_path, cache)
    good = cache.path.read_bytes()
    for bad in (
        good.replace(b"reconciler manifests 1", b"reconciler manifests 0"),
        good[:-40],
        good.replace(b"[1,[[", b"[1,[", 1),
        good.replace(b'"LinkedInExperiment"', b"17"),
        b"\xff" * 300,
        b"",
    ):
        cache.path.write_bytes(bad)
        both(tmp_path, cache)
    cache.path.write_bytes(good.replace(b"Headline", b"Tampered"))
    cache.path.chmod(0o666)
    assert cache.read() == {}
    both(tmp_path, cache)
    assert cache.path.stat().st_mode & 0o777 == 0o600 and cache.read()


def test_a_folder_that_cannot_be_written_to_costs_time_alone(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": manifest("a")})
    (tmp_path / "no-folder").write_text("")
    both(tmp_path, ManifestCache(tmp_path / "no-folder" / "cache.txt"))


def test_every_module_of_the_program_counts() -> None:
    top = Path(manifest_cache.__file__).parent.parent
    assert [name for name, _, _ in manifest_cache._program()] == sorted(
        path.relative_to(top).as_posix() for path in top.rglob("*.py")
    )


def test_all_of_a_desired_is_kept() -> None:
    assert KEPT | {"locate"} == {item.name for item in fields(Desired)}


def test_many_files_are_read_by_several_processes_to_the_same_end(tmp_path: Path) -> None:
    files = {f"test-{number:04d}.yaml": manifest(f"test-{number}", number * 2 + 2) for number in range(620)}
    files["test-0500.yaml"] = files["test-0500.yaml"].replace("confidence: 90", "confidence: 9")
    files["test-0610.yaml"] = files["test-0610.yaml"].replace("test-610", "test-3")
    write(tmp_path, files)
    expected = diagnostics_text(validate(load_project(tmp_path), KINDS).diagnostics, Style())
    assert "2 errors in 2 files" in expected
    # In a process of its own: this one has threads by now, and would not be copied.
    command = [sys.executable, "-m", "reconciler", "validate"]
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}
    for _ in range(2):
        ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (1, expected)
    kept = list((tmp_path / "cache" / "reconciler" / "manifests").iterdir())
    assert len(kept) == 1 and len(kept[0].read_bytes().splitlines()) == 1 + 619
