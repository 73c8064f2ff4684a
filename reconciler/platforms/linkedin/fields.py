"""
The field table of a LinkedIn experiment: what each field means and when it may change.

The cells follow LinkedIn's "Update Experiments" section: before the start everything but `account`; after it name,
description, scheduledEndAt, autoStop, confidence, userIntendedState and the cells' texts; after the end nothing.
LinkedIn's page does not speak of STOPPED apart from extending the end: that column reads as started, assumed. An ended
experiment can only be followed by a new one, hence "replace" in the last column.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.kind import Cell, Evidence, Field, Verdict
from reconciler.platforms.linkedin import facts

_SEED, _ASSUMED = Evidence.SEED, Evidence.ASSUMED
_UPDATE = "seed: Update Experiments"
_SCHEMA = "seed: AdExperiment schema"
_CELL_SCHEMA = "seed: AdExperimentCell schema"

_OPEN = Cell(Verdict.IN_PLACE, _SEED)
_OPEN_STOPPED = Cell(Verdict.IN_PLACE, _ASSUMED, "LinkedIn's page does not say what a STOPPED experiment accepts")
_OVER = Cell(Verdict.REPLACE, _SEED, "an ended experiment is immutable; only a new one can have the change")
_FIXED = Cell(Verdict.REPLACE, _SEED, "LinkedIn does not let it change once the experiment has started")
_FIXED_STOPPED = Cell(Verdict.REPLACE, _SEED, "LinkedIn does not let it change after the start, stopped or not")
_NEVER_ACCOUNT = Cell(Verdict.REPLACE, _SEED, "LinkedIn never lets the account of an experiment change")
_TWO_CELLS = Cell(Verdict.NEVER, _SEED, "an experiment has exactly 2 cells; change a cell instead")
_STATE = Cell(Verdict.IN_PLACE, _ASSUMED, "which states follow which is told by the table of transitions")

_ANY_TIME: Mapping[str, Cell] = {
    "PENDING": _OPEN,
    "RUNNING": _OPEN,
    "ON_HOLD": _OPEN,
    "STOPPED": _OPEN_STOPPED,
    "ENDED": _OVER,
}
_BEFORE_START: Mapping[str, Cell] = {
    "PENDING": _OPEN,
    "RUNNING": _FIXED,
    "ON_HOLD": _FIXED,
    "STOPPED": _FIXED_STOPPED,
    "ENDED": _OVER,
}

FIELDS: tuple[Field, ...] = (
    Field(
        "account",
        "URN",
        "The ad account that owns the experiment.",
        _SCHEMA,
        {**dict.fromkeys(("PENDING", "RUNNING", "ON_HOLD", "STOPPED"), _NEVER_ACCOUNT), "ENDED": _OVER},
        limits="urn:li:sponsoredAccount:N, or N alone",
        required=True,
    ),
    Field(
        "name",
        "string",
        "The name of the experiment; need not be unique in the account.",
        _SCHEMA,
        _ANY_TIME,
        limits="1 to 100 characters",
        required=True,
    ),
    Field(
        "description",
        "string",
        "What the experiment is about.",
        _SCHEMA,
        _ANY_TIME,
        limits="at most 1000 characters; null clears it",
        clearable=True,
    ),
    Field(
        "keyMetric",
        "enum",
        "The one metric that decides: cost per click (CPC), per thousand impressions (CPM), per video view (CPV), "
        "per message sent (CPMS).",
        _SCHEMA,
        _BEFORE_START,
        limits="CPC, CPM, CPV or CPMS",
        required=True,
    ),
    Field(
        "confidence",
        "integer",
        "The confidence level, in percent, that a result needs in order to count.",
        _SCHEMA,
        _ANY_TIME,
        limits="51 to 99; 90 or more is advised",
        required=True,
    ),
    Field(
        "scheduledStartAt",
        "time",
        "When the experiment starts; a time in the past starts it at once.",
        _SCHEMA,
        _BEFORE_START,
        limits="ISO 8601 with an offset or Z, or epoch milliseconds",
        required=True,
    ),
    Field(
        "scheduledEndAt",
        "time",
        "When the experiment ends.",
        f"{_SCHEMA}; {_UPDATE}",
        {**_ANY_TIME, "STOPPED": Cell(Verdict.IN_PLACE, _SEED, "extending the end can run a STOPPED experiment again")},
        limits="after the start, at most 90 days after it, not in the past, at most 180 days ahead of the write",
        required=True,
        spoils_in=facts.STARTED,
    ),
    Field(
        "autoStop",
        "enum",
        "What happens at the end. AUTO_STOP_AT_END_DATE stops the experiment at its end and pauses all its campaigns; "
        "AUTO_STOP_AT_WINNER does so at a winner or the end; AUTO_STOP_DISABLED leaves the campaigns running without "
        "the split.",
        _SCHEMA,
        _ANY_TIME,
        limits="AUTO_STOP_AT_END_DATE, AUTO_STOP_AT_WINNER or AUTO_STOP_DISABLED",
        default=facts.DEFAULT_AUTO_STOP,
    ),
    Field(
        "userIntendedState",
        "enum",
        "The state wanted. ACTIVE runs as scheduled, DRAFT does not start, PAUSED pauses the experiment and its "
        "campaigns, CANCELED ends it for good. Sent as ACTIVE on create when not stated; left alone afterwards.",
        f"{_SCHEMA}; transitions assumed",
        {**dict.fromkeys(("PENDING", "RUNNING", "ON_HOLD", "STOPPED"), _STATE), "ENDED": _OVER},
        limits="DRAFT, ACTIVE, PAUSED or CANCELED; which follows which depends on the execution state",
    ),
    Field(
        "cells[]",
        "object",
        "One side of the comparison. Cells are told apart by their campaign.",
        _SCHEMA,
        dict.fromkeys(facts.EXECUTION_STATES, _TWO_CELLS),
        limits="exactly 2, with different campaigns of one campaign group; traffic weights add up to 100",
        required=True,
    ),
    Field(
        "cells[].name",
        "string",
        "The name of the cell; need not be unique.",
        _CELL_SCHEMA,
        _ANY_TIME,
        limits="1 to 99 characters",
        required=True,
    ),
    Field(
        "cells[].description",
        "string",
        "A memo of what this cell is about.",
        _CELL_SCHEMA,
        _ANY_TIME,
        limits="at most 499 characters; null clears it",
        clearable=True,
    ),
    Field(
        "cells[].trafficWeight",
        "integer",
        "The share of traffic, in percent, that sees this cell.",
        _CELL_SCHEMA,
        _BEFORE_START,
        limits="1 to 99; the two add up to 100",
        required=True,
    ),
    Field(
        "cells[].reference.campaign",
        "URN",
        "The campaign that is this cell (Campaign Manager calls it an ad set).",
        _CELL_SCHEMA,
        _BEFORE_START,
        limits="urn:li:sponsoredCampaign:N, or N alone; different in the two cells",
        required=True,
    ),
)

FIXED_AFTER_START = frozenset(
    row.path for row in FIELDS if row.change["PENDING"].verdict is Verdict.IN_PLACE is not row.change["RUNNING"].verdict
)
"""Template paths of the fields that change in place before the start and not after it."""
