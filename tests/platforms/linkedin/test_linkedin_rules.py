"""Every offline rule with a case that passes and one that does not."""

from __future__ import annotations

from typing import Any

import pytest
from linkedin_samples import KIND, START, cell, desired

from reconciler.model.diagnostic import Severity

CLEAN = [cell("a", 1), cell("b", 2)]


def found(**changes: Any) -> list[str]:
    return [finding.rule.id for finding in KIND.check(desired(**changes))]


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        pytest.param({}, [], id="clean"),
        pytest.param({"cells": [cell("a", 1), cell("b", 1)]}, ["LIN002"], id="same-campaign"),
        pytest.param({"cells": [cell("a", 1, 50), cell("b", 2, 49)]}, ["LIN004"], id="sum-99"),
        pytest.param({"cells": [cell("a", 1, 60), cell("b", 2, 41)]}, ["LIN004"], id="sum-101"),
        pytest.param({"cells": [cell("a", 1, 1), cell("b", 2, 99)]}, [], id="sum-100"),
        pytest.param({"confidence": 89}, ["LIN006"], id="confidence-89"),
        pytest.param({"confidence": 90}, [], id="confidence-90"),
        pytest.param({"scheduledEndAt": START}, ["LIN007"], id="no-run"),
        pytest.param({"scheduledEndAt": "2026-12-06T08:00:00Z"}, ["LIN007"], id="end-before-start"),
        pytest.param({"scheduledEndAt": "2027-03-07T08:00:00Z"}, [], id="90-days"),
        pytest.param({"scheduledEndAt": "2027-03-07T08:00:00.001Z"}, ["LIN008"], id="90-days-and-a-bit"),
        pytest.param({"scheduledEndAt": "2026-12-28T08:00:00Z"}, [], id="21-days"),
        pytest.param({"scheduledEndAt": "2026-12-28T07:59:59Z"}, ["LIN010"], id="below-21-days"),
        pytest.param({"scheduledEndAt": "2026-12-21T08:00:00Z"}, ["LIN010"], id="14-days"),
        pytest.param({"scheduledEndAt": "2026-12-21T07:59:59Z"}, ["LIN011"], id="below-14-days"),
        pytest.param({"name": "é" * 95}, [], id="95-percent"),
        pytest.param({"name": "é" * 96}, ["LIN016"], id="above-95-percent"),
        pytest.param({"name": "x" * 100}, [], id="ascii-at-the-limit"),
        pytest.param({"name": "\N{ROCKET}" * 50}, ["LIN016"], id="two-units-a-character"),
        pytest.param({"description": "é" * 990}, ["LIN016"], id="description"),
        pytest.param({"cells": [cell("é" * 98, 1), cell("b", 2)]}, ["LIN016"], id="cell-name"),
        pytest.param({"cells": [cell("a", 1, description="é" * 498), cell("b", 2)]}, ["LIN016"], id="cell-description"),
    ],
)
def test_a_manifest_alone(changes: dict[str, Any], ids: list[str]) -> None:
    assert found(**changes) == ids


def test_the_message_of_a_wrong_sum_shows_the_sum() -> None:
    (finding,) = KIND.check(desired(cells=[cell("a", 1, 50), cell("b", 2, 40)]))
    assert "add up to 90 (50 + 40)" in finding.message
    assert finding.path == ("cells", 1, "trafficWeight")
    assert finding.level is Severity.ERROR


def test_advice_is_a_warning() -> None:
    levels = {
        finding.rule.id: finding.level for finding in KIND.check(desired(confidence=60, scheduledEndAt=1797000000000))
    }
    assert levels == {"LIN006": Severity.WARNING, "LIN011": Severity.WARNING}


A = {"scheduledStartAt": "2026-12-01T00:00:00Z", "scheduledEndAt": "2026-12-31T00:00:00Z"}
LATER = {"scheduledStartAt": "2027-02-01T00:00:00Z", "scheduledEndAt": "2027-03-01T00:00:00Z"}
TOUCHING = {"scheduledStartAt": "2026-12-31T00:00:00Z", "scheduledEndAt": "2027-01-31T00:00:00Z"}
OTHER = [cell("c", 2), cell("d", 3)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(A, {**A, "cells": OTHER}, [("LIN018", "error", 0)], id="overlap"),
        pytest.param(A, A, [("LIN018", "error", 0), ("LIN018", "error", 1)], id="both-campaigns"),
        pytest.param(A, {**A, "cells": [cell("c", 3), cell("d", 4)]}, [], id="other-campaigns"),
        pytest.param(A, {**LATER, "cells": OTHER}, [], id="other-time"),
        pytest.param(A, {**TOUCHING, "cells": OTHER}, [("LIN019", "warning", 0)], id="touching"),
        pytest.param(TOUCHING, {**A, "cells": OTHER}, [("LIN019", "warning", 0)], id="touching-before"),
        pytest.param(A, {**A, "cells": OTHER, "userIntendedState": "DRAFT"}, [("LIN019", "warning", 0)], id="draft"),
        pytest.param(
            {**A, "userIntendedState": "DRAFT"}, {**A, "cells": OTHER}, [("LIN019", "warning", 0)], id="draft-1"
        ),
        pytest.param(A, {**A, "cells": OTHER, "userIntendedState": "CANCELED"}, [], id="cancelled"),
        pytest.param({**A, "userIntendedState": "CANCELED"}, {**A, "cells": OTHER}, [], id="cancelled-first"),
        pytest.param(A, {**A, "cells": OTHER, "userIntendedState": "PAUSED"}, [("LIN018", "error", 0)], id="paused"),
    ],
)
def test_manifests_together(
    first: dict[str, Any], second: dict[str, Any], expected: list[tuple[str, str, int]]
) -> None:
    one, two = desired("one", **first), desired("two", **second)
    results = list(KIND.check_together([one, two]))
    assert [(item.rule.id, item.level.value, item.path[1]) for _, item in results] == expected
    assert all(key == two.key and str(one.key) in item.message for key, item in results)


def test_rules_are_listed_once_and_say_where_they_come_from() -> None:
    ids = [rule.id for rule in KIND.rules]
    assert ids == sorted(set(ids)) and len(ids) == 29
    for rule in KIND.rules:
        assert rule.title and rule.fix and any(mark in rule.source for mark in ("seed", "doc", "assumed"))


LONG = "é" * 98 + "\N{ROCKET}"


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"cells": [cell("a", 1), cell("b", 1)]}, ("cells", 1, "reference", "campaign"), "both cells name urn:li:spon"),
        ({"cells": [cell("a", 1, 50), cell("b", 2, 49)]}, ("cells", 1, "trafficWeight"), "add up to 99 (50 + 49)"),
        ({"confidence": 89}, ("confidence",), "confidence is 89; LinkedIn advises 90 or more"),
        ({"scheduledEndAt": START}, ("scheduledEndAt",), "is not after scheduledStartAt 2026-12-07T08:00:00Z"),
        ({"scheduledEndAt": "2027-03-08T20:00:00Z"}, ("scheduledEndAt",), "91.5 days long; LinkedIn allows 90"),
        ({"scheduledEndAt": "2027-03-08T20:00:00Z"}, ("scheduledEndAt",), "until 2027-03-07T08:00:00Z"),
        (
            {"scheduledEndAt": "2026-12-17T08:00:00Z"},
            ("scheduledEndAt",),
            "10 days long; LinkedIn asks for at least",
        ),
        ({"scheduledEndAt": "2026-12-22T08:00:00Z"}, ("scheduledEndAt",), "is 15 days long; LinkedIn advises 21"),
        ({"name": LONG}, ("name",), "name has 99 characters, 100 in UTF-16"),
        ({"description": "é" * 960}, ("description",), "description has 960 characters, 960 in UTF-16"),
        ({"cells": [cell("a", 1), cell("é" * 99, 2)]}, ("cells", 1, "name"), "LinkedIn allows 99"),
        (
            {"cells": [cell("a", 1) | {"description": "é" * 490}, cell("b", 2)]},
            ("cells", 0, "description"),
            "LinkedIn allows 499",
        ),
    ],
)
def test_a_finding_points_at_its_field_and_names_the_figures(
    changes: dict[str, Any], path: tuple[Any, ...], says: str
) -> None:
    (finding,) = KIND.check(desired(**changes))
    assert finding.path == path
    assert says in finding.message
