"""Text from outside cannot command a terminal, hide, or fake a line."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.clean import as_json, clean, short, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\nb\rc\td", "a\\nb\\rc\\td", id="line-breaks-and-tabs"),
        pytest.param("\x1b[31mred", "\\u001b[31mred", id="ansi-escape"),
        pytest.param("\x9b2J\x7f", "\\u009b2J\\u007f", id="c1-and-del"),
        pytest.param("\u202eabc\u2066", "\\u202eabc\\u2066", id="bidi-override-and-isolate"),
        pytest.param("a\u200bb\ufeffc\u2060", "a\\u200bb\\ufeffc\\u2060", id="zero-width"),
        pytest.param("\U000e0041", "\\udb40\\udc41", id="invisible-tag"),
        pytest.param("\ud800", "\\ud800", id="half-a-character"),
        pytest.param("Überschrift – 日本 🟦 ❤️", "Überschrift – 日本 🟦 ❤️", id="plain-unicode-stays"),
        pytest.param("[red]x[/] {0} %s \\n", "[red]x[/] {0} %s \\n", id="markup-stays"),
    ],
)
def test_clean_shows_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters()))
def test_nothing_invisible_is_left(text: str) -> None:
    left = clean(text)
    assert clean(left) == left
    assert not [char for char in left if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [char for char in left if unicodedata.bidirectional(char) in ("RLO", "LRO", "RLE", "LRE", "PDF")]
    left.encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_shown_json_is_still_the_same_json(value: object) -> None:
    assert json.loads(as_json(value)) == value
    assert "\n" not in as_json(value)


def test_short_keeps_both_ends_and_names_the_length() -> None:
    assert short("abc") == '"abc"'
    text = short("start" + "x" * 5000 + "end", 120)
    assert text.startswith('"start') and text.endswith('end"')
    assert "[5,010 characters in all]" in text
    assert len(text) <= 120


def test_shortened_leaves_what_fits() -> None:
    assert shortened("x" * 50, 50) == "x" * 50
