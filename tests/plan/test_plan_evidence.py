"""What a shard has read comes back from its plan file as it was; anything else is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from plan_builders import LI, NOW, SF, X, at, desired, live, plan, record

from reconciler.errors import PlanUnreadable
from reconciler.model.budget import Covers, Quota
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Reading, Unknown
from reconciler.plan.evidence import (
    live_to_json,
    merged_preflights,
    other_to_json,
    preflight_to_json,
    quotas_to_json,
    read_others,
    read_preflights,
    read_quotas,
    read_readings,
    reading_to_json,
)
from reconciler.plan.inputs import Other
from reconciler.plan.reader import Reader
from reconciler.platforms.session import Preflight, PreflightFinding

A, B, C = (Key(LI.name, name) for name in "abc")
START, END = at("2026-12-07T08:00:00.125Z"), at("2027-01-11T08:00:00Z")
FULL = Live(
    remote_id="hr7l0",
    status="LIVE",
    spec={"name": "n", "user_groups": [{"size": "50.00", "entity_ids": ["e1"]}], "description": None, "n": 2.5},
    name="n",
    account="18ce54d4x5t",
    children={"user_groups": ("p1bcx", "p1bcy"), "cohorts": ()},
    over=True,
    busy="Deleting",
    failure="EditError: no schema",
    owned_elsewhere=True,
    start=START,
    end=END,
)
BARE = Live("1", "", {})
READINGS: dict[str, Reading] = {
    "all-there-is-to-say": Found(FULL),
    "the-least-there-is": Found(BARE),
    "linkedin": Found(live(desired(LI, description="d"))),
    "x": Found(live(desired(X, "hero", "LIVE"), "LIVE")),
    "salesforce": Found(live(desired(SF), "Started")),
    "gone": Gone("X shows it with deleted: true"),
    "unknown": Unknown("HTTP 500"),
    "not-visible-yet": Unknown("no list knows it", unlisted=True),
}


def through_a_file(value: Any) -> Reader:
    return Reader(json.loads(json.dumps(value)), "part.json: shard.evidence")


@pytest.mark.parametrize("name", READINGS)
def test_a_reading_comes_back_as_it_was(name: str) -> None:
    """A resource that could not be read stays unknown: were it taken for gone, its experiment would be made again."""
    reading = READINGS[name]
    assert read_readings(through_a_file({str(A): reading_to_json(reading)})) == {A: reading}


def test_what_stands_in_the_file() -> None:
    """Shards may be planned on several machines, so the words of the file are a format and not an accident."""
    assert live_to_json(FULL) == {
        "remoteId": "hr7l0",
        "status": "LIVE",
        "spec": FULL.spec,
        "name": "n",
        "account": "18ce54d4x5t",
        "children": {"user_groups": ["p1bcx", "p1bcy"], "cohorts": []},
        "over": True,
        "busy": "Deleting",
        "failure": "EditError: no schema",
        "ownedElsewhere": True,
        "start": "2026-12-07T08:00:00.125Z",
        "end": "2027-01-11T08:00:00Z",
    }
    assert live_to_json(BARE) == {"remoteId": "1"}
    assert reading_to_json(Gone("p")) == {"gone": "p"}
    assert reading_to_json(Unknown("r")) == {"unknown": "r", "unlisted": False}
    assert other_to_json(Other("x", BARE)) == {"connection": "x", "live": {"remoteId": "1"}}


def test_experiments_that_were_met_come_back_with_their_connection() -> None:
    others = (Other("x", FULL), Other("crm", live(desired(SF))))
    assert read_others(through_a_file([other_to_json(other) for other in others])) == others


@pytest.mark.parametrize(
    ("wanted", "status", "changes"),
    [
        pytest.param(desired(SF), "Created", {"status": "Deleting"}, id="salesforce-deletes-it"),
        pytest.param(desired(SF), "Created", {"status": "Processing"}, id="salesforce-is-at-work"),
        pytest.param(desired(SF), "Created", {"status": "CreateError"}, id="salesforce-could-not-make-it"),
        pytest.param(desired(SF), "Started", {"isRemote": True}, id="another-orgs"),
        pytest.param(desired(SF), "Stopped", {"stoppedDate": "2026-11-20T08:00:00Z"}, id="stopped"),
        pytest.param(desired(X, "hero", "LIVE"), "LIVE", {}, id="x"),
        pytest.param(desired(LI, "hero", "RUNNING"), "RUNNING", {}, id="linkedin"),
        pytest.param(desired(LI, "hero", "ENDED"), "ENDED", {"terminationReason": "error"}, id="linkedin-ended-it"),
    ],
)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=60)], ids=["now", "as-of-later"])
@pytest.mark.parametrize("change", ["label", "nothing", "gone"])
def test_the_plan_made_from_what_comes_back_is_the_plan_made_from_what_was_read(
    wanted: Desired, status: str, changes: dict[str, Any], later: timedelta, change: str
) -> None:
    seen: Reading = Found(live(wanted, status, "", **changes))
    again = read_readings(through_a_file({str(wanted.key): reading_to_json(seen)}))
    field = "label" if wanted.platform == "salesforce" else "name"
    edited = replace(wanted, spec={**wanted.spec, field: "another"})
    manifests = {"label": [edited], "nothing": [wanted], "gone": []}[change]
    made = [
        plan(manifests, [record(wanted)], readings, allow=5, as_of=NOW + later)
        for readings in ({wanted.key: seen}, again)
    ]
    assert made[0] == made[1]


# --- the platforms' own checks and quotas ----------------------------------------------------------------------------

CHECK = Preflight(
    findings={
        A: (
            PreflightFinding("CAMPAIGN_ON_HOLD", "paused", False, "campaign 1"),
            PreflightFinding("CAMPAIGN_NOT_FOUND", "no such campaign", True),
        ),
        B: (),
    },
    warnings=("one", "two"),
    refused={"a VIEWER may not ask about {names}": (A, B)},
)


def test_what_a_platforms_own_check_said_comes_back() -> None:
    """An error that came back as advice would be sent, and refused."""
    said = preflight_to_json(CHECK)
    assert said["findings"][str(A)][0] == {
        "code": "CAMPAIGN_ON_HOLD",
        "message": "paused",
        "isError": False,
        "entity": "campaign 1",
    }
    assert said["refused"] == {"a VIEWER may not ask about {names}": [str(A), str(B)]}
    assert read_preflights(through_a_file({"linkedin": said, "quiet": {}})) == {"linkedin": CHECK, "quiet": Preflight()}


def test_a_finding_that_does_not_say_so_is_no_error() -> None:
    found = read_preflights(through_a_file({"linkedin": {"findings": {str(A): [{"code": "X", "message": "m"}]}}}))
    assert found["linkedin"].findings[A] == (PreflightFinding("X", "m", is_error=False, entity=""),)


def test_the_answers_of_several_shards_are_one() -> None:
    """What a shard was refused is told once for all its experiments; no finding, warning or connection is lost."""
    more = Preflight(
        findings={C: (PreflightFinding("AB_TEST_PAUSED", "m", False),)},
        warnings=("three",),
        refused={"a VIEWER may not ask about {names}": (C,), "another": (C,)},
    )
    merged = merged_preflights([{"second": CHECK, "first": more}, {"second": more}, {}])
    assert list(merged) == ["first", "second"], "in one order, however the files were named"
    assert merged["first"] == more
    assert merged["second"] == Preflight(
        {**CHECK.findings, **more.findings},
        ("one", "two", "three"),
        {"a VIEWER may not ask about {names}": (A, B, C), "another": (C,)},
    )
    assert merged_preflights([]) == {}


def test_quotas_come_back_in_one_order() -> None:
    quotas = [
        Quota("x", "writes per minute", 450, 3, END, Covers.WRITES, "18ce54d4x5t"),
        Quota("crm", "requests a day", 15_000, 0),
        Quota("x", "reads", 2000, 1999, None, Covers.READS),
    ]
    said = quotas_to_json(quotas)
    assert said == quotas_to_json(reversed(quotas))
    assert read_quotas(through_a_file(said)) == (quotas[1], quotas[2], quotas[0])


# --- what is refused -------------------------------------------------------------------------------------------------

LIVE = {"remoteId": "1", "status": "LIVE", "spec": {}}


def a_live(**changes: Any) -> dict[str, Any]:
    return {str(A): {"live": {**LIVE, **changes}}}


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (read_readings, {"nonsense": {"gone": "x"}}, "is wrong: 'nonsense' is not a key"),
        (read_readings, [1], "is not an object"),
        (read_readings, {str(A): {}}, f".{A}.unknown is not text"),
        (read_readings, {str(A): {"unknown": "r", "unlisted": 1}}, f".{A}.unlisted is neither true nor false"),
        (read_readings, {str(A): {"gone": 1}}, f".{A}.gone is not text"),
        (read_readings, {str(A): {"live": 1}}, f".{A}.live is not an object"),
        (read_readings, a_live(remoteId=None), ".live.remoteId is not text"),
        (read_readings, a_live(status=1), ".live.status is not text"),
        (read_readings, a_live(spec=7), ".live.spec is not an object"),
        (read_readings, a_live(name=7), ".live.name is not text"),
        (read_readings, a_live(account=7), ".live.account is not text"),
        (read_readings, a_live(children={"user_groups": 1}), ".live.children.user_groups is not a list"),
        (read_readings, a_live(children={"user_groups": [1]}), ".live.children.user_groups[0] is not text"),
        (read_readings, a_live(over="yes"), ".live.over is neither true nor false"),
        (read_readings, a_live(busy=True), ".live.busy is not text"),
        (read_readings, a_live(failure=False), ".live.failure is not text"),
        (read_readings, a_live(ownedElsewhere=0), ".live.ownedElsewhere is neither true nor false"),
        (read_readings, a_live(start="tomorrow"), ".live.start is wrong"),
        (read_readings, a_live(end="2027-01-01T00:00:00"), ".live.end is wrong"),
        (read_others, [{"live": LIVE}], "[0].connection is not text"),
        (read_others, [{"connection": "x"}], "[0].live is not an object"),
        (read_preflights, {"linkedin": {"findings": {"a": []}}}, ".linkedin.findings is wrong"),
        (read_preflights, {"linkedin": {"findings": {str(A): [{"message": "m"}]}}}, f".{A}[0].code is not text"),
        (read_preflights, {"linkedin": {"findings": {str(A): [{"code": "c"}]}}}, f".{A}[0].message is not text"),
        (
            read_preflights,
            {"linkedin": {"findings": {str(A): [{"code": "c", "message": "m", "isError": "no"}]}}},
            f".{A}[0].isError is neither true nor false",
        ),
        (read_preflights, {"linkedin": {"warnings": [1]}}, ".linkedin.warnings[0] is not text"),
        (read_preflights, {"linkedin": {"refused": {"s": ["a"]}}}, ".linkedin.refused.s[0] is wrong"),
        (read_quotas, [{"connection": "x"}], "[0].what is not text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read: Callable[[Reader], Any], value: Any, says: str) -> None:
    with pytest.raises(PlanUnreadable) as error:
        read(through_a_file(value))
    assert str(error.value).startswith("part.json: shard.evidence")
    assert says in str(error.value)
