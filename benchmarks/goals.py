"""The goals, and how far the figures are from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from experiments import PER_ACCOUNT
from measure import middle

Rows = Mapping[str, Mapping[str, Sequence[float]]]
LINKEDIN_PAGE, X_PAGE = 100, 200


@dataclass(frozen=True)
class Goal:
    """
    One goal: what was measured, what was to be reached, in the same unit; `value` None where it was not measured.

    `cpu` is the same ratio in processor time, which other work on the machine moves less.
    """

    title: str
    value: float | None
    limit: float
    unit: str = "×"
    cpu: float | None = None

    @property
    def met(self) -> bool:
        """Tell whether it is reached."""
        return self.value is not None and self.value <= self.limit

    def verdict(self) -> str:
        """Say whether it is reached, and by how much it is not."""
        if self.value is None:
            return "not measured"
        if self.met:
            return "met"
        over = f"{self.value / self.limit - 1:.0%} over" if self.limit else f"{self.value:g} over"
        return f"**not met**: {over}"


def ratio(rows: Rows, name: str, floor: str, key: str = "wall", of: str = "wall") -> float | None:
    """Give the ratio of two medians."""
    mine, theirs = middle(rows, name, key), middle(rows, floor, of)
    return mine / theirs if mine is not None and theirs else None


def _cpu(rows: Rows, name: str, floor: str) -> float | None:
    return ratio(rows, name, floor, "cpu", "cpu")


def exponent(points: Sequence[tuple[int, float]]) -> float | None:
    """Give the slope of a line through the points on logarithmic axes, by least squares."""
    if len(points) < 2:
        return None
    xs, ys = [math.log(count) for count, _ in points], [math.log(value) for _, value in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def reads_needed(count: int) -> int:
    """Give the fewest reads of a plan: pages for each account of LinkedIn and X, one an experiment of Salesforce."""
    linkedin, x_ads, salesforce = count // 10 * 5, count // 10 * 4, count // 10
    pages = sum(
        ceil(min(PER_ACCOUNT, held - start) / page)
        for held, page in ((linkedin, LINKEDIN_PAGE), (x_ads, X_PAGE))
        for start in range(0, held, PER_ACCOUNT)
    )
    return pages + salesforce


def goals(results: Mapping[int, Mapping[str, Any]]) -> list[Goal]:
    """Give every goal with its figure, from the results by number of experiments."""
    ten: Mapping[str, Any] = results.get(10_000, {})
    rows: Rows = ten.get("rows", {})
    thousand: Rows = results.get(1_000, {}).get("rows", {})
    hundred_thousand: Rows = results.get(100_000, {}).get("rows", {})
    base = middle(rows, "imports")
    more = (middle(rows, "help") or 0) - 1.5 * base if base else None
    planned = ten.get("counted", {}).get("plan warm", {})
    return [
        Goal('`--help`, beyond 1.5 × `python -c "import yaml, argparse"`', more and more * 1000, 60, " ms"),
        _against("`validate` of 10,000, nothing kept / parse floor", rows, "validate cold", "parse floor", 1.6),
        _against("`plan` of 10,000, nothing kept / parse and wire floor", rows, "plan cold", "plan floor", 1.5),
        _against("`plan` of 10,000, unchanged / the same floor", rows, "plan warm", "plan floor", 0.6),
        Goal(
            "`plan` of 10,000 at 100 ms / reads of the slowest platform",
            ratio(rows, "late plan", "late floor", of="slowest"),
            1.15,
        ),
        Goal(
            "reads of a plan of 10,000 beyond the fewest",
            planned["all"] - reads_needed(10_000) if planned else None,
            1,
            " requests",
        ),
        Goal("writes of a plan of 10,000 unchanged", planned.get("writes"), 0, " requests"),
        _against("`plan` of 10,000, nothing kept / octoDNS with 10,000 records", rows, "plan cold", "octodns", 0.5),
        Goal("peak memory above the interpreter at 100,000", _memory(hundred_thousand, 100_000), 6.0, " KB a manifest"),
        Goal("growth of `plan`, nothing kept, processor time, from 1,000 on", growth(results, "plan cold"), 1.05, ""),
        Goal("growth of `plan`, unchanged, processor time, from 1,000 on", growth(results, "plan warm"), 1.05, ""),
        _against("`apply` of 1,000 changes / the same requests, bare", thousand, "apply", "apply floor", 1.3),
    ]


def _against(name: str, rows: Rows, tool: str, floor: str, most: float) -> Goal:
    """Give the goal that a row stays within a multiple of another, in wall and processor time."""
    return Goal(name, ratio(rows, tool, floor), most, cpu=_cpu(rows, tool, floor))


def growth(results: Mapping[int, Mapping[str, Any]], name: str, key: str = "cpu", least: int = 1_000) -> float | None:
    """Give the growth exponent of a figure from a number of experiments on."""
    points = [(count, middle(found["rows"], name, key)) for count, found in sorted(results.items()) if count >= least]
    return exponent([(count, value) for count, value in points if value])


def _memory(rows: Rows, count: int) -> float | None:
    peak, bare = middle(rows, "plan warm", "peak"), middle(rows, "interpreter", "peak")
    return (peak - bare) / count / 1000 if peak and bare else None
