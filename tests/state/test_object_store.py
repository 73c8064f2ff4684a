"""The state in a bucket: what lies there, and every way in which two runs, or a run and its network, can collide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backend_places import CHILD, Backend, memory_backend, s3_backend

from reconciler.errors import Locked, StateConflict, StateProblem, StateUnreadable
from reconciler.model.resource import Key, Record
from reconciler.state.backends import open_store
from reconciler.state.medium import Moved
from reconciler.state.object_store import ObjectMedium, _reason, _token
from reconciler.state.owner import owner_of
from reconciler.state.place import Place
from reconciler.state.remote_store import RemoteStore
from reconciler.state.store import Put, State, Store

obstore = pytest.importorskip("obstore")

KEY = Key("XAdsABTest", "button")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OWNER = owner_of({"USER": "ann"}, command="reconciler apply", now=NOW)
STATE = "team/state.json"


def record(remote_id: str = "hr7l0", key: Key = KEY) -> Record:
    return Record(key, "x-ads", "x", remote_id, {})


@pytest.fixture
def kept() -> Any:
    from obstore.store import MemoryStore

    return MemoryStore()


@pytest.fixture
def opened(kept: Any) -> Callable[..., RemoteStore]:
    def opener(now: datetime = NOW) -> RemoteStore:
        return RemoteStore(ObjectMedium(lambda: kept, "the bucket", "team"), now=lambda: now)

    return opener


def saved(store: Store, *records: Record) -> State:
    with store.lock(OWNER):
        before = store.read()
        return store.save(replace(before, experiments={r.key: r for r in records}), expected_serial=before.serial)


def names(kept: Any) -> list[str]:
    return sorted(item["path"] for item in obstore.list(kept).collect())


def body(kept: Any, key: str) -> Any:
    return json.loads(bytes(obstore.get(kept, key).bytes()))


def test_what_lies_in_the_bucket(kept: Any, opened: Callable[..., RemoteStore]) -> None:
    state = saved(opened(), record())
    store = opened()
    with store.lock(OWNER):
        store.journal(Put(KEY, record("2"), "updated"))
        group = body(kept, STATE)["write"]["journal"]
        assert group.startswith("1-")
        assert names(kept) == [STATE, f"{STATE}.journal/{group}/000001.json", f"{STATE}.lock"]
        assert json.loads(body(kept, f"{STATE}.journal/{group}/000001.json")["entry"])["event"] == "updated"
        lock = body(kept, f"{STATE}.lock")
        assert (lock["fence"], lock["owner"]["user"], lock["expiresAt"]) == (2, "ann", "2026-03-04T14:00:00Z")
        store.save(replace(store.read(), experiments={}), expected_serial=1)
    assert names(kept) == [STATE, f"{STATE}.lock"]  # the old journal is gone, the lock's number goes on counting
    assert body(kept, f"{STATE}.lock")["free"] is True
    assert (body(kept, STATE)["lineage"], body(kept, STATE)["write"]["fence"]) == (state.lineage, 2)


def test_equal_writes_have_bodies_of_their_own(kept: Any, opened: Callable[..., RemoteStore]) -> None:
    bodies = set()
    for _ in range(3):
        with (store := opened()).lock(OWNER):
            store.restore(State("one-lineage", 1, {}), expected_serial=store.read().serial)
        bodies.add(bytes(obstore.get(kept, STATE).bytes()))
    assert len(bodies) == 3


# --- an owner who is late ------------------------------------------------------------------------------------------


def test_a_lease_that_was_taken_over_lets_its_owner_write_nothing(opened: Callable[..., RemoteStore]) -> None:
    saved(opened())
    first, second = opened(), opened(NOW + timedelta(hours=2, seconds=1))
    elsewhere = replace(OWNER, host="runner-7")
    with pytest.raises(StateConflict, match="run again"), first.lock(elsewhere):
        state = first.read()
        first.journal(Put(KEY, record("1")))
        with pytest.raises(Locked, match="runner-7"), opened().lock(OWNER):
            pass
        with second.lock(OWNER):  # it has written nothing yet: taking over is enough
            with pytest.raises(StateConflict):
                first.journal(Put(KEY, record("2")))
            assert opened().read().experiments[KEY].remote_id in ("1", "2")
            seen = second.read()
            second.save(replace(seen, experiments={KEY: record("3")}), expected_serial=1)
        first.save(state, expected_serial=1)
    assert opened().read().experiments == {KEY: record("3")}


def test_an_entry_that_comes_while_another_saves_lets_the_save_fail(opened: Callable[..., RemoteStore]) -> None:
    saved(opened())
    late, saver = opened().medium, opened().medium
    at, before = late.load().position, saver.load()
    assert before.state is not None
    late.append(at, b'{"remove":"A/b","event":""}', "")
    with pytest.raises(Moved):
        saver.replace(before.position, before.state, 2, "")
    assert len(opened().medium.load().lines) == 1


def test_an_entry_that_comes_after_another_saved_counts_as_not_written(opened: Callable[..., RemoteStore]) -> None:
    saved(opened())
    late, saver = opened().medium, opened().medium
    at = late.load().position
    content = saver.load()
    assert content.state is not None
    saver.replace(content.position, content.state.replace(b'"serial": 1', b'"serial": 2'), 2, "")
    with pytest.raises(Moved):  # its journal was cleared away: the object can be made, and nobody reads it
        late.append(at, b'{"remove":"A/b","event":""}', "")
    assert opened().read().serial == 2


def test_a_save_that_was_killed_after_sealing_the_journal(opened: Callable[..., RemoteStore]) -> None:
    saved(opened())
    store = opened()
    with store.lock(OWNER):
        store.journal(Put(KEY, record("1")))
        medium = store.medium
        at = medium.load().position
        medium._put(medium._entry(at.group, at.next), b'{"sealed": true}', None)  # type: ignore[attr-defined]
        with pytest.raises(StateConflict):
            store.journal(Put(KEY, record("2")))  # whoever does not know of the seal adds nothing
    with (after := opened()).lock(OWNER):
        assert after.read().experiments == {KEY: record("1")}
        after.journal(Put(KEY, record("3")))
        assert opened().read().experiments == {KEY: record("3")}
        assert after.save(after.read(), expected_serial=1).serial == 2


# --- the network ---------------------------------------------------------------------------------------------------


def test_answers_that_were_lost(opened: Callable[..., RemoteStore], monkeypatch: pytest.MonkeyPatch) -> None:
    put = obstore.put

    def broken(*words: Any, **more: Any) -> Any:
        put(*words, **more)
        raise obstore.exceptions.GenericError("the connection broke")

    monkeypatch.setattr(obstore, "put", broken)
    store = opened()
    with store.lock(OWNER):
        store.journal(Put(KEY, record("1")))
        state = store.read()
        store.save(state, expected_serial=0)
    monkeypatch.undo()
    assert opened().read().serial == 1
    assert opened().unlock() is None


def test_two_conditional_writes_that_meet_are_tried_again(
    opened: Callable[..., RemoteStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put, calls = obstore.put, []

    def busy(*words: Any, **more: Any) -> Any:
        calls.append(words[1])
        if len(calls) % 2:
            raise obstore.exceptions.GenericError("409 Conflict: ConditionalRequestConflict")
        return put(*words, **more)

    monkeypatch.setattr(obstore, "put", busy)
    assert saved(opened(), record()).serial == 1


def test_a_bucket_that_may_not_be_written(opened: Callable[..., RemoteStore], monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    state = saved(store, record())

    def denied(*words: Any, **more: Any) -> Any:
        raise obstore.exceptions.PermissionDeniedError("403 Forbidden\nDebug source:\n secret")

    with store.lock(OWNER):
        store.read()
        monkeypatch.setattr(obstore, "put", denied)
        for action in (lambda: store.journal(Put(KEY, record("2"))), lambda: store.save(state, expected_serial=1)):
            with pytest.raises(StateProblem, match="the bucket cannot be written: 403 Forbidden") as caught:
                action()
            assert "secret" not in str(caught.value)
        monkeypatch.undo()
    assert opened().read() == state


def test_a_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    place = Place("s3", tmp_path, bucket="team", prefix="a", region="us-east-1", endpoint="http://127.0.0.1:1")
    with pytest.raises(StateProblem, match=r"s3://team/a/state\.json cannot be read: .*127\.0\.0\.1:1") as caught:
        open_store(place, tmp_path, os.environ).read()
    assert "very-secret" not in str(caught.value)


def test_a_bucket_that_is_not_there(s3_server: str, tmp_path: Path) -> None:
    place = Place("s3", tmp_path, bucket="nobodys", prefix="a", region="us-east-1", endpoint=s3_server)
    with pytest.raises(StateProblem, match="cannot be written"):
        saved(open_store(place, tmp_path, os.environ))


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    store = open_store(Place("s3", tmp_path, bucket="team", prefix="a"), tmp_path, os.environ)
    with pytest.raises(StateProblem, match=r"pip install 'reconciler\[object-store\]'"):
        store.read()


# --- what is not ours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"write": 1}', '{"write": {"journal": "../x", "fence": 1}}'])
def test_an_object_that_is_no_state_is_left_alone(kept: Any, opened: Callable[..., RemoteStore], text: str) -> None:
    obstore.put(kept, STATE, text.encode())
    store = opened()
    for action in (store.read, lambda: saved(store), lambda: store.journal(Put(KEY, record()))):
        with pytest.raises(StateUnreadable, match="the bucket"):
            action()
    assert bytes(obstore.get(kept, STATE).bytes()) == text.encode()


def test_a_damaged_journal_is_named(kept: Any, opened: Callable[..., RemoteStore]) -> None:
    saved(opened())
    with (store := opened()).lock(OWNER):
        store.journal(Put(KEY, record("1")))
        store.journal(Put(KEY, record("2")))
    first, second = (name for name in names(kept) if ".journal/" in name)
    for text in (b"{", b'{"entry": 5}', b'{"entry": "{}"}'):
        obstore.put(kept, second, text)
        with pytest.raises(StateUnreadable, match="entry 2"):
            opened().read()
    obstore.delete(kept, first)
    with pytest.raises(StateUnreadable, match="entry 1 of the journal is missing"):
        opened().read()


def test_names_and_tags() -> None:
    assert json.loads(_token({"e_tag": "a", "version": None, "size": 1})) == {"e_tag": "a"}
    assert json.loads(_token({"e_tag": "a", "version": "5"})) == {"e_tag": "a", "version": "5"}
    error = ValueError("GET http://x/?X-Amz-Signature=abc&X-Amz-Credential=AKIA failed\nDebug source")
    assert _reason(error) == "GET http://x/?X-Amz-Signature=…&X-Amz-Credential=… failed (ValueError)"


# --- killed --------------------------------------------------------------------------------------------------------

COUNTED = """
import signal
import obstore
at, late, count = int(sys.argv[2]), sys.argv[3] == "after", 0
def counted(real):
    def call(*words, **more):
        global count
        count += 1
        if count == at and not late:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*words, **more)
        finally:
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
    return call
for name in ("put", "get", "head", "list", "delete"):
    setattr(obstore, name, counted(getattr(obstore, name)))
with store.lock(owner):
    state = store.read()
    for n in range(2):
        key = Key("XAdsABTest", f"t{n}")
        print("begun", n, flush=True)
        store.journal(Put(key, Record(key, "x-ads", "x", str(n), {}), "created"))
        print("done", n, flush=True)
    again = store.read()
    store.save(again, expected_serial=again.serial)
    print("done", "save", flush=True)
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", ["before", "after"])
def test_kill_9_at_every_request(s3_server: str, tmp_path: Path, when: str) -> None:
    backend = s3_backend(tmp_path)
    ended, at = False, 0
    while not ended:
        at += 1
        place = replace(backend.place, prefix=f"run{at}")
        values = json.dumps({**vars(place), "path": "unused", "folder": str(tmp_path)})
        words = [sys.executable, "-c", CHILD + COUNTED, values, str(at), when]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        lines, ended = done.stdout.splitlines(), done.returncode == 0
        store = open_store(place, tmp_path, os.environ)
        with store.lock(OWNER):  # at once: the owner is known to be dead
            state = store.read()
            entries = {Key("XAdsABTest", f"t{n}"): n for n in range(2)}
            assert {key for key, n in entries.items() if f"done {n}" in lines} <= set(state.experiments)
            assert set(state.experiments) <= {key for key, n in entries.items() if f"begun {n}" in lines}
            assert state.serial == 1 if "done save" in lines else state.serial in (0, 1)
            after_it = store.save(replace(state, experiments={}), expected_serial=state.serial)
        assert open_store(place, tmp_path, os.environ).read() == after_it
    assert at > 20


RACER = """
for n in range(8):
    with store.lock(owner, 60.0):
        state = store.read()
        count = int(next(iter(state.experiments.values())).remote_id) if state.experiments else 0
        key = Key("XAdsABTest", "count")
        item = Record(key, "x-ads", "x", str(count + 1), {})
        store.journal(Put(key, item, "counted"))
        store.save(State(state.lineage, state.serial, {key: item}), expected_serial=state.serial)
print("done")
"""


def test_two_processes_that_race_count_right(s3_server: str, tmp_path: Path) -> None:
    backend = s3_backend(tmp_path)
    runs = [backend.child(RACER) for _ in range(2)]
    assert [run.communicate(timeout=100)[0] for run in runs] == ["done\n", "done\n"]
    state = backend.open().read()
    assert (state.serial, [item.remote_id for item in state.experiments.values()]) == (16, ["16"])


def test_the_backend_in_memory_is_one_place(tmp_path: Path) -> None:
    backend: Backend = memory_backend(tmp_path)
    saved(backend.open(), record())
    assert backend.open().read().experiments == {KEY: record()}
