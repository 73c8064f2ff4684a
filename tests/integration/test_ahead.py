"""
Reads that begin while many files of manifests are still being read, in a process of their own.

"Many" begins at one file here: the commands are processes in which that number is another.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psutil
import pytest
import yaml
from kinds import LINKEDIN, SALESFORCE
from laboratory import ENVIRONMENT, PREFIXES, Lab
from running import environment, future, process_at, run, until

from reconciler.ahead import Ahead
from reconciler.platforms.registry import PLATFORMS
from reconciler.platforms.session import READ_ATTEMPTS
from reconciler.project import load_project
from reconciler.state.file_store import FileStore
from reconciler.validate.reading import WORTH_A_PROCESS

COUNT = 12
COMMAND = """
import sys
from reconciler.validate import reading
reading.WORTH_A_PROCESS = {files}
from reconciler.cli.main import main
sys.exit(main())
"""


def start(lab: Lab, *words: str, files: int = 1) -> subprocess.Popen[str]:
    """Start a command in which so many files are many."""
    command = [sys.executable, "-c", COMMAND.format(files=files), *words]
    how: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=lab.dir, env=environment(lab), text=True, **how)


@pytest.fixture
def many(lab: Lab) -> Lab:
    """Give a project whose experiments all run as they should."""
    for number in range(COUNT):
        lab.manifest(SALESFORCE.kind, future(SALESFORCE, number), name=f"e{number}")
    lab.manifest(LINKEDIN.kind, future(LINKEDIN))
    code, out, err = run(lab, "apply", "--auto-approve")
    assert code == 0, out + err
    lab.forget_requests()
    return lab


def reads(lab: Lab) -> Counter[str]:
    """Give how often each Salesforce experiment was read."""
    found = (one.path.rsplit("/", 1)[-1] for one in lab.requests if "abn-experiments/" in one.path)
    return Counter(found)


class Senders:
    """Keeps which process sends each request to Salesforce; `at` is called with it before that is answered."""

    def __init__(self, lab: Lab) -> None:
        self.app = lab.server.recorder.app
        self.found: list[tuple[str, int]] = []
        self.at: Callable[[str, int], None] = lambda path, process: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith(PREFIXES["salesforce"]):
            process = process_at(scope["client"][1]) or 0
            self.found.append((scope["path"], process))
            self.at(scope["path"], process)
        await self.app(scope, receive, send)


@pytest.fixture
def senders(many: Lab) -> Iterator[Senders]:
    recorder = many.server.recorder
    app, recorder.app = recorder.app, Senders(many)
    yield recorder.app
    recorder.app = app


@pytest.mark.parametrize("words", [("plan", "--format", "json"), ("drift", "--format", "json")])
def test_the_same_comes_out_and_each_is_read_once(many: Lab, senders: Senders, words: tuple[str, ...]) -> None:
    process = start(many, *words)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), out
    assert {one for path, one in senders.found if "abn-experiments/" in path} - {0, process.pid}, "another process"
    assert set(reads(many).values()) == {1} and len(reads(many)) == COUNT
    senders.found.clear()
    again = start(many, *words, files=1_000)
    small, _ = again.communicate(timeout=60)
    assert {one for _, one in senders.found} <= {0, again.pid}, "it was not begun early"
    assert without_time(json.loads(out)) == without_time(json.loads(small))


def without_time(value: Any) -> Any:
    return {name: one for name, one in value.items() if name not in ("createdAt", "asOf", "at", "checkedAt")}


def test_what_changed_by_hand_is_seen(many: Lab) -> None:
    remote_id = many.remote_id(f"{SALESFORCE.kind}/e3")
    many.by_hand("salesforce", remote_id, label="Changed by hand")
    process = start(many, "drift")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "Changed by hand" in out
    assert set(reads(many).values()) == {1}


def test_what_has_not_changed_is_not_read_again(many: Lab) -> None:
    """The other process asks and keeps as the plan would."""
    project = yaml.safe_load((many.dir / "reconciler.yaml").read_text())
    project["connections"]["crm"]["refresh"] = "incremental"
    many.write_file("reconciler.yaml", yaml.safe_dump(project))

    def plan() -> tuple[int, int]:
        many.forget_requests()
        at_once = "from reconciler.platforms.salesforce import kept; kept.AT_REST_S = float('-inf')"
        command = [sys.executable, "-c", at_once + COMMAND.format(files=1), "plan", "--format", "json"]
        ran = subprocess.run(command, cwd=many.dir, env=environment(many), capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0 and json.loads(ran.stdout)["changes"] == [], ran.stderr
        return sum("/query" in one.path for one in many.requests), sum(reads(many).values())

    assert [plan(), plan(), plan()] == [(1, COUNT), (1, 0), (1, 0)]
    many.by_hand("salesforce", many.remote_id(f"{SALESFORCE.kind}/e3"), description="By hand")
    assert plan() == (1, 1)


def test_manifests_with_an_error_end_it(many: Lab) -> None:
    """The error is all that is told, at once, however long the platform takes to answer."""
    many.write_file("experiments/wrong.yaml", "kind: NoSuchKind\n")
    match = {"platform": "salesforce", "method": "GET"}
    many.faults({"match": match, "times": 100, "do": {"delay": 30}})
    process = start(many, "plan")
    _, err = process.communicate(timeout=25)
    assert process.returncode == 1 and "experiments/wrong.yaml" in err and "Traceback" not in err
    assert not psutil.Process().children(recursive=True) or all(
        "reconciler" not in " ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)
    ), "nothing is left running"


def test_a_limit_is_met_by_the_plan_itself(many: Lab) -> None:
    """Which tells of it and waits; the other process does neither."""
    match = {"platform": "salesforce", "method": "GET", "path": "abn-experiments"}
    many.faults({"match": match, "times": 1, "do": {"status": 429, "headers": {"Retry-After": "1"}}})
    process = start(many, "plan", "--format", "json")
    out, _ = process.communicate(timeout=60)
    made = json.loads(out)
    assert process.returncode == 0 and made["complete"] and made["changes"] == []
    assert max(reads(many).values()) <= 3


def test_the_other_process_is_killed(many: Lab, senders: Senders) -> None:
    """The plan reads for itself then."""
    killed: list[int] = []

    def kill(path: str, process: int) -> None:
        if "abn-experiments/" in path and not killed and process:
            killed.append(process)
            os.kill(process, signal.SIGKILL)

    senders.at = kill
    process = start(many, "plan", "--format", "json")
    out, err = process.communicate(timeout=60)
    assert killed and process.pid not in killed
    assert process.returncode == 0 and "Traceback" not in err
    made = json.loads(out)
    assert made["complete"] and made["changes"] == []


def test_an_interrupt_ends_both(many: Lab) -> None:
    many.faults({"match": {"platform": "salesforce", "method": "GET"}, "times": 100, "do": {"delay": 30}})
    process = start(many, "plan")
    until(lambda: many.requests)
    for one in (process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))):
        os.kill(one, signal.SIGINT)  # as a terminal does it: to all of them
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1 and err.split() == ["interrupted"], err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_one_that_began_it(many: Lab, number: signal.Signals) -> None:
    """However that ends: whoever reads its output sees the end of it, and no further request is sent."""
    many.faults({"match": {"platform": "salesforce", "method": "GET"}, "times": 100, "do": {"delay": 30}})
    process = start(many, "plan")
    until(lambda: many.requests)
    others = psutil.Process(process.pid).children(recursive=True)
    assert others
    process.send_signal(number)
    process.communicate(timeout=20)
    _, alive = psutil.wait_procs(others, timeout=20)
    assert alive == []


def test_a_platform_that_fails_is_tried_there_once(many: Lab) -> None:
    """It is the plan that tries again and again, and tells what came of it."""
    match = {"platform": "salesforce", "method": "GET", "path": "abn-experiments"}
    many.faults({"match": match, "times": 1_000, "do": {"status": 503}})
    process = start(many, "plan", "--format", "json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and json.loads(out)["complete"] is False
    assert max(reads(many).values()) <= 1 + READ_ATTEMPTS


def test_no_further_process_is_allowed(many: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the plan reads for itself."""
    start(many, "plan").communicate(timeout=60)  # its manifests are kept now, so that only the reads would fork
    many.forget_requests()
    refused = "import os\ndef none(): raise BlockingIOError(11, 'no more processes')\nos.fork = none\n"
    monkeypatch.setitem(globals(), "COMMAND", refused + COMMAND)
    process = start(many, "plan", "--format", "json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and json.loads(out)["complete"], err
    assert set(reads(many).values()) == {1}


@pytest.mark.anyio
async def test_what_was_read_for_another_state_is_not_handed_on(many: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.ahead.may_fork", lambda: True)
    monkeypatch.setattr("reconciler.ahead.WORTH_A_PROCESS", 1)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    project = load_project(many.dir, None)
    store = FileStore(many.state_file)
    state = store.read()
    for serial, count in ((state.serial, COUNT), (state.serial + 1, 0)):
        early = Ahead(project, lambda: store, str(many.dir / "cache"))
        early.begin(1)
        early.judged_by(replace(state, serial=serial))
        try:
            (name,) = early.connections
            assert len(await early.readings(name)) == count
            assert await early.readings(name) == {}, "once"
        finally:
            early.close()


def test_a_log_tells_all_requests(many: Lab, senders: Senders) -> None:
    """Where requests are logged as they happen, the one process sends them all."""
    process = start(many, "--verbose", "plan")
    _, err = process.communicate(timeout=60)
    assert {one for _, one in senders.found} <= {0, process.pid}
    assert err.count("abn-experiments/") >= COUNT


def test_tokens_that_are_used_up_are_not_used_early(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project(lab.dir, None)
    assert ahead(project).connections
    (name,) = ahead(project).connections
    connection = replace(project.connections[name], auth={"client_id": "x", "refresh_token": "y"})
    other = replace(project, connections={**project.connections, name: connection})
    assert not ahead(other).connections


def ahead(project: Any) -> Ahead:
    return Ahead(replace(project, platforms={one.name: one for one in PLATFORMS}), lambda: pytest.fail(), "/nowhere")


@pytest.mark.anyio
async def test_nothing_is_begun_for_few_files(lab: Lab) -> None:
    early = ahead(load_project(lab.dir, None))
    early.begin(WORTH_A_PROCESS - 1)
    assert await early.readings("crm") == {} and early.quotas == []
    early.close()
    early.close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
