"""What a remote place has to be able to do to keep a state: a few writes, each only if nobody else wrote first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Moved(Exception):
    """Somebody else wrote first; nothing was written."""


@dataclass(frozen=True)
class Position:
    """
    What a write builds upon: the `version` that is there (empty: nothing yet) and the number of the next entry.

    `group` is the medium's own name of the journal that the entry goes into.
    """

    version: str = ""
    next: int = 1
    group: str = ""


@dataclass(frozen=True)
class Kept:
    """What a place keeps: the state's text (None: nothing yet), and the lines of the journal that builds upon it."""

    position: Position = Position()
    state: bytes | None = None
    lines: tuple[bytes, ...] = ()


class Medium(Protocol):
    """
    One place of one state and its lock.

    Each write returns when it lasts; it raises Moved when another was there first, and StateProblem when it is not
    known to have been done.
    """

    @property
    def title(self) -> str:
        """What messages call the place; it holds no credentials."""
        ...

    def load(self) -> Kept:
        """Give what is there, as of one moment."""
        ...

    def append(self, at: Position, line: bytes, note: str) -> Position:
        """Add an entry to the journal, and give the position after it."""
        ...

    def replace(self, at: Position, content: bytes, serial: int, note: str) -> Position:
        """Put a new state there, with an empty journal."""
        ...

    def read_lock(self) -> tuple[str, bytes] | None:
        """Give the lock's version and text; None when there is none."""
        ...

    def write_lock(self, body: bytes, expected: str | None) -> str:
        """Write the lock in the place of version `expected` (None: there is none), and give its new version."""
        ...

    def free_lock(self, body: bytes, expected: str) -> None:
        """Take away the lock of version `expected`; a place that cannot leaves `body`, which says that it is free."""
        ...

    def keep_record(self, name: str, content: bytes, note: str) -> None:
        """Keep the audit record of a run beside the state, in the place of an earlier one of the same name."""
        ...

    def records(self, most: int) -> list[bytes]:
        """Give the audit records, the newest first, at most so many; a run may be in it twice."""
        ...

    def fence(self, number: int) -> None:
        """
        Let every write fail that builds upon what was read before.

        Called when a lock was taken over from an owner who may yet write; `number` goes up with every owner.
        """
        ...
