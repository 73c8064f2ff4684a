"""`reconciler issue`: opened with the drift, brought up to date, closed when it is gone; one, and ours alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import report_cases as cases
from stand_in import TOKEN, Failure, StandIn

from reconciler.cli.main import main
from reconciler.forge.marker import sticky
from reconciler.model.resource import Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift
from reconciler.report.json import drift_to_json

MARK = sticky("issue", "", None)
FORGES = pytest.mark.parametrize("name", ["github", "gitlab"])
MOVED = Drift(
    Key("LinkedInExperiment", "spring-sale"),
    "linkedin",
    "linkedin",
    "123",
    DriftKind.EDITED,
    "RUNNING",
    (FieldDrift("name", "a", cases.HOSTILE),),
)
DRIFT = DriftReport((MOVED,), checked=3)
NONE = DriftReport((), checked=3)
UNREAD = DriftReport((), checked=3, problems=("x could not be read",))
Says = Callable[..., str]


@pytest.fixture
def says(forge: StandIn, capsys: pytest.CaptureFixture[str]) -> Says:
    """Give a function that runs the command with a report, and gives what it says."""

    def run(name: str, report: DriftReport, *more: str, code: int = 0) -> str:
        Path("drift.json").write_text(json.dumps(drift_to_json(report)))
        ended = main(["issue", name, "--drift", "drift.json", *more])
        shown = capsys.readouterr()
        assert ended == code, shown.err
        assert TOKEN not in shown.out + shown.err
        return shown.out + shown.err

    return run


@FORGES
def test_the_life_of_an_issue(forge: StandIn, says: Says, name: str) -> None:
    assert "no issue" in says(name, NONE) and forge.writes() == []
    assert "issue created" in says(name, DRIFT, "--label", "experiments")
    (issue,) = forge.issues
    assert issue.body.startswith(MARK) and "spring-sale" in issue.body and issue.title == "Drift of experiments"
    count = len(forge.writes())
    assert "issue unchanged" in says(name, DRIFT) and len(forge.writes()) == count
    assert "issue updated" in says(name, DriftReport((MOVED,), checked=4)) and len(forge.issues) == 1
    assert "issue closed" in says(name, NONE)
    assert issue.state == ("closed") and len(issue.comments) == 1 and "drift is gone" in issue.comments[0].body
    assert "no issue" in says(name, NONE) and len(issue.comments) == 1
    assert "issue created" in says(name, DRIFT) and len(forge.issues) == 2


@FORGES
def test_an_incomplete_report_neither_opens_nor_closes(forge: StandIn, says: Says, name: str) -> None:
    assert "no issue" in says(name, UNREAD) and forge.issues == []
    says(name, DRIFT)
    assert "issue updated" in says(name, UNREAD)
    assert forge.issues[0].state == "open" and "INCOMPLETE" in forge.issues[0].body


@FORGES
def test_issues_of_others_and_pull_requests_are_left_alone(forge: StandIn, says: Says, name: str) -> None:
    theirs = forge.add_issue(f"{MARK}\nmine", "mallory", 99)
    asked = forge.add_issue(f"{MARK}\na change", pull=True) if name == "github" else theirs
    for number in range(5):
        forge.add_issue(f"other {number}", "anna", 99)
    says(name, NONE)
    assert theirs.state == asked.state == "open" and forge.writes() == []
    mine = forge.add_issue(f"{MARK}\nold")
    says(name, DRIFT)
    assert "spring-sale" in mine.body and theirs.body == f"{MARK}\nmine"


@FORGES
def test_of_several_the_oldest_is_kept(forge: StandIn, says: Says, name: str) -> None:
    first, second = forge.add_issue(f"{MARK}\none"), forge.add_issue(f"{MARK}\ntwo")
    assert "told the same" in says(name, DRIFT)
    assert (first.state, second.state) == ("open", "closed") and "spring-sale" in first.body


@FORGES
@pytest.mark.parametrize("done", [True, False], ids=["was-done", "was-not-done"])
def test_an_unclear_post_is_never_doubled(forge: StandIn, says: Says, name: str, done: bool) -> None:
    forge.failures.append(Failure("POST", r"/issues$", 502, done=done))
    says(name, DRIFT)
    assert len(forge.issues) == 1
    forge.failures.append(Failure("POST", r"/(comments|notes)$", 502, done=done))
    says(name, NONE)
    assert forge.issues[0].state == "closed" and len(forge.issues[0].comments) == 1


@FORGES
def test_a_close_that_failed_is_done_by_the_next_run_without_a_second_comment(
    forge: StandIn, says: Says, name: str
) -> None:
    says(name, DRIFT)
    number = forge.issues[0].id
    forge.failures.append(Failure("PATCH" if name == "github" else "PUT", rf"/issues/{number}$", 422))
    says(name, NONE, code=1)
    assert forge.issues[0].state == "open"
    says(name, NONE)
    assert forge.issues[0].state == "closed" and len(forge.issues[0].comments) == 1


@FORGES
def test_each_project_and_environment_has_its_own(forge: StandIn, says: Says, name: str) -> None:
    says(name, DRIFT)
    says(name, DRIFT, "--project", "mail")
    assert [issue.title for issue in forge.issues] == ["Drift of experiments", "Drift of experiments (mail)"]
    says(name, NONE, "--project", "mail")
    assert [issue.state for issue in forge.issues] == ["open", "closed"]


@FORGES
def test_a_token_that_may_not_write_and_a_dry_run(forge: StandIn, says: Says, name: str) -> None:
    assert json.loads(says(name, DRIFT, "--dry-run"))["open"] is True and forge.seen == []
    forge.read_only = True
    assert "issues: write" in says(name, DRIFT, code=1)


@pytest.mark.parametrize("text", ["", "[]", '{"drift": []}', '{"formatVersion": "1.0"}', '{"formatVersion": 1}'])
def test_what_is_no_report_closes_nothing(forge: StandIn, capsys: pytest.CaptureFixture[str], text: str) -> None:
    forge.add_issue(f"{MARK}\nold")
    Path("drift.json").write_text(text)
    assert main(["issue", "github", "--drift", "drift.json"]) == 1
    assert "drift.json" in capsys.readouterr().err and forge.seen == []
