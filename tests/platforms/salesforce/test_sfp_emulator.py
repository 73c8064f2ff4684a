"""A whole life of an experiment against the embedded emulator, which reads Salesforce's pages on its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World
from reconciler.errors import NotFound, Refused
from reconciler.model.change import Call, FieldChange
from reconciler.model.resource import Desired, Found, Gone, Key, Live
from reconciler.platforms.salesforce import PLATFORM
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings, ReadRequest, Session, Wanted

pytestmark = pytest.mark.anyio
KEY = Key("SalesforceExperiment", "a")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(World(default_seed())) as running:
        yield running


@pytest.fixture
def own(spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "name": "life_of_one", "label": "R&D <one>", "criteria": {"rules": [{"field": "a", "value": 1}]}}


def session_of(server: EmulatorServer) -> Session:
    auth = {"client_id": "emulator-client", "client_secret": "emulator-secret"}
    return PLATFORM.connect(ConnectionSettings("crm", "salesforce", server.base_url("salesforce"), "65.0", auth=auth))


async def settled(session: Session, remote_id: str) -> Live:
    reading = await session.settle(KIND, Wanted(KEY, remote_id))
    assert isinstance(reading, Found), reading
    assert reading.live.failure == ""
    return reading.live


async def carried_out(session: Session, calls: tuple[Call, ...], remote_id: str = "") -> str:
    for call in calls:
        answer = await session.send(call, KIND)
        remote_id = remote_id or answer.remote_id
        if call.method != "DELETE":
            await settled(session, remote_id)
    return remote_id


async def changed(session: Session, live: Live, **wanted: Any) -> Live:
    changes = [FieldChange(key, live.spec.get(key), value) for key, value in wanted.items()]
    await carried_out(session, KIND.update_calls(live, {**live.spec, **wanted}, changes), live.remote_id)
    return await settled(session, live.remote_id)


async def test_the_life_of_an_experiment(server: EmulatorServer, own: dict[str, Any]) -> None:
    session = session_of(server)
    try:
        remote_id = await carried_out(session, KIND.create_calls(own))
        live = await settled(session, remote_id)
        for key, value in own.items():
            if value is not None and key not in ("cohorts",):
                assert KIND.same(key, value, live.spec.get(key)), key
        assert live.status == "Created"

        cohorts = copy.deepcopy(live.spec["cohorts"])
        cohorts[1]["label"] = "changed"
        live = await changed(session, live, cohorts=cohorts, description="words", chanceToWinThreshold=97.5)
        assert live.spec["cohorts"][1]["label"] == "changed"
        assert (live.spec["description"], live.spec["chanceToWinThreshold"]) == ("words", 97.5)
        live = await changed(session, live, description=None, secondaryMetrics=None, criteria=None)
        assert not {"description", "secondaryMetrics", "criteria"} & set(live.spec)

        live = await changed(session, live, label="at the start", state="Started")
        assert (live.status, live.spec["label"]) == ("Started", "at the start")
        live = await changed(session, live, label="while it runs")
        assert live.spec["label"] == "while it runs"

        live = await changed(session, live, state="Archived")
        assert (live.status, live.over) == ("Archived", True)
        assert KIND.end_calls(live) == ()
    finally:
        await session.close()


async def test_a_create_that_starts(server: EmulatorServer, own: dict[str, Any]) -> None:
    session = session_of(server)
    try:
        remote_id = await carried_out(session, KIND.create_calls({**own, "state": "Started"}))
        assert (await settled(session, remote_id)).status == "Started"
        snapshot = await session.snapshot(ReadRequest(seek=(Desired(KEY, "salesforce", "crm", own),)))
        assert [live.remote_id for live in snapshot.others] == [remote_id]
        assert remote_id in [live.remote_id async for live in session.listing("")]
        with pytest.raises(Refused):
            await session.send(KIND.create_calls(own)[0], KIND)
    finally:
        await session.close()


async def test_a_delete_that_never_started(server: EmulatorServer, own: dict[str, Any]) -> None:
    session = session_of(server)
    try:
        remote_id = await carried_out(session, KIND.create_calls(own))
        calls = KIND.end_calls(await settled(session, remote_id))
        await carried_out(session, calls, remote_id)
        assert isinstance(await session.settle(KIND, Wanted(KEY, remote_id)), Gone)
        snapshot = await session.snapshot(ReadRequest((Wanted(KEY, remote_id),)))
        assert isinstance(snapshot.readings[remote_id], Gone)
        with pytest.raises(NotFound):
            await session.send(calls[0], KIND)
    finally:
        await session.close()


async def test_a_licence_that_is_there_proves_a_404(server: EmulatorServer) -> None:
    session = session_of(server)
    try:
        snapshot = await session.snapshot(ReadRequest((Wanted(KEY, "1GaSB0000000000AAA"),)))
        assert isinstance(snapshot.readings["1GaSB0000000000AAA"], Gone)
    finally:
        await session.close()
