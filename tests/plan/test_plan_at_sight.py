"""What is seen at sight to be as it was applied is not looked at closely; the closer look has to come to the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from plan_builders import LI, SF, X, desired, live, record

from reconciler.model.resource import Live
from reconciler.plan import fields
from reconciler.plan.fields import ID, difference
from reconciler.platforms.base import Kind

LISTS = {LI: "cells", X: "user_groups", SF: "cohorts"}
WEIGHTS = {LI: "trafficWeight", X: "size", SF: "allocationWeight"}


def untouched(kind: Kind, items: list[Any]) -> None:
    """As it was applied."""


def swapped(kind: Kind, items: list[Any]) -> None:
    items.reverse()


def weighed(kind: Kind, items: list[Any]) -> None:
    items[0][WEIGHTS[kind]] = "70.00" if kind is X else 70


def named(kind: Kind, items: list[Any]) -> None:
    items[1]["name"] = "by hand"


def longer(kind: Kind, items: list[Any]) -> None:
    items.append({**copy.deepcopy(items[0]), "name": "one more"})


def shorter(kind: Kind, items: list[Any]) -> None:
    items.pop()


def with_a_key_more(kind: Kind, items: list[Any]) -> None:
    items[0]["description"] = "by the platform"


def of_another_type(kind: Kind, items: list[Any]) -> None:
    weight = items[0].get(WEIGHTS[kind])
    items[0][WEIGHTS[kind]] = weight if isinstance(weight, str | None) else float(weight)


MOVES = [untouched, swapped, weighed, named, longer, shorter, with_a_key_more, of_another_type]


@pytest.mark.parametrize("ids_too", [True, False], ids=["ids follow", "ids stay"])
@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
@pytest.mark.parametrize("kind", [LI, X, SF], ids=lambda kind: kind.name)
def test_a_list_at_sight_is_what_a_closer_look_says(
    kind: Kind, move: Callable[[Kind, list[Any]], None], ids_too: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desired(kind)
    kept = record(before)
    shown = live(before)
    spec = copy.deepcopy(shown.spec)
    move(kind, spec[LISTS[kind]])
    children = {
        name: ids[::-1] if ids_too and move is swapped else ids[: len(spec[name])]
        for name, ids in shown.children.items()
    }
    moved: Live = replace(shown, spec=spec, children=children)
    after = {**before.spec, "description": "another one"}
    quick = difference(kind, after, moved, record=kept)
    monkeypatch.setattr(fields, "_list_is_as_applied", lambda *words: False)
    assert quick == difference(kind, after, moved, record=kept)


def test_the_groups_of_a_test_at_sight_keep_their_ids() -> None:
    before = desired(X)
    delta = difference(X, {**before.spec, "description": "another one"}, live(before), record=record(before))
    assert [item.path for item in delta.changes] == ["description"]
    assert [item[ID] for item in delta.target["user_groups"]] == list(live(before).children["user_groups"])
