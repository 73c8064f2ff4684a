"""The schema of the project file: what its model says, and per platform which credentials go together."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.platforms.base import Platform
from reconciler.project.rules import NOT_SECRET
from reconciler.project.schema import ProjectEntry
from reconciler.schema.draft7 import Schema, converted, document

_REFERENCE = r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-)?\}$"
_ADDRESS = r"^(https://|http://(localhost|127\.[0-9.]+|\[::1\])(:|/|$)|[^$]*\$\{)"


def project_schema(name: str, platforms: Sequence[Platform]) -> Schema:
    """Give the schema of `reconciler.yaml`."""
    body, definitions = converted(ProjectEntry.model_json_schema())
    description = body.pop("description")
    connection = definitions["ConnectionEntry"]
    connection["properties"]["platform"] |= {"enum": [platform.name for platform in platforms]}
    connection["properties"]["base_url"] = {
        "description": connection["properties"]["base_url"]["description"],
        "anyOf": [{"type": "string", "pattern": _ADDRESS}, {"type": "null"}],
    }
    connection["allOf"] = [_of_platform(platform) for platform in platforms]
    return document(name, "reconciler project file", description, {**body, "definitions": definitions})


def _of_platform(platform: Platform) -> Schema:
    keys = sorted(frozenset().union(*platform.auth_shapes) | platform.auth_optional)
    auth: Schema = {
        "type": ["object", "null"],
        "properties": {key: _credential(key) for key in keys},
        "additionalProperties": False,
        "anyOf": [{"type": "null"}, *({"required": sorted(shape)} for shape in platform.auth_shapes)],
    }
    account = f"^(?:{platform.account_pattern})$|\\$\\{{"
    then: Schema = {
        "properties": {"auth": auth, "accounts": {"type": "array", "items": {"type": "string", "pattern": account}}}
    }
    if platform.default_base_url is None:
        then["required"] = ["base_url"]
    return {"if": {"properties": {"platform": {"const": platform.name}}, "required": ["platform"]}, "then": then}


def _credential(key: str) -> Schema:
    if key in NOT_SECRET:
        return {"type": "string", "minLength": 1}
    return {
        "type": "string",
        "pattern": _REFERENCE,
        "description": "A secret: a reference to an environment variable such as ${NAME}, never the value.",
    }
