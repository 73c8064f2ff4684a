"""What `explain` says: golden texts, found topics, near words, and that it is the planner's own table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli.commands_page import PAGE, commands_page
from reconciler.cli.main import cli
from reconciler.errors import UsageProblem
from reconciler.model.change import FieldChange
from reconciler.model.diagnostic import dotted
from reconciler.model.kind import Verdict, template
from reconciler.model.resource import Desired, Key, Live
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS, kind_by_name
from reconciler.policy.page import PAGE as POLICIES
from reconciler.policy.page import policies_page
from reconciler.report.explain import explain_text
from reconciler.report.explain_json import explain_json
from reconciler.report.moves import births_of, lifecycle_values, moves_of
from reconciler.report.reference import page_name, reference_pages
from reconciler.report.rule_fields import EVERY, RULE_FIELDS, rules_of
from reconciler.report.source_pages import pages_of
from reconciler.report.style import ANSI
from reconciler.report.topics import Envelope, EveryKind, OneField, OneKind, OneRule, look_up, names_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ALL = [pytest.param(kind, id=kind.name) for kind in KINDS]


def text(question: str) -> str:
    """Give the text of an answer."""
    return explain_text(look_up(question, KINDS))


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("explain_linkedin_field", "LinkedInExperiment.scheduledEndAt"),
        ("explain_linkedin_state", "LinkedInExperiment.userIntendedState"),
        ("explain_x_field", "XAdsABTest.user_groups.size"),
        ("explain_salesforce_field", "SalesforceExperiment.cohorts.allocationWeight"),
        ("explain_salesforce_state", "SalesforceExperiment.state"),
        ("explain_kind", "XAdsABTest"),
        ("explain_kinds", ""),
        ("explain_rule", "LIN007"),
    ],
)
def test_text_is_the_golden_one(golden: Callable[[str, str], None], name: str, question: str) -> None:
    golden(name, text(question))


def test_every_name_has_an_answer_in_text_and_json() -> None:
    for name in names_of(KINDS):
        topic = look_up(name, KINDS)
        shown = explain_text(topic)
        assert shown.endswith("\n"), name
        assert max(map(len, shown.splitlines())) <= 160, name
        json.dumps(explain_json(topic))


def test_colours_only_add_to_the_text() -> None:
    for question in ("", "LinkedInExperiment", "LinkedInExperiment.userIntendedState", "LIN006", "lifecycle"):
        coloured = explain_text(look_up(question, KINDS), ANSI)
        plain = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()]
        assert plain == text(question).splitlines(), question
        assert coloured != text(question)


# --- finding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    ["user_groups.size", "user_groups[].size", "user_groups[0].size", "spec.user_groups[12].size", ".user_groups.size"],
)
def test_a_field_is_found_however_its_list_is_written(question: str) -> None:
    found = look_up(f"XAdsABTest.{question}".replace("..", "."), KINDS)
    assert isinstance(found, OneField)
    assert found.path == "user_groups[].size"


def test_a_step_on_the_way_lists_what_is_below() -> None:
    found = look_up("LinkedInExperiment.cells.reference", KINDS)
    assert isinstance(found, OneField)
    assert found.field is None
    assert [row.path for row in found.inside] == ["cells[].reference.campaign"]
    listed = look_up("LinkedInExperiment.cells", KINDS)
    assert isinstance(listed, OneField)
    assert listed.field is not None
    assert "cells[].trafficWeight" in [row.path for row in listed.inside]


def test_what_else_can_be_asked() -> None:
    assert isinstance(look_up("", KINDS), EveryKind)
    assert isinstance(look_up("SalesforceExperiment", KINDS), OneKind)
    assert isinstance(look_up("lin007", KINDS), OneRule)
    for question in ("metadata", "LinkedInExperiment.lifecycle", "lifecycle.onRemoval"):
        assert isinstance(look_up(question, KINDS), Envelope)
    name = look_up("LinkedInExperiment.name", KINDS)
    assert isinstance(name, OneField), "the spec's own name, not metadata.name"
    assert "abandon" in text("lifecycle.onRemoval")


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("LinkedinExperiment", "did you mean LinkedInExperiment?"),
        ("XAdsAbTests", "XAdsABTest"),
        ("LinkedInExperiment.cells.trafficweight", "LinkedInExperiment.cells[].trafficWeight"),
        ("LinkedInExperiment.confidance", "LinkedInExperiment.confidence"),
        ("XAdsABTest.size", "XAdsABTest.user_groups[].size"),
        ("XAdsABTest.zzzz", "XAdsABTest.account_id"),
        ("SalesforceExperiment.criteria.deep", "SalesforceExperiment"),
        ("LIN099", "LIN001 to LIN029"),
        ("metadata.nam", "metadata.name"),
        ("zzzz", "LinkedInExperiment, XAdsABTest, SalesforceExperiment"),
        ("\x1b[31mred", "LinkedInExperiment"),
    ],
)
def test_an_unknown_word_is_answered_with_near_ones(question: str, near: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        look_up(question, KINDS)
    assert near in str(caught.value)
    assert "\x1b" not in str(caught.value)


# --- the same table as the planner's -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_cells_are_what_the_planner_decides_by(kind: Kind) -> None:
    for row in kind.fields:
        if row.path == kind.lifecycle_field:
            continue
        shown = explain_json(look_up(f"{kind.name}.{row.path}", KINDS))["change"]
        for cell in shown:
            live = Live("1", cell["status"], {})
            decided = kind.verdict(FieldChange(row.path.replace("[]", "[0]"), "a", "b"), live, {})
            assert (cell["verdict"], cell["evidence"]) == (decided.verdict.value, decided.evidence.value), row.path


@pytest.mark.parametrize("kind", ALL)
def test_transitions_are_complete(kind: Kind) -> None:
    """Whatever the planner allows stands in a row, and no row claims what it does not."""
    field, values = kind.lifecycle_field, lifecycle_values(kind)
    rows = moves_of(kind)
    assert bool(rows) == bool(field)
    for status in kind.statuses if field else ():
        for now in (status,) if status in values else values:
            for wanted in values:
                if wanted == now:
                    continue
                cell = kind.verdict(FieldChange(str(field), now, wanted), Live("1", status, {str(field): now}), {})
                told = [
                    row.cell.verdict
                    for row in rows
                    if status in row.statuses and wanted in row.wanted and (not row.currents or now in row.currents)
                ]
                assert set(told) <= {cell.verdict}, (status, now, wanted)
                assert told or cell.verdict is Verdict.NEVER, (status, now, wanted)


def test_creation_states() -> None:
    allowed = {kind.name: [item.wanted for item in births_of(kind) if item.allowed] for kind in KINDS}
    assert allowed == {
        "LinkedInExperiment": ["DRAFT", "ACTIVE"],
        "XAdsABTest": [],
        "SalesforceExperiment": ["Created", "Started"],
    }


# --- rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_every_rule_names_fields_that_exist(kind: Kind) -> None:
    paths = {row.path for row in kind.fields}
    for rule in kind.rules:
        named = RULE_FIELDS[rule.id]
        assert named, rule.id
        assert all(path == EVERY or path in paths for path in named), rule.id


BAD: dict[str, list[dict[str, Any]]] = {
    "LinkedInExperiment": [
        {
            "name": "ü" * 99,
            "confidence": 60,
            "scheduledStartAt": "2026-12-01T00:00:00Z",
            "scheduledEndAt": end,
            "cells": [{"name": "a", "trafficWeight": 60, "reference": {"campaign": "urn:li:sponsoredCampaign:1"}}] * 2,
        }
        for end in ("2026-11-01T00:00:00Z", "2027-12-01T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-17T00:00:00Z")
    ],
    "XAdsABTest": [
        {
            "entity_type": "LINE_ITEM",
            "start_time": "2026-12-01T00:30:00Z",
            "end_time": end,
            "user_groups": [{"size": "10.00", "entity_ids": ["a", "b", "b"]}, {"size": "20.00", "entity_ids": ["a"]}]
            * 3,
        }
        for end in ("2026-11-01T00:00:00Z", "2026-12-01T03:00:00Z", "2026-12-03T00:00:00Z")
    ],
    "SalesforceExperiment": [
        {
            "name": "bad name!",
            "label": "",
            "description": "x" * 300,
            "dataSpaceName": "one",
            "schemaName": "two_schema",
            "schemaEnum": "FlowPath",
            "source": "FlowBuilder",
            "chanceToWinThreshold": 20,
            "minimumRequiredParticipants": 1,
            "minimumDurationInMinutes": 90,
            "maximumDurationInMinutes": 70,
            "scheduleFrequencyInMinutes": 1,
            "winnerSelectionMode": "Automatic",
            "cohorts": [
                {
                    "name": "a",
                    "label": "A",
                    "isControl": False,
                    "isFallThrough": True,
                    "allocationWeight": 20000,
                    "personalizerName": "p",
                    "attributeValues": [{"attributeName": "x", "value": "1"}, {"attributeName": "x", "value": "2"}],
                }
            ]
            * 11,
            "primaryMetrics": [{"metricType": "Odd", "metricName": "m", "overallScoreWeight": 1}] * 2,
            "parameters": [{"engagementSignalName": "e", "parameterName": "p", "values": ["1"]}] * 2,
        }
    ],
}


@pytest.mark.parametrize("kind", ALL)
def test_findings_stand_at_a_field_that_their_rule_speaks_of(kind: Kind) -> None:
    seen = set()
    for spec in BAD[kind.name]:
        desired = Desired(Key(kind.name, "bad"), kind.platform, "c", spec)
        for finding in kind.check(desired):
            seen.add(finding.rule.id)
            where = re.sub(r"\[\]$", "", template(dotted(finding.path)))
            named = [path.removesuffix("[]") for path in RULE_FIELDS[finding.rule.id]]
            near = [path for path in named if path == where or path.startswith(f"{where}[") or where.startswith(path)]
            assert near, (finding.rule.id, where, named)
    assert len(seen) >= 7, sorted(seen)


def test_rules_of_a_field() -> None:
    ids = [rule.id for rule in rules_of(kind_by_name("XAdsABTest"), "user_groups[].size")]
    assert ids == ["XAD001", "XAD006", "XAD014"]
    assert "XAD001" in [rule.id for rule in rules_of(kind_by_name("XAdsABTest"), "user_groups[]")]


@pytest.mark.parametrize("kind", ALL)
def test_every_mark_of_a_source_is_resolved(kind: Kind) -> None:
    sources = [*(row.source for row in kind.fields), *(rule.source for rule in kind.rules)]
    used = {mark for source in sources for mark in re.findall(r"\bD\d+\b", source)}
    assert used <= dict(pages_of(kind, sources)).keys()
    assert bool(used) == (kind.name == "SalesforceExperiment")


# --- the reference -------------------------------------------------------------------------------------------------


def test_the_committed_reference_is_current() -> None:
    pages = {**reference_pages(KINDS), PAGE: commands_page(), POLICIES: policies_page()}
    assert {path.name for path in REFERENCE.glob("*.md")} == set(pages)
    for name, page in pages.items():
        assert (REFERENCE / name).read_text("utf-8") == page, f"{name}: run reconciler explain --out docs/reference"


def test_every_command_and_option_is_in_the_reference() -> None:
    page = commands_page()
    context = click.Context(cli, info_name="reconciler")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None and f"\n## `reconciler {name}" in page
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(word in page for word in option.opts), (name, option.opts)


def test_reference_tables_have_as_many_cells_as_their_header() -> None:
    for name, page in reference_pages(KINDS).items():
        width = 0
        for line in page.splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line))
            width = cells if line.startswith("|") and (not width or line.startswith("|---")) else width
            if not line.startswith("|"):
                width = 0
            else:
                assert cells == width, f"{name}: {line}"


@pytest.mark.parametrize("kind", ALL)
def test_a_page_has_everything_of_its_kind(kind: Kind) -> None:
    page = reference_pages(KINDS)[page_name(kind)]
    for row in kind.fields:
        tables = 2 if row.path == kind.lifecycle_field else 3
        header = page.count(f"\n| `{row.path}` | Wanted |") + page.count(f"\n| `{row.path}` | Now |")
        assert page.count(f"\n| `{row.path}` |") == tables + header, row.path
    for rule in kind.rules:
        assert f"\n| {rule.id} | {rule.severity.value} |" in page
    for status in kind.statuses:
        assert f" {status} |" in page
    assert ("## Transitions" in page) == bool(kind.lifecycle_field)
