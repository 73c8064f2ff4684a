"""The JSON Schemas: current, draft-07, and of one mind with `validate`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.manifests import load_text
from reconciler.model.kind import top_level
from reconciler.platforms.registry import KINDS
from reconciler.schema import schemas, write_schemas

COMMITTED = Path(__file__).parent.parent / "schemas"

MANIFESTS = {
    "linkedin-experiment.json": """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata: {name: headline-test, connection: linkedin, labels: {team: growth}}
lifecycle:
  onImmutableChange: block
  onRemoval: end
  preventDestroy: false
  ignoreChanges: [description, "cells[0].name"]
spec:
  account: urn:li:sponsoredAccount:123
  name: A
  description: null
  keyMetric: CPC
  confidence: 90
  scheduledStartAt: 2026-12-01T09:00:00Z
  scheduledEndAt: 1798329600000
  autoStop: AUTO_STOP_DISABLED
  userIntendedState: ACTIVE
  cells:
    - {name: a, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:1"}}
    - {name: b, trafficWeight: 50, reference: {campaign: "urn:li:sponsoredCampaign:2"}, description: b}
""",
    "xads-ab-test.json": """\
apiVersion: reconciler/v1
kind: XAdsABTest
metadata: {name: a}
spec:
  account_id: 18ce54d4x5t
  entity_type: CAMPAIGN
  start_time: 2026-12-01T09:00:00Z
  end_time: 2026-12-20T09:00:00+01:00
  name: A
  user_groups: [{entity_ids: [8u94t], size: 33.33}, {entity_ids: ["1e5"], size: "66.67", name: b}]
""",
    "salesforce-experiment.json": """\
apiVersion: reconciler/v1
kind: SalesforceExperiment
metadata: {name: a}
lifecycle:
spec:
  name: Exp_1
  label: Exp
  dataSpaceName: default
  source: PersonalizationApp
  schemaEnum: DecisionDefined
  state: Started
  chanceToWinThreshold: 90.5
  criteria: {a: [1]}
  cohorts:
    - {name: control, label: Control, isControl: true}
    - {name: b, label: B, isControl: false, allocationWeight: 5000, attributeValues: [{attributeName: a, value: "1"}]}
""",
}

BAD: list[tuple[str, str, Any]] = [
    ("linkedin-experiment.json", "spec.confidence", "90"),
    ("linkedin-experiment.json", "spec.confidence", 100),
    ("linkedin-experiment.json", "spec.keyMetric", "CLICKS"),
    ("linkedin-experiment.json", "spec.nme", "x"),
    ("linkedin-experiment.json", "spec.cells", []),
    ("linkedin-experiment.json", "spec.scheduledStartAt", "2026-12-01T09:00:00"),
    ("linkedin-experiment.json", "kind", "LinkedinExperiment"),
    ("linkedin-experiment.json", "apiVersion", "v1"),
    ("linkedin-experiment.json", "metadata.name", "A_b"),
    ("linkedin-experiment.json", "metadata.name", "a" * 64),
    ("linkedin-experiment.json", "metadata.labels", {"a": 1}),
    ("linkedin-experiment.json", "metadata.conection", "a"),
    ("linkedin-experiment.json", "lifecycle.onRemoval", "keep"),
    ("linkedin-experiment.json", "lifecycle.ignoreChanges", ["descripton"]),
    ("linkedin-experiment.json", "extra", 1),
    ("linkedin-experiment.json", "spec", None),
    ("xads-ab-test.json", "spec.account_id", 12345),
    ("xads-ab-test.json", "spec.entity_type", "AD"),
    ("xads-ab-test.json", "spec.user_groups", [{"entity_ids": ["a"], "size": 50}]),
    ("xads-ab-test.json", "spec.user_groups", [{"entity_ids": ["a"], "size": "150"}] * 2),
    ("xads-ab-test.json", "spec.user_groups", [{"entity_ids": [100000.0], "size": 50}] * 2),
    ("salesforce-experiment.json", "spec.state", "Running"),
    ("salesforce-experiment.json", "spec.cohorts", [{"name": "a", "label": "a", "isControl": "yes"}]),
    ("salesforce-experiment.json", "spec.minimumRequiredParticipants", "300"),
]


def validator(name: str) -> jsonschema.Draft7Validator:
    schema = json.loads((COMMITTED / name).read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def value_of(name: str) -> Any:
    (document,) = load_text(MANIFESTS[name], name).documents
    return document.value


def test_the_committed_schemas_are_current(tmp_path: Path) -> None:
    written = write_schemas(tmp_path)
    assert sorted(path.name for path in COMMITTED.iterdir()) == sorted(path.name for path in written)
    for path in written:
        assert path.read_bytes() == (COMMITTED / path.name).read_bytes(), f"{path.name}: run `reconciler schema`"


@pytest.mark.parametrize("name", list(schemas()))
def test_they_are_draft_07(name: str) -> None:
    schema = schemas()[name]
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#" and schema["title"] and schema["description"]
    jsonschema.Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "$defs" not in text and "prefixItems" not in text

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert list(node) == ["$ref"], "draft-07 ignores what stands beside a reference"
                assert node["$ref"].removeprefix("#/definitions/") in schema["definitions"]
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(schema)


@pytest.mark.parametrize("name", list(MANIFESTS))
def test_good_manifests_are_accepted(name: str) -> None:
    for schema in (name, "manifest.json"):
        assert [error.message for error in validator(schema).iter_errors(value_of(name))] == []


@pytest.mark.parametrize(("name", "path", "value"), BAD, ids=[f"{path}={str(value)[:20]}" for _, path, value in BAD])
def test_bad_manifests_are_refused(name: str, path: str, value: Any) -> None:
    changed = copy.deepcopy(value_of(name))
    *parents, last = path.split(".")
    node = changed
    for step in parents:
        node = node[step]
    node[last] = value
    for schema in (name, "manifest.json"):
        assert not validator(schema).is_valid(changed)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_of_the_table_stands_in_the_schema_with_its_meaning(kind: Any) -> None:
    schema = next(s for s in schemas().values() if s["title"] == kind.name)
    spec = schema["properties"]["spec"]
    assert spec["additionalProperties"] is False
    tops = {top_level(row.path) for row in kind.fields}
    assert tops <= set(spec["properties"])
    text = json.dumps(schema, ensure_ascii=False)
    for row in kind.fields:
        if row.limits and not row.path.endswith("[]"):
            assert json.dumps(row.meaning, ensure_ascii=False)[1:-1].rstrip(".") in text, row.path


PROJECT: dict[str, Any] = {
    "version": 1,
    "manifests": ["experiments/**/*.yaml"],
    "connections": {
        "linkedin": {
            "platform": "linkedin",
            "base_url": "https://api.linkedin.com",
            "api_version": "202609",
            "accounts": ["urn:li:sponsoredAccount:123"],
            "auth": {"access_token": "${LINKEDIN_ACCESS_TOKEN}"},
        },
        "crm": {
            "platform": "salesforce",
            "base_url": "https://example.my.salesforce.com",
            "auth": {"client_id": "${SF_CLIENT_ID}", "client_secret": "${SF_CLIENT_SECRET}"},
        },
        "local": {"platform": "x-ads", "base_url": "http://127.0.0.1:8080/x-ads"},
    },
    "state": {"backend": "file", "path": ".reconciler/state.json"},
    "guards": {"maxDestroy": 5, "maxDestroyPercent": 30, "maxChangePercent": None},
}


def test_a_good_project_file_is_accepted() -> None:
    assert [error.message for error in validator("project.json").iter_errors(PROJECT)] == []
    assert validator("project.json").is_valid({"version": 1})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"manifest": []},
        {"state": {"backend": "s3"}},
        {"guards": {"maxDestroy": "5"}},
        {"connections": {"a": {"platform": "facebook"}}},
        {"connections": {"a": {"platform": "salesforce"}}},
        {"connections": {"a": {"platform": "linkedin", "accounts": ["x"]}}},
        {"connections": {"a": {"platform": "linkedin", "base_url": "http://example.com"}}},
        {"connections": {"a": {"platform": "linkedin", "auth": {"access_token": "written-out"}}}},
        {"connections": {"a": {"platform": "linkedin", "auth": {"access_token": "${A:-written-out}"}}}},
        {"connections": {"a": {"platform": "linkedin", "auth": {"client_id": "a"}}}},
        {"connections": {"a": {"platform": "linkedin", "auth": {"access_token": "${A}", "password": "${B}"}}}},
    ],
)
def test_bad_project_files_are_refused(changes: dict[str, Any]) -> None:
    assert not validator("project.json").is_valid({**PROJECT, **changes})


PLAN: dict[str, Any] = {
    "formatVersion": "1.0",
    "createdAt": "2026-11-25T09:00:00Z",
    "environment": None,
    "summary": {
        "create": 0,
        "update": 1,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "forget": 0,
        "no-op": 4,
        "blocked": 0,
    },
    "changes": [
        {
            "key": "LinkedInExperiment/headline-test",
            "platform": "linkedin",
            "connection": "linkedin",
            "remoteId": "123",
            "action": "update",
            "status": "RUNNING",
            "fields": [
                {
                    "path": "scheduledEndAt",
                    "before": "2026-12-20T00:00:00Z",
                    "after": "2026-12-27T00:00:00Z",
                    "drifted": False,
                    "allowed": True,
                    "reason": None,
                }
            ],
            "calls": [
                {
                    "method": "POST",
                    "path": "/rest/adExperiments/123",
                    "query": {},
                    "headers": {"X-RestLi-Method": "partial_update"},
                    "body": {"patch": {"$set": {"scheduledEndAt": 1798329600000}}},
                }
            ],
            "reasons": [],
            "warnings": [],
        }
    ],
}


def test_the_contract_s_plan_is_accepted_and_may_grow() -> None:
    assert [error.message for error in validator("plan.json").iter_errors(PLAN)] == []
    grown = copy.deepcopy(PLAN) | {"formatVersion": "1.7", "somethingNew": 1}
    grown["changes"][0]["somethingNew"] = {}
    assert validator("plan.json").is_valid(grown)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("formatVersion",), "2.0"),
        (("summary", "update"), -1),
        (("changes", 0, "key"), "headline-test"),
        (("changes", 0, "action"), "destroy"),
        (("changes", 0, "action"), "blocked"),  # a blocked change has no calls, and an intent
        (("changes", 0, "fields", 0, "severity"), "bad"),
        (("changes", 0, "calls", 0, "path"), "https://api.linkedin.com/rest"),
        (("changes", 0, "calls", 0, "method"), "GET"),
    ],
)
def test_bad_plans_are_refused(path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(PLAN)
    node: Any = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert not validator("plan.json").is_valid(changed)


def test_a_plan_that_the_tool_writes_is_accepted() -> None:
    from datetime import UTC, datetime

    from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, Severity
    from reconciler.model.resource import Key
    from reconciler.plan.saved import plan_to_json

    now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    key = Key("XAdsABTest", "a")
    call = Call("PUT", "/12/accounts/a/ab_tests/1", Purpose.UPDATE, {"a": "b"}, {}, {"name": "x"})
    field = FieldChange("name", "a", "x", severity=Severity.HARMLESS)
    update = Change(
        key, "x-ads", "x", Action.UPDATE, "1", "LIVE", (field,), (call,), target={"name": "x"}, valid_until=now
    )
    blocked = Change(key, "x-ads", "x", Action.BLOCKED, reasons=("no",), intent=Action.REPLACE, after=(key,))
    plan = Plan(now, now, (update, blocked), warnings=(PlanWarning("", "w"),), problems=("p",), complete=False)
    assert [error.message for error in validator("plan.json").iter_errors(plan_to_json(plan))] == []
