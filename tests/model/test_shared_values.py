"""Equal values kept once: what is given means and prints the same, and is made of what was there."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.resource import Found, Gone, Key, Live, Record, Unknown
from reconciler.model.sharing import equal_json, live_like, reading_like, shared


def json_of(*numbers: float) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(numbers) | st.sampled_from("ab")
    names = st.sampled_from("abc")
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))


JSON = json_of(0.0, -0.0, 1.0, 0.5)


@given(JSON, JSON)
def test_what_is_shared_prints_as_the_value_itself(value: Any, like: Any) -> None:
    before = json.dumps(value), json.dumps(like)
    assert json.dumps(shared(value, like)) == before[0]
    assert (json.dumps(value), json.dumps(like)) == before, "neither of the two is changed"


@given(json_of(0.0, 1.0), json_of(0.0, 1.0))
def test_equal_is_what_prints_the_same_with_its_keys_sorted(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert equal_json(one, other) == same


def test_an_equal_value_is_the_one_that_is_there() -> None:
    like = {"name": "hero " * 3, "cells": [{"name": "a" * 20}, {"name": "b" * 20}]}
    assert shared(copy.deepcopy(like), like) is like


def test_of_a_value_that_is_not_equal_the_equal_parts_are_shared() -> None:
    like = {"name": "hero " * 3, "cells": [{"n": 1}, {"n": 2}], "gone": 1}
    made = shared({"cells": [{"n": 1}, {"n": 3}], "name": "".join(["hero "] * 3), "more": 1}, like)
    assert made == {"cells": [{"n": 1}, {"n": 3}], "name": "hero " * 3, "more": 1}
    assert made["name"] is like["name"] and made["cells"][0] is like["cells"][0]


LIVE = Live(
    remote_id="".join(["4", "0001"]),
    status="".join(["RUN", "NING"]),
    spec={"name": "".join(["he", "ro"]), "account": "".join(["a", "1"]), "cells": [{"n": 1}]},
    name="".join(["her", "o"]),
    account="".join(["", "a1"]),
    children={"cells": ("c1", "c2")},
    over=True,
    busy="Processing",
    failure="no",
    owned_elsewhere=True,
    start=datetime(2027, 1, 1, tzinfo=UTC),
    end=datetime(2027, 2, 1, tzinfo=UTC),
    extra={"endedAt": 1},
)
APPLIED = {"name": "hero", "account": "a1", "cells": [{"n": 1}]}
RECORD = Record(
    Key("LinkedInExperiment", "hero"),
    "linkedin",
    "li",
    "40001",
    APPLIED,
    status="RUNNING",
    children={"cells": ("c1", "c2")},
)


def test_what_is_live_says_the_same_made_of_its_record() -> None:
    made = live_like(LIVE, RECORD)
    assert made is not LIVE
    for item in fields(Live):
        assert getattr(made, item.name) == getattr(LIVE, item.name), item.name
        assert getattr(LIVE, item.name), f"{item.name} is empty in this test, which then shows nothing"
    assert made.spec is APPLIED and made.children is RECORD.children
    assert made.remote_id is RECORD.remote_id and made.status is RECORD.status
    assert made.name is APPLIED["name"] and made.account is APPLIED["account"]


def test_what_differs_from_the_record_stays_as_it_is_live() -> None:
    other = Record(RECORD.key, "linkedin", "li", "1", {"name": "x"}, status="PENDING", children={"cells": ("c2", "c1")})
    assert live_like(LIVE, other) == LIVE


def test_a_reading_without_a_record_is_itself() -> None:
    for reading in (Found(LIVE), Gone("404"), Unknown("timeout")):
        assert reading_like(reading, {}) is reading
    assert reading_like(Gone("404"), {"40001": RECORD}) == Gone("404")
    found = reading_like(Found(LIVE), {"40001": RECORD})
    assert isinstance(found, Found) and found == Found(LIVE) and found.live.spec is APPLIED
