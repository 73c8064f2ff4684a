"""Small builders for the three sides of an experiment of each platform; live ones go through the kinds' own reading."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.model.change import Change, Plan
from reconciler.model.resource import (
    Desired,
    Found,
    Key,
    Lifecycle,
    Live,
    OnImmutableChange,
    OnRemoval,
    Reading,
    Record,
    Spec,
    Unknown,
)
from reconciler.model.time import parse_time
from reconciler.plan.fields import recorded_children
from reconciler.plan.inputs import Guards, Inputs, Options, Other
from reconciler.plan.planner import make_plan
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

LI, X, SF = KINDS
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
REPLACE = Lifecycle(on_immutable_change=OnImmutableChange.REPLACE)
ABANDON = Lifecycle(on_removal=OnRemoval.ABANDON)
PROTECTED = Lifecycle(prevent_destroy=True)
CONNECTION = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}

WINDOWS: Mapping[str, tuple[str, str]] = {
    "PENDING": ("2026-12-07T08:00:00Z", "2027-01-11T08:00:00Z"),
    "SCHEDULED": ("2026-12-07T08:00:00Z", "2027-01-11T08:00:00Z"),
    "RUNNING": ("2026-11-10T08:00:00Z", "2026-12-20T08:00:00Z"),
    "LIVE": ("2026-11-10T08:00:00Z", "2026-12-20T08:00:00Z"),
    "ON_HOLD": ("2026-11-10T08:00:00Z", "2026-12-20T08:00:00Z"),
    "STOPPED": ("2026-11-10T08:00:00Z", "2026-12-20T08:00:00Z"),
    "ENDED": ("2026-10-01T08:00:00Z", "2026-11-10T08:00:00Z"),
    "COMPLETED": ("2026-10-01T08:00:00Z", "2026-11-10T08:00:00Z"),
}
"""A scheduled window that goes with each status at NOW."""


def at(text: str) -> datetime:
    return parse_time(text)


def kinds(kind: str, connection: str) -> Kind:
    """As a project with two connections more gives them: KeyError for a connection that it does not have."""
    if connection not in (*CONNECTION.values(), "second", "elsewhere"):
        raise KeyError(connection)
    return {item.name: item for item in KINDS}[kind]


def cell(name: str, campaign: int, weight: int = 50, **more: Any) -> dict[str, Any]:
    reference = {"campaign": f"urn:li:sponsoredCampaign:{campaign}"}
    return {"name": name, **more, "trafficWeight": weight, "reference": reference}


def group(name: str | None, size: str, *entities: str, **more: Any) -> dict[str, Any]:
    return {**({"name": name} if name else {}), **more, "size": size, "entity_ids": list(entities)}


def cohort(name: str, weight: int, *, control: bool = False, **more: Any) -> dict[str, Any]:
    values = [{"attributeName": "Attr1", "value": name}]
    return {
        "name": name,
        "label": name.title(),
        "isControl": control,
        "allocationWeight": weight,
        "attributeValues": values,
        **more,
    }


def spec_of(kind: Kind, status: str = "", **changes: Any) -> Spec:
    """A canonical spec whose window goes with a status; a change to `...` leaves the key out."""
    start, end = WINDOWS.get(status, WINDOWS["PENDING"])
    base: dict[str, Any]
    if kind is LI:
        base = {
            "account": "urn:li:sponsoredAccount:5",
            "name": "hero-image",
            "keyMetric": "CPC",
            "confidence": 90,
            "scheduledStartAt": start,
            "scheduledEndAt": end,
            "cells": [cell("control", 1), cell("red", 2)],
        }
    elif kind is X:
        base = {
            "account_id": "18ce54d4x5t",
            "entity_type": "CAMPAIGN",
            "start_time": start,
            "end_time": end,
            "user_groups": [group("a", "50.00", "e1", "e2"), group("b", "50.00", "e3", "e4")],
        }
    else:
        base = {
            "name": "hero",
            "label": "Hero",
            "dataSpaceName": "default",
            "schemaName": "Template",
            "source": "FlowBuilder",
            "winnerSelectionMode": "Automatic",
            "cohorts": [cohort("control", 5000, control=True), cohort("red", 5000)],
        }
    base.update(changes)
    return kind.canonical(copy.deepcopy({key: value for key, value in base.items() if value is not ...}))


def desired(
    kind: Kind, name: str = "hero", status: str = "", /, life: Lifecycle | None = None, **changes: Any
) -> Desired:
    spec = spec_of(kind, status, **changes)
    return Desired(Key(kind.name, name), kind.platform, CONNECTION[kind.platform], spec, life or Lifecycle())


def wire(kind: Kind, spec: Spec, status: str, remote_id: str, /, **changes: Any) -> dict[str, Any]:
    """What the platform shows of an experiment that was created from a spec."""
    body = copy.deepcopy(kind.create_calls({k: v for k, v in spec.items() if v is not None})[0].body)
    if kind is LI:
        body = {**body, "id": int(remote_id), "executionState": status}
    elif kind is X:
        for index, item in enumerate(body["user_groups"]):
            item |= {"name": item.get("name"), "description": item.get("description"), "id": f"{remote_id}g{index}"}
        body = {"name": None, "description": None, **body, "id": remote_id, "status": status, "deleted": False}
    else:
        body = {**body, "id": remote_id, "state": status, "status": "Active", "isRemote": False}
    return body | changes


IDS = {"linkedin": "40001", "x-ads": "hr7l0", "salesforce": "1GaSB00000Cojr30AB"}
FIRST = {"linkedin": "PENDING", "x-ads": "SCHEDULED", "salesforce": "Created"}


def live(wanted: Desired, status: str = "", remote_id: str = "", /, **changes: Any) -> Live:
    """What the platform reports of an experiment that was created from a manifest."""
    kind = kinds(wanted.key.kind, wanted.connection)
    status = status or FIRST[kind.platform]
    account = wanted.spec.get(kind.account_field or "", "")
    body = wire(kind, wanted.spec, status, remote_id or IDS[kind.platform], **changes)
    return kind.from_wire(body, account=account)


def record(wanted: Desired, seen: Live | None = None, /, **changes: Any) -> Record:
    """What the state keeps after that manifest was applied and looked like that."""
    kind = kinds(wanted.key.kind, wanted.connection)
    seen = seen or live(wanted)
    values: dict[str, Any] = {
        "applied": wanted.spec,
        "children": recorded_children(kind, wanted.spec, seen),
        "lifecycle": wanted.lifecycle,
        "status": seen.status,
        "remote_id": seen.remote_id,
    }
    values |= changes
    return Record(wanted.key, wanted.platform, wanted.connection, **values)


def plan_inputs(
    wanted: Iterable[Desired] = (),
    records: Iterable[Record] = (),
    seen: Mapping[Key, Live | Reading | str] | None = None,
    *,
    others: Iterable[tuple[str, Live]] = (),
    now: datetime = NOW,
    as_of: datetime | None = None,
    allow: int | None = None,
    guards: Guards | None = None,
    targets: Iterable[Key] = (),
    unsearched: Iterable[str] = (),
) -> Inputs:
    readings: dict[Key, Reading] = {}
    for key, value in (seen or {}).items():
        match value:
            case Live():
                readings[key] = Found(value)
            case str():
                readings[key] = Unknown(value)
            case _:
                readings[key] = value
    return Inputs(
        desired={item.key: item for item in wanted},
        records={item.key: item for item in records},
        readings=readings,
        others=tuple(Other(connection, item) for connection, item in others),
        kinds=kinds,
        now=now,
        as_of=as_of or now,
        options=Options(allow, frozenset(targets), guards or Guards()),
        unsearched=frozenset(unsearched),
    )


def plan(*args: Any, **options: Any) -> Plan:
    return make_plan(plan_inputs(*args, **options))


def managed(
    before: Desired, after: Desired | None, status: str = "", /, seen: Live | None = None, **options: Any
) -> Plan:
    """The plan of one experiment that was applied as `before`, is live like that, and is now wanted as `after`."""
    shown = seen or live(before, status)
    return plan([after] if after else [], [record(before, live(before, status))], {before.key: shown}, **options)


def only(made: Plan) -> Change:
    assert len(made.changes) == 1, made.changes
    return made.changes[0]


def bodies(change: Change) -> list[Any]:
    return [call.body for call in change.calls]


def quiet(made: Plan) -> bool:
    return not made.changes and not made.bookkeeping and made.complete
