"""The schemas of manifests: one a kind, and one of all kinds for files that hold several."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.envelope import API_VERSION, Envelope
from reconciler.manifests.expand import FOR_EACH
from reconciler.model.kind import Field, top_level
from reconciler.platforms.base import Kind
from reconciler.schema.draft7 import Schema, converted, document
from reconciler.schema.expressions import for_each, with_expressions


def kind_schema(name: str, kind: Kind) -> Schema:
    """Give the schema of one kind's manifests."""
    envelope, definitions = converted(Envelope.model_json_schema())
    spec, spec_definitions = _spec(kind)
    properties = envelope["properties"]
    lifecycle = _lifecycle(definitions.pop("LifecycleBlock"), kind)
    body: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": envelope["required"],
        "properties": {
            **properties,
            "apiVersion": {**properties["apiVersion"], "const": API_VERSION},
            "kind": {"description": properties["kind"]["description"], "const": kind.name},
            "lifecycle": lifecycle,
            "spec": spec,
        },
        "definitions": {**definitions, **spec_definitions},
    }
    return document(name, kind.name, kind.summary, _templated(body))


def manifest_schema(name: str, kinds: Sequence[Kind]) -> Schema:
    """
    Give the schema of any kind's manifests, told apart by `kind`.

    Conditions instead of alternatives: an editor then speaks of the kind that is meant, not of all of them.
    """
    envelope, definitions = converted(Envelope.model_json_schema())
    properties = envelope["properties"]
    cases = []
    for kind in kinds:
        spec, spec_definitions = _spec(kind, f"{kind.name}.")
        definitions = {**definitions, f"{kind.name}.spec": spec, **spec_definitions}
        cases.append(
            {
                "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
                "then": {
                    "properties": {
                        "spec": {"$ref": f"#/definitions/{kind.name}.spec"},
                        "lifecycle": _lifecycle(definitions["LifecycleBlock"], kind),
                    }
                },
            }
        )
    body: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": envelope["required"],
        "properties": {
            **properties,
            "apiVersion": {**properties["apiVersion"], "const": API_VERSION},
            "kind": {"description": properties["kind"]["description"], "enum": [kind.name for kind in kinds]},
        },
        "allOf": cases,
        "definitions": definitions,
    }
    return document(name, "reconciler manifest", "One experiment, of any kind.", _templated(body))


def _templated(body: Schema) -> Schema:
    """Give a manifest's schema with `forEach`, and with expressions wherever a value is wanted but at the top."""
    properties = {
        key: with_expressions(node) if key not in ("apiVersion", "kind") else node
        for key, node in body["properties"].items()
    }
    head = {key: properties.pop(key) for key in ("apiVersion", "kind")}
    out: Schema = {
        **body,
        "properties": {**head, FOR_EACH: for_each(), **properties},
        "definitions": {key: with_expressions(node, top=False) for key, node in body["definitions"].items()},
    }
    if "allOf" in body:
        out["allOf"] = [{**case, "then": _case(case["then"])} for case in body["allOf"]]
    return out


def _case(then: Schema) -> Schema:
    return {"properties": {key: with_expressions(node, top=False) for key, node in then["properties"].items()}}


def _spec(kind: Kind, prefix: str = "") -> tuple[Schema, dict[str, Schema]]:
    """Give the schema of a kind's spec, with what its field table says of each field."""
    spec, definitions = converted(kind.spec_model.model_json_schema(by_alias=True), prefix)
    for row in kind.fields:
        for place in _places(spec, definitions, row.path):
            _describe(place, row)
    return spec, definitions


def _describe(place: Schema, row: Field) -> None:
    text = place.get("description", "")
    if row.meaning not in text:
        text = row.meaning if not text or row.limits else text
    if row.limits and row.limits.rstrip(".").lower() not in text.lower():
        text = f"{text} Limits: {row.limits}."
    place["description"] = text.replace("..", ".").strip()


def _places(spec: Schema, definitions: dict[str, Schema], path: str) -> Iterator[Schema]:
    """Give the schema nodes that a path template of the field table stands for."""
    nodes = [spec]
    for step in path.split("."):
        name = step.removesuffix("[]")
        found = [node["properties"][name] for node in _open(nodes, definitions) if name in node.get("properties", {})]
        if step.endswith("[]") and step != path.rsplit(".", 1)[-1]:
            found = [node["items"] for node in _open(found, definitions) if isinstance(node.get("items"), dict)]
        elif step.endswith("[]"):
            return  # adding and removing items is no field of its own
        nodes = found
    yield from nodes


def _open(nodes: Sequence[Schema], definitions: dict[str, Schema]) -> list[Schema]:
    """Give nodes with their references and alternatives followed."""
    out: list[Schema] = []
    for node in nodes:
        if "$ref" in node:
            out += _open([definitions[node["$ref"].removeprefix("#/definitions/")]], definitions)
        out.append(node)
        out += _open([child for word in ("anyOf", "oneOf", "allOf") for child in node.get(word, ())], definitions)
    return out


def _lifecycle(shared: Schema, kind: Kind) -> Schema:
    """Give the lifecycle block of a kind: `ignoreChanges` offers the kind's fields."""
    block: dict[str, Any] = copy.deepcopy(shared)
    paths = {row.path for row in kind.fields} | {top_level(row.path) for row in kind.fields}
    block["properties"]["ignoreChanges"]["items"] = {
        "type": "string",
        "anyOf": [{"enum": sorted(paths)}, {"pattern": r"\[[0-9]+\]"}],
    }
    return {"description": block.pop("description", ""), "anyOf": [block, {"type": "null"}]}
