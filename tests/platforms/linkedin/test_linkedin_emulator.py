"""A whole life of an experiment against the embedded emulator, which reads LinkedIn's page independently."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from linkedin_samples import KIND, cell, desired, spec

from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World
from reconciler.errors import NotFound, PlatformError, Refused, Unauthorized
from reconciler.model.change import Action, Call, FieldChange
from reconciler.model.kind import Verdict
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Spec
from reconciler.platforms.base import Situation
from reconciler.platforms.linkedin import PLATFORM
from reconciler.platforms.linkedin.client import LinkedInSession
from reconciler.platforms.session import Answer, ConnectionSettings, PreflightItem, ReadRequest, Wanted

KEY = Key("LinkedInExperiment", "hero")
ACCOUNT = "urn:li:sponsoredAccount:123"
T0 = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(scope="module")
def served() -> Iterator[EmulatorServer]:
    with EmulatorServer(World(default_seed(), real_now=lambda: T0)) as running:
        yield running


@pytest.fixture
def server(served: EmulatorServer) -> EmulatorServer:
    """The one server of this module, with a fresh world at `T0`."""
    with served.world.lock:
        served.world.data = World(default_seed()).data
    return served


@pytest.fixture
def world(server: EmulatorServer) -> World:
    return server.world


class Life:
    """One session's calls, each in an event loop of its own."""

    def __init__(self, server: EmulatorServer, token: str = "emulator-linkedin-token", version: str = "202609") -> None:
        self.settings = ConnectionSettings(
            "work", "linkedin", server.base_url("linkedin"), version, auth={"access_token": token}
        )

    def _run(self, use: Any) -> Any:
        async def run() -> Any:
            session = PLATFORM.connect(self.settings)
            assert isinstance(session, LinkedInSession)
            try:
                return await use(session)
            finally:
                await session.close()

        return asyncio.run(run())

    def send(self, *calls: Call) -> Answer:
        (call,) = calls
        return self._run(lambda session: session.send(call, KIND))

    def create(self, **changes: Any) -> Live:
        answer = self.send(*KIND.create_calls(wanted(**changes)))
        assert answer.live is not None
        return answer.live

    def read(self, *ids: str) -> Any:
        request = ReadRequest(wanted=tuple(Wanted(KEY, remote_id, ACCOUNT) for remote_id in ids))
        return self._run(lambda session: session.snapshot(request)).readings

    def live(self, remote_id: str) -> Live:
        reading = self._run(lambda session: session.settle(KIND, Wanted(KEY, remote_id, ACCOUNT)))
        assert isinstance(reading, Found), reading
        return reading.live

    def seek(self, *manifests: Desired) -> Any:
        return self._run(lambda session: session.snapshot(ReadRequest(seek=manifests)))

    def check(self, target: Spec, live: Live | None = None) -> Any:
        return self._run(lambda session: session.preflight([PreflightItem(KEY, target, live)]))

    def listing(self) -> list[Live]:
        async def collect(session: LinkedInSession) -> list[Live]:
            return [found async for found in session.listing(ACCOUNT)]

        return self._run(collect)

    def update(self, now: Live, path: str, value: Any) -> Live:
        """Set one field by its path and give what is live then; raises what the platform refuses."""
        target = copy.deepcopy(now.spec)
        before = put(target, path, value)
        self.send(*KIND.update_calls(now, target, [FieldChange(path, before, value)]))
        return self.live(now.remote_id)


def put(target: Any, path: str, value: Any) -> Any:
    steps: list[Any] = [
        int(step) if step.isdigit() else step for step in path.replace("[", ".").replace("]", "").split(".")
    ]
    for step in steps[:-1]:
        target = target[step]
    before = target.get(steps[-1])
    target[steps[-1]] = value
    return before


def wanted(**changes: Any) -> Spec:
    return spec(**{"account": 123, "cells": [cell("control", 123), cell("red", 345)], **changes})


def test_a_life(world: World, server: EmulatorServer) -> None:
    life = Life(server)
    preflight = life.check(wanted())
    assert preflight.warnings == () and not [item for item in preflight.findings[KEY] if item.is_error]

    now = life.create(description="blue or red")
    assert now.status == "PENDING"
    assert now.spec == {
        **wanted(description="blue or red"),
        "autoStop": "AUTO_STOP_AT_END_DATE",
        "userIntendedState": "ACTIVE",
    }
    assert life.live(now.remote_id) == now
    readings = life.read(now.remote_id, "99999")
    assert readings[now.remote_id] == Found(now) and isinstance(readings["99999"], Gone)

    with pytest.raises(Refused) as caught:  # a second create is guarded
        life.create()
    assert caught.value.code == "CAMPAIGN_ALREADY_SCHEDULED"
    found = life.seek(desired(account=123, cells=[cell("x", 345), cell("y", 1001)]))
    assert [other.remote_id for other in found.others] == [now.remote_id] and found.failures == ()
    same = KIND.identity(wanted(), None)
    assert KIND.identity(found.others[0].spec, found.others[0]) == same

    now = life.update(now, "description", None)
    assert "description" not in now.spec
    now = life.update(now, "cells[1].reference.campaign", "urn:li:sponsoredCampaign:1001")
    assert now.spec["cells"][1]["reference"]["campaign"] == "urn:li:sponsoredCampaign:1001"

    world.advance(timedelta(days=13))
    now = life.live(now.remote_id)
    assert now.status == "RUNNING"
    now = life.update(now, "cells[0].description", "the old picture")
    now = life.update(now, "scheduledEndAt", "2027-01-20T08:00:00Z")
    assert (now.spec["cells"][0]["description"], now.spec["scheduledEndAt"]) == (
        "the old picture",
        "2027-01-20T08:00:00Z",
    )
    with pytest.raises(Refused) as caught:
        life.send(Call("DELETE", f"/rest/adExperiments/{now.remote_id}", KIND.end_calls(now)[0].purpose))
    assert caught.value.code == "DELETION_NOT_ALLOWED"
    (cancel,) = KIND.end_calls(now)
    assert not KIND.done(cancel, now)
    life.send(cancel)
    now = life.live(now.remote_id)
    assert KIND.done(cancel, now) and now.over
    assert KIND.end_calls(now) == ()


def test_what_is_deleted_is_gone(server: EmulatorServer) -> None:
    life = Life(server)
    now = life.create()
    (delete,) = KIND.end_calls(now)
    life.send(delete)
    assert isinstance(life.read(now.remote_id)[now.remote_id], Gone)
    with pytest.raises(NotFound):
        life.send(delete)
    life.create()  # the campaigns are free again


VALUES = {
    "account": "urn:li:sponsoredAccount:500000001",
    "name": "other",
    "description": "other",
    "keyMetric": "CPM",
    "confidence": 95,
    "scheduledStartAt": "2026-12-08T08:00:00Z",
    "scheduledEndAt": "2027-02-12T08:00:00Z",
    "autoStop": "AUTO_STOP_DISABLED",
    "cells[0].name": "other",
    "cells[0].description": "other",
    "cells[0].reference.campaign": "urn:li:sponsoredCampaign:1001",
}


@pytest.mark.parametrize("path", VALUES)
@pytest.mark.parametrize("days", [0, 13, 60, 110], ids=["pending", "running", "stopped", "ended"])
def test_the_table_agrees_with_the_platform(world: World, server: EmulatorServer, path: str, days: int) -> None:
    life = Life(server)
    remote_id = life.create().remote_id
    world.advance(timedelta(days=days))
    now = life.live(remote_id)
    verdict = KIND.verdict(FieldChange(path, None, VALUES[path]), now, now.spec).verdict
    if verdict is Verdict.IN_PLACE:
        life.update(now, path, VALUES[path])
    else:
        with pytest.raises(PlatformError) as caught:
            life.update(now, path, VALUES[path])
        assert isinstance(caught.value, Refused)


@pytest.mark.parametrize("days", [0, 13, 60, 110], ids=["pending", "running", "stopped", "ended"])
@pytest.mark.parametrize("first", ["DRAFT", "ACTIVE"])
@pytest.mark.parametrize("to", ["DRAFT", "ACTIVE", "PAUSED", "CANCELED"])
def test_what_is_allowed_is_taken(world: World, server: EmulatorServer, days: int, first: str, to: str) -> None:
    life = Life(server)
    remote_id = life.create(userIntendedState=first).remote_id
    world.advance(timedelta(days=days))
    now = life.live(remote_id)
    change = FieldChange("userIntendedState", now.spec["userIntendedState"], to)
    if change.before != to and KIND.verdict(change, now, now.spec).verdict is Verdict.IN_PLACE:
        target = {**now.spec, "userIntendedState": to}
        if any(
            item.blocks for item in KIND.judge(Situation(Action.UPDATE, world.now(), now, target, target, (change,)))
        ):
            with pytest.raises(Refused):
                life.update(now, "userIntendedState", to)
        else:
            assert life.update(now, "userIntendedState", to).spec["userIntendedState"] == to


def test_a_paused_experiment_resumes(world: World, server: EmulatorServer) -> None:
    life = Life(server)
    remote_id = life.create().remote_id
    world.advance(timedelta(days=13))
    now = life.update(life.live(remote_id), "userIntendedState", "PAUSED")
    assert now.status in ("ON_HOLD", "STOPPED")
    change = FieldChange("userIntendedState", "PAUSED", "ACTIVE")
    assert KIND.verdict(change, now, now.spec).verdict is Verdict.IN_PLACE
    assert life.update(now, "userIntendedState", "ACTIVE").status == "RUNNING"


def test_a_paused_experiment_past_its_end_resumes_only_with_a_later_end(world: World, server: EmulatorServer) -> None:
    life = Life(server)
    remote_id = life.create().remote_id
    world.advance(timedelta(days=13))
    life.update(life.live(remote_id), "userIntendedState", "PAUSED")
    world.advance(timedelta(days=47))
    now = life.live(remote_id)
    change = FieldChange("userIntendedState", "PAUSED", "ACTIVE")
    for end, allowed in ((now.spec["scheduledEndAt"], False), ("2027-02-12T08:00:00Z", True)):
        target = {**now.spec, "userIntendedState": "ACTIVE", "scheduledEndAt": end}
        fields = (change, FieldChange("scheduledEndAt", now.spec["scheduledEndAt"], end))[: 1 + allowed]
        judged = KIND.judge(Situation(Action.UPDATE, world.now(), now, target, target, fields))
        assert any(item.blocks for item in judged) is not allowed
    life.send(*KIND.update_calls(now, target, fields))
    assert life.live(remote_id).status == "RUNNING"


def test_several_failures_are_told_whole(server: EmulatorServer) -> None:
    (call,) = KIND.create_calls(wanted(cells=[cell("a", 123, 40), cell("b", 345)]))
    broken = Call(call.method, call.path, call.purpose, body={**call.body, "confidence": 50})
    with pytest.raises(Refused) as caught:
        Life(server).send(broken)
    assert caught.value.code == "MULTIPLE_VALIDATIONS_FAILED"
    assert "INVALID_CONFIDENCE_VALUE" in str(caught.value) and "INVALID_SUM_OF_WEIGHT_OF_CELLS" in str(caught.value)


def test_the_dry_run_sees_what_a_create_would_meet(server: EmulatorServer) -> None:
    life = Life(server)
    now = life.create()
    codes = {(item.code, item.is_error, item.entity) for item in life.check(wanted()).findings[KEY]}
    assert ("CAMPAIGN_ALREADY_SCHEDULED", True, "campaign urn:li:sponsoredCampaign:123") in codes
    again = life.check({**now.spec, "confidence": 95}, now).findings[KEY]
    assert not [item for item in again if item.is_error]


def test_a_viewer_reads_but_does_not_write(server: EmulatorServer) -> None:
    now = Life(server).create()
    viewer = Life(server, "emulator-linkedin-viewer")
    assert isinstance(viewer.read(now.remote_id)[now.remote_id], Found)
    with pytest.raises(Unauthorized, match="rw_ads"):
        viewer.send(*KIND.end_calls(now))
    assert all("403" in sentence for sentence in viewer.check(wanted()).refused)


def test_every_page_of_an_account_is_listed(world: World, server: EmulatorServer) -> None:
    life = Life(server)
    first = life.create()
    table = world.table("linkedin", "experiments")
    row = table[first.remote_id]
    for number in range(1, 231):
        remote_id = str(int(first.remote_id) + number)
        table[remote_id] = {**copy.deepcopy(row), "id": int(remote_id)}
    assert [found.remote_id for found in life.listing()] == [str(int(first.remote_id) + n) for n in range(231)]
    assert len(life.read(*table)) == 231


def test_a_retired_version_says_what_to_do(server: EmulatorServer) -> None:
    with pytest.raises(Refused, match=r"connections\.work\.api_version"):
        Life(server, version="202409").create()
