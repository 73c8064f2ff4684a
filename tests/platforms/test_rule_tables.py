"""What the tables of all kinds have in common: every rule is told, required is what the schema requires."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.diagnostic import Rule
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS

EVERY = [pytest.param(kind, id=kind.platform) for kind in KINDS]


@pytest.mark.parametrize("kind", EVERY)
def test_every_rule_that_can_be_told_is_listed_once_and_in_order(kind: Kind) -> None:
    """`explain` and the reference are made from the list."""
    module = importlib.import_module(f"{type(kind).__module__.rpartition('.')[0]}.rules")
    made = {value.id for value in vars(module).values() if isinstance(value, Rule)}
    listed = [rule.id for rule in kind.rules]
    assert listed == sorted(made)


NUMBERED = {"linkedin": ("LIN", 29), "x-ads": ("XAD", 16), "salesforce": ("SFP", 26)}


@pytest.mark.parametrize("kind", EVERY)
def test_rules_keep_their_numbers(kind: Kind) -> None:
    """People name them in comments and in the settings of code scanning: a number is neither changed nor used again."""
    area, last = NUMBERED[kind.platform]
    assert [rule.id for rule in kind.rules] == [f"{area}{number:03}" for number in range(1, last + 1)]


@pytest.mark.parametrize("kind", EVERY)
def test_every_rule_and_field_has_a_source_or_says_that_it_is_assumed(kind: Kind) -> None:
    sources = {rule.id: rule.source for rule in kind.rules} | {row.path: row.source for row in kind.fields}
    assert not {name: text for name, text in sources.items() if not re.search(r"\b(seed|doc|assumed)\b", text)}


OF_ALL_BUT_ONE = "cohorts[].allocationWeight"
"""Asked for by a rule and not by the schema: the control's may be left out."""


def fields_of(schema: dict[str, Any], part: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Give the template path of every field of a JSON Schema, and whether it has to be stated."""
    for name, value in part.get("properties", {}).items():
        path, required = f"{prefix}{name}", name in part.get("required", [])
        options = [value, *value.get("anyOf", [])]
        lists = [option["items"] for option in options if isinstance(option.get("items"), dict)]
        refs = [schema["$defs"][ref.rpartition("/")[2]] for option in lists if (ref := option.get("$ref"))]
        yield (f"{path}[]" if refs else path), required
        for inner in refs:
            yield from fields_of(schema, inner, f"{path}[].")


@pytest.mark.parametrize("kind", EVERY)
def test_what_the_table_calls_required_is_what_the_schema_requires(kind: Kind) -> None:
    schema = kind.spec_model.model_json_schema(by_alias=True)
    stated = dict(fields_of(schema, schema))
    table = {row.path: row.required for row in kind.fields if row.path in stated}
    assert len(table) >= 8
    assert table == {path: stated[path] or path == OF_ALL_BUT_ONE for path in table}


WORDS = {  # the pages' own, in their order
    "linkedin": {
        "keyMetric": "CPC CPM CPV CPMS",
        "autoStop": "AUTO_STOP_AT_END_DATE AUTO_STOP_AT_WINNER AUTO_STOP_DISABLED",
        "userIntendedState": "DRAFT ACTIVE PAUSED CANCELED",
    },
    "x-ads": {"entity_type": "CAMPAIGN LINE_ITEM"},
    "salesforce": {
        "source": "PersonalizationApp ExperienceBuilder BlockBuilder FlowBuilder Agentforce",
        "state": "Created Started Stopped Archived",
        "winnerSelectionMode": "Automatic Manual",
        "schemaEnum": "DecisionDefined ExperienceVariation FlowPath",
        "cohorts[].attributeValues[].attributeEnum": "Variation FlowPath",
    },
}


@pytest.mark.parametrize("kind", EVERY)
def test_explain_tells_the_words_that_the_page_has(kind: Kind) -> None:
    told = {row.path: row.limits.partition(";")[0] for row in kind.fields if row.type == "enum"}
    found = {path: " ".join(re.findall(r"\b(?!or\b)\w+", text)) for path, text in told.items()}
    assert found == WORDS[kind.platform]
    defaults = {row.path: row.default for row in kind.fields if row.default is not None}
    assert all(value in found[path].split() for path, value in defaults.items() if path in found)


SETS = {
    "linkedin": set[str](),
    "x-ads": {"user_groups[].entity_ids"},
    "salesforce": {"cohorts[]", "primaryMetrics[]", "secondaryMetrics[]", "parameters[]"},
}


@pytest.mark.parametrize("kind", EVERY)
def test_lists_whose_order_means_nothing_are_said_to_be_sets(kind: Kind) -> None:
    assert {row.path for row in kind.fields if row.set_like} >= SETS[kind.platform]
