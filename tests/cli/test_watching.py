"""What is seen of a run: the log for people and programs, the audit record of an apply, and no secret in either."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from kinds import LINKEDIN, SALESFORCE, X_ADS
from laboratory import ENVIRONMENT, Lab

from reconciler.audit import ROTATE_BYTES, commit_of, read_audit
from reconciler.log import FACTS, open_log

AUDIT = ".reconciler/state.json.audit.jsonl"
BOTH = pytest.mark.parametrize("case", [LINKEDIN, X_ADS, SALESFORCE], ids=lambda case: case.kind)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def holds_secret(text: str) -> list[str]:
    return [name for name, value in ENVIRONMENT.items() if value in text]


@BOTH
def test_json_log_of_an_apply(lab: Lab, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LOG", "json")
    lab.manifest(case.kind, case.spec)
    ran = lab.apply()
    told = lines(ran.err)
    assert [told[0]["event"], told[-1]["event"]] == ["begin", "end"]
    assert told[0]["command"] == "reconciler apply"
    (planned,) = [one for one in told if one["event"] == "plan"]
    assert planned["summary"]["create"] == 1 and planned["digest"].startswith("sha256:")
    sent = [one for one in told if one["event"] == "request"]
    assert len(sent) == len([one for one in lab.requests if "oauth" not in one.path])
    (write,) = [one for one in sent if one["write"]]
    assert write["method"] == "POST" and 200 <= write["status"] < 300 and write["ms"] >= 0 and write["attempt"] == 1
    assert any(one["event"] == "outcome" and one["result"] == "done" for one in told)
    assert holds_secret(ran.err) == [] and "Bearer" not in ran.err and "OAuth " not in ran.err
    assert not any(name in ran.err for name in ("trafficWeight", "oauth_signature", "client_secret"))


def test_requests_that_are_repeated_and_that_have_no_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LOG", "json")
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.faults(
        {"match": {"method": "POST"}, "do": {"status": 429}}, {"match": {"method": "GET"}, "do": {"drop": "after"}}
    )
    told = lines(lab.apply().err)
    reads = [one for one in told if one["event"] == "request" and one["method"] == "GET"]
    assert "status" not in reads[0] and "no complete answer" in reads[0]["error"]
    writes = [(one["status"], one["attempt"]) for one in told if one["event"] == "request" and one["write"]]
    assert writes[0] == (429, 1) and writes[1][1] == 2


def test_verbose_is_for_people(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    ran = lab.run("--verbose", "plan", "--format", "json").must(0)
    assert lab.run("plan", "--format", "json").must(0).json["changes"] == ran.json["changes"], "stdout stays data"
    assert "linkedin: GET /linkedin/rest/adExperiments?q=search" in ran.err and ": HTTP 200 in " in ran.err
    assert "request id" in ran.err
    assert "HTTP 200 in" not in lab.run("plan").err


def test_a_log_file_of_its_owner_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "run.log"
    monkeypatch.setenv("RECONCILER_LOG_FILE", str(target))
    lab.manifest(SALESFORCE.kind, SALESFORCE.spec)
    ran = lab.apply()
    first = lines(target.read_text())
    assert lines(ran.err) == []
    assert {"begin", "token", "request", "plan", "step", "outcome", "end"} == {one["event"] for one in first}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert holds_secret(target.read_text()) == []
    lab.plan()
    assert len(lines(target.read_text())) > len(first), "it is appended to"


def test_a_log_that_cannot_be_written_fails_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LOG_FILE", str(lab.dir / "no" / "such" / "folder.log"))
    lab.manifest(X_ADS.kind, X_ADS.spec)
    ran = lab.apply()
    assert "RECONCILER_LOG_FILE" in ran.err and "standard error" in ran.err


def test_hostile_text_is_escaped(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    words = {"errors": [{"code": "NO", "message": '\x1b[2Jgone\n{"event": "end"}'}]}
    lab.faults({"match": {"method": "POST"}, "do": {"status": 400, "body": words}})
    ran = lab.run("--verbose", "apply", "--auto-approve").must(1)
    assert "\x1b" not in ran.err and '\n{"event"' not in ran.err


def test_secrets_learnt_from_connections_are_masked_everywhere() -> None:
    from io import StringIO

    stream = StringIO()
    log = open_log(stream, {"RECONCILER_LOG": "json"}, print)
    log.redact.add("very-secret-token")
    log.event("plan", digest="it said very-secret-token", summary={"deep": "very-secret-token"})
    assert "very-secret-token" not in stream.getvalue() and stream.getvalue().count("[secret]") == 2


def test_a_fact_that_is_not_on_the_list_is_not_told() -> None:
    from io import StringIO

    stream = StringIO()
    log = open_log(stream, {"RECONCILER_LOG": "json"}, print, "run-1")
    log.event("step", key="K/a", authorization="Bearer x")
    log.event("nobody-knows", key="K/a")
    told = lines(stream.getvalue())
    assert [set(one) for one in told] == [{"time", "run", "event", "key"}, {"time", "run", "event"}]
    assert told[0]["run"] == "run-1"


def test_requests_are_numbered_and_name_the_experiment_and_the_quota(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LOG", "json")
    lab.manifest(X_ADS.kind, X_ADS.spec)
    told = lines(lab.apply().err)
    sent = [one for one in told if one["event"] in ("request", "token")]
    assert [one["n"] for one in sent] == list(range(1, len(sent) + 1))
    assert len({one["run"] for one in told}) == 1 and told[0]["run"]
    (write,) = [one for one in sent if one["write"]]
    assert write["key"] == f"{X_ADS.kind}/a"
    assert any("x-rate-limit-remaining" in one.get("headers", {}) for one in sent)
    assert read_audit(lab.dir / AUDIT)[0]["run"] == told[0]["run"]


# --- the audit record ------------------------------------------------------------------------------------------------


def git(lab: Lab, head: str = "ref: refs/heads/main") -> str:
    commit = "0123456789" * 4
    lab.write_file(".git/HEAD", head + "\n")
    lab.write_file(".git/packed-refs", f"# pack-refs with: peeled\n{commit} refs/heads/main\n")
    return commit


@BOTH
def test_the_record_of_an_apply(lab: Lab, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/7")
    commit = git(lab)
    lab.manifest(case.kind, case.spec)
    lab.apply()
    begin, call, end = read_audit(lab.dir / AUDIT)
    assert [line["event"] for line in (begin, call, end)] == ["begin", "call", "end"]
    assert len({line["run"] for line in (begin, call, end)}) == 1
    assert begin["by"]["user"] == "ada" and begin["by"]["ciRun"] == "https://ci.example/7" and begin["by"]["host"]
    assert begin["commit"] == commit and begin["version"] and begin["plan"]["digest"].startswith("sha256:")
    (change,) = begin["plan"]["changes"]
    assert (change["key"], change["action"]) == (f"{case.kind}/a", "create")
    assert all(set(field) == {"path", "before", "after"} and field["before"] is None for field in change["fields"])
    assert call["key"] == change["key"] and call["sent"].startswith("sha256:") and call["n"] >= 1
    assert call["method"] == "POST" and 200 <= call["status"] < 300 and call["attempt"] == 1
    (outcome,) = end["outcomes"]
    assert outcome["result"] == "done" and outcome["remoteId"] == lab.remote_id(f"{case.kind}/a")
    text = (lab.dir / AUDIT).read_text()
    assert holds_secret(text) == [] and "Bearer" not in text
    assert stat.S_IMODE((lab.dir / AUDIT).stat().st_mode) == 0o600


def test_the_digest_is_that_of_the_saved_plan(lab: Lab) -> None:
    import hashlib

    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.run("plan", "--out", "plan.json").must(0)
    lab.apply("plan.json")
    begin = read_audit(lab.dir / AUDIT)[0]
    assert begin["plan"]["digest"] == "sha256:" + hashlib.sha256((lab.dir / "plan.json").read_bytes()).hexdigest()


def test_every_answer_is_recorded_and_runs_are_appended(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.faults(
        {"match": {"method": "POST"}, "do": {"status": 400, "body": {"errors": [{"code": "NO", "message": "no"}]}}}
    )
    lab.apply(code=1)
    lab.faults({"match": {"method": "POST"}, "do": {"drop": "after"}})
    lab.apply()
    calls = [line for line in read_audit(lab.dir / AUDIT) if line["event"] == "call"]
    assert calls[0]["status"] == 400 and "status" not in calls[1] and calls[1]["error"]
    ends = [line for line in read_audit(lab.dir / AUDIT) if line["event"] == "end"]
    assert [line["outcomes"][0]["result"] for line in ends] == ["failed", "done"]


def test_nothing_to_do_leaves_no_record(lab: Lab) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    before = (lab.dir / AUDIT).read_bytes()
    lab.apply()
    lab.plan()
    assert (lab.dir / AUDIT).read_bytes() == before


def test_a_record_that_cannot_be_kept_is_a_warning(lab: Lab) -> None:
    """A folder stands in its place; a link is not followed either."""
    (lab.dir / AUDIT).mkdir(parents=True)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    ran = lab.apply()
    assert ran.err.count("no audit record is kept") == 1
    (lab.dir / AUDIT).rmdir()
    (lab.dir / "elsewhere").write_text("")
    (lab.dir / AUDIT).symlink_to(lab.dir / "elsewhere")
    lab.manifest(X_ADS.kind, {**X_ADS.spec, **X_ADS.by_hand})
    assert "no audit record is kept" in lab.apply().err
    assert (lab.dir / "elsewhere").read_text() == ""


def test_it_is_put_aside_when_it_grows(lab: Lab) -> None:
    lab.write_file(AUDIT, b"x" * (ROTATE_BYTES + 1))
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    assert (lab.dir / f"{AUDIT}.1").stat().st_size == ROTATE_BYTES + 1
    assert len(read_audit(lab.dir / AUDIT)) == 3


def test_the_commit_of_worktrees_detached_heads_and_no_git(lab: Lab) -> None:
    assert commit_of(lab.dir) == ""
    commit = git(lab)
    (lab.dir / "deep" / "down").mkdir(parents=True)
    assert commit_of(lab.dir / "deep" / "down") == commit
    other = "f" * 40
    lab.write_file(".git/refs/heads/main", other + "\n")
    assert commit_of(lab.dir) == other, "a loose reference is newer than a packed one"
    lab.write_file(".git/HEAD", commit + "\n")
    assert commit_of(lab.dir) == commit
    lab.write_file(".git/worktrees/w/HEAD", "ref: refs/heads/main\n")
    lab.write_file(".git/worktrees/w/commondir", "../..\n")
    lab.write_file("w/.git", f"gitdir: {lab.dir}/.git/worktrees/w\n")
    assert commit_of(lab.dir / "w") == other
    lab.write_file(".git/HEAD", "nonsense\n")
    assert commit_of(lab.dir) == ""


def test_the_page_on_logs_names_every_fact_and_no_other() -> None:
    page = Path(__file__).parents[2] / "docs/observability.md"
    log = page.read_text().partition("## The log")[2]
    rows = re.findall(r"^\| (`[^|]+`) \| (`[^|]+) \|$", log, re.MULTILINE)
    told = {tuple(re.findall(r"`(\w+)`", events)): set(re.findall(r"`(\w+)`", facts)) for events, facts in rows}
    assert {name for names in told for name in names} == set(FACTS)
    for names, facts in told.items():
        assert facts == {fact for name in names for fact in FACTS[name]}, names
