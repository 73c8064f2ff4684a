"""What a body may hold: every limit of the input types, and what is stored from what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

COHORT = {"name": "c", "label": "C", "isControl": False, "allocationWeight": 0}
CONTROL = {"name": "a", "label": "A", "isControl": True, "allocationWeight": 5000}
OTHER = {"name": "b", "label": "B", "isControl": False, "allocationWeight": 5000}
METRIC = {"metricType": "EngagementSignalCompound", "metricName": "M"}
PARAMETER = {"engagementSignalName": "S", "parameterName": "P", "values": ["x"]}


def cohorts(**changes: Any) -> dict[str, Any]:
    second = {key: value for key, value in {**OTHER, **changes}.items() if value is not ...}
    return {"cohorts": [CONTROL, second]}


def attribute(**value: Any) -> dict[str, Any]:
    return cohorts(attributeValues=[value])


def rules(count: int) -> str:
    return json.dumps({"operator": "and", "conditions": [{"attribute": "a", "value": n} for n in range(count)]})


REFUSED = [
    *[pytest.param({key: ...}, "REQUIRED_FIELD_MISSING", id=f"without-{key}")
      for key in ("name", "label", "dataSpaceName", "source", "cohorts")],
    *[pytest.param({key: "x"}, "JSON_PARSER_ERROR", id=f"read-only-{key}")
      for key in ("id", "state", "status", "url", "isRemote", "startedDate", "createdById", "lastModifiedDate")],
    pytest.param({"primaryMetric": METRIC}, "JSON_PARSER_ERROR", id="singular-primary-metric"),
    pytest.param({"sourceReferenceId": "x"}, "JSON_PARSER_ERROR", id="other-source-id"),
    pytest.param({"name": "x" * 41}, "STRING_TOO_LONG", id="name-41"),
    pytest.param({"name": "with space"}, "INVALID_FIELD", id="name-space"),
    pytest.param({"name": "with-dash"}, "INVALID_FIELD", id="name-dash"),
    pytest.param({"name": "näme"}, "INVALID_FIELD", id="name-umlaut"),
    pytest.param({"name": "name\n"}, "INVALID_FIELD", id="name-newline"),
    pytest.param({"name": None}, "JSON_PARSER_ERROR", id="name-null"),
    pytest.param({"name": 5}, "JSON_PARSER_ERROR", id="name-number"),
    pytest.param({"label": "x" * 256}, "STRING_TOO_LONG", id="label-256"),
    pytest.param({"label": ""}, "REQUIRED_FIELD_MISSING", id="label-empty"),
    pytest.param({"label": "  "}, "REQUIRED_FIELD_MISSING", id="label-blank"),
    pytest.param({"label": None}, "JSON_PARSER_ERROR", id="label-null"),
    pytest.param({"description": "x" * 256}, "STRING_TOO_LONG", id="description-256"),
    pytest.param({"source": "flowbuilder"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", id="source-case"),
    pytest.param({"source": "Sms"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", id="source-unknown"),
    pytest.param({"winnerSelectionMode": "manual"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", id="mode-case"),
    pytest.param({"schemaName": ..., "schemaEnum": "Flow"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", id="schema"),
    pytest.param({"schemaName": ...}, "FIELD_INTEGRITY_EXCEPTION", id="no-schema"),
    pytest.param({"schemaName": None}, "FIELD_INTEGRITY_EXCEPTION", id="null-schema"),
    pytest.param({"schemaEnum": "FlowPath"}, "FIELD_INTEGRITY_EXCEPTION", id="two-schemas"),
    pytest.param({"chanceToWinThreshold": 84.99}, "NUMBER_OUTSIDE_VALID_RANGE", id="chance-low"),
    pytest.param({"chanceToWinThreshold": 100.01}, "NUMBER_OUTSIDE_VALID_RANGE", id="chance-high"),
    pytest.param({"chanceToWinThreshold": "95"}, "JSON_PARSER_ERROR", id="chance-text"),
    pytest.param({"chanceToWinThreshold": True}, "JSON_PARSER_ERROR", id="chance-flag"),
    pytest.param({"chanceToWinThreshold": None}, "JSON_PARSER_ERROR", id="chance-null"),
    pytest.param({"scheduleFrequencyInMinutes": 29}, "NUMBER_OUTSIDE_VALID_RANGE", id="frequency-low"),
    pytest.param({"scheduleFrequencyInMinutes": 1441}, "NUMBER_OUTSIDE_VALID_RANGE", id="frequency-high"),
    pytest.param({"scheduleFrequencyInMinutes": 60.0}, "JSON_PARSER_ERROR", id="frequency-double"),
    pytest.param({"minimumRequiredParticipants": True}, "JSON_PARSER_ERROR", id="participants-flag"),
    pytest.param({"cohorts": None}, "JSON_PARSER_ERROR", id="cohorts-null"),
    pytest.param({"cohorts": {}}, "JSON_PARSER_ERROR", id="cohorts-object"),
    pytest.param({"cohorts": ["x"]}, "JSON_PARSER_ERROR", id="cohort-text"),
    pytest.param({"cohorts": []}, "NUMBER_OUTSIDE_VALID_RANGE", id="no-cohorts"),
    pytest.param({"cohorts": [{**CONTROL, "allocationWeight": 10000}]}, "NUMBER_OUTSIDE_VALID_RANGE", id="one-cohort"),
    pytest.param({"cohorts": [CONTROL, OTHER, *({**COHORT, "name": f"c{n}"} for n in range(9))]},
                 "NUMBER_OUTSIDE_VALID_RANGE", id="eleven-cohorts"),
    pytest.param(cohorts(isControl=True), "FIELD_INTEGRITY_EXCEPTION", id="two-controls"),
    pytest.param({"cohorts": [{**CONTROL, "isControl": False}, OTHER]}, "FIELD_INTEGRITY_EXCEPTION", id="no-control"),
    pytest.param(cohorts(allocationWeight=4999), "FIELD_INTEGRITY_EXCEPTION", id="weights-9999"),
    pytest.param(cohorts(allocationWeight=5001), "FIELD_INTEGRITY_EXCEPTION", id="weights-10001"),
    pytest.param(cohorts(allocationWeight=...), "REQUIRED_FIELD_MISSING", id="weight-missing"),
    pytest.param(cohorts(allocationWeight=-1), "NUMBER_OUTSIDE_VALID_RANGE", id="weight-negative"),
    pytest.param(cohorts(allocationWeight=10001), "NUMBER_OUTSIDE_VALID_RANGE", id="weight-over"),
    pytest.param(cohorts(allocationWeight=5000.0), "JSON_PARSER_ERROR", id="weight-double"),
    pytest.param(cohorts(name="a"), "DUPLICATE_VALUE", id="cohort-name-twice"),
    pytest.param(cohorts(name="x" * 81), "STRING_TOO_LONG", id="cohort-name-81"),
    pytest.param(cohorts(label="x" * 256), "STRING_TOO_LONG", id="cohort-label-256"),
    pytest.param(cohorts(description="x" * 256), "STRING_TOO_LONG", id="cohort-description-256"),
    pytest.param(cohorts(label=...), "REQUIRED_FIELD_MISSING", id="cohort-without-label"),
    pytest.param(cohorts(isControl=...), "REQUIRED_FIELD_MISSING", id="cohort-without-control"),
    pytest.param(cohorts(isControl=0), "JSON_PARSER_ERROR", id="cohort-control-number"),
    pytest.param(cohorts(isFallThrough=True), "FIELD_INTEGRITY_EXCEPTION", id="fall-through-without-control"),
    pytest.param(cohorts(id="1GcSB000000032j0AA"), "JSON_PARSER_ERROR", id="cohort-id"),
    pytest.param(attribute(attributeName="A", value=1), "JSON_PARSER_ERROR", id="attribute-number"),
    pytest.param(attribute(attributeName="A"), "REQUIRED_FIELD_MISSING", id="attribute-without-value"),
    pytest.param(attribute(value="1"), "FIELD_INTEGRITY_EXCEPTION", id="attribute-without-key"),
    pytest.param(attribute(attributeName="A", attributeEnum="FlowPath", value="1"), "FIELD_INTEGRITY_EXCEPTION",
                 id="attribute-two-keys"),
    pytest.param(attribute(attributeEnum="Path", value="1"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                 id="attribute-enum"),
    pytest.param(attribute(attributeName="A", value="x" * 20001), "STRING_TOO_LONG", id="attribute-20001"),
    pytest.param(cohorts(attributeValues=[{"attributeName": "A", "value": "1"}] * 2), "DUPLICATE_VALUE",
                 id="attribute-twice"),
    pytest.param({"primaryMetrics": [{"metricType": "Signal", "metricName": "M"}]},
                 "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", id="metric-type"),
    pytest.param({"primaryMetrics": [{"metricName": "M"}]}, "REQUIRED_FIELD_MISSING", id="metric-without-type"),
    pytest.param({"primaryMetrics": [{**METRIC, "HigherIsBetter": True}]}, "JSON_PARSER_ERROR", id="metric-flag-case"),
    pytest.param({"primaryMetrics": [{**METRIC, "overallScoreWeight": 9999}]}, "FIELD_INTEGRITY_EXCEPTION",
                 id="metric-weight"),
    pytest.param({"primaryMetrics": [METRIC, {**METRIC, "metricName": "N"}]}, "FIELD_INTEGRITY_EXCEPTION",
                 id="metric-weights-open"),
    pytest.param({"secondaryMetrics": [METRIC, METRIC]}, "DUPLICATE_VALUE", id="metric-twice"),
    pytest.param({"secondaryMetrics": [{**METRIC, "overallScoreWeight": 10000}]}, "JSON_PARSER_ERROR",
                 id="secondary-weight"),
    pytest.param({"parameters": [PARAMETER, PARAMETER]}, "DUPLICATE_VALUE", id="parameter-twice"),
    pytest.param({"parameters": [{**PARAMETER, "values": "x"}]}, "JSON_PARSER_ERROR", id="parameter-values"),
    pytest.param({"parameters": [{**PARAMETER, "values": [1]}]}, "JSON_PARSER_ERROR", id="parameter-number"),
    pytest.param({"criteria": {"a": 1}}, "JSON_PARSER_ERROR", id="criteria-object"),
    pytest.param({"criteria": "not json"}, "INVALID_FIELD", id="criteria-no-json"),
    pytest.param({"criteria": "[]"}, "INVALID_FIELD", id="criteria-array"),
    pytest.param({"criteria": '{"a": "\\ud800"}'}, "INVALID_FIELD", id="criteria-surrogate"),
    pytest.param({"criteria": '{"a": NaN}'}, "INVALID_FIELD", id="criteria-nan"),
    pytest.param({"criteria": '{"a": ' * 101 + "1" + "}" * 101}, "INVALID_FIELD", id="criteria-deep"),
    pytest.param({"criteria": "[" * 100_000}, "INVALID_FIELD", id="criteria-very-deep"),
    pytest.param({"criteria": rules(51)}, "LIMIT_EXCEEDED", id="criteria-51"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_refused_with_400(api: Any, make_body: Callable[..., Any], changes: dict[str, Any], code: str) -> None:
    response = api.call("POST", "", json=make_body(**changes))
    assert response.status_code == 400, response.text
    problems = response.json()
    assert isinstance(problems, list)
    assert code in [problem["errorCode"] for problem in problems]
    assert all(problem.keys() <= {"errorCode", "message", "fields"} and problem["message"] for problem in problems)
    assert api.call("GET", "testExp50").status_code == 404


AUTOMATIC_REFUSED = [
    {"minimumRequiredParticipants": 299},
    {"minimumRequiredParticipants": 5001},
    {"minimumDurationInMinutes": 59},
    {"minimumDurationInMinutes": 129601},
    {"maximumDurationInMinutes": 129601},
    {"minimumDurationInMinutes": 200, "maximumDurationInMinutes": 199},
]


@pytest.mark.parametrize("changes", AUTOMATIC_REFUSED)
def test_ranges_hold_in_automatic_mode_and_are_ignored_in_manual(
    api: Any, make_body: Callable[..., Any], changes: dict[str, int]
) -> None:
    automatic = api.call("POST", "", json=make_body(winnerSelectionMode="Automatic", **changes))
    assert automatic.status_code == 400, automatic.text
    made = api.create(winnerSelectionMode="Manual", **changes)
    assert {key: made[key] for key in changes} == changes
    assert api.patch("testExp50", {"winnerSelectionMode": "Automatic"}).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 40},
        {"label": "x" * 255, "description": "x" * 255},
        {"chanceToWinThreshold": 85},
        {"chanceToWinThreshold": 99.25},
        {"scheduleFrequencyInMinutes": 30},
        {"winnerSelectionMode": "Automatic", "minimumRequiredParticipants": 300, "minimumDurationInMinutes": 60},
        {"winnerSelectionMode": "Automatic", "minimumDurationInMinutes": 60, "maximumDurationInMinutes": 60},
        {"cohorts": [CONTROL, OTHER, *({**COHORT, "name": f"c{n}"} for n in range(8))]},
        {"source": "Agentforce", "cohorts": [CONTROL, OTHER, *({**COHORT, "name": f"c{n}"} for n in range(12))]},
        {"cohorts": [{**CONTROL, "isFallThrough": True}, OTHER]},
        attribute(attributeName="A", value="x" * 20000),
        {"dataSpaceName": "unheardOf", "schemaName": "unheardOf_Template"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_accepted_at_the_limit(api: Any, changes: dict[str, Any]) -> None:
    made = api.create(**changes)
    assert {key: made[key] for key in changes if key != "cohorts"} == {
        key: value for key, value in changes.items() if key != "cohorts"
    }


def test_all_problems_are_told_at_once(api: Any, make_body: Callable[..., Any]) -> None:
    response = api.call("POST", "", json=make_body(nonsense=1, label=..., name="a b"))
    assert {problem["message"] for problem in response.json()} == {
        'Unrecognized field "nonsense"',
        "Required fields are missing: [label]",
        "name: only letters, digits and underscores are allowed",
    }
    nested = api.call("POST", "", json=make_body(**cohorts(colour="red"))).json()
    assert nested == [
        {"errorCode": "JSON_PARSER_ERROR", "message": 'Unrecognized field "colour"', "fields": ["cohorts[1].colour"]}
    ]


def test_left_out_keys_are_filled_or_left_out_as_the_page_shows(api: Any) -> None:
    names = ("name", "label", "dataSpaceName", "schemaName", "source", "cohorts")
    made = api.create(**{key: ... for key in api_body_keys(api) if key not in names})
    assert made["winnerSelectionMode"] == "Manual"
    assert (made["primaryMetrics"], made["secondaryMetrics"], made["parameters"]) == ([], [], [])
    for key in ("description", "sourceRecordId", "profileDataGraphName", "chanceToWinThreshold"):
        assert made[key] is None
    assert "criteria" not in made
    assert "schemaEnum" not in made


def api_body_keys(api: Any) -> list[str]:
    from reconciler.emulator.salesforce.shape import FIELDS

    return [key for key in FIELDS if key not in ("schemaEnum", "criteria")]


def test_schema_enum_takes_the_place_of_the_name(api: Any) -> None:
    made = api.create(schemaName=..., schemaEnum="FlowPath", **attribute(attributeEnum="FlowPath", value="5Vp"))
    assert made["schemaEnum"] == "FlowPath"
    assert "schemaName" not in made
    assert made["cohorts"][1]["attributeValues"] == [
        {"attributeEnum": "FlowPath", "attributeName": None, "value": "5Vp"}
    ]


def test_criteria_goes_in_as_text_and_comes_out_as_object(api: Any) -> None:
    made = api.create(criteria=rules(50))
    assert len(made["criteria"]["conditions"]) == 50


def test_open_weights_are_filled(api: Any) -> None:
    control = {key: value for key, value in CONTROL.items() if key != "allocationWeight"}
    made = api.create(cohorts=[control, {**OTHER, "allocationWeight": 4000}], primaryMetrics=[METRIC])
    assert [cohort["allocationWeight"] for cohort in made["cohorts"]] == [6000, 4000]
    assert made["primaryMetrics"] == [{**METRIC, "overallScoreWeight": 10000}]


def test_stored_differently_than_sent(api: Any) -> None:
    made = api.create(description="", chanceToWinThreshold=95.126)
    assert (made["description"], made["chanceToWinThreshold"]) == (None, 95.13)
    assert json.dumps(api.create(name="other", chanceToWinThreshold=95.0)["chanceToWinThreshold"]) == "95"


def test_a_name_is_taken_whatever_its_capitals_and_until_its_holder_is_gone(
    api: Any, make_body: Callable[..., Any]
) -> None:
    api.create()
    for name in ("testExp50", "TESTEXP50"):
        response = api.call("POST", "", json=make_body(name=name))
        assert (response.status_code, response.json()[0]["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert api.call("DELETE", "testExp50").status_code == 202
    assert api.call("POST", "", json=make_body()).status_code == 400
    api.wait()
    api.create()


def test_data_space_prefixes(api: Any, world: Any, make_body: Callable[..., Any]) -> None:
    world.table("salesforce", "dataSpaces")["myDs"] = {}
    wrong = api.call("POST", "", json=make_body(schemaName="myDs_Template"))
    assert (wrong.status_code, wrong.json()[0]["fields"]) == (400, ["schemaName"])
    made = api.create(dataSpaceName="myDs", schemaName="myDs_Template")
    assert api.get("myDs_testExp50")["id"] == made["id"]
    api.create(name="bare")
    assert api.call("GET", "default_bare").status_code == 404


def test_references_are_checked_when_the_seed_asks_for_it(
    api: Any, settings: dict[str, Any], make_body: Callable[..., Any]
) -> None:
    settings["check_references"] = True
    for changes in (
        {"dataSpaceName": "nowhere"},
        {"schemaName": "Nothing"},
        {"primaryMetrics": [METRIC]},
        {"secondaryMetrics": [{"metricType": "EngagementSignal", "metricName": "M", "engagementSignalName": "S"}]},
        {"parameters": [PARAMETER]},
    ):
        response = api.call("POST", "", json=make_body(**changes))
        assert (response.status_code, response.json()[0]["errorCode"]) == (400, "FIELD_INTEGRITY_EXCEPTION")
    api.create()
