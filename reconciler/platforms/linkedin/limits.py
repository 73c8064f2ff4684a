"""LinkedIn's rate limits, as documented (linkedin.md 15; doc D8, D22)."""

from __future__ import annotations

from reconciler.model.budget import Allowance, Covers

PAGE = "https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits"
DAY_S = 86_400

ALLOWANCES = (
    Allowance(
        Covers.REQUESTS,
        "endpoint, for the application and again for the member, in a day",
        None,
        DAY_S,
        PAGE,
        "it has limits by day and endpoint, whose numbers are not documented",
    ),
)
"""Two counters per endpoint, one of the application and one of the member, reset at 00:00 UTC; no header tells them."""
