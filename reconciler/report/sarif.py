"""Findings of `validate` and `drift` as SARIF 2.1.0, so that they land on the lines of a pull request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftReport
from reconciler.report.annotations import steps
from reconciler.report.clean import clean, short

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 25_000
"""Results that a run may hold; more are counted in a last one."""
_GENERAL = "GENERAL"
_DRIFT = {
    "edited": "A field was edited outside of this tool",
    "state": "The lifecycle was moved by hand",
    "missing": "The experiment is gone from its platform",
}


def validate_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Give the log of a validation: one result for each diagnostic, with its rule, file, line and help."""
    rules = {item.rule or _GENERAL: (item.hint, item.source) for item in diagnostics}
    results = [
        _result(
            item.rule or _GENERAL,
            "error" if item.severity is Severity.ERROR else "warning",
            clean(item.message) + (f"\n{clean(item.hint)}" if item.hint else ""),
            item.location,
            (item.rule, item.path, item.message),
        )
        for item in diagnostics
    ]
    described = [
        {
            "id": rule,
            "shortDescription": {"text": clean(hint) or "A manifest or the project file is wrong"},
            "help": {"text": clean(source) or "reconciler validate"},
        }
        for rule, (hint, source) in sorted(rules.items())
    ]
    return _log(described, results)


def drift_sarif(report: DriftReport, desired: Mapping[Key, Desired], project_file: str) -> str:
    """Give the log of a drift run: each result stands at the manifest's line of what moved."""
    described = [
        {"id": f"drift/{word}", "shortDescription": {"text": text}, "help": {"text": "reconciler drift"}}
        for word, text in _DRIFT.items()
    ]
    results = [result for item in report.drift for result in _moved(item, desired.get(item.key), project_file)]
    results += [
        _result("drift/unknown", "error", clean(problem), Location(project_file), ("unknown", problem))
        for problem in report.problems
    ]
    described.append({"id": "drift/unknown", "shortDescription": {"text": "An experiment could not be read"}})
    return _log(described, results)


def _moved(item: Drift, wanted: Desired | None, project_file: str) -> Iterable[dict[str, Any]]:
    place = wanted.location if wanted else Location(project_file)
    rule = f"drift/{item.kind.value}"
    if not item.fields:
        message = f"{item.key}: {clean(item.remote_id)} is gone from {item.platform}"
        yield _result(rule, "error", message, place, (str(item.key), rule))
    for field in item.fields:
        at = wanted.locate(steps(field.path)) if wanted else place
        message = f"{item.key}: {clean(field.path)} was applied as {short(field.applied)} and is {short(field.live)}"
        yield _result(rule, "warning", message, at if at.line else place, (str(item.key), rule, field.path))


def _result(rule: str, level: str, message: str, place: Location | None, identity: Sequence[str]) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join((*identity, place.file if place else "")).encode()).hexdigest()
    result: dict[str, Any] = {
        "ruleId": rule,
        "level": level,
        "message": {"text": message},
        "partialFingerprints": {"reconciler/v1": digest},
    }
    if place is not None and place.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": place.file, "uriBaseId": "%SRCROOT%"}}
        if place.line:
            physical["region"] = {"startLine": place.line, "startColumn": max(place.column, 1)}
        result["locations"] = [{"physicalLocation": physical}]
    return result


def _log(rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> str:
    kept = list(results[:MOST])
    if len(results) > MOST:
        kept[-1] = _result(kept[-1]["ruleId"], "warning", f"{len(results) - MOST + 1} more results", None, ("more",))
    driver = {"name": "reconciler", "rules": list(rules)}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": kept}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"
