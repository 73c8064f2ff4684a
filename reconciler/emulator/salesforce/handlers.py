"""
The four calls on `abn-experiments`: create, read, update or act, delete.

Where the platform's pages are silent, the stricter reading holds: only label and description may be sent once an
experiment has been started, and keys that need a new experiment are refused even when their value stays.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from reconciler.emulator.salesforce.errors import Problem, Refused, refusal
from reconciler.emulator.salesforce.experiments import find, merged, name_is_taken, new_row, shown, touch
from reconciler.emulator.salesforce.http import Call
from reconciler.emulator.salesforce.lifecycle import act, begin, check_settled, snapshot, will_fail
from reconciler.emulator.salesforce.rules import broken_rules, fill_open_weights
from reconciler.emulator.salesforce.shape import Problems, read_create, read_update
from reconciler.emulator.salesforce.tables import table
from reconciler.emulator.world import Row

NEEDS_NEW_EXPERIMENT = frozenset(
    {"name", "dataSpaceName", "schemaName", "schemaEnum", "source", "sourceRecordId", "profileDataGraphName"}
)
_TEXTS = frozenset({"label", "description"})


def create(call: Call) -> Response:
    """
    Answer `POST abn-experiments/`: 201 with the new experiment, status Processing.

    A resource parameter beside a body is ignored (a rule of the Connect guide), so `?action=Start` starts nothing.
    """
    problems: Problems = []
    fields: Row = read_create(call.body(), "", problems)
    _refuse_any(problems)
    fill_open_weights(fields)
    _refuse_any(broken_rules(call.world, fields))
    if name_is_taken(call.world, fields["name"]):
        message = f"An experiment with the name {fields['name']} exists already"
        raise refusal(400, "DUPLICATE_VALUE", message, "name")
    row = new_row(call.world, fields, call.session.user_id)
    table(call.world, "experiments")[row["id"]] = row
    begin(call.world, row, "create")
    return call.answer(shown(row, call.version), 201)


def read(call: Call) -> Response:
    """Answer `GET abn-experiments/{IdOrName}`."""
    return call.answer(shown(find(call.world, call.target), call.version))


def update(call: Call) -> Response:
    """
    Answer `PATCH abn-experiments/{IdOrName}`: fields of the body, or, without any, the action of the query.

    An edit of label and description alone is done at once (the seed page answers Active); others are Processing first.
    """
    row = find(call.world, call.target)
    body = call.body()
    action = call.query.get("action")
    check_settled(row)
    if body:
        _edit(call, row, body)
    elif action is not None:
        act(call.world, row, action, call.session.user_id)
    else:
        raise refusal(400, "INVALID_INPUT", "The request carries neither a field nor an action")
    return call.answer(shown(row, call.version))


def delete(call: Call) -> Response:
    """Answer `DELETE abn-experiments/{IdOrName}`: 202 without a body, status Deleting, gone later."""
    row = find(call.world, call.target)
    check_settled(row)
    if row["state"] == "Started":
        raise refusal(400, "INVALID_OPERATION", "A started experiment cannot be deleted; stop it first", "state")
    touch(call.world, row, call.session.user_id)
    begin(call.world, row, "delete")
    return Response(status_code=202)


def _edit(call: Call, row: Row, body: dict[str, Any]) -> None:
    problems: Problems = []
    changes: Row = read_update(body, "", problems)
    problems += _immutable(row, changes)
    _refuse_any(problems)
    fill_open_weights(changes)
    texts_only = changes.keys() <= _TEXTS
    if not texts_only:
        _refuse_any(broken_rules(call.world, {**row, **changes}))
    before = snapshot(row)
    row.update(merged(call.world, row, changes, call.session.user_id))
    touch(call.world, row, call.session.user_id)
    if not texts_only or will_fail(call.world, row, "edit"):
        begin(call.world, row, "edit", before)
    else:
        row["status"] = "Active"


def _immutable(row: Row, changes: Row) -> list[Problem]:
    """List the keys that may not be sent in the row's state."""
    code = "INVALID_FIELD_FOR_INSERT_UPDATE"
    if row["status"] == "CreateError":
        return [Problem("INVALID_OPERATION", "The experiment could not be created; delete it", ("status",))]
    if row["state"] == "Created":
        refused, why = changes.keys() & NEEDS_NEW_EXPERIMENT, "cannot be changed, it needs a new experiment"
    elif row["state"] in ("Started", "Stopped"):
        refused, why = changes.keys() - _TEXTS, f"cannot be changed in state {row['state']}"
    else:
        refused, why = set(changes), f"cannot be changed in state {row['state']}"
    return [Problem(code, f"{key}: {why}", (key,)) for key in sorted(refused)]


def _refuse_any(problems: list[Problem]) -> None:
    if problems:
        raise Refused(400, problems)
