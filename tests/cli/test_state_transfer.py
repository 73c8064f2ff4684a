"""`state pull`, `push`, `migrate` and `unlock --force`, between files, refs and folders."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backend_places import bare_with_clones, git

from reconciler.cli.main import main
from reconciler.model.resource import Key, Record
from reconciler.state.file_store import FileStore
from reconciler.state.owner import owner_of
from reconciler.state.store import State

KEY = Key("XAdsABTest", "button")
OWNER = owner_of({"USER": "ada"}, command="reconciler apply", now=datetime.now(UTC))


def record(remote_id: str) -> Record:
    return Record(KEY, "x-ads", "x", remote_id, {"name": "Größe \u009b31m"})


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _, clones = bare_with_clones(tmp_path, 1)
    monkeypatch.chdir(clones[0])
    return clones[0]


def project(clone: Path, text: str = "") -> None:
    (clone / "reconciler.yaml").write_text(f"version: 1\n{text}")


def file_store(clone: Path, path: str = ".reconciler/state.json") -> FileStore:
    return FileStore(clone / path)


def put(clone: Path, remote_id: str = "one", path: str = ".reconciler/state.json") -> State:
    store = file_store(clone, path)
    state = store.read()
    return store.save(State(state.lineage, state.serial, {KEY: record(remote_id)}), expected_serial=state.serial)


def test_pull_prints_the_state_or_writes_a_new_file(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone)
    assert main(["state", "pull"]) == 1
    assert "no state yet" in capsys.readouterr().err
    state = put(clone)
    assert main(["state", "pull"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["serial"], told["lineage"]) == (1, state.lineage)
    assert told["experiments"][str(KEY)]["remoteId"] == "one"
    assert main(["state", "pull", "copy.json"]) == 0
    assert FileStore(clone / "copy.json").read() == state
    assert main(["state", "pull", "copy.json"]) == 1
    assert "is not written over" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["file", "git"])
def test_push_checks_lineage_and_age_and_keeps_what_was_there(
    clone: Path, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project(clone, f"state: {{backend: {backend}}}\n")
    put(clone, "one", "elsewhere/mine.json")
    assert main(["state", "push", "elsewhere/mine.json"]) == 0  # nothing was there: taken as it is
    assert main(["state", "pull", "one.json"]) == 0
    assert FileStore(clone / "one.json").read().serial == 1
    edited = FileStore(clone / "one.json").read()
    (clone / "two.json").write_text((clone / "one.json").read_text().replace('"one"', '"two"'))
    assert main(["state", "push", "two.json"]) == 0
    assert main(["state", "show", str(KEY)]) == 0
    assert '"remoteId": "two"' in capsys.readouterr().out
    (kept,) = (clone / ".reconciler" / "replaced").iterdir()
    assert FileStore(kept).read() == edited
    assert main(["state", "push", "one.json"]) == 1  # somebody pushed since
    assert "the file is older: it is of serial 1, and the state is at 2" in capsys.readouterr().err
    put(clone, "foreign", "elsewhere/theirs.json")
    assert main(["state", "push", "elsewhere/theirs.json"]) == 1
    assert "the state of another project" in capsys.readouterr().err
    assert main(["state", "push", "--force", "one.json"]) == 0
    assert main(["state", "pull"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["serial"], told["experiments"][str(KEY)]["remoteId"]) == (3, "one")
    assert main(["state", "push", "--force", "elsewhere/theirs.json"]) == 0
    assert main(["state", "pull"]) == 0
    assert json.loads(capsys.readouterr().out)["experiments"][str(KEY)]["remoteId"] == "foreign"
    assert len(list((clone / ".reconciler" / "replaced").iterdir())) == 3


def test_push_takes_what_pull_printed_and_refuses_what_is_no_state(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project(clone)
    state = put(clone)
    assert main(["state", "pull"]) == 0
    text = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["state", "push", "-"]) == 0
    assert file_store(clone).read().experiments == state.experiments
    (clone / "bad.json").write_text('{"formatVersion": "9"}')
    assert main(["state", "push", "bad.json"]) == 1
    assert "formatVersion '9' is not known" in capsys.readouterr().err
    assert main(["state", "push", "missing.json"]) == 1
    assert file_store(clone).read().serial == 2


def test_push_waits_for_nobody(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone)
    put(clone)
    assert main(["state", "pull", "one.json"]) == 0
    with file_store(clone).lock(OWNER):
        assert main(["state", "push", "one.json"]) == 1
        assert main(["state", "migrate", "--to", "git"]) == 1
        assert main(["state", "unlock", "--force"]) == 1  # the kernel knows that the owner lives
    assert capsys.readouterr().err.count("ada on ") == 3


def test_migrating_to_git_and_back(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone)
    assert main(["state", "migrate", "--to", "git"]) == 1
    assert "no state yet to migrate" in capsys.readouterr().err
    state = put(clone)
    assert main(["state", "migrate", "--to", "git"]) == 0
    told = capsys.readouterr()
    assert told.out == "state: {backend: git}\n"
    assert "as state:" in told.err
    assert file_store(clone).read() == state
    project(clone, told.out)
    assert main(["state", "list"]) == 0
    assert "one" in capsys.readouterr().out
    assert main(["doctor"]) in (0, 1)
    assert "1 experiment managed" in capsys.readouterr().out
    assert main(["state", "mv", str(KEY), "XAdsABTest/knob"]) == 0
    assert main(["state", "migrate", "--to", "git"]) == 1
    assert "kept there already" in capsys.readouterr().err
    assert main(["state", "migrate", "--to", "file:.reconciler/state.json"]) == 0  # an older one of the same lineage
    assert capsys.readouterr().out == "state: {backend: file, path: .reconciler/state.json}\n"
    again = file_store(clone).read()
    assert (again.serial, again.lineage) == (2, state.lineage)
    assert set(again.experiments) == {Key("XAdsABTest", "knob")}


def test_migrating_takes_along_what_a_killed_run_left(clone: Path) -> None:
    from reconciler.state.store import Remove

    project(clone)
    put(clone)
    file_store(clone).journal(Remove(KEY, "deleted"))
    assert main(["state", "migrate", "--to", "git:refs/reconciler/team"]) == 0
    shown = json.loads(git(clone.parent / "server.git", "show", "refs/reconciler/team:state.json"))
    assert (shown["serial"], shown["experiments"]) == (1, {})


def test_migrating_does_not_write_over_another_or_a_newer_state(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(clone)
    put(clone)
    theirs = put(clone, "theirs", "elsewhere/state.json")
    assert main(["state", "migrate", "--to", "file:elsewhere/state.json"]) == 1
    assert "another project" in capsys.readouterr().err
    assert FileStore(clone / "elsewhere" / "state.json").read() == theirs
    assert main(["state", "migrate", "--to", "git"]) == 0
    project(clone, "state: {backend: git}\n")
    assert main(["state", "rm", str(KEY)]) == 0
    project(clone)
    assert main(["state", "migrate", "--to", "git"]) == 1
    assert "holds a newer state, serial 2" in capsys.readouterr().err


def test_environments_have_refs_of_their_own(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone, "environments: {staging: {default: true}, production: {}}\n")
    for name in ("staging", "production"):
        put(clone, name, f".reconciler/{name}/state.json")
        assert main(["--env", name, "state", "migrate", "--to", "git"]) == 0
    assert "as environments.production.state" in capsys.readouterr().err
    project(clone, "state: {backend: git}\nenvironments: {staging: {default: true}, production: {}}\n")
    for name in ("staging", "production"):
        assert main(["--env", name, "state", "list"]) == 0
        assert name in capsys.readouterr().out
    refs = git(clone.parent / "server.git", "for-each-ref", "--format=%(refname)", "refs/reconciler").split()
    assert refs == ["refs/reconciler/production", "refs/reconciler/staging"]


@pytest.mark.parametrize("target", ["ftp://x/y", "git:main", "s3://UPPER/x", "s3://bucket/../x", "file:", "s3:x"])
def test_places_that_are_none(clone: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone)
    put(clone)
    assert main(["state", "migrate", "--to", target]) == 1
    assert "error: " in capsys.readouterr().err


def test_unlock_of_a_ref_asks_for_force(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(clone, "state: {backend: git, lock_expires: never}\n")
    put(clone, path="one.json")
    assert main(["state", "push", "one.json"]) == 0
    lock = {"formatVersion": "1.0", "fence": 1, "owner": {**OWNER.to_json(), "host": "runner-7"}, "machine": "m"}
    blob = _object(clone, "hash-object", "-w", "--stdin", text=json.dumps(lock))
    tree = _object(clone, "mktree", text=f"100644 blob {blob}\tlock.json\n")
    commit = _object(clone, "-c", "user.name=a", "-c", "user.email=a", "commit-tree", tree, text="lock")
    git(clone, "push", "-q", "origin", f"{commit}:refs/reconciler/state-lock")
    assert main(["state", "unlock"]) == 1
    assert "ada on runner-7" in capsys.readouterr().err
    assert main(["doctor"]) in (0, 1)
    assert "ada on runner-7" in capsys.readouterr().out
    assert main(["state", "unlock", "--force"]) == 0
    assert "ada on runner-7" in capsys.readouterr().err
    assert main(["doctor"]) in (0, 1)
    assert "free" in capsys.readouterr().out


def _object(clone: Path, *words: str, text: str) -> str:
    done = subprocess.run(["git", *words], cwd=clone, input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()
