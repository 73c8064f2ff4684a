"""The shape of a spec: nothing is coerced, nothing unknown is taken, no key is invented."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.platforms.salesforce.kinds import KIND

REQUIRED = ("name", "label", "dataSpaceName", "source", "cohorts")


def errors(spec: dict[str, Any]) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as caught:
        KIND.spec_model.model_validate(spec)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_only_what_is_stated_comes_out(spec: dict[str, Any]) -> None:
    assert KIND.spec_model.model_validate(spec).model_dump(exclude_unset=True) == spec


@pytest.mark.parametrize("key", REQUIRED)
def test_required(key: str, spec: dict[str, Any]) -> None:
    del spec[key]
    assert [loc for loc, _ in errors(spec)] == [(key,)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("minimumRequiredParticipants", 1000.0),
        ("minimumRequiredParticipants", "1000"),
        ("minimumRequiredParticipants", True),
        ("minimumRequiredParticipants", None),
        ("chanceToWinThreshold", "95"),
        ("chanceToWinThreshold", True),
        ("chanceToWinThreshold", float("nan")),
        ("label", 7),
        ("label", None),
        ("source", "Flowbuilder"),
        ("winnerSelectionMode", "automatic"),
        ("schemaEnum", "flowPath"),
        ("state", "Running"),
        ("unknown", 1),
        ("criteria", "[1]"),
        ("criteria", "{"),
        ("criteria", '{"a": NaN}'),
        ("criteria", [1]),
        ("criteria", 1),
    ],
)
def test_refused(key: str, value: Any, spec: dict[str, Any]) -> None:
    assert [loc for loc, _ in errors({**spec, key: value})] == [(key,)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chanceToWinThreshold", 95),
        ("chanceToWinThreshold", 97.25),
        ("description", None),
        ("schemaEnum", None),
        ("secondaryMetrics", None),
        ("parameters", []),
        ("criteria", None),
        ("criteria", '{"a": 1}'),
        ("criteria", {"a": [{"b": None}]}),
        ("state", "Archived"),
    ],
)
def test_taken(key: str, value: Any, spec: dict[str, Any]) -> None:
    dumped = KIND.spec_model.model_validate({**spec, key: value}).model_dump(exclude_unset=True)
    assert dumped[key] == value


def test_values_are_text_and_the_message_says_what_to_do(spec: dict[str, Any]) -> None:
    spec["cohorts"][0]["attributeValues"][0]["value"] = 1
    spec["parameters"][0]["values"][1] = True
    found = errors(spec)
    assert [loc for loc, _ in found] == [("cohorts", 0, "attributeValues", 0, "value"), ("parameters", 0, "values", 1)]
    assert all("quote it" in message for _, message in found)


@pytest.mark.parametrize(("key", "value"), [("isControl", 1), ("allocationWeight", 50.0), ("allocationWeight", None)])
def test_cohort_types(key: str, value: Any, spec: dict[str, Any]) -> None:
    spec["cohorts"][0][key] = value
    assert [loc for loc, _ in errors(spec)] == [("cohorts", 0, key)]


def test_the_json_schema_names_the_page_words_and_no_default() -> None:
    schema = KIND.spec_model.model_json_schema()
    properties = schema["properties"]
    attribute = schema["$defs"]["AttributeValue"]["properties"]["attributeEnum"]
    for shown, words in (
        (properties["source"], "PersonalizationApp ExperienceBuilder BlockBuilder FlowBuilder Agentforce"),
        (properties["state"], "Created Started Stopped Archived"),
        (properties["winnerSelectionMode"], "Automatic Manual"),
        (properties["schemaEnum"]["anyOf"][0], "DecisionDefined ExperienceVariation FlowPath"),
        (attribute["anyOf"][0], "Variation FlowPath"),
    ):
        assert shown["enum"] == words.split()
    assert set(schema["required"]) == set(REQUIRED)
    assert "'default'" not in str(schema)
    for holder in (schema, *schema["$defs"].values()):
        assert all(inner.get("description") for inner in holder["properties"].values())


def test_the_package_alone_imports_neither_the_http_library_nor_pydantic() -> None:
    code = (
        "import sys, reconciler.platforms.salesforce;"
        "print(sorted({'httpx', 'pydantic', 'stamina', 'jwt'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
