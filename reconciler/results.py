"""
The use case of `reconciler results`: what the managed experiments have come to. Reads only, and takes no lock.

One experiment, connection or platform that cannot be read never hides the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.known import unknown_key
from reconciler.model.resource import Desired, Found, Gone, Key, Record
from reconciler.plan.inputs import Kinds
from reconciler.platforms.outcomes import Conclusion, ExperimentResult, ResultsReport, Subject
from reconciler.platforms.session import ReadRequest, Wanted
from reconciler.project import Project
from reconciler.reading import OpenSession, Sessions
from reconciler.state.store import Store

ReadOutcomes: TypeAlias = Callable[[str, Sequence[Subject], datetime], Awaitable[Mapping[Key, ExperimentResult]]]
"""Reads the outcomes of experiments of one connection, by its name; raises ReconcilerError when it cannot be used."""

_NOT_CREATED = "it is not managed yet: plan and apply would create it, or adopt it where it is live"
_INTERRUPTED = "its create was interrupted: whether it is live shows with the next plan, and apply brings it to an end"


@dataclass(frozen=True)
class Ways:
    """How the use case gets at things."""

    project: Project
    kinds: Kinds
    store: Store
    open_session: OpenSession
    read_outcomes: ReadOutcomes
    now: Callable[[], datetime]


async def read_results(ways: Ways, desired: Mapping[Key, Desired], keys: Sequence[Key] = ()) -> ResultsReport:
    """
    Give the outcome of every managed experiment, or of those named, which may also stand in a manifest alone.

    Raises UsageProblem for a key that is neither managed nor in a manifest.
    """
    records = ways.store.read().experiments
    known = {str(key) for key in (*desired, *records)}
    for key in keys:
        if str(key) not in known:
            raise unknown_key(str(key), known)
    asked = sorted(set(keys or records))
    kinds = {kind.name for platform in ways.project.platforms.values() for kind in platform.kinds}
    by_connection: dict[str, list[Record]] = {}
    results: list[ExperimentResult] = []
    for key in asked:
        record = records.get(key)
        if record is not None and key.kind not in kinds:
            results.append(_unread(record, f"there is no kind {key.kind!r} in this version"))
        elif record is None or not record.remote_id:
            results.append(_without_id(key, record, desired.get(key)))
        else:
            by_connection.setdefault(record.connection, []).append(record)
    sessions = Sessions(ways.open_session)
    try:
        found = await asyncio.gather(*(_of_one(ways, sessions, name, its) for name, its in by_connection.items()))
    finally:
        await sessions.close()
    results.extend(result for its in found for result in its)
    results.sort(key=lambda result: result.key)
    return ResultsReport(tuple(results), ways.now(), ways.project.environment)


async def _of_one(ways: Ways, sessions: Sessions, connection: str, records: Sequence[Record]) -> list[ExperimentResult]:
    """Give the outcomes of one connection's experiments; what goes wrong is told with each of them."""
    if connection not in ways.project.connections:
        problem = f"it was applied through connection {connection!r}, which {ways.project.file} does not have"
        return [_unread(record, problem) for record in records]
    try:
        snapshot = await sessions.get(connection).snapshot(_request(ways.kinds, records))
    except ReconcilerError as error:
        return [_unread(record, str(error)) for record in records]
    results: list[ExperimentResult] = []
    subjects: list[Subject] = []
    for record in records:
        reading = snapshot.readings.get(record.remote_id)
        if isinstance(reading, Found):
            subjects.append(Subject(record.key, reading.live))
        elif isinstance(reading, Gone):
            results.append(_bare(record, Conclusion.GONE, note=reading.proof))
        else:
            results.append(_unread(record, reading.reason if reading else "the platform's answer leaves it out"))
    try:
        read = await ways.read_outcomes(connection, subjects, ways.now()) if subjects else {}
    except ReconcilerError as error:
        lost = {subject.key for subject in subjects}
        return results + [_unread(record, str(error)) for record in records if record.key in lost]
    return results + [read[subject.key] for subject in subjects]


def _request(kinds: Kinds, records: Sequence[Record]) -> ReadRequest:
    wanted: list[Wanted] = []
    for record in records:
        field = kinds(record.key.kind, record.connection).account_field
        account = str(record.applied.get(field) or "") if field else ""
        wanted.append(Wanted(record.key, record.remote_id, account))
    return ReadRequest(tuple(wanted))


def _without_id(key: Key, record: Record | None, want: Desired | None) -> ExperimentResult:
    if record is not None:
        return _bare(record, Conclusion.NOT_CREATED, note=_INTERRUPTED)
    platform, connection = (want.platform, want.connection) if want is not None else ("", "")
    return ExperimentResult(key, platform, connection, "", Conclusion.NOT_CREATED, notes=(_NOT_CREATED,))


def _unread(record: Record, problem: str) -> ExperimentResult:
    return _bare(record, Conclusion.UNKNOWN, problem=problem)


def _bare(record: Record, conclusion: Conclusion, *, note: str = "", problem: str = "") -> ExperimentResult:
    notes = (note,) if note else ()
    where = (record.key, record.platform, record.connection, record.remote_id)
    return ExperimentResult(*where, conclusion, notes=notes, problem=problem)
