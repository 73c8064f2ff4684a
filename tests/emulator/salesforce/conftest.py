"""A world with a clock that stands still until moved, and a client of the platform in the same process."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

with warnings.catch_warnings():  # it works with httpx as well as with the newer httpx2 that it asks for
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from reconciler.emulator import salesforce
from reconciler.emulator.world import World

NOW = datetime(2026, 1, 7, 14, 55, 21, tzinfo=UTC)
BASE = "/salesforce/services/data/v65.0"
EXPERIMENTS = f"{BASE}/personalization/abn-experiments"

BODY: dict[str, Any] = {
    "name": "testExp50",
    "label": "testExp50",
    "description": None,
    "dataSpaceName": "default",
    "profileDataGraphName": "RTDG",
    "schemaName": "AResponseTemplate",
    "source": "FlowBuilder",
    "sourceRecordId": None,
    "winnerSelectionMode": "Manual",
    "chanceToWinThreshold": 95,
    "minimumRequiredParticipants": 1000,
    "minimumDurationInMinutes": 20160,
    "maximumDurationInMinutes": 129600,
    "scheduleFrequencyInMinutes": 1440,
    "cohorts": [
        {
            "name": "cohort_1",
            "label": "Cohort 1 (Control)",
            "isControl": True,
            "isFallThrough": False,
            "allocationWeight": 5000,
            "attributeValues": [{"attributeName": "Attr1", "value": "1"}],
        },
        {
            "name": "cohort_2",
            "label": "Cohort 2",
            "isControl": False,
            "isFallThrough": False,
            "allocationWeight": 5000,
            "attributeValues": [{"attributeName": "Attr1", "value": "2"}],
        },
    ],
    "primaryMetrics": [
        {
            "metricType": "EngagementSignalCompound",
            "metricName": "TwoCompound",
            "higherIsBetter": True,
            "overallScoreWeight": 10000,
        }
    ],
    "secondaryMetrics": [
        {
            "metricType": "EngagementSignal",
            "metricName": "Count Indv_Flow_Email_Click_3",
            "engagementSignalName": "Flow_Email_Click_3",
            "higherIsBetter": True,
        }
    ],
    "parameters": [
        {"engagementSignalName": "Flow_Email_Click_3", "parameterName": "OS", "values": ["iOS 26", "iOS 18"]}
    ],
}


class Api:
    """The platform's calls in few words; every call carries the fixed token and asks for unescaped strings."""

    def __init__(self, client: TestClient, world: World) -> None:
        self.client = client
        self.world = world

    def call(self, method: str, path: str, **more: Any) -> Any:
        headers = {
            "Authorization": "Bearer emulator-salesforce-token",
            "X-Chatter-Entity-Encoding": "false",
            **more.pop("headers", {}),
        }
        url = path if path.startswith("/salesforce") else f"{EXPERIMENTS}/{path}"
        return self.client.request(method, url, headers=headers, **more)

    def get(self, name: str) -> dict[str, Any]:
        response = self.call("GET", name)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def wait(self, seconds: float = 1) -> None:
        self.world.advance(timedelta(seconds=seconds))

    def create(self, **changes: Any) -> dict[str, Any]:
        response = self.call("POST", "", json=body(**changes))
        assert response.status_code == 201, response.text
        self.wait()
        return dict(response.json())

    def patch(self, name: str, content: dict[str, Any]) -> Any:
        return self.call("PATCH", name, json=content)

    def act(self, name: str, action: str) -> Any:
        return self.call("PATCH", name, params={"action": action}, json={})

    def bring_to(self, name: str, state: str) -> None:
        for action, reached in (("Start", "Started"), ("Stop", "Stopped"), ("Archive", "Archived")):
            if self.get(name)["state"] == state:
                return
            response = self.act(name, action)
            assert response.status_code == 200, response.text
            assert response.json()["state"] == reached
            self.wait()

    def query(self, soql: str, **more: Any) -> Any:
        return self.call("GET", f"{BASE}/query", params={"q": soql}, **more)


def body(**changes: Any) -> dict[str, Any]:
    """Give the page's create body with keys changed; `...` takes a key out."""
    content = {**copy.deepcopy(BODY), **changes}
    return {key: value for key, value in content.items() if value is not ...}


def app_of(world: World) -> Starlette:
    """Give an app with this platform alone, under its prefix, that ticks before each request."""

    async def ticking(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with world.lock:
            salesforce.tick(world)
            return await call_next(request)

    app = Starlette(routes=[Mount(salesforce.PREFIX, routes=salesforce.routes(world))])
    app.add_middleware(BaseHTTPMiddleware, dispatch=ticking)
    return app


@pytest.fixture
def world() -> World:
    return World({"tables": {"salesforce": salesforce.seed()}}, real_now=lambda: NOW)


@pytest.fixture
def settings(world: World) -> dict[str, Any]:
    return world.table("salesforce", "settings")["default"]


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with TestClient(app_of(world)) as client:
        yield Api(client, world)


@pytest.fixture
def make_body() -> Callable[..., dict[str, Any]]:
    return body
