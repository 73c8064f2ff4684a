"""
The life of an experiment: what a member may intend, and what the clock and the campaigns make of it.

The page has two enums and no table of transitions. A transition that it does not show and that nothing makes likely is
refused here, so that a client which relies on one is found out. Source of the events: "Experiment Cancellation or On
Hold Reasons" and the field descriptions of `executionState`, `autoStop` and `terminationReason`.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.linkedin.results import has_winner
from reconciler.emulator.linkedin.schema import urn_id
from reconciler.emulator.world import Row, World

DAY_MS = 86_400_000
LONGEST_MS = 90 * DAY_MS
STARTED = ("RUNNING", "ON_HOLD", "STOPPED")
DEAD_CAMPAIGN = ("ARCHIVED", "COMPLETED", "CANCELED", "CANCELLED", "PENDING_DELETION", "REMOVED")
_AFTER_90_DAYS = "It has been 90 days since the experiment's start date."
_BROKEN = "The experiment hit an erroneous condition: "


def may_create(intended: str) -> bool:
    """Tell whether an experiment may begin its life with this intent: only ACTIVE and DRAFT are known to work."""
    return intended in ("ACTIVE", "DRAFT")


def may_intend(row: Row, wanted: str, *, end_extended: bool) -> bool:
    """Tell whether the stored experiment may take this `userIntendedState`; `end_extended` if its end moves too."""
    intended, execution = row["userIntendedState"], row["executionState"]
    if execution == "ENDED":
        return bool(wanted == intended == "CANCELED")
    if execution == "PENDING":
        return wanted in {"DRAFT": ("DRAFT", "ACTIVE"), "ACTIVE": ("ACTIVE", "CANCELED")}.get(intended, ())
    if execution == "STOPPED":
        return wanted == "CANCELED" or (wanted == "ACTIVE" and end_extended)
    return wanted in ("ACTIVE", "PAUSED", "CANCELED")


def intend(world: World, row: Row, wanted: str) -> None:
    """Carry out a change of intent at once: pause both campaigns, let them run again, or end the experiment."""
    before, row["userIntendedState"] = row["userIntendedState"], wanted
    if wanted == "CANCELED" and row["executionState"] != "ENDED":
        _end(row, world.now_ms())
    elif wanted == "PAUSED" and row["executionState"] in ("RUNNING", "ON_HOLD"):
        _pause_campaigns(world, row)
        row["executionState"] = "ON_HOLD"
    elif wanted == "ACTIVE" and before == "PAUSED" and row["executionState"] == "ON_HOLD":
        _run_campaigns(world, row)
        row["executionState"] = "RUNNING"


def rerun(world: World, row: Row) -> None:
    """Let a stopped experiment run again, if its end now lies ahead: its campaigns were paused by the stop."""
    if row["executionState"] == "STOPPED" and row["scheduledEndAt"] > world.now_ms():
        if row["userIntendedState"] == "PAUSED":
            row["executionState"] = "ON_HOLD"
            return
        _run_campaigns(world, row)
        row["executionState"] = "RUNNING"


def tick(world: World) -> None:
    """Apply to every experiment what the clock and the state of its campaigns have done since."""
    now = world.now_ms()
    for row in world.table("linkedin", "experiments").values():
        if row["executionState"] == "ENDED":
            continue
        before = dict(row)
        _step(world, row, now)
        if row != before:
            row["lastModified"] = {"actor": row["lastModified"]["actor"], "time": now}


def _step(world: World, row: Row, now: int) -> None:
    if row["executionState"] == "PENDING":
        if row["userIntendedState"] != "ACTIVE" or row["scheduledStartAt"] > now:
            return
        row["executionState"] = "RUNNING"
        row["_startedAt"] = max(row["scheduledStartAt"], row.get("_launchedAt", row["created"]["time"]))
        if _hold_reason(world, row, now, at_start=True):
            row["executionState"] = "ON_HOLD"
    broken = _fatal_reason(world, row)
    if broken:
        _end(row, now, _BROKEN + broken)
        return
    overdue = row["scheduledStartAt"] + LONGEST_MS
    if row["executionState"] in ("RUNNING", "ON_HOLD"):
        _run(world, row, now)
    if now >= overdue:
        _end(row, overdue, _AFTER_90_DAYS)


def _run(world: World, row: Row, now: int) -> None:
    won = row["autoStop"] == "AUTO_STOP_AT_WINNER" and not row.get("_winnerStopped") and has_winner(row, now)
    if now >= row["scheduledEndAt"] or won:
        if row["autoStop"] != "AUTO_STOP_DISABLED":
            _pause_campaigns(world, row)
        if won:
            row["_winnerStopped"] = True
        row["executionState"] = "STOPPED"
        return
    if row["userIntendedState"] == "ACTIVE":
        row["executionState"] = "ON_HOLD" if _hold_reason(world, row, now, at_start=False) else "RUNNING"


def _end(row: Row, at: int, reason: str | None = None) -> None:
    row["executionState"], row["endedAt"] = "ENDED", at
    if reason:
        row["terminationReason"] = reason


def _campaigns(world: World, row: Row) -> list[Row | None]:
    table = world.table("linkedin", "campaigns")
    return [table.get(str(urn_id("sponsoredCampaign", cell["reference"]["campaign"]))) for cell in row["cells"]]


def _fatal_reason(world: World, row: Row) -> str | None:
    """
    Give why the experiment is over: account, group or campaign deleted, group paused, or a running campaign paused.

    A campaign that was paused when the test began only holds it (`CAMPAIGN_ON_HOLD`); one paused while the test runs
    cancels it, as the page's table of reasons says. What the test itself has paused does not count.
    """
    account = world.table("linkedin", "accounts").get(str(urn_id("sponsoredAccount", row["account"])))
    if account is None or account["status"] in ("CANCELED", "PENDING_DELETION", "REMOVED"):
        return "the ad account is gone."
    for campaign in _campaigns(world, row):
        if campaign is None or campaign["status"] in DEAD_CAMPAIGN:
            return "a campaign is gone."
        number = str(urn_id("sponsoredCampaignGroup", campaign["campaignGroup"]))
        group = world.table("linkedin", "campaignGroups").get(number)
        if group is None or group["status"] in ("PAUSED", *DEAD_CAMPAIGN):
            return "the campaign group is paused or gone."
        own = campaign["id"] in row.get("_paused", ())
        if campaign["status"] == "PAUSED" and row["executionState"] == "RUNNING" and not own:
            return "a campaign was paused."
    return None


def _hold_reason(world: World, row: Row, now: int, *, at_start: bool) -> bool:
    for campaign in _campaigns(world, row):
        if campaign is None:
            continue
        schedule: dict[str, Any] = campaign.get("runSchedule", {})
        if schedule.get("start", now) > now or schedule.get("end", now + 1) <= now:
            return True
        if any("HOLD" in status for status in campaign.get("servingStatuses", ())):
            return True
        if campaign["status"] != "ACTIVE" and (at_start or row["executionState"] == "ON_HOLD"):
            return True
    return False


def _pause_campaigns(world: World, row: Row) -> None:
    paused = row.setdefault("_paused", [])
    for campaign in _campaigns(world, row):
        if campaign is not None and campaign["status"] == "ACTIVE":
            campaign["status"] = "PAUSED"
            paused.append(campaign["id"])


def _run_campaigns(world: World, row: Row) -> None:
    paused = row.pop("_paused", [])
    for campaign in _campaigns(world, row):
        if campaign is not None and campaign["id"] in paused and campaign["status"] == "PAUSED":
            campaign["status"] = "ACTIVE"
