"""Every format, with a plan of every action and a drift report of every kind, as files to read in review."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
import report_cases as cases

from reconciler.model.change import Action
from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import DriftKind
from reconciler.plan.saved import dumps
from reconciler.plan.schedules import Schedule, Window
from reconciler.report.annotations import drift_annotations, plan_annotations, validate_annotations
from reconciler.report.clean import clean_json
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.github import workflow_commands
from reconciler.report.html import drift_html, plan_html
from reconciler.report.json import drift_to_json
from reconciler.report.junit import drift_junit
from reconciler.report.plan_markdown import plan_markdown
from reconciler.report.sarif import drift_sarif, validate_sarif

SCHEMAS = Path(__file__).parents[2] / "schemas"


def desired() -> dict[Key, Desired]:
    """Give manifests for two of the experiments: one with labels, one in a file whose name needs care."""
    spring, gone = Key("LinkedInExperiment", "spring-sale"), Key("XAdsABTest", "creative")
    line = Location("experiments/spring.yaml", 12, 5)
    return {
        spring: Desired(
            spring,
            "linkedin",
            "linkedin",
            {
                "account": "urn:li:sponsoredAccount:512",
                "cells": [{"reference": {"campaign": "urn:li:sponsoredCampaign:1"}}],
            },
            labels={"team": "growth", "owner": "@lee"},
            location=Location("experiments/spring.yaml", 3, 1),
            locate=lambda path: line,
        ),
        gone: Desired(gone, "x-ads", "x", {}, location=Location("experiments/100% new/créative.yaml", 2, 1)),
    }


def diagnostics() -> list[Diagnostic]:
    """Give an error with all it can have, a warning with little, and one about no file."""
    return [
        Diagnostic(
            Severity.ERROR,
            Location("experiments/spring.yaml", 12, 5),
            "the weights add up to 101, not to 100",
            "LIN004",
            "spec.cells",
            "take 1 off one of the cells",
            "https://learn.microsoft.com/en-us/linkedin/",
        ),
        Diagnostic(Severity.WARNING, Location("experiments/a b.yaml"), "it ends before it starts"),
        Diagnostic(Severity.ERROR, None, "connection x: see [here](https://evil.test)", "GENERAL"),
    ]


def windows() -> tuple[Schedule, ...]:
    """Give a window to every change of the plan."""
    made = cases.everything()
    found = []
    for change in made.changes:
        window = Window(cases.NOW, None)
        found.append(
            Schedule(
                change.key, str(change.key), change.platform, change.connection, "512", change.action, after=window
            )
        )
    return tuple(found)


def bare(page: str) -> str:
    """Give a page without its style, its script and the script's hash, which have no data in them."""
    page = re.sub(r"(?s)(<style>\n):root.*?(body:has|</style>)", r"\1…\n\2", page)
    return re.sub(r"sha256-[\w+/=]+", "sha256-…", re.sub(r"(?s)<script>.*?</script>", "<script>…</script>", page))


FORMATS: dict[str, Callable[[], str]] = {
    "plan_everything.json": lambda: clean_json(dumps(cases.everything())),
    "plan_everything.md": lambda: plan_markdown(cases.everything(), desired(), address="https://ci.example.org/run/1"),
    "plan_everything.html": lambda: bare(plan_html(cases.everything(), windows())),
    "plan_everything.github": lambda: workflow_commands(plan_annotations(cases.everything(), desired()), "ads"),
    "plan_empty.md": lambda: plan_markdown(cases.plan()),
    "plan_empty.html": lambda: bare(plan_html(cases.plan())),
    "drift.json": lambda: clean_json(json.dumps(drift_to_json(cases.drifted()), indent=2, ensure_ascii=False) + "\n"),
    "drift.md": lambda: drift_markdown(cases.drifted(), desired(), environment="prod"),
    "drift.html": lambda: bare(drift_html(cases.drifted(), cases.NOW, "prod")),
    "drift.junit.xml": lambda: drift_junit(cases.drifted()),
    "drift.sarif.json": lambda: drift_sarif(cases.drifted(), desired(), "reconciler.yaml", "ads"),
    "drift.github": lambda: workflow_commands(drift_annotations(cases.drifted(), desired()), "ads"),
    "validate.sarif.json": lambda: validate_sarif(diagnostics(), "ads"),
    "validate.github": lambda: workflow_commands(validate_annotations(diagnostics()), "ads"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_format(golden: Callable[[str, str], None], name: str) -> None:
    golden(name, FORMATS[name]())


def test_the_plan_has_every_action_and_the_report_every_kind() -> None:
    made = cases.everything()
    assert {change.action for change in (*made.changes, *made.bookkeeping)} == set(Action)
    report = cases.drifted()
    assert {item.kind for item in (*report.drift, *report.progress)} == set(DriftKind)


def test_the_json_plan_keeps_to_its_schema() -> None:
    schema = json.loads((SCHEMAS / "plan.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(FORMATS["plan_everything.json"]()))


def test_junit_is_well_formed_and_counts_right() -> None:
    suite = Xml.fromstring(FORMATS["drift.junit.xml"]())
    assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))
    assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("errors", "0")) == len(suite.findall("testcase/error"))


@pytest.mark.parametrize("name", ["drift.sarif.json", "validate.sarif.json"])
def test_sarif_names_files_from_the_root_as_references(name: str) -> None:
    (run,) = json.loads(FORMATS[name]())["runs"]
    places = [item["physicalLocation"] for result in run["results"] for item in result.get("locations", ())]
    uris = {place["artifactLocation"]["uri"] for place in places}
    assert uris and all(re.fullmatch(r"ads/[\w./~-]*(?:%[0-9A-F]{2}[\w./~-]*)*", uri) for uri in uris)
    assert all(place["region"]["startLine"] >= 1 for place in places if "region" in place)
    assert {result["ruleId"] for result in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert not re.search(r"\]\(", json.dumps([result["message"] for result in run["results"]])), "no links in messages"
