"""
Which experiments go together, and to which shard each group belongs.

A group is what one connection has of one ad account: it is read in requests of its own, and the order rules tie nothing
to other accounts, unless manifests or records say so (two claim the same thing, an experiment moves from one to the
other): then their groups are one. A group's shard is found by rendezvous hashing of its name, so that a group that
comes or goes moves no other one, and a further shard takes from the others only what is its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Change, Plan
from reconciler.model.resource import Desired, Key, Record, Spec
from reconciler.model.shard import Shard
from reconciler.plan.budget import account_of
from reconciler.plan.inputs import Kinds
from reconciler.plan.order import scoped
from reconciler.platforms.base import Kind


def shard_index(group: str, count: int) -> int:
    """Give the shard, from 1, of a group's name."""
    return max(range(1, count + 1), key=lambda index: hashlib.sha256(f"{index}\n{group}".encode()).digest())


def group_name(connection: str, account: str) -> str:
    """Give the name of what a connection has of an account (empty where the platform has none)."""
    return f"{connection}\n{account}"


class _Ties:
    """Groups that are one: each name leads to the least name of its kin."""

    def __init__(self) -> None:
        self._leads: dict[str, str] = {}

    def of(self, name: str) -> str:
        while (lead := self._leads.get(name, name)) != name:
            name = lead
        return name

    def tie(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        if first != second:
            self._leads[second] = first


def groups_of(kinds: Kinds, desired: Mapping[Key, Desired], records: Mapping[Key, Record]) -> dict[Key, str]:
    """Give the group of every experiment; `records` are those under the keys of renamed manifests."""
    ties = _Ties()
    holders: dict[str, str] = {}
    own: dict[Key, str] = {}
    for key in sorted({*desired, *records}):
        for connection, spec, remote_id in _sides(desired.get(key), records.get(key)):
            kind = kinds(key.kind, connection)
            group = group_name(connection, str(spec.get(kind.account_field) or "") if kind.account_field else "")
            ties.tie(own.setdefault(key, group), group)
            held = scoped(kind.claims(_stated(spec)), kind, connection).entities
            for name in (*held, *([f"{connection}\n{kind.name}\n{remote_id}"] if remote_id else [])):
                ties.tie(holders.setdefault(name, group), group)
    return {key: ties.of(group) for key, group in own.items()}


def _sides(want: Desired | None, record: Record | None) -> Iterable[tuple[str, Spec, str]]:
    if record is not None:
        yield record.connection, record.applied, record.remote_id
    if want is not None:
        yield want.connection, want.spec, want.import_id


def _stated(spec: Spec) -> Spec:
    return {name: value for name, value in spec.items() if value is not None}


def keys_of(shard: Shard, groups: Mapping[Key, str]) -> frozenset[Key]:
    """Give the experiments of a shard."""
    indexes = {group: shard_index(group, shard.count) for group in set(groups.values())}
    return frozenset(key for key, group in groups.items() if indexes[group] == shard.index)


def part_of(plan: Plan, shard: Shard, kinds: Kinds) -> Plan:
    """
    Give the part of a whole plan that a shard carries out; what waits for another change is in the same shard as it.

    All shards of one plan find the same groups, as nothing but the plan is looked at. The counts are those of the part;
    what is unchanged is not counted.
    """
    ties = _Ties()
    own: dict[Key, str] = {}
    for change in (*plan.changes, *plan.bookkeeping):
        own[change.key] = group_name(change.connection, account_of(_kind(kinds, change), change))
    for change in plan.changes:
        for key in change.after:
            ties.tie(own[key], own[change.key])
    mine = keys_of(shard, {key: ties.of(group) for key, group in own.items()})
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.key in mine),
        bookkeeping=tuple(change for change in plan.bookkeeping if change.key in mine),
        no_ops=0,
        shard=shard,
    )


def together(parts: Mapping[str, Plan]) -> list[tuple[str, Shard]]:
    """
    Give the shards of plans by the names of their files, in order.

    Raises PlanUnreadable unless each is one of the same number of shards, and each of them is there once.
    """
    found: dict[int, str] = {}
    count = 0
    for name, plan in parts.items():
        shard = plan.shard
        if shard is None or not shard.evidence:
            raise PlanUnreadable(f"{name} is not what plan --shard i/n --out FILE saves, so there is nothing to merge")
        if count and shard.count != count:
            raise PlanUnreadable(
                f"{name} is shard {shard}, and {found[min(found)]} is one of {count}: give all of one kind"
            )
        if shard.index in found:
            raise PlanUnreadable(f"{found[shard.index]} and {name} are both shard {shard}; give each once")
        count = shard.count
        found[shard.index] = name
    missing = [str(index) for index in range(1, count + 1) if index not in found]
    if missing or not parts:
        raise PlanUnreadable(
            f"the plan of shard {listed(missing)} of {count} is missing; make it by plan --shard I/{count} --out FILE"
        )
    return [(found[index], parts[found[index]].shard or Shard(1, 1)) for index in sorted(found)]


def listed(words: list[str]) -> str:
    """Give a few words in a row, and how many more there are."""
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def _kind(kinds: Kinds, change: Change) -> Kind:
    return kinds(change.key.kind, change.connection)
