"""
Killed at every point: after each request that changes something, and after each entry of the journal. (Before
the one is after the other: between two of them nothing happens outside.)

The command runs in a child process that ends itself without a word (as after kill -9) at its n-th point; then a plain
`apply` runs, and everything must be as if nothing had happened: one experiment, recorded, nothing left to plan.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from kinds import CASES, Case
from laboratory import Lab

from reconciler import workflow
from reconciler.cli.main import main
from reconciler.platforms.http import HttpClient

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}
KILLED = 86
MOST_POINTS = 60


class Fuse:
    """Ends this process at the n-th point that it passes."""

    def __init__(self, number: int) -> None:
        self.left = number

    def point(self) -> None:
        self.left -= 1
        if self.left == 0:
            os._exit(KILLED)

    def around_awaitable(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapped(*words: Any, **more: Any) -> Any:
            result = await call(*words, **more)
            self.point()
            return result

        return wrapped

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*words: Any, **more: Any) -> Any:
            result = call(*words, **more)
            self.point()
            return result

        return wrapped


def killed_at(number: int, words: tuple[str, ...]) -> bool:
    """Run a command in a child process that is killed at its n-th point; tells whether it got there."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the parent's thread is the server, which the child leaves alone
        child = os.fork()
    if child == 0:
        try:
            fuse = Fuse(number)
            HttpClient.write = fuse.around_awaitable(HttpClient.write)  # type: ignore[method-assign]
            workflow.StoreJournal.put = fuse.around(workflow.StoreJournal.put)  # type: ignore[method-assign]
            workflow.StoreJournal.remove = fuse.around(workflow.StoreJournal.remove)  # type: ignore[method-assign]
            code = main(list(words))
        except BaseException:
            code = 99
        os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), code
    return code == KILLED


def alive(lab: Lab, case: Case) -> list[str]:
    """Give the ids of what is there and not over."""
    over = ("ENDED", "Archived")
    return [
        str(row["id"])
        for row in lab.table(case.platform, TABLES[case.platform]).values()
        if not row.get("deleted") and row.get("executionState") not in over and row.get("state") not in over
    ]


def again(lab: Lab, words: tuple[str, ...]) -> None:
    """Run the same command once more: it must come to its end."""
    ran = lab.run(*words)
    assert ran.code == 0, f"{ran.out}\n{ran.err}"


def each_point(begin: Callable[[], None], check: Callable[[int], None], words: tuple[str, ...], lab: Lab) -> None:
    """Go through every point at which the command can be killed, each from a fresh beginning."""
    for number in range(1, MOST_POINTS):
        lab.server.reset()
        lab.settings(processing_seconds=0, deleting_seconds=0)  # the child's waits do not move the platforms' clock
        for path in (lab.dir / ".reconciler").glob("*"):
            path.unlink()
        begin()
        reached = killed_at(number, words)
        if reached:
            lab.pass_time(seconds=5)
            again(lab, words)
        check(number)
        if not reached:
            assert number > 2, "a command passes more points than that"
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("case", EVERY)
def test_create(lab: Lab, case: Case) -> None:
    spec = {**case.spec, "state": "Started"} if case.platform == "salesforce" else case.spec
    words = ("apply", "--auto-approve")

    def begin() -> None:
        lab.manifest(case.kind, spec)

    def check(number: int) -> None:
        assert alive(lab, case) == [lab.remote_id(f"{case.kind}/a")], number
        lab.settled()

    each_point(begin, check, words, lab)


@pytest.mark.parametrize("case", EVERY)
def test_update(lab: Lab, case: Case) -> None:
    def begin() -> None:
        lab.manifest(case.kind, case.spec)
        lab.apply()
        lab.manifest(case.kind, {**case.spec, **case.by_hand})

    def check(number: int) -> None:
        assert alive(lab, case) == [lab.remote_id(f"{case.kind}/a")], number
        lab.settled()

    each_point(begin, check, ("apply", "--auto-approve"), lab)


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("started", [False, True])
def test_delete(lab: Lab, case: Case, started: bool) -> None:
    def begin() -> None:
        lab.manifest(case.kind, case.spec)
        lab.apply()
        lab.pass_time(minutes=2)
        if started:
            case.reach[list(case.reach)[1]](lab, lab.remote_id(f"{case.kind}/a"))
        lab.unwrite(case.kind)

    def check(number: int) -> None:
        assert alive(lab, case) == [], number
        assert lab.run("state", "list", "--format", "json").must(0).json == {}

    each_point(begin, check, ("apply", "--auto-approve", "--allow-empty", "--allow-destroy"), lab)


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("started", [False, True])
def test_replace(lab: Lab, case: Case, started: bool) -> None:
    status = list(case.reach)[int(started)]
    edit = next(edit for edit in case.edits if edit.verdicts[int(started)] == "replace")
    old: list[str] = []

    def begin() -> None:
        lab.manifest(case.kind, case.spec, onImmutableChange="replace")
        lab.apply()
        lab.pass_time(minutes=2)
        old[:] = [lab.remote_id(f"{case.kind}/a")]
        case.reach[status](lab, old[0])
        lab.manifest(case.kind, case.edited(edit, also=True), onImmutableChange="replace")

    def check(number: int) -> None:
        record = lab.record(f"{case.kind}/a")
        assert alive(lab, case) == [record["remoteId"]] and record["remoteId"] not in old, number
        assert record["predecessors"] == old
        lab.pass_time(minutes=2)
        assert lab.plan(code=0)["changes"] == []

    each_point(begin, check, ("apply", "--auto-approve", "--allow-destroy"), lab)


@pytest.mark.parametrize("case", EVERY)
def test_a_saved_plan_is_resumed(lab: Lab, case: Case) -> None:
    """Two changes at once, from a file: the second run of the same file finishes what the first began."""
    words = ("apply", "plan.json")

    def begin() -> None:
        lab.manifest(case.kind, case.fresh(0), name="b")
        lab.manifest(case.kind, case.fresh(1), name="a")
        lab.apply("--target", f"{case.kind}/a")
        lab.manifest(case.kind, {**case.fresh(1), **case.by_hand}, name="a")
        lab.run("plan", "--out", "plan.json").must(0)

    def check(number: int) -> None:
        assert sorted(alive(lab, case)) == sorted(lab.remote_id(f"{case.kind}/{name}") for name in "ab"), number
        lab.settled()

    each_point(begin, check, words, lab)
