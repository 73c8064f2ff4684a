"""
The state in a JSON file that reads well in a diff, with a journal beside it.

Files: `state.json`, the versions before it (`state.json.backup`, then `.backup.2` to `.backup.5`), the journal of a
run under way (`state.json.journal`), the lock. The state is replaced atomically and only as a whole; a journal names
the serial it builds upon, so one that is left after its entries went into a newer state is recognised and ignored.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.errors import StateConflict, StateProblem, StateUnreadable
from reconciler.model.resource import Desired, Key
from reconciler.state.journal import BadLine, Journal, entry_line, header_line, read_journal
from reconciler.state.lock import Lock, utc_now
from reconciler.state.owner import Owner
from reconciler.state.store import NONE_WANTED, Entry, State, fold, next_state
from reconciler.state.text import read_state, state_text

BACKUPS = 5
"""How many versions before the present one are kept: `state.json.backup`, then `.backup.2` up to this number."""
_BRIEF_LOCK_S = 5.0
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class _Seen:
    """What this store knows of the files: the state's lineage and serial, and how many journal entries it has met."""

    lineage: str
    serial: int
    entries: int


class FileStore:
    """Keeps the state in one file; see `Store`. `now` is for tests."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = utc_now) -> None:
        self.path = path
        self.backup_path = path.with_name(path.name + ".backup")
        self.journal_path = path.with_name(path.name + ".journal")
        self._lock = Lock(path, now=now)
        self._seen: _Seen | None = None
        self._tail: int | None = None  # the journal's open descriptor, kept while the lock is held
        self._guard = threading.Lock()

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self, wanted: Mapping[Key, Desired] = NONE_WANTED) -> State:
        """Give the state with the journal folded in; an empty one when nothing was ever written."""
        state, journal = self._load(wanted)
        self._seen = _Seen(state.lineage, state.serial, len(journal.entries))
        return State(state.lineage, state.serial, fold(state.experiments, journal.entries))

    def _load(self, wanted: Mapping[Key, Desired] = NONE_WANTED) -> tuple[State, Journal]:
        """Read both files. A journal that is folded in already counts as empty."""
        for _ in range(3):
            content, lines = self._bytes(self.path), self._bytes(self.journal_path)
            if self._is_still(content):  # else a save went on between the two
                break
        state = State() if content is None else self._parse(content, wanted)
        try:
            journal = read_journal(lines or b"")
        except BadLine as error:
            raise StateUnreadable(
                f"{self.journal_path}:{error.line}: {error}; it was changed by hand or damaged: remove or repair that "
                "line (what it recorded is lost then: look for the experiment on the platform and import it)"
            ) from None
        if not journal.length or (journal.lineage == state.lineage and journal.serial < state.serial):
            return state, Journal()
        if (journal.lineage, journal.serial) != (state.lineage, state.serial):
            found = f"serial {state.serial} of state {state.lineage}" if state.lineage else "not there"
            raise StateUnreadable(
                f"{self.journal_path} belongs to serial {journal.serial} of state {journal.lineage}, but {self.path} "
                f"is {found}: put the matching state file back (or move the journal away, which loses what it recorded)"
            )
        return state, journal

    def _bytes(self, path: Path) -> bytes | None:
        self._check_place(path)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateUnreadable(f"{path} cannot be read: {error.strerror or error}") from None

    def _is_still(self, content: bytes | None) -> bool:
        """Tell whether the state's file is there with this content; never holds a second one of it."""
        if content is None:
            return self._bytes(self.path) is None
        try:
            with self.path.open("rb") as stream:
                blocks = all(stream.read(_BLOCK) == content[at : at + _BLOCK] for at in range(0, len(content), _BLOCK))
                return blocks and not stream.read(1)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StateUnreadable(f"{self.path} cannot be read: {error.strerror or error}") from None

    def _parse(self, content: bytes, wanted: Mapping[Key, Desired]) -> State:
        restore = f"restore it from {self.backup_path.name} or from version control"
        return read_state(content, str(self.path), restore, wanted)

    # --- writing -----------------------------------------------------------------------------------------------

    def save(self, state: State, *, expected_serial: int) -> State:
        """Write exactly `state`, as `Store.save` says; the version before it stays as `.backup`."""
        return self._save(state, expected_serial)

    def restore(self, state: State, *, expected_serial: int) -> State:
        """Write `state` with its own lineage and serial; see `Store.restore`."""
        return self._save(state, expected_serial, exact=True)

    def _save(self, state: State, expected_serial: int, *, exact: bool = False) -> State:
        with self._guard, self._exclusive():
            before, journal = self._load()
            strange = not exact and state.lineage and before.lineage not in ("", state.lineage)
            if before.serial != expected_serial or strange:
                raise StateConflict(
                    f"{self.path} is at serial {before.serial} now, this run began from {expected_serial}: somebody "
                    "else saved in between; nothing was overwritten: run again"
                )
            known = self._seen.entries if self._seen and self._seen.serial == before.serial else 0
            if len(journal.entries) > known:
                raise StateConflict(
                    f"{self.journal_path} has entries of another run that this one has not read; nothing was "
                    "overwritten: run again"
                )
            saved = state if exact else next_state(before, state)
            self._write(saved)
            self._close_tail()
            with contextlib.suppress(OSError):  # a journal that stays is older than the state, and ignored
                self.journal_path.unlink()
            self._seen = _Seen(saved.lineage, saved.serial, 0)
            return saved

    def journal(self, entry: Entry) -> None:
        """Append one entry and wait until the disk has it; the first one of a run also makes the file."""
        line = entry_line(entry)
        with self._guard, self._exclusive():
            try:
                if self._tail is None:
                    self._tail = self._open_tail()
                _append(self._tail, line)
            except OSError as error:
                self._close_tail()
                raise StateProblem(f"{self.journal_path} cannot be written: {error.strerror or error}") from None
            if self._seen is not None:
                self._seen = _Seen(self._seen.lineage, self._seen.serial, self._seen.entries + 1)
            if not self._lock.held:
                self._close_tail()

    def _open_tail(self) -> int:
        """Give the journal's descriptor, at its end: what was cut off is gone, and the first line names the state."""
        state, journal = self._load()
        if not state.lineage:
            state = State(str(uuid.uuid4()), 0, {})
            self._write(state)
        if self._seen is None or self._seen.serial != state.serial:
            self._seen = _Seen(state.lineage, state.serial, len(journal.entries))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        tail = os.open(self.journal_path, flags, 0o666)
        try:
            os.ftruncate(tail, journal.length)
            if not journal.length:
                _append(tail, header_line(state.lineage, state.serial))
                _sync_folder(self.path.parent)
        except BaseException:
            os.close(tail)
            raise
        return tail

    def _close_tail(self) -> None:
        if self._tail is not None:
            tail, self._tail = self._tail, None
            os.close(tail)

    def _write(self, state: State) -> None:
        content = state_text(state)
        try:
            before = self._bytes(self.path)
            if before is not None and before != self._bytes(self.backup_path):
                self._age_backups()
                _replace(self.backup_path, before, like=self.path)
            _replace(self.path, content, like=self.path)
        except OSError as error:
            raise StateProblem(
                f"{self.path} cannot be written: {error.strerror or error}; nothing of it was changed"
            ) from None

    def _age_backups(self) -> None:
        for number in range(BACKUPS, 1, -1):
            older = self.backup_path.with_name(f"{self.backup_path.name}.{number}")
            newer = self.backup_path if number == 2 else older.with_suffix(f".{number - 1}")
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    # --- who may -----------------------------------------------------------------------------------------------

    def lock(self, owner: Owner, timeout_s: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lock as a context; raises Locked, naming its owner, when it is not free within `timeout_s`."""
        return self._locked(owner, timeout_s)

    def holder(self) -> str | None:
        """Give who holds the lock, as its note says; see `Store.holder`."""
        return self._lock.holder()

    def unlock(self, *, force: bool = False) -> str | None:
        """Remove what a dead owner left; see `Store.unlock`. The kernel's lock of a living owner cannot be forced."""
        if not self.path.parent.is_dir():
            return None
        self._check_place(self.path)
        return self._lock.clear()

    @contextlib.contextmanager
    def _locked(self, owner: Owner | None, timeout_s: float) -> Iterator[None]:
        self._check_place(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateProblem(f"the folder {self.path.parent} cannot be made: {error.strerror or error}") from None
        with self._lock.hold(owner, timeout_s):
            try:
                yield
            finally:
                self._close_tail()

    def _exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock for a moment, unless this store holds it anyway."""
        return contextlib.nullcontext() if self._lock.held else self._locked(None, _BRIEF_LOCK_S)

    def _check_place(self, path: Path) -> None:
        """Refuse links: a replaced file would cut them, and a folder that is one may lead out of the project."""
        for place in (path.parent, path):
            if place.is_symlink():
                raise StateProblem(f"{place} is a symbolic link: name the real place in the project file's state.path")


def _append(descriptor: int, line: bytes) -> None:
    """Write a whole line and wait for the disk; takes back what was written when that fails half way."""
    before = os.fstat(descriptor).st_size
    try:
        left = memoryview(line)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def _replace(path: Path, content: bytes, *, like: Path) -> None:
    """Replace a file atomically and durably; it keeps the permissions of `like`, or gets the usual ones."""
    fresh = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(fresh, flags, 0o666)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(descriptor, like.stat().st_mode & 0o777)
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    finally:
        os.close(descriptor)
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
