from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.model.diagnostic import Severity
from reconciler.model.resource import Desired, Key
from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]


def desired_of(name: str, spec: dict[str, Any]) -> Desired:
    return Desired(Key("XAdsABTest", name), "x-ads", "x", spec)


def found(spec: dict[str, Any]) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(finding.rule.id, finding.path) for finding in KIND.check(desired_of("a", spec))]


def groups(*sizes: str, entities: int = 1) -> list[dict[str, Any]]:
    return [
        {"size": size, "entity_ids": [f"e{index}{letter}" for letter in "abc"[:entities]]}
        for index, size in enumerate(sizes)
    ]


def test_the_pages_example_breaks_nothing(spec: dict[str, Any]) -> None:
    assert found(spec) == []


GROUPS = ("user_groups",)
CASES: Sequence[Any] = [
    pytest.param({"user_groups": groups("50.00", "49.99")}, [("XAD001", GROUPS)], id="sum-too-low"),
    pytest.param({"user_groups": groups("50.00", "50.01")}, [("XAD001", GROUPS)], id="sum-too-high"),
    pytest.param({"user_groups": groups("33.33", "33.33", "33.34")}, [], id="sum-exact-in-thirds"),
    pytest.param({"user_groups": groups(*["3.33"] * 29, "3.43")}, [], id="sum-exact-of-thirty"),
    pytest.param(
        {"user_groups": [{"size": "50.00", "entity_ids": ["a", "b"]}, {"size": "50.00", "entity_ids": ["c", "b"]}]},
        [("XAD002", ("user_groups", 1, "entity_ids", 1))],
        id="entity-in-two-groups",
    ),
    pytest.param(
        {"user_groups": [{"size": "50.00", "entity_ids": ["a", "a"]}, {"size": "50.00", "entity_ids": ["c"]}]},
        [("XAD003", ("user_groups", 0, "entity_ids", 1))],
        id="entity-twice-in-one-group",
    ),
    pytest.param({"entity_type": "LINE_ITEM", "user_groups": groups("50.00", "50.00")}, [], id="line-items"),
    pytest.param(
        {"entity_type": "LINE_ITEM", "user_groups": groups("50.00", "50.00", entities=2)},
        [("XAD004", ("user_groups", 0, "entity_ids")), ("XAD004", ("user_groups", 1, "entity_ids"))],
        id="two-line-items-in-a-group",
    ),
    pytest.param({"entity_type": "LINE_ITEM", "user_groups": groups(*["20.00"] * 5)}, [], id="five-line-items"),
    pytest.param(
        {"entity_type": "LINE_ITEM", "user_groups": groups("16.67", "16.67", "16.67", "16.67", "16.66", "16.66")},
        [("XAD005", GROUPS)],
        id="six-line-items",
    ),
    pytest.param(
        {"entity_type": "CAMPAIGN", "user_groups": groups("16.67", "16.67", "16.67", "16.67", "16.66", "16.66")},
        [],
        id="six-campaigns",
    ),
    pytest.param(
        {"entity_type": "LINE_ITEM", "user_groups": groups("33.33", "33.33", "33.34")}, [], id="line-items-in-thirds"
    ),
    pytest.param(
        {"entity_type": "LINE_ITEM", "user_groups": groups("50.01", "49.99")},
        [("XAD006", GROUPS)],
        id="unequal-line-items",
    ),
    pytest.param({"entity_type": "CAMPAIGN", "user_groups": groups("60.00", "40.00")}, [], id="unequal-campaigns"),
    pytest.param({"end_time": "2022-05-25T01:00:00Z"}, [("XAD007", ("end_time",))], id="end-at-start"),
    pytest.param({"end_time": "2022-05-24T01:00:00Z"}, [("XAD007", ("end_time",))], id="end-before-start"),
    pytest.param(
        {"end_time": "2022-05-26T00:59:59Z"}, [("XAD008", ("end_time",)), ("XAD010", ("end_time",))], id="too-short"
    ),
    pytest.param({"end_time": "2022-05-26T01:00:00Z"}, [("XAD009", ("end_time",))], id="too-short-for-apps"),
    pytest.param({"end_time": "2022-05-30T00:00:00Z"}, [("XAD009", ("end_time",))], id="an-hour-too-short-for-apps"),
    pytest.param({"end_time": "2022-05-30T01:00:00Z"}, [], id="long-enough-for-apps"),
    pytest.param({"start_time": "2022-05-24T01:30:00Z"}, [("XAD010", ("start_time",))], id="not-on-the-hour"),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_rule(spec: dict[str, Any], change: dict[str, Any], expected: list[Any]) -> None:
    assert found(spec | change) == expected


def test_which_rules_only_warn() -> None:
    warnings = {rule.id for rule in KIND.rules if rule.severity is Severity.WARNING}
    assert warnings == {"XAD003", "XAD009", "XAD010", "XAD015", "XAD016"}


def test_rules_are_told_apart_and_say_what_to_do() -> None:
    assert len({rule.id for rule in KIND.rules}) == len(KIND.rules)
    assert all(rule.title and rule.fix and rule.source for rule in KIND.rules)


def together(*tests: Desired) -> list[tuple[str, str, tuple[str | int, ...], str]]:
    return [
        (key.name, finding.rule.id, finding.path, finding.message) for key, finding in KIND.check_together(list(tests))
    ]


def test_an_entity_in_two_tests(spec: dict[str, Any]) -> None:
    other = copy.deepcopy(spec)
    other["start_time"], other["end_time"] = "2030-01-01T00:00:00Z", "2030-01-10T00:00:00Z"
    other["user_groups"] = [
        {"size": "50.00", "entity_ids": ["new", "f2tht"]},
        {"size": "50.00", "entity_ids": ["f2rqi"]},
    ]
    assert together(desired_of("a", spec), desired_of("b", other)) == [
        (
            "b",
            "XAD011",
            ("user_groups", 0, "entity_ids", 1),
            "f2tht, f2rqi of account 18ce54d4x5t stands in XAdsABTest/a too",
        )
    ]


def test_each_holder_is_named(spec: dict[str, Any]) -> None:
    def holding(*entities: str) -> dict[str, Any]:
        return spec | {"user_groups": [{"size": "50.00", "entity_ids": [entity]} for entity in entities]}

    tests = (desired_of("a", holding("p", "q")), desired_of("b", holding("r", "s")), desired_of("c", holding("q", "r")))
    assert [(name, path) for name, _, path, _ in together(*tests)] == [
        ("c", ("user_groups", 0, "entity_ids", 0)),
        ("c", ("user_groups", 1, "entity_ids", 0)),
    ]


def test_the_same_id_in_another_account_is_another_entity(spec: dict[str, Any]) -> None:
    assert together(desired_of("a", spec), desired_of("b", spec | {"account_id": "other"})) == []


def test_one_test_does_not_meet_itself(spec: dict[str, Any]) -> None:
    spec["user_groups"][1]["entity_ids"] = ["f2qcw"]
    assert together(desired_of("a", spec)) == []
