"""
The Experiment Input type as data: which keys a body may have, of which type, within which limits.

A reader takes one JSON value and gives what the platform stores; what is wrong goes to the list of problems. Types are
exact: `true` is no number, `95.0` no integer, `"95"` neither. Empty text in a field that may be empty is stored as
null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from reconciler.emulator.salesforce.errors import Problem

Problems: TypeAlias = list[Problem]
Reader: TypeAlias = Callable[[Any, str, Problems], Any]

MAX_CONDITIONS = 50
MAX_CRITERIA_DEPTH = 100
_INT32 = 2**31 - 1
_API_NAME = re.compile(r"[A-Za-z0-9_]+")


def _wrong_type(path: str, wanted: str, found: Any, problems: Problems) -> None:
    kind = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    given = "null" if found is None else kind.get(type(found), type(found).__name__)
    problems.append(Problem("JSON_PARSER_ERROR", f"{path}: expected {wanted}, found {given}", (path,)))


def text(limit: int, *, nullable: bool = False, blank: bool = False, api_name: bool = False) -> Reader:
    """Read text of at most `limit` characters; `nullable` text may be null or empty, `blank` text may be empty."""

    def read(value: Any, path: str, problems: Problems) -> Any:
        if value is None and nullable:
            return None
        if not isinstance(value, str):
            _wrong_type(path, "string", value, problems)
        elif len(value) > limit:
            problems.append(Problem("STRING_TOO_LONG", f"{path}: data value too large: max length is {limit}", (path,)))
        elif not value.strip() and not blank:
            if nullable:
                return None
            problems.append(Problem("REQUIRED_FIELD_MISSING", f"{path}: must not be blank", (path,)))
        elif api_name and not _API_NAME.fullmatch(value):
            problems.append(
                Problem("INVALID_FIELD", f"{path}: only letters, digits and underscores are allowed", (path,))
            )
        return value

    return read


def choice(*allowed: str, nullable: bool = False) -> Reader:
    """Read one of the `allowed` words, case-sensitive."""

    def read(value: Any, path: str, problems: Problems) -> Any:
        if value is None and nullable:
            return None
        if not isinstance(value, str):
            _wrong_type(path, "string", value, problems)
        elif value not in allowed:
            message = f'{path}: "{value}" is not one of {", ".join(allowed)}'
            problems.append(Problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (path,)))
        return value

    return read


def integer(low: int = -_INT32, high: int = _INT32) -> Reader:
    """Read a whole number from `low` to `high`."""

    def read(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            _wrong_type(path, "integer", value, problems)
        elif not low <= value <= high:
            problems.append(out_of_range(path, low, high))
        return value

    return read


def out_of_range(path: str, low: int, high: int) -> Problem:
    """Give the problem of a number that is not between `low` and `high`."""
    return Problem("NUMBER_OUTSIDE_VALID_RANGE", f"{path}: must be from {low} to {high}", (path,))


def flag(value: Any, path: str, problems: Problems) -> Any:
    """Read a boolean."""
    if not isinstance(value, bool):
        _wrong_type(path, "boolean", value, problems)
    return value


def percentage(value: Any, path: str, problems: Problems) -> Any:
    """Read a chance to win, 85 to 100; two decimals are stored, and a whole number is shown without any."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        _wrong_type(path, "number", value, problems)
        return value
    if not 85 <= value <= 100:
        problems.append(out_of_range(path, 85, 100))
        return value
    stored = round(float(value), 2)
    return int(stored) if stored.is_integer() else stored


def _deeper_than(value: Any, limit: int) -> bool:
    """Tell whether arrays and objects are nested more than `limit` deep."""
    layer = [value]
    for _ in range(limit):
        inner = [list(item.values()) if isinstance(item, dict) else item for item in layer]
        layer = [part for parts in inner for part in parts if isinstance(part, dict | list)]
        if not layer:
            return False
    return True


def _conditions(rules: Any) -> int:
    """Count the conditions of targeting rules: the objects that hold no further object."""
    if isinstance(rules, list):
        return sum(_conditions(item) for item in rules)
    if not isinstance(rules, dict):
        return 0
    inner = sum(_conditions(item) for item in rules.values())
    return inner or int(bool(rules))


def criteria(value: Any, path: str, problems: Problems) -> Any:
    """Read targeting rules: a string that holds a JSON object of at most 50 conditions; gives the object."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _wrong_type(path, "string holding JSON", value, problems)
        return None
    try:
        rules = json.loads(value)
        json.dumps(rules, ensure_ascii=False, allow_nan=False).encode()  # no lone surrogate, no NaN inside
    except (ValueError, RecursionError):
        rules = None
    if not isinstance(rules, dict) or _deeper_than(rules, MAX_CRITERIA_DEPTH):
        problems.append(Problem("INVALID_FIELD", f"{path}: the string does not hold a JSON object of rules", (path,)))
        return None
    count = _conditions(rules)
    if count > MAX_CONDITIONS:
        message = f"{path}: {count} conditions, at most {MAX_CONDITIONS} are allowed"
        problems.append(Problem("LIMIT_EXCEEDED", message, (path,)))
    return rules


def list_of(item: Reader) -> Reader:
    """Read an array whose elements are read by `item`."""

    def read(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, list):
            _wrong_type(path, "array", value, problems)
            return []
        return [item(element, f"{path}[{place}]", problems) for place, element in enumerate(value)]

    return read


def record(fields: Mapping[str, Reader], required: tuple[str, ...] = ()) -> Reader:
    """Read an object with the given keys and no others; the `required` ones must be there."""

    def read(value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            _wrong_type(path or "body", "object", value, problems)
            return {}
        dot = f"{path}." if path else ""
        for key in value:
            if key not in fields:
                problems.append(Problem("JSON_PARSER_ERROR", f'Unrecognized field "{key}"', (f"{dot}{key}",)))
        for key in required:
            if key not in value:
                message = f"Required fields are missing: [{dot}{key}]"
                problems.append(Problem("REQUIRED_FIELD_MISSING", message, (f"{dot}{key}",)))
        return {key: fields[key](part, f"{dot}{key}", problems) for key, part in value.items() if key in fields}

    return read


_ATTRIBUTE = record(
    {
        "attributeName": text(255, nullable=True),
        "attributeEnum": choice("Variation", "FlowPath", nullable=True),
        "value": text(20_000, blank=True),
    },
    ("value",),
)
_COHORT = record(
    {
        "name": text(80),
        "label": text(255),
        "description": text(255, nullable=True),
        "isControl": flag,
        "allocationWeight": integer(0, 10_000),
        "attributeValues": list_of(_ATTRIBUTE),
        "personalizerName": text(255, nullable=True),
        "isFallThrough": flag,
    },
    ("name", "label", "isControl"),
)
_METRIC: dict[str, Reader] = {
    "metricType": choice("EngagementSignal", "EngagementSignalCompound"),
    "metricName": text(255),
    "engagementSignalName": text(255, nullable=True),
    "higherIsBetter": flag,
}
_PARAMETER = record(
    {"engagementSignalName": text(255), "parameterName": text(255), "values": list_of(text(20_000, blank=True))},
    ("engagementSignalName", "parameterName", "values"),
)

FIELDS: dict[str, Reader] = {
    "name": text(40, api_name=True),
    "label": text(255),
    "description": text(255, nullable=True),
    "dataSpaceName": text(80, api_name=True),
    "profileDataGraphName": text(255, nullable=True),
    "schemaName": text(255, nullable=True),
    "schemaEnum": choice("DecisionDefined", "ExperienceVariation", "FlowPath", nullable=True),
    "source": choice("PersonalizationApp", "ExperienceBuilder", "BlockBuilder", "FlowBuilder", "Agentforce"),
    "sourceRecordId": text(255, nullable=True),
    "cohorts": list_of(_COHORT),
    "primaryMetrics": list_of(
        record({**_METRIC, "overallScoreWeight": integer(0, 10_000)}, ("metricType", "metricName"))
    ),
    "secondaryMetrics": list_of(record(_METRIC, ("metricType", "metricName"))),
    "criteria": criteria,
    "minimumRequiredParticipants": integer(),
    "chanceToWinThreshold": percentage,
    "minimumDurationInMinutes": integer(),
    "maximumDurationInMinutes": integer(),
    "winnerSelectionMode": choice("Automatic", "Manual"),
    "scheduleFrequencyInMinutes": integer(30, 1440),
    "parameters": list_of(_PARAMETER),
}

REQUIRED_ON_CREATE = ("name", "label", "dataSpaceName", "source", "cohorts")

read_create = record(FIELDS, REQUIRED_ON_CREATE)
read_update = record(FIELDS)
