"""Plain scalars: YAML 1.2's core rules, and nothing guessed where readers differ."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import load_text
from reconciler.manifests.scalars import Ambiguous, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("12345", 12345),
        ("33.33", 33.33),
        ("1e5", 100000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
    ],
)
def test_core_schema_values(text: str, value: Any) -> None:
    got = resolve(text)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "off",
        "yes",
        "On",
        "y",
        "1_000",
        "10:30",
        "12:30:45",
        "190:20:30",
        "0b101",
        "2026-12-01",
        "2026-12-01T09:00:00Z",
        "2026-12-01 09:00:00+01:00",
        "18ce54d4x5t",
        "1e5x",
        "nil",
        "None",
        "tRUE",
        "=",
        "1.2.3",
        "-",
        ".",
        "e5",
        "1e",
        "٣",
    ],
)
def test_text_stays_the_text_that_stands_there(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "012",
        "08",
        "-012",
        "00",
        "01.5",
        "00e5",
        "0o14",
        "0x1F",
        ".inf",
        "-.INF",
        ".NaN",
        "1e999",
        "-1e999",
        "1e-999",
        "9" * 41,
        "0." + "1234567890" * 3,
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused(text: str) -> None:
    with pytest.raises(Ambiguous):
        resolve(text)


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-.eE_:xob~nulltruefasINF", max_size=12))
def test_no_scalar_changes_its_value_silently(text: str) -> None:
    try:
        value = resolve(text)
    except Ambiguous:
        return
    match value:
        case bool():
            assert text.lower() == str(value).lower()
        case None:
            assert text in ("", "~", "null", "Null", "NULL")
        case int():
            assert text.lstrip("+-").lstrip("0") in (str(abs(value)), "") and text.lstrip("+-")[:2] != "00"
        case float():
            assert math.isfinite(value) and float(text) == value
        case _:
            assert value == text


@settings(deadline=None)
@given(st.integers(-(10**30), 10**30))
def test_integers_are_exact(number: int) -> None:
    assert resolve(str(number)) == number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_shortest_floats_are_exact(number: float) -> None:
    assert resolve(repr(number)) == number


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"),
        max_size=8,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~12 no:#", max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_json_is_read_as_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)  # JSON is YAML 1.2
    loaded = load_text(text, "a.yaml")
    assert not [p for p in loaded.diagnostics if "no manifest" not in p.message]
    got = loaded.documents[0].value if loaded.documents else None
    assert json.dumps(got, ensure_ascii=False) == text
