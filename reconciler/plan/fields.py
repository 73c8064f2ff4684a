"""
What differs between a manifest and a live experiment, field by field, and what the whole should look like afterwards.

The comparison is three-way: a key that the manifest states is compared with live; one that it no longer states but
stated when last applied is cleared; one that nobody ever stated is left alone. Lists of objects are first tied item to
item (`Kind.pair`), so that a list's order and the keys that the platform adds never look like a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.model.change import FieldChange
from reconciler.model.kind import template
from reconciler.model.resource import Live, Record, Spec
from reconciler.platforms.base import Kind

ID = "#id"
"""The key under which a merged list item carries its server-made id."""

EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What a manifest changes on a live experiment.

    `target` is live with the wanted changes laid over it (None: cleared); where there are changes, list items that live
    has carry their server-made id under `"#id"` where the platform has one. `released` are paths that the manifest no
    longer states and that the platform has no way to clear: they are left as they are.
    """

    changes: tuple[FieldChange, ...]
    target: Spec
    released: tuple[str, ...] = ()


@dataclass
class _Sides:
    """The walk's context: the kind, its list templates, and what is collected on the way."""

    kind: Kind
    ignored: frozenset[str]
    applied_ids: Mapping[str, Sequence[str]]
    live_ids: Mapping[str, Sequence[str]]
    lists: frozenset[str]
    changes: list[FieldChange] = field(default_factory=list)
    released: list[str] = field(default_factory=list)


def list_templates(kind: Kind) -> frozenset[str]:
    """Give the template paths of a kind's lists of objects: `cohorts`, `cohorts[].attributeValues`."""
    return _list_templates(type(kind))


@cache
def _list_templates(kind: type[Kind]) -> frozenset[str]:
    found: set[str] = set()
    for path in kind.field_index():
        head = path
        while "[]" in head:
            head = head[: head.rindex("[]")]
            found.add(head)
    return frozenset(found)


def difference(
    kind: Kind,
    desired: Spec,
    live: Live,
    *,
    record: Record | None = None,
    ignored: Sequence[str] = (),
) -> Difference:
    """
    Give what `desired` changes on `live`, and the whole spec as it shall be.

    A field that the platform stored differently from what was applied is no change until either side moves.
    """
    if record is not None and not ignored and _is_as_applied(desired, live, record):
        return Difference((), live.spec)
    sides = _Sides(
        kind,
        frozenset(ignored),
        applied_ids=record.children if record else EMPTY,
        live_ids=live.children,
        lists=list_templates(kind),
    )
    applied = record.applied if record else {}
    observed = record.observed if record else {}
    settled = _stored_differently(kind, desired, live, record, sides)
    stated = {key: value for key, value in desired.items() if key not in settled}
    before = {key: value for key, value in observed.items() if key not in settled and key in applied}
    target = _object(sides, "", "", stated, before, live.spec)
    return Difference(tuple(sides.changes), target, tuple(sides.released))


def _is_as_applied(desired: Spec, live: Live, record: Record) -> bool:
    """
    Tell at sight that nothing differs: the manifest is as applied, and live shows each of its values in its place.

    Most experiments of most plans; False only means that a closer look is needed.
    """
    return (
        not record.stored
        and (desired is record.applied or desired == record.applied)
        and all(live.children.get(name) == ids for name, ids in record.children.items())
        and _holds(live.spec, desired)
    )


def _holds(live: Any, wanted: Any) -> bool:
    """Tell whether live shows every stated value at the same place, of the same type."""
    if live is wanted:
        return True
    shape = type(wanted)
    if shape is not type(live):
        return False
    if shape is dict:
        return all(key in live and _holds(live[key], value) for key, value in wanted.items())
    if shape is list:
        return len(live) == len(wanted) and all(map(_holds, live, wanted))
    return bool(live == wanted)


def same_spec(kind: Kind, left: Spec, right: Spec) -> bool:
    """Tell whether two canonical specs state the same keys with the same meaning."""
    if left is right or left == right:
        return True
    if {k for k, v in left.items() if v is not None} != {k for k, v in right.items() if v is not None}:
        return False
    keys = [key for key in {**left, **right} if left.get(key) != right.get(key)]  # keys are told apart one by one
    left, right = ({key: side[key] for key in keys if key in side} for side in (left, right))
    for one, other in ((left, right), (right, left)):  # both ways: a nested key may be stated on one side alone
        sides = _Sides(kind, frozenset(), EMPTY, EMPTY, list_templates(kind))
        _object(sides, "", "", one, {}, other)
        if sides.changes:
            return False
    return True


def stated_fields(kind: Kind, spec: Spec) -> tuple[FieldChange, ...]:
    """Give every stated leaf of a spec as a change from nothing, as a create shows it; explicit nulls are left out."""
    lists = list_templates(kind)

    def walk(path: str, value: Any) -> Iterator[FieldChange]:
        shape = template(path)
        if isinstance(value, list) and shape in lists:
            for index, item in enumerate(value):
                yield from walk(f"{path}[{index}]", item)
        elif isinstance(value, Mapping) and (shape.endswith("[]") or shape not in kind.field_index()):
            for key, inner in value.items():
                yield from walk(f"{path}.{key}", inner)
        elif value is not None:
            yield FieldChange(path, None, value)

    return tuple(change for key, value in spec.items() for change in walk(key, value))


def stored_differently(kind: Kind, spec: Spec, live: Live) -> Spec:
    """Give, by top-level key, what live shows where that is not what was sent; empty when all was taken as is."""
    sides = _Sides(kind, frozenset(), EMPTY, live.children, list_templates(kind))
    _object(sides, "", "", spec, {}, live.spec)
    tops = {change.path.split(".", 1)[0].split("[", 1)[0] for change in sides.changes}
    return {top: live.spec.get(top) for top in sorted(tops)}


def recorded_children(kind: Kind, spec: Spec, live: Live) -> dict[str, tuple[str, ...]]:
    """Give the server-made ids of list items in the order of `spec`'s own lists ("" where live has no such item)."""
    children: dict[str, tuple[str, ...]] = {}
    for name, ids in live.children.items():
        items, live_items = spec.get(name), live.spec.get(name)
        if not isinstance(items, list) or not isinstance(live_items, list):
            continue
        pairs = kind.pair(name, items, live_items, live_ids=ids)
        by_item = {mine: theirs for mine, theirs in pairs if mine is not None}
        children[name] = tuple(
            ids[at] if (at := by_item.get(index)) is not None and at < len(ids) else "" for index in range(len(items))
        )
    return children


# --- the walk --------------------------------------------------------------------------------------------------------


def _stored_differently(kind: Kind, desired: Spec, live: Live, record: Record | None, sides: _Sides) -> frozenset[str]:
    """Give the top-level keys whose live value is the platform's own spelling of what is still wanted."""
    if record is None or not record.stored:
        return frozenset()
    settled = set()
    for key, stored in record.stored.items():
        if key not in desired or key not in record.applied:
            continue
        wanted = same_spec(kind, {key: desired[key]}, {key: record.applied[key]})
        if wanted and same_spec(kind, {key: stored}, {key: live.spec.get(key)}):
            settled.add(key)
    return frozenset(settled)


def _object(
    sides: _Sides,
    shape: str,
    path: str,
    desired: Mapping[str, Any],
    applied: Mapping[str, Any],
    live: Mapping[str, Any],
) -> dict[str, Any]:
    """Compare the keys of one object and give the merged object."""
    merged = dict(live)
    for key, wanted in desired.items():
        inner_shape, inner = _join(shape, key), _join(path, key)
        if inner_shape in sides.ignored:
            continue
        merged[key] = _value(sides, inner_shape, inner, wanted, key in applied, applied.get(key), live.get(key))
    for key, was in applied.items():
        inner_shape, inner = _join(shape, key), _join(path, key)
        if key in desired or was is None or inner_shape in sides.ignored:
            continue
        now = live.get(key)
        if _nothing(now):
            continue
        if _clearable(sides.kind, inner_shape):
            drifted = not _same(sides, inner_shape, was, now)
            sides.changes.append(FieldChange(inner, now, None, drifted))
            merged[key] = None
        else:
            sides.released.append(inner)
    return merged


def _value(sides: _Sides, shape: str, path: str, wanted: Any, stated: bool, was: Any, now: Any) -> Any:
    """Compare one stated value with live and give the merged one (live's own spelling where they mean the same)."""
    if wanted is None:
        if _nothing(now):
            return now
        sides.changes.append(FieldChange(path, now, None, stated and not _same(sides, shape, was, now)))
        return None
    if shape in sides.lists and isinstance(wanted, list):
        if _list_is_as_applied(sides, path, wanted, was, now):
            return _with_ids(now, sides.live_ids.get(path, ()))
        return _list(sides, shape, path, wanted, was, now)
    if isinstance(wanted, Mapping) and shape not in sides.kind.field_index():
        return _object(
            sides,
            shape,
            path,
            wanted,
            was if isinstance(was, Mapping) else EMPTY,
            now if isinstance(now, Mapping) else EMPTY,
        )
    if sides.kind.same(shape, wanted, now):
        return now
    sides.changes.append(FieldChange(path, now, wanted, stated and not _same(sides, shape, was, now)))
    return wanted


def _list_is_as_applied(sides: _Sides, path: str, wanted: list[Any], was: Any, now: Any) -> bool:
    """
    Tell at sight that nothing differs in a list: stated as applied, and live shows each item in its place.

    What most lists of most updates are; False only means that the items have to be tied to each other.
    """
    as_recorded = wanted == was and sides.applied_ids.get(path, ()) == sides.live_ids.get(path, ())
    return as_recorded and _holds(now, wanted)


def _with_ids(items: list[Any], ids: Sequence[str]) -> list[Any]:
    known = dict(enumerate(ids))
    return [{**item, ID: known[at]} if known.get(at) else dict(item) for at, item in enumerate(items)]


def _list(sides: _Sides, shape: str, path: str, wanted: list[Any], was: Any, now: Any) -> list[Any]:
    """Compare a list of objects item by item and give the merged list."""
    was_items = was if isinstance(was, list) else []
    now_items = now if isinstance(now, list) else []
    live_ids = sides.live_ids.get(path, ())
    applied_ids = sides.applied_ids.get(path, ())
    pairs = sides.kind.pair(shape, wanted, now_items, applied=was_items, applied_ids=applied_ids, live_ids=live_ids)
    before = {
        mine: was_items[theirs]
        for mine, theirs in (sides.kind.pair(shape, wanted, was_items) if was_items else ())
        if mine is not None and theirs is not None
    }
    was_live = {
        theirs: True
        for mine, theirs in (
            sides.kind.pair(shape, was_items, now_items, applied=was_items, applied_ids=applied_ids, live_ids=live_ids)
            if was_items and now_items
            else ()
        )
        if mine is not None and theirs is not None
    }
    merged: dict[int, Any] = {}
    origin: dict[int, int] = {}
    for mine, theirs in pairs:
        if mine is not None and theirs is not None:
            item = _object(
                sides, f"{shape}[]", f"{path}[{mine}]", wanted[mine], before.get(mine, EMPTY), now_items[theirs]
            )
            if theirs < len(live_ids) and live_ids[theirs]:
                item[ID] = live_ids[theirs]
            merged[mine], origin[mine] = item, theirs
        elif mine is not None:
            sides.changes.append(FieldChange(f"{path}[{mine}]", None, wanted[mine], drifted=mine in before))
            merged[mine] = dict(wanted[mine])
        elif theirs is not None:
            drifted = bool(was_items) and theirs not in was_live
            sides.changes.append(FieldChange(f"{path}[{theirs}]", now_items[theirs], None, drifted))
    order = sorted(merged)
    if len(origin) == len(now_items) == len(merged):
        order.sort(key=lambda mine: origin[mine])
    return [merged[mine] for mine in order]


def _same(sides: _Sides, shape: str, left: Any, right: Any) -> bool:
    """Tell whether two values of any shape mean the same, without collecting changes."""
    if left == right and type(left) is type(right):
        return True
    probe = _Sides(sides.kind, frozenset(), EMPTY, EMPTY, sides.lists)
    _value(probe, shape, shape, left, False, None, right)
    return not probe.changes


def _clearable(kind: Kind, shape: str) -> bool:
    index = kind.field_index()
    row = index.get(shape) or index.get(f"{shape}[]")
    return row is not None and row.clearable


def _nothing(value: Any) -> bool:
    """Absent, null, empty text and an empty list are one thing on the platforms' side."""
    return value is None or value == "" or value == [] or value == {}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
