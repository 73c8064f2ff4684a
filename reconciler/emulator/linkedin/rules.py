"""
The conditions an experiment must meet besides its shape, each with the page's code.

Source: the note "An experiment must meet the following conditions" under Create Experiments, the exceptions of create
and update, and the rows of level ERROR in "Validation Error Code".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from reconciler.emulator.linkedin.lifecycle import DAY_MS, DEAD_CAMPAIGN, LONGEST_MS
from reconciler.emulator.linkedin.problems import Failure
from reconciler.emulator.linkedin.schema import urn_id
from reconciler.emulator.world import Row, World

HORIZON_MS = 180 * DAY_MS
_METRIC_FORMATS = {"CPV": ("VIDEO",), "CPMS": ("INMAIL", "MESSAGE", "CONVERSATION")}


def check_values(entity: Mapping[str, Any], touched: Collection[str], now_ms: int) -> list[Failure]:
    """Give what is wrong with the fields named in `touched`, judged by the manifest-like values of `entity` alone."""
    failures: list[Failure] = []
    start, end = entity["scheduledStartAt"], entity["scheduledEndAt"]
    if "confidence" in touched and not 51 <= entity["confidence"] <= 99:
        failures.append(Failure("INVALID_CONFIDENCE_VALUE", "/confidence", entity["confidence"]))
    if "scheduledStartAt" in touched and start <= 0:
        failures.append(Failure("INVALID_START_TIME", "/scheduledStartAt", start))
    if "scheduledEndAt" in touched and not now_ms <= end <= now_ms + HORIZON_MS:
        failures.append(Failure("INVALID_END_TIME", "/scheduledEndAt", end))
    if {"scheduledStartAt", "scheduledEndAt"} & set(touched) and not 0 < end - start <= LONGEST_MS:
        failures.append(Failure("INVALID_SCHEDULE"))
    if "cells" in touched:
        failures += _cells(entity["cells"])
    return failures


def check_entities(world: World, entity: Mapping[str, Any]) -> list[Failure]:
    """Give what is wrong with the account, the campaigns and their group, as they stand now."""
    account = world.table("linkedin", "accounts").get(str(urn_id("sponsoredAccount", entity["account"])))
    if account is None:
        return [Failure("ACCOUNT_NOT_FOUND", "/account", entity=entity["account"])]
    failures: list[Failure] = []
    if account["status"] in DEAD_CAMPAIGN:
        failures.append(Failure("ACCOUNT_NOT_SERVABLE", "/account", entity=entity["account"]))
    for test in account.get("_brandLiftTests", ()):
        if test["start"] < entity["scheduledEndAt"] and entity["scheduledStartAt"] < test["end"]:
            failures.append(Failure("ACCOUNT_ALREADY_RUNNING_BRAND_LIFT_TEST", entity=entity["account"]))
            break
    table = world.table("linkedin", "campaigns")
    found: list[Row] = []
    for number, cell in enumerate(entity["cells"]):
        urn = cell["reference"]["campaign"]
        row = table.get(str(urn_id("sponsoredCampaign", urn)))
        if row is None:
            failures.append(Failure("CAMPAIGN_NOT_FOUND", f"/cells/{number}/reference/campaign", entity=urn))
        else:
            found.append(row)
            failures += _campaign(row, entity["keyMetric"], urn, f"/cells/{number}/reference/campaign")
    if found and len(found) == len(entity["cells"]):
        failures += _together(world, entity, found)
    return failures


def check_overlap(world: World, entity: Mapping[str, Any], own_id: int | None) -> list[Failure]:
    """
    Give CAMPAIGN_ALREADY_SCHEDULED when a campaign is in another active or future experiment with overlapping dates.

    Intervals that only touch do not overlap; drafts and ended experiments hold nothing. At most one failure comes
    back, so that the answer is the 409 of this code and not an envelope of several.
    """
    if entity["userIntendedState"] in ("DRAFT", "CANCELED"):
        return []
    campaigns = [cell["reference"]["campaign"] for cell in entity["cells"]]
    start = max(entity["scheduledStartAt"], world.now_ms())
    for row in world.table("linkedin", "experiments").values():
        idle = row["executionState"] == "ENDED" or row["userIntendedState"] in ("DRAFT", "CANCELED")
        if idle or row["id"] == own_id:
            continue
        if not (row["scheduledStartAt"] < entity["scheduledEndAt"] and start < row["scheduledEndAt"]):
            continue
        for cell in row["cells"]:
            urn = cell["reference"]["campaign"]
            if urn in campaigns:
                path = f"/cells/{campaigns.index(urn)}/reference/campaign"
                return [Failure("CAMPAIGN_ALREADY_SCHEDULED", path, entity=urn, more=f"Experiment {row['id']}.")]
    return []


def _cells(cells: list[dict[str, Any]]) -> list[Failure]:
    if len(cells) != 2:
        return [Failure("INVALID_NO_OF_CELLS", "/cells", len(cells))]
    failures: list[Failure] = []
    for number, cell in enumerate(cells):
        if not 1 <= cell["trafficWeight"] <= 99:
            failures.append(Failure("INVALID_WEIGHT_OF_CELL", f"/cells/{number}/trafficWeight", cell["trafficWeight"]))
    total = sum(cell["trafficWeight"] for cell in cells)
    if total != 100:
        failures.append(Failure("INVALID_SUM_OF_WEIGHT_OF_CELLS", "/cells", total))
    if cells[0]["reference"] == cells[1]["reference"]:
        failures.append(Failure("DUPLICATE_ELEMENTS_IN_CELLS", "/cells", entity=cells[0]["reference"]["campaign"]))
    return failures


def _campaign(row: Row, key_metric: str, urn: str, path: str) -> list[Failure]:
    failures: list[Failure] = []
    if row["status"] in DEAD_CAMPAIGN:
        failures.append(Failure("CAMPAIGN_NOT_SERVABLE", path, entity=urn))
    formats = _METRIC_FORMATS.get(key_metric)
    if formats and not any(word in f"{row.get('format')} {row.get('type')}" for word in formats):
        failures.append(Failure("INVALID_KEY_METRIC", "/keyMetric", entity=urn))
    least = row.get("_minimumBid")
    if least is not None and Decimal(row["unitCost"]["amount"]) < Decimal(least):
        failures.append(Failure("CAMPAIGN_BID_MUST_BE_GREATER_THAN_MINIMUM", entity=urn))
    creatives = row.get("_creatives")
    if creatives is not None and "ACTIVE" not in creatives:
        failures.append(Failure("NO_ACTIVE_CREATIVES", entity=urn))
    return failures


def _together(world: World, entity: Mapping[str, Any], found: list[Row]) -> list[Failure]:
    if {row["account"] for row in found} != {entity["account"]}:
        return [Failure("CAMPAIGNS_FROM_DIFFERENT_ACCOUNT", "/cells")]
    groups = {row["campaignGroup"] for row in found}
    if len(groups) > 1:
        return [Failure("CAMPAIGN_GROUPS_DIFFERENT", "/cells")]
    group = world.table("linkedin", "campaignGroups").get(str(urn_id("sponsoredCampaignGroup", groups.pop())), {})
    if group.get("budgetOptimization", {}).get("budgetOptimizationStrategy") == "DYNAMIC":
        return [Failure("CAMPAIGN_GROUP_DYNAMIC_BUDGET_OPTIMIZATION_MUST_BE_DISABLED")]
    return []
