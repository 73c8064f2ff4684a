"""`reconciler comment`: one comment, found again over all pages, ours alone, never doubled; a check with its marks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import report_cases as cases
from stand_in import SHA, TOKEN, Failure, StandIn

from reconciler.cli.main import main
from reconciler.forge.marker import LIMIT, sticky
from reconciler.model.change import Action, FieldChange, Plan
from reconciler.plan.saved import dumps

MARK = sticky("plan", "", None)
SPRING = replace(cases.updated(), target={"name": "Spring sale"}, after=())
FORGES = pytest.mark.parametrize("name", ["github", "gitlab"])
LIST = {"github": r"/issues/5/comments$", "gitlab": r"/merge_requests/5/notes$"}
UPDATE = {"github": ("PATCH", r"/issues/comments/\d+$"), "gitlab": ("PUT", r"/notes/\d+$")}
Says = Callable[..., tuple[int, str, str]]


@pytest.fixture
def says(forge: StandIn, capsys: pytest.CaptureFixture[str]) -> Says:
    """Give a function that runs the command with a plan; gives exit code, standard output, standard error."""

    def run(name: str, plan: Plan | None = None, *more: str) -> tuple[int, str, str]:
        made = plan if plan is not None else cases.plan(SPRING)
        Path("plan.json").write_text(dumps(made))
        code = main(["comment", name, "--plan", "plan.json", *more])
        shown = capsys.readouterr()
        assert TOKEN not in shown.out + shown.err
        assert "Traceback" not in shown.err
        return code, shown.out, shown.err

    return run


@FORGES
def test_creates_updates_and_leaves_alone_the_one_comment(forge: StandIn, says: Says, name: str) -> None:
    code, out, _ = says(name)
    assert code == 0 and "comment created" in out
    (text,) = forge.texts
    assert text.body.startswith(MARK + "\n") and "LinkedInExperiment/spring-sale" in text.body
    assert f"For commit {SHA[:12] if name == 'github' else ''}" in text.body or name == "gitlab"
    first = len(forge.writes())
    code, out, _ = says(name, None, "--no-check")
    assert code == 0 and "comment unchanged" in out and len(forge.writes()) == first
    code, out, _ = says(name, cases.plan(), "--no-check")
    assert "comment updated" in out and len(forge.texts) == 1
    assert "No changes" in forge.texts[0].body


@FORGES
def test_finds_its_comment_on_a_later_page(forge: StandIn, says: Says, name: str) -> None:
    for number in range(5):
        forge.add(f"a person's words {number}", "anna", 99)
    mine = forge.add(f"{MARK}\nold")
    forge.add("after it", "anna", 99)
    assert says(name)[0] == 0
    assert len(forge.texts) == 7 and "spring-sale" in mine.body


@FORGES
def test_a_marker_in_somebody_elses_comment_is_not_ours(forge: StandIn, says: Says, name: str) -> None:
    theirs = forge.add(f"{MARK}\nmine, honestly", "mallory", 99)
    quoting = forge.add(f"see above:\n{MARK}")
    code, out, _ = says(name)
    assert code == 0 and "created" in out
    assert theirs.body == f"{MARK}\nmine, honestly" and quoting.body == f"see above:\n{MARK}"
    assert len(forge.texts) == 3


@FORGES
def test_older_doubles_are_folded_away_once(forge: StandIn, says: Says, name: str) -> None:
    doubles = [forge.add(f"{MARK}\nold {number}") for number in range(3)]
    code, _, err = says(name, None, "--no-check")
    assert code == 0 and "2 older comments folded away" in err
    assert "spring-sale" in doubles[2].body
    for double in doubles[:2]:
        assert double.body.startswith("<!-- reconciler:outdated -->") and "<details>" in double.body
        assert double.minimized == (name == "github")
    count = len(forge.writes())
    assert says(name, None, "--no-check")[0] == 0 and len(forge.writes()) == count


def test_a_token_that_may_not_minimize_still_folds(forge: StandIn, says: Says) -> None:
    double = forge.add(f"{MARK}\nold")
    forge.add(f"{MARK}\nnewer")
    forge.no_minimize = True
    code, _, err = says("github")
    assert code == 0 and "could not be minimized" in err and "outdated" in double.body


@FORGES
@pytest.mark.parametrize("done", [True, False], ids=["was-done", "was-not-done"])
@pytest.mark.parametrize("status", [500, 502, 408])
def test_an_unclear_post_is_never_doubled(forge: StandIn, says: Says, name: str, done: bool, status: int) -> None:
    forge.failures.append(Failure("POST", LIST[name], status, done=done))
    code, out, _ = says(name, None, "--no-check")
    assert code == 0, out
    assert len(forge.texts) == 1 and "spring-sale" in forge.texts[0].body
    posts = [path for method, path in forge.seen if method == "POST" and "graphql" not in path]
    assert len(posts) == (1 if done else 2)


@FORGES
def test_what_keeps_failing_is_one_clear_error(forge: StandIn, says: Says, name: str) -> None:
    forge.failures.append(Failure("POST", LIST[name], 503, times=99, body="<html>down</html>"))
    code, _, err = says(name, None, "--no-check")
    assert code == 1 and "503" in err and forge.texts == []


@FORGES
def test_rate_limits_are_waited_out(forge: StandIn, says: Says, name: str) -> None:
    limited = 403 if name == "github" else 429
    method, path = UPDATE[name]
    forge.add(f"{MARK}\nold")
    forge.failures += [
        Failure("GET", LIST[name], 429, {"Retry-After": "0"}),
        Failure(method, path, limited, {"Retry-After": "0"}),
    ]
    code, out, err = says(name, None, "--no-check")
    assert code == 0 and "updated" in out and err.count("waiting") == 2


def test_a_limit_longer_than_allowed_ends_the_run(forge: StandIn, says: Says) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4000000000"}
    forge.failures.append(Failure("GET", LIST["github"], 403, headers))
    code, _, err = says("github", None, "--max-wait", "5")
    assert code == 1 and "--max-wait" in err and forge.texts == []


def test_a_comment_removed_meanwhile_is_posted_anew(forge: StandIn, says: Says) -> None:
    forge.add(f"{MARK}\nold")
    forge.failures.append(Failure("PATCH", UPDATE["github"][1], 404))
    code, out, _ = says("github", None, "--no-check")
    assert code == 0 and "created" in out and len(forge.texts) == 2


def test_the_next_page_on_another_host_gets_no_token(forge: StandIn, says: Says) -> None:
    other = StandIn()
    try:
        forge.elsewhere = other.url.replace("127.0.0.1", "localhost")
        for number in range(5):
            forge.add(f"words {number}", "anna", 99)
        code, _, err = says("github")
        assert code == 1 and "another host" in err
        assert other.seen == [] and len(forge.texts) == 5
    finally:
        other.close()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GITHUB_API_URL", "http://github.example/api/v3", "use https"),
        ("GITHUB_API_URL", "https://user:pass@github.example", "has a user"),
        ("GITHUB_GRAPHQL_URL", "https://elsewhere.example/graphql", "another host"),
        ("GITHUB_REPOSITORY", "acme/../secrets", "not a repository"),
        ("GITHUB_TOKEN", "", "GITHUB_TOKEN is not set"),
        ("GITHUB_TOKEN", "tok\nen", "no token"),
        ("GITHUB_EVENT_PATH", "/nowhere.json", "cannot be read"),
        ("GITHUB_EVENT_PATH", "", "--number"),
    ],
)
def test_a_wrong_environment_is_one_clear_error(
    forge: StandIn, says: Says, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    code, _, err = says("github")
    assert code == 1 and said in err and "pass" not in err
    assert forge.seen == []


def test_the_token_of_a_gitlab_job_is_refused_with_what_to_do(
    forge: StandIn, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "")
    monkeypatch.setenv("CI_JOB_TOKEN", "glcbt-1")
    code, _, err = says("gitlab")
    assert code == 1 and "CI_JOB_TOKEN" in err and "scope api" in err and "glcbt-1" not in err


@FORGES
def test_a_refused_token_names_its_variable(forge: StandIn, says: Says, name: str) -> None:
    forge.failures.append(Failure("GET" if name == "gitlab" else "POST", r"user$|graphql$", 401))
    code, _, err = says(name)
    assert code == 1 and f"{name.upper()}_TOKEN was not accepted" in err


@FORGES
def test_under_a_fork_the_words_are_clear_and_the_exit_code_is_chosen(forge: StandIn, says: Says, name: str) -> None:
    forge.read_only = True
    code, _, err = says(name)
    assert code == 1 and "from a fork" in err
    code, _, err = says(name, None, "--read-only-ok")
    assert code == 0 and "warning" in err and forge.texts == []


@FORGES
def test_projects_and_environments_have_a_comment_each(forge: StandIn, says: Says, name: str) -> None:
    for more in ([], ["--project", "ads"], ["--project", "mail"]):
        assert says(name, None, "--no-check", *more)[0] == 0
    assert says(name, cases.plan(SPRING, environment="prod"), "--no-check")[0] == 0
    assert len({text.body.partition("\n")[0] for text in forge.texts}) == len(forge.texts) == 4


@FORGES
def test_skip_empty_makes_none_and_updates_one(forge: StandIn, says: Says, name: str) -> None:
    code, out, _ = says(name, cases.plan(), "--skip-empty", "--no-check")
    assert code == 0 and "no comment" in out and forge.texts == []
    mine = forge.add(f"{MARK}\nthere are changes")
    assert says(name, cases.plan(), "--skip-empty", "--no-check")[0] == 0
    assert "No changes" in mine.body


def test_a_plan_of_any_size_fits(forge: StandIn, says: Says) -> None:
    fields = tuple(FieldChange(f"description{n}", "x" * 300, "ü" * 300) for n in range(20))
    changes = [cases.linkedin(f"test-{n}", Action.UPDATE, fields=fields, target={}) for n in range(600)]
    assert says("github", cases.plan(*changes))[0] == 0
    assert 30_000 < len(forge.texts[0].body) <= LIMIT
    assert "Left out" in forge.texts[0].body


def blocked(count: int) -> Plan:
    """Give a plan with so many blocked changes."""
    every = (cases.linkedin(f"t{n}", Action.BLOCKED, reasons=("no",)) for n in range(count))
    return cases.plan(*every)


def test_the_check_run_has_every_mark_once_in_batches(forge: StandIn, says: Says) -> None:
    code, out, _ = says("github", blocked(120))
    assert code == 0 and "check run failure" in out
    (check,) = forge.checks
    assert check["head_sha"] == SHA and check["conclusion"] == "failure"
    assert len(check["marks"]) == 120 and len({mark["title"] for mark in check["marks"]}) == 120
    assert [m for m, p in forge.seen if "check-runs/" in p] == ["PATCH", "PATCH"]


@pytest.mark.parametrize("done", [True, False], ids=["was-done", "was-not-done"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_unclear_batch_is_not_added_twice(forge: StandIn, says: Says, method: str, done: bool) -> None:
    forge.failures.append(Failure(method, r"check-runs", 502, done=done))
    assert says("github", blocked(120))[0] == 0
    (check,) = forge.checks
    assert sorted(mark["title"] for mark in check["marks"]) == sorted({mark["title"] for mark in check["marks"]})
    assert len(check["marks"]) == 120


def test_a_token_without_checks_goes_on(forge: StandIn, says: Says) -> None:
    forge.no_checks = True
    code, _, err = says("github")
    assert code == 0 and "checks: write" in err and len(forge.texts) == 1


def test_dry_run_sends_nothing_and_shows_all(forge: StandIn, says: Says) -> None:
    code, out, _ = says("github", None, "--dry-run")
    shown = json.loads(out)
    assert code == 0 and forge.seen == []
    assert shown["number"] == 5 and shown["body"].startswith(MARK) and shown["check"]["sha"] == SHA


def test_summary_is_the_whole_and_is_appended(
    forge: StandIn, says: Says, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    fields = tuple(FieldChange(f"description{n}", "x" * 900, "y" * 900) for n in range(20))
    made = cases.plan(*(cases.linkedin(f"test-{n}", Action.UPDATE, fields=fields, target={}) for n in range(300)))
    assert says("github", made, "--summary")[0] == 0
    text = summary.read_text()
    assert text.startswith("before\n") and len(forge.texts[0].body) < len(text.encode()) <= 1024 * 1024
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert says("github", made, "--summary")[0] == 1


def test_standard_input_may_be_a_plan_a_drift_report_or_markdown(
    forge: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, kind in (
        (dumps(cases.plan(SPRING)), "plan"),
        (json.dumps({"formatVersion": "1.0", "drift": [], "checked": 3}), "drift"),
        ("<!-- reconciler:drift env= -->\n## Drift", "drift"),
        ("## My own words", "plan"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["comment", "gitlab", "--dry-run"]) == 0
        assert json.loads(capsys.readouterr().out)["body"].startswith(sticky(kind, "", None))


@pytest.mark.parametrize("text", ["", "{}", '{"changes": 1}', '{"formatVersion": "9.0", "changes": []}', "[" * 9999])
def test_a_file_that_is_no_plan_is_one_clear_error(
    forge: StandIn, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("plan.json").write_text(text)
    assert main(["comment", "github", "--plan", "plan.json"]) == 1
    assert "plan.json" in capsys.readouterr().err and forge.seen == []


def test_markdown_that_is_too_long_is_refused(forge: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    Path("long.md").write_text("x" * LIMIT)
    assert main(["comment", "github", "--markdown", "long.md"]) == 1
    assert "--plan" in capsys.readouterr().err and forge.seen == []


def test_a_plan_for_another_environment_is_refused(forge: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.json").write_text(dumps(replace(cases.plan(), environment="prod")))
    assert main(["--env", "staging", "comment", "github", "--plan", "plan.json"]) == 1
    assert "prod" in capsys.readouterr().err and forge.seen == []
