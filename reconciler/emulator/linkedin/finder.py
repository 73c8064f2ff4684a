"""
The finder `q=search` of experiments: criteria, sort, paging.

Source: "Find Experiments" of the page; that criteria are joined by AND and the values of one by OR is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from reconciler.emulator.linkedin import restli
from reconciler.emulator.linkedin.problems import bad_parameter
from reconciler.emulator.linkedin.schema import EXECUTION, INTENDED, KEY_METRICS, urn_id
from reconciler.emulator.world import Row, World

Test: TypeAlias = Callable[[Row], bool]

MAX_COUNT = 1000
DEFAULT_COUNT = 10
_SORT_FIELDS: dict[str, Callable[[Row], Any]] = {
    "ID": lambda row: row["id"],
    "NAME": lambda row: row["name"],
    "SCHEDULED_START_AT": lambda row: row["scheduledStartAt"],
    "SCHEDULED_END_AT": lambda row: row["scheduledEndAt"],
    "ENDED_AT": lambda row: row.get("endedAt", -1),
    "USER_INTENDED_STATE": lambda row: row["userIntendedState"],
    "EXECUTION_STATE": lambda row: row["executionState"],
    "CREATED": lambda row: row["created"]["time"],
}


def select(world: World, raw: Mapping[str, str], visible: Test) -> list[Row]:
    """Give the rows that `search` asks for, in the order of `sort`; raises Refused (400) for a malformed parameter."""
    if "search" not in raw:
        raise bad_parameter("search")
    try:
        tests = _tests(world, restli.as_record(restli.parse_value(raw["search"])))
    except restli.Malformed:
        raise bad_parameter("search") from None
    rows = [row for row in world.table("linkedin", "experiments").values() if visible(row)]
    rows = [row for row in rows if all(test(row) for test in tests)]
    try:
        return _sorted(rows, raw.get("sort"))
    except restli.Malformed:
        raise bad_parameter("sort") from None


def page(rows: list[Any], raw: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """Give the rows of one page and its `paging` object; raises Refused (400) for a bad start or count."""
    start, count = _number(raw, "start", 0), _number(raw, "count", DEFAULT_COUNT)
    if count > MAX_COUNT:
        raise bad_parameter("count")
    return rows[start : start + count], {"start": start, "count": count, "total": len(rows), "links": []}


def criterion_values(criterion: restli.Value) -> list[str]:
    """Give the texts of a criterion `(values:List(…))`; raises Malformed."""
    record = restli.as_record(criterion)
    if set(record) != {"values"}:
        raise restli.Malformed("a criterion is a record of 'values'")
    return [restli.as_text(value) for value in restli.as_list(record["values"])]


def _tests(world: World, search: Mapping[str, restli.Value]) -> list[Test]:
    makers: dict[str, Callable[[list[str]], Test]] = {
        "accountCriteria": lambda values: _among(_urns("sponsoredAccount", values), lambda row: {row["account"]}),
        "campaignCriteria": lambda values: _among(_urns("sponsoredCampaign", values), _campaigns),
        "campaignGroupCriteria": lambda values: _among(
            _urns("sponsoredCampaignGroup", values), lambda row: _groups(world, row)
        ),
        "idCriteria": lambda values: _among({str(restli.as_long(v)) for v in values}, lambda row: {str(row["id"])}),
        "keyMetricCriteria": lambda values: _among(_enum(KEY_METRICS, values), lambda row: {row["keyMetric"]}),
        "userIntendedStateCriteria": lambda values: _among(
            _enum(INTENDED, values), lambda row: {row["userIntendedState"]}
        ),
        "executionStateCriteria": lambda values: _among(_enum(EXECUTION, values), lambda row: {row["executionState"]}),
    }
    for name in search:
        if name not in makers:
            raise restli.Malformed(name)
    return [makers[name](criterion_values(criterion)) for name, criterion in search.items()]


def _among(wanted: set[str], has: Callable[[Row], set[str]]) -> Test:
    return lambda row: bool(wanted & has(row))


def _campaigns(row: Row) -> set[str]:
    return {cell["reference"]["campaign"] for cell in row["cells"]}


def _groups(world: World, row: Row) -> set[str]:
    table = world.table("linkedin", "campaigns")
    numbers = [str(urn_id("sponsoredCampaign", urn)) for urn in _campaigns(row)]
    return {table[number]["campaignGroup"] for number in numbers if number in table}


def _urns(kind: str, values: list[str]) -> set[str]:
    for value in values:
        if urn_id(kind, value) is None:
            raise restli.Malformed(value)
    return set(values)


def _enum(allowed: tuple[str, ...], values: list[str]) -> set[str]:
    for value in values:
        if value not in allowed:
            raise restli.Malformed(value)
    return set(values)


def _sorted(rows: list[Row], raw: str | None) -> list[Row]:
    """Sort by every key of the list, the last one first as Python's sort is stable; without `sort`, by id."""
    rows = sorted(rows, key=_SORT_FIELDS["ID"])
    if raw is None:
        return rows
    for entry in reversed(restli.as_list(restli.parse_value(raw))):
        record = restli.as_record(entry)
        field, order = record.get("field"), record.get("order", "ASCENDING")
        if not set(record) <= {"field", "order"} or not isinstance(field, str) or field not in _SORT_FIELDS:
            raise restli.Malformed("sort")
        if order not in ("ASCENDING", "DESCENDING"):
            raise restli.Malformed("sort")
        rows = sorted(rows, key=_SORT_FIELDS[field], reverse=order == "DESCENDING")
    return rows


def _number(raw: Mapping[str, str], name: str, default: int) -> int:
    if name not in raw:
        return default
    try:
        number = restli.as_long(restli.parse_value(raw[name]))
    except restli.Malformed:
        raise bad_parameter(name) from None
    if number < 0:
        raise bad_parameter(name)
    return number
