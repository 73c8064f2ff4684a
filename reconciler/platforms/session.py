"""
How a platform is reached: what is asked of it, what it gives back, and a connection to it.

A platform package gives a `Platform`: its kinds (`base`) and `connect`, which makes a `Session` that reads, searches
and sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from reconciler.model.budget import Quota
from reconciler.model.change import Call
from reconciler.model.resource import Desired, Key, Live, Reading, Record, Spec
from reconciler.platforms.base import Kind
from reconciler.platforms.exchange import Trace

READ_ATTEMPTS = 5
"""How often a read is sent that fails in a way which may pass."""
LeftOut: TypeAlias = Callable[[str], None]
"""Is told, as a sentence, which experiment a listing leaves out and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One recorded experiment to read: its key, remote id, account (where the platform has one) and kind name."""

    key: Key
    remote_id: str
    account: str = ""


@dataclass(frozen=True)
class ReadRequest:
    """
    What a plan needs to know of one connection, in one go, so that the session can choose the cheapest reads.

    `wanted` are recorded experiments; `seek` are manifests for which experiments of the same identity are looked for,
    and experiments that hold an entity they claim. `records` are those of `wanted`, by remote id, as far as they are
    known: what is read is made of their parts where it is the same (`sharing`), and means nothing else.
    `unless_changed` lets a connection that is set so give what an earlier run read, where the platform says that
    nothing has changed since; nothing that a write depends on is asked for like that.
    """

    wanted: tuple[Wanted, ...] = ()
    seek: tuple[Desired, ...] = ()
    records: Mapping[str, Record] = field(default_factory=dict, compare=False, repr=False)
    unless_changed: bool = False


@dataclass(frozen=True)
class Snapshot:
    """
    What one connection reports.

    `readings` by remote id of `wanted`. `others` are live experiments (not deleted) met on the way that share the
    identity or an entity of something sought; they may include wanted ones. `failures` are sentences on what could not
    be searched: then adoption and holders are unknown, and the plan is incomplete.
    """

    readings: Mapping[str, Reading] = field(default_factory=dict)
    others: tuple[Live, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreflightItem:
    """One create (`live` is None) or update to ask the platform about before anything is sent."""

    key: Key
    target: Spec
    live: Live | None


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One item of a platform's own dry run: `entity` names what it is about, in the form that `Claims` uses."""

    code: str
    message: str
    is_error: bool
    entity: str = ""


@dataclass(frozen=True)
class Preflight:
    """
    The answers of a platform's dry run by key, and sentences on what could not be asked.

    `refused` are sentences about several experiments, whose keys stand in the place of `{names}`.
    """

    findings: Mapping[Key, tuple[PreflightFinding, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a write gave back: the id of a created resource where the answer names one, and the resource if shown."""

    remote_id: str = ""
    live: Live | None = None


class Session(Protocol):
    """One open connection to one platform. Every method may raise `PlatformError`; messages hold no secret."""

    connection: str
    platform: str

    async def snapshot(self, request: ReadRequest) -> Snapshot:
        """Read what is wanted and search what is sought, in the fewest requests. Reads are retried inside."""
        ...

    async def preflight(self, items: Sequence[PreflightItem]) -> Preflight:
        """Ask the platform's own dry run; an empty answer where the platform has none."""
        ...

    async def send(self, call: Call, kind: Kind) -> Answer:
        """
        Send one call, once, except where the platform says "not done" (429, 401 once, 423): then after waiting.

        Raises NotSent, Unclear, Refused, NotFound, Unauthorized, LimitReached or BadAnswer.
        """
        ...

    async def settle(self, kind: Kind, wanted: Wanted) -> Reading:
        """Read one experiment until no platform job is under way on it; Unknown when that takes too long."""
        ...

    def listing(self, account: str, left_out: LeftOut | None = None) -> AsyncIterator[Live]:
        """
        Give every live experiment of an account (all of the org where the platform has no accounts).

        With `left_out`, one that cannot be read does not end the list: it is told, as a sentence, and left out.
        """
        ...

    async def close(self) -> None:
        """Give back sockets."""
        ...


@dataclass(frozen=True)
class ConnectionSettings:
    """
    One named way into one platform, with every `${NAME}` of it resolved.

    `auth` holds secrets: it is never printed (repr leaves it out). `max_wait_s` is how long a rate limit may make the
    run wait, `read_attempts` how often a read that fails is sent. `cache_dir` is where rotated refresh tokens are kept,
    owner-only, and, with `incremental`, what was read. `announce` is told sentences such as "rate limit reached,
    waiting 40 s". `trace` is told of every request, `observe` of every quota that an answer tells.
    """

    name: str
    platform: str
    base_url: str
    api_version: str
    accounts: tuple[str, ...] = ()
    auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_wait_s: float = 900.0
    cache_dir: str | None = None
    incremental: bool = False
    announce: Callable[[str], None] = field(default=lambda sentence: None, repr=False)
    trace: Trace | None = field(default=None, repr=False)
    observe: Callable[[Quota], None] = field(default=lambda quota: None, repr=False)
    read_attempts: int = READ_ATTEMPTS


@dataclass(frozen=True)
class Platform:
    """One platform: its kinds, how to connect, and what a connection of it looks like in the project file."""

    name: str
    title: str
    kinds: tuple[Kind, ...]
    connect: Callable[[ConnectionSettings], Session]
    default_base_url: str | None
    default_api_version: str
    auth_shapes: tuple[frozenset[str], ...]
    """The sets of `auth` keys of which one has to be given."""
    auth_optional: frozenset[str] = frozenset()
    """`auth` keys that may stand beside any shape."""
    account_pattern: str = ".+"
    """What an entry of `accounts` looks like (a regular expression, whole match)."""
    refreshes: frozenset[str] = frozenset({"full"})
    """Ways of reading what is recorded: all of it (`full`), or what has changed since (`incremental`)."""
    reads_one_by_one: bool = False
    """Whether reading an experiment by id is a request of its own, whatever else is read."""
