"""Whom an experiment touches, in the words of its platform: account, campaigns, entities, cohorts, traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ACCOUNTS = (("account", "account"), ("account_id", "account"), ("dataSpaceName", "data space"))
"""The account field of each platform, and its word."""


def affected(spec: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give what a spec names, as a word and its values; words without a value are left out."""
    found = (
        *((word, _texts([spec.get(key)])) for key, word in _ACCOUNTS),
        ("campaigns", _texts(_path(cell, "reference", "campaign") for cell in _items(spec, "cells"))),
        (_entities(spec), _texts(entity for group in _items(spec, "user_groups") for entity in _list(group))),
        ("groups", _texts(group.get("name") for group in _items(spec, "user_groups"))),
        ("cohorts", _texts(cohort.get("name") for cohort in _items(spec, "cohorts"))),
    )
    return tuple((word, values) for word, values in found if values)


def _entities(spec: Mapping[str, Any]) -> str:
    known = {"LINE_ITEM": "line items", "CAMPAIGN": "campaigns", "FUNDING_INSTRUMENT": "funding instruments"}
    return known.get(str(spec.get("entity_type")), "entities")


def _items(spec: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    value = spec.get(key)
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _list(group: Mapping[str, Any]) -> list[Any]:
    value = group.get("entity_ids")
    return value if isinstance(value, list) else []


def _path(item: Any, *keys: str) -> Any:
    for key in keys:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


def _texts(values: Any) -> tuple[str, ...]:
    """Give the texts among values, each once, in order."""
    return tuple(dict.fromkeys(item for item in values if isinstance(item, str) and item))
