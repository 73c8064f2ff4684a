"""What a plan of many experiments costs in requests, and what it leaves out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from kinds import CASES, LINKEDIN, X_ADS, Case
from laboratory import Lab

from reconciler.emulator.provision import LinkedInNeed, XAdsNeed, provision


def write_many(lab: Lab, counts: dict[str, int]) -> None:
    """Write and apply so many experiments a platform."""
    for case in CASES:
        for number in range(counts[case.platform]):
            spec = many_spec(case, number)
            lab.manifest(case.kind, spec, name=f"e{number:03}")
            provision(lab.server.world, needs(case, spec))
    lab.apply()
    lab.forget_requests()


def many_spec(case: Case, number: int) -> dict[str, Any]:
    """Give the spec of the n-th of many, over campaigns of its own."""
    spec = case.fresh(number)
    if case is LINKEDIN:
        for cell, campaign in zip(spec["cells"], (5001 + 2 * number, 5002 + 2 * number), strict=True):
            cell["reference"] = {"campaign": f"urn:li:sponsoredCampaign:{campaign}"}
    elif case is X_ADS:
        for group, letter in zip(spec["user_groups"], "ab", strict=True):
            group["entity_ids"] = [f"m{number}{letter}"]
    return spec


def needs(case: Case, spec: dict[str, Any]) -> list[LinkedInNeed | XAdsNeed]:
    if case is LINKEDIN:
        return [
            LinkedInNeed(123, tuple(int(cell["reference"]["campaign"].rsplit(":", 1)[1]) for cell in spec["cells"]))
        ]
    if case is X_ADS:
        entities = tuple(entity for group in spec["user_groups"] for entity in group["entity_ids"])
        return [XAdsNeed(spec["account_id"], "CAMPAIGN", entities)]
    return []


def counted(lab: Lab) -> Counter[str]:
    """Give the number of requests by platform, tokens apart."""
    return Counter(f"{one.platform}{' token' if 'oauth' in one.path else ''}" for one in lab.requests)


def test_a_plan_of_a_hundred_experiments_that_need_nothing(lab: Lab) -> None:
    """34 on LinkedIn in one batch, 33 on X in one list, 33 on Salesforce, which has neither, one by one."""
    write_many(lab, {"linkedin": 34, "x-ads": 33, "salesforce": 33})
    made = lab.plan(code=0)
    assert made["summary"]["no-op"] == 100 and made["changes"] == []
    assert counted(lab) == {"linkedin": 1, "x-ads": 1, "salesforce": 33, "salesforce token": 1}
    lab.forget_requests()
    assert lab.drift()["drift"] == []
    assert counted(lab) == {"linkedin": 1, "x-ads": 1, "salesforce": 33, "salesforce token": 1}
    lab.forget_requests()
    before = lab.state_file.read_bytes()
    lab.apply()
    assert lab.writes == [] and lab.state_file.read_bytes() == before


@pytest.mark.parametrize(("count", "requests"), [(100, 1), (101, 2)])
def test_linkedin_batches_of_a_hundred(lab: Lab, count: int, requests: int) -> None:
    write_many(lab, {"linkedin": count, "x-ads": 0, "salesforce": 0})
    assert lab.plan("--no-preflight", code=0)["changes"] == []
    assert counted(lab) == {"linkedin": requests}


@pytest.mark.parametrize(("count", "requests"), [(201, 1)])
def test_x_by_ids_or_by_the_account_whichever_is_cheaper(lab: Lab, count: int, requests: int) -> None:
    write_many(lab, {"linkedin": 0, "x-ads": count, "salesforce": 0})
    assert lab.plan(code=0)["changes"] == []
    assert counted(lab) == {"x-ads": requests}


def test_salesforce_asks_at_most_four_at_once(lab: Lab) -> None:
    """Four tokens' worth of parallelism is the page's careful bound; a slow platform makes the overlap visible."""
    write_many(lab, {"linkedin": 0, "x-ads": 0, "salesforce": 12})
    lab.faults({"match": {"platform": "salesforce", "method": "GET"}, "times": 100, "do": {"delay": 0.05}})
    under_way, most = 0, 0
    app = lab.server.recorder.app

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await app(scope, receive, send)
        finally:
            under_way -= 1

    lab.server.recorder.app = watching
    try:
        assert lab.plan(code=0)["changes"] == []
    finally:
        lab.server.recorder.app = app
    assert 2 <= most <= 4
