"""What the rules find in the cohorts of a canonical spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.diagnostic import Finding
from reconciler.model.resource import Spec
from reconciler.platforms.salesforce import facts, rules
from reconciler.platforms.salesforce.canonical import attribute_key, cohort_key
from reconciler.platforms.salesforce.check_words import check_length, check_required, duplicates

Cohorts = Sequence[Mapping[str, Any]]


def check_cohorts(spec: Spec) -> Iterator[Finding]:
    """Give every finding in the cohorts, and between them and the rest of the spec."""
    cohorts: Cohorts = spec.get("cohorts") or ()
    low, high = facts.COHORTS
    if not low <= len(cohorts) <= high:
        yield Finding(rules.COHORT_COUNT, ("cohorts",), f"{len(cohorts)} cohort(s); {low} to {high} are possible")
    for index, cohort in enumerate(cohorts):
        yield from _check_words(index, cohort)
        yield from _check_fall_through(index, cohort)
        yield from _check_attributes(index, cohort)
    for index, first in duplicates(cohorts, cohort_key):
        message = f"{cohorts[index].get('name')!r} is also the name of cohorts[{first}]"
        yield Finding(rules.COHORT_NAMES, ("cohorts", index, "name"), message)
    yield from _check_control(cohorts)
    yield from _check_weights(cohorts)
    if not spec.get("profileDataGraphName"):
        for index, cohort in enumerate(cohorts):
            if cohort.get("personalizerName"):
                message = f"{cohort['personalizerName']!r} is named, but no profileDataGraphName is stated"
                yield Finding(rules.PERSONALIZER_GRAPH, ("cohorts", index, "personalizerName"), message)


def _check_words(index: int, cohort: Mapping[str, Any]) -> Iterator[Finding]:
    where = ("cohorts", index)
    yield from check_required(cohort, "name", where)
    yield from check_required(cohort, "label", where)
    yield from check_length(cohort, "name", facts.COHORT_NAME_MAX, where)
    yield from check_length(cohort, "label", facts.TEXT_MAX, where)
    yield from check_length(cohort, "description", facts.TEXT_MAX, where)


def _check_fall_through(index: int, cohort: Mapping[str, Any]) -> Iterator[Finding]:
    if cohort.get("isFallThrough") is not True:
        return
    if cohort.get("isControl") is not True:
        message = f"{cohort.get('name')!r} falls through but is not the control"
        yield Finding(rules.FALL_THROUGH, ("cohorts", index, "isFallThrough"), message)
    for key in ("attributeValues", "personalizerName"):
        if cohort.get(key):
            message = f"{key} has no effect while isFallThrough is true"
            yield Finding(rules.FALL_THROUGH_IGNORES, ("cohorts", index, key), message)


def _check_attributes(index: int, cohort: Mapping[str, Any]) -> Iterator[Finding]:
    attributes: Sequence[Mapping[str, Any]] = cohort.get("attributeValues") or ()
    for position, attribute in enumerate(attributes):
        where = ("cohorts", index, "attributeValues", position)
        given = [key for key in ("attributeName", "attributeEnum") if attribute.get(key)]
        if len(given) != 1:
            message = f"{'both' if given else 'neither'} of attributeName and attributeEnum given"
            yield Finding(rules.ATTRIBUTE_KEY, where, message)
        yield from check_length(attribute, "value", facts.ATTRIBUTE_VALUE_MAX, where)
    for position, first in duplicates(attributes, attribute_key):
        attribute = attributes[position]
        name = attribute.get("attributeName") or attribute.get("attributeEnum")
        if name:
            message = f"{name!r} has a value at attributeValues[{first}] already"
            yield Finding(rules.ATTRIBUTE_UNIQUE, ("cohorts", index, "attributeValues", position), message)


def _check_control(cohorts: Cohorts) -> Iterator[Finding]:
    controls = [index for index, cohort in enumerate(cohorts) if cohort.get("isControl") is True]
    if not controls and cohorts:
        yield Finding(rules.ONE_CONTROL, ("cohorts",), "no cohort is the control")
    for index in controls[1:]:
        message = f"cohorts[{controls[0]}] is the control already"
        yield Finding(rules.ONE_CONTROL, ("cohorts", index, "isControl"), message)


def _check_weights(cohorts: Cohorts) -> Iterator[Finding]:
    weights = [cohort.get("allocationWeight") for cohort in cohorts]
    for index, weight in enumerate(weights):
        if weight is None:
            if cohorts[index].get("isControl") is not True:
                yield Finding(
                    rules.WEIGHT, ("cohorts", index), f"{cohorts[index].get('name')!r} has no allocationWeight"
                )
        elif not 0 <= weight <= facts.WEIGHT_SUM:
            message = f"{weight} is not between 0 and {facts.WEIGHT_SUM}"
            yield Finding(rules.WEIGHT, ("cohorts", index, "allocationWeight"), message)
    stated = [weight for weight in weights if weight is not None]
    total = sum(stated)
    if cohorts and len(stated) == len(weights) and total != facts.WEIGHT_SUM:
        hint = "; they are basis points, not percent" if total == 100 else ""
        yield Finding(rules.WEIGHT_SUM, ("cohorts",), f"they add up to {total}{hint}")
    elif len(stated) < len(weights) and total > facts.WEIGHT_SUM:
        yield Finding(rules.WEIGHT_SUM, ("cohorts",), f"without the control they add up to {total} already")
