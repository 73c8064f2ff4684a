"""
What X's pages say of A/B tests, as data: limits, enums, and when each field may change.

Sources: the reference page of `ab_tests` (seed), its guide and the pages on times and errors (doc). Where no page
speaks, the cell or constant says "assumed". Sizes are percentages, times are whole seconds.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from reconciler.model.kind import Cell, Evidence, Field, Verdict

PAGE: Final = "https://docs.x.com/x-ads-api/measurement/ab-testing"
SEED: Final = f"seed: {PAGE} (reference of accounts/:account_id/ab_tests)"
GUIDE: Final = f"doc: {PAGE} (guide)"
TIMES: Final = "doc: https://docs.x.com/x-ads-api/fundamentals/timezones"
ASSUMED: Final = "assumed"

PLATFORM_NAME: Final = "x-ads"
BASE_URL: Final = "https://ads-api.x.com"
API_VERSION: Final = "12"

CAMPAIGN: Final = "CAMPAIGN"
LINE_ITEM: Final = "LINE_ITEM"
SCHEDULED: Final = "SCHEDULED"
LIVE: Final = "LIVE"
COMPLETED: Final = "COMPLETED"
STATUSES: Final = (SCHEDULED, LIVE, COMPLETED)

NAME_LENGTH: Final = 255
DESCRIPTION_LENGTH: Final = 1024
MIN_GROUPS: Final = 2
MAX_GROUPS: Final = 30
MAX_GROUPS_LINE_ITEM: Final = 5
MIN_SIZE: Final = Decimal("1.00")
MAX_SIZE: Final = Decimal("99.00")
SIZE_SUM: Final = Decimal("100.00")
SIZE_STEP: Final = Decimal("0.01")
MIN_DURATION: Final = timedelta(days=1)
"""The guide's least duration of a test of campaigns that are not app-based."""
MIN_DURATION_APP: Final = timedelta(days=5)
"""The guide's least duration of a test of app-based campaigns."""

START_MARGIN: Final = timedelta(minutes=5)
"""Assumed: less time than this between now and `start_time` is a risk, as the create fails once it has passed."""
SOON: Final = timedelta(hours=24)
"""When a window closes within this time, the plan says so."""

IDS_PER_READ: Final = 200
PAGE_SIZE: Final = 1000
WRITES_PER_MINUTE: Final = 450

USER_GROUPS: Final = "user_groups"
GROUP_KEYS: Final = ("name", "description", "size", "entity_ids")

_ONLY_END = "X lets this change while the test is SCHEDULED; once it is LIVE, only end_time"
_OVER = "X lets nothing change once the test is COMPLETED; only a new test can have this value"
_FIXED = "X has no way to change this on an existing test; only a new test can have another value"


def _while_scheduled(note: str = "") -> dict[str, Cell]:
    return {
        SCHEDULED: Cell(Verdict.IN_PLACE, Evidence.SEED, note),
        LIVE: Cell(Verdict.REPLACE, Evidence.SEED, _ONLY_END),
        COMPLETED: Cell(Verdict.REPLACE, Evidence.SEED, _OVER),
    }


_NEVER_IN_PLACE = {status: Cell(Verdict.REPLACE, Evidence.DOC, _FIXED) for status in STATUSES}

_UNTIL_THE_END = {
    SCHEDULED: Cell(Verdict.IN_PLACE, Evidence.SEED),
    LIVE: Cell(Verdict.IN_PLACE, Evidence.SEED, "the only field that X lets change while the test is LIVE"),
    COMPLETED: Cell(Verdict.REPLACE, Evidence.SEED, _OVER),
}

FIELDS: Final = (
    Field(
        "account_id",
        "string",
        "The ad account that the test belongs to. It is part of the address of the test, not a field of it.",
        SEED,
        _NEVER_IN_PLACE,
        required=True,
    ),
    Field(
        "name",
        "string",
        "The name of the test. X does not ask for it to be unique.",
        SEED,
        _while_scheduled(),
        limits=f"at most {NAME_LENGTH} characters",
        clearable=True,
    ),
    Field(
        "description",
        "string",
        "What the test is about.",
        SEED,
        _while_scheduled(),
        limits=f"at most {DESCRIPTION_LENGTH} characters",
        clearable=True,
    ),
    Field(
        "entity_type",
        "enum",
        "What the groups are made of: campaigns, or the line items of one campaign.",
        f"{SEED}; values: {GUIDE}",
        _NEVER_IN_PLACE,
        limits=f"{CAMPAIGN} or {LINE_ITEM}",
        required=True,
    ),
    Field(
        "start_time",
        "time",
        "When the test begins. It becomes LIVE then, by the clock alone.",
        f"{SEED}; limits: {GUIDE}",
        _while_scheduled(),
        limits="ISO 8601 with Z or an offset, whole seconds; in the future when the test is made or this changes",
        required=True,
    ),
    Field(
        "end_time",
        "time",
        "When the test ends. It becomes COMPLETED then, by the clock alone.",
        f"{SEED}; limits: {GUIDE}",
        _UNTIL_THE_END,
        limits=(
            "ISO 8601 with Z or an offset, whole seconds; at least 1 day after start_time, "
            "at least 5 days where the campaigns are app-based"
        ),
        required=True,
        spoils_in=frozenset({LIVE}),
    ),
    Field(
        "user_groups[]",
        "list of groups",
        "The groups that people are split into; nobody is in two of them.",
        f"{SEED}; line items: {GUIDE}",
        _while_scheduled("the whole list is sent and made anew, so groups get new ids"),
        limits=f"{MIN_GROUPS} to {MAX_GROUPS} groups; at most {MAX_GROUPS_LINE_ITEM} where entity_type is {LINE_ITEM}",
        required=True,
    ),
    Field(
        "user_groups[].name",
        "string",
        "The name of the group. A name that is unique in the test ties the group to the one on X.",
        SEED,
        _while_scheduled(),
        limits=f"at most {NAME_LENGTH} characters",
        clearable=True,
    ),
    Field(
        "user_groups[].description",
        "string",
        "What the group is about.",
        SEED,
        _while_scheduled(),
        limits=f"at most {DESCRIPTION_LENGTH} characters",
        clearable=True,
    ),
    Field(
        "user_groups[].size",
        "decimal",
        "The percentage of people in the group.",
        f"{SEED}; line items: {GUIDE}",
        _while_scheduled(),
        limits=(
            f"{MIN_SIZE} to {MAX_SIZE}, at most two decimals; all sizes together are exactly {SIZE_SUM}; "
            f"equal where entity_type is {LINE_ITEM}"
        ),
        required=True,
    ),
    Field(
        "user_groups[].entity_ids",
        "list of strings",
        "The campaigns or line items that the group sees. One belongs to one group of one A/B test only.",
        f"{SEED}; line items: {GUIDE}; at least one: {ASSUMED}",
        _while_scheduled(),
        limits=f"at least 1 id, in quotes; exactly 1 where entity_type is {LINE_ITEM}",
        required=True,
        set_like=True,
    ),
)
