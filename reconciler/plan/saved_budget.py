"""A plan's budget and quotas as JSON values, and read back from them."""

from __future__ import annotations

from typing import Any

from reconciler.model.budget import Allowance, Budget, Covers, Load, Quota
from reconciler.model.time import iso
from reconciler.plan.reader import Reader


def budget_to_json(budget: Budget) -> dict[str, Any]:
    """Give what an apply needs of one connection."""
    return {
        "connection": budget.connection,
        "platform": budget.platform,
        "calls": budget.calls,
        "reads": budget.reads,
        "minutes": budget.minutes,
        "accounts": [{"account": load.account, "calls": load.calls, "reads": load.reads} for load in budget.loads],
        "limits": [
            {
                "covers": item.covers.value,
                "per": item.per,
                "perAccount": item.per_account,
                "calls": item.calls,
                "seconds": item.window_s,
                "source": item.source,
                "note": item.note or None,
            }
            for item in budget.allowances
        ],
    }


def quota_to_json(quota: Quota) -> dict[str, Any]:
    """Give what is left of a quota."""
    return {
        "connection": quota.connection,
        "what": quota.what,
        "limit": quota.limit,
        "left": quota.left,
        "resetsAt": iso(quota.resets_at) if quota.resets_at else None,
        "covers": quota.covers.value,
        "account": quota.account,
    }


def read_budget(reader: Reader) -> Budget:
    """Read what an apply needs of one connection; raises PlanUnreadable for anything else."""
    minutes = reader.get("minutes").value
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or minutes < 0):
        raise reader.get("minutes").fail("is not a number of minutes")
    return Budget(
        connection=reader.get("connection").text(),
        platform=reader.get("platform").text(),
        loads=tuple(
            Load(item.get("account").text(), item.get("calls").number(), item.get("reads").number())
            for item in reader.get("accounts").items()
        ),
        minutes=minutes,
        allowances=tuple(
            Allowance(
                covers=item.get("covers").word(Covers),
                per=item.get("per").text(),
                calls=None if item.get("calls").value is None else item.get("calls").number(),
                window_s=item.get("seconds").number(),
                source=item.get("source").text(),
                note=item.get("note").optional() or "",
                per_account=item.get("perAccount").flag(False),
            )
            for item in reader.get("limits").items()
        ),
    )


def read_quota(reader: Reader) -> Quota:
    """Read what is left of a quota; raises PlanUnreadable for anything else."""
    return Quota(
        connection=reader.get("connection").text(),
        what=reader.get("what").text(),
        limit=reader.get("limit").number(),
        left=reader.get("left").number(),
        resets_at=reader.get("resetsAt").moment(),
        covers=reader.get("covers").word(Covers),
        account=reader.get("account").optional() or "",
    )
