"""
`GET /query`: listing experiments by SOQL on `AbnExperiment`, and the pages of a long answer.

On this object `DeveloperName` is the API name and `Name` the label; its times end in `+0000`. A query keeps the ids it
found as a cursor; at most ten are open for a user, the oldest makes room. A row removed while the pages are read is
left out of its page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from reconciler.emulator.salesforce.errors import refusal
from reconciler.emulator.salesforce.http import Call, usage
from reconciler.emulator.salesforce.ids import record_id
from reconciler.emulator.salesforce.soql import Condition, Literal, Query, malformed, parse
from reconciler.emulator.salesforce.tables import instant_of, setting, table
from reconciler.emulator.world import Row

OBJECT = "AbnExperiment"
MAX_PAGE = 2000
MAX_CURSORS = 10

_TEXT, _ID, _TIME, _FLAG, _NUMBER = "text", "id", "time", "boolean", "number"
_FIELDS: dict[str, tuple[str, str]] = {  # name on the object -> key of the row, kind of value
    "Id": ("id", _ID),
    "DeveloperName": ("name", _TEXT),
    "Name": ("label", _TEXT),
    "Description": ("description", _TEXT),
    "State": ("state", _TEXT),
    "Status": ("status", _TEXT),
    "Source": ("source", _TEXT),
    "IsRemote": ("isRemote", _FLAG),
    "DataSpace.DataSpaceApiName": ("dataSpaceName", _TEXT),
    "PersonalizationSchemaEnum": ("schemaEnum", _TEXT),
    "WinnerSelectionMode": ("winnerSelectionMode", _TEXT),
    "ChanceToWinThreshold": ("chanceToWinThreshold", _NUMBER),
    "StartedDate": ("startedDate", _TIME),
    "StoppedDate": ("stoppedDate", _TIME),
    "LastAnalyzed": ("lastAnalyzed", _TIME),
    "CreatedById": ("createdById", _ID),
    "CreatedDate": ("createdDate", _TIME),
    "LastModifiedById": ("lastModifiedById", _ID),
    "LastModifiedDate": ("lastModifiedDate", _TIME),
}
_CANONICAL = {name.lower(): name for name in _FIELDS}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda have, want: bool(have < want),
    "<=": lambda have, want: bool(have <= want),
    ">": lambda have, want: bool(have > want),
    ">=": lambda have, want: bool(have >= want),
}


def run_query(call: Call) -> Response:
    """Answer `GET /query?q=SOQL` with the first page."""
    text = call.query.get("q")
    if not text:
        raise malformed("unexpected token: <EOF>")
    query = parse(text)
    if query.source.lower() != OBJECT.lower():
        raise refusal(400, "INVALID_TYPE", f"sObject type '{query.source}' is not supported.")
    fields = [_canonical(field) for field in query.fields]
    ids = _matching_ids(call, query)
    page_size = min(int(setting(call.world, "page_size")), MAX_PAGE)
    cursor = _open_cursor(call, ids, fields) if len(ids) > page_size else None
    return _page(call, ids, fields, 0, cursor)


def more(call: Call) -> Response:
    """Answer `GET /query/{cursor}-{offset}` with a further page."""
    cursor, _, offset = call.target.rpartition("-")
    row = table(call.world, "cursors").get(cursor)
    if row is None or row["user"] != call.session.user_id or not offset.isdigit() or int(offset) > len(row["ids"]):
        raise refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, row["ids"], row["fields"], int(offset), cursor)


def limits(call: Call) -> Response:
    """Answer `GET /limits`."""
    used, allowed = (int(number) for number in usage(call.world).removeprefix("api-usage=").split("/"))
    return JSONResponse({"DailyApiRequests": {"Max": allowed, "Remaining": max(allowed - used, 0)}})


def _canonical(field: str) -> str:
    name = _CANONICAL.get(field.lower())
    if name is None:
        raise refusal(400, "INVALID_FIELD", f"No such column '{field}' on entity '{OBJECT}'.")
    return name


def _value(row: Row, field: str) -> Any:
    """Give a field's value for comparing: times as datetimes."""
    key, kind = _FIELDS[field]
    value = row.get(key)
    return instant_of(value) if kind == _TIME and value is not None else value


def _written(row: Row, field: str) -> Any:
    key, kind = _FIELDS[field]
    value = row.get(key)
    return f"{value[:-1]}+0000" if kind == _TIME and value is not None else value


def _matching_ids(call: Call, query: Query) -> list[str]:
    rows = list(table(call.world, "experiments").values())
    for condition in query.conditions:
        test = _test(condition)
        rows = [row for row in rows if test(row)]
    rows.sort(key=lambda row: str(row["id"]))
    for order in reversed(query.orders):
        field = _canonical(order.field)
        known = [row for row in rows if _value(row, field) is not None]
        unknown = [row for row in rows if _value(row, field) is None]
        known.sort(key=lambda row: _fold(_value(row, field)), reverse=order.descending)
        rows = [*known, *unknown] if order.nulls_last else [*unknown, *known]
    return [row["id"] for row in rows[: query.limit]]


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _test(condition: Condition) -> Callable[[Row], bool]:
    field, operator = _canonical(condition.field), condition.operator
    kind = _FIELDS[field][1]
    wanted = [_operand(field, kind, value) for value in condition.values]
    if operator in ("=", "in"):
        return lambda row: _comparable(row, field) in wanted
    if operator in ("!=", "not in"):
        return lambda row: _comparable(row, field) not in wanted
    if kind in (_FLAG, _ID) or wanted[0] is None:
        raise refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator {operator} on {field}")
    compare = _COMPARE[operator]

    def holds(row: Row) -> bool:
        have = _comparable(row, field)
        return have is not None and compare(have, wanted[0])

    return holds


def _comparable(row: Row, field: str) -> Any:
    """Give a value for comparing: text without regard to capitals, ids by their first 15 characters."""
    value = _value(row, field)
    if _FIELDS[field][1] == _ID:
        return value[:15] if value else value
    return _fold(value)


def _operand(field: str, kind: str, value: Literal) -> Any:
    """Check a literal against the field's kind and give it ready for comparing."""
    fits = {
        _TEXT: isinstance(value, str),
        _ID: isinstance(value, str),
        _TIME: isinstance(value, datetime),
        _FLAG: isinstance(value, bool),
        _NUMBER: isinstance(value, int | float) and not isinstance(value, bool),
    }
    if value is not None and not fits[kind]:
        raise refusal(400, "INVALID_FIELD", f"value of filter criterion for field '{field}' must be of type {kind}")
    if kind == _ID and isinstance(value, str):
        if len(value) not in (15, 18):
            raise refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}")
        return value[:15]
    return _fold(value)


def _open_cursor(call: Call, ids: list[str], fields: list[str]) -> str:
    cursors = table(call.world, "cursors")
    user = call.session.user_id
    own = [key for key, row in cursors.items() if row["user"] == user]
    for key in own[: max(len(own) - MAX_CURSORS + 1, 0)]:
        del cursors[key]
    cursor = record_id("01g", call.world.next_number("salesforce.cursor"))
    cursors[cursor] = {"user": user, "ids": ids, "fields": fields}
    return cursor


def _page(call: Call, ids: list[str], fields: list[str], offset: int, cursor: str | None) -> Response:
    rows = table(call.world, "experiments")
    page_size = min(int(setting(call.world, "page_size")), MAX_PAGE)
    end = offset + page_size
    records = [_record(rows[key], fields, call.version) for key in ids[offset:end] if key in rows]
    done = end >= len(ids)
    content: dict[str, Any] = {"totalSize": len(ids), "done": done}
    if not done:
        content["nextRecordsUrl"] = f"/services/data/{call.version}/query/{cursor}-{end}"
    content["records"] = records
    return JSONResponse(content)


def _record(row: Row, fields: list[str], version: str) -> dict[str, Any]:
    base = f"/services/data/{version}/sobjects"
    record: dict[str, Any] = {"attributes": {"type": OBJECT, "url": f"{base}/{OBJECT}/{row['id']}"}}
    for field in fields:
        parent, _, name = field.rpartition(".")
        if parent:
            record.setdefault(parent, {"attributes": {"type": parent}})[name] = _written(row, field)
        else:
            record[field] = _written(row, field)
    return record
