"""The schema of a plan, as `plan --format json` prints it and `plan --out` saves it. Keys may be added within 1.x."""

from __future__ import annotations

from reconciler.model.budget import Covers
from reconciler.model.change import Action, Purpose, Severity
from reconciler.schema.draft7 import Schema, document

_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TIME_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_KEY: Schema = {"type": "string", "pattern": "^[^/]+/[^/]+$"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def plan_schema(name: str) -> Schema:
    """Give the schema of a plan."""
    properties: Schema = {
        "formatVersion": {"type": "string", "pattern": r"^1\.[0-9]+$", "description": "Grows compatibly within 1.x."},
        "createdAt": {**_TIME, "description": "When the plan was made, UTC."},
        "asOf": {**_TIME, "description": "The moment it was judged at: createdAt, or what --as-of gave."},
        "validUntil": {
            **_TIME_OR_NULL,
            "description": "From when one of the changes stops being legal or means something else; null: never.",
        },
        "environment": {**_TEXT_OR_NULL, "description": "What --env chose."},
        "complete": {"type": "boolean", "description": "False when something could not be read; problems say what."},
        "summary": {
            "type": "object",
            "description": "How many experiments fall under each action.",
            "properties": {action.value: _COUNT for action in Action},
            "required": [action.value for action in Action],
        },
        "changes": {
            "type": "array",
            "items": {"$ref": "#/definitions/change"},
            "description": "Every managed experiment that is not a no-op, in the order of execution.",
        },
        "bookkeeping": {
            "type": "array",
            "items": {"$ref": "#/definitions/change"},
            "description": "What is only recorded, without a call.",
        },
        "warnings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"key": _TEXT_OR_NULL, "message": {"type": "string"}},
                "required": ["key", "message"],
            },
            "description": "Warnings of experiments that need no change, or (key null) of the project.",
        },
        "problems": {**_TEXTS, "description": "What could not be read."},
        "state": {
            "type": "object",
            "properties": {"serial": _COUNT, "lineage": {"type": "string"}},
            "description": "The state that the plan was made from.",
        },
        "budget": {
            "type": "array",
            "items": {"$ref": "#/definitions/budget"},
            "description": "What an apply sends through each connection, and how long documented limits make it take.",
        },
        "quotas": {
            "type": "array",
            "items": {"$ref": "#/definitions/quota"},
            "description": "Quotas that are nearly used up, or of which less is left than an apply needs.",
        },
        "shard": {
            "type": "object",
            "properties": {
                "index": {"type": "integer", "minimum": 1},
                "count": {"type": "integer", "minimum": 1},
                "evidence": {"type": "object", "description": "What was read: reconciler merge-plans plans from it."},
            },
            "required": ["index", "count", "evidence"],
            "description": "Only in the plan of a part of the project: which one it is.",
        },
        "policies": {
            "type": "object",
            "properties": {"digest": {"type": "string"}},
            "required": ["digest"],
            "description": "Names the policies that it was judged by; left out of a project without any.",
        },
    }
    body: Schema = {
        "type": "object",
        "properties": properties,
        "required": ["formatVersion", "createdAt", "environment", "summary", "changes"],
        "definitions": {
            "change": _change(),
            "field": _field(),
            "call": _call(),
            "budget": _budget(),
            "quota": _quota(),
            "policy": _policy(),
        },
    }
    return document(name, "reconciler plan", "What apply would do, change by change and call by call.", body)


def _change() -> Schema:
    actions = [action.value for action in Action]
    return {
        "type": "object",
        "properties": {
            "key": {**_KEY, "description": "Kind/name."},
            "platform": {"type": "string"},
            "connection": {"type": "string"},
            "remoteId": {**_TEXT_OR_NULL, "description": "The platform's id."},
            "action": {"enum": actions},
            "intent": {"enum": [*actions, None], "description": "What a blocked change would have been."},
            "status": {**_TEXT_OR_NULL, "description": "The live status, in the platform's words."},
            "fields": {"type": "array", "items": {"$ref": "#/definitions/field"}},
            "calls": {"type": "array", "items": {"$ref": "#/definitions/call"}},
            "reasons": {**_TEXTS, "description": "Why, and why blocked."},
            "warnings": _TEXTS,
            "validUntil": _TIME_OR_NULL,
            "destroys": {"type": "boolean", "description": "Whether it ends an experiment that has a life."},
            "oldCalls": {**_COUNT, "description": "How many of the calls end the old experiment of a replace."},
            "predecessors": {**_TEXTS, "description": "Remote ids that this experiment replaced, oldest first."},
            "after": {"type": "array", "items": _KEY, "description": "Changes that have to succeed first."},
            "expected": {"type": "object", "description": "What was live in the managed fields."},
            "desired": {"type": ["object", "null"], "description": "The managed spec to record afterwards."},
            "lifecycle": {"type": "object", "description": "The manifest's lifecycle block."},
            "policies": {
                "type": "array",
                "items": {"$ref": "#/definitions/policy"},
                "description": "Policies that it does not satisfy; left out where it satisfies all.",
            },
        },
        "required": ["key", "platform", "connection", "remoteId", "action", "status", "fields", "calls"],
        "if": {"properties": {"action": {"const": Action.BLOCKED.value}}},
        "then": {"properties": {"calls": {"maxItems": 0}}, "required": ["intent", "reasons"]},
    }


def _field() -> Schema:
    return {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Dotted; list items as [n]."},
            "before": {"description": "The live value; null: not set."},
            "after": {"description": "The value wanted; null: cleared, or the item is removed."},
            "drifted": {"type": "boolean", "description": "Whether live is not what was last applied."},
            "allowed": {"type": "boolean", "description": "Whether the platform lets it change now."},
            "reason": {**_TEXT_OR_NULL, "description": "Why it is not allowed."},
            "severity": {"enum": [severity.value for severity in Severity]},
        },
        "required": ["path", "before", "after", "drifted", "allowed", "reason"],
    }


def _call() -> Schema:
    texts: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "type": "object",
        "properties": {
            "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
            "path": {"type": "string", "pattern": "^/", "description": "Below the connection's base URL."},
            "query": texts,
            "headers": texts,
            "body": {"description": "The JSON body; null: none."},
            "purpose": {"enum": [purpose.value for purpose in Purpose]},
        },
        "required": ["method", "path", "query", "headers", "body"],
    }


def _budget() -> Schema:
    load = {"account": {"type": "string"}, "calls": _COUNT, "reads": _COUNT}
    limit: Schema = {
        "covers": {"enum": [covers.value for covers in Covers]},
        "per": {"type": "string", "description": "Whose requests are counted together."},
        "perAccount": {"type": "boolean"},
        "calls": {"type": ["integer", "null"], "description": "null: not documented."},
        "seconds": _COUNT,
        "source": {"type": "string", "description": "The page that states it."},
        "note": _TEXT_OR_NULL,
    }
    return {
        "type": "object",
        "properties": {
            "connection": {"type": "string"},
            "platform": {"type": "string"},
            "calls": {**_COUNT, "description": "Requests that change something, exactly."},
            "reads": {**_COUNT, "description": "Requests that look before and after, about."},
            "minutes": {
                "type": ["number", "null"],
                "description": "How long the documented short limits make it take; null: none is documented.",
            },
            "accounts": {"type": "array", "items": {"type": "object", "properties": load, "required": list(load)}},
            "limits": {"type": "array", "items": {"type": "object", "properties": limit, "required": list(limit)}},
        },
        "required": ["connection", "platform", "calls", "reads", "minutes", "accounts", "limits"],
    }


def _policy() -> Schema:
    properties: Schema = {
        "name": {"type": "string"},
        "message": {"type": "string"},
        "blocks": {"type": "boolean", "description": "Whether it blocks the change; otherwise it is a warning."},
        "overriddenBy": {"enum": ["label", "flag", None], "description": "Who set it aside; null: nobody."},
        "reason": {**_TEXT_OR_NULL, "description": "Why it was set aside."},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _quota() -> Schema:
    properties: Schema = {
        "connection": {"type": "string"},
        "what": {"type": "string"},
        "limit": _COUNT,
        "left": _COUNT,
        "resetsAt": _TIME_OR_NULL,
        "covers": {"enum": [covers.value for covers in Covers]},
        "account": {"type": "string", "description": "The ad account it is of; empty: all."},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
