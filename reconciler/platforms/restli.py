"""
Rest.li 2.0 values in a URL: lists `List(a,b)`, records `(k:v)`, text percent-encoded, the empty text `''`.

linkedin.md 14.2 (doc D2, D3). The structural characters `List ( ) , :` stay raw: percent-encoded they are answered with
400. Everything outside the unreserved characters of RFC 3986 is percent-encoded inside a text, so an encoded value can
stand in a query and in a path alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

Decoded: TypeAlias = "str | list[Decoded] | dict[str, Decoded]"

MAX_DEPTH = 50
_EMPTY = "''"
_TOKEN = re.compile(r"[(),:]|[^(),:]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RAW_REFUSED = re.compile(r"['\s\x00-\x1f]")


class NotRestLi(ValueError):
    """A text is not an encoded Rest.li value; says where and why."""


def encode(value: Any) -> str:
    """
    Give the encoded form of a value: text, int, bool, an enum's value, a sequence (list), a mapping (record).

    Records keep the order of their keys. Raises TypeError for the rest: floats, None and bytes have no agreed form.
    """
    match value:
        case Enum():
            return encode(value.value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quote(value, safe="") if value else _EMPTY
        case Mapping():
            return f"({','.join(f'{_key(key)}:{encode(item)}' for key, item in value.items())})"
        case bytes() | bytearray():
            raise TypeError(f"a {type(value).__name__} has no Rest.li form")
        case Sequence() | frozenset() | set():
            items = sorted(value) if isinstance(value, set | frozenset) else value
            return f"List({','.join(encode(item) for item in items)})"
    raise TypeError(f"a {type(value).__name__} has no Rest.li form")


def _key(key: Any) -> str:
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise TypeError(f"a record's key is text or a number, not a {type(key).__name__}")
    return encode(key)


def query(**params: Any) -> str:
    """
    Give a ready-made query string, in the order given: `query(ids=[1, 2], q="search")` is `ids=List(1,2)&q=search`.

    A parameter that is None is left out. A trailing `_` of a name is dropped, for names that Python keeps for itself.
    `fields` is a projection, the one exception: a plain list with raw commas (`fields=id,name`).
    """
    return "&".join(
        f"{quote(name.removesuffix('_'), safe='$')}={_projection(value) if name == 'fields' else encode(value)}"
        for name, value in params.items()
        if value is not None
    )


def _projection(value: Any) -> str:
    names = value.split(",") if isinstance(value, str) else list(value)
    return ",".join(quote(name, safe=":()$*") for name in names)


def decode(text: str) -> Decoded:
    """
    Give the value of an encoded text; numbers and booleans come back as text, since the form does not tell them apart.

    Strict: raises NotRestLi for an element left out, an unclosed bracket, anything left over, a key that stands twice,
    a raw blank or apostrophe, a broken percent escape, nesting beyond 50.
    """
    reader = _Reader(text)
    value = reader.element(0)
    if reader.here is not None:
        raise reader.wrong(f"{reader.here!r} is left over")
    return value


class _Reader:
    """Walks the tokens of an encoded text: the structural characters one by one, and what stands between them."""

    def __init__(self, text: str) -> None:
        self._tokens = [(match.group(), match.start()) for match in _TOKEN.finditer(text)]
        self._at = 0
        self._end = len(text)

    @property
    def here(self) -> str | None:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else None

    def wrong(self, why: str) -> NotRestLi:
        column = self._tokens[self._at][1] if self._at < len(self._tokens) else self._end
        return NotRestLi(f"column {column + 1}: {why}")

    def element(self, depth: int) -> Decoded:
        if depth > MAX_DEPTH:
            raise self.wrong(f"nested deeper than {MAX_DEPTH}")
        if self.here == "(":
            return self._record(depth)
        if self.here == "List" and self._tokens[self._at + 1 : self._at + 2] == [("(", self._after())]:
            return self._list(depth)
        return self._text("a value")

    def _after(self) -> int:
        token, start = self._tokens[self._at]
        return start + len(token)

    def _record(self, depth: int) -> dict[str, Decoded]:
        self._take("(")
        values: dict[str, Decoded] = {}
        while self.here != ")" or values:
            key = self._text("a key")
            if key in values:
                raise self.wrong(f"the key {key!r} stands twice")
            self._take(":")
            values[key] = self.element(depth + 1)
            if self.here != ",":
                break
            self._take(",")
        self._take(")")
        return values

    def _list(self, depth: int) -> list[Decoded]:
        self._take("List")
        self._take("(")
        values: list[Decoded] = []
        while self.here != ")" or values:
            values.append(self.element(depth + 1))
            if self.here != ",":
                break
            self._take(",")
        self._take(")")
        return values

    def _take(self, token: str) -> None:
        if self.here != token:
            raise self.wrong(
                f"{token!r} expected, found {self.here!r}" if self.here else f"{token!r} expected at the end"
            )
        self._at += 1

    def _text(self, what: str) -> str:
        token = self.here
        if token is None or token in "(),:":
            raise self.wrong(f"{what} expected, found {token!r}" if token else f"{what} expected at the end")
        if token != _EMPTY and (_RAW_REFUSED.search(token) or _BAD_ESCAPE.search(token)):
            raise self.wrong(f"{token!r} is not properly encoded")
        try:
            text = "" if token == _EMPTY else unquote(token, errors="strict")
        except UnicodeDecodeError:
            raise self.wrong(f"{token!r} is not UTF-8") from None
        self._at += 1
        return text
