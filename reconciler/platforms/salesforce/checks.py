"""What the rules find in one canonical spec, or between manifests: pure, without a clock and without live values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from reconciler.model.diagnostic import Finding, PathTuple, Rule, Severity
from reconciler.model.resource import Desired, Key, Spec
from reconciler.platforms.salesforce import facts, rules
from reconciler.platforms.salesforce.canonical import metric_key, parameter_key
from reconciler.platforms.salesforce.check_cohorts import check_cohorts
from reconciler.platforms.salesforce.check_words import check_length, check_required, duplicates

_NAME: Final = re.compile(r"[A-Za-z0-9_]+")


def check_spec(spec: Spec) -> Iterator[Finding]:
    """Give every finding in one canonical spec."""
    yield from _check_words(spec)
    yield from _check_schema(spec)
    yield from check_cohorts(spec)
    yield from _check_metrics(spec)
    yield from _check_parameters(spec)
    yield from _check_threshold(spec)
    yield from check_judged(spec)
    yield from _between(rules.FREQUENCY, spec, "scheduleFrequencyInMinutes", facts.FREQUENCY_MINUTES)
    yield from _check_criteria(spec)


def check_names(desireds: Sequence[Desired]) -> Iterator[tuple[Key, Finding]]:
    """Give a finding for each manifest whose API name an earlier one of the same connection has."""
    seen: dict[tuple[str, Any], Key] = {}
    for desired in desireds:
        name = desired.spec.get("name")
        first = seen.setdefault((desired.connection, name), desired.key)
        if first != desired.key:
            yield desired.key, Finding(rules.SAME_NAME, ("name",), f"{name!r} is also the name of {first}")


def _check_words(spec: Spec) -> Iterator[Finding]:
    for key in ("name", "label", "dataSpaceName"):
        yield from check_required(spec, key, ())
    name = spec.get("name")
    if isinstance(name, str) and name and not _NAME.fullmatch(name):
        wrong = "".join(dict.fromkeys(char for char in name if not _NAME.fullmatch(char)))
        yield Finding(rules.NAME_CHARACTERS, ("name",), f"{name!r} has {wrong!r} in it")
    yield from check_length(spec, "name", facts.NAME_MAX, ())
    for key in ("label", "description"):
        yield from check_length(spec, key, facts.TEXT_MAX, ())


def _check_schema(spec: Spec) -> Iterator[Finding]:
    given = [key for key in ("schemaName", "schemaEnum") if spec.get(key)]
    if len(given) == 2:
        yield Finding(rules.ONE_SCHEMA, ("schemaEnum",), "both schemaName and schemaEnum are given")
    elif not given:
        yield Finding(rules.ONE_SCHEMA, (), "neither schemaName nor schemaEnum is given")
    name, space = spec.get("schemaName") or "", spec.get("dataSpaceName")
    prefixed = "_" in name and space and space != facts.DEFAULT_DATA_SPACE
    if prefixed and not name.startswith(f"{space}_"):
        message = f"{name!r} begins with {name.partition('_')[0] + '_'!r}, the data space is {space!r}"
        yield Finding(rules.SCHEMA_SPACE, ("schemaName",), message)


def _check_metrics(spec: Spec) -> Iterator[Finding]:
    for key in ("primaryMetrics", "secondaryMetrics"):
        metrics: Sequence[Mapping[str, Any]] = spec.get(key) or ()
        for index, metric in enumerate(metrics):
            for word in ("metricType", "metricName"):
                yield from check_required(metric, word, (key, index))
            if (kind := metric.get("metricType")) and kind not in facts.METRIC_TYPES:
                message = f"{kind!r} is not known; known are {' and '.join(facts.METRIC_TYPES)}"
                yield Finding(rules.METRIC_TYPE, (key, index, "metricType"), message)
        for index, first in duplicates(metrics, metric_key):
            message = f"{metrics[index].get('metricName')!r} stands at {key}[{first}] already"
            yield Finding(rules.METRIC_UNIQUE, (key, index), message)
    yield from _check_metric_weights(spec.get("primaryMetrics") or ())


def _check_metric_weights(metrics: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    weights = [metric.get("overallScoreWeight") for metric in metrics]
    stated = [weight for weight in weights if weight is not None]
    if not stated and len(weights) < 2:
        return
    for index, weight in enumerate(weights):
        path: PathTuple = ("primaryMetrics", index, "overallScoreWeight")
        if weight is None:
            message = "overallScoreWeight is left out; only a sole primary metric may do without"
            yield Finding(rules.METRIC_WEIGHT, ("primaryMetrics", index), message)
        elif not 0 <= weight <= facts.WEIGHT_SUM:
            yield Finding(rules.METRIC_WEIGHT, path, f"{weight} is not between 0 and {facts.WEIGHT_SUM}")
    if len(stated) == len(weights) and sum(stated) != facts.WEIGHT_SUM:
        yield Finding(rules.METRIC_WEIGHT, ("primaryMetrics",), f"they add up to {sum(stated)}")


def _check_parameters(spec: Spec) -> Iterator[Finding]:
    parameters: Sequence[Mapping[str, Any]] = spec.get("parameters") or ()
    for index, parameter in enumerate(parameters):
        for word in ("engagementSignalName", "parameterName"):
            yield from check_required(parameter, word, ("parameters", index))
    for index, first in duplicates(parameters, parameter_key):
        message = f"{parameters[index].get('parameterName')!r} stands at parameters[{first}] already"
        yield Finding(rules.PARAMETER_UNIQUE, ("parameters", index), message)


def _check_threshold(spec: Spec) -> Iterator[Finding]:
    value = spec.get("chanceToWinThreshold")
    if value is None:
        return
    low, high = facts.CHANCE_TO_WIN
    if not low <= value <= high:
        message = f"{value} is not between {low} and {high}"
        if 0 < value <= 1:
            message += "; it is in percent"
        yield Finding(rules.CHANCE_TO_WIN, ("chanceToWinThreshold",), message)
    elif -int(Decimal(str(value)).as_tuple().exponent) > facts.CHANCE_TO_WIN_DECIMALS:
        yield Finding(rules.CHANCE_TO_WIN, ("chanceToWinThreshold",), f"{value} has more than two decimals")


def check_judged(spec: Spec) -> Iterator[Finding]:
    """
    Give the findings on participants and durations.

    They have no effect in Manual mode, so that there they are warnings; a mode that is not stated counts as Automatic,
    because an existing experiment may have that one.
    """
    level = Severity.WARNING if spec.get("winnerSelectionMode") == "Manual" else None
    yield from _between(rules.PARTICIPANTS, spec, "minimumRequiredParticipants", facts.PARTICIPANTS, level)
    shortest, longest = spec.get("minimumDurationInMinutes"), spec.get("maximumDurationInMinutes")
    yield from _between(rules.DURATION, spec, "minimumDurationInMinutes", facts.DURATION_MINUTES, level)
    yield from _between(rules.DURATION, spec, "maximumDurationInMinutes", facts.DURATION_MINUTES, level)
    if shortest is not None and longest is not None and longest < shortest:
        message = f"{longest} is less than minimumDurationInMinutes, {shortest}"
        yield Finding(rules.DURATION_ORDER, ("maximumDurationInMinutes",), message, level)


def _between(
    rule: Rule, spec: Spec, key: str, limits: tuple[int, int], level: Severity | None = None
) -> Iterator[Finding]:
    value = spec.get(key)
    if value is not None and not limits[0] <= value <= limits[1]:
        yield Finding(rule, (key,), f"{value} is not between {limits[0]} and {limits[1]}", level)


def _check_criteria(spec: Spec) -> Iterator[Finding]:
    count = conditions(spec.get("criteria"))
    if count > facts.CRITERIA_CONDITIONS_MAX:
        message = f"{count} conditions are more than {facts.CRITERIA_CONDITIONS_MAX}"
        yield Finding(rules.CRITERIA, ("criteria",), message)


def conditions(criteria: Any) -> int:
    """
    Count the conditions of targeting rules.

    The grammar is documented nowhere. A condition is taken to be an object in a list that has no list of objects
    inside (one that has is a group), so that an operand written as an object does not count twice. Rules without any
    list of objects are one condition.
    """
    if not isinstance(criteria, Mapping) or not criteria:
        return 0
    return _leaves(criteria) or 1


def _leaves(value: Any) -> int:
    """Count the objects that stand in lists and hold no further list of objects."""
    stack, count = [value], 0
    while stack:
        here = stack.pop()
        if isinstance(here, Mapping):
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)
            count += sum(1 for item in here if isinstance(item, Mapping) and not _is_group(item))
    return count


def _is_group(item: Mapping[str, Any]) -> bool:
    stack: list[Any] = list(item.values())
    while stack:
        here = stack.pop()
        if isinstance(here, Mapping):
            stack.extend(here.values())
        elif isinstance(here, list):
            if any(isinstance(inner, Mapping) for inner in here):
                return True
            stack.extend(here)
    return False
