"""The examples of the reference page and its guide, as written there."""

from __future__ import annotations

import copy
from datetime import timedelta

WHO = {"user_id": "756201191646691328", "username": "apimctestface"}
CREATED = {
    "created_at": "2022-05-25T00:00:00Z",
    "created_by": WHO,
    "deleted": False,
    "description": "documentation example",
    "end_time": "2022-05-30T01:00:00Z",
    "entities": [{"id": "p1bcx", "account_id": "18ce54d4x5t"}, {"id": "p1bcy", "account_id": "18ce54d4x5t"}],
    "entity_type": "CAMPAIGN",
    "id": "hr7l0",
    "name": "first AB test",
    "start_time": "2022-05-25T01:00:00Z",
    "status": "SCHEDULED",
    "user_groups": [
        {
            "id": "p1bcx",
            "name": "first group",
            "description": None,
            "size": "50.0",
            "entity_ids": ["f2qcw", "f2tht"],
        },
        {
            "id": "p1bcy",
            "name": "second group",
            "description": "second AB test group",
            "size": "50.0",
            "entity_ids": ["f2rqi", "f2tws"],
        },
    ],
    "updated_at": "2022-05-25T00:00:00Z",
    "updated_by": WHO,
}
PUT = {
    "description": None,
    "end_time": "2022-06-01T01:00:00Z",
    "user_groups": [
        {"id": "p1bcx", "description": "first AB test group", "size": "60.00"},
        {"id": "p1bcy", "size": "40.00", "entity_ids": ["f2rqi", "f2tws", "f2syz"]},
    ],
}


def test_create_answers_as_the_page(ads):
    answer = ads.create()
    assert answer.status_code == 201
    assert answer.json()["data"] == CREATED
    params = answer.json()["request"]["params"]
    assert list(params) == [
        "account_id",
        "end_time",
        "entity_type",
        "start_time",
        "user_groups",
        "name",
        "description",
    ]
    assert params["user_groups"][0] == {"entity_ids": ["f2qcw", "f2tht"], "size": "50.0", "name": "first group"}


def test_list_answers_as_the_page(ads):
    ads.create()
    for version in ("11", "12"):
        answer = ads.send("GET", f"/{version}/accounts/18ce54d4x5t/ab_tests")
        assert answer.json() == {
            "request": {"params": {"account_id": "18ce54d4x5t"}},
            "data": [CREATED],
            "next_cursor": None,
        }


def test_update_answers_as_the_page(ads, world):
    ads.create()
    world.advance(timedelta(minutes=17, seconds=23))
    answer = ads.update(PUT)
    assert answer.status_code == 200
    after = copy.deepcopy(CREATED)
    after.update(description=None, end_time="2022-06-01T01:00:00Z", updated_at="2022-05-25T00:17:23Z")
    after["user_groups"][0].update(description="first AB test group", size="60.0")
    after["user_groups"][1].update(size="40.0", entity_ids=["f2rqi", "f2tws", "f2syz"])
    assert answer.json()["data"] == after
    assert answer.json()["request"]["params"] == {
        "account_id": "18ce54d4x5t",
        "ab_test_id": "hr7l0",
        "description": None,
        "end_time": "2022-06-01T01:00:00Z",
        "user_groups": [
            {"id": "p1bcx", "description": "first AB test group", "size": "60.0"},
            {"id": "p1bcy", "size": "40.0", "entity_ids": ["f2rqi", "f2tws", "f2syz"]},
        ],
    }
    assert ads.tests().json()["data"] == [after]


def test_adding_a_group_recreates_the_array(ads):
    ads.create()
    answer = ads.update(
        {
            "user_groups": [
                {"entity_ids": ["f2qcw", "f2tht"], "size": "30.00", "name": "first group"},
                {
                    "entity_ids": ["f2rqi", "f2tws"],
                    "size": "30.00",
                    "name": "second group",
                    "description": "second AB test group",
                },
                {"entity_ids": ["i1vwr", "i1xre"], "size": "40.00"},
            ]
        }
    )
    data = answer.json()["data"]
    assert [(group["name"], group["size"]) for group in data["user_groups"]] == [
        ("first group", "30.0"),
        ("second group", "30.0"),
        (None, "40.0"),
    ]
    ids = [group["id"] for group in data["user_groups"]]
    assert len(set(ids)) == 3 and not {"p1bcx", "p1bcy"} & set(ids)
    assert data["entities"] == [{"id": group_id, "account_id": "18ce54d4x5t"} for group_id in ids]
    assert data["name"] == "first AB test"


def test_removing_a_group_frees_what_it_held(ads, groups):
    ads.create()
    answer = ads.update(
        {
            "user_groups": [
                {"entity_ids": ["f2qcw", "f2tht"], "size": "55.00", "name": "first group"},
                {"entity_ids": ["i1vwr", "i1xre"], "size": "45.00"},
            ]
        }
    )
    assert [group["entity_ids"] for group in answer.json()["data"]["user_groups"]] == [
        ["f2qcw", "f2tht"],
        ["i1vwr", "i1xre"],
    ]
    assert ads.create(user_groups=groups(("50", "f2rqi"), ("50", "f2tws"))).status_code == 201


def test_describing_one_group_leaves_the_rest(ads):
    ads.create()
    answer = ads.update({"user_groups": [{"id": "p1bcx", "description": "updated using a PUT request"}]})
    after = copy.deepcopy(CREATED)
    after["user_groups"][0]["description"] = "updated using a PUT request"
    assert answer.json()["data"] == after


def test_delete_answers_as_the_page(ads, world):
    ads.create()
    world.advance(timedelta(minutes=18, seconds=31))
    answer = ads.delete()
    assert answer.status_code == 200
    assert answer.json() == {
        "request": {"params": {"account_id": "18ce54d4x5t", "ab_test_id": "hr7l0"}},
        "data": {**CREATED, "deleted": True, "updated_at": "2022-05-25T00:18:31Z"},
    }
    again = ads.delete()
    assert again.status_code == 404
    assert again.json()["errors"][0]["code"] == "NOT_FOUND"
    assert ads.tests().json()["data"] == []
    assert ads.tests("?with_deleted=true").json()["data"] == [answer.json()["data"]]


def test_times_with_an_offset_come_back_in_utc(ads):
    answer = ads.create(start_time="2022-05-25T03:00:00+02:00", end_time="2022-05-29T20:00:00-0500")
    assert answer.json()["data"]["start_time"] == "2022-05-25T01:00:00Z"
    assert answer.json()["data"]["end_time"] == "2022-05-30T01:00:00Z"
    assert ads.delete().status_code == 200
    assert ads.create(start_time="2022-05-25T03:00:00+02").json()["data"]["start_time"] == "2022-05-25T01:00:00Z"


def test_the_three_ways_to_write_a_size_are_the_same(ads, groups):
    for first, shown in (("40", "40.0"), ("40.0", "40.0"), ("40.00", "40.0"), ("33.30", "33.3"), ("1.05", "1.05")):
        second = f"{100 - float(first):.2f}"
        data = ads.create(user_groups=groups((first, "f2qcw"), (second, "f2rqi"))).json()["data"]
        assert data["user_groups"][0]["size"] == shown
        ads.delete(data["id"])
