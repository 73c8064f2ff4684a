"""Contract, section 7: applied without a call, released, stored differently, groups, nested keys, lifecycle."""

from __future__ import annotations

from dataclasses import replace
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


# --- X groups --------------------------------------------------------------------------------------------------------


def test_x_groups_are_tied_by_recorded_ids() -> None:
    """Both groups were renamed and swapped by hand; the recorded ids still tell which is which."""
    before = desired(X)
    body = wire(X, before.spec, "SCHEDULED", "hr7l0")
    body["user_groups"][0]["name"], body["user_groups"][1]["name"] = "b", "a"
    body["user_groups"].reverse()
    shown = X.from_wire(body, account="18ce54d4x5t")
    change = only(managed(before, before, "", shown))
    assert {item.path for item in change.fields} == {"user_groups[0].name", "user_groups[1].name"}
    assert {item["id"]: item["name"] for item in bodies(change)[0]["user_groups"]} == {"hr7l0g0": "a", "hr7l0g1": "b"}


def test_x_groups_without_a_record_are_tied_by_unique_name() -> None:
    wanted = desired(X, user_groups=[group("b", "60.00", "e3", "e4"), group("a", "40.00", "e1", "e2")])
    change = only(plan([wanted], others=[("x", live(desired(X)))]))
    assert {item["id"]: item["size"] for item in bodies(change)[0]["user_groups"]} == {
        "hr7l0g0": "40.00",
        "hr7l0g1": "60.00",
    }


def test_x_groups_without_names_are_tied_by_the_largest_overlap() -> None:
    before = desired(X, user_groups=[group(None, "50.00", "e1", "e2", "e5"), group(None, "50.00", "e3", "e4")])
    after = desired(X, user_groups=[group(None, "50.00", "e3", "e4", "e5"), group(None, "50.00", "e1", "e2")])
    change = only(managed(before, after))
    sent = {item["id"]: set(item["entity_ids"]) for item in bodies(change)[0]["user_groups"]}
    assert sent == {"hr7l0g0": {"e1", "e2"}, "hr7l0g1": {"e3", "e4", "e5"}}
    assert {item.path for item in change.fields} == {"user_groups[0].entity_ids", "user_groups[1].entity_ids"}


def test_x_entity_ids_is_one_path() -> None:
    after = desired(X, user_groups=[group("a", "50.00", "e1", "e9"), group("b", "50.00", "e3", "e4")])
    (item,) = only(managed(desired(X), after)).fields
    assert (item.path, item.before, item.after) == ("user_groups[0].entity_ids", ["e1", "e2"], ["e1", "e9"])


def test_x_a_moved_entity_names_both_groups() -> None:
    after = desired(X, user_groups=[group("a", "50.00", "e1"), group("b", "50.00", "e2", "e3", "e4")])
    change = only(managed(desired(X), after))
    assert len(bodies(change)[0]["user_groups"]) == 2


# --- paths -----------------------------------------------------------------------------------------------------------


def test_paths_go_by_position_in_the_manifest_and_in_live_where_only_live_has_them() -> None:
    before = desired(SF, cohorts=[cohort("control", 4000, control=True), cohort("gone", 3000), cohort("red", 3000)])
    after = desired(SF, cohorts=[cohort("red", 3000, label="R"), cohort("control", 7000, control=True)])
    change = only(managed(before, after))
    assert [item.path for item in change.fields] == [
        "cohorts[0].label",
        "cohorts[1].allocationWeight",
        "cohorts[1]",
    ]
    assert change.fields[2].after is None and change.fields[2].before["name"] == "gone"


# --- Salesforce lifecycle --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["Created", "Started", "Stopped"])
def test_a_state_not_stated_is_never_touched(state: str) -> None:
    wanted = desired(SF)
    made = managed(wanted, wanted, "Created", live(wanted, state))
    assert not made.changes and not made.bookkeeping


def test_stopped_by_hand_while_started_is_wanted() -> None:
    wanted = desired(SF, state="Started")
    made = managed(wanted, wanted, "Started", live(wanted, "Stopped"))
    assert quiet(made)
    assert "cannot be started again" in made.warnings[0].message
    change = only(managed(wanted, desired(SF, state="Started", label="L"), "Started", live(wanted, "Stopped")))
    assert change.action is Action.UPDATE and bodies(change) == [{"label": "L"}]
    assert any("cannot be started again" in text for text in change.warnings)


def test_started_by_hand_while_created_is_wanted_is_said() -> None:
    wanted = desired(SF, state="Created")
    made = managed(wanted, wanted, "Created", live(wanted, "Started"))
    assert not made.changes and "state" in made.warnings[0].message


def test_a_replace_that_keeps_the_api_name_is_blocked() -> None:
    before = desired(SF)
    change = only(managed(before, desired(SF, "hero", "", REPLACE, source="Agentforce"), "Started", allow=0))
    assert change.action is Action.BLOCKED and change.intent is Action.REPLACE
    assert any("API name" in text for text in change.reasons)


def test_a_replace_with_a_new_name_stops_and_archives_first() -> None:
    before = desired(SF, state="Started")
    after = desired(SF, "hero", "", REPLACE, state="Started", source="Agentforce", name="hero2")
    change = only(managed(before, after, "Started", allow=0))
    assert change.action is Action.REPLACE and change.old_calls == 2
    assert [(call.method, call.query.get("action")) for call in change.calls] == [
        ("PATCH", "Stop"),
        ("PATCH", "Archive"),
        ("POST", None),
        ("PATCH", "Start"),
    ]
    assert change.calls[3].path.endswith("/hero2")


def test_manual_mode_out_of_range_is_a_warning() -> None:
    before = desired(SF, winnerSelectionMode="Manual")
    after = desired(SF, winnerSelectionMode="Manual", minimumRequiredParticipants=10)
    change = only(managed(before, after))
    assert change.action is Action.UPDATE and any("minimumRequiredParticipants" in text for text in change.warnings)


# --- targets, summary ------------------------------------------------------------------------------------------------


def test_targets_leave_out_the_rest() -> None:
    a, b = desired(LI, "a"), desired(LI, "b", cells=[cell("x", 7), cell("y", 8)])
    made = plan([a, b], targets=[a.key])
    assert [change.key.name for change in made.changes] == ["a"] and made.summary["no-op"] == 0


def test_summary_counts_every_managed_experiment_once() -> None:
    a, b = desired(LI, "a"), desired(LI, "b", cells=[cell("x", 7), cell("y", 8)])
    found = live(b, "PENDING", "9")
    made = plan([a, b], [record(b, found)], {b.key: found})
    assert sum(made.summary.values()) == 2
    assert made.summary == {
        "create": 1,
        "update": 0,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "forget": 0,
        "no-op": 1,
        "blocked": 0,
    }


def test_blocked_reasons_name_field_rule_and_status() -> None:
    before = desired(X, "hero", "LIVE")
    change = only(managed(before, desired(X, "hero", "LIVE", name="n"), "LIVE"))
    text = " ".join(change.reasons)
    assert "name" in text and "LIVE" in text and "SCHEDULED" in text


def test_status_words_per_platform() -> None:
    for kind, status in ((LI, "RUNNING"), (X, "LIVE"), (SF, "Started")):
        before = desired(kind, "hero", status)
        change = only(managed(before, None, status, allow=0))
        assert change.status == status
    moved = replace(live(desired(SF)), busy=True)
    change = only(managed(desired(SF), desired(SF, label="L"), "", moved))
    assert change.status == "Created", "Salesforce's own status is no status of ours"
