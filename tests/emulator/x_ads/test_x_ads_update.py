"""Updates past the page's examples: the two readings of `user_groups`, the statuses, deletion."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest

from reconciler.emulator import x_ads


@pytest.fixture
def test_id(ads):
    return ads.create().json()["data"]["id"]


def read(ads):
    return ads.tests("?with_deleted=true").json()["data"][0]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"entity_type": "CAMPAIGN"}, "entity_type"),
        ({"status": "LIVE"}, "status"),
        ({"name": ""}, "name"),
        ({"start_time": None}, "start_time"),
        ({"end_time": None}, "end_time"),
        ({"end_time": "2022-05-30T01:00:00"}, "end_time"),
        ({"user_groups": None}, "user_groups"),
        ({"user_groups": []}, "user_groups"),
        ({"start_time": "2022-05-24T01:00:00Z"}, "start_time"),
        ({"end_time": "2022-05-25T12:00:00Z"}, "end_time"),
        ({"start_time": "2022-06-25T01:00:00Z"}, "end_time"),
        ({"user_groups": [{"id": "p1bcx", "size": "60"}, {"size": "40", "entity_ids": ["f2rqi"]}]}, "user_groups"),
        ({"user_groups": [{"id": "nosuch", "name": "n"}]}, "user_groups[0].id"),
        ({"user_groups": [{"id": "", "name": "n"}]}, "user_groups[0].id"),
        ({"user_groups": [{"id": None, "name": "n"}]}, "user_groups[0].id"),
        ({"user_groups": [{"id": "p1bcx", "name": "a"}, {"id": "p1bcx", "name": "b"}]}, "user_groups"),
        ({"user_groups": [{"id": "p1bcx", "size": None}]}, "user_groups[0].size"),
        ({"user_groups": [{"id": "p1bcx", "entity_ids": None}]}, "user_groups[0].entity_ids"),
        ({"user_groups": [{"id": "p1bcx", "entity_ids": []}]}, "user_groups[0].entity_ids"),
        ({"user_groups": [{"id": "p1bcx", "name": ""}]}, "user_groups[0].name"),
        ({"user_groups": [{"id": "p1bcx", "entity_ids": ["f2rqi"]}]}, "user_groups[1].entity_ids"),
        ({"user_groups": [{"id": "p1bcx", "entity_ids": ["nosuch"]}]}, "user_groups[0].entity_ids"),
        ({"user_groups": [{"id": "p1bcx", "size": "60"}]}, "user_groups"),
        ({"user_groups": [{"id": "p1bcx", "size": "50"}]}, "user_groups"),
        ({"user_groups": [{"id": "p1bcx", "size": "60"}, {"id": "p1bcy", "size": "41"}]}, "user_groups"),
    ],
)
def test_refusals_leave_the_test_alone(ads, refused, test_id, body, parameter):
    before = read(ads)
    problems = refused(ads.update(body))
    assert {found for _, found in problems} == {parameter}
    assert read(ads) == before


def test_a_replacement_needs_whole_groups(ads, refused, test_id):
    answer = ads.update({"user_groups": [{"size": "50", "entity_ids": ["f2qcw"]}, {"name": "second group"}]})
    assert refused(answer) == [
        ("MISSING_PARAMETER", "user_groups[1].entity_ids"),
        ("MISSING_PARAMETER", "user_groups[1].size"),
    ]
    answer = ads.update({"user_groups": [{"size": "99", "entity_ids": ["f2qcw"]}]})
    assert ("INVALID_PARAMETER", "user_groups") in refused(answer)


def test_an_empty_update(ads, refused, test_id):
    assert refused(ads.update({})) == [("MISSING_PARAMETER", None)]


def test_null_unsets_names_and_descriptions(ads, test_id):
    body = {"name": None, "user_groups": [{"id": "p1bcy", "name": None, "description": None}]}
    data = ads.update(body).json()["data"]
    assert data["name"] is None
    assert (data["user_groups"][1]["name"], data["user_groups"][1]["description"]) == (None, None)
    assert data["user_groups"][0]["name"] == "first group"
    assert data["description"] == "documentation example"


def test_an_entity_moves_when_both_groups_are_named(ads, test_id):
    body = {
        "user_groups": [
            {"id": "p1bcx", "entity_ids": ["f2qcw"]},
            {"id": "p1bcy", "entity_ids": ["f2rqi", "f2tws", "f2tht"]},
        ]
    }
    data = ads.update(body).json()["data"]
    assert [group["entity_ids"] for group in data["user_groups"]] == [["f2qcw"], ["f2rqi", "f2tws", "f2tht"]]


def test_entities_of_another_test_are_refused(ads, refused, groups, test_id):
    other = ads.create(user_groups=groups(("50", "c1001"), ("50", "c1002"))).json()["data"]
    answer = ads.update({"user_groups": [{"id": "p1bcx", "entity_ids": ["f2qcw", "c1001"]}]})
    assert refused(answer) == [("INVALID_PARAMETER", "user_groups[0].entity_ids")]
    ads.delete(other["id"])
    assert ads.update({"user_groups": [{"id": "p1bcx", "entity_ids": ["f2qcw", "c1001"]}]}).status_code == 200


def test_an_app_campaign_asks_for_five_days(ads, refused, test_id):
    ads.update({"end_time": "2022-05-27T01:00:00Z"})
    answer = ads.update({"user_groups": [{"id": "p1bcx", "entity_ids": ["c1039"]}]})
    assert refused(answer) == [("INVALID_PARAMETER", "end_time")]


def test_line_item_groups_stay_equal(ads, refused, groups):
    made = groups(("33.33", "l1030a"), ("33.33", "l1030b"), ("33.34", "l1030c"))
    data = ads.create(entity_type="LINE_ITEM", user_groups=made).json()["data"]
    ids = [group["id"] for group in data["user_groups"]]
    sizes = zip(ids, ("30", "30", "40"), strict=True)
    answer = ads.update({"user_groups": [{"id": group_id, "size": size} for group_id, size in sizes]})
    assert refused(answer) == [("INVALID_PARAMETER", "user_groups")]


def test_live_lets_the_end_change_and_nothing_else(ads, world, refused, test_id):
    world.move_to(datetime(2022, 5, 26, tzinfo=UTC))
    before = read(ads)
    assert before["status"] == "LIVE" and before["updated_at"] == "2022-05-25T00:00:00Z"
    for key, value in (
        ("name", "n"),
        ("description", None),
        ("start_time", "2022-05-27T01:00:00Z"),
        ("user_groups", [{"id": "p1bcx", "name": "n"}]),
    ):
        assert ("INVALID_PARAMETER", key) in refused(ads.update({"end_time": "2022-06-05T01:00:00Z", key: value}))
    assert read(ads) == before
    assert ads.update({"end_time": "2022-06-05T01:00:00Z"}).json()["data"]["end_time"] == "2022-06-05T01:00:00Z"
    assert ads.update({"end_time": "2022-05-27T01:00:00Z"}).status_code == 200
    assert refused(ads.update({"end_time": "2022-05-25T23:00:00Z"})) != []
    assert refused(ads.update({"end_time": "2022-05-26T00:30:00Z"})) == [("INVALID_PARAMETER", "end_time")]


def test_completed_lets_nothing_change(ads, world, refused, test_id):
    world.move_to(datetime(2022, 5, 30, 1, tzinfo=UTC))
    assert read(ads)["status"] == "COMPLETED"
    answer = ads.update({"end_time": "2022-06-05T01:00:00Z"})
    assert refused(answer, 403) == [("ACTION_NOT_ALLOWED", "status")]
    world.move_to(datetime(2022, 5, 26, tzinfo=UTC))
    assert read(ads)["status"] == "COMPLETED"


@pytest.mark.parametrize(("day", "status"), [(25, "SCHEDULED"), (26, "LIVE"), (31, "COMPLETED")])
def test_delete_keeps_the_status_for_good(ads, world, test_id, day, status):
    world.move_to(datetime(2022, 5, day, tzinfo=UTC))
    assert ads.delete().json()["data"]["status"] == status
    world.move_to(datetime(2022, 7, 1, tzinfo=UTC))
    assert (read(ads)["deleted"], read(ads)["status"]) == (True, status)


def test_what_is_gone_or_never_was(ads, refused, test_id):
    assert refused(ads.update({"name": "n"}, "nosuch"), 404) == [("NOT_FOUND", "ab_test_id")]
    assert refused(ads.delete("no-such"), 404) == [("INVALID_ID_ILLEGAL_CHARACTERS", "ab_test_id")]
    assert refused(ads.send("DELETE", "/12/accounts/acc2/ab_tests/hr7l0"), 404) == [("NOT_FOUND", "ab_test_id")]
    assert refused(ads.delete(body={})) == [("INVALID_PARAMETER", None)]
    ads.delete()
    assert refused(ads.update({"name": "n"}), 404) == [("NOT_FOUND", "ab_test_id")]


def test_a_person_edits(ads, world, test_id):
    x_ads.edit(world, test_id, {"name": "renamed", "user_groups": [{"id": "p1bcx", "description": "by hand"}]})
    data = read(ads)
    assert (data["name"], data["user_groups"][0]["description"]) == ("renamed", "by hand")
    assert data["updated_by"]["username"] == "person_in_ui"
    assert data["created_by"]["username"] == "apimctestface"
    world.move_to(datetime(2022, 5, 26, tzinfo=UTC))
    x_ads.edit(world, test_id, {"description": None})
    assert (read(ads)["status"], read(ads)["description"]) == ("LIVE", None)


def test_what_a_person_edits_counts_at_once(world, test_id):
    x_ads.edit(world, test_id, {"start_time": "2022-05-24T23:00:00Z"})
    assert world.table("x-ads", "ab_tests")[test_id]["status"] == "LIVE"


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "5"},
        {"end_time": "2022-05-25T02:00:00Z"},
        {"user_groups": [{"id": "p1bcx", "size": "60"}]},
        {"user_groups": [{"id": "nosuch", "name": "n"}]},
        {"name": 5},
    ],
)
def test_a_person_cannot_enter_nonsense(ads, world, test_id, changes):
    before = copy.deepcopy(world.table("x-ads", "ab_tests"))
    with pytest.raises(ValueError):
        x_ads.edit(world, test_id, changes)
    assert world.table("x-ads", "ab_tests") == before


def test_a_person_removes(ads, world, test_id):
    x_ads.remove(world, test_id)
    assert read(ads)["deleted"] is True
    for call in (lambda: x_ads.remove(world, test_id), lambda: x_ads.edit(world, "nosuch", {"name": "n"})):
        with pytest.raises(KeyError):
            call()
