"""Which action each situation gives, and its calls: contract, sections 5 and 7."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plan_builders import (
    ABANDON,
    IDS,
    LI,
    NOW,
    PROTECTED,
    REPLACE,
    SF,
    WINDOWS,
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
from reconciler.model.resource import Desired, Gone, Lifecycle, Record, Unknown
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


# --- gone, over, unknown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_managed_and_missing_is_created_with_a_warning(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([wanted], [record(wanted)], {wanted.key: GONE}))
    assert change.action is Action.CREATE
    assert any("removed outside" in warning for warning in change.warnings)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("wanted_too", [True, False])
def test_unknown_is_never_gone(kind: Kind, wanted_too: bool) -> None:
    wanted = desired(kind)
    made = plan([wanted] if wanted_too else [], [record(wanted)], {wanted.key: "403"}, allow=0)
    assert not made.changes and not made.complete
    assert str(wanted.key) in made.problems[0] and "403" in made.problems[0]
    assert made.summary["no-op"] == 0


def test_an_unread_record_makes_the_plan_incomplete() -> None:
    wanted = desired(LI)
    made = plan([wanted], [record(wanted)], {})
    assert not made.complete and not made.changes


ENDED = [
    pytest.param(LI, "ENDED", {"name": "n"}, id="linkedin"),
    pytest.param(X, "COMPLETED", {"name": "n"}, id="x"),
    pytest.param(SF, "Archived", {"label": "n"}, id="salesforce"),
]


@pytest.mark.parametrize(("kind", "status", "changed"), ENDED)
def test_ended_while_wanted_running_is_a_no_op_with_a_warning(kind: Kind, status: str, changed: dict[str, Any]) -> None:
    wanted = desired(kind, "hero", status)
    made = managed(wanted, wanted, status)
    assert quiet(made) and made.summary["no-op"] == 1
    (warning,) = made.warnings
    assert warning.key == str(wanted.key) and status in warning.message


@pytest.mark.parametrize(("kind", "status", "changed"), ENDED)
def test_a_change_to_what_ended_is_blocked_or_only_a_create(kind: Kind, status: str, changed: dict[str, Any]) -> None:
    before = desired(kind, "hero", status)
    change = only(managed(before, desired(kind, "hero", status, **changed), status))
    assert change.action is Action.BLOCKED
    assert any("onImmutableChange: replace" in reason for reason in change.reasons)
    later: dict[str, Any] = {
        "linkedin": dict(zip(("scheduledStartAt", "scheduledEndAt"), WINDOWS["PENDING"], strict=True)),
        "x-ads": dict(zip(("start_time", "end_time"), WINDOWS["PENDING"], strict=True)),
        "salesforce": {"name": "hero2"},
    }[kind.platform]
    change = only(managed(before, desired(kind, "hero", status, REPLACE, **changed, **later), status))
    assert change.action is Action.REPLACE, "no --allow-destroy needed: nothing live is ended"
    assert change.old_calls == 0 and [call.method for call in change.calls] == ["POST"]
    assert change.predecessors == (IDS[kind.platform],)
    assert any("refus" in warning for warning in change.warnings)


def test_ended_earlier_than_planned_is_not_fought() -> None:
    """Live differs, but the manifest asks for nothing new: never created anew by itself."""
    before = desired(LI, "hero", "ENDED", REPLACE, userIntendedState="ACTIVE")
    shown = live(before, "ENDED", "", userIntendedState="CANCELED")
    made = managed(before, before, "ENDED", shown, allow=0)
    assert quiet(made) and "userIntendedState" in made.warnings[0].message


# --- ending ----------------------------------------------------------------------------------------------------------

ENDINGS = [
    pytest.param(LI, "PENDING", [("DELETE", {}, None)], id="linkedin-pending"),
    *(
        pytest.param(
            LI, status, [("POST", {}, {"patch": {"$set": {"userIntendedState": "CANCELED"}}})], id=f"linkedin-{status}"
        )
        for status in ("RUNNING", "ON_HOLD", "STOPPED")
    ),
    pytest.param(LI, "ENDED", None, id="linkedin-ended"),
    pytest.param(X, "SCHEDULED", [("DELETE", {}, None)], id="x-scheduled"),
    pytest.param(X, "LIVE", [("DELETE", {}, None)], id="x-live"),
    pytest.param(X, "COMPLETED", None, id="x-completed"),
    pytest.param(SF, "Created", [("DELETE", {}, None)], id="salesforce-created"),
    pytest.param(
        SF, "Started", [("PATCH", {"action": "Stop"}, {}), ("PATCH", {"action": "Archive"}, {})], id="sf-started"
    ),
    pytest.param(SF, "Stopped", [("PATCH", {"action": "Archive"}, {})], id="salesforce-stopped"),
    pytest.param(SF, "Archived", None, id="salesforce-archived"),
]


@pytest.mark.parametrize(("kind", "status", "calls"), ENDINGS)
def test_ending(kind: Kind, status: str, calls: list[Any] | None) -> None:
    before = desired(kind, "hero", status)
    without = only(managed(before, None, status))
    if calls is None:
        assert without.action is Action.FORGET and not without.calls
        return
    assert without.action is Action.BLOCKED and without.intent is Action.DELETE and not without.calls
    assert any("--allow-destroy" in reason for reason in without.reasons)
    change = only(managed(before, None, status, allow=0))
    assert change.action is Action.DELETE and change.status == status and change.destroys
    assert [(call.method, dict(call.query), call.body) for call in change.calls] == calls


@pytest.mark.parametrize("kind", ALL)
def test_prevent_destroy_blocks_an_ending(kind: Kind) -> None:
    change = only(managed(desired(kind, "hero", "", PROTECTED), None, allow=9))
    assert change.action is Action.BLOCKED and any("preventDestroy" in reason for reason in change.reasons)


@pytest.mark.parametrize("kind", ALL)
def test_prevent_destroy_blocks_a_replace(kind: Kind) -> None:
    life = Lifecycle(on_immutable_change=REPLACE.on_immutable_change, prevent_destroy=True)
    changed: dict[str, Any] = {
        "linkedin": {"account": "urn:li:sponsoredAccount:6"},
        "x-ads": {"account_id": "other"},
        "salesforce": {"name": "hero2"},
    }[kind.platform]
    change = only(managed(desired(kind), desired(kind, "hero", "", life, **changed), allow=9))
    assert change.action is Action.BLOCKED and change.intent is Action.REPLACE and not change.calls
    assert any("preventDestroy" in reason for reason in change.reasons)


@pytest.mark.parametrize("kind", ALL)
def test_replace_needs_the_flag(kind: Kind) -> None:
    changed: dict[str, Any] = {
        "linkedin": {"account": "urn:li:sponsoredAccount:6"},
        "x-ads": {"account_id": "other"},
        "salesforce": {"name": "hero2"},
    }[kind.platform]
    after = desired(kind, "hero", "", REPLACE, **changed)
    change = only(managed(desired(kind), after))
    assert change.action is Action.BLOCKED and change.intent is Action.REPLACE
    assert any("--allow-destroy" in reason for reason in change.reasons)
    change = only(managed(desired(kind), after, allow=0))
    assert change.action is Action.REPLACE
    assert change.calls[0].method == "DELETE" and change.calls[1].method == "POST" and change.old_calls == 1


@pytest.mark.parametrize("kind", ALL)
def test_abandoned_is_forgotten_without_a_call(kind: Kind) -> None:
    change = only(managed(desired(kind, "hero", "", ABANDON), None))
    assert change.action is Action.FORGET and not change.calls


@pytest.mark.parametrize("kind", ALL)
def test_manifest_and_live_both_gone_is_forget(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([], [record(wanted)], {wanted.key: GONE}))
    assert change.action is Action.FORGET and not change.calls


# --- by manifest -----------------------------------------------------------------------------------------------------

BY_MANIFEST = [
    pytest.param(LI, "RUNNING", {"userIntendedState": "CANCELED"}, id="linkedin"),
    pytest.param(SF, "Started", {"state": "Stopped"}, id="salesforce-stop"),
    pytest.param(SF, "Started", {"state": "Archived"}, id="salesforce-archive"),
]


@pytest.mark.parametrize(("kind", "status", "changed"), BY_MANIFEST)
def test_ending_by_manifest_needs_no_flag(kind: Kind, status: str, changed: dict[str, Any]) -> None:
    before = desired(kind, "hero", status)
    change = only(managed(before, desired(kind, "hero", status, **changed), status))
    assert change.action is Action.UPDATE
    assert [item.severity.value for item in change.fields] == ["destructive"]


@pytest.mark.parametrize(("kind", "status", "changed"), BY_MANIFEST)
def test_ending_by_manifest_is_blocked_by_prevent_destroy(kind: Kind, status: str, changed: dict[str, Any]) -> None:
    before = desired(kind, "hero", status)
    change = only(managed(before, desired(kind, "hero", status, PROTECTED, **changed), status))
    assert change.action is Action.BLOCKED and not change.calls
    assert any("preventDestroy" in reason for reason in change.reasons)


@pytest.mark.parametrize(
    ("kind", "status", "changed"),
    [
        pytest.param(LI, "ENDED", {"userIntendedState": "CANCELED"}, id="linkedin"),
        pytest.param(SF, "Archived", {"state": "Archived"}, id="salesforce"),
        pytest.param(SF, "Archived", {"state": "Stopped"}, id="salesforce-stopped"),
    ],
)
def test_wanted_ended_and_ended_is_quiet(kind: Kind, status: str, changed: dict[str, Any]) -> None:
    before, after = desired(kind, "hero", status), desired(kind, "hero", status, **changed)
    made = managed(before, after, status)
    assert not made.changes and [item.target for item in made.bookkeeping] == [after.spec]
    assert not managed(after, after, status).warnings


# --- interrupted, just created ---------------------------------------------------------------------------------------


def young(wanted: Desired, **changed: Any) -> Record:
    return record(wanted, None, created_at=NOW - timedelta(seconds=30), **changed)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("wanted_too", [True, False])
def test_just_created_and_not_visible_is_a_no_op_with_a_warning(kind: Kind, wanted_too: bool) -> None:
    wanted = desired(kind)
    made = plan([wanted] if wanted_too else [], [young(wanted)], {wanted.key: GONE}, allow=0)
    assert quiet(made) and made.summary["no-op"] == 1
    assert "not visible yet" in made.warnings[0].message


@pytest.mark.parametrize("wanted_too", [True, False])
def test_an_id_that_no_list_knows_is_unknown_and_within_the_grace_not_visible_yet(wanted_too: bool) -> None:
    wanted = desired(X)
    unlisted = Unknown("no list knows it", unlisted=True)
    made = plan([wanted] if wanted_too else [], [young(wanted)], {wanted.key: unlisted}, allow=0)
    assert quiet(made) and "not visible yet" in made.warnings[0].message
    made = plan([wanted] if wanted_too else [], [record(wanted)], {wanted.key: unlisted}, allow=0)
    assert not made.changes and not made.complete


@pytest.mark.parametrize("kind", ALL)
def test_the_grace_ends(kind: Kind) -> None:
    wanted = desired(kind)
    old = record(wanted, None, created_at=NOW - timedelta(seconds=60))
    assert only(plan([wanted], [old], {wanted.key: GONE})).action is Action.CREATE


def intended(wanted: Desired, **changed: Any) -> Record:
    values: dict[str, Any] = {"applied": wanted.spec, "intent_at": NOW - timedelta(minutes=5)} | changed
    return Record(wanted.key, wanted.platform, wanted.connection, "", **values)


@pytest.mark.parametrize("kind", ALL)
def test_an_interrupted_create_is_found_and_adopted(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([wanted], [intended(wanted)], others=[(wanted.connection, live(wanted))]))
    assert change.action is Action.ADOPT and change.remote_id == IDS[kind.platform]
    assert "interrupted" in change.reasons[0]


@pytest.mark.parametrize("kind", ALL)
def test_an_interrupted_create_that_was_not_made_is_made(kind: Kind) -> None:
    wanted = desired(kind)
    assert only(plan([wanted], [intended(wanted)])).action is Action.CREATE


def test_an_interrupted_create_is_found_although_the_manifest_moved_on() -> None:
    before = desired(LI)
    after = desired(LI, cells=[cell("control", 1), cell("red", 9)])
    change = only(plan([after], [intended(before)], others=[("linkedin", live(before))]))
    assert change.action is Action.ADOPT and change.calls[0].purpose == "update"


@pytest.mark.parametrize("kind", ALL)
def test_an_interrupted_create_whose_manifest_is_gone_is_ended(kind: Kind) -> None:
    wanted = desired(kind)
    change = only(plan([], [intended(wanted)], others=[(wanted.connection, live(wanted))], allow=0))
    assert change.action is Action.DELETE and change.remote_id == IDS[kind.platform] and change.calls


@pytest.mark.parametrize("kind", ALL)
def test_an_interrupted_create_that_cannot_be_searched_for_is_kept(kind: Kind) -> None:
    wanted = desired(kind)
    made = plan([], [intended(wanted)], unsearched=[wanted.connection])
    assert not made.changes and not made.complete


@pytest.mark.parametrize("kind", ALL)
def test_a_rename_interrupted_half_way_never_ends_the_experiment(kind: Kind) -> None:
    """Both names are recorded for one experiment: the old record is dropped, the experiment goes on."""
    old, new = desired(kind, "old"), desired(kind, "new")
    seen = live(old)
    made = plan([new], [record(old, seen), record(new, seen)], {old.key: seen, new.key: seen}, allow=9)
    change = only(made)
    assert (change.key, change.action, change.calls) == (old.key, Action.FORGET, ())
    assert str(new.key) in change.reasons[0]


@pytest.mark.parametrize("kind", ALL)
def test_two_records_of_one_experiment_and_no_manifest_end_it(kind: Kind) -> None:
    old, new = desired(kind, "old"), desired(kind, "new")
    seen = live(old)
    made = plan([], [record(old, seen), record(new, seen)], {old.key: seen, new.key: seen}, allow=9)
    assert [change.action for change in made.changes] == [Action.DELETE, Action.DELETE]


# --- the connection moved --------------------------------------------------------------------------------------------


def test_another_connection_is_blocked() -> None:
    wanted = desired(LI)
    moved = Desired(wanted.key, wanted.platform, "second", wanted.spec)
    change = only(plan([moved], [record(wanted)], {wanted.key: live(wanted)}))
    assert change.action is Action.BLOCKED and "metadata.connection" in change.reasons[0]


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
