"""Records as JSON: camelCase keys, times in ISO 8601 with `Z` (to the millisecond), what is empty left out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from reconciler.model.resource import (
    DEFAULT_LIFECYCLE,
    NOTHING,
    Desired,
    Key,
    Lifecycle,
    OnImmutableChange,
    OnRemoval,
    Record,
)
from reconciler.model.sharing import equal_json
from reconciler.model.time import iso, parse_time
from reconciler.state.formats import Upgrade

_KEYS = frozenset(
    {
        "platform",
        "connection",
        "remoteId",
        "applied",
        "stored",
        "children",
        "lifecycle",
        "status",
        "createdAt",
        "intentAt",
        "inflight",
        "predecessors",
    }
)
_LIFECYCLE_KEYS = frozenset({"onImmutableChange", "onRemoval", "preventDestroy", "ignoreChanges"})


class WrongShape(ValueError):
    """A JSON value is not what is written here; says where and what."""


def record_to_json(record: Record) -> dict[str, Any]:
    """Give the JSON form of a record, its key left out: that is where it stands."""
    values: dict[str, Any] = {
        "platform": record.platform,
        "connection": record.connection,
        "remoteId": record.remote_id,
        "applied": record.applied,
        "stored": record.stored,
        "children": {name: list(ids) for name, ids in record.children.items()},
        "lifecycle": _lifecycle_to_json(record.lifecycle),
        "status": record.status,
        "createdAt": iso(record.created_at) if record.created_at else None,
        "intentAt": iso(record.intent_at) if record.intent_at else None,
        "inflight": record.inflight,
        "predecessors": list(record.predecessors),
    }
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def record_from_json(key: Key, values: Any, upgrade: Upgrade = dict, wanted: Desired | None = None) -> Record:
    """
    Read the JSON form of a record; raises WrongShape, also for keys that this version does not know.

    `upgrade` makes the values of an earlier format into today's. A record that states what the manifest `wanted` does
    shares its spec.
    """
    where = str(key)
    known = upgrade(_object(values, where))
    _only(known, _KEYS, where)
    created, intent = known.get("createdAt"), known.get("intentAt")
    applied = _object(known.get("applied", {}), where, "applied")
    return Record(
        key=key if wanted is None else wanted.key,
        platform=sys.intern(_text(known, "platform", where)),
        connection=sys.intern(_text(known, "connection", where)),
        remote_id=_text(known, "remoteId", where),
        applied=wanted.spec if wanted is not None and equal_json(applied, wanted.spec) else applied,
        stored=_object(known.get("stored", NOTHING), where, "stored"),
        children=_children(known["children"], f"{where}: children") if "children" in known else NOTHING,
        lifecycle=_lifecycle(known["lifecycle"], f"{where}: lifecycle") if "lifecycle" in known else DEFAULT_LIFECYCLE,
        status=sys.intern(_text(known, "status", where)),
        created_at=None if created is None else _time(created, f"{where}: createdAt"),
        intent_at=None if intent is None else _time(intent, f"{where}: intentAt"),
        inflight=_text(known, "inflight", where),
        predecessors=_texts(known["predecessors"], f"{where}: predecessors") if "predecessors" in known else (),
    )


def key_from_json(text: Any) -> Key:
    """Read a key; raises WrongShape."""
    try:
        return Key.parse(text if isinstance(text, str) else repr(text))
    except ValueError as error:
        raise WrongShape(str(error)) from None


def _lifecycle_to_json(lifecycle: Lifecycle) -> dict[str, Any]:
    default = DEFAULT_LIFECYCLE
    values = {
        "onImmutableChange": (lifecycle.on_immutable_change.value, default.on_immutable_change.value),
        "onRemoval": (lifecycle.on_removal.value, default.on_removal.value),
        "preventDestroy": (lifecycle.prevent_destroy, default.prevent_destroy),
        "ignoreChanges": (list(lifecycle.ignore_changes), list(default.ignore_changes)),
    }
    return {name: value for name, (value, usual) in values.items() if value != usual}


def _lifecycle(values: Any, where: str) -> Lifecycle:
    known = _object(values, where)
    _only(known, _LIFECYCLE_KEYS, where)
    prevent = known.get("preventDestroy", False)
    if not isinstance(prevent, bool):
        raise WrongShape(f"{where}: preventDestroy is not true or false")
    try:
        return Lifecycle(
            on_immutable_change=OnImmutableChange(known.get("onImmutableChange", OnImmutableChange.BLOCK)),
            on_removal=OnRemoval(known.get("onRemoval", OnRemoval.END)),
            prevent_destroy=prevent,
            ignore_changes=_texts(known.get("ignoreChanges", []), f"{where}: ignoreChanges"),
        )
    except WrongShape:
        raise
    except ValueError as error:
        raise WrongShape(f"{where}: {error}") from None


def _only(values: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    if not values.keys() <= known:
        unknown = sorted(values.keys() - known)
        raise WrongShape(f"{where}: the key {unknown[0]!r} is not known to this version; use the version that wrote it")


def _object(value: Any, where: str, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongShape(f"{where}: {name} is not an object" if name else f"{where} is not an object")
    return value


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise WrongShape(f"{where}: {name} is not text")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongShape(f"{where} is not a list of texts")
    return tuple(value)


def _children(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    return {name: _texts(ids, f"{where}: {name}") for name, ids in _object(value, where).items()}


def _time(value: Any, where: str) -> Any:
    try:
        return parse_time(value if isinstance(value, str) else repr(value))
    except ValueError as error:
        raise WrongShape(f"{where}: {error}") from None
