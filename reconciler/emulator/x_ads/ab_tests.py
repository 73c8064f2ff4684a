"""The four operations on A/B tests."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.world import Row
from reconciler.emulator.x_ads import changes, checks, fields, rows, times
from reconciler.emulator.x_ads.calls import Answer, Call, listed
from reconciler.emulator.x_ads.query import Query
from reconciler.emulator.x_ads.refusals import Findings, refusal

STATUSES = frozenset({"COMPLETED", "LIVE", "SCHEDULED"})
_SORTABLE = frozenset({"created_at", "updated_at", "deleted", "name", "description", "start_time", "end_time"})
_PARAMETERS = frozenset(
    {
        "ab_test_ids",
        "count",
        "cursor",
        "live_during",
        "q",
        "sort_by",
        "status",
        "user_id",
        "username",
        "with_deleted",
    }
)


def read(call: Call) -> Answer:
    """Answer the list of A/B tests of the account, filtered and paged."""
    query = Query(call.query, _PARAMETERS)
    ids = query.ids("ab_test_ids")
    span = query.span("live_during")
    prefix = query.text("q", longest=80)
    status = query.choice("status", STATUSES)
    user_id, username = _creator(query)
    deleted_too = query.flag("with_deleted")

    def wanted(row: Row) -> bool:
        return (
            row["account_id"] == call.account_id
            and (deleted_too or not row.get("deleted"))
            and (ids is None or row["id"] in ids)
            and (status is None or row["status"] == status)
            and (prefix is None or (row.get("name") or "").lower().startswith(prefix.lower()))
            and (user_id is None or row["created_by"]["user_id"] == user_id)
            and (username is None or row["created_by"]["username"] == username)
            and (span is None or (row["start_time"] < times.shown(span[1]) and row["end_time"] > times.shown(span[0])))
        )

    return listed(call, query, filter(wanted, rows.table(call.world, "ab_tests").values()), _SORTABLE, rows.shown_test)


def create(call: Call) -> Answer:
    """Create an A/B test; it is SCHEDULED until its start."""
    findings = Findings()
    given = fields.create_fields(call.json_object(), findings)
    findings.settle()
    groups = changes.new_groups(given["user_groups"])
    draft = {**given, "user_groups": groups, "account_id": call.account_id}
    checks.check_groups(given["entity_type"], groups, findings)
    checks.check_entities(call.world, call.account_id, given["entity_type"], groups, None, findings)
    checks.check_window(call.world, draft, ("start_time", "end_time"), findings)
    findings.settle()
    remote_id, number = rows.new_test_id(call.world)
    now, who = rows.now_shown(call.world), call.caller.shown()
    row = {
        "name": None,
        "description": None,
        **draft,
        "id": remote_id,
        "number": number,
        "status": "SCHEDULED",
        "deleted": False,
        "user_groups": changes.with_group_ids(call.world, groups),
        "created_at": now,
        "created_by": who,
        "updated_at": now,
        "updated_by": who,
    }
    rows.table(call.world, "ab_tests")[remote_id] = row
    return Answer(given, rows.shown_test(row), status=201)


def update(call: Call) -> Answer:
    """Change an A/B test; the answer holds all of it."""
    row = _found(call)
    findings = Findings()
    body = call.json_object()
    if not body:
        raise refusal(400, "MISSING_PARAMETER", "There is nothing to update")
    changes.check_status(row["status"], body, findings)
    given = fields.update_fields(body, findings)
    findings.settle()
    after = changes.changed(call.world, row, given, findings)
    if changes.touches_window(given):
        checks.check_window(call.world, after, given, findings)
    findings.settle()
    after["user_groups"] = changes.with_group_ids(call.world, after["user_groups"])
    after.update(updated_at=rows.now_shown(call.world), updated_by=call.caller.shown())
    row.update(after)
    return Answer(given, rows.shown_test(row))


def delete(call: Call) -> Answer:
    """Delete an A/B test for good, whatever its status, which stays as it was."""
    row = _found(call)
    if call.body:
        raise refusal(400, "INVALID_PARAMETER", "A body is not accepted here")
    row.update(deleted=True, updated_at=rows.now_shown(call.world), updated_by=call.caller.shown())
    return Answer({}, rows.shown_test(row))


def _found(call: Call) -> Row:
    remote_id = call.path["ab_test_id"]
    if not (remote_id.isascii() and remote_id.isalnum()):
        message = f'The id "{remote_id}" holds illegal characters'
        raise refusal(404, "INVALID_ID_ILLEGAL_CHARACTERS", message, parameter="ab_test_id", value=remote_id)
    row = rows.table(call.world, "ab_tests").get(remote_id)
    if row is None or row.get("deleted") or row["account_id"] != call.account_id:
        message = f'A/B test "{remote_id}" was not found'
        raise refusal(404, "NOT_FOUND", message, parameter="ab_test_id", value=remote_id)
    return row


def _creator(query: Query) -> tuple[Any, Any]:
    """Read the two parameters that name a creator; they exclude each other."""
    user_id, username = query.text("user_id", longest=20), query.text("username")
    if user_id is not None and not (user_id.isascii() and user_id.isdigit()):
        query.findings.invalid("user_id", f'Expected long, got "{user_id}" for user_id', user_id)
    if username is not None and username.startswith("@"):
        query.findings.invalid("username", 'The leading "@" must be left out', username)
    if user_id is not None and username is not None:
        query.findings.exclusive("user_id", "username")
    return user_id, username
