"""
Making a plan, whole or of a shard, and merging the plans of all shards into the whole one.

A shard reads its own (connection, account) groups and keeps in its plan file what it read. What is judged over the
whole project (guards, order, names) is judged where the whole is known: when the shards are merged, the plan is made
anew from all that was read. It is then the plan that one run would have made, because it is made by the same function
from the same values. The rejected way, putting finished changes together, cannot be right: a guard that trips takes
changes back in every shard, and what waits for them with them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from reconciler.errors import PlanUnreadable, PlatformError, StalePlan
from reconciler.known import check_known, known_targets
from reconciler.model.budget import Quota
from reconciler.model.change import Plan
from reconciler.model.outcome import Progress
from reconciler.model.resource import Desired, Found, Key, Record
from reconciler.model.shard import Shard
from reconciler.model.span import Spans, no_spans
from reconciler.model.time import iso
from reconciler.plan.budget import budget_of, worth_telling
from reconciler.plan.evidence import (
    merged_preflights,
    other_to_json,
    preflight_to_json,
    quotas_to_json,
    read_others,
    read_preflights,
    read_quotas,
    read_readings,
    reading_to_json,
)
from reconciler.plan.guards import held_for_the_whole, refuse_empty
from reconciler.plan.inputs import Guards, Inputs, Kinds, Options
from reconciler.plan.order import holding
from reconciler.plan.planner import make_plan
from reconciler.plan.preflight import preflight_items, with_preflight
from reconciler.plan.reader import Reader
from reconciler.plan.renames import moved_records
from reconciler.plan.shards import groups_of, keys_of, together
from reconciler.platforms.base import Kind
from reconciler.platforms.session import Preflight
from reconciler.project import Project
from reconciler.project.project import Guards as GuardsConfig
from reconciler.reading import Early, OpenSession, Sessions, Sides, merged_sides, read_sides
from reconciler.state.store import State, Store
from reconciler.state.text import state_text

NO_GUARDS = Guards(None, None, None)
Reading: TypeAlias = Callable[[Mapping[Key, Desired], Mapping[Key, Record], Iterable[Key]], Awaitable[Sides]]
"""Reads what is live of the asked experiments somewhere else than in this process."""


@dataclass(frozen=True)
class ProjectKinds:
    """The kinds of a project, each for the API version of the connection it is used through."""

    by_name: Mapping[str, Kind]
    versions: Mapping[str, str]

    def __call__(self, kind: str, connection: str) -> Kind:
        """Give a kind for a connection; a version that is not known is the kind's own default."""
        found = self.by_name[kind]
        return found.at(self.versions.get(connection) or found.api_version)


@dataclass
class Surroundings:
    """
    What a use case is handed: where things are, how to reach platforms, time, and whom to tell.

    `warn` is told sentences a person should read; `notify` the progress of an apply; `planned` every plan with what it
    was made from. `review` lays policies over a plan, `review_saved` over a saved one. `quotas` are those that answers
    have told of, by connection and what they count; `reader` reads in other processes, where it is given; `early` has
    what was read before; `emulated` gives address and credentials of embedded platforms.
    """

    project: Project
    kinds: Kinds
    store: Store
    open_session: OpenSession
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    warn: Callable[[str], None] = lambda sentence: None
    notify: Callable[[Progress], None] = lambda progress: None
    stopping: Callable[[], bool] = lambda: False
    accounts_of: Callable[[str], Sequence[str]] | None = None
    planned: Callable[[Plan, Inputs], None] = lambda plan, inputs: None
    review: Callable[[Plan, Inputs], Plan] = lambda plan, inputs: plan
    review_saved: Callable[[Plan, State], Plan] = lambda plan, state: plan
    spans: Spans = no_spans
    quotas: dict[tuple[str, str], Quota] = field(default_factory=dict)
    reader: Reading | None = None
    early: Early | None = None
    emulated: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    async def read_sides(
        self,
        sessions: Sessions,
        desired: Mapping[Key, Desired],
        records: Mapping[Key, Record],
        asked: Iterable[Key],
    ) -> Sides:
        """Read what is live of the asked experiments, here or where `reader` does it."""
        if self.reader is not None:
            return await self.reader(desired, records, asked)
        sides = await read_sides(self.kinds, sessions, desired, records, asked, self.spans, self.early)
        for quota in self.early.quotas if self.early is not None else ():
            if (quota.connection, quota.what) not in self.quotas:  # what this process was told is newer
                self.note(quota)
        return sides

    def note(self, quota: Quota) -> None:
        """Keep what a platform's answer told of a quota; one that is nearly used up is a warning, once."""
        before = self.quotas.get((quota.connection, quota.what))
        self.quotas[quota.connection, quota.what] = quota
        if quota.low and not (before and before.low):
            self.warn(f"nearly used up: {quota.said}")

    def accounts(self, connection: str) -> Sequence[str]:
        """Give the accounts that a connection names, their variables read."""
        if self.accounts_of is not None:
            return self.accounts_of(connection)
        return self.project.connections[connection].accounts


@dataclass(frozen=True)
class PlanRequest:
    """How to plan: the moment to judge at (None: now), what is allowed, what to plan, whether to ask platforms."""

    as_of: datetime | None = None
    targets: tuple[Key, ...] = ()
    allow_destroy: int | None = None
    allow_empty: bool = False
    preflight: bool = True
    shard: Shard | None = None


async def make(
    around: Surroundings, sessions: Sessions, state: State, desired: Mapping[Key, Desired], request: PlanRequest
) -> Plan:
    """Give the plan of a project, or of a shard of it; reads platforms, changes nothing."""
    refuse_empty(desired, state.experiments, allow_empty=request.allow_empty)
    check_known(around.project, state.experiments, desired)
    targets = known_targets(request.targets, desired, state.experiments)
    records = moved_records(desired, state.experiments)
    asked = frozenset(key for key in (*desired, *records) if not targets or key in targets)
    shard = request.shard
    if shard is not None:
        asked &= keys_of(shard, groups_of(around.kinds, desired, records))
    sides = await around.read_sides(sessions, desired, records, asked)
    inputs = _inputs(around, state, desired, records, sides, request, around.now())
    if shard is None:
        made = around.review(make_plan(inputs), inputs)
        answers = await _preflight(sessions, made, inputs) if request.preflight else {}
        return _finished(around, made, answers, inputs)
    guards = NO_GUARDS if shard.count > 1 else inputs.options.guards
    inputs = replace(inputs, options=replace(inputs.options, guards=guards, targets=asked))
    if not asked:
        inputs = replace(inputs, desired={}, records={})
    made = around.review(make_plan(inputs), inputs)
    answers = await _preflight(sessions, made, inputs) if request.preflight else {}
    made = _finished(around, made, answers, inputs, whole=around.project.guards if shard.count > 1 else None)
    evidence = {
        **_made_from(around, state, desired),
        "policy": _policy(around, request),
        "readings": {str(key): reading_to_json(sides.readings[key]) for key in sorted(sides.readings)},
        "others": [other_to_json(other) for other in sides.others],
        "problems": list(sides.problems),
        "unsearched": sorted(sides.unsearched),
        "preflight": {connection: preflight_to_json(answer) for connection, answer in answers.items()},
        "quotas": quotas_to_json(around.quotas.values()),
    }
    return replace(made, shard=Shard(shard.index, shard.count, evidence))


def _inputs(
    around: Surroundings,
    state: State,
    desired: Mapping[Key, Desired],
    records: Mapping[Key, Record],
    sides: Sides,
    request: PlanRequest,
    now: datetime,
) -> Inputs:
    guards = around.project.guards
    limits = Guards(guards.max_destroy, guards.max_destroy_percent, guards.max_change_percent)
    return Inputs(
        desired=desired,
        records=records,
        readings=sides.readings,
        others=sides.others,
        kinds=around.kinds,
        now=now,
        as_of=request.as_of or now,
        options=Options(request.allow_destroy, frozenset(request.targets), limits),
        problems=sides.problems,
        unsearched=sides.unsearched,
        environment=around.project.environment,
        state_serial=state.serial,
        state_lineage=state.lineage,
    )


def _finished(
    around: Surroundings,
    made: Plan,
    answers: Mapping[str, Preflight],
    inputs: Inputs,
    whole: GuardsConfig | None = None,
) -> Plan:
    """Give a plan with what the platforms' own checks said, what it costs, and, of a part, what the guards hold."""
    made = with_preflight(made, answers, inputs) if answers else made
    if whole is not None:
        made = held_for_the_whole(made, whole.max_change_percent is not None)
    budget = budget_of(made, around.kinds)
    made = replace(made, budget=budget, quotas=worth_telling(around.quotas.values(), budget))
    around.planned(made, inputs)
    return made


# --- shards ----------------------------------------------------------------------------------------------------------


def _made_from(around: Surroundings, state: State, desired: Mapping[Key, Desired]) -> dict[str, str]:
    """Give digests of the manifests and of the state, by which shards of one run are known."""
    wanted = [
        [str(key), item.connection, item.spec, repr(item.lifecycle), item.import_id, item.moved_from]
        for key, item in sorted(desired.items())
    ]
    versions = {name: connection.api_version for name, connection in sorted(around.project.connections.items())}
    texts = (json.dumps([wanted, versions], sort_keys=True).encode(), state_text(state))
    manifests, recorded = (f"sha256:{hashlib.sha256(text).hexdigest()}" for text in texts)
    return {"manifests": manifests, "state": recorded}


def _policy(around: Surroundings, request: PlanRequest) -> dict[str, object]:
    """Give what the user allows and asks for; it has to be the same for all shards."""
    guards = around.project.guards
    return {
        "asOf": iso(request.as_of) if request.as_of else None,
        "targets": sorted(str(key) for key in request.targets),
        "allowDestroy": request.allow_destroy,
        "allowEmpty": request.allow_empty,
        "preflight": request.preflight,
        "guards": [guards.max_destroy, guards.max_destroy_percent, guards.max_change_percent],
    }


def merged(around: Surroundings, desired: Mapping[Key, Desired], parts: Mapping[str, Plan]) -> Plan:
    """
    Give the plan of the whole project from those of all its shards, by the names of their files. Sends nothing.

    It is the plan that one run would have made from the same answers, at the moment of the last shard. Raises StalePlan
    or PlanUnreadable unless there is each shard once, all from the manifests, the state and the options of today.
    """
    state = around.store.read()
    check_known(around.project, state.experiments)
    records = moved_records(desired, state.experiments)
    evidence = [Reader(dict(shard.evidence), f"{name}: shard.evidence") for name, shard in together(parts)]
    _check_same(around, state, desired, parts)
    policy = evidence[0].get("policy")
    request = PlanRequest(
        as_of=policy.get("asOf").moment(),
        targets=tuple(item.parsed(Key.parse) for item in policy.get("targets").items()),
        allow_destroy=None if policy.get("allowDestroy").value is None else policy.get("allowDestroy").number(),
        allow_empty=policy.get("allowEmpty").flag(False),
    )
    refuse_empty(desired, state.experiments, allow_empty=request.allow_empty)
    sides = merged_sides(
        Sides(
            read_readings(item.get("readings")),
            read_others(item.get("others")),
            tuple(problem.text() for problem in item.get("problems").items()),
            frozenset(name.text() for name in item.get("unsearched").items()),
        )
        for item in evidence
    )
    for quota in (quota for item in evidence for quota in read_quotas(item.get("quotas"))):
        before = around.quotas.get((quota.connection, quota.what))
        if before is None or quota.left < before.left:
            around.quotas[quota.connection, quota.what] = quota
    now = max(plan.created_at for plan in parts.values())
    inputs = _inputs(around, state, desired, records, sides, request, now)
    answers = merged_preflights(read_preflights(item.get("preflight")) for item in evidence)
    try:
        _check_read(inputs)
        return _finished(around, around.review(make_plan(inputs), inputs), answers, inputs)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        # What the shards read went through files, and a spec in it may be none.
        raise PlanUnreadable(
            f"what {', '.join(parts)} say was read is not what a platform answers ({type(error).__name__}): the files "
            "were changed by hand or damaged; plan the shards again"
        ) from error


def _check_same(around: Surroundings, state: State, desired: Mapping[Key, Desired], parts: Mapping[str, Plan]) -> None:
    """Raise StalePlan unless all shards were made from the manifests, the state and the guards that are here now."""
    here = _made_from(around, state, desired)
    guards = _policy(around, PlanRequest())["guards"]
    first = next(iter(parts))
    for name, plan in parts.items():
        assert plan.shard is not None
        made = plan.shard.evidence
        if plan.environment != around.project.environment:
            raise StalePlan(f"{name} was made for {plan.environment or 'no environment'}; give the same --env")
        if plan.state_lineage != state.lineage or made.get("state") != here["state"]:
            raise StalePlan(
                f"{name} was made from serial {plan.state_serial} of state {plan.state_lineage or '(none)'}, and the "
                f"state is at serial {state.serial} of {state.lineage or '(none)'} now, or holds other records: plan "
                "all shards again"
            )
        if made.get("manifests") != here["manifests"]:
            raise StalePlan(
                f"{name} was made from other manifests, variables or API versions than those here: merge in the same "
                "commit with the same --var, or plan all shards again"
            )
        policy = made.get("policy")
        if not isinstance(policy, dict) or policy != (parts[first].shard or Shard(1, 1)).evidence.get("policy"):
            raise StalePlan(f"{name} and {first} were planned with other options; plan all shards with the same ones")
        if policy.get("guards") != guards:
            raise StalePlan(f"{name} was judged by other guards than those of {around.project.file}; plan again")


# --- parts -----------------------------------------------------------------------------------------------------------


async def _preflight(sessions: Sessions, made: Plan, inputs: Inputs) -> dict[str, Preflight]:
    """Ask each platform's own dry run; one that cannot be asked is a warning, never a failure."""
    items = preflight_items(made, inputs)

    async def ask(connection: str) -> Preflight:
        try:
            return await sessions.get(connection).preflight(items[connection])
        except PlatformError as error:
            return Preflight(warnings=(f"{connection}: the platform's own check could not be asked: {error}",))

    connections = sorted(items)
    return dict(zip(connections, await asyncio.gather(*map(ask, connections)), strict=True))


def _check_read(inputs: Inputs) -> None:
    """Raise what the kinds raise for a spec that is none, also where the plan need not ask what it claims."""
    for key, reading in inputs.readings.items():
        side = inputs.records.get(key) or inputs.desired.get(key)
        if isinstance(reading, Found) and side is not None:
            holding(inputs.kinds(key.kind, side.connection), reading.live)
