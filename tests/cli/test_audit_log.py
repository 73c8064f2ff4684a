"""`state log`: who changed an experiment and when, wherever the state is kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from kinds import LINKEDIN, X_ADS
from laboratory import Lab

from reconciler.audit import runs_of, touches


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(params=["file", "git"])
def kept(lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The lab as a git clone, its state in a file or on a ref of the remote."""
    bare = tmp_path_factory.mktemp("server") / "x.git"
    git(bare.parent, "init", "-q", "--bare", str(bare))
    lab.write_file(".gitignore", ".reconciler/\ncache/\n")
    lab.project(**({"state": {"backend": "git"}} if request.param == "git" else {}))
    git(lab.dir, "init", "-q")
    git(lab.dir, "remote", "add", "origin", f"file://{bare}")
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    git(lab.dir, "add", ".")
    git(lab.dir, "commit", "-q", "-m", "two")
    return str(request.param)


def test_who_changed_it_and_when(lab: Lab, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("GITHUB_ACTOR", "grace")
    head = git(lab.dir, "rev-parse", "HEAD")
    lab.apply()
    lab.pass_time(minutes=5)
    lab.manifest(X_ADS.kind, {**X_ADS.spec, **X_ADS.by_hand})
    lab.apply()
    if kept == "git":  # another runner, which has none of the files of the first
        (lab.dir / ".reconciler" / "state.audit.jsonl").unlink()
    shown = lab.run("state", "log").must(0).out
    assert shown.count("ada on ") == 2 and shown.count("set off by grace") == 2
    assert head in shown and shown.count("with changes not committed") == 1
    both, first = lab.run("state", "log", "--format", "json").must(0).json
    assert [line["event"] for line in both] == ["begin", "call", "end"] and len(first) == 4
    alone = lab.run("state", "log", f"{LINKEDIN.kind}/a").must(0).out
    assert alone.count("ada on ") == 1 and X_ADS.kind not in alone and "POST /linkedin/rest/adExperiments" in alone
    field = next(iter(X_ADS.by_hand))
    assert f"{field}: " in lab.run("state", "log", f"{X_ADS.kind}/a", "--limit", "1").must(0).out
    assert "no apply of" in lab.run("state", "log", f"{X_ADS.kind}/other").must(0).err


def test_a_run_that_was_killed_has_begun(lab: Lab, kept: str) -> None:
    """What is there is told with the word that no end is recorded."""
    lab.apply()
    (lines,) = lab.run("state", "log", "--format", "json").must(0).json
    if kept == "git":
        (lab.dir / ".reconciler" / "state.audit.jsonl").unlink()
        tip = git(lab.dir, "ls-remote", "origin", "refs/reconciler/state-audit").split()[0]
        begun = git(lab.dir, "rev-parse", f"{tip}~1")
        git(lab.dir, "push", "-q", "--force", "origin", f"{begun}:refs/reconciler/state-audit")
    else:
        lab.write_file(".reconciler/state.json.audit.jsonl", json.dumps(lines[0]) + "\n{cut")
    assert "no end is recorded" in lab.run("state", "log").must(0).out


def test_a_place_that_takes_no_record_is_a_warning(lab: Lab, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.errors import StateProblem
    from reconciler.state.git_store import GitMedium

    def broken(*given: object) -> None:
        raise StateProblem("the server takes no such ref")

    monkeypatch.setattr(GitMedium, "keep_record", broken)
    ran = lab.apply()
    assert ran.err.count("takes no such ref") == (1 if kept == "git" else 0)


def test_hostile_records_are_shown_harmless(lab: Lab) -> None:
    bad = {
        "run": "\x1b[2J",
        "event": "begin",
        "time": 5,
        "by": [],
        "plan": {"changes": [1, {"key": "\x1b]0;x", "fields": 3}]},
    }
    lab.write_file(".reconciler/state.json.audit.jsonl", json.dumps(bad) + "\n[1]\n" + "[" * 100_000 + "\n")
    ran = lab.run("state", "log").must(0)
    assert "\x1b" not in ran.out + ran.err


def test_records_in_a_bucket() -> None:
    memory = pytest.importorskip("obstore.store").MemoryStore()
    from reconciler.state.object_store import ObjectMedium

    medium = ObjectMedium(lambda: memory, "memory", "team")
    assert medium.records(5) == []
    begin = b'{"run": "r1", "event": "begin", "time": "2026-11-25T08:00:00Z"}\n'
    end = b'{"run": "r1", "event": "end", "outcomes": [{"key": "K/a"}]}\n'
    medium.keep_record("20261125T080000Z-r1", begin, "begun")
    medium.keep_record("20261125T080000Z-r1", begin + end, "ended")
    medium.keep_record("20261126T080000Z-r2", begin.replace(b"r1", b"r2").replace(b"25T", b"26T"), "begun")
    runs = runs_of(medium.records(5))
    assert [[line["run"] for line in lines] for lines in runs] == [["r2"], ["r1", "r1"]]
    assert medium.load().state is None, "records are no state"
    assert [touches(lines, "K/a") for lines in runs] == [False, True]
