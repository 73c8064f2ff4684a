"""Every rule with a spec that meets it and one that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.model.diagnostic import Severity
from reconciler.model.resource import Desired, Key
from reconciler.platforms.salesforce.checks import conditions
from reconciler.platforms.salesforce.kinds import KIND

Spec = dict[str, Any]
Change = Callable[[Spec], Any]


def desired(spec: Spec, name: str = "a", connection: str = "crm") -> Desired:
    return Desired(Key("SalesforceExperiment", name), "salesforce", connection, KIND.canonical(spec))


def found(spec: Spec) -> list[tuple[str, tuple[Any, ...], str]]:
    return [(item.rule.id, item.path, item.level.value) for item in KIND.check(desired(spec))]


def put(*path: Any) -> Change:
    """Give a change that sets a value deep in a spec; the last argument is the value."""
    *steps, last, value = path

    def change(spec: Spec) -> None:
        target: Any = spec
        for step in steps:
            target = target[step]
        target[last] = value

    return change


def drop(*path: Any) -> Change:
    *steps, last = path

    def change(spec: Spec) -> None:
        target: Any = spec
        for step in steps:
            target = target[step]
        del target[last]

    return change


def both(*changes: Change) -> Change:
    def change(spec: Spec) -> None:
        for each in changes:
            each(spec)

    return change


def cohorts(count: int) -> Change:
    share, rest = divmod(10000, count)

    def change(spec: Spec) -> None:
        spec["cohorts"] = [
            {"name": f"c{n}", "label": "C", "isControl": n == 0, "allocationWeight": share + (rest if n == 0 else 0)}
            for n in range(count)
        ]

    return change


def criteria(count: int) -> dict[str, Any]:
    return {"logic": "and", "rules": [{"field": {"name": f"f{n}"}, "in": [1, 2]} for n in range(count)]}


SECOND = {"metricType": "EngagementSignal", "metricName": "Other", "overallScoreWeight": 4000}
GRAPH = put("profileDataGraphName", "RTDG")
E, W = "error", "warning"
C0, C1 = ("cohorts", 0), ("cohorts", 1)
A0 = (*C0, "attributeValues", 0)
PRIMARY = ("primaryMetrics", 0)

BROKEN: list[tuple[Change, list[tuple[str, tuple[Any, ...], str]]]] = [
    (put("name", "spring-offer"), [("SFP001", ("name",), E)]),
    (put("name", "x" * 41), [("SFP002", ("name",), E)]),
    (put("label", "x" * 256), [("SFP002", ("label",), E)]),
    (put("description", "x" * 256), [("SFP002", ("description",), E)]),
    (put(*C0, "name", "x" * 81), [("SFP002", (*C0, "name"), E)]),
    (put(*C0, "label", "x" * 256), [("SFP002", (*C0, "label"), E)]),
    (put(*C0, "description", "x" * 256), [("SFP002", (*C0, "description"), E)]),
    (put(*A0, "value", "x" * 20001), [("SFP002", (*A0, "value"), E)]),
    (put("name", ""), [("SFP003", ("name",), E)]),
    (put("label", " "), [("SFP003", ("label",), E)]),
    (put("dataSpaceName", ""), [("SFP003", ("dataSpaceName",), E)]),
    (put(*C0, "name", ""), [("SFP003", (*C0, "name"), E)]),
    (put(*PRIMARY, "metricName", ""), [("SFP003", (*PRIMARY, "metricName"), E)]),
    (put("parameters", 0, "parameterName", ""), [("SFP003", ("parameters", 0, "parameterName"), E)]),
    (put("schemaEnum", "FlowPath"), [("SFP004", ("schemaEnum",), E)]),
    (drop("schemaName"), [("SFP004", (), E)]),
    (put("schemaName", None), [("SFP004", (), E)]),
    (both(put("dataSpaceName", "myDs"), put("schemaName", "other_T")), [("SFP005", ("schemaName",), W)]),
    (cohorts(1), [("SFP006", ("cohorts",), E)]),
    (cohorts(11), [("SFP006", ("cohorts",), E)]),
    (put("cohorts", []), [("SFP006", ("cohorts",), E)]),
    (put(*C1, "name", "cohort_1"), [("SFP007", (*C1, "name"), E)]),
    (put(*C0, "isControl", False), [("SFP008", ("cohorts",), E)]),
    (put(*C1, "isControl", True), [("SFP008", (*C1, "isControl"), E)]),
    (
        both(put(*C1, "isFallThrough", True), drop(*C1, "attributeValues")),
        [("SFP009", (*C1, "isFallThrough"), E)],
    ),
    (drop(*C1, "allocationWeight"), [("SFP010", C1, E)]),
    (
        both(put(*C0, "allocationWeight", 10001), put(*C1, "allocationWeight", -1)),
        [("SFP010", (*C0, "allocationWeight"), E), ("SFP010", (*C1, "allocationWeight"), E)],
    ),
    (put(*C1, "allocationWeight", 4999), [("SFP011", ("cohorts",), E)]),
    (
        both(drop(*C0, "allocationWeight"), put(*C1, "allocationWeight", 10001)),
        [("SFP010", (*C1, "allocationWeight"), E), ("SFP011", ("cohorts",), E)],
    ),
    (put(*A0, "attributeEnum", "FlowPath"), [("SFP012", A0, E)]),
    (drop(*A0, "attributeName"), [("SFP012", A0, E)]),
    (
        put(*C0, "attributeValues", [{"attributeName": "a", "value": "1"}, {"attributeName": "a", "value": "2"}]),
        [("SFP013", (*C0, "attributeValues", 1), E)],
    ),
    (
        both(drop("profileDataGraphName"), put(*C1, "personalizerName", "Rec")),
        [("SFP014", (*C1, "personalizerName"), W)],
    ),
    (put(*C0, "isFallThrough", True), [("SFP015", (*C0, "attributeValues"), W)]),
    (
        lambda spec: spec["secondaryMetrics"].append(dict(spec["secondaryMetrics"][0])),
        [("SFP016", ("secondaryMetrics", 1), E)],
    ),
    (put(*PRIMARY, "overallScoreWeight", 9999), [("SFP017", ("primaryMetrics",), E)]),
    (lambda spec: spec["primaryMetrics"].append({**SECOND}), [("SFP017", ("primaryMetrics",), E)]),
    (
        lambda spec: spec["primaryMetrics"].append({k: v for k, v in SECOND.items() if k != "overallScoreWeight"}),
        [("SFP017", ("primaryMetrics", 1), E)],
    ),
    (
        lambda spec: spec.update(primaryMetrics=[metric("a"), metric("b")]),
        [("SFP017", ("primaryMetrics", 0), E), ("SFP017", ("primaryMetrics", 1), E)],
    ),
    (put(*PRIMARY, "metricType", "Engagement"), [("SFP018", (*PRIMARY, "metricType"), W)]),
    (
        lambda spec: spec["parameters"].append({**spec["parameters"][0], "values": []}),
        [("SFP019", ("parameters", 1), E)],
    ),
    (put("chanceToWinThreshold", 84.99), [("SFP020", ("chanceToWinThreshold",), E)]),
    (put("chanceToWinThreshold", 100.01), [("SFP020", ("chanceToWinThreshold",), E)]),
    (put("chanceToWinThreshold", 95.125), [("SFP020", ("chanceToWinThreshold",), E)]),
    (put("minimumRequiredParticipants", 299), [("SFP021", ("minimumRequiredParticipants",), E)]),
    (put("minimumRequiredParticipants", 5001), [("SFP021", ("minimumRequiredParticipants",), E)]),
    (put("minimumDurationInMinutes", 59), [("SFP022", ("minimumDurationInMinutes",), E)]),
    (put("maximumDurationInMinutes", 129601), [("SFP022", ("maximumDurationInMinutes",), E)]),
    (put("maximumDurationInMinutes", 20159), [("SFP023", ("maximumDurationInMinutes",), E)]),
    (put("scheduleFrequencyInMinutes", 29), [("SFP024", ("scheduleFrequencyInMinutes",), E)]),
    (put("scheduleFrequencyInMinutes", 1441), [("SFP024", ("scheduleFrequencyInMinutes",), E)]),
    (put("criteria", criteria(51)), [("SFP025", ("criteria",), E)]),
]


@pytest.mark.parametrize(("change", "expected"), BROKEN)
def test_broken(change: Change, expected: list[Any], spec: Spec) -> None:
    change(spec)
    assert found(spec) == expected


SOUND: list[Change] = [
    lambda spec: None,
    put("name", "x" * 40),
    put("label", "x" * 255),
    put("description", None),
    put(*C0, "name", "x" * 80),
    put(*A0, "value", "x" * 20000),
    put(*A0, "value", ""),
    put("schemaEnum", None),
    both(put("schemaName", None), put("schemaEnum", "FlowPath")),
    both(put("dataSpaceName", "myDs"), put("schemaName", "myDs_T")),
    both(put("dataSpaceName", "myDs"), put("schemaName", "Template")),
    put("schemaName", "any_T"),
    cohorts(2),
    cohorts(10),
    both(put(*C0, "isFallThrough", True), drop(*C0, "attributeValues")),
    both(put(*C0, "allocationWeight", 0), put(*C1, "allocationWeight", 10000)),
    drop(*C0, "allocationWeight"),
    put(
        *C0,
        "attributeValues",
        [{"attributeName": "FlowPath", "value": "1"}, {"attributeEnum": "FlowPath", "value": "1"}],
    ),
    both(GRAPH, put(*C1, "personalizerName", "Rec")),
    both(put(*PRIMARY, "overallScoreWeight", 6000), lambda spec: spec["primaryMetrics"].append({**SECOND})),
    drop(*PRIMARY, "overallScoreWeight"),
    lambda spec: spec["parameters"].append({**spec["parameters"][0], "engagementSignalName": "Other"}),
    put("chanceToWinThreshold", 85),
    put("chanceToWinThreshold", 100.0),
    put("chanceToWinThreshold", 95.29),
    put("minimumRequiredParticipants", 300),
    put("minimumRequiredParticipants", 5000),
    both(put("minimumDurationInMinutes", 60), put("maximumDurationInMinutes", 60)),
    put("scheduleFrequencyInMinutes", 30),
    put("criteria", criteria(50)),
    put("criteria", None),
]


@pytest.mark.parametrize("change", SOUND)
def test_sound(change: Change, spec: Spec) -> None:
    change(spec)
    assert found(spec) == []


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("minimumRequiredParticipants", 1, "SFP021"),
        ("minimumDurationInMinutes", 1, "SFP022"),
        ("maximumDurationInMinutes", 20159, "SFP023"),
    ],
)
def test_in_manual_mode_what_has_no_effect_is_a_warning(key: str, value: int, rule: str, spec: Spec) -> None:
    spec[key] = value
    assert found({**spec, "winnerSelectionMode": "Manual"}) == [(rule, (key,), W)]
    del spec["winnerSelectionMode"]
    assert found(spec) == [(rule, (key,), E)]


@pytest.mark.parametrize("key", ["chanceToWinThreshold", "scheduleFrequencyInMinutes"])
def test_manual_mode_excuses_nothing_else(key: str, spec: Spec) -> None:
    spec.update({key: 1, "winnerSelectionMode": "Manual"})
    assert [level for _, _, level in found(spec)] == [E]


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        (None, 0),
        ({}, 0),
        ({"field": "a", "operator": "eq", "value": 1}, 1),
        ({"conditions": [{"a": 1}, {"b": {"c": {"d": 1}}}]}, 2),
        ({"or": [{"and": [{"a": 1}, {"b": 2}]}, {"and": [{"c": [1, 2]}]}]}, 3),
        ({"rules": [{"not": {"any": [{"a": 1}, {"b": 1}]}}]}, 2),
    ],
)
def test_conditions_are_the_innermost_listed_objects(rules: Any, count: int) -> None:
    assert conditions(rules) == count


def test_one_name_for_two_manifests_of_a_connection(spec: Spec) -> None:
    three = [desired(spec, "a"), desired(spec, "b"), desired({**spec, "name": "other"}, "c"), desired(spec, "d", "uat")]
    ((key, finding),) = KIND.check_together(three)
    assert (key.name, finding.rule.id, finding.path) == ("b", "SFP026", ("name",))
    assert "SalesforceExperiment/a" in finding.message


def test_an_ended_experiment_keeps_its_name(spec: Spec) -> None:
    pair = [desired({**spec, "state": "Archived"}, "a"), desired(spec, "b")]
    assert len(list(KIND.check_together(pair))) == 1


def test_every_rule_is_tried_here_numbered_once_and_says_what_to_do() -> None:
    ids = [rule.id for rule in KIND.rules]
    assert ids == [f"SFP{number:03d}" for number in range(1, len(ids) + 1)]
    tried = {rule for _, expected in BROKEN for rule, _, _ in expected} | {"SFP026"}
    assert tried == set(ids)
    assert all(rule.title and rule.source and rule.fix for rule in KIND.rules)
    assert {rule.id for rule in KIND.rules if rule.severity is Severity.WARNING} == {
        "SFP005",
        "SFP014",
        "SFP015",
        "SFP018",
    }


def messages(spec: Spec) -> list[tuple[tuple[Any, ...], str]]:
    return [(item.path, item.message) for item in KIND.check(desired(spec))]


def metric(name: str, weight: int | None = None) -> dict[str, Any]:
    stated = {"metricType": "EngagementSignal", "engagementSignalName": "S", "metricName": name}
    return stated if weight is None else stated | {"overallScoreWeight": weight}


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        (
            put("chanceToWinThreshold", 0.95),
            ("chanceToWinThreshold",),
            "0.95 is not between 85 and 100; it is in percent",
        ),
        (put("chanceToWinThreshold", 120), ("chanceToWinThreshold",), "120 is not between"),
        (put("chanceToWinThreshold", 95.123), ("chanceToWinThreshold",), "95.123 has more than two decimals"),
        (
            put("primaryMetrics", [metric("a", 10001)]),
            ("primaryMetrics", 0, "overallScoreWeight"),
            "10001 is not between 0 and 10000",
        ),
        (
            put("primaryMetrics", [metric("a", 9), metric("b")]),
            ("primaryMetrics", 1),
            "overallScoreWeight is left out; only a sole primary metric may do without",
        ),
        (
            put("primaryMetrics", [metric(n, 4000) for n in ("a", "b")]),
            ("primaryMetrics",),
            "they add up to 8000",
        ),
    ],
)
def test_a_finding_points_at_its_field_and_names_the_figures(
    spec: Spec, change: Change, path: tuple[Any, ...], says: str
) -> None:
    change(spec)
    assert any(where == path and says in message for where, message in messages(spec)), messages(spec)


def test_a_share_is_told_to_be_in_percent_once(spec: Spec) -> None:
    spec["chanceToWinThreshold"] = 1.5
    assert not any("in percent" in message for _, message in messages(spec))
