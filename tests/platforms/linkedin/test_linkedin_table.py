"""The mutability and transition tables, cell by cell, against the page written out here."""

from __future__ import annotations

import pytest
from linkedin_samples import KIND, live, spec

from reconciler.model.change import FieldChange
from reconciler.model.kind import Evidence, Verdict, template
from reconciler.platforms.linkedin import facts
from reconciler.platforms.linkedin.fields import FIELDS, FIXED_AFTER_START
from reconciler.platforms.linkedin.transitions import transition

COLUMNS = ("PENDING", "RUNNING", "ON_HOLD", "STOPPED", "ENDED")
# One letter a column: i in place, r replace, n never. Capital: assumed.
PAGE = """
    account                     rrrrr
    name                        iiiIr
    description                 iiiIr
    keyMetric                   irrrr
    confidence                  iiiIr
    scheduledStartAt            irrrr
    scheduledEndAt              iiiir
    autoStop                    iiiIr
    cells[]                     nnnnn
    cells[].name                iiiIr
    cells[].description         iiiIr
    cells[].trafficWeight       irrrr
    cells[].reference.campaign  irrrr
"""
LETTERS = {Verdict.IN_PLACE: "i", Verdict.REPLACE: "r", Verdict.NEVER: "n"}


def letter(cell) -> str:
    text = LETTERS[cell.verdict]
    return text.upper() if cell.evidence is Evidence.ASSUMED else text


@pytest.mark.parametrize(("path", "row"), [tuple(line.split()) for line in PAGE.split("\n") if line.strip()])
def test_a_field_changes_when_the_page_says_so(path: str, row: str) -> None:
    assert "".join(letter(KIND.field(path).cell(column)) for column in COLUMNS) == row


def test_every_field_of_the_table_is_written_out_here() -> None:
    written = {line.split()[0] for line in PAGE.split("\n") if line.strip()}
    assert {row.path for row in FIELDS} == written | {"userIntendedState"}
    assert KIND.statuses == COLUMNS


def test_a_refused_change_says_why() -> None:
    for row in FIELDS:
        for column in COLUMNS:
            assert row.cell(column).verdict is Verdict.IN_PLACE or row.cell(column).note


def test_an_unknown_status_allows_nothing() -> None:
    assert KIND.field("name").cell("ARCHIVING").verdict is Verdict.NEVER


def test_only_the_end_of_a_started_test_spoils_the_comparison() -> None:
    assert {row.path: row.spoils_in for row in FIELDS if row.spoils_in} == {
        "scheduledEndAt": {"RUNNING", "ON_HOLD", "STOPPED"}
    }


def test_what_is_fixed_after_the_start() -> None:
    assert {
        "keyMetric",
        "scheduledStartAt",
        "cells[].trafficWeight",
        "cells[].reference.campaign",
    } == FIXED_AFTER_START


def test_a_draft_without_an_execution_state_counts_as_pending() -> None:
    draft = live(userIntendedState="DRAFT", executionState=...)
    change = FieldChange("keyMetric", "CPC", "CPM")
    assert KIND.verdict(change, draft, draft.spec).verdict is Verdict.IN_PLACE


# Intended / execution, then a letter for each of DRAFT ACTIVE PAUSED CANCELED; "=" is no change.
MOVES = """
    DRAFT     PENDING   = I N N
    ACTIVE    PENDING   N = N I
    ACTIVE    RUNNING   N = i i
    ACTIVE    ON_HOLD   N = I I
    PAUSED    ON_HOLD   N I = I
    PAUSED    STOPPED   N I = I
    ACTIVE    STOPPED   N = N I
    DRAFT     STOPPED   = N N I
    ACTIVE    ENDED     r = n n
    PAUSED    ENDED     r r = n
    DRAFT     ENDED     = r n n
    CANCELED  ENDED     r r n =
    CANCELED  PENDING   n n n =
    CANCELED  RUNNING   n n n =
    CANCELED  ON_HOLD   n n n =
    CANCELED  STOPPED   n n n =
    PAUSED    PENDING   N N = N
    PAUSED    RUNNING   N N = N
    DRAFT     RUNNING   = N N N
    DRAFT     ON_HOLD   = N N N
    ACTIVE    SLEEPING  N = N N
    RESTING   RUNNING   N N N N
"""


@pytest.mark.parametrize("line", [line.split() for line in MOVES.split("\n") if line.strip()], ids="/".join)
def test_a_state_follows_another_when_the_page_lets_it(line: list[str]) -> None:
    intended, execution, *letters = line
    now = live(userIntendedState=intended, executionState=execution)
    found = []
    for to in ("DRAFT", "ACTIVE", "PAUSED", "CANCELED"):
        cell = KIND.verdict(FieldChange("userIntendedState", intended, to), now, {**now.spec, "userIntendedState": to})
        found.append("=" if to == intended else letter(cell))
        if cell.verdict is not Verdict.IN_PLACE:
            assert cell.note
    assert found == letters


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        ("2027-01-12T08:00:00Z", Verdict.IN_PLACE),
        ("2027-01-11T08:00:00Z", Verdict.NEVER),
        ("2027-01-10T08:00:00Z", Verdict.NEVER),
    ],
)
def test_a_stopped_experiment_runs_again_only_with_a_later_end(end: str, verdict: Verdict) -> None:
    stopped = live(userIntendedState="DRAFT", executionState="STOPPED")
    target = {**stopped.spec, "userIntendedState": "ACTIVE", "scheduledEndAt": end}
    assert KIND.verdict(FieldChange("userIntendedState", "DRAFT", "ACTIVE"), stopped, target).verdict is verdict


def test_a_cancelled_experiment_does_not_run_again_with_a_later_end() -> None:
    stopped = live(userIntendedState="CANCELED", executionState="STOPPED")
    target = {**stopped.spec, "userIntendedState": "ACTIVE", "scheduledEndAt": "2027-01-12T08:00:00Z"}
    cell = KIND.verdict(FieldChange("userIntendedState", "CANCELED", "ACTIVE"), stopped, target)
    assert cell.verdict is Verdict.NEVER


def test_pausing_before_the_start_says_when_the_start_is() -> None:
    cell = KIND.verdict(FieldChange("userIntendedState", "ACTIVE", "PAUSED"), live(), {})
    assert "2026-12-07T08:00:00Z" in cell.note


def test_the_table_of_codes_has_all_45() -> None:
    assert len(facts.VALIDATION_ERRORS) == 28
    assert len(facts.VALIDATION_WARNINGS) == 17
    assert not facts.VALIDATION_ERRORS & facts.VALIDATION_WARNINGS


def test_every_stated_leaf_has_a_row() -> None:
    full = spec(description="x", autoStop="AUTO_STOP_DISABLED", userIntendedState="DRAFT")
    rows = KIND.field_index()
    assert {template(key) for key in full if key != "cells"} <= rows.keys()
    assert rows["description"].clearable and rows["cells[].description"].clearable


@pytest.mark.parametrize(
    ("intended", "execution", "to", "says"),
    [
        (
            None,
            "RUNNING",
            "OTHER",
            "OTHER can follow no state while RUNNING; remove the manifest to end",
        ),
        ("DRAFT", "RUNNING", "ACTIVE", "ACTIVE can follow DRAFT while RUNNING; remove the manifest to end"),
        ("DRAFT", "", "ACTIVE", "DRAFT while the execution state is not shown; wait until its state moves on"),
    ],
)
def test_a_move_that_the_page_says_nothing_of_is_refused_with_a_way_out(
    intended: str | None, execution: str, to: str, says: str
) -> None:
    decided = transition(intended, execution, to)
    assert decided.verdict is Verdict.NEVER and decided.evidence is Evidence.ASSUMED
    assert says in decided.note


@pytest.mark.parametrize(
    ("intended", "execution", "extended", "verdict"),
    [
        ("DRAFT", "STOPPED", True, Verdict.IN_PLACE),
        ("DRAFT", "STOPPED", False, Verdict.NEVER),
        ("PAUSED", "STOPPED", False, Verdict.IN_PLACE),
        ("CANCELED", "STOPPED", True, Verdict.NEVER),
        ("PAUSED", "ENDED", True, Verdict.REPLACE),
        ("PAUSED", "ON_HOLD", False, Verdict.IN_PLACE),
    ],
)
def test_what_stands_still_is_taken_up_again(intended: str, execution: str, extended: bool, verdict: Verdict) -> None:
    assert transition(intended, execution, "ACTIVE", end_extended=extended).verdict is verdict


def test_what_is_wanted_already_is_no_move() -> None:
    assert transition("ACTIVE", "STOPPED", "ACTIVE", end_extended=True).note == "no change"
    assert transition(None, "ENDED", None).verdict is Verdict.IN_PLACE


@pytest.mark.parametrize(
    ("intended", "execution", "to", "way_out"),
    [
        ("DRAFT", "PENDING", "PAUSED", "leave it DRAFT, or launch it with ACTIVE"),
        ("DRAFT", "PENDING", "CANCELED", "remove the manifest to delete it"),
        ("ACTIVE", "PENDING", "DRAFT", "remove the manifest to delete it, or move its start"),
        ("ACTIVE", "PENDING", "PAUSED", "it can be once it is RUNNING"),
        ("ACTIVE", "RUNNING", "DRAFT", "cannot become a draft again"),
        ("ACTIVE", "ON_HOLD", "DRAFT", "cannot become a draft again"),
        ("PAUSED", "STOPPED", "DRAFT", "cannot become a draft again"),
        ("ACTIVE", "STOPPED", "DRAFT", "cannot become a draft again"),
        ("DRAFT", "STOPPED", "ACTIVE", "only when `scheduledEndAt` is extended in the same change"),
        ("ACTIVE", "STOPPED", "PAUSED", "CANCELED ends it"),
        ("CANCELED", "RUNNING", "ACTIVE", "only a new experiment can run"),
        ("ACTIVE", "ENDED", "PAUSED", "only a new experiment can run"),
    ],
)
def test_a_refused_move_says_what_would_lift_it(intended: str, execution: str, to: str, way_out: str) -> None:
    """The contract: a blocked reason names what would lift it."""
    assert way_out in transition(intended, execution, to).note
