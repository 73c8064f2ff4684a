"""
A world whose clock stands still until a test moves it, and the emulator over it on a real socket.

The client here is plain `requests` with URLs written out by hand, most of them copied from the platform's page: the
platform's own Python client may not be copied or shipped (proprietary licence), and the project's client must not
judge itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World

T0 = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
DAY_MS = 86_400_000
HEADERS = {
    "Authorization": "Bearer emulator-linkedin-token",
    "LinkedIn-Version": "202609",
    "X-RestLi-Protocol-Version": "2.0.0",
}


class LinkedIn:
    """Requests to the emulated LinkedIn, with the headers that every call needs and shorthands for common bodies."""

    def __init__(self, server: EmulatorServer) -> None:
        self.server = server
        self.world = server.world
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str | None] | None = None) -> Any:
        """Send to `path` (after `/linkedin`); a header with the value None is left out."""
        sent = {name: text for name, text in {**HEADERS, **(headers or {})}.items() if text is not None}
        url = self.server.base_url("linkedin") + path
        return self.session.request(method, url, json=body, headers=sent, timeout=10)

    def get(self, path: str, **more: Any) -> Any:
        """Send a GET."""
        return self.call("GET", path, **more)

    def create(self, **changes: Any) -> Any:
        """Create a valid experiment with these fields changed."""
        return self.call("POST", "/rest/adExperiments", self.body(**changes))

    def created(self, **changes: Any) -> int:
        """Create an experiment that must be accepted and give its id."""
        answer = self.create(**changes)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def patch(self, number: int, sets: Any = None, deletes: Any = None) -> Any:
        """Send a partial update."""
        patch = {key: value for key, value in (("$set", sets), ("$delete", deletes)) if value is not None}
        headers: dict[str, str | None] = {"X-RestLi-Method": "partial_update"}
        return self.call("POST", f"/rest/adExperiments/{number}", {"patch": patch}, headers)

    def read(self, number: int) -> Any:
        """Read an experiment that must be there."""
        answer = self.get(f"/rest/adExperiments/{number}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def validate(self, entity: Any, **more: Any) -> Any:
        """Call the validate action."""
        return self.call("POST", "/rest/adExperiments?action=validateExperimentSetup", {"adExperiment": entity}, **more)

    def days(self, number: float) -> int:
        """Give the epoch milliseconds that many days from the world's now."""
        return self.world.now_ms() + int(number * DAY_MS)

    def pass_days(self, number: float) -> None:
        """Move the world's clock."""
        self.world.advance(timedelta(days=number))

    def body(self, first: int = 1001, second: int = 1002, **changes: Any) -> dict[str, Any]:
        """Give the body of a valid create; a change to `...` takes the field out."""
        body = {
            "account": "urn:li:sponsoredAccount:123",
            "name": "headline",
            "description": "blue vs. red",
            "keyMetric": "CPC",
            "confidence": 90,
            "scheduledStartAt": self.days(1),
            "scheduledEndAt": self.days(31),
            "autoStop": "AUTO_STOP_AT_END_DATE",
            "userIntendedState": "ACTIVE",
            "cells": self.cells(first, second),
            **changes,
        }
        return {name: value for name, value in body.items() if value is not ...}

    @staticmethod
    def cells(first: int = 1001, second: int = 1002, weight: int = 50) -> list[dict[str, Any]]:
        """Give two cells over two campaigns."""
        urn = "urn:li:sponsoredCampaign:"
        return [
            {"name": "control", "trafficWeight": weight, "reference": {"campaign": f"{urn}{first}"}},
            {"name": "test", "trafficWeight": 100 - weight, "reference": {"campaign": f"{urn}{second}"}},
        ]

    @staticmethod
    def codes(answer: Any) -> list[str]:
        """Give the codes of a refusal, sorted, of the single envelope or the one for several."""
        body = answer.json()
        if body.get("code") == "MULTIPLE_VALIDATIONS_FAILED":
            return sorted(one["code"] for one in body["errorDetails"]["details"])
        return [body["code"]]

    @staticmethod
    def items(answer: Any, level: str) -> list[str]:
        """Give the codes of one level that the validate action found, sorted."""
        assert answer.status_code == 200, answer.text
        return sorted(one["code"] for one in answer.json()["value"]["items"] if one["level"] == level)


@pytest.fixture(scope="session")
def running() -> Iterator[LinkedIn]:
    """One server for the whole run; starting one for each test costs more than the tests."""
    with EmulatorServer(World(default_seed(), real_now=lambda: T0)) as server:
        yield LinkedIn(server)


@pytest.fixture
def api(running: LinkedIn) -> LinkedIn:
    """The running server over a fresh world, its clock back at T0."""
    with running.world.lock:
        running.world.data = default_seed()
    return running


@pytest.fixture
def world() -> World:
    """A fresh world of its own, for a test that builds its own app or server."""
    return World(default_seed(), real_now=lambda: T0)
