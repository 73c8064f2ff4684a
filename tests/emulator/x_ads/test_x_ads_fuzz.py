"""Whatever is sent, the answer is one of the platform's, and the invariants of stored tests hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.emulator import x_ads
from reconciler.emulator.world import World

NOON = datetime(2022, 5, 25, tzinfo=UTC)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MOMENT = st.sampled_from(
    ["2022-05-25T01:00:00Z", "2022-05-27T01:00:00+01", "2022-06-25T01:00:00-0930", "", "9999-12-31T23:59:59Z"]
)
ENTITY = st.sampled_from(["f2qcw", "f2tht", "c1039", "l1030a", "l1030b", "l1030c", "d2001", "nosuch"])
GROUP = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["p1bcx", "p1bcy", "nosuch"]) | JSON,
        "name": st.text(max_size=4) | JSON,
        "size": st.sampled_from(["50", "33.33", "33.34", "1.00", "99"]) | JSON,
        "entity_ids": st.lists(ENTITY, max_size=3) | JSON,
    },
)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "name": JSON,
        "description": st.none() | st.text(min_size=1, max_size=3),
        "entity_type": st.sampled_from(["CAMPAIGN", "LINE_ITEM"]) | JSON,
        "start_time": MOMENT | JSON,
        "end_time": MOMENT | JSON,
        "user_groups": st.lists(GROUP, max_size=4) | JSON,
        "odd": JSON,
    },
)


def sound(world):
    held = []
    for row in world.table("x-ads", "ab_tests").values():
        assert sum(Decimal(group["size"]) for group in row["user_groups"]) == 100
        assert len({group["id"] for group in row["user_groups"]}) == len(row["user_groups"]) >= 2
        assert row["start_time"] < row["end_time"]
        held += [entity for group in row["user_groups"] for entity in group["entity_ids"]]
    assert len(held) == len(set(held))


@SETTINGS
@given(created=JSON | BODY, changes=st.lists(BODY, min_size=1, max_size=3))
def test_bodies(ads_of, created, changes):
    ads = ads_of(World({"tables": {"x-ads": x_ads.seed()}}, real_now=lambda: NOON))
    ads.create()
    assert ads.send("POST", "/12/accounts/18ce54d4x5t/ab_tests", created).status_code in (201, 400)
    for body in changes:
        assert ads.update(body).status_code in (200, 400)
        sound(ads.world)


@SETTINGS
@given(content=st.binary(max_size=30))
def test_bytes(ads, content):
    answer = ads.send("POST", "/12/accounts/18ce54d4x5t/ab_tests", content, {"Content-Type": "application/json"})
    assert answer.status_code == 400


@SETTINGS
@given(header=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40))
def test_headers(ads, header):
    for scheme in ("", "OAuth "):
        url = "http://testserver/x-ads/12/accounts"
        headers = {"Authorization": (scheme + header).encode("latin-1")}
        assert ads.http.request("GET", url, headers=headers).status_code == 401


@SETTINGS
@given(cursor=st.text("ABCabc012_-", min_size=1, max_size=40))
def test_cursors(ads, cursor):
    assert ads.tests(f"?cursor={cursor}").status_code == 400
