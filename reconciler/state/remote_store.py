"""
The state in a remote place: what `FileStore` does with files, done with writes that name what they build upon.

Every write is a compare-and-swap, the entries of the journal too. So two runs that believe to hold the lock cannot both
go on: an entry is written before each call to a platform, and only one of them can write the next.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import StateConflict, StateUnreadable
from reconciler.model.resource import Desired, Key
from reconciler.state.journal import BadLine, entry_line, read_entry
from reconciler.state.lease import DEFAULT_EXPIRY_S, Lease
from reconciler.state.lock import utc_now
from reconciler.state.medium import Medium, Moved, Position
from reconciler.state.owner import Owner
from reconciler.state.store import NONE_WANTED, Entry, State, fold, next_state
from reconciler.state.text import read_state, state_text

_BRIEF_LOCK_S = 5.0
_MAX_NOTE = 200


@dataclass(frozen=True)
class _Seen:
    """What this store knows of the place: the state's lineage and serial, and how many journal entries it has met."""

    lineage: str
    serial: int
    entries: int


class RemoteStore:
    """Keeps the state in a medium; see `Store`. `lock_expires_s` None: a lock never expires. `now` is for tests."""

    def __init__(
        self,
        medium: Medium,
        *,
        lock_expires_s: float | None = DEFAULT_EXPIRY_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.medium = medium
        self._now = now
        self._lease = Lease(medium, expires_s=lock_expires_s, now=now)
        self._seen: _Seen | None = None
        self._at: Position | None = None  # where the next write goes, known while the lock is held
        self._guard = threading.Lock()

    def read(self, wanted: Mapping[Key, Desired] = NONE_WANTED) -> State:
        """Give the state with the journal folded in; an empty one when nothing was ever written."""
        with self._guard:
            state, entries, at = self._load(wanted)
            self._seen = _Seen(state.lineage, state.serial, len(entries))
            self._at = at
            return State(state.lineage, state.serial, fold(state.experiments, entries))

    def save(self, state: State, *, expected_serial: int) -> State:
        """Write exactly `state`, as `Store.save` says."""
        return self._save(state, expected_serial)

    def restore(self, state: State, *, expected_serial: int) -> State:
        """Write `state` with its own lineage and serial; see `Store.restore`."""
        return self._save(state, expected_serial, exact=True)

    def _save(self, state: State, expected_serial: int, *, exact: bool = False) -> State:
        title = self.medium.title
        with self._guard, self._exclusive():
            self._lease.renew()
            before, entries, at = self._load()
            strange = not exact and state.lineage and before.lineage not in ("", state.lineage)
            if before.serial != expected_serial or strange:
                raise StateConflict(
                    f"{title} is at serial {before.serial} now, this run began from {expected_serial}: somebody "
                    "else saved in between; nothing was overwritten: run again"
                )
            known = self._seen.entries if self._seen and self._seen.serial == before.serial else 0
            if len(entries) > known:
                raise StateConflict(
                    f"{title} has entries of another run that this one has not read; nothing was overwritten: run again"
                )
            saved = state if exact else next_state(before, state)
            self._at = self._replace(at, saved, f"state: serial {saved.serial}")
            self._seen = _Seen(saved.lineage, saved.serial, 0)
            return saved

    def journal(self, entry: Entry) -> None:
        """Append one entry; when this returns, the place has it."""
        line = entry_line(entry)
        with self._guard, self._exclusive():
            if self._at is None:
                self._begin()
            assert self._at is not None
            if not self._at.version:
                self._at = self._replace(self._at, State(str(uuid.uuid4()), 0, {}), "state: begun")
                self._begin()
            self._lease.renew()
            try:
                self._at = self.medium.append(self._at, line, f"{entry.key}: {entry.event}"[:_MAX_NOTE])
            except Moved:
                raise self._moved() from None
            if self._seen is not None:
                self._seen = _Seen(self._seen.lineage, self._seen.serial, self._seen.entries + 1)

    def lock(self, owner: Owner, timeout_s: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lock as a context; raises Locked, naming its owner, when it is not free within `timeout_s`."""
        return self._locked(owner, timeout_s)

    def holder(self) -> str | None:
        """Give who holds the lock; see `Store.holder`. Raises StateProblem when the place cannot be asked."""
        return self._lease.holder()

    def unlock(self, *, force: bool = False) -> str | None:
        """Remove a lock that is over, or with `force` any; see `Store.unlock`."""
        return self._lease.clear(force=force)

    def keep_record(self, name: str, content: bytes, note: str) -> None:
        """Keep the audit record of a run beside the state; raises StateProblem when that fails."""
        self.medium.keep_record(name, content, note[:_MAX_NOTE])

    def records(self, most: int) -> list[bytes]:
        """Give the audit records, newest first; those of one run may come twice, the fuller one first."""
        return self.medium.records(most)

    @contextlib.contextmanager
    def _locked(self, owner: Owner, timeout_s: float) -> Iterator[None]:
        with self._lease.hold(owner, timeout_s):
            self._at = None
            try:
                yield
            finally:
                self._at = None

    def _exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock for a moment, unless this store holds it anyway."""
        if self._lease.held:
            return contextlib.nullcontext()
        user = os.environ.get("USER") or os.environ.get("USERNAME") or ""
        brief = Owner(socket.gethostname(), os.getpid(), user, "a single write of the state", self._now())
        return self._locked(brief, _BRIEF_LOCK_S)

    def _begin(self) -> None:
        state, entries, self._at = self._load()
        if self._seen is None or (self._seen.lineage, self._seen.serial) != (state.lineage, state.serial):
            self._seen = _Seen(state.lineage, state.serial, len(entries))

    def _load(self, wanted: Mapping[Key, Desired] = NONE_WANTED) -> tuple[State, tuple[Entry, ...], Position]:
        kept, title = self.medium.load(), self.medium.title
        if kept.state is None:
            return State(), (), kept.position
        restore = "an earlier version can be put there with: reconciler state push FILE"
        state = read_state(kept.state, title, restore, wanted)
        try:
            entries = tuple(read_entry(line, number) for number, line in enumerate(kept.lines, 1))
        except BadLine as error:
            raise StateUnreadable(f"{title}: entry {error.line} of the journal: {error}; it is damaged") from None
        return state, entries, kept.position

    def _replace(self, at: Position, state: State, note: str) -> Position:
        try:
            return self.medium.replace(at, state_text(state), state.serial, note)
        except Moved:
            raise self._moved() from None

    def _moved(self) -> StateConflict:
        self._at = None
        return StateConflict(
            f"{self.medium.title} was written by somebody else since this run read it; nothing of it was overwritten, "
            "and nothing more is sent: run again"
        )
