"""A whole life of a test against the embedded emulator, which reads X's pages independently of this package."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World
from reconciler.errors import NotFound, Refused
from reconciler.model.change import FieldChange
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Unknown
from reconciler.platforms.session import ConnectionSettings, ReadRequest, Session, Wanted
from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]
ACCOUNT = "18ce54d4x5t"
KEY = Key("XAdsABTest", "a")


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    world = World(default_seed())
    world.move_to(datetime(2022, 5, 25, tzinfo=UTC))
    with EmulatorServer(world) as running:
        yield running


def session_of(server: EmulatorServer) -> Session:
    secrets = {
        "consumer_key": "emulator-ck",
        "consumer_secret": "emulator-cs",
        "access_token": "emulator-tk",
        "access_token_secret": "emulator-ts",
    }
    return PLATFORM.connect(ConnectionSettings("x", "x-ads", server.base_url("x-ads"), "12", auth=secrets))


def target_of(live: Live) -> dict[str, Any]:
    target = copy.deepcopy(live.spec)
    for group, group_id in zip(target["user_groups"], live.children["user_groups"], strict=True):
        group["#id"] = group_id
    return target


def stripped(target: dict[str, Any]) -> dict[str, Any]:
    groups = [
        {"name": None, "description": None, **{key: value for key, value in group.items() if key != "#id"}}
        for group in target["user_groups"]
    ]
    return {**target, "user_groups": groups}


class Life:
    """One session and what a test does with it."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def create(self, spec: dict[str, Any]) -> Live:
        answer = await self.session.send(KIND.create_calls(spec)[0], KIND)
        assert answer.live is not None
        return answer.live

    async def read(self, remote_id: str) -> Any:
        return await self.session.settle(KIND, Wanted(KEY, remote_id, ACCOUNT))

    async def update(self, live: Live, target: dict[str, Any], *paths: str) -> Live:
        """Send the one PUT; live is the target after it, by its answer and by a read."""
        changes = [FieldChange(path, None, None) for path in paths]
        (call,) = KIND.update_calls(live, target, changes)
        answer = await self.session.send(call, KIND)
        reading = await self.read(live.remote_id)
        assert isinstance(reading, Found) and reading.live == answer.live
        assert reading.live.spec == stripped(target)
        return reading.live


async def _life(session: Session, spec: dict[str, Any]) -> None:
    life = Life(session)
    live = await life.create(spec)
    assert KIND.identity(live.spec, live) == KIND.identity(spec)
    assert (live.status, live.spec["user_groups"][0]["size"]) == ("SCHEDULED", "50.00")

    target = target_of(live)
    target |= {"description": None, "end_time": "2022-06-01T01:00:00Z"}
    target["user_groups"][0] |= {"description": "first AB test group", "size": "60.00"}
    target["user_groups"][1] |= {"size": "40.00", "entity_ids": ["f2rqi", "f2tws", "f2syz"]}
    after = await life.update(live, target, "description", "end_time", "user_groups[0].size")
    assert after.children == live.children

    target = target_of(after)
    target["user_groups"][0]["entity_ids"] = ["f2qcw", "f2syz"]
    target["user_groups"][1]["entity_ids"] = ["f2rqi", "f2tht"]
    after = await life.update(after, target, "user_groups[0].entity_ids", "user_groups[1].entity_ids")

    target = target_of(after)
    target["user_groups"][0] |= {"name": None, "description": None}
    after = await life.update(after, target, "user_groups[0].name", "user_groups[0].description")

    target = target_of(after)
    for group, size in zip(target["user_groups"], ("33.33", "33.33"), strict=True):
        group["size"] = size
    target["user_groups"].append({"entity_ids": ["i1vwr", "i1xre"], "size": "33.34"})
    grown = await life.update(after, target, "user_groups[2]", "user_groups[0].size", "user_groups[1].size")
    assert len(grown.children["user_groups"]) == 3

    target = target_of(grown)
    del target["user_groups"][1]
    target["user_groups"][0]["size"], target["user_groups"][1]["size"] = "55.00", "45.00"
    shrunk = await life.update(grown, target, "user_groups[1]", "user_groups[0].size", "user_groups[1].size")

    (call,) = KIND.end_calls(shrunk)
    await session.send(call, KIND)
    assert isinstance(await life.read(live.remote_id), Gone)
    with pytest.raises(NotFound):
        await session.send(call, KIND)
    again = await life.create(spec)
    assert again.remote_id != live.remote_id
    assert isinstance(await life.read("nowhere"), Unknown)


def test_a_whole_life(server: EmulatorServer, spec: dict[str, Any]) -> None:
    async def main() -> None:
        session = session_of(server)
        try:
            await _life(session, spec)
        finally:
            await session.close()

    asyncio.run(main())


def test_holders_are_found_and_refusals_come_through(server: EmulatorServer, spec: dict[str, Any]) -> None:
    async def main() -> None:
        session = session_of(server)
        try:
            life = Life(session)
            live = await life.create(spec)
            wanted = {**spec, "start_time": "2022-07-01T00:00:00Z", "end_time": "2022-07-20T00:00:00Z"}
            with pytest.raises(Refused):
                await session.send(KIND.create_calls(wanted)[0], KIND)
            desired = Desired(Key("XAdsABTest", "b"), "x-ads", "x", wanted)
            snapshot = await session.snapshot(ReadRequest((Wanted(KEY, live.remote_id, ACCOUNT),), (desired,)))
            assert snapshot.readings == {live.remote_id: Found(live)}
            assert snapshot.others == (live,) and snapshot.failures == ()
            assert [test async for test in session.listing(ACCOUNT)] == [live]
            assert [test async for test in session.listing("acc2")] == []
            elsewhere = await session.snapshot(ReadRequest((Wanted(KEY, "x1", "no-such-account"),)))
            assert isinstance(elsewhere.readings["x1"], Unknown)
        finally:
            await session.close()

    asyncio.run(main())


def test_the_table_is_what_x_allows(server: EmulatorServer, spec: dict[str, Any]) -> None:
    """What the table calls in place is taken, and what it does not is refused, status by status."""
    changes: dict[str, Any] = {
        "name": "renamed",
        "description": None,
        "start_time": "2022-05-25T02:00:00Z",
        "end_time": "2022-06-02T01:00:00Z",
        "user_groups": "renamed",
    }
    moments = {"LIVE": datetime(2022, 5, 26, tzinfo=UTC), "COMPLETED": datetime(2022, 7, 1, tzinfo=UTC)}

    async def main() -> None:
        session = session_of(server)
        try:
            life = Life(session)
            live = await life.create(spec)
            for status in ("SCHEDULED", "LIVE", "COMPLETED"):
                if status in moments:
                    server.world.move_to(moments[status])
                for field, value in changes.items():
                    reading = await life.read(live.remote_id)
                    assert isinstance(reading, Found) and reading.live.status == status
                    path, target = field, target_of(reading.live)
                    if field == "user_groups":
                        path = "user_groups[0].name"
                        target["user_groups"][0]["name"] = f"{value} {status}"
                    else:
                        target[field] = value if field != "name" else f"{value} {status}"
                    if status != "SCHEDULED" and field == "end_time":
                        target[field] = "2022-06-20T01:00:00Z"
                    change = FieldChange(path, None, target[field])
                    (call,) = KIND.update_calls(reading.live, target, [change])
                    if KIND.verdict(change, reading.live, target).verdict.value == "in place":
                        await session.send(call, KIND)
                    else:
                        with pytest.raises(Refused):
                            await session.send(call, KIND)
        finally:
            await session.close()

    asyncio.run(main())
