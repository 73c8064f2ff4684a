"""
Which fields a rule speaks of, by rule id.

A rule is data without a path: it may speak of several fields, or of all of them. `explain` and the reference show
it at each; a test holds that every rule has its entry and that the checks report at one of the fields named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.model.diagnostic import Rule
from reconciler.platforms.base import Kind

EVERY: Final = "*"
"""Stands for every field of the kind."""

_LINKEDIN_WINDOW = ("scheduledStartAt", "scheduledEndAt")
_LINKEDIN_OVERLAP = ("cells[].reference.campaign", *_LINKEDIN_WINDOW)
_LINKEDIN_FIXED = ("keyMetric", "scheduledStartAt", "cells[].trafficWeight", "cells[].reference.campaign")
_X_WINDOW = ("start_time", "end_time")
_SALESFORCE_REQUIRED_TEXT = (
    "name",
    "label",
    "dataSpaceName",
    "cohorts[].name",
    "cohorts[].label",
    "primaryMetrics[].metricType",
    "primaryMetrics[].metricName",
    "secondaryMetrics[].metricType",
    "secondaryMetrics[].metricName",
)
_SALESFORCE_LIMITED_TEXT = (
    "name",
    "label",
    "description",
    "cohorts[].name",
    "cohorts[].label",
    "cohorts[].description",
    "cohorts[].attributeValues[].value",
)
_SALESFORCE_ATTRIBUTES = ("cohorts[].attributeValues[].attributeName", "cohorts[].attributeValues[].attributeEnum")
_SALESFORCE_METRICS = ("primaryMetrics[]", "secondaryMetrics[]")

RULE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "LIN001": ("cells[]",),
    "LIN002": ("cells[].reference.campaign",),
    "LIN003": ("cells[].trafficWeight",),
    "LIN004": ("cells[].trafficWeight",),
    "LIN005": ("confidence",),
    "LIN006": ("confidence",),
    "LIN007": _LINKEDIN_WINDOW,
    "LIN008": _LINKEDIN_WINDOW,
    "LIN009": _LINKEDIN_WINDOW,
    "LIN010": _LINKEDIN_WINDOW,
    "LIN011": _LINKEDIN_WINDOW,
    "LIN012": ("name",),
    "LIN013": ("description",),
    "LIN014": ("cells[].name",),
    "LIN015": ("cells[].description",),
    "LIN016": ("name", "description", "cells[].name", "cells[].description"),
    "LIN017": _LINKEDIN_WINDOW,
    "LIN018": _LINKEDIN_OVERLAP,
    "LIN019": _LINKEDIN_OVERLAP,
    "LIN020": ("scheduledEndAt",),
    "LIN021": ("scheduledEndAt",),
    "LIN022": ("scheduledStartAt",),
    "LIN023": ("scheduledEndAt",),
    "LIN024": ("userIntendedState",),
    "LIN025": (EVERY,),
    "LIN026": ("userIntendedState",),
    "LIN027": ("autoStop", "userIntendedState"),
    "LIN028": ("userIntendedState",),
    "LIN029": _LINKEDIN_FIXED,
    "XAD001": ("user_groups[].size",),
    "XAD002": ("user_groups[].entity_ids",),
    "XAD003": ("user_groups[].entity_ids",),
    "XAD004": ("entity_type", "user_groups[].entity_ids"),
    "XAD005": ("entity_type", "user_groups[]"),
    "XAD006": ("entity_type", "user_groups[].size"),
    "XAD007": _X_WINDOW,
    "XAD008": _X_WINDOW,
    "XAD009": _X_WINDOW,
    "XAD010": _X_WINDOW,
    "XAD011": ("user_groups[].entity_ids",),
    "XAD012": ("start_time",),
    "XAD013": ("end_time",),
    "XAD014": (EVERY,),
    "XAD015": ("start_time",),
    "XAD016": ("end_time",),
    "SFP001": ("name",),
    "SFP002": _SALESFORCE_LIMITED_TEXT,
    "SFP003": _SALESFORCE_REQUIRED_TEXT,
    "SFP004": ("schemaName", "schemaEnum"),
    "SFP005": ("schemaName", "dataSpaceName"),
    "SFP006": ("cohorts[]",),
    "SFP007": ("cohorts[].name",),
    "SFP008": ("cohorts[].isControl",),
    "SFP009": ("cohorts[].isFallThrough", "cohorts[].isControl"),
    "SFP010": ("cohorts[].allocationWeight", "cohorts[].isControl"),
    "SFP011": ("cohorts[].allocationWeight",),
    "SFP012": _SALESFORCE_ATTRIBUTES,
    "SFP013": _SALESFORCE_ATTRIBUTES,
    "SFP014": ("profileDataGraphName", "cohorts[].personalizerName"),
    "SFP015": ("cohorts[].isFallThrough", "cohorts[].attributeValues[]", "cohorts[].personalizerName"),
    "SFP016": _SALESFORCE_METRICS,
    "SFP017": ("primaryMetrics[].overallScoreWeight",),
    "SFP018": ("primaryMetrics[].metricType", "secondaryMetrics[].metricType"),
    "SFP019": ("parameters[]",),
    "SFP020": ("chanceToWinThreshold",),
    "SFP021": ("minimumRequiredParticipants", "winnerSelectionMode"),
    "SFP022": ("minimumDurationInMinutes", "maximumDurationInMinutes", "winnerSelectionMode"),
    "SFP023": ("minimumDurationInMinutes", "maximumDurationInMinutes"),
    "SFP024": ("scheduleFrequencyInMinutes",),
    "SFP025": ("criteria",),
    "SFP026": ("name",),
}


def rules_of(kind: Kind, path: str) -> tuple[Rule, ...]:
    """Give the rules of a kind that speak of a field or of anything inside it; `path` is a template."""
    return tuple(
        rule
        for rule in kind.rules
        if any(named == EVERY or is_within(named, path) for named in RULE_FIELDS.get(rule.id, ()))
    )


def fields_of(kind: Kind, rule: Rule) -> tuple[str, ...]:
    """Give the template paths that a rule speaks of, in the order of the field table."""
    named = RULE_FIELDS.get(rule.id, ())
    return tuple(row.path for row in kind.fields if EVERY in named or row.path in named)


def is_within(path: str, outer: str) -> bool:
    """Tell whether a path is `outer` itself or leads into it: `cells[].name` is within `cells[]`."""
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
