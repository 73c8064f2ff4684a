"""
The field table of `SalesforceExperiment`: meaning, limits and mutability by state.

Only one cell of the mutability table is proven: `label` and `description` change while Started (seed). `Created` counts
as open (assumed allowed), everything else as closed: such a change is blocked, or made as a replace where the manifest
says `onImmutableChange: replace`. "Opt-in" cells of the page count as closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.model.kind import Cell, Evidence, Field, Verdict
from reconciler.platforms.salesforce.facts import (
    ATTRIBUTE_ENUMS,
    DEFAULT_WINNER_MODE,
    METRIC_TYPES,
    SCHEMA_ENUMS,
    SOURCES,
    STATES,
    WINNER_MODES,
)

Row = Mapping[str, Cell]

_SEEN: Final = Cell(Verdict.IN_PLACE, Evidence.SEED)
_OPEN: Final = Cell(Verdict.IN_PLACE, Evidence.ASSUMED)


def _closed(why: str) -> Cell:
    return Cell(Verdict.REPLACE, Evidence.ASSUMED, why)


_OVER = {
    "Stopped": _closed("Salesforce documents no change of this, and the result is final"),
    "Archived": _closed("an archived experiment does not change any more"),
}
_ASSIGNED = "assigned people stay in their cohort for the life of the experiment"
_JUDGED = "Salesforce documents no such change, and it would spoil the comparison"
_FIXED = "it is part of what the experiment is: a new experiment is needed"

WORDS: Final[Row] = {"Created": _OPEN, "Started": _SEEN, "Stopped": _OPEN, "Archived": _OVER["Archived"]}
SETTINGS: Final[Row] = {"Created": _OPEN, "Started": _closed(_JUDGED), **_OVER}
COHORT: Final[Row] = {"Created": _OPEN, "Started": _closed(_ASSIGNED), **_OVER}
BASICS: Final[Row] = {state: _closed(_FIXED) for state in STATES}
NAME: Final[Row] = {state: _closed("an API name is not renamed") for state in STATES}
STATE: Final[Row] = {
    "Created": Cell(Verdict.IN_PLACE, Evidence.ASSUMED, "to Started only"),
    "Started": Cell(Verdict.IN_PLACE, Evidence.ASSUMED, "to Stopped or Archived"),
    "Stopped": Cell(Verdict.IN_PLACE, Evidence.ASSUMED, "to Archived only; never back to Started"),
    "Archived": Cell(Verdict.NEVER, Evidence.ASSUMED, "Archived is the end"),
}


def _row(path: str, type_: str, meaning: str, source: str, change: Row, limits: str = "", **more: Any) -> Field:
    return Field(path=path, type=type_, meaning=meaning, source=source, change=change, limits=limits, **more)


def _enum(values: tuple[str, ...]) -> str:
    return " | ".join(values)


def _metric(list_path: str, *, weighted: bool) -> tuple[Field, ...]:
    kind = "primary" if weighted else "secondary"
    rows = (
        _row(
            f"{list_path}[]",
            "metric",
            f"A {kind} metric: " + ("decides the winner." if weighted else "is watched beside the primary ones."),
            "seed, doc D6",
            SETTINGS,
            "unique by metricType, engagementSignalName and metricName",
            clearable=True,
            set_like=True,
        ),
        _row(
            f"{list_path}[].metricType",
            "text",
            "What kind of metric it is.",
            "seed, doc D8 D16",
            SETTINGS,
            f"known: {_enum(METRIC_TYPES)}",
            required=True,
        ),
        _row(
            f"{list_path}[].metricName",
            "text",
            "Developer name of the metric.",
            "seed, doc D8",
            SETTINGS,
            required=True,
        ),
        _row(
            f"{list_path}[].engagementSignalName",
            "text",
            "The engagement signal that owns the metric; left out for compound metrics.",
            "seed, doc D8",
            SETTINGS,
        ),
        _row(f"{list_path}[].higherIsBetter", "boolean", "Whether more of it is better.", "seed, doc D8", SETTINGS),
    )
    weight = _row(
        f"{list_path}[].overallScoreWeight",
        "integer",
        "Share of the overall score, in basis points.",
        "seed; sum assumed",
        SETTINGS,
        "0 to 10000; all together 10000",
    )
    return (*rows, weight) if weighted else rows


FIELDS: Final[tuple[Field, ...]] = (
    _row(
        "name",
        "text",
        "API name of the experiment, by which it is found again. Archiving does not free it.",
        "doc D6 D18; characters and no renaming assumed",
        NAME,
        "1 to 40 letters, digits and _",
        required=True,
    ),
    _row("label", "text", "Name as people see it.", "seed, doc D6 D18", WORDS, "1 to 255 characters", required=True),
    _row(
        "description",
        "text",
        "What the experiment is about.",
        "seed, doc D2 D6 D18",
        WORDS,
        "at most 255 characters",
        clearable=True,
    ),
    _row(
        "state",
        "enum",
        "The state wanted; left out, the state is left alone.",
        "seed, doc D10 D11; transitions assumed",
        STATE,
        f"{_enum(STATES)}; Created to Started to Stopped to Archived, never back",
    ),
    _row("dataSpaceName", "text", "API name of the data space.", "doc D6", BASICS, required=True),
    _row(
        "profileDataGraphName",
        "text",
        "Profile data graph; needed only when cohorts name a personalizer.",
        "doc D6 D20",
        BASICS,
        clearable=True,
    ),
    _row(
        "schemaName",
        "text",
        "API name of the content schema (response template).",
        "doc D6 D9",
        BASICS,
        "exactly one of schemaName and schemaEnum; a data-space prefix has to agree with dataSpaceName",
    ),
    _row(
        "schemaEnum",
        "enum",
        "Standard schema, instead of schemaName.",
        "doc D3 D16",
        BASICS,
        f"{_enum(SCHEMA_ENUMS)}; exactly one of schemaName and schemaEnum",
    ),
    _row("source", "enum", "Where the experiment is made from.", "doc D6 D13", BASICS, _enum(SOURCES), required=True),
    _row(
        "sourceRecordId",
        "text",
        "The record that the experiment belongs to (Flow element, CMS content).",
        "doc D6, seed",
        BASICS,
        clearable=True,
    ),
    _row(
        "winnerSelectionMode",
        "enum",
        "Whether Salesforce picks the winner.",
        "doc D6 D14 D16",
        SETTINGS,
        _enum(WINNER_MODES),
        default=DEFAULT_WINNER_MODE,
    ),
    _row(
        "chanceToWinThreshold",
        "number",
        "Chance to win, in percent, from which a cohort is the winner.",
        "doc D6 D18",
        SETTINGS,
        "85 to 100, at most two decimals",
    ),
    _row(
        "minimumRequiredParticipants",
        "integer",
        "People needed before a winner is picked; without effect in Manual mode.",
        "doc D6",
        SETTINGS,
        "300 to 5000",
    ),
    _row(
        "minimumDurationInMinutes",
        "integer",
        "Minutes before a winner is picked; without effect in Manual mode.",
        "doc D6",
        SETTINGS,
        "60 to 129600",
    ),
    _row(
        "maximumDurationInMinutes",
        "integer",
        "Minutes after which the experiment ends; without effect in Manual mode.",
        "doc D6",
        SETTINGS,
        "minimumDurationInMinutes to 129600",
    ),
    _row(
        "scheduleFrequencyInMinutes",
        "integer",
        "Minutes between two analyses.",
        "doc D6",
        SETTINGS,
        "30 to 1440",
    ),
    _row(
        "cohorts[]",
        "cohort",
        "The groups that people are assigned to; cohorts are told apart by name.",
        "doc D6 D7 D25",
        COHORT,
        "2 to 10, exactly one of them the control; weights add up to 10000",
        required=True,
        set_like=True,
    ),
    _row(
        "cohorts[].name",
        "text",
        "Name of the cohort, unique in the experiment.",
        "doc D7 D18",
        COHORT,
        "1 to 80 characters",
        required=True,
    ),
    _row(
        "cohorts[].label",
        "text",
        "Name of the cohort as people see it.",
        "doc D7 D18",
        COHORT,
        "1 to 255 characters",
        required=True,
    ),
    _row(
        "cohorts[].description",
        "text",
        "What the cohort is about.",
        "doc D7",
        COHORT,
        "at most 255 characters",
        clearable=True,
    ),
    _row("cohorts[].isControl", "boolean", "Whether it is the control.", "doc D7 D21", COHORT, required=True),
    _row(
        "cohorts[].isFallThrough",
        "boolean",
        "Whether the control's people get the personalization point's own decisions.",
        "doc D7 D17 D22",
        COHORT,
        "true only with isControl",
        default=False,
    ),
    _row(
        "cohorts[].allocationWeight",
        "integer",
        "Share of the people, in basis points; the control's may be left out (10000 minus the others).",
        "doc D7 D19 D23",
        COHORT,
        "0 to 10000; all together 10000",
        required=True,
    ),
    _row(
        "cohorts[].personalizerName",
        "text",
        "API name of the recommender; without effect on a fall-through control.",
        "doc D7",
        COHORT,
        clearable=True,
    ),
    _row(
        "cohorts[].attributeValues[]",
        "attribute value",
        "What the cohort's people get; without effect on a fall-through control.",
        "seed, doc D7",
        COHORT,
        "unique by attributeName or attributeEnum",
        clearable=True,
        set_like=True,
    ),
    _row(
        "cohorts[].attributeValues[].attributeName",
        "text",
        "Attribute of a custom content schema.",
        "seed",
        COHORT,
        "exactly one of attributeName and attributeEnum",
    ),
    _row(
        "cohorts[].attributeValues[].attributeEnum",
        "enum",
        "Attribute of a standard schema.",
        "seed, doc D15",
        COHORT,
        f"{_enum(ATTRIBUTE_ENUMS)}; exactly one of attributeName and attributeEnum",
    ),
    _row(
        "cohorts[].attributeValues[].value",
        "text",
        "The value, always text: quote numbers.",
        "seed, doc D3; length doc D40 of a sibling resource, assumed",
        COHORT,
        "at most 20000 characters",
        required=True,
    ),
    *_metric("primaryMetrics", weighted=True),
    *_metric("secondaryMetrics", weighted=False),
    _row(
        "criteria",
        "mapping or JSON text",
        "Targeting rules: who takes part. Sent as JSON text.",
        "doc D6 D9 D24",
        SETTINGS,
        "at most 50 conditions",
        clearable=True,
    ),
    _row(
        "parameters[]",
        "parameter",
        "Parameters of engagement signals.",
        "seed, doc D6",
        SETTINGS,
        "unique by engagementSignalName and parameterName",
        clearable=True,
        set_like=True,
    ),
    _row(
        "parameters[].engagementSignalName",
        "text",
        "The engagement signal that has the parameter.",
        "seed",
        SETTINGS,
        required=True,
    ),
    _row("parameters[].parameterName", "text", "Name of the parameter.", "seed", SETTINGS, required=True),
    _row(
        "parameters[].values",
        "list of text",
        "Its values: order and repetitions count.",
        "seed; order assumed",
        SETTINGS,
        required=True,
    ),
)
