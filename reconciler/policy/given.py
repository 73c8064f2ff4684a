"""What a test case states: variables as YAML has them, to values as expressions know them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.manifests.words import nearest, plain, shown
from reconciler.model.diagnostic import PathTuple
from reconciler.model.time import parse_time
from reconciler.policy.engine import Type
from reconciler.policy.params import Param, Sort, read_params
from reconciler.policy.variables import VARIABLES

_DAY = timedelta(days=1)
_EMPTY: Final[Mapping[Type, Any]] = {Type.STRING: "", Type.LABELS: {}, Type.MAP: {}, Type.BOOL: False, Type.DOUBLES: []}
_KIND = "LinkedInExperiment"
_PLATFORMS: Final = {"LinkedInExperiment": "linkedin", "XAdsABTest": "x-ads", "SalesforceExperiment": "salesforce"}


@dataclass(frozen=True)
class BadGiven(Exception):
    """Something that a case states is not what the variable takes; `path` leads to it below `given`."""

    path: PathTuple
    message: str
    hint: str = ""


def read_given(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Give all variables of a case: what is stated, what follows from that, and the usual for the rest."""
    found: dict[str, Any] = {}
    for path, name, value in _leaves(stated):
        variable = VARIABLES[name]
        try:
            found[name] = _READ[variable.type](value)
        except (ValueError, OverflowError) as error:
            raise BadGiven(path, f"{name} is {shown(value)}; {error}") from None
    return _filled(found)


def _leaves(stated: Mapping[str, Any], prefix: PathTuple = ()) -> Iterator[tuple[PathTuple, str, Any]]:
    for key, value in stated.items():
        path = (*prefix, key)
        name = ".".join(str(step) for step in path)
        if name in VARIABLES:
            yield path, name, value
        elif isinstance(value, dict) and any(known.startswith(f"{name}.") for known in VARIABLES):
            yield from _leaves(value, path)
        else:
            meant = nearest(name, VARIABLES)
            hint = f"did you mean {meant}?" if meant else "`reconciler policy variables` lists them"
            raise BadGiven(path, f'there is no variable "{plain(name)}"', hint)


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    """Give the variables with those that follow from others, then the usual values of the rest."""
    name = found.get("experiment.name", "a-test")
    kind = found.get("experiment.kind", _KIND)
    start, end = found.get("experiment.start"), found.get("experiment.end")
    follows: dict[str, Any] = {
        "experiment.kind": kind,
        "experiment.name": name,
        "experiment.key": f"{kind}/{name}",
        "experiment.platform": _PLATFORMS.get(kind, ""),
        "experiment.scheduled": start is not None and end is not None,
        "experiment.shares": [50.0, 50.0],
    }
    if start is not None and end is not None:
        span = end - start
        follows |= {"experiment.duration": span, "experiment.days": span / _DAY}
    elif "experiment.duration" in found or "experiment.days" in found:
        span = found.get("experiment.duration", _DAY * found.get("experiment.days", 0))
        follows |= {"experiment.duration": span, "experiment.days": span / _DAY, "experiment.scheduled": True}
    usual = {
        row.name: list(row.otherwise) if isinstance(row.otherwise, tuple) else row.otherwise
        for row in VARIABLES.values()
        if row.otherwise is not None
    }
    empty = {
        row.name: _EMPTY[row.type]
        for row in VARIABLES.values()
        if row.otherwise is None and not row.may_be_missing and row.type in _EMPTY
    }
    return {**empty, **usual, **follows, **found}


# --- values ----------------------------------------------------------------------------------------------------------


def _of(kind: type, words: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"it has to be {words}")
        return value

    return read


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("it has to be a number")
    return float(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("it has to be a time such as 2026-12-01T09:00:00Z")
    return parse_time(value)


def _span(value: Any) -> timedelta:
    values, wrong = read_params((Param("it", Sort.SPAN, ""),), {"it": value})
    if wrong:
        raise ValueError("it has to be a time span such as 36h or 3d")
    found: timedelta = values["params.it"]
    return found


def _each(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def items(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("it has to be a list")
        return [read(item) for item in value]

    return items


def _values(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def mapping(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("it has to be a mapping")
        return {str(key): read(item) for key, item in value.items()}

    return mapping


_text, _whole = _of(str, "text"), _of(int, "a whole number")
_READ: Final[Mapping[Type, Callable[[Any], Any]]] = {
    Type.BOOL: _of(bool, "true or false"),
    Type.INT: _whole,
    Type.DOUBLE: _double,
    Type.STRING: _text,
    Type.TIMESTAMP: _moment,
    Type.DURATION: _span,
    Type.STRINGS: _each(_text),
    Type.INTS: _each(_whole),
    Type.DOUBLES: _each(_double),
    Type.MAPS: _each(_of(dict, "a mapping")),
    Type.ANYS: _of(list, "a list"),
    Type.LABELS: _values(_text),
    Type.COUNTS: _values(_whole),
    Type.MAP: _of(dict, "a mapping"),
}
"""How each type of variable is read from YAML; raises ValueError with what it has to be."""
