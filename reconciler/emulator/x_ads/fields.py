"""
The JSON body of a write, field by field: types, lengths, patterns and unknown keys.

Every function takes `findings` and notes there all that is wrong; what it gives back is only meaningful when nothing
was noted. Values given back are in the platform's own form: sizes as "50.0", times in UTC with `Z`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from reconciler.emulator.x_ads import times
from reconciler.emulator.x_ads.refusals import Findings, refusal

ENTITY_TYPES = ("CAMPAIGN", "LINE_ITEM")
TEST_FIELDS = ("name", "description", "start_time", "end_time", "user_groups")
GROUP_FIELDS = ("name", "description", "size", "entity_ids")
_LONGEST = {"name": 255, "description": 1024}
_SIZE = re.compile(r"[1-9][0-9]?(?:\.[0-9]{1,2})?", re.ASCII)


def json_object(content_type: str | None, body: bytes) -> dict[str, Any]:
    """
    Give the JSON object of a body.

    Raises `Refusal` 400 for any Content-Type but exactly `application/json`, for text that is not JSON (RFC 8259: no
    NaN, no key twice) and for JSON that is not an object.
    """
    if content_type is None or content_type.strip().lower() != "application/json":
        message = "A Content-Type of application/json is required"
        raise refusal(400, "INVALID_PARAMETER", message, parameter="Content-Type", value=content_type)
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refusal(400, "INVALID_PARAMETER", "The body is not valid JSON", details=str(error)) from None
    if not isinstance(value, dict):
        raise refusal(400, "INVALID_PARAMETER", "The body must be a JSON object")
    return value


def create_fields(body: dict[str, Any], findings: Findings) -> dict[str, Any]:
    """Read the body of a create; `null` is no value there."""
    for key in ("end_time", "entity_type", "start_time", "user_groups"):
        if key not in body:
            findings.missing(key)
    return _test_fields(body, (*TEST_FIELDS, "entity_type"), findings, creating=True)


def update_fields(body: dict[str, Any], findings: Findings) -> dict[str, Any]:
    """Read the body of an update; `null` unsets a name or a description, `entity_type` is no parameter there."""
    return _test_fields(body, TEST_FIELDS, findings, creating=False)


def by_id(groups: list[dict[str, Any]]) -> bool:
    """Tell whether user groups of an update are references by id (edits) rather than a recreated array."""
    return all("id" in group for group in groups)


def _test_fields(body: dict[str, Any], known: tuple[str, ...], findings: Findings, *, creating: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in body.items():
        if key not in known:
            findings.invalid(key, f'"{key}" is not a parameter of this endpoint')
        elif key in _LONGEST:
            fields[key] = _text(value, key, _LONGEST[key], findings, nullable=not creating)
        elif key == "entity_type":
            fields[key] = value
            if value not in ENTITY_TYPES:
                findings.invalid(key, f"Expected one of {', '.join(ENTITY_TYPES)}", value)
        elif key == "user_groups":
            fields[key] = _groups(value, findings, creating=creating)
        else:
            fields[key] = _time(value, key, findings)
    return fields


def _groups(value: Any, findings: Findings, *, creating: bool) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(group, dict) for group in value):
        findings.invalid("user_groups", "Expected an array of objects")
        return []
    if not creating and not value:
        findings.invalid("user_groups", "Expected at least 1 user group", value)
    with_id = sum("id" in group for group in value)
    if not creating and 0 < with_id < len(value):
        findings.invalid("user_groups", "Either all user groups or none may have an id")
        return []
    editing = not creating and with_id > 0
    return [_group(group, f"user_groups[{at}]", findings, editing=editing) for at, group in enumerate(value)]


def _group(group: dict[str, Any], where: str, findings: Findings, *, editing: bool) -> dict[str, Any]:
    if not editing:
        for key in ("entity_ids", "size"):
            if key not in group:
                findings.missing(f"{where}.{key}")
    fields: dict[str, Any] = {}
    for key, value in group.items():
        place = f"{where}.{key}"
        if key == "id" and editing:
            fields[key] = value
            if not isinstance(value, str) or not value:
                findings.invalid(place, "Expected the id of a user group", value)
        elif key not in GROUP_FIELDS:
            findings.invalid(place, f'"{key}" may not be given here')
        elif key in _LONGEST:
            fields[key] = _text(value, place, _LONGEST[key], findings, nullable=editing)
        elif key == "size":
            fields[key] = _size(value, place, findings)
        else:
            fields[key] = _entity_ids(value, place, findings)
    return fields


def _text(value: Any, where: str, longest: int, findings: Findings, *, nullable: bool) -> str | None:
    if value is None and nullable:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        findings.invalid(where, f"Expected a string of 1 to {longest} characters for {where}", value)
        return None
    return value


def _time(value: Any, where: str, findings: Findings) -> str:
    try:
        return times.shown(times.parse(value if isinstance(value, str) else ""))
    except ValueError as error:
        got = json.dumps(value)
        findings.invalid(where, f"Expected time, got {got} for {where}", value, details=str(error))
        return ""


def _size(value: Any, where: str, findings: Findings) -> str:
    """A number of 1.00 to 99.00 in a string, at most two digits after the point; given back as "50.0"."""
    if not isinstance(value, str) or not _SIZE.fullmatch(value) or Decimal(value) > 99:
        message = f"Expected a string holding a number from 1.00 to 99.00 with at most two decimals for {where}"
        findings.invalid(where, message, value)
        return "0.0"
    return str(float(value))


def _entity_ids(value: Any, where: str, findings: Findings) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(entity, str) and entity for entity in value):
        findings.invalid(where, f"Expected an array of at least one entity id for {where}", value)
        return []
    if len(set(value)) != len(value):
        findings.invalid(where, f"An entity id is given twice for {where}", value)
    return list(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
