"""
Rest.li 2.0 text of query parameters and path keys, read as strictly as the protocol allows.

Source: https://linkedin.github.io/rest.li/spec/protocol. The structural characters `( ) , :` stand raw, everything
inside a value is percent-encoded UTF-8, an empty text is two quotes, and `+` is a plus, never a space.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

_TEXT = re.compile(r"(?:[A-Za-z0-9\-._~!$*+;=@/?]|%[0-9A-Fa-f]{2})+")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-.]*")
LONG_MAX = 2**63 - 1


class Malformed(ValueError):
    """A text that is not Rest.li 2.0; the message says where it stops being that."""


def parse_value(raw: str) -> Value:
    """Give the value of one parameter: a text, a `List(…)` or a record `(key:value,…)`; raises Malformed."""
    value, end = _element(raw, 0)
    if end != len(raw):
        raise Malformed(f"unexpected {raw[end]!r} at {end}")
    return value


def parse_query(raw: str) -> dict[str, str]:
    """Give the raw parameter texts by name; raises Malformed on an empty, nameless, odd or repeated parameter."""
    parameters: dict[str, str] = {}
    for part in raw.split("&") if raw else ():
        name, equals, text = part.partition("=")
        if not equals or not _PLAIN.fullmatch(name):
            raise Malformed(name or part)
        if name in parameters:
            raise Malformed(name)
        parameters[name] = text
    return parameters


def decode(raw: str) -> str:
    """Give the text of one percent-encoded run; raises Malformed on a bad escape or bytes that are not UTF-8."""
    if not _TEXT.fullmatch(raw):
        raise Malformed(f"{raw!r} is not percent-encoded")
    out = bytearray()
    position = 0
    while position < len(raw):
        if raw[position] == "%":
            out.append(int(raw[position + 1 : position + 3], 16))
            position += 3
        else:
            out += raw[position].encode()
            position += 1
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{raw!r} is not UTF-8") from None


def as_long(value: Value) -> int:
    """Give a long from its canonical decimal text; raises Malformed."""
    if not isinstance(value, str) or not re.fullmatch(r"0|-?[1-9][0-9]{0,18}", value):
        raise Malformed(f"{value!r} is no long")
    number = int(value)
    if not -LONG_MAX - 1 <= number <= LONG_MAX:
        raise Malformed(f"{value!r} is no long")
    return number


def as_list(value: Value) -> list[Value]:
    """Give a list value; raises Malformed."""
    if not isinstance(value, list):
        raise Malformed("a List() is expected")
    return value


def as_record(value: Value) -> dict[str, Value]:
    """Give a record value; raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed("a record is expected")
    return value


def as_text(value: Value) -> str:
    """Give a text value; raises Malformed."""
    if not isinstance(value, str):
        raise Malformed("a text is expected")
    return value


def _element(raw: str, at: int) -> tuple[Value, int]:
    if raw.startswith("List(", at):
        return _list(raw, at + 5)
    if raw.startswith("(", at):
        return _record(raw, at + 1)
    return _string(raw, at)


def _list(raw: str, at: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    if raw.startswith(")", at):
        return items, at + 1
    while True:
        item, at = _element(raw, at)
        items.append(item)
        if raw.startswith(")", at):
            return items, at + 1
        at = _expect(raw, at, ",")


def _record(raw: str, at: int) -> tuple[dict[str, Value], int]:
    fields: dict[str, Value] = {}
    if raw.startswith(")", at):
        return fields, at + 1
    while True:
        key, at = _string(raw, at)
        at = _expect(raw, at, ":")
        value, at = _element(raw, at)
        if key in fields:
            raise Malformed(f"{key!r} stands twice")
        fields[key] = value
        if raw.startswith(")", at):
            return fields, at + 1
        at = _expect(raw, at, ",")


def _string(raw: str, at: int) -> tuple[str, int]:
    if raw.startswith("''", at):
        return "", at + 2
    run = _TEXT.match(raw, at)
    if not run:
        raise Malformed(f"a value is expected at {at}")
    return decode(run.group()), run.end()


def _expect(raw: str, at: int, character: str) -> int:
    if not raw.startswith(character, at):
        raise Malformed(f"{character!r} is expected at {at}")
    return at + 1
