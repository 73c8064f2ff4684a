"""The calls of a saved plan: every one that a plan makes is the tool's own, and hardly anything else is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from plan_builders import LI, REPLACE, SF, X, desired, kinds, managed, only, plan

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Action, Call, Change, Purpose
from reconciler.plan.owned import MOST_CHARACTERS, check_calls
from reconciler.platforms.base import Kind

EVERY = [pytest.param(kind, id=kind.platform) for kind in (LI, X, SF)]
ANEW: dict[str, dict[str, Any]] = {
    "linkedin": {"keyMetric": "CPM"},
    "x-ads": {"account_id": "18ce54d4x5u"},
    "salesforce": {"name": "other", "source": "Agentforce"},
}
LATER: dict[str, tuple[str, Any]] = {
    "linkedin": ("scheduledEndAt", "2027-01-12T08:00:00Z"),
    "x-ads": ("end_time", "2027-01-12T08:00:00Z"),
    "salesforce": ("label", "Other"),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REPLACED_IN = {"linkedin": "RUNNING", "x-ads": "SCHEDULED", "salesforce": "Started"}


def creating(kind: Kind) -> Change:
    return only(plan([desired(kind)]))


def updating(kind: Kind) -> Change:
    key, value = LATER[kind.platform]
    return only(managed(desired(kind), desired(kind, **{key: value})))


def ending(kind: Kind) -> Change:
    return only(managed(desired(kind), None, allow=0))


def replacing(kind: Kind) -> Change:
    status = REPLACED_IN[kind.platform]
    more = {"state": "Started"} if kind is SF else {}
    new = desired(kind, "hero", status, REPLACE, **{**more, **ANEW[kind.platform]})
    return only(managed(desired(kind, "hero", status, **more), new, status, allow=0))


def refused(change: Change, *calls: Call, **more: Any) -> str:
    with pytest.raises(PlanUnreadable) as error:
        check_calls(replace(change, calls=calls or change.calls, **more), kinds(change.key.kind, change.connection))
    assert str(change.key) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("make", [creating, updating, ending, replacing])
@pytest.mark.parametrize("kind", EVERY)
def test_what_a_plan_sends_is_its_own(kind: Kind, make: Any) -> None:
    change = make(kind)
    assert change.calls and change.action is not Action.BLOCKED
    check_calls(change, kind)


@pytest.mark.parametrize("make", [creating, updating, ending, replacing])
@pytest.mark.parametrize("kind", EVERY)
def test_no_call_can_be_sent_for_another_reason_or_elsewhere(kind: Kind, make: Any) -> None:
    change = make(kind)
    for at, call in enumerate(change.calls):
        others = [
            *(replace(call, purpose=purpose) for purpose in Purpose if purpose is not call.purpose),
            *(replace(call, method=method) for method in METHODS if method != call.method),
            replace(call, path=call.path + "/x"),
            replace(call, query={**call.query, "a": "b"}),
            replace(call, headers={**call.headers, "X-A": "b"}),
            replace(call, body={**(call.body or {}), "other": 1}),
        ]
        for other in others:
            calls = (*change.calls[:at], other, *change.calls[at + 1 :])
            assert "nothing was sent" in refused(change, *calls), other


@pytest.mark.parametrize("make", [creating, replacing])
@pytest.mark.parametrize("kind", EVERY)
def test_a_create_is_made_whole_and_once(kind: Kind, make: Any) -> None:
    change = make(kind)
    old, made = change.calls[: change.old_calls], change.calls[change.old_calls :]
    assert f"creating it takes {len(made)}" in refused(change, *change.calls, made[-1])
    if old:
        assert "has 0 calls where creating it takes" in refused(change, *old)
    less = {key: value for key, value in made[0].body.items() if key != next(iter(made[0].body))}
    text = refused(change, *old, replace(made[0], body=less), *made[1:])
    assert "is no call that this version makes" in text


@pytest.mark.parametrize("kind", EVERY)
def test_a_create_of_what_is_no_spec(kind: Kind) -> None:
    """A plan file can state what no manifest can."""
    lists = {"linkedin": "cells", "x-ads": "user_groups", "salesforce": "cohorts"}[kind.platform]
    change = creating(kind)
    for value in (3, [3], [[]], {"a": 1}):
        with pytest.raises(PlanUnreadable, match=str(change.key)):
            check_calls(replace(change, target={**(change.target or {}), lists: value}), kind)


@pytest.mark.parametrize("kind", EVERY)
def test_values_that_a_manifest_cannot_state_are_not_ours(kind: Kind) -> None:
    change = updating(kind)
    (call,) = change.calls
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for body in (
        3,
        "a",
        [],
        None,
        {"patch": 3},
        {"patch": {"$set": 3}},
        {"cohorts": 3},
        {"user_groups": {"a": 1}},
        deep,
    ):
        assert "nothing was sent" in refused(change, replace(call, body=body))


@pytest.mark.parametrize(("more", "sent"), [(0, True), (1, False)])
def test_a_body_is_of_a_size_that_a_manifest_can_have(more: int, sent: bool) -> None:
    change = updating(X)
    (call,) = change.calls
    rest = len(json.dumps({"end_time": ""}))
    text = "x" * (MOST_CHARACTERS - rest + more)
    big = replace(
        change, calls=(replace(call, body={"end_time": text}),), target={**(change.target or {}), "end_time": text}
    )
    if sent:
        check_calls(big, X)
    else:
        assert "nothing was sent" in refused(big)


@pytest.mark.parametrize("action", [Action.NO_OP, Action.FORGET])
def test_what_sends_nothing_has_no_calls(action: Action) -> None:
    assert "is no call" in refused(replace(updating(X), action=action))
    check_calls(replace(updating(X), action=action, calls=()), X)


def test_an_adoption_may_change_and_never_delete() -> None:
    adopting = replace(updating(X), action=Action.ADOPT)
    check_calls(adopting, X)
    assert "DELETE" in refused(adopting, *ending(X).calls)
    assert "PUT" in refused(replace(ending(X), fields=adopting.fields, target=adopting.target), *adopting.calls)


def test_a_plan_of_another_platform_is_told() -> None:
    text = refused(replace(updating(X), platform="linkedin"))
    assert text == "XAdsABTest/hero is said to be of 'linkedin', its kind is of 'x-ads'"


def test_what_is_shown_of_a_foreign_call_is_short_and_harmless() -> None:
    change = updating(X)
    text = refused(change, replace(change.calls[0], path="/\x1b[2J" + "a" * 500))
    assert "\x1b" not in text and "\\u001b[2J" in text
    assert "a…" in text and len(text) < 420
