"""
pydantic's JSON Schema (2020-12) as draft-07, which is what editors and SchemaStore ask for.

https://json-schema.org/draft-07/json-schema-release-notes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DRAFT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]


def document(name: str, title: str, description: str, body: Mapping[str, Any]) -> Schema:
    """Give a whole schema: its head, then `body`."""
    return {
        "$schema": DRAFT,
        "$id": f"urn:reconciler:schema:{name}",
        "title": title,
        "description": description,
        **body,
    }


def converted(schema: Mapping[str, Any], prefix: str = "") -> tuple[Schema, dict[str, Schema]]:
    """
    Give a model's schema in draft-07 without its definitions, and the definitions.

    The names of the definitions get `prefix`, so that those of several models can stand side by side.
    """
    definitions = {prefix + name: _node(node, prefix) for name, node in schema.get("$defs", {}).items()}
    return _node({key: value for key, value in schema.items() if key != "$defs"}, prefix), definitions


def _node(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_node(item, prefix) for item in node]
    if not isinstance(node, dict):
        return node
    out: Schema = {}
    for key, value in node.items():
        if key == "$ref":
            out[key] = f"#/definitions/{prefix}{value.rsplit('/', 1)[-1]}"
        elif key in ("properties", "patternProperties"):
            out[key] = {name: _node(child, prefix) for name, child in value.items()}
        elif key in ("default", "const", "enum", "examples"):
            if not (key == "default" and value is None):
                out[key] = value
        elif key == "prefixItems":
            out["items"] = _node(value, prefix)
        elif key not in ("title", "discriminator"):
            out[key] = _node(value, prefix)
    if "$ref" in out and len(out) > 1:
        # draft-07 ignores what stands beside a reference
        out = {**{key: value for key, value in out.items() if key != "$ref"}, "allOf": [{"$ref": out["$ref"]}]}
    return out
