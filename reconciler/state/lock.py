"""
The lock that keeps a second run out: a kernel lock on a file, and beside it a note of who holds it.

The kernel gives the lock back the moment its owner dies, kill -9 included, so there is no lease to expire and nothing
to guess. The note only serves the message; a note whose owner is dead is a leftover.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from reconciler.errors import Locked, StateProblem
from reconciler.state.owner import Owner

_POLL_S = 0.1


def utc_now() -> datetime:
    """Give the time as of now."""
    return datetime.now(UTC)


class Lock:
    """The lock of one state file: `<state>.lock`, with the owner's note in `<state>.lock.json`."""

    def __init__(self, state: Path, *, now: Callable[[], datetime] = utc_now) -> None:
        self._state = state
        self._path = state.with_name(state.name + ".lock")
        self._note = state.with_name(state.name + ".lock.json")
        self._now = now
        self.held = False

    @contextlib.contextmanager
    def hold(self, owner: Owner | None, timeout_s: float) -> Iterator[None]:
        """Hold the lock; raises Locked after `timeout_s`. Without an owner no note is left (for moments only)."""
        from filelock import FileLock, Timeout  # most commands take no lock

        lock = FileLock(self._path, thread_local=False)
        try:
            lock.acquire(timeout=max(timeout_s, 0.0), poll_interval=_POLL_S)
        except (Timeout, RuntimeError):  # RuntimeError: this process holds it already
            raise self._locked() from None
        except OSError as error:
            raise StateProblem(f"the lock {self._path} cannot be taken: {error.strerror or error}") from None
        self.held = True
        try:
            if owner is not None:
                self._leave_note(owner)
            yield
        finally:
            self.held = False
            if owner is not None:
                with contextlib.suppress(OSError):
                    self._note.unlink()
            lock.release()

    def holder(self) -> str | None:
        """Give whose the lock is now and since when, as the note says; None without a note of somebody who may live."""
        owner = self._owner()
        return None if owner is None or owner.is_dead() else owner.described(self._now())

    def clear(self) -> str | None:
        """Remove a dead owner's note; gives a sentence on it, or None when there is none. Raises Locked."""
        with self.hold(None, 0.0):
            owner, there = self._owner(), self._note.exists()
            if not there:
                return None
            try:
                self._note.unlink()
            except OSError as error:
                raise StateProblem(f"{self._note} cannot be removed: {error.strerror}") from None
            return f"the leftover of {owner.described(self._now())} is removed" if owner else "a leftover is removed"

    def _leave_note(self, owner: Owner) -> None:
        with contextlib.suppress(OSError):  # the note is a courtesy; the lock holds without it
            self._note.unlink(missing_ok=True)  # a leftover, or a link to somewhere else
            with self._note.open("x", encoding="utf-8") as stream:
                stream.write(json.dumps(owner.to_json(), indent=2) + "\n")

    def _owner(self) -> Owner | None:
        try:
            return Owner.from_json(json.loads(self._note.read_text("utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    def _locked(self) -> Locked:
        owner = self._owner()
        who = "another run that has not said who it is"
        if owner is not None and not owner.is_dead():
            who = owner.described(self._now())
        return Locked(
            f"{self._state} is locked by {who}; wait for it to end (--lock-timeout SECONDS) or end that process: the "
            "lock is free as soon as it is gone (reconciler state unlock clears up what it may leave)"
        )
