"""The operations on `adExperiments` and `adExperimentResults`, apart from HTTP: each gives the body of its answer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.linkedin import finder, lifecycle, restli
from reconciler.emulator.linkedin.auth import Caller, demand_write
from reconciler.emulator.linkedin.judge import change_failures, new_failures, patch_shape_failures, read_only_failures
from reconciler.emulator.linkedin.problems import (
    Failure,
    bad_parameter,
    failed,
    gateway,
    plain_error,
    refused,
)
from reconciler.emulator.linkedin.results import result
from reconciler.emulator.linkedin.schema import check_whole, urn_id
from reconciler.emulator.linkedin.warnings import warnings
from reconciler.emulator.world import Row, Table, World

FIRST_ID = 40001
DEFAULT_AUTO_STOP = "AUTO_STOP_AT_END_DATE"


def create(world: World, who: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """Store a new experiment and give it with its id; raises Refused."""
    account = urn_id("sponsoredAccount", body.get("account"))
    known = account is not None and str(account) in world.table("linkedin", "accounts")
    if not (who.may_write(account) if known and account is not None else who.writes_at_all):
        raise refused("FORBIDDEN")
    failures = new_failures(world, body)
    if failures:
        raise failed(failures)
    now = world.now_ms()
    number = world.next_number("linkedin.experiment", FIRST_ID)
    while str(number) in _table(world):  # a seed may hold ids of its own
        number = world.next_number("linkedin.experiment", FIRST_ID)
    stamp = {"actor": who.member, "time": now}
    row: Row = {"autoStop": DEFAULT_AUTO_STOP, **copy.deepcopy(body), "id": number, "executionState": "PENDING"}
    row |= {"created": dict(stamp), "lastModified": dict(stamp)}
    _table(world)[str(number)] = row
    lifecycle.tick(world)
    return public(row)


def get(world: World, who: Caller, number: int) -> dict[str, Any]:
    """Give one experiment; raises Refused."""
    return public(_readable(world, who, number))


def batch_get(world: World, who: Caller, numbers: list[int]) -> dict[str, Any]:
    """
    Give `results` and `errors` by id, always without an error of its own.

    Ids of another account than the first one found are BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT (the enum of the page
    has the code, no endpoint lists it; as an error per id it agrees with "always 200").
    """
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    account: str | None = None
    for number in numbers:
        row = _table(world).get(str(number))
        if row is None:
            errors[str(number)] = plain_error("EXPERIMENT_NOT_FOUND")
        elif not who.may_read(_account(row)):
            errors[str(number)] = plain_error("FORBIDDEN")
        elif account not in (None, row["account"]):
            errors[str(number)] = plain_error("BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT")
        else:
            account = row["account"]
            results[str(number)] = public(row)
    return {"results": results, "errors": errors}


def find(world: World, who: Caller, raw: Mapping[str, str]) -> dict[str, Any]:
    """Give one page of `q=search`, as far as the caller may read; raises Refused (400) for malformed parameters."""
    rows, paging = finder.page(finder.select(world, raw, lambda row: who.may_read(_account(row))), raw)
    return {"elements": [public(row) for row in rows], "paging": paging}


def update(world: World, who: Caller, number: int, body: dict[str, Any]) -> None:
    """Apply a partial update as a whole or not at all; raises Refused."""
    row = _table(world).get(str(number))
    if row is None:
        raise refused("EXPERIMENT_NOT_FOUND")
    demand_write(who, _account(row))
    sets, deletes = _patch(body)
    failures = patch_shape_failures(row, sets, deletes)
    if failures:
        raise failed(failures)
    merged = {name: value for name, value in row.items() if name not in deletes} | sets
    merged.setdefault("autoStop", DEFAULT_AUTO_STOP)
    failures = change_failures(world, row, merged, [*sets, *deletes])
    if failures:
        raise failed(failures)
    if row["executionState"] != "ENDED":
        _apply(world, row, sets, deletes)
        row["lastModified"] = {"actor": who.member, "time": world.now_ms()}
        lifecycle.tick(world)


def delete(world: World, who: Caller, number: int) -> None:
    """Delete an experiment that is PENDING; raises Refused (405 otherwise, as the table of the page has it)."""
    row = _table(world).get(str(number))
    if row is None:
        raise refused("EXPERIMENT_NOT_FOUND")
    demand_write(who, _account(row))
    if row["executionState"] != "PENDING":
        raise refused("DELETION_NOT_ALLOWED")
    del _table(world)[str(number)]


def validate(world: World, who: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """
    Give the reply of the action `validateExperimentSetup`: errors first, then warnings.

    Needs the right to write (not stated by the page). An `id` that is not stored raises 404: the page allows it only
    for an existing entity.
    """
    entity = body.get("adExperiment")
    if set(body) != {"adExperiment"} or not isinstance(entity, dict):
        raise bad_parameter("adExperiment")
    number = entity.get("id")
    stored: Row | None = None
    if not who.writes_at_all:
        raise refused("FORBIDDEN")
    if isinstance(number, int) and not isinstance(number, bool):
        stored = _table(world).get(str(number))
        if stored is None:
            raise refused("EXPERIMENT_NOT_FOUND")
        demand_write(who, _account(stored))
    account = urn_id("sponsoredAccount", entity.get("account"))
    if account is not None and str(account) in world.table("linkedin", "accounts"):
        demand_write(who, account)
    errors = _errors(world, entity, stored)
    shapely = not any(one.code == "SCHEMA_MISMATCH" for one in errors)
    items = [one.item("ERROR") for one in errors]
    items += [one.item("WARNING") for one in warnings(world, entity, stored)] if shapely else []
    value: dict[str, Any] = {"items": items, "validatedAt": world.now_ms()}
    if stored is not None:
        value["experimentId"] = stored["id"]
    return {"value": value}


def get_result(world: World, who: Caller, number: int) -> dict[str, Any]:
    """Give the result of an experiment; raises Refused (404 while there is none)."""
    body = result(_readable(world, who, number), world.now_ms())
    if body is None:
        raise refused("EXPERIMENT_RESULT_NOT_FOUND")
    return body


def find_results(world: World, who: Caller, raw: Mapping[str, str]) -> list[dict[str, Any]]:
    """
    Give the results of `criteria`, those that exist and may be read, in the order of the ids asked for.

    Both spellings of the page are read: `(experimentIds:List(1,2))` and `(experimentIds:(values:List(1,2)))`.
    """
    try:
        criteria = restli.as_record(restli.parse_value(raw.get("criteria", "")))
        if set(criteria) != {"experimentIds"}:
            raise restli.Malformed("criteria")
        ids = criteria["experimentIds"]
        if isinstance(ids, dict):
            if set(ids) != {"values"}:
                raise restli.Malformed("criteria")
            ids = ids["values"]
        numbers = [restli.as_long(one) for one in restli.as_list(ids)]
    except restli.Malformed:
        raise bad_parameter("criteria") from None
    rows = [_table(world).get(str(number)) for number in dict.fromkeys(numbers)]
    readable = [row for row in rows if row is not None and who.may_read(_account(row))]
    return [body for row in readable if (body := result(row, world.now_ms())) is not None]


def public(row: Row) -> dict[str, Any]:
    """Give a row as the API shows it, without the emulator's own keys."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _errors(world: World, entity: dict[str, Any], stored: Row | None) -> list[Failure]:
    if stored is None:
        return new_failures(world, entity)
    failures = read_only_failures([name for name in entity if name != "id"]) + check_whole(entity)
    if failures:
        return failures
    merged = {"autoStop": DEFAULT_AUTO_STOP, **entity}
    names = [name for name in (*merged, "description") if name != "id" and merged.get(name) != stored.get(name)]
    return change_failures(world, stored, merged, list(dict.fromkeys(names)))


def _patch(body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give `$set` and `$delete` of a patch body; raises Refused (400) for anything else, as the framework does."""
    patch = body.get("patch")
    if set(body) != {"patch"} or not isinstance(patch, dict) or not set(patch) <= {"$set", "$delete"}:
        raise gateway(400, "The body has to be a patch of $set and $delete")
    sets, deletes = patch.get("$set", {}), patch.get("$delete", [])
    if not isinstance(sets, dict) or not isinstance(deletes, list):
        raise gateway(400, "$set has to be an object and $delete an array")
    if not all(isinstance(name, str) for name in deletes) or len(set(deletes)) != len(deletes):
        raise gateway(400, "$delete has to list field names, each once")
    both = sorted(set(sets) & set(deletes))
    if both:
        raise gateway(400, f"Field {both[0]} is both set and deleted")
    return copy.deepcopy(sets), deletes


def _apply(world: World, row: Row, sets: dict[str, Any], deletes: list[str]) -> None:
    wanted = sets.pop("userIntendedState", row["userIntendedState"])
    extended = sets.get("scheduledEndAt", 0) > row["scheduledEndAt"]
    for name in deletes:
        row.pop(name, None)
    row.update(sets)
    row.setdefault("autoStop", DEFAULT_AUTO_STOP)
    if row["userIntendedState"] == "DRAFT" and wanted == "ACTIVE":
        row["_launchedAt"] = world.now_ms()
    lifecycle.intend(world, row, wanted)
    if extended:
        lifecycle.rerun(world, row)


def _readable(world: World, who: Caller, number: int) -> Row:
    row = _table(world).get(str(number))
    if row is None:
        raise refused("EXPERIMENT_NOT_FOUND")
    if not who.may_read(_account(row)):
        raise refused("FORBIDDEN")
    return row


def _account(row: Row) -> int:
    return urn_id("sponsoredAccount", row["account"]) or 0


def _table(world: World) -> Table:
    return world.table("linkedin", "experiments")
