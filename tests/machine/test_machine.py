"""
The machine: manifests, people at the platforms' pages, the clock, faults and kills, in any order, on all platforms.

Hypothesis writes the story and shrinks it where an invariant fails. The suite runs a short profile that is the same
every time; `RECONCILER_MACHINE=deep` runs RECONCILER_MACHINE_EXAMPLES stories (1000 by default) of its own choice, and
RELIABILITY_DIR keeps what was counted.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import specs
from bench import CONNECTIONS, PLATFORM_OF, PREFIXES, T0, TABLES, Bench, Fuse, Killed, run, ticked
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from invariants import INVARIANTS, Round
from judge import over
from minimal import minimal
from recorded import note

from reconciler import workflow
from reconciler.emulator.world import World
from reconciler.errors import ReconcilerError, StalePlan
from reconciler.model.change import Action, Plan
from reconciler.model.outcome import ApplyResult
from reconciler.model.resource import Desired, Key, Record
from reconciler.plan.saved import dumps, loads
from reconciler.state.file_store import FileStore
from reconciler.workflow import PlanRequest

DEEP = os.environ.get("RECONCILER_MACHINE") == "deep"
EXAMPLES = int(os.environ.get("RECONCILER_MACHINE_EXAMPLES", "1000" if DEEP else "80"))
STEPS = int(os.environ.get("RECONCILER_MACHINE_STEPS", "24" if DEEP else "14"))
SHRINK = DEEP and os.environ.get("RECONCILER_MACHINE_SHRINK") != "0"
COUNTS: Counter[str] = Counter()
PROFILE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize=not DEEP,
    database=None,
    deadline=None,
    print_blob=DEEP,
    suppress_health_check=list(HealthCheck),
    phases=list(Phase) if SHRINK else [Phase.explicit, Phase.generate],
)


class Machine(RuleBasedStateMachine):
    """One project, its platforms, and what has happened to them so far."""

    def __init__(self) -> None:
        super().__init__()
        COUNTS["examples"] += 1
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.bench = Bench(self.folder / "project")
        self.documents: dict[str, dict[str, Any]] = {}
        self.desired: dict[Key, Desired] = {}
        self.ours: set[tuple[str, str]] = set()
        self.strangers: set[tuple[str, str]] = set()
        self.released: set[tuple[str, str]] = set()
        self.saved: str | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- manifests -----------------------------------------------------------------------------------------------

    def merge(self, documents: dict[str, dict[str, Any]]) -> bool:
        """Take other manifests over where the real check finds nothing wrong, as a pull request would be merged."""
        found = self.bench.validate(list(documents.values()) or [{}]) if documents else None
        if found is not None and found.errors:
            self.bench.validate(list(self.documents.values()))
            return False
        self.documents = documents
        self.desired = dict(found.desired) if found else {}
        return True

    @initialize(data=st.data())
    def begin(self, data: Any) -> None:
        """There is an experiment of somebody else on one of the platforms, or none."""
        kind = specs.pick(data, None, *specs.KINDS)
        if kind:
            remote_id = self.bench.stranger(kind, specs.fresh(data, kind, self.bench.now()))
            if remote_id:
                self.strangers.add((PLATFORM_OF[kind], remote_id))

    @rule(data=st.data(), kind=st.sampled_from(specs.KINDS), name=st.sampled_from(specs.NAMES))
    def declare(self, data: Any, kind: str, name: str) -> None:
        """Write a manifest, or write one anew."""
        COUNTS["rule declare"] += 1
        document: dict[str, Any] = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}}
        if lifecycle := specs.lifecycle(data, kind):
            document["lifecycle"] = lifecycle
        document["spec"] = specs.fresh(data, kind, self.bench.now())
        if specs.pick(data, False, True):
            document["metadata"]["labels"] = {"team": "growth"}
        if f"{kind}/{name}" in self._moving():
            return
        self.merge({**self.documents, f"{kind}/{name}": document})

    @precondition(lambda self: self.documents)
    @rule(data=st.data())
    def edit(self, data: Any) -> None:
        """Change a field of a manifest."""
        COUNTS["rule edit"] += 1
        key = specs.pick(data, *sorted(self.documents))
        document = copy.deepcopy(self.documents[key])
        document["spec"] = specs.edited(data, document["kind"], document["spec"], self.bench.now())
        self.merge({**self.documents, key: document})

    @precondition(lambda self: self.documents)
    @rule(data=st.data())
    def change_policy(self, data: Any) -> None:
        """Change the lifecycle block of a manifest."""
        COUNTS["rule change_policy"] += 1
        key = specs.pick(data, *sorted(self.documents))
        document = copy.deepcopy(self.documents[key])
        document["lifecycle"] = specs.lifecycle(data, document["kind"])
        self.merge({**self.documents, key: document})

    @precondition(lambda self: self.documents)
    @rule(data=st.data())
    def remove(self, data: Any) -> None:
        """Take a manifest away."""
        COUNTS["rule remove"] += 1
        key = specs.pick(data, *sorted(self.documents))
        self.merge({other: document for other, document in self.documents.items() if other != key})

    @precondition(lambda self: self.documents)
    @rule(data=st.data())
    def rename(self, data: Any) -> None:
        """Give a manifest another name, and say which it had."""
        COUNTS["rule rename"] += 1
        key = specs.pick(data, *sorted(self.documents))
        kind, _, name = key.partition("/")
        taken = {*self.documents, *map(str, self.bench.records()), *self._moving()}
        free = [other for other in ("d", "e", *specs.NAMES) if f"{kind}/{other}" not in taken]
        if not free or self.documents[key]["metadata"].get("movedFrom"):
            return
        new = specs.pick(data, *free)
        document = copy.deepcopy(self.documents[key])
        document["metadata"].update(name=new, movedFrom=name)
        self.merge({**{k: d for k, d in self.documents.items() if k != key}, f"{kind}/{new}": document})

    def _moving(self) -> set[str]:
        """The old names that manifests still speak of."""
        moved = ((doc["kind"], doc["metadata"].get("movedFrom")) for doc in self.documents.values())
        return {f"{kind}/{old}" for kind, old in moved if old}

    # --- the platforms -------------------------------------------------------------------------------------------

    def live(self) -> list[tuple[str, str]]:
        """The experiments that are there and not over."""
        return [
            (kind, remote_id)
            for kind, platform in PLATFORM_OF.items()
            for remote_id, row in sorted(self.bench.rows(platform).items())
            if not over(platform, row)
        ]

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def hand_edit(self, data: Any) -> None:
        """Somebody edits an experiment at the platform's own page."""
        COUNTS["rule hand_edit"] += 1
        kind, remote_id = specs.pick(data, *self.live())
        row = self.bench.rows(PLATFORM_OF[kind])[remote_id]
        self.bench.by_hand(PLATFORM_OF[kind], remote_id, **specs.hand_edit(data, kind, row))

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def hand_end(self, data: Any) -> None:
        """Somebody ends an experiment, or removes it, at the platform's own page."""
        COUNTS["rule hand_end"] += 1
        kind, remote_id = specs.pick(data, *self.live())
        changes = specs.hand_end(kind)
        if changes and specs.pick(data, True, False):
            self.bench.by_hand(PLATFORM_OF[kind], remote_id, **changes)
        else:
            self.bench.take_away(PLATFORM_OF[kind], remote_id)
            self.strangers.discard((PLATFORM_OF[kind], remote_id))

    @rule(span=st.sampled_from(({"seconds": 90}, {"days": 1}, {"days": 8}, {"days": 31}, {"days": 95})))
    def let_time_pass(self, span: dict[str, float]) -> None:
        """Let time pass."""
        COUNTS["rule let_time_pass"] += 1
        self.bench.move(**span)

    @precondition(lambda self: self.documents)
    @rule(data=st.data(), seconds=st.sampled_from((-1, 0, 1)))
    def go_to_a_boundary(self, data: Any, seconds: int) -> None:
        """Let time pass to just before, at, or just behind a start or an end."""
        COUNTS["rule go_to_a_boundary"] += 1
        now, moments = self.bench.now(), []
        for document in self.documents.values():
            for name in ("scheduledStartAt", "scheduledEndAt", "start_time", "end_time"):
                if name in document["spec"]:
                    moment = specs.datetime.fromisoformat(document["spec"][name])
                    if moment > now:
                        moments.append(moment)
        if moments:
            moment = specs.pick(data, *sorted(set(moments)))
            self.bench.move(seconds=max(0.0, (moment - now).total_seconds() + seconds))

    @precondition(lambda self: self.bench.records())
    @rule(data=st.data())
    def state_rm(self, data: Any) -> None:
        """Take a record out of the state; a manifest that is still there has to adopt its experiment again."""
        COUNTS["rule state_rm"] += 1
        store = FileStore(self.bench.state_path)
        state = store.read()
        key = specs.pick(data, *sorted(state.experiments))
        record = state.experiments[key]
        if record.intent_at is not None or record.inflight:
            return
        self._release(record)
        rest = {other: kept for other, kept in state.experiments.items() if other != key}
        store.save(workflow.replace(state, experiments=rest), expected_serial=state.serial)

    def _release(self, record: Record) -> None:
        platform = next(name for name, connection in CONNECTIONS.items() if connection == record.connection)
        self.released.add((platform, record.remote_id))
        self.strangers.discard((platform, record.remote_id))

    # --- plans and applies ---------------------------------------------------------------------------------------

    @rule(allow=st.sampled_from((9, None)))
    def apply(self, allow: int | None) -> None:
        """Plan, apply, plan again: everything has to hold."""
        COUNTS["rule apply"] += 1
        self.settle(allow)

    @rule(data=st.data(), allow=st.sampled_from((9, None)))
    def apply_with_faults(self, data: Any, allow: int | None) -> None:
        """Apply while the platforms do wrong; what is left unclear is cleared up by the next apply."""
        COUNTS["rule apply_with_faults"] += 1
        entries = [specs.fault(data) for _ in range(specs.pick(data, 1, 2, 3))]
        with self.bench.faults(entries):
            self.disturbed(allow, Fuse())
        if specs.pick(data, True, False):
            self.settle(9)

    @rule(data=st.data(), points=st.integers(0, 24), allow=st.sampled_from((9, None)))
    def apply_killed(self, data: Any, points: int, allow: int | None) -> None:
        """Apply, and be killed at a point where the run speaks to a platform or to the state."""
        COUNTS["rule apply_killed"] += 1
        self.disturbed(allow, Fuse(points))
        if specs.pick(data, True, False):
            self.settle(9)

    @rule(allow=st.sampled_from((9, None)))
    def save_plan(self, allow: int | None) -> None:
        """Save a plan for later."""
        COUNTS["rule save_plan"] += 1
        self.saved = dumps(self.bench.plan(self.desired, self.request(allow)))

    @precondition(lambda self: self.saved)
    @rule()
    def apply_saved(self) -> None:
        """Carry out the plan that was saved, whatever has happened since."""
        COUNTS["rule apply_saved"] += 1
        assert self.saved is not None
        made, self.saved = loads(self.saved, "plan.json"), None
        around = self.bench.surroundings()

        def carry_out() -> ApplyResult | None:
            try:
                return run(workflow.apply_saved(around, made, skip_blocked=True)).result
            except StalePlan:
                return None

        self.watched(carry_out, lambda: made, clean=False)

    @staticmethod
    def request(allow: int | None) -> PlanRequest:
        """Give what a plan is asked for."""
        return PlanRequest(allow_destroy=allow, allow_empty=True)

    def disturbed(self, allow: int | None, fuse: Fuse) -> None:
        """Apply while something goes wrong, and check what has to hold even then."""
        around = self.bench.surroundings(fuse)
        plans: list[Plan] = []

        def confirm(plan: Plan, digest: str) -> bool:
            plans.append(plan)
            return True

        def carry_out() -> ApplyResult | None:
            work = workflow.apply_fresh(around, self.desired, self.request(allow), skip_blocked=True, confirm=confirm)
            try:
                return run(work).result
            except Killed:
                COUNTS["kills"] += 1
            except ReconcilerError:  # such as an incomplete plan, or no token
                COUNTS["runs that ended with an error"] += 1
            return None

        self.watched(carry_out, lambda: plans[0] if plans else None, clean=False)

    def settle(self, allow: int | None) -> None:
        """Apply with nothing in the way, and check everything."""
        bench = self.bench
        bench.tick()
        bench.log.clear()
        dry_before = {platform: bench.rows(platform) for platform in PREFIXES}
        shown = bench.plan(self.desired, self.request(allow))
        bench.drift(self.desired)
        dry_sent = list(bench.log)
        dry_after = {platform: bench.rows(platform) for platform in PREFIXES}
        data = copy.deepcopy(bench.world.data)
        plans: list[Plan] = []

        def confirm(plan: Plan, digest: str) -> bool:
            plans.append(plan)
            return True

        def carry_out() -> ApplyResult | None:
            around = bench.surroundings()
            work = workflow.apply_fresh(around, self.desired, self.request(allow), skip_blocked=True, confirm=confirm)
            return run(work).result

        def done() -> Plan:
            made = plans[0] if plans else shown
            assert [(c.key, c.action, c.calls) for c in made.changes] == [
                (c.key, c.action, c.calls) for c in shown.changes
            ], "plan and apply show different calls"
            return made

        made = self.watched(carry_out, done, clean=True, allow=allow, dry=(dry_sent, dry_before, dry_after))
        recorded = set(map(str, bench.records()))
        for key, document in self.documents.items():
            if key in recorded:  # the rename is done
                document["metadata"].pop("movedFrom", None)
        if self.documents:
            self.desired = dict(bench.validate(list(self.documents.values())).desired)
        if any("whether the platform frees" in text for change in made.changes for text in change.warnings):
            return  # a refusal was told to be possible, and what is refused has no outcome to compare
        COUNTS["invariant minimal"] += 1
        COUNTS["parts left out"] += minimal(bench, data, made)

    def watched(
        self, carry_out: Any, plan_of: Any, *, clean: bool, allow: int | None = None, dry: Any = ([], {}, {})
    ) -> Any:
        """Let something be carried out, and check every invariant on what it did; gives the plan."""
        bench = self.bench
        bench.tick()
        bench.log.clear()
        records_before = bench.records()
        before = {platform: bench.rows(platform) for platform in PREFIXES}
        data = copy.deepcopy(bench.world.data)
        result = carry_out()
        sent = list(bench.log)
        after = {platform: bench.rows(platform) for platform in PREFIXES}
        made = plan_of()
        alone = World(data, real_now=lambda: T0)
        alone.data["clockOffset"] = bench.world.data["clockOffset"]
        ticked(alone)
        undisturbed = {platform: alone.table(platform, TABLES[platform]) for platform in PREFIXES}
        for platform in PREFIXES:
            self.ours |= {(platform, remote_id) for remote_id in after[platform].keys() - before[platform].keys()}
        records = bench.records()
        for record in records.values():  # taken over from somebody else
            self.strangers.discard((PLATFORM_OF[record.key.kind], record.remote_id))
        if made is None:
            return None
        for change in made.changes:
            if change.action is Action.FORGET and change.remote_id:
                self.released.add((change.platform, change.remote_id))
        second = drift = None
        if clean:
            second = bench.plan(self.desired, self.request(allow))
            drift = bench.drift(self.desired)
            assert not [one for one in bench.log[len(sent) :] if one.writes], "the second plan wrote"
        round = Round(
            self.desired,
            {Key.parse(key): document["spec"] for key, document in self.documents.items()},
            made, result, sent, *dry, before, undisturbed, after, records_before, records, bench.now(), clean,
            second, drift, self.ours, self.strangers, self.released,
        )  # fmt: skip
        COUNTS["clean rounds" if clean else "disturbed rounds"] += 1
        COUNTS["calls sent"] += sum(1 for one in sent if one.writes)
        for change in made.changes:
            COUNTS[f"action {change.action.value}"] += 1
        for invariant in INVARIANTS:
            COUNTS[f"invariant {invariant.__name__}"] += 1
            try:
                invariant(round)
            except AssertionError as error:
                raise AssertionError(f"{invariant.__name__}: {error}\n{round}") from None
        return made


def counted() -> dict[str, Any]:
    """Give the counts by what they count."""
    groups: dict[str, Any] = {"rules": {}, "invariants": {}, "actions": {}}
    for name, count in sorted(COUNTS.items()):
        head, _, rest = name.partition(" ")
        if f"{head}s" in groups and rest:
            groups[f"{head}s"][rest] = count
        else:
            groups[name.replace(" ", "_")] = count
    groups["steps"] = sum(groups["rules"].values())
    return groups


@pytest.fixture
def counts() -> Iterator[None]:
    """Keep what was counted, also when an invariant fails."""
    yield
    note("machine", {"machine": "all platforms", "profile": "deep" if DEEP else "ci", **counted()})


@pytest.mark.timeout(0 if DEEP else 300)
def test_everything_holds_whatever_happens(counts: None) -> None:
    run_state_machine_as_test(Machine, settings=PROFILE)
    assert COUNTS["examples"] >= EXAMPLES or not DEEP
