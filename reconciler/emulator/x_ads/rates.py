"""
Rate limit headers, counted in real time.

The limits are the documented ones (450 writes a minute; 10,000, 2,000 or 5 reads in 15 minutes), but no request is
ever refused for them: refusals are the business of the fault injection. As nothing is refused, `remaining` stays
at a tenth of the limit (at least 1), so that a client which waits when little is left is not held up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """So many calls in a window of so many seconds."""

    calls: int
    window_s: int


WRITES = Limit(450, 60)
ENTITY_READS = Limit(10_000, 900)
ACCOUNT_READS = Limit(2_000, 900)
GLOBAL_READS = Limit(5, 900)


class Rates:
    """Counts calls by user and kind in fixed windows."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self._real_time = real_time
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def headers(self, user: str, kind: str, limit: Limit) -> dict[str, str]:
        """Count one call and give the three headers; `reset` is in Unix epoch seconds."""
        window = int(self._real_time()) // limit.window_s
        seen, used = self._used.get((user, kind), (window, 0))
        used = used + 1 if seen == window else 1
        self._used[(user, kind)] = (window, used)
        return {
            "x-rate-limit-limit": str(limit.calls),
            "x-rate-limit-remaining": str(max(limit.calls - used, limit.calls // 10, 1)),
            "x-rate-limit-reset": str((window + 1) * limit.window_s),
        }
