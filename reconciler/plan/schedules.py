"""
When every experiment of a project runs: what is live, what the plan would make of it, and who stands in whose way.

A plan holds only what changes; a picture of all experiments over time needs the quiet ones too. What is gathered here
goes beside a plan into a report and is never saved with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.model.resource import Key, Live, Spec
from reconciler.model.time import parse_time
from reconciler.plan.inputs import Inputs
from reconciler.plan.order import holding, live_of, scoped
from reconciler.platforms.base import ALWAYS, FOREVER, NOTHING, Claims, Kind


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when an experiment runs; None where that is open or not known. Times are aware UTC."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another experiment that claims some of the same things at the same time; the window is open where theirs are."""

    other: str
    entities: tuple[str, ...]
    window: Window


@dataclass(frozen=True)
class Schedule:
    """
    One experiment over time.

    `key` is None for a live one that is not managed here. `before` is the window that is live, `after` the one that the
    plan wants: None where there is none, equal where it stays. `scheduled` says that the platform starts and ends it by
    the clock; otherwise the windows are those in which it really ran. `ends` says that the plan ends it, `over` that it
    can never run again. `editable_until` is its start while that is still to come: until then it can be changed freely.
    `deadline` is the moment by which its change has to be applied.
    """

    key: Key | None
    title: str
    platform: str
    connection: str
    account: str
    action: Action
    remote_id: str = ""
    status: str = ""
    before: Window | None = None
    after: Window | None = None
    scheduled: bool = True
    ends: bool = False
    over: bool = False
    editable_until: datetime | None = None
    deadline: datetime | None = None
    conflicts: tuple[Conflict, ...] = ()


def schedules(plan: Plan, inputs: Inputs) -> tuple[Schedule, ...]:
    """
    Give every experiment of a plan's inputs over time, in the order of platform, account and start.

    With targets, only those. Experiments that nothing is known of (neither live nor wanted) are left out.
    """
    changes = {change.key: change for change in (*plan.bookkeeping, *plan.changes)}
    keys = sorted({*inputs.desired, *inputs.records})
    if inputs.options.targets:
        keys = [key for key in keys if key in inputs.options.targets]
    found = [item for key in keys if (item := _managed(key, changes.get(key), inputs))]
    found += _unmanaged(changes, inputs)
    return tuple(sorted(_with_conflicts(found), key=_place))


def _place(item: Schedule) -> tuple[str, str, datetime, str]:
    window = item.after or item.before or Window()
    return item.platform, item.account, window.start or FOREVER, item.title


def _managed(key: Key, change: Change | None, inputs: Inputs) -> tuple[Schedule, Claims] | None:
    wanted, record = inputs.desired.get(key), inputs.records.get(key)
    one = wanted or record
    connection = change.connection if change else one.connection if one else ""
    kind = inputs.kinds(key.kind, connection)
    live = live_of(key, change, kind, inputs)
    spec: Spec = (change.target if change else None) or (wanted.spec if wanted else {})
    action = change.action if change else Action.NO_OP
    meant = (change.intent or change.action) if change else Action.NO_OP
    if live is None and not spec:
        return None
    stated = {name: value for name, value in spec.items() if value is not None}
    merged: Mapping[str, Any] = stated if live is None or meant is Action.REPLACE else {**live.spec, **stated}
    before = _live_window(kind, live) if live else None
    goes = meant is Action.DELETE
    after = None if goes else before if meant in (Action.NO_OP, Action.FORGET) else _window(kind, merged, live)
    if kind.window_fields is None and meant is Action.REPLACE:
        after = Window()
    account = str((live.account if live else "") or merged.get(kind.account_field or "") or "")
    item = Schedule(
        key,
        str(key),
        kind.platform,
        connection,
        account,
        action,
        live.remote_id if live else "",
        live.status if live else "",
        before,
        after,
        scheduled=kind.window_fields is not None,
        ends=bool(change and action is not Action.BLOCKED and _ends(change)),
        over=bool(live and live.over),
        editable_until=_editable_until(kind, live, after, inputs),
        deadline=change.valid_until if change else None,
    )
    if goes or meant is Action.FORGET:
        claims = kind.claims_after_end(live) if live else NOTHING
    elif meant is Action.NO_OP and live:
        claims = holding(kind, live)
    else:
        claims = kind.claims(dict(merged), None if meant is Action.REPLACE else live)
    return item, scoped(claims, kind, connection)


def _unmanaged(changes: Mapping[Key, Change], inputs: Inputs) -> Iterator[tuple[Schedule, Claims]]:
    """Give the live experiments that were met while looking for holders and that no manifest or record speaks of."""
    known = {(record.connection, record.remote_id) for record in inputs.records.values()}
    known |= {(change.connection, change.remote_id or "") for change in changes.values()}
    names = [(key, item.connection) for key, item in inputs.records.items()]
    names += [(key, item.connection) for key, item in inputs.desired.items()]
    kinds: dict[str, Kind] = {}
    for key, connection in names:
        kinds.setdefault(connection, inputs.kinds(key.kind, connection))
    for other in inputs.others:
        kind = kinds.get(other.connection)
        if kind is None or (other.connection, other.live.remote_id) in known:
            continue
        known.add((other.connection, other.live.remote_id))
        live = inputs.seen(kind, other.live)
        window = _live_window(kind, live)
        item = Schedule(
            None,
            live.name or live.remote_id,
            kind.platform,
            other.connection,
            live.account,
            Action.NO_OP,
            live.remote_id,
            live.status,
            window,
            window,
            scheduled=kind.window_fields is not None,
            over=live.over,
        )
        yield item, scoped(holding(kind, live), kind, other.connection)


# --- windows ---------------------------------------------------------------------------------------------------------


def _live_window(kind: Kind, live: Live) -> Window:
    if kind.window_fields is not None:
        return Window(live.start, live.end)
    started, stopped = kind.ran_fields or ("", "")
    return Window(_moment(live.extra.get(started)), _moment(live.extra.get(stopped)))


def _window(kind: Kind, spec: Mapping[str, Any], live: Live | None) -> Window:
    """Give the window that a spec states; where nothing is scheduled, the one in which it ran so far."""
    if kind.window_fields is None:
        return _live_window(kind, live) if live else Window()
    start, end = kind.window_fields
    return Window(_moment(spec.get(start)), _moment(spec.get(end)))


def _moment(value: Any) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:  # a picture is drawn without it; what is wrong with a time is said elsewhere
        return None


def _editable_until(kind: Kind, live: Live | None, after: Window | None, inputs: Inputs) -> datetime | None:
    """Give the start of what the clock has not started yet."""
    if kind.clock is None:
        return None
    start = live.start if live is not None else after.start if after else None
    waiting = live is None or live.status == kind.clock[0]
    return start if waiting and start is not None and start > inputs.as_of else None


def _ends(change: Change) -> bool:
    return change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields)


# --- conflicts -------------------------------------------------------------------------------------------------------


def _with_conflicts(found: Sequence[tuple[Schedule, Claims]]) -> Iterator[Schedule]:
    """Give the schedules with what each has in the way; only those that share an entity are held against each other."""
    by_entity: dict[str, list[int]] = {}
    for index, (_, claims) in enumerate(found):
        for entity in claims.entities:
            by_entity.setdefault(entity, []).append(index)
    for index, (item, claims) in enumerate(found):
        near = sorted({other for entity in claims.entities for other in by_entity[entity]} - {index})
        yield replace(item, conflicts=tuple(_conflicts(claims, (found[other] for other in near))))


def _conflicts(claims: Claims, others: Iterable[tuple[Schedule, Claims]]) -> Iterator[Conflict]:
    for item, theirs in others:
        if shared := claims.shared(theirs):
            start, end = max(claims.start, theirs.start), min(claims.end, theirs.end)
            window = Window(None if start == ALWAYS else start, None if end == FOREVER else end)
            title = item.title if item.key else f"{item.title} ({item.remote_id}), which is not managed here"
            yield Conflict(title, tuple(sorted(shared)), window)
