"""
What the emulator's rows say, read without any of the tool's own code: the oracle that the invariants rely on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
BOOKKEEPING = frozenset({
    "created", "lastModified", "created_at", "updated_at", "created_by", "updated_by", "createdDate",
    "lastModifiedDate", "createdBy", "lastModifiedBy", "endedAt", "startedDate", "stoppedDate",
    "lastAnalyzed", "_startedAt", "_launchedAt", "createdById", "lastModifiedById",
})  # fmt: skip
"""What a platform notes by itself about who moved what when."""


def over(platform: str, row: Row | None) -> bool:
    """Tell whether an experiment can never run again: it is gone, ended, completed or archived."""
    if row is None or row.get("deleted"):
        return True
    return row.get("executionState") == "ENDED" or row.get("status") == "COMPLETED" or row.get("state") == "Archived"


def begun(platform: str, row: Row) -> bool:
    """Tell whether people are being assigned, or have been and may be again."""
    if platform == "linkedin":
        return row["executionState"] in ("RUNNING", "ON_HOLD", "STOPPED")
    return row["status"] == "LIVE" if platform == "x-ads" else row["state"] == "Started"


def unlike(platform: str, spec: Row, row: Row, ignored: Iterable[str] = ()) -> list[str]:
    """Give the stated fields of a manifest that a row does not show as wanted."""
    stated = {key: value for key, value in spec.items() if key not in set(ignored)}
    if platform == "linkedin":
        return _linkedin(stated, row)
    return _x_ads(stated, row) if platform == "x-ads" else _salesforce(stated, row)


def _nothing(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _plain(stated: Row, shown: Row, prefix: str = "") -> list[str]:
    return [
        prefix + key
        for key, wanted in stated.items()
        if wanted != shown.get(key) and not (_nothing(wanted) and _nothing(shown.get(key)))
    ]


def _instant(text: Any) -> float:
    return datetime.fromisoformat(text).timestamp()


def _linkedin(stated: Row, row: Row) -> list[str]:
    flat = {key: value for key, value in stated.items() if key != "cells"}
    for key in ("scheduledStartAt", "scheduledEndAt"):
        if key in flat:
            flat[key] = int(_instant(flat[key]) * 1000)
    found = _plain(flat, row)
    cells = {cell["reference"]["campaign"]: cell for cell in row["cells"]}
    for wanted in stated.get("cells", ()):
        campaign = wanted["reference"]["campaign"]
        found += _plain(wanted, cells[campaign], "cells.") if campaign in cells else ["cells.reference.campaign"]
    return found


def _x_ads(stated: Row, row: Row) -> list[str]:
    flat = {key: value for key, value in stated.items() if key != "user_groups"}
    shown = dict(row)
    for key in ("start_time", "end_time"):
        if key in flat:
            flat[key], shown[key] = _instant(flat[key]), _instant(shown[key])
    found = _plain(flat, shown)
    groups = {tuple(sorted(group["entity_ids"])): group for group in row["user_groups"]}
    wanted_groups = stated.get("user_groups")
    if wanted_groups is None:
        return found
    if len(wanted_groups) != len(groups):
        found.append("user_groups")
    for wanted in wanted_groups:
        group = groups.get(tuple(sorted(wanted["entity_ids"])))
        if group is None:
            found.append("user_groups.entity_ids")
            continue
        if Decimal(str(wanted["size"])) != Decimal(str(group["size"])):
            found.append("user_groups.size")
        words = {key: wanted[key] for key in ("name", "description") if key in wanted}
        found += _plain(words, group, "user_groups.")
    return found


def _salesforce(stated: Row, row: Row) -> list[str]:
    flat = {key: value for key, value in stated.items() if key not in ("cohorts", "criteria", "secondaryMetrics")}
    found = _plain(flat, row)
    if "criteria" in stated:
        shown = row.get("criteria")
        parsed = json.loads(shown) if isinstance(shown, str) and shown else shown
        if parsed != stated["criteria"] and not (_nothing(parsed) and stated["criteria"] is None):
            found.append("criteria")
    for name in ("cohorts", "secondaryMetrics"):
        if name not in stated:
            continue
        key = "name" if name == "cohorts" else "metricName"
        items = {item[key]: item for item in row.get(name) or ()}
        wanted_items = stated[name] or []
        if len(items) != len(wanted_items):
            found.append(name)
        for wanted in wanted_items:
            item = items.get(wanted[key])
            if item is None:
                found.append(f"{name}.{key}")
                continue
            inner = {each: value for each, value in wanted.items() if each != "attributeValues"}
            found += _plain(inner, item, f"{name}.")
            if "attributeValues" in wanted:
                pairs = {(each.get("attributeName"), each["value"]) for each in wanted["attributeValues"] or ()}
                seen = {(each.get("attributeName"), each["value"]) for each in item.get("attributeValues") or ()}
                found += ["cohorts.attributeValues"] if pairs != seen else []
    return found


def settled(value: Any) -> Any:
    """Give a row without what the platform notes by itself, to compare two outcomes by."""
    if isinstance(value, dict):
        return {key: settled(inner) for key, inner in value.items() if key not in BOOKKEEPING}
    return [settled(inner) for inner in value] if isinstance(value, list) else value


def untold(platform: str, told: Iterable[Row], before: Row, after: Row) -> list[str]:
    """
    Give the writable fields that moved from `before` to `after` though none of the specs `told` states them.

    Items of lists are told apart by campaign, entities or name.
    """
    specs = list(told)
    moved = []
    lists = {"cells": _campaign_of, "user_groups": _entities_of, "cohorts": _name_of, "secondaryMetrics": _metric_of}
    skipped = {
        *BOOKKEEPING,
        "id",
        "status",
        "executionState",
        "state",
        "_paused",
        "terminationReason",
        "_winnerStopped",
    }
    for key in sorted({*before, *after} - skipped):
        stated = any(key in spec for spec in specs)
        if key in lists and stated:
            mark = lists[key]
            old = {mark(item): item for item in before.get(key) or ()}
            items = [item for spec in specs for item in spec.get(key) or ()]
            for item in after.get(key) or ():
                was = old.get(mark(item))
                spoken = {name for each in items if mark(each) == mark(item) for name in each}
                if was is not None and spoken:
                    moved += [
                        f"{key}.{name}"
                        for name in ("name", "label", "description", "personalizerName", "isFallThrough")
                        if name not in spoken and was.get(name) != item.get(name)
                    ]
        elif not stated and before.get(key) != after.get(key):
            moved.append(key)
    return moved


def _campaign_of(item: Row) -> Any:
    return item["reference"]["campaign"]


def _entities_of(item: Row) -> Any:
    return tuple(sorted(item["entity_ids"]))


def _name_of(item: Row) -> Any:
    return item["name"]


def _metric_of(item: Row) -> Any:
    return item["metricName"]
