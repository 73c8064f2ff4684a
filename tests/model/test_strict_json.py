"""JSON from outside is read strictly: the quick reader says what the careful one says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model import strict_json as module
from reconciler.model.nesting import DEEPEST, members_within
from reconciler.model.strict_json import strict_json

SPACE = st.sampled_from(["", "", " ", "\n", "\t ", "\r\n"])
NAMES = st.sampled_from(["a", "b", "\\u0061", 'q\\"', 'a\\":1,\\"b', "a:b", "", "{", "]"])
LEAVES = st.sampled_from(["1", "-0", "2.5", "1e3", "1e999", "NaN", "true", "null", '"x"', '"y\\":"', '": "', '"\\\\"'])


@st.composite
def texts(draw: st.DrawFn, depth: int = 0) -> str:
    """JSON, and what is nearly JSON: keys twice, blanks before colons, quotes and brackets inside of strings."""
    gap = draw(SPACE)
    shape = draw(st.sampled_from(["leaf", "object", "list"] if depth < 3 else ["leaf"]))
    if shape == "leaf":
        return gap + draw(LEAVES) + gap
    inner = [draw(texts(depth + 1)) for _ in range(draw(st.integers(0, 3)))]
    if shape == "list":
        return f"[{','.join(inner)}]"
    return "{" + ",".join(f'{gap}"{draw(NAMES)}"{draw(SPACE)}:{each}' for each in inner) + "}"


def careful(text: str) -> Any:
    """What the reader that looks at every object by itself gives."""
    return module._CAREFUL.decode(text)


def outcome(read: Any, text: str) -> str:
    try:
        return json.dumps(read(text))
    except ValueError:
        return "refused"


@settings(max_examples=600, deadline=None)
@given(texts())
def test_the_quick_reader_says_what_the_careful_one_says(text: str) -> None:
    assert outcome(strict_json, text) == outcome(careful, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a" :1,"a":2}',
        '{"a"\n:1,"b":2,"\\u0061":3}',
        '[{"a":{"x":1,"x":1}}]',
        '{"k\\":":1,"k\\":":2}',
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        strict_json(text)


def test_strings_that_look_like_keys_are_only_strings() -> None:
    value = {"a": 'b": "c', "d": ['":', '"', {'e": ': '"f" :'}]}
    assert strict_json(json.dumps(value)) == value


@pytest.mark.parametrize("depth", [1, 2, DEEPEST, DEEPEST + 1])
def test_members_are_counted_as_deep_as_is_allowed(depth: int) -> None:
    text = '{"a":[' * (depth // 2) + "{}" * (depth % 2) + "]}" * (depth // 2)
    assert members_within(json.loads(text)) == depth // 2
    assert strict_json(text) == json.loads(text)


def test_what_is_deeper_is_refused() -> None:
    for depth in (DEEPEST + 2, 100_000):
        with pytest.raises(ValueError, match="nested too deep"):
            strict_json("[" * depth + "]" * depth)
