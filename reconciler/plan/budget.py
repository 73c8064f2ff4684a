"""What an apply of a plan costs: calls and reads by connection and ad account, and how long documented limits take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from reconciler.model.budget import Allowance, Budget, Load, Quota
from reconciler.model.change import Action, Change, Plan
from reconciler.plan.inputs import Kinds
from reconciler.platforms.base import Kind

SHORT_S = 3600
"""Limits over a longer time are quotas: they are used up or not, and waiting for them is no plan."""


def budget_of(plan: Plan, kinds: Kinds) -> tuple[Budget, ...]:
    """Give what an apply of the plan needs, by connection; connections to which nothing is sent are left out."""
    calls: dict[str, Counter[str]] = {}
    reads: dict[str, Counter[str]] = {}
    used: dict[str, Kind] = {}
    for change in plan.changes:
        if not change.calls or change.action is Action.BLOCKED:
            continue
        kind = kinds(change.key.kind, change.connection)
        used[change.connection] = kind
        account = account_of(kind, change)
        calls.setdefault(change.connection, Counter())[account] += len(change.calls)
        reads.setdefault(change.connection, Counter())[account] += reads_of(change)
    return tuple(
        _budget(connection, used[connection], calls[connection], reads[connection]) for connection in sorted(used)
    )


def account_of(kind: Kind, change: Change) -> str:
    """Give the ad account that a change belongs to; empty where the platform has none."""
    name = kind.account_field
    return next((str(spec[name]) for spec in (change.target or {}, change.expected) if name and spec.get(name)), "")


def reads_of(change: Change) -> int:
    """
    Give how many reads an apply makes for a change when all goes well: one before what is live is touched, one after
    every call; an ending is looked at once more, until it is over.
    """
    before = 0 if change.action is Action.CREATE else 1
    ends = 1 if change.destroys else 0
    return before + len(change.calls) + ends


def _budget(connection: str, kind: Kind, calls: Mapping[str, int], reads: Mapping[str, int]) -> Budget:
    loads = tuple(Load(account, calls[account], reads[account]) for account in sorted(calls))
    short = [item for item in kind.allowances if item.calls is not None and item.window_s <= SHORT_S]
    waits = [_wait_s(item, loads) for item in short]
    return Budget(connection, kind.platform, loads, round(max(waits) / 60, 1) if waits else None, kind.allowances)


def _wait_s(allowance: Allowance, loads: Iterable[Load]) -> float:
    """Give how long a limit makes the requests last: a full window for each that has to be used up first."""
    assert allowance.calls is not None
    counts = [load.counted(allowance.covers) for load in loads]
    most = max(counts) if allowance.per_account else sum(counts)
    return max(most - 1, 0) // allowance.calls * float(allowance.window_s)


def worth_telling(quotas: Iterable[Quota], budgets: Sequence[Budget]) -> tuple[Quota, ...]:
    """Give the quotas that are nearly used up, or that an apply needs more of than is left; in a fixed order."""
    told = [quota for quota in quotas if quota.low or quota.needed(budgets) > quota.left]
    return tuple(sorted(told, key=lambda quota: (quota.connection, quota.what, quota.account)))
