"""
Killed at every point: before, and half way through, each operation by which the command line touches a platform, the
state or a file, for every kind of change and every backend; then it is run again, and everything must be as after a
run in peace: what lives, how much was made, what is recorded, and a plan that is empty.

A normal run tries each kind of change with the state in a file, some in a bucket and on a git ref.
`RECONCILER_KILLS=deep` tries everything everywhere, and kills the recovery too for one story of each kind of change
(`make reliability DEEP=…`). On a git ref, and in recoveries, moments between which nothing
outside of the process has changed are tried once; elsewhere each is tried.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kill_stories import ALL, Story
from recorded import note

DEEP = os.environ.get("RECONCILER_KILLS") == "deep"
FIRST = {story.change: story for story in reversed(ALL)}
"""One story of each kind of change."""
_ALSO = ("x-ads-create", "salesforce-create-started", "x-ads-replace-running", "salesforce-replace-running")
NORMAL = {
    "file": (*FIRST.values(), *(story for story in ALL if story.name in _ALSO)),
    "s3": (FIRST["create"], FIRST["replace"]),
    "git": (FIRST["create"],),
}


def chosen() -> list[Any]:
    """Give the stories of this run with their backends."""
    tried = dict.fromkeys(NORMAL, ALL) if DEEP else NORMAL
    return [pytest.param(story, backend, id=f"{backend}-{story.name}") for backend in tried for story in tried[backend]]


class Host:
    """The process that kills others."""

    def __init__(self) -> None:
        program = Path(__file__).parent / "kill_trial.py"
        self._process = subprocess.Popen(
            [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, story: Story, backend: str, *, pairs: bool = False, careless: bool = False) -> dict[str, Any]:
        """Have a story tried; gives what it came to."""
        assert self._process.stdin and self._process.stdout
        every = DEEP and backend != "git"
        asked = {"story": story.name, "backend": backend, "every": every, "pairs": pairs, "careless": careless}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        assert (answer["story"], answer["backend"]) == (story.name, backend), "the answer to an earlier question"
        return answer

    def close(self) -> None:
        """Let it end by itself."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The one of a test process."""
    made = Host()
    yield made
    made.close()


@pytest.mark.timeout(3600 if DEEP else 120)
@pytest.mark.parametrize(("story", "backend"), chosen())
def test_killed_anywhere(host: Host, story: Story, backend: str) -> None:
    pairs = DEEP and story in FIRST.values()
    told = host.ask(story, backend, pairs=pairs)
    assert told["failures"] == []
    assert told["points"] >= (8 if backend == "git" else 5)
    assert not pairs or told["pairs"] >= told["states"]
    note(
        "kill",
        {
            "change": story.change,
            "state in": backend,
            "stories": 1,
            "points": told["points"],
            "states found": told["states"],
            "pairs": told["pairs"],
            "further states": told["pair_states"],
            "wrong afterwards": 0,
        },
    )


def test_killed_while_it_recovers(host: Host) -> None:
    """One story whose recovery is killed too, at every point of it from every state that the first kill can leave."""
    story = next(story for story in ALL if story.name == "x-ads-abandon")
    told = host.ask(story, "file", pairs=True)
    assert told["failures"] == []
    assert told["pairs"] > told["points"]


def test_what_goes_wrong_is_seen(host: Host) -> None:
    """With a journal that keeps nothing the same trial finds that a replacement is stuck half way."""
    story = next(story for story in ALL if story.name == "linkedin-replace-running")
    told = host.ask(story, "file", careless=True)
    assert any(failure.startswith("killed before") for failure in told["failures"])
