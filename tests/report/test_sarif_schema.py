"""Our SARIF against the official schema of OASIS, which stands in vendor/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift
from reconciler.report.sarif import drift_sarif, validate_sarif

SCHEMA = json.loads((Path(__file__).parent / "vendor" / "sarif-schema-2.1.0.json").read_text())
CHECK = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
HOSTILE = "]]><b>\x1b[31m\x00|`@team #1 {0} <script>\U0001f600‮"
FILES = ("experiments/x.yaml", "a b/ü%20{x}.yaml", "")
KEY = Key("XAdsABTest", "a")
WANTED = Desired(KEY, "x-ads", "x", {}, location=Location(FILES[1], 1), locate=lambda path: Location(FILES[1], 3, 1))

FOUND = [
    Diagnostic(severity, Location(file, line, column) if file else None, HOSTILE, rule, hint=HOSTILE)
    for severity in Severity
    for rule in ("yaml/syntax", "X001", "")
    for file in FILES
    for line, column in ((0, 0), (1, 0), (7, 9))
]
DRIFT = [
    Drift(KEY, "x-ads", "x", "hr7l0", kind, status, (FieldDrift("name", HOSTILE, value),))
    for kind in DriftKind
    for status in ("LIVE", None)
    for value in (None, HOSTILE, 1, [{"a": HOSTILE}])
]
REPORTS = {
    "validate nothing": lambda: validate_sarif([]),
    "validate everything": lambda: validate_sarif(FOUND),
    "drift nothing": lambda: drift_sarif(DriftReport(()), {}, "reconciler.yaml"),
    "drift everything": lambda: drift_sarif(
        DriftReport(tuple(DRIFT), tuple(DRIFT), problems=(HOSTILE,), checked=3), {KEY: WANTED}, "reconciler.yaml"
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_is_valid(name: str) -> None:
    log = json.loads(REPORTS[name]())
    assert [f"{error.json_path}: {error.message}" for error in CHECK.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"].get("rules", [])
    for result in run["results"]:  # what the schema cannot say (3.27.6 and 3.27.7 of the standard)
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert ("nothing" in name) == (run["results"] == [])


def test_the_schema_finds_something() -> None:
    log: dict[str, Any] = json.loads(REPORTS["validate everything"]())
    log["runs"][0]["results"][0]["level"] = "bad"
    assert [error.json_path for error in CHECK.iter_errors(log)] == ["$.runs[0].results[0].level"]
