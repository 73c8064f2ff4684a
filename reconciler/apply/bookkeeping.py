"""Changes that send nothing: a record is dropped, or written anew from what is live."""

from __future__ import annotations

from dataclasses import replace

from reconciler.apply.calls import Worker
from reconciler.errors import StalePlan
from reconciler.model.outcome import Result
from reconciler.model.resource import Found, Live, Record, Spec
from reconciler.plan.fields import recorded_children, same_spec


async def forget(worker: Worker) -> Result:
    """Drop the record; nothing is sent. A record that another run has tied to another experiment since is kept."""
    if worker.record is None:
        return Result.UNCHANGED
    if worker.record.remote_id and worker.record.remote_id != worker.change.remote_id:
        raise StalePlan(f"it is recorded as {worker.record.remote_id} now")
    await _see_through(worker, worker.record)
    worker.context.remove(worker.change.key, "forgotten")
    return Result.DONE


async def _see_through(worker: Worker, record: Record) -> None:
    """
    Wait for what an interrupted run has set off: its job may fail yet, and what is forgotten then is nobody's.

    Raises StalePlan when the platform went back to another status.
    """
    if not (record.inflight and record.remote_id):
        return
    reading = await worker.settle(record.remote_id)
    if isinstance(reading, Found) and reading.live.status != worker.change.status:
        was = worker.change.status
        raise StalePlan(f"it was {was} when the plan was made and is {reading.live.status} now")


async def record_only(worker: Worker) -> Result:
    """Record a manifest that says what is live already; nothing is sent, and nothing recorded when live moved on."""
    record, change = worker.record, worker.change
    if record is None or not record.remote_id or record.remote_id != change.remote_id or change.target is None:
        return Result.UNCHANGED
    live = await worker.read_live(record.remote_id)
    if live is None or not worker.reached(live):
        return Result.UNCHANGED
    kept = {
        top: value
        for top, value in record.stored.items()
        if top in change.target and same_spec(worker.kind, {top: change.target[top]}, {top: record.applied.get(top)})
    }
    worker.context.put(as_applied(worker, record, live, kept), "recorded as the manifest has it")
    return Result.DONE


def as_applied(worker: Worker, record: Record, live: Live, stored: Spec) -> Record:
    """Give the record of an experiment that has come to what the change wants; nothing of it is under way any more."""
    change = worker.change
    assert change.target is not None
    return replace(
        record,
        applied=change.target,
        stored=stored,
        children=recorded_children(worker.kind, change.target, live),
        lifecycle=change.lifecycle,
        status=live.status,
        inflight="",
        intent_at=None,
    )
