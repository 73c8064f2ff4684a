"""Create, update and adopt, with the fewest calls: contract, sections 5 and 7."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from plan_builders import (
    IDS,
    LI,
    NOW,
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
)

from reconciler.model.change import Action
from reconciler.model.resource import Desired, Gone
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

ALL = [pytest.param(kind, id=kind.platform) for kind in KINDS]
GONE = Gone("deleted: true")


# --- create ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_create(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([wanted]))
    assert change.action is Action.CREATE
    assert change.remote_id is None and change.status is None
    assert [call.method for call in change.calls] == ["POST"]
    assert change.fields and all(item.before is None and item.allowed for item in change.fields)
    assert change.target == wanted.spec


def test_create_lists_every_stated_leaf() -> None:
    change = only(plan([desired(X, name="n", description=None)]))
    assert [item.path for item in change.fields] == [
        "account_id",
        "entity_type",
        "start_time",
        "end_time",
        "user_groups[0].name",
        "user_groups[0].size",
        "user_groups[0].entity_ids",
        "user_groups[1].name",
        "user_groups[1].size",
        "user_groups[1].entity_ids",
        "name",
    ]


def test_an_explicit_null_is_left_out_of_a_create() -> None:
    for kind in KINDS:
        (call,) = only(plan([desired(kind, description=None)])).calls
        assert "description" not in call.body


def test_linkedin_create_states_active_by_default() -> None:
    (call,) = only(plan([desired(LI)])).calls
    assert (call.path, call.body["userIntendedState"]) == ("/rest/adExperiments", "ACTIVE")
    assert call.body["scheduledStartAt"] == 1796630400000


def test_salesforce_create_then_start() -> None:
    create, start = only(plan([desired(SF, state="Started")])).calls
    assert create.method == "POST" and "state" not in create.body
    assert (start.method, dict(start.query), start.body) == ("PATCH", {"action": "Start"}, {})


@pytest.mark.parametrize("state", ["Stopped", "Archived"])
def test_salesforce_is_not_created_over(state: str) -> None:
    change = only(plan([desired(SF, state=state)]))
    assert change.action is Action.BLOCKED and change.intent is Action.CREATE
    assert any("visitors" in reason for reason in change.reasons)


# --- update and minimal calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_nothing_to_change_is_no_change(kind: Kind) -> None:
    made = managed(desired(kind), desired(kind))
    assert quiet(made) and made.summary["no-op"] == 1 and made.valid_until is None


def test_linkedin_one_patch_for_all_fields_and_the_state() -> None:
    before = desired(LI, "hero", "RUNNING", userIntendedState="ACTIVE")
    after = desired(LI, "hero", "RUNNING", userIntendedState="PAUSED", name="new", confidence=95)
    change = only(managed(before, after, "RUNNING"))
    assert bodies(change) == [{"patch": {"$set": {"name": "new", "confidence": 95, "userIntendedState": "PAUSED"}}}]


def test_linkedin_cells_go_whole_in_the_order_last_read() -> None:
    before = desired(LI, cells=[cell("red", 2), cell("control", 1)])
    shown = live(before)
    after = desired(LI, cells=[cell("control (blue)", 1), cell("red", 2)])
    change = only(managed(before, after, "", shown))
    (body,) = bodies(change)
    assert [item["reference"]["campaign"][-1] for item in body["patch"]["$set"]["cells"]] == ["2", "1"]
    assert [item.path for item in change.fields] == ["cells[0].name"]


def test_linkedin_description_is_cleared() -> None:
    change = only(managed(desired(LI, description="d"), desired(LI)))
    assert bodies(change) == [{"patch": {"$delete": ["description"]}}]
    change = only(managed(desired(LI, description="d"), desired(LI, description=None)))
    assert bodies(change) == [{"patch": {"$delete": ["description"]}}]


def test_x_only_the_changed_group_with_its_id() -> None:
    before = desired(X)
    groups = [group("a", "50.00", "e1", "e2", description="new"), group("b", "50.00", "e3", "e4")]
    change = only(managed(before, desired(X, user_groups=groups)))
    assert bodies(change) == [{"user_groups": [{"id": "hr7l0g0", "description": "new"}]}]


def test_x_every_size_when_one_changes() -> None:
    groups = [group("a", "40.00", "e1", "e2"), group("b", "30.00", "e3", "e4"), group("c", "30.00", "e5")]
    resized = [group("a", "45.00", "e1", "e2"), group("b", "25.00", "e3", "e4"), group("c", "30.00", "e5")]
    change = only(managed(desired(X, user_groups=groups), desired(X, user_groups=resized)))
    assert bodies(change) == [
        {
            "user_groups": [
                {"id": "hr7l0g0", "size": "45.00"},
                {"id": "hr7l0g1", "size": "25.00"},
                {"id": "hr7l0g2", "size": "30.00"},
            ]
        }
    ]


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param(
            [group("a", "30.00", "e1", "e2"), group("b", "30.00", "e3", "e4"), group("c", "40.00", "e5")], id="added"
        ),
        pytest.param([group("a", "30.00", "e1", "e2"), group("c", "70.00", "e5")], id="exchanged"),
    ],
)
def test_x_groups_added_or_removed_send_the_whole_array_without_ids(groups: list[dict[str, Any]]) -> None:
    change = only(managed(desired(X), desired(X, user_groups=groups)))
    (body,) = bodies(change)
    if len(groups) == 3:
        assert body == {"user_groups": groups}
        assert [item.path for item in change.fields if item.before is None] == ["user_groups[2]"]
    else:  # the same number of groups: the one left over is tied by position, and refilled
        assert {item.get("id") for item in body["user_groups"]} == {"hr7l0g0", "hr7l0g1"}


def test_x_group_removed() -> None:
    three = [group("a", "30.00", "e1"), group("b", "30.00", "e2"), group("c", "40.00", "e3")]
    two = [group("a", "50.00", "e1"), group("c", "50.00", "e3")]
    change = only(managed(desired(X, user_groups=three), desired(X, user_groups=two)))
    assert bodies(change) == [{"user_groups": two}]
    assert [item.path for item in change.fields if item.after is None] == ["user_groups[1]"]


def test_salesforce_one_patch_with_the_changed_keys_and_lists_whole() -> None:
    cohorts = [cohort("control", 6000, control=True), cohort("red", 4000)]
    change = only(managed(desired(SF), desired(SF, label="New", cohorts=cohorts, state="Started")))
    fields, start = change.calls
    assert fields.method == "PATCH" and not fields.query and fields.body == {"label": "New", "cohorts": cohorts}
    assert dict(start.query) == {"action": "Start"} and start.body == {}


def test_x_scalars_alone() -> None:
    change = only(managed(desired(X, name="a", description="d"), desired(X, name="b")))
    assert bodies(change) == [{"name": "b", "description": None}]


# --- adopt -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_adopt_records_without_a_call(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([wanted], others=[(wanted.connection, live(wanted))]))
    assert change.action is Action.ADOPT and not change.calls and not change.fields
    assert change.remote_id == IDS[kind.platform] and change.target == wanted.spec


@pytest.mark.parametrize(("kind", "changed"), [(LI, {"name": "n"}), (X, {"name": "n"}), (SF, {"label": "n"})])
def test_adopt_then_update(kind: Kind, changed: dict[str, Any]) -> None:
    before, wanted = desired(kind), desired(kind, **changed)
    change = only(plan([wanted], others=[(wanted.connection, live(before))]))
    assert change.action is Action.ADOPT and len(change.calls) == 1 and len(change.fields) == 1


def test_what_another_key_is_recorded_for_is_not_adopted() -> None:
    first, second = desired(LI, "first"), desired(LI, "second")
    shown = live(first)
    made = plan([first, second], [record(first)], {first.key: shown}, others=[("linkedin", shown)])
    assert only(made).action is Action.BLOCKED, "its campaigns are held by the first"
    assert only(made).intent is Action.CREATE


def test_several_candidates_are_blocked_with_their_ids() -> None:
    wanted = desired(LI)
    others = [("linkedin", live(wanted, "PENDING", "7")), ("linkedin", live(wanted, "PENDING", "8"))]
    change = only(plan([wanted], others=others))
    assert change.action is Action.BLOCKED and change.intent is Action.ADOPT and not change.calls
    assert "7" in change.reasons[0] and "8" in change.reasons[0]


def test_what_is_over_is_not_adopted() -> None:
    wanted = desired(LI)
    change = only(plan([wanted], others=[("linkedin", live(desired(LI, "x", "ENDED"), "ENDED"))]))
    assert change.action is Action.CREATE


def test_adopting_never_replaces() -> None:
    before = desired(LI, "hero", "RUNNING")
    wanted = desired(LI, "hero", "RUNNING", REPLACE, keyMetric="CPM")
    change = only(plan([wanted], others=[("linkedin", live(before, "RUNNING"))], allow=0))
    assert change.action is Action.BLOCKED and not change.calls


def test_adoption_is_judged_at_the_given_moment() -> None:
    """`--as-of` after the start: what is PENDING now will be RUNNING then, and its metric fixed."""
    before, wanted = desired(LI), desired(LI, keyMetric="CPM")
    change = only(plan([wanted], others=[("linkedin", live(before))], as_of=NOW + timedelta(days=20)))
    assert change.action is Action.BLOCKED and change.status == "RUNNING"


def test_nothing_is_adopted_or_created_where_it_could_not_be_searched() -> None:
    made = plan([desired(LI)], unsearched=["linkedin"])
    assert not made.changes and not made.complete and "LinkedInExperiment/hero" in made.problems[0]


# --- the connection moved --------------------------------------------------------------------------------------------


def test_another_connection_is_blocked() -> None:
    wanted = desired(LI)
    moved = Desired(wanted.key, wanted.platform, "second", wanted.spec)
    change = only(plan([moved], [record(wanted)], {wanted.key: live(wanted)}))
    assert change.action is Action.BLOCKED and "metadata.connection" in change.reasons[0]
    assert (change.intent, change.calls) == (Action.REPLACE, ())
    assert (change.connection, change.remote_id, change.status) == ("second", "40001", "PENDING"), "as last seen"


# --- taken over by id ------------------------------------------------------------------------------------------------


def test_an_id_that_is_not_there_or_managed_already_is_not_adopted() -> None:
    wanted = replace(desired(X), import_id="zz1")
    change = only(plan([wanted], seen={wanted.key: Gone("deleted: true")}))
    assert (change.action, change.intent, change.calls) == (Action.BLOCKED, Action.ADOPT, ())
    assert "metadata.importId zz1 is not there (deleted: true)" in change.reasons[0]
    other = desired(X, "other")
    held = record(other, None, remote_id="zz1")
    found = plan([wanted, other], [held], {other.key: live(other, "SCHEDULED", "zz1")})
    (change,) = [item for item in found.changes if item.key == wanted.key]
    assert (change.action, change.intent, change.calls) == (Action.BLOCKED, Action.ADOPT, ())
    assert "managed already, as XAdsABTest/other" in change.reasons[0]


# --- owned elsewhere -------------------------------------------------------------------------------------------------


def test_is_remote_cannot_be_written() -> None:
    before = desired(SF)
    shown = live(before, "Created", "", isRemote=True)
    change = only(managed(before, desired(SF, label="n"), "", shown))
    assert change.action is Action.BLOCKED and "isRemote" in change.reasons[0]
    assert only(managed(before, None, "", shown, allow=0)).action is Action.BLOCKED
    assert quiet(managed(before, before, "", shown))


def test_create_error_is_blocked_with_the_platforms_words() -> None:
    before = desired(SF)
    shown = live(before, "Created", "", status="CreateError", statusMessage="bad schema")
    change = only(managed(before, before, "", shown))
    assert change.action is Action.BLOCKED and not change.calls
    assert any("bad schema" in reason for reason in change.reasons)
