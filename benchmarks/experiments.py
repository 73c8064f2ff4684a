"""
The experiments that the benchmarks speak of: number `i` as a manifest, as a record, and as its platform shows it.

Everything follows from the number alone, so that a project of any size, its state and what a server answers agree
without any of them being kept. Of ten experiments five are LinkedIn's, four X's and one Salesforce's (whose interface
reads one experiment a request, so that more of them would measure that alone). An ad account holds 100 experiments.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PER_ACCOUNT = 100
LINKEDIN, X_ADS, SALESFORCE = "linkedin", "x-ads", "salesforce"
_OF_TEN = (LINKEDIN,) * 5 + (X_ADS,) * 4 + (SALESFORCE,)
_BEFORE = {LINKEDIN: 0, X_ADS: 5, SALESFORCE: 9}
_SHARE = {LINKEDIN: 5, X_ADS: 4, SALESFORCE: 1}
START = datetime(2027, 3, 1, 9, tzinfo=UTC)
"""When every experiment starts; nothing here is ever sent that a rule about now would judge."""


@dataclass(frozen=True)
class Experiment:
    """One experiment; `rank` counts those of its platform."""

    number: int

    @property
    def platform(self) -> str:
        """The platform's name."""
        return _OF_TEN[self.number % 10]

    @property
    def rank(self) -> int:
        """Its number among those of its platform, from 0."""
        return self.number // 10 * _SHARE[self.platform] + self.number % 10 - _BEFORE[self.platform]

    @property
    def account(self) -> int:
        """The number of its ad account, from 0."""
        return self.rank // PER_ACCOUNT

    @property
    def key(self) -> str:
        """Its key."""
        kind = {LINKEDIN: "LinkedInExperiment", X_ADS: "XAdsABTest", SALESFORCE: "SalesforceExperiment"}
        return f"{kind[self.platform]}/test-{self.number:06d}"

    @property
    def remote_id(self) -> str:
        """The id its platform gave it."""
        if self.platform == LINKEDIN:
            return str(700_000_001 + self.rank)
        if self.platform == X_ADS:
            return f"x{self.rank:07d}"
        return f"1GaSB{self.rank:010d}AA1"

    @property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The ids its platform gave to what is inside it."""
        if self.platform == X_ADS:
            return {"user_groups": (f"a{self.rank:07d}", f"b{self.rank:07d}")}
        if self.platform == SALESFORCE:
            return {"cohorts": (f"1GcSB{self.rank * 2:010d}AA1", f"1GcSB{self.rank * 2 + 1:010d}AA1")}
        return {}

    @property
    def status(self) -> str:
        """Where it stands."""
        return {LINKEDIN: "PENDING", X_ADS: "SCHEDULED", SALESFORCE: "Created"}[self.platform]


def number_of(platform: str, remote_id: str) -> int:
    """Give the number of an experiment from its platform's id; raises ValueError for an id that is none of ours."""
    if platform == LINKEDIN:
        rank = int(remote_id) - 700_000_001
    elif platform == X_ADS:
        rank = int(remote_id[1:])
    else:
        rank = int(remote_id[5:15])
    share = _SHARE[platform]
    return rank // share * 10 + _BEFORE[platform] + rank % share


def account_of(platform: str, account: int) -> str:
    """Give the name of an ad account as its platform writes it."""
    return f"urn:li:sponsoredAccount:{512_000_000 + account}" if platform == LINKEDIN else f"18ce5{account:06x}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def spec(experiment: Experiment) -> dict[str, Any]:
    """Give its spec, as its manifest states it."""
    number, rank = experiment.number, experiment.rank
    end = START + timedelta(days=28)
    title = f"Headline family {number % 31}, variant {number}"
    if experiment.platform == LINKEDIN:
        return {
            "account": account_of(LINKEDIN, experiment.account),
            "name": title,
            "description": f"Variant b of family {number % 31} lowers the cost of a click by {1 + number % 9} percent.",
            "keyMetric": ("CPC", "CPM", "CPV")[number % 3],
            "confidence": (90, 95)[number % 2],
            "scheduledStartAt": _text(START),
            "scheduledEndAt": _text(end),
            "autoStop": "AUTO_STOP_DISABLED",
            "cells": [
                {
                    "name": name,
                    "description": f"landing page {number % 97}, version {name}",
                    "trafficWeight": 50,
                    "reference": {"campaign": f"urn:li:sponsoredCampaign:{410_000_000 + rank * 2 + index}"},
                }
                for index, name in enumerate(("claim", "question"))
            ],
        }
    if experiment.platform == X_ADS:
        return {
            "account_id": account_of(X_ADS, experiment.account),
            "name": title,
            "description": f"Variant b of family {number % 31} lowers the cost of a click by {1 + number % 9} percent.",
            "entity_type": "CAMPAIGN",
            "start_time": _text(START),
            "end_time": _text(end),
            "user_groups": [
                {
                    "name": name,
                    "description": f"creative {number % 97}, version {name}",
                    "size": "50.00",
                    "entity_ids": [f"c{rank * 2 + index:07d}"],
                }
                for index, name in enumerate(("photo", "drawing"))
            ],
        }
    return {
        "name": f"hero_test_{number}",
        "label": title[:80],
        "description": f"Variant b of family {number % 31} brings more sign-ups.",
        "dataSpaceName": "default",
        "schemaName": "AResponseTemplate",
        "source": "PersonalizationApp",
        "winnerSelectionMode": "Manual",
        "chanceToWinThreshold": 95,
        "cohorts": [
            {
                "name": name,
                "label": f"{name} hero",
                "isControl": not index,
                "allocationWeight": 5000,
                "attributeValues": [{"attributeName": "Hero", "value": f"{name}-{number % 97}"}],
            }
            for index, name in enumerate(("short", "long"))
        ],
    }


def manifest(experiment: Experiment) -> str:
    """Give its manifest's text, in the block style that people write."""
    kind, name = experiment.key.split("/")
    head = (
        f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata:\n  name: {name}\n"
        f"  labels:\n    team: team-{experiment.number % 12}\n    quarter: q{1 + experiment.number % 4}\nspec:\n"
    )
    return head + "".join(_block(spec(experiment), 2))


def _block(values: dict[str, Any], indent: int) -> list[str]:
    lines = []
    for key, value in values.items():
        pad = " " * indent
        if isinstance(value, dict):
            lines.append(f"{pad}{key}:\n")
            lines += _block(value, indent + 2)
        elif isinstance(value, list):
            lines.append(f"{pad}{key}:\n")
            for item in value:
                if isinstance(item, dict):
                    inner = _block(item, indent + 4)
                    lines.append(f"{pad}  - {inner[0].lstrip()}")
                    lines += inner[1:]
                else:
                    lines.append(f"{pad}  - {item}\n")
        else:
            quoted = json.dumps(value) if not isinstance(value, str) or key == "size" else value
            lines.append(f"{pad}{key}: {quoted}\n")
    return lines


def wire(experiment: Experiment, changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give it as its platform's answers show it, `changed` over it."""
    stated = {**spec(experiment), **(changed or {})}
    if experiment.platform == LINKEDIN:
        start = int(START.timestamp() * 1000)
        stamp = {"actor": "urn:li:member:7", "time": 1_795_591_097_475}
        return {
            **stated,
            "userIntendedState": "ACTIVE",
            "scheduledStartAt": start,
            "scheduledEndAt": start + 28 * 86_400_000,
            "id": int(experiment.remote_id),
            "executionState": "PENDING",
            "created": stamp,
            "lastModified": stamp,
        }
    if experiment.platform == X_ADS:
        account = stated.pop("account_id")
        ids = experiment.children["user_groups"]
        groups = [
            {**group, "size": "50.0", "id": remote} for group, remote in zip(stated["user_groups"], ids, strict=True)
        ]
        who = {"user_id": "756201191646691328", "username": "apimctestface"}
        return {
            **stated,
            "user_groups": groups,
            "id": experiment.remote_id,
            "status": "SCHEDULED",
            "deleted": False,
            "entities": [{"id": remote, "account_id": account} for remote in ids],
            "created_at": "2026-11-25T07:18:17Z",
            "created_by": who,
            "updated_at": "2026-11-25T07:18:17Z",
            "updated_by": who,
        }
    nothing = (
        "lastAnalyzed",
        "maximumDurationInMinutes",
        "minimumDurationInMinutes",
        "minimumRequiredParticipants",
        "profileDataGraphName",
        "scheduleFrequencyInMinutes",
        "sourceRecordId",
        "startedDate",
        "stoppedDate",
    )
    who, moment = "005SB000002HsR5YAK", "2026-11-25T07:18:17.000Z"
    cohorts = [
        {
            **cohort,
            "id": remote,
            "isFallThrough": False,
            "createdById": who,
            "createdDate": moment,
            "attributeValues": [{**value, "attributeEnum": None} for value in cohort["attributeValues"]],
        }
        for cohort, remote in zip(stated["cohorts"], experiment.children["cohorts"], strict=True)
    ]
    return {
        **stated,
        **dict.fromkeys(nothing),
        "cohorts": cohorts,
        "id": experiment.remote_id,
        "isRemote": False,
        "parameters": [],
        "primaryMetrics": [],
        "secondaryMetrics": [],
        "state": "Created",
        "status": "Active",
        "createdById": who,
        "createdDate": moment,
        "lastModifiedById": who,
        "lastModifiedDate": moment,
        "url": f"/services/data/v65.0/personalization/abn-experiments/{experiment.remote_id}",
    }
