"""
Drift: live against what was last applied, typed by who moved.

A field edited by hand is `edited`, a lifecycle moved by hand is `state`, an experiment that is gone is `missing`. What
the clock or the platform itself did is progress, and no drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.change import FieldChange
from reconciler.model.resource import Found, Gone, Key, Live, Reading, Record, Unknown
from reconciler.plan.fields import difference
from reconciler.plan.inputs import GRACE, Kinds
from reconciler.platforms.base import Kind


class DriftKind(StrEnum):
    """Who moved: a person edited a field, a person moved the lifecycle, it is gone, or the clock or platform did it."""

    EDITED = "edited"
    STATE = "state"
    MISSING = "missing"
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """One field: what was applied, and what is live."""

    path: str
    applied: Any
    live: Any


@dataclass(frozen=True, slots=True)
class Drift:
    """One way in which one experiment moved since it was applied."""

    key: Key
    platform: str
    connection: str
    remote_id: str
    kind: DriftKind
    status: str | None
    fields: tuple[FieldDrift, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A live experiment that no manifest manages."""

    platform: str
    connection: str
    account: str
    remote_id: str
    name: str
    status: str


@dataclass(frozen=True)
class DriftReport:
    """
    Everything that moved.

    `problems` are experiments that could not be read: the report is then incomplete, and never reads as "no drift".
    """

    drift: tuple[Drift, ...]
    progress: tuple[Drift, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    problems: tuple[str, ...] = ()
    checked: int = 0
    keys: tuple[Key, ...] = ()


def find_drift(
    records: Mapping[Key, Record],
    readings: Mapping[Key, Reading],
    ignored: Mapping[Key, Sequence[str]],
    kinds: Kinds,
    now: datetime,
) -> DriftReport:
    """Give what moved since the last apply, in the order of keys; `ignored` are the manifests' own `ignoreChanges`."""
    drift: list[Drift] = []
    progress: list[Drift] = []
    problems: list[str] = []
    for key in sorted(records):
        record = records[key]
        if not record.remote_id:
            problems.append(
                f"{key}: its create is not finished: a run is at work on it, or was interrupted (then run apply again)"
            )
            continue
        reading = readings.get(key, Unknown("it was not read"))
        match reading:
            case Unknown(_, unlisted) if unlisted and _young(record, now):
                continue
            case Unknown(reason):
                problems.append(f"{key}: {record.remote_id} could not be read: {reason}")
            case Gone():
                if not _young(record, now):
                    drift.append(_item(record, DriftKind.MISSING, None))
            case Found(live):
                kind = kinds(key.kind, record.connection)
                moved = _moved(kind, record, live, ignored.get(key, record.lifecycle.ignore_changes))
                for item in moved:
                    (progress if item.kind is DriftKind.PROGRESS else drift).append(item)
    return DriftReport(
        tuple(drift), tuple(progress), problems=tuple(problems), checked=len(records), keys=tuple(sorted(records))
    )


def _young(record: Record, now: datetime) -> bool:
    return record.created_at is not None and now - record.created_at < GRACE


def _moved(kind: Kind, record: Record, live: Live, ignored: Sequence[str]) -> list[Drift]:
    """Give the ways in which one live experiment moved: lifecycle, fields, progress."""
    changes = difference(kind, record.observed, live, ignored=ignored).changes
    lifecycle = [change for change in changes if change.path == kind.lifecycle_field]
    edited = [change for change in changes if change.path != kind.lifecycle_field]
    if lifecycle and live.over and record.applied.get(kind.lifecycle_field or "") in kind.ending_states:
        lifecycle = []
    items: list[Drift] = []
    by_platform = kind.moved_by_platform(live)
    if lifecycle and not by_platform:
        items.append(_item(record, DriftKind.STATE, live.status, _fields(lifecycle)))
    if edited:
        items.append(_item(record, DriftKind.EDITED, live.status, _fields(edited)))
    if record.status and record.status != live.status and (by_platform or not lifecycle):
        moved = FieldDrift(kind.status_field, record.status, live.status)
        items.append(_item(record, DriftKind.PROGRESS, live.status, (moved,)))
    return items


def _fields(changes: Sequence[FieldChange]) -> tuple[FieldDrift, ...]:
    """A change from live to applied reads the other way round as a move from applied to live."""
    return tuple(FieldDrift(change.path, change.after, change.before) for change in changes)


def _item(record: Record, kind: DriftKind, status: str | None, fields: tuple[FieldDrift, ...] = ()) -> Drift:
    return Drift(record.key, record.platform, record.connection, record.remote_id, kind, status, fields)
