"""How long a plan's calls take under documented limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_builders import NOW

from reconciler.model.budget import Budget, Quota
from reconciler.model.change import Action, Call, Change, Plan, Purpose, block
from reconciler.model.resource import Key
from reconciler.plan.budget import budget_of, worth_telling
from reconciler.plan.saved import dumps, loads
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS
from reconciler.report.budget_text import budget_words

KIND = {kind.name: kind for kind in KINDS}
CALL = Call("PUT", "/x", Purpose.UPDATE)


def kinds(kind: str, connection: str) -> Kind:
    return KIND[kind]


def budget(kind: str, changes: int, accounts: int = 1) -> Budget:
    """Give the budget of so many updates, in turn of so many accounts."""
    field = KIND[kind].account_field

    def one(number: int) -> Change:
        spec = {field: f"a{number % accounts}"} if field else {}
        key = Key(kind, f"e{number}")
        return Change(key, KIND[kind].platform, "c", Action.UPDATE, "1", calls=(CALL,), target=spec)

    made = Plan(NOW, NOW, tuple(one(number) for number in range(changes)))
    [found] = budget_of(made, kinds)
    return found


@pytest.mark.parametrize(
    ("calls", "accounts", "minutes"),
    [
        pytest.param(450, 1, 0, id="a-window-of-writes"),
        pytest.param(451, 1, 1, id="one-more"),
        pytest.param(900, 1, 1, id="two-windows"),
        pytest.param(901, 7, 2, id="writes-of-all-accounts-count-together"),
        pytest.param(2000, 1, 15, id="reads-of-one-account"),
        pytest.param(2000, 2, 4, id="reads-of-two-accounts-count-apart"),
    ],
)
def test_x_takes_as_long_as_its_windows(calls: int, accounts: int, minutes: float) -> None:
    found = budget("XAdsABTest", calls, accounts)
    assert (found.calls, found.minutes, len(found.loads)) == (calls, minutes, accounts)


@pytest.mark.parametrize("kind", ["LinkedInExperiment", "SalesforceExperiment"])
def test_where_no_limit_is_documented_no_time_is_made_up(kind: str) -> None:
    found = budget(kind, 5000)
    assert found.minutes is None and "documented" in budget_words(found)


@pytest.mark.parametrize("kind", KIND.values(), ids=lambda kind: kind.name)
def test_every_limit_has_its_source(kind: Kind) -> None:
    assert kind.allowances
    assert all(item.source.startswith("https://") for item in kind.allowances)
    assert all(item.calls or item.note for item in kind.allowances)


def test_what_is_blocked_costs_nothing() -> None:
    change = Change(Key("XAdsABTest", "a"), "x-ads", "c", Action.UPDATE, "1", calls=(CALL,), target={})
    assert budget_of(Plan(NOW, NOW, (block(change, "no"),)), kinds) == ()


def test_it_is_saved_with_the_plan() -> None:
    quota = Quota("c", "reads", 2000, 20, NOW)
    made = replace(Plan(NOW, NOW, ()), budget=(budget("XAdsABTest", 901, 2), budget("SalesforceExperiment", 2)))
    made = replace(made, quotas=(quota,))
    assert loads(dumps(made), "p") == made


@pytest.mark.parametrize(
    ("limit", "left", "told"),
    [(100, 9, True), (100, 10, False), (15000, 3, True), (5, 1, False)],
)
def test_quotas_worth_telling(limit: int, left: int, told: bool) -> None:
    assert bool(worth_telling([Quota("other", "requests", limit, left)], ())) is told


def test_a_quota_that_is_not_enough_is_worth_telling() -> None:
    needs = budget("SalesforceExperiment", 100)
    enough, short = Quota("c", "requests", 1000, 300), Quota("c", "requests", 1000, 299)
    assert needs.calls + needs.reads == 300
    assert worth_telling([enough], [needs]) == ()
    assert worth_telling([short], [needs]) == (short,)
