"""
The shape of an AdExperiment as a client sends it: names, types, lengths, enums. Any flaw here is SCHEMA_MISMATCH.

The page demands "all required fields" without listing them; every field of the schema table that has neither a
default nor the word optional counts as required here (the stricter reading).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from reconciler.emulator.linkedin.problems import Failure

Check: TypeAlias = Callable[[Any, str], list[Failure]]

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
READ_ONLY = ("id", "executionState", "endedAt", "terminationReason", "created", "lastModified")
REQUIRED = (
    "account",
    "name",
    "keyMetric",
    "confidence",
    "scheduledStartAt",
    "scheduledEndAt",
    "userIntendedState",
    "cells",
)
KEY_METRICS = ("CPC", "CPM", "CPV", "CPMS")
INTENDED = ("DRAFT", "ACTIVE", "PAUSED", "CANCELED")
EXECUTION = ("PENDING", "RUNNING", "ON_HOLD", "STOPPED", "ENDED")
AUTO_STOP = ("AUTO_STOP_AT_END_DATE", "AUTO_STOP_AT_WINNER", "AUTO_STOP_DISABLED")


def urn_id(kind: str, value: object) -> int | None:
    """Give the number of `urn:li:{kind}:N`, or None when the value is no such URN."""
    match = re.fullmatch(rf"urn:li:{kind}:([1-9][0-9]{{0,18}})", value) if isinstance(value, str) else None
    return int(match.group(1)) if match and int(match.group(1)) <= LONG_MAX else None


def check_whole(body: Mapping[str, Any]) -> list[Failure]:
    """Give the flaws of a whole experiment; read-only fields are judged elsewhere and ignored here."""
    flaws = [_wrong(f"/{name}", "It is required.") for name in REQUIRED if name not in body]
    return flaws + check_fields(body)


def check_fields(fields: Mapping[str, Any]) -> list[Failure]:
    """Give the flaws of the fields present, unknown names included; read-only fields are ignored."""
    flaws: list[Failure] = []
    for name, value in fields.items():
        if name in READ_ONLY:
            continue
        check = FIELDS.get(name)
        flaws += check(value, f"/{name}") if check else [_wrong(f"/{name}", "No such field.")]
    return flaws


def _wrong(path: str, more: str, number: int | None = None) -> Failure:
    return Failure("SCHEMA_MISMATCH", path=path, more=more, number=number)


def _integer(most: int) -> Check:
    def check(value: Any, path: str) -> list[Failure]:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > most:
            return [_wrong(path, "An integer is expected.")]
        return []

    return check


def _text(most: int, least: int = 0) -> Check:
    """Lengths count UTF-16 units, as the platform's own language does (the page names no unit)."""

    def check(value: Any, path: str) -> list[Failure]:
        if not isinstance(value, str):
            return [_wrong(path, "A string is expected.")]
        length = len(value.encode("utf-16-le", "surrogatepass")) // 2
        if not least <= length <= most:
            return [_wrong(path, f"Its length must be from {least} to {most} characters; it is {length}.")]
        return []

    return check


def _one_of(allowed: Iterable[str]) -> Check:
    words = tuple(allowed)

    def check(value: Any, path: str) -> list[Failure]:
        if isinstance(value, str) and value in words:
            return []
        return [_wrong(path, f"One of {', '.join(words)} is expected.")]

    return check


def _urn(kind: str) -> Check:
    def check(value: Any, path: str) -> list[Failure]:
        return [] if urn_id(kind, value) is not None else [_wrong(path, f"A URN urn:li:{kind}:N is expected.")]

    return check


def _record(fields: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    def check(value: Any, path: str) -> list[Failure]:
        if not isinstance(value, Mapping):
            return [_wrong(path, "An object is expected.")]
        flaws = [_wrong(f"{path}/{name}", "It is required.") for name in required if name not in value]
        for name, part in value.items():
            inner = fields.get(name)
            flaws += inner(part, f"{path}/{name}") if inner else [_wrong(f"{path}/{name}", "No such field.")]
        return flaws

    return check


def _array(item: Check) -> Check:
    def check(value: Any, path: str) -> list[Failure]:
        if not isinstance(value, list):
            return [_wrong(path, "An array is expected.")]
        return [flaw for number, one in enumerate(value) for flaw in item(one, f"{path}/{number}")]

    return check


_CELL = _record(
    {
        "name": _text(99, 1),  # "less than 100", where the experiment's own name has "not more than 100"
        "description": _text(499),
        "trafficWeight": _integer(INT_MAX),
        "reference": _record({"campaign": _urn("sponsoredCampaign")}, ("campaign",)),
    },
    ("name", "trafficWeight", "reference"),
)

FIELDS: dict[str, Check] = {
    "account": _urn("sponsoredAccount"),
    "name": _text(100, 1),
    "description": _text(1000),
    "keyMetric": _one_of(KEY_METRICS),
    "confidence": _integer(INT_MAX),
    "scheduledStartAt": _integer(LONG_MAX),
    "scheduledEndAt": _integer(LONG_MAX),
    "autoStop": _one_of(AUTO_STOP),
    "userIntendedState": _one_of(INTENDED),
    "cells": _array(_CELL),
}
