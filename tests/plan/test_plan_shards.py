"""Groups of experiments and the shards that they belong to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Action, Change, Plan
from reconciler.model.resource import Desired, Key, Record
from reconciler.model.shard import Shard
from reconciler.model.time import parse_time
from reconciler.plan.shards import group_name, groups_of, keys_of, listed, part_of, shard_index, together
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

KIND = {kind.name: kind for kind in KINDS}
NOW = parse_time("2026-11-25T08:00:00Z")


def kinds(kind: str, connection: str) -> Kind:
    return KIND[kind]


def linkedin(name: str, account: int, *campaigns: int) -> Desired:
    cells = [{"name": str(c), "trafficWeight": 50, "reference": {"campaign": str(c)}} for c in campaigns]
    spec: dict[str, Any] = {
        "account": f"urn:li:sponsoredAccount:{account}",
        "cells": cells,
        "scheduledStartAt": "2027-01-01T00:00:00Z",
        "scheduledEndAt": "2027-02-01T00:00:00Z",
    }
    return Desired(Key("LinkedInExperiment", name), "linkedin", "linkedin", spec)


def record(desired: Desired, **more: Any) -> Record:
    values = {"connection": desired.connection, "remote_id": "1", "applied": desired.spec, **more}
    return Record(desired.key, desired.platform, **values)


def groups(*desired: Desired, records: tuple[Record, ...] = ()) -> dict[Key, str]:
    return groups_of(kinds, {item.key: item for item in desired}, {item.key: item for item in records})


MANY = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 40)), min_size=1, max_size=30)


def project(many: list[tuple[int, int]]) -> list[Desired]:
    return [linkedin(f"e{n}", account, campaign) for n, (account, campaign) in enumerate(many)]


@given(MANY, st.integers(1, 7))
def test_every_experiment_is_in_one_shard(many: list[tuple[int, int]], count: int) -> None:
    found = groups(*project(many))
    parts = [keys_of(Shard(index, count), found) for index in range(1, count + 1)]
    assert Counter(key for part in parts for key in part) == Counter(item.key for item in project(many))


@given(MANY, MANY)
def test_what_claims_the_same_is_in_one_group(many: list[tuple[int, int]], before: list[tuple[int, int]]) -> None:
    desired = project(many)
    records = tuple(record(item, remote_id=item.key.name) for item in project(before))
    found = groups(*desired, records=records)
    holders: dict[Any, set[str]] = {}
    for item in (*desired, *project(before)):
        holders.setdefault(item.spec["account"], set()).add(found[item.key])
        holders.setdefault(item.spec["cells"][0]["reference"]["campaign"], set()).add(found[item.key])
    assert all(len(names) == 1 for names in holders.values())


@given(MANY, st.integers(1, 7))
def test_an_account_that_comes_moves_no_other(many: list[tuple[int, int]], count: int) -> None:
    before = groups(*project(many))
    after = groups(*project(many), linkedin("new", 77, 770))
    for index in range(1, count + 1):
        shard = Shard(index, count)
        assert keys_of(shard, before) == keys_of(shard, after) - {Key("LinkedInExperiment", "new")}


def test_a_further_shard_takes_from_the_others_and_gives_them_nothing() -> None:
    names = [f"linkedin\nurn:li:sponsoredAccount:{number}" for number in range(1000)]
    before, after = ([shard_index(name, count) for name in names] for count in (7, 8))
    assert all(new in (old, 8) for old, new in zip(before, after, strict=True))
    shares = Counter(after)
    assert len(shares) == 8 and min(shares.values()) > 80 and max(shares.values()) < 180


@pytest.mark.parametrize(
    ("group", "indexes"),
    [
        ("linkedin\nurn:li:sponsoredAccount:1", (1, 1, 3, 3, 20)),
        ("x\n18ce54d4x5t", (1, 1, 1, 4, 63)),
        ("crm\n", (1, 1, 3, 4, 82)),
    ],
)
def test_where_a_group_belongs_is_the_same_on_every_machine(group: str, indexes: tuple[int, ...]) -> None:
    """The jobs of a CI matrix ask no one: each finds its part by itself (SHA-256 of index, line feed and name)."""
    assert tuple(shard_index(group, count) for count in (1, 2, 3, 7, 100)) == indexes


def test_a_group_is_what_a_connection_has_of_an_account() -> None:
    assert group_name("linkedin", "urn:li:sponsoredAccount:1") == "linkedin\nurn:li:sponsoredAccount:1"
    one, other = linkedin("a", 1, 10), linkedin("b", 1, 20)
    assert groups(one, other) == dict.fromkeys((one.key, other.key), "linkedin\nurn:li:sponsoredAccount:1")
    salesforce = Desired(Key("SalesforceExperiment", "a"), "salesforce", "crm", {"name": "a"})
    assert groups(salesforce) == {salesforce.key: "crm\n"}, "an org has no accounts"


def test_a_connection_that_changes_ties_both_of_its_accounts() -> None:
    """Its old experiment and its new one are judged together, though they are read through two connections."""
    a = linkedin("a", 1, 10)
    was = record(replace(a, connection="other"))
    assert set(groups(a, linkedin("b", 1, 20), records=(was,)).values()) == {"linkedin\nurn:li:sponsoredAccount:1"}


def test_an_experiment_that_is_taken_over_is_with_the_record_that_has_it() -> None:
    taken, had = replace(linkedin("a", 1, 10), import_id="7"), linkedin("b", 2, 20)
    assert len(set(groups(taken, records=(record(had, remote_id="7"),)).values())) == 1
    assert len(set(groups(taken, records=(record(had, remote_id="8"),)).values())) == 2
    unborn = (record(linkedin("c", 3, 30), remote_id=""), record(linkedin("d", 4, 40), remote_id=""))
    assert len(set(groups(records=unborn).values())) == 2, "two creates on their way have no id in common"


def test_what_is_stated_to_be_cleared_claims_nothing() -> None:
    cleared = linkedin("a", 1, 10)
    cleared = replace(cleared, spec={**cleared.spec, "account": None})
    assert groups(cleared) == {cleared.key: "linkedin\n"}


# --- putting the parts together --------------------------------------------------------------------------------------

EVIDENCE = {"readings": {}}


def part(index: int, count: int, evidence: Any = EVIDENCE) -> Plan:
    return Plan(NOW, NOW, (), shard=Shard(index, count, evidence))


def test_the_parts_are_put_in_their_order() -> None:
    parts = {"c": part(3, 3), "a": part(1, 3), "b": part(2, 3)}
    found = together(parts)
    assert [(name, shard.index, shard.count) for name, shard in found] == [("a", 1, 3), ("b", 2, 3), ("c", 3, 3)]
    assert all(shard.evidence == EVIDENCE for _, shard in found)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"a": part(1, 2)}, "the plan of shard 2 of 2 is missing; make it by plan --shard I/2 --out FILE"),
        ({"b": part(2, 3)}, "the plan of shard 1, 3 of 3 is missing"),
        ({"a": part(1, 2), "b": part(1, 2)}, "a and b are both shard 1/2"),
        ({"a": part(1, 2), "b": part(2, 3)}, "b is shard 2/3, and a is one of 2"),
        ({"a": part(1, 1, {})}, "a is not what plan --shard"),
        ({"a": Plan(NOW, NOW, ())}, "a is not what plan --shard"),
        ({}, "is missing"),
    ],
)
def test_what_is_not_every_part_once_is_refused(parts: dict[str, Plan], says: str) -> None:
    """A plan put together without a part would end, or make again, what that part has read."""
    with pytest.raises(PlanUnreadable, match=says):
        together(parts)


def test_a_long_list_names_eight_and_counts_the_rest() -> None:
    assert listed(list("abc")) == "a, b, c"
    assert listed(list("abcdefgh")) == "a, b, c, d, e, f, g, h"
    assert listed(list("abcdefghijk")) == "a, b, c, d, e, f, g, h and 3 more"


def test_a_part_names_itself_and_counts_its_own() -> None:
    key = linkedin("a", 1, 10)
    made = Change(key.key, "linkedin", "linkedin", Action.FORGET, "1", target=key.spec)
    noted = replace(made, key=Key("LinkedInExperiment", "noted"), action=Action.NO_OP)
    whole = Plan(NOW, NOW, (made,), bookkeeping=(noted,), no_ops=7)
    index = shard_index("linkedin\nurn:li:sponsoredAccount:1", 4)
    for one in range(1, 5):
        found = part_of(whole, Shard(one, 4), kinds)
        assert (found.shard, found.no_ops) == (Shard(one, 4), 0)
        assert (found.changes, found.bookkeeping) == (((made,), (noted,)) if one == index else ((), ()))


def test_one_that_moves_ties_where_it_was_to_where_it_goes() -> None:
    a, b = linkedin("a", 1, 10), linkedin("b", 2, 20)
    assert len(set(groups(a, b).values())) == 2
    was = record(linkedin("a", 2, 11))
    assert len(set(groups(a, b, records=(was,)).values())) == 1


def test_two_records_of_one_experiment_stay_together() -> None:
    one, other = record(linkedin("a", 1, 10)), record(linkedin("b", 2, 20))
    assert len(set(groups(records=(one, other)).values())) == 1


@given(MANY, st.integers(1, 5), st.data())
def test_a_part_of_a_plan_holds_what_its_changes_wait_for(
    many: list[tuple[int, int]], count: int, data: st.DataObject
) -> None:
    changes: list[Change] = []
    for item in project(many):
        earlier = [change.key for change in changes]
        after = tuple(sorted(data.draw(st.sets(st.sampled_from(earlier), max_size=1)))) if earlier else ()
        made = Change(item.key, "linkedin", "linkedin", Action.FORGET, "1", target=item.spec, after=after)
        changes.append(made)
    plan = Plan(NOW, NOW, tuple(changes))
    parts = [part_of(plan, Shard(index, count), kinds) for index in range(1, count + 1)]
    assert Counter(change.key for part in parts for change in part.changes) == Counter(c.key for c in changes)
    for part in parts:
        keys = [change.key for change in part.changes]
        assert all(key in keys[: keys.index(change.key)] for change in part.changes for key in change.after)


@pytest.mark.parametrize("text", ["1/1", "7/7", "10000/10000"])
def test_a_shard_reads_as_it_is_written(text: str) -> None:
    assert str(Shard.parse(text)) == text
