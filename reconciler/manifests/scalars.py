"""
What a plain (unquoted) YAML scalar means.

The rules are those of YAML 1.2's core schema, https://yaml.org/spec/1.2.2/#103-core-schema, with one addition: where
YAML 1.1 and 1.2 readers, or a person, could read different values (`012` is 10, 12 or the text), nothing is guessed.
What the core schema takes for text stays the text that stands there: `no`, `off`, `1_000`, `10:30`, `2026-12-01`.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS_BEGIN = frozenset("0123456789+-.")
MAY_BE_MORE = _NUMBERS_BEGIN | frozenset("~nNtTfF")
"""The first characters of plain scalars that may be something else than text."""
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?P<whole>0|[1-9][0-9]*)(?:\.(?P<part>[0-9]*))?|\.(?P<bare>[0-9]+))(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"[-+]?0(?:o[0-7]+|x[0-9a-fA-F]+)")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# A double keeps 17 significant digits at most; ids of platforms are shorter than 40.
_FLOAT_DIGITS = 17
_INT_DIGITS = 40


class Ambiguous(ValueError):
    """A plain scalar that readers take for different values; the message says why and what to write."""


def resolve(text: str) -> Scalar:
    """Give the value of a plain scalar; raises Ambiguous where more than one reading is possible."""
    if text and text[0] not in MAY_BE_MORE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_BEGIN:
        return text
    if _INT.fullmatch(text):
        if len(text) > _INT_DIGITS:
            raise Ambiguous(f"a number of {len(text)} digits is too long to be kept; quote it if it is text")
        return int(text)
    number = _FLOAT.fullmatch(text)
    if number:
        return _float(text, number)
    if _LEADING_ZERO.fullmatch(text):
        raise Ambiguous("a number with a leading zero is read differently by different readers; quote it if it is text")
    if _OTHER_BASE.fullmatch(text):
        raise Ambiguous("octal and hexadecimal numbers are not used here; quote it if it is text")
    if _NOT_FINITE.fullmatch(text):
        raise Ambiguous("infinity and not-a-number are no values here; quote it if it is text")
    return text


def _float(text: str, number: re.Match[str]) -> float:
    digits = ((number["whole"] or "") + (number["part"] or "") + (number["bare"] or "")).strip("0")
    value = float(text)
    if math.isinf(value) or (digits and value == 0.0) or len(digits) > _FLOAT_DIGITS:
        raise Ambiguous("this number cannot be kept exactly; quote it if it is text")
    return value
