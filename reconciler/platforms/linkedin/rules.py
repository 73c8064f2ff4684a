"""
LinkedIn's rules that need neither live data nor a clock, past the schema; and the list of every rule of the platform.

Rules of one value (LIN001, LIN003, LIN005, LIN009, LIN012 to LIN015, LIN017) are held by the schema, which gives their
id as the type of its error; those of several values are `check`, those
between manifests are in `overlaps`, those of the clock and of live
values (LIN020 and up) are in `clock`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.diagnostic import Finding, PathTuple, Rule, Severity
from reconciler.model.resource import Desired
from reconciler.model.time import iso
from reconciler.platforms.linkedin import facts
from reconciler.platforms.linkedin.values import moment

_W = Severity.WARNING
_CREATE = "seed: Create Experiments, conditions"
_CODES = "seed: Validation Error Code"

TWO_CELLS = Rule("LIN001", "an experiment has exactly 2 cells", f"{_CODES}, INVALID_NO_OF_CELLS", "state two cells")
DISTINCT = Rule(
    "LIN002",
    "the two cells name different campaigns",
    f"{_CODES}, DUPLICATE_ELEMENTS_IN_CELLS",
    "name another campaign in one of the cells",
)
WEIGHT = Rule(
    "LIN003", "a traffic weight is 1 to 99", f"{_CODES}, INVALID_WEIGHT_OF_CELL", "give each cell 1 to 99 percent"
)
WEIGHT_SUM = Rule(
    "LIN004",
    "traffic weights add up to 100",
    f"{_CODES}, INVALID_SUM_OF_WEIGHT_OF_CELLS",
    "change one weight so that the two add up to 100",
)
CONFIDENCE = Rule(
    "LIN005", "confidence is 51 to 99", f"{_CODES}, INVALID_CONFIDENCE_VALUE", "choose a confidence of 51 to 99"
)
CONFIDENCE_LOW = Rule(
    "LIN006",
    "a confidence of 90 or more is advised",
    "seed: Best Practices, Set a High Confidence Level",
    "raise confidence to 90 or more",
    _W,
)
END_AFTER_START = Rule(
    "LIN007", "the end lies after the start", f"{_CREATE}; INVALID_SCHEDULE (assumed)", "move the end behind the start"
)
RUN_TOO_LONG = Rule(
    "LIN008",
    "an experiment runs at most 90 days",
    f"{_CODES}, INVALID_SCHEDULE",
    "move scheduledEndAt to at most 90 days after scheduledStartAt",
)
START_POSITIVE = Rule(
    "LIN009",
    "times lie after 1 January 1970",
    f"{_CODES}, INVALID_START_TIME",
    "write a time after 1970-01-01T00:00:00Z",
)
RUN_SHORT = Rule(
    "LIN010",
    "a run of at least 21 days is advised",
    f"{_CODES}, AB_TEST_DURATION_BELOW_RECOMMENDATION",
    "plan for 21 days or more",
    _W,
)
RUN_TOO_SHORT = Rule(
    "LIN011",
    "LinkedIn asks for a run of at least 14 days",
    "doc: help centre (the page's AB_TEST_DURATION_BELOW_REQUIREMENT gives no number)",
    "plan for 14 days or more",
    _W,
)
NAME_LENGTH = Rule("LIN012", "the name has 1 to 100 characters", "seed: AdExperiment schema, name", "shorten the name")
DESCRIPTION_LENGTH = Rule(
    "LIN013",
    "the description has at most 1000 characters",
    "seed: AdExperiment schema, description",
    "shorten the description",
)
CELL_NAME_LENGTH = Rule(
    "LIN014", "a cell's name has 1 to 99 characters", "seed: AdExperimentCell schema, name", "shorten the cell's name"
)
CELL_DESCRIPTION_LENGTH = Rule(
    "LIN015",
    "a cell's description has at most 499 characters",
    "seed: AdExperimentCell schema, description",
    "shorten the cell's description",
)
LENGTH_UNIT = Rule(
    "LIN016",
    "text outside ASCII close to its limit may count longer on LinkedIn's side",
    "assumed: the unit of length is not stated",
    "shorten the text",
    _W,
)
MILLISECONDS = Rule(
    "LIN017",
    "times are ISO 8601 with an offset or Z, or epoch milliseconds",
    "seed: AdExperiment schema, scheduledStartAt",
    "write the time as 2026-12-01T09:00:00Z",
)
OVERLAP = Rule(
    "LIN018",
    "a campaign is in one active or future experiment at a time",
    f"{_CREATE}; CAMPAIGN_ALREADY_SCHEDULED",
    "move one of the two windows, or name another campaign",
)
OVERLAP_DOUBT = Rule(
    "LIN019",
    "a campaign is shared with a draft, or with an experiment whose window touches this one",
    "assumed: whether drafts and touching windows count as overlap is not stated",
    "leave some time between the two windows",
    _W,
)
END_PASSED = Rule("LIN020", "the end does not lie in the past", f"{_CODES}, INVALID_END_TIME", "move the end")
END_TOO_FAR = Rule(
    "LIN021", "the end lies at most 180 days ahead", f"{_CODES}, INVALID_END_TIME", "wait, or choose an earlier end"
)
START_PASSED = Rule(
    "LIN022",
    "a start in the past starts the experiment at once",
    "seed: AdExperiment schema, scheduledStartAt",
    "move the start",
    _W,
)
RUN_FROM_LIVE = Rule(
    "LIN023",
    "the end lies at most 90 days after the live start",
    "seed: Update Experiments",
    "choose an earlier end",
)
CREATE_STATE = Rule(
    "LIN024",
    "an experiment is created ACTIVE or DRAFT",
    "assumed: INVALID_STATE_TRANSITION is listed under Create",
    "state ACTIVE or DRAFT",
)
STARTED_BY_THEN = Rule(
    "LIN025",
    "some fields are fixed once the experiment has started, all once it has ended",
    "seed: Update Experiments",
    "apply the change earlier",
)
ON_HOLD = Rule(
    "LIN026",
    "an experiment is on hold although it should run",
    "seed: Experiment Cancellation or On Hold Reasons",
    "look at its campaigns, creatives and budgets",
    _W,
)
CAMPAIGNS_PAUSE = Rule(
    "LIN027",
    "campaigns are paused with the experiment",
    "seed: AdExperiment schema, autoStop; AB_TEST_PAUSED",
    "choose AUTO_STOP_DISABLED where the campaigns shall go on after the end",
    _W,
)
CANCEL = Rule("LIN028", "cancelling is final", f"{_CODES}, AB_TEST_CANCELED", "leave it ACTIVE", _W)
WINDOW_CLOSES = Rule(
    "LIN029", "a change is possible only before the start", "seed: Update Experiments", "apply the change in time", _W
)

RULES: tuple[Rule, ...] = tuple(
    sorted((rule for rule in globals().values() if isinstance(rule, Rule)), key=lambda rule: rule.id)
)


def check(desired: Desired) -> Iterator[Finding]:
    """Give the findings of the rules between the values of one manifest, and of advice."""
    spec = desired.spec
    yield from _check_cells(spec["cells"])
    yield from _check_window(spec)
    confidence = spec["confidence"]
    if confidence < facts.CONFIDENCE_ADVISED:
        yield Finding(
            CONFIDENCE_LOW,
            ("confidence",),
            f"confidence is {confidence}; LinkedIn advises {facts.CONFIDENCE_ADVISED} or more",
        )
    yield from _check_lengths(spec)


def _check_cells(cells: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    campaigns = [cell["reference"]["campaign"] for cell in cells]
    if len(set(campaigns)) < len(campaigns):
        yield Finding(
            DISTINCT,
            ("cells", len(cells) - 1, "reference", "campaign"),
            f"both cells name {campaigns[0]}; a test needs two different campaigns",
        )
    weights = [cell["trafficWeight"] for cell in cells]
    if sum(weights) != facts.WEIGHT_SUM:
        sums = " + ".join(str(weight) for weight in weights)
        yield Finding(
            WEIGHT_SUM,
            ("cells", len(cells) - 1, "trafficWeight"),
            f"traffic weights add up to {sum(weights)} ({sums}); they have to add up to {facts.WEIGHT_SUM}",
        )


def _check_window(spec: Mapping[str, Any]) -> Iterator[Finding]:
    start, end = moment(spec["scheduledStartAt"]), moment(spec["scheduledEndAt"])
    assert start and end
    run = end - start
    if end <= start:
        yield Finding(
            END_AFTER_START,
            ("scheduledEndAt",),
            f"scheduledEndAt {iso(end)} is not after scheduledStartAt {iso(start)}",
        )
    elif run > facts.RUN_MAX:
        latest = start + facts.RUN_MAX
        yield Finding(
            RUN_TOO_LONG,
            ("scheduledEndAt",),
            f"the run is {_days(run.total_seconds())} days long; LinkedIn allows 90, which is until {iso(latest)}",
        )
    elif run < facts.RUN_REQUIRED:
        yield Finding(
            RUN_TOO_SHORT,
            ("scheduledEndAt",),
            f"the run is {_days(run.total_seconds())} days long; LinkedIn asks for at least 14 and advises 21 or more",
        )
    elif run < facts.RUN_ADVISED:
        yield Finding(
            RUN_SHORT,
            ("scheduledEndAt",),
            f"the run is {_days(run.total_seconds())} days long; LinkedIn advises 21 or more",
        )


def _days(seconds: float) -> str:
    return f"{seconds / 86400:.1f}".removesuffix(".0")


def _check_lengths(spec: Mapping[str, Any]) -> Iterator[Finding]:
    texts: list[tuple[PathTuple, Any, int]] = [
        (("name",), spec["name"], facts.NAME_MAX),
        (("description",), spec.get("description"), facts.DESCRIPTION_MAX),
    ]
    for index, cell in enumerate(spec["cells"]):
        texts.append((("cells", index, "name"), cell["name"], facts.CELL_NAME_MAX))
        texts.append((("cells", index, "description"), cell.get("description"), facts.CELL_DESCRIPTION_MAX))
    for path, text, limit in texts:
        if not text or text.isascii():
            continue
        units = len(text.encode("utf-16-le")) // 2
        if units > limit * facts.LENGTH_DOUBT:
            yield Finding(
                LENGTH_UNIT,
                path,
                f"{path[-1]} has {len(text)} characters, {units} in UTF-16, with some outside ASCII; LinkedIn allows "
                f"{limit} and does not say how it counts",
            )
