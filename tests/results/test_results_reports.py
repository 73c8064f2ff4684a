"""Outcomes as text, JSON and Markdown: golden files, charts on one scale, and names that want to do harm."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_cases import HOSTILE, NOW, report

from reconciler.platforms.outcomes import Interval, ResultsReport
from reconciler.report.clean import clean
from reconciler.report.markdown_escape import code, escaped, table
from reconciler.report.results_chart import bars, scale
from reconciler.report.results_json import results_to_json
from reconciler.report.results_markdown import results_markdown
from reconciler.report.results_text import results_text
from reconciler.report.results_words import number, percent
from reconciler.report.style import ANSI


def test_text(golden: Callable[[str, str], None]) -> None:
    golden("report.txt", results_text(report()))


def test_ascii(golden: Callable[[str, str], None]) -> None:
    text = results_text(report(), unicode=False)
    assert not set("├─┤│") & set(text)
    golden("report_ascii.txt", text)


def test_markdown(golden: Callable[[str, str], None]) -> None:
    golden("report.md", results_markdown(report()))


def test_json(golden: Callable[[str, str], None]) -> None:
    told = results_to_json(report())
    assert told["formatVersion"] == "1.0"
    assert told["complete"] is False
    golden("report.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def test_colours_add_nothing_but_colour() -> None:
    painted = results_text(report(), ANSI)
    assert "\x1b[32m" in painted
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in painted.splitlines()]
    assert bare == results_text(report()).splitlines()


def test_nothing_managed() -> None:
    empty = ResultsReport((), NOW)
    assert results_text(empty).startswith("Nothing is managed yet")
    assert "Nothing is managed yet" in results_markdown(empty)
    assert results_to_json(empty)["results"] == []


# --- charts ----------------------------------------------------------------------------------------------------------


def test_bars_share_a_scale() -> None:
    drawn = bars([Interval(0, 10), Interval(5, 10), Interval(10, 10), None], unicode=False, columns=11)
    assert drawn == ["[---------]", "     [----]", "          |", " " * 11]
    assert scale([Interval(0, 10)], 11) == "0        10"


FINITE = st.floats(allow_nan=False, allow_infinity=False)
INTERVALS = st.lists(st.none() | st.tuples(FINITE, FINITE).map(lambda pair: Interval(*sorted(pair))), max_size=6)


@given(INTERVALS, st.booleans())
def test_any_intervals_make_bars_of_one_width_in_order(intervals: list[Interval | None], unicode: bool) -> None:
    drawn = bars(intervals, unicode=unicode)
    assert [len(bar) for bar in drawn] == [40] * len(intervals)
    known = [(item, bar) for item, bar in zip(intervals, drawn, strict=True) if item]
    by_lower = [len(bar) - len(bar.lstrip()) for _, bar in sorted(known, key=lambda pair: pair[0].lower)]
    assert by_lower == sorted(by_lower)
    assert all(bar.strip() for _, bar in known)


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.62, "5.62"), (4.0, "4"), (1234567.891, "1,234,567.891"), (0.00002, "2e-05"), (0, "0"), (-1.5, "-1.5")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_percent() -> None:
    assert [percent(share) for share in (0.08, 0.125, 0.07, 1)] == ["8 %", "12.5 %", "7 %", "100 %"]


# --- names that want to do harm --------------------------------------------------------------------------------------

NASTY = st.text(alphabet=st.sampled_from(list("|`<>&@#*_[]()!~\\$ab1.-+:/ \n\x1b\u202ewW'\"")), max_size=30)


def shown(text: str) -> str:
    """Give what a reader sees: references read, characters of no width left out."""
    return html.unescape(text.removeprefix("<code>").removesuffix("</code>")).replace("\u200b", "")


@given(NASTY | st.text(max_size=30))
def test_escaped_text_holds_no_syntax_and_reads_as_itself(text: str) -> None:
    for made in (escaped(text), code(text)):
        bare = re.sub(r"&#\d+;", "", made.removeprefix("<code>").removesuffix("</code>"))
        assert not set("|`<>&@#*_[]~\\$\n\x1b\u202e") & set(bare)
        assert "://" not in bare
    assert shown(escaped(text)) == clean(text)
    assert not text or shown(code(text)) == clean(text)


@given(NASTY.filter(str.strip), NASTY.filter(str.strip))
def test_a_table_keeps_its_cells(first: str, second: str) -> None:
    renderer: Any = pytest.importorskip("markdown_it")
    page = renderer.MarkdownIt("commonmark", {"html": True}).enable("table")
    lines = table(["a", "b"], [[escaped(first), code(second)]])
    rendered = page.render("\n".join(lines))
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert [shown(cell).strip() for cell in cells] == [clean(first).strip(), clean(second).strip()]
    assert set(re.findall(r"</?(\w+)", rendered)) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


def test_a_hostile_name_breaks_neither_text_nor_markdown() -> None:
    text = results_text(report())
    assert "\x1b" not in text
    assert "\u202e" not in text
    rows = [line for line in results_markdown(report()).splitlines() if line.startswith("|")]
    assert all(line.count("|") == len(line.strip("|").split("|")) + 1 for line in rows)
    markdown = re.sub(r"&#\d+;", "?", results_markdown(report()))
    for part in ("<script", "<!--", "@octo", "#12", "](http", "**b**"):
        assert part in HOSTILE
        assert part not in markdown
