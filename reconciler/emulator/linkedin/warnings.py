"""
The rows of level WARNING that can be worked out from what the emulator knows.

Source: "Validation Error Code" of the page. Left out, as nothing here knows audiences or account budgets:
`CAMPAIGN_AUDIENCE_SIZE_BELOW_RECOMMENDATION`, `ACCOUNT_TOTAL_BUDGET_ENDS_TOO_SOON`, `CREATIVE_ON_HOLD`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.emulator.linkedin.lifecycle import DAY_MS
from reconciler.emulator.linkedin.problems import Failure
from reconciler.emulator.linkedin.schema import urn_id
from reconciler.emulator.world import Row, World

_RECOMMENDED_MS = 21 * DAY_MS
_RECOMMENDED_USD = Decimal(5000)


def warnings(world: World, entity: Mapping[str, Any], stored: Mapping[str, Any] | None) -> list[Failure]:
    """Give what may spoil the experiment; `stored` is what the platform holds of it, None for a new one."""
    found: list[Failure] = []
    length = entity["scheduledEndAt"] - entity["scheduledStartAt"]
    if 0 < length < _RECOMMENDED_MS:
        found.append(Failure("AB_TEST_DURATION_BELOW_RECOMMENDATION"))
    if stored is not None and stored["userIntendedState"] != entity["userIntendedState"]:
        change = {"PAUSED": "AB_TEST_PAUSED", "CANCELED": "AB_TEST_CANCELED"}.get(entity["userIntendedState"])
        if change:
            found.append(Failure(change))
    account = world.table("linkedin", "accounts").get(str(urn_id("sponsoredAccount", entity["account"])))
    if account is not None and account["status"] == "ACTIVE" and _on_hold(account):
        found.append(Failure("ACCOUNT_ON_HOLD", entity=entity["account"]))
    table = world.table("linkedin", "campaigns")
    urns = [cell["reference"]["campaign"] for cell in entity["cells"]]
    rows = [table.get(str(urn_id("sponsoredCampaign", urn))) for urn in urns]
    for urn, row in zip(urns, rows, strict=True):
        if row is not None:
            found += _campaign(row, urn, entity)
    if len(rows) == 2 and rows[0] is not None and rows[1] is not None:
        found += _pair(world, rows[0], rows[1], entity)
    return found


def _campaign(row: Row, urn: str, entity: Mapping[str, Any]) -> list[Failure]:
    schedule = row.get("runSchedule", {})
    start, end = schedule.get("start"), schedule.get("end")
    codes = {
        "CAMPAIGN_STARTS_TOO_EARLY": start is not None and start < entity["scheduledStartAt"],
        "CAMPAIGN_STARTS_TOO_LATE": start is not None and start > entity["scheduledStartAt"],
        "CAMPAIGN_FINISHES_TOO_EARLY": end is not None and end < entity["scheduledEndAt"],
        "CAMPAIGN_ON_HOLD": row["status"] == "PAUSED" or _on_hold(row),
        "CAMPAIGN_AUDIENCE_EXPANSION_ENABLED": bool(row.get("audienceExpansionEnabled")),
        "SOME_CREATIVES_IN_DRAFT": "DRAFT" in row.get("_creatives", ()),
    }
    return [Failure(code, entity=urn) for code, holds in codes.items() if holds]


def _pair(world: World, one: Row, other: Row, entity: Mapping[str, Any]) -> list[Failure]:
    found: list[Failure] = []
    if one.get("targetingCriteria") != other.get("targetingCriteria"):
        found.append(Failure("CAMPAIGN_DIFFERENT_TARGETING"))
    weights = [cell["trafficWeight"] for cell in entity["cells"]]
    budgets = [_budget(row, entity) for row in (one, other)]
    if budgets[0] is not None and budgets[1] is not None:
        if budgets[0] * weights[1] != budgets[1] * weights[0]:
            found.append(Failure("BUDGET_AND_CELL_WEIGHT_NOT_PROPORTIONAL"))
        if sum(budget for budget in budgets if budget is not None) < _RECOMMENDED_USD:
            found.append(Failure("AB_TEST_BUDGET_BELOW_RECOMMENDATION"))
    group = world.table("linkedin", "campaignGroups").get(
        str(urn_id("sponsoredCampaignGroup", one["campaignGroup"])), {}
    )
    ends = group.get("runSchedule", {}).get("end")
    if ends is not None and ends < entity["scheduledEndAt"]:
        found.append(Failure("CAMPAIGN_GROUP_SCHEDULE_ENDS_TOO_SOON"))
    return found


def _budget(row: Row, entity: Mapping[str, Any]) -> Decimal | None:
    """Give the campaign's money for the length of the test, None without a budget; currencies are not converted."""
    if "totalBudget" in row:
        return Decimal(row["totalBudget"]["amount"])
    if "dailyBudget" in row:
        days = Decimal(entity["scheduledEndAt"] - entity["scheduledStartAt"]) / DAY_MS
        return Decimal(row["dailyBudget"]["amount"]) * days
    return None


def _on_hold(row: Row) -> bool:
    return any("HOLD" in status for status in row.get("servingStatuses", ()))
