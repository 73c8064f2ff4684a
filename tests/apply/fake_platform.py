"""
Three platforms in memory behind the real `Session` interface: experiments as the wire's JSON, the pages' own rules of
what is refused, a clock that only moves when somebody sleeps, and faults at any point.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from plan_builders import CONNECTION, LI, NOW, SF, X, kinds

from reconciler.apply.context import Context
from reconciler.apply.executor import execute
from reconciler.errors import NotFound, PlatformError, Refused
from reconciler.model.change import Call, Plan
from reconciler.model.outcome import ApplyResult, Progress
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Reading, Record, Unknown
from reconciler.model.time import from_epoch_ms, parse_time
from reconciler.plan.inputs import Inputs, Options
from reconciler.plan.planner import make_plan
from reconciler.plan.saved import plan_digest
from reconciler.platforms.base import Kind
from reconciler.platforms.session import Answer, Preflight, PreflightItem, ReadRequest, Snapshot, Wanted
from reconciler.reading import Sessions, read_sides
from reconciler.state.records import record_from_json, record_to_json


class Killed(BaseException):
    """The process is gone: nothing that it would have done afterwards happens."""


@dataclass
class Chaos:
    """Counts the points at which a process can die; dies at number `kill_at` and stays dead."""

    kill_at: int = 0
    passed: int = 0
    dead: bool = False

    def point(self) -> None:
        self.passed += 1
        if self.dead or self.passed == self.kill_at:
            self.dead = True
            raise Killed


Fault = Callable[[Call, int], PlatformError | None]


@dataclass
class Fake:
    """One platform: what is stored there, and what was sent to it."""

    kind: Kind
    now: Callable[[], datetime]
    chaos: Chaos
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Call] = field(default_factory=list)
    creates: int = 0
    hidden_until: dict[str, datetime] = field(default_factory=dict)
    over_at: dict[str, datetime] = field(default_factory=dict)
    fault_before: Fault = lambda call, number: None
    fault_after: Fault = lambda call, number: None
    rewrite: Callable[[dict[str, Any]], None] = lambda body: None
    on_read: Callable[[], None] = lambda: None
    delay: timedelta = timedelta()
    """How long what was made does not show."""
    cancel_takes: timedelta = timedelta()
    """How long an experiment that was cancelled goes on."""

    # --- rules ---------------------------------------------------------------------------------------------------

    def commit(self, call: Call) -> str:
        match call.method:
            case "POST" if call.purpose == "create":
                return self.create(copy.deepcopy(call.body))
            case "DELETE":
                self.delete(call.path.rsplit("/", 1)[1])
                return ""
            case _:
                self.change(call.path.rsplit("/", 1)[1], call)
                return ""

    def create(self, body: dict[str, Any]) -> str:
        for other in self.items.values():
            if self.clashes(body, other):
                raise Refused("held by another one", status=409, code="CAMPAIGN_ALREADY_SCHEDULED")
        self.creates += 1
        number = self.creates
        ids = {LI: f"{4000 + number}", X: f"hr{number}", SF: f"1GaSB00000Cojr3{number:02}B"}
        remote_id = ids[self.kind]
        if self.kind is LI:
            body |= {"id": int(remote_id), "executionState": "PENDING"}
        elif self.kind is X:
            body |= {"id": remote_id, "status": "SCHEDULED", "deleted": False}
            self.number_groups(body)
        else:
            body |= {"id": remote_id, "state": "Created", "status": "Active"}
        self.rewrite(body)
        self.items[remote_id] = body
        if self.delay:
            self.hidden_until[remote_id] = self.now() + self.delay
        return remote_id

    def clashes(self, body: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        if self.kind is SF:
            return bool(body["name"] == other["name"])
        if other.get("deleted") or other.get("executionState") == "ENDED" or other.get("status") == "COMPLETED":
            return False
        if self.kind is X:
            return bool(_entities(body) & _entities(other))
        if {"CANCELED", "DRAFT"} & {body["userIntendedState"], other["userIntendedState"]}:
            return False
        start, end = "scheduledStartAt", "scheduledEndAt"
        apart = body[start] >= other[end] or other[start] >= body[end]
        return bool(_campaigns(body) & _campaigns(other)) and not apart

    def number_groups(self, body: dict[str, Any]) -> None:
        for group in body["user_groups"]:
            self.groups = getattr(self, "groups", 0) + 1
            group |= {"id": f"g{self.groups}", "name": group.get("name"), "description": group.get("description")}

    def found(self, name: str) -> dict[str, Any]:
        for remote_id, body in self.items.items():
            if remote_id == name or (self.kind is SF and body["name"] == name):
                if body.get("deleted") or self.hidden_until.get(remote_id, self.now()) > self.now():
                    break
                self.refresh(body)
                return body
        raise NotFound(f"{name} is not known", status=404)

    def delete(self, name: str) -> None:
        body = self.found(name)
        if self.kind is X:
            body["deleted"] = True
            return
        if body.get("executionState", "PENDING") != "PENDING" or body.get("state", "Created") == "Started":
            raise Refused("not deletable now", status=405, code="DELETION_NOT_ALLOWED")
        del self.items[str(body["id"])]

    def change(self, name: str, call: Call) -> None:
        body = self.found(name)
        if self.kind is LI:
            patch = call.body["patch"]
            if body["executionState"] == "ENDED":
                raise Refused("it has ended", status=422, code="SET_OR_UPDATE_NOT_ALLOWED")
            changed = {**body, **copy.deepcopy(patch.get("$set", {}))}
            if any(self.clashes(changed, other) for other in self.items.values() if other["id"] != body["id"]):
                raise Refused("held by another one", status=409, code="CAMPAIGN_ALREADY_SCHEDULED")
            body.update(changed)
            for key in patch.get("$delete", ()):
                body.pop(key, None)
            if body["userIntendedState"] == "CANCELED":
                self.over_at[str(body["id"])] = self.now() + self.cancel_takes
            self.refresh(body)
        elif self.kind is X:
            self.change_x(body, copy.deepcopy(call.body))
        elif action := call.query.get("action"):
            state = {"Start": "Created", "Stop": "Started", "Archive": "Stopped"}[action]
            if body["state"] != state:
                raise Refused(f"{action} is not possible while {body['state']}", status=400)
            body["state"] = {"Start": "Started", "Stop": "Stopped", "Archive": "Archived"}[action]
        else:
            body.update(copy.deepcopy(call.body))
        self.rewrite(body)

    def change_x(self, body: dict[str, Any], patch: dict[str, Any]) -> None:
        groups = patch.pop("user_groups", [])
        if groups and all("id" in group for group in groups):
            for group in groups:
                next(item for item in body["user_groups"] if item["id"] == group["id"]).update(group)
        elif groups:
            body["user_groups"] = groups
            self.number_groups(body)
        body.update(patch)

    def refresh(self, body: dict[str, Any]) -> None:
        if str(body["id"]) in self.over_at and self.over_at[str(body["id"])] <= self.now():
            body["executionState"] = "ENDED"
        if self.kind is LI and body["executionState"] in ("PENDING", "RUNNING"):
            start, end = from_epoch_ms(body["scheduledStartAt"]), from_epoch_ms(body["scheduledEndAt"])
            if body["userIntendedState"] != "DRAFT" and start <= self.now():
                body["executionState"] = "RUNNING" if self.now() < end else "ENDED"
        if self.kind is X:
            start, end = parse_time(body["start_time"]), parse_time(body["end_time"])
            body["status"] = "COMPLETED" if end <= self.now() else "LIVE" if start <= self.now() else "SCHEDULED"

    # --- what is seen --------------------------------------------------------------------------------------------

    def seen(self) -> list[Live]:
        shown = [
            body
            for remote_id, body in self.items.items()
            if not body.get("deleted") and self.hidden_until.get(remote_id, self.now()) <= self.now()
        ]
        for body in shown:
            self.refresh(body)
        return [self.kind.from_wire(copy.deepcopy(body), account=body.get("account", "18ce54d4x5t")) for body in shown]

    def reading(self, remote_id: str) -> Reading:
        for live in self.seen():
            if live.remote_id == remote_id:
                return Found(live)
        if self.kind is X and remote_id in self.items and not self.items[remote_id].get("deleted"):
            return Unknown("no list knows it", unlisted=True)
        return Gone("deleted: true" if self.kind is X else "404")


def _entities(body: Mapping[str, Any]) -> set[str]:
    return {entity for group in body["user_groups"] for entity in group["entity_ids"]}


def _campaigns(body: Mapping[str, Any]) -> set[str]:
    return {cell["reference"]["campaign"] for cell in body["cells"]}


class FakeSession:
    """A session of one fake platform; every await is a point at which the process can die."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.platform = fake.kind.platform
        self.connection = CONNECTION[self.platform]

    async def _point(self) -> None:
        self.fake.chaos.point()
        await asyncio.sleep(0)

    async def snapshot(self, request: ReadRequest) -> Snapshot:
        await self._point()
        self.fake.on_read()
        kind = self.fake.kind
        seen = self.fake.seen()
        sought = [
            live
            for live in seen
            if any(
                kind.identity(item.spec) == kind.identity(live.spec, live)
                or kind.claims(item.spec).entities & kind.claims(live.spec, live).entities
                for item in request.seek
            )
        ]
        readings = {item.remote_id: self.fake.reading(item.remote_id) for item in request.wanted}
        return Snapshot(readings, tuple(sought))

    async def settle(self, kind: Kind, wanted: Wanted) -> Reading:
        await self._point()
        self.fake.on_read()
        return self.fake.reading(wanted.remote_id)

    async def preflight(self, items: Sequence[PreflightItem]) -> Preflight:
        return Preflight()

    async def send(self, call: Call, kind: Kind) -> Answer:
        await self._point()
        self.fake.sent.append(call)
        number = len(self.fake.sent)
        if error := self.fake.fault_before(call, number):
            raise error
        remote_id = self.fake.commit(call)
        await self._point()
        if error := self.fake.fault_after(call, number):
            raise error
        return Answer(remote_id)

    async def listing(self, account: str) -> AsyncIterator[Live]:
        for live in self.fake.seen():
            yield live

    async def close(self) -> None:
        return None


class World:
    """All three platforms, the state's journal and the time."""

    def __init__(self) -> None:
        self.time = NOW
        self.chaos = Chaos()
        self.fakes = {CONNECTION[kind.platform]: Fake(kind, lambda: self.time, self.chaos) for kind in (LI, X, SF)}
        self.sessions = {name: FakeSession(fake) for name, fake in self.fakes.items()}
        self.records: dict[Key, Record] = {}
        self.events: list[str] = []
        self.said: list[Progress] = []
        self.stopping: Callable[[], bool] = lambda: False

    def put(self, key: Key, record: Record, event: str) -> None:
        """The journal: the record as it comes back from its JSON."""
        self.chaos.point()
        self.records[key] = record_from_json(key, record_to_json(record))
        self.events.append(f"{key.name}: {event}")
        self.chaos.point()

    def remove(self, key: Key, event: str) -> None:
        self.chaos.point()
        self.records.pop(key, None)
        self.events.append(f"{key.name}: {event}")
        self.chaos.point()

    async def sleep(self, seconds: float) -> None:
        self.chaos.point()
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async def _plan(self, desired: Iterable[Desired], allow: int | None) -> Plan:
        wanted = {item.key: item for item in desired}
        sides = await read_sides(
            kinds, Sessions(lambda name: self.sessions[name]), wanted, self.records, {*wanted, *self.records}
        )
        return make_plan(
            Inputs(
                desired=wanted,
                records=dict(self.records),
                readings=sides.readings,
                others=sides.others,
                kinds=kinds,
                now=self.time,
                as_of=self.time,
                options=Options(allow),
                problems=sides.problems,
                unsearched=sides.unsearched,
                state_serial=len(self.events),
            )
        )

    def plan(self, *desired: Desired, allow: int | None = 0) -> Plan:
        return asyncio.run(self._plan(desired, allow))

    def execute(self, plan: Plan) -> ApplyResult:
        context = Context(
            plan_id=plan_digest(plan),
            sessions=self.sessions,
            kinds=kinds,
            journal=self,
            records=dict(self.records),
            now=lambda: self.time,
            sleep=self.sleep,
            notify=self.said.append,
            stopping=lambda: self.stopping(),
        )
        return asyncio.run(execute(plan, context))

    def apply(self, *desired: Desired, allow: int | None = 0) -> ApplyResult:
        return self.execute(self.plan(*desired, allow=allow))

    def revive(self) -> None:
        self.chaos.dead, self.chaos.kill_at = False, 0

    def live(self) -> list[tuple[Any, ...]]:
        """What is live on all platforms, ids aside: what people would see."""
        return sorted(
            (name, live.status, repr(sorted(live.spec.items())))
            for name, fake in self.fakes.items()
            for live in fake.seen()
        )

    def orphans(self) -> list[str]:
        recorded = {record.remote_id for record in self.records.values()}
        return [
            live.remote_id
            for fake in self.fakes.values()
            for live in fake.seen()
            if not live.over and live.remote_id not in recorded
        ]

    def sent(self) -> list[Call]:
        return [call for fake in self.fakes.values() for call in fake.sent]
