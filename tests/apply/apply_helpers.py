"""What the tests of carrying out a plan share: a world with something applied, and faults."""

from __future__ import annotations

from typing import Any

import pytest
from fake_platform import Fault, World
from plan_builders import CONNECTION, desired

from reconciler.errors import Refused
from reconciler.model.change import Call
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.model.resource import Desired
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

ALL = [pytest.param(kind, id=kind.platform) for kind in KINDS]
FIELD = {"linkedin": "name", "x-ads": "name", "salesforce": "label"}


def applied(*wanted: Desired) -> World:
    world = World()
    result = world.apply(*wanted)
    assert all(item.result is Result.DONE for item in result.outcomes), result
    return world


def changed(kind: Kind, value: str = "new", name: str = "hero", **more: Any) -> Desired:
    return desired(kind, name, **{FIELD[kind.platform]: value}, **more)


def fake(world: World, kind: Kind) -> Any:
    return world.fakes[CONNECTION[kind.platform]]


def one(result: ApplyResult) -> Outcome:
    (outcome,) = result.outcomes
    return outcome


def stored(world: World, kind: Kind) -> dict[str, Any]:
    (body,) = [body for body in fake(world, kind).items.values() if not body.get("deleted")]
    return dict(body)


def refuse(*purposes: str) -> Fault:
    return lambda call, number: Refused("no", status=422, code="NO") if call.purpose.value in purposes else None


def once(purpose: str, error: Exception) -> Fault:
    fired: list[int] = []

    def fault(call: Call, number: int) -> Any:
        if call.purpose.value == purpose and not fired:
            fired.append(number)
            return error
        return None

    return fault
