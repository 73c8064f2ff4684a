"""Salesforce's request limits as documented (salesforce.md 7; doc D31, D32)."""

from __future__ import annotations

from typing import Final

from reconciler.model.budget import Allowance, Covers

PAGE: Final = (
    "https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/"
    "salesforce-app-limits-platform-api.html"
)
DAY_S: Final = 86_400
ALLOWANCES: Final = (
    Allowance(
        Covers.REQUESTS,
        "org, in 24 hours",
        None,
        DAY_S,
        PAGE,
        "no limit per minute is documented; the one of 24 hours depends on the edition",
    ),
)
