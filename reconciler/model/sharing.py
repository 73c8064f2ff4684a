"""
Equal values kept once.

Of an experiment that nobody has changed, what the manifest wants, what was last applied and what is live hardly differ.
Held apart, they are three times the size of the project in memory. So what is read later gives way to what is there
already, as far as the two are equal. What is shared must not be written to: no spec is changed in place, anywhere.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from reconciler.model.resource import Found, Live, Reading, Record, Spec


def shared(value: Any, like: Any) -> Any:
    """
    Give a JSON value made of the parts of another wherever those are the same: in type, and in the order of keys.

    It is printed as the value itself is (which leaves out floats: 0.0 equals -0.0).
    """
    kind = type(value)
    if kind is not type(like):
        return value
    if kind is dict:
        made: dict[str, Any] = {}
        same = len(value) == len(like)
        for key, item in value.items():
            if key in like:
                part = shared(item, like[key])
                same = same and part is like[key]
            else:
                part, same = item, False
            made[key] = part
        return like if same and [*made] == [*like] else made
    if kind is list:
        if len(value) != len(like):
            return value
        items = list(map(shared, value, like))
        return like if all(map(operator.is_, items, like)) else items
    return like if value == like and kind is not float else value


def equal_json(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same in value and type (1 is neither 1.0 nor true); order of keys aside."""
    return bool(one == other) and _equal_types([one], [other])


def _equal_types(one: Any, other: Any) -> bool:
    """Tell whether all that is in two equal objects or lists is of the same types."""
    keys = one if type(one) is dict else range(len(one))
    for key in keys:
        value, its = one[key], other[key]
        kind = type(value)
        if kind is not type(its) or ((kind is dict or kind is list) and not _equal_types(value, its)):
            return False
    return True


def live_like(live: Live, record: Record) -> Live:
    """Give what is live of an experiment, made of the parts of its record where those are the same."""
    spec: Spec = shared(live.spec, record.applied)
    texts = {value: value for value in spec.values() if type(value) is str}
    return Live(  # and not replace(), which takes as long as all the rest of this
        remote_id=record.remote_id if live.remote_id == record.remote_id else live.remote_id,
        status=record.status if live.status == record.status else live.status,
        spec=spec,
        name=texts.get(live.name, live.name),
        account=texts.get(live.account, live.account),
        children=record.children if live.children == record.children else live.children,
        over=live.over,
        busy=live.busy,
        failure=live.failure,
        owned_elsewhere=live.owned_elsewhere,
        start=live.start,
        end=live.end,
        extra=live.extra,
    )


def reading_like(reading: Reading, records: Mapping[str, Record]) -> Reading:
    """Give a reading, made of the parts of the record of its remote id where those are the same."""
    record = records.get(reading.live.remote_id) if isinstance(reading, Found) else None
    return reading if record is None or not isinstance(reading, Found) else Found(live_like(reading.live, record))
