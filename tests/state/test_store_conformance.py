"""What every store has to do, wherever it keeps the state: the same tests for each."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from backend_places import Backend, file_backend, git_backend, memory_backend, s3_backend

from reconciler.errors import Locked, StateConflict, StateProblem, StateUnreadable
from reconciler.model.resource import Key, Lifecycle, OnRemoval, Record
from reconciler.state import formats, text
from reconciler.state.owner import Owner, owner_of
from reconciler.state.store import Put, Remove, State, Store

KEY = Key("XAdsABTest", "button")
OTHER = Key("LinkedInExperiment", "headline")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MAKERS = {"file": file_backend, "git": git_backend, "s3": s3_backend, "memory": memory_backend}


def owner(command: str = "reconciler apply") -> Owner:
    return owner_of({"USER": "ann"}, command=command, now=datetime.now(UTC))


def record(key: Key = KEY, remote_id: str = "hr7l0", **more: object) -> Record:
    return Record(key, "x-ads", "x", remote_id, {"name": "Größe", "n": 1}, **more)  # type: ignore[arg-type]


@pytest.fixture(params=MAKERS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "s3":
        request.getfixturevalue("s3_server")
    made = MAKERS[request.param](tmp_path)
    if made.opener is not None and "child" in request.function.__code__.co_names:
        pytest.skip("what is kept in the memory of one process has no other to be seen from")
    yield made


def saved(store: Store, *records: Record) -> State:
    with store.lock(owner()):
        before = store.read()
        state = State(before.lineage, before.serial, {item.key: item for item in records})
        return store.save(state, expected_serial=before.serial)


# --- reading and saving ------------------------------------------------------------------------------------------


def test_nothing_written_yet(backend: Backend) -> None:
    assert backend.open().read() == State("", 0, {})
    assert backend.open().unlock() is None


def test_what_is_saved_is_read_by_others(backend: Backend) -> None:
    full = record(
        children={"user_groups": ("p1", "p2")},
        stored={"size": "50.00"},
        lifecycle=Lifecycle(on_removal=OnRemoval.ABANDON, ignore_changes=("name",)),
        status="LIVE",
        created_at=NOW,
        intent_at=NOW,
        inflight="plan-1",
        predecessors=("old",),
    )
    first = saved(backend.open(), full)
    assert (first.serial, len(first.lineage)) == (1, 36)
    assert backend.open().read() == first
    second = saved(backend.open(), full, record(OTHER))
    assert (second.serial, second.lineage) == (2, first.lineage)
    assert backend.open().read() == second


def test_a_save_without_a_lock_is_one_all_the_same(backend: Backend) -> None:
    store = backend.open()
    after = store.save(replace(store.read(), experiments={KEY: record()}), expected_serial=0)
    assert backend.open().read() == after
    with backend.open().lock(owner()):
        pass


def test_a_newer_state_is_not_overwritten(backend: Backend) -> None:
    mine, theirs = backend.open(), backend.open()
    seen = mine.read()
    newer = saved(theirs, record(remote_id="theirs"))
    with pytest.raises(StateConflict, match="serial 1 now, this run began from 0"):
        mine.save(seen, expected_serial=seen.serial)
    with pytest.raises(StateConflict):
        mine.save(State("another-lineage", 1, {}), expected_serial=1)
    assert backend.open().read() == newer
    assert mine.save(replace(mine.read(), experiments={}), expected_serial=1).serial == 2


def test_entries_of_another_run_are_not_overwritten(backend: Backend) -> None:
    store = backend.open()
    saved(store, record())
    backend.open().journal(Put(OTHER, record(OTHER), "created"))
    with pytest.raises(StateConflict, match="has not read"):
        store.save(State("", 1, {}), expected_serial=1)
    again = store.read()
    assert set(again.experiments) == {KEY, OTHER}
    assert store.save(again, expected_serial=1).serial == 2


@pytest.mark.parametrize(
    "text",
    [
        "Größe 🧪 \u202e abc",
        "\x1b[31mred\x07\x00",
        "<<<<<<< HEAD",
        "\ud800 half a pair",
        "../../etc/passwd",
        "{{ 7*7 }} ${HOME} $(id)",
        '"\\\n\r\u2028',
        "x" * 200_000,
    ],
    ids=["unicode", "control", "marker", "surrogate", "path", "template", "quotes", "long"],
)
def test_hostile_content_comes_back_as_it_was(backend: Backend, text: str) -> None:
    item = replace(record(), applied={text: [text, {"n": text}]}, connection=text, status=text)
    with (store := backend.open()).lock(owner()):
        state = store.read()
        store.journal(Put(KEY, item, text))
        assert backend.open().read().experiments == {KEY: item}
        store.save(State(state.lineage, 0, {KEY: item}), expected_serial=0)
    assert backend.open().read().experiments == {KEY: item}


def test_five_thousand_records(backend: Backend) -> None:
    many = {key: record(key) for key in (Key("XAdsABTest", f"t{n}") for n in range(5000))}
    with (store := backend.open()).lock(owner()):
        store.save(State("", 0, many), expected_serial=0)
        begun = time.monotonic()
        store.journal(Put(KEY, record(), "created"))
        assert time.monotonic() - begun < 5.0
    assert backend.open().read().experiments == many | {KEY: record()}


def test_values_that_json_has_no_form_of_are_refused_before_anything_is_written(backend: Backend) -> None:
    with pytest.raises(ValueError):
        backend.open().journal(Put(KEY, Record(KEY, "x-ads", "x", "1", {"n": float("nan")})))
    assert backend.open().read() == State("", 0, {})


# --- the journal ---------------------------------------------------------------------------------------------------


def test_entries_show_in_the_next_read_and_a_save_clears_them(backend: Backend) -> None:
    start = saved(backend.open(), record())
    with (store := backend.open()).lock(owner()):
        store.read()
        store.journal(Put(OTHER, record(OTHER, ""), "intent to create"))
        assert backend.open().read().experiments[OTHER].remote_id == ""
        store.journal(Put(OTHER, record(OTHER, "123"), "created"))
        store.journal(Remove(KEY, "deleted"))
    fresh = backend.open()
    state = fresh.read()
    assert (state.serial, state.lineage, state.experiments) == (1, start.lineage, {OTHER: record(OTHER, "123")})
    after = fresh.save(state, expected_serial=1)
    assert after.serial == 2
    assert backend.open().read() == after
    with fresh.lock(owner()):
        fresh.journal(Remove(OTHER, "deleted"))
    assert backend.open().read() == State(start.lineage, 2, {})


def test_the_first_entry_of_a_project_makes_the_state_it_builds_upon(backend: Backend) -> None:
    store = backend.open()
    with store.lock(owner()):
        before = store.read()
        store.journal(Put(KEY, record(), "intent to create"))
        state = backend.open().read()
        assert (state.serial, len(state.lineage), state.experiments) == (0, 36, {KEY: record()})
        after = store.save(State(before.lineage, 0, {KEY: record(remote_id="2")}), expected_serial=0)
    assert (after.serial, after.lineage) == (1, state.lineage)
    assert backend.open().read() == after


def test_several_saves_and_entries_under_one_lock(backend: Backend) -> None:
    with (store := backend.open()).lock(owner()):
        state = store.read()
        for number in range(3):
            item = record(remote_id=str(number))
            store.journal(Put(KEY, item, "updated"))
            state = store.save(replace(state, experiments={KEY: item}), expected_serial=state.serial)
    assert state.serial == 3
    assert backend.open().read() == state


WRITER = """
with store.lock(owner):
    for n in range(100000):
        key = Key("XAdsABTest", f"t{n}")
        store.journal(Put(key, Record(key, "x-ads", "x", str(n), {}), "created"))
        print(n, flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(backend: Backend) -> None:
    run = backend.child(WRITER)
    assert run.stdout is not None
    lines = [run.stdout.readline() for _ in range(4)]
    time.sleep(0.07)
    run.send_signal(signal.SIGKILL)
    lines += [line for line in run.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    run.wait()
    time.sleep(0.3)  # what was on its way may arrive yet
    with (store := backend.open()).lock(owner()):  # the dead owner's lock is no obstacle
        state = store.read()
        assert len(lines) <= len(state.experiments) <= len(lines) + 1
        assert [int(line) for line in lines] == list(range(len(lines)))
        store.journal(Put(KEY, record(), "created"))
        assert store.save(replace(state, experiments={KEY: record()}), expected_serial=0).serial == 1
    assert backend.open().read().experiments == {KEY: record()}


# --- the lock ------------------------------------------------------------------------------------------------------


def test_a_second_one_is_kept_out_and_told_who_is_in(backend: Backend) -> None:
    since = datetime.now(UTC)
    with backend.open().lock(replace(owner(), started_at=since)):
        second = backend.open(now=lambda: since + timedelta(minutes=4, seconds=30))
        with pytest.raises(Locked, match=r'ann on .*pid \d+.*running "reconciler apply" for 4 minutes') as caught:
            second.lock(owner()).__enter__()
        assert "--lock-timeout" in str(caught.value)
        assert "state unlock" in str(caught.value)
        with pytest.raises(Locked):
            second.unlock()
        assert second.read() == State("", 0, {})  # reading needs no lock
    with second.lock(owner()):
        pass


def test_nobody_else_writes_while_it_is_held(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("file_store", "remote_store"):
        monkeypatch.setattr(f"reconciler.state.{module}._BRIEF_LOCK_S", 0.1)
    first, second = backend.open(), backend.open()
    with first.lock(owner()):
        with pytest.raises(Locked):
            second.save(State("", 0, {}), expected_serial=0)
        with pytest.raises(Locked):
            second.journal(Remove(KEY))
        assert first.save(State("", 0, {}), expected_serial=0).serial == 1
    assert second.save(second.read(), expected_serial=1).serial == 2


def test_one_store_does_not_hold_it_twice(backend: Backend) -> None:
    store = backend.open()
    with store.lock(owner()):
        with pytest.raises(Locked), store.lock(owner()):
            pass
        store.journal(Put(KEY, record()))
    assert backend.open().read().experiments == {KEY: record()}


def test_it_is_given_back_after_an_error(backend: Backend) -> None:
    store = backend.open()
    with pytest.raises(ZeroDivisionError), store.lock(owner()):
        _ = 1 / 0
    with backend.open().lock(owner()):
        pass


HOLDER = """
with store.lock(owner):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_waiting_for_a_living_owner(backend: Backend) -> None:
    run = backend.child(HOLDER)
    try:
        assert run.stdout is not None
        assert run.stdin is not None
        assert run.stdout.readline() == "held\n"
        with pytest.raises(Locked, match=rf"bob on .*pid {run.pid}"), backend.open().lock(owner()):
            pass
        run.stdin.close()
        with backend.open().lock(owner(), 20.0):
            pass
    finally:
        run.kill()
        run.wait()


def test_a_killed_owner_holds_nothing(backend: Backend) -> None:
    run = backend.child(HOLDER)
    assert run.stdout is not None
    assert run.stdout.readline() == "held\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    with backend.open().lock(owner()), pytest.raises(Locked, match="ann on "):
        backend.open().lock(owner()).__enter__()
    with backend.open().lock(owner()):
        pass


def test_unlock_clears_what_a_killed_owner_left(backend: Backend) -> None:
    run = backend.child(HOLDER)
    assert run.stdout is not None
    assert run.stdout.readline() == "held\n"
    with pytest.raises(Locked, match="bob"):
        backend.open().unlock()
    run.send_signal(signal.SIGKILL)
    run.wait()
    said = backend.open().unlock()
    assert said is not None
    assert f"pid {run.pid}" in said
    assert backend.open().unlock() is None


def test_of_many_that_race_one_gets_the_lock_and_no_save_is_lost(backend: Backend) -> None:
    stores = [backend.open() for _ in range(4)]
    barrier = Barrier(len(stores))
    wins: list[int] = []
    others: list[Exception] = []

    def race(number: int, store: Store) -> None:
        barrier.wait()
        try:
            with store.lock(owner()):
                state = store.read()
                item = record(Key("XAdsABTest", f"t{number}"))
                store.journal(Put(item.key, item))
                store.save(
                    replace(state, experiments={**state.experiments, item.key: item}), expected_serial=state.serial
                )
                wins.append(number)
        except StateProblem as error:
            others.append(error)

    threads = [Thread(target=race, args=pair) for pair in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wins
    assert len(wins) + len(others) == len(stores)
    assert all(isinstance(error, Locked) for error in others)
    state = backend.open().read()
    assert state.serial == len(wins)
    assert set(state.experiments) == {Key("XAdsABTest", f"t{number}") for number in wins}


def test_savers_that_race_without_a_lock_lose_nothing(backend: Backend) -> None:
    saved(backend.open())
    stores = [backend.open() for _ in range(3)]
    states = [store.read() for store in stores]
    barrier = Barrier(len(stores))
    outcomes: list[object] = []

    def race(number: int) -> None:
        item = record(Key("XAdsABTest", f"t{number}"))
        barrier.wait()
        try:
            outcomes.append(
                stores[number].save(replace(states[number], experiments={item.key: item}), expected_serial=1)
            )
        except StateProblem as error:
            outcomes.append(error)

    threads = [Thread(target=race, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [outcome for outcome in outcomes if isinstance(outcome, State)]
    assert len(won) == 1
    assert all(isinstance(outcome, (State, StateConflict, Locked)) for outcome in outcomes)
    assert backend.open().read() == won[0]


def test_a_state_from_elsewhere_keeps_its_lineage_and_serial(backend: Backend) -> None:
    with (store := backend.open()).lock(owner()):
        store.read()
        store.journal(Put(KEY, record(), "created"))
        brought = State("another-lineage", 41, {OTHER: record(OTHER)})
        assert store.restore(brought, expected_serial=0) == brought
        with pytest.raises(StateConflict):
            store.restore(brought, expected_serial=0)
    assert backend.open().read() == brought
    assert saved(backend.open(), record()).serial == 42


def test_a_state_of_an_earlier_format_is_read_and_written_as_todays(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The format before called the id `id`: nothing is written by reading, and the next save is of today's format."""
    saved(backend.open(), record())
    now = formats.FORMAT_VERSION
    monkeypatch.setattr(formats, "FORMAT_VERSION", "1.1")
    monkeypatch.setattr(text, "FORMAT_VERSION", "1.1")
    noted = []

    def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
        noted.append(dict(values))
        return {**values, "status": "UPGRADED"}

    with pytest.raises(StateUnreadable, match=f"formatVersion '{now}' is not known"):
        backend.open().read()
    monkeypatch.setitem(formats.UPGRADES, now, ("1.1", upgrade))
    state = backend.open().read()
    assert [item.status for item in state.experiments.values()] == ["UPGRADED"] and noted
    after = saved(backend.open(), *state.experiments.values())
    noted.clear()
    assert backend.open().read() == after and after.serial == 2 and not noted
    monkeypatch.undo()
    with pytest.raises(StateUnreadable, match="later version of reconciler: upgrade this one"):
        backend.open().read()
