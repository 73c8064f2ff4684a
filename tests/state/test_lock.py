"""The lock: who is let in, what the other is told, and what is left when the owner was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import Locked, StateProblem
from reconciler.model.resource import Key
from reconciler.state.file_store import FileStore
from reconciler.state.owner import Owner, age, ci_run, owner_of
from reconciler.state.store import Remove, State

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
CI = {
    "USER": "ann",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/experiments",
    "GITHUB_RUN_ID": "42",
}
HOLDER = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from reconciler.state.file_store import FileStore
from reconciler.state.owner import owner_of
with FileStore(Path(sys.argv[1])).lock(owner_of({"USER": "bob"}, command="apply", now=datetime.now(UTC))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".reconciler" / "state.json"


def owner(command: str = "apply") -> Owner:
    return owner_of(CI, command=command, now=NOW - timedelta(minutes=4, seconds=30))


def holder(path: Path) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "held\n"
    return run


def test_a_second_one_is_kept_out_and_told_who_is_in(path: Path) -> None:
    with FileStore(path).lock(owner()):
        second = FileStore(path, now=lambda: NOW)
        with pytest.raises(Locked) as caught, second.lock(owner()):
            pass
        for part in (
            "ann on ",
            f"pid {os.getpid()}",
            "CI run https://github.com/acme/experiments/actions/runs/42",
            'running "apply"',
            "for 4 minutes",
            "since 2026-03-04T11:55:30Z",
            "--lock-timeout",
            "state unlock",
        ):
            assert part in str(caught.value)
        with pytest.raises(Locked):
            second.unlock()
        assert second.read() == State("", 0, {})  # reading needs no lock
    with second.lock(owner(), 0.0):
        pass


def test_nobody_else_writes_while_it_is_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.state.file_store._BRIEF_LOCK_S", 0.1)
    first, second = FileStore(path), FileStore(path)
    with first.lock(owner()):
        with pytest.raises(Locked):
            second.save(State("", 0, {}), expected_serial=0)
        with pytest.raises(Locked):
            second.journal(Remove(Key("A", "b")))
        assert first.save(State("", 0, {}), expected_serial=0).serial == 1
    assert second.save(second.read(), expected_serial=1).serial == 2


def test_it_is_given_back_after_an_error(path: Path) -> None:
    store = FileStore(path)
    with pytest.raises(ZeroDivisionError), store.lock(owner()):
        _ = 1 / 0
    with FileStore(path).lock(owner()):
        pass
    assert not path.with_name("state.json.lock.json").exists()


def test_waiting_for_a_living_owner(path: Path) -> None:
    run = holder(path)
    try:
        with pytest.raises(Locked, match=rf"bob on .*pid {run.pid}"), FileStore(path).lock(owner(), 0.0):
            pass
        assert run.stdin is not None
        run.stdin.close()
        with FileStore(path).lock(owner(), 20.0):
            assert json.loads(path.with_name("state.json.lock.json").read_text())["user"] == "ann"
    finally:
        run.kill()
        run.wait()


def test_a_killed_owner_holds_nothing(path: Path) -> None:
    run = holder(path)
    run.send_signal(signal.SIGKILL)
    run.wait()
    note = path.with_name("state.json.lock.json")
    assert json.loads(note.read_text())["pid"] == run.pid
    with FileStore(path).lock(owner(), 0.0):
        assert json.loads(note.read_text())["pid"] == os.getpid()
    assert not note.exists()


def test_unlock_clears_what_a_killed_owner_left(path: Path) -> None:
    store = FileStore(path)
    assert store.unlock() is None
    run = holder(path)
    with pytest.raises(Locked, match="bob"):
        store.unlock()
    run.send_signal(signal.SIGKILL)
    run.wait()
    said = store.unlock()
    assert said is not None
    assert f"pid {run.pid}" in said
    assert not path.with_name("state.json.lock.json").exists()
    assert store.unlock() is None
    path.with_name("state.json.lock.json").write_text("{nonsense")
    assert store.unlock() == "a leftover is removed"


def test_the_note_of_a_dead_owner_is_not_held_against_a_new_one(path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = FileStore(path)
    with store.lock(owner()):
        note = path.with_name("state.json.lock.json")
        note.write_text(json.dumps(replace(owner(), pid=dead.pid, user="ghost").to_json()))
        with pytest.raises(Locked, match="has not said who it is") as caught, FileStore(path).lock(owner()):
            pass
        assert "ghost" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"pid": 0}', '{"pid": true, "startedAt": "2026-01-01T00:00Z"}', '{"pid": 5, "user": 7}'],
)
def test_notes_that_are_not_one(path: Path, text: str) -> None:
    with FileStore(path).lock(owner()):
        path.with_name("state.json.lock.json").write_text(text)
        with pytest.raises(Locked, match="has not said who it is"), FileStore(path).lock(owner()):
            pass


def test_control_characters_of_a_note_are_not_shown() -> None:
    text = replace(owner("\x1b[31mapply\n"), user="a\x07").described(NOW)
    assert text.isprintable()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    store = FileStore(tmp_path / "plain" / "state.json")
    with pytest.raises(StateProblem, match="cannot be made"), store.lock(owner()):
        pass


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ""),
        (CI, "https://github.com/acme/experiments/actions/runs/42"),
        ({"GITHUB_RUN_ID": "42"}, ""),
        ({"CI_JOB_URL": "https://gitlab.example/j/1"}, "https://gitlab.example/j/1"),
        ({"BUILD_URL": "https://jenkins.example/1"}, "https://jenkins.example/1"),
        ({"CIRCLE_BUILD_URL": "https://c/1", "BUILD_URL": "x"}, "https://c/1"),
        (
            {"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://a/", "SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "7"},
            "https://a/p/_build/results?buildId=7",
        ),
    ],
)
def test_ci_runs(environ: dict[str, str], expected: str) -> None:
    assert ci_run(environ) == expected


def test_owners_survive_the_round_trip_and_know_whether_they_live() -> None:
    me = owner()
    assert Owner.from_json(json.loads(json.dumps(me.to_json()))) == me
    assert not me.is_dead()
    assert not replace(me, host="elsewhere", pid=2**22 - 1).is_dead()
    assert replace(me, pid=2**31 - 2).is_dead()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "a moment"),
        (0.4, "a moment"),
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "1 minute"),
        (7300, "2 hours"),
        (90_000, "1 day"),
    ],
)
def test_ages(seconds: float, words: str) -> None:
    assert age(seconds) == words
