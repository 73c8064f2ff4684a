"""
Manifests of all three kinds, and what may be done to them and to what is live, drawn by Hypothesis.

The specs come from few names, campaigns and entities, so that experiments get into each other's way.
"""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

KINDS = ("LinkedInExperiment", "XAdsABTest", "SalesforceExperiment")
NAMES = ("a", "b", "c")
WORDS = ("first words", "other words", "ü <b>|`x`", "tail ")
CAMPAIGNS = tuple(f"urn:li:sponsoredCampaign:{number}" for number in range(1001, 1007))
ENTITIES = tuple(f"c{number}" for number in range(1001, 1009))
API_NAMES = ("hero_one", "hero_two", "hero_three")
SPLITS = {
    2: (("50.00", "50.00"), ("60.00", "40.00"), (33.5, 66.5), ("1.00", "99.00")),
    3: (("50.00", "25.00", "25.00"), ("40.00", "35.00", "25.00"), ("33.33", "33.33", "33.34")),
    4: (("25.00", "25.00", "25.00", "25.00"), ("40", "30", "20", "10")),
}
BASIS = {
    2: ((5000, 5000), (6000, 4000), (0, 10000)),
    3: ((4000, 3000, 3000), (5000, 2500, 2500)),
    4: ((2500, 2500, 2500, 2500), (4000, 3000, 2000, 1000)),
}
Data = Any


def shown(moment: datetime) -> str:
    """Give a time as a manifest writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def pick(data: Data, *choices: Any) -> Any:
    """Draw one of the choices; the first is the simplest."""
    return data.draw(st.sampled_from(choices))


def _maybe(data: Data, spec: dict[str, Any], key: str, *values: Any) -> None:
    """State a key with one of the values, or leave it out."""
    value = pick(data, ..., *values)
    if value is not ...:
        spec[key] = value


# --- fresh ones ------------------------------------------------------------------------------------------------------


def fresh(data: Data, kind: str, now: datetime) -> dict[str, Any]:
    """Give the spec of a new experiment."""
    return {"LinkedInExperiment": _linkedin, "XAdsABTest": _x_ads, "SalesforceExperiment": _salesforce}[kind](data, now)


def lifecycle(data: Data, kind: str) -> dict[str, Any]:
    """Give a lifecycle block; empty for none."""
    made: dict[str, Any] = {}
    _maybe(data, made, "onImmutableChange", "replace", "block")
    _maybe(data, made, "onRemoval", "abandon", "end")
    _maybe(data, made, "preventDestroy", True, False)
    fields = {
        "LinkedInExperiment": (
            "description",
            "name",
            "userIntendedState",
            "cells",
            "scheduledEndAt",
            "scheduledStartAt",
        ),
        "XAdsABTest": ("description", "name", "user_groups", "end_time"),
        "SalesforceExperiment": ("description", "label", "state", "cohorts", "criteria"),
    }[kind]
    _maybe(data, made, "ignoreChanges", [pick(data, *fields)])
    return made


def _window(data: Data, now: datetime) -> tuple[str, str]:
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=pick(data, 7, 1, 2, 30))
    return shown(start), shown(start + timedelta(days=pick(data, 30, 14, 60, 90)))


def _cell(name: str, campaign: str, weight: int) -> dict[str, Any]:
    return {"name": name, "trafficWeight": weight, "reference": {"campaign": campaign}}


def _linkedin(data: Data, now: datetime) -> dict[str, Any]:
    start, end = _window(data, now)
    first = pick(data, *CAMPAIGNS)
    second = pick(data, *(campaign for campaign in CAMPAIGNS if campaign != first))
    weight = pick(data, 50, 30, 1)
    spec: dict[str, Any] = {
        "account": "urn:li:sponsoredAccount:123",
        "name": pick(data, *WORDS),
        "keyMetric": pick(data, "CPC", "CPM"),
        "confidence": pick(data, 90, 95, 51),
        "scheduledStartAt": start,
        "scheduledEndAt": end,
        "cells": [_cell("control", first, weight), _cell("test", second, 100 - weight)],
    }
    _maybe(data, spec, "description", *WORDS, None)
    _maybe(data, spec, "autoStop", "AUTO_STOP_DISABLED", "AUTO_STOP_AT_WINNER", "AUTO_STOP_AT_END_DATE")
    _maybe(data, spec, "userIntendedState", "ACTIVE", "DRAFT", "PAUSED", "CANCELED")
    _maybe(data, spec["cells"][1], "description", *WORDS, None)
    return spec


def _x_ads(data: Data, now: datetime) -> dict[str, Any]:
    start, end = _window(data, now)
    count = pick(data, 2, 3, 4)
    entities = data.draw(st.permutations(ENTITIES))
    sizes = pick(data, *SPLITS[count])
    groups: list[dict[str, Any]] = []
    for index in range(count):
        group: dict[str, Any] = {"entity_ids": [entities[index]], "size": sizes[index]}
        _maybe(data, group, "name", f"group {index}", "group")
        _maybe(data, group, "description", *WORDS[:2], None)
        groups.append(group)
    spec: dict[str, Any] = {
        "account_id": "18ce54d4x5t",
        "entity_type": "CAMPAIGN",
        "start_time": start,
        "end_time": end,
        "user_groups": groups,
    }
    _maybe(data, spec, "name", *WORDS[:3], None)
    _maybe(data, spec, "description", *WORDS[:3], None)
    return spec


def _cohort(data: Data, index: int, weight: int) -> dict[str, Any]:
    cohort: dict[str, Any] = {"name": f"cohort{index}", "label": f"Cohort {index}", "isControl": index == 0}
    cohort["allocationWeight"] = weight
    _maybe(data, cohort, "description", *WORDS[:2], None)
    _maybe(data, cohort, "attributeValues", [{"attributeName": "Attr1", "value": "x"}])
    return cohort


def _salesforce(data: Data, now: datetime) -> dict[str, Any]:
    count = pick(data, 2, 3, 4)
    weights = pick(data, *BASIS[count])
    spec: dict[str, Any] = {
        "name": pick(data, *API_NAMES),
        "label": pick(data, *WORDS),
        "dataSpaceName": "default",
        "schemaName": "AResponseTemplate",
        "source": "PersonalizationApp",
        "cohorts": [_cohort(data, index, weights[index]) for index in range(count)],
    }
    _maybe(data, spec, "description", *WORDS, None)
    _maybe(data, spec, "state", "Started", "Created")
    _maybe(data, spec, "criteria", {"all": [{"attribute": "country", "equals": "SE"}]})
    _maybe(data, spec, "winnerSelectionMode", "Manual", "Automatic")
    _maybe(data, spec, "secondaryMetrics", [_metric("Other")], [])
    return spec


def _metric(name: str) -> dict[str, Any]:
    return {"metricType": "EngagementSignalCompound", "metricName": name, "higherIsBetter": True}


# --- edits -----------------------------------------------------------------------------------------------------------


def edited(data: Data, kind: str, spec: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Give a spec with one field changed, added, cleared or no longer stated."""
    spec = copy.deepcopy(spec)
    {"LinkedInExperiment": _edit_linkedin, "XAdsABTest": _edit_x_ads, "SalesforceExperiment": _edit_salesforce}[kind](
        data, spec, now
    )
    return spec


def _set(data: Data, spec: dict[str, Any], key: str, *values: Any) -> None:
    """Give a key one of the values; `...` takes it out."""
    value = pick(data, *values)
    if value is ...:
        spec.pop(key, None)
    else:
        spec[key] = value


def _moved(data: Data, spec: dict[str, Any], key: str, now: datetime) -> None:
    old = datetime.fromisoformat(spec[key])
    days = pick(data, 7, -3, 1, 30)
    spec[key] = shown(pick(data, old + timedelta(days=days), now.replace(minute=0, second=0) + timedelta(days=days)))


def _edit_linkedin(data: Data, spec: dict[str, Any], now: datetime) -> None:
    what = pick(
        data, "name", "description", "userIntendedState", "scheduledEndAt", "scheduledStartAt", "confidence",
        "keyMetric", "autoStop", "cell", "weights", "campaign", "order",
    )  # fmt: skip
    cell = spec["cells"][pick(data, 0, 1)]
    if what == "name":
        _set(data, spec, "name", *WORDS)
    elif what == "description":
        _set(data, spec, "description", *WORDS, None, ...)
    elif what == "userIntendedState":
        _set(data, spec, what, "ACTIVE", "PAUSED", "CANCELED", "DRAFT", ...)
    elif what in ("scheduledStartAt", "scheduledEndAt"):
        _moved(data, spec, what, now)
    elif what == "confidence":
        _set(data, spec, what, 90, 95, 99)
    elif what == "keyMetric":
        _set(data, spec, what, "CPC", "CPM", "CPV")
    elif what == "autoStop":
        _set(data, spec, what, "AUTO_STOP_DISABLED", "AUTO_STOP_AT_END_DATE", ...)
    elif what == "cell":
        _set(data, cell, pick(data, "description", "name"), *WORDS)
        if pick(data, False, True):
            _set(data, cell, "description", None, ...)
    elif what == "weights":
        weight = pick(data, 50, 40, 99)
        spec["cells"][0]["trafficWeight"], spec["cells"][1]["trafficWeight"] = weight, 100 - weight
    elif what == "campaign":
        others = [one for one in CAMPAIGNS if one not in [each["reference"]["campaign"] for each in spec["cells"]]]
        cell["reference"] = {"campaign": pick(data, *others)}
    else:
        spec["cells"].reverse()


def _edit_x_ads(data: Data, spec: dict[str, Any], now: datetime) -> None:
    what = pick(
        data, "name", "description", "end_time", "start_time", "words", "sizes", "entity", "more entities", "more",
        "fewer", "order",
    )  # fmt: skip
    groups = spec["user_groups"]
    group = groups[pick(data, *range(len(groups)))]
    free = [one for one in ENTITIES if not any(one in each["entity_ids"] for each in groups)]
    if what in ("name", "description"):
        _set(data, spec, what, *WORDS[:3], None, ...)
    elif what in ("start_time", "end_time"):
        _moved(data, spec, what, now)
    elif what == "words":
        _set(data, group, pick(data, "name", "description"), *WORDS[:3], None, ...)
    elif what == "sizes":
        _resize(data, groups)
    elif what == "entity" and free:
        group["entity_ids"] = [pick(data, *free)]
    elif what == "more entities" and free:
        group["entity_ids"] = [*group["entity_ids"], pick(data, *free)]
    elif what == "more" and free and len(groups) < 4:
        groups.append({"entity_ids": [pick(data, *free)], "size": "1"})
        _resize(data, groups)
    elif what == "fewer" and len(groups) > 2:
        groups.remove(group)
        _resize(data, groups)
    else:
        groups.reverse()


def _resize(data: Data, groups: list[dict[str, Any]]) -> None:
    for group, size in zip(groups, pick(data, *SPLITS[len(groups)]), strict=True):
        group["size"] = size


def _edit_salesforce(data: Data, spec: dict[str, Any], now: datetime) -> None:
    what = pick(
        data, "label", "description", "state", "cohort", "weights", "more", "fewer", "order", "criteria", "settings",
        "secondaryMetrics", "name", "sourceRecordId",
    )  # fmt: skip
    cohorts = spec["cohorts"]
    cohort = cohorts[pick(data, *range(len(cohorts)))]
    if what == "label":
        _set(data, spec, what, *WORDS)
    elif what == "description":
        _set(data, spec, what, *WORDS, None, ...)
    elif what == "state":
        _set(data, spec, what, "Started", "Stopped", "Archived", "Created", ...)
    elif what == "cohort":
        key = pick(data, "label", "description")
        _set(data, cohort, key, *WORDS, *((None, ...) if key == "description" else ()))
        _set(data, cohort, "attributeValues", [{"attributeName": "Attr1", "value": pick(data, "x", "y")}], ...)
    elif what == "weights":
        _reweigh(data, cohorts)
    elif what == "more" and len(cohorts) < 4:
        names = {each["name"] for each in cohorts}
        number = next(number for number in range(1, 9) if f"cohort{number}" not in names)
        cohorts.append(_cohort(data, number, 1))
        _reweigh(data, cohorts)
    elif what == "fewer" and len(cohorts) > 2:
        cohorts.remove(next(each for each in reversed(cohorts) if not each["isControl"]))
        _reweigh(data, cohorts)
    elif what == "criteria":
        _set(data, spec, what, {"all": [{"attribute": "country", "equals": "NO"}]}, {"any": []}, None, ...)
    elif what == "settings":
        _set(data, spec, "chanceToWinThreshold", 95, 97.5, ...)
        _set(data, spec, "minimumRequiredParticipants", 1000, 2000, ...)
        _set(data, spec, "winnerSelectionMode", "Manual", "Automatic", ...)
    elif what == "secondaryMetrics":
        _set(data, spec, what, [_metric("Other")], [_metric("Other"), _metric("Third")], None, ...)
    elif what == "name":
        _set(data, spec, what, *API_NAMES)
    elif what == "sourceRecordId":
        _set(data, spec, what, "0Gx000000000001", ...)
    else:
        cohorts.reverse()


def _reweigh(data: Data, cohorts: list[dict[str, Any]]) -> None:
    for cohort, weight in zip(cohorts, pick(data, *BASIS[len(cohorts)]), strict=True):
        cohort["allocationWeight"] = weight


# --- people at the platforms' own pages ------------------------------------------------------------------------------


def hand_edit(data: Data, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """Give the changes that a person makes to a live experiment, as the platform's own page takes them."""
    if kind == "LinkedInExperiment":
        cells = copy.deepcopy(row["cells"])
        cells[0]["description"] = "by hand"
        return pick(
            data,
            {"name": "by hand"},
            {"description": "by hand"},
            {"description": None},
            {"confidence": 77},
            {"userIntendedState": "PAUSED"},
            {"userIntendedState": "ACTIVE"},
            {"scheduledEndAt": row["scheduledEndAt"] + 86_400_000},
            {"cells": cells},
            {"cells": list(reversed(row["cells"]))},
        )
    if kind == "XAdsABTest":
        groups = row["user_groups"]
        plain = [{key: value for key, value in group.items() if key != "id"} for group in groups]
        return pick(
            data,
            {"name": "by hand"},
            {"description": "by hand"},
            {"description": None},
            {"end_time": shown(datetime.fromisoformat(row["end_time"]) + timedelta(days=1))},
            {"user_groups": [{"id": groups[0]["id"], "name": "by hand"}]},
            {"user_groups": [{"id": groups[0]["id"], "description": "by hand"}]},
            {"user_groups": list(reversed(plain))},
        )
    cohorts = [{key: value for key, value in cohort.items() if value is not None} for cohort in row["cohorts"]]
    cohorts[-1]["description"] = "by hand"
    return pick(
        data,
        {"label": "by hand"},
        {"description": "by hand"},
        {"description": None},
        {"state": "Started"},
        {"chanceToWinThreshold": 88},
        {"cohorts": cohorts},
    )


def hand_end(kind: str) -> dict[str, Any]:
    """Give the changes by which a person ends an experiment; empty where that is a removal."""
    return {
        "LinkedInExperiment": {"userIntendedState": "CANCELED"},
        "XAdsABTest": {},
        "SalesforceExperiment": {"state": "Stopped"},
    }[kind]


# --- faults ----------------------------------------------------------------------------------------------------------

EFFECTS: tuple[dict[str, Any], ...] = (
    {"status": 429, "headers": {"Retry-After": "3"}},
    {"status": 429},
    {"status": 500},
    {"status": 503, "commit": True},
    {"status": 408, "commit": True},
    {"status": 409, "body": {"code": "WRITE_CONFLICT", "message": "another change is under way", "status": 409}},
    {"drop": "before"},
    {"drop": "after"},
    {"drop": "after", "reset": True},
    {"truncate": 7},
    {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html>bad gateway</html>"},
)


def fault(data: Data) -> dict[str, Any]:
    """Give one rule of a faults file."""
    match: dict[str, Any] = {}
    _maybe(data, match, "platform", "linkedin", "x-ads", "salesforce")
    if pick(data, True, True, False):
        match["method"] = pick(data, "POST", "PUT", "PATCH", "DELETE")
        effect = pick(data, *EFFECTS)
    else:
        match["method"] = "GET"
        effect = pick(data, {"stale": True}, *(each for each in EFFECTS if "commit" not in each))
    times = pick(data, 1, 2, 3) if effect != {"stale": True} else pick(data, 1, 3, 9)
    return {"match": match, "times": times, "after": pick(data, 0, 1, 2), "do": effect}
