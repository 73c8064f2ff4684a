"""
What changed inside one field: items of a list, inner paths of an object.

A scalar reads best as `before -> after`. For a list of ids the reviewer wants what comes and what goes, and for an
object only the paths that differ. Deepdiff finds those inside nested lists; it costs about a millisecond a call, so it
is asked only about the smallest subtrees that differ and that hold a list of objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.model.diagnostic import PathTuple


class _Missing:
    """There is no value on this side."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Detail:
    """
    One difference inside a field: `path` from the field on; MISSING where a side has none.

    `item` says that it is an item of the plain list at `path` (of the field itself when that is empty).
    """

    path: str
    before: Any
    after: Any
    item: bool = False


def inner_changes(before: Any, after: Any) -> tuple[Detail, ...]:
    """
    Give the differences inside two values of a field, in a stable order; empty where `before -> after` says it best.

    Lists of plain values are compared as bags (`Detail.path` empty, added or removed); a list in which only the order
    differs gives nothing, and neither do scalars or a value that comes or goes as a whole.
    """
    if _plain_list(before) and _plain_list(after):
        return tuple(_items("", before, after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return tuple(_object((), before, after))
    if _objects(before) and _objects(after):
        return tuple(_nested((), before, after))
    return ()


def _items(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Detail]:
    was = Counter(_token(item) for item in before)
    now = Counter(_token(item) for item in after)
    gone, new = was - now, now - was
    for item in before:
        if gone[_token(item)] > 0:
            gone[_token(item)] -= 1
            yield Detail(path, item, MISSING, item=True)
    for item in after:
        if new[_token(item)] > 0:
            new[_token(item)] -= 1
            yield Detail(path, MISSING, item, item=True)


def _object(path: PathTuple, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Detail]:
    for key in {**before, **after}:
        was, now = before.get(key, MISSING), after.get(key, MISSING)
        here = (*path, key)
        if _same(was, now):
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _object(here, was, now)
        elif _plain_list(was) and _plain_list(now) and (bag := list(_items(joined(here), was, now))):
            yield from bag
        elif _objects(was) and _objects(now):
            yield from _nested(here, was, now)
        else:
            yield Detail(joined(here), was, now)


def _nested(path: PathTuple, before: list[Any], after: list[Any]) -> Iterator[Detail]:
    """Give the differences of two lists that hold objects: by name where all have one, else by position."""
    named_before, named_after = _named(before), _named(after)
    if named_before is not None and named_after is not None:
        yield from _object(path, named_before, named_after)
        return
    from deepdiff import DeepDiff  # a quarter of a second to import: only when there is such a list

    found = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, ignore_order=False)
    levels = [level for group in found.values() for level in group]
    details = [
        Detail(
            joined((*path, *level.path(output_format="list"))),
            MISSING if _absent(level.t1) else level.t1,
            MISSING if _absent(level.t2) else level.t2,
        )
        for level in levels
    ]
    yield from sorted(details, key=lambda item: (_natural(item.path), isinstance(item.before, _Missing)))


def joined(path: PathTuple) -> str:
    """Give a path as people write it; an item found by its name is written `[name]`, as one found by position is."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += step if not text or step.startswith("[") else f".{step}"
    return text


def _named(items: list[Any]) -> dict[str, Any] | None:
    """Give a list of objects by their names, where each has one of its own."""
    by_name = {f"[{item['name']}]": item for item in items if isinstance(item, Mapping) and item.get("name")}
    return by_name if len(by_name) == len(items) else None


def _natural(path: str) -> tuple[tuple[int, int, str], ...]:
    parts = path.replace("]", "").replace("[", ".").split(".")
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _absent(value: Any) -> bool:
    return type(value).__name__ == "NotPresent"


def _token(item: Any) -> tuple[type, Any]:
    """One and True are equal to Python and two values to a platform."""
    return type(item), item


def _same(was: Any, now: Any) -> bool:
    return type(was) is type(now) and was == now and repr(was) == repr(now)


def _plain_list(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (Mapping, list)) for item in value)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value)
