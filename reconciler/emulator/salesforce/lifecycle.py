"""
State and status: what may follow what, and what the platform does by itself as time goes by.

`state` is what the user wants (Created, Started, Stopped, Archived), `status` whether the platform has finished the
last operation. An operation leaves a job; `tick` settles it when its time has come: to Active, or to the error status
that the settings or a marker in the label ask for (`[CreateError]`, `[EditError]`, `[DeleteError]`).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from reconciler.emulator.salesforce.errors import refusal
from reconciler.emulator.salesforce.experiments import touch
from reconciler.emulator.salesforce.tables import UI_USER, instant_of, setting, table, timestamp
from reconciler.emulator.world import Row, World

STATES = ("Created", "Started", "Stopped", "Archived")
STATUSES = ("Active", "CreateError", "DeleteError", "Deleting", "EditError", "Processing")
ACTIONS = {"Start": ("Created", "Started"), "Stop": ("Started", "Stopped"), "Archive": ("Stopped", "Archived")}
DEFAULT_MAXIMUM_MINUTES = 129_600
_ERRORS = {"create": "CreateError", "edit": "EditError", "delete": "DeleteError"}


def check_settled(row: Row) -> None:
    """Refuse a write to an experiment that is owned by another org (403) or that an operation still holds (409)."""
    if row.get("isRemote"):
        message = "The experiment belongs to another org and is read-only here"
        raise refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", message)
    if row["status"] in ("Processing", "Deleting"):
        raise refusal(409, "CONFLICT", f"The experiment is being changed: its status is {row['status']}", "status")


def act(world: World, row: Row, action: str, user_id: str) -> None:
    """Carry out an action on a settled row, in place. Refuses (400) what does not follow from its state."""
    if action not in ACTIONS:
        message = f'action: "{action}" is not one of {", ".join(ACTIONS)}'
        raise refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "action")
    needed, wanted = ACTIONS[action]
    if row["status"] == "CreateError":
        raise refusal(400, "INVALID_OPERATION", "The experiment could not be created; delete it", "status")
    if row["state"] != needed:
        message = f"{action} is not allowed in state {row['state']}, only in {needed}"
        raise refusal(400, "INVALID_OPERATION", message, "state")
    before = snapshot(row)
    enter_state(row, wanted, world.now())
    touch(world, row, user_id)
    begin(world, row, "edit", before)


def enter_state(row: Row, state: str, at: datetime) -> None:
    """Put a row into a state and set the dates that go with it, in place."""
    row["state"] = state
    if state == "Started":
        row["startedDate"], row["stoppedDate"] = timestamp(at), None
    elif state == "Stopped":
        row["stoppedDate"] = timestamp(at)
    elif state == "Created":
        row["startedDate"] = row["stoppedDate"] = None


def snapshot(row: Row) -> Row:
    """Give a deep copy of a row."""
    copy: Row = json.loads(json.dumps(row))
    return copy


def begin(world: World, row: Row, kind: str, before: Row | None = None) -> None:
    """
    Begin an operation (`create`, `edit`, `delete`) on a row: status in between now, settled by a later `tick`.

    `before` is the row as it was, to which a failed edit goes back.
    """
    deleting = kind == "delete"
    row["status"] = "Deleting" if deleting else "Processing"
    usual = setting(world, "deleting_seconds" if deleting else "processing_seconds")
    delay_s = float(usual) if world.job_s is None else world.job_s
    due_ms = world.now_ms() + int(delay_s * 1000)
    table(world, "jobs")[row["id"]] = {"kind": kind, "dueMs": due_ms, "before": before}


def will_fail(world: World, row: Row, kind: str) -> bool:
    """Tell whether an operation on this row is set to end in its error status."""
    return f"[{_ERRORS[kind]}]" in row["label"] or row["name"] in setting(world, f"{kind}_error")


def tick(world: World) -> None:
    """Settle the operations whose time has come, and let running Automatic experiments be analysed and stopped."""
    rows, jobs = table(world, "experiments"), table(world, "jobs")
    now_ms = world.now_ms()
    for key in [key for key, job in jobs.items() if job["dueMs"] <= now_ms]:
        job = jobs.pop(key)
        if key in rows:
            _settle(world, rows[key], job)
    for row in rows.values():
        if row["state"] == "Started" and row["winnerSelectionMode"] == "Automatic" and not row["isRemote"]:
            _run_clock(world, row)


def _settle(world: World, row: Row, job: Row) -> None:
    kind: str = job["kind"]
    if not will_fail(world, row, kind):
        if kind == "delete":
            del table(world, "experiments")[row["id"]]
        else:
            row["status"] = "Active"
        return
    if kind == "edit" and job["before"] is not None:
        before: Row = job["before"]
        row.clear()
        row.update(before)
    row["status"] = _ERRORS[kind]


def _run_clock(world: World, row: Row) -> None:
    """Analyse at every `scheduleFrequencyInMinutes`; stop at the winner or at `maximumDurationInMinutes`."""
    if row["status"] != "Active" or row["startedDate"] is None:
        return
    started = instant_of(row["startedDate"])
    end = started + timedelta(minutes=row["maximumDurationInMinutes"] or DEFAULT_MAXIMUM_MINUTES)
    winner_after = setting(world, "winner_after_minutes").get(row["name"])
    if winner_after is not None:
        found_after = max(winner_after, row["minimumDurationInMinutes"] or 0)
        end = min(end, started + timedelta(minutes=found_after))
    seen = min(world.now(), end)
    if row["scheduleFrequencyInMinutes"]:
        step = timedelta(minutes=row["scheduleFrequencyInMinutes"])
        if seen >= started + step:
            row["lastAnalyzed"] = timestamp(started + step * ((seen - started) // step))
    if world.now() >= end:
        enter_state(row, "Stopped", end)
        touch(world, row, UI_USER)
