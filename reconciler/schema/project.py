"""The schema of the project file: what its model says, and per platform which credentials go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from reconciler.platforms.session import Platform
from reconciler.project.rules import NOT_SECRET
from reconciler.project.schema import ProjectEntry, Refresh
from reconciler.schema.draft7 import Schema, converted, document
from reconciler.state.place import BACKENDS, KEYS

_REFERENCE = r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-)?\}$"
_ADDRESS = r"^(https://|http://(localhost|127\.[0-9.]+|\[::1\])(:|/|$)|[^$]*\$\{)"

_EVERY_REFRESH = frozenset(get_args(Refresh))
_VARIABLE = "^[A-Za-z][A-Za-z0-9_]*$"
_ENVIRONMENT = "^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$"


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
    override = definitions["ConnectionOverride"]["properties"]
    keys = sorted(frozenset().union(*(_auth_keys(platform) for platform in platforms)))
    override["platform"] |= {"anyOf": [{"enum": [platform.name for platform in platforms]}, {"type": "null"}]}
    override["base_url"] |= {"anyOf": [{"type": "string", "pattern": _ADDRESS}, {"type": "null"}]}
    override["auth"] |= {"anyOf": [_auth(keys), {"type": "null"}]}
    definitions["StateEntry"]["allOf"] = [_of_backend(name) for name in BACKENDS]
    properties = body["properties"]
    properties["defaults"] = {
        "description": properties["defaults"]["description"],
        "type": "object",
        "properties": {
            kind.name: {"$ref": "#/definitions/DefaultsEntry"} for platform in platforms for kind in platform.kinds
        },
        "additionalProperties": False,
    }
    properties["variables"] |= {"propertyNames": {"pattern": _VARIABLE}}
    properties["environments"] |= {"propertyNames": {"pattern": _ENVIRONMENT}}
    definitions["EnvironmentEntry"]["properties"]["variables"] |= {"propertyNames": {"pattern": _VARIABLE}}
    return document(name, "reconciler project file", description, {**body, "definitions": definitions})


def _auth_keys(platform: Platform) -> frozenset[str]:
    return frozenset().union(*platform.auth_shapes) | platform.auth_optional


def _auth(keys: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "properties": {key: _credential(key) for key in keys},
        "additionalProperties": False,
    }


def _of_platform(platform: Platform) -> Schema:
    auth: Schema = {
        **_auth(sorted(_auth_keys(platform))),
        "type": ["object", "null"],
        "anyOf": [{"type": "null"}, *({"required": sorted(shape)} for shape in platform.auth_shapes)],
    }
    account = f"^(?:{platform.account_pattern})$|\\$\\{{"
    then: Schema = {
        "properties": {"auth": auth, "accounts": {"type": "array", "items": {"type": "string", "pattern": account}}}
    }
    if platform.refreshes != _EVERY_REFRESH:
        then["properties"]["refresh"] = {"enum": [*sorted(platform.refreshes), None]}
    if platform.default_base_url is None:
        then["required"] = ["base_url"]
    return {"if": {"properties": {"platform": {"const": platform.name}}, "required": ["platform"]}, "then": then}


def _of_backend(name: str) -> Schema:
    others = sorted(frozenset().union(*KEYS.values()) - KEYS[name])
    then: Schema = {"properties": {key: {"type": "null"} for key in others}}
    if "bucket" in KEYS[name]:
        then["required"] = ["bucket", "prefix"]
    condition: Schema = {"properties": {"backend": {"const": name}}}
    return {"if": condition if name == "file" else {**condition, "required": ["backend"]}, "then": then}


def _credential(key: str) -> Schema:
    if key in NOT_SECRET:
        return {"type": "string", "minLength": 1}
    return {
        "type": "string",
        "pattern": _REFERENCE,
        "description": "A secret: a reference to an environment variable such as ${NAME}, never the value.",
    }
