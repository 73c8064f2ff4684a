"""
Which `userIntendedState` may follow which, by execution state.

LinkedIn's page names the states and an error for a wrong move, but prints no table. Each row below says how firm it is;
a move assumed to work is allowed (a refusal would be reported), one assumed to be refused or not known is not. What has
ended never moves again; there, wanting ACTIVE or DRAFT can only be met by a new experiment.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.kind import Cell, Evidence, Verdict
from reconciler.platforms.linkedin.facts import EXECUTION_STATES, STARTED

_SEED, _ASSUMED = Evidence.SEED, Evidence.ASSUMED

NO_BACK_TO_DRAFT = "a launched experiment cannot become a draft again (assumed)"
OVER = "the experiment has ended for good; only a new experiment can run"
CANCELED = "a cancelled experiment cannot be taken up again; only a new experiment can run"


def _yes(note: str = "", evidence: Evidence = _ASSUMED) -> Cell:
    return Cell(Verdict.IN_PLACE, evidence, note)


def _anew(note: str, evidence: Evidence = _SEED) -> Cell:
    return Cell(Verdict.REPLACE, evidence, note)


def _no(note: str, evidence: Evidence = _ASSUMED) -> Cell:
    return Cell(Verdict.NEVER, evidence, note)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: from an intended state (None: any) in some execution states, to each intended state."""

    intended: str | None
    executions: frozenset[str]
    to: dict[str, Cell]


CREATE: dict[str, Cell] = {
    "DRAFT": _yes("a draft does not start"),
    "ACTIVE": _yes("", _SEED),
    "PAUSED": _no("LinkedIn's page does not say that an experiment can be created paused; create it as DRAFT"),
    "CANCELED": _no(
        "an experiment cannot be created cancelled (assumed); state ACTIVE or DRAFT, or remove the manifest"
    ),
}
"""The states an experiment may be created in."""

ROWS: tuple[Row, ...] = (
    Row(
        None,
        frozenset({"ENDED"}),
        {"DRAFT": _anew(OVER), "ACTIVE": _anew(OVER), "PAUSED": _no(OVER, _SEED), "CANCELED": _no(OVER, _SEED)},
    ),
    Row("CANCELED", frozenset(EXECUTION_STATES), dict.fromkeys(("DRAFT", "ACTIVE", "PAUSED"), _no(CANCELED, _SEED))),
    Row(
        "DRAFT",
        frozenset({"PENDING"}),
        {
            "ACTIVE": _yes("launches the draft"),
            "PAUSED": _no("a draft cannot be paused (assumed); leave it DRAFT, or launch it with ACTIVE"),
            "CANCELED": _no("whether a draft can be cancelled is not known; remove the manifest to delete it"),
        },
    ),
    Row(
        "ACTIVE",
        frozenset({"PENDING"}),
        {
            "DRAFT": _no(
                "whether a scheduled experiment can become a draft again is not known; remove the manifest to delete "
                "it, or move its start"
            ),
            "PAUSED": _no(
                "whether an experiment can be paused before it starts is not known; it can be once it is RUNNING"
            ),
            "CANCELED": _yes("removing the manifest, which deletes it, is cleaner"),
        },
    ),
    Row(
        "ACTIVE",
        frozenset({"RUNNING"}),
        {
            "DRAFT": _no(NO_BACK_TO_DRAFT),
            "PAUSED": _yes("both campaigns pause, the end date stays", _SEED),
            "CANCELED": _yes("it ends for good", _SEED),
        },
    ),
    Row(
        "ACTIVE",
        frozenset({"ON_HOLD"}),
        {"DRAFT": _no(NO_BACK_TO_DRAFT), "PAUSED": _yes("likely"), "CANCELED": _yes("likely")},
    ),
    Row(
        "PAUSED",
        frozenset({"ON_HOLD", "STOPPED"}),
        {"DRAFT": _no(NO_BACK_TO_DRAFT), "ACTIVE": _yes("likely: resumes"), "CANCELED": _yes("likely")},
    ),
    Row(
        None,
        frozenset({"STOPPED"}),
        {
            "DRAFT": _no(NO_BACK_TO_DRAFT),
            "ACTIVE": _no("a STOPPED experiment runs again only when `scheduledEndAt` is extended in the same change"),
            "PAUSED": _no("whether a STOPPED experiment can be paused is not known; CANCELED ends it"),
            "CANCELED": _yes("likely"),
        },
    ),
)
"""In order of precedence: the first row that fits decides (a paused STOPPED experiment resumes like any paused one)."""

EXTENDED = _yes("runs again with the extended end", _SEED)


def transition(intended: str | None, execution: str, to: str | None, *, end_extended: bool = False) -> Cell:
    """
    Give the cell that decides a change of `userIntendedState` from `intended` to `to` in an execution state.

    `end_extended` says that the same change also moves `scheduledEndAt` to later: a STOPPED one then runs again.
    """
    if to == intended:
        return _yes("no change")
    if execution == "STOPPED" and to == "ACTIVE" and intended != "CANCELED" and end_extended:
        return EXTENDED
    for row in ROWS:
        if execution in row.executions and row.intended in (None, intended) and to in row.to:
            return row.to[to]
    where = f"{intended or 'no state'} while {execution or 'the execution state is not shown'}"
    return _no(f"LinkedIn's page does not say whether {to} can follow {where}; {_way_out(execution)}")


def _way_out(execution: str) -> str:
    if execution in STARTED:
        return "remove the manifest to end the experiment, or wait until its state moves on"
    return "wait until its state moves on"
