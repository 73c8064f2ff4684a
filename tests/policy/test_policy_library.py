"""Every ready policy, held against cases on both sides of its line; a policy without cases fails the last test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.policy.given import read_given
from reconciler.policy.library import LIBRARY
from reconciler.policy.params import NEEDED
from reconciler.policy.policy import Policy, Verdict
from reconciler.policy.read import read_policies
from reconciler.policy.variables import VARIABLES
from reconciler.project import load_project

NEED = {
    "freeze-windows": {
        "windows": [
            {"from": "2026-12-24", "to": "2026-12-26", "name": "Christmas"},
            {"from": "2027-01-01T00:00:00+01:00", "to": "2027-01-01T12:00:00Z"},
        ]
    },
    "naming-pattern": {"pattern": "^[a-z]+-test$"},
}
"""Parameters that have to be stated."""


def policy_of(folder: Path, name: str, params: dict[str, Any] | None = None) -> Policy:
    """Give a ready policy with parameters."""
    stated = {**NEED.get(name, {}), **(params or {})}
    entry = {"use": name, **({"params": stated} if stated else {})}
    (folder / "reconciler.yaml").write_text(json.dumps({"version": 1, "policies": [entry]}))
    policies, problems = read_policies(load_project(folder))
    assert problems == ()
    return policies.items[0]


def verdict(folder: Path, name: str, given: dict[str, Any], params: dict[str, Any] | None = None) -> Verdict:
    """Give what a ready policy says of variables."""
    return policy_of(folder, name, params).judge(read_given(given))


SPAN = {"experiment.start": "2026-12-01T09:00:00Z", "experiment.end": "2026-12-15T09:00:00Z"}  # a Tuesday
CREATE = {"change.action": "create"}
CASES = [
    ("min-confidence", {"experiment.spec": {"confidence": 90}}, {}, "pass", ""),
    ("min-confidence", {"experiment.spec": {"confidence": 85.5}}, {}, "fail", "is 85.5; it has to be at least 90"),
    ("min-confidence", {"experiment.spec": {"name": "x"}}, {}, "skip", ""),
    ("min-confidence", {"experiment.spec": {"confidence": "high"}}, {}, "fail", "cannot be judged"),
    ("min-duration", SPAN, {"span": "14d"}, "pass", ""),
    ("min-duration", SPAN, {"span": "337h"}, "fail", "it lasts 14 d; it has to last at least 14 d 1 h"),
    ("min-duration", {}, {}, "skip", ""),
    ("min-duration", {**SPAN, "experiment.ending": True}, {"span": "3w"}, "skip", ""),
    ("max-duration", SPAN, {"span": "2w"}, "pass", ""),
    ("max-duration", SPAN, {"span": "13d"}, "fail", "at most 13 d"),
    ("no-weekend-start", SPAN, {}, "pass", ""),
    ("no-weekend-start", {**SPAN, "experiment.start": "2026-11-28T10:00:00Z"}, {}, "fail", "starts on a Saturday"),
    ("no-weekend-start", {**SPAN, "experiment.start": "2026-11-29T23:30:00Z"}, {}, "fail", "starts on a Sunday"),
    (
        "no-weekend-start",
        {**SPAN, "experiment.start": "2026-11-29T23:30:00Z"},
        {"timezone": "Europe/Berlin"},
        "pass",
        "",
    ),
    ("lead-time", {**SPAN, **CREATE, "now": "2026-11-30T09:00:00Z"}, {}, "pass", ""),
    ("lead-time", {**SPAN, **CREATE, "now": "2026-11-30T10:00:00Z"}, {}, "fail", "it starts 23 h from now"),
    ("lead-time", {**SPAN, "now": "2026-12-01T08:00:00Z"}, {}, "skip", ""),
    (
        "lead-time",
        {**SPAN, "change.paths": ["start_time"], "now": "2026-12-01T08:30:00Z"},
        {"span": "1h"},
        "fail",
        "30 min",
    ),
    ("equal-split", {"experiment.shares": [50.2, 49.8]}, {}, "pass", ""),
    ("equal-split", {"experiment.shares": [33.3, 33.3, 33.4]}, {}, "pass", ""),
    ("equal-split", {"experiment.shares": [60, 40]}, {}, "fail", "the shares are 60, 40 %"),
    ("equal-split", {"experiment.shares": [60, 40]}, {"tolerance": 10}, "pass", ""),
    ("equal-split", {"experiment.shares": []}, {}, "skip", ""),
    ("owner-label", {"experiment.labels": {"owner": "ana"}}, {}, "pass", ""),
    ("owner-label", {"experiment.labels": {"owner": ""}}, {}, "fail", "needs owner"),
    ("owner-label", {"experiment.labels": {}}, {}, "fail", "needs owner"),
    (
        "owner-label",
        {"experiment.labels": {"team": "growth"}},
        {"label": "team", "pattern": "^(growth|ads)$"},
        "pass",
        "",
    ),
    ("owner-label", {"experiment.labels": {"team": "x"}}, {"label": "team", "pattern": "^(growth|ads)$"}, "fail", ""),
    ("max-running-per-account", {**CREATE, "project.accountRunning": 10}, {}, "pass", ""),
    (
        "max-running-per-account",
        {**CREATE, "project.accountRunning": 11, "experiment.account": "18ce"},
        {},
        "fail",
        "18ce would have 11 experiments; at most 10",
    ),
    ("max-running-per-account", {"project.accountRunning": 11}, {}, "skip", ""),
    ("freeze-windows", {"now": "2026-12-23T23:59:59Z"}, {}, "pass", ""),
    ("freeze-windows", {"now": "2026-12-24T00:00:00Z"}, {}, "fail", "Christmas until 2026-12-27T00:00:00Z"),
    ("freeze-windows", {"now": "2026-12-26T23:59:59Z"}, {}, "fail", "Christmas"),
    ("freeze-windows", {"now": "2026-12-27T00:00:00Z"}, {}, "pass", ""),
    ("freeze-windows", {"now": "2026-12-31T23:00:00Z"}, {}, "fail", "freeze 2"),
    ("freeze-windows", {"now": "2026-12-25T00:00:00Z", "change.action": "forget"}, {}, "skip", ""),
    ("naming-pattern", {"experiment.name": "headline-test"}, {}, "pass", ""),
    ("naming-pattern", {"experiment.name": "headline"}, {}, "fail", "the name headline does not match"),
    ("running-needs-label", {"live.running": True, "experiment.labels": {"change-approved": "yes"}}, {}, "pass", ""),
    (
        "running-needs-label",
        {"live.running": True, "live.status": "RUNNING", "change.action": "delete"},
        {},
        "fail",
        "it is RUNNING, and to delete a running one",
    ),
    ("running-needs-label", {"live.running": False}, {}, "skip", ""),
    ("running-needs-label", {"live.running": True, **CREATE}, {}, "skip", ""),
    ("enough-traffic", {"sanity": {"stated": True, "expected": 9, "power": 0.81}}, {}, "pass", ""),
    (
        "enough-traffic",
        {"sanity": {"stated": True, "expected": 90, "needed": 400, "power": 0.25}},
        {},
        "fail",
        "25 %; it has to be at least 80 % (90 people come, 400 are needed)",
    ),
    ("enough-traffic", {"sanity": {"stated": False}}, {}, "skip", ""),
    ("whole-weeks", {**SPAN, "sanity.wholeWeeks": True}, {}, "pass", ""),
    ("whole-weeks", SPAN, {}, "fail", "it lasts 14 d"),
    ("whole-weeks", {}, {}, "skip", ""),
]


@pytest.mark.parametrize(
    ("name", "given", "params", "word", "said"),
    [pytest.param(*case, id=f"{case[0]}-{case[3]}-{number}") for number, case in enumerate(CASES)],
)
def test_ready_policies(
    tmp_path: Path, name: str, given: dict[str, Any], params: dict[str, Any], word: str, said: str
) -> None:
    found = verdict(tmp_path, name, given, params)
    assert found.word == word, found.message
    assert said in found.message
    assert "{{" not in found.message


@pytest.mark.parametrize("name", LIBRARY)
def test_every_ready_policy_has_cases_on_both_sides(name: str) -> None:
    words = {case[3] for case in CASES if case[0] == name}
    assert {"pass", "fail"} <= words


@pytest.mark.parametrize("name", LIBRARY)
def test_every_parameter_says_what_it_is_and_its_usual_value_is_one(tmp_path: Path, name: str) -> None:
    row = LIBRARY[name]
    policy = policy_of(tmp_path, name)
    assert {f"params.{param.name}" for param in row.params} == set(policy.params)
    assert all(param.meaning.endswith(".") for param in row.params)
    assert {param.name for param in row.params if param.usual is NEEDED} == set(NEED.get(name, {}))


@pytest.mark.parametrize("name", ["min-confidence", "min-duration", "equal-split", "owner-label", "naming-pattern"])
def test_what_needs_no_live_data_is_judged_by_validate(tmp_path: Path, name: str) -> None:
    assert policy_of(tmp_path, name).phase == 0


def test_variables_are_named_once_and_explained() -> None:
    assert all(row.meaning.endswith(".") for row in VARIABLES.values())
    assert all(row.may_be_missing or row.name in read_given({}) for row in VARIABLES.values())
