"""Reading and writing Salesforce's JSON: the seed page's bodies, and every variant that the pages disagree on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.errors import BadAnswer
from reconciler.model.change import Call, FieldChange, Purpose
from reconciler.model.resource import Live
from reconciler.platforms.salesforce.kinds import KIND

Body = Callable[..., Any]
Lives = Callable[..., Live]
PATH = "/services/data/v65.0/personalization/abn-experiments/1GaSB00000Cojr30AB"


def change(path: str) -> FieldChange:
    return FieldChange(path, "before", "after")


# --- reading -------------------------------------------------------------------------------------------------------


def test_the_seed_response_is_read_whole(live: Lives) -> None:
    seen = live()
    assert (seen.remote_id, seen.status, seen.name) == ("1GaSB00000Cojr30AB", "Started", "testExp50")
    assert (seen.busy, seen.over, seen.failure, seen.owned_elsewhere) == ("", False, "", False)
    assert seen.children == {"cohorts": ("1GcSB000000032j0AA", "1GcSB000000032k0AA")}
    assert seen.spec["cohorts"][0] == {
        "name": "cohort_1",
        "label": "Cohort 1 (Control)",
        "isControl": True,
        "isFallThrough": False,
        "allocationWeight": 5000,
        "attributeValues": [{"attributeName": "Attr1", "value": "1"}],
    }
    assert seen.spec["parameters"][1]["values"] == ["testEmail1", "testEmail1"]
    assert seen.spec["state"] == "Started"
    assert not {"id", "url", "status", "isRemote", "sourceRecordId", "startedDate", "lastModifiedDate"} & set(seen.spec)


def test_what_is_read_is_a_valid_and_canonical_manifest(live: Lives) -> None:
    seen = live().spec
    stated = KIND.spec_model.model_validate(seen).model_dump(exclude_unset=True)
    assert KIND.canonical(stated) == seen


def test_what_is_created_reads_back_the_same(body: Body) -> None:
    desired = KIND.canonical(body("create_request"))
    (call,) = KIND.create_calls(desired)
    seen = KIND.from_wire({**call.body, "state": "Created", "id": "1Ga", "status": "Active"})
    assert seen.spec == {**{key: value for key, value in desired.items() if value is not None}, "state": "Created"}


def test_the_singular_primary_metric_is_folded(body: Body) -> None:
    one = {"metricType": "EngagementSignalCompound", "metricName": "TwoCompound", "HigherIsBetter": False}
    seen = KIND.from_wire({k: v for k, v in body("updated", primaryMetric=one).items() if k != "primaryMetrics"})
    assert seen.spec["primaryMetrics"] == [
        {
            "metricType": "EngagementSignalCompound",
            "metricName": "TwoCompound",
            "higherIsBetter": False,
            "overallScoreWeight": 10000,
        }
    ]


def test_the_other_name_of_the_source_record_is_read(live: Lives) -> None:
    assert live(sourceReferenceId="300x").spec["sourceRecordId"] == "300x"


@pytest.mark.parametrize("criteria", ['{"a": [1]}', {"a": [1]}], ids=["text", "object"])
def test_criteria_are_an_object_in_both_forms(criteria: Any, live: Lives) -> None:
    assert live(criteria=criteria).spec["criteria"] == {"a": [1]}


def test_the_data_space_prefix_is_stripped_but_not_in_the_default_space(body: Body) -> None:
    cohorts = [{**item, "name": f"myDs_{item['name']}"} for item in body("updated")["cohorts"]]
    spaced = KIND.from_wire(body("updated", name="myDs_exp", dataSpaceName="myDs", cohorts=cohorts))
    assert spaced.name == spaced.spec["name"] == "exp"
    assert [item["name"] for item in spaced.spec["cohorts"]] == ["cohort_1", "cohort_2"]
    plain = KIND.from_wire(body("updated", name="default_exp", cohorts=cohorts))
    assert plain.name == "default_exp"
    assert plain.spec["cohorts"][0]["name"] == "myDs_cohort_1"
    assert KIND.identity({"name": "myDs_exp", "dataSpaceName": "myDs"}) == KIND.identity(spaced.spec, spaced)


def test_empty_text_and_null_are_left_out_and_entities_stay(live: Lives) -> None:
    seen = live(description="", profileDataGraphName=None, label="R&amp;D", secondaryMetrics=[]).spec
    assert not {"description", "profileDataGraphName", "secondaryMetrics"} & set(seen)
    assert seen["label"] == "R&amp;D"


@pytest.mark.parametrize(
    ("status", "busy", "failure"),
    [
        ("Active", "", ""),
        ("Processing", "Processing", ""),
        ("Deleting", "Deleting", ""),
        ("CreateError", "", "CreateError: schema missing"),
        ("EditError", "", "EditError: schema missing"),
        ("DeleteError", "", "DeleteError: schema missing"),
    ],
)
def test_status(status: str, busy: str, failure: str, live: Lives) -> None:
    seen = live(status=status, statusMessage="schema missing")
    assert (seen.busy, seen.failure) == (busy, failure)


def test_archived_is_over_stopped_can_still_be_archived(live: Lives) -> None:
    assert live(state="Archived").over
    assert not live(state="Stopped").over
    assert live(isRemote=True).owned_elsewhere


def test_unknown_words_and_keys_are_kept_or_ignored(live: Lives) -> None:
    seen = live(state="Running", source="Somewhere", brandNew=1)
    assert (seen.status, seen.spec["state"], seen.spec["source"]) == ("Running", "Running", "Somewhere")
    assert "brandNew" not in seen.spec


@pytest.mark.parametrize(
    "wrong",
    [{"name": None}, {"state": 3}, {"cohorts": "x"}, {"cohorts": [1]}, {"primaryMetrics": None, "primaryMetric": 1}],
)
def test_another_shape_is_a_bad_answer(wrong: dict[str, Any], body: Body) -> None:
    with pytest.raises(BadAnswer):
        KIND.from_wire(body("updated", **wrong))


def test_a_list_is_no_experiment() -> None:
    with pytest.raises(BadAnswer):
        KIND.from_wire([])  # type: ignore[arg-type]


# --- writing -------------------------------------------------------------------------------------------------------


def test_the_seed_example_is_exactly_one_patch(live: Lives) -> None:
    seen = live(label="old", description="old")
    target = {**seen.spec, "label": "newExperimentLabel", "description": "new description"}
    assert KIND.update_calls(seen, target, [change("label"), change("description")]) == (
        Call(
            "PATCH",
            PATH,
            Purpose.UPDATE,
            body={"label": "newExperimentLabel", "description": "new description"},
        ),
    )


def test_the_create_example(body: Body) -> None:
    (call,) = KIND.create_calls(KIND.canonical(body("create_request")))
    sent = {key: value for key, value in body("create_request").items() if value is not None}
    assert (call.method, call.path, call.query, call.purpose) == (
        "POST",
        "/services/data/v65.0/personalization/abn-experiments/",
        {},
        Purpose.CREATE,
    )
    assert call.body == sent


def test_a_start_after_the_create_has_a_request_of_its_own(spec: dict[str, Any]) -> None:
    create, start = KIND.create_calls({**spec, "state": "Started"})
    assert "state" not in create.body
    assert start == Call(
        "PATCH",
        "/services/data/v65.0/personalization/abn-experiments/testExp50",
        Purpose.START,
        query={"action": "Start"},
        body={},
    )
    assert len(KIND.create_calls({**spec, "state": "Created"})) == 1


def test_a_changed_cohort_sends_all_of_them_control_first_without_ids(live: Lives) -> None:
    seen = live(state="Created")
    first, second = seen.spec["cohorts"]
    target = {**seen.spec, "cohorts": [{**second, "#id": "1Gc", "label": "B", "description": None}, first]}
    (call,) = KIND.update_calls(seen, target, [change("cohorts[1].label")])
    assert call.body == {
        "cohorts": [
            first,
            {
                "name": "cohort_2",
                "label": "B",
                "description": None,
                "isControl": False,
                "isFallThrough": False,
                "allocationWeight": 5000,
                "attributeValues": [{"attributeName": "Attr1", "value": "2"}],
            },
        ]
    }


def test_clearing_text_sends_null_and_a_list_an_empty_one(live: Lives) -> None:
    seen = live(state="Created")
    target = {**seen.spec, "description": None, "secondaryMetrics": None, "criteria": None}
    tops = ("description", "secondaryMetrics[0]", "criteria")
    (call,) = KIND.update_calls(seen, target, [change(top) for top in tops])
    assert call.body == {"description": None, "secondaryMetrics": [], "criteria": None}


def test_criteria_go_out_as_json_text(live: Lives) -> None:
    seen = live(state="Created")
    (call,) = KIND.update_calls(seen, {**seen.spec, "criteria": {"ort": ["Köln"]}}, [change("criteria")])
    assert isinstance(call.body["criteria"], str)
    assert json.loads(call.body["criteria"]) == {"ort": ["Köln"]}


def test_fields_go_before_the_actions_each_in_its_own_request(live: Lives) -> None:
    seen = live(state="Started")
    target = {**seen.spec, "label": "new", "state": "Archived"}
    calls = KIND.update_calls(seen, target, [change("state"), change("label")])
    assert [(call.purpose, dict(call.query), call.body) for call in calls] == [
        (Purpose.UPDATE, {}, {"label": "new"}),
        (Purpose.STOP, {"action": "Stop"}, {}),
        (Purpose.ARCHIVE, {"action": "Archive"}, {}),
    ]
    assert {call.path for call in calls} == {PATH}


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ("Created", [("DELETE", "", Purpose.DELETE)]),
        ("Started", [("PATCH", "Stop", Purpose.STOP), ("PATCH", "Archive", Purpose.ARCHIVE)]),
        ("Stopped", [("PATCH", "Archive", Purpose.ARCHIVE)]),
        ("Archived", []),
    ],
)
def test_ending(state: str, calls: list[tuple[str, str, Purpose]], live: Lives) -> None:
    ending = KIND.end_calls(live(state=state))
    assert [(call.method, call.query.get("action", ""), call.purpose) for call in ending] == calls


def test_the_version_of_the_connection_stands_in_every_path(live: Lives, spec: dict[str, Any]) -> None:
    later = KIND.at("66.0")
    seen = live()
    paths = [call.path for call in (*later.create_calls({**spec, "state": "Started"}), *later.end_calls(seen))]
    assert all(path.startswith("/services/data/v66.0/personalization/abn-experiments/") for path in paths)
    assert later.at("65.0").end_calls(seen) == KIND.end_calls(seen)
    assert KIND.at("v66.0").end_calls(seen) == later.end_calls(seen)


# --- canonical, same, pair --------------------------------------------------------------------------------------------


def test_the_control_takes_what_the_others_leave(body: Body) -> None:
    stated = body("create_request")
    del stated["cohorts"][0]["allocationWeight"]
    stated["cohorts"][1]["allocationWeight"] = 3000
    assert [item["allocationWeight"] for item in KIND.canonical(stated)["cohorts"]] == [7000, 3000]
    stated["cohorts"][1]["allocationWeight"] = 10001
    assert "allocationWeight" not in KIND.canonical(stated)["cohorts"][0]


def test_canonical_spelling_adds_no_key(body: Body) -> None:
    stated = {
        "name": "a",
        "description": "",
        "criteria": '{"b": 1}',
        "chanceToWinThreshold": 95.0,
        "cohorts": [
            {"name": "c", "attributeValues": [{"attributeName": None, "attributeEnum": "FlowPath", "value": ""}]}
        ],
        "primaryMetrics": [{"metricType": "EngagementSignal", "metricName": "m", "engagementSignalName": None}],
    }
    assert KIND.canonical(stated) == {
        "name": "a",
        "description": None,
        "criteria": {"b": 1},
        "chanceToWinThreshold": 95,
        "cohorts": [{"name": "c", "attributeValues": [{"attributeEnum": "FlowPath", "value": ""}]}],
        "primaryMetrics": [{"metricType": "EngagementSignal", "metricName": "m"}],
    }
    assert type(KIND.canonical(stated)["chanceToWinThreshold"]) is int


@pytest.mark.parametrize(
    ("path", "one", "other", "expected"),
    [
        ("chanceToWinThreshold", 95, 95.0, True),
        ("chanceToWinThreshold", 95.25, 95.250001, True),
        ("chanceToWinThreshold", 95.25, 95.26, False),
        ("chanceToWinThreshold", 95, None, False),
        ("chanceToWinThreshold", 1, True, False),
        ("minimumRequiredParticipants", 1, True, False),
        ("criteria", {"a": 1, "b": [1.0]}, '{"b": [1], "a": 1}', True),
        ("criteria", {"a": [1, 2]}, {"a": [2, 1]}, False),
        ("criteria", {"a": True}, {"a": 1}, False),
        ("criteria", None, {"a": 1}, False),
        ("description", "", None, True),
        ("description", "x", None, False),
        ("cohorts[].isFallThrough", False, None, True),
        ("cohorts[].isFallThrough", True, None, False),
        ("winnerSelectionMode", "Manual", None, True),
        ("winnerSelectionMode", "Automatic", None, False),
        ("parameters[].values", ["a", "b"], ["b", "a"], False),
        ("parameters[].values", ["a", "a"], ["a", "a"], True),
        ("secondaryMetrics", [], None, True),
    ],
)
def test_same(path: str, one: Any, other: Any, expected: bool) -> None:
    assert KIND.same(path, one, other) is expected
    assert KIND.same(path, other, one) is expected


@pytest.mark.parametrize(
    ("list_path", "one", "two"),
    [
        ("cohorts", {"name": "a"}, {"name": "b"}),
        ("cohorts[].attributeValues", {"attributeName": "FlowPath"}, {"attributeEnum": "FlowPath"}),
        (
            "primaryMetrics",
            {"metricType": "T", "metricName": "m", "engagementSignalName": "s"},
            {"metricType": "T", "metricName": "m"},
        ),
        ("secondaryMetrics", {"metricType": "T", "metricName": "m"}, {"metricType": "U", "metricName": "m"}),
        (
            "parameters",
            {"engagementSignalName": "s", "parameterName": "p"},
            {"engagementSignalName": "t", "parameterName": "p"},
        ),
    ],
)
def test_items_are_tied_by_their_keys(list_path: str, one: dict[str, Any], two: dict[str, Any]) -> None:
    assert KIND.pair(list_path, [one, two], [two, one]) == ((0, 1), (1, 0))
    assert KIND.pair(list_path, [one], [two, one, one]) == ((0, 1), (None, 0), (None, 2))
    assert KIND.pair(list_path, [one, two], [two]) == ((0, None), (1, 0))


def test_a_list_without_keys_is_not_tied() -> None:
    with pytest.raises(NotImplementedError):
        KIND.pair("parameters[].values", [], [])


def test_the_name_is_claimed_forever_unless_the_experiment_is_deleted(live: Lives) -> None:
    claims = KIND.claims(live().spec)
    assert claims.entities == {"experiment name testExp50"}
    for state in ("Started", "Stopped", "Archived"):
        assert KIND.claims_after_end(live(state=state)).shared(claims) == claims.entities
    assert not KIND.claims_after_end(live(state="Created")).entities
