"""A list some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Give the items in their order, `size` at a time; the last ones may be fewer."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
