"""Outcomes to report, and LinkedIn's sample answers as its page shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from reconciler.model.resource import Key, Live
from reconciler.platforms.outcomes import (
    Arm,
    Conclusion,
    ExperimentResult,
    Fact,
    Interval,
    ResultsReport,
    Statistics,
    Subject,
)
from reconciler.platforms.session import ConnectionSettings

START = datetime(2018, 11, 20, tzinfo=UTC)
END = datetime(2018, 12, 20, tzinfo=UTC)
NOW = datetime(2018, 12, 12, 9, tzinfo=UTC)
LATER = datetime(2018, 12, 27, tzinfo=UTC)
"""Seven days after the end, to the second."""

SETTINGS = ConnectionSettings(
    "linkedin", "linkedin", "https://api.linkedin.com", "202609", auth={"access_token": "very-secret-token"}
)

PAGE_RESULT: dict[str, Any] = {
    "experimentId": 123,
    "generatedOn": {"day": 12, "month": 12, "year": 2018},
    "pValue": 0.05,
    "minimumDetectableEffect": 0.09,
    "winner": "urn:li:adExperimentCell:(urn:li:sponsoredCampaign:1234,123)",
    "cellResults": [
        {
            "cell": "urn:li:adExperimentCell:(urn:li:sponsoredCampaign:1234,123)",
            "confidenceInterval": {"upperBound": 5.62, "lowerBound": 4.39},
        },
        {
            "cell": "urn:li:adExperimentCell:(urn:li:sponsoredCampaign:5678,123)",
            "confidenceInterval": {"upperBound": 8.76, "lowerBound": 5.23},
        },
    ],
}
"""The page's sample of a single result."""
PAGE_SHORT_URNS: dict[str, Any] = {
    "winner": "urn:li:adExperimentCell:(7928534,234",
    "generatedOn": {"month": 6, "year": 2019, "day": 21},
    "cellResults": [
        {
            "confidenceInterval": {"upperBound": 3.5, "lowerBound": 2.2},
            "cell": "urn:li:adExperimentCell:(9015782,234)",
        },
        {
            "confidenceInterval": {"upperBound": 2.7, "lowerBound": 1.6},
            "cell": "urn:li:adExperimentCell:(7928534,234)",
        },
    ],
    "pValue": 0.06,
    "minimumDetectableEffect": 0.12,
    "experimentId": 234,
}
"""The second element of the page's sample of the finder: short URNs, one without its closing parenthesis."""


def live(remote_id: str = "123", campaigns: tuple[int, int] = (1234, 5678), **extra: Any) -> Live:
    """Give a live experiment of LinkedIn with two cells."""
    cells = [
        {"name": name, "trafficWeight": 50, "reference": {"campaign": f"urn:li:sponsoredCampaign:{campaign}"}}
        for name, campaign in zip(("control", "test"), campaigns, strict=True)
    ]
    spec = {"name": "Headline", "keyMetric": "CPC", "confidence": 90, "cells": cells}
    return Live(remote_id, "RUNNING", spec, name="Headline", start=START, end=END, extra=extra)


def subject(**more: Any) -> Subject:
    """Give that experiment as it is asked about."""
    return Subject(Key("LinkedInExperiment", "headline-test"), live(**more))


def without(body: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """Give an answer without some of its keys and with others."""
    return {**{name: value for name, value in body.items() if name not in names}, **more}


HOSTILE = "\x1b[31m| a | `x` <script>alert(1)</script> @octo-team #12 [l](http://evil.example)\n\u202e<!-- **b** -->"


def report() -> ResultsReport:
    """Give a report in which every conclusion and every odd thing occurs once."""

    def result(kind: str, its: str, conclusion: Conclusion, platform: str, **more: Any) -> ExperimentResult:
        known: dict[str, Any] = {"remote_id": f"id-{its}", "connection": platform, **more}
        return ExperimentResult(key=Key(kind, its), platform=platform, conclusion=conclusion, **known)

    figures: dict[str, Any] = {
        "metric": "CPC",
        "confidence": 90,
        "generated_on": date(2018, 12, 12),
        "settles_at": LATER,
    }
    cells: dict[str, Any] = {
        "arm_word": "cell",
        "entity_word": "campaign",
        "start": START,
        "end": END,
        "status": "RUNNING",
    }
    results = (
        result(
            "LinkedInExperiment",
            "ahead",
            Conclusion.WINNER,
            "linkedin",
            name="Headline",
            statistics=Statistics(p_value=0.05, minimum_detectable_effect=0.09, preliminary=True, **figures),
            arms=(
                Arm("control", ("1234",), "50", winner=True, interval=Interval(4.39, 5.62)),
                Arm("a name that is far too long to stand in a column", ("5678",), "50", interval=Interval(5.23, 8.76)),
            ),
            notes=("preliminary: the figures may move",),
            **cells,
        ),
        result(
            "LinkedInExperiment",
            "alike",
            Conclusion.NO_DIFFERENCE,
            "linkedin",
            statistics=Statistics(minimum_detectable_effect=0.02, **figures),
            arms=(
                Arm("見出し一", ("1",), "60", interval=Interval(0.11, 0.12)),
                Arm("b", ("2",), "40", interval=Interval(0.115, 0.115)),
                Arm("", ("3",)),
            ),
            **cells,
        ),
        result("LinkedInExperiment", "early", Conclusion.NOT_READY, "linkedin", notes=("in two days",), **cells),
        result("LinkedInExperiment", "gone", Conclusion.GONE, "linkedin", notes=("EXPERIMENT_NOT_FOUND",)),
        result(
            "LinkedInExperiment",
            "hostile",
            Conclusion.NO_WINNER,
            "linkedin",
            name=HOSTILE,
            statistics=Statistics(minimum_detectable_effect=0.25, **figures),
            arms=(Arm(HOSTILE, ("4",), "50"), Arm("b|c", ("5",), "50")),
            notes=(HOSTILE,),
            **cells,
        ),
        result("LinkedInExperiment", "lost", Conclusion.UNKNOWN, "linkedin", problem="HTTP 500: try | again"),
        result("LinkedInExperiment", "new", Conclusion.NOT_CREATED, "linkedin", remote_id="", notes=("apply",)),
        result(
            "XAdsABTest",
            "elsewhere",
            Conclusion.NOT_SHOWN,
            "x-ads",
            status="LIVE",
            arm_word="group",
            entity_word="line item",
            arms=(Arm("group 1", ("a1", "a2", "a3", "a4", "a5"), "40.00"), Arm("g2", ("b1",), "60.00", control=True)),
            facts=(Fact("analytics", "analytics", "GET /12/stats?a_b=1&c"), Fact("none", "left out", None)),
        ),
    )
    return ResultsReport(results, NOW, "staging")
