"""Live against applied, typed by who moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from plan_builders import LI, NOW, SF, X, cell, desired, group, kinds, live, record

from reconciler.model.resource import Found, Gone, Key, Lifecycle, Live, Reading, Record, Unknown
from reconciler.plan.drift import DriftKind, DriftReport, find_drift
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

ALL = [pytest.param(kind, id=kind.platform) for kind in KINDS]


def drift(rec: Record, seen: Live | Reading, ignored: Mapping[Key, Sequence[str]] | None = None) -> DriftReport:
    reading = Found(seen) if isinstance(seen, Live) else seen
    return find_drift({rec.key: rec}, {rec.key: reading}, ignored or {}, kinds, NOW)


@pytest.mark.parametrize("kind", ALL)
def test_nothing_moved(kind: Kind) -> None:
    wanted = desired(kind)
    report = drift(record(wanted), live(wanted))
    assert report == DriftReport((), checked=1, keys=(wanted.key,))


@pytest.mark.parametrize(("kind", "field"), [(LI, "name"), (X, "name"), (SF, "label")])
def test_edited(kind: Kind, field: str) -> None:
    before, after = desired(kind, **{field: "a"}), desired(kind, **{field: "b"})
    (item,) = drift(record(before), live(after)).drift
    assert (item.kind, item.status) == (DriftKind.EDITED, live(after).status)
    assert [(f.path, f.applied, f.live) for f in item.fields] == [(field, "a", "b")]


@pytest.mark.parametrize("kind", ALL)
def test_what_is_not_managed_is_no_drift(kind: Kind) -> None:
    assert drift(record(desired(kind)), live(desired(kind, description="by hand"))).drift == ()


@pytest.mark.parametrize("kind", ALL)
def test_missing(kind: Kind) -> None:
    (item,) = drift(record(desired(kind)), Gone("404")).drift
    assert item.kind is DriftKind.MISSING and item.fields == ()


def test_missing_counts_after_the_grace_alone() -> None:
    young = record(desired(LI), None, created_at=NOW - timedelta(seconds=59))
    assert drift(young, Gone("404")).drift == ()
    old = record(desired(LI), None, created_at=NOW - timedelta(seconds=60))
    assert len(drift(old, Gone("404")).drift) == 1


def test_unknown_is_a_problem_and_never_missing() -> None:
    report = drift(record(desired(X)), Unknown("403"))
    assert report.drift == () and "403" in report.problems[0]
    report = find_drift({report_key(): record(desired(X))}, {}, {}, kinds, NOW)
    assert report.problems


def report_key() -> Key:
    return desired(X).key


def test_an_interrupted_create_is_a_problem() -> None:
    rec = replace(record(desired(LI)), remote_id="", intent_at=NOW)
    report = drift(rec, Gone(""))
    assert report.drift == () and "interrupted" in report.problems[0]


STATE = [
    pytest.param(LI, "RUNNING", "ON_HOLD", {}, {"userIntendedState": "PAUSED"}, id="linkedin-paused"),
    pytest.param(LI, "RUNNING", "ENDED", {}, {"userIntendedState": "CANCELED"}, id="linkedin-cancelled"),
    pytest.param(
        SF, "Started", "Stopped", {"state": "Started", "winnerSelectionMode": "Manual"}, {}, id="salesforce-stopped"
    ),
    pytest.param(SF, "Created", "Started", {"state": "Created"}, {}, id="salesforce-started"),
]


@pytest.mark.parametrize(("kind", "before", "now", "stated", "shown"), STATE)
def test_lifecycle_moved_by_hand(
    kind: Kind, before: str, now: str, stated: dict[str, Any], shown: dict[str, Any]
) -> None:
    wanted = desired(kind, "hero", before, **stated)
    (item,) = drift(record(wanted, live(wanted, before)), live(wanted, now, "", **shown)).drift
    assert item.kind is DriftKind.STATE and item.status == now
    assert [f.path for f in item.fields] == [kind.lifecycle_field]


PROGRESS = [
    pytest.param(LI, "PENDING", "RUNNING", {}, {}, id="linkedin-starts"),
    pytest.param(LI, "RUNNING", "ENDED", {}, {}, id="linkedin-ends"),
    pytest.param(LI, "RUNNING", "ON_HOLD", {}, {}, id="linkedin-on-hold"),
    pytest.param(
        LI,
        "RUNNING",
        "ENDED",
        {},
        {"userIntendedState": "CANCELED", "terminationReason": "90 days"},
        id="linkedin-ended-by-linkedin",
    ),
    pytest.param(X, "SCHEDULED", "LIVE", {}, {}, id="x-starts"),
    pytest.param(X, "LIVE", "COMPLETED", {}, {}, id="x-ends"),
    pytest.param(SF, "Started", "Stopped", {"state": "Started"}, {}, id="salesforce-winner-picked"),
    pytest.param(SF, "Created", "Started", {}, {}, id="salesforce-state-not-stated"),
]


@pytest.mark.parametrize(("kind", "before", "now", "stated", "shown"), PROGRESS)
def test_what_the_clock_or_the_platform_does_is_progress(
    kind: Kind, before: str, now: str, stated: dict[str, Any], shown: dict[str, Any]
) -> None:
    wanted = desired(kind, "hero", before, **stated)
    report = drift(record(wanted, live(wanted, before)), live(wanted, now, "", **shown))
    assert report.drift == (), report.drift
    (item,) = report.progress
    assert item.kind is DriftKind.PROGRESS
    assert [(f.applied, f.live) for f in item.fields] == [(before, now)]


def test_wanted_ended_and_over_is_no_drift() -> None:
    wanted = desired(SF, state="Stopped")
    assert drift(record(wanted, live(wanted, "Stopped")), live(wanted, "Archived")).drift == ()


def test_edited_and_state_are_two_items() -> None:
    wanted = desired(LI, "hero", "RUNNING", name="a")
    shown = live(desired(LI, "hero", "RUNNING", name="b"), "ON_HOLD", "", userIntendedState="PAUSED")
    report = drift(record(wanted, live(wanted, "RUNNING")), shown)
    assert {item.kind for item in report.drift} == {DriftKind.EDITED, DriftKind.STATE}


def test_ignored_fields_are_no_drift() -> None:
    before, after = desired(LI, name="a"), live(desired(LI, name="b"))
    assert drift(record(before), after, {before.key: ("name",)}).drift == ()
    ignoring = record(desired(LI, "hero", "", Lifecycle(ignore_changes=("name",)), name="a"))
    assert drift(ignoring, after).drift == (), "the recorded block holds where there is no manifest"


@pytest.mark.parametrize(("kind", "field"), [(LI, "name"), (X, "name"), (SF, "label")])
def test_stored_differently_is_no_drift_until_it_moves(kind: Kind, field: str) -> None:
    wanted, shown = desired(kind, **{field: " a "}), live(desired(kind, **{field: "a"}))
    rec = record(wanted, shown, stored={field: "a"})
    assert drift(rec, shown).drift == ()
    (item,) = drift(rec, live(desired(kind, **{field: "b"}))).drift
    assert item.kind is DriftKind.EDITED


def test_x_groups_by_recorded_id() -> None:
    wanted = desired(X)
    shown = live(desired(X, user_groups=[group("b", "50.00", "e3", "e4"), group("a", "50.00", "e1", "e2")]))
    swapped = replace(shown, children={"user_groups": ("hr7l0g1", "hr7l0g0")})
    assert drift(record(wanted), swapped).drift == ()


def test_list_items_added_and_removed() -> None:
    wanted = desired(LI)
    shown = live(desired(LI, cells=[cell("control", 1), cell("blue", 9)]))
    (item,) = drift(record(wanted), shown).drift
    assert {f.path for f in item.fields} == {"cells[1].name", "cells[1].reference.campaign"}
