"""
Reading what is live: the sessions of one run, and what a plan asks of each connection in the fewest requests.

What cannot be read is told apart from what is not there: a failed read makes its experiments unknown, never gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler.errors import PlatformError
from reconciler.model.budget import Quota
from reconciler.model.resource import Desired, Key, Live, Reading, Record, Unknown
from reconciler.model.sharing import reading_like
from reconciler.model.span import Spans, no_spans
from reconciler.plan.inputs import Kinds, Other
from reconciler.platforms.base import Kind
from reconciler.platforms.session import ReadRequest, Session, Snapshot, Wanted
from reconciler.state.store import State

OpenSession = Callable[[str], Session]
"""Opens the session of a connection by name; raises ReconcilerError when a variable of it is missing."""


@dataclass(frozen=True)
class Sides:
    """What the platforms report for one plan."""

    readings: Mapping[Key, Reading] = field(default_factory=dict)
    others: tuple[Other, ...] = ()
    problems: tuple[str, ...] = ()
    unsearched: frozenset[str] = frozenset()


class Early(Protocol):
    """Readings that were made before anybody asked for them."""

    async def readings(self, connection: str) -> Mapping[str, Reading]:
        """Give what was read of a connection, by remote id; what is not certain is not among it."""
        ...

    @property
    def quotas(self) -> Sequence[Quota]:
        """What the answers told of quotas, of the connections whose readings were given."""
        ...

    def judged_by(self, state: State) -> None:
        """Tell the state that the plan is made from: what was read for another one is not given."""
        ...


class Sessions:
    """The sessions of one run, each opened when it is first asked for."""

    def __init__(self, open_session: OpenSession) -> None:
        self._open = open_session
        self.opened: dict[str, Session] = {}

    def get(self, connection: str) -> Session:
        """Give the session of a connection; raises ReconcilerError when it cannot be opened."""
        if connection not in self.opened:
            self.opened[connection] = self._open(connection)
        return self.opened[connection]

    async def close(self) -> None:
        """Close every session that was opened."""
        await asyncio.gather(*(session.close() for session in self.opened.values()))


@asynccontextmanager
async def sessions_of(open_session: OpenSession) -> AsyncIterator[Sessions]:
    """Give the sessions of a run, closed at its end."""
    sessions = Sessions(open_session)
    try:
        yield sessions
    finally:
        await sessions.close()


async def read_sides(
    kinds: Kinds,
    sessions: Sessions,
    desired: Mapping[Key, Desired],
    records: Mapping[Key, Record],
    asked: Iterable[Key],
    spans: Spans = no_spans,
    early: Early | None = None,
) -> Sides:
    """Read what the plan of the asked keys needs to know, all connections abreast, each in one request of its own."""
    return await read_from(sessions, read_requests(kinds, desired, records, asked), spans, early)


async def read_from(
    sessions: Sessions, requests: Mapping[str, ReadRequest], spans: Spans = no_spans, early: Early | None = None
) -> Sides:
    """Read what is asked of each connection, all of them abreast, but for what was read early."""
    connections = sorted(requests)
    opened = [sessions.get(connection) for connection in connections]
    answers = await asyncio.gather(
        *(
            _read_one(session, requests[name], name, spans, early)
            for session, name in zip(opened, connections, strict=True)
        )
    )
    readings: dict[Key, Reading] = {}
    others: list[Other] = []
    problems: list[str] = []
    unsearched: set[str] = set()
    for connection, (snapshot_readings, live, failures) in zip(connections, answers, strict=True):
        readings.update(snapshot_readings)
        others.extend(Other(connection, item) for item in live)
        if failures:
            unsearched.add(connection)
            problems.extend(f"connection {connection}: {failure}" for failure in failures)
    return merged_sides([Sides(readings, tuple(others), tuple(problems), frozenset(unsearched))])


def merged_sides(parts: Iterable[Sides]) -> Sides:
    """Give what several reads of different experiments found as one, in an order that does not hang on how many."""
    readings: dict[Key, Reading] = {}
    others: dict[tuple[str, str], Other] = {}
    problems: set[str] = set()
    unsearched: set[str] = set()
    for part in parts:
        readings.update(part.readings)
        others.update({(other.connection, other.live.remote_id): other for other in part.others})
        problems.update(part.problems)
        unsearched |= part.unsearched
    return Sides(
        {key: readings[key] for key in sorted(readings)},
        tuple(others[place] for place in sorted(others)),
        tuple(sorted(problems)),
        frozenset(unsearched),
    )


async def _read_one(
    session: Session, request: ReadRequest, connection: str, spans: Spans, early: Early | None
) -> tuple[dict[Key, Reading], tuple[Live, ...], tuple[str, ...]]:
    known = await early.readings(connection) if early is not None else {}
    left = replace(request, wanted=tuple(item for item in request.wanted if item.remote_id not in known))
    missing = Unknown("the platform's answer leaves it out")
    failures: tuple[str, ...] = ()
    snapshot = Snapshot()
    if left.wanted or left.seek:
        try:
            with spans("read", connection=connection, wanted=len(left.wanted), sought=len(left.seek)):
                snapshot = await session.snapshot(left)
            failures = snapshot.failures
        except PlatformError as error:
            missing = Unknown(str(error))
            failures = (str(error),) if left.seek else ()
    found = {**snapshot.readings, **{place: reading_like(known[place], request.records) for place in known}}
    return {item.key: found.get(item.remote_id, missing) for item in request.wanted}, snapshot.others, failures


def read_requests(
    kinds: Kinds, desired: Mapping[Key, Desired], records: Mapping[Key, Record], asked: Iterable[Key]
) -> dict[str, ReadRequest]:
    """
    Give what to read of each connection.

    Sought are manifests without a recorded experiment, interrupted creates, and manifests that claim something which
    they did not claim when last applied: somebody else may hold it.
    """
    wanted: dict[str, list[Wanted]] = {}
    seek: dict[str, list[Desired]] = {}
    recorded: dict[str, dict[str, Record]] = {}
    for key in sorted(asked):
        want, record = desired.get(key), records.get(key)
        if record is not None and record.remote_id:
            if want is None and record.lifecycle.on_removal == "abandon":
                continue
            kind = kinds(key.kind, record.connection)
            account = str(record.applied.get(kind.account_field) or "") if kind.account_field else ""
            if kind.account_field and not account and want is not None:
                account = str(want.spec.get(kind.account_field) or "")
            wanted.setdefault(record.connection, []).append(Wanted(key, record.remote_id, account))
            recorded.setdefault(record.connection, {})[record.remote_id] = record
            if want is not None and _claims_more(kinds(key.kind, want.connection), want, record):
                seek.setdefault(want.connection, []).append(want)
        elif want is not None and want.import_id and record is None:
            kind = kinds(key.kind, want.connection)
            account = str(want.spec.get(kind.account_field) or "") if kind.account_field else ""
            wanted.setdefault(want.connection, []).append(Wanted(key, want.import_id, account))
        elif want is not None:
            seek.setdefault(want.connection, []).append(want)
        elif record is not None and record.intent_at is not None:
            lost = Desired(key, record.platform, record.connection, record.applied, record.lifecycle)
            seek.setdefault(record.connection, []).append(lost)
    return {
        connection: ReadRequest(
            tuple(wanted.get(connection, ())),
            tuple(seek.get(connection, ())),
            recorded.get(connection, {}),
            unless_changed=True,
        )
        for connection in {*wanted, *seek}
    }


def _claims_more(kind: Kind, want: Desired, record: Record) -> bool:
    if want.spec is record.applied or want.spec == record.applied:
        return False
    now = kind.claims({key: value for key, value in want.spec.items() if value is not None})
    before = kind.claims({key: value for key, value in record.applied.items() if value is not None})
    return bool(now.entities - before.entities) or (now.start, now.end) != (before.start, before.end)
