"""
The use cases, each a short function over values handed in: load, plan, apply, drift.

No function here prints, reads the environment or looks at a clock: the command line hands in the project, the store, a
way to open sessions, and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.apply.context import Context
from reconciler.apply.executor import execute
from reconciler.errors import InvalidInput, PlanProblem, PlatformError, StalePlan, UsageProblem
from reconciler.manifests.discover import discover
from reconciler.manifests.document import Document
from reconciler.manifests.words import nearest
from reconciler.model.budget import Quota
from reconciler.model.change import Action, Plan
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import ApplyResult, Progress
from reconciler.model.resource import Desired, Key, Record
from reconciler.model.span import Spans, no_spans
from reconciler.model.time import iso
from reconciler.plan.budget import budget_of, worth_telling
from reconciler.plan.drift import DriftReport, Unmanaged, find_drift
from reconciler.plan.guards import refuse_empty
from reconciler.plan.inputs import Guards, Inputs, Kinds, Options
from reconciler.plan.owned import check_calls
from reconciler.plan.planner import make_plan
from reconciler.plan.preflight import preflight_items, with_preflight
from reconciler.plan.renames import moved_records
from reconciler.plan.saved import dumps, plan_digest
from reconciler.platforms.base import Kind, Preflight
from reconciler.project import Project
from reconciler.reading import OpenSession, Sessions, read_sides, sessions_of
from reconciler.state.owner import under_way
from reconciler.state.store import Put, Remove, State, Store
from reconciler.validate.check import in_order
from reconciler.validate.manifest_cache import ManifestCache, settings_digest
from reconciler.validate.reading import Setting, read_files


@dataclass(frozen=True)
class Validated:
    """
    What the manifests of a project want, and everything that is to say about them.

    `documents` counts those of the files, `expanded` gives what they come to.
    """

    desired: Mapping[Key, Desired]
    diagnostics: tuple[Diagnostic, ...]
    documents: int
    expanded: Callable[[], tuple[Document, ...]] = tuple

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that stop a run."""
        return tuple(item for item in self.diagnostics if item.severity is Severity.ERROR)

    def checked(self) -> Validated:
        """Give itself; raises InvalidInput with everything found when there is an error."""
        if self.errors:
            raise InvalidInput(self.diagnostics)
        return self


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
    was made from. `quotas` are those that answers have told of, by connection and what they count.
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
    spans: Spans = no_spans
    quotas: dict[tuple[str, str], Quota] = field(default_factory=dict)

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
    """How to plan: the moment to judge at (None: now), what is allowed, which experiments, whether to ask platforms."""

    as_of: datetime | None = None
    targets: tuple[Key, ...] = ()
    allow_destroy: int | None = None
    allow_empty: bool = False
    preflight: bool = True


# --- offline ---------------------------------------------------------------------------------------------------------


def validate(
    project: Project, kinds: Sequence[Kind], paths: Sequence[str] = (), cache: ManifestCache | None = None
) -> Validated:
    """
    Give what the manifests want and every problem of all of them; needs no network and looks at no clock.

    With a `cache`, files that have not changed since are not parsed and checked by themselves again.
    """
    found = discover(project.dir, project.manifests, paths)
    digest = settings_digest(project.document, project.scope, kinds, project.connections) if cache else b""
    read = read_files(found.files, Setting(project.scope, project, kinds, digest), cache, whole=not paths)
    diagnostics = in_order(found.diagnostics, read.diagnostics)
    return Validated({item.key: item for item in read.desired}, diagnostics, read.documents, read.expanded)


# --- plan ------------------------------------------------------------------------------------------------------------


async def plan(around: Surroundings, desired: Mapping[Key, Desired], request: PlanRequest) -> Plan:
    """Give the plan of a project; reads platforms and state, changes nothing."""
    if sentence := under_way(around.store):
        around.warn(sentence)
    state = around.store.read()
    async with sessions_of(around.open_session) as sessions:
        return await _plan(around, sessions, state, desired, request)


async def _plan(
    around: Surroundings, sessions: Sessions, state: State, desired: Mapping[Key, Desired], request: PlanRequest
) -> Plan:
    refuse_empty(desired, state.experiments, allow_empty=request.allow_empty)
    _check_known(around.project, state.experiments)
    targets = _known_targets(request.targets, desired, state.experiments)
    records = moved_records(desired, state.experiments)
    asked = {key for key in (*desired, *records) if not targets or key in targets}
    sides = await read_sides(around.kinds, sessions, desired, records, asked, around.spans)
    now = around.now()
    guards = around.project.guards
    inputs = Inputs(
        desired=desired,
        records=records,
        readings=sides.readings,
        others=sides.others,
        kinds=around.kinds,
        now=now,
        as_of=request.as_of or now,
        options=Options(
            request.allow_destroy,
            targets,
            Guards(guards.max_destroy, guards.max_destroy_percent, guards.max_change_percent),
        ),
        problems=sides.problems,
        unsearched=sides.unsearched,
        environment=around.project.environment,
        state_serial=state.serial,
        state_lineage=state.lineage,
    )
    made = make_plan(inputs)
    answers = await _preflight(sessions, made, inputs) if request.preflight else {}
    made = with_preflight(made, answers, inputs) if answers else made
    budget = budget_of(made, around.kinds)
    made = replace(made, budget=budget, quotas=worth_telling(around.quotas.values(), budget))
    around.planned(made, inputs)
    return made


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


def _check_known(project: Project, records: Mapping[Key, Record]) -> None:
    """Raise PlanProblem when the state speaks of a kind or a connection that is not there, or a spec that is none."""
    kinds = {kind.name: kind for platform in project.platforms.values() for kind in platform.kinds}
    for key, record in records.items():
        if key.kind not in kinds:
            raise PlanProblem(
                f"{key} is recorded in the state, and there is no kind {key.kind!r} in this version; use the version "
                f"that recorded it, or take the record out with: reconciler state rm {key}"
            )
        if record.connection not in project.connections:
            raise PlanProblem(
                f"{key} was applied through connection {record.connection!r}, which {project.file} does not have; "
                f"put the connection back, or take the record out with: reconciler state rm {key}"
            )
        try:
            kinds[key.kind].claims(record.applied)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise PlanProblem(
                f"what the state says was applied for {key} is no spec of {key.kind}: the state was changed by hand or "
                f"damaged; restore it, or take the record out with: reconciler state rm {key}"
            ) from None


def _known_targets(
    targets: Sequence[Key], desired: Mapping[Key, Desired], records: Mapping[Key, Record]
) -> frozenset[Key]:
    known = {str(key) for key in (*desired, *records)}
    for target in targets:
        if str(target) not in known:
            raise unknown_key(str(target), known)
    return frozenset(targets)


def unknown_key(text: str, known: Iterable[str]) -> UsageProblem:
    """Give the error for a key that is neither in a manifest nor in the state, naming near ones."""
    names = sorted(known)
    meant = nearest(text, names)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    hint = f"did you mean {meant}?" if meant else f"there are: {listed}" if names else "nothing is managed yet"
    return UsageProblem(f"there is no experiment {text}; {hint}")


# --- apply -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Applied:
    """What an apply did: the plan it carried out, and what became of it (None: nothing was sent)."""

    plan: Plan
    result: ApplyResult | None
    why_not: str = ""


async def apply_fresh(
    around: Surroundings,
    desired: Mapping[Key, Desired],
    request: PlanRequest,
    *,
    skip_blocked: bool,
    confirm: Callable[[Plan], bool],
) -> Applied:
    """Plan, ask, and carry out; the caller holds the lock."""
    state = around.store.read()
    async with sessions_of(around.open_session) as sessions:
        made = await _plan(around, sessions, state, desired, request)
        why_not = _not_to_be_sent(made, skip_blocked)
        if why_not:
            return Applied(made, None, why_not)
        if made.changes and not confirm(made):
            return Applied(made, None, "not confirmed")
        return Applied(made, await _execute(around, sessions, state, made))


async def apply_saved(around: Surroundings, saved: Plan, *, skip_blocked: bool) -> Applied:
    """
    Carry out a saved plan as it was saved; the caller holds the lock.

    Raises StalePlan when it was made from another state or for another moment or environment, PlanUnreadable when it
    holds a call that is not of the tool's own making.
    """
    state = around.store.read()
    if saved.state_lineage and saved.state_lineage != state.lineage and (state.experiments or state.serial):
        raise StalePlan("the plan was made from another state (its lineage differs); make a new plan")
    if saved.environment != around.project.environment:
        theirs = saved.environment or "no environment"
        raise StalePlan(f"the plan was made for {theirs}; run apply with the same --env, or make a new plan")
    if saved.as_of > around.now():
        raise StalePlan(f"the plan was judged as of {iso(saved.as_of)}, which is still to come; plan without --as-of")
    for change in (*saved.changes, *saved.bookkeeping):
        if change.connection not in around.project.connections:
            raise StalePlan(f"{change.key}: the project has no connection {change.connection!r} any more")
        try:
            kind = around.kinds(change.key.kind, change.connection)
        except KeyError:
            raise StalePlan(f"{change.key}: there is no kind {change.key.kind!r}") from None
        if around.project.connections[change.connection].platform != kind.platform:
            raise StalePlan(f"{change.key}: connection {change.connection!r} is not one of {kind.platform}")
        check_calls(change, kind)
    why_not = _not_to_be_sent(saved, skip_blocked)
    if why_not:
        return Applied(saved, None, why_not)
    if saved.state_serial != state.serial:
        around.warn(
            f"the state has moved on since the plan was made (serial {saved.state_serial} then, {state.serial} now): "
            "each change is held against what is live, and what does not fit any more is refused as stale"
        )
    async with sessions_of(around.open_session) as sessions:
        return Applied(saved, await _execute(around, sessions, state, saved))


def _not_to_be_sent(made: Plan, skip_blocked: bool) -> str:
    """Give the sentence why nothing of a plan may be sent; empty when it may."""
    if not made.complete:
        return "the plan is incomplete; run again when everything can be read, or name the experiments with --target"
    blocked = made.summary[Action.BLOCKED.value]
    if blocked and not skip_blocked:
        changes = "1 change is" if blocked == 1 else f"{blocked} changes are"
        return f"{changes} blocked; --skip-blocked would apply the rest"
    return ""


async def _execute(around: Surroundings, sessions: Sessions, state: State, made: Plan) -> ApplyResult:
    if not made.changes and not made.bookkeeping:
        return ApplyResult(())
    used = {change.connection for change in (*made.changes, *made.bookkeeping) if change.action is not Action.BLOCKED}
    context = Context(
        plan_id=plan_digest(dumps(made)),
        sessions={connection: sessions.get(connection) for connection in sorted(used)},
        kinds=around.kinds,
        journal=StoreJournal(around.store),
        records=dict(state.experiments),
        now=around.now,
        sleep=around.sleep,
        notify=around.notify,
        stopping=around.stopping,
        spans=around.spans,
    )
    _take_new_keys(context, made)
    try:
        return await execute(made, context)
    finally:
        around.store.save(replace(state, experiments=dict(context.records)), expected_serial=state.serial)


def _take_new_keys(context: Context, made: Plan) -> None:
    """Put the records of renamed manifests under their new keys, before anything is sent."""
    for change in (*made.changes, *made.bookkeeping):
        old = Key.parse(change.moved_from) if change.moved_from else None
        if old is None or change.action is Action.BLOCKED or change.key in context.records:
            continue
        record = context.records.get(old)
        if record is not None:
            context.put(replace(record, key=change.key), f"was {old}")
            context.remove(old, f"is {change.key} now")


class StoreJournal:
    """The store's journal as the executor writes to it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, key: Key, record: Record, event: str) -> None:
        """Write the record of an experiment as it is now."""
        self._store.journal(Put(key, record, event))

    def remove(self, key: Key, event: str) -> None:
        """Write that an experiment is not managed any more."""
        self._store.journal(Remove(key, event))


# --- drift -----------------------------------------------------------------------------------------------------------


async def drift(around: Surroundings, desired: Mapping[Key, Desired], *, unmanaged: bool) -> DriftReport:
    """Compare live with applied; with `unmanaged` also list what is live and not managed. Changes nothing."""
    if sentence := under_way(around.store):
        around.warn(sentence)
    records = around.store.read().experiments
    _check_known(around.project, records)
    async with sessions_of(around.open_session) as sessions:
        known = {key: record for key, record in records.items() if record.remote_id}
        sides = await read_sides(around.kinds, sessions, {}, known, known, around.spans)
        ignored = {key: item.lifecycle.ignore_changes for key, item in desired.items()}
        report = find_drift(records, sides.readings, ignored, around.kinds, around.now())
        if not unmanaged:
            return report
        found, problems = await _unmanaged(around, sessions, records)
        return replace(report, unmanaged=found, problems=(*report.problems, *problems))


async def _unmanaged(
    around: Surroundings, sessions: Sessions, records: Mapping[Key, Record]
) -> tuple[tuple[Unmanaged, ...], tuple[str, ...]]:
    managed = {(record.connection, record.remote_id) for record in records.values()}
    found: list[Unmanaged] = []
    problems: list[str] = []

    async def look(name: str, account: str) -> None:
        platform = around.project.connections[name].platform
        try:
            async for live in sessions.get(name).listing(account):
                if (name, live.remote_id) not in managed:
                    where = live.account or account
                    found.append(Unmanaged(platform, name, where, live.remote_id, live.name, live.status))
        except PlatformError as error:
            problems.append(f"connection {name}{f', account {account}' if account else ''}: {error}")

    places: list[tuple[str, str]] = []
    for name, connection in around.project.connections.items():
        needs_account = any(kind.account_field for kind in around.project.platforms[connection.platform].kinds)
        accounts = around.accounts(name) or (() if needs_account else ("",))
        if not accounts:
            around.warn(f"connection {name} names no accounts, so nothing was looked for there")
        places.extend((name, account) for account in accounts)
    for name, _ in places:
        sessions.get(name)
    await asyncio.gather(*(look(name, account) for name, account in places))
    found.sort(key=lambda item: (item.connection, item.account, item.remote_id))
    return tuple(found), tuple(problems)
