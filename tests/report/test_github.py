"""Marks for GitHub's log: where they stand, what they say, and that no text from outside becomes a command."""

from __future__ import annotations

import re
from dataclasses import replace

import report_cases as cases

from reconciler.model.annotation import Annotation, Level
from reconciler.model.change import Action, FieldChange, Plan, PlanWarning, Severity
from reconciler.model.diagnostic import Diagnostic, Location, PathTuple
from reconciler.model.diagnostic import Severity as Weight
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift
from reconciler.report.annotations import drift_annotations, plan_annotations, steps, validate_annotations
from reconciler.report.github import MOST, quiet, workflow_commands

KEY = Key("LinkedInExperiment", "spring-sale")
PLACES: dict[PathTuple, int] = {("confidence",): 12, ("cells", 0, "trafficWeight"): 17}
FILE = "experiments/spring.yaml"


def desired() -> dict[Key, Desired]:
    """Give the manifest of the one experiment, two of whose fields have lines."""
    return {
        KEY: Desired(
            KEY,
            "linkedin",
            "linkedin",
            {},
            location=Location(FILE, 1, 1),
            locate=lambda path: Location(FILE, PLACES[path], 5) if path in PLACES else Location(FILE),
        )
    }


def spring(action: Action, **more: object) -> Plan:
    """Give a plan with the one change."""
    return cases.plan(cases.linkedin("spring-sale", action, **more))


def decoded(text: str) -> str:
    """Undo the escapes as the runner does."""
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_blocked_stands_at_the_field_that_must_not_change() -> None:
    fields = (FieldChange("confidence", 90, 95, allowed=False, reason="no"),)
    made = spring(Action.BLOCKED, fields=fields, reasons=("confidence cannot change", "wait"), calls=())
    (mark,) = plan_annotations(made, desired())
    assert (mark.level, mark.location) == (Level.ERROR, Location(FILE, 12, 5))
    assert mark.message == "confidence cannot change\nwait"


def test_spoilt_comparison_and_ending_are_warnings_at_their_lines() -> None:
    weight = FieldChange("cells[0].trafficWeight", 50, 60, severity=Severity.INVALIDATES)
    (spoilt,) = plan_annotations(spring(Action.UPDATE, fields=(weight,)), desired())
    assert (spoilt.level, spoilt.location) == (Level.WARNING, Location(FILE, 17, 5))
    (ended,) = plan_annotations(spring(Action.DELETE, destroys=True, reasons=("the manifest is gone",)), {})
    assert (ended.level, ended.location) == (Level.WARNING, None)
    assert "cannot be undone" in ended.message and "the manifest is gone" in ended.message


def test_harmless_plan_has_no_marks_and_warnings_have_theirs() -> None:
    harmless = spring(Action.UPDATE, fields=(FieldChange("name", "a", "b"),))
    assert plan_annotations(harmless, desired()) == ()
    warned = replace(harmless, warnings=(PlanWarning(str(KEY), "it ends soon"), PlanWarning("", "of all")))
    assert [(mark.location, mark.message) for mark in plan_annotations(warned, desired())] == [
        (Location(FILE, 1, 1), "it ends soon"),
        (None, "of all"),
    ]


def test_errors_come_before_warnings() -> None:
    warned = spring(Action.UPDATE, warnings=("first",))
    marks = plan_annotations(replace(warned, complete=False, problems=("x could not be read",)), desired())
    assert [mark.level for mark in marks] == [Level.ERROR, Level.WARNING]


def test_drift_marks_each_field_and_what_is_gone() -> None:
    moved = Drift(KEY, "linkedin", "linkedin", "1", DriftKind.EDITED, "RUNNING", (FieldDrift("confidence", 90, 95),))
    gone = Drift(KEY, "linkedin", "linkedin", "1", DriftKind.MISSING, None)
    error, warning = drift_annotations(DriftReport((moved, gone)), desired())
    assert "is gone" in error.message and error.location == Location(FILE, 1, 1)
    assert warning.message == "confidence was applied as 90 and is 95"
    assert warning.location == Location(FILE, 12, 5)


def test_steps_of_a_path() -> None:
    assert steps("cells[0].reference.campaign") == ("cells", 0, "reference", "campaign")
    assert steps("name") == ("name",)


def test_command_escapes_what_is_its_own_syntax() -> None:
    mark = Annotation(Level.ERROR, Location("a,b:c%.yaml", 3, 4), "50%, two: lines", "first: 100%, a::b\r\nsecond")
    line = workflow_commands([mark], "team a/growth")
    assert line.count("\n") == 1
    matched = re.fullmatch(r"::error file=([^,:]*),line=3,col=4,title=([^,:]*)::(.*)\n", line)
    assert matched
    assert decoded(matched[1]) == "team a/growth/a,b:c%.yaml"
    assert decoded(matched[2]) == "50%, two: lines"
    assert decoded(matched[3]) == "first: 100%, a::b\r\nsecond"


def test_hostile_text_is_one_line_of_one_command() -> None:
    hostile = "x\n::error::faked\r\n::stop-commands::t\n" + cases.HOSTILE
    marks = validate_annotations(
        [Diagnostic(Weight.ERROR, Location("a.yaml", 1, 1), hostile, rule="EXP001", hint=hostile)]
    )
    lines = workflow_commands(marks).split("\n")
    assert len(lines) == 2 and lines[1] == ""
    assert lines[0].startswith("::error file=a.yaml,line=1,col=1,title=EXP001::")
    assert lines[0].isprintable()


def test_marks_beyond_the_most_are_counted() -> None:
    marks = [Annotation(Level.WARNING, None, "t", str(number)) for number in range(MOST + 3)]
    lines = workflow_commands(marks).splitlines()
    assert len(lines) == MOST + 1
    assert lines[-1] == "::notice title=reconciler::3 more, see the log"
    assert len(workflow_commands(marks[:MOST]).splitlines()) == MOST
    assert workflow_commands([]) == ""


def test_text_for_people_stands_where_no_command_is_obeyed() -> None:
    assert quiet("a\n::error::b", "T").splitlines() == ["::stop-commands::T", "a", "::error::b", "::T::"]
    assert quiet("", "T").splitlines() == ["::stop-commands::T", "::T::"]
