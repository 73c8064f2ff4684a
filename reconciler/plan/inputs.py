"""What a plan is made from: the three sides of every experiment, the moment, and what the user allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

from reconciler.model.resource import Desired, Key, Live, Reading, Record
from reconciler.platforms.base import Kind

GRACE = timedelta(seconds=60)
"""How long after a create a 404 means "not visible yet" and never "gone"."""


class Kinds(Protocol):
    """Gives the kind of a key as the API version of its connection knows it."""

    def __call__(self, kind: str, connection: str) -> Kind:
        """Raises KeyError for a kind or connection that the project does not have."""
        ...


@dataclass(frozen=True, slots=True)
class Other:
    """A live experiment met while looking for identities and holders, and the connection it was seen through."""

    connection: str
    live: Live


@dataclass(frozen=True, slots=True)
class Guards:
    """The project's limits on one plan; percentages count from `percent_floor` managed experiments up."""

    max_destroy: int | None = 5
    max_destroy_percent: float | None = 30
    max_change_percent: float | None = None
    percent_floor: int = 10


@dataclass(frozen=True)
class Options:
    """
    What the user allows and asks for.

    `allow_destroy` is None without the flag, 0 for the flag without a number, else the number named. `targets` empty
    means every experiment.
    """

    allow_destroy: int | None = None
    targets: frozenset[Key] = frozenset()
    guards: Guards = Guards()


@dataclass(frozen=True)
class Inputs:
    """
    The three sides of a project.

    `readings` are by key, for every record with a remote id. `now` is real time (the grace of creates counts from it),
    `as_of` the moment at which legality is judged. `unsearched` are connections in which holders and identities could
    not be looked for.
    """

    desired: Mapping[Key, Desired]
    records: Mapping[Key, Record]
    readings: Mapping[Key, Reading]
    others: tuple[Other, ...]
    kinds: Kinds
    now: datetime
    as_of: datetime
    options: Options = Options()
    problems: tuple[str, ...] = ()
    unsearched: frozenset[str] = frozenset()
    environment: str | None = None
    state_serial: int = 0
    state_lineage: str = ""
    managed: int = field(default=0)

    @cached_property
    def recorded(self) -> Mapping[tuple[str, str], Sequence[Key]]:
        """The keys of the records by connection and remote id, in the order of the records."""
        found: dict[tuple[str, str], list[Key]] = {}
        for key, record in self.records.items():
            if record.remote_id:
                found.setdefault((record.connection, record.remote_id), []).append(key)
        return found

    @cached_property
    def met(self) -> Mapping[tuple[str, str], Live]:
        """The live experiments of `others` by connection and remote id."""
        found: dict[tuple[str, str], Live] = {}
        for other in self.others:
            found.setdefault((other.connection, other.live.remote_id), other.live)
        return found

    def alike(self, kind: Kind, connection: str, identity: Any) -> Sequence[Live]:
        """Give the experiments among `others` that have an identity and are not over."""
        place = (kind.name, connection)
        if place not in self._by_identity:
            found: dict[Any, list[Live]] = {}
            for other in self.others:
                if other.connection == connection and not other.live.over:
                    found.setdefault(kind.identity(other.live.spec, other.live), []).append(other.live)
            self._by_identity[place] = found
        return self._by_identity[place].get(identity, ())

    @cached_property
    def _by_identity(self) -> dict[tuple[str, str], dict[Any, list[Live]]]:
        return {}

    def seen(self, kind: Kind, live: Live) -> Live:
        """
        Give a live experiment as it counts for the plan: as the platform reports it.

        Only a plan for a later moment (`--as-of`) lets the clock move it: a clock of ours never overrides a status that
        the platform reports now, or a running experiment could be taken for one that is over.
        """
        return kind.seen_at(live, self.as_of) if self.as_of > self.now else live
