"""Validity, `--as-of`, and limits that hang on the clock or on live values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from plan_builders import LI, NOW, SF, X, at, cell, desired, live, managed, only, plan, record

from reconciler.model.change import Action
from reconciler.model.resource import Lifecycle
from reconciler.platforms.base import Kind

START, END = at("2026-12-07T08:00:00Z"), at("2027-01-11T08:00:00Z")
LIVE_END = at("2026-12-20T08:00:00Z")


@pytest.mark.parametrize(
    ("kind", "status", "changed", "until"),
    [
        pytest.param(LI, "PENDING", {"keyMetric": "CPM"}, START, id="li-fixed-after-start"),
        pytest.param(LI, "PENDING", {"cells": [cell("control", 1, 60), cell("red", 2, 40)]}, START, id="li-weights"),
        pytest.param(LI, "RUNNING", {"name": "n"}, LIVE_END, id="li-running-until-its-end"),
        pytest.param(X, "SCHEDULED", {"name": "n"}, START, id="x-scheduled"),
        pytest.param(X, "LIVE", {"end_time": "2027-01-02T08:00:00Z"}, LIVE_END, id="x-live"),
        pytest.param(SF, "Created", {"label": "n"}, None, id="sf-has-no-clock"),
    ],
)
def test_valid_until_of_an_update(kind: Kind, status: str, changed: dict[str, Any], until: datetime | None) -> None:
    made = managed(desired(kind, "hero", status), desired(kind, "hero", status, **changed), status)
    assert only(made).valid_until == until and made.valid_until == until


@pytest.mark.parametrize(("kind", "until"), [(LI, START), (X, START), (SF, None)])
def test_valid_until_of_a_create(kind: Kind, until: datetime | None) -> None:
    assert plan([desired(kind)]).valid_until == until


@pytest.mark.parametrize(
    ("kind", "status", "until"),
    [(LI, "PENDING", START), (LI, "RUNNING", LIVE_END), (X, "SCHEDULED", START), (X, "LIVE", LIVE_END)],
)
def test_valid_until_of_an_ending(kind: Kind, status: str, until: datetime) -> None:
    assert managed(desired(kind, "hero", status), None, status, allow=0).valid_until == until


def test_valid_until_is_the_earliest_and_leaves_out_what_is_blocked() -> None:
    a, b = desired(LI, "a"), desired(X, "b", start_time="2026-12-01T08:00:00Z")
    assert plan([a, b]).valid_until == at("2026-12-01T08:00:00Z")
    made = managed(desired(LI), None)
    assert only(made).action is Action.BLOCKED and made.valid_until is None


def test_valid_until_is_never_past() -> None:
    for kind in (LI, X):
        for status in kind.statuses:
            before = desired(kind, "hero", status)
            made = managed(before, desired(kind, "hero", status, name="n"), status)
            assert made.valid_until is None or made.valid_until > NOW


# --- as of -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changed", "column"),
    [
        pytest.param(LI, {"keyMetric": "CPM"}, "RUNNING", id="linkedin"),
        pytest.param(X, {"name": "n"}, "LIVE", id="x"),
    ],
)
def test_legal_today_and_not_when_the_merge_lands(kind: Kind, changed: dict[str, Any], column: str) -> None:
    before, after = desired(kind), desired(kind, **changed)
    assert only(managed(before, after)).action is Action.UPDATE
    change = only(managed(before, after, as_of=START + timedelta(hours=1)))
    assert change.action is Action.BLOCKED and change.status == column


@pytest.mark.parametrize("kind", [LI, X])
def test_as_of_after_the_end(kind: Kind) -> None:
    before = desired(kind)
    made = managed(before, before, as_of=END + timedelta(hours=1))
    assert not made.changes and len(made.warnings) == 1
    assert only(managed(before, None, as_of=END + timedelta(hours=1))).action is Action.FORGET


def test_as_of_does_not_count_the_grace() -> None:
    """The grace of a create counts in real time."""
    from reconciler.model.resource import Gone

    wanted = desired(LI)
    rec = record(wanted, None, created_at=NOW - timedelta(seconds=5))
    made = plan([wanted], [rec], {wanted.key: Gone("404")}, as_of=NOW + timedelta(days=1))
    assert not made.changes and made.warnings


# --- limits ----------------------------------------------------------------------------------------------------------


def test_x_start_that_has_passed_on_create_is_blocked() -> None:
    change = only(plan([desired(X, start_time="2026-11-25T11:00:00Z")]))
    assert change.action is Action.BLOCKED and "start_time" in change.reasons[0]
    field = next(item for item in change.fields if item.path == "start_time")
    assert not field.allowed and field.reason


def test_linkedin_start_that_has_passed_is_a_warning() -> None:
    change = only(plan([desired(LI, scheduledStartAt="2026-11-20T11:00:00Z", scheduledEndAt="2026-12-20T00:00:00Z")]))
    assert change.action is Action.CREATE and any("at once" in text for text in change.warnings)


@pytest.mark.parametrize(
    ("end", "now"),
    [
        pytest.param("2026-11-25T11:00:00Z", NOW, id="past"),
        pytest.param("2027-06-01T00:00:00Z", NOW, id="more-than-180-days-ahead"),
    ],
)
def test_linkedin_end_on_create(end: str, now: datetime) -> None:
    start = at(end) - timedelta(days=30)
    wanted = desired(LI, scheduledStartAt=start.isoformat(), scheduledEndAt=end)
    change = only(plan([wanted], now=now))
    assert change.action is Action.BLOCKED and any("scheduledEndAt" in text for text in change.reasons)


@pytest.mark.parametrize(
    ("end", "action"),
    [("2027-02-08T08:00:00Z", Action.UPDATE), ("2027-02-08T08:00:01Z", Action.BLOCKED)],
)
def test_linkedin_ninety_days_from_the_live_start(end: str, action: Action) -> None:
    """Also when the manifest's start is ignored: the live one is 2026-11-10 08:00."""
    ignoring = Lifecycle(ignore_changes=("scheduledStartAt",))
    before = desired(LI, "hero", "RUNNING")
    after = desired(LI, "hero", "RUNNING", ignoring, scheduledStartAt="2026-12-30T08:00:00Z", scheduledEndAt=end)
    change = only(managed(before, after, "RUNNING"))
    assert change.action is action
    assert [item.path for item in change.fields] == ["scheduledEndAt"]


def test_an_unchanged_end_is_not_held_against_a_patch() -> None:
    """Only what would be sent is judged: an end more than 180 days ahead that does not change stays legal."""
    before = desired(LI, scheduledStartAt="2027-06-01T08:00:00Z", scheduledEndAt="2027-06-30T08:00:00Z")
    after = desired(LI, name="n", scheduledStartAt="2027-06-01T08:00:00Z", scheduledEndAt="2027-06-30T08:00:00Z")
    assert only(managed(before, after)).action is Action.UPDATE


def test_x_a_window_that_closes_soon_is_a_warning_with_the_time_left() -> None:
    before = desired(X, start_time="2026-11-25T15:00:00Z")
    change = only(managed(before, desired(X, name="n", start_time="2026-11-25T15:00:00Z")))
    assert change.action is Action.UPDATE
    assert any("2026-11-25 15:00 UTC" in text and "3 h" in text for text in change.warnings)


@pytest.mark.parametrize(
    ("end", "action"),
    [
        pytest.param("2026-11-25T11:00:00Z", Action.BLOCKED, id="into-the-past"),
        pytest.param("2026-12-01T08:00:00Z", Action.UPDATE, id="shortened-with-a-warning"),
    ],
)
def test_x_end_of_a_live_test(end: str, action: Action) -> None:
    change = only(managed(desired(X, "hero", "LIVE"), desired(X, "hero", "LIVE", end_time=end), "LIVE"))
    assert change.action is action
    assert action is Action.BLOCKED or change.warnings


def test_campaigns_that_pause_are_said() -> None:
    change = only(plan([desired(LI)]))
    assert any("pauses all campaigns" in text for text in change.warnings)
    before = desired(LI, "hero", "RUNNING", userIntendedState="ACTIVE")
    change = only(managed(before, desired(LI, "hero", "RUNNING", userIntendedState="PAUSED"), "RUNNING"))
    assert any("pauses both campaigns" in text for text in change.warnings)


def test_on_hold_is_a_health_warning_and_no_change() -> None:
    before = desired(LI, "hero", "ON_HOLD", userIntendedState="ACTIVE")
    made = managed(before, before, "ON_HOLD")
    assert not made.changes and "ON_HOLD" in made.warnings[0].message


def test_live_status_that_lags_behind_the_clock() -> None:
    """X still says SCHEDULED a minute after the start: what the platform reports counts, and the plan warns."""
    started = "2026-11-25T11:59:00Z"
    shown = live(desired(X, start_time=started))
    before, after = (
        desired(X, start_time="2026-11-25T11:59:00Z"),
        desired(X, name="n", start_time="2026-11-25T11:59:00Z"),
    )
    change = only(managed(before, after, "", shown))
    assert (change.action, change.status) == (Action.UPDATE, "SCHEDULED")
    assert any("has passed" in warning for warning in change.warnings)
