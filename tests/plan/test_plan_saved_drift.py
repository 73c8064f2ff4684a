"""A drift report comes back from its JSON as it was; anything else is refused, and only with PlanUnreadable."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from plan_builders import LI, SF, X

from reconciler.errors import PlanUnreadable
from reconciler.model.resource import Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.plan.saved_drift import drift_loads
from reconciler.report.json import drift_to_json

REPORT = DriftReport(
    drift=(
        Drift(
            Key(LI.name, "a"),
            "linkedin",
            "ads",
            "40001",
            DriftKind.EDITED,
            "RUNNING",
            (FieldDrift("name", "before", "after"), FieldDrift("description", None, {"a": [1, 2.5, True]})),
        ),
        Drift(Key(X.name, "b"), "x-ads", "x", "hr7l0", DriftKind.MISSING, None),
    ),
    progress=(
        Drift(Key(SF.name, "c"), "salesforce", "crm", "1", DriftKind.PROGRESS, "S", (FieldDrift("state", "C", "S"),)),
    ),
    unmanaged=(Unmanaged("linkedin", "ads", "urn:li:sponsoredAccount:5", "7", "hand-made", "PENDING"),),
    problems=("LinkedInExperiment/z: could not be read",),
    checked=4,
)


def loads(values: Any) -> DriftReport:
    return drift_loads(json.dumps(values), "drift.json")


def test_a_report_reads_as_it_was() -> None:
    assert loads(drift_to_json(REPORT)) == REPORT
    assert loads(drift_to_json(DriftReport(()))) == DriftReport(())


def test_a_report_that_is_not_complete_never_reads_as_no_drift() -> None:
    values = {**drift_to_json(DriftReport(())), "complete": False}
    assert loads(values).problems == ("the report says that it is not complete",)
    assert loads({**drift_to_json(REPORT), "complete": False}).problems == REPORT.problems


def test_unknown_keys_and_newer_minor_versions_are_read() -> None:
    assert loads({**drift_to_json(REPORT), "formatVersion": "1.9", "more": 1}) == REPORT


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("formatVersion",), "2.0", "formatVersion is '2.0', this tool reads 1.x"),
        (("formatVersion",), None, "formatVersion is not text"),
        (("drift",), None, "drift is not a list"),
        (("drift",), {}, "drift is not a list"),
        (("progress",), 3, "progress is not a list"),
        (("drift", 0), 3, "drift[0] is not an object"),
        (("drift", 0, "key"), "nonsense", "drift[0].key is wrong"),
        (("drift", 0, "key"), None, "drift[0].key is not text"),
        (("drift", 0, "platform"), 3, "drift[0].platform is not text"),
        (("drift", 1, "connection"), None, "drift[1].connection is not text"),
        (("drift", 0, "remoteId"), 40001, "drift[0].remoteId is not text"),
        (("drift", 0, "kind"), "other", "drift[0].kind is not one of edited, state, missing, progress"),
        (("drift", 0, "status"), 3, "drift[0].status is not text"),
        (("drift", 0, "fields", 0), [], "drift[0].fields[0] is not an object"),
        (("drift", 0, "fields", 0, "path"), None, "drift[0].fields[0].path is not text"),
        (("progress", 0, "fields"), "a", "progress[0].fields is not a list"),
        (("unmanaged", 0, "name"), None, "unmanaged[0].name is not text"),
        (("unmanaged", 0, "account"), 5, "unmanaged[0].account is not text"),
        (("problems", 0), 3, "problems[0] is not text"),
        (("complete",), "yes", "complete is neither true nor false"),
        (("checked",), -1, "checked is not a number from 0 up"),
        (("checked",), True, "checked is not a number from 0 up"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(path: tuple[Any, ...], value: Any, says: str) -> None:
    values = copy.deepcopy(drift_to_json(REPORT))
    holder: Any = values
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    with pytest.raises(PlanUnreadable) as error:
        loads(values)
    text = str(error.value)
    assert text.startswith(f"drift.json: {says}") and text.endswith("; make one with: reconciler drift --format json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '{"drift": []}', "[" * 100_000, '{"a": NaN}', '"\\ud800"']
)
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(PlanUnreadable, match=r"^drift\.json"):
        drift_loads(text, "drift.json")
