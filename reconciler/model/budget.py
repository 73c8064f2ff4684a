"""
What an apply costs in requests: the limits that platforms document, what a plan needs of them, and what is left of a
quota. Values only: the numbers stand in the platform packages, each with its source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.model.time import iso


class Covers(StrEnum):
    """Which requests count against a limit."""

    WRITES = "writes"
    READS = "reads"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    One limit of a platform.

    `calls` are allowed in any `window_s` seconds; None where the platform documents that there is a limit and not how
    high it is, with `note` saying where the number is to be found. `per` says whose requests are counted together; with
    `per_account` each ad account has a limit of its own. `source` is the address of the page that states it.
    """

    covers: Covers
    per: str
    calls: int | None
    window_s: int
    source: str
    note: str = ""
    per_account: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What an apply sends for one ad account (empty where the platform has none): calls exactly, reads about."""

    account: str
    calls: int
    reads: int

    def counted(self, covers: Covers) -> int:
        """Give how many of the requests count against a limit."""
        match covers:
            case Covers.WRITES:
                return self.calls
            case Covers.READS:
                return self.reads
            case Covers.REQUESTS:
                return self.calls + self.reads


@dataclass(frozen=True)
class Budget:
    """
    What an apply needs of one connection.

    `minutes` is how long the documented limits per minute or quarter of an hour make the calls and reads last, from an
    unused window on; None where the platform documents no such limit. `notes` say what is not documented.
    """

    connection: str
    platform: str
    loads: tuple[Load, ...]
    minutes: float | None
    allowances: tuple[Allowance, ...] = ()

    @property
    def calls(self) -> int:
        """Requests that change something."""
        return sum(load.calls for load in self.loads)

    @property
    def reads(self) -> int:
        """Requests that look before and after, about."""
        return sum(load.reads for load in self.loads)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the platform's pages leave open."""
        return tuple(dict.fromkeys(item.note for item in self.allowances if item.note))


@dataclass(frozen=True, slots=True)
class Quota:
    """
    What an answer says of a quota: `left` of `limit` requests of `what`, until `resets_at` (None: not told).

    `connection` names through which connection it was seen, `account` the ad account that it is of, where it is of one.
    """

    connection: str
    what: str
    limit: int
    left: int
    resets_at: datetime | None = None
    covers: Covers = Covers.REQUESTS
    account: str = ""

    @property
    def low(self) -> bool:
        """Whether less than a tenth is left."""
        return self.left * 10 < self.limit

    @property
    def said(self) -> str:
        """The quota as a sentence."""
        until = f" until {iso(self.resets_at)}" if self.resets_at else ""
        return f"{self.connection}: {self.left:,} of {self.limit:,} {self.what} are left{until}"

    def needed(self, budgets: Iterable[Budget]) -> int:
        """Give how much of it an apply needs."""
        loads = [load for item in budgets if item.connection == self.connection for load in item.loads]
        return sum(load.counted(self.covers) for load in loads if self.account in ("", load.account))
