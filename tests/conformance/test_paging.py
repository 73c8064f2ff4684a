"""A list that changes while it is read page by page: nothing that was there all the time is taken as not there."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kinds import LINKEDIN, X_ADS
from laboratory import Lab

MANY = 230
"""Three pages on LinkedIn (a hundred each)."""


def fill(lab: Lab, platform: str, table: str, remote_id: str, many: int = MANY) -> list[str]:
    """Give a platform many experiments like the one that is there; gives their ids, in the order of the list."""
    rows = lab.server.world.table(platform, table)
    like = rows[remote_id]
    ids: list[Any] = [like["id"]]
    for number in range(1, many):
        row = copy.deepcopy(like)
        row["id"] = like["id"] + number if isinstance(like["id"], int) else f"zz{number:04}"
        row["name"] = f"somebody's {number}"
        if "cells" in row:  # the first campaign is the same, so the search finds it; the second is its own
            row["cells"][1]["reference"]["campaign"] = f"urn:li:sponsoredCampaign:{90000 + number}"
        rows[str(row["id"])] = row
        ids.append(row["id"])
    return [str(remote_id) for remote_id in ids]


def draft(lab: Lab, name: str) -> dict[str, Any]:
    spec = {**LINKEDIN.spec, "name": name, "userIntendedState": "DRAFT"}
    lab.manifest(LINKEDIN.kind, spec)
    return spec


def swap(lab: Lab, first: str, second: str) -> None:
    """Let two of LinkedIn's experiments change places in the list: all but their ids."""
    rows = lab.server.world.table("linkedin", "experiments")
    rows[first], rows[second] = {**rows[second], "id": int(first)}, {**rows[first], "id": int(second)}


def shift(number: int, *ids: str) -> dict[str, Any]:
    """Give a fault that takes experiments away right after the n-th page of a search (from 0) was answered."""
    match = {"platform": "linkedin", "method": "GET", "query": "q=search"}
    return {"match": match, "after": number, "do": {"remove": list(ids)}}


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize("page", [0, 1])
def test_a_draft_behind_a_shifted_page_is_adopted_never_created_again(lab: Lab, command: str, page: int) -> None:
    """LinkedIn refuses no second draft on the same campaigns: only the search stands between it and a double."""
    draft(lab, "mine")
    lab.apply()
    (first,) = lab.table("linkedin", "experiments")
    ids = fill(lab, "linkedin", "experiments", first)
    hidden = ids[100 * (page + 1)]  # the first of the next page: it moves onto the page that was read already
    swap(lab, first, hidden)
    lab.state_file.unlink()
    lab.faults(shift(page, first))
    if command == "plan":
        (change,) = lab.plan()["changes"] or [{"action": "none"}]
        assert (change["action"], change["remoteId"]) == ("adopt", hidden)
        return
    lab.apply()
    assert lab.remote_id(f"{LINKEDIN.kind}/a") == hidden
    assert [row["id"] for row in lab.table("linkedin", "experiments").values() if row["name"] == "mine"] == [
        int(hidden)
    ]


def test_a_list_that_changes_all_the_time_makes_the_plan_incomplete(lab: Lab) -> None:
    draft(lab, "mine")
    lab.apply()
    (first,) = lab.table("linkedin", "experiments")
    ids = fill(lab, "linkedin", "experiments", first)
    lab.state_file.unlink()
    swap(lab, first, ids[-1])
    lab.faults(*(shift(0, remote_id) for remote_id in ids[:20]))
    made = lab.plan(code=1)
    assert made["complete"] is False and made["changes"] == []
    lab.forget_requests()
    lab.apply(code=1)
    assert lab.writes == []
    lab.faults()
    summary = lab.plan()["summary"]
    assert (summary["adopt"], summary["create"]) == (1, 0)


def test_drift_shows_every_unmanaged_experiment_of_a_list_that_shifts(lab: Lab) -> None:
    draft(lab, "mine")
    lab.apply()
    (first,) = lab.table("linkedin", "experiments")
    ids = fill(lab, "linkedin", "experiments", first)
    lab.faults(shift(0, ids[1]), shift(1, ids[2]))
    found = lab.drift("--unmanaged")
    assert found["drift"] == []
    assert {item["remoteId"] for item in found["unmanaged"] if item["platform"] == "linkedin"} >= set(ids[3:])


def test_import_finds_every_experiment_of_a_list_that_shifts(lab: Lab) -> None:
    draft(lab, "mine")
    lab.apply()
    (first,) = lab.table("linkedin", "experiments")
    ids = fill(lab, "linkedin", "experiments", first, 103)
    lab.faults(shift(0, ids[1]))
    lab.run("import", "--all").must(0)
    listed = lab.run("state", "list", "--format", "json").must(0).json
    assert {record["remoteId"] for record in listed.values() if record["platform"] == "linkedin"} >= set(ids[2:])


def test_what_is_recorded_is_read_by_id_and_never_missed_in_a_list(lab: Lab) -> None:
    """On no platform is a managed experiment looked for in a list that could skip it: drift calls nothing missing."""
    lab.manifest(X_ADS.kind, X_ADS.spec)
    draft(lab, "mine")
    lab.apply()
    lab.pass_time(minutes=2)
    (first,) = lab.table("linkedin", "experiments")
    ids = fill(lab, "linkedin", "experiments", first)
    lab.faults(*(shift(0, remote_id) for remote_id in ids[1:10]))
    assert lab.drift()["drift"] == []
    assert lab.plan(code=0)["changes"] == []


def test_x_keeps_its_place_by_cursor_and_shows_deleted_tests(lab: Lab) -> None:
    """Tests that are deleted between two pages stay in the list, and a cursor is no offset: nothing shifts."""
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    (first,) = lab.table("x-ads", "ab_tests")
    rows = lab.server.world.table("x-ads", "ab_tests")
    template = copy.deepcopy(rows[first])
    for number in range(1, 1200):
        row = copy.deepcopy(template)
        row["id"] = f"zz{number:04}"
        for group in row["user_groups"]:
            group["entity_ids"] = [f"e{number}{entity}" for entity in group["entity_ids"]]
        rows[row["id"]] = row
    rows["zz1100"]["user_groups"] = template["user_groups"]
    del rows[first]
    lab.state_file.unlink()
    removed = [f"zz{number:04}" for number in range(1, 20)]
    lab.faults({"match": {"platform": "x-ads", "method": "GET"}, "do": {"remove": removed}})
    made = lab.plan()
    assert len([one for one in lab.requests if one.platform == "x-ads" and "cursor" in one.query]) >= 1
    (change,) = made["changes"] or [{"action": "none"}]
    assert change["action"] != "create"
    assert made["summary"]["create"] == 0
