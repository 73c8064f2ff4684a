"""The two-proportion formula against published numbers, and against chance itself."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest

from reconciler.sanity.power import Question, needed, needed_when_equal, reached

HALVES = (50.0, 50.0)


def question(
    baseline: float = 0.1,
    effect: float = 0.02,
    alpha: float = 0.05,
    power: float = 0.8,
    shares: tuple[float, ...] = HALVES,
) -> Question:
    return Question(baseline, effect, alpha, power, shares)


@pytest.mark.parametrize(
    ("asked", "in_each"),
    [
        # R: power.prop.test(p1 = 0.1, p2 = 0.12, power = 0.8) gives n = 3840.847
        pytest.param(question(), 3841, id="ten-against-twelve-percent"),
        # R's documentation of power.prop.test: p1 = .50, p2 = .75, power = .90 gives n = 76.7
        pytest.param(question(0.5, 0.25, power=0.9), 77, id="half-against-three-quarters"),
        # Fleiss, table A.4: .5 against .6 at .05 and .8 needs 388 without the correction
        pytest.param(question(0.5, 0.1), 388, id="half-against-sixty-percent"),
        pytest.param(question(0.6, -0.1), 388, id="the-other-way-round"),
    ],
)
def test_numbers_that_are_published(asked: Question, in_each: int) -> None:
    assert -(-needed(asked) // 2) == in_each


def test_an_uneven_split_needs_more_and_it_does_not_matter_how_shares_are_counted() -> None:
    assert needed(question(shares=(90.0, 10.0))) > 2.5 * needed(question())
    assert needed(question(shares=(9000.0, 1000.0))) == needed(question(shares=(0.9, 0.1)))
    assert needed_when_equal(question(shares=(90.0, 10.0))) == needed(question())


def test_several_treatments_share_alpha() -> None:
    third = 100 / 3
    assert needed(question(shares=(third, third, third))) > 1.5 * needed(question())
    assert needed(question(shares=(third, third, third))) == pytest.approx(
        1.5 * needed(question(alpha=0.025)), rel=0.001
    )


@pytest.mark.parametrize("shares", [HALVES, (80.0, 20.0), (20.0, 80.0), (40.0, 30.0, 30.0)], ids=str)
def test_as_many_people_as_needed_reach_the_power_that_was_asked_for(shares: tuple[float, ...]) -> None:
    asked = question(shares=shares)
    assert reached(asked, needed(asked)) == pytest.approx(0.8, abs=0.001)
    assert reached(asked, needed(asked) / 2) < 0.6
    assert reached(asked, 0) == 0


@pytest.mark.parametrize("shares", [(), (100.0,), (100.0, 0.0)], ids=str)
def test_without_two_arms_there_is_nothing_to_reckon(shares: tuple[float, ...]) -> None:
    assert needed(question(shares=shares)) == 0
    assert reached(question(shares=shares), 1000) == 0


def test_the_power_is_how_often_the_effect_is_found() -> None:
    """Draw experiments of the size that is said to be needed: four of five find the effect."""
    asked = question(0.3, 0.1, shares=(60.0, 40.0))
    people = needed(asked)
    control, treated = round(people * 0.6), round(people * 0.4)
    dice, found, runs = random.Random(7), 0, 600
    line = NormalDist().inv_cdf(0.975)
    for _ in range(runs):
        first = _binomial(dice, control, 0.3)
        second = _binomial(dice, treated, 0.4)
        pooled = (first + second) / (control + treated)
        error = (pooled * (1 - pooled) * (1 / control + 1 / treated)) ** 0.5
        found += abs(first / control - second / treated) / error > line
    assert 0.76 < found / runs < 0.84


def _binomial(dice: random.Random, number: int, rate: float) -> int:
    return sum(dice.random() < rate for _ in range(number))
