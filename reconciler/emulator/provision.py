"""
Accounts, campaigns and line items that somebody speaks of, made to exist in an embedded world.

A newcomer tries the tool with ids of their own; the embedded platforms take them as if they had been set up. A server
that runs by itself never does this: there, what does not exist is refused as on the real platform.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.emulator.linkedin import seeds as linkedin
from reconciler.emulator.world import World
from reconciler.emulator.x_ads.seed import account, campaign, line_item


@dataclass(frozen=True)
class LinkedInNeed:
    """Two campaigns of one experiment, which have to share a campaign group; numbers, not URNs."""

    account: int
    campaigns: tuple[int, ...]


@dataclass(frozen=True)
class XAdsNeed:
    """The entities of one A/B test: campaigns, or the line items of one campaign."""

    account: str
    entity_type: str
    entities: tuple[str, ...]


def provision(world: World, needs: Iterable[LinkedInNeed | XAdsNeed]) -> None:
    """Make every need exist, leaving alone what is there already; saves the world when something was made."""
    with world.lock:
        made = [_linkedin(world, need) if isinstance(need, LinkedInNeed) else _x_ads(world, need) for need in needs]
        if any(made):
            world.save()


def _linkedin(world: World, need: LinkedInNeed) -> bool:
    accounts = world.table("linkedin", "accounts")
    groups = world.table("linkedin", "campaignGroups")
    campaigns = world.table("linkedin", "campaigns")
    missing = [number for number in need.campaigns if str(number) not in campaigns]
    made = bool(missing)
    if str(need.account) not in accounts:
        accounts[str(need.account)] = linkedin.account(need.account)
        made = True
    if not missing:
        return made
    there = [campaigns[str(number)] for number in need.campaigns if str(number) in campaigns]
    group = int(str(there[0]["campaignGroup"]).rsplit(":", 1)[1]) if there else _group_of(world, need.account)
    if str(group) not in groups:
        groups[str(group)] = linkedin.group(group, need.account)
    for number in missing:
        campaigns[str(number)] = linkedin.campaign(number, need.account, group)
    return made


def _group_of(world: World, account: int) -> int:
    """Give the one group that holds an account's provisioned campaigns."""
    numbers = world.table("linkedin", "provisionedGroups")
    row = numbers.setdefault(str(account), {})
    if "group" not in row:
        row["group"] = world.next_number("linkedin.provisionedGroup", 900_001)
    return int(row["group"])


def _x_ads(world: World, need: XAdsNeed) -> bool:
    accounts = world.table("x-ads", "accounts")
    made = False
    if need.account not in accounts:
        accounts[need.account] = account(need.account, f"Account {need.account}")
        for row in world.table("x-ads", "credentials").values():
            granted = next(iter(row["accounts"].values()), ["ACCOUNT_ADMIN"])
            row["accounts"].setdefault(need.account, list(granted))
        made = True
    return (_x_campaigns if need.entity_type == "CAMPAIGN" else _x_line_items)(world, need) or made


def _x_campaigns(world: World, need: XAdsNeed) -> bool:
    campaigns = world.table("x-ads", "campaigns")
    missing = [entity for entity in need.entities if entity not in campaigns]
    for entity in missing:
        campaigns[entity] = campaign(entity, need.account)
        item = line_item(f"l{entity}", entity, need.account)
        world.table("x-ads", "line_items")[item["id"]] = item
    return bool(missing)


def _x_line_items(world: World, need: XAdsNeed) -> bool:
    """The items of one test belong to one campaign, and no other item does."""
    items = world.table("x-ads", "line_items")
    missing = [entity for entity in need.entities if entity not in items]
    if not missing:
        return False
    there = [items[entity]["campaign_id"] for entity in need.entities if entity in items]
    name = there[0] if there else f"p{world.next_number('x-ads.provisionedCampaign', 1001)}"
    world.table("x-ads", "campaigns").setdefault(name, campaign(name, need.account))
    for entity in missing:
        items[entity] = line_item(entity, name, need.account)
    return True
