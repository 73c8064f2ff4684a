"""
Changes that keep the sense of a text: JSON stays JSON, an expression a row of its own words.

In JSON a value is exchanged, a key dropped, doubled or misspelt, a list made longer.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    1e308,
    -0.0,
    10**12,
    10**19,
    10**400,
    "",
    " ",
    "0",
    "-1",
    "1e9",
    "NaN",
    "\x00",
    "\ud800",
    "é" * 300,
    "\u202e",
    "2026-11-25T08:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "urn:li:sponsoredCampaign:1",
    "${x}",
    "{{ 7 * 7 }}",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"id": 1},
]


def odd(draw: random.Random) -> Any:
    """Give one of the odd values, to be changed at will: one put into itself would have no end."""
    return copy.deepcopy(draw.choice(ODD))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Give every place in a value that can be written to, as container and key or index."""
    found: list[tuple[Any, Any]] = []
    queue = [value]
    while queue:
        item = queue.pop()
        pairs = (
            list(item.items()) if isinstance(item, dict) else list(enumerate(item)) if isinstance(item, list) else []
        )
        for key, inner in pairs:
            found.append((item, key))
            queue.append(inner)
    return found


def changed(value: Any, draw: random.Random) -> Any:
    """Give a value with one to three changes; it may be changed in place."""
    for _ in range(draw.randint(1, 3)):
        spots = places(value)
        if not spots or draw.random() < 0.02:
            return odd(draw)
        holder, key = draw.choice(spots)
        match draw.randrange(7):
            case 0 | 1:
                holder[key] = odd(draw)
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder.insert(draw.randint(0, len(holder)), copy.deepcopy(holder[key]))
            case 3 if isinstance(key, str):
                holder[key + "x"] = holder[key]
            case 4:
                holder[key] = [holder[key]]
            case 5:
                other, name = draw.choice(places(value))
                holder[key] = copy.deepcopy(other[name])
            case _ if isinstance(holder[key], int) and not isinstance(holder[key], bool):
                holder[key] += draw.choice([-1, 1, 10**9])
            case _ if isinstance(holder[key], str):
                at = draw.randint(0, len(holder[key]))
                holder[key] = (
                    holder[key][:at] + draw.choice(["", "x", "\n", "\u2028", ":", "0"]) + holder[key][at + 1 :]
                )
            case _:
                holder[key] = odd(draw)
    return value


def json_mutated(data: bytes, limit: int, seed: int) -> bytes | None:
    """Give JSON text, one value or one a line, with a change; None when the data is no JSON or the result too long."""
    draw = random.Random(seed)
    result = _mutated(data, draw)
    if result is None:
        lines = data.split(b"\n")
        number = draw.choice([number for number, line in enumerate(lines) if line.strip()] or [0])
        line = _mutated(lines[number], draw)
        result = line if line is None else b"\n".join([*lines[:number], line, *lines[number + 1 :]])
    return None if result is None or len(result) > limit else result


def _mutated(text: bytes, draw: random.Random) -> bytes | None:
    try:
        return json.dumps(changed(json.loads(text), draw)).encode()
    except (ValueError, RecursionError):
        return None


_WORD = re.compile(r"'[^']*'|\w+|\s+|[^\w\s]")
WORDS = (
    *("number", "text", "map", "start", "name", "environment", "each", "true", "none", "a", "_a", "__class__", "self"),
    *(
        "date(",
        "at(",
        "days(",
        "weeks(",
        "hours(",
        "minutes(",
        "next_weekday(",
        "tz(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "(",
        ".",
    ),
    *("+", "-", "*", "/", "//", "%", "**", "~", "|", ",", ":", "==", "!=", "<", ">=", "[0]", "[-1]", "[1:]", "'", '"'),
    *(
        " and ",
        " or ",
        " not ",
        " in ",
        " is ",
        " if ",
        " else ",
        " is defined",
        " is none",
        "'%s' % ",
        "'%99999999d' % ",
    ),
    *("upper", "lower", "join", "default", "replace", "round", "int", "string", "length", "trim", "first", "format"),
    *("0", "1", "-1", "2.5", "1e308", "9999999999", "'x' * 9999", "[1] * 9999", "'08:00'", "'9999-12-31'", "'\\ud800'"),
)


def words_mutated(data: bytes, limit: int, seed: int) -> bytes | None:
    """Give an expression with some words dropped, put in, exchanged or repeated; None when it is too long."""
    draw = random.Random(seed)
    words = _WORD.findall(data.decode("utf-8", "replace"))
    for _ in range(draw.randint(1, 4)):
        at, end = sorted(draw.randint(0, len(words)) for _ in range(2))
        match draw.randrange(4):
            case 0:
                del words[at : min(end, at + 3)]
            case 1:
                words.insert(at, draw.choice(WORDS))
            case 2:
                words[at : at + 1] = [draw.choice(WORDS)]
            case _:
                words[at:at] = words[at:end] * draw.choice([1, 1, 1, 50])
    result = "".join(words).encode("utf-8", "replace")
    return result if len(result) <= limit else None


def mutator(target: str) -> Callable[[bytes, int, int], bytes | None]:
    """Give what changes the inputs of a target: their bytes, the most there may be, and a seed."""
    return words_mutated if target == "expression" else json_mutated
