"""What changed inside a field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.report.body import body_lines
from reconciler.report.detail import MISSING, Detail, inner_changes


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param(["a", "b"], ["b", "c"], [("", "a", MISSING), ("", MISSING, "c")], id="items-come-and-go"),
        pytest.param(["a", "a"], ["a"], [("", "a", MISSING)], id="one-of-two-equal-items-goes"),
        pytest.param([1], [True], [("", 1, MISSING), ("", MISSING, True)], id="one-is-not-true"),
        pytest.param(["a", "b"], ["b", "a"], [], id="only-the-order-differs"),
        pytest.param("a", "b", [], id="scalars-have-no-inside"),
        pytest.param({"a": 1}, ["a"], [], id="another-type"),
        pytest.param({"a": 1, "b": 2}, {"a": 1, "b": 2.0}, [("b", 2, 2.0)], id="a-number-of-another-type"),
        pytest.param(
            {"a": 1}, {"x": 2, "y": 3}, [("a", 1, MISSING), ("x", MISSING, 2), ("y", MISSING, 3)], id="few-shared-keys"
        ),
        pytest.param(
            {"a": {"b": ["x"]}}, {"a": {"b": ["y"]}}, [("a.b", "x", MISSING), ("a.b", MISSING, "y")], id="list-within"
        ),
        pytest.param({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", ["x", "y"], ["y", "x"])], id="order-within"),
        pytest.param(
            [{"name": "a", "w": 1}, {"name": "b", "w": 2}],
            [{"name": "b", "w": 3}, {"name": "a", "w": 1}],
            [("[b].w", 2, 3)],
            id="named-items-are-tied-by-name",
        ),
        pytest.param(
            {"f": [{"x": 1}, {"x": 2}]},
            {"f": [{"x": 1}, {"x": 5, "y": 6}, {"z": 7}]},
            [("f[1].x", 2, 5), ("f[1].y", MISSING, 6), ("f[2]", MISSING, {"z": 7})],
            id="items-without-names-by-position",
        ),
    ],
)
def test_inner_changes(before: Any, after: Any, found: list[tuple[str, Any, Any]]) -> None:
    got = [(item.path, item.before, item.after) for item in inner_changes(before, after)]
    assert got == found
    assert [type(item[1]) for item in got] == [type(item[1]) for item in found]
    assert [type(item[2]) for item in got] == [type(item[2]) for item in found]


def test_items_of_a_list_are_told_from_paths() -> None:
    assert inner_changes(["a"], ["b"]) == (Detail("", "a", MISSING, True), Detail("", MISSING, "b", True))
    assert inner_changes({"a": 1}, {"a": 2}) == (Detail("a", 1, 2, False),)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": {"b": [{"c": "d" * 200}, []]}, "e": None},
        {"ids": [f"id{number}" for number in range(200)]},
        [[1, 2], ["x" * 150, {"y": "\u202e"}]],
        "x" * 300,
    ],
)
def test_a_wrapped_body_is_the_same_json(value: Any) -> None:
    lines = body_lines(value, 6)
    assert json.loads("\n".join(lines)) == value
    assert all(line.startswith("      ") for line in lines)


def test_a_wrapped_body_keeps_to_the_width() -> None:
    lines = body_lines({"ids": list(range(1000)), "more": [{"a": 1, "b": "c" * 30}] * 20}, 6)
    assert max(len(line) for line in lines) <= 110
    assert len(lines) > 20
