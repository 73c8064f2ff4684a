"""A world that stands at the moment of the reference page's examples, and a client that signs what it sends."""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from oauthlib.oauth1 import Client
from starlette.applications import Starlette
from starlette.routing import Mount

from reconciler.emulator import x_ads
from reconciler.emulator.world import World

NOON = datetime(2022, 5, 25, tzinfo=UTC)

CREATE = {
    "end_time": "2022-05-30T01:00:00Z",
    "entity_type": "CAMPAIGN",
    "start_time": "2022-05-25T01:00:00Z",
    "user_groups": [
        {"entity_ids": ["f2qcw", "f2tht"], "size": "50.00", "name": "first group"},
        {
            "entity_ids": ["f2rqi", "f2tws"],
            "size": "50.00",
            "name": "second group",
            "description": "second AB test group",
        },
    ],
    "name": "first AB test",
    "description": "documentation example",
}


class InProcess:
    """Sends requests to an ASGI app in this process; redirects are not followed."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app)) as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())


class Ads:
    """Signs with oauthlib and sends to the app in this process; paths start at the version."""

    def __init__(self, world: World, token: str = "emulator-tk", secret: str = "emulator-ts") -> None:
        self.keys = ("emulator-ck", "emulator-cs", token, secret)
        app = Starlette(routes=[Mount(x_ads.PREFIX, routes=x_ads.routes(world))])
        self.world = world
        self.http = InProcess(app)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        x_ads.tick(self.world)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        extra = {"Content-Type": "application/json"} if content else {}
        extra.update(headers or {})
        url = f"http://testserver/x-ads{path}"
        _, signed, _ = Client(*self.keys).sign(url, method)
        return self.http.request(method, url, content=content, headers={**extra, **signed})

    def tests(self, query: str = "", account: str = "18ce54d4x5t") -> Any:
        return self.send("GET", f"/12/accounts/{account}/ab_tests{query}")

    def create(self, body: Any = None, account: str = "18ce54d4x5t", **changes: Any) -> Any:
        merged = {**copy.deepcopy(CREATE if body is None else body), **changes}
        return self.send("POST", f"/12/accounts/{account}/ab_tests", merged)

    def update(self, body: Any, remote_id: str = "hr7l0") -> Any:
        return self.send("PUT", f"/12/accounts/18ce54d4x5t/ab_tests/{remote_id}", body)

    def delete(self, remote_id: str = "hr7l0", body: Any = None) -> Any:
        return self.send("DELETE", f"/12/accounts/18ce54d4x5t/ab_tests/{remote_id}", body)


@pytest.fixture
def in_process() -> type[InProcess]:
    return InProcess


@pytest.fixture
def world() -> World:
    return World({"tables": {"x-ads": x_ads.seed()}}, real_now=lambda: NOON)


@pytest.fixture
def ads(world: World) -> Ads:
    return Ads(world)


@pytest.fixture
def ads_of() -> type[Ads]:
    return Ads


@pytest.fixture
def viewer(world: World) -> Ads:
    return Ads(world, "emulator-viewer-tk", "emulator-viewer-ts")


@pytest.fixture
def groups() -> Any:
    """Make user groups: each argument is (size, entity, ...)."""
    return lambda *parts: [{"size": size, "entity_ids": list(entities)} for size, *entities in parts]


@pytest.fixture
def refused() -> Any:
    """Assert that an answer is a refusal, and give its problems as (code, parameter)."""

    def check(answer: Any, status: int = 400) -> list[tuple[str, str | None]]:
        assert answer.status_code == status, answer.text
        assert "data" not in answer.json()
        assert all(error["message"] for error in answer.json()["errors"])
        return [(error["code"], error.get("parameter")) for error in answer.json()["errors"]]

    return check
