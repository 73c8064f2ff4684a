"""LinkedIn's own sample bodies, and specs to start tests from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.model.resource import Desired, Key, Live, Spec
from reconciler.platforms.linkedin import PLATFORM

KIND = PLATFORM.kinds[0]
START, END = "2026-12-07T08:00:00Z", "2027-01-11T08:00:00Z"
START_MS, END_MS = 1796630400000, 1799654400000
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def body(name: str) -> Any:
    return json.loads((Path(__file__).parent / "bodies" / f"{name}.json").read_text("utf-8"))


def stated(**changes: Any) -> dict[str, Any]:
    """A manifest's spec, as people write it; a change to `...` leaves the key out."""
    spec: dict[str, Any] = {
        "account": "urn:li:sponsoredAccount:5",
        "name": "hero-image",
        "keyMetric": "CPC",
        "confidence": 90,
        "scheduledStartAt": START,
        "scheduledEndAt": END,
        "cells": [cell("control", 1), cell("red", 2)],
    }
    spec.update(changes)
    return {key: value for key, value in spec.items() if value is not ...}


def cell(name: str, campaign: int, weight: int = 50, **more: Any) -> dict[str, Any]:
    reference = {"campaign": f"urn:li:sponsoredCampaign:{campaign}"}
    return {"name": name, **more, "trafficWeight": weight, "reference": reference}


def spec(**changes: Any) -> Spec:
    """The canonical spec of a manifest that went through the schema."""
    model = KIND.spec_model.model_validate(stated(**changes))
    return KIND.canonical(model.model_dump(exclude_unset=True))


def desired(key: str = "hero", /, **changes: Any) -> Desired:
    return Desired(Key("LinkedInExperiment", key), "linkedin", "linkedin", spec(**changes))


def wire(**changes: Any) -> dict[str, Any]:
    """An experiment as LinkedIn shows it; a change to `...` leaves the key out."""
    entity: dict[str, Any] = {
        "id": 40001,
        "account": "urn:li:sponsoredAccount:5",
        "name": "hero-image",
        "keyMetric": "CPC",
        "confidence": 90,
        "autoStop": "AUTO_STOP_AT_END_DATE",
        "userIntendedState": "ACTIVE",
        "executionState": "PENDING",
        "scheduledStartAt": START_MS,
        "scheduledEndAt": END_MS,
        "cells": [cell("control", 1), cell("red", 2)],
        "created": {"actor": "urn:li:member:7", "time": 1795338904000},
        "lastModified": {"actor": "urn:li:member:7", "time": 1795338904006},
    }
    entity.update(changes)
    return {key: value for key, value in entity.items() if value is not ...}


def live(**changes: Any) -> Live:
    return KIND.from_wire(wire(**changes))
