"""Everything a create is refused for."""

from __future__ import annotations

import json

import pytest

from reconciler.emulator import x_ads

PATH = "/12/accounts/18ce54d4x5t/ab_tests"
LINE_ITEMS = {
    "entity_type": "LINE_ITEM",
    "start_time": "2022-05-25T01:00:00Z",
    "end_time": "2022-05-30T01:00:00Z",
}


@pytest.mark.parametrize("key", ["start_time", "end_time", "entity_type", "user_groups"])
def test_required_fields(ads, refused, key):
    body = dict(ads.create().json()["request"]["params"])
    ads.delete()
    del body["account_id"], body[key]
    assert refused(ads.send("POST", PATH, body)) == [("MISSING_PARAMETER", key)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 5),
        ("name", "n" * 256),
        ("description", ""),
        ("description", None),
        ("description", "d" * 1025),
        ("entity_type", "AD"),
        ("entity_type", "campaign"),
        ("entity_type", None),
        ("entity_type", ["CAMPAIGN"]),
        ("start_time", ""),
        ("start_time", "2022-05-26T00:00:00"),
        ("start_time", "2022-05-26"),
        ("start_time", "2022-05-26 00:00:00Z"),
        ("start_time", "2022-05-26T00:00:00.000Z"),
        ("start_time", "2022-02-30T00:00:00Z"),
        ("start_time", None),
        ("start_time", 1653523200),
        ("start_time", "2022-05-25T00:00:00Z"),
        ("start_time", "2022-05-24T00:00:00Z"),
        ("end_time", "2022-05-30T01:00:00"),
        ("user_groups", {}),
        ("user_groups", None),
        ("user_groups", ["f2qcw"]),
        ("user_groups", []),
        ("labels", ["mine"]),
        ("id", "hr7l0"),
        ("status", "LIVE"),
        ("account_id", "18ce54d4x5t"),
        ("entities", []),
    ],
)
def test_a_bad_value_is_named(ads, refused, key, value):
    problems = refused(ads.create(**{key: value}))
    assert ("INVALID_PARAMETER", key) in problems
    assert {parameter for _, parameter in problems} == {key}
    assert ads.tests().json()["data"] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "n" * 256),
        ("description", "d" * 1025),
        ("size", 50),
        ("size", 50.0),
        ("size", "50.000"),
        ("size", "50."),
        ("size", "050"),
        ("size", "+50"),
        ("size", " 50"),
        ("size", "5e1"),
        ("size", "0.99"),
        ("size", "99.01"),
        ("size", "100"),
        ("size", ""),
        ("size", None),
        ("entity_ids", []),
        ("entity_ids", "f2qcw"),
        ("entity_ids", [""]),
        ("entity_ids", [1001]),
        ("entity_ids", ["f2qcw", "f2qcw"]),
        ("entity_ids", ["nosuch"]),
        ("entity_ids", ["d2001"]),
        ("entity_ids", ["l1001"]),
        ("id", "p1bcx"),
        ("weight", "50"),
    ],
)
def test_a_bad_value_in_a_group_is_named(ads, refused, groups, key, value):
    made = groups(("50", "f2qcw"), ("50", "f2rqi"))
    made[1][key] = value
    assert refused(ads.create(user_groups=made)) == [("INVALID_PARAMETER", f"user_groups[1].{key}")]


@pytest.mark.parametrize("key", ["size", "entity_ids"])
def test_required_fields_of_a_group(ads, refused, groups, key):
    made = groups(("50", "f2qcw"), ("50", "f2rqi"))
    del made[0][key]
    assert refused(ads.create(user_groups=made)) == [("MISSING_PARAMETER", f"user_groups[0].{key}")]


def test_several_problems_come_in_one_answer(ads, refused):
    problems = refused(ads.send("POST", PATH, {"name": "", "start_time": "soon", "user_groups": [{"size": 5}]}))
    assert sorted(problems) == [
        ("INVALID_PARAMETER", "name"),
        ("INVALID_PARAMETER", "start_time"),
        ("INVALID_PARAMETER", "user_groups[0].size"),
        ("MISSING_PARAMETER", "end_time"),
        ("MISSING_PARAMETER", "entity_type"),
        ("MISSING_PARAMETER", "user_groups[0].entity_ids"),
    ]


def test_the_envelope_of_a_refusal(ads):
    assert ads.create(start_time="").json() == {
        "errors": [
            {
                "code": "INVALID_PARAMETER",
                "message": 'Expected time, got "" for start_time',
                "parameter": "start_time",
                "details": "invalid date",
                "value": "",
            }
        ],
        "request": {"params": {"account_id": "18ce54d4x5t"}},
    }


def test_limits_are_inclusive_and_count_characters(ads):
    assert ads.create(name="ü" * 255, description="😀" * 1024).status_code == 201


@pytest.mark.parametrize("sizes", [("50.00", "49.99"), ("50.00", "50.01"), ("33.33", "33.33"), ("99", "99")])
def test_sizes_add_up_to_100(ads, refused, groups, sizes):
    answer = ads.create(user_groups=groups((sizes[0], "f2qcw"), (sizes[1], "f2rqi")))
    assert refused(answer) == [("INVALID_PARAMETER", "user_groups")]


def test_number_of_groups(ads, refused, groups):
    names = [f"c{number}" for number in range(1001, 1040)]
    thirty = groups(*(("3.33", name) for name in names[:29]), ("3.43", names[29]))
    thirty_one = groups(*(("3.22", name) for name in names[:30]), ("3.40", names[30]))
    assert refused(ads.create(user_groups=thirty_one)) == [("INVALID_PARAMETER", "user_groups")]
    assert ads.create(user_groups=thirty).status_code == 201
    assert ("INVALID_PARAMETER", "user_groups") in refused(ads.create(user_groups=groups(("99", "f2qcw"))))


def test_groups_are_disjoint(ads, refused, groups):
    answer = ads.create(user_groups=groups(("50", "f2qcw", "f2tht"), ("50", "f2rqi", "f2tht")))
    assert refused(answer) == [("INVALID_PARAMETER", "user_groups[1].entity_ids")]


def test_deleted_campaigns_are_refused(ads, world, refused, groups):
    world.table("x-ads", "campaigns")["f2rqi"]["deleted"] = True
    answer = ads.create(user_groups=groups(("50", "f2qcw"), ("50", "f2rqi")))
    assert refused(answer) == [("INVALID_PARAMETER", "user_groups[1].entity_ids")]


def test_an_entity_is_in_one_test_only(ads, world, refused, groups):
    ads.create()
    taken = groups(("50", "f2qcw"), ("50", "c1001"))
    later = {"start_time": "2022-07-01T00:00:00Z", "end_time": "2022-07-09T00:00:00Z"}
    assert refused(ads.create(user_groups=taken, **later)) == [("INVALID_PARAMETER", "user_groups[0].entity_ids")]
    world.move_to(x_ads_time("2022-06-01T00:00:00Z"))
    assert ads.tests().json()["data"][0]["status"] == "COMPLETED"
    assert refused(ads.create(user_groups=taken, **later)) == [("INVALID_PARAMETER", "user_groups[0].entity_ids")]
    ads.delete()
    assert ads.create(user_groups=taken, **later).status_code == 201


@pytest.mark.parametrize(
    ("start", "end", "parameter"),
    [
        ("2022-05-25T01:00:00Z", "2022-05-25T01:00:00Z", "end_time"),
        ("2022-05-27T01:00:00Z", "2022-05-26T01:00:00Z", "end_time"),
        ("2022-05-25T01:00:00Z", "2022-05-26T00:59:59Z", "end_time"),
    ],
)
def test_windows_that_are_too_short(ads, refused, start, end, parameter):
    assert refused(ads.create(start_time=start, end_time=end)) == [("INVALID_PARAMETER", parameter)]


def test_one_day_is_enough(ads):
    assert ads.create(start_time="2022-05-25T01:00:00Z", end_time="2022-05-26T01:00:00Z").status_code == 201


def test_apps_need_five_days(ads, refused, groups):
    made = groups(("50", "c1001"), ("50", "c1039"))
    answer = ads.create(user_groups=made, end_time="2022-05-30T00:59:59Z")
    assert refused(answer) == [("INVALID_PARAMETER", "end_time")]
    assert ads.create(user_groups=made, end_time="2022-05-30T01:00:00Z").status_code == 201


@pytest.mark.parametrize(
    ("flight", "fine"),
    [
        (("2020-01-01T00:00:00Z", "2022-05-25T01:00:00Z"), False),
        (("2022-05-30T01:00:00Z", None), False),
        (("2020-01-01T00:00:00Z", "2022-05-25T02:00:00Z"), True),
        (("2022-05-30T00:00:00Z", None), True),
    ],
)
def test_the_window_overlaps_the_flight(ads, world, refused, groups, flight, fine):
    start, end = flight
    world.table("x-ads", "line_items")["l1001"].update(start_time=start, end_time=end)
    answer = ads.create(user_groups=groups(("50", "c1001"), ("50", "c1002")))
    if fine:
        assert answer.status_code == 201
    else:
        assert refused(answer) == [("INVALID_PARAMETER", "start_time")]


def test_line_items_in_equal_parts(ads, groups):
    made = groups(("33.33", "l1030a"), ("33.34", "l1030b"), ("33.33", "l1030c"))
    data = ads.create({**LINE_ITEMS, "user_groups": made}).json()["data"]
    assert data["entity_type"] == "LINE_ITEM"
    assert [group["size"] for group in data["user_groups"]] == ["33.33", "33.34", "33.33"]
    assert data["name"] is None


@pytest.mark.parametrize(
    ("made", "parameter"),
    [
        ([("33.32", "l1030a"), ("33.34", "l1030b"), ("33.34", "l1030c")], "user_groups"),
        ([("50", "l1030a"), ("50", "l1030b", "l1030c")], "user_groups[1].entity_ids"),
        ([("50", "l1030a"), ("50", "l1030b")], "user_groups"),
        ([("50", "l1001"), ("50", "l1002")], "user_groups"),
        ([("50", "c1001"), ("50", "c1002")], "user_groups[0].entity_ids"),
    ],
)
def test_line_item_rules(ads, refused, groups, made, parameter):
    problems = refused(ads.create({**LINE_ITEMS, "user_groups": groups(*made)}))
    assert ("INVALID_PARAMETER", parameter) in problems


def test_at_most_five_line_item_groups(ads, world, refused, groups):
    items = world.table("x-ads", "line_items")
    names = [f"l1030{letter}" for letter in "abcdef"]
    for name in names[3:]:
        items[name] = {**items["l1030a"], "id": name}
    six = groups(*(("16.66", name) for name in names[:5]), ("16.70", names[5]))
    assert refused(ads.create({**LINE_ITEMS, "user_groups": six})) == [("INVALID_PARAMETER", "user_groups")]
    items["l1030f"]["deleted"] = True
    five = groups(*(("20", name) for name in names[:5]))
    assert ads.create({**LINE_ITEMS, "user_groups": five}).status_code == 201


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/x-json", ""])
def test_the_content_type_is_exact(ads, refused, kind):
    body = json.dumps({"name": "x"}).encode()
    answer = ads.send("POST", PATH, body, {"Content-Type": kind})
    assert refused(answer) == [("INVALID_PARAMETER", "Content-Type")]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"name":"a","name":"b"}', b'{"name":NaN}', b"\xff\xfe", b" "])
def test_the_body_is_a_json_object(ads, refused, body):
    assert refused(ads.send("POST", PATH, body)) == [("INVALID_PARAMETER", None)]


def test_no_parameters_in_the_query_of_a_write(ads, refused):
    assert refused(ads.send("POST", f"{PATH}?name=x", {})) == [("INVALID_PARAMETER", "name")]
    ads.create()
    assert refused(ads.send("PUT", f"{PATH}/hr7l0?name=x", {"name": "y"})) == [("INVALID_PARAMETER", "name")]
    assert refused(ads.send("DELETE", f"{PATH}/hr7l0?name=x")) == [("INVALID_PARAMETER", "name")]


def test_a_refused_create_takes_no_id(ads):
    ads.create(name="")
    assert ads.create().json()["data"]["id"] == "hr7l0"


def x_ads_time(text):
    return x_ads.rows.times.parse(text)
