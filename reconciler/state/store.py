"""What a state is and what a store of it can do; `backends` makes the one that a project asks for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from reconciler.model.resource import Desired, Key, Record
from reconciler.state.owner import Owner

NONE_WANTED: Mapping[Key, Desired] = {}
"""No manifests."""


@dataclass(frozen=True)
class State:
    """
    Everything that is managed, as of one save.

    `lineage` names the project's state for its whole life (a UUID made with the first write; empty before); `serial`
    goes up by one with every save.
    """

    lineage: str = ""
    serial: int = 0
    experiments: Mapping[Key, Record] = field(default_factory=dict)


@dataclass(frozen=True)
class Put:
    """A record as it stands after an event (such as `intent to create`); replaces the one of the same key."""

    key: Key
    record: Record
    event: str = ""


@dataclass(frozen=True)
class Remove:
    """A record is no longer there; removing what is not there changes nothing."""

    key: Key
    event: str = ""


Entry: TypeAlias = Put | Remove


def fold(experiments: Mapping[Key, Record], entries: Iterable[Entry]) -> dict[Key, Record]:
    """Give the records after the entries, applied in their order."""
    records = dict(experiments)
    for entry in entries:
        match entry:
            case Put(key, record):
                records[key] = record if record.key == key else replace(record, key=key)
            case Remove(key):
                records.pop(key, None)
    return records


def next_state(before: State, state: State) -> State:
    """Give a state as it is saved after another: of the same lineage (or of a new one), with the next serial."""
    lineage = before.lineage or state.lineage or str(uuid.uuid4())
    return State(lineage, before.serial + 1, dict(state.experiments))


class Store(Protocol):
    """
    Keeps one project's state.

    While a run goes on it appends entries (`journal`), each of which lasts from the moment the call returns; `save`
    then writes the whole. A run that was killed leaves its entries behind, and the next `read` has them in it.
    """

    def read(self, wanted: Mapping[Key, Desired] = NONE_WANTED) -> State:
        """
        Give the state, entries left in the journal included; raises StateUnreadable when it cannot be used.

        A record that states what its manifest in `wanted` does shares that one's spec (where a manifest gives the order
        of its keys): that is less to hold, and means nothing else.
        """
        ...

    def save(self, state: State, *, expected_serial: int) -> State:
        """
        Write exactly `state` as serial `expected_serial + 1`, clear the journal, and give it with its new serial.

        Raises StateConflict when what is stored is not of `expected_serial`, or has entries that neither `read` has
        shown nor `journal` of this store has written.
        """
        ...

    def restore(self, state: State, *, expected_serial: int) -> State:
        """
        Write `state` with the lineage and serial that it has itself, as when one is brought from elsewhere.

        Raises StateConflict as `save` does; another lineage is no conflict here. The caller has to hold the lock.
        """
        ...

    def journal(self, entry: Entry) -> None:
        """Append one entry, durably; its cost does not grow with the state."""
        ...

    def lock(self, owner: Owner, timeout_s: float = 0.0) -> AbstractContextManager[None]:
        """Keep everybody else out; raises Locked, naming who is in, when that takes longer than `timeout_s`."""
        ...

    def holder(self) -> str | None:
        """Give who holds the lock and since when, for a command that takes none; None when it is free."""
        ...

    def unlock(self, *, force: bool = False) -> str | None:
        """
        Remove what a dead owner left; gives a sentence on it, or None.

        Raises Locked when the owner lives or may live; with `force` the lock of one who may live is removed as well.
        """
        ...
