"""
A small, honest part of SOQL: `SELECT fields FROM object [WHERE a AND b …] [ORDER BY …] [LIMIT n]`.

Conditions are `field op literal` with =, !=, <, <=, >, >= and `field [NOT] IN (literal, …)`. Whatever else SOQL has
(OR, LIKE, functions, subqueries, aliases) is refused as malformed rather than answered wrongly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from reconciler.emulator.salesforce.errors import Refused, refusal

Literal: TypeAlias = str | bool | int | float | datetime | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d))
    | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.])
    | (?P<word>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_KEYWORDS = frozenset({"select", "from", "where", "and", "or", "not", "in", "order", "by", "limit", "like"})
_SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Condition:
    """One condition; `operator` is a comparison sign, `in` or `not in`, and only the last two take several values."""

    field: str
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Order:
    """One sort key. Nulls come first unless `nulls_last`."""

    field: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A parsed query; field names as written."""

    fields: tuple[str, ...]
    source: str
    conditions: tuple[Condition, ...]
    orders: tuple[Order, ...]
    limit: int | None


def malformed(message: str) -> Refused:
    """Give the refusal of a query that cannot be read."""
    return refusal(400, "MALFORMED_QUERY", message)


def parse(text: str) -> Query:
    """Read a query. Refuses (400 MALFORMED_QUERY) whatever is outside the part described above."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise malformed(f"unexpected token: {text[place : place + 20].strip()}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = [*tokens, ("end", "<EOF>")]
        self.place = 0

    def query(self) -> Query:
        self.keyword("select")
        fields = self.names()
        self.keyword("from")
        source = self.name()
        conditions: list[Condition] = []
        orders: list[Order] = []
        limit = None
        if self.accept("where"):
            conditions.append(self.condition())
            while self.accept("and"):
                conditions.append(self.condition())
        if self.accept("order"):
            self.keyword("by")
            orders.append(self.order())
            while self.accept(","):
                orders.append(self.order())
        if self.accept("limit"):
            kind, text = self.take()
            if kind != "number" or not text.isdigit():
                raise malformed(f"unexpected token: {text}")
            limit = int(text)
        if self.tokens[self.place][0] != "end":
            raise malformed(f"unexpected token: {self.tokens[self.place][1]}")
        if len({field.lower() for field in fields}) < len(fields):
            raise malformed("duplicate field selected")
        return Query(fields, source, tuple(conditions), tuple(orders), limit)

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.place]
        if token[0] != "end":
            self.place += 1
        return token

    def accept(self, word: str) -> bool:
        kind, text = self.tokens[self.place]
        if kind in ("word", "sign") and text.lower() == word:
            self.place += 1
            return True
        return False

    def keyword(self, word: str) -> None:
        if not self.accept(word):
            raise malformed(f"unexpected token: {self.tokens[self.place][1]}, expected {word.upper()}")

    def name(self) -> str:
        kind, text = self.take()
        if kind != "word" or text.lower() in _KEYWORDS:
            raise malformed(f"unexpected token: {text}")
        return text

    def names(self) -> tuple[str, ...]:
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(names)

    def condition(self) -> Condition:
        field = self.name()
        negated = self.accept("not")
        if self.accept("in"):
            self.keyword("(")
            values = [self.literal()]
            while self.accept(","):
                values.append(self.literal())
            self.keyword(")")
            return Condition(field, "not in" if negated else "in", tuple(values))
        kind, sign = self.take()
        if negated or kind != "sign" or sign not in _SIGNS:
            raise malformed(f"unexpected token: {sign}")
        return Condition(field, "!=" if sign == "<>" else sign, (self.literal(),))

    def literal(self) -> Literal:
        kind, text = self.take()
        if kind == "string":
            return re.sub(r"\\(.)", _unescape, text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "time":
            try:
                return datetime.fromisoformat(text).astimezone(UTC)
            except ValueError:
                raise malformed(f"unexpected token: {text}") from None
        words: dict[str, Literal] = {"true": True, "false": False, "null": None}
        if kind == "word" and text.lower() in words:
            return words[text.lower()]
        raise malformed(f"unexpected token: {text}")

    def order(self) -> Order:
        field = self.name()
        descending = self.accept("desc")
        if not descending:
            self.accept("asc")
        nulls_last = False
        if self.accept("nulls"):
            nulls_last = self.accept("last")
            if not nulls_last:
                self.keyword("first")
        return Order(field, descending, nulls_last)


def _unescape(match: re.Match[str]) -> str:
    if match[1] not in _ESCAPED:
        raise malformed(f"invalid string escape: \\{match[1]}")
    return _ESCAPED[match[1]]
