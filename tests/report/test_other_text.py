"""Outcomes, drift, state and diagnostics as text and JSON, and the progress displays."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
import report_cases as cases

from reconciler.model.change import Action
from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.outcome import ApplyResult, Outcome, Progress, Result
from reconciler.model.resource import Key
from reconciler.plan.drift import DriftReport
from reconciler.report.json import apply_to_json, drift_to_json
from reconciler.report.progress import LiveProgress, PlainProgress
from reconciler.report.text import (
    ANSI,
    apply_text,
    diagnostics_text,
    drift_text,
    outcome_line,
    record_text,
    state_text,
)

Golden = Callable[[str, str], None]
KEY = Key("LinkedInExperiment", "a")


def test_apply(golden: Golden) -> None:
    golden("apply", apply_text(cases.outcomes(), cases.everything()))


def test_apply_all_done(golden: Golden) -> None:
    result = ApplyResult((Outcome(KEY, Action.UPDATE, Result.DONE, "", 1, "1"),))
    text = apply_text(result, cases.plan())
    golden("apply_done", text)
    assert "again" not in text


def test_apply_interrupted(golden: Golden) -> None:
    result = ApplyResult((Outcome(KEY, Action.UPDATE, Result.NOT_TRIED, "stopped by request"),), interrupted=True)
    golden("apply_interrupted", apply_text(result, cases.plan()))


def test_apply_nothing(golden: Golden) -> None:
    golden("apply_nothing", apply_text(ApplyResult(()), cases.plan()))


def test_outcome_line_is_one_clean_line() -> None:
    line = outcome_line(Outcome(KEY, Action.DELETE, Result.FAILED, "HTTP 500\n\x1b[2Jbad", 2, "9"))
    assert line == "failed     end LinkedInExperiment/a (id 9, 2 calls): HTTP 500\\n\\u001b[2Jbad"


def test_drift(golden: Golden) -> None:
    golden("drift", drift_text(cases.drifted()))


@pytest.mark.parametrize(
    ("report", "says", "never"),
    [
        pytest.param(
            DriftReport((), checked=4), "No drift: 4 experiments are as they were last applied.", "INC", id="none"
        ),
        pytest.param(DriftReport((), checked=1), "No drift: 1 experiment is as it was last applied.", "INC", id="one"),
        pytest.param(DriftReport(()), "No drift: nothing is managed yet.", "INC", id="nothing-managed"),
        pytest.param(DriftReport((), problems=("a: 500",), checked=4), "INCOMPLETE", "are as they were", id="unread"),
    ],
)
def test_drift_sentences(report: DriftReport, says: str, never: str) -> None:
    assert says in drift_text(report)
    assert never not in drift_text(report)


def test_state(golden: Golden) -> None:
    golden("state_list", state_text(cases.records()))
    golden("state_show", "".join(record_text(record) for record in cases.records()))


def test_empty_state_says_so() -> None:
    assert state_text(()) == "Nothing is managed yet.\n"


def test_diagnostics(golden: Golden) -> None:
    diagnostics = [
        Diagnostic(
            Severity.ERROR, Location("b.yaml", 4, 2), "arm weights add up to 90", "EXP003", "cells", "raise one"
        ),
        Diagnostic(
            Severity.ERROR, Location("a.yaml", 14, 7), "too late", "LIN007", "spec.scheduledEndAt", source="seed"
        ),
        Diagnostic(Severity.WARNING, Location("a.yaml", 2, 1), "a draft overlaps", "LIN020"),
        Diagnostic(Severity.ERROR, Location("c.yaml"), "is empty"),
        Diagnostic(Severity.ERROR, None, f"no project {cases.HOSTILE}", path="connections.x"),
    ]
    golden("diagnostics", diagnostics_text(diagnostics))


def test_no_diagnostics_no_text() -> None:
    assert diagnostics_text(()) == ""


def test_drift_json_has_the_contract_shape() -> None:
    data = json.loads(json.dumps(drift_to_json(cases.drifted())))
    assert data["formatVersion"] == "1.0" and data["complete"] is False and data["problems"]
    assert data["drift"][0] == {
        "key": "LinkedInExperiment/headline-test",
        "platform": "linkedin",
        "connection": "linkedin",
        "remoteId": "123",
        "kind": "state",
        "status": "PAUSED",
        "fields": [{"path": "userIntendedState", "applied": "ACTIVE", "live": "PAUSED"}],
    }
    assert [item["kind"] for item in data["drift"]] == ["state", "edited", "edited", "missing"]
    assert data["progress"][0]["fields"] == [{"path": "status", "applied": "LIVE", "live": "COMPLETED"}]
    assert set(data["unmanaged"][0]) == {"platform", "connection", "account", "remoteId", "name", "status"}


def test_apply_json_counts_and_lists_every_outcome() -> None:
    data = json.loads(json.dumps(apply_to_json(cases.outcomes(), cases.everything())))
    assert data["summary"] == {
        "done": 2, "unchanged": 1, "stale": 1, "failed": 1, "skipped": 1, "blocked": 1, "not-tried": 1,
    }  # fmt: skip
    assert data["interrupted"] is False and data["callsSent"] == 4 and len(data["outcomes"]) == 8
    first = data["outcomes"][0]
    assert first["key"] == "LinkedInExperiment/headline-test"
    assert (first["action"], first["result"], first["callsSent"], first["remoteId"]) == ("create", "done", 1, "901")
    assert data["outcomes"][1]["warnings"]
    assert data["outcomes"][7]["intent"] == "update"


def test_plain_progress_is_one_line_an_event() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, total=2) as tell:
        tell(Progress(KEY, "POST /x\x1b[2J"))
        tell.announce("linkedin: rate limit,\nwaiting 40 s")
        tell(Progress(KEY, "", Outcome(KEY, Action.UPDATE, Result.DONE, "", 1, "5")))
    assert stream.getvalue().splitlines() == [
        "LinkedInExperiment/a: POST /x\\u001b[2J",
        "linkedin: rate limit,\\nwaiting 40 s",
        "[1/2] done       update LinkedInExperiment/a (id 5, 1 call)",
    ]


def test_live_progress_says_what_runs_and_what_is_waited_for() -> None:
    now = [100.0]
    display = LiveProgress(io.StringIO(), total=3, clock=lambda: now[0])
    display(Progress(KEY, "POST /x"))
    display(Progress(Key("LinkedInExperiment", "b"), "[bold]read[/]"))
    display.announce("linkedin: rate limit, waiting 40 s")
    now[0] += 5
    assert display.lines() == [
        "> LinkedInExperiment/a: POST /x 5 s",
        "> LinkedInExperiment/b: [bold]read[/] 5 s",
        "! linkedin: rate limit, waiting 40 s (said 5 s ago)",
        "0 of 3 changes ended, 5 s so far",
    ]
    display(Progress(KEY, "", Outcome(KEY, Action.UPDATE, Result.FAILED, "no")))
    now[0] += 60
    assert display.lines() == [
        "> LinkedInExperiment/b: [bold]read[/] 65 s",
        "1 of 3 changes ended, 1 of them not done, 65 s so far",
    ]


def test_live_progress_keeps_what_ended_on_the_screen() -> None:
    stream = io.StringIO()
    with LiveProgress(stream, ANSI, total=1) as tell:
        tell(Progress(KEY, "POST /x"))
        tell(Progress(KEY, "", Outcome(KEY, Action.UPDATE, Result.DONE, "[red]\x1b]0;t\x07", 1, "5")))
    shown = stream.getvalue()
    assert "LinkedInExperiment/a (id 5, 1 call): [red]\\u001b]0;t\\u0007" in shown
    assert "\x07" not in shown
