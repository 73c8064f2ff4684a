"""
One kind of change on one backend, killed at every point of it and held against a run in peace.

Started by `test_killed.py` as a process: a line of JSON in (`story`, `backend`, `every`, `pairs`, `careless`), a line
of JSON out.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from kill_edges import Point, points_of
from kill_host import Host, Shot
from kill_site import S3Site
from kill_stories import BY_NAME, Story
from laboratory import ENVIRONMENT


@dataclass
class Told:
    """What one story on one backend came to."""

    story: str
    backend: str
    change: str
    points: int = 0
    states: int = 0
    pairs: int = 0
    pair_states: int = 0
    missed: int = 0
    """Points that a run did not come to, as its changes went on in another order."""
    failures: list[str] = field(default_factory=list)


class Trial:
    """One story on one backend."""

    def __init__(self, host: Host, story: Story, backend: str) -> None:
        self.host = host
        self.story = story
        self.told = Told(story.name, backend, story.change)
        self._tried: set[str] = set()
        host.seed = "the beginning"
        host.open(backend)
        story.begin(host)
        self.start = host.shot()
        self.calm, self.free = self._undisturbed()

    def _undisturbed(self) -> tuple[dict[str, Any], set[str]]:
        """Run it in peace, twice, some seconds apart: what differs then is time, and free to differ."""
        facts = []
        for seconds in (0, 7):
            self.host.put_back(self.start)
            self.host.clock.value += seconds
            facts.append(self._run_to_the_end())
        first, second = facts
        return first, {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}

    def _run_to_the_end(self) -> dict[str, Any]:
        host = self.host
        host.seed = host.shot().mark
        again, shown, planned = host.runs(
            [self.story.words, ("state", "pull"), ("plan", "--format", "json", *self.story.plan_words)]
        )
        again.must(0)
        made = planned.must(0).json
        assert made["changes"] == [] and made["complete"], made["changes"]
        return host.facts(shown)

    def every_point(self, *, every: bool, pairs: bool) -> Told:
        """
        Kill at every point, then (`pairs`) kill the recovery from each state that was found, at every point of it.

        Not `every`: points between which nothing outside has changed are tried once.
        """
        firsts: dict[str, tuple[Point, Shot]] = {}
        for point, shot in self._killed_from(self.start, every=every):
            self.told.points += 1
            if self._is_new(shot):
                self.told.states += 1
                self._check(shot, f"killed {point}")
            firsts.setdefault(shot.mark, (point, shot))
        for first, where in firsts.values() if pairs else ():
            for point, shot in self._killed_from(where, every=False):
                self.told.pairs += 1
                if self._is_new(shot):
                    self.told.pair_states += 1
                    self._check(shot, f"killed {first}; the recovery killed {point}")
        return self.told

    def _is_new(self, shot: Shot) -> bool:
        known = shot.mark in self._tried
        self._tried.add(shot.mark)
        return not known

    def _killed_from(self, shot: Shot, *, every: bool) -> Any:
        host = self.host
        host.put_back(shot)
        host.seed = shot.mark
        operations = host.passed(self.story.words)
        for point in points_of(operations):
            if not every and point.same:
                continue
            host.put_back(shot)
            host.seed = shot.mark
            about = host.killed(self.story.words, point)
            if about == point.before or (about and self.story.side_by_side):
                yield point, host.shot()
            elif self.story.side_by_side:
                self.told.missed += 1
            else:
                self.told.failures.append(f"{point}: the run took another way than the one that was counted")

    def _check(self, shot: Shot, where: str) -> None:
        self.host.put_back(shot)
        try:
            facts = self._run_to_the_end()
        except AssertionError as error:
            self.told.failures.append(f"{where}: {str(error)[:1500]}")
            return
        differing = [
            f"{path}: {self.calm.get(path)!r} undisturbed, {facts.get(path)!r} now"
            for path in sorted(self.calm.keys() | facts.keys())
            if path not in self.free and self.calm.get(path) != facts.get(path)
        ]
        if differing:
            self.told.failures.append(f"{where}: {'; '.join(differing[:6])}")


def serve() -> None:
    """Answer requests until there are no more."""
    os.environ.update(ENVIRONMENT, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test-secret")
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", *(n for n in os.environ if n.lower().endswith("_proxy"))):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder).resolve())
        try:
            for line in sys.stdin:
                asked = json.loads(line)
                host.careless = asked["careless"]
                try:
                    trial = Trial(host, BY_NAME[asked["story"]], asked["backend"])
                    answer = vars(trial.every_point(every=asked["every"], pairs=asked["pairs"]))
                except Exception:
                    answer = {"error": traceback.format_exc()}
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()
        finally:
            os.chdir("/")
            for site in host.sites.values():
                if isinstance(site, S3Site):
                    site.close()


if __name__ == "__main__":
    serve()
