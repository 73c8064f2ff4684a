"""Two at once, as real processes at the same platforms: two applies, an apply and readers, two that were reviewed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from backend_places import bare_with_clones
from kinds import CASES, X_ADS, Case
from laboratory import Lab
from running import alive, future, run, slow, start, until

CI = "https://ci.example/run/7"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Give the address of a server of the S3 protocol."""
    pytest.importorskip("moto")
    pytest.importorskip("obstore")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Team:
    """Two checkouts of one project, whose state is kept in one place."""

    def __init__(self, lab: Lab, folders: tuple[Path, Path], **variables: str) -> None:
        self.lab = lab
        self.folders = folders
        self.variables = {"HOME": str(lab.dir), **variables}
        self.started: list[subprocess.Popen[str]] = []

    def manifest(self, case: Case, spec: dict[str, Any]) -> str:
        key = self.lab.manifest(case.kind, spec)
        if self.folders[1] != self.lab.dir:
            shutil.copytree(self.lab.dir / "experiments", self.folders[1] / "experiments", dirs_exist_ok=True)
        return key

    def start(self, which: int, *words: str, **more: str) -> subprocess.Popen[str]:
        self.started.append(start(self.lab, *words, folder=self.folders[which], **{**self.variables, **more}))
        return self.started[-1]

    def run(self, which: int, *words: str) -> tuple[int, str, str]:
        code, out, err = run(self.lab, *words, folder=self.folders[which], **self.variables)
        return code, out, " ".join(err.split())


@pytest.fixture
def team(shared: Team) -> Iterator[Team]:
    """Give the team; none of its runs outlives the test."""
    yield shared
    for process in shared.started:
        process.kill()
        process.communicate()


@pytest.fixture(params=["file", "git", "s3"])
def shared(request: pytest.FixtureRequest, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Team:
    if request.param == "file":
        return Team(lab, (lab.dir, lab.dir))
    folder = tmp_path_factory.mktemp("team")
    if request.param == "git":
        _, clones = bare_with_clones(folder)
        lab.dir = clones[0]
        lab.project(state={"backend": "git"})
        shutil.copy(clones[0] / "reconciler.yaml", clones[1])
        return Team(lab, (clones[0], clones[1]))
    address = request.getfixturevalue("s3")
    bucket = f"b{uuid.uuid4().hex}"
    with urllib.request.urlopen(urllib.request.Request(f"{address}/{bucket}", method="PUT"), timeout=10):
        pass
    lab.project(state={"backend": "s3", "bucket": bucket, "prefix": "team", "region": "us-east-1", "endpoint": address})
    shutil.copy(lab.dir / "reconciler.yaml", folder)
    return Team(lab, (lab.dir, folder), AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test-secret")


def test_the_second_apply_says_who_is_at_work_and_changes_nothing(team: Team) -> None:
    """It fails at once: who, where, since when, how to get on. Readers read on, and are told; a patient one waits."""
    lab = team.lab
    key = team.manifest(X_ADS, future(X_ADS))
    lab.faults(slow(X_ADS, delay=8.0))
    first = team.start(0, "apply", "--auto-approve", CI_JOB_URL=CI)
    until(lambda: lab.writes)
    asked = len(lab.requests)

    code, out, err = team.run(1, "apply", "--auto-approve")
    assert code == 1 and out == ""
    for words in (
        f"(pid {first.pid}, CI run {CI})",
        f"on {socket.gethostname()}",
        "for ",
        "(since 20",
        "--lock-timeout",
    ):
        assert words in err, err
    assert "reconciler state unlock" in err
    assert len(lab.requests) == asked, "the loser asked no platform for anything"

    for command, usual in (("plan", 0), ("drift", 1)):  # what is half created is unknown to drift, and no drift
        code, out, err = team.run(1, command)
        assert code == usual, out + err
        assert "another run is under way: " in err and f"pid {first.pid}" in err, err
    assert len(lab.writes) == 1 and first.poll() is None, "all of that while the first was still at work"

    code, out, err = team.run(1, "apply", "--auto-approve", "--lock-timeout", "40")
    assert code == 0, out + err
    first.communicate(timeout=30)
    assert first.returncode == 0
    assert len(lab.writes) == 1 and len(alive(lab, X_ADS)) == 1
    listed = json.loads(team.run(1, "state", "list", "--format", "json")[1])
    assert listed[key]["remoteId"] == str(alive(lab, X_ADS)[0]["id"])
    code, out, err = team.run(0, "plan", "--detailed-exitcode")
    assert code == 0 and "under way" not in err


def test_many_applies_at_once_make_one_of_each(team: Team) -> None:
    """Started at the same moment, each waiting for the lock: what the first did, the others find done."""
    lab = team.lab
    for case in CASES:
        team.manifest(case, future(case))
    runs = [team.start(which, "apply", "--auto-approve", "--lock-timeout", "60") for which in (0, 1, 0, 1)]
    for process in runs:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0 and "Traceback" not in err, out + err
    for case in CASES:
        assert len(alive(lab, case)) == 1
    assert len([one for one in lab.writes if one.method == "POST"]) == 3


def test_a_saved_plan_that_waited_for_another_run_is_refused_as_stale(team: Team) -> None:
    """It was made before the other run changed what it speaks of: nothing of it is sent."""
    lab = team.lab
    spec = future(X_ADS)
    team.manifest(X_ADS, spec)
    assert team.run(0, "apply", "--auto-approve")[0] == 0
    team.manifest(X_ADS, {**spec, "name": "theirs"})
    assert team.run(1, "plan", "--out", "saved.json")[0] == 0
    team.manifest(X_ADS, {**spec, "name": "ours"})
    lab.forget_requests()
    lab.faults(slow(X_ADS, "PUT", delay=3.0))
    first = team.start(0, "apply", "--auto-approve")
    until(lambda: lab.writes)
    code, out, err = team.run(1, "apply", "saved.json", "--lock-timeout", "40")
    first.communicate(timeout=30)
    assert first.returncode == 0
    assert code == 1, out + err
    assert "name changed on the platform since the plan was made; make a new plan" in " ".join(out.split())
    assert "the state has moved on since the plan was made (serial " in err
    assert len(lab.writes) == 1 and alive(lab, X_ADS)[0]["name"] == "ours"


def test_an_apply_killed_while_another_waits(team: Team) -> None:
    """The one that waits goes on by itself, finds what the dead one had begun, and makes nothing twice."""
    lab = team.lab
    team.manifest(X_ADS, future(X_ADS))
    lab.faults(slow(X_ADS, delay=3.0))
    first = team.start(0, "apply", "--auto-approve")
    until(lambda: lab.writes)
    second = team.start(1, "apply", "--auto-approve", "--lock-timeout", "60")
    time.sleep(0.5)  # so that it is at the lock most of the time; either way the end is the same
    first.kill()
    first.communicate(timeout=10)
    out, err = second.communicate(timeout=90)
    assert second.returncode == 0, out + err
    assert len(alive(lab, X_ADS)) == 1
    assert team.run(1, "plan", "--detailed-exitcode")[0] == 0


def test_the_lock_of_another_machine_is_freed_by_hand(team: Team) -> None:
    """A runner that is gone for good: its lock names it, and `state unlock --force` (or its death) frees it."""
    place = yaml.safe_load((team.lab.dir / "reconciler.yaml").read_text()).get("state", {"backend": "file"})
    if place["backend"] == "file":
        pytest.skip("the kernel frees a file's lock when its holder dies")
    team.manifest(X_ADS, future(X_ADS))
    code = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from reconciler.project import load_project
from reconciler.state import lease
from reconciler.state.backends import open_store
from reconciler.state.owner import Owner
lease.machine = lambda: "elsewhere"
folder = Path.cwd()
store = open_store(load_project(folder, None).state, folder, os.environ)
with store.lock(Owner("runner-9", 4711, "ci", "reconciler apply", datetime.now(UTC), "https://ci.example/run/9"), 5):
    print("held", flush=True)
    os._exit(9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=team.folders[0],
        env={**os.environ, **team.variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "held\n", done.stderr
    code_, _, err = team.run(1, "apply", "--auto-approve")
    assert code_ == 1 and "ci on runner-9 (pid 4711, CI run https://ci.example/run/9)" in err
    assert "it expires at" in err and "reconciler state unlock --force" in err
    assert team.lab.writes == []
    assert team.run(1, "state", "unlock")[0] == 1
    assert team.run(1, "state", "unlock", "--force")[0] == 0
    assert team.run(1, "apply", "--auto-approve")[0] == 0
    assert len(alive(team.lab, X_ADS)) == 1
