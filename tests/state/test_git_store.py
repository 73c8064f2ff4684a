"""The state on a ref: real bare repositories, real clones, and a git that fails where it hurts."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backend_places import CHILD, Backend, bare_with_clones, git

from reconciler.errors import Locked, StateConflict, StateProblem, StateUnreadable
from reconciler.model.resource import Key, Record
from reconciler.state.backends import open_store
from reconciler.state.git_command import reason, without_credentials
from reconciler.state.owner import owner_of
from reconciler.state.place import Place
from reconciler.state.store import Put, State, Store

KEY = Key("XAdsABTest", "button")
REF = "refs/reconciler/state"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OWNER = owner_of({"USER": "ann"}, command="reconciler apply", now=NOW)
GIT = shutil.which("git") or "git"


def record(remote_id: str = "hr7l0", key: Key = KEY) -> Record:
    return Record(key, "x-ads", "x", remote_id, {"name": "Größe"})


@pytest.fixture
def server(tmp_path: Path) -> Path:
    return bare_with_clones(tmp_path)[0]


@pytest.fixture
def clones(server: Path) -> list[Path]:
    return [server.parent / "clone0", server.parent / "clone1"]


def store_in(clone: Path, *, environ: dict[str, str] | None = None, now: datetime | None = None, **more: str) -> Store:
    place = Place("git", clone / "unused", **more)  # type: ignore[arg-type]
    moment = (lambda: now) if now is not None else lambda: datetime.now(UTC)
    return open_store(place, clone, os.environ if environ is None else environ, now=moment)


def saved(store: Store, *records: Record) -> State:
    with store.lock(OWNER):
        before = store.read()
        return store.save(replace(before, experiments={r.key: r for r in records}), expected_serial=before.serial)


def everything(clone: Path) -> dict[str, str]:
    """Give all that a person would notice in a clone: files, index, HEAD, refs, settings, shallow borders."""
    folder = clone / ".git"
    seen = {"status": git(clone, "status", "--porcelain", "--ignored"), "refs": git(clone, "for-each-ref")}
    for name in ("HEAD", "index", "config", "shallow", "FETCH_HEAD", "packed-refs", "ORIG_HEAD"):
        path = folder / name
        seen[name] = path.read_bytes().hex() if path.exists() else "none"
    return seen


# --- the repository ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shallow", [False, True])
def test_the_clone_stays_as_it_is(tmp_path: Path, shallow: bool) -> None:
    bare, clones = bare_with_clones(tmp_path, shallow=shallow)
    branches = git(bare, "for-each-ref", "refs/heads")
    before = [everything(clone) for clone in clones]
    hooks = clones[0] / ".git" / "hooks"
    for hook in ("pre-push", "reference-transaction", "post-checkout"):
        (hooks / hook).write_text("#!/bin/sh\ntouch hook-ran\nexit 1\n")
        (hooks / hook).chmod(0o755)
    for clone in clones:
        store = store_in(clone)
        with store.lock(OWNER):
            state = store.read()
            store.journal(Put(KEY, record(clone.name), "created"))
            store.save(replace(state, experiments={KEY: record(clone.name)}), expected_serial=state.serial)
    assert [everything(clone) for clone in clones] == before
    assert git(bare, "for-each-ref", "refs/heads") == branches
    assert git(bare, "for-each-ref", "--format=%(refname)") == f"refs/heads/main\n{REF}"
    assert store_in(clones[0]).read().experiments == {KEY: record("clone1")}


def test_what_stands_on_the_ref_can_be_read_with_git(server: Path, clones: list[Path]) -> None:
    store = store_in(clones[0])
    state = saved(store, record())
    with store.lock(OWNER):
        store.journal(Put(KEY, record("2"), "updated"))
        lock = json.loads(git(server, "show", f"{REF}-lock:lock.json"))
    assert json.loads(git(server, "show", f"{REF}:state.json"))["lineage"] == state.lineage
    assert git(server, "ls-tree", "-r", "--name-only", REF).split() == ["journal/000001.json", "state.json"]
    assert git(server, "log", "--format=%s", REF).split("\n") == ["XAdsABTest/button: updated", "state: serial 1"]
    assert lock["owner"]["user"] == "ann"
    assert lock["fence"] == 1
    subprocess.run(["git", "fsck", "--strict"], cwd=server, check=True, capture_output=True)


def test_a_folder_in_a_repository_has_a_ref_of_its_own(server: Path, clones: list[Path]) -> None:
    for name in ("growth", "growth/eu"):
        (clones[0] / name).mkdir()
        saved(store_in(clones[0] / name), record(name))
    saved(store_in(clones[0]), record("root"))
    saved(store_in(clones[0], name="production"), record("production"))
    refs = git(server, "for-each-ref", "--format=%(refname)", "refs/reconciler", "refs/reconciler-in").split()
    assert refs == [
        "refs/reconciler-in/growth/eu/state",
        "refs/reconciler-in/growth/state",
        "refs/reconciler/production",
        "refs/reconciler/state",
    ]
    assert store_in(clones[0]).read().experiments == {KEY: record("root")}


def test_a_branch_can_be_named(server: Path, clones: list[Path]) -> None:
    saved(store_in(clones[0], ref="refs/heads/experiments-state"), record())
    assert store_in(clones[1], ref="refs/heads/experiments-state").read().experiments == {KEY: record()}


def test_a_ref_that_is_no_state_is_refused_and_left_alone(server: Path, clones: list[Path]) -> None:
    before = git(server, "rev-parse", "main")
    store = store_in(clones[0], ref="refs/heads/main")
    for action in (store.read, lambda: saved(store, record()), lambda: store.journal(Put(KEY, record()))):
        with pytest.raises(StateUnreadable, match=r"reconciler\.yaml.*state\.ref"):
            action()
    assert git(server, "rev-parse", "main") == before


def test_servers_that_take_no_deletion_and_no_rewriting(server: Path, clones: list[Path]) -> None:
    git(server, "config", "receive.denyDeletes", "true")
    git(server, "config", "receive.denyNonFastForwards", "true")
    branch = "refs/heads/experiments-state"
    for number in range(3):
        state = saved(store_in(clones[number % 2], ref=branch), record(str(number)))
    assert state.serial == 3
    assert store_in(clones[0], ref=branch).unlock() is None
    assert json.loads(git(server, "show", f"{branch}-lock:lock.json"))["free"] is True


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_remote_or_repository_that_is_not_there(tmp_path: Path, server: Path, clones: list[Path]) -> None:
    with pytest.raises(StateProblem, match=r"remote elsewhere cannot be used.*state\.remote"):
        store_in(clones[0], remote="elsewhere").read()
    (tmp_path / "plain").mkdir()
    with pytest.raises(StateProblem, match="not a git repository"):
        store_in(tmp_path / "plain", environ={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}).read()
    with pytest.raises(StateProblem, match="no git command"):
        _without_git(clones[0])
    git(clones[0], "remote", "set-url", "origin", "https://ann:s3cret@127.0.0.1:1/x.git")
    with pytest.raises(StateProblem) as caught:
        store_in(clones[0]).read()
    assert "127.0.0.1:1/x.git" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def _without_git(clone: Path) -> None:
    path = os.environ["PATH"]
    os.environ["PATH"] = str(clone)
    try:
        store_in(clone).read()
    finally:
        os.environ["PATH"] = path


def test_variables_of_another_repository_do_not_lead_astray(tmp_path: Path, server: Path, clones: list[Path]) -> None:
    environ = {**os.environ, "GIT_DIR": str(tmp_path / "first" / ".git"), "GIT_INDEX_FILE": str(tmp_path / "index")}
    saved(store_in(clones[0], environ=environ), record())
    assert store_in(clones[1]).read().experiments == {KEY: record()}


def test_a_push_that_the_server_declines(server: Path, clones: list[Path]) -> None:
    store = store_in(clones[0])
    state = saved(store, record())
    with store.lock(OWNER):
        store.read()
        hook = server / "hooks" / "pre-receive"
        hook.write_text(
            f"#!/bin/sh\nwhile read a b ref; do [ $ref = {REF} ] && echo 'not today' >&2 && exit 1; done\nexit 0\n"
        )
        hook.chmod(0o755)
        with pytest.raises(StateProblem, match=r"pre-receive hook declined.*not today"):
            store.journal(Put(KEY, record("2")))
        with pytest.raises(StateProblem, match="declined"):
            store.save(state, expected_serial=1)
        hook.unlink()
        store.journal(Put(KEY, record("3")))
    assert store_in(clones[1]).read().experiments == {KEY: record("3")}


def fake_git(folder: Path, body: str) -> None:
    """Put a git into a folder, first in PATH, that does something else around the real one; `$1`… are its words."""
    folder.mkdir(exist_ok=True)
    script = folder / "git"
    script.write_text(f"#!/bin/bash\nREAL={GIT}\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def test_an_answer_that_was_lost(
    tmp_path: Path, server: Path, clones: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = 'case " $* " in *" push "*) "$REAL" "$@"; echo "fatal: the connection broke" >&2; exit 128;; esac\n'
    fake_git(tmp_path / "bin", body + 'exec "$REAL" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    store = store_in(clones[0])
    with store.lock(OWNER):
        state = store.read()
        store.journal(Put(KEY, record("1")))
        store.journal(Put(KEY, record("2")))
        assert store_in(clones[1]).read().experiments == {KEY: record("2")}
        store.save(replace(state, lineage="", experiments={KEY: record("2")}), expected_serial=0)
    assert store_in(clones[1]).read().serial == 1
    assert git(server, "for-each-ref", f"{REF}-lock") == ""


def test_a_server_that_never_answers(tmp_path: Path, clones: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    fake_git(tmp_path / "bin", 'case " $* " in *" ls-remote "*) sleep 60;; esac\nexec "$REAL" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("reconciler.state.git_store.NETWORK_S", 0.3)
    with pytest.raises(StateProblem, match=r"ls-remote took longer than 0\.3 s"):
        store_in(clones[0]).read()


KILLED = """
store.read()
with store.lock(owner):
    state = store.read()
    for n in range(2):
        key = Key("XAdsABTest", f"t{n}")
        print("begun", n, flush=True)
        store.journal(Put(key, Record(key, "x-ads", "x", str(n), {}), "created"))
        print("done", n, flush=True)
    print("begun", "save", flush=True)
    again = store.read()
    store.save(again, expected_serial=again.serial)
    print("done", "save", flush=True)
print("end", flush=True)
"""


def run_killed(clone: Path, folder: Path, at: int) -> tuple[list[str], bool]:
    """Run a writer that is killed -9 behind its git command number `at`; gives its words, and whether it ended."""
    when = f'"$REAL" "$@"; code=$?; [ $n = {at} ] && kill -9 $PPID; exit $code'
    fake_git(folder, f"n=$(($(cat {folder}/count 2>/dev/null || echo 0) + 1)); echo $n > {folder}/count\n{when}")
    (folder / "count").unlink(missing_ok=True)
    values = json.dumps({"backend": "git", "path": "unused", "folder": str(clone), "name": f"run{at}"})
    done = subprocess.run(
        [sys.executable, "-c", CHILD + KILLED, values],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    return lines, done.returncode == 0


@pytest.mark.timeout(600)
def test_kill_9_at_every_git_command(tmp_path: Path, server: Path, clones: list[Path]) -> None:
    """Behind each command, which is before the next: nothing happens in between."""
    ended, at = False, 0
    while not ended:
        at += 1
        lines, ended = run_killed(clones[0], tmp_path / "bin", at)
        store = store_in(clones[1], name=f"run{at}")
        with store.lock(OWNER):  # at once: the owner is known to be dead
            state = store.read()
            done = [line for line in lines if line.startswith("done")]
            begun = [line for line in lines if line.startswith("begun")]
            entries = {Key("XAdsABTest", f"t{n}"): record(str(n)) for n in range(2)}
            acknowledged = {key for n, key in enumerate(entries) if f"done {n}" in done}
            perhaps = {key for n, key in enumerate(entries) if f"begun {n}" in begun}
            assert acknowledged <= set(state.experiments) <= perhaps
            assert state.serial == 1 if "done save" in done else state.serial in (0, 1)
            after_it = store.save(replace(state, experiments={}), expected_serial=state.serial)
        assert store_in(clones[0], name=f"run{at}").read() == after_it
    assert at > 25
    subprocess.run(["git", "fsck", "--strict"], cwd=server, check=True, capture_output=True)


# --- two at once -----------------------------------------------------------------------------------------------


RACER = """
import time
won = 0
for n in range(6):
    try:
        with store.lock(owner, 60.0):
            state = store.read()
            count = int(next(iter(state.experiments.values())).remote_id) if state.experiments else 0
            key = Key("XAdsABTest", "count")
            item = Record(key, "x-ads", "x", str(count + 1), {})
            store.journal(Put(key, item, "counted"))
            store.save(State(state.lineage, state.serial, {key: item}), expected_serial=state.serial)
            won += 1
    except Exception as error:
        print(repr(error), flush=True)
print(won)
"""


def test_two_clones_that_race_count_right(server: Path, clones: list[Path]) -> None:
    backends = [Backend("git", Place("git", clone / "unused"), [clone]) for clone in clones]
    runs = [backend.child(RACER) for backend in backends]
    said = [run.communicate(timeout=100)[0].split("\n") for run in runs]
    assert [lines[-2] for lines in said] == ["6", "6"], said
    state = store_in(clones[0]).read()
    assert state.serial == 12
    assert [item.remote_id for item in state.experiments.values()] == ["12"]


def test_a_lock_that_is_not_renewed_is_over_and_its_owner_cannot_write_any_more(clones: list[Path]) -> None:
    first = store_in(clones[0], now=NOW)
    later = NOW + timedelta(hours=2, seconds=1)
    with pytest.raises(StateConflict, match="run again"), first.lock(OWNER):
        first.read()
        first.journal(Put(KEY, record("1")))
        with pytest.raises(Locked, match="expires at 2026-03-04T14:00:00Z"), store_in(clones[1], now=NOW).lock(OWNER):
            pass
        second = store_in(clones[1], now=later)
        with second.lock(OWNER):
            seen = second.read()
            second.journal(Put(KEY, record("2")))
            with pytest.raises(StateConflict):
                first.journal(Put(KEY, record("3")))  # paused for two hours, and back
            second.save(replace(seen, experiments={KEY: record("2")}), expected_serial=0)
        first.save(State("", 0, {}), expected_serial=0)
    assert store_in(clones[0]).read().experiments == {KEY: record("2")}
    assert store_in(clones[0]).unlock() is None


def test_a_run_renews_its_lock_and_notices_that_it_was_taken(
    clones: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.state.lease._RENEW_AT_MOST_S", 0.0)
    moments = iter([NOW, *(NOW + timedelta(hours=1) for _ in range(100))])
    place = Place("git", clones[0] / "unused")
    first = open_store(place, clones[0], os.environ, now=lambda: next(moments))
    with first.lock(OWNER):
        first.journal(Put(KEY, record("1")))  # an hour later
        with pytest.raises(Locked, match="15:00:00Z"), store_in(clones[1], now=NOW + timedelta(hours=2.5)).lock(OWNER):
            pass
        assert store_in(clones[1]).unlock(force=True) is not None
        with pytest.raises(StateConflict, match=r"was taken from this run.*nobody holds it"):
            first.journal(Put(KEY, record("2")))
    assert store_in(clones[1]).read().experiments == {KEY: record("1")}


def test_unlock_names_the_owner_and_wants_force_while_he_may_live(server: Path, clones: list[Path]) -> None:
    store = store_in(clones[0], now=NOW)
    elsewhere = replace(OWNER, host="runner-7", ci_run="https://ci.example/42")
    context = store.lock(elsewhere)
    context.__enter__()
    other = store_in(clones[1], now=NOW + timedelta(minutes=3))
    with pytest.raises(Locked, match=r"ann on runner-7 .*CI run https://ci.example/42.*for 3 minutes.*--force"):
        other.unlock()
    assert "runner-7" in (other.unlock(force=True) or "")
    assert other.unlock(force=True) is None
    with other.lock(OWNER):
        context.__exit__(None, None, None)  # gives back nothing that is another's by now
        with pytest.raises(Locked):
            other.unlock()


def test_a_lock_that_cannot_be_read_is_one_all_the_same(server: Path, clones: list[Path]) -> None:
    git(clones[0], "push", "-q", "origin", f"HEAD:{REF}-lock")
    with pytest.raises(Locked, match="has not said who it is"), store_in(clones[1]).lock(OWNER):
        pass
    assert store_in(clones[1]).unlock(force=True) is not None
    saved(store_in(clones[1]), record())


# --- words -----------------------------------------------------------------------------------------------------


def test_credentials_are_cut_out_of_what_git_says() -> None:
    text = "fatal: unable to access 'https://ann:s3cret@example.com/x.git/': \x1b[31mno\nhint: more"
    assert reason(text) == "fatal: unable to access 'https://example.com/x.git/': ?[31mno"
    assert without_credentials("ssh://token@example.com/x") == "ssh://example.com/x"
