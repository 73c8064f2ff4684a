"""The state file and its journal: what is kept, what is refused, and that no completed entry is ever lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_strategies import entries, keys, records_of

from reconciler.errors import StateConflict, StateProblem, StateUnreadable
from reconciler.model.resource import Key, Lifecycle, OnRemoval, Record
from reconciler.state.file_store import FileStore
from reconciler.state.journal import entry_line, header_line, read_journal
from reconciler.state.owner import owner_of
from reconciler.state.records import record_from_json, record_to_json
from reconciler.state.store import Entry, Put, Remove, State, fold

KEY = Key("XAdsABTest", "button")
OTHER = Key("LinkedInExperiment", "headline")
OWNER = owner_of({"USER": "ann"}, command="apply", now=datetime.now(UTC))


def record(key: Key = KEY, remote_id: str = "hr7l0", **more: object) -> Record:
    return Record(key, "x-ads", "x", remote_id, {"name": "Größe", "n": 1}, **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / ".reconciler" / "state.json")


def saved(store: FileStore, *records: Record) -> State:
    before = store.read()
    state = State(before.lineage, before.serial, {item.key: item for item in records})
    return store.save(state, expected_serial=before.serial)


# --- the file ------------------------------------------------------------------------------------------------------


def test_nothing_written_yet(store: FileStore) -> None:
    assert store.read() == State("", 0, {})
    assert not store.path.parent.exists()


def test_saving_and_reading_back(store: FileStore) -> None:
    full = record(
        children={"user_groups": ("p1", "p2")},
        stored={"size": "50.00"},
        lifecycle=Lifecycle(on_removal=OnRemoval.ABANDON, ignore_changes=("name",)),
        status="LIVE",
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        intent_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
        inflight="plan-1",
        predecessors=("old",),
    )
    state = saved(store, full)
    assert (state.serial, len(state.lineage)) == (1, 36)
    assert FileStore(store.path).read() == state
    text = store.path.read_text("utf-8")
    assert json.loads(text) == {
        "formatVersion": "1.0",
        "lineage": state.lineage,
        "serial": 1,
        "experiments": {
            "XAdsABTest/button": {
                "platform": "x-ads",
                "connection": "x",
                "remoteId": "hr7l0",
                "applied": {"n": 1, "name": "Größe"},
                "stored": {"size": "50.00"},
                "children": {"user_groups": ["p1", "p2"]},
                "lifecycle": {"onRemoval": "abandon", "ignoreChanges": ["name"]},
                "status": "LIVE",
                "createdAt": "2026-01-02T03:04:05Z",
                "intentAt": "2026-01-02T03:04:06Z",
                "inflight": "plan-1",
                "predecessors": ["old"],
            }
        },
    }
    assert '\n          "name": "Größe"' in text or '\n        "name": "Größe"' in text  # indented, readable, sorted
    assert text.index('"applied"') < text.index('"children"') < text.index('"status"')
    assert text.endswith("}\n")


def test_what_is_empty_is_left_out() -> None:
    assert set(record_to_json(Record(KEY, "x-ads", "x", "1", {}))) == {"platform", "connection", "remoteId"}


def test_the_version_before_is_kept(store: FileStore) -> None:
    saved(store, record(remote_id="one"))
    first = store.path.read_bytes()
    saved(store, record(remote_id="two"))
    assert store.backup_path.read_bytes() == first
    assert sorted(path.name for path in store.path.parent.iterdir() if "lock" not in path.name) == [
        "state.json",
        "state.json.backup",
    ]


def test_permissions_are_the_usual_ones_and_are_kept(store: FileStore) -> None:
    umask = os.umask(0o027)
    try:
        saved(store, record())
        assert store.path.stat().st_mode & 0o777 == 0o640
        store.path.chmod(0o600)
        saved(store, record())
        assert store.path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(umask)


def test_a_newer_state_is_not_overwritten(store: FileStore) -> None:
    mine, theirs = FileStore(store.path), FileStore(store.path)
    seen = mine.read()
    saved(theirs, record(remote_id="theirs"))
    content = store.path.read_bytes()
    with pytest.raises(StateConflict, match="serial 1 now, this run began from 0"):
        mine.save(seen, expected_serial=seen.serial)
    with pytest.raises(StateConflict):
        mine.save(State("another-lineage", 1, {}), expected_serial=1)
    assert store.path.read_bytes() == content


def test_entries_of_another_run_are_not_overwritten(store: FileStore) -> None:
    state = saved(store, record())
    FileStore(store.path).journal(Put(OTHER, record(OTHER), "created"))
    with pytest.raises(StateConflict, match="has not read"):
        store.save(state, expected_serial=1)
    again = store.read()
    assert set(again.experiments) == {KEY, OTHER}
    assert store.save(again, expected_serial=1).serial == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value"),
        ("{", "not a state file"),
        ("[]", "not an object"),
        ("\xff", "not a state file"),
        ('{"formatVersion": "2.0"}', "formatVersion '2.0' is not known"),
        ("{}", "formatVersion None"),
        ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "merge conflict"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": true, "experiments": {}}', "serial"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": -1, "experiments": {}}', "serial"),
        ('{"formatVersion": "1.0", "lineage": 7, "serial": 1, "experiments": {}}', "lineage"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1, "experiments": []}', "experiments"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1}', "experiments"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1, "experiments": {}, "x": 1}', "'x' is not known"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1, "serial": 2, "experiments": {}}', "twice"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1, "experiments": {"nokey": {}}}', "not a key"),
        ('{"formatVersion": "1.0", "lineage": "l", "serial": 1, "experiments": {"A/b": 3}}', "A/b is not an object"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_files_that_are_not_a_state(store: FileStore, text: str, says: str) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(text.encode("latin-1"))
    for action in (
        store.read,
        lambda: store.save(State("", 0, {}), expected_serial=0),
        lambda: store.journal(Remove(KEY)),
    ):
        with pytest.raises(StateUnreadable, match=r"state\.json") as caught:
            action()
        assert says in str(caught.value)
    assert store.path.read_bytes() == text.encode("latin-1")
    assert not store.journal_path.exists()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"remoteId": 7}, "remoteId is not text"),
        ({"applied": []}, "applied is not an object"),
        ({"children": {"g": "p1"}}, "children: g is not a list"),
        ({"children": {"g": [1]}}, "children: g is not a list"),
        ({"lifecycle": {"onRemoval": "burn"}}, "burn"),
        ({"lifecycle": {"preventDestroy": 1}}, "preventDestroy"),
        ({"lifecycle": {"x": 1}}, "'x' is not known"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"intentAt": 5}, "intentAt"),
        ({"predecessors": "a"}, "predecessors"),
        ({"remoteID": "a"}, "'remoteID' is not known"),
    ],
)
def test_records_of_the_wrong_shape(values: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        record_from_json(KEY, values)


def test_links_and_places_that_cannot_be_written(tmp_path: Path) -> None:
    real = FileStore(tmp_path / "real" / "state.json")
    saved(real, record())
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "file-link").mkdir()
    (tmp_path / "file-link" / "state.json").symlink_to(real.path)
    for path in (tmp_path / "linked" / "state.json", tmp_path / "file-link" / "state.json"):
        store = FileStore(path)
        for action in (store.read, lambda s=store: s.journal(Remove(KEY)), store.unlock):
            with pytest.raises(StateProblem, match="symbolic link"):
                action()
    (tmp_path / "plain").write_text("")
    blocked = FileStore(tmp_path / "plain" / "state.json")
    for action in (blocked.read, lambda: saved(blocked, record()), lambda: blocked.journal(Remove(KEY))):
        with pytest.raises(StateProblem, match="plain"):
            action()
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(StateUnreadable, match="cannot be read"):
        FileStore(tmp_path / "folder.json").read()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(store: FileStore) -> None:
    saved(store, record())
    store.path.parent.chmod(0o500)
    try:
        assert store.read().serial == 1
        with pytest.raises(StateProblem):
            saved(store, record())
    finally:
        store.path.parent.chmod(0o700)


def test_a_failed_write_leaves_the_old_state(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    state = saved(store, record())
    content = store.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateProblem, match="No space left"):
        store.save(state, expected_serial=1)
    with pytest.raises(StateProblem, match="No space left"):
        store.journal(Put(OTHER, record(OTHER)))
    monkeypatch.undo()
    assert store.path.read_bytes() == content
    assert FileStore(store.path).read() == state
    store.journal(Put(OTHER, record(OTHER)))
    assert set(store.read().experiments) == {KEY, OTHER}


# --- the journal ---------------------------------------------------------------------------------------------------


def test_entries_show_in_the_next_read_and_a_save_clears_them(store: FileStore) -> None:
    saved(store, record())
    with store.lock(OWNER):
        store.journal(Put(OTHER, record(OTHER, ""), "intent to create"))
        store.journal(Put(OTHER, record(OTHER, "123"), "created"))
        store.journal(Remove(KEY, "deleted"))
    lines = store.journal_path.read_text().splitlines()
    assert json.loads(lines[0])["serial"] == 1
    assert [json.loads(line)["event"] for line in lines[1:]] == ["intent to create", "created", "deleted"]
    fresh = FileStore(store.path)
    state = fresh.read()
    assert state.experiments == {OTHER: record(OTHER, "123")}
    assert state.serial == 1
    after = fresh.save(state, expected_serial=1)
    assert not store.journal_path.exists()
    assert FileStore(store.path).read() == after


def test_the_first_entry_of_a_project_makes_the_state_it_builds_upon(store: FileStore) -> None:
    before = store.read()
    store.journal(Put(KEY, record(), "intent to create"))
    state = FileStore(store.path).read()
    assert state.experiments == {KEY: record()}
    assert (state.serial, len(state.lineage)) == (0, 36)
    after = store.save(State(before.lineage, 0, {KEY: record()}), expected_serial=0)
    assert (after.serial, after.lineage) == (1, state.lineage)


def test_an_entry_costs_the_same_however_large_the_state_is(store: FileStore) -> None:
    many = [record(Key("XAdsABTest", f"t{n}")) for n in range(300)]
    saved(store, *many)
    with store.lock(OWNER):
        store.journal(Put(KEY, record()))
        size = store.journal_path.stat().st_size
        stamp = store.path.stat().st_mtime_ns
        store.journal(Put(KEY, record()))
        assert store.journal_path.stat().st_size - size == len(entry_line(Put(KEY, record())))
        assert store.path.stat().st_mtime_ns == stamp


def test_a_journal_that_a_newer_state_has_taken_in_is_ignored(store: FileStore) -> None:
    saved(store, record())
    store.journal(Remove(KEY))
    left_behind = store.journal_path.read_bytes()
    state = saved(store, record(remote_id="later"))
    store.journal_path.write_bytes(left_behind)  # as if the run had been killed right after the replacement
    fresh = FileStore(store.path)
    assert fresh.read() == state
    fresh.journal(Put(OTHER, record(OTHER)))  # begins a new one
    assert set(FileStore(store.path).read().experiments) == {KEY, OTHER}
    assert saved(fresh, record()).serial == state.serial + 1


def test_a_journal_of_another_state_is_refused(store: FileStore) -> None:
    state = saved(store, record())
    for head in (header_line("another", 1), header_line(state.lineage, 2), header_line("another", 0)):
        store.journal_path.write_bytes(head)
        with pytest.raises(StateUnreadable, match="belongs to serial"):
            store.read()
        with pytest.raises(StateUnreadable):
            store.journal(Remove(KEY))
        assert store.journal_path.read_bytes() == head
    store.journal_path.write_bytes(header_line(state.lineage, 1))
    store.path.unlink()
    with pytest.raises(StateUnreadable, match="not there"):
        store.read()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"garbage", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "neither put nor remove"),
        (b'{"remove":"nokey","event":""}', "not a key"),
        (b'{"remove":"A/b","event":7}', "event"),
        (b'{"put":"A/b","event":"","record":{"applied":1}}', "applied is not an object"),
        (b'{"put":"A/b","event":"","record":{},"remove":"A/b"}', "neither put nor remove"),
        (b'{"put":"A/b","event":"","event":"","record":{}}', "twice"),
        (b'{"put":"A/b","event":"","record":{"applied":{"x":NaN}}}', "NaN"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_bad_lines_are_named(store: FileStore, line: bytes, says: str) -> None:
    state = saved(store, record())
    content = header_line(state.lineage, 1) + entry_line(Remove(OTHER)) + line + b"\n" + entry_line(Remove(KEY))
    store.journal_path.write_bytes(content)
    with pytest.raises(StateUnreadable, match=r"state\.json\.journal:3: ") as caught:
        store.read()
    assert says in str(caught.value)
    with pytest.raises(StateUnreadable):
        store.journal(Remove(KEY))
    assert store.journal_path.read_bytes() == content


@pytest.mark.parametrize("head", [b"{}\n", b"x\n", b'{"formatVersion":"9.0","lineage":"l","serial":1}\n', b"\n"])
def test_a_bad_first_line(store: FileStore, head: bytes) -> None:
    saved(store, record())
    store.journal_path.write_bytes(head)
    with pytest.raises(StateUnreadable, match=r"journal:1: "):
        store.read()


def test_values_that_json_has_no_form_of_are_refused_before_anything_is_written(store: FileStore) -> None:
    with pytest.raises(ValueError):
        store.journal(Put(KEY, Record(KEY, "x-ads", "x", "1", {"n": float("nan")})))
    assert not store.path.parent.exists()


@given(keys.flatmap(records_of))
def test_records_survive_the_round_trip(value: Record) -> None:
    assert record_from_json(value.key, json.loads(json.dumps(record_to_json(value)))) == value


@given(st.lists(entries, max_size=8))
def test_reading_the_journal_is_applying_its_entries(steps: list[Entry]) -> None:
    content = header_line("l", 4) + b"".join(entry_line(step) for step in steps)
    journal = read_journal(content)
    assert (journal.lineage, journal.serial, journal.length) == ("l", 4, len(content))
    assert journal.entries == tuple(steps)
    direct: dict[Key, Record] = {}
    for step in steps:
        if isinstance(step, Put):
            direct[step.key] = step.record
        else:
            direct.pop(step.key, None)
    assert fold({}, journal.entries) == direct


@settings(max_examples=25, deadline=None)
@given(st.lists(entries, min_size=1, max_size=3), st.data())
def test_a_kill_at_any_byte_loses_no_completed_entry(steps: list[Entry], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        store = FileStore(Path(folder) / "state.json")
        start = saved(store, record())
        lines = [header_line(start.lineage, 1), *(entry_line(step) for step in steps)]
        content = b"".join(lines)
        for step in steps:
            store.journal(step)
        assert store.journal_path.read_bytes() == content
        for cut in {0, 1, len(content), *data.draw(st.lists(st.integers(0, len(content)), max_size=6))}:
            store.journal_path.write_bytes(content[:cut])
            complete = max(content[:cut].count(b"\n") - 1, 0)
            expected = fold(start.experiments, steps[:complete])
            assert FileStore(store.path).read().experiments == expected
            next_run = FileStore(store.path)
            next_run.journal(Put(OTHER, record(OTHER), "created"))  # what was cut off does not spoil what follows
            assert FileStore(store.path).read().experiments == expected | {OTHER: record(OTHER)}


WRITER = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from reconciler.model.resource import Key, Record
from reconciler.state.file_store import FileStore
from reconciler.state.owner import owner_of
from reconciler.state.store import Put
store = FileStore(Path(sys.argv[1]))
with store.lock(owner_of({"USER": "bob"}, command="apply", now=datetime.now(UTC))):
    for n in range(100000):
        key = Key("XAdsABTest", f"t{n}")
        store.journal(Put(key, Record(key, "x-ads", "x", str(n), {}), "created"))
        print(n, flush=True)
"""


def acknowledged(lines: Iterable[str]) -> int:
    return len([line for line in lines if line.strip()])


def test_kill_9_loses_nothing_that_was_acknowledged(store: FileStore) -> None:
    run = subprocess.Popen([sys.executable, "-c", WRITER, str(store.path)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    first = [run.stdout.readline() for _ in range(20)]
    time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    count = acknowledged([*first, *run.stdout.read().split("\n")[:-1]])
    run.wait()
    with store.lock(OWNER, 0.0):  # the dead owner's lock is free at once
        state = store.read()
        assert count <= len(state.experiments) <= count + 1
        assert store.save(state, expected_serial=0).serial == 1
