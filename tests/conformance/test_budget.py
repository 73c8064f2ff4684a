"""What a plan says an apply costs, against what the apply then sends; and quotas that run low."""

from __future__ import annotations

from typing import Any

import pytest
from kinds import CASES, X_ADS, Case
from laboratory import Lab
from test_cost import many_spec, write_many


def sent(lab: Lab, platform: str) -> tuple[int, int]:
    """Give how many calls and reads went to a platform: tokens and dry runs apart."""
    mine = [one for one in lab.requests if one.platform == platform and "oauth" not in one.path]
    return sum(one.writes for one in mine), sum(one.method == "GET" for one in mine)


def budgets(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["platform"]: item for item in made["budget"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.platform)
@pytest.mark.parametrize("how", ["create", "update", "end"])
def test_an_apply_sends_what_its_plan_says(lab: Lab, case: Case, how: str) -> None:
    counts = {one.platform: 3 if one is case else 0 for one in CASES}
    if how != "create":
        write_many(lab, counts)
    for number in range(3):
        if how == "end":
            lab.unwrite(case.kind, f"e{number:03}")
        elif how == "update":
            lab.manifest(case.kind, {**many_spec(case, number), "description": "another"}, name=f"e{number:03}")
    if how == "create":
        for number in range(3):
            lab.manifest(case.kind, many_spec(case, number), name=f"e{number:03}")
        if case is not CASES[-1]:
            write_needs(lab, case)
    lab.plan("--allow-destroy=3", "--allow-empty", "--out", "plan.json", code=0)
    made = lab.run("plan", "--allow-destroy=3", "--allow-empty", "--format", "json").must(0).json
    lab.faults({"times": 99, "do": {"job": 0}})  # a job under way is looked at more often
    lab.forget_requests()
    lab.apply("plan.json")
    budget = budgets(made)[case.platform]
    calls, reads = sent(lab, case.platform)
    assert calls == budget["calls"] == sum(len(change["calls"]) for change in made["changes"])
    assert budget["reads"] * 2 / 3 <= reads <= budget["reads"]
    assert sum(item["calls"] for item in budget["accounts"]) == budget["calls"]


def write_needs(lab: Lab, case: Case) -> None:
    from test_cost import needs

    from reconciler.emulator.provision import provision

    for number in range(3):
        provision(lab.server.world, needs(case, many_spec(case, number)))


def low(case: Case, method: str, **headers: str) -> dict[str, Any]:
    return {"match": {"platform": case.platform, "method": method}, "times": 99, "do": {"headers": headers}}


USED = {"sforce-limit-info": "api-usage=95000/100000"}
SALESFORCE = next(case for case in CASES if case.platform == "salesforce")


def test_a_day_s_quota_that_runs_low_is_a_warning_in_plan_and_apply(lab: Lab) -> None:
    write_many(lab, {"linkedin": 0, "x-ads": 0, "salesforce": 1})
    lab.manifest(SALESFORCE.kind, {**many_spec(SALESFORCE, 0), "description": "another"}, name="e000")
    lab.faults(low(SALESFORCE, "GET", **USED), low(SALESFORCE, "PATCH", **USED))
    ran = lab.run("plan", "--format", "json").must(0)
    said = "5,000 of 100,000 requests of the org in 24 hours are left"
    assert ran.err.count(said) == 1
    assert [(item["left"], item["limit"], item["resetsAt"]) for item in ran.json["quotas"]] == [(5000, 100000, None)]
    for form in ("text", "markdown", "html"):
        assert said in lab.run("plan", "--format", form).must(0).out
    assert lab.apply().err.count(said) == 1


def test_more_calls_than_a_quota_has_left_are_told_before_they_are_sent(lab: Lab) -> None:
    lab.manifest(SALESFORCE.kind, many_spec(SALESFORCE, 0))
    lab.faults(low(SALESFORCE, "GET", **{"sforce-limit-info": "api-usage=9/10"}))
    needed = budgets(lab.plan(code=0))["salesforce"]
    about = needed["calls"] + needed["reads"]
    shown = " ".join(lab.run("plan").must(0).out.split())
    assert f"this plan needs about {about}, so an apply would not get through" in shown


def test_a_window_of_x_that_runs_low_is_told_with_its_account(lab: Lab) -> None:
    write_many(lab, {"linkedin": 0, "x-ads": 1, "salesforce": 0})
    told = {"x-rate-limit-limit": "2000", "x-rate-limit-remaining": "150", "x-rate-limit-reset": "4000000000"}
    lab.faults(low(X_ADS, "GET", **told))
    [quota] = lab.plan(code=0)["quotas"]
    assert (quota["what"], quota["left"]) == ("reads of ab_tests in 15 minutes of account 18ce54d4x5t", 150)
    assert quota["account"] == "18ce54d4x5t" and quota["resetsAt"].startswith("2096-")


def test_quotas_with_enough_left_are_not_spoken_of(lab: Lab) -> None:
    write_many(lab, {"linkedin": 1, "x-ads": 1, "salesforce": 1})
    made = lab.plan(code=0)
    assert (made["quotas"], made["budget"]) == ([], [])
