"""Carrying out a plan: each action, staleness, repetition, what the platform stored differently."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from apply_helpers import ALL, FIELD, applied, changed, fake, one, stored
from fake_platform import World
from plan_builders import ABANDON, LI, REPLACE, SF, X, cell, desired

from reconciler.model.change import Action
from reconciler.model.outcome import Result
from reconciler.model.resource import Desired, Key
from reconciler.plan.saved import dumps, loads
from reconciler.platforms.base import Kind

# --- happy paths -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_create_is_recorded_with_its_id_and_intent_first(kind: Kind) -> None:
    world = applied(desired(kind))
    (record,) = world.records.values()
    assert record.remote_id in fake(world, kind).items
    assert record.applied == desired(kind).spec and record.created_at is not None
    assert record.intent_at is None and not record.inflight and record.predecessors == ()
    assert world.events == ["hero: create intended", "hero: created", "hero: applied"]
    assert world.plan(desired(kind)).summary["no-op"] == 1


def test_server_made_ids_are_recorded() -> None:
    (record,) = applied(desired(X)).records.values()
    assert record.children == {"user_groups": ("g1", "g2")}


@pytest.mark.parametrize("kind", ALL)
def test_update(kind: Kind) -> None:
    world = applied(desired(kind))
    outcome = one(world.apply(changed(kind)))
    assert (outcome.result, outcome.calls_sent) == (Result.DONE, 1)
    assert stored(world, kind)[FIELD[kind.platform]] == "new"
    assert not world.plan(changed(kind)).changes


@pytest.mark.parametrize("kind", ALL)
def test_delete(kind: Kind) -> None:
    world = applied(desired(kind))
    assert one(world.apply()).result is Result.DONE
    assert world.live() == [] and world.records == {}


@pytest.mark.parametrize("kind", ALL)
def test_forget_sends_nothing(kind: Kind) -> None:
    world = applied(desired(kind, "hero", "", ABANDON))
    before = len(world.sent())
    outcome = one(world.apply())
    assert outcome.action is Action.FORGET and outcome.result is Result.DONE
    assert len(world.sent()) == before and world.records == {} and len(world.live()) == 1


@pytest.mark.parametrize("kind", ALL)
def test_adopt_records_without_a_call_and_adopt_then_update(kind: Kind) -> None:
    world = applied(desired(kind))
    world.records.clear()
    before = len(world.sent())
    assert one(world.apply(desired(kind))).action is Action.ADOPT
    assert len(world.sent()) == before and len(world.records) == 1
    world.records.clear()
    outcome = one(world.apply(changed(kind)))
    assert outcome.action is Action.ADOPT and outcome.calls_sent == 1
    assert not world.plan(changed(kind)).changes


def test_bookkeeping_is_recorded_without_a_call() -> None:
    world = applied(desired(LI))
    stored_body = next(iter(world.fakes["linkedin"].items.values()))
    stored_body["name"] = "new"
    before = len(world.sent())
    result = world.apply(changed(LI))
    assert result.outcomes == () and len(world.sent()) == before
    assert next(iter(world.records.values())).applied["name"] == "new"


def test_replace_ends_first_and_records_the_predecessor() -> None:
    world = applied(desired(LI))
    outcome = one(world.apply(desired(LI, "hero", "", REPLACE, account="6")))
    assert outcome.result is Result.DONE and outcome.calls_sent == 2
    assert [call.purpose.value for call in world.sent()] == ["create", "delete", "create"]
    (record,) = world.records.values()
    assert record.predecessors == ("4001",) and record.remote_id == "4002"


def test_salesforce_archives_in_two_calls() -> None:
    world = applied(desired(SF, state="Started"))
    one(world.apply(desired(SF, state="Archived")))
    assert [dict(call.query) for call in world.sent()[-2:]] == [{"action": "Stop"}, {"action": "Archive"}]
    assert stored(world, SF)["state"] == "Archived"


def test_a_dependent_goes_after_what_frees_its_campaign() -> None:
    world = applied(desired(LI, "z-old"))
    result = world.apply(desired(LI, "a-new", cells=[cell("control", 2), cell("blue", 3)]))
    assert [(item.key.name, item.result) for item in result.outcomes] == [
        ("z-old", Result.DONE),
        ("a-new", Result.DONE),
    ]


def test_blocked_is_never_sent() -> None:
    world = applied(desired(LI))
    outcome = one(world.apply(desired(LI, account="6")))
    assert outcome.result is Result.BLOCKED and len(world.sent()) == 1


# --- staleness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_a_managed_field_that_moved_is_stale_and_the_others_go_on(kind: Kind) -> None:
    other = X if kind is not X else LI
    world = applied(desired(kind), desired(other))
    made = world.plan(changed(kind), changed(other))
    body = next(iter(fake(world, kind).items.values()))
    body["name" if kind is not SF else "label"] = "by hand"
    result = world.execute(made)
    assert {item.key.kind: item.result for item in result.outcomes} == {
        kind.name: Result.STALE,
        other.name: Result.DONE,
    }
    stale = next(item for item in result.outcomes if item.result is Result.STALE)
    assert FIELD[kind.platform] in stale.message and stale.calls_sent == 0


def test_an_unmanaged_field_that_moved_is_not_stale() -> None:
    world = applied(desired(LI))
    made = world.plan(changed(LI))
    next(iter(world.fakes["linkedin"].items.values()))["description"] = "by hand"
    assert one(world.execute(made)).result is Result.DONE
    assert stored(world, LI)["description"] == "by hand"


def test_a_cell_description_added_since_is_stale_where_cells_are_sent_whole() -> None:
    """The planned body was made without it: sending it would wipe what somebody just wrote."""
    world = applied(desired(LI))
    made = world.plan(desired(LI, cells=[cell("renamed", 1), cell("red", 2)]))
    next(iter(world.fakes["linkedin"].items.values()))["cells"][0]["description"] = "by hand"
    assert one(world.execute(made)).result is Result.STALE
    assert stored(world, LI)["cells"][0]["description"] == "by hand"


def test_a_status_that_moved_is_stale() -> None:
    world = applied(desired(SF))
    made = world.plan(changed(SF))
    next(iter(world.fakes["crm"].items.values()))["state"] = "Started"
    outcome = one(world.execute(made))
    assert outcome.result is Result.STALE and "state was Created" in outcome.message


def test_the_moment_until_which_the_plan_holds() -> None:
    world = applied(desired(LI))
    made = world.plan(desired(LI, keyMetric="CPM"))
    assert made.valid_until is not None
    world.time = made.valid_until
    outcome = one(world.execute(made))
    assert outcome.result is Result.STALE and outcome.calls_sent == 0 and "held until" in outcome.message
    world.time = made.valid_until - timedelta(seconds=30)
    assert one(world.execute(made)).result is Result.DONE


def test_a_status_that_lags_behind_the_clock_is_not_stale() -> None:
    """LinkedIn still says PENDING although the start has passed: plan and apply both take what it reports."""
    world = applied(desired(LI, scheduledStartAt="2026-11-25T13:00:00Z", scheduledEndAt="2026-12-20T13:00:00Z"))
    world.fakes["linkedin"].refresh = lambda body: None  # type: ignore[method-assign]
    world.time = world.time.replace(hour=14)
    wanted = changed(LI, scheduledStartAt="2026-11-25T13:00:00Z", scheduledEndAt="2026-12-20T13:00:00Z")
    made = world.plan(wanted)
    assert made.changes[0].status == "PENDING"
    assert one(world.execute(made)).result is Result.DONE


def test_a_record_that_names_another_experiment_now() -> None:
    world = applied(desired(LI))
    update, removal = world.plan(changed(LI)), world.plan()
    key = Key("LinkedInExperiment", "hero")
    world.records[key] = replace(world.records[key], remote_id="77")
    assert one(world.execute(update)).result is Result.STALE
    assert one(world.execute(removal)).result is Result.STALE
    assert world.records[key].remote_id == "77" and len(world.sent()) == 1


def test_a_record_that_is_gone() -> None:
    world = applied(desired(LI))
    made = world.plan(changed(LI))
    world.records.clear()
    assert one(world.execute(made)).result is Result.STALE


def test_an_old_plan_does_not_forget_a_new_experiment() -> None:
    ended = {"start_time": "2026-11-25T13:00:00Z", "end_time": "2026-11-27T13:00:00Z"}
    world = applied(desired(X, **ended))
    world.time = world.time.replace(day=28)
    forget = world.plan()
    assert forget.changes[0].action is Action.FORGET
    later = {"start_time": "2026-12-01T08:00:00Z", "end_time": "2026-12-20T08:00:00Z"}
    assert one(world.apply(desired(X, "hero", "", REPLACE, **later))).result is Result.DONE
    assert one(world.execute(forget)).result is Result.STALE
    assert world.orphans() == []


def test_gone_since_the_plan_is_stale_for_an_update() -> None:
    world = applied(desired(LI))
    world.time += timedelta(minutes=5)
    made = world.plan(changed(LI))
    world.fakes["linkedin"].items.clear()
    assert one(world.execute(made)).result is Result.STALE


# --- twice -----------------------------------------------------------------------------------------------------------

TWICE = [
    pytest.param((), (desired(LI),), id="create"),
    pytest.param((), (desired(SF, state="Started"),), id="create-started"),
    pytest.param((desired(X),), (changed(X),), id="update"),
    pytest.param((desired(SF),), (changed(SF, state="Started"),), id="update-start"),
    pytest.param((desired(X),), (), id="delete"),
    pytest.param((desired(LI),), (desired(LI, "hero", "", REPLACE, account="6"),), id="replace"),
]


@pytest.mark.parametrize(("before", "after"), TWICE)
def test_a_saved_plan_applied_twice(before: tuple[Desired, ...], after: tuple[Desired, ...]) -> None:
    world = applied(*before) if before else World()
    text = dumps(world.plan(*after))
    assert one(world.execute(loads(text, "plan"))).result is Result.DONE
    live, sent = world.live(), len(world.sent())
    assert one(world.execute(loads(text, "plan"))).result in (Result.UNCHANGED, Result.STALE)
    assert world.live() == live and len(world.sent()) == sent
    assert not world.plan(*after).changes


# --- bookkeeping of an old plan ---------------------------------------------------------------------------------


def test_an_old_plan_does_not_put_back_what_was_recorded() -> None:
    world = applied(desired(LI))
    next(iter(world.fakes["linkedin"].items.values()))["name"] = "first"
    old = world.plan(changed(LI, "first"))
    assert old.bookkeeping
    assert one(world.apply(changed(LI, "second"))).result is Result.DONE
    world.execute(old)
    assert next(iter(world.records.values())).applied["name"] == "second"


# --- stored differently ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_stored_differently_is_reported_once_and_then_quiet(kind: Kind) -> None:
    name = FIELD[kind.platform]
    world = World()

    def trim(body: dict[str, Any]) -> None:
        body[name] = (body.get(name) or "").strip() or None

    fake(world, kind).rewrite = trim
    outcome = one(world.apply(changed(kind, " padded ")))
    assert outcome.result is Result.DONE and any(name in text for text in outcome.warnings)
    assert next(iter(world.records.values())).stored == {name: "padded"}
    made = world.plan(changed(kind, " padded "))
    assert not made.changes and not made.bookkeeping
    other = changed(kind, " padded ", description="d")
    outcome = one(world.apply(other))
    assert outcome.result is Result.DONE and not any(name in text for text in outcome.warnings)
    assert not world.plan(other).changes
    outcome = one(world.apply(changed(kind, " other ", description="d")))
    assert any("other" in text for text in outcome.warnings)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("stated", [True, False], ids=["null", "left-out"])
def test_what_the_platform_does_not_clear_is_reported_once_and_then_quiet(kind: Kind, stated: bool) -> None:
    world = applied(desired(kind, description="d"))

    def keep(body: dict[str, Any]) -> None:
        body["description"] = "d"

    fake(world, kind).rewrite = keep
    after = desired(kind, description=None) if stated else desired(kind)
    outcome = one(world.apply(after))
    assert outcome.result is Result.DONE and any("description" in text for text in outcome.warnings)
    made = world.plan(after)
    assert not made.changes and not made.bookkeeping


@pytest.mark.parametrize("kind", ALL)
def test_what_the_platform_drops_is_reported_once_and_then_quiet(kind: Kind) -> None:
    world = World()
    fake(world, kind).rewrite = lambda body: body.pop("description", None)
    wanted = desired(kind, description="d")
    outcome = one(world.apply(wanted))
    assert outcome.result is Result.DONE and any("description" in text for text in outcome.warnings)
    assert not world.plan(wanted).changes


def test_a_status_that_moved_by_the_clock_is_no_change_of_the_record() -> None:
    """The record keeps the status last seen, so that drift can tell progress from rest."""
    world = applied(desired(X))
    assert next(iter(world.records.values())).status == "SCHEDULED"
    one(world.apply(changed(X)))
    assert next(iter(world.records.values())).status == "SCHEDULED"
