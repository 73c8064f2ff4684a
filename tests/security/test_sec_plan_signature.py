"""Signed plans: with a key set, `apply FILE` takes what `plan --out` wrote with the same key, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from kinds import LINKEDIN
from laboratory import Lab

KEY = "canary-plan-key-0123456789"


@pytest.fixture
def keyed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("RECONCILER_PLAN_KEY", KEY)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.plan("--out", "plan.json")
    return lab


def test_a_signed_plan_is_carried_out_whatever_its_layout(keyed: Lab) -> None:
    path = keyed.dir / "plan.json"
    assert KEY not in path.read_text()
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    keyed.apply("plan.json")
    keyed.settled()


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a value of a field": lambda plan: plan["changes"][0]["desired"].update(name="other"),
    "the moment until which it holds": lambda plan: plan["changes"][0].update(validUntil=None),
    "the environment": lambda plan: plan.update(environment="other"),
    "the state": lambda plan: plan["state"].update(serial=9),
    "a key that nobody knows": lambda plan: plan.update(more=1),
    "the order of calls": lambda plan: plan["changes"].append({}),
    "no signature": lambda plan: plan.pop("signature"),
    "an empty signature": lambda plan: plan.update(signature=""),
    "a signature of another type": lambda plan: plan.update(signature=[1]),
    "a signature beyond ASCII": lambda plan: plan.update(signature="hmac-sha256:é"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_is_refused(keyed: Lab, what: str) -> None:
    path = keyed.dir / "plan.json"
    plan = json.loads(path.read_text())
    CHANGES[what](plan)
    path.write_text(json.dumps(plan))
    ran = keyed.run("apply", "plan.json").must(1)
    assert "nothing was sent" in ran.err and KEY not in ran.err
    assert keyed.writes == []


def test_another_key(keyed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_PLAN_KEY", "another-key-of-some-length")
    assert "does not fit" in keyed.run("apply", "plan.json").must(1).err
    assert keyed.writes == []


def test_a_key_that_could_be_guessed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_PLAN_KEY", "short")
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    ran = lab.run("plan", "--out", "plan.json").must(1)
    assert "16 or more" in ran.err and "short;" not in ran.err and not (lab.dir / "plan.json").exists()


def test_without_a_key_nothing_changes(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.plan("--out", "plan.json")
    assert "signature" not in json.loads((lab.dir / "plan.json").read_text())
    lab.apply("plan.json")


def test_what_is_no_plan(keyed: Lab) -> None:
    for text in ("", "[]", "1", "{}", "[" * 100_000):
        keyed.write_file("plan.json", text)
        keyed.run("apply", "plan.json").must(1)
