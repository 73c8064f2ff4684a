"""The record of what is managed: a table for `state list`, one record in full for `state show`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.resource import DEFAULT_LIFECYCLE, Record
from reconciler.model.time import iso
from reconciler.report.body import body_lines
from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.table import table_lines


def state_text(records: Iterable[Record]) -> str:
    """Give the records as a table by key; a sentence when there is none."""
    rows = [
        (str(item.key), item.connection, item.remote_id, item.status, _note(item))
        for item in sorted(records, key=lambda record: record.key)
    ]
    if not rows:
        return "Nothing is managed yet.\n"
    with_notes = any(row[-1] for row in rows)
    width = 5 if with_notes else 4
    header = ("KEY", "CONNECTION", "ID", "STATUS", "NOTE")[:width]
    return "\n".join(table_lines(header, [row[:width] for row in rows])) + "\n"


def record_text(record: Record, style: Style = PLAIN) -> str:
    """Give one record in full."""
    lines = [style.bold(clean(str(record.key)))]
    facts = {
        "platform": record.platform,
        "connection": record.connection,
        "id": record.remote_id or "(not known yet)",
        "status last seen": record.status,
        "created": iso(record.created_at) if record.created_at else "",
        "replaced": ", ".join(record.predecessors),
        "note": _note(record),
    }
    for name, ids in record.children.items():
        facts[f"ids of {name}"] = ", ".join(ids)
    if record.lifecycle != DEFAULT_LIFECYCLE:
        facts["lifecycle"] = _lifecycle(record)
    pad = max(len(name) for name in facts) + 2
    lines += [f"  {clean(f'{name}:').ljust(pad)}{clean(value)}" for name, value in facts.items() if value]
    lines += ["  applied:", *body_lines(record.applied, 4)]
    if record.stored:
        lines += ["  stored differently by the platform:", *body_lines(record.stored, 4)]
    return "\n".join(lines) + "\n"


def _note(record: Record) -> str:
    if record.intent_at is not None:
        return f"create begun at {iso(record.intent_at)}, answer not known: run apply again"
    if record.inflight:
        return "its last apply was interrupted: run apply again"
    return ""


def _lifecycle(record: Record) -> str:
    block = record.lifecycle
    parts = [f"onImmutableChange: {block.on_immutable_change.value}", f"onRemoval: {block.on_removal.value}"]
    parts += ["preventDestroy: true"] if block.prevent_destroy else []
    parts += [f"ignoreChanges: [{', '.join(block.ignore_changes)}]"] if block.ignore_changes else []
    return ", ".join(parts)
