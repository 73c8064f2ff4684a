"""What is read a line at a time comes to what libyaml's events come to, and nothing else is read that way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.manifests.block import MAX_DEPTH, read_block
from reconciler.manifests.build import Builder
from reconciler.manifests.document import Source

ROOT = Path(__file__).parents[2]
PLAIN = """\
---
# what it is
apiVersion: reconciler/v1
kind: XAdsABTest  # a comment
metadata:
  name: a-test
  labels: {team: growth, quarter: 2027-q1, yes: 1}
spec:
  start_time: 2027-03-01T09:00:00Z
  name: "a: b # c"   # quoted
  description: it's 50 % — of {{ all }}
  user_groups:
  - name: ''
    size: 33.33

    entity_ids: [c1, 'c 2', urn:li:x:3]  # three
  -   name: b
      size: 50
      flag: true
      nothing: ~
      empty: []
      pairs: [{attributeName: Hero, value: a b}, {x: [1, {}]}]
      entity_ids:
        - c3
        - "4"
        - 5
  last: no
"""


def built(text: str) -> Builder:
    builder = Builder("a.yaml", Source(text))
    builder.run()
    return builder


def agrees(text: str) -> bool:
    """Tell whether a text is read by lines; when it is, everything has to be as events give it."""
    found = read_block(text)
    if found is None:
        return False
    builder = built(text)
    assert builder.problems == []
    (document,) = builder.documents
    assert repr(found) == repr(
        (document.value, document.root)
    )  # repr tells 1 from True and from 1.0, and has the order
    return True


def test_what_people_write_is_read_by_lines() -> None:
    assert agrees(PLAIN)


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")), ids=lambda path: path.name)
def test_examples_of_one_document_are_read_by_lines(path: Path) -> None:
    text = path.read_text()
    assert agrees(text) is not (": |\n" in text or "\n---\n" in text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# only a comment\n", id="a-comment"),
        pytest.param("a: 1\n---\nb: 2\n", id="two-documents"),
        pytest.param("---\n---\na: 1\n", id="two-starts"),
        pytest.param("a: 1\n...\n", id="an-end"),
        pytest.param("a:\n", id="a-value-left-out"),
        pytest.param("a:\nb: 1\n", id="a-value-left-out-before-another"),
        pytest.param("a: b: c\n", id="a-colon-in-text"),
        pytest.param("a: b:\n", id="a-colon-at-the-end"),
        pytest.param("a: b\n  c\n", id="text-over-two-lines"),
        pytest.param("a: 'b\n  c'\n", id="quotes-over-two-lines"),
        pytest.param("a: 'it''s'\n", id="a-doubled-quote"),
        pytest.param('a: "\\u0041"\n', id="an-escape"),
        pytest.param('a: "b"c\n', id="text-behind-quotes"),
        pytest.param('a: "b"#c\n', id="no-blank-before-a-comment"),
        pytest.param("a: |\n  b\n", id="a-block-scalar"),
        pytest.param("a: &b c\n", id="an-anchor"),
        pytest.param("a: *b\n", id="an-alias"),
        pytest.param("a: !!str b\n", id="a-tag"),
        pytest.param("<<: {a: 1}\n", id="a-merge"),
        pytest.param("? a\n: b\n", id="an-explicit-key"),
        pytest.param("a: 1\na: 2\n", id="a-key-twice"),
        pytest.param("a: {b: 1, b: 2}\n", id="a-key-twice-in-brackets"),
        pytest.param("a: {b}\n", id="a-key-alone-in-brackets"),
        pytest.param("a: [b: 1]\n", id="a-pair-in-a-list"),
        pytest.param("a: [b, ]\n", id="a-comma-at-the-end"),
        pytest.param("a: [b] c\n", id="text-behind-brackets"),
        pytest.param("a: [b\n  ]\n", id="brackets-over-two-lines"),
        pytest.param(f"a: {'[' * 60}b{']' * 60}\n", id="too-deep-in-brackets"),
        pytest.param("true: 1\n", id="a-key-that-is-no-text"),
        pytest.param("a: 012\n", id="a-number-of-two-readings"),
        pytest.param("a: b\n c: d\n", id="further-in-than-it-may"),
        pytest.param("a:\n    b: 1\n  c: 2\n", id="between-two-columns"),
        pytest.param("a:\n- b\n  - c\n", id="an-item-further-in"),
        pytest.param(" a: 1\n", id="not-at-the-first-column"),
        pytest.param("a: 1\r\n", id="another-line-break"),
        pytest.param("a:\t1\n", id="a-tab"),
        pytest.param("a: b\u00a0c\n", id="a-blank-that-is-none"),
        pytest.param("- a\n", id="a-list"),
        pytest.param("a\n", id="a-word"),
        pytest.param("".join(f"{'  ' * depth}a:\n" for depth in range(60)) + "  " * 60 + "a: 1\n", id="too-deep"),
    ],
)
def test_the_rest_is_left_to_events(text: str) -> None:
    assert read_block(text) is None


def test_depth_is_limited_in_lists_too() -> None:
    deep = "a:\n" + "".join(f"{'  ' * depth}- a:\n" for depth in range(MAX_DEPTH)) + "  " * MAX_DEPTH + "  - b\n"
    assert read_block(deep) is None
    assert not built(deep).problems


SCALARS = st.sampled_from(
    r"""
    v;a b;1;-1;1.5;012;0x1;true;no;~;null;.5;2027-03-01T09:00:00Z;10:30;urn:li:x:1;a:;a: b;a #b;a#b;#b;{{ x }};it's;é;😀
    "q";"q, r: s # t";'q';"\n";'q''r';"q" # c;"q"c;[];{};[a, b];[a,b];[a b, "c", 1];[ a ];[a?b];[-a];{a: 1, b: "c"}
    {a: 1, a: 2};{a:1};{a: urn:li:x};{a: b:};{a: {b: 1}};[{a: b}, [c]];[a, ];[a: b];[a] # c;[a]b;{[a]: b};{a: [};
    &a b;*a;!a b;>;|;- a;? a;%a;@a;`a;<<;...;---;, a;$a;(a);/a
    """.strip()
    .replace("\n    ", ";")
    .split(";")
)
KEYS = st.sampled_from([*"abcdefgh"] * 3 + ["x-y", "_z", "no", "true", "1", "<<", '"q"', "a b", "-a", "é"])
LINES = st.one_of(
    st.builds("{}: {}".format, KEYS, SCALARS),
    st.builds("{}:".format, KEYS),
    st.builds("- {}".format, SCALARS),
    st.builds("- {}: {}".format, KEYS, SCALARS),
    st.builds("-  {}:".format, KEYS),
    st.builds("{}:  {} # c: d".format, KEYS, SCALARS),
    st.builds("{}: # c".format, KEYS),
    st.sampled_from(["", "# c", "---", "...", "-", "- - a", "{", "]"]),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Give lines of which each is, more often than not, as far in as the one before it lets it be."""
    out: list[str] = []
    column = 0
    for line in draw(st.lists(LINES, min_size=1, max_size=9)):
        out.append(" " * column + line + draw(st.sampled_from(["", "", "", " "])))
        deeper = (
            [column + 2, column + 2, column] if line.endswith(":") or line[:1] == "-" else [column, column, column - 2]
        )
        column = max(0, draw(st.sampled_from([*deeper, column - 2, column + 1])))
    return "\n".join(out) + draw(st.sampled_from(["\n", ""]))


@settings(max_examples=600, deadline=None)
@given(texts())
@example("a:\n- b: 1\n  c:\n  - d\n- e\nf: 2\n")
@example("a:\n  - b:\n      c: 1\n    d: 2\n  -   e: 3\n      f: 4\ng: x\n")
def test_lines_come_to_what_events_come_to(text: str) -> None:
    agrees(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_manifest_with_something_put_into_it_does_too(data: st.DataObject) -> None:
    text = PLAIN
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        end = min(len(text), place + data.draw(st.sampled_from([0, 0, 1, 2, 8])))
        put = data.draw(
            st.one_of(SCALARS, st.sampled_from(["", " ", "  ", "\n", ":", ": ", "-", "- ", "#", '"', "'", ","]))
        )
        text = text[:place] + put + text[end:]
    agrees(text)
