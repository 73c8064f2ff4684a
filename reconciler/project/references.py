"""
References to environment variables in the project file: `${NAME}` and `${NAME:-default}`.

As in a shell, the default stands in for a variable that is not set or is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}")


class MissingVariable(LookupError):
    """A variable is not set, or is empty, and has no default; its argument is the name."""


def has_reference(text: str) -> bool:
    """Tell whether a text reads any variable."""
    return _REFERENCE.search(text) is not None


def malformed(text: str) -> bool:
    """Tell whether a text holds a `${` that does not begin a reference."""
    return "${" in _REFERENCE.sub("", text)


def single(text: str) -> tuple[str, str] | None:
    """Give the name and the default (or empty) of a text that is one reference and nothing else, otherwise None."""
    match = _REFERENCE.fullmatch(text)
    return (match[1], match[2] or "") if match else None


def resolved(text: str, environ: Mapping[str, str]) -> str:
    """Give a text with its references replaced; raises MissingVariable for the first that has no value."""

    def value(match: re.Match[str]) -> str:
        found = environ.get(match[1]) or match[2]
        if not found:
            raise MissingVariable(match[1])
        return found

    return _REFERENCE.sub(value, text)
