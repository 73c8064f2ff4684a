"""
What ties experiments together: who holds a campaign, an entity or a name, who gives it up, and so who goes first.

An experiment that gives something up goes before the one that claims it. Who claims what another keeps is blocked, a
circle of claims is blocked with all of it named, and what waits for a blocked change is blocked too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from reconciler.model.change import Action, Change, Plan, block
from reconciler.model.resource import Found, Key, Live, Spec
from reconciler.plan.inputs import Inputs
from reconciler.platforms.base import NOTHING, Claims, Kind

CLAIMING = frozenset({Action.CREATE, Action.UPDATE, Action.ADOPT, Action.REPLACE})


@dataclass(frozen=True)
class Holder:
    """One experiment's claims before and after the plan; `key` is None for one that is not managed."""

    key: Key | None
    title: str
    before: Claims
    after: Claims


def ordered(changes: Mapping[Key, Change], inputs: Inputs) -> dict[Key, Change]:
    """Give the changes in the order of execution, each with the keys it waits for; conflicts are blocked."""
    known = dict(changes)
    waits: dict[Key, set[Key]] = {}
    claiming = [key for key, change in changes.items() if change.action in CLAIMING]
    holders = tuple(_managed(changes, inputs)) if claiming else ()
    by_key = {holder.key: holder for holder in holders}
    near = _Near((*holders, *_unmanaged(changes, inputs))) if claiming else _Near(())
    doubts = _Doubts(changes, inputs)
    for key in claiming:
        mine = by_key[key]
        for holder in near.to(mine.after):
            if holder.key == key:
                continue
            kept = _newly(mine, holder.before, mine.after.shared(holder.after))
            if kept and holder.before.shared(mine.after):
                known[key] = block(known[key], _held(kept, holder))
            elif holder.key is not None and _newly(mine, holder.before, mine.after.shared(holder.before)):
                waits.setdefault(key, set()).add(holder.key)
        known[key] = _with_doubts(known[key], mine, doubts)
    known = _without_cycles(known, waits)
    return _sorted(known, waits)


class _Near:
    """Holders by what they hold before or after: whoever shares nothing with a claim need not be asked about it."""

    def __init__(self, holders: Sequence[Holder]) -> None:
        self._holders = holders
        self._at: dict[str, list[int]] = {}
        for index, holder in enumerate(holders):
            for entity in holder.before.entities | holder.after.entities:
                self._at.setdefault(entity, []).append(index)

    def to(self, claims: Claims) -> Iterator[Holder]:
        """Give the holders of any of the claimed entities, at whatever time, in their order."""
        for index in sorted({index for entity in claims.entities for index in self._at.get(entity, ())}):
            yield self._holders[index]


def propagated(changes: Mapping[Key, Change]) -> dict[Key, Change]:
    """Give the changes, in the same order, with everything blocked that waits for a blocked one."""
    result: dict[Key, Change] = {}
    for key, change in changes.items():
        stuck = [other for other in change.after if (found := result.get(other)) and found.action is Action.BLOCKED]
        if stuck and change.action is not Action.BLOCKED:
            names = ", ".join(str(other) for other in stuck)
            change = block(change, f"it waits for {names}, which is blocked")
        result[key] = change
    return result


def freed_for(change: Change, plan: Plan, inputs: Inputs) -> frozenset[str]:
    """Give the entities that are free by the time a change runs: by those it waits for, and by its own first half."""
    holders = {holder.key: holder for holder in _managed({item.key: item for item in plan.changes}, inputs)}
    freed: set[str] = set()
    for key in change.after:
        if key in holders:
            freed |= holders[key].before.entities
    if change.action is Action.REPLACE and change.key in holders:
        freed |= holders[change.key].before.entities
    return frozenset(freed)


def _newly(mine: Holder, theirs: Claims, shared: frozenset[str]) -> frozenset[str]:
    """Give what is newly claimed of `shared`: what both held before the plan is no new conflict."""
    return shared - mine.before.shared(theirs)


def _with_doubts(change: Change, mine: Holder, doubts: _Doubts) -> Change:
    """Give a change with a warning for each experiment that is over and may still hold what the change claims."""
    if change.action is Action.BLOCKED:
        return change
    warnings = []
    for live, held in doubts.about(change, mine.after):
        shared = _newly(mine, held, mine.after.shared(held))
        if shared and live.remote_id != change.remote_id:
            warnings.append(
                f"{', '.join(sorted(shared))} is of {live.remote_id}, which is over ({live.status}); whether the "
                "platform frees what it held is unknown: a refusal will be reported"
            )
    return replace(change, warnings=(*change.warnings, *warnings))


class _Doubts:
    """What experiments that are over may still hold, by kind and connection and then by entity; made when asked for."""

    def __init__(self, changes: Mapping[Key, Change], inputs: Inputs) -> None:
        self._changes = changes
        self._inputs = inputs
        self._known: dict[tuple[str, str], dict[str, dict[str, tuple[Live, Claims]]]] = {}

    def about(self, change: Change, claims: Claims) -> Iterator[tuple[Live, Claims]]:
        """Give those that are over and may hold any of the claimed entities, by id, each with what it may hold."""
        place = (change.key.kind, change.connection)
        if place not in self._known:
            kind = self._inputs.kinds(*place)
            found: dict[str, dict[str, tuple[Live, Claims]]] = {}
            for live in _over(change.connection, self._changes, self._inputs):
                held = scoped(kind.perhaps_held(live), kind, change.connection)
                for entity in held.entities:
                    found.setdefault(entity, {})[live.remote_id] = (live, held)
            self._known[place] = found
        near: dict[str, tuple[Live, Claims]] = {}
        for entity in claims.entities:
            near |= self._known[place].get(entity, {})
        for remote_id in sorted(near):
            yield near[remote_id]


def _over(connection: str, changes: Mapping[Key, Change], inputs: Inputs) -> Iterator[Live]:
    """Give the experiments of a connection that are over, by id, managed or not."""
    found: dict[str, Live] = {}
    for key, reading in inputs.readings.items():
        record, change = inputs.records.get(key), changes.get(key)
        where = record.connection if record else change.connection if change else ""
        if isinstance(reading, Found) and where == connection:
            found[reading.live.remote_id] = reading.live
    found |= {other.live.remote_id: other.live for other in inputs.others if other.connection == connection}
    for remote_id in sorted(found):
        if found[remote_id].over:
            yield found[remote_id]


def _held(entities: frozenset[str], holder: Holder) -> str:
    return (
        f"{', '.join(sorted(entities))} is held by {holder.title}; "
        "end that one first, or choose another for this experiment"
    )


def _without_cycles(changes: dict[Key, Change], waits: dict[Key, set[Key]]) -> dict[Key, Change]:
    while True:
        try:
            TopologicalSorter({key: waits.get(key, set()) for key in changes}).prepare()
            return changes
        except CycleError as error:
            circle = sorted(set(error.args[1]))
            names = " and ".join(str(key) for key in circle)
            for key in circle:
                reason = (
                    f"{names} each claim what the other holds, so neither can go first; "
                    "apply in two steps: let one give up its claim first"
                )
                changes[key] = block(changes[key], reason)
                waits.pop(key, None)


def _sorted(changes: Mapping[Key, Change], waits: Mapping[Key, set[Key]]) -> dict[Key, Change]:
    sorter = TopologicalSorter({key: waits.get(key, set()) & changes.keys() for key in sorted(changes)})
    sorter.prepare()
    result: dict[Key, Change] = {}
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        for key in ready:
            result[key] = replace(changes[key], after=tuple(sorted(waits.get(key, set()) & changes.keys())))
        sorter.done(*ready)
    return propagated(result)


# --- who holds what ----------------------------------------------------------------------------------------------


def _managed(changes: Mapping[Key, Change], inputs: Inputs) -> Iterator[Holder]:
    for key in sorted({*changes, *inputs.records}):
        change = changes.get(key)
        record = inputs.records.get(key)
        connection = change.connection if change else record.connection if record else ""
        kind = inputs.kinds(key.kind, connection)
        live = live_of(key, change, kind, inputs)
        before = holding(kind, live) if live else NOTHING
        remote_id = live.remote_id if live else ""
        title = f"{key} ({remote_id})" if remote_id else str(key)
        after = _after(kind, change, live, before)
        yield Holder(key, title, scoped(before, kind, connection), scoped(after, kind, connection))


def _unmanaged(changes: Mapping[Key, Change], inputs: Inputs) -> Iterator[Holder]:
    known = {(record.connection, record.remote_id) for record in inputs.records.values() if record.remote_id}
    known |= {(change.connection, change.remote_id) for change in changes.values() if change.remote_id}
    kinds = dict(_kinds(changes, inputs))
    for other in inputs.others:
        if (other.connection, other.live.remote_id) in known or other.connection not in kinds:
            continue
        live = inputs.seen(kinds[other.connection], other.live)
        name = f" {live.name!r}" if live.name else ""
        claims = scoped(holding(kinds[other.connection], live), kinds[other.connection], other.connection)
        yield Holder(None, f"{live.remote_id}{name} ({live.status}), which is not managed here", claims, claims)


def _kinds(changes: Mapping[Key, Change], inputs: Inputs) -> Iterator[tuple[str, Kind]]:
    for key, change in changes.items():
        yield change.connection, inputs.kinds(key.kind, change.connection)


def live_of(key: Key, change: Change | None, kind: Kind, inputs: Inputs) -> Live | None:
    """Give what is live of an experiment, as the clock will have made it by the moment judged at; None: not known."""
    reading = inputs.readings.get(key)
    if isinstance(reading, Found):
        return inputs.seen(kind, reading.live)
    record = inputs.records.get(key)
    connection, remote_id = (
        (change.connection, change.remote_id)
        if change
        else (record.connection, record.remote_id)
        if record
        else ("", "")
    )
    other = inputs.met.get((connection, remote_id)) if remote_id else None
    return None if other is None else inputs.seen(kind, other)


def holding(kind: Kind, live: Live) -> Claims:
    """Give what a live experiment holds, also when it is over."""
    return kind.claims_after_end(live) if live.over else kind.claims(live.spec, live)


def _after(kind: Kind, change: Change | None, live: Live | None, before: Claims) -> Claims:
    if change is None or change.action in (Action.BLOCKED, Action.FORGET, Action.NO_OP):
        return before
    if change.action is Action.DELETE:
        return kind.claims_after_end(live) if live else NOTHING
    wanted: Spec = {key: value for key, value in (change.target or {}).items() if value is not None}
    if change.action in (Action.UPDATE, Action.ADOPT) and live is not None:
        return kind.claims({**live.spec, **wanted})
    return kind.claims(wanted)


def scoped(claims: Claims, kind: Kind, connection: str) -> Claims:
    """Give claims in which a name that means something within one connection only carries that connection."""
    if not kind.claims_are_local:
        return claims
    return replace(claims, entities=frozenset(f"{entity} of {connection}" for entity in claims.entities))
