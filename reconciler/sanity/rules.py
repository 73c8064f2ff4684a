"""The rules SAN001 to SAN005: advice on an experiment that states a hypothesis; always a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush

from reconciler.model.diagnostic import Finding, Rule, Severity
from reconciler.model.resource import Desired, Key
from reconciler.platforms.base import ALWAYS, FOREVER, Kind
from reconciler.sanity.figures import DAY, Figures, figures, shares, wanted_ended, whole_weeks, window

KindOf = Callable[[Desired], Kind]
_SOURCE = "two-proportion formula (Fleiss, Statistical Methods for Rates and Proportions, section 4.3)"
_WASTE = 1.25
"""How many times the people of an equal split an unequal one may need before it is worth a word."""
_MOST_NAMED = 5
_MOST_KEPT = 50


def _rule(id_: str, title: str, source: str, fix: str) -> Rule:
    return Rule(id_, title, source, fix, Severity.WARNING)


SPLIT = _rule(
    "SAN001",
    "the traffic split needs many more people than an equal one",
    _SOURCE,
    "split the traffic more evenly, or accept that it takes longer",
)
SIZE = _rule(
    "SAN002",
    "the schedule brings fewer people than the stated effect needs",
    _SOURCE,
    "let it run longer, bring more people, or look for a larger effect",
)
WEEK = _rule(
    "SAN003",
    "it does not last a whole number of weeks",
    "people behave differently on different days of the week",
    "let it run 7, 14, 21 … days, so that every weekday counts alike",
)
OVERLAP = _rule(
    "SAN004",
    "another experiment reaches the same audience at the same time",
    "metadata.hypothesis.audience of both manifests",
    "let one run after the other, or divide the audience",
)
CONFIDENCE = _rule(
    "SAN005",
    "the stated alpha is not what the platform declares a winner at",
    "the platform's confidence is 1 - alpha",
    "leave alpha out to reckon with the platform's confidence, or make the two agree",
)
RULES = (SPLIT, SIZE, WEEK, OVERLAP, CONFIDENCE)
PATH = ("metadata", "hypothesis")
"""Where the findings stand: the manifest's hypothesis, outside of its spec."""


def findings(desired: Mapping[Key, Desired], kind_of: KindOf) -> Iterator[tuple[Key, Finding]]:
    """Give the advice on every experiment that states a hypothesis; their paths lead into the whole manifest."""
    with_hypothesis = [item for item in desired.values() if item.hypothesis is not None]
    if not with_hypothesis:
        return
    shared = overlaps(with_hypothesis, kind_of)
    for item in with_hypothesis:
        kind = kind_of(item)
        if wanted_ended(kind, item.spec):
            continue
        for rule, message in _alone(item, kind, figures(item, kind)):
            yield item.key, Finding(rule, PATH, message)
        if others := shared.get(item.key):
            yield item.key, Finding(OVERLAP, (*PATH, "audience"), _overlap(item, others))


def overlaps(desireds: Sequence[Desired], kind_of: KindOf) -> dict[Key, tuple[Key, ...]]:
    """Give, for each experiment that shares audience and time with others, their keys (at most 50 each)."""
    groups: dict[str, list[tuple[datetime, datetime, Key]]] = {}
    for item in desireds:
        kind = kind_of(item)
        span = _span(item, kind)
        if item.hypothesis is not None and item.hypothesis.audience and span is not None:
            groups.setdefault(item.hypothesis.audience.casefold(), []).append((*span, item.key))
    found: dict[Key, list[Key]] = {}
    for group in groups.values():
        open_: list[tuple[datetime, Key]] = []  # a heap: who ends first stands first
        for start, end, key in sorted(group):
            while open_ and open_[0][0] <= start:
                heappop(open_)
            for _, other in open_[:_MOST_KEPT]:
                for mine, theirs in ((key, other), (other, key)):
                    if len(found.setdefault(mine, [])) < _MOST_KEPT:
                        found[mine].append(theirs)
            heappush(open_, (end, key))
    return {key: tuple(sorted(others)) for key, others in found.items()}


def _span(item: Desired, kind: Kind) -> tuple[datetime, datetime] | None:
    """Give when it reaches people; without a schedule always, unless the manifest does not say that it runs."""
    if wanted_ended(kind, item.spec):
        return None
    if kind.window_fields is not None:
        return window(kind, item.spec)
    state = item.spec.get(kind.lifecycle_field) if kind.lifecycle_field else None
    return (ALWAYS, FOREVER) if state in kind.running_statuses else None


def _alone(item: Desired, kind: Kind, found: Figures) -> Iterator[tuple[Rule, str]]:
    assert item.hypothesis is not None
    if found.stated and found.needed > _WASTE * found.needed_when_equal > 0:
        split = "/".join(f"{share:.4g}" for share in shares(kind, item.spec))
        times = found.needed / found.needed_when_equal
        yield (
            SPLIT,
            f"a split of {split} needs {found.needed:,} people to find {_effect(item)}, {times:.1f} times the "
            f"{found.needed_when_equal:,} of an equal split ({_assumed(item, kind, found)})",
        )
    span = window(kind, item.spec)
    if found.expected and found.expected < found.needed and span is not None:
        days = (span[1] - span[0]) / DAY
        yield (
            SIZE,
            f"{days:.4g} days with {item.hypothesis.daily_traffic:,.6g} people a day bring {found.expected:,}, and "
            f"finding {_effect(item)} needs {found.needed:,}, which is {found.needed_days:,.1f} days; as it stands the "
            f"chance to find it is {found.power:.0%} ({_assumed(item, kind, found)})",
        )
    if span is not None and not whole_weeks(span):
        days = (span[1] - span[0]) / DAY
        less = "less than one week" if days < 7 else "not a whole number of weeks"
        yield WEEK, f"it lasts {days:.4g} days, {less}: some weekdays count more than others"
    if kind.confidence_field and item.hypothesis.alpha is not None:
        confidence = item.spec.get(kind.confidence_field)
        if isinstance(confidence, (int, float)) and abs(1 - confidence / 100 - item.hypothesis.alpha) > 0.001:
            yield (
                CONFIDENCE,
                f"alpha is {item.hypothesis.alpha:.4g}, and {kind.confidence_field} {confidence:g} makes the platform "
                f"declare a winner at an alpha of {1 - confidence / 100:.4g}",
            )


def _effect(item: Desired) -> str:
    stated = item.hypothesis
    assert stated is not None and stated.baseline is not None and stated.effect is not None
    return f"{100 * stated.baseline:.4g} % against {100 * (stated.baseline + stated.effect):.4g} %"


def _assumed(item: Desired, kind: Kind, found: Figures) -> str:
    """Give what the formula takes for granted, so that nobody has to guess."""
    assert item.hypothesis is not None
    arms = len(shares(kind, item.spec))
    several = f", shared among {arms - 1} comparisons with the control" if arms > 2 else ""
    return (
        f"assumed: two-sided alpha {found.alpha:.4g}{several}, power {item.hypothesis.power:.0%}, everybody counted "
        "once and on their own, traffic the same every day"
    )


def _overlap(item: Desired, others: Sequence[Key]) -> str:
    assert item.hypothesis is not None
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    names = ", ".join(str(key) for key in others[:_MOST_NAMED])
    return f"reaches the audience “{item.hypothesis.audience}” at the same time as {names}{more}"
