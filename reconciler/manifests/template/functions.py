"""Filters, tests and arithmetic of expressions: a small set, each with a bound on what it can make."""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from jinja2 import Undefined

from reconciler.manifests.template.dates import Day, Moment, Span, Wrong, added, date, taken

LONGEST_TEXT = 10_000
"""Characters that one expression may give."""
MOST_ITEMS = 10_000
"""Values that a list or mapping of one expression may hold, those inside counted."""
MOST_DIGITS = 40
"""As in the manifests themselves."""
DEEPEST_RESULT = 20
"""Lists and mappings inside each other."""

_BOUND = 10**MOST_DIGITS


def text_of(value: Any) -> str:
    """Give a value as it stands inside text; raises Wrong for what has no plain text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(_number(value))
    if isinstance(value, Day | Moment):
        return str(value)
    if isinstance(value, Undefined):
        str(value)  # raises
    if value is None:
        raise Wrong("null cannot stand inside text", 'say what to write instead: | default("…", true)')
    if isinstance(value, list | tuple):
        raise Wrong("a list cannot stand inside text", 'join its items: | join(", ")')
    raise Wrong(f"{named(value)} cannot stand inside text")


def named(value: Any) -> str:
    """Give what a value is called in messages; never its content."""
    if value is None:
        return "null"
    names: tuple[tuple[Any, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (Moment, "a date"),
        (Day, "a date"),
        (Span, "a span of time"),
        (dict, "a mapping"),
        (list, "a list"),
        (tuple, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a helper")


def plain_value(result: Any) -> tuple[Any, int]:
    """Give a result as plain JSON, copied, and how many values it holds; raises Wrong for what no manifest can hold."""
    left = [MOST_ITEMS]
    return _copied(result, 0, left), MOST_ITEMS - left[0]


def _copied(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise Wrong(f"the result holds more than {MOST_ITEMS} values")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise Wrong("the text holds half a character (a lone surrogate)")
        return _short(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Undefined):
        str(value)  # raises
    if isinstance(value, Day | Moment):
        return str(value)
    if depth >= DEEPEST_RESULT:
        raise Wrong("the result is nested too deep")
    if isinstance(value, list | tuple):
        return [_copied(item, depth + 1, left) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Wrong("the keys of a mapping are text")
        return {key: _copied(item, depth + 1, left) for key, item in value.items()}
    hint = "call it, as in date(…)" if callable(value) else "add it to a date"
    raise Wrong(f"the result is {named(value)}, which no field can hold", hint)


# --- arithmetic ------------------------------------------------------------------------------------------------------


def combined(sign: str, left: Any, right: Any) -> Any:
    """Give `left sign right`; raises Wrong where the two do not go together or the result is too large."""
    for side in (left, right):
        if isinstance(side, Undefined):
            str(side)  # raises
    if sign in "+-" and {type(left), type(right)} == {str, Span}:  # text beside a span can only be a date
        left, right = (side if isinstance(side, Span) else date(side) for side in (left, right))
    if isinstance(left, Day | Moment | Span) and isinstance(right, Day | Moment | Span) and sign in "+-":
        return added(left, right) if sign == "+" else taken(left, right)
    if sign == "*" and {type(left), type(right)} in ({Span, int}, {Span, float}):
        span, factor = (left, right) if isinstance(left, Span) else (right, left)
        try:
            return Span(span.value * factor)
        except (OverflowError, ValueError):
            raise Wrong("the span is out of range") from None
    if _is_number(left) and _is_number(right):
        return _number(_ARITHMETIC[sign](left, right))
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return _short(left + right)
    if sign == "+" and isinstance(left, list) and isinstance(right, list):
        if len(left) + len(right) > MOST_ITEMS:
            raise Wrong(f"the list has more than {MOST_ITEMS} items")
        return left + right
    hint = 'put text together with ~, as in "a" ~ 1' if sign == "+" and str in (type(left), type(right)) else ""
    raise Wrong(f"{named(left)} {sign} {named(right)} does not go", hint)


def joined(*parts: Any) -> str:
    """Give what `~` gives: the parts as one text."""
    return _short("".join(text_of(part) for part in parts))


def negative(value: Any) -> Any:
    """Give `-value`."""
    if isinstance(value, Span):
        return Span(-value.value)
    if not _is_number(value):
        raise Wrong(f"- does not go with {named(value)}")
    return -value


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong("the number is not finite")
    if isinstance(value, int) and not -_BOUND < value < _BOUND:
        raise Wrong(f"the number has more than {MOST_DIGITS} digits")
    return value


def _short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Wrong(f"the text has more than {LONGEST_TEXT} characters")
    return text


# --- filters ---------------------------------------------------------------------------------------------------------


def _default(value: Any, instead: Any = "", also_empty: bool = False) -> Any:
    return instead if isinstance(value, Undefined) or (also_empty and not value) else value


def _replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = text_of(value), text_of(old), text_of(new)
    if not before:
        raise Wrong("replace needs text to look for")
    if len(text) + text.count(before) * (len(after) - len(before)) > LONGEST_TEXT:
        raise Wrong(f"the text has more than {LONGEST_TEXT} characters")
    return text.replace(before, after)


def _join(value: Any, separator: Any = "") -> str:
    between = text_of(separator)
    parts = [text_of(item) for item in _items(value)]
    if sum(map(len, parts)) + len(between) * len(parts) > LONGEST_TEXT:
        raise Wrong(f"the text has more than {LONGEST_TEXT} characters")
    return between.join(parts)


def _int(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,40}\s*", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"int does not go with {_quoted(value)}")
    return int(_number(value))


def _float(value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,40}(\.[0-9]{1,40})?\s*", value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"float does not go with {_quoted(value)}")
    return float(_number(value))


def _quoted(value: Any) -> str:
    return f'the text "{value[:40]}"' if isinstance(value, str) else named(value)


def _round(value: Any, digits: Any = 0) -> Any:
    if not _is_number(value) or type(digits) is not int or not 0 <= digits <= 15:
        raise Wrong("round takes a number, and 0 to 15 digits")
    return round(value, digits) if digits else round(value)


def _length(value: Any) -> int:
    if isinstance(value, str | dict):
        return len(value)
    return len(_items(value))


def _first(value: Any) -> Any:
    return _end(value, 0)


def _last(value: Any) -> Any:
    return _end(value, -1)


def _end(value: Any, index: int) -> Any:
    items = _items(value)
    if not items:
        raise Wrong("the list is empty")
    return items[index]


def _items(value: Any) -> list[Any]:
    if isinstance(value, Undefined):
        str(value)  # raises
    if not isinstance(value, list | tuple):
        raise Wrong(f"a list is needed, and {named(value)} is none")
    return list(value)


def _slug(value: Any) -> str:
    folded = unicodedata.normalize("NFKD", text_of(value)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")


FILTERS: dict[str, Callable[..., Any]] = {
    "default": _default,
    "first": _first,
    "float": _float,
    "int": _int,
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": lambda value: text_of(value).lower(),
    "replace": _replace,
    "round": _round,
    "slug": _slug,
    "string": text_of,
    "trim": lambda value: text_of(value).strip(),
    "upper": lambda value: _short(text_of(value).upper()),
}


# --- tests -----------------------------------------------------------------------------------------------------------

TESTS: dict[str, Callable[..., bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "even": lambda value: _int(value) % 2 == 0,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": _is_number,
    "odd": lambda value: _int(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "undefined": lambda value: isinstance(value, Undefined),
}
