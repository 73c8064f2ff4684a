"""
Killed at every point: before and after every request's effect, before and after every write of the state, in every
wait. A second run ends at the same live state, creates nothing twice and leaves nothing without a record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from fake_platform import Killed, World
from plan_builders import LI, REPLACE, SF, X, cell, cohort, desired, group

from reconciler.model.outcome import GOOD
from reconciler.model.resource import Desired
from reconciler.plan.saved import dumps, loads


@dataclass(frozen=True)
class Story:
    """What was applied before, and what is wanted now."""

    before: tuple[Desired, ...]
    after: tuple[Desired, ...]


def _running(**changes: Any) -> dict[str, Any]:
    return {"scheduledStartAt": "2026-11-20T08:00:00Z", "scheduledEndAt": "2026-12-20T08:00:00Z", **changes}


STORIES: dict[str, Story] = {
    "linkedin-create": Story((), (desired(LI),)),
    "x-create": Story((), (desired(X),)),
    "salesforce-create": Story((), (desired(SF),)),
    "salesforce-create-started": Story((), (desired(SF, state="Started"),)),
    "linkedin-create-draft": Story((), (desired(LI, userIntendedState="DRAFT"),)),
    "linkedin-update": Story((desired(LI),), (desired(LI, name="n", description="d"),)),
    "x-update": Story(
        (desired(X),),
        (desired(X, name="n", user_groups=[group("a", "60.00", "e1"), group("b", "40.00", "e3", "e4")]),),
    ),
    "x-groups-added": Story(
        (desired(X),),
        (
            desired(
                X,
                user_groups=[group("a", "30.00", "e1"), group("b", "30.00", "e3", "e4"), group("c", "40.00", "e5")],
            ),
        ),
    ),
    "salesforce-update-and-start": Story(
        (desired(SF),),
        (
            desired(
                SF, label="L", state="Started", cohorts=[cohort("control", 6000, control=True), cohort("red", 4000)]
            ),
        ),
    ),
    "salesforce-archive": Story((desired(SF, state="Started"),), (desired(SF, state="Archived", label="L"),)),
    "linkedin-delete": Story((desired(LI),), ()),
    "linkedin-cancel": Story((desired(LI, **_running()),), ()),
    "linkedin-cancel-by-manifest": Story(
        (desired(LI, **_running()),), (desired(LI, **_running(userIntendedState="CANCELED")),)
    ),
    "x-delete": Story((desired(X),), ()),
    "salesforce-delete": Story((desired(SF),), ()),
    "salesforce-delete-started": Story((desired(SF, state="Started"),), ()),
    "linkedin-replace-pending": Story((desired(LI),), (desired(LI, "hero", "", REPLACE, account="6"),)),
    "linkedin-replace-running": Story(
        (desired(LI, **_running()),), (desired(LI, "hero", "", REPLACE, **_running(keyMetric="CPM")),)
    ),
    "x-replace": Story(
        (desired(X),),
        (
            desired(
                X,
                "hero",
                "",
                REPLACE,
                entity_type="LINE_ITEM",
                user_groups=[group("a", "50.00", "e1"), group("b", "50.00", "e3")],
            ),
        ),
    ),
    "salesforce-replace-started": Story(
        (desired(SF, state="Started"),),
        (desired(SF, "hero", "", REPLACE, state="Started", name="hero2", source="Agentforce"),),
    ),
    "linkedin-hand-over": Story(
        (desired(LI, "old"),), (desired(LI, "new", cells=[cell("control", 2), cell("blue", 3)]),)
    ),
    "a-busy-project": Story(
        (desired(LI, "old"), desired(X), desired(SF, state="Started")),
        (
            desired(LI, "new", cells=[cell("control", 2), cell("blue", 3)]),
            desired(X, name="n"),
            desired(SF, "hero", "", REPLACE, state="Started", name="hero2", source="Agentforce"),
        ),
    ),
    "all-three": Story((), (desired(LI), desired(X), desired(SF, state="Started"))),
}


def start(story: Story, minutes: int = 0) -> World:
    """A world in which the first part was applied so many minutes ago: within the grace of creates, or after it."""
    world = World()
    if story.before:
        result = world.apply(*story.before)
        assert all(item.result in GOOD for item in result.outcomes), result.outcomes
        assert not world.plan(*story.before).changes
        world.time += timedelta(minutes=minutes)
    return world


def undisturbed(story: Story) -> World:
    world = start(story)
    world.apply(*story.after)
    return world


def run_to_death(story: Story, kill_at: int, work: Callable[[World], Any], minutes: int = 0) -> World | None:
    """Give the world in which the process died at that point; None when the work has fewer points."""
    world = start(story, minutes)
    world.chaos.passed, world.chaos.kill_at = 0, kill_at
    try:
        work(world)
    except Killed:
        world.revive()
        return world
    return None


def check_converged(world: World, story: Story, calm: World, at: str) -> None:
    assert world.live() == calm.live(), at
    assert world.orphans() == [], at
    for name, fake in world.fakes.items():
        assert fake.creates == calm.fakes[name].creates, f"{at}: {name} was created on twice"
    last = world.plan(*story.after)
    assert not last.changes and not last.bookkeeping and last.complete, (at, last)
    assert {key: record.applied for key, record in world.records.items()} == {
        key: record.applied for key, record in calm.records.items()
    }, at
    assert not any(record.inflight or record.intent_at for record in world.records.values()), at
    assert {key: len(record.predecessors) for key, record in world.records.items()} == {
        key: len(record.predecessors) for key, record in calm.records.items()
    }, at


@pytest.mark.parametrize("minutes", [0, 60], ids=["at-once", "later"])
@pytest.mark.parametrize("name", STORIES)
def test_killed_anywhere_then_a_fresh_plan(name: str, minutes: int) -> None:
    story = STORIES[name]
    calm = undisturbed(story)
    check_converged(calm, story, calm, "undisturbed")
    kill_at = 0
    while True:
        kill_at += 1
        world = run_to_death(story, kill_at, lambda world: world.apply(*story.after), minutes)
        if world is None:
            break
        at = f"killed at point {kill_at}, after {world.events}"
        result = world.apply(*story.after)
        assert all(item.result in GOOD for item in result.outcomes), (at, result.outcomes)
        check_converged(world, story, calm, at)
    assert kill_at > 5


@pytest.mark.parametrize("name", STORIES)
def test_killed_anywhere_then_the_same_saved_plan(name: str) -> None:
    story = STORIES[name]
    calm = undisturbed(story)
    kill_at = 0
    while True:
        kill_at += 1
        saved = ""

        def work(world: World) -> None:
            nonlocal saved
            passed, world.chaos.kill_at = world.chaos.kill_at, 0
            saved = dumps(world.plan(*story.after))
            world.chaos.passed, world.chaos.kill_at = 0, passed
            world.execute(loads(saved, "plan.json"))

        world = run_to_death(story, kill_at, work)
        if world is None:
            break
        at = f"killed at point {kill_at}, after {world.events}"
        result = world.execute(loads(saved, "plan.json"))
        assert all(item.result in GOOD for item in result.outcomes), (at, result.outcomes)
        check_converged(world, story, calm, at)
    assert kill_at > 5


@pytest.mark.parametrize("name", STORIES)
def test_killed_twice(name: str) -> None:
    """The second run dies too, at a point of its own; the third one ends at the same place."""
    story = STORIES[name]
    calm = undisturbed(story)
    for first in range(1, 60, 3):
        world = run_to_death(story, first, lambda world: world.apply(*story.after))
        if world is None:
            break
        world.chaos.passed, world.chaos.kill_at = 0, 1 + first * 7 % 11
        try:
            world.apply(*story.after)
        except Killed:
            world.revive()
        world.revive()
        world.apply(*story.after)
        check_converged(world, story, calm, f"killed at {first} and {1 + first * 7 % 11}, after {world.events}")


@pytest.mark.parametrize("name", [name for name in STORIES if "create" in name or "replace" in name])
def test_killed_anywhere_while_what_is_made_shows_late(name: str) -> None:
    """What was made shows 20 s later: it is waited for, not made again."""
    story = STORIES[name]
    calm = undisturbed(story)
    kill_at = 0
    while True:
        kill_at += 1

        def work(world: World) -> None:
            for fake in world.fakes.values():
                fake.delay = timedelta(seconds=20)
            world.apply(*story.after)

        world = run_to_death(story, kill_at, work)
        if world is None:
            break
        for _ in range(3):
            world.apply(*story.after)
            world.time += timedelta(seconds=30)
        check_converged(world, story, calm, f"killed at point {kill_at}, after {world.events}")


@pytest.mark.parametrize("name", [name for name in STORIES if "create" in name or "replace" in name])
def test_killed_anywhere_and_then_the_manifest_is_gone(name: str) -> None:
    """Nobody wants it any more: whatever the dead run made is found and ended, nothing stays behind unrecorded."""
    story = STORIES[name]
    kill_at = 0
    while True:
        kill_at += 1
        world = run_to_death(story, kill_at, lambda world: world.apply(*story.after))
        if world is None:
            break
        at = f"killed at point {kill_at}, after {world.events}"
        result = world.apply()
        assert all(item.result in GOOD for item in result.outcomes), (at, result.outcomes)
        assert world.orphans() == [] and world.records == {}, at
        assert not world.plan().changes, at


@pytest.mark.parametrize("name", [name for name in STORIES if "create" in name])
def test_killed_anywhere_and_then_another_manifest(name: str) -> None:
    """The manifest changed before the second run: one experiment, as it is wanted now."""
    story = STORIES[name]
    (first,) = story.after
    field = "label" if first.platform == "salesforce" else "name"
    other = replace(first, spec={**first.spec, field: "another"})
    kill_at = 0
    while True:
        kill_at += 1
        world = run_to_death(story, kill_at, lambda world: world.apply(first))
        if world is None:
            break
        at = f"killed at point {kill_at}, after {world.events}"
        result = world.apply(other)
        assert all(item.result in GOOD for item in result.outcomes), (at, result.outcomes)
        assert world.orphans() == [] and len(world.live()) == 1, at
        assert sum(fake.creates for fake in world.fakes.values()) == 1, at
        assert not world.plan(other).changes, at
