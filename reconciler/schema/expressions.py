"""Expressions in the schemas of manifests: an editor has to take `"{{ weight }}"` where a number is wanted."""

from __future__ import annotations

from typing import Any

from reconciler.schema.draft7 import Schema

EXPRESSION: Schema = {"type": "string", "pattern": r"\{\{[\s\S]*\}\}"}
_SAID_OUTSIDE = ("description", "default", "examples")
_LITERAL = frozenset({"apiVersion", "kind"})


def with_expressions(node: Schema, *, top: bool = True) -> Schema:
    """
    Give the schema of a mapping in which any value may be an expression instead, its own rules then left aside.

    Only values of its properties and items may: the mapping itself (`top`) is written out.
    """
    out = dict(node)
    if isinstance(out.get("properties"), dict):
        out["properties"] = {
            name: child if top and name in _LITERAL else _value(child) for name, child in out["properties"].items()
        }
    for word in ("additionalProperties", "items"):
        if isinstance(out.get(word), dict) and out[word]:
            out[word] = _value(out[word])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in out:
            out[word] = [with_expressions(child, top=False) for child in out[word]]
    return out


def _value(node: Any) -> Schema:
    inner = with_expressions(node, top=False)
    if _takes_any_text(inner):
        return inner
    outside = {key: inner.pop(key) for key in _SAID_OUTSIDE if key in inner}
    if list(inner) == ["anyOf"]:
        return {**outside, "anyOf": [*inner["anyOf"], EXPRESSION]}
    return {**outside, "anyOf": [inner, EXPRESSION]}


def _takes_any_text(node: Schema) -> bool:
    """Tell whether a schema lets any text through, so that it takes an expression already."""
    if node.get("type") == "string" or (isinstance(node.get("type"), list) and "string" in node["type"]):
        return not node.keys() & {"pattern", "enum", "const", "maxLength", "format", "anyOf", "allOf"}
    if "anyOf" in node and not node.keys() & {"pattern", "enum", "allOf", "$ref"}:
        return any(_takes_any_text(child) for child in node["anyOf"])
    return not node.keys() - {*_SAID_OUTSIDE}


def for_each() -> Schema:
    """Give the schema of `forEach`."""
    return {
        "description": "One experiment for each item: each.key, each.value and each.index are known to expressions.",
        "anyOf": [
            {"type": "array", "maxItems": 1000, "items": {"type": ["string", "integer", "object"]}},
            {"type": "object", "maxProperties": 1000},
            EXPRESSION,
        ],
    }
