"""X's rate limits as documented (x-ads.md 8; doc D8)."""

from __future__ import annotations

from typing import Final

from reconciler.model.budget import Allowance, Covers
from reconciler.platforms.x_ads.facts import WRITES_PER_MINUTE

PAGE: Final = "https://docs.x.com/x-ads-api/fundamentals/rate-limiting"
READS_PER_WINDOW: Final = 2_000
READ_WINDOW_S: Final = 900
"""Reads of an account's resources: 2,000 in 15 minutes. That `ab_tests` is among them is assumed (x-ads.md 8)."""

ALLOWANCES: Final = (
    Allowance(Covers.WRITES, "user, all writes together", WRITES_PER_MINUTE, 60, PAGE),
    Allowance(Covers.READS, "ad account and endpoint", READS_PER_WINDOW, READ_WINDOW_S, PAGE, per_account=True),
)
