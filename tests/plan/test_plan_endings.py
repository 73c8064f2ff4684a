"""Gone, over, ended, by manifest, interrupted, just created: contract, sections 5 and 7."""

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
    cell,
    desired,
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
