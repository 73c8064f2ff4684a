"""
The use cases, each a short function over values handed in: plan, apply, drift. (`validate` needs nothing of what they
need, and is in a module of its own.)

No function here prints, reads the environment or looks at a clock: the command line hands in the project, the store, a
way to open sessions, and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from reconciler.apply.context import Context
from reconciler.apply.executor import execute
from reconciler.errors import PlatformError, StalePlan, UsageProblem
from reconciler.known import check_known
from reconciler.model.change import Action, Plan
from reconciler.model.outcome import ApplyResult
from reconciler.model.resource import Desired, Key, Record
from reconciler.model.shard import Shard
from reconciler.model.time import iso
from reconciler.plan.drift import DriftReport, Unmanaged, find_drift
from reconciler.plan.owned import check_calls
from reconciler.plan.saved import plan_digest
from reconciler.plan.shards import group_name, groups_of, keys_of, part_of, shard_index
from reconciler.planning import PlanRequest as PlanRequest
from reconciler.planning import ProjectKinds as ProjectKinds
from reconciler.planning import Surroundings as Surroundings
from reconciler.planning import make
from reconciler.reading import Sessions, sessions_of
from reconciler.state.owner import under_way
from reconciler.state.store import Put, Remove, State, Store

# --- plan ------------------------------------------------------------------------------------------------------------


async def plan(around: Surroundings, desired: Mapping[Key, Desired], request: PlanRequest) -> Plan:
    """Give the plan of a project; reads platforms and state, changes nothing."""
    if sentence := under_way(around.store):
        around.warn(sentence)
    state = around.store.read(desired)
    if around.early is not None:
        around.early.judged_by(state)
    async with sessions_of(around.open_session) as sessions:
        return await make(around, sessions, state, desired, request)


# --- apply -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Applied:
    """What an apply did: the plan it carried out, and what became of it (None: nothing was sent)."""

    plan: Plan
    result: ApplyResult | None
    why_not: str = ""


async def apply_fresh(
    around: Surroundings,
    desired: Mapping[Key, Desired],
    request: PlanRequest,
    *,
    skip_blocked: bool,
    confirm: Callable[[Plan, str], bool],
) -> Applied:
    """Plan, ask, and carry out; the caller holds the lock. `confirm` is told the plan and its digest."""
    state = around.store.read()
    async with sessions_of(around.open_session) as sessions:
        made = await make(around, sessions, state, desired, request)
        why_not = _not_to_be_sent(made, skip_blocked)
        if why_not:
            return Applied(made, None, why_not)
        if not made.changes and not made.bookkeeping:
            return Applied(made, ApplyResult(()))
        digest = plan_digest(made)
        if made.changes and not confirm(made, digest):
            return Applied(made, None, "not confirmed")
        return Applied(made, await _execute(around, sessions, state, made, digest))


async def apply_saved(
    around: Surroundings, saved: Plan, *, skip_blocked: bool, same_state: bool = False, shard: Shard | None = None
) -> Applied:
    """
    Carry out a saved plan as it was saved, or a shard of it; the caller holds the lock.

    Raises StalePlan when it was made from another state or for another moment or environment, with `same_state` also
    when the state has moved on since; PlanUnreadable when it holds a call that is not of the tool's own making.
    """
    state = around.store.read()
    if saved.state_lineage and saved.state_lineage != state.lineage and (state.experiments or state.serial):
        raise StalePlan("the plan was made from another state (its lineage differs); make a new plan")
    if saved.environment != around.project.environment:
        theirs = saved.environment or "no environment"
        raise StalePlan(f"the plan was made for {theirs}; run apply with the same --env, or make a new plan")
    if saved.as_of > around.now():
        raise StalePlan(f"the plan was judged as of {iso(saved.as_of)}, which is still to come; plan without --as-of")
    for change in (*saved.changes, *saved.bookkeeping):
        if change.connection not in around.project.connections:
            raise StalePlan(f"{change.key}: the project has no connection {change.connection!r} any more")
        try:
            kind = around.kinds(change.key.kind, change.connection)
        except KeyError:
            raise StalePlan(f"{change.key}: there is no kind {change.key.kind!r}") from None
        if around.project.connections[change.connection].platform != kind.platform:
            raise StalePlan(f"{change.key}: connection {change.connection!r} is not one of {kind.platform}")
        check_calls(change, kind)
    saved = around.review_saved(saved, state)
    why_not = _not_to_be_sent(saved, skip_blocked)
    if why_not:
        return Applied(saved, None, why_not)
    if shard is not None:
        if saved.shard is not None:
            raise UsageProblem(f"the plan is that of shard {saved.shard} already; leave --shard out")
        saved = part_of(saved, shard, around.kinds)
    elif saved.state_serial != state.serial:
        if same_state:
            raise StalePlan(
                f"something was applied since the plan was made (the state's serial was {saved.state_serial} then and "
                f"is {state.serial} now), so nothing was sent; make a new plan"
            )
        around.warn(
            f"the state has moved on since the plan was made (serial {saved.state_serial} then, {state.serial} now): "
            "each change is held against what is live, and what does not fit any more is refused as stale"
        )
    if not saved.changes and not saved.bookkeeping:
        return Applied(saved, ApplyResult(()))
    async with sessions_of(around.open_session) as sessions:
        return Applied(saved, await _execute(around, sessions, state, saved, plan_digest(saved)))


def _not_to_be_sent(made: Plan, skip_blocked: bool) -> str:
    """Give the sentence why nothing of a plan may be sent; empty when it may."""
    if not made.complete:
        return "the plan is incomplete; run again when everything can be read, or name the experiments with --target"
    blocked = made.summary[Action.BLOCKED.value]
    if blocked and not skip_blocked:
        changes = "1 change is" if blocked == 1 else f"{blocked} changes are"
        return f"{changes} blocked; --skip-blocked would apply the rest"
    return ""


async def _execute(around: Surroundings, sessions: Sessions, state: State, made: Plan, digest: str) -> ApplyResult:
    used = {change.connection for change in (*made.changes, *made.bookkeeping) if change.action is not Action.BLOCKED}
    context = Context(
        plan_id=digest,
        sessions={connection: sessions.get(connection) for connection in sorted(used)},
        kinds=around.kinds,
        journal=StoreJournal(around.store),
        records=dict(state.experiments),
        now=around.now,
        sleep=around.sleep,
        notify=around.notify,
        stopping=around.stopping,
        spans=around.spans,
    )
    _take_new_keys(context, made)
    try:
        return await execute(made, context)
    finally:
        around.store.save(replace(state, experiments=dict(context.records)), expected_serial=state.serial)


def _take_new_keys(context: Context, made: Plan) -> None:
    """Put the records of renamed manifests under their new keys, before anything is sent."""
    for change in (*made.changes, *made.bookkeeping):
        old = Key.parse(change.moved_from) if change.moved_from else None
        if old is None or change.action is Action.BLOCKED or change.key in context.records:
            continue
        record = context.records.get(old)
        if record is not None:
            context.put(replace(record, key=change.key), f"was {old}")
            context.remove(old, f"is {change.key} now")


class StoreJournal:
    """The store's journal as the executor writes to it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, key: Key, record: Record, event: str) -> None:
        """Write the record of an experiment as it is now."""
        self._store.journal(Put(key, record, event))

    def remove(self, key: Key, event: str) -> None:
        """Write that an experiment is not managed any more."""
        self._store.journal(Remove(key, event))


# --- drift -----------------------------------------------------------------------------------------------------------


async def drift(
    around: Surroundings, desired: Mapping[Key, Desired], *, unmanaged: bool, shard: Shard | None = None
) -> DriftReport:
    """
    Compare live with applied, of a shard or of all; with `unmanaged` also list what is live and not managed.

    Changes nothing.
    """
    if sentence := under_way(around.store):
        around.warn(sentence)
    state = around.store.read()
    if around.early is not None:
        around.early.judged_by(state)
    records = state.experiments
    check_known(around.project, records)
    managed = records
    if shard is not None:
        mine = keys_of(shard, groups_of(around.kinds, {}, records))
        records = {key: record for key, record in records.items() if key in mine}
    async with sessions_of(around.open_session) as sessions:
        known = {key: record for key, record in records.items() if record.remote_id}
        sides = await around.read_sides(sessions, {}, known, known)
        ignored = {key: item.lifecycle.ignore_changes for key, item in desired.items()}
        report = find_drift(records, sides.readings, ignored, around.kinds, around.now())
        if not unmanaged:
            return report
        found, problems = await _unmanaged(around, sessions, managed, shard)
        return replace(report, unmanaged=found, problems=(*report.problems, *problems))


async def _unmanaged(
    around: Surroundings, sessions: Sessions, records: Mapping[Key, Record], shard: Shard | None
) -> tuple[tuple[Unmanaged, ...], tuple[str, ...]]:
    managed = {(record.connection, record.remote_id) for record in records.values()}
    found: list[Unmanaged] = []
    problems: list[str] = []

    async def look(name: str, account: str) -> None:
        platform = around.project.connections[name].platform
        try:
            async for live in sessions.get(name).listing(account):
                if (name, live.remote_id) not in managed:
                    where = live.account or account
                    found.append(Unmanaged(platform, name, where, live.remote_id, live.name, live.status))
        except PlatformError as error:
            problems.append(f"connection {name}{f', account {account}' if account else ''}: {error}")

    places: list[tuple[str, str]] = []
    for name, connection in around.project.connections.items():
        needs_account = any(kind.account_field for kind in around.project.platforms[connection.platform].kinds)
        accounts = around.accounts(name) or (() if needs_account else ("",))
        if not accounts:
            around.warn(f"connection {name} names no accounts, so nothing was looked for there")
        places.extend((name, account) for account in accounts)
    if shard is not None:
        count = shard.count
        places = [place for place in places if shard_index(group_name(*place), count) == shard.index]
    for name, _ in places:
        sessions.get(name)
    await asyncio.gather(*(look(name, account) for name, account in places))
    found.sort(key=lambda item: (item.connection, item.account, item.remote_id))
    return tuple(found), tuple(problems)
