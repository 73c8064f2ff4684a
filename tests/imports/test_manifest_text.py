"""What `manifest_text` writes is read back as the same value, and is laid out as `fmt` lays out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.manifests.expand import expand
from reconciler.manifests.layout import laid_out, order_of
from reconciler.manifests.load import load_text
from reconciler.manifests.template.scope import Scope
from reconciler.manifests.write import WIDTH, manifest_text, unwritable
from reconciler.platforms.registry import KINDS

KIND = next(kind for kind in KINDS if kind.name == "SalesforceExperiment")
ORDER = order_of(row.path for row in KIND.fields)
ORDERS = {kind.name: order_of(row.path for row in kind.fields) for kind in KINDS}

ODD = [
    "",
    " ",
    "no",
    "~",
    "null",
    "012",
    "0x1f",
    "1_000",
    "1e3",
    ".5",
    "2026-12-01",
    "2026-12-01T09:00:00Z",
    "- a",
    "a: b",
    "a:",
    "a #b",
    "#",
    "&a",
    "*a",
    "!t",
    "a,b",
    "[",
    "}",
    "'",
    '"',
    "\\",
    "%",
    "@",
    "`",
    "<<",
    "?",
    "x:?",
    "a\nb",
    "a\n",
    "\na",
    "a\n\n",
    " a\nb",
    "a \nb",
    "a\tb",
    "a\r\nb",
    "\x00\x07\x1b[31m",
    "\u2028\u2029\x85",
    "\ufeff",
    "\u202e",
    "\u00a0a",
    "\U0001f642",
    "---",
    "...",
    "--- a",
    "urn:li:sponsoredCampaign:1",
    "http://a/b?c=d&e=f#g",
    "{{ a }}",
    "{{",
    "{{{%",
    "{% raw %}",
    "{# c #}",
    '{{ "{" }}',
    "word {{ a }} " * 20 + "end",
    "word " * 60 + "end",
    "x" * 400,
    "long # text: with, all [of] it " * 8 + ".",
]
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=300), st.text("ab -:#,[]{}'\"\n\\", max_size=200))
scalars = st.one_of(
    texts, st.none(), st.booleans(), st.integers(-(10**38), 10**38), st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4))
)
specs = st.dictionaries(st.one_of(texts, st.sampled_from(ORDER.keys)), values, max_size=6)


def written(spec: dict[str, Any]) -> str:
    return manifest_text(KIND.name, "a", spec, ORDER, comments=["from\nhere"], schema="../a.json", connection="no: x")


@given(specs)
@example({"criteria": {"a": [[], [[]], {}, {"b": {"c": ["d, e", "f"]}}]}})
@example({"cohorts": [{"name": "a\nb\n", "attributeValues": [{"value": "x" * 130, "attributeName": "y"}]}]})
@example({text or "k": text for text in ODD})
@example({"parameters": ODD, "cohorts": [{"a": [text], "b": {"c": text}} for text in ODD]})
def test_it_is_read_back_as_it_is_and_fmt_leaves_it(spec: dict[str, Any]) -> None:
    if unwritable(spec):
        return
    text = written(spec)
    loaded = load_text(text, "a.yaml")
    assert loaded.diagnostics == ()
    expanded = expand(loaded.documents, Scope())
    assert expanded.diagnostics == ()
    value = expanded.documents[0].value
    assert value["metadata"] == {"name": "a", "connection": "no: x"}
    assert (value["spec"] or {}) == spec
    assert all(type(value["spec"][key]) is type(spec[key]) for key in spec)
    if spec:
        assert laid_out(text, ORDERS) == text


@given(specs)
def test_what_is_said_to_be_unwritable_is_not_read_back(spec: dict[str, Any]) -> None:
    found = unwritable(spec)
    if found is None:
        return
    path, why = found
    assert why
    value: Any = spec
    for step in path:
        value = value[step]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("\ud800", "lone surrogate"),
        ({"\udfff": 1}, "cannot be a key"),
        ({"k" * 2000: 1}, "cannot be a key"),
        ({"a\nb": 1}, "cannot be a key"),
        (10**50, "too long"),
        (float("inf"), "inf would not be read back"),
        (float("nan"), "nan would not be read back"),
    ],
)
def test_what_no_manifest_can_hold(value: Any, why: str) -> None:
    found = unwritable({"a": [1, {"b": value}]})
    assert found is not None
    assert found[0][:3] == ("a", 1, "b")
    assert why in found[1]


def test_as_a_person_would_write_it() -> None:
    spec = {
        "state": "Started",
        "name": "a",
        "cohorts": [
            {"label": "A: the first", "name": "a", "attributeValues": [{"value": "1", "attributeName": "no"}]},
            {"name": "b", "attributeValues": [{"value": "v" * 60, "attributeName": "n" * 60}]},
        ],
        "criteria": {"rules": [{"x": 1, "y": [2, 3]}], "op": "and"},
        "description": "one line\nanother",
        "parameters": [],
    }
    assert (
        manifest_text("SalesforceExperiment", "a", spec, ORDER, ignored=["label"], comments=["why"])
        == f"""\
# why
apiVersion: reconciler/v1
kind: SalesforceExperiment
metadata:
  name: a
lifecycle:
  ignoreChanges: [label]
spec:
  name: a
  description: |-
    one line
    another
  state: Started
  cohorts:
    - name: a
      label: "A: the first"
      attributeValues: [{{attributeName: no, value: "1"}}]
    - name: b
      attributeValues:
        - attributeName: {"n" * 60}
          value: {"v" * 60}
  criteria:
    rules:
      - {{x: 1, y: [2, 3]}}
    op: and
  parameters: []
"""
    )


def test_long_text_is_folded() -> None:
    text = manifest_text("SalesforceExperiment", "a", {"description": "many words " * 30 + "end"}, ORDER)
    assert "  description: >-\n    many words" in text
    assert all(len(line) <= WIDTH for line in text.split("\n"))
