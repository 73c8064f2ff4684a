"""
Results of an experiment: made-up numbers, the same for the same experiment and day, in the page's exact shape.

Source: "Get Experiment Results" and "Find Experiments Results" of the page; that the first result comes two days
after the start and may move for seven days after the end is LinkedIn's help centre (a525922).
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any

from reconciler.emulator.linkedin.schema import urn_id
from reconciler.emulator.world import Row

DAY_MS = 86_400_000
FIRST_RESULT_MS = 2 * DAY_MS
SETTLING_MS = 7 * DAY_MS
_TYPICAL_COST = {"CPC": 5.0, "CPM": 32.0, "CPV": 0.12, "CPMS": 0.6}


def result(row: Row, now_ms: int) -> dict[str, Any] | None:
    """
    Give the AdExperimentResult as of the last midnight UTC, or None while there is none yet.

    `pValue` and `winner` are there only when 1 - pValue reaches the experiment's confidence.
    """
    started = row.get("_startedAt")
    if started is None or now_ms < started + FIRST_RESULT_MS:
        return None
    cutoff = min(now_ms, row.get("endedAt", now_ms) + SETTLING_MS) // DAY_MS * DAY_MS
    day = datetime.fromtimestamp(cutoff / 1000, UTC)
    days = max(1.0, (cutoff - started) / DAY_MS)
    effect, leader = _truth(row)
    spread = 0.5 / math.sqrt(days)
    p_value = round(min(1.0, math.exp(-effect / spread * 4)), 2)
    cost = _TYPICAL_COST[row["keyMetric"]]
    body: dict[str, Any] = {
        "experimentId": row["id"],
        "generatedOn": {"day": day.day, "month": day.month, "year": day.year},
        "minimumDetectableEffect": round(spread, 2),
        "cellResults": [],
    }
    for number, cell in enumerate(row["cells"]):
        mean = cost * (1 - effect if number == leader else 1.0)
        half = cost * spread * 50 / max(1, cell["trafficWeight"])
        bounds = {"lowerBound": round(max(0.01, mean - half), 2), "upperBound": round(mean + half, 2)}
        body["cellResults"].append({"cell": cell_urn(row, number), "confidenceInterval": bounds})
    if round((1 - p_value) * 100) >= row["confidence"]:
        body |= {"pValue": p_value, "winner": cell_urn(row, leader)}
    return body


def has_winner(row: Row, now_ms: int) -> bool:
    """Tell whether the experiment has a winner by now."""
    found = result(row, now_ms)
    return found is not None and "winner" in found


def cell_urn(row: Row, number: int) -> str:
    """Give the URN of a cell in the long form which the page defines."""
    campaign = urn_id("sponsoredCampaign", row["cells"][number]["reference"]["campaign"])
    return f"urn:li:adExperimentCell:(urn:li:sponsoredCampaign:{campaign},{row['id']})"


def _truth(row: Row) -> tuple[float, int]:
    """
    Give the real relative effect (0 to 0.3) and the better cell: `_effect` and `_leader` of the row, or from its id.

    About a third of all ids has no effect worth the name, so that some tests never find a winner.
    """
    digest = hashlib.sha256(str(row["id"]).encode()).digest()
    made_up = 0.01 if digest[0] < 85 else 0.05 + digest[1] / 1024
    return float(row.get("_effect", made_up)), int(row.get("_leader", digest[2] % 2))
