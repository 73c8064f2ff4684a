"""Every experiment over time, as the pages of plans draw it: what is live, what is wanted, who is in whose way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from plan_builders import (
    LI,
    NOW,
    REPLACE,
    SF,
    WINDOWS,
    X,
    at,
    cell,
    desired,
    group,
    live,
    plan_inputs,
    record,
)

from reconciler.model.change import Action
from reconciler.model.resource import Desired, Key, Live, Record
from reconciler.plan.planner import make_plan
from reconciler.plan.schedules import Conflict, Schedule, Window, schedules
from reconciler.platforms.base import Kind

SOON, RUNS, RAN = (Window(*map(at, WINDOWS[status])) for status in ("PENDING", "RUNNING", "ENDED"))
LATER = at("2027-01-25T08:00:00Z")
ENDS = {LI: "scheduledEndAt", X: "end_time"}
SCHEDULED = [pytest.param(LI, "PENDING", "RUNNING", id="linkedin"), pytest.param(X, "SCHEDULED", "LIVE", id="x")]


def drawn(
    wanted: Iterable[Desired] = (),
    records: Iterable[Record] = (),
    seen: Mapping[Key, Any] | None = None,
    **options: Any,
) -> tuple[Schedule, ...]:
    """Give what is drawn of the plan that these inputs come to."""
    inputs = plan_inputs(wanted, records, seen, **options)
    return schedules(make_plan(inputs), inputs)


def one(
    before: Desired | None, after: Desired | None, status: str = "", found: Live | None = None, **options: Any
) -> Schedule:
    """Give what is drawn of one experiment, live as `before` (None: not there), wanted as `after`."""
    records, seen = [], {}
    if before is not None:
        shown = found or live(before, status)
        records, seen = [record(before, shown)], {before.key: shown}
    (item,) = drawn([after] if after else [], records, seen, **options)
    return item


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_a_new_one_has_only_the_window_that_is_wanted(kind: Kind, waiting: str, running: str) -> None:
    item = one(None, desired(kind))
    assert (item.action, item.before, item.after) == (Action.CREATE, None, SOON)
    assert (item.remote_id, item.status, item.scheduled, item.over, item.ends) == ("", "", True, False, False)
    assert item.account == {LI: "urn:li:sponsoredAccount:5", X: "18ce54d4x5t"}[kind]
    assert (item.key, item.title) == (Key(kind.name, "hero"), f"{kind.name}/hero")
    assert (item.platform, item.connection) == (kind.platform, {LI: "linkedin", X: "x"}[kind])


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_one_that_stays_has_the_same_window_before_and_after(kind: Kind, waiting: str, running: str) -> None:
    wanted = desired(kind, "hero", running)
    item = one(wanted, wanted, running)
    assert (item.action, item.before, item.after) == (Action.NO_OP, RUNS, RUNS)
    assert (item.remote_id, item.status) == ({LI: "40001", X: "hr7l0"}[kind], running)
    assert item.deadline is None


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_another_end_is_drawn_beside_the_one_that_is_live(kind: Kind, waiting: str, running: str) -> None:
    """The start is left out of the manifest's change and is that of what is live."""
    before = desired(kind, "hero", running)
    item = one(before, desired(kind, "hero", running, **{ENDS[kind]: "2026-12-27T08:00:00Z"}), running)
    assert (item.action, item.before) == (Action.UPDATE, RUNS)
    assert item.after == Window(RUNS.start, at("2026-12-27T08:00:00Z"))
    assert item.deadline == RUNS.end, "after its end nothing can be changed any more"


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_a_blocked_change_is_drawn_as_it_is_wanted(kind: Kind, waiting: str, running: str) -> None:
    start = kind.window_fields[0] if kind.window_fields else ""
    before = desired(kind, "hero", running)
    item = one(before, desired(kind, "hero", running, **{start: "2026-11-11T08:00:00Z"}), running)
    assert (item.action, item.before) == (Action.BLOCKED, RUNS)
    assert item.after == Window(at("2026-11-11T08:00:00Z"), RUNS.end)
    assert (item.ends, item.deadline) == (False, None)


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_what_ends_has_no_window_afterwards(kind: Kind, waiting: str, running: str) -> None:
    for status, window in ((waiting, SOON), (running, RUNS)):
        item = one(desired(kind, "hero", status), None, status, allow=0)
        assert (item.action, item.before, item.after) == (Action.DELETE, window, None)
        assert item.ends is True


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_an_end_that_is_blocked_ends_nothing(kind: Kind, waiting: str, running: str) -> None:
    item = one(desired(kind, "hero", running), None, running)
    assert (item.action, item.before, item.ends) == (Action.BLOCKED, RUNS, False)


@pytest.mark.parametrize(
    ("kind", "over"), [pytest.param(LI, "ENDED", id="linkedin"), pytest.param(X, "COMPLETED", id="x")]
)
def test_what_is_over_keeps_the_window_in_which_it_ran(kind: Kind, over: str) -> None:
    item = one(desired(kind, "hero", over), None, over)
    assert (item.action, item.before, item.after, item.over) == (Action.FORGET, RAN, RAN, True)
    assert item.editable_until is None and not item.conflicts


def test_a_replacement_begins_anew() -> None:
    """It takes nothing over from what is live: what its manifest leaves out is the platform's to say."""
    before = desired(X, "hero", "LIVE", description="d")
    item = one(before, desired(X, "hero", "SCHEDULED", REPLACE), "LIVE", allow=0)
    assert (item.action, item.before, item.after, item.ends) == (Action.REPLACE, RUNS, SOON, True)


def test_a_manifest_that_cancels_ends_it_though_it_is_an_update() -> None:
    before = desired(LI, "hero", "RUNNING")
    cancelled = desired(LI, "hero", "RUNNING", userIntendedState="CANCELED")
    item = one(before, cancelled, "RUNNING")
    assert (item.action, item.ends, item.after) == (Action.UPDATE, True, RUNS)


def test_salesforce_schedules_nothing_and_shows_when_it_ran() -> None:
    wanted = desired(SF)
    started, stopped = "2026-11-01T08:00:00.000Z", "2026-11-20T08:00:00.000Z"
    ran = Window(at(started), at(stopped))
    item = one(wanted, wanted, "", live(wanted, "Stopped", startedDate=started, stoppedDate=stopped))
    assert (item.before, item.after, item.scheduled) == (ran, ran, False)
    assert (item.account, item.editable_until) == ("", None)
    item = one(
        wanted, replace(wanted, spec={**wanted.spec, "label": "L"}), "", live(wanted, "Started", startedDate=started)
    )
    assert (item.action, item.before, item.after) == (Action.UPDATE, Window(at(started)), Window(at(started)))
    item = one(None, wanted)
    assert (item.action, item.before, item.after) == (Action.CREATE, None, Window())
    renamed = desired(SF, "hero", "", REPLACE, name="another")
    item = one(wanted, renamed, "", live(wanted, "Started", startedDate=started), allow=0)
    assert (item.action, item.before, item.after) == (Action.REPLACE, Window(at(started)), Window())


@pytest.mark.parametrize("shown", [None, 7, "yesterday", "2026-11-01"])
def test_a_time_that_is_none_is_left_open(shown: Any) -> None:
    wanted = desired(SF)
    assert one(wanted, wanted, "", live(wanted, "Started", startedDate=shown)).before == Window()


# --- until when it can be changed freely -----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "waiting", "running"), SCHEDULED)
def test_it_can_be_changed_freely_until_it_starts(kind: Kind, waiting: str, running: str) -> None:
    wanted = desired(kind, "hero", waiting)
    assert one(None, wanted).editable_until == SOON.start
    assert one(wanted, wanted, waiting).editable_until == SOON.start
    assert one(wanted, wanted, running).editable_until is None, "it is LIVE: its status decides, not our clock"
    passed = desired(kind, "hero", running)
    assert one(passed, passed, waiting).editable_until is None, "its start has passed"


@pytest.mark.parametrize(("moment", "expected"), [(-1, SOON.start), (0, None), (1, None)])
def test_the_start_itself_is_too_late(moment: int, expected: datetime | None) -> None:
    assert SOON.start
    wanted = desired(X)
    as_of = SOON.start + timedelta(seconds=moment)
    assert one(wanted, wanted, "SCHEDULED", as_of=as_of).editable_until == expected
    assert one(None, wanted, as_of=as_of).editable_until == expected


def test_for_a_later_moment_the_clock_moves_what_is_live() -> None:
    wanted = desired(X)
    item = one(wanted, wanted, "SCHEDULED", as_of=at("2026-12-08T08:00:00Z"))
    assert item.status == "LIVE"


# --- which, and in what order ----------------------------------------------------------------------------------------


def test_platform_account_and_start_give_the_order() -> None:
    other = [group("a", "50.00", "e8"), group("b", "50.00", "e9")]
    late = desired(X, "a-late", user_groups=other, start_time="2026-12-09T08:00:00Z")
    first = desired(X, "z-first")
    account = desired(X, "an-account", account_id="1", user_groups=other)
    linkedin, salesforce = desired(LI), desired(SF)
    found = drawn([late, salesforce, first, account, linkedin])
    assert [item.title for item in found] == [
        "LinkedInExperiment/hero",
        "SalesforceExperiment/hero",
        "XAdsABTest/an-account",
        "XAdsABTest/z-first",
        "XAdsABTest/a-late",
    ]


def test_of_the_same_start_the_name_decides_and_an_open_start_comes_last() -> None:
    names = ["b", "a", "c"]
    wanted = [desired(SF, name, name=name) for name in names]
    running = live(wanted[2], "Started", "1GaC", startedDate="2026-11-01T08:00:00Z")
    found = drawn(wanted, [record(wanted[2], running)], {wanted[2].key: running})
    assert [item.title for item in found] == [f"SalesforceExperiment/{name}" for name in "cab"]


def test_with_targets_only_those() -> None:
    a, b = desired(X, "a"), desired(SF, "b")
    assert [item.key for item in drawn([a, b], targets=[b.key])] == [b.key]


def test_what_nothing_is_known_of_is_left_out() -> None:
    """Its manifest is gone and it could not be read: there is no window to draw."""
    gone = desired(X)
    assert drawn([], [record(gone)], {gone.key: "HTTP 500"}) == ()


def test_what_could_not_be_read_is_drawn_as_it_is_wanted() -> None:
    wanted = desired(X)
    (item,) = drawn([wanted], [record(wanted)], {wanted.key: "HTTP 500"})
    assert (item.before, item.status, item.account) == (None, "", "18ce54d4x5t")


def test_a_stated_null_is_no_time() -> None:
    """A manifest's null means "clear"; what is drawn is what will be there, and a cleared text has no window."""
    wanted = desired(X, description=None)
    assert one(None, wanted).after == SOON


# --- what is not managed, and conflicts ------------------------------------------------------------------------------


def stranger(entity: str, status: str = "LIVE", remote_id: str = "zz1", **changes: Any) -> Live:
    groups = [group("p", "50.00", entity), group("q", "50.00", "e77")]
    return live(desired(X, "s", status, user_groups=groups, **changes), status, remote_id, name=changes.get("name"))


def test_a_conflict_with_a_test_that_is_not_managed() -> None:
    """X lets an entity be in one A/B test only, at any time: the window of a conflict on X is open."""
    mine, other = drawn([desired(X)], others=[("x", stranger("e2", name="by hand"))])[::-1]
    if mine.key is None:
        mine, other = other, mine
    assert (other.key, other.title, other.remote_id, other.status) == (None, "by hand", "zz1", "LIVE")
    assert (other.platform, other.connection, other.account) == ("x-ads", "x", "18ce54d4x5t")
    assert (other.before, other.after, other.action) == (RUNS, RUNS, Action.NO_OP)
    assert (other.scheduled, other.over, other.ends, other.editable_until) == (True, False, False, None)
    entity = "campaign 18ce54d4x5t/e2"
    assert mine.conflicts == (Conflict("by hand (zz1), which is not managed here", (entity,), Window()),)
    assert other.conflicts == (Conflict("XAdsABTest/hero", (entity,), Window()),)


def test_without_a_name_it_is_called_by_its_id() -> None:
    found = drawn([desired(X)], others=[("x", stranger("e9"))])
    assert [(item.title, item.conflicts) for item in found if item.key is None] == [("zz1", ())]


def test_what_is_met_twice_or_recorded_is_drawn_once() -> None:
    wanted = desired(X)
    mine = live(wanted, "SCHEDULED", "hr7l0")
    again = stranger("e9")
    met = [("x", mine), ("x", again), ("x", again), ("elsewhere", again)]
    found = drawn([wanted], [record(wanted, mine)], {wanted.key: mine}, others=met)
    assert sorted(item.remote_id for item in found) == ["hr7l0", "zz1"]


def test_one_that_is_adopted_is_drawn_once() -> None:
    wanted = desired(X)
    found = drawn([wanted], others=[("x", live(wanted, "SCHEDULED", "zz1"))])
    assert [(item.key, item.action, item.remote_id) for item in found] == [(wanted.key, Action.ADOPT, "zz1")]


def test_one_that_is_over_conflicts_with_nothing() -> None:
    """Whether X frees the entities of a completed test is not documented: it is told as a doubt, not as a conflict."""
    found = drawn([desired(X)], others=[("x", stranger("e2", "COMPLETED"))])
    assert [(item.over, item.conflicts) for item in found if item.key is None] == [(True, ())]
    assert not any(item.conflicts for item in found)


def li(name: str, first: int, second: int, start: str, end: str) -> Desired:
    cells = [cell("a", first), cell("b", second)]
    return desired(LI, name, cells=cells, scheduledStartAt=f"{start}T08:00:00Z", scheduledEndAt=f"{end}T08:00:00Z")


def test_a_conflict_on_linkedin_is_where_the_windows_overlap() -> None:
    """LinkedIn: a campaign is in one active or future experiment at a time when dates overlap."""
    one, other = li("one", 1, 2, "2026-12-07", "2026-12-28"), li("other", 2, 1, "2026-12-20", "2027-01-20")
    touching = li("touching", 1, 3, "2027-01-20", "2027-02-20")
    found = {item.key.name: item.conflicts for item in drawn([one, other, touching]) if item.key}
    window = Window(at("2026-12-20T08:00:00Z"), at("2026-12-28T08:00:00Z"))
    both = ("campaign urn:li:sponsoredCampaign:1", "campaign urn:li:sponsoredCampaign:2")
    assert found == {
        "one": (Conflict("LinkedInExperiment/other", both, window),),
        "other": (Conflict("LinkedInExperiment/one", both, window),),
        "touching": (),
    }


def test_each_of_several_conflicts_is_told() -> None:
    found = drawn(
        [
            li("a", 1, 2, "2026-12-07", "2027-01-20"),
            li("b", 1, 3, "2026-12-08", "2027-01-20"),
            li("c", 2, 4, "2026-12-09", "2027-01-20"),
        ]
    )
    assert [[conflict.other[-1] for conflict in item.conflicts] for item in found] == [["b", "c"], ["a"], ["a"]]


def test_what_the_plan_frees_is_in_nobodys_way() -> None:
    """A deleted test frees its entities (assumed), an edited experiment claims what it will have."""
    old = desired(X, "old")
    seen = live(old, "SCHEDULED", "old1")
    found = drawn([desired(X, "new", name="n")], [record(old, seen)], {old.key: seen}, allow=0)
    assert len(found) == 2 and not any(item.conflicts for item in found)
    moved = li("moved", 1, 2, "2026-12-07", "2026-12-28")
    seen = live(moved, "PENDING")
    wanted = [li("moved", 3, 4, "2026-12-07", "2026-12-28"), li("taker", 1, 2, "2026-12-07", "2026-12-28")]
    found = drawn(wanted, [record(moved, seen)], {moved.key: seen})
    assert len(found) == 2 and not any(item.conflicts for item in found)


def test_a_stopped_experiment_keeps_its_name_on_salesforce_and_only_in_its_org() -> None:
    old = desired(SF, "old")
    seen = live(old, "Started")
    here, there = desired(SF, "new"), replace(desired(SF, "new"), connection="second")
    for wanted, conflicts in ((here, 1), (there, 0)):
        found = drawn([wanted], [record(old, seen)], {old.key: seen}, allow=0)
        assert [len(item.conflicts) for item in found] == [conflicts, conflicts]


def test_one_that_rests_holds_what_it_holds() -> None:
    """Nothing of it changes, and it is in the way of whoever wants the same."""
    rests = desired(X, "rests")
    seen = live(rests, "SCHEDULED")
    groups = [group("p", "50.00", "e1"), group("q", "50.00", "e88")]
    found = drawn([rests, desired(X, "wants", user_groups=groups)], [record(rests, seen)], {rests.key: seen})
    assert {item.title: [one.other for one in item.conflicts] for item in found} == {
        "XAdsABTest/rests": ["XAdsABTest/wants"],
        "XAdsABTest/wants": ["XAdsABTest/rests"],
    }


def test_a_plan_for_now_and_one_without_any_change_are_drawn_from_what_is_live() -> None:
    wanted = desired(X, "hero", "LIVE")
    shown = live(wanted, "LIVE")
    moved = replace(shown, end=LATER, account="of-the-platform")
    item = one(wanted, wanted, "", moved)
    assert (item.before, item.account) == (Window(RUNS.start, LATER), "of-the-platform")
    assert NOW < LATER
