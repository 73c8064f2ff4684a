"""
Formats of the state and its journal: those that are read, and how the records of an earlier one become today's.

A state of an earlier format is read as if it were of this one; the next write makes it so, with the earlier text kept
as the version before (a backup, the ref's history, the bucket's versions). One of a later format is refused unread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

FORMAT_VERSION = "1.0"
Upgrade = Callable[[Mapping[str, Any]], dict[str, Any]]
UPGRADES: dict[str, tuple[str, Upgrade]] = {}
"""For each earlier format the next one, and what makes a record's values of the one into those of the other."""


def upgrade_from(version: object) -> Upgrade:
    """
    Give what makes a record of a format into one of today's.

    Raises ValueError for a format that this version does not read, with what to do.
    """
    if version == FORMAT_VERSION:
        return dict
    steps: list[Upgrade] = []
    at = version
    while at != FORMAT_VERSION:
        if not isinstance(at, str) or at not in UPGRADES:
            later = _numbers(version) > _numbers(FORMAT_VERSION)
            advice = "it was written by a later version of reconciler: upgrade this one" if later else "restore it"
            raise ValueError(
                f"formatVersion {version!r} is not known to this version, which reads {FORMAT_VERSION!r}; {advice}"
            )
        at, step = UPGRADES[at]
        steps.append(step)

    def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
        for step in steps:
            values = step(values)
        return dict(values)

    return upgrade


def _numbers(version: object) -> tuple[int, ...]:
    parts = version.split(".") if isinstance(version, str) else []
    return tuple(int(part) for part in parts) if parts and all(map(_is_number, parts)) else ()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6
