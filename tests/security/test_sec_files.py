"""Files that the tool writes: who may read them, and that no link that stands in a checkout leads it elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from kinds import LINKEDIN
from laboratory import Lab


@pytest.fixture
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_permissions(lab: Lab, usual_umask: object) -> None:
    """State and plans hold no secret and are as readable as the checkout; nobody else may write."""
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.plan("--out", "plan.json")
    lab.apply("plan.json")
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "name": "other"})
    lab.apply()
    files = [path for path in lab.dir.rglob("*") if path.is_file()]
    assert {"state.json", "state.json.backup", "plan.json"} <= {path.name for path in files}
    for path in files:
        assert not mode(path) & 0o133, path


def test_a_narrower_umask_is_kept(lab: Lab) -> None:
    before = os.umask(0o077)
    try:
        lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
        lab.plan("--out", "plan.json")
        lab.apply("plan.json")
    finally:
        os.umask(before)
    for path in (lab.state_file, lab.dir / "plan.json"):
        assert not mode(path) & 0o077, path


def test_nothing_is_left_behind(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.plan("--out", "plan.json")
    lab.apply("plan.json")
    left = [path.name for path in lab.dir.rglob("*") if path.suffix in (".tmp", ".new") or "lock.json" in path.name]
    assert left == []


NAMES = [
    "state.json",
    "state.json.backup",
    "state.json.journal",
    "state.json.lock",
    "state.json.lock.json",
    ".state.json.new",
    ".state.json.backup.new",
]


@pytest.mark.parametrize("name", NAMES)
def test_links_in_the_folder_of_the_state(lab: Lab, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """A checkout may hold them, as files of a pull request: what they point to stays as it is."""
    precious = tmp_path_factory.mktemp("home") / "authorized_keys"
    precious.write_text("mine\n")
    lab.state_file.parent.mkdir(exist_ok=True)
    (lab.state_file.parent / name).symlink_to(precious)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    ran = lab.run("apply", "--auto-approve")
    assert "Traceback" not in ran.err
    assert precious.read_text() == "mine\n"
    lab.run("state", "unlock")
    assert precious.read_text() == "mine\n"


def test_a_folder_of_the_state_that_leads_elsewhere(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("home")
    lab.state_file.parent.symlink_to(outside)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    assert "symbolic link" in lab.run("apply", "--auto-approve").must(1).err
    assert list(outside.iterdir()) == []


def test_links_in_the_folder_of_the_emulator(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    precious = tmp_path_factory.mktemp("home") / "authorized_keys"
    precious.write_text("mine\n")
    folder = lab.state_file.parent / "emulator"
    folder.mkdir(parents=True)
    (folder / "world.tmp").symlink_to(precious)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.run("apply", "--emulator", "--auto-approve").must(0)
    assert precious.read_text() == "mine\n"
    assert (folder / "world.json").is_file()


def test_links_where_manifests_are_written(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import never writes over anything, a link that leads nowhere included; fmt leaves links that lead out alone."""
    outside = tmp_path_factory.mktemp("home")
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.apply()
    remote_id = lab.remote_id(f"{LINKEDIN.kind}/a")
    lab.run("state", "rm", f"{LINKEDIN.kind}/a").must(0)
    lab.unwrite(LINKEDIN.kind)
    folder = lab.dir / "experiments" / "linkedin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "headline.yaml").symlink_to(outside / "made.yaml")
    lab.run("import", LINKEDIN.kind, remote_id, "--name", "headline")
    assert list(outside.iterdir()) == []
    (folder / "headline.yaml").unlink()
    (lab.dir / "experiments" / "away").symlink_to(outside)
    ran = lab.run("import", LINKEDIN.kind, remote_id, "--name", "headline", "--out", "experiments/away")
    assert ran.code == 1 and list(outside.iterdir()) == []


def test_init_does_not_write_through_links(tmp_path: Path, lab: Lab) -> None:
    outside = lab.dir.parent / "outside.yaml"
    fresh = lab.dir / "fresh"
    fresh.mkdir()
    (fresh / "reconciler.yaml").symlink_to(outside)
    lab.run("init", "fresh").must(1)
    assert not outside.exists()
