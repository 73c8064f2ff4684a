"""Renamed manifests: the record follows, nothing is made twice or ended, and a rename nobody stated is asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_builders import (
    ABANDON,
    CONNECTION,
    IDS,
    LI,
    NOW,
    SF,
    X,
    desired,
    live,
    only,
    plan_inputs,
    quiet,
    record,
    spec_of,
)

from reconciler.errors import PlanProblem
from reconciler.model.change import Action, Plan
from reconciler.model.resource import Desired, Gone, Key, Record
from reconciler.plan.planner import make_plan
from reconciler.plan.renames import moved_records

OLD = desired(X, "old")
SEEN = live(OLD)


def renamed(name: str = "new", moved_from: str = "old", **changes: Any) -> Desired:
    return replace(desired(X, name, **changes), moved_from=moved_from)


def planned(*wanted: Desired, records: tuple[Record, ...] = (record(OLD),), **options: Any) -> Plan:
    moved = moved_records({item.key: item for item in wanted}, {item.key: item for item in records})
    inputs = plan_inputs(wanted, (), {key: SEEN for key, item in moved.items() if item.remote_id}, **options)
    return make_plan(replace(inputs, records=moved))


# --- stated ----------------------------------------------------------------------------------------------------------


def test_a_record_follows_its_manifest_and_nothing_is_sent() -> None:
    made = planned(renamed(), allow=0)
    assert not made.changes
    (move,) = made.bookkeeping
    assert (move.key.name, move.moved_from, move.action, move.calls) == ("new", "XAdsABTest/old", Action.NO_OP, ())
    assert (move.remote_id, move.platform, move.connection) == (IDS["x-ads"], "x-ads", CONNECTION["x-ads"])
    assert move.status == "SCHEDULED" and made.no_ops == 1


def test_a_record_follows_its_manifest_also_when_the_experiment_is_over() -> None:
    """Without that, the next manifest without `movedFrom` would create the experiment anew."""
    over = desired(X, "old", "COMPLETED")
    seen = live(over, "COMPLETED")
    wanted = replace(desired(X, "new", "COMPLETED"), moved_from="old", lifecycle=ABANDON)
    was = record(over, seen, lifecycle=ABANDON)
    inputs = replace(plan_inputs([wanted], (), {wanted.key: seen}), records={wanted.key: was})
    made = make_plan(inputs)
    assert not made.changes
    (move,) = made.bookkeeping
    assert (move.key, move.moved_from, move.action) == (wanted.key, "XAdsABTest/old", Action.NO_OP)
    assert (move.platform, move.connection, move.lifecycle) == ("x-ads", "x", ABANDON)
    assert (move.remote_id, move.status) == (IDS["x-ads"], "COMPLETED")


@pytest.mark.parametrize("status", ["SCHEDULED", ""])
def test_a_record_follows_its_manifest_while_the_experiment_is_not_visible_yet(status: str) -> None:
    was = record(OLD, SEEN, status=status, created_at=NOW)
    wanted = renamed()
    inputs = replace(plan_inputs([wanted], (), {wanted.key: Gone("404")}), records={wanted.key: was})
    (move,) = make_plan(inputs).bookkeeping
    assert (move.moved_from, move.remote_id, move.status) == ("XAdsABTest/old", IDS["x-ads"], status or None)


def test_a_rename_with_a_change_is_one_update_that_says_where_it_comes_from() -> None:
    change = only(planned(renamed(description="more")))
    assert (change.action, change.moved_from) == (Action.UPDATE, "XAdsABTest/old")
    assert "it was XAdsABTest/old before (metadata.movedFrom)" in change.reasons


def test_what_is_not_a_target_keeps_its_old_key_for_now() -> None:
    other = desired(X, "other", user_groups=spec_of(X)["user_groups"][:1])
    made = planned(renamed(description="more"), other, targets=[other.key])
    assert [change.key for change in (*made.changes, *made.bookkeeping)] == [other.key]


@pytest.mark.parametrize("moved_from", ["", "new", "never-there"])
def test_a_rename_that_names_nothing_means_nothing(moved_from: str) -> None:
    records = {OLD.key: record(OLD)}
    wanted = renamed(moved_from=moved_from)
    assert moved_records({wanted.key: wanted}, records) == records


def test_a_rename_that_has_been_applied_means_nothing_even_where_the_old_name_is_in_use_again() -> None:
    wanted = renamed()
    records = {OLD.key: record(OLD), wanted.key: record(wanted)}
    assert moved_records({wanted.key: wanted, OLD.key: OLD}, records) == records


def test_other_renames_go_on_after_one_that_means_nothing() -> None:
    first, second = renamed("a", "never-there"), renamed("b", "old")
    moved = moved_records({first.key: first, second.key: second}, {OLD.key: record(OLD)})
    assert set(moved) == {second.key} and moved[second.key].key == OLD.key


def test_the_name_of_another_kind_is_another_name() -> None:
    wanted = replace(desired(SF, "new"), moved_from="old")
    assert set(moved_records({wanted.key: wanted}, {OLD.key: record(OLD)})) == {OLD.key}


def test_a_rename_from_a_manifest_that_is_still_there_is_refused() -> None:
    with pytest.raises(PlanProblem, match=r"XAdsABTest/new: metadata.movedFrom names XAdsABTest/old, whose manifest"):
        planned(renamed(), OLD)


def test_two_that_claim_one_old_name_are_refused() -> None:
    with pytest.raises(PlanProblem, match=r"XAdsABTest/two and XAdsABTest/one both say metadata.movedFrom: old"):
        planned(renamed("one"), renamed("two"))


# --- not stated -----------------------------------------------------------------------------------------------------


def hinted(new: Desired, was: Record | None = None, **options: Any) -> dict[Key, tuple[str, ...]]:
    was = was or record(OLD)
    inputs = plan_inputs([new], [was], {was.key: SEEN}, allow=0, **options)
    return {change.key: change.warnings for change in make_plan(inputs).changes}


def test_a_manifest_that_looks_like_one_that_is_gone_is_asked_about_on_both_sides() -> None:
    warnings = hinted(desired(X, "new"))
    assert set(warnings) == {OLD.key, Key(X.name, "new")}
    for told in warnings.values():
        assert sum("it looks like XAdsABTest/old under a new name" in item for item in told) == 1
        assert any("reconciler state mv XAdsABTest/old XAdsABTest/new" in item for item in told)


def test_what_was_removed_without_ending_it_is_told_on_the_new_side_alone() -> None:
    warnings = hinted(desired(X, "new"), record(OLD, lifecycle=ABANDON))
    assert not any("under a new name" in item for item in warnings[OLD.key])
    assert any("under a new name" in item for item in warnings[Key(X.name, "new")])


def test_a_key_without_a_value_does_not_make_another_experiment_of_it() -> None:
    warnings = hinted(desired(X, "new", description=None))
    assert any("under a new name" in item for item in warnings[OLD.key])


@pytest.mark.parametrize(
    ("new", "was"),
    [
        (desired(X, "new", end_time="2027-01-12T08:00:00Z"), None),
        (replace(desired(X, "new"), connection="elsewhere"), None),
        (desired(X, "new"), record(OLD, applied={})),
        (desired(LI, "new"), None),
    ],
    ids=["another-window", "another-connection", "nothing-recorded", "another-kind"],
)
def test_another_experiment_is_not_asked_about(new: Desired, was: Record | None) -> None:
    assert not any("under a new name" in item for told in hinted(new, was).values() for item in told)


def test_one_that_is_recorded_is_not_asked_about() -> None:
    new = desired(X, "new")
    inputs = plan_inputs([new], [record(OLD), record(new)], {OLD.key: SEEN, new.key: live(new)}, allow=0)
    assert not any("under a new name" in item for change in make_plan(inputs).changes for item in change.warnings)


def test_nothing_changes_where_nothing_is_renamed() -> None:
    assert quiet(make_plan(plan_inputs([OLD], [record(OLD)], {OLD.key: SEEN})))
