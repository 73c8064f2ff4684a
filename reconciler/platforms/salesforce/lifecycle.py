"""
The life of a Salesforce experiment: which state may follow which, and by which actions.

    Created --Start--> Started --Stop--> Stopped --Archive--> Archived

The actions are documented (seed, doc D10); which of them is legal from which state is not, so only the path above is
taken (assumed). Stopped is final: a restart is documented nowhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from reconciler.model.change import Purpose
from reconciler.model.kind import Cell, Evidence, Verdict
from reconciler.model.resource import Live
from reconciler.model.time import parse_time
from reconciler.platforms.salesforce.facts import DURATION_MINUTES

PURPOSES: Final = {"Start": Purpose.START, "Stop": Purpose.STOP, "Archive": Purpose.ARCHIVE}

_PATHS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("Created", "Started"): ("Start",),
    ("Started", "Stopped"): ("Stop",),
    ("Started", "Archived"): ("Stop", "Archive"),
    ("Stopped", "Archived"): ("Archive",),
}

_REACHED: Final = {
    Purpose.START: frozenset({"Started", "Stopped", "Archived"}),
    Purpose.STOP: frozenset({"Stopped", "Archived"}),
    Purpose.ARCHIVE: frozenset({"Archived"}),
}

ENDING_STATES: Final = frozenset({"Stopped", "Archived"})
"""The states that end an experiment: no visitor is assigned after them."""

RESTART_NOTE: Final = "cannot be started again"
"""How the note of a forbidden restart begins: the planner shows it as a warning instead of a block."""


def actions(state: str, wanted: str) -> tuple[str, ...]:
    """Give the actions that lead from one state to another, in order; none where there is no legal way."""
    return _PATHS.get((state, wanted), ())


def reached(purpose: Purpose, state: str) -> bool:
    """Tell whether a start, stop or archive has nothing left to do in a state."""
    return state in _REACHED.get(purpose, frozenset())


def transition(state: str, wanted: Any) -> Cell:
    """Give the cell for a wanted state of an experiment that is in `state`."""
    if actions(state, str(wanted)):
        return Cell(Verdict.IN_PLACE, Evidence.ASSUMED)
    if state == "Created":
        why = (
            f"an experiment in state Created does not become {wanted} in one step: it would have to be started first, "
            "which would expose visitors; remove the manifest to delete it, or apply state Started first"
        )
    elif state in ("Stopped", "Archived") and wanted == "Started":
        why = f"{RESTART_NOTE}: {state} is final on Salesforce; a new experiment with another name is needed"
    elif state in ("Started", "Stopped", "Archived"):
        why = (
            f"an experiment in state {state} does not go back to {wanted}; a new experiment with another name is needed"
        )
    else:
        why = f"the state {state} is not known to this version, so no state change is sent"
    return Cell(Verdict.NEVER, Evidence.ASSUMED, why)


def may_have_stopped_itself(live: Live) -> bool:
    """
    Tell whether the platform may have stopped an experiment: in Automatic mode it picks a winner (assumed).

    It does not before the minimum duration (60 minutes is the least there is, doc D6); what was stopped earlier, a
    person stopped. Where the dates are not shown, the mode alone decides.
    """
    if live.status != "Stopped" or live.spec.get("winnerSelectionMode") != "Automatic":
        return False
    try:
        started, stopped = (parse_time(str(live.extra.get(key))) for key in ("startedDate", "stoppedDate"))
    except ValueError:
        return True
    least = live.spec.get("minimumDurationInMinutes") or DURATION_MINUTES[0]
    return stopped - started >= timedelta(minutes=least)
