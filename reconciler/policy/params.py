"""The parameters of ready policies: their types, and how YAML values become what expressions speak of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from reconciler.manifests.words import nearest, plain, shown
from reconciler.model.time import iso, parse_time
from reconciler.policy.engine import Type

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(min|h|d|w)")
_UNITS: Final = {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Sort(StrEnum):
    """What a parameter takes, as the documentation writes it."""

    NUMBER = "number"
    COUNT = "whole number"
    TEXT = "text"
    TEXTS = "list of texts"
    PATTERN = "regular expression (RE2)"
    SPAN = "time span, such as 36h, 3d or 2w"
    ZONE = "time zone, such as Europe/Berlin"
    WINDOWS = "list of {from, to, name}; times with an offset, or dates in UTC, the last day included"


TYPES: Final[Mapping[Sort, Type]] = {
    Sort.NUMBER: Type.DOUBLE,
    Sort.COUNT: Type.INT,
    Sort.TEXT: Type.STRING,
    Sort.TEXTS: Type.STRINGS,
    Sort.PATTERN: Type.STRING,
    Sort.SPAN: Type.DURATION,
    Sort.ZONE: Type.STRING,
    Sort.WINDOWS: Type.MAPS,
}
NEEDED: Final = object()
"""The default of a parameter that has to be stated."""


@dataclass(frozen=True)
class Param:
    """One parameter; `usual` is its YAML value when it is not stated, NEEDED where it has to be."""

    name: str
    sort: Sort
    meaning: str
    usual: Any = NEEDED
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class BadParam(Exception):
    """A parameter is not what is wanted; `name` is empty where the parameters as a whole are meant."""

    name: str
    message: str
    hint: str = ""


def read_params(known: tuple[Param, ...], stated: Mapping[str, Any]) -> tuple[dict[str, Any], list[BadParam]]:
    """Give the values of parameters as variables by name, and everything that is wrong with what is stated."""
    by_name = {param.name: param for param in known}
    wrong = []
    for name in stated:
        if name not in by_name:
            meant = nearest(name, by_name)
            hint = f"did you mean {meant}?" if meant else f"it takes {', '.join(by_name) or 'none'}"
            wrong.append(BadParam(name, f'unknown parameter "{plain(name)}"', hint))
    values: dict[str, Any] = {}
    for name, param in by_name.items():
        given = stated.get(name, param.usual)
        if given is NEEDED:
            wrong.append(BadParam("", f"params.{name} is missing; it is a {param.sort}", param.meaning))
            continue
        try:
            values[f"params.{name}"] = _READ[param.sort](param, given)
        except ValueError as error:
            wrong.append(BadParam(name, f"params.{name} is {shown(given)}; {error}", param.meaning))
    return values, wrong


def _number(param: Param, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"it has to be a {param.sort}")
    if (param.least is not None and value < param.least) or (param.most is not None and value > param.most):
        up = f"at least {param.least:g}" if param.least is not None else ""
        down = f"at most {param.most:g}" if param.most is not None else ""
        raise ValueError(f"it has to be {' and '.join(part for part in (up, down) if part)}")
    return float(value)


def _count(param: Param, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"it has to be a {param.sort}")
    return int(_number(param, value))


def _text(param: Param, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it has to be text")
    if len(value) > 1000:
        raise ValueError("it has to be at most 1,000 characters")
    return value


def _texts(param: Param, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("it has to be a list of texts")
    return [_text(param, item) for item in value]


def _span(param: Param, value: Any) -> timedelta:
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("it has to be a time span: a number and min, h, d or w, such as 36h or 3d")
    span = timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    if span > timedelta(days=36_500):
        raise ValueError("it has to be at most 36500d")
    return span


def _zone(param: Param, value: Any) -> str:
    name = _text(param, value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("it has to be the name of a time zone, such as Europe/Berlin or UTC") from None
    return name


def _windows(param: Param, value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise ValueError("it has to be a list of {from, to}, at least one")
    return [_window(number, item) for number, item in enumerate(value)]


def _window(number: int, item: Any) -> dict[str, str]:
    if not isinstance(item, dict) or not {"from", "to"} <= item.keys() <= {"from", "to", "name"}:
        raise ValueError(f"its item [{number}] has to be {{from, to}}, with a name where wanted")
    name = item.get("name", f"freeze {number + 1}")
    if not isinstance(name, str):
        raise ValueError(f"the name of its item [{number}] has to be text")
    start, end = _moment(item["from"], number, last=False), _moment(item["to"], number, last=True)
    if start >= end:
        raise ValueError(f"its item [{number}] ends before it begins")
    return {"from": iso(start), "to": iso(end), "name": plain(name)}


def _moment(value: Any, number: int, *, last: bool) -> datetime:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            day = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
            return day + timedelta(days=1) if last else day
        return parse_time(str(value))
    except (ValueError, OverflowError):
        raise ValueError(
            f"{shown(value)} in its item [{number}] is no time; write 2026-12-24 or 2026-12-24T09:00:00Z"
        ) from None


_READ: Final[Mapping[Sort, Callable[[Param, Any], Any]]] = {
    Sort.NUMBER: _number,
    Sort.COUNT: _count,
    Sort.TEXT: _text,
    Sort.TEXTS: _texts,
    Sort.PATTERN: _text,
    Sort.SPAN: _span,
    Sort.ZONE: _zone,
    Sort.WINDOWS: _windows,
}
"""How each sort of value is read; raises ValueError with what it has to be."""
