"""One spelling for each value of a LinkedIn spec: times as ISO 8601 in UTC, full URNs, text in NFC. Idempotent."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

from reconciler.model.time import canonical, from_epoch_ms, iso, parse_time, to_epoch_ms
from reconciler.platforms.linkedin.facts import ACCOUNT_PREFIX, CAMPAIGN_PREFIX, SECONDS_BELOW

_NUMBER = re.compile(r"[1-9][0-9]*")


def canonical_time(value: Any) -> str:
    """
    Give a time of a manifest as ISO 8601 in UTC: text with an offset or `Z`, or integer epoch milliseconds.

    Raises ValueError, with what to do, for anything else; also for seconds given where milliseconds are meant.
    """
    if value is None:
        raise ValueError("this time cannot be cleared; state one")
    if isinstance(value, str):
        return canonical(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(
            f"{value!r} is not a time; write it as 2026-12-01T09:00:00Z, with an offset, or in epoch milliseconds"
        )
    if value <= 0:
        raise ValueError(f"{value} is not a time: epoch milliseconds have to be positive")
    if value < SECONDS_BELOW:
        raise ValueError(
            f"{value} looks like seconds; LinkedIn counts milliseconds: write {value * 1000} or an ISO 8601 time"
        )
    try:
        return iso(from_epoch_ms(value))
    except ValueError:
        raise ValueError(f"{value} is not a time in milliseconds: it lies beyond the year 9999") from None


def epoch_ms(time: str) -> int:
    """Give integer epoch milliseconds of a canonical time."""
    return to_epoch_ms(parse_time(time))


def moment(time: Any) -> datetime | None:
    """Give the moment of a canonical time; None where there is none."""
    return parse_time(time) if isinstance(time, str) else None


def account_urn(value: Any) -> str:
    """Give `urn:li:sponsoredAccount:N` for itself or the bare number N; raises ValueError for anything else."""
    return _urn(value, ACCOUNT_PREFIX, "an ad account")


def campaign_urn(value: Any) -> str:
    """Give `urn:li:sponsoredCampaign:N` for itself or the bare number N; raises ValueError for anything else."""
    return _urn(value, CAMPAIGN_PREFIX, "a campaign (an ad set, in the words of Campaign Manager)")


def canonical_text(value: str) -> str:
    """Give text in Unicode's composed form (NFC); nothing is trimmed."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _urn(value: Any, prefix: str, what: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return f"{prefix}{value}"
    if isinstance(value, str) and _NUMBER.fullmatch(value.removeprefix(prefix)):
        return value if value.startswith(prefix) else prefix + value
    raise ValueError(f"{value!r} does not name {what}; write {prefix}123456 or the number alone")
