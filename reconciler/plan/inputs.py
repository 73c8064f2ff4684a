"""What a plan is made from: the three sides of every experiment, the moment, and what the user allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

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

    def seen(self, kind: Kind, live: Live) -> Live:
        """
        Give a live experiment as it counts for the plan: as the platform reports it.

        Only a plan for a later moment (`--as-of`) lets the clock move it: a clock of ours never overrides a status that
        the platform reports now, or a running experiment could be taken for one that is over.
        """
        return kind.seen_at(live, self.as_of) if self.as_of > self.now else live
