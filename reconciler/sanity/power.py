"""
How many people an experiment needs: the classic two-proportion formula, for arms of any size.

For a control of n people and a treatment of k·n, rates p and q, two-sided alpha and a wanted power:

    n = (z(1-alpha/2)·sqrt(m(1-m)(1+1/k)) + z(power)·sqrt(p(1-p) + q(1-q)/k))² / (p-q)²,   m = (p + k·q) / (1 + k)

(J. L. Fleiss, Statistical Methods for Rates and Proportions, 3rd edition, section 4.3, without the correction for
continuity). With several treatments each is held against the control, at alpha divided by their number (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be found: rates as shares, `alpha` two-sided; `shares` of the arms, the control's first."""

    baseline: float
    effect: float
    alpha: float
    power: float
    shares: tuple[float, ...]

    @property
    def comparisons(self) -> int:
        """How many treatments are held against the control."""
        return len(self.shares) - 1


def needed(question: Question) -> int:
    """Give how many people all arms together need; 0 when an arm gets nobody, or there is no second one."""
    pairs = _pairs(question.shares)
    if not pairs:
        return 0
    total = sum(question.shares)
    return max(ceil(_in_control(question, treatment / control) * total / control) for control, treatment in pairs)


def needed_when_equal(question: Question) -> int:
    """Give how many people as many arms of one size would need."""
    count = len(question.shares)
    return needed(Question(question.baseline, question.effect, question.alpha, question.power, (1.0,) * count))


def reached(question: Question, people: float) -> float:
    """Give the power, 0 to 1, that a number of people in all arms together comes to, for the weakest comparison."""
    pairs = _pairs(question.shares)
    if not pairs or people <= 0:
        return 0.0
    total = sum(question.shares)
    return min(_reached(question, people * control / total, treatment / control) for control, treatment in pairs)


def _pairs(shares: Sequence[float]) -> list[tuple[float, float]]:
    if len(shares) < 2 or any(share <= 0 for share in shares):
        return []
    return [(shares[0], treatment) for treatment in shares[1:]]


def _spreads(question: Question, ratio: float) -> tuple[float, float]:
    """Give the two roots of the formula: under no difference, and under the one looked for."""
    control, treated = question.baseline, question.baseline + question.effect
    mean = (control + ratio * treated) / (1 + ratio)
    none = sqrt(mean * (1 - mean) * (1 + 1 / ratio))
    some = sqrt(control * (1 - control) + treated * (1 - treated) / ratio)
    return none, some


def _critical(question: Question) -> float:
    return _NORMAL.inv_cdf(1 - question.alpha / (2 * question.comparisons))


def _in_control(question: Question, ratio: float) -> float:
    none, some = _spreads(question, ratio)
    return float((_critical(question) * none + _NORMAL.inv_cdf(question.power) * some) ** 2 / question.effect**2)


def _reached(question: Question, control: float, ratio: float) -> float:
    none, some = _spreads(question, ratio)
    return _NORMAL.cdf((abs(question.effect) * sqrt(control) - _critical(question) * none) / some)
