"""
The steps of each action: what is read, sent, checked and recorded, and in which order, so that a run that is killed
between any two of them can be run again and ends at the same place.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.apply.bookkeeping import as_applied
from reconciler.apply.calls import LOOKS_S, SEARCHES_S, Worker
from reconciler.apply.context import Stopped
from reconciler.errors import BadAnswer, PlatformError, Refused, StalePlan, Unclear
from reconciler.model.change import Action, Call
from reconciler.model.outcome import Result
from reconciler.model.resource import Desired, Found, Gone, Live, Record, Spec
from reconciler.plan.fields import same_spec, stored_differently
from reconciler.platforms.session import Answer, ReadRequest

ENDING_LOOKS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
MAX_CREATES = 2
YOUNG = timedelta(seconds=sum(SEARCHES_S))
"""How long after an intent a finder may still not show what it made."""


async def update(worker: Worker) -> Result:
    """Change a live experiment, or take one over that is not recorded yet and change it."""
    change, record = worker.change, worker.record
    assert change.remote_id is not None and change.target is not None
    if record is not None and record.remote_id and record.remote_id != change.remote_id:
        raise StalePlan(f"it is recorded as {record.remote_id} now, the plan was made for {change.remote_id}")
    if record is None and not worker.change.action.value == "adopt":
        raise StalePlan("it is not recorded any more")
    live = await worker.read_live(change.remote_id)
    if live is None:
        raise StalePlan(f"{change.remote_id} is gone from the platform since the plan was made")
    if record is not None and _settled(worker, record, live):
        return Result.UNCHANGED
    worker.check_unmoved(live)
    base = record or Record(change.key, change.platform, change.connection, change.remote_id, {})
    base = replace(base, remote_id=change.remote_id, intent_at=None, inflight=worker.context.plan_id)
    if change.calls:
        base = worker.context.put(base, "update begins" if record else "adopted")
    for index, call in enumerate(change.calls):
        after = await worker.carry_out(call, live)
        if after is None:
            raise StalePlan(f"{change.remote_id} disappeared from the platform during the update")
        live = after
        if index + 1 < len(change.calls):
            worker.context.put(replace(base, status=live.status), f"{call.purpose} done")
    await _finish(worker, base, live)
    return Result.DONE


async def create(worker: Worker) -> Result:
    """Create an experiment: intent recorded first, unclear answers resolved by searching, never by sending again."""
    change, record = worker.change, worker.record
    assert change.target is not None
    if record is not None and record.remote_id:
        if worker.resuming():
            return await _go_on(worker, record)
        reading = await worker.read(record.remote_id)
        if isinstance(reading, Found):
            if same_spec(worker.kind, change.target, record.applied):
                return Result.UNCHANGED
            raise StalePlan(f"it is recorded and live as {record.remote_id} now")
        if not isinstance(reading, Gone) or worker.young(record.remote_id):
            raise StalePlan(f"it is recorded as {record.remote_id}, which could not be read; make a new plan")
    await _make(worker, change.calls, record)
    return Result.DONE


async def end(worker: Worker) -> Result:
    """End an experiment in the platform's way and drop its record once it is seen to be over or gone."""
    record = worker.record
    if record is None:
        return Result.UNCHANGED
    if not record.remote_id and worker.change.remote_id:  # an interrupted create, found by the plan's search
        record = replace(record, remote_id=worker.change.remote_id, intent_at=None)
    await _put_away(worker, record, worker.change.calls)
    worker.context.remove(worker.change.key, "ended")
    return Result.DONE


async def substitute(worker: Worker) -> Result:
    """Replace: the old one out of the way first, its id recorded as predecessor, then the create."""
    change, record = worker.change, worker.record
    if record is None:
        raise StalePlan("it is not recorded any more")
    if record.remote_id and record.remote_id != change.remote_id:
        if worker.resuming():
            return await _go_on(worker, record)
        if change.target is not None and same_spec(worker.kind, change.target, record.applied):
            return Result.UNCHANGED
        raise StalePlan(f"it is recorded as {record.remote_id} now, the plan was made for {change.remote_id}")
    if record.remote_id:
        await _put_away(worker, record, change.calls[: change.old_calls])
        record = worker.context.put(
            Record(
                change.key,
                change.platform,
                change.connection,
                remote_id="",
                applied={},
                lifecycle=change.lifecycle,
                inflight=worker.context.plan_id,
                predecessors=change.predecessors,
            ),
            "the old one is out of the way",
        )
    try:
        await _make(worker, change.calls[change.old_calls :], record)
    except (PlatformError, Stopped) as error:
        ended = f"{change.remote_id} is ended and its successor is not created yet; run apply again to create it"
        error.args = (f"{error} ({ended})",)  # what else it carries (status, code) stays
        raise
    return Result.DONE


# --- parts ---------------------------------------------------------------------------------------------------------


def _settled(worker: Worker, record: Record, live: Live) -> bool:
    """Tell whether an earlier run of this plan already did the whole change."""
    target = worker.change.target
    return (
        target is not None
        and bool(worker.change.calls)
        and not record.inflight
        and record.intent_at is None
        and same_spec(worker.kind, target, record.applied)
        and record.applied.keys() == target.keys()
        and worker.reached(live)
    )


async def _put_away(worker: Worker, record: Record, calls: tuple[Call, ...]) -> None:
    """End the recorded experiment and see that it is over or gone; nothing is sent when it already is."""
    change = worker.change
    if not record.remote_id:
        return
    if change.remote_id and record.remote_id != change.remote_id:
        raise StalePlan(f"it is recorded as {record.remote_id} now, the plan was made for {change.remote_id}")
    live = await worker.read_live(record.remote_id)
    if live is None or live.over:
        return
    if not calls and live.status != change.status:
        raise StalePlan(f"{record.remote_id} was over when the plan was made and is {live.status} now")
    worker.check_unmoved(live)
    # It has been seen: from here on, should the run die, a 404 means that its end has happened, however young it is.
    base = worker.context.put(replace(record, inflight=worker.context.plan_id, created_at=None), "ending begins")
    for call in calls:
        after = await worker.carry_out(call, live)
        if after is None:
            return
        live = after
        worker.context.put(replace(base, status=live.status), f"{call.purpose} done")
    for wait in ENDING_LOOKS_S:
        await worker.context.sleep(wait)
        match await worker.settle(record.remote_id):
            case Gone():
                return
            case Found(now):
                live = now
                if live.failure:
                    raise Refused(live.failure, connection=change.connection)
                if live.over:
                    return
    raise PlatformError(
        f"{record.remote_id} is still {live.status} after it was ended; run apply again in a while",
        connection=change.connection,
    )


async def _make(worker: Worker, calls: tuple[Call, ...], record: Record | None) -> None:
    """Create, resolve the answer, make the calls that follow (a start), and record."""
    change, context = worker.change, worker.context
    assert change.target is not None
    pending = record is not None and record.intent_at is not None
    intent = Record(
        change.key,
        change.platform,
        change.connection,
        remote_id="",
        applied=change.target,
        lifecycle=change.lifecycle,
        intent_at=context.now(),
        inflight=context.plan_id,
        predecessors=change.predecessors,
    )
    young = record is not None and record.intent_at is not None and context.now() - record.intent_at < YOUNG
    found = await _search(worker, patient=young) if pending else None
    if pending and found is None and not worker.kind.create_is_guarded(change.target) and record is not None:
        found = await _search_until_grace(worker, record)
    if found is not None:
        answer = Answer(found.remote_id, found)
    else:
        context.check_stopped(change.connection)
        context.put(intent, "create intended")
        answer = await _send_create(worker, calls[0], record, pending=pending)
    made = context.put(replace(intent, remote_id=answer.remote_id, intent_at=None, created_at=context.now()), "created")
    await _after_create(worker, made, calls[1:])


async def _send_create(worker: Worker, call: Call, before: Record | None, *, pending: bool) -> Answer:
    """
    Send the create; gives its id. A definite no takes the intent back; an unclear answer is searched for.

    `pending` says that an earlier create of it may have happened: a no may then be because of that one, and the
    intent stays until it is found.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            worker.say(call.line)
            worker.sent += 1
            answer = await worker.session.send(call, worker.kind)
            if answer.remote_id:
                return answer
            raise BadAnswer("the answer to the create names no id", connection=worker.change.connection)
        except (Unclear, BadAnswer) as error:
            worker.say(f"no clear answer to the create ({error}); searching for it")
            found = await _search(worker)
            if found is not None:
                return Answer(found.remote_id, found)
            if attempt >= MAX_CREATES or not worker.kind.create_is_guarded(worker.change.target or {}):
                raise Unclear(
                    f"{error}; it was not found on the platform: run apply again, which searches before it sends",
                    connection=worker.change.connection,
                ) from error
        except PlatformError:
            if attempt == 1 and not pending:
                _take_back(worker, before)
            elif (found := await _search(worker)) is not None:
                return Answer(found.remote_id, found)
            raise


def _take_back(worker: Worker, before: Record | None) -> None:
    """The create is known not to have happened: the state is as it was before the intent."""
    if before is None:
        worker.context.remove(worker.change.key, "create refused")
    else:
        worker.context.put(replace(before, intent_at=None, inflight=""), "create refused")


async def _search(worker: Worker, *, patient: bool = True) -> Live | None:
    """
    Look for an experiment of the wanted identity that no other key is recorded for, a few times.

    `patient` waits longer, where the platform finds by searching: a finder lags more than a read by name.
    """
    change = worker.change
    waits = SEARCHES_S if patient and not worker.kind.claims_are_local else LOOKS_S
    target = {key: value for key, value in (change.target or {}).items() if value is not None}
    wanted = worker.kind.identity(target)
    desired = Desired(change.key, change.platform, change.connection, target, change.lifecycle)
    taken = {
        record.remote_id
        for key, record in worker.context.records.items()
        if key != change.key and record.connection == change.connection
    } | set(change.predecessors)
    for wait in waits:
        if wait:
            await worker.context.sleep(wait)
        snapshot = await worker.session.snapshot(ReadRequest(seek=(desired,)))
        if snapshot.failures:
            raise Unclear(
                f"it could not be searched for: {'; '.join(snapshot.failures)}; run apply again",
                connection=change.connection,
            )
        found = [
            live
            for live in snapshot.others
            if not live.over
            and live.remote_id not in taken
            and worker.kind.identity(live.spec, live) == wanted
            and worker.kind.could_be(target, live)
        ]
        if len({live.remote_id for live in found}) > 1:
            ids = ", ".join(sorted({live.remote_id for live in found}))
            raise PlatformError(
                f"several live experiments look like the one that was being created: {ids}; "
                "end the ones that are not wanted, then run apply again",
                connection=change.connection,
            )
        if found:
            return found[0]
    return None


async def _search_until_grace(worker: Worker, record: Record) -> Live | None:
    """For a create that the platform would not refuse twice: search until the grace after its intent is over."""
    while record.intent_at is not None and worker.context.now() - record.intent_at < worker.context.grace:
        worker.say("an interrupted create may still show up; waiting before it is sent again")
        await worker.context.sleep(5.0)
        if (found := await _search(worker, patient=False)) is not None:
            return found
    return None


async def _go_on(worker: Worker, record: Record) -> Result:
    """Go on after an interruption behind the create: what follows it, then the record."""
    made = worker.change.calls[worker.change.old_calls :]
    await _after_create(worker, record, made[1:])
    return Result.DONE


async def _after_create(worker: Worker, record: Record, calls: tuple[Call, ...]) -> None:
    live = await worker.read_live(record.remote_id)
    if live is None:
        raise PlatformError(
            f"{record.remote_id} was created and is not found on the platform after the grace; run plan",
            connection=worker.change.connection,
        )
    if live.failure:
        raise Refused(live.failure, connection=worker.change.connection)
    for call in calls:
        after = await worker.carry_out(call, live)
        if after is None:
            raise StalePlan(f"{record.remote_id} disappeared from the platform")
        live = after
    await _finish(worker, record, live)


async def _finish(worker: Worker, record: Record, live: Live) -> None:
    """See that live is as wanted, note what the platform stored differently, and record."""
    change = worker.change
    assert change.target is not None
    for wait in LOOKS_S[1:]:
        if worker.reached(live):
            break
        await worker.context.sleep(wait)
        match await worker.settle(record.remote_id):
            case Found(now):
                live = now
    stored = _stored(worker, record, change.target, live)
    for item in change.fields:
        kept = live.spec.get(item.path)
        if item.after is None and item.path not in change.target and kept:
            worker.warnings.append(f"{item.path} was cleared and the platform still shows {kept!r}; it is left so")
    for top, value in stored.items():
        if top not in record.stored or record.stored[top] != value:
            worker.warnings.append(
                f"{top} was sent as {change.target.get(top)!r} and the platform stored {value!r}; it is recorded so"
            )
    if change.action in (Action.UPDATE, Action.ADOPT):
        worker.tell_moved(record, live)
    worker.context.put(as_applied(worker, record, live, stored), "applied")


def _stored(worker: Worker, record: Record, target: Spec, live: Live) -> Spec:
    """Give what the platform stored differently, among the fields that this change set."""
    set_now = {item.path.split(".", 1)[0].split("[", 1)[0] for item in worker.change.fields}
    ignored = set(worker.change.lifecycle.ignore_changes)
    fresh = stored_differently(
        worker.kind, {top: value for top, value in target.items() if top in set_now and top not in ignored}, live
    )
    kept = {
        top: value
        for top, value in record.stored.items()
        if top in target
        and top not in set_now
        and same_spec(worker.kind, {top: target[top]}, {top: record.applied.get(top)})
    }
    return {**kept, **fresh}
