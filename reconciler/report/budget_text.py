"""What an apply needs of each connection, in words: calls, reads, and how long the documented limits make it take."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.budget import Allowance, Budget, Quota
from reconciler.model.change import Plan
from reconciler.report.words import counted, spell_minutes


def budget_words(budget: Budget) -> str:
    """Give one connection's part: `x: 900 calls, about 1,800 reads over 3 accounts; about 1 min by …`."""
    accounts = f" over {counted(len(budget.loads), 'account')}" if len(budget.loads) > 1 else ""
    return (
        f"{budget.connection}: {counted(budget.calls, 'call')}, about {counted(budget.reads, 'read')}{accounts}; "
        f"{_time(budget)}"
    )


def quota_words(plan: Plan) -> Iterator[str]:
    """Give a sentence for each quota that is nearly used up or that the apply needs more of than is left."""
    for quota in plan.quotas:
        yield f"{quota.said}{_short(quota, plan)}"


def _short(quota: Quota, plan: Plan) -> str:
    needed = quota.needed(plan.budget)
    if needed <= quota.left:
        return ""
    return f"; this plan needs about {needed:,}, so an apply would not get through before it is refilled"


def _time(budget: Budget) -> str:
    rates = " and ".join(_rate(item) for item in budget.allowances if item.calls is not None)
    if budget.minutes is None:
        return "; ".join(budget.notes) or "no limit is documented"
    took = f"about {spell_minutes(budget.minutes)}" if budget.minutes else "under a minute"
    return f"{took} at {rates}"


def _rate(item: Allowance) -> str:
    span = "a minute" if item.window_s == 60 else f"in {item.window_s // 60} minutes"
    return f"{item.calls:,} {item.covers.value}{' an account' if item.per_account else ''} {span}"
