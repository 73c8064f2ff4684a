"""What holds for any manifest and any live experiment: generated specs of all three kinds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from plan_builders import (
    FIRST,
    LI,
    NOW,
    REPLACE,
    SF,
    X,
    cell,
    cohort,
    desired,
    group,
    kinds,
    live,
    plan_inputs,
    record,
    wire,
)

from reconciler.model.change import Action, Change, Plan
from reconciler.model.kind import template, top_level
from reconciler.model.resource import Desired, Found, Gone, Live, Reading, Record, Unknown
from reconciler.plan import order
from reconciler.plan.drift import find_drift
from reconciler.plan.fields import difference, recorded_children
from reconciler.plan.planner import make_plan
from reconciler.plan.saved import dumps, loads
from reconciler.platforms.base import Claims, Kind
from reconciler.platforms.registry import KINDS

TEXT = st.sampled_from(["a", "b", "R&D", "ü", "x" * 40])
MAYBE = st.sampled_from([..., None, "a", "b"])
RUNS = settings(max_examples=150, deadline=None)


@st.composite
def li_changes(draw: st.DrawFn) -> dict[str, Any]:
    weight = draw(st.integers(1, 99))
    campaigns = draw(st.permutations([1, 2, 3]))
    texts = [
        {"description": value} if (value := draw(st.sampled_from([..., "d", "e"]))) is not ... else {} for _ in "12"
    ]
    cells = [cell("c", campaigns[0], weight, **texts[0]), cell("r", campaigns[1], 100 - weight, **texts[1])]
    return {
        "name": draw(TEXT),
        "description": draw(MAYBE),
        "confidence": draw(st.integers(51, 99)),
        "keyMetric": draw(st.sampled_from(["CPC", "CPM"])),
        "autoStop": draw(st.sampled_from([..., "AUTO_STOP_AT_WINNER", "AUTO_STOP_DISABLED"])),
        "userIntendedState": draw(st.sampled_from(["ACTIVE", "DRAFT"])),
        "scheduledEndAt": draw(st.sampled_from(["2027-01-11T08:00:00Z", "2027-02-01T09:30:00+01:00"])),
        "cells": cells,
    }


@st.composite
def x_changes(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(2, 4))
    entities = draw(st.permutations([f"e{n}" for n in range(8)]))
    groups = []
    left = 100
    for index in range(count):
        size = left if index == count - 1 else draw(st.integers(1, left - (count - 1 - index)))
        left -= size
        name = draw(st.sampled_from([None, "a", "b", f"g{index}"]))
        more = {} if draw(st.booleans()) else {"description": draw(TEXT)}
        groups.append(group(name, f"{size}.00", *entities[2 * index : 2 * index + draw(st.integers(1, 2))], **more))
    return {
        "name": draw(MAYBE),
        "description": draw(MAYBE),
        "end_time": draw(st.sampled_from(["2027-01-11T08:00:00Z", "2027-02-01T09:30:00+01:00"])),
        "user_groups": groups,
    }


@st.composite
def sf_changes(draw: st.DrawFn) -> dict[str, Any]:
    weight = draw(st.integers(0, 10000))
    names = draw(st.permutations(["red", "blue"]))
    cohorts = [
        cohort("control", weight, control=True, **({} if draw(st.booleans()) else {"description": "d"})),
        cohort(names[0], 10000 - weight, label=draw(TEXT)),
    ]
    return {
        "label": draw(TEXT),
        "description": draw(MAYBE),
        "chanceToWinThreshold": draw(st.sampled_from([..., 90, 95.5])),
        "criteria": draw(st.sampled_from([..., {"a": 1}, '{"a": 1.0}'])),
        "parameters": draw(
            st.sampled_from([..., [{"engagementSignalName": "E", "parameterName": "OS", "values": ["a", "a"]}]])
        ),
        "cohorts": draw(st.permutations(cohorts)),
        "state": draw(st.sampled_from([..., "Created", "Started"])),
    }


CHANGES = {LI: li_changes, X: x_changes, SF: sf_changes}


def wanted_of(kind: Kind) -> st.SearchStrategy[Desired]:
    return CHANGES[kind]().map(lambda changed: desired(kind, **changed))


@st.composite
def cases(draw: st.DrawFn, of: Kind | None = None) -> tuple[Desired, Record, Live]:
    """What is wanted, what was applied, and what is live: three independent specs of one kind."""
    kind = of or draw(st.sampled_from(KINDS))
    wanted, applied, shown = (draw(wanted_of(kind)) for _ in "123")
    status = draw(st.sampled_from(kind.statuses))
    if draw(st.booleans()):
        wanted = replace(wanted, lifecycle=REPLACE)
    seen = live(shown, status)
    return wanted, record(applied, live(applied)), seen


def made_of(case: tuple[Desired, Record, Live]) -> Plan:
    wanted, rec, seen = case
    return make_plan(plan_inputs([wanted], [rec], {wanted.key: seen}, allow=0))


def tops(change: Change) -> set[str]:
    return {top_level(item.path) for item in change.fields}


def body_keys(change: Change) -> set[str]:
    keys: set[str] = set()
    for call in change.calls:
        if call.purpose.value in ("update",):
            patch = call.body.get("patch")
            keys |= set(call.body) if patch is None else set(patch.get("$set", {})) | set(patch.get("$delete", ()))
    return keys


@RUNS
@given(cases())
def test_bodies_hold_changed_keys_only_and_updates_have_fields(case: tuple[Desired, Record, Live]) -> None:
    for change in made_of(case).changes:
        if change.action is Action.UPDATE:
            assert change.fields and change.calls
            lifecycle = {"state"} if change.platform == "salesforce" else set()
            assert body_keys(change) == tops(change) - lifecycle
            assert all(item.allowed for item in change.fields)
        if change.action is Action.BLOCKED:
            assert change.reasons and not change.calls and change.intent is not None


@RUNS
@given(cases())
def test_a_saved_plan_is_the_plan(case: tuple[Desired, Record, Live]) -> None:
    made = made_of(case)
    assert loads(dumps(made), "plan") == made


@RUNS
@given(cases())
def test_every_changed_path_is_in_the_field_table(case: tuple[Desired, Record, Live]) -> None:
    kind = kinds(case[0].key.kind, case[0].connection)
    for change in made_of(case).changes:
        for item in change.fields:
            path = template(item.path)
            assert path in kind.field_index() or f"{path}[]" in kind.field_index(), item.path
            assert item.before != item.after


@RUNS
@given(st.sampled_from(KINDS).flatmap(wanted_of))
def test_live_made_from_the_manifest_needs_nothing_and_is_no_drift(wanted: Desired) -> None:
    kind = kinds(wanted.key.kind, wanted.connection)
    seen = live(wanted)
    rec = record(wanted, seen)
    made = make_plan(plan_inputs([wanted], [rec], {wanted.key: seen}))
    changed = [item for change in made.changes for item in change.fields if item.path != kind.lifecycle_field]
    assert not changed
    report = find_drift({wanted.key: rec}, {wanted.key: Found(seen)}, {}, kinds, NOW)
    assert not [item for item in report.drift if item.kind.value != "state"]


@RUNS
@given(cases(), st.booleans(), st.sampled_from(["", "one field", "the ids"]))
def test_the_look_at_sight_says_what_the_closer_look_says(
    case: tuple[Desired, Record, Live], as_applied: bool, moved: str
) -> None:
    wanted, _, shown = case
    kind = kinds(wanted.key.kind, wanted.connection)
    seen = live(wanted)
    if moved == "one field":
        seen = replace(seen, spec=shown.spec)
    if moved == "the ids":
        seen = replace(seen, children={name: ids[::-1] for name, ids in seen.children.items()})
    rec = (
        record(wanted, live(wanted)) if as_applied else replace(case[1], children=record(wanted, live(wanted)).children)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.plan.fields._is_as_applied", lambda *_: False)
        closer = difference(kind, wanted.spec, seen, record=rec)
    at_sight = difference(kind, wanted.spec, seen, record=rec)
    assert (at_sight.changes, at_sight.released) == (closer.changes, closer.released)


def carried_out(kind: Kind, change: Change, seen: Live) -> Live:
    """The live experiment after the plan's update, as the pages say that the calls work."""
    body = wire(kind, seen.spec, seen.status, seen.remote_id)
    for call in change.calls:
        if action := call.query.get("action"):
            body["state"] = {"Start": "Started", "Stop": "Stopped", "Archive": "Archived"}[action]
        elif "patch" in call.body:
            body.update(call.body["patch"].get("$set", {}))
            for key in call.body["patch"].get("$delete", ()):
                body.pop(key, None)
        else:
            patch = copy.deepcopy(dict(call.body))
            groups = patch.pop("user_groups", [])
            if groups and all("id" in item for item in groups):
                for item in groups:
                    next(old for old in body["user_groups"] if old["id"] == item["id"]).update(item)
            elif groups:
                body["user_groups"] = [{**item, "id": f"new{index}"} for index, item in enumerate(groups)]
            body.update(patch)
    return kind.from_wire(body, account=seen.account)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_an_update_reaches_what_is_wanted_in_one_go(case: tuple[Desired, Record, Live]) -> None:
    """After the calls, the next plan is empty: nothing is left over and nothing fights."""
    wanted, rec, seen = case
    kind = kinds(wanted.key.kind, wanted.connection)
    made = made_of(case)
    for change in made.changes:
        if change.action is not Action.UPDATE:
            continue
        after = carried_out(kind, change, seen)
        assert change.target is not None
        done = replace(
            rec,
            applied=change.target,
            children=recorded_children(kind, change.target, after),
            lifecycle=wanted.lifecycle,
            status=after.status,
        )
        again = make_plan(plan_inputs([wanted], [done], {wanted.key: after}))
        assert not again.changes and not again.bookkeeping, (change.calls, again.changes)


@st.composite
def projects(draw: st.DrawFn) -> tuple[list[Desired], list[Record], dict[Any, Reading]]:
    """Up to six experiments that share campaigns, entities and names; some gone, some unknown."""
    wanted: list[Desired] = []
    records: list[Record] = []
    readings: dict[Any, Reading] = {}
    for index in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(KINDS))
        item = replace(draw(wanted_of(kind)))
        item = replace(item, key=item.key._replace(name=f"e{index}"))
        if draw(st.booleans()):
            before = replace(draw(wanted_of(kind)), key=item.key)
            seen = live(before, FIRST[kind.platform], str(100 + index))
            records.append(record(before, seen))
            readings[item.key] = draw(st.sampled_from([Found(seen), Found(seen), Gone("404"), Unknown("403")]))
        if draw(st.booleans()):
            wanted.append(item)
    return wanted, records, readings


@settings(max_examples=50, deadline=None)
@given(projects(), st.randoms(use_true_random=False), st.sampled_from([None, 0, 9]))
def test_the_order_of_inputs_does_not_matter(
    project: tuple[list[Desired], list[Record], dict[Any, Reading]], shuffler: Any, allow: int | None
) -> None:
    wanted, records, readings = project
    others = [(item.connection, readings[item.key].live) for item in records if isinstance(readings[item.key], Found)]  # type: ignore[union-attr]
    made = make_plan(plan_inputs(wanted, records, readings, others=others, allow=allow))
    for side in (wanted, records, others):
        shuffler.shuffle(side)
    keys = list(readings)
    shuffler.shuffle(keys)
    mixed = {key: readings[key] for key in keys}
    assert make_plan(plan_inputs(wanted, records, mixed, others=others, allow=allow)) == made


class AskEveryone(order._Near):
    """Every holder, whatever it holds: what looking up holders by what is claimed has to come to."""

    def to(self, claims: Claims) -> Iterator[order.Holder]:
        yield from self._holders


class DoubtEveryone(order._Doubts):
    def about(self, change: Change, claims: Claims) -> Iterator[tuple[Live, Claims]]:
        kind = self._inputs.kinds(change.key.kind, change.connection)
        for seen in order._over(change.connection, self._changes, self._inputs):
            yield seen, order.scoped(kind.perhaps_held(seen), kind, change.connection)


@settings(max_examples=100, deadline=None)
@given(projects(), st.lists(st.booleans(), min_size=6, max_size=6), st.sampled_from([None, 0, 9]))
def test_looking_up_who_holds_what_is_asking_everyone(
    project: tuple[list[Desired], list[Record], dict[Any, Reading]], over: list[bool], allow: int | None
) -> None:
    wanted, records, readings = project
    others = []
    for item, ended in zip(records, over, strict=False):
        if isinstance(reading := readings[item.key], Found):
            seen = replace(reading.live, over=ended, remote_id=f"{reading.live.remote_id}9")
            others.append((item.connection, seen))
    inputs = plan_inputs(wanted, records, readings, others=others, allow=allow)
    made = make_plan(inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_Near", AskEveryone)
        patch.setattr(order, "_Doubts", DoubtEveryone)
        assert make_plan(inputs) == made


@RUNS
@given(projects(), st.sampled_from([None, 0, 9]))
def test_a_project_is_ordered_and_counted(
    project: tuple[list[Desired], list[Record], dict[Any, Reading]], allow: int | None
) -> None:
    wanted, records, readings = project
    made = make_plan(plan_inputs(wanted, records, readings, allow=allow))
    place = {change.key: index for index, change in enumerate(made.changes)}
    for change in made.changes:
        assert all(place[key] < place[change.key] for key in change.after)
        if any(made.changes[place[key]].action is Action.BLOCKED for key in change.after):
            assert change.action is Action.BLOCKED
        if change.action in (Action.DELETE, Action.REPLACE) and change.destroys:
            assert allow is not None
    everything = {item.key for item in wanted} | {item.key for item in records}
    unknown = sum(1 for item in records if isinstance(readings[item.key], Unknown))
    assert sum(made.summary.values()) + unknown == len(everything)
    assert made.complete == (unknown == 0)
    assert loads(dumps(made), "plan") == made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.platform)
def test_the_generated_cases_meet_every_action(kind: Kind) -> None:
    """The properties above would say nothing if the generator only ever made blocked changes."""

    def updates(case: tuple[Desired, Record, Live]) -> bool:
        return any(change.action is Action.UPDATE for change in made_of(case).changes)

    assert find(cases(kind), updates, settings=settings(phases=[Phase.generate], database=None))
