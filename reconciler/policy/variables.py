"""
What an expression may speak of: one table, from which the compiler takes the types and the documentation the meaning.

Every entry is a variable of its own with a dotted name, so that a misspelt one and a comparison of the wrong types are
found when the policy is read, not when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from reconciler.policy.engine import Type


class Phase(IntEnum):
    """From when on a variable is known; a policy is judged as soon as all that it speaks of is."""

    MANIFEST = 0
    """Known to `validate`."""
    LIVE = 1
    """Needs a clock, or what the platforms report."""
    CHANGE = 2
    """Needs the plan of a change."""


@dataclass(frozen=True, slots=True)
class Variable:
    """
    One variable: `may_be_missing` says that there are experiments for which it has no value (a policy that asks for it
    all the same is not satisfied); `otherwise` is its value in a test case that does not state it.
    """

    name: str
    type: Type
    meaning: str
    phase: Phase = Phase.MANIFEST
    may_be_missing: bool = False
    otherwise: object = None


_TABLE: Final = (
    Variable("experiment.kind", Type.STRING, "The manifest's kind, such as LinkedInExperiment."),
    Variable("experiment.name", Type.STRING, "metadata.name."),
    Variable("experiment.key", Type.STRING, "Kind/name."),
    Variable("experiment.labels", Type.LABELS, "metadata.labels; `'team' in experiment.labels` asks for one."),
    Variable("experiment.platform", Type.STRING, "linkedin, x-ads or salesforce."),
    Variable("experiment.connection", Type.STRING, "The connection it goes through.", otherwise=""),
    Variable("experiment.account", Type.STRING, "The ad account; empty where the platform has none.", otherwise=""),
    Variable("experiment.title", Type.STRING, "The name that people see on the platform.", otherwise=""),
    Variable(
        "experiment.spec",
        Type.MAP,
        "spec by the platform's own field names, as it is compared: times are ISO 8601 text in UTC, X sizes are text; "
        "keys that are null are left out. `has(experiment.spec.description)` asks for one.",
    ),
    Variable("experiment.scheduled", Type.BOOL, "Whether start and end are stated (Salesforce has no schedule)."),
    Variable("experiment.start", Type.TIMESTAMP, "The stated start.", may_be_missing=True),
    Variable("experiment.end", Type.TIMESTAMP, "The stated end.", may_be_missing=True),
    Variable("experiment.duration", Type.DURATION, "From start to end.", may_be_missing=True),
    Variable("experiment.days", Type.DOUBLE, "The same in days, with fractions.", may_be_missing=True),
    Variable("experiment.shares", Type.DOUBLES, "The shares of the arms in percent, in the manifest's order."),
    Variable("experiment.ending", Type.BOOL, "Whether the manifest wants it ended (cancelled, stopped, archived)."),
    Variable("experiment.audience", Type.STRING, "metadata.hypothesis.audience, or empty.", otherwise=""),
    Variable("project.environment", Type.STRING, "What --env chose, or empty.", otherwise=""),
    Variable("project.experiments", Type.INT, "How many experiments the manifests describe.", otherwise=1),
    Variable("sanity.stated", Type.BOOL, "Whether metadata.hypothesis states figures.", otherwise=False),
    Variable(
        "sanity.needed", Type.INT, "People needed in all to find the stated effect; 0 if not stated.", otherwise=0
    ),
    Variable("sanity.expected", Type.INT, "People that the schedule brings; 0 if not known.", otherwise=0),
    Variable("sanity.neededDays", Type.DOUBLE, "Days until as many people as needed came.", otherwise=0.0),
    Variable("sanity.power", Type.DOUBLE, "Chance to find the effect within the schedule, 0 to 1.", otherwise=0.0),
    Variable("sanity.powered", Type.BOOL, "Whether the schedule brings as many people as needed.", otherwise=False),
    Variable("sanity.wholeWeeks", Type.BOOL, "Whether it lasts a whole number of weeks.", otherwise=False),
    Variable("sanity.overlaps", Type.STRINGS, "Keys that share audience and time with it.", otherwise=()),
    Variable("now", Type.TIMESTAMP, "The moment judged at: now, or --as-of.", Phase.LIVE, may_be_missing=True),
    Variable("live.exists", Type.BOOL, "Whether it is on the platform.", Phase.LIVE, otherwise=False),
    Variable("live.status", Type.STRING, "The platform's status, or empty.", Phase.LIVE, otherwise=""),
    Variable("live.running", Type.BOOL, "Whether it has started and is not over.", Phase.LIVE, otherwise=False),
    Variable("live.over", Type.BOOL, "Whether it can never run again.", Phase.LIVE, otherwise=False),
    Variable("live.remoteId", Type.STRING, "The platform's id, or empty.", Phase.LIVE, otherwise=""),
    Variable("live.spec", Type.MAP, "What the platform reports, like experiment.spec.", Phase.LIVE, otherwise={}),
    Variable("live.start", Type.TIMESTAMP, "The live start.", Phase.LIVE, may_be_missing=True),
    Variable("live.end", Type.TIMESTAMP, "The live end.", Phase.LIVE, may_be_missing=True),
    Variable(
        "project.accountRunning",
        Type.INT,
        "Experiments of the same account (without accounts: connection) that are live, or will be made by this plan, "
        "and not over after it; this one included.",
        Phase.LIVE,
        otherwise=1,
    ),
    Variable("project.running", Type.COUNTS, "The same for every account by name.", Phase.LIVE, otherwise={}),
    Variable("project.managed", Type.INT, "Experiments that are recorded as managed.", Phase.LIVE, otherwise=0),
    Variable("project.creates", Type.INT, "Creates of the whole plan.", Phase.CHANGE, otherwise=0),
    Variable("project.updates", Type.INT, "Updates of the whole plan.", Phase.CHANGE, otherwise=0),
    Variable("project.replaces", Type.INT, "Replaces of the whole plan.", Phase.CHANGE, otherwise=0),
    Variable("project.deletes", Type.INT, "Experiments that the whole plan ends.", Phase.CHANGE, otherwise=0),
    Variable("project.changes", Type.INT, "All changes of the plan.", Phase.CHANGE, otherwise=1),
    Variable(
        "change.action",
        Type.STRING,
        "create, update, replace, delete, adopt or forget; of a blocked change what it would be.",
        Phase.CHANGE,
        otherwise="update",
    ),
    Variable(
        "change.severity",
        Type.STRING,
        "The worst of its fields: harmless, invalidates-results or destructive.",
        Phase.CHANGE,
        otherwise="harmless",
    ),
    Variable("change.destroys", Type.BOOL, "Whether it ends an experiment.", Phase.CHANGE, otherwise=False),
    Variable("change.blocked", Type.BOOL, "Whether something else blocks it.", Phase.CHANGE, otherwise=False),
    Variable("change.calls", Type.INT, "Requests that it would send.", Phase.CHANGE, otherwise=1),
    Variable("change.reasons", Type.STRINGS, "Why, in the plan's words.", Phase.CHANGE, otherwise=()),
    Variable("change.paths", Type.STRINGS, "The paths of the fields that change.", Phase.CHANGE, otherwise=()),
    Variable(
        "change.fields",
        Type.MAPS,
        "Its field changes as in the plan's JSON: path, before, after, severity, drifted, allowed, reason.",
        Phase.CHANGE,
        otherwise=(),
    ),
)
VARIABLES: Final[Mapping[str, Variable]] = {row.name: row for row in _TABLE}
"""Every variable by its name, in the order in which they are told."""


def known_in(phase: Phase) -> dict[str, Type]:
    """Give the variables that are known from a phase on, with their types."""
    return {row.name: row.type for row in _TABLE if row.phase <= phase}
