"""What the engine makes of values: only true is true, and what cannot be evaluated says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.policy.data import cel_value
from reconciler.policy.engine import LONGEST, BadExpression, Flaw, NotEvaluated, Type, compiled, in_words
from reconciler.policy.place import excerpt

VARIABLES = {"a": Type.ANYS, "n": Type.INT, "labels": Type.LABELS, "spec": Type.MAP, "at": Type.TIMESTAMP}
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def holds(text: str, **data: Any) -> bool:
    return compiled(text, VARIABLES).holds(data)


@pytest.mark.parametrize(
    ("text", "data", "why"),
    [
        pytest.param("1 / n == 1", {"n": 0}, "divide by zero", id="division"),
        pytest.param("labels['owner'] == 'x'", {"labels": {}}, "there is no key", id="no-key"),
        pytest.param("spec.deep.deeper == 1", {"spec": {}}, "there is no key", id="no-field"),
        pytest.param("n > 1", {}, "n has no value here", id="no-value"),
        pytest.param("spec.x == true && spec.y", {"spec": {"x": True, "y": "yes"}}, "", id="text-is-not-true"),
        pytest.param("'a'.matches(spec.p)", {"spec": {"p": "("}}, "regular expression", id="pattern"),
        pytest.param(
            "a.all(x, a.all(y, a.all(z, true)))", {"a": list(range(40))}, "Iteration budget exceeded", id="costly"
        ),
    ],
)
def test_what_gives_no_answer_says_why_and_is_never_true(text: str, data: dict[str, Any], why: str) -> None:
    with pytest.raises(NotEvaluated) as caught:
        holds(text, **data)
    assert why in str(caught.value)


def test_answers_are_true_or_false_and_nothing_else() -> None:
    assert holds("n > 1", n=2)
    assert not holds("n > 1", n=1)
    with pytest.raises(NotEvaluated, match="it gave no, which is neither true nor false"):
        compiled("spec.x", VARIABLES, wants_bool=False).holds({"spec": {"x": "no"}})


def test_numbers_and_nulls_of_json_are_as_expressions_can_hold_them() -> None:
    spec = cel_value(
        {"big": 2**70, "huge": 10**400, "none": None, "deep": {"list": [1, None, {"x": None}]}, "no": False}
    )
    assert spec == {"big": float(2**70), "huge": str(10**400), "deep": {"list": [1, None, {}]}, "no": False}
    assert holds("!has(spec.none) && spec.big > 5.0 && spec.deep.list[0] == 1 && spec.no == false", spec=spec)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        (None, "null"),
        (90.0, "90"),
        (33.3333333, "33.3333"),
        (1e9, "1000000000"),
        (NOW, "2026-12-01T00:00:00Z"),
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (-timedelta(minutes=5), "-5 min"),
        (timedelta(), "0 min"),
        ([1.5, "a"], "1.5, a"),
    ],
    ids=str,
)
def test_values_in_messages(value: Any, words: str) -> None:
    assert in_words(value) == words


def test_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadExpression, match="longer than 10,000 characters"):
        compiled("true" + " " * LONGEST, VARIABLES)


@pytest.mark.parametrize("flaw", [Flaw(0, 1, ""), Flaw(9, 1, ""), Flaw(1, 500, ""), Flaw(1, 1, "")], ids=str)
def test_a_place_that_is_not_there_shows_nothing_wrong(flaw: Flaw) -> None:
    assert len(excerpt("true && false", flaw)) in (0, 2)
