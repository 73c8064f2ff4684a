"""Experiments as the platforms' APIs show them, in every legal shape, for property tests."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
PAGE = json.loads((Path(__file__).parent / "salesforce_page_response.json").read_text(encoding="utf-8"))

texts = st.one_of(
    st.text(min_size=1, max_size=80).filter(str.strip),
    st.sampled_from(
        [
            "no",
            "012",
            "a: b",
            "# a",
            "\u202e",
            "two\nlines\n",
            "ünï",
            "{}",
            "{{ a }}",
            "{% b %}",
            "{# c #}",
            "{{{",
            "-",
            "1e3",
            "é",
            " x ",
        ]
    ),
)
optional = st.one_of(st.none(), st.just(""), texts)


@st.composite
def linkedin_bodies(draw: st.DrawFn) -> dict[str, Any]:
    start = NOW + timedelta(days=draw(st.integers(-80, 80)), milliseconds=draw(st.integers(0, 999)))
    weight = draw(st.integers(1, 99))
    body: dict[str, Any] = {
        "id": draw(st.integers(1, 10**12)),
        "account": "urn:li:sponsoredAccount:123",
        "name": draw(texts),
        "description": draw(optional),
        "keyMetric": draw(st.sampled_from(["CPC", "CPM", "CPV", "CPMS"])),
        "confidence": draw(st.integers(51, 99)),
        "autoStop": draw(st.sampled_from([None, "AUTO_STOP_AT_END_DATE", "AUTO_STOP_AT_WINNER", "AUTO_STOP_DISABLED"])),
        "userIntendedState": draw(st.sampled_from(["DRAFT", "ACTIVE", "PAUSED", "CANCELED"])),
        "executionState": draw(st.sampled_from(["PENDING", "RUNNING", "ON_HOLD", "STOPPED", "ENDED"])),
        "scheduledStartAt": int(start.timestamp() * 1000),
        "scheduledEndAt": int((start + timedelta(days=draw(st.integers(1, 90)))).timestamp() * 1000),
        "cells": [
            {
                "name": draw(texts),
                "description": draw(optional),
                "trafficWeight": share,
                "reference": {"campaign": f"urn:li:sponsoredCampaign:{number}"},
                "added": "later",
            }
            for number, share in ((draw(st.integers(1, 10**9)), weight), (10**9 + 1, 100 - weight))
        ],
        "created": {"actor": "urn:li:person:a", "time": 1},
        "terminationReason": draw(st.sampled_from([None, "MANUAL"])),
    }
    return body


@st.composite
def x_bodies(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(2, 30))
    sizes = [draw(st.integers(100, (10000 - 100 * (count - 1)) // count * 2 - 100)) for _ in range(count - 1)]
    if sum(sizes) > 9900 - 0 or 10000 - sum(sizes) > 9900 or 10000 - sum(sizes) < 100:
        sizes = [10000 // count] * (count - 1)
    sizes.append(10000 - sum(sizes))
    start = NOW.replace(minute=0) + timedelta(hours=draw(st.integers(-2000, 2000)))
    names = draw(st.lists(optional, min_size=count, max_size=count))
    spell = draw(st.sampled_from([lambda n: n / 100, lambda n: f"{n / 100:.2f}", lambda n: str(n / 100)]))
    return {
        "id": draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)),
        "name": draw(optional),
        "description": draw(optional),
        "entity_type": "CAMPAIGN",
        "status": draw(st.sampled_from(["SCHEDULED", "LIVE", "COMPLETED"])),
        "start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_time": (start + timedelta(days=draw(st.integers(1, 300)))).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "user_groups": [
            {
                "id": f"g{number}",
                "name": names[number],
                "description": draw(optional),
                "size": spell(sizes[number]),
                "entity_ids": [f"c{number}{one}" for one in range(draw(st.integers(1, 3)))],
            }
            for number in range(count)
        ],
        "entities": [],
        "deleted": False,
    }


json_values = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=20,
)


@st.composite
def salesforce_bodies(draw: st.DrawFn) -> dict[str, Any]:
    body = copy.deepcopy(PAGE)
    space = draw(st.sampled_from(["default", "myDs"]))
    prefix = draw(st.sampled_from(["", "myDs_"])) if space == "myDs" else ""
    weights = draw(st.sampled_from([(10000, 0), (5000, 5000), (3333, 6667), (0, 10000)]))
    body |= {
        "name": prefix + draw(st.text("abcXYZ019_", min_size=1, max_size=30)),
        "label": draw(texts),
        "description": draw(optional),
        "dataSpaceName": space,
        "state": draw(st.sampled_from(["Created", "Started", "Stopped", "Archived"])),
        "status": draw(st.sampled_from(["Active", "Processing", "EditError"])),
        "winnerSelectionMode": draw(st.sampled_from(["Manual", "Automatic", None])),
        "chanceToWinThreshold": draw(st.sampled_from([85, 95.0, 97.25, 99.999, None])),
        "minimumRequiredParticipants": draw(st.sampled_from([None, 300, 5000, 1])),
        "criteria": draw(st.one_of(st.none(), st.dictionaries(texts, json_values, max_size=3))),
        "parameters": draw(st.sampled_from([[], PAGE["parameters"], [{**PAGE["parameters"][0], "values": []}]])),
        "sourceRecordId": draw(optional),
        "schemaName": None if draw(st.booleans()) else "AResponseTemplate",
    }
    if body["schemaName"] is None:
        del body["schemaName"]
        body["schemaEnum"] = draw(st.sampled_from(["FlowPath", "DecisionDefined"]))
    for cohort, weight in zip(body["cohorts"], weights, strict=True):
        cohort |= {"allocationWeight": weight, "name": prefix + cohort["name"], "label": draw(texts)}
        cohort["attributeValues"][0]["value"] = draw(st.text(max_size=20))
        if draw(st.booleans()):
            cohort["description"] = draw(optional)
    if draw(st.booleans()):
        body["primaryMetric"] = {**body.pop("primaryMetrics")[0], "overallScoreWeight": None}
    return body
