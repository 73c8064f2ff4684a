"""One spelling of a time: what is written is read back, and sorts as the times do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.time import iso, parse_time

ZONES = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-840, 840))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(7, 3, 1, tzinfo=UTC), "0007-03-01T00:00:00Z"),
        (datetime(2026, 12, 1, 9, 30, 5, 999, UTC), "2026-12-01T09:30:05Z"),
        (datetime(2026, 12, 1, 9, 30, 5, 120_999, UTC), "2026-12-01T09:30:05.120Z"),
        (datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-11-30T23:30:00Z"),
    ],
)
def test_the_spelling(value: datetime, text: str) -> None:
    assert iso(value) == text


@given(TIMES)
def test_what_is_written_is_read_back(value: datetime) -> None:
    assert parse_time(iso(value)) == value.replace(microsecond=value.microsecond // 1000 * 1000)
