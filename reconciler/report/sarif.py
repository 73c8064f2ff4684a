"""Findings of `validate` and `drift` as SARIF 2.1.0, so that they land on the lines of a pull request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

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


def validate_sarif(diagnostics: Sequence[Diagnostic], folder: str = "") -> str:
    """
    Give the log of a validation: one result for each diagnostic, with its rule, file, line and help.

    `folder` is the project's folder within the repository: files are named from the repository's root.
    """
    rules = {item.rule or _GENERAL: (item.hint, item.source) for item in diagnostics}
    results = [
        _result(
            item.rule or _GENERAL,
            "error" if item.severity is Severity.ERROR else "warning",
            clean(item.message) + (f"\n{clean(item.hint)}" if item.hint else ""),
            item.location,
            (item.rule, item.path, item.message),
            folder,
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


def drift_sarif(report: DriftReport, desired: Mapping[Key, Desired], project_file: str, folder: str = "") -> str:
    """
    Give the log of a drift run: each result stands at the manifest's line of what moved.

    `folder` is the project's folder within the repository: files are named from the repository's root.
    """
    described = [
        {"id": f"drift/{word}", "shortDescription": {"text": text}, "help": {"text": "reconciler drift"}}
        for word, text in _DRIFT.items()
    ]
    results = [result for item in report.drift for result in _moved(item, desired.get(item.key), project_file, folder)]
    results += [
        _result("drift/unknown", "error", clean(problem), Location(project_file), ("unknown", problem), folder)
        for problem in report.problems
    ]
    described.append({"id": "drift/unknown", "shortDescription": {"text": "An experiment could not be read"}})
    return _log(described, results)


def _moved(item: Drift, wanted: Desired | None, project_file: str, folder: str) -> Iterable[dict[str, Any]]:
    place = wanted.location if wanted else Location(project_file)
    rule = f"drift/{item.kind.value}"
    if not item.fields:
        message = f"{item.key}: {clean(item.remote_id)} is gone from {item.platform}"
        yield _result(rule, "error", message, place, (str(item.key), rule), folder)
    for field in item.fields:
        at = wanted.locate(steps(field.path)) if wanted else place
        message = f"{item.key}: {clean(field.path)} was applied as {short(field.applied)} and is {short(field.live)}"
        yield _result(rule, "warning", message, at if at.line else place, (str(item.key), rule, field.path), folder)


def _result(
    rule: str, level: str, message: str, place: Location | None, identity: Sequence[str], folder: str = ""
) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join((*identity, place.file if place else "")).encode(errors="replace")).hexdigest()
    result: dict[str, Any] = {
        "ruleId": rule,
        "level": level,
        "message": {"text": _unlinked(message)},
        "partialFingerprints": {"reconciler/v1": digest},
    }
    if place is not None and place.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file, folder), "uriBaseId": "%SRCROOT%"}}
        if place.line:
            physical["region"] = {"startLine": place.line, "startColumn": max(place.column, 1)}
        result["locations"] = [{"physicalLocation": physical}]
    return result


def _unlinked(message: str) -> str:
    """Give a message in which `[text](address)` is no link (SARIF 2.1.0, 3.11.6), each of its lines made clean."""
    return "\n".join(clean(line) for line in message.split("\n")).replace("](", "] (")


def _uri(file: str, folder: str) -> str:
    """Give a file as the relative reference that SARIF asks for (3.4.3): its spaces and the like percent-encoded."""
    return quote((PurePosixPath(folder) / file).as_posix(), safe="/~", errors="replace")


def _log(rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> str:
    kept = list(results[:MOST])
    if len(results) > MOST:
        kept[-1] = _result(kept[-1]["ruleId"], "warning", f"{len(results) - MOST + 1} more results", None, ("more",))
    driver = {"name": "reconciler", "rules": list(rules)}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": kept}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"
