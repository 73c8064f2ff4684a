"""Runs that know nothing of each other, at one account's rate limit: they leave each other room."""

from __future__ import annotations

import asyncio
import time

import pytest
from kinds import X_ADS
from laboratory import ENVIRONMENT, Lab
from test_cost import many_spec

from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.x_ads.answers import quota_told

CALLS, WINDOW_S = 200, 2
READS = 150
"""Of each of two runs: together more than a window allows, so that they meet at its end."""


def client_of(lab: Lab, told: list[str]) -> HttpClient:
    settings = ConnectionSettings(
        "x",
        "x-ads",
        lab.server.base_url("x-ads"),
        "12",
        auth={name: ENVIRONMENT[f"X_{name.upper()}"] for name in ("consumer_key", "consumer_secret")}
        | {"access_token": ENVIRONMENT["X_ACCESS_TOKEN"], "access_token_secret": ENVIRONMENT["X_ACCESS_TOKEN_SECRET"]},
        announce=told.append,
    )
    together = Clock(jitter=lambda low, high: low)  # both begin again at the very same moment
    return HttpClient(settings, auth.x_ads(settings), clock=together, quota=quota_told)


def test_two_runs_at_one_limit_are_never_refused(lab: Lab) -> None:
    account = many_spec(X_ADS, 0)["account_id"]
    limit = {"limit": {"calls": CALLS, "window": WINDOW_S}}
    lab.faults({"match": {"platform": "x-ads", "method": "GET"}, "times": 10_000, "do": limit})
    lab.server.app.faults.real_time = time.time
    told: list[str] = []

    async def run(client: HttpClient) -> None:
        path = f"/12/accounts/{account}/ab_tests"
        answers = await asyncio.gather(*(client.read("GET", path, query=f"count={n + 1}") for n in range(READS)))
        assert {answer.status for answer in answers} == {200}
        await client.close()

    async def both() -> None:
        await asyncio.gather(*(run(client_of(lab, told)) for _ in range(2)))

    asyncio.run(both())
    assert [one.status for one in lab.requests].count(200) == 2 * READS
    assert {one.status for one in lab.requests} == {200}
    assert all("rate limit used up" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ({"calls": 3}, "both needed"),
        ({"calls": 0, "window": 1}, "from 1 up"),
        ({"calls": 1, "window": 0.5}, "integer from 1"),
        (7, "a mapping is expected"),
    ],
)
def test_a_limit_that_says_too_little_is_refused(lab: Lab, value: object, flaw: str) -> None:
    with pytest.raises(ValueError, match=flaw):
        lab.faults({"do": {"limit": value}})
