"""The answers of `reconciler explain` as JSON values, for editors and other programs."""

from __future__ import annotations

from typing import Any

from reconciler.model.diagnostic import Rule
from reconciler.model.kind import Cell, Field
from reconciler.platforms.base import Kind
from reconciler.report.moves import births_of, moves_of
from reconciler.report.rule_fields import fields_of, rules_of
from reconciler.report.source_pages import pages_of
from reconciler.report.topics import (
    Envelope,
    EnvelopeRow,
    EveryKind,
    OneAdvice,
    OneField,
    OneKind,
    OneRule,
    Topic,
    envelope_rows,
)

JsonObject = dict[str, Any]


def explain_json(topic: Topic) -> JsonObject:
    """Give the answer to a question as one JSON object; `topic` says what it is about."""
    match topic:
        case EveryKind(kinds):
            return {"topic": "kinds", "kinds": [_kind_head(kind) for kind in kinds], "envelope": _envelope_rows()}
        case OneKind(kind):
            return {
                "topic": "kind",
                **_kind_head(kind),
                "fields": [_field(kind, row) for row in kind.fields],
                "transitions": _moves(kind),
                "rules": [_rule(kind, rule) for rule in kind.rules],
                "envelope": _envelope_rows(),
            }
        case OneField(kind, path, field, inside):
            about = _field(kind, field) if field else {"path": path}
            moves = _moves(kind) if path == kind.lifecycle_field else []
            rules = [_rule(kind, rule) for rule in rules_of(kind, path)] if field else []
            names = [row.path for row in inside]
            return {
                "topic": "field",
                "kind": kind.name,
                **about,
                "transitions": moves,
                "rules": rules,
                "inside": names,
            }
        case OneRule(kind, rule):
            return {"topic": "rule", "kind": kind.name, **_rule(kind, rule)}
        case OneAdvice(rule):
            rows_of = {"id": rule.id, "severity": rule.severity.value, "title": rule.title, "fix": rule.fix}
            return {"topic": "advice", **rows_of, "source": rule.source}
        case Envelope(path, rows):
            return {"topic": "envelope", "path": path, "keys": [_envelope_row(row) for row in rows]}


def _kind_head(kind: Kind) -> JsonObject:
    return {
        "kind": kind.name,
        "platform": kind.platform,
        "summary": kind.summary,
        "statusField": kind.status_field,
        "statuses": list(kind.statuses),
    }


def _field(kind: Kind, field: Field) -> JsonObject:
    return {
        "path": field.path,
        "type": field.type,
        "meaning": field.meaning,
        "limits": field.limits,
        "required": field.required,
        "default": field.default,
        "clearable": field.clearable,
        "setLike": field.set_like,
        "source": field.source,
        "pages": dict(pages_of(kind, [field.source])),
        "change": [
            {"status": status, **_cell(field.cell(status)), "spoilsComparison": status in field.spoils_in}
            for status in kind.statuses
        ],
    }


def _cell(cell: Cell) -> JsonObject:
    return {"verdict": cell.verdict.value, "evidence": cell.evidence.value, "note": cell.note}


def _moves(kind: Kind) -> list[JsonObject]:
    rows: list[JsonObject] = [
        {
            "statuses": list(row.statuses),
            "now": list(row.currents),
            "wanted": list(row.wanted),
            **_cell(row.cell),
        }
        for row in moves_of(kind)
    ]
    return rows + [{"created": item.wanted, "allowed": item.allowed, "note": item.note} for item in births_of(kind)]


def _rule(kind: Kind, rule: Rule) -> JsonObject:
    return {
        "id": rule.id,
        "severity": rule.severity.value,
        "title": rule.title,
        "fix": rule.fix,
        "source": rule.source,
        "pages": dict(pages_of(kind, [rule.source])),
        "fields": list(fields_of(kind, rule)),
    }


def _envelope_rows() -> list[JsonObject]:
    return [_envelope_row(row) for row in envelope_rows()]


def _envelope_row(row: EnvelopeRow) -> JsonObject:
    return {
        "path": row.path,
        "type": row.type,
        "meaning": row.meaning,
        "limits": row.limits,
        "required": row.required,
        "default": row.default or None,
    }
