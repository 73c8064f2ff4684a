"""Failures, unclear answers, ends and creates that take their time, quotas, stopping."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from apply_helpers import ALL, applied, changed, fake, once, one, refuse, stored
from fake_platform import Killed, World
from plan_builders import LI, REPLACE, SF, X, cell, desired, group, only

from reconciler.errors import LimitReached, NotFound, NotSent, Refused, StateProblem, Unauthorized, Unclear
from reconciler.model.change import Action, Call
from reconciler.model.outcome import GOOD, Result
from reconciler.model.resource import Desired, Key, Record
from reconciler.platforms.base import Kind

# --- failures --------------------------------------------------------------------------------------------------------


def test_a_failed_change_holds_back_its_dependents_only() -> None:
    world = applied(desired(LI, "old"), desired(X))
    world.fakes["linkedin"].fault_before = refuse("delete")
    result = world.apply(desired(LI, "new", cells=[cell("control", 2), cell("blue", 3)]), changed(X))
    assert {item.key.name: item.result for item in result.outcomes} == {
        "old": Result.FAILED,
        "new": Result.SKIPPED,
        "hero": Result.DONE,
    }
    assert Key("LinkedInExperiment", "old") in world.records
    assert Key("LinkedInExperiment", "new") not in world.records


@pytest.mark.parametrize("kind", ALL)
def test_a_refused_create_leaves_no_record(kind: Kind) -> None:
    world = World()
    fake(world, kind).fault_before = refuse("create")
    outcome = one(world.apply(desired(kind)))
    assert outcome.result is Result.FAILED and "no" in outcome.message and outcome.calls_sent == 1
    assert world.records == {}
    fake(world, kind).fault_before = lambda call, number: None
    assert one(world.apply(desired(kind))).result is Result.DONE


def test_nothing_destructive_after_a_create_that_failed() -> None:
    """`new` claims what `old` frees, and `older` is ended before: a refused end keeps all the rest as it is."""
    world = applied(desired(LI))
    world.fakes["linkedin"].fault_before = refuse("delete")
    outcome = one(world.apply(desired(LI, "hero", "", REPLACE, account="6")))
    assert outcome.result is Result.FAILED
    assert [call.purpose.value for call in world.sent()] == ["create", "delete"]
    assert world.orphans() == [] and len(world.live()) == 1


def test_a_replace_whose_create_is_refused_goes_on_later() -> None:
    world = applied(desired(LI))
    wanted = desired(LI, "hero", "", REPLACE, account="6")
    world.fakes["linkedin"].fault_before = refuse("create")
    outcome = one(world.apply(wanted))
    assert outcome.result is Result.FAILED and "4001 is ended" in outcome.message
    world.fakes["linkedin"].fault_before = lambda call, number: None
    assert one(world.apply(wanted)).action is Action.CREATE
    (record,) = world.records.values()
    assert record.predecessors == ("4001",)


# --- unclear answers -------------------------------------------------------------------------------------------------

SITUATIONS = [
    pytest.param((), (desired(LI),), "create", id="linkedin-create"),
    pytest.param((), (desired(X),), "create", id="x-create"),
    pytest.param((), (desired(SF),), "create", id="salesforce-create"),
    pytest.param((desired(LI),), (changed(LI),), "update", id="linkedin-update"),
    pytest.param((desired(X),), (changed(X),), "update", id="x-update"),
    pytest.param((desired(SF),), (changed(SF),), "update", id="salesforce-update"),
    pytest.param((desired(LI),), (), "delete", id="linkedin-delete"),
    pytest.param((desired(X),), (), "delete", id="x-delete"),
    pytest.param((desired(SF),), (), "delete", id="salesforce-delete"),
    pytest.param((desired(SF),), (desired(SF, state="Started"),), "start", id="salesforce-start"),
    pytest.param((desired(SF, state="Started"),), (desired(SF, state="Stopped"),), "stop", id="salesforce-stop"),
    pytest.param((desired(SF, state="Started"),), (desired(SF, state="Archived"),), "archive", id="salesforce-archive"),
    pytest.param((), (desired(SF, state="Started"),), "start", id="salesforce-create-start"),
]


@pytest.mark.parametrize("late", [False, True], ids=["before-it-happened", "after-it-happened"])
@pytest.mark.parametrize(("before", "after", "purpose"), SITUATIONS)
def test_an_unclear_answer_is_resolved_by_looking(
    before: tuple[Desired, ...], after: tuple[Desired, ...], purpose: str, late: bool
) -> None:
    calm = applied(*before) if before else World()
    calm.apply(*after)
    world = applied(*before) if before else World()
    already = len(world.sent())
    for each in world.fakes.values():
        if late:
            each.fault_after = once(purpose, Unclear("timeout"))
        else:
            each.fault_before = once(purpose, Unclear("timeout"))
    outcome = one(world.apply(*after))
    assert outcome.result is Result.DONE, outcome
    assert world.live() == calm.live() and world.orphans() == []
    repeated = [call for call in world.sent()[already:] if call.purpose.value == purpose]
    assert len(repeated) == (1 if late else 2)
    assert {name: each.creates for name, each in world.fakes.items()} == {
        name: each.creates for name, each in calm.fakes.items()
    }
    assert not world.plan(*after).changes


def test_an_unclear_create_of_a_draft_is_not_sent_again_in_the_same_run() -> None:
    """LinkedIn is not known to refuse a second draft: the run gives up, the next one searches first."""
    wanted = desired(LI, userIntendedState="DRAFT")
    world = World()
    world.fakes["linkedin"].fault_before = once("create", Unclear("timeout"))
    assert one(world.apply(wanted)).result is Result.FAILED
    (record,) = world.records.values()
    assert record.intent_at is not None and record.remote_id == ""
    assert one(world.apply(wanted)).result is Result.DONE
    assert world.fakes["linkedin"].creates == 1


def test_an_unclear_create_that_cannot_be_found_keeps_its_intent() -> None:
    world = World()
    world.fakes["x"].fault_before = lambda call, number: Unclear("timeout")
    outcome = one(world.apply(desired(X)))
    assert outcome.result is Result.FAILED and outcome.calls_sent == 2
    assert next(iter(world.records.values())).intent_at is not None


def test_a_refusal_after_an_unclear_create_keeps_the_intent() -> None:
    """The first create happened but shows late; the second is refused because of it: nothing is lost."""
    world = World()
    world.fakes["x"].delay = timedelta(seconds=50)
    world.fakes["x"].fault_after = once("create", Unclear("timeout"))
    assert one(world.apply(desired(X))).result is Result.FAILED
    assert next(iter(world.records.values())).intent_at is not None
    world.time += timedelta(minutes=2)
    assert one(world.apply()).action is Action.DELETE, "also when the manifest is gone by then"
    assert world.live() == [] and world.records == {}


def test_an_interrupted_create_whose_manifest_is_gone_is_ended_on_the_platform() -> None:
    world = applied(desired(LI))
    key = Key("LinkedInExperiment", "hero")
    known = world.records[key]
    world.records[key] = Record(
        key, "linkedin", "linkedin", "", known.applied, intent_at=world.time - timedelta(minutes=5)
    )
    assert one(world.apply()).result is Result.DONE
    assert world.live() == [] and world.records == {}


def test_not_sent_is_a_failure_without_an_intent() -> None:
    world = World()
    world.fakes["linkedin"].fault_before = once("create", NotSent("no route"))
    assert one(world.apply(desired(LI))).result is Result.FAILED
    assert world.records == {}


def test_a_write_conflict_is_read_again_and_sent_again() -> None:
    world = applied(desired(LI))
    world.fakes["linkedin"].fault_before = once("update", Refused("conflict", status=409, code="WRITE_CONFLICT"))
    outcome = one(world.apply(changed(LI)))
    assert outcome.result is Result.DONE and outcome.calls_sent == 2


# --- Salesforce's own failures ---------------------------------------------------------------------------------


def test_a_create_error_keeps_its_record_and_is_not_posted_again() -> None:
    world = World()
    world.fakes["crm"].rewrite = lambda body: body.update(status="CreateError", statusMessage="bad schema")
    outcome = one(world.apply(desired(SF)))
    assert outcome.result is Result.FAILED and "bad schema" in outcome.message
    assert len(world.records) == 1
    made = world.plan(desired(SF))
    assert made.changes[0].action is Action.BLOCKED
    assert any("bad schema" in reason for reason in made.changes[0].reasons)
    world.execute(made)
    assert world.fakes["crm"].creates == 1 and len(world.sent()) == 1
    assert one(world.apply()).result is Result.DONE, "removing the manifest deletes it"
    assert world.live() == []


def test_an_edit_error_is_a_failure_with_the_platforms_words() -> None:
    world = applied(desired(SF))
    world.fakes["crm"].rewrite = lambda body: body.update(status="EditError", statusMessage="no such metric", label="?")
    outcome = one(world.apply(changed(SF)))
    assert outcome.result is Result.FAILED and "no such metric" in outcome.message
    world.fakes["crm"].rewrite = lambda body: body.update(status="Active")
    assert one(world.apply(changed(SF))).result is Result.DONE


def test_several_that_look_like_the_unclear_create_are_named() -> None:
    """Two drafts of the same campaigns are there: which one is ours cannot be told, and nothing more is sent."""
    wanted = desired(LI, userIntendedState="DRAFT")
    world = World()
    for _ in "12":
        world.fakes["linkedin"].commit(LI.create_calls(wanted.spec)[0])
    made = world.plan(wanted)
    assert only(made).action is Action.BLOCKED and "4001" in only(made).reasons[0] and "4002" in only(made).reasons[0]


# --- an end that takes its time --------------------------------------------------------------------------------------

WHILE = {"scheduledStartAt": "2026-11-25T13:00:00Z", "scheduledEndAt": "2026-12-20T13:00:00Z"}


def running() -> World:
    world = applied(desired(LI, **WHILE))
    world.time = world.time.replace(hour=14)
    return world


def test_a_replace_waits_until_the_old_one_is_over() -> None:
    world = running()
    world.fakes["linkedin"].cancel_takes = timedelta(seconds=20)
    outcome = one(world.apply(desired(LI, "hero", "", REPLACE, **WHILE, keyMetric="CPM")))
    assert outcome.result is Result.DONE, outcome
    assert world.time >= world.fakes["linkedin"].over_at["4001"]
    assert [call.purpose.value for call in world.sent()] == ["create", "cancel", "create"]


def test_an_end_that_never_comes_keeps_its_record_and_goes_on_later() -> None:
    world = running()
    world.fakes["linkedin"].cancel_takes = timedelta(minutes=30)
    outcome = one(world.apply(desired(LI, "hero", "", REPLACE, **WHILE, keyMetric="CPM")))
    assert outcome.result is Result.FAILED and "still RUNNING" in outcome.message
    assert next(iter(world.records.values())).remote_id == "4001" and len(world.sent()) == 2
    world.time += timedelta(hours=1)
    outcome = one(world.apply(desired(LI, "hero", "", REPLACE, **WHILE, keyMetric="CPM")))
    assert outcome.result is Result.DONE
    (record,) = world.records.values()
    assert record.predecessors == ("4001",)


def test_a_saved_replace_whose_end_was_slow_is_taken_up_again() -> None:
    world = running()
    world.fakes["linkedin"].cancel_takes = timedelta(minutes=5)
    made = world.plan(desired(LI, "hero", "", REPLACE, **WHILE, keyMetric="CPM"))
    assert one(world.execute(made)).result is Result.FAILED
    world.time += timedelta(minutes=10)
    assert one(world.execute(made)).result is Result.DONE
    assert [call.purpose.value for call in world.sent()] == ["create", "cancel", "create"]


def test_an_interrupted_plan_taken_up_again_still_sees_what_others_moved() -> None:
    """The first run got as far as "update begins"; then somebody changed the name by hand."""
    world = applied(desired(LI))
    made = world.plan(changed(LI))
    world.chaos.passed, world.chaos.kill_at = 0, 4
    with pytest.raises(Killed):
        world.execute(made)
    world.revive()
    assert any(record.inflight for record in world.records.values())
    next(iter(world.fakes["linkedin"].items.values()))["name"] = "by hand"
    assert one(world.execute(made)).result is Result.STALE
    assert stored(world, LI)["name"] == "by hand"


# --- just created ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_a_create_that_shows_late_is_waited_for(kind: Kind) -> None:
    world = World()
    fake(world, kind).delay = timedelta(seconds=40)
    assert one(world.apply(desired(kind))).result is Result.DONE
    assert fake(world, kind).creates == 1


def test_a_create_that_never_shows_is_a_failure_and_keeps_its_record() -> None:
    world = World()
    world.fakes["linkedin"].delay = timedelta(days=1)
    assert one(world.apply(desired(LI))).result is Result.FAILED
    assert next(iter(world.records.values())).remote_id == "4001"


def test_a_404_to_a_delete_within_the_grace_is_tried_again() -> None:
    """It shows to reads and not to the delete: nothing is forgotten while it may be there."""
    world = applied(desired(X))
    made = world.plan()
    shows = world.time + timedelta(seconds=45)

    def deaf(call: Call, number: int) -> NotFound | None:
        return NotFound("404", status=404) if call.method == "DELETE" and world.time < shows else None

    world.fakes["x"].fault_before = deaf
    assert one(world.execute(made)).result is Result.DONE
    assert world.live() == [] and world.records == {}
    assert len([call for call in world.sent() if call.method == "DELETE"]) > 3


# --- the connection ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [LimitReached("quota", status=403), Unauthorized("token", status=401)], ids=["limit", "unauthorized"]
)
def test_a_quota_or_wrong_credentials_stop_the_connection(error: Any) -> None:
    many = [desired(LI, f"e{n:02}", cells=[cell("a", 10 + 2 * n), cell("b", 11 + 2 * n)]) for n in range(12)]
    world = World()
    world.fakes["linkedin"].fault_before = lambda call, number: error
    result = world.apply(*many, desired(X))
    by = {item.key.name: item.result for item in result.outcomes}
    assert by["hero"] is Result.DONE, "another connection goes on"
    assert result.count(Result.FAILED) >= 1 and result.count(Result.NOT_TRIED) >= 6
    assert result.count(Result.FAILED, Result.NOT_TRIED) == 12
    assert len(world.fakes["linkedin"].sent) == result.count(Result.FAILED)
    assert all("halted" in item.message for item in result.outcomes if item.result is Result.NOT_TRIED)
    assert [key.kind for key in world.records] == ["XAdsABTest"]


def test_a_403_may_be_about_one_account_and_does_not_stop_the_connection() -> None:
    first, second = desired(LI, "a"), desired(LI, "b", cells=[cell("x", 7), cell("y", 8)])
    world = applied(first, second)
    world.fakes["linkedin"].fault_before = once("create", Unauthorized("not this account", status=403))
    after = [replace(item, spec={**item.spec, "account": "urn:li:sponsoredAccount:6"}) for item in (first, second)]
    result = world.apply(*(replace(item, lifecycle=REPLACE) for item in after))
    assert sorted(item.result for item in result.outcomes) == [Result.DONE, Result.FAILED]
    (failed,) = [item for item in result.outcomes if item.result is Result.FAILED]
    assert "not this account" in failed.message and "successor" in failed.message


def test_a_dependent_of_what_was_not_tried_is_skipped() -> None:
    world = applied(desired(LI, "old"))
    world.stopping = lambda: True
    result = world.apply(desired(LI, "new", cells=[cell("control", 2), cell("blue", 3)]))
    assert [item.result for item in result.outcomes] == [Result.NOT_TRIED, Result.SKIPPED]
    assert result.interrupted and len(world.sent()) == 1


def test_stopping_is_obeyed_between_calls() -> None:
    world = applied(desired(SF))
    world.stopping = lambda: len(world.sent()) >= 2
    wanted = desired(SF, label="L", state="Started")
    outcome = one(world.apply(wanted))
    assert outcome.result is Result.NOT_TRIED and outcome.calls_sent == 1
    assert stored(world, SF)["label"] == "L" and stored(world, SF)["state"] == "Created"
    world.stopping = lambda: False
    assert one(world.apply(wanted)).result is Result.DONE
    assert stored(world, SF)["state"] == "Started"


def test_stopping_between_an_end_and_a_create() -> None:
    world = applied(desired(LI))
    wanted = desired(LI, "hero", "", REPLACE, account="6")
    world.stopping = lambda: len(world.sent()) >= 2
    outcome = one(world.apply(wanted))
    assert outcome.result is Result.NOT_TRIED and "successor" in outcome.message
    world.stopping = lambda: False
    assert one(world.apply(wanted)).result is Result.DONE


def test_a_state_that_cannot_be_written_stops_everything() -> None:
    world = World()

    def full(key: Key, record: Record, event: str) -> None:
        raise StateProblem("disk full")

    world.put = full  # type: ignore[method-assign]
    with pytest.raises(StateProblem):
        world.apply(desired(LI), desired(X))
    assert world.sent() == [], "the intent could not be recorded, so nothing was sent"


def test_everything_ends_in_an_outcome_that_is_told() -> None:
    world = applied(desired(LI), desired(X))
    world.said.clear()
    result = world.apply(changed(LI), changed(X, user_groups=[group("a", "60.00", "e1"), group("b", "40.00", "e3")]))
    told = {item.outcome.key for item in world.said if item.outcome}
    assert told == {item.key for item in result.outcomes}
    assert all(item.result in GOOD for item in result.outcomes)
