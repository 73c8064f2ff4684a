"""Contract, section 7: applied without a call, ignored, released, nested keys, stored differently."""

from __future__ import annotations

from typing import Any

import pytest
from plan_builders import (
    LI,
    REPLACE,
    SF,
    X,
    bodies,
    cell,
    cohort,
    desired,
    group,
    live,
    managed,
    only,
    plan,
    quiet,
    record,
    spec_of,
    wire,
)

from reconciler.model.change import Action
from reconciler.model.resource import Lifecycle
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

# --- applied without a call ------------------------------------------------------------------------------------------

NAMED = [(LI, "name"), (X, "name"), (SF, "label")]


@pytest.mark.parametrize(("kind", "field"), NAMED)
def test_a_manifest_edited_to_what_live_is_is_recorded_without_a_call(kind: Kind, field: str) -> None:
    before, after = desired(kind, **{field: "old"}), desired(kind, **{field: "new"})
    made = managed(before, after, "", live(after))
    assert not made.changes and made.summary["no-op"] == 1
    (note,) = made.bookkeeping
    assert note.action is Action.NO_OP and not note.calls and note.target == after.spec


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_lifecycle_block_is_recorded_without_a_call(kind: Kind) -> None:
    before, after = desired(kind), desired(kind, "hero", "", REPLACE)
    (note,) = managed(before, after).bookkeeping
    assert note.lifecycle == REPLACE


def test_a_nested_key_newly_stated_as_live_has_it_is_recorded() -> None:
    before = desired(LI)
    after = desired(LI, cells=[cell("control", 1, description="memo"), cell("red", 2)])
    made = managed(before, after, "", live(after))
    assert not made.changes and [note.target for note in made.bookkeeping] == [after.spec]


def test_a_nested_key_no_longer_stated_and_not_live_is_recorded() -> None:
    before = desired(LI, cells=[cell("control", 1, description="memo"), cell("red", 2)])
    after = desired(LI)
    made = managed(before, after, "", live(after))
    assert not made.changes and [note.target for note in made.bookkeeping] == [after.spec]


# --- three ways ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_ever_stated_is_left_alone(kind: Kind) -> None:
    wanted = desired(kind)
    assert quiet(managed(wanted, wanted, "", live(desired(kind, description="by hand"))))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_stated_and_is_left_out_is_cleared(kind: Kind) -> None:
    change = only(managed(desired(kind, description="d"), desired(kind)))
    assert [(item.path, item.before, item.after) for item in change.fields] == [("description", "d", None)]


@pytest.mark.parametrize("kind", KINDS)
def test_null_clears_what_was_never_stated(kind: Kind) -> None:
    change = only(managed(desired(kind), desired(kind, description=None), "", live(desired(kind, description="d"))))
    assert [item.path for item in change.fields] == ["description"]


@pytest.mark.parametrize("kind", KINDS)
def test_null_and_absent_is_no_change(kind: Kind) -> None:
    wanted = desired(kind, description=None)
    assert quiet(managed(wanted, wanted))


def test_text_is_cleared_with_null() -> None:
    assert bodies(only(managed(desired(X, description="d"), desired(X)))) == [{"description": None}]
    assert bodies(only(managed(desired(SF, description="d"), desired(SF)))) == [{"description": None}]


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        pytest.param(LI, {"autoStop": "AUTO_STOP_DISABLED"}, id="linkedin-enum"),
        pytest.param(SF, {"chanceToWinThreshold": 95}, id="salesforce-number"),
        pytest.param(SF, {"state": "Created"}, id="salesforce-state"),
    ],
)
def test_what_cannot_be_cleared_is_released_with_a_warning(kind: Kind, stated: dict[str, Any]) -> None:
    before, after = desired(kind, **stated), desired(kind)
    made = managed(before, after)
    assert not made.changes
    assert [note.target for note in made.bookkeeping] == [after.spec]
    (warning,) = made.warnings
    assert next(iter(stated)) in warning.message and "left as it is" in warning.message
    assert quiet(managed(after, after, "", live(before)))


def test_drifted_says_who_moved() -> None:
    before, after = desired(LI, name="a", confidence=90), desired(LI, name="b", confidence=90)
    change = only(managed(before, after, "", live(desired(LI, name="a", confidence=95))))
    assert {item.path: item.drifted for item in change.fields} == {"name": False, "confidence": True}


# --- ignored ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "field"), NAMED)
def test_ignored_fields_are_not_planned(kind: Kind, field: str) -> None:
    ignoring = Lifecycle(ignore_changes=(field,))
    before, after = desired(kind, "hero", "", ignoring), desired(kind, "hero", "", ignoring, **{field: "new"})
    assert not managed(before, after).changes
    assert not managed(before, before, "", live(after)).changes


def test_ignored_and_no_longer_stated_is_not_cleared() -> None:
    ignoring = Lifecycle(ignore_changes=("description",))
    assert not managed(desired(LI, description="d"), desired(LI, "hero", "", ignoring)).changes


@pytest.mark.parametrize(("kind", "field"), NAMED)
def test_ignored_fields_are_stated_on_create(kind: Kind, field: str) -> None:
    change = only(plan([desired(kind, "hero", "", Lifecycle(ignore_changes=(field,)), **{field: "n"})]))
    assert change.calls[0].body[field] == "n"


def test_a_change_beside_an_ignored_one_leaves_it_out() -> None:
    ignoring = Lifecycle(ignore_changes=("description",))
    before = desired(SF, description="d")
    change = only(managed(before, desired(SF, "hero", "", ignoring, description="e", label="L")))
    assert bodies(change) == [{"label": "L"}] and "description" not in change.expected


# --- unmanaged inside lists ------------------------------------------------------------------------------------------


def test_linkedin_a_cell_description_never_stated_is_carried_along() -> None:
    before = desired(LI)
    shown = live(desired(LI, cells=[cell("control", 1, description="by hand"), cell("red", 2)]))
    after = desired(LI, cells=[cell("control", 1), cell("blue", 2)])
    change = only(managed(before, after, "", shown))
    cells = bodies(change)[0]["patch"]["$set"]["cells"]
    assert [item.get("description") for item in cells] == ["by hand", None]
    assert [item.path for item in change.fields] == ["cells[1].name"]


def test_linkedin_a_cell_description_stated_before_is_cleared() -> None:
    before = desired(LI, cells=[cell("control", 1, description="memo"), cell("red", 2)])
    change = only(managed(before, desired(LI)))
    assert [(item.path, item.after) for item in change.fields] == [("cells[0].description", None)]
    assert all("description" not in item for item in bodies(change)[0]["patch"]["$set"]["cells"])


def test_x_a_group_description_never_stated_is_carried_along_in_a_replacement() -> None:
    shown = live(
        desired(X, user_groups=[group("a", "50.00", "e1", "e2", description="hand"), group("b", "50.00", "e3", "e4")])
    )
    groups = [group("a", "30.00", "e1", "e2"), group("b", "30.00", "e3", "e4"), group("c", "40.00", "e5")]
    change = only(managed(desired(X), desired(X, user_groups=groups), "", shown))
    sent = bodies(change)[0]["user_groups"]
    assert sent[0] == {"name": "a", "description": "hand", "size": "30.00", "entity_ids": ["e1", "e2"]}
    assert not any("id" in item for item in sent)


def test_salesforce_a_cohort_key_never_stated_is_carried_along() -> None:
    shown = live(desired(SF, cohorts=[cohort("control", 5000, control=True, description="hand"), cohort("red", 5000)]))
    after = desired(SF, cohorts=[cohort("control", 6000, control=True), cohort("red", 4000)])
    change = only(managed(desired(SF), after, "", shown))
    assert [item.get("description") for item in bodies(change)[0]["cohorts"]] == ["hand", None]


# --- canonical forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [50, "50", "50.0", "50.00", 50.0])
def test_x_sizes_that_mean_the_same(size: Any) -> None:
    body = wire(X, spec_of(X), "SCHEDULED", "hr7l0")
    for item in body["user_groups"]:
        item["size"] = size
    shown = X.from_wire(body, account="18ce54d4x5t")
    assert quiet(managed(desired(X), desired(X), "", shown))


def test_offsets_mean_the_same() -> None:
    assert quiet(managed(desired(LI), desired(LI, scheduledStartAt="2026-12-07T09:00:00+01:00")))
    assert quiet(managed(desired(X), desired(X, start_time="2026-12-07T03:00:00-05:00")))


def test_list_orders_that_mean_nothing() -> None:
    assert not managed(desired(LI), desired(LI, cells=[cell("red", 2), cell("control", 1)])).changes
    swapped = [group("b", "50.00", "e4", "e3"), group("a", "50.00", "e2", "e1")]
    assert not managed(desired(X), desired(X, user_groups=swapped)).changes
    turned = [cohort("red", 5000), cohort("control", 5000, control=True)]
    assert not managed(desired(SF), desired(SF, cohorts=turned)).changes


def test_salesforce_control_weight_may_be_left_out() -> None:
    control = cohort("control", 0, control=True)
    del control["allocationWeight"]
    assert not managed(desired(SF), desired(SF, cohorts=[control, cohort("red", 5000)])).changes


def test_salesforce_criteria_as_text_or_mapping() -> None:
    before, after = desired(SF, criteria={"a": [1, 2]}), desired(SF, criteria='{"a": [1, 2]}')
    assert not managed(before, after).changes
    assert bodies(only(plan([after])))[0]["criteria"] == '{"a":[1,2]}'


# --- stored differently ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "field"), NAMED)
def test_stored_differently_is_quiet_until_either_side_moves(kind: Kind, field: str) -> None:
    wanted = desired(kind, **{field: " padded "})
    shown = live(desired(kind, **{field: "padded"}))
    rec = record(wanted, shown, stored={field: "padded"})
    assert quiet(plan([wanted], [rec], {wanted.key: shown}))
    moved_live = live(desired(kind, **{field: "by hand"}))
    change = only(plan([wanted], [rec], {wanted.key: moved_live}))
    assert [(item.path, item.drifted) for item in change.fields] == [(field, True)]
    moved_wish = desired(kind, **{field: "other"})
    change = only(plan([moved_wish], [rec], {wanted.key: shown}))
    assert [(item.path, item.drifted) for item in change.fields] == [(field, False)]


def test_stored_differently_in_a_list_and_a_nested_key_left_out() -> None:
    """The cells were stored differently; now the manifest drops a description that it stated: the manifest moved."""
    wanted = desired(LI, cells=[cell(" a ", 1, description="memo"), cell("red", 2)])
    shown = live(desired(LI, cells=[cell("a", 1, description="memo"), cell("red", 2)]))
    rec = record(wanted, shown, stored={"cells": shown.spec["cells"]})
    assert quiet(plan([wanted], [rec], {wanted.key: shown}))
    after = desired(LI, cells=[cell(" a ", 1), cell("red", 2)])
    assert only(plan([after], [rec], {wanted.key: shown})).action is Action.UPDATE
