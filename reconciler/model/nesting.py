"""How deep JSON values from outside may go: what walks them later is recursive, and must not run out of stack."""

from __future__ import annotations

from typing import Any

DEEPEST = 100
"""Lists and objects inside each other; manifests go to 50, no page of a platform beyond 10."""


def too_deep(value: Any, limit: int = DEEPEST) -> bool:
    """Tell whether more than `limit` lists and mappings stand inside each other; needs no stack itself."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
