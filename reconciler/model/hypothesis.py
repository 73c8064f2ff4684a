"""What a manifest says of the effect it looks for: figures for statistics alone, which no platform is told."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_ALPHA = 0.05
DEFAULT_POWER = 0.8


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """
    The manifest's `metadata.hypothesis`.

    `baseline` is the rate of the control, `effect` the least difference worth finding, both as shares (0.04 is 4 %);
    None where the manifest states no figures. `daily_traffic` are the people a day in all arms together. `alpha` is
    None where the manifest leaves it to the platform's confidence.
    """

    baseline: float | None = None
    effect: float | None = None
    daily_traffic: float | None = None
    alpha: float | None = None
    power: float = DEFAULT_POWER
    audience: str = ""
