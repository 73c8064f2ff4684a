from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.errors import BadAnswer
from reconciler.model.change import Call, FieldChange, Purpose
from reconciler.model.resource import Live
from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]
ACCOUNT = "18ce54d4x5t"
PATH = f"/12/accounts/{ACCOUNT}/ab_tests"

Body = Callable[[str], Any]


@pytest.fixture
def live(body: Body) -> Live:
    """The page's test as it stands before its update example."""
    return KIND.from_wire(body("create_answer")["data"], account=ACCOUNT)


def target_of(live: Live) -> dict[str, Any]:
    """Live with nothing changed, groups carrying their ids."""
    target = copy.deepcopy(live.spec)
    for group, group_id in zip(target["user_groups"], live.children["user_groups"], strict=True):
        group["#id"] = group_id
    return target


def sent(live: Live, target: dict[str, Any], *paths: str) -> Any:
    """The body of the one PUT."""
    (call,) = KIND.update_calls(live, target, [FieldChange(path, None, None) for path in paths])
    assert (call.method, call.path, call.purpose) == ("PUT", f"{PATH}/hr7l0", Purpose.UPDATE)
    assert not call.query
    return call.body


def test_reading_the_pages_test(live: Live) -> None:
    assert live == Live(
        remote_id="hr7l0",
        status="SCHEDULED",
        spec={
            "account_id": ACCOUNT,
            "name": "first AB test",
            "description": "documentation example",
            "entity_type": "CAMPAIGN",
            "start_time": "2022-05-25T01:00:00Z",
            "end_time": "2022-05-30T01:00:00Z",
            "user_groups": [
                {"name": "first group", "description": None, "size": "50.00", "entity_ids": ["f2qcw", "f2tht"]},
                {
                    "name": "second group",
                    "description": "second AB test group",
                    "size": "50.00",
                    "entity_ids": ["f2rqi", "f2tws"],
                },
            ],
        },
        name="first AB test",
        account=ACCOUNT,
        children={"user_groups": ("p1bcx", "p1bcy")},
        start=datetime(2022, 5, 25, 1, tzinfo=UTC),
        end=datetime(2022, 5, 30, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("size", "read"), [("60.0", "60.00"), (60, "60.00"), (33.3, "33.30"), ("33.34", "33.34"), ("33.333", "33.333")]
)
def test_sizes_as_x_writes_them(body: Body, size: Any, read: str) -> None:
    data = body("create_answer")["data"]
    data["user_groups"][0]["size"] = size
    assert KIND.from_wire(data).spec["user_groups"][0]["size"] == read


def test_missing_is_null_and_entities_are_not_needed(body: Body) -> None:
    data = body("create_answer")["data"]
    del data["entities"], data["description"], data["user_groups"][0]["description"], data["user_groups"][0]["name"]
    read = KIND.from_wire(data, account=ACCOUNT)
    assert read.spec["description"] is None
    assert read.spec["user_groups"][0]["name"] is None
    assert read.spec["user_groups"][0]["description"] is None


@pytest.mark.parametrize(
    ("status", "over"), [("SCHEDULED", False), ("LIVE", False), ("COMPLETED", True), ("NEW", False)]
)
def test_status_is_kept_as_it_is(body: Body, status: str, over: bool) -> None:
    read = KIND.from_wire({**body("create_answer")["data"], "status": status})
    assert (read.status, read.over) == (status, over)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"id": None}, id="no-id"),
        pytest.param({"status": None}, id="no-status"),
        pytest.param({"start_time": "soon"}, id="bad-time"),
        pytest.param({"user_groups": None}, id="no-groups"),
        pytest.param({"user_groups": [{"id": "a", "size": "half", "entity_ids": []}]}, id="bad-size"),
        pytest.param({"user_groups": [{"id": "a", "size": True, "entity_ids": []}]}, id="boolean-size"),
        pytest.param({"user_groups": [{"id": "a", "size": "Infinity", "entity_ids": []}]}, id="infinite-size"),
    ],
)
def test_other_shapes_are_bad_answers(body: Body, change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        KIND.from_wire({**body("create_answer")["data"], **change})


def test_create_is_the_pages_request(body: Body, spec: dict[str, Any]) -> None:
    assert KIND.create_calls(spec) == (Call("POST", PATH, Purpose.CREATE, body=body("create_request")),)


def test_create_leaves_out_nulls_and_what_is_not_stated(spec: dict[str, Any]) -> None:
    del spec["name"]
    spec["description"] = None
    spec["user_groups"][0]["name"] = None
    (call,) = KIND.create_calls(spec)
    assert set(call.body) == {"entity_type", "start_time", "end_time", "user_groups"}
    assert call.body["user_groups"][0] == {"size": "50.00", "entity_ids": ["f2qcw", "f2tht"]}


def test_update_is_the_pages_request(body: Body, live: Live) -> None:
    target = target_of(live)
    target["description"] = None
    target["end_time"] = "2022-06-01T01:00:00Z"
    first, second = target["user_groups"]
    first |= {"description": "first AB test group", "size": "60.00"}
    second |= {"size": "40.00", "entity_ids": ["f2rqi", "f2tws", "f2syz"]}
    paths = (
        "description",
        "end_time",
        "user_groups[0].description",
        "user_groups[0].size",
        "user_groups[1].size",
        "user_groups[1].entity_ids",
    )
    assert sent(live, target, *paths) == body("update_request")


def test_after_the_pages_update_nothing_is_left(body: Body, live: Live) -> None:
    after = KIND.from_wire(body("update_answer")["data"], account=ACCOUNT)
    assert KIND.update_calls(after, target_of(after), [FieldChange("user_groups[0].size", None, None)]) == ()


def test_describing_one_group_sends_that_group_alone(live: Live) -> None:
    target = target_of(live)
    target["user_groups"][0]["description"] = "updated using a PUT request"
    assert sent(live, target, "user_groups[0].description") == {
        "user_groups": [{"id": "p1bcx", "description": "updated using a PUT request"}]
    }


def test_one_size_changed_sends_every_size(live: Live) -> None:
    live.spec["user_groups"].append({"name": "third", "description": None, "size": "10.00", "entity_ids": ["z"]})
    live = Live(**{**live_fields(live), "children": {"user_groups": ("p1bcx", "p1bcy", "p1bcz")}})
    target = target_of(live)
    target["user_groups"][0]["size"] = "40.00"
    assert sent(live, target, "user_groups[0].size") == {
        "user_groups": [
            {"id": "p1bcx", "size": "40.00"},
            {"id": "p1bcy", "size": "50.00"},
            {"id": "p1bcz", "size": "10.00"},
        ]
    }


def live_fields(live: Live) -> dict[str, Any]:
    return {name: getattr(live, name) for name in ("remote_id", "status", "spec", "name", "account", "start", "end")}


def test_adding_a_group_sends_the_whole_list_without_ids(live: Live) -> None:
    target = target_of(live)
    target["user_groups"][0]["size"] = "30.00"
    target["user_groups"][1]["size"] = "30.00"
    target["user_groups"].append({"entity_ids": ["i1vwr", "i1xre"], "size": "40.00"})
    assert sent(live, target, "user_groups[2]", "user_groups[0].size", "user_groups[1].size") == {
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


def test_removing_a_group_sends_the_whole_list_without_ids(live: Live) -> None:
    live.spec["user_groups"].append(
        {"name": None, "description": None, "size": "40.00", "entity_ids": ["i1vwr", "i1xre"]}
    )
    live = Live(**{**live_fields(live), "children": {"user_groups": ("p1bcx", "p1bcy", "p1bcz")}})
    target = target_of(live)
    del target["user_groups"][1]
    target["user_groups"][0]["size"] = "55.00"
    target["user_groups"][1]["size"] = "45.00"
    assert sent(live, target, "user_groups[1]", "user_groups[0].size", "user_groups[1].size") == {
        "user_groups": [
            {"entity_ids": ["f2qcw", "f2tht"], "size": "55.00", "name": "first group"},
            {"entity_ids": ["i1vwr", "i1xre"], "size": "45.00"},
        ]
    }


def test_cleared_text_is_null(live: Live) -> None:
    target = target_of(live)
    target["name"] = None
    del target["description"]
    target["user_groups"][1]["description"] = None
    assert sent(live, target, "name", "description", "user_groups[1].description") == {
        "name": None,
        "description": None,
        "user_groups": [{"id": "p1bcy", "description": None}],
    }


def test_extending_a_live_test_sends_the_end_alone(body: Body) -> None:
    live = KIND.from_wire({**body("create_answer")["data"], "status": "LIVE"}, account=ACCOUNT)
    target = target_of(live) | {"end_time": "2022-06-05T01:00:00Z"}
    assert sent(live, target, "end_time") == {"end_time": "2022-06-05T01:00:00Z"}


def test_the_order_of_groups_and_entities_is_no_change(live: Live) -> None:
    target = target_of(live)
    target["user_groups"].reverse()
    target["user_groups"][0]["entity_ids"].reverse()
    assert KIND.update_calls(live, target, [FieldChange("user_groups[0].entity_ids", None, None)]) == ()


def test_ending(body: Body, live: Live) -> None:
    assert KIND.end_calls(live) == (Call("DELETE", f"{PATH}/hr7l0", Purpose.DELETE),)
    over = KIND.from_wire({**body("create_answer")["data"], "status": "COMPLETED"}, account=ACCOUNT)
    assert KIND.end_calls(over) == ()


def test_the_version_and_odd_ids_in_the_path(spec: dict[str, Any]) -> None:
    (call,) = KIND.at("13").create_calls({**spec, "account_id": "a:b?c"})
    assert call.path == "/13/accounts/a%3Ab%3Fc/ab_tests"


def test_claims_hold_every_entity_always(live: Live, body: Body) -> None:
    held = KIND.claims(live.spec, live)
    assert held.entities == {f"campaign {ACCOUNT}/{entity}" for entity in ("f2qcw", "f2tht", "f2rqi", "f2tws")}
    later = KIND.claims({**live.spec, "start_time": "2030-01-01T00:00:00Z", "end_time": "2030-02-01T00:00:00Z"})
    assert held.shared(later) == held.entities
    over = KIND.from_wire({**body("create_answer")["data"], "status": "COMPLETED"}, account=ACCOUNT)
    assert not KIND.claims(over.spec, over).entities
    assert not KIND.claims_after_end(live).entities
    assert (
        "line item a/x"
        in KIND.claims({"account_id": "a", "entity_type": "LINE_ITEM", "user_groups": [{"entity_ids": ["x"]}]}).entities
    )


def test_identity(live: Live, spec: dict[str, Any]) -> None:
    assert KIND.identity(spec) == KIND.identity(live.spec, live)
    spec["user_groups"].reverse()
    spec["name"] = "another"
    assert KIND.identity(spec) == KIND.identity(live.spec, live)
    assert KIND.identity({**spec, "end_time": "2022-05-31T01:00:00Z"}) != KIND.identity(live.spec, live)
    assert KIND.identity({**spec, "account_id": "other"}) != KIND.identity(live.spec, live)
