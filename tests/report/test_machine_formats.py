"""Drift and validation for programs: JUnit and SARIF, and hostile text in each form."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

import pytest

from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.junit import drift_junit
from reconciler.report.sarif import MOST, drift_sarif, validate_sarif

HOSTILE = "]]><b>\x1b[31m\x00|`@team #1 <script>alert(1)</script>"
EDITED, GONE, QUIET = (Key("XAdsABTest", name) for name in ("edited", "gone", "quiet"))
PLACE = Location("experiments/x.yaml", 7, 9)
WANTED = Desired(
    EDITED, "x-ads", "x", {"name": "a"}, location=Location("experiments/x.yaml", 4), locate=lambda path: PLACE
)


def report() -> DriftReport:
    field = FieldDrift("user_groups[0].name", "a", HOSTILE)
    return DriftReport(
        drift=(
            Drift(EDITED, "x-ads", "x", "hr7l0", DriftKind.EDITED, "LIVE", (field,)),
            Drift(GONE, "x-ads", "x", "hr7l1", DriftKind.MISSING, None),
        ),
        progress=(
            Drift(QUIET, "x-ads", "x", "q", DriftKind.PROGRESS, "LIVE", (FieldDrift("status", "SCHEDULED", "LIVE"),)),
        ),
        problems=(f"x: {HOSTILE}",),
        checked=3,
        keys=(EDITED, GONE, QUIET),
    )


def test_junit_has_a_case_for_each_experiment_and_problem() -> None:
    suite = Xml.fromstring(drift_junit(report()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    cases = {case.get("name"): case for case in suite}
    assert cases["edited"].find("failure") is not None and cases["gone"].find("failure") is not None
    assert cases["quiet"].find("failure") is None
    said = cases["quiet"].find("system-out")
    assert said is not None and "SCHEDULED" in (said.text or "")
    assert all(len(case.findall(".//b")) == 0 for case in suite)


def test_sarif_of_drift_points_at_the_line_of_the_field() -> None:
    (run,) = json.loads(drift_sarif(report(), {EDITED: WANTED}, "reconciler.yaml"))["runs"]
    first, second, third = run["results"]
    assert first["ruleId"] == "drift/edited"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == PLACE.file
    assert place["region"] == {"startLine": 7, "startColumn": 9}
    assert second["ruleId"] == "drift/missing" and third["ruleId"] == "drift/unknown"
    ids = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= ids


def test_sarif_of_a_validation_and_its_stable_fingerprints() -> None:
    found = [Diagnostic(Severity.ERROR, PLACE, "weights add up to 101", "LIN004", "spec.cells", "change one", "seed")]
    (run,) = json.loads(validate_sarif(found))["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("LIN004", "error")
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == "seed"
    moved = [
        Diagnostic(Severity.ERROR, Location(PLACE.file, 70, 1), *("weights add up to 101", "LIN004", "spec.cells"))
    ]
    again = json.loads(validate_sarif(moved))["runs"][0]["results"][0]
    assert again["partialFingerprints"] == result["partialFingerprints"], "a line further down is the same finding"


def test_sarif_stays_below_the_limit_of_results() -> None:
    many = [Diagnostic(Severity.WARNING, PLACE, str(number)) for number in range(MOST + 10)]
    results = json.loads(validate_sarif(many))["runs"][0]["results"]
    assert len(results) == MOST and "11 more results" in results[-1]["message"]["text"]


@pytest.mark.parametrize("raw", ["<script>", "\x1b", "\x00"])
def test_hostile_text_stays_text(raw: str) -> None:
    assert raw not in drift_markdown(report(), {EDITED: WANTED})
    assert raw not in drift_junit(report())
