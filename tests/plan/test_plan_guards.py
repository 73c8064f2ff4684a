"""The fuses: destroy limits, percentages from 10 managed experiments up, and an empty project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from plan_builders import LI, PROTECTED, REPLACE, X, cell, desired, live, plan, record

from reconciler.errors import PlanProblem
from reconciler.model.change import Action, Plan
from reconciler.model.resource import Desired, Gone, Key, Lifecycle, Live
from reconciler.plan.guards import held_for_the_whole, refuse_empty
from reconciler.plan.inputs import Guards


def fleet(count: int, life: Lifecycle | None = None) -> list[Desired]:
    return [
        desired(LI, f"e{n:02}", "", life, cells=[cell("a", 100 + 2 * n), cell("b", 101 + 2 * n)]) for n in range(count)
    ]


def seen(wanted: list[Desired]) -> dict[Key, Live]:
    return {item.key: live(item, "PENDING", str(1000 + index)) for index, item in enumerate(wanted)}


def removing(
    managed: int, removed: int, allow: int | None, guards: Guards | None = None, changed: Iterable[int] = ()
) -> Plan:
    """A plan for so many managed experiments, the first of which lost their manifests."""
    all_of_them = fleet(managed)
    kept = list(all_of_them[removed:])
    for index in changed:
        kept[index] = replace(kept[index], spec={**kept[index].spec, "name": "changed"})
    found = seen(all_of_them)
    return plan(
        kept,
        [record(item, found[item.key]) for item in all_of_them],
        found,
        allow=allow,
        guards=guards,
    )


@pytest.mark.parametrize(
    ("managed", "removed", "allow", "deleted"),
    [
        pytest.param(9, 1, None, 0, id="no-flag"),
        pytest.param(9, 5, 0, 5, id="five-is-within"),
        pytest.param(9, 6, 0, 0, id="six-is-beyond"),
        pytest.param(9, 6, 5, 0, id="six-names-five"),
        pytest.param(9, 6, 6, 6, id="six-names-six"),
        pytest.param(9, 6, 7, 6, id="six-names-seven"),
        pytest.param(9, 4, 0, 4, id="no-percentage-below-ten"),
        pytest.param(10, 3, 0, 3, id="thirty-percent-is-within"),
        pytest.param(10, 4, 0, 0, id="forty-percent-of-ten"),
        pytest.param(10, 4, 4, 4, id="forty-percent-named"),
        pytest.param(20, 5, 0, 5, id="five-of-twenty"),
        pytest.param(9, 3, 2, 0, id="fewer-named-than-ended"),
    ],
)
def test_destroy_limits(managed: int, removed: int, allow: int | None, deleted: int) -> None:
    made = removing(managed, removed, allow)
    assert made.summary["delete"] == deleted
    assert made.summary["blocked"] == removed - deleted
    for change in made.changes:
        if change.action is Action.BLOCKED:
            assert change.intent is Action.DELETE
            assert any("--allow-destroy" in reason for reason in change.reasons)


def test_the_reason_names_the_number_that_would_do() -> None:
    made = removing(9, 6, 0)
    assert all(any("--allow-destroy=6" in reason for reason in change.reasons) for change in made.changes)


def test_nothing_else_is_held_back_by_the_destroy_guard() -> None:
    made = removing(12, 6, 0, changed=[0, 1])
    assert (made.summary["update"], made.summary["blocked"]) == (2, 6)


def test_limits_of_the_project_count() -> None:
    assert removing(9, 2, 0, Guards(max_destroy=1)).summary["blocked"] == 2
    assert removing(9, 6, 0, Guards(max_destroy=None)).summary["delete"] == 6
    assert removing(10, 4, 0, Guards(max_destroy_percent=None)).summary["delete"] == 4


def test_max_change_percent() -> None:
    assert removing(10, 0, None, Guards(max_change_percent=20), changed=[0, 1]).summary["update"] == 2
    made = removing(10, 0, None, Guards(max_change_percent=20), changed=[0, 1, 2])
    assert made.summary["blocked"] == 3
    assert all(any("maxChangePercent" in reason for reason in change.reasons) for change in made.changes)
    assert removing(9, 0, None, Guards(max_change_percent=20), changed=[0, 1, 2]).summary["update"] == 3
    assert removing(10, 0, 3, Guards(max_change_percent=20), changed=[0, 1, 2]).summary["update"] == 3


def test_what_is_protected_does_not_count_as_ended() -> None:
    """Six manifests are gone, one is protected: five would be ended, which is within the limit."""
    kept_back, rest = fleet(6, PROTECTED)[0], fleet(6)[1:]
    everything = [kept_back, *rest]
    found = seen(everything)
    made = plan([], [record(item, found[item.key]) for item in everything], found, allow=0)
    assert (made.summary["delete"], made.summary["blocked"]) == (5, 1)


def test_forgetting_is_not_destroying() -> None:
    everything = fleet(12)
    made = plan([], [record(item) for item in everything], {item.key: Gone("404") for item in everything})
    assert made.summary["forget"] == 12


def test_replaces_count_as_destroying() -> None:
    before = fleet(6)
    after = [replace(d, spec={**d.spec, "account": "urn:li:sponsoredAccount:6"}, lifecycle=REPLACE) for d in before]
    found = seen(before)
    records = [record(item, found[item.key]) for item in before]
    assert plan(after, records, found, allow=0).summary["blocked"] == 6
    assert plan(after, records, found, allow=6).summary["replace"] == 6


def test_an_empty_project_is_an_error() -> None:
    wanted = desired(X)
    with pytest.raises(PlanProblem, match="--allow-empty"):
        refuse_empty({}, {wanted.key: record(wanted)}, allow_empty=False)
    refuse_empty({}, {wanted.key: record(wanted)}, allow_empty=True)
    refuse_empty({}, {}, allow_empty=False)
    refuse_empty({wanted.key: wanted}, {wanted.key: record(wanted)}, allow_empty=False)


# --- a part of a project ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("any_change", "held"), [(False, {"old", "new"}), (True, {"old", "new", "other"})])
def test_a_part_holds_back_what_the_guards_count_over_the_whole(any_change: bool, held: set[str]) -> None:
    """Ends always, changes where guards.maxChangePercent is set, and what waits for either; none of them is sent."""
    old = desired(LI, "old", cells=[cell("a", 1), cell("b", 2)])
    new = desired(LI, "new", cells=[cell("a", 1), cell("b", 3)])
    other = desired(LI, "other", cells=[cell("a", 7), cell("b", 8)])
    seen = {old.key: live(old), other.key: live(other, "", "40002")}
    edited = replace(other, spec={**other.spec, "name": "n"})
    made = plan([new, edited], [record(one, seen[one.key]) for one in (old, other)], seen, allow=9)
    assert [made.summary[action] for action in ("delete", "create", "update")] == [1, 1, 1]
    part = held_for_the_whole(made, any_change)
    blocked = {change.key.name for change in part.changes if change.action is Action.BLOCKED}
    assert blocked == held and len(part.changes) == 3
    assert all(not change.calls for change in part.changes if change.key.name in held)
    (end,) = [change for change in part.changes if change.key.name == "old"]
    assert end.intent is Action.DELETE and any("merge-plans" in reason for reason in end.reasons)
