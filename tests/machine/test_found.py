"""What the machine has found in the tool, each as a plain example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench import Bench

from reconciler.model.resource import Key
from reconciler.workflow import PlanRequest

KEY, NEW_KEY = Key("LinkedInExperiment", "a"), Key("LinkedInExperiment", "b")
REQUEST = PlanRequest(allow_destroy=9, allow_empty=True)
LINKEDIN: dict[str, Any] = {
    "account": "urn:li:sponsoredAccount:123",
    "name": "headline",
    "keyMetric": "CPC",
    "confidence": 90,
    "scheduledStartAt": "2026-12-02T08:00:00Z",
    "scheduledEndAt": "2027-01-01T08:00:00Z",
    "cells": [
        {"name": "control", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1001"}},
        {"name": "test", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1002"}},
    ],
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "project")


def manifest(name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "reconciler/v1",
        "kind": "LinkedInExperiment",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def apply(bench: Bench, *documents: dict[str, Any]) -> Any:
    return bench.apply(bench.validate(list(documents)).checked().desired, REQUEST)


def test_a_rename_is_recorded_though_the_experiment_is_over(bench: Bench) -> None:
    """Else the old key stayed in the state, and the manifest without `movedFrom` created the experiment anew."""
    apply(bench, manifest("a", LINKEDIN))
    remote_id = bench.records()[KEY].remote_id
    bench.move(days=8)
    assert bench.by_hand("linkedin", remote_id, userIntendedState="CANCELED")
    apply(bench, manifest("b", LINKEDIN, movedFrom="a"))
    assert {key: record.remote_id for key, record in bench.records().items()} == {NEW_KEY: remote_id}
    made = bench.plan(bench.validate([manifest("b", LINKEDIN)]).desired, REQUEST)
    assert made.changes == ()
    assert [item.key for item in made.warnings] == [str(NEW_KEY)]
