"""
Every kind as the suite sees it: a base spec, how to reach each status, and one edit for each field.

The words of an edit's `verdicts` are copied by hand from the platforms' pages (6.2 for LinkedIn, "Mutability by status"
for X, "Mutability per state" for Salesforce): `update` goes in place, `replace` needs a new experiment, `never` has no
way at all. They are read against the planner's own table only by what the command line does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from laboratory import Lab, at, epoch_ms

Reach = Callable[[Lab, str], None]


@dataclass(frozen=True)
class Edit:
    """
    One field's change: `changes` over the base spec (`...` takes a key out), the paths that the plan must name, what it
    is by status, and the body that goes out where it is an update (`#0` stands for the id of the first group).
    """

    name: str
    changes: Mapping[str, Any]
    paths: tuple[str, ...]
    verdicts: tuple[str, ...]
    body: Any = None
    also: Mapping[str, Any] = field(default_factory=dict)
    """Further changes without which a replacement could not be created (times ahead, another API name)."""


@dataclass(frozen=True)
class Case:
    """One kind."""

    kind: str
    platform: str
    spec: Mapping[str, Any]
    reach: Mapping[str, Reach]
    edits: tuple[Edit, ...]
    ending: Mapping[str, tuple[tuple[str, str], ...]]
    """What ends it, by status: method and the end of the path, or query."""
    create_calls: int
    by_hand: Mapping[str, Any]
    """An edit at the platform's own pages."""
    hand_path: str
    fresh: Callable[[int], dict[str, Any]]
    """The spec of the n-th experiment of many, which share nothing."""

    def edited(self, edit: Edit, *, also: bool = False) -> dict[str, Any]:
        """Give the base spec with an edit."""
        changes = {**edit.changes, **(edit.also if also else {})}
        spec = {**copy.deepcopy(dict(self.spec)), **changes}
        return {key: value for key, value in spec.items() if value is not ...}


def _stay(lab: Lab, remote_id: str) -> None:
    """The status that it has after its create."""


def _after(days: float) -> Reach:
    def reach(lab: Lab, remote_id: str) -> None:
        lab.pass_time(days=days)

    return reach


# --- LinkedIn --------------------------------------------------------------------------------------------------------


def _cell(name: str, campaign: int, weight: int = 50, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "trafficWeight": weight,
        "reference": {"campaign": f"urn:li:sponsoredCampaign:{campaign}"},
        **more,
    }


def _cells(**second: Any) -> list[dict[str, Any]]:
    return [_cell("control", 1001, description="as it is"), {**_cell("test", 1002), **second}]


def _weights(first: int) -> list[dict[str, Any]]:
    return [_cell("control", 1001, first, description="as it is"), _cell("test", 1002, 100 - first)]


def _on_hold(lab: Lab, remote_id: str) -> None:
    lab.pass_time(days=8)
    lab.by_hand("linkedin", "urn:li:sponsoredCampaign:1001", servingStatuses=["CAMPAIGN_TOTAL_BUDGET_HOLD"])


def _cancelled(lab: Lab, remote_id: str) -> None:
    lab.pass_time(days=8)
    lab.by_hand("linkedin", remote_id, userIntendedState="CANCELED")


ANY_TIME = ("update", "update", "update", "update", "replace")
BEFORE_START = ("update", "replace", "replace", "replace", "replace")
ALWAYS_NEW = ("replace",) * 5
_OTHER_CELLS = [_cell("control", 160000001), _cell("test", 160000002)]
_LATER = {"scheduledEndAt": at(60)}

LINKEDIN = Case(
    kind="LinkedInExperiment",
    platform="linkedin",
    spec={
        "account": "urn:li:sponsoredAccount:123",
        "name": "headline",
        "description": "question or claim",
        "keyMetric": "CPC",
        "confidence": 90,
        "scheduledStartAt": at(7),
        "scheduledEndAt": at(37),
        "autoStop": "AUTO_STOP_AT_END_DATE",
        "cells": _cells(),
    },
    reach={
        "PENDING": _stay,
        "RUNNING": _after(8),
        "ON_HOLD": _on_hold,
        "STOPPED": _after(38),
        "ENDED": _cancelled,
    },
    edits=(
        Edit(
            "account",
            {"account": "urn:li:sponsoredAccount:500000001", "cells": _OTHER_CELLS},
            ("account",),
            ALWAYS_NEW,
            also=_LATER,
        ),
        Edit("name", {"name": "renamed"}, ("name",), ANY_TIME, {"patch": {"$set": {"name": "renamed"}}}, _LATER),
        Edit(
            "description",
            {"description": "other words"},
            ("description",),
            ANY_TIME,
            {"patch": {"$set": {"description": "other words"}}},
            _LATER,
        ),
        Edit(
            "description-cleared",
            {"description": None},
            ("description",),
            ANY_TIME,
            {"patch": {"$delete": ["description"]}},
            _LATER,
        ),
        Edit(
            "description-no-longer-stated",
            {"description": ...},
            ("description",),
            ANY_TIME,
            {"patch": {"$delete": ["description"]}},
            _LATER,
        ),
        Edit(
            "keyMetric",
            {"keyMetric": "CPM"},
            ("keyMetric",),
            BEFORE_START,
            {"patch": {"$set": {"keyMetric": "CPM"}}},
            _LATER,
        ),
        Edit(
            "confidence", {"confidence": 95}, ("confidence",), ANY_TIME, {"patch": {"$set": {"confidence": 95}}}, _LATER
        ),
        Edit(
            "scheduledStartAt",
            {"scheduledStartAt": at(9)},
            ("scheduledStartAt",),
            BEFORE_START,
            {"patch": {"$set": {"scheduledStartAt": epoch_ms(at(9))}}},
            _LATER,
        ),
        Edit(
            "scheduledEndAt",
            {"scheduledEndAt": at(44)},
            ("scheduledEndAt",),
            ANY_TIME,
            {"patch": {"$set": {"scheduledEndAt": epoch_ms(at(44))}}},
        ),
        Edit(
            "autoStop",
            {"autoStop": "AUTO_STOP_DISABLED"},
            ("autoStop",),
            ANY_TIME,
            {"patch": {"$set": {"autoStop": "AUTO_STOP_DISABLED"}}},
            _LATER,
        ),
        Edit(
            "cells.name",
            {"cells": _cells(name="treatment")},
            ("cells[1].name",),
            ANY_TIME,
            {"patch": {"$set": {"cells": _cells(name="treatment")}}},
            _LATER,
        ),
        Edit(
            "cells.description",
            {"cells": _cells(description="with a question")},
            ("cells[1].description",),
            ANY_TIME,
            {"patch": {"$set": {"cells": _cells(description="with a question")}}},
            _LATER,
        ),
        Edit(
            "cells.trafficWeight",
            {"cells": _weights(60)},
            ("cells[0].trafficWeight", "cells[1].trafficWeight"),
            BEFORE_START,
            {"patch": {"$set": {"cells": _weights(60)}}},
            _LATER,
        ),
        Edit(
            "cells.campaign",
            {"cells": _cells(reference={"campaign": "urn:li:sponsoredCampaign:1003"})},
            ("cells[1].reference.campaign",),
            BEFORE_START,
            {"patch": {"$set": {"cells": _cells(reference={"campaign": "urn:li:sponsoredCampaign:1003"})}}},
            _LATER,
        ),
        Edit(
            "several",
            {"name": "renamed", "confidence": 95, "scheduledEndAt": at(50)},
            ("name", "confidence", "scheduledEndAt"),
            ANY_TIME,
            {"patch": {"$set": {"name": "renamed", "confidence": 95, "scheduledEndAt": epoch_ms(at(50))}}},
        ),
    ),
    ending={
        "PENDING": (("DELETE", ""),),
        "RUNNING": (("POST", "CANCELED"),),
        "ON_HOLD": (("POST", "CANCELED"),),
        "STOPPED": (("POST", "CANCELED"),),
        "ENDED": (),
    },
    create_calls=1,
    by_hand={"name": "renamed by hand"},
    hand_path="name",
    fresh=lambda n: {
        "account": "urn:li:sponsoredAccount:123",
        "name": f"headline {n}",
        "keyMetric": "CPC",
        "confidence": 90,
        "scheduledStartAt": at(7),
        "scheduledEndAt": at(37),
        "autoStop": "AUTO_STOP_DISABLED",
        "cells": [_cell("control", 1001 + 2 * n), _cell("test", 1002 + 2 * n)],
    },
)

# --- X ---------------------------------------------------------------------------------------------------------------


def _group(size: str, *entities: str, **more: Any) -> dict[str, Any]:
    return {"size": size, "entity_ids": list(entities), **more}


_G1 = _group("50.00", "c1001", "c1002", name="first")
_G2 = _group("50.00", "c1003", name="second", description="the new one")
WHILE_SCHEDULED = ("update", "replace", "replace")
UNTIL_THE_END = ("update", "update", "replace")
NEVER_IN_PLACE = ("replace",) * 3
_ELSEWHERE: dict[str, Any] = {
    "start_time": at(60),
    "end_time": at(80),
    "user_groups": [{**_G1, "entity_ids": ["c1011"]}, {**_G2, "entity_ids": ["c1012"]}],
}

X_ADS = Case(
    kind="XAdsABTest",
    platform="x-ads",
    spec={
        "account_id": "18ce54d4x5t",
        "name": "creative",
        "description": "photo or drawing",
        "entity_type": "CAMPAIGN",
        "start_time": at(7),
        "end_time": at(27),
        "user_groups": [_G1, _G2],
    },
    reach={"SCHEDULED": _stay, "LIVE": _after(8), "COMPLETED": _after(28)},
    edits=(
        Edit(
            "account_id",
            {
                "account_id": "acc2",
                "user_groups": [_group("50.00", "d2001"), _group("50.00", "d2002")],
            },
            ("account_id",),
            NEVER_IN_PLACE,
            also={"start_time": at(60), "end_time": at(80)},
        ),
        Edit(
            "entity_type",
            {
                "entity_type": "LINE_ITEM",
                "user_groups": [_group("33.33", "l1030a"), _group("33.33", "l1030b"), _group("33.34", "l1030c")],
            },
            ("entity_type",),
            NEVER_IN_PLACE,
            also={"start_time": at(60), "end_time": at(80)},
        ),
        Edit("name", {"name": "renamed"}, ("name",), WHILE_SCHEDULED, {"name": "renamed"}, _ELSEWHERE),
        Edit("name-cleared", {"name": None}, ("name",), WHILE_SCHEDULED, {"name": None}, _ELSEWHERE),
        Edit(
            "description",
            {"description": "other words"},
            ("description",),
            WHILE_SCHEDULED,
            {"description": "other words"},
            _ELSEWHERE,
        ),
        Edit(
            "description-no-longer-stated",
            {"description": ...},
            ("description",),
            WHILE_SCHEDULED,
            {"description": None},
            _ELSEWHERE,
        ),
        Edit("start_time", {"start_time": at(9)}, ("start_time",), WHILE_SCHEDULED, {"start_time": at(9)}, _ELSEWHERE),
        Edit("end_time", {"end_time": at(40)}, ("end_time",), UNTIL_THE_END, {"end_time": at(40)}, _ELSEWHERE),
        Edit(
            "groups.size",
            {"user_groups": [{**_G1, "size": "60.00"}, {**_G2, "size": "40.00"}]},
            ("user_groups[0].size", "user_groups[1].size"),
            WHILE_SCHEDULED,
            {"user_groups": [{"id": "#0", "size": "60.00"}, {"id": "#1", "size": "40.00"}]},
            {
                "start_time": at(60),
                "end_time": at(80),
                "user_groups": [_group("60.00", "c1011", name="first"), _group("40.00", "c1012", name="second")],
            },
        ),
        Edit(
            "groups.name",
            {"user_groups": [_G1, {**_G2, "name": "new"}]},
            ("user_groups[1].name",),
            WHILE_SCHEDULED,
            {"user_groups": [{"id": "#1", "name": "new"}]},
            _ELSEWHERE,
        ),
        Edit(
            "groups.description",
            {"user_groups": [_G1, {**_G2, "description": "other words"}]},
            ("user_groups[1].description",),
            WHILE_SCHEDULED,
            {"user_groups": [{"id": "#1", "description": "other words"}]},
            _ELSEWHERE,
        ),
        Edit(
            "groups.entity_ids",
            {"user_groups": [_G1, {**_G2, "entity_ids": ["c1003", "c1004"]}]},
            ("user_groups[1].entity_ids",),
            WHILE_SCHEDULED,
            {"user_groups": [{"id": "#1", "entity_ids": ["c1003", "c1004"]}]},
            _ELSEWHERE,
        ),
        Edit(
            "groups.added",
            {
                "user_groups": [
                    {**_G1, "size": "30.00"},
                    {**_G2, "size": "30.00"},
                    _group("40.00", "c1005", name="third"),
                ]
            },
            ("user_groups[2]", "user_groups[0].size", "user_groups[1].size"),
            WHILE_SCHEDULED,
            {
                "user_groups": [
                    {"name": "first", "size": "30.00", "entity_ids": ["c1001", "c1002"]},
                    {"name": "second", "description": "the new one", "size": "30.00", "entity_ids": ["c1003"]},
                    {"name": "third", "size": "40.00", "entity_ids": ["c1005"]},
                ]
            },
            _ELSEWHERE,
        ),
    ),
    ending={"SCHEDULED": (("DELETE", ""),), "LIVE": (("DELETE", ""),), "COMPLETED": ()},
    create_calls=1,
    by_hand={"name": "renamed by hand"},
    hand_path="name",
    fresh=lambda n: {
        "account_id": "18ce54d4x5t",
        "name": f"creative {n}",
        "entity_type": "CAMPAIGN",
        "start_time": at(7),
        "end_time": at(27),
        "user_groups": [_group("50.00", f"c{1001 + 2 * n}"), _group("50.00", f"c{1002 + 2 * n}")],
    },
)

# --- Salesforce ------------------------------------------------------------------------------------------------------


def _cohort(name: str, weight: int = 5000, *, control: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": f"Cohort {name}",
        "isControl": control,
        "allocationWeight": weight,
        "attributeValues": [{"attributeName": "Attr1", "value": name}],
        **more,
    }


def _cohorts(**second: Any) -> list[dict[str, Any]]:
    return [_cohort("short", control=True), {**_cohort("long", description="the new one"), **second}]


def _sent(*cohorts: dict[str, Any]) -> dict[str, Any]:
    """Give the body of a change: an `isFallThrough` that nobody stated is carried along as live has it."""
    return {"cohorts": [{**cohort, "isFallThrough": False} for cohort in cohorts]}


def _metric(name: str, **more: Any) -> dict[str, Any]:
    return {"metricType": "EngagementSignalCompound", "metricName": name, "higherIsBetter": True, **more}


_TWO = (_cohort("short", 4000, control=True), _cohort("long", 3000, description="the new one"))
_PARAMETER = {"engagementSignalName": "Flow_Email_Click_3", "parameterName": "OS", "values": ["iOS 26", "iOS 18"]}
_NEW_NAME = {"name": "hero_two"}


def _state(*states: str) -> Reach:
    def reach(lab: Lab, remote_id: str) -> None:
        for state in states:
            lab.by_hand("salesforce", remote_id, state=state)

    return reach


WORDS = ("update", "update", "update", "replace")
SETTINGS = ("update", "replace", "replace", "replace")
BASICS = ("replace",) * 4


def _setting(name: str, value: Any, **more: Any) -> Edit:
    return Edit(name, {name: value}, (name,), SETTINGS, {name: value}, {**_NEW_NAME, **more})


def _cohort_edit(name: str, path: str, **second: Any) -> Edit:
    return Edit(name, {"cohorts": _cohorts(**second)}, (path,), SETTINGS, _sent(*_cohorts(**second)), _NEW_NAME)


SALESFORCE = Case(
    kind="SalesforceExperiment",
    platform="salesforce",
    spec={
        "name": "hero",
        "label": "Hero, R&D <short> or long",
        "description": "the hero image",
        "dataSpaceName": "default",
        "schemaName": "AResponseTemplate",
        "source": "PersonalizationApp",
        "profileDataGraphName": "RTDG",
        "winnerSelectionMode": "Automatic",
        "chanceToWinThreshold": 95,
        "minimumRequiredParticipants": 1000,
        "minimumDurationInMinutes": 20160,
        "maximumDurationInMinutes": 129600,
        "scheduleFrequencyInMinutes": 1440,
        "criteria": {"all": [{"attribute": "country", "equals": "SE"}]},
        "cohorts": _cohorts(),
        "primaryMetrics": [_metric("TwoCompound", overallScoreWeight=10000)],
        "secondaryMetrics": [_metric("Other")],
        "parameters": [_PARAMETER],
    },
    reach={
        "Created": _stay,
        "Started": _state("Started"),
        "Stopped": _state("Started", "Stopped"),
        "Archived": _state("Started", "Stopped", "Archived"),
    },
    edits=(
        Edit("label", {"label": "Q&A"}, ("label",), WORDS, {"label": "Q&A"}, _NEW_NAME),
        Edit(
            "description",
            {"description": "other words"},
            ("description",),
            WORDS,
            {"description": "other words"},
            _NEW_NAME,
        ),
        Edit("description-cleared", {"description": None}, ("description",), WORDS, {"description": None}, _NEW_NAME),
        Edit("name", {"name": "hero_two"}, ("name",), BASICS),
        Edit("dataSpaceName", {"dataSpaceName": "other"}, ("dataSpaceName",), BASICS, None, _NEW_NAME),
        Edit("schemaName", {"schemaName": "Another"}, ("schemaName",), BASICS, None, _NEW_NAME),
        Edit("source", {"source": "FlowBuilder"}, ("source",), BASICS, None, _NEW_NAME),
        Edit("sourceRecordId", {"sourceRecordId": "0Gx000000000001"}, ("sourceRecordId",), BASICS, None, _NEW_NAME),
        Edit(
            "profileDataGraphName",
            {"profileDataGraphName": "Other"},
            ("profileDataGraphName",),
            BASICS,
            None,
            _NEW_NAME,
        ),
        _setting("winnerSelectionMode", "Manual"),
        _setting("chanceToWinThreshold", 97.5),
        _setting("minimumRequiredParticipants", 2000),
        _setting("minimumDurationInMinutes", 30000),
        _setting("maximumDurationInMinutes", 100000),
        _setting("scheduleFrequencyInMinutes", 720),
        Edit(
            "criteria",
            {"criteria": {"all": [{"attribute": "country", "equals": "NO"}]}},
            ("criteria",),
            SETTINGS,
            {"criteria": '{"all":[{"attribute":"country","equals":"NO"}]}'},
            _NEW_NAME,
        ),
        _cohort_edit("cohorts.label", "cohorts[1].label", label="Long"),
        _cohort_edit("cohorts.description", "cohorts[1].description", description="other words"),
        _cohort_edit("cohorts.personalizerName", "cohorts[1].personalizerName", personalizerName="Recommender"),
        _cohort_edit(
            "cohorts.attributeValues",
            "cohorts[1].attributeValues[0].value",
            attributeValues=[{"attributeName": "Attr1", "value": "much longer"}],
        ),
        Edit(
            "cohorts.allocationWeight",
            {"cohorts": [_cohort("short", 4000, control=True), _cohort("long", 6000, description="the new one")]},
            ("cohorts[0].allocationWeight", "cohorts[1].allocationWeight"),
            SETTINGS,
            _sent(_cohort("short", 4000, control=True), _cohort("long", 6000, description="the new one")),
            _NEW_NAME,
        ),
        Edit(
            "cohorts.added",
            {"cohorts": [*_TWO, _cohort("longest", 3000)]},
            ("cohorts[2]",),
            SETTINGS,
            {
                "cohorts": [
                    *_sent(*_TWO)["cohorts"],
                    _cohort("longest", 3000),
                ]
            },
            _NEW_NAME,
        ),
        Edit(
            "primaryMetrics",
            {"primaryMetrics": [_metric("Third", overallScoreWeight=10000)]},
            ("primaryMetrics[0]",),
            SETTINGS,
            {"primaryMetrics": [_metric("Third", overallScoreWeight=10000)]},
            _NEW_NAME,
        ),
        Edit(
            "secondaryMetrics",
            {"secondaryMetrics": [{**_metric("Other"), "higherIsBetter": False}]},
            ("secondaryMetrics[0].higherIsBetter",),
            SETTINGS,
            {"secondaryMetrics": [{**_metric("Other"), "higherIsBetter": False}]},
            _NEW_NAME,
        ),
        Edit(
            "parameters",
            {"parameters": [{**_PARAMETER, "values": ["iOS 26", "iOS 26"]}]},
            ("parameters[0].values",),
            SETTINGS,
            {"parameters": [{**_PARAMETER, "values": ["iOS 26", "iOS 26"]}]},
            _NEW_NAME,
        ),
    ),
    ending={
        "Created": (("DELETE", ""),),
        "Started": (("PATCH", "Stop"), ("PATCH", "Archive")),
        "Stopped": (("PATCH", "Archive"),),
        "Archived": (),
    },
    create_calls=1,
    by_hand={"label": "renamed by hand"},
    hand_path="label",
    fresh=lambda n: {
        "name": f"hero_{n}",
        "label": f"Hero {n}",
        "dataSpaceName": "default",
        "schemaName": "AResponseTemplate",
        "source": "PersonalizationApp",
        "cohorts": _cohorts(),
    },
)

CASES = (LINKEDIN, X_ADS, SALESFORCE)
