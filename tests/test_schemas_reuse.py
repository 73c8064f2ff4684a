"""The JSON Schemas take expressions, forEach and environments, and refuse what `validate` refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.manifests import load_text
from reconciler.model.diagnostic import PathTuple
from reconciler.platforms.registry import KINDS
from reconciler.schema.write import file_name
from reconciler.validate import check

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*/experiments/**/*.yaml"))
EXPRESSION = "{{ value }}"
PROJECT = """\
version: 1
variables: {market: de, list: [1]}
defaults: {LinkedInExperiment: {metadata: {labels: {team: x}}, lifecycle: {onRemoval: end}, spec: {confidence: 90}}}
connections: {a: {platform: linkedin, auth: {access_token: "${T}"}}}
environments:
  staging:
    default: true
    variables: {market: fr}
    connections: {a: {base_url: "https://a.example", auth: {access_token: "${S}"}}}
    guards: {maxDestroy: null}
    state: {path: x.json}
    manifests: ["a/*.yaml"]
  production:
"""


def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((ROOT / "schemas" / name).read_text(encoding="utf-8")))


def manifests() -> list[Any]:
    return [document.value for path in EXAMPLES for document in load_text(path.read_text(), path.name).documents]


def places(value: Any, path: PathTuple = ()) -> list[PathTuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


def put(value: Any, path: PathTuple, new: Any) -> Any:
    changed = copy.deepcopy(value)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = new
    return changed


def test_any_value_but_the_frame_may_be_an_expression() -> None:
    checked = 0
    for value in manifests():
        schema, whole = validator(file_name(value["kind"])), validator("manifest.json")
        assert schema.is_valid(value) and whole.is_valid(value)
        for path in places(value):
            if len(path) < 2:
                continue
            changed = put(value, path, EXPRESSION)
            assert schema.is_valid(changed) and whole.is_valid(changed), path
            assert not schema.is_valid(put(value, path, "{ value }")) or isinstance(_at(value, path), str), path
            checked += 1
    assert checked > 50


def _at(value: Any, path: PathTuple) -> Any:
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("path", [("apiVersion",), ("kind",), ("spec",), ("metadata",)])
def test_the_frame_is_written_out(path: PathTuple) -> None:
    value = manifests()[0]
    assert not validator(file_name(value["kind"])).is_valid(put(value, path, EXPRESSION))


@pytest.mark.parametrize(
    ("items", "good"),
    [
        (["de", 1, {"key": "x"}], True),
        ({"de": {"x": 1}, "fr": None}, True),
        (EXPRESSION, True),
        ([], True),
        ("de", False),
        ([[1]], False),
        ([1.5], False),
        (list(range(1001)), False),
        (5, False),
    ],
)
def test_for_each(items: Any, good: bool) -> None:
    value = {**manifests()[0], "forEach": items}
    assert validator(file_name(value["kind"])).is_valid(value) == good
    assert validator("manifest.json").is_valid(value) == good


def test_project_files_with_environments() -> None:
    (document,) = load_text(PROJECT, "reconciler.yaml").documents
    assert [error.message for error in validator("project.json").iter_errors(document.value)] == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("environments", "Staging"), {}),
        (("environments", "staging", "varibles"), {}),
        (("environments", "staging", "variables"), {"a-b": 1}),
        (("environments", "staging", "connections", "a", "auth"), {"access_token": "written-out"}),
        (("environments", "staging", "connections", "a", "base_url"), "http://example.com"),
        (("environments", "staging", "connections", "a", "platform"), "facebook"),
        (("environments", "staging", "guards", "maxDestroy"), -1),
        (("variables", "a b"), 1),
        (("defaults", "LinkedinExperiment"), {}),
        (("defaults", "LinkedInExperiment", "metadata", "name"), "x"),
    ],
)
def test_wrong_project_files(path: PathTuple, new: Any) -> None:
    (document,) = load_text(PROJECT, "reconciler.yaml").documents
    assert not validator("project.json").is_valid(put(document.value, path, new))


def test_import_id_and_moved_from_reach_the_experiment() -> None:
    path = ROOT / "examples" / "linkedin" / "experiments"
    text = next(path.rglob("*.yaml")).read_text()
    (document,) = load_text(text, "a.yaml").documents
    document.value["metadata"] |= {"importId": "77", "movedFrom": "old-name"}

    class Way:
        platform = "linkedin"

    class Ways:
        connections = {"linkedin": Way()}  # noqa: RUF012

    (desired,), problems = check([document], Ways(), KINDS)
    assert problems == ()
    assert (desired.import_id, desired.moved_from) == ("77", "old-name")
    assert validator("linkedin-experiment.json").is_valid(document.value)
    document.value["metadata"] |= {"importId": "", "movedFrom": "Old"}
    assert len(check([document], Ways(), KINDS)[1]) == 2
