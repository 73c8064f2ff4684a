"""Query parameters: strictly percent-encoded, each name once, each value of the type the reference gives."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from reconciler.emulator.x_ads import times
from reconciler.emulator.x_ads.refusals import Findings, refusal

# RFC 3986 unreserved characters, escapes, and `+` for a space; the platform refuses a raw `:` or `,`.
_STRICT = re.compile(r"(?:[A-Za-z0-9\-._~+]|%[0-9A-Fa-f]{2})*")
_MAX_IDS = 200


def decoded(raw: str) -> dict[str, str]:
    """
    Give the parameters of a raw query string by name.

    Raises `Refusal` 400: ILLEGAL_CHARACTERS for a character that should have been percent-encoded or bytes that are
    not UTF-8, INVALID_PARAMETER for a name given twice.
    """
    found: dict[str, str] = {}
    for part in raw.split("&") if raw else []:
        name, _, value = part.partition("=")
        if not name or not _STRICT.fullmatch(name) or not _STRICT.fullmatch(value):
            message = "Query parameters must be percent-encoded"
            raise refusal(400, "ILLEGAL_CHARACTERS", message, parameter=name, value=value)
        try:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise refusal(400, "ILLEGAL_CHARACTERS", "Query parameters must be UTF-8", parameter=name) from None
        if name in found:
            raise refusal(400, "INVALID_PARAMETER", f'The "{name}" parameter is given twice', parameter=name)
        found[name] = value
    return found


class Query:
    """
    Reads the parameters of one list call.

    `echo` collects the accepted values, typed, as `request.params` shows them; `findings` collects what is wrong.
    Raises nothing by itself: call `findings.settle()` when all is read.
    """

    def __init__(self, values: dict[str, str], known: frozenset[str]) -> None:
        self.values = values
        self.echo: dict[str, Any] = {}
        self.findings = Findings()
        for name in values.keys() - known:
            self.findings.invalid(name, f'"{name}" is not a parameter of this endpoint', values[name])

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """Give a text of at least one character, or None where it is not given."""
        value = self.values.get(name)
        if value is None:
            return None
        if not value or (longest is not None and len(value) > longest):
            bound = "at least 1 character" if longest is None else f"1 to {longest} characters"
            self._bad(name, f"Expected {bound}")
            return None
        self.echo[name] = value
        return value

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """Give a whole number within the bounds, or the default."""
        value = self.values.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,10}", value) or not low <= int(value) <= high:
            self._bad(name, f"Expected integer from {low} to {high}")
            return default
        self.echo[name] = int(value)
        return int(value)

    def flag(self, name: str) -> bool:
        """Give a boolean; False where it is not given."""
        value = self.values.get(name)
        if value is None:
            return False
        if value not in ("true", "false"):
            self._bad(name, "Expected boolean")
            return False
        self.echo[name] = value == "true"
        return value == "true"

    def choice(self, name: str, choices: frozenset[str]) -> str | None:
        """Give one of `choices`, or None where it is not given."""
        value = self.values.get(name)
        if value is None:
            return None
        if value not in choices:
            self._bad(name, f"Expected one of {', '.join(sorted(choices))}")
            return None
        self.echo[name] = value
        return value

    def ids(self, name: str) -> frozenset[str] | None:
        """Give up to 200 comma-separated ids, or None where they are not given."""
        value = self.values.get(name)
        if value is None:
            return None
        ids = value.split(",")
        if not all(ids) or len(ids) > _MAX_IDS:
            self._bad(name, f"Expected 1 to {_MAX_IDS} comma-separated ids")
            return None
        self.echo[name] = ids
        return frozenset(ids)

    def order(self, attributes: frozenset[str]) -> tuple[str, bool]:
        """Give the attribute to sort by and whether descending; `created_at` ascending where not given."""
        value = self.values.get("sort_by")
        if value is None:
            return "created_at", False
        attribute, _, direction = value.rpartition("-")
        if attribute not in attributes or direction not in ("asc", "desc"):
            self._bad("sort_by", "Expected a sortable attribute with -asc or -desc")
            return "created_at", False
        self.echo["sort_by"] = value
        return attribute, direction == "desc"

    def span(self, name: str) -> tuple[datetime, datetime] | None:
        """Give two comma-separated times, the earlier first, or None where they are not given."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            first, last = (times.parse(part) for part in value.split(","))
        except ValueError:
            self._bad(name, "Expected two comma-separated ISO 8601 times")
            return None
        if first >= last:
            self._bad(name, "The earlier time must be given first")
            return None
        self.echo[name] = value
        return first, last

    def _bad(self, name: str, message: str) -> None:
        self.findings.invalid(name, f'{message}, got "{self.values[name]}" for {name}', self.values[name])
