"""Advice from a manifest's hypothesis: when each rule speaks, when it is silent, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.envelope import HypothesisBlock
from reconciler.model.hypothesis import Hypothesis
from reconciler.model.resource import Desired, Key
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS
from reconciler.sanity.figures import figures, shares, whole_weeks, window
from reconciler.sanity.rules import RULES, findings, overlaps

KIND: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}


def kind_of(item: Desired) -> Kind:
    return KIND[item.key.kind]


def linkedin(name: str = "a", hypothesis: Hypothesis | None = None, **spec: Any) -> Desired:
    """Give a LinkedIn experiment of two weeks and two equal cells."""
    weights = spec.pop("weights", (50, 50))
    base: dict[str, Any] = {
        "confidence": 95,
        "scheduledStartAt": "2026-12-01T09:00:00Z",
        "scheduledEndAt": "2026-12-15T09:00:00Z",
        "cells": [{"name": str(number), "trafficWeight": weight} for number, weight in enumerate(weights)],
    }
    return Desired(Key("LinkedInExperiment", name), "linkedin", "li", {**base, **spec}, hypothesis=hypothesis)


def x_ads(name: str = "x", hypothesis: Hypothesis | None = None, **spec: Any) -> Desired:
    base: dict[str, Any] = {
        "start_time": "2026-12-10T09:00:00Z",
        "end_time": "2026-12-24T09:00:00Z",
        "user_groups": [{"size": "70.00"}, {"size": "30.00"}],
    }
    return Desired(Key("XAdsABTest", name), "x-ads", "x", {**base, **spec}, hypothesis=hypothesis)


def salesforce(name: str = "s", hypothesis: Hypothesis | None = None, **spec: Any) -> Desired:
    base: dict[str, Any] = {
        "state": "Started",
        "cohorts": [
            {"name": "t", "isControl": False, "allocationWeight": 2000},
            {"name": "c", "isControl": True, "allocationWeight": 8000},
        ],
    }
    return Desired(Key("SalesforceExperiment", name), "salesforce", "s", {**base, **spec}, hypothesis=hypothesis)


def told(*items: Desired) -> dict[str, str]:
    """Give the messages by rule id."""
    return {finding.rule.id: finding.message for _, finding in findings({i.key: i for i in items}, kind_of)}


ENOUGH = Hypothesis(0.1, 0.02, 1000, None)
FEW = Hypothesis(0.1, 0.02, 100, None)


def test_an_experiment_that_is_big_enough_gets_no_advice() -> None:
    assert told(linkedin(hypothesis=ENOUGH)) == {}
    assert told(linkedin()) == {}


def test_the_schedule_against_the_people_needed() -> None:
    message = told(linkedin(hypothesis=FEW))["SAN002"]
    assert message == (
        "14 days with 100 people a day bring 1,400, and finding 10 % against 12 % needs 7,682, which is 76.8 "
        "days; as it stands the chance to find it is 22% (assumed: two-sided alpha 0.05, power 80%, everybody counted "
        "once and on their own, traffic the same every day)"
    )


def test_the_split_against_power() -> None:
    found = told(linkedin(hypothesis=ENOUGH, weights=(90, 10)))
    assert found["SAN001"].startswith("a split of 90/10 needs 20,768 people")
    assert "times the 7,682 of an equal split" in found["SAN001"]
    assert "SAN001" not in told(linkedin(hypothesis=ENOUGH, weights=(60, 40)))


def test_the_control_is_found_where_the_platform_marks_it() -> None:
    as_marked = figures(salesforce(hypothesis=ENOUGH), KIND["SalesforceExperiment"])
    swapped = salesforce(hypothesis=ENOUGH)
    swapped.spec["cohorts"].reverse()
    assert as_marked.needed == figures(swapped, KIND["SalesforceExperiment"]).needed
    assert as_marked.expected == 0
    assert as_marked.needed_days > 0


def test_alpha_comes_from_the_platform_s_confidence() -> None:
    strict, loose = (figures(linkedin(hypothesis=ENOUGH, confidence=c), KIND["LinkedInExperiment"]) for c in (95, 80))
    assert (round(strict.alpha, 6), round(loose.alpha, 6)) == (0.05, 0.2)
    assert strict.needed > loose.needed
    message = told(linkedin(hypothesis=Hypothesis(0.1, 0.02, 1000, 0.05), confidence=80))["SAN005"]
    assert message == "alpha is 0.05, and confidence 80 makes the platform declare a winner at an alpha of 0.2"
    assert "SAN005" not in told(linkedin(hypothesis=Hypothesis(0.1, 0.02, 1000, 0.05)))
    assert figures(x_ads(hypothesis=ENOUGH), KIND["XAdsABTest"]).alpha == 0.05


@pytest.mark.parametrize(
    ("end", "said"),
    [
        pytest.param("2026-12-04T09:00:00Z", "it lasts 3 days, less than one week", id="three-days"),
        pytest.param("2026-12-11T09:00:00Z", "it lasts 10 days, not a whole number of weeks", id="ten-days"),
        pytest.param("2026-12-08T09:00:00Z", None, id="one-week"),
        pytest.param("2026-12-15T10:00:00Z", None, id="an-hour-of-summer-time"),
    ],
)
def test_whole_weeks(end: str, said: str | None) -> None:
    item = linkedin(hypothesis=Hypothesis(audience="de"), scheduledEndAt=end)
    message = told(item).get("SAN003")
    assert (message or "").startswith(said or "") and (message is None) == (said is None)
    assert whole_weeks(window(KIND["LinkedInExperiment"], item.spec)) == (said is None)


def test_the_same_audience_across_platforms() -> None:
    de, fr = Hypothesis(audience="DE newcomers"), Hypothesis(audience="fr")
    items = [
        linkedin(hypothesis=de),
        x_ads(hypothesis=Hypothesis(audience="de Newcomers")),
        x_ads("later", de, start_time="2026-12-24T09:00:00Z", end_time="2027-01-07T09:00:00Z"),
        x_ads("other", fr),
        x_ads("none"),
        linkedin("over", de, userIntendedState="CANCELED"),
    ]
    assert {str(key): [str(other) for other in others] for key, others in overlaps(items, kind_of).items()} == {
        "LinkedInExperiment/a": ["XAdsABTest/x"],
        "XAdsABTest/x": ["LinkedInExperiment/a"],
    }
    message = told(*items)["SAN004"]
    assert message in (
        "reaches the audience “DE newcomers” at the same time as XAdsABTest/x",
        "reaches the audience “de Newcomers” at the same time as LinkedInExperiment/a",
    )
    running = overlaps([*items, salesforce(hypothesis=de), salesforce("draft", de, state="Created")], kind_of)
    assert [str(key) for key in running[Key("XAdsABTest", "later")]] == ["SalesforceExperiment/s"]
    assert Key("SalesforceExperiment", "draft") not in running


def test_many_of_one_audience_are_told_in_short_() -> None:
    items = [linkedin(f"e{number}", Hypothesis(audience="all")) for number in range(3000)]
    found = overlaps(items, kind_of)
    assert len(found) == 3000
    assert max(map(len, found.values())) == 50
    assert len(told(*items[:200])["SAN004"]) < 400


def test_what_is_wanted_ended_gets_no_advice() -> None:
    assert told(linkedin(hypothesis=FEW, userIntendedState="CANCELED")) == {}


def test_shares_are_percent_of_their_sum() -> None:
    assert shares(KIND["SalesforceExperiment"], salesforce().spec) == (20.0, 80.0)
    assert shares(KIND["XAdsABTest"], x_ads().spec) == (70.0, 30.0)
    assert shares(KIND["XAdsABTest"], {"user_groups": [{"size": None}, {}]}) == ()


def test_every_rule_has_a_way_out() -> None:
    assert [rule.id for rule in RULES] == [f"SAN00{number}" for number in range(1, 6)]
    assert all(rule.fix and rule.title and rule.severity == "warning" for rule in RULES)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"baseline": 0.1}, "baseline needs relativeEffect or absoluteEffect beside it"),
        ({"relativeEffect": 0.1}, "relativeEffect means nothing without baseline"),
        ({"dailyTraffic": 10, "power": 0.8}, "dailyTraffic, power mean nothing without baseline"),
        ({"baseline": 0.1, "relativeEffect": 0.1, "absoluteEffect": 0.1}, "say the same; state one of them"),
        ({"baseline": 0.1, "absoluteEffect": 0}, "absoluteEffect is 0; there is nothing to find"),
        ({"baseline": 0.6, "relativeEffect": 0.8}, "come to a rate of 1.08; it has to be between 0 and 1"),
        ({"baseline": 0.1, "absoluteEffect": -0.1}, "come to a rate of 0; it has to be"),
        ({"baseline": 4, "relativeEffect": 0.1}, "less than 1"),
        ({"baseline": "4%", "relativeEffect": 0.1}, "valid number"),
        ({"baseline": 0.1, "relativeEffect": 0.1, "dailyTraffic": 0}, "greater than 0"),
        ({"baseline": 0.1, "relativeEffect": 0.1, "dailyTraffic": float("inf")}, "finite"),
        ({"baseline": 0.1, "relativeEffect": 0.1, "alpha": 0.5}, "less than 0.5"),
        ({"baseline": 0.1, "relativeEffect": 0.1, "power": 1}, "less than 1"),
        ({"audience": ""}, "at least 1"),
        ({"audiance": "x"}, "not permitted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_figures_have_to_go_together(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        HypothesisBlock.model_validate(stated)


def test_a_wrong_hypothesis_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reconciler.cli.main import main

    (tmp_path / "reconciler.yaml").write_text(
        "version: 1\nconnections:\n  x: {platform: x-ads, auth: {consumer_key: '${A}', consumer_secret: '${B}', "
        "access_token: '${C}', access_token_secret: '${D}'}}\n"
    )
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/a.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: XAdsABTest\nmetadata:\n  name: a\n  hypothesis:\n    baseline: 0.04\n"
        "    relativ_effect: 0.1\nspec:\n  account_id: 18ce54d4x5t\n  entity_type: CAMPAIGN\n"
        "  start_time: 2026-12-01T09:00:00Z\n  end_time: 2026-12-15T09:00:00Z\n"
        "  user_groups: [{entity_ids: [c1], size: 50}, {entity_ids: [c2], size: 50}]\n"
    )
    assert main(["-C", str(tmp_path), "validate"]) == 1
    err = capsys.readouterr().err
    assert "experiments/a.yaml:7:5: error" in err
    assert "did you mean relativeEffect?" in err
