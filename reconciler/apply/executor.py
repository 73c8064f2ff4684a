"""
Walking a plan: independent experiments several at once, dependents after what they wait for, one outcome for each.

A change that fails holds back those that wait for it and nothing else. A quota or wrong credentials stop the whole
connection, so that a run ends cleanly and lists what it did not try.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from reconciler.apply import bookkeeping, steps
from reconciler.apply.calls import Worker
from reconciler.apply.context import Context, Stopped
from reconciler.errors import LimitReached, PlatformError, StalePlan, StateProblem, Unauthorized
from reconciler.model.change import Action, Change, Plan
from reconciler.model.outcome import GOOD, ApplyResult, Outcome, Progress, Result
from reconciler.model.resource import Key
from reconciler.model.time import iso
from reconciler.platforms.exchange import KEY

AT_ONCE = 5
"""Changes under way at once on one connection: what its pool of connections carries."""


async def execute(plan: Plan, context: Context) -> ApplyResult:
    """
    Carry out a plan as it is; gives an outcome for every change, in the plan's order.

    Platform failures become outcomes. A state that cannot be written raises StateProblem: nothing more is sent then.
    """
    rooms = {connection: asyncio.Semaphore(AT_ONCE) for connection in context.sessions}
    tasks: dict[Key, asyncio.Task[Outcome]] = {}
    for change in (*plan.changes, *plan.bookkeeping):
        tasks[change.key] = asyncio.create_task(_run(change, context, tasks, rooms))
    outcomes: list[Outcome] = []
    try:
        for change in plan.changes:
            outcomes.append(await tasks[change.key])
        for change in plan.bookkeeping:
            await tasks[change.key]
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return ApplyResult(tuple(outcomes), interrupted=context.stopping())


async def _run(
    change: Change,
    context: Context,
    tasks: Mapping[Key, asyncio.Task[Outcome]],
    rooms: Mapping[str, asyncio.Semaphore],
) -> Outcome:
    """Wait for what the change waits for, then carry it out and tell."""
    key, action = str(change.key), change.action.value
    with context.spans("change", key=key, action=action, connection=change.connection) as note:
        outcome = await _held_back(change, tasks) or await _in_turn(change, context, rooms)
        failed = outcome.message if outcome.result in (Result.FAILED, Result.STALE) else ""
        note(error=failed, result=outcome.result.value, calls=outcome.calls_sent)
    context.notify(Progress(change.key, outcome.message, outcome))
    return outcome


async def _held_back(change: Change, tasks: Mapping[Key, asyncio.Task[Outcome]]) -> Outcome | None:
    if change.action is Action.BLOCKED:
        return Outcome(change.key, change.action, Result.BLOCKED, "; ".join(change.reasons))
    for key in change.after:
        before = await asyncio.shield(tasks[key])
        if before.result not in GOOD:
            message = f"it waits for {key}, which is {before.result.value}"
            return Outcome(change.key, change.action, Result.SKIPPED, message)
    return None


async def _in_turn(change: Change, context: Context, rooms: Mapping[str, asyncio.Semaphore]) -> Outcome:
    if change.action in (Action.FORGET, Action.NO_OP) or change.connection not in rooms:
        return await _carry_out(change, context)
    async with rooms[change.connection]:
        return await _carry_out(change, context)


async def _carry_out(change: Change, context: Context) -> Outcome:
    worker = Worker(context, change)
    KEY.set(str(change.key))  # each change has a task of its own

    def ended(result: Result, message: str = "") -> Outcome:
        record = context.records.get(change.key)
        remote_id = (record.remote_id if record else "") or change.remote_id or ""
        return Outcome(change.key, change.action, result, message, worker.sent, remote_id, tuple(worker.warnings))

    try:
        if change.calls:
            context.check_stopped(change.connection)
            _in_time(change, context)
        return ended(await _step(worker))
    except StalePlan as error:
        return ended(Result.STALE, f"{error}; make a new plan")
    except Stopped as error:
        after = f", after {worker.sent} of {len(change.calls)} calls; run apply again to go on" if worker.sent else ""
        return ended(Result.NOT_TRIED, f"{error}{after}")
    except StateProblem:
        raise
    except PlatformError as error:
        if _ends_the_connection(error):
            context.halted.setdefault(change.connection, f"connection {change.connection} is halted: {error}")
        return ended(Result.FAILED, str(error))


def _ends_the_connection(error: PlatformError) -> bool:
    """Tell whether nothing else can succeed through the connection either; a 403 may be about one account alone."""
    return isinstance(error, LimitReached) or (isinstance(error, Unauthorized) and error.status != 403)


async def _step(worker: Worker) -> Result:
    match worker.change.action:
        case Action.CREATE:
            return await steps.create(worker)
        case Action.UPDATE | Action.ADOPT:
            return await steps.update(worker)
        case Action.REPLACE:
            return await steps.substitute(worker)
        case Action.DELETE:
            return await steps.end(worker)
        case Action.FORGET:
            return await bookkeeping.forget(worker)
        case Action.NO_OP:
            return await bookkeeping.record_only(worker)
        case Action.BLOCKED:
            raise AssertionError("a blocked change is never carried out")


def _in_time(change: Change, context: Context) -> None:
    """Raise StalePlan when the moment has passed until which the change is what was shown."""
    if change.valid_until is not None and context.now() >= change.valid_until:
        raise StalePlan(f"the plan held until {iso(change.valid_until)}: a window has closed since")
