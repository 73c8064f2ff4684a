"""Markdown as it is rendered: hostile text breaks out of nothing, it always fits, and what is left out is told."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import report_cases as cases
from hostile_cases import PIECES, hostile_drift, hostile_plan
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.model.resource import Key
from reconciler.plan.drift import DriftReport
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.plan_markdown import plan_markdown

LIMIT = 65_000
READER = MarkdownIt("gfm-like")
"""CommonMark with GitHub's tables, strikethrough and links of bare addresses (of none without a scheme)."""
assert READER.linkify is not None
READER.linkify.set({"fuzzy_link": False})
REFERENCES = re.compile(
    r"(?<![\w`])@[A-Za-z0-9_]"  # people and teams: they get mail
    r"|[#!$&%~^]\d|~[\"A-Za-z]|%[\"A-Za-z]"  # issues, merge requests, snippets, epics, milestones, labels, alerts
    r"|\b(?:GH|GL|gh)-\d|://|[wW]{3}\.\S"
)
HOSTILE = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(min_size=1, max_size=4), st.sampled_from(("a", " ", "0"))),
    min_size=1,
    max_size=6,
).map("".join)


class Rendered(HTMLParser):
    """A report as a browser would be given it: its elements in order, the text outside of code, the cells of rows."""

    VOID = frozenset(("br", "hr", "img", "input"))

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.stack: list[str] = []
        self.open_text = ""
        self.text = ""
        self.blocks: list[str] = []
        self.comments: list[str] = []
        self.rows: list[int] = []
        self.unbalanced = False
        self.feed(READER.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.stack.append(tag)
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1
        elif tag == "pre":
            self.blocks.append("")
        self.open_text += "\n"

    def handle_endtag(self, tag: str) -> None:
        """Note an element's end; one that does not fit the innermost is noted too."""
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced = True
        self.open_text += "\n"

    def handle_data(self, data: str) -> None:
        """Take text, that of code apart."""
        self.text += data
        if "pre" in self.stack:
            self.blocks[-1] += data
        elif "code" not in self.stack:
            self.open_text += data

    def handle_comment(self, data: str) -> None:
        """Take a comment."""
        self.comments.append(data)


def reports(bad: str) -> tuple[str, str]:
    """Give both reports with a hostile text everywhere."""
    plan, wanted = hostile_plan(bad)
    report, desired = hostile_drift(bad)
    return plan_markdown(plan, wanted), drift_markdown(report, desired, environment="e" + bad)


def shape(markdown: str) -> tuple[list[str], list[tuple[str, str, str]], list[int]]:
    """Give the elements of a report in order, their attributes, and how many cells each row has."""
    found = Rendered(markdown)
    return found.tags, [item for item in found.attributes if item[1] != "class"], found.rows


HARMLESS = [shape(text) for text in reports("harmless")]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(HOSTILE)
@example("".join(PIECES[:13]))
@example("@team #12 !34 GH-5 gh-6 GL-7 ~bug %10 &9 $8")
@example("https://evil.test www.evil.test a@b.org mailto:a@b.org")
@example("</code></td></tr></table></details><details open><summary>`|`")
@example("```\n\n# h\n\n~~~")
@example("    code")
@example('~"a label" %"a milestone"')
@example("https://evil.test[x]: https://evil.test**b**")
def test_hostile_text_makes_no_element_link_or_reference(bad: str) -> None:
    for markdown, harmless in zip(reports(bad), HARMLESS, strict=True):
        assert shape(markdown) == harmless
        found = Rendered(markdown)
        assert not found.unbalanced and found.stack == []
        assert not REFERENCES.search(found.open_text), REFERENCES.search(found.open_text)
        (comment,) = found.comments
        assert re.fullmatch(r" reconciler:(plan|drift) env=[\w.%~-]+ ", comment)


def test_the_reader_of_this_test_would_see_what_breaks_out() -> None:
    assert Rendered("a [x](https://evil.test)").tags == ["p", "a"]
    assert Rendered("https://evil.test").tags == ["p", "a"], "bare addresses are links here, as on GitHub"
    assert Rendered("a <b>c</b>").tags == ["p", "b"]
    assert all(REFERENCES.search(text) for text in ("@team", "see #1", "!2", "GH-3", "~bug", "%4", "a/b#5"))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    count=st.sampled_from((0, 1, 7, 60, 250)),
    text=HOSTILE,
    times=st.sampled_from((1, 40, 2_000)),
    limit=st.sampled_from((30_000, 64_900)),
)
@example(count=300, text="\U0001f600", times=2_000, limit=64_900)
@example(count=900, text="|`<@", times=40, limit=64_900)
def test_it_always_fits(count: int, text: str, times: int, limit: int) -> None:
    bad = text * times
    plan, wanted = hostile_plan(bad)
    changes = [replace(plan.changes[n % 3], key=Key("XAdsABTest", f"{bad[:50]}{n}")) for n in range(count)]
    many = replace(plan, changes=tuple(changes), problems=(bad,) * min(count, 50), warnings=plan.warnings * count)
    report, desired = hostile_drift(bad)
    drift = tuple(replace(report.drift[n % 2], key=Key("XAdsABTest", f"{bad[:50]}{n}")) for n in range(count))
    moved = DriftReport(drift, report.progress * count, report.unmanaged * count, (bad,) * min(count, 50), count)
    for markdown in (plan_markdown(many, wanted, limit=limit), drift_markdown(moved, desired, limit=limit)):
        assert len(markdown.encode()) <= min(limit, LIMIT)
        found = Rendered(markdown)
        assert not found.unbalanced and found.stack == [], "cut in the middle of something"


def sized(count: int, *, address: str = "") -> str:
    """Give the report of a plan of many ordinary changes, the last of which ends an experiment."""
    changes = [replace(cases.updated(), key=Key("LinkedInExperiment", f"test-{n:04d}")) for n in range(count - 1)]
    return plan_markdown(cases.plan(*changes, cases.deleted(), environment="prod"), address=address)


STEPS = ("the calls of", "values and who is affected of", "all but a line of", "entirely")


@pytest.mark.parametrize(
    ("count", "deepest"),
    [
        pytest.param(10, -1, id="all-fits"),
        pytest.param(45, 0, id="first-the-calls"),
        pytest.param(50, 1, id="then-the-context"),
        pytest.param(300, 2, id="then-the-details"),
        pytest.param(2_000, 3, id="at-last-whole-experiments"),
    ],
)
def test_it_loses_in_steps_and_says_so(count: int, deepest: int) -> None:
    address = "https://ci.example.org/run/1"
    markdown = sized(count, address=address)
    found = Rendered(markdown)
    left_out = re.search(r"Left out, to fit into a comment:(.*)", found.text)
    told = [number for number, words in enumerate(STEPS) if left_out and words in left_out[1]]
    assert max(told, default=-1) == deepest
    number = re.search(r"([\d,]+) experiments? entirely", found.text)
    gone = int(number[1].replace(",", "")) if number else 0
    folded = markdown.count("<details><summary><b>update")
    lines = len(re.findall(r"(?m)^- <b>update", markdown))
    assert folded + lines + gone == count - 1, "each change is shown, or counted among those left out"
    if told:
        assert f'<a href="{address}">' in READER.render(markdown)
        assert "reconciler --env prod plan --format json" in found.text
    assert "ends it while it is Started" in found.text
    ending = "<details><summary><b>end</b> <code>SalesforceExperiment/checkout</code>"
    assert ending in markdown and "?action=Stop" in markdown, "what cannot be undone is there in full"


def test_what_ends_has_half_of_the_room_and_no_more() -> None:
    ends = [replace(cases.deleted(), key=Key("SalesforceExperiment", f"over-{n:03d}")) for n in range(100)]
    others = [replace(cases.updated(), key=Key("LinkedInExperiment", f"test-{n:03d}")) for n in range(300)]
    markdown = plan_markdown(cases.plan(*others, *ends))
    assert len(markdown.encode()) <= LIMIT
    kinds = Counter(re.findall(r"(?m)^(?:- |<details><summary>)<b>(end|update)", markdown))
    assert kinds["end"] == 100 and kinds["update"] > 100


def test_every_action_as_rendered() -> None:
    made = cases.everything()
    found = Rendered(plan_markdown(made))
    assert not found.unbalanced and found.stack == []
    for change in made.changes:
        assert str(change.key) in found.text
    assert found.tags.count("summary") == len(made.changes) + sum(bool(item.calls) for item in made.changes) + 1
    bodies = [text.partition("\n\n")[2] for text in found.blocks]
    sent = [call.body for change in made.changes for call in change.calls]
    assert [json.loads(text) for text in bodies] == sent, "a call's body is shown as the JSON that is sent"
    assert Counter(found.tags)["table"] == 1 + sum(bool(change.fields) for change in made.changes)


def test_rows_of_fields_have_the_cells_of_their_header() -> None:
    tokens: list[Any] = READER.parse(plan_markdown(cases.everything()))
    depth: list[int] = []
    for token in tokens:
        if token.type == "table_open":
            depth = []
        elif token.type == "tr_open":
            depth.append(0)
        elif token.type in ("td_open", "th_open"):
            depth[-1] += 1
        elif token.type == "table_close":
            assert len(set(depth)) == 1 and len(depth) > 1
