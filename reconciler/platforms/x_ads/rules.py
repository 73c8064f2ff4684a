"""X's rules past the shape of a manifest, each as data with its source, and the checks that need no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from reconciler.model.diagnostic import Finding, Rule, Severity
from reconciler.model.resource import Desired, Key, Spec
from reconciler.model.time import iso, parse_time
from reconciler.platforms.x_ads.facts import (
    ASSUMED,
    GUIDE,
    LINE_ITEM,
    MAX_GROUPS_LINE_ITEM,
    MIN_DURATION,
    MIN_DURATION_APP,
    SEED,
    SIZE_STEP,
    SIZE_SUM,
    TIMES,
    USER_GROUPS,
)

SIZES_ADD_UP: Final = Rule(
    "XAD001", "sizes add up to 100.00", SEED, "change sizes until all groups together have exactly 100.00"
)
GROUPS_DISJOINT: Final = Rule(
    "XAD002",
    "an entity is in one group only",
    f"{GUIDE}; that it holds between groups of one test: {ASSUMED}",
    "take it out of all groups but one",
)
LISTED_TWICE: Final = Rule(
    "XAD003", "an entity is listed once in its group", ASSUMED, "take out the second mention", Severity.WARNING
)
ONE_LINE_ITEM: Final = Rule("XAD004", "a group of line items has exactly one", GUIDE, "give each group one line item")
FEW_LINE_ITEM_GROUPS: Final = Rule(
    "XAD005",
    f"at most {MAX_GROUPS_LINE_ITEM} groups of line items",
    GUIDE,
    f"use at most {MAX_GROUPS_LINE_ITEM} groups, or test campaigns",
)
EQUAL_LINE_ITEMS: Final = Rule(
    "XAD006",
    "groups of line items are equally large",
    f"{GUIDE}; 33.33, 33.33, 33.34 for three groups: {ASSUMED}",
    "give all groups the same size (three groups: 33.33, 33.33, 33.34)",
)
END_AFTER_START: Final = Rule("XAD007", "end_time is after start_time", GUIDE, "move end_time or start_time")
LONG_ENOUGH: Final = Rule(
    "XAD008", "a test lasts at least 1 day", GUIDE, "make end_time at least 1 day after start_time"
)
LONG_ENOUGH_FOR_APPS: Final = Rule(
    "XAD009",
    "a test of app-based campaigns lasts at least 5 days",
    GUIDE,
    "make end_time at least 5 days after start_time, unless none of the campaigns is app-based",
    Severity.WARNING,
)
ON_THE_HOUR: Final = Rule(
    "XAD010",
    "times are on the hour",
    f"{TIMES}; that it holds for A/B tests: {ASSUMED}",
    "use a whole hour, as every example of X does",
    Severity.WARNING,
)
ONE_TEST: Final = Rule(
    "XAD011", "an entity is in one A/B test only", SEED, "take the entity out of all manifests but one"
)
START_AHEAD: Final = Rule(
    "XAD012",
    "start_time is in the future when a test is made or its start changes",
    f"{GUIDE}; for a change: {ASSUMED}",
    "set a later start_time",
)
END_AHEAD: Final = Rule(
    "XAD013",
    "end_time is in the future when a test is made or its end changes",
    f"{GUIDE}; for a change: {ASSUMED}",
    "set a later end_time",
)
WINDOW_OPEN: Final = Rule(
    "XAD014",
    "after start_time only end_time changes, after end_time nothing",
    SEED,
    "apply before that moment; afterwards only a new test can have other values (onImmutableChange: replace)",
)
START_MARGIN_KEPT: Final = Rule(
    "XAD015", "there is time left before start_time", ASSUMED, "set a later start_time", Severity.WARNING
)
NOT_SHORTENED: Final = Rule(
    "XAD016",
    "a running test is not shortened",
    ASSUMED,
    "keep the old end_time or a later one",
    Severity.WARNING,
)

RULES: Final = (
    SIZES_ADD_UP,
    GROUPS_DISJOINT,
    LISTED_TWICE,
    ONE_LINE_ITEM,
    FEW_LINE_ITEM_GROUPS,
    EQUAL_LINE_ITEMS,
    END_AFTER_START,
    LONG_ENOUGH,
    LONG_ENOUGH_FOR_APPS,
    ON_THE_HOUR,
    ONE_TEST,
    START_AHEAD,
    END_AHEAD,
    WINDOW_OPEN,
    START_MARGIN_KEPT,
    NOT_SHORTENED,
)


def check_spec(spec: Spec) -> Iterator[Finding]:
    """Give what one canonical spec breaks."""
    groups: Sequence[dict[str, Any]] = spec[USER_GROUPS]
    yield from _check_sizes(groups)
    yield from _check_entities(groups)
    if spec["entity_type"] == LINE_ITEM:
        yield from _check_line_items(groups)
    yield from _check_times(spec)


def _check_sizes(groups: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    total = sum((Decimal(group["size"]) for group in groups), Decimal(0))
    if total != SIZE_SUM:
        sizes = " + ".join(group["size"] for group in groups)
        yield Finding(SIZES_ADD_UP, (USER_GROUPS,), f"sizes add up to {total:.2f}, not {SIZE_SUM}: {sizes}")


def _check_entities(groups: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        for position, entity in enumerate(group["entity_ids"]):
            path = (USER_GROUPS, index, "entity_ids", position)
            holder = first.setdefault(entity, index)
            if holder != index:
                yield Finding(GROUPS_DISJOINT, path, f"{entity} is in user_groups[{holder}] already")
            elif entity in group["entity_ids"][:position]:
                yield Finding(LISTED_TWICE, path, f"{entity} is listed twice in user_groups[{index}]")


def _check_line_items(groups: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    for index, group in enumerate(groups):
        count = len(set(group["entity_ids"]))
        if count != 1:
            yield Finding(ONE_LINE_ITEM, (USER_GROUPS, index, "entity_ids"), f"the group has {count} line items, not 1")
    if len(groups) > MAX_GROUPS_LINE_ITEM:
        message = f"there are {len(groups)} groups of line items; X takes at most {MAX_GROUPS_LINE_ITEM}"
        yield Finding(FEW_LINE_ITEM_GROUPS, (USER_GROUPS,), message)
    sizes = [Decimal(group["size"]) for group in groups]
    if max(sizes) - min(sizes) > SIZE_STEP:
        shown = ", ".join(group["size"] for group in groups)
        yield Finding(EQUAL_LINE_ITEMS, (USER_GROUPS,), f"groups of line items have different sizes: {shown}")


def _check_times(spec: Spec) -> Iterator[Finding]:
    start, end = parse_time(spec["start_time"]), parse_time(spec["end_time"])
    if end <= start:
        yield Finding(END_AFTER_START, ("end_time",), f"end_time {iso(end)} is not after start_time {iso(start)}")
    elif end - start < MIN_DURATION:
        yield Finding(LONG_ENOUGH, ("end_time",), f"the test lasts {end - start}; X asks for at least 1 day")
    elif end - start < MIN_DURATION_APP:
        message = f"the test lasts {end - start}; X asks for at least 5 days where the campaigns are app-based"
        yield Finding(LONG_ENOUGH_FOR_APPS, ("end_time",), message)
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment.minute or moment.second:
            message = f"{name} {iso(moment)} is not on the hour; other X endpoints take whole hours only"
            yield Finding(ON_THE_HOUR, (name,), message)


def check_between(desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
    """
    Give a finding for each manifest that lists entities which an earlier manifest of the same account has.

    Windows do not matter: an entity can be in one test only, and no page says that a finished test frees it.
    """
    first: dict[tuple[str, str], Key] = {}
    for desired in desireds:
        account = desired.spec["account_id"]
        shared: dict[Key, list[tuple[int, int, str]]] = {}
        for index, group in enumerate(desired.spec[USER_GROUPS]):
            for position, entity in enumerate(group["entity_ids"]):
                holder = first.setdefault((account, entity), desired.key)
                if holder != desired.key:
                    shared.setdefault(holder, []).append((index, position, entity))
        for holder, places in shared.items():
            index, position, _ = places[0]
            names = ", ".join(dict.fromkeys(entity for _, _, entity in places))
            path = (USER_GROUPS, index, "entity_ids", position)
            yield desired.key, Finding(ONE_TEST, path, f"{names} of account {account} stands in {holder} too")
