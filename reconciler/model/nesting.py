"""How deep JSON values from outside may go: what walks them later is recursive, and must not run out of stack."""

from __future__ import annotations

from typing import Any

DEEPEST = 100
"""Lists and objects inside each other; manifests go to 50, no page of a platform beyond 10."""


def members_within(value: Any, limit: int = DEEPEST) -> int | None:
    """
    Give how many members all objects of a JSON value have together; None when more than `limit` lists and objects stand
    inside each other. Needs no stack itself.
    """
    members = 0
    level: list[Any] = [value] if type(value) is dict or type(value) is list else []
    for _ in range(limit + 1):
        inner: list[Any] = []
        for outer in level:
            if type(outer) is dict:
                members += len(outer)
                outer = outer.values()
            inner += [each for each in outer if type(each) is dict or type(each) is list]
        if not inner:
            return members
        level = inner
    return None
