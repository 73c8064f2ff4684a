"""JSON from outside (answers, states, plan files) read strictly: one text means one value, and that can be written."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from reconciler.model.nesting import members_within


def strict_json(text: str, *, half_pairs: bool = False) -> Any:
    """
    Read JSON.

    Raises ValueError also for what Python's reader lets pass: a key that stands twice in one object (readers differ in
    which one counts), NaN and infinities, numbers of thousands of digits, nesting beyond `nesting.DEEPEST`, and, unless
    `half_pairs` allows them, halves of surrogate pairs, which can neither be sent nor be written as UTF-8.
    """
    try:
        value = _DECODER.decode(text)
        members = members_within(value)
        if members is None:
            raise ValueError("nested too deep")
        if members != len(_END_OF_KEY.findall(text)):
            _CAREFUL.decode(text)  # a value may only look like a key; this reader knows, and is twice as slow
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not half_pairs and ("\\ud" in text or "\\uD" in text):
        _check_pairs(value)
    return value


_END_OF_KEY = re.compile(r'"(?=[ \t\n\r]*:)')
"""
Matches once for each key of a text, and perhaps inside values that quote something: never less often than there are
keys. So where it matches as often as there are members in what was read, no key was lost to one like it.
"""


def _check_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(f"\\u{ord(half):04x} is half of a character, and the other half is missing") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return values


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large a number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_CAREFUL = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_refuse, parse_float=_finite)
