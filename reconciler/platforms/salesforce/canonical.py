"""
One spelling for one meaning: how a manifest's spec and a live experiment are brought into the same form.

Text that can be cleared is None instead of empty; `chanceToWinThreshold` has at most two decimals and no `.0`;
`criteria` is an object; a control's weight that is left out is what the others leave of 10000 (doc D23); names are
without the data-space prefix (doc D3). List order is kept: items are tied by their keys (`pair`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final

from reconciler.model.resource import Spec
from reconciler.platforms.base import Pairing
from reconciler.platforms.salesforce.facts import DEFAULT_WINNER_MODE, WEIGHT_SUM, bare

CLEARABLE_TEXT: Final = frozenset({"description", "profileDataGraphName", "sourceRecordId", "personalizerName"})
_UNUSED_WHEN_NULL: Final = frozenset({"attributeName", "attributeEnum", "engagementSignalName"})
_DEFAULTS: Final = {"cohorts[].isFallThrough": False, "winnerSelectionMode": DEFAULT_WINNER_MODE}


def canonical_spec(stated: Mapping[str, Any]) -> Spec:
    """Give the canonical form of a spec (of a manifest, or of the writable keys of an answer)."""
    space = stated.get("dataSpaceName")
    spec = {key: _value(key, value) for key, value in stated.items()}
    if isinstance(spec.get("name"), str):
        spec["name"] = bare(spec["name"], space)
    if isinstance(spec.get("cohorts"), list):
        spec["cohorts"] = _with_control_weight([_named(cohort, space) for cohort in spec["cohorts"]])
    return spec


def _value(key: str, value: Any) -> Any:
    if isinstance(value, str):
        if key == "criteria":
            return criteria_object(value)
        return value or None if key in CLEARABLE_TEXT else value
    if key == "criteria":
        return value
    if key == "chanceToWinThreshold":
        return threshold(value)
    if isinstance(value, list | tuple):
        return [_item(item) for item in value]
    return value


def _item(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return {
        key: _value(key, value) for key, value in item.items() if not (key in _UNUSED_WHEN_NULL and value in (None, ""))
    }


def _named(cohort: Any, space: object) -> Any:
    if isinstance(cohort, dict) and isinstance(cohort.get("name"), str):
        return {**cohort, "name": bare(cohort["name"], space)}
    return cohort


def _with_control_weight(cohorts: list[Any]) -> list[Any]:
    """Fill the weight of the only control where it is left out and the others leave something for it."""
    controls = [cohort for cohort in cohorts if isinstance(cohort, dict) and cohort.get("isControl") is True]
    if len(controls) != 1 or controls[0].get("allocationWeight") is not None:
        return cohorts
    weights = [cohort.get("allocationWeight") for cohort in cohorts if cohort is not controls[0]]
    if not all(type(weight) is int and weight >= 0 for weight in weights) or sum(weights) > WEIGHT_SUM:
        return cohorts
    filled = {**controls[0], "allocationWeight": WEIGHT_SUM - sum(weights)}
    return [filled if cohort is controls[0] else cohort for cohort in cohorts]


def threshold(value: Any) -> Any:
    """Give a number with at most two decimals, whole ones as int; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return value
    return int(value) if value.is_integer() else value


def criteria_object(text: str) -> Any:
    """Give targeting rules written as JSON text as an object; text that is not JSON comes back as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text or None


def _two_places(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    except InvalidOperation:
        return None


def _plain(value: Any) -> Any:
    """Give a JSON value in which whole floats are ints, so that 1 and 1.0 are the same text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def same_value(path: str, desired: Any, live: Any) -> bool:
    """Tell whether two values of a leaf field mean the same; absent, null and empty do."""
    default = _DEFAULTS.get(path)
    one, other = (default if value is None or value == "" or value == [] else value for value in (desired, live))
    if path == "chanceToWinThreshold" and (one is not None and other is not None):
        left, right = _two_places(one), _two_places(other)
        return left is not None and left == right
    if path == "criteria":
        left_rules, right_rules = (criteria_object(v) if isinstance(v, str) else v for v in (one, other))
        return json.dumps(_plain(left_rules), sort_keys=True) == json.dumps(_plain(right_rules), sort_keys=True)
    return type(one) is type(other) and bool(one == other)


# --- tying list items --------------------------------------------------------------------------------------------


def metric_key(metric: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what a metric is told apart by."""
    return (metric.get("metricType"), metric.get("engagementSignalName") or None, metric.get("metricName"))


def attribute_key(attribute: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what an attribute value is told apart by within its cohort."""
    name = attribute.get("attributeName")
    return ("name", name) if name else ("enum", attribute.get("attributeEnum"))


def parameter_key(parameter: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what a parameter is told apart by."""
    return (parameter.get("engagementSignalName"), parameter.get("parameterName"))


def cohort_key(cohort: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what a cohort is told apart by."""
    return (cohort.get("name"),)


ITEM_KEYS: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]] = {
    "cohorts": cohort_key,
    "cohorts[].attributeValues": attribute_key,
    "primaryMetrics": metric_key,
    "secondaryMetrics": metric_key,
    "parameters": parameter_key,
}


def paired(list_path: str, desired: Sequence[Any], live: Sequence[Any]) -> Pairing:
    """Tie the items of two lists by their keys; raises NotImplementedError for a list without keys."""
    try:
        key = ITEM_KEYS[list_path]
    except KeyError:
        raise NotImplementedError(list_path) from None
    waiting: dict[tuple[Any, ...], list[int]] = {}
    for index, item in enumerate(live):
        waiting.setdefault(key(item), []).append(index)
    pairs: list[tuple[int | None, int | None]] = []
    for index, item in enumerate(desired):
        candidates = waiting.get(key(item))
        pairs.append((index, candidates.pop(0) if candidates else None))
    left = sorted(index for indexes in waiting.values() for index in indexes)
    return (*pairs, *((None, index) for index in left))
