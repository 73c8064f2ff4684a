"""Times: ISO 8601 with an offset in manifests and on the wire, one canonical spelling (UTC, `Z`) everywhere inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_SHAPE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


@lru_cache(maxsize=4096)
def parse_time(text: str) -> datetime:
    """
    Read an ISO 8601 date and time with an offset or `Z`; gives it in UTC.

    The same few times stand in many manifests and answers, so that what they are is kept.

    Raises ValueError, with what to do, for anything else: a date alone, or a time without an offset.
    """
    try:
        if not _SHAPE.match(text):
            raise ValueError
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time; write it as 2026-12-01T09:00:00Z or with an offset") from None
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset such as +01:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years that can be represented") from None


def iso(value: datetime) -> str:
    """Give the canonical spelling of an aware time: UTC, `Z`, milliseconds only where there are any."""
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{text[:19]}Z" if text[19:23] == ".000" else f"{text[:23]}Z"


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Give the canonical spelling of a time in any spelling; raises ValueError as `parse_time` does."""
    return iso(parse_time(text))


def from_epoch_ms(milliseconds: int) -> datetime:
    """Give the time of integer epoch milliseconds, exactly; raises ValueError outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{milliseconds} is not a time in milliseconds: outside the years 1 to 9999") from None


def to_epoch_ms(value: datetime) -> int:
    """Give integer epoch milliseconds of an aware time."""
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000
