"""LinkedIn's JSON both ways, with its own sample bodies, and the calls that change an experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from linkedin_samples import END_MS, KIND, START_MS, body, cell, live, spec, wire

from reconciler.errors import BadAnswer
from reconciler.model.change import FieldChange, Purpose
from reconciler.platforms.linkedin.wire import from_wire, to_wire, validation_entity

CHANGED_CELLS = body("update_cells")["patch"]["$set"]["cells"]


# --- reading -------------------------------------------------------------------------------------------------------


def test_the_sample_of_get_is_read() -> None:
    found = from_wire(body("get_answer"))
    assert (found.remote_id, found.status, found.over, found.account) == (
        "123",
        "ENDED",
        True,
        "urn:li:sponsoredAccount:123",
    )
    assert found.spec == {
        "account": "urn:li:sponsoredAccount:123",
        "name": "Test Experiment",
        "description": "This is a test experiment",
        "keyMetric": "CPC",
        "confidence": 90,
        "autoStop": "AUTO_STOP_AT_END_DATE",
        "userIntendedState": "ACTIVE",
        "scheduledStartAt": "2018-11-13T22:35:57Z",
        "scheduledEndAt": "2018-12-13T22:35:56Z",
        "cells": [
            {
                "name": "Campaign 1",
                "description": "This is campaign 1",
                "trafficWeight": 50,
                "reference": {"campaign": "urn:li:sponsoredCampaign:123"},
            },
            {
                "name": "Campaign 2",
                "description": "This is campaign 2",
                "trafficWeight": 50,
                "reference": {"campaign": "urn:li:sponsoredCampaign:345"},
            },
        ],
    }
    assert found.start is not None and found.end is not None and (found.end - found.start).days == 29


def test_the_samples_of_batch_and_finder_are_read() -> None:
    held = from_wire(body("batch_get_answer")["results"]["12685"])
    assert (held.status, held.over, held.spec["autoStop"]) == ("ON_HOLD", False, "AUTO_STOP_AT_WINNER")
    first, second = (from_wire(element) for element in body("find_answer")["elements"])
    assert first.spec["scheduledStartAt"] == "2019-09-09T20:52:07.739Z"
    assert (second.spec["userIntendedState"], second.over) == ("CANCELED", True)


@pytest.mark.parametrize("name", ["get_answer"])
def test_what_was_read_is_sent_back_the_same(name: str) -> None:
    sample = body(name)
    read_only = {"id", "executionState", "endedAt", "terminationReason", "created", "lastModified"}
    assert to_wire(from_wire(sample).spec) == {key: value for key, value in sample.items() if key not in read_only}


@pytest.mark.parametrize("description", [None, "", ...])
def test_no_description_has_one_form(description: Any) -> None:
    assert "description" not in live(description=description).spec
    cells = [cell("a", 1, **({} if description is ... else {"description": description})), cell("b", 2)]
    assert "description" not in live(cells=cells).spec["cells"][0]


def test_an_absent_auto_stop_is_the_default() -> None:
    assert live(autoStop=...).spec["autoStop"] == live(autoStop=None).spec["autoStop"] == "AUTO_STOP_AT_END_DATE"


def test_unknown_keys_and_values_are_let_through() -> None:
    found = live(keyMetric="CPQL", executionState="THINKING", userIntendedState="NAPPING", audit={"x": 1})
    assert (found.spec["keyMetric"], found.status, found.spec["userIntendedState"]) == ("CPQL", "THINKING", "NAPPING")
    assert "audit" not in found.spec


def test_of_an_answer_only_what_is_asked_for_is_kept() -> None:
    assert not live(audit={"x": 1}, endedAt=None).extra
    ended = live(executionState="ENDED", endedAt=START_MS, terminationReason="LOW_BUDGET", audit={"x": 1})
    assert ended.extra == {"endedAt": START_MS, "terminationReason": "LOW_BUDGET"}


def test_whole_floats_are_whole_numbers() -> None:
    found = live(
        scheduledStartAt=float(START_MS), confidence=90.0, id=40001.0, cells=[cell("a", 1, 50.0), cell("b", 2)]
    )
    assert (found.remote_id, found.spec["confidence"]) == ("40001", 90)
    assert type(found.spec["confidence"]) is int and type(found.spec["cells"][0]["trafficWeight"]) is int


def test_a_draft_may_be_incomplete_and_is_pending() -> None:
    draft = live(userIntendedState="DRAFT", executionState=..., scheduledEndAt=..., cells=[])
    assert (draft.status, draft.end, draft.spec["cells"]) == ("PENDING", None, [])
    assert KIND.claims(draft.spec, draft).entities == frozenset()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ...}, "id"),
        ({"id": "abc"}, "id"),
        ({"id": True}, "id"),
        ({"name": ...}, "lacks name"),
        ({"account": None}, "lacks account"),
        ({"cells": ...}, "lacks cells"),
        ({"userIntendedState": ...}, "lacks userIntendedState"),
        ({"name": 5}, "name 5"),
        ({"confidence": "90"}, "confidence '90'"),
        ({"confidence": 90.5}, "confidence 90.5"),
        ({"scheduledStartAt": "2026-12-07T08:00:00Z"}, "scheduledStartAt"),
        ({"scheduledStartAt": 10**17}, "no time"),
        ({"cells": {"a": 1}}, "not a list"),
        ({"cells": [{"name": "a", "trafficWeight": 50}]}, "no reference"),
        ({"cells": [{"name": "a", "reference": {"campaign": "x"}}]}, "trafficWeight None"),
        ({"cells": [None]}, "no reference"),
    ],
)
def test_what_is_not_an_experiment_is_a_bad_answer(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadAnswer, match=words):
        live(**changes)


@pytest.mark.parametrize("sample", [[], "text", None, 5])
def test_what_is_not_an_object_is_a_bad_answer(sample: Any) -> None:
    with pytest.raises(BadAnswer):
        from_wire(sample)


# --- create --------------------------------------------------------------------------------------------------------


def test_the_sample_of_create_comes_out_as_it_is() -> None:
    sample = body("create_request")
    stated = {**sample}
    model = KIND.spec_model.model_validate(stated)
    (call,) = KIND.create_calls(KIND.canonical(model.model_dump(exclude_unset=True)))
    assert call.body == sample
    assert (call.method, call.path, call.purpose, dict(call.query), dict(call.headers)) == (
        "POST",
        "/rest/adExperiments",
        Purpose.CREATE,
        {},
        {},
    )


def test_a_state_not_stated_is_sent_as_active_and_nothing_else_is_invented() -> None:
    (call,) = KIND.create_calls(spec(description=None))
    assert call.body == {
        "account": "urn:li:sponsoredAccount:5",
        "name": "hero-image",
        "keyMetric": "CPC",
        "confidence": 90,
        "userIntendedState": "ACTIVE",
        "scheduledStartAt": START_MS,
        "scheduledEndAt": END_MS,
        "cells": [cell("control", 1), cell("red", 2)],
    }


def test_a_stated_state_is_sent_as_stated() -> None:
    (call,) = KIND.create_calls(spec(userIntendedState="DRAFT"))
    assert call.body["userIntendedState"] == "DRAFT"


def test_what_is_created_reads_back_as_what_was_wanted() -> None:
    wanted = spec(description="blue or red", autoStop="AUTO_STOP_DISABLED", userIntendedState="ACTIVE")
    (call,) = KIND.create_calls(wanted)
    assert from_wire({"id": 1, "executionState": "PENDING", **call.body}).spec == wanted


# --- update --------------------------------------------------------------------------------------------------------


def test_the_first_sample_of_update_comes_out_in_milliseconds() -> None:
    """The page sends 1792221412, which is seconds; LinkedIn counts milliseconds."""
    now = live(id=1234)
    end = "2026-10-17T07:16:52Z"
    (call,) = KIND.update_calls(
        now, {**now.spec, "scheduledEndAt": end}, [FieldChange("scheduledEndAt", now.spec["scheduledEndAt"], end)]
    )
    sample = body("update_end")
    sample["patch"]["$set"]["scheduledEndAt"] *= 1000
    assert call.body == sample
    assert (call.method, call.path, call.purpose) == ("POST", "/rest/adExperiments/1234", Purpose.UPDATE)
    assert dict(call.headers) == {"X-RestLi-Method": "partial_update"}


def test_the_second_sample_of_update_comes_out_as_it_is() -> None:
    cells = [{**CHANGED_CELLS[0], "name": "Campaign 1"}, CHANGED_CELLS[1]]
    now = live(id=1234, cells=cells)
    target = {**now.spec, "cells": [{**now.spec["cells"][0], "name": "Updated Campaign 1"}, now.spec["cells"][1]]}
    (call,) = KIND.update_calls(now, target, [FieldChange("cells[0].name", "Campaign 1", "Updated Campaign 1")])
    assert call.body == body("update_cells")


def test_all_changes_go_in_one_patch_with_the_state() -> None:
    now = live(executionState="STOPPED", userIntendedState="PAUSED", description="old")
    target = {
        **now.spec,
        "userIntendedState": "ACTIVE",
        "scheduledEndAt": "2027-01-12T08:00:00Z",
        "description": None,
        "confidence": 95,
    }
    changes = [
        FieldChange("userIntendedState", "PAUSED", "ACTIVE"),
        FieldChange("scheduledEndAt", now.spec["scheduledEndAt"], target["scheduledEndAt"]),
        FieldChange("description", "old", None),
        FieldChange("confidence", 90, 95),
    ]
    (call,) = KIND.update_calls(now, target, changes)
    assert call.body == {
        "patch": {
            "$set": {"confidence": 95, "userIntendedState": "ACTIVE", "scheduledEndAt": END_MS + 86400000},
            "$delete": ["description"],
        }
    }


def test_clearing_alone_sends_no_empty_set() -> None:
    now = live(description="old")
    (call,) = KIND.update_calls(now, {**now.spec, "description": None}, [FieldChange("description", "old", None)])
    assert call.body == {"patch": {"$delete": ["description"]}}


def test_a_cleared_cell_description_is_left_out_of_whole_cells() -> None:
    now = live(cells=[cell("a", 1, description="memo"), cell("b", 2, description="stays")])
    target = {**now.spec, "cells": [{**now.spec["cells"][0], "description": None}, now.spec["cells"][1]]}
    (call,) = KIND.update_calls(now, target, [FieldChange("cells[0].description", "memo", None)])
    assert call.body == {"patch": {"$set": {"cells": [cell("a", 1), cell("b", 2, description="stays")]}}}


def test_cells_are_sent_in_the_order_of_the_target() -> None:
    now = live(cells=[cell("b", 2), cell("a", 1)])
    target = {**now.spec, "cells": [cell("b", 2), cell("renamed", 1)]}
    (call,) = KIND.update_calls(now, target, [FieldChange("cells[0].name", "a", "renamed")])
    assert [item["name"] for item in call.body["patch"]["$set"]["cells"]] == ["b", "renamed"]


def test_nothing_changed_is_no_call() -> None:
    assert KIND.update_calls(live(), live().spec, []) == ()


# --- end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["RUNNING", "ON_HOLD", "STOPPED", "THINKING"])
def test_a_started_experiment_is_cancelled(status: str) -> None:
    (call,) = KIND.end_calls(live(executionState=status))
    assert call.body == {"patch": {"$set": {"userIntendedState": "CANCELED"}}}
    assert (call.method, call.path, call.purpose) == ("POST", "/rest/adExperiments/40001", Purpose.CANCEL)
    assert dict(call.headers) == {"X-RestLi-Method": "partial_update"}
    assert not KIND.done(call, live(executionState=status))
    assert KIND.done(call, live(executionState=status, userIntendedState="CANCELED"))
    assert KIND.done(call, live(executionState="ENDED"))


@pytest.mark.parametrize("changes", [{}, {"userIntendedState": "DRAFT", "executionState": ...}])
def test_a_pending_experiment_is_deleted(changes: dict[str, Any]) -> None:
    (call,) = KIND.end_calls(live(**changes))
    assert (call.method, call.path, call.purpose, call.body) == (
        "DELETE",
        "/rest/adExperiments/40001",
        Purpose.DELETE,
        None,
    )


def test_an_ended_or_cancelled_experiment_needs_no_end() -> None:
    assert KIND.end_calls(live(executionState="ENDED")) == ()
    assert KIND.end_calls(live(executionState="RUNNING", userIntendedState="CANCELED")) == ()


# --- the dry run ---------------------------------------------------------------------------------------------------


def test_a_new_experiment_is_asked_about_without_an_id() -> None:
    assert validation_entity(spec(), None) == KIND.create_calls(spec())[0].body


def test_a_stored_experiment_is_asked_about_whole_with_its_id() -> None:
    now = live(description="old")
    entity = validation_entity({**now.spec, "confidence": 95}, now)
    read_only = {"executionState", "created", "lastModified", "endedAt"}
    assert entity == {key: value for key, value in wire(description="old").items() if key not in read_only} | {
        "confidence": 95
    }
    assert replace(now, status="x").remote_id == str(entity["id"])
