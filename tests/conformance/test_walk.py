"""Random walks: edited manifests, passing days, people at the platforms' own pages; each apply settles all of it."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from kinds import CASES, Case, Edit
from laboratory import Lab

WALKS = int(os.environ.get("RECONCILER_WALKS", "3"))
STEPS = 12
EVERY = [pytest.param(case, id=case.kind) for case in CASES]
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}


class Walk:
    """One project of up to three experiments of a kind, and what may happen to them."""

    def __init__(self, lab: Lab, case: Case, seed: int) -> None:
        self.lab = lab
        self.case = case
        self.random = random.Random(seed)
        self.specs: dict[str, dict[str, Any]] = {}
        self.done: list[str] = []

    def step(self) -> None:
        """Let one thing happen."""
        way = self.random.choice(
            (self.write, self.edit, self.edit, self.unwrite, self.days, self.by_hand, self.take_away)
        )
        self.done.append(way.__name__)
        way()

    def write(self) -> None:
        free = [name for name in ("e0", "e1", "e2") if name not in self.specs]
        if free:
            name = self.random.choice(free)
            self.specs[name] = self.case.fresh(int(name[1]))
            self.lab.manifest(self.case.kind, self.specs[name], name=name)

    def edit(self) -> None:
        if not self.specs:
            return
        name = self.random.choice(sorted(self.specs))
        edit: Edit = self.random.choice(self.case.edits)
        same = ("cells", "user_groups", "account", "account_id", "entity_type", "name")
        changes = {key: value for key, value in edit.changes.items() if key not in same and value is not ...}
        self.specs[name] = {**self.specs[name], **changes}
        lifecycle = self.random.choice(({}, {"onImmutableChange": "replace"}))
        self.lab.manifest(self.case.kind, self.specs[name], name=name, **lifecycle)

    def unwrite(self) -> None:
        if len(self.specs) > 1:
            name = self.random.choice(sorted(self.specs))
            del self.specs[name]
            self.lab.unwrite(self.case.kind, name)

    def days(self) -> None:
        self.lab.pass_time(days=self.random.choice((0.01, 1, 5)))

    def by_hand(self) -> None:
        found = self.ids()
        if found:
            try:
                self.lab.by_hand(self.case.platform, self.random.choice(found), **self.case.by_hand)
            except (KeyError, ValueError):
                self.done.append("(not possible)")

    def take_away(self) -> None:
        found = self.ids()
        if found and self.random.random() < 0.4:
            self.lab.pass_time(minutes=3)
            try:
                self.lab.take_away(self.case.platform, self.random.choice(found))
            except KeyError:
                self.done.append("(not possible)")

    def ids(self) -> list[str]:
        rows = self.lab.table(self.case.platform, TABLES[self.case.platform]).values()
        return sorted(str(row["id"]) for row in rows if not row.get("deleted"))

    def check(self) -> None:
        """Apply what can be applied; after that nothing is left but what is blocked, and nothing is sent again."""
        lab, trail = self.lab, " ".join(self.done)
        if not self.specs:
            return
        ran = lab.run("apply", "--auto-approve", "--allow-destroy=9", "--skip-blocked")
        assert ran.code in (0, 3) and "Traceback" not in ran.err, f"{trail}\n{ran.out}\n{ran.err}"
        lab.forget_requests()
        made = lab.plan("--allow-destroy=9")
        left = [change for change in made["changes"] if change["action"] != "blocked"]
        assert left == [], f"{trail}\n{left}"
        again = lab.run("apply", "--auto-approve", "--allow-destroy=9", "--skip-blocked")
        assert again.code == ran.code or again.code in (0, 3), trail
        assert lab.writes == [], trail
        told = {change["key"] for change in made["changes"]} | {item["key"] for item in made["warnings"]}
        drifted = {item["key"] for item in lab.drift()["drift"]}
        assert drifted <= told, f"{trail}\n{drifted - told}"
        recorded = lab.run("state", "list", "--format", "json").must(0).json
        ids = [record["remoteId"] for record in recorded.values()]
        assert len(set(ids)) == len(ids), trail


@pytest.mark.parametrize("seed", range(WALKS))
@pytest.mark.parametrize("case", EVERY)
def test_a_random_walk(lab: Lab, case: Case, seed: int) -> None:
    walk = Walk(lab, case, seed)
    walk.write()
    walk.check()
    for _ in range(STEPS):
        for _ in range(walk.random.choice((1, 1, 2))):
            walk.step()
        walk.check()
