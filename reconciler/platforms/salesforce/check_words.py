"""Checks that several parts of a spec share: text that is missing or too long, items that stand twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.diagnostic import Finding, PathTuple
from reconciler.platforms.salesforce import rules


def check_required(item: Mapping[str, Any], key: str, where: PathTuple) -> Iterator[Finding]:
    """Give a finding when required text is empty or blank (that it is there and is text, the schema sees to)."""
    value = item.get(key)
    if isinstance(value, str) and not value.strip():
        yield Finding(rules.EMPTY, (*where, key), f"{key} is empty")


def check_length(item: Mapping[str, Any], key: str, limit: int, where: PathTuple) -> Iterator[Finding]:
    """Give a finding when text has more characters than the platform stores."""
    value = item.get(key)
    if isinstance(value, str) and len(value) > limit:
        yield Finding(rules.TOO_LONG, (*where, key), f"{len(value)} characters; at most {limit} are stored")


def duplicates(
    items: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], tuple[Any, ...]]
) -> Iterator[tuple[int, int]]:
    """Give the index of each item whose key an earlier one has, with the first one's index."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(key(item), index)
        if first != index:
            yield index, first
