"""
Times as the platform reads and writes them.

Output is always UTC with `Z` and whole seconds; input may carry `Z`, `±HHMM`, `±HH:MM` or `±HH` (platform page on
time zones). Two output strings compare as the instants do.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_PATTERN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|([+-]\d\d)(?::?(\d\d))?)", re.ASCII)


def parse(text: str) -> datetime:
    """
    Give the instant `text` names, aware UTC.

    Raises ValueError for anything but the documented pattern: no zone, fractions of a second, no such day.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("invalid date")
    local, hours, minutes = match.groups()
    zone = "+00:00" if hours is None else f"{hours}:{minutes or '00'}"
    try:
        return datetime.fromisoformat(local + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("invalid date") from None


def shown(instant: datetime) -> str:
    """Write an aware instant as the platform does: UTC, whole seconds (cut, not rounded), `Z`."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
