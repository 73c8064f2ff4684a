"""
Which group of a manifest is which group on X.

Groups have server-made ids, which a manifest does not state. What is tied wrongly would still end at the wanted state,
but rename and refill groups to get there; so the firmest sign goes first: the recorded id, a unique name, the entities,
and position only when nothing else is left and no group came or went (page: groups are matched by id, else by name,
else by entities; their order is not a change).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.platforms.base import Pairing

Group = Mapping[str, Any]


def pair_groups(
    desired: Sequence[Group],
    live: Sequence[Group],
    *,
    applied: Sequence[Group] = (),
    applied_ids: Sequence[str] = (),
    live_ids: Sequence[str] = (),
) -> Pairing:
    """
    Give pairs of indexes into `desired` and `live`: the manifest's order first, then what only live has.

    Where ids are recorded, a desired group is tied to the applied group that it was, and through that one's id to live.
    What is left after that is tied by name, by entities, and by position.
    """
    ties: dict[int, int] = {}
    if len(applied_ids) == len(applied) and len(live_ids) == len(live):
        place = {group_id: index for index, group_id in enumerate(live_ids)}
        for wanted, recorded in _tie(desired, applied).items():
            found = place.get(applied_ids[recorded])
            if found is not None:
                ties[wanted] = found
    ties = _tie(desired, live, ties)
    paired = tuple((index, ties.get(index)) for index in range(len(desired)))
    taken = set(ties.values())
    return paired + tuple((None, index) for index in range(len(live)) if index not in taken)


def _tie(left: Sequence[Group], right: Sequence[Group], known: Mapping[int, int] | None = None) -> dict[int, int]:
    """Extend known ties by unique name, then by equal and by largest shared entities, then by position."""
    ties = dict(known or {})
    _tie_by_name(left, right, ties)
    _tie_by_entities(left, right, ties)
    if len(left) == len(right):
        ties.update(zip(_free(left, ties), _free(right, ties.values()), strict=True))
    return ties


def _tie_by_name(left: Sequence[Group], right: Sequence[Group], ties: dict[int, int]) -> None:
    ours = Counter(group.get("name") for group in left)
    theirs = Counter(group.get("name") for group in right)
    place = {group.get("name"): index for index, group in enumerate(right)}
    free = set(_free(right, ties.values()))
    for index in _free(left, ties):
        name = left[index].get("name")
        if name is not None and ours[name] == theirs[name] == 1 and place[name] in free:
            ties[index] = place[name]


def _tie_by_entities(left: Sequence[Group], right: Sequence[Group], ties: dict[int, int]) -> None:
    ours = {index: set(left[index].get("entity_ids") or ()) for index in _free(left, ties)}
    theirs = {index: set(right[index].get("entity_ids") or ()) for index in _free(right, ties.values())}
    shared = [
        (ours[one] != theirs[other], -len(ours[one] & theirs[other]), one, other)
        for one in ours
        for other in theirs
        if ours[one] & theirs[other]
    ]
    taken: set[int] = set(ties.values())
    for _, _, one, other in sorted(shared):
        if one not in ties and other not in taken:
            ties[one] = other
            taken.add(other)


def _free(groups: Sequence[Group], taken: Any) -> list[int]:
    used = set(taken)
    return [index for index in range(len(groups)) if index not in used]
