"""Documents to desired experiments: every problem, its place, and what was meant."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from reconciler.manifests import load_text
from reconciler.model.diagnostic import Diagnostic, Finding, Rule
from reconciler.model.diagnostic import Severity as Level
from reconciler.model.kind import Field as Row
from reconciler.model.resource import Desired, Key, OnImmutableChange, OnRemoval
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS
from reconciler.validate import check, in_order


@dataclass(frozen=True)
class Way:
    platform: str


@dataclass(frozen=True)
class Ways:
    connections: Mapping[str, Way] = field(default_factory=lambda: {"lab": Way("lab")})


ALL = Ways({"li": Way("linkedin"), "x": Way("x-ads"), "crm": Way("salesforce")})
TOO_BIG = Rule("LAB001", "sizes", "the lab's page", "make it smaller", Level.WARNING)
TWICE = Rule("LAB002", "labels", "the lab's page", "choose another label")


class Arm(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    size: int | None = None


class LabSpec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    label: str = Field(min_length=1, max_length=10)
    mode: Literal["FAST", "SLOW"] = "FAST"
    share: float = Field(default=1, ge=0, le=100)
    weight: str | int = 1
    on: bool = True
    arms: list[Arm] = Field(default_factory=list, max_length=3)
    rules: dict[str, str] | str = ""


class LabKind(Kind):  # type: ignore[misc]
    """A kind of a made-up platform; only the manifest's side is used here."""

    name = "LabTest"
    platform = "lab"
    summary = "A test in the lab."
    fields = tuple(
        Row(path, "text", "m", "s", {}) for path in ("label", "mode", "arms[]", "arms[].name", "arms[].size")
    )
    rules = (TOO_BIG, TWICE)
    statuses = ("LIVE",)

    @property
    def spec_model(self) -> type[BaseModel]:
        return LabSpec

    def canonical(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        return {**stated, "label": stated["label"].upper()}

    def check(self, desired: Desired) -> Iterable[Finding]:
        for index, arm in enumerate(desired.spec.get("arms", [])):
            if (arm.get("size") or 0) > 90:
                yield Finding(TOO_BIG, ("arms", index, "size"), f"arms[{index}].size is {arm['size']}")

    def check_together(self, desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
        seen: set[str] = set()
        for desired in desireds:
            if desired.spec["label"] in seen:
                yield desired.key, Finding(TWICE, ("label",), "the label is taken")
            seen.add(desired.spec["label"])


LabKind.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
LAB = LabKind()  # type: ignore[abstract]


def manifest(spec: str = "{label: a}", *, kind: str = "LabTest", meta: str = "name: a", more: str = "") -> str:
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{{meta}}}\n{more}spec: {spec}\n"


def run(text: str, ways: Ways | None = None, kinds: Sequence[Kind] = (LAB,)) -> tuple[list[Desired], list[Diagnostic]]:
    loaded = load_text(text, "m.yaml")
    desireds, problems = check(loaded.documents, ways or Ways(), kinds)
    return list(desireds), list(in_order(loaded.diagnostics, problems))


def said(text: str, ways: Ways | None = None, kinds: Sequence[Kind] = (LAB,)) -> list[tuple[str, str, str]]:
    return [(str(p.location).removeprefix("m.yaml:"), p.message, p.hint) for p in run(text, ways, kinds)[1]]


def test_a_valid_manifest_becomes_desired() -> None:
    more = "lifecycle: {onImmutableChange: replace, onRemoval: abandon, preventDestroy: true, ignoreChanges: [mode]}\n"
    (desired,), problems = run(manifest("{label: a, mode: SLOW}", meta='name: a-1, labels: {team: "no"}', more=more))
    assert problems == []
    assert (desired.key, desired.platform, desired.connection) == (Key("LabTest", "a-1"), "lab", "lab")
    assert desired.spec == {"label": "A", "mode": "SLOW"}  # canonical, and only what is stated
    assert desired.labels == {"team": "no"}
    life = desired.lifecycle
    assert (life.on_immutable_change, life.on_removal) == (OnImmutableChange.REPLACE, OnRemoval.ABANDON)
    assert (life.prevent_destroy, life.ignore_changes) == (True, ("mode",))
    assert str(desired.location) == "m.yaml:3:18"
    assert str(desired.locate(("mode",))) == "m.yaml:5:24"


def test_an_explicit_null_is_kept() -> None:
    (desired,), _ = run(manifest("{label: a, arms: [{name: b, size: null}]}"))
    assert desired.spec["arms"] == [{"name": "b", "size": None}]


@pytest.mark.parametrize(
    ("spec", "place", "message", "hint"),
    [
        ("{label: 12}", "4:15", "spec.label is the number 12; it has to be text", 'quote it: "12"'),
        ("{label: 1e5}", "4:15", "spec.label is the number 1e5; it has to be text", 'quote it: "1e5"'),
        ("{label: true}", "4:15", "spec.label is true; it has to be text", ""),
        ("{label: null}", "4:15", "spec.label is null; it has to be text", ""),
        ("{label: [a]}", "4:15", "spec.label is a list of 1 item; it has to be text", ""),
        ("{}", "4:1", "spec.label is missing", ""),
        ("{label: abcdefghijk}", "4:15", "spec.label has 11 characters; allowed are at most 10", ""),
        ("{label: ''}", "4:15", "spec.label has 0 characters; allowed are at least 1", ""),
        ("{lable: a, label: a}", "4:8", 'unknown key "lable" in spec', "did you mean label?"),
        (
            "{label: a, zzz: 1}",
            "4:18",
            'unknown key "zzz" in spec',
            "known keys are label, mode, share, weight, on, arms, rules",
        ),
        (
            "{label: a, mode: SLWO}",
            "4:24",
            'spec.mode is "SLWO"; it has to be FAST or SLOW',
            "did you mean SLOW?",
        ),
        ("{label: a, share: '9'}", "4:25", 'spec.share is "9"; it has to be a number', "write 9, without quotes"),
        ("{label: a, share: 100.5}", "4:25", "spec.share is the number 100.5; it has to be at most 100", ""),
        ("{label: a, on: yes}", "4:22", 'spec.on is "yes"; it has to be true or false', "write true"),
        ("{label: a, on: 1}", "4:22", "spec.on is the number 1; it has to be true or false", ""),
        (
            "{label: a, weight: 1.5}",
            "4:26",
            "spec.weight is the number 1.5; it has to be text or a whole number",
            'quote it: "1.5"',
        ),
        ("{label: a, arms: {}}", "4:24", "spec.arms is an empty mapping; it has to be a list", ""),
        ("{label: a, arms: [x]}", "4:25", 'spec.arms[0] is "x"; it has to be a mapping', ""),
        (
            "{label: a, arms: [{name: b, size: 90.0}]}",
            "4:41",
            "spec.arms[0].size is the number 90.0; it has to be a whole number",
            "write 90",
        ),
        (
            "{label: a, arms: [{name: b, size: true}]}",
            "4:41",
            "spec.arms[0].size is true; it has to be a whole number",
            "",
        ),
        (
            "{label: a, arms: [{name: b, size: 1_0}]}",
            "4:41",
            'spec.arms[0].size is "1_0"; it has to be a whole number',
            "write 10, without quotes",
        ),
        ("{label: a, arms: [{nam: b}]}", "4:26", 'unknown key "nam" in spec.arms[0]', "did you mean name?"),
        (
            "{label: a, arms: [{name: a},{name: a},{name: a},{name: a}]}",
            "4:24",
            "spec.arms has 4 items; allowed are at most 3",
            "",
        ),
        ("{label: a, rules: {k: 5}}", "4:29", "spec.rules.k is the number 5; it has to be text", 'quote it: "5"'),
        ("{label: a, rules: 5}", "4:25", "spec.rules is the number 5; it has to be a mapping or text", 'quote it: "5"'),
    ],
)
def test_schema_errors_in_our_own_words(spec: str, place: str, message: str, hint: str) -> None:
    assert (place, message, hint) in said(manifest(spec))


def test_all_problems_of_all_manifests_in_order() -> None:
    text = manifest("{lable: 1, arms: [{size: x}]}", meta="name: A_b, labels: {a: 1}") + "---\n" + manifest("[]")
    text += "---\n" + manifest("{label: 012}", meta="name: c") + "--- text\n"
    assert [(place, message) for place, message, _ in said(text)] == [
        ("3:18", 'metadata.name is "A_b"; it has to be text that matches ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'),
        ("3:35", "metadata.labels.a is the number 1; it has to be text"),
        ("4:1", "spec.label is missing"),
        ("4:8", 'unknown key "lable" in spec'),
        ("4:25", "spec.arms[0].name is missing"),
        ("4:32", 'spec.arms[0].size is "x"; it has to be a whole number'),
        ("9:7", "spec is an empty list; it has to be a mapping"),
        (
            "14:15",
            "012: a number with a leading zero is read differently by different readers; quote it if it is text",
        ),
        ("15:5", 'a manifest is a mapping with apiVersion, kind, metadata and spec; found "text"'),
    ]


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True),
        ("a-1", True),
        ("0", False),  # a number
        ("'0'", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("-a", False),
        ("a-", False),
        ("A", False),
        ("a_b", False),
        ("''", False),
        ('"a\\n"', False),
        ("é", False),
    ],
)
def test_names(name: str, good: bool) -> None:
    desireds, problems = run(manifest(meta=f"name: {name}"))
    assert (len(desireds), problems == []) == ((1, True) if good else (0, False))


@pytest.mark.parametrize(
    ("ways", "meta", "message"),
    [
        ({}, "name: a", "LabTest needs a connection of lab, and reconciler.yaml has none"),
        (
            {"one": "lab", "two": "lab", "x": "x-ads"},
            "name: a",
            "metadata.connection is missing, and lab has several connections: one, two",
        ),
        ({"lab": "lab"}, "name: a, connection: lba", 'there is no connection "lba" in reconciler.yaml'),
        (
            {"lab": "lab", "x": "x-ads"},
            "name: a, connection: x",
            'the connection "x" is one of x-ads; LabTest needs one of lab',
        ),
        ({"lab": "lab"}, "name: a, connection: 5", "metadata.connection is the number 5; it has to be text"),
    ],
)
def test_connections_that_are_not_clear(ways: dict[str, str], meta: str, message: str) -> None:
    assert [m for _, m, _ in said(manifest(meta=meta), Ways({k: Way(v) for k, v in ways.items()}))] == [message]


def test_a_named_connection_is_taken() -> None:
    ways = Ways({"one": Way("lab"), "two": Way("lab")})
    (desired,), problems = run(manifest(meta="name: a, connection: two"), ways)
    assert (desired.connection, problems) == ("two", [])


@pytest.mark.parametrize(
    ("kind", "hint"), [("labtest", "did you mean LabTest?"), ("LabTset", "did you mean LabTest?"), ("Zebra", "")]
)
def test_unknown_kinds(kind: str, hint: str) -> None:
    assert said(manifest(kind=kind)) == [("2:7", f'kind is "{kind}"; it has to be LabTest', hint)]


def test_the_envelope_is_strict() -> None:
    text = "apiVersion: reconciler/v2\nKind: LabTest\nmetadata: {}\nspec: {label: a}\nlifecycle: {onRemoval: ned}\n"
    assert [(place, message) for place, message, _ in said(text)] == [
        ("1:1", "kind is missing"),
        ("1:13", 'apiVersion is "reconciler/v2"; it has to be reconciler/v1'),
        ("2:1", 'unknown key "Kind"'),
        ("3:1", "metadata.name is missing"),
        ("5:24", 'lifecycle.onRemoval is "ned"; it has to be end or abandon'),
    ]


def test_ignored_fields_have_to_exist() -> None:
    good = "lifecycle: {ignoreChanges: [label, arms, 'arms[].size', 'arms[0].size']}\n"
    assert said(manifest(more=good)) == []
    bad = "lifecycle: {ignoreChanges: [lable, spec.mode, 'arms[0].siz', zebra]}\n"
    assert [(place, hint) for place, _, hint in said(manifest(more=bad))] == [
        ("4:29", "did you mean label?"),
        ("4:36", "did you mean mode?"),
        ("4:47", "did you mean arms[].size?"),
        ("4:62", "`reconciler explain LabTest` lists the fields"),
    ]


def test_findings_of_the_kind_have_rule_place_and_source() -> None:
    _, problems = run(manifest("{label: a, arms: [{name: b, size: 95}]}"))
    (found,) = problems
    assert (found.severity.value, found.rule, found.path) == ("warning", "LAB001", "spec.arms[0].size")
    assert (found.message, found.hint, found.source) == ("arms[0].size is 95", "make it smaller", "the lab's page")
    assert str(found.location) == "m.yaml:4:41"


def test_findings_between_manifests() -> None:
    text = manifest() + "---\n" + manifest(meta="name: b") + "---\n" + manifest("{label: c}", meta="name: c")
    desireds, problems = run(text)
    assert len(desireds) == 3
    assert [(p.rule, str(p.location)) for p in problems] == [("LAB002", "m.yaml:9:15")]


def test_two_manifests_with_one_key_name_both_places() -> None:
    text = manifest() + "---\n" + manifest("{label: b}")
    desireds, problems = run(text)
    assert [d.spec["label"] for d in desireds] == ["A"]
    assert [(str(p.location), p.message) for p in problems] == [
        ("m.yaml:8:18", "a second manifest with the key LabTest/a; the first is at m.yaml:3:18")
    ]
    broken = manifest("{}") + "---\n" + manifest()
    assert "a second manifest" in run(broken)[1][-1].message


def test_hostile_values_are_shown_safely() -> None:
    text = manifest('{label: a, mode: "\\e[31m\\u202e' + "x" * 500 + '", "\\a\\n": 1}')
    for place, message, hint in said(text):
        assert message.isprintable() and hint.isprintable() and len(message) < 200, place


def test_numbers_are_not_coerced_in_the_real_kinds() -> None:
    text = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata: {name: a}
spec:
  account: urn:li:sponsoredAccount:123
  name: 5
  keyMetric: CPC
  confidence: 90.0
  scheduledStartAt: 2026-12-01T09:00:00
  scheduledEndAt: 2026-12-20
  autoStop: "true"
  cells:
    - {name: a, trafficWeight: "50", reference: {campaign: urn:li:sponsoredCampaign:1}}
    - {name: b, trafficWeight: true, reference: {campaign: urn:li:sponsoredCampaign:2}}
---
apiVersion: reconciler/v1
kind: XAdsABTest
metadata: {name: a}
spec:
  account_id: 12345
  entity_type: CAMPAIGN
  start_time: 2026-12-01T09:00:00Z
  end_time: 2026-12-20T09:00:00Z
  user_groups: [{entity_ids: [1e5], size: 50}, {entity_ids: [8u94t], size: "50.00"}]
"""
    places = [place for place, _, _ in said(text, ALL, KINDS)]
    expected = ["6:9", "8:15", "9:21", "10:19", "11:13", "13:32", "14:32", "20:15", "24:31"]
    assert places == expected
    hints = {place: hint for place, _, hint in said(text, ALL, KINDS)}
    assert (hints["20:15"], hints["24:31"]) == ('quote it: "12345"', 'quote it: "1e5"')


NAMES = st.sampled_from(
    ["apiVersion", "kind", "metadata", "lifecycle", "spec", "name", "labels", "label", "arms", "size", "rules", "\x1b"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["LabTest", "reconciler/v1", "a", "\u202e", "block", "x" * 99]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=15,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, VALUES, max_size=6), VALUES)
def test_no_document_makes_validation_fail(value: dict[str, Any], spec: Any) -> None:
    for shape in (value, {"apiVersion": "reconciler/v1", "kind": "LabTest", "metadata": {"name": "a"}, "spec": spec}):
        desireds, problems = run(json.dumps(shape))
        assert desireds or problems
        for problem in problems:
            assert problem.message.isprintable() and problem.location is not None and problem.location.line == 1


def test_a_thousand_manifests_are_checked_in_a_few_seconds() -> None:
    text = "---\n".join(manifest(f"{{label: {n}x}}", meta=f"name: n{n}") for n in range(1000))
    start = time.process_time()
    desireds, problems = run(text)
    assert (len(desireds), problems) == (1000, [])
    assert time.process_time() - start < 2
