"""
The pages' mutability tables, cell by cell, through the whole planner.

The expected words are written down by hand from the pages: "update" changes in place, "replace" is blocked and lifted
by `onImmutableChange: replace`, "blocked" is blocked whatever the manifest says, "none" needs no call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from plan_builders import LI, REPLACE, SF, X, cell, cohort, desired, group, live, managed, only, plan

from reconciler.model.change import Action, Severity
from reconciler.model.resource import Desired, Lifecycle
from reconciler.platforms.base import Kind

# --- LinkedIn --------------------------------------------------------------------------------------------------------

LI_STATUSES = ("PENDING", "RUNNING", "ON_HOLD", "STOPPED", "ENDED")
LI_FIELDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "account": (
        {"account": "urn:li:sponsoredAccount:6"},
        ("replace", "replace", "replace", "replace", "replace"),
    ),
    "keyMetric": ({"keyMetric": "CPM"}, ("update", "replace", "replace", "replace", "replace")),
    "scheduledStartAt": (
        {"scheduledStartAt": "2026-12-10T08:00:00Z", "scheduledEndAt": "2027-01-11T08:00:00Z"},
        ("update", "replace", "replace", "replace", "replace"),
    ),
    "cells[].trafficWeight": (
        {"cells": [cell("control", 1, 60), cell("red", 2, 40)]},
        ("update", "replace", "replace", "replace", "replace"),
    ),
    "cells[].reference": (
        {"cells": [cell("control", 1), cell("red", 3)]},
        ("update", "replace", "replace", "replace", "replace"),
    ),
    "name": ({"name": "other"}, ("update", "update", "update", "update", "replace")),
    "description": ({"description": "text"}, ("update", "update", "update", "update", "replace")),
    "autoStop": ({"autoStop": "AUTO_STOP_DISABLED"}, ("update", "update", "update", "update", "replace")),
    "confidence": ({"confidence": 95}, ("update", "update", "update", "update", "replace")),
    "scheduledEndAt": (
        {"scheduledEndAt": "2027-01-02T08:00:00Z"},
        ("update", "update", "update", "update", "replace"),
    ),
    "cells[].name": (
        {"cells": [cell("control (blue)", 1), cell("red", 2)]},
        ("update", "update", "update", "update", "replace"),
    ),
    "cells[].description": (
        {"cells": [cell("control", 1, description="memo"), cell("red", 2)]},
        ("update", "update", "update", "update", "replace"),
    ),
}
FUTURE = {"scheduledStartAt": "2026-12-07T08:00:00Z", "scheduledEndAt": "2027-01-11T08:00:00Z"}


def li_cells() -> Iterator[Any]:
    for name, (changed, words) in LI_FIELDS.items():
        for status, word in zip(LI_STATUSES, words, strict=True):
            yield pytest.param(status, changed, word, id=f"{name}-{status}")


def check_word(before: Desired, after: Desired, status: str, word: str, **seen: Any) -> None:
    kind = LI if before.platform == "linkedin" else X if before.platform == "x-ads" else SF
    shown = live(before, status, **seen)
    cautious = only(managed(before, after, status, shown, allow=0))
    assert cautious.action is (Action.UPDATE if word == "update" else Action.BLOCKED)
    if word == "update":
        assert cautious.calls
        assert all(item.allowed and item.reason is None for item in cautious.fields)
        return
    assert not cautious.calls
    assert cautious.reasons
    assert any(not item.allowed and item.reason and status in item.reason for item in cautious.fields)
    bold = only(managed(before, replace(after, lifecycle=REPLACE), status, shown, allow=0))
    if word == "blocked":
        assert bold.action is Action.BLOCKED
        return
    assert any("onImmutableChange: replace" in reason for reason in cautious.reasons)
    assert bold.action is Action.REPLACE, bold.reasons
    assert bold.calls[: bold.old_calls] == kind.end_calls(shown)
    assert bold.calls[bold.old_calls].purpose == "create"
    assert bold.predecessors == (shown.remote_id,)
    assert any("results restart" in warning for warning in bold.warnings)


@pytest.mark.parametrize(("status", "changed", "word"), [*li_cells()])
def test_linkedin(status: str, changed: dict[str, Any], word: str) -> None:
    before = desired(LI, "hero", status, userIntendedState="ACTIVE")
    if word == "replace":
        changed = {**FUTURE, **changed}
    check_word(before, desired(LI, "hero", status, userIntendedState="ACTIVE", **changed), status, word)


LI_MOVES = [
    # from intended, execution, to, word: page, section 7
    ("DRAFT", "PENDING", "ACTIVE", "update"),
    ("DRAFT", "PENDING", "PAUSED", "blocked"),
    ("DRAFT", "PENDING", "CANCELED", "blocked"),
    ("ACTIVE", "PENDING", "DRAFT", "blocked"),
    ("ACTIVE", "PENDING", "PAUSED", "blocked"),
    ("ACTIVE", "PENDING", "CANCELED", "update"),
    ("ACTIVE", "RUNNING", "DRAFT", "blocked"),
    ("ACTIVE", "RUNNING", "PAUSED", "update"),
    ("ACTIVE", "RUNNING", "CANCELED", "update"),
    ("ACTIVE", "ON_HOLD", "DRAFT", "blocked"),
    ("ACTIVE", "ON_HOLD", "PAUSED", "update"),
    ("ACTIVE", "ON_HOLD", "CANCELED", "update"),
    ("PAUSED", "ON_HOLD", "DRAFT", "blocked"),
    ("PAUSED", "ON_HOLD", "ACTIVE", "update"),
    ("PAUSED", "ON_HOLD", "CANCELED", "update"),
    ("PAUSED", "STOPPED", "DRAFT", "blocked"),
    ("PAUSED", "STOPPED", "ACTIVE", "update"),
    ("PAUSED", "STOPPED", "CANCELED", "update"),
    ("ACTIVE", "STOPPED", "DRAFT", "blocked"),
    ("ACTIVE", "STOPPED", "PAUSED", "blocked"),
    ("ACTIVE", "STOPPED", "CANCELED", "update"),
    ("ACTIVE", "ENDED", "PAUSED", "blocked"),
    ("CANCELED", "RUNNING", "ACTIVE", "blocked"),
    ("CANCELED", "RUNNING", "PAUSED", "blocked"),
    ("CANCELED", "RUNNING", "DRAFT", "blocked"),
]


@pytest.mark.parametrize(
    ("intended", "execution", "to", "word"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-to-{row[2]}") for row in LI_MOVES],
)
def test_linkedin_transitions(intended: str, execution: str, to: str, word: str) -> None:
    before = desired(LI, "hero", execution, userIntendedState=intended)
    after = desired(LI, "hero", execution, userIntendedState=to)
    check_word(before, after, execution, word)
    if word == "update":
        change = only(managed(before, after, execution))
        assert [call.body for call in change.calls] == [{"patch": {"$set": {"userIntendedState": to}}}]
        assert change.fields[0].severity is (Severity.DESTRUCTIVE if to == "CANCELED" else Severity.HARMLESS)


@pytest.mark.parametrize(
    ("state", "action"),
    [("DRAFT", Action.CREATE), ("ACTIVE", Action.CREATE), ("PAUSED", Action.BLOCKED), ("CANCELED", Action.BLOCKED)],
)
def test_linkedin_initial_state(state: str, action: Action) -> None:
    change = only(plan([desired(LI, userIntendedState=state)]))
    assert change.action is action
    if action is Action.BLOCKED:
        assert change.intent is Action.CREATE and not change.calls and state in change.reasons[0]


def test_linkedin_stopped_runs_again_with_a_later_end_in_the_same_patch() -> None:
    before = desired(LI, "hero", "STOPPED", userIntendedState="PAUSED")
    later = {"userIntendedState": "ACTIVE", "scheduledEndAt": "2027-01-02T08:00:00Z"}
    change = only(managed(before, desired(LI, "hero", "STOPPED", **later), "STOPPED"))
    assert change.action is Action.UPDATE
    assert change.calls[0].body["patch"]["$set"].keys() == {"userIntendedState", "scheduledEndAt"}
    assert len(change.calls) == 1


# --- X ---------------------------------------------------------------------------------------------------------------

X_STATUSES = ("SCHEDULED", "LIVE", "COMPLETED")
X_NEXT = {"start_time": "2026-12-08T08:00:00Z", "end_time": "2027-01-11T08:00:00Z"}
X_FIELDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "name": ({"name": "other"}, ("update", "replace", "replace")),
    "description": ({"description": "text"}, ("update", "replace", "replace")),
    "start_time": ({"start_time": "2026-12-09T08:00:00Z"}, ("update", "replace", "replace")),
    "end_time": ({"end_time": "2027-01-02T08:00:00Z"}, ("update", "update", "replace")),
    "entity_type": (
        {"entity_type": "LINE_ITEM", "user_groups": [group("a", "50.00", "e1"), group("b", "50.00", "e3")]},
        ("replace", "replace", "replace"),
    ),
    "user_groups-size": (
        {"user_groups": [group("a", "60.00", "e1", "e2"), group("b", "40.00", "e3", "e4")]},
        ("update", "replace", "replace"),
    ),
    "user_groups-entities": (
        {"user_groups": [group("a", "50.00", "e1", "e9"), group("b", "50.00", "e3", "e4")]},
        ("update", "replace", "replace"),
    ),
    "user_groups-name": (
        {"user_groups": [group("z", "50.00", "e1", "e2"), group("b", "50.00", "e3", "e4")]},
        ("update", "replace", "replace"),
    ),
    "user_groups-description": (
        {"user_groups": [group("a", "50.00", "e1", "e2", description="d"), group("b", "50.00", "e3", "e4")]},
        ("update", "replace", "replace"),
    ),
    "user_groups-added": (
        {"user_groups": [group("a", "30.00", "e1", "e2"), group("b", "30.00", "e3", "e4"), group("c", "40.00", "e5")]},
        ("update", "replace", "replace"),
    ),
    "account_id": ({"account_id": "other"}, ("replace", "replace", "replace")),
}


def x_cells() -> Iterator[Any]:
    for name, (changed, words) in X_FIELDS.items():
        for status, word in zip(X_STATUSES, words, strict=True):
            yield pytest.param(status, changed, word, id=f"{name}-{status}")


@pytest.mark.parametrize(("status", "changed", "word"), [*x_cells()])
def test_x(status: str, changed: dict[str, Any], word: str) -> None:
    before = desired(X, "hero", status)
    after = {**X_NEXT, **changed} if word == "replace" and status != "SCHEDULED" else changed
    check_word(before, desired(X, "hero", status, **after), status, word)


# --- Salesforce ------------------------------------------------------------------------------------------------------

SF_STATES = ("Created", "Started", "Stopped", "Archived")
OPEN_WHILE_CREATED = ("update", "replace", "replace", "replace")
FIXED = ("replace", "replace", "replace", "replace")
METRIC = {
    "metricType": "EngagementSignalCompound",
    "metricName": "M",
    "higherIsBetter": True,
    "overallScoreWeight": 10000,
}
SF_FIELDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "label": ({"label": "Other"}, ("update", "update", "update", "replace")),
    "description": ({"description": "text"}, ("update", "update", "update", "replace")),
    "winnerSelectionMode": ({"winnerSelectionMode": "Manual"}, OPEN_WHILE_CREATED),
    "chanceToWinThreshold": ({"chanceToWinThreshold": 95}, OPEN_WHILE_CREATED),
    "minimumDurationInMinutes": ({"minimumDurationInMinutes": 20160}, OPEN_WHILE_CREATED),
    "maximumDurationInMinutes": ({"maximumDurationInMinutes": 129600}, OPEN_WHILE_CREATED),
    "minimumRequiredParticipants": ({"minimumRequiredParticipants": 1000}, OPEN_WHILE_CREATED),
    "scheduleFrequencyInMinutes": ({"scheduleFrequencyInMinutes": 1440}, OPEN_WHILE_CREATED),
    "cohorts-label": (
        {"cohorts": [cohort("control", 5000, control=True, label="C"), cohort("red", 5000)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-description": (
        {"cohorts": [cohort("control", 5000, control=True, description="C"), cohort("red", 5000)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-allocationWeight": (
        {"cohorts": [cohort("control", 6000, control=True), cohort("red", 4000)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-added": (
        {"cohorts": [cohort("control", 4000, control=True), cohort("red", 4000), cohort("blue", 2000)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-isControl": (
        {"cohorts": [cohort("control", 5000), cohort("red", 5000, control=True)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-isFallThrough": (
        {"cohorts": [cohort("control", 5000, control=True, isFallThrough=True), cohort("red", 5000)]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-personalizerName": (
        {"cohorts": [cohort("control", 5000, control=True), cohort("red", 5000, personalizerName="P")]},
        OPEN_WHILE_CREATED,
    ),
    "cohorts-attributeValues": (
        {
            "cohorts": [
                cohort("control", 5000, control=True),
                cohort("red", 5000, attributeValues=[{"attributeName": "Attr1", "value": "9"}]),
            ]
        },
        OPEN_WHILE_CREATED,
    ),
    "primaryMetrics": ({"primaryMetrics": [METRIC]}, OPEN_WHILE_CREATED),
    "secondaryMetrics": (
        {"secondaryMetrics": [{"metricType": "EngagementSignal", "metricName": "S", "engagementSignalName": "E"}]},
        OPEN_WHILE_CREATED,
    ),
    "parameters": (
        {"parameters": [{"engagementSignalName": "E", "parameterName": "OS", "values": ["a"]}]},
        OPEN_WHILE_CREATED,
    ),
    "criteria": ({"criteria": {"a": 1}}, OPEN_WHILE_CREATED),
    "name": ({"name": "hero2"}, FIXED),
    "dataSpaceName": ({"dataSpaceName": "myDs"}, FIXED),
    "schemaName": ({"schemaName": "Other"}, FIXED),
    "schemaEnum": ({"schemaName": ..., "schemaEnum": "FlowPath"}, FIXED),
    "source": ({"source": "Agentforce"}, FIXED),
    "sourceRecordId": ({"sourceRecordId": "x1"}, FIXED),
    "profileDataGraphName": ({"profileDataGraphName": "G"}, FIXED),
}


def sf_cells() -> Iterator[Any]:
    for name, (changed, words) in SF_FIELDS.items():
        for status, word in zip(SF_STATES, words, strict=True):
            yield pytest.param(status, changed, word, id=f"{name}-{status}")


@pytest.mark.parametrize(("status", "changed", "word"), [*sf_cells()])
def test_salesforce(status: str, changed: dict[str, Any], word: str) -> None:
    before = desired(SF)
    if word == "update":
        check_word(before, desired(SF, **changed), status, word)
        return
    check_word(before, desired(SF, **{**changed, "name": "hero2"}), status, word)
    kept = only(managed(before, desired(SF, life=REPLACE, **changed), status, allow=0))
    if "name" not in changed:
        assert kept.action is Action.BLOCKED and not kept.calls
        assert any("name" in reason and "hero" in reason for reason in kept.reasons)


SF_MOVES = [
    ("Created", "Started", ["Start"]),
    ("Created", "Stopped", None),
    ("Created", "Archived", None),
    ("Started", "Created", None),
    ("Started", "Stopped", ["Stop"]),
    ("Started", "Archived", ["Stop", "Archive"]),
    ("Stopped", "Created", None),
    ("Stopped", "Started", None),
    ("Stopped", "Archived", ["Archive"]),
    ("Archived", "Stopped", []),
    ("Archived", "Created", None),
    ("Archived", "Started", None),
]


@pytest.mark.parametrize(
    ("state", "wanted", "actions"), [pytest.param(*row, id=f"{row[0]}-to-{row[1]}") for row in SF_MOVES]
)
def test_salesforce_states(state: str, wanted: str, actions: list[str] | None) -> None:
    made = managed(desired(SF), desired(SF, state=wanted), state)
    if actions == []:
        assert not made.changes
        return
    change = only(made)
    if actions is None:
        assert change.action is Action.BLOCKED and not change.calls
        assert any("state" in reason for reason in change.reasons)
        return
    assert change.action is Action.UPDATE
    assert [(call.method, dict(call.query), call.body) for call in change.calls] == [
        ("PATCH", {"action": action}, {}) for action in actions
    ]
    assert {call.path for call in change.calls} == {
        "/services/data/v65.0/personalization/abn-experiments/1GaSB00000Cojr30AB"
    }


def test_all_tables_cover_every_top_level_field() -> None:
    tested: dict[str, tuple[Kind, set[str]]] = {
        "linkedin": (LI, set(LI_FIELDS) | {"userIntendedState"}),
        "x": (X, set(X_FIELDS)),
        "salesforce": (SF, set(SF_FIELDS) | {"state"}),
    }
    for kind, names in tested.values():
        tops = {row.path.split("[")[0].split(".")[0] for row in kind.fields}
        assert tops == {name.split("-")[0].split("[")[0] for name in names}


@pytest.mark.parametrize(
    ("kind", "status", "changed", "severity"),
    [
        pytest.param(LI, "PENDING", {"keyMetric": "CPM"}, Severity.HARMLESS, id="li-metric-before-start"),
        pytest.param(LI, "RUNNING", {"name": "n"}, Severity.HARMLESS, id="li-name-running"),
        pytest.param(
            LI, "RUNNING", {"scheduledEndAt": "2027-01-02T08:00:00Z"}, Severity.INVALIDATES, id="li-end-running"
        ),
        pytest.param(X, "LIVE", {"end_time": "2027-01-02T08:00:00Z"}, Severity.INVALIDATES, id="x-end-live"),
        pytest.param(X, "SCHEDULED", {"end_time": "2027-01-02T08:00:00Z"}, Severity.HARMLESS, id="x-end-scheduled"),
        pytest.param(SF, "Started", {"state": "Stopped"}, Severity.DESTRUCTIVE, id="sf-stop"),
        pytest.param(SF, "Created", {"state": "Started"}, Severity.HARMLESS, id="sf-start"),
    ],
)
def test_severity(kind: Kind, status: str, changed: dict[str, Any], severity: Severity) -> None:
    life = Lifecycle()
    change = only(managed(desired(kind, "hero", status, life), desired(kind, "hero", status, life, **changed), status))
    assert {item.severity for item in change.fields} == {severity}
