"""
The one home of the CEL library: compiling an expression against typed variables, and evaluating it.

What the library's 0.1 needs care with, all of it met here: an error while evaluating does not raise, it comes back as a
value of the type ERROR whose text would read as true, so only a real `True` or `False` is ever taken for an answer;
going through too many items raises; moments and durations are known as variables, but not inside maps and lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from reconciler.errors import ReconcilerError

LONGEST = 10_000
"""Characters of one expression."""
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_CODE = re.compile(r"^[A-Z_]+: (?=.)|\s*\[[A-Z_]+\]$")


class Type(StrEnum):
    """The types of variables, as the documentation writes them; values inside `any` have their own types."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    STRINGS = "list of strings"
    INTS = "list of ints"
    DOUBLES = "list of doubles"
    MAPS = "list of maps"
    ANYS = "list"
    LABELS = "map of strings"
    COUNTS = "map of ints"
    MAP = "map"


class EngineMissing(ReconcilerError):
    """The project has policies and the library that reads them is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the project has policies, and what evaluates them is not installed; install it with: "
            "pip install 'reconciler[policy]'"
        )


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with an expression: the place inside it, counted from 1, and what is wrong."""

    line: int
    column: int
    message: str


class BadExpression(Exception):
    """An expression does not compile; `flaws` holds everything found."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(flaw.message for flaw in flaws))
        self.flaws = flaws


class NotEvaluated(Exception):
    """An expression gave no answer for the values at hand; the message says why."""


@dataclass(frozen=True)
class Compiled:
    """One expression, ready to be evaluated; `gives` is the name of its type."""

    text: str
    gives: str
    _expression: Any = field(repr=False, compare=False)

    def value(self, data: Mapping[str, Any]) -> Any:
        """
        Give what the expression comes to; raises NotEvaluated with the reason when it comes to nothing.

        `data` holds the variables by their dotted names; moments are aware, numbers within 64 bits.
        """
        try:
            answer = self._expression.eval(data=data)
            if answer.type() == _cel().Type.ERROR:
                raise NotEvaluated(_reason(str(answer.value())))
            return answer.plain_value()
        except MemoryError:
            raise NotEvaluated("it needs more memory than there is") from None
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise NotEvaluated(_reason(str(error))) from None

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Give whether the expression is true; raises NotEvaluated when it is neither true nor false."""
        answer = self.value(data)
        if answer is True or answer is False:
            return bool(answer)
        raise NotEvaluated(f"it gave {_shown(answer)}, which is neither true nor false")


def compiled(text: str, variables: Mapping[str, Type], *, wants_bool: bool = True) -> Compiled:
    """
    Compile an expression that may speak of `variables`, by their dotted names.

    Raises BadExpression with every flaw and its place, and EngineMissing where the library is not installed.
    """
    if len(text) > LONGEST:
        raise BadExpression(Flaw(1, 1, f"is longer than {LONGEST:,} characters"))
    environment = _environment(tuple(sorted(variables.items())))
    try:
        expression = environment.compile(text)
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadExpression(*_flaws(str(error))) from None
    gives = expression.return_type().name()
    if wants_bool and expression.return_type() != _cel().Type.BOOL:
        raise BadExpression(Flaw(1, 1, f"gives {gives.lower()}, and it has to give true or false (bool)"))
    return Compiled(text, gives.lower(), expression)


def available() -> bool:
    """Tell whether the library is installed."""
    try:
        _cel()
    except EngineMissing:
        return False
    return True


def in_words(value: Any) -> str:
    """Give the value of an expression as it stands in a message."""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 or value != int(value) else f"{value:.0f}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, list):
        return ", ".join(in_words(item) for item in value)
    return "null" if value is None else str(value)


def _span(value: timedelta) -> str:
    minutes = round(value.total_seconds() / 60)
    if minutes < 0:
        return f"-{_span(-value)}"
    parts = ((minutes // 1440, "d"), (minutes % 1440 // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


# --- the library -----------------------------------------------------------------------------------------------------


def _cel() -> Any:
    try:
        from cel_expr_python import cel
    except ImportError:
        raise EngineMissing from None
    return cel


@lru_cache(maxsize=256)
def _environment(variables: tuple[tuple[str, Type], ...]) -> Any:
    """Give the environment of a set of variables: names that are not in it, and wrong types, do not compile."""
    cel = _cel()
    from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings

    types = _types()
    extensions = [ext_math.ExtMath(), ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_bindings.ExtBindings()]
    return cel.NewEnv(variables={name: types[kind] for name, kind in variables}, extensions=extensions)


@lru_cache(maxsize=1)
def _types() -> Mapping[Type, Any]:
    kind = _cel().Type
    text, anything = kind.STRING, kind.DYN
    return {
        Type.BOOL: kind.BOOL,
        Type.INT: kind.INT,
        Type.DOUBLE: kind.DOUBLE,
        Type.STRING: text,
        Type.TIMESTAMP: kind.TIMESTAMP,
        Type.DURATION: kind.DURATION,
        Type.STRINGS: kind.List(text),
        Type.INTS: kind.List(kind.INT),
        Type.DOUBLES: kind.List(kind.DOUBLE),
        Type.MAPS: kind.List(kind.Map(text, anything)),
        Type.ANYS: kind.List(anything),
        Type.LABELS: kind.Map(text, text),
        Type.COUNTS: kind.Map(text, kind.INT),
        Type.MAP: kind.Map(text, anything),
    }


def _flaws(told: str) -> list[Flaw]:
    found = [Flaw(int(line), int(column), _reason(message)) for line, column, message in _ERROR.findall(told)]
    first = told.strip().splitlines()[0] if told.strip() else "it cannot be read"
    return list(dict.fromkeys(found)) or [Flaw(1, 1, _reason(first))]


def _reason(told: str) -> str:
    """Give a sentence of the library without its codes, and the same name for what is missing everywhere."""
    text = _CODE.sub("", _CODE.sub("", told.strip()))
    text = text.replace(" (in container '')", "").replace("Key not found in map : ", "there is no key ")
    missing = re.search(r'No value with name "([^"]+)" found in Activation', text)
    if missing:
        return f"{missing.group(1)} has no value here"
    return text if text else "it gave no answer"


def _shown(value: Any) -> str:
    return type(value).__name__ if isinstance(value, (dict, list)) else in_words(value)[:60]
