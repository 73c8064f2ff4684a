"""A saved plan comes back as it was; anything else is refused, and only with PlanUnreadable."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_builders import LI, NOW, REPLACE, SF, X, at, cell, desired, live, managed, plan, record

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Plan
from reconciler.plan.saved import dumps, loads, plan_to_json

REPLACING = managed(
    desired(SF, state="Started"),
    desired(SF, "hero", "", REPLACE, state="Started", name="hero2", source="Agentforce"),
    "Started",
    allow=0,
)
CREATING = plan([desired(LI, description=None), desired(X), desired(SF, criteria={"a": [1, 2.5, "ü"]})])
BLOCKED = managed(desired(X, "hero", "LIVE"), desired(X, "hero", "LIVE", name="n"), "LIVE")
UPDATING = managed(desired(X), desired(X, name="n"), as_of=NOW + timedelta(days=1))
OLD, NEW = desired(LI, "z"), desired(LI, "a", cells=[cell("x", 2), cell("y", 3)])
ORDERED = plan([NEW], [record(OLD)], {OLD.key: live(OLD)}, allow=0)
PLANS = {
    "replacing": REPLACING,
    "creating": CREATING,
    "blocked": BLOCKED,
    "updating": UPDATING,
    "ordered": ORDERED,
    "nothing": plan([]),
    "bookkeeping": managed(desired(LI), desired(LI, name="n"), "", live(desired(LI, name="n"))),
    "incomplete": plan([desired(LI)], unsearched=["linkedin"]),
}


@pytest.mark.parametrize("name", PLANS)
def test_round_trip(name: str) -> None:
    made = PLANS[name]
    again = loads(dumps(made), "plan.json")
    assert again == made
    assert dumps(again) == dumps(made)


def test_the_object_has_the_contracts_keys() -> None:
    data = plan_to_json(REPLACING)
    assert {"formatVersion", "createdAt", "environment", "summary", "changes", "warnings"} <= set(data)
    assert {"validUntil", "complete"} <= set(data)
    assert data["formatVersion"] == "1.0" and data["createdAt"].endswith("Z")
    assert list(data["summary"]) == ["create", "update", "replace", "delete", "adopt", "forget", "no-op", "blocked"]
    (change,) = data["changes"]
    assert {
        "key",
        "platform",
        "connection",
        "remoteId",
        "action",
        "status",
        "fields",
        "calls",
        "reasons",
        "warnings",
        "intent",
    } <= set(change)
    assert {"path", "before", "after", "drifted", "allowed", "reason", "severity"} == set(change["fields"][0])
    assert {"method", "path", "query", "headers", "body"} <= set(change["calls"][0])


def test_a_blocked_change_keeps_its_intent() -> None:
    (change,) = plan_to_json(BLOCKED)["changes"]
    assert (change["action"], change["intent"], change["calls"]) == ("blocked", "update", [])
    assert change["fields"][0]["allowed"] is False and change["fields"][0]["reason"]


def test_unknown_keys_and_newer_minor_versions_are_read() -> None:
    data = plan_to_json(UPDATING)
    data["formatVersion"], data["more"] = "1.7", {"x": 1}
    data["changes"][0]["more"] = 1
    assert loads(json.dumps(data), "plan") == UPDATING


GARBAGE = [
    "",
    "null",
    "[]",
    "{}",
    "1",
    '"text"',
    "{",
    "<html></html>",
    '{"formatVersion": 1}',
    '{"formatVersion": "2.0", "createdAt": "2026-11-25T12:00:00Z"}',
    '{"formatVersion": "1.0"}',
    '{"formatVersion": "1.0", "createdAt": "yesterday"}',
    '{"formatVersion": "1.0", "createdAt": "2026-11-25T12:00:00"}',
    '{"formatVersion": "1.0", "createdAt": "2026-11-25T12:00:00Z", "changes": {}}',
    '{"formatVersion": "1.0", "createdAt": "2026-11-25T12:00:00Z", "changes": [1]}',
    "[" * 100_000,
    '{"formatVersion": "1.0", "createdAt": ' + "1" * 5000 + "}",
    "\x00",
    "\ufeff{}",
]


@pytest.mark.parametrize("text", GARBAGE, ids=[f"{text[:20]!r}" for text in GARBAGE])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(PlanUnreadable, match=r"plan\.json"):
        loads(text, "plan.json")


def damaged(made: Plan, path: list[Any], value: Any) -> str:
    data = json.loads(dumps(made))
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


DAMAGE = [
    pytest.param(REPLACING, ["changes", 0, "action"], "destroy", id="unknown-action"),
    pytest.param(REPLACING, ["changes", 0, "key"], "nonsense", id="key"),
    pytest.param(REPLACING, ["changes", 0, "oldCalls"], 9, id="more-old-calls-than-calls"),
    pytest.param(REPLACING, ["changes", 0, "oldCalls"], 4, id="a-replace-that-creates-nothing"),
    pytest.param(REPLACING, ["changes", 0, "remoteId"], None, id="a-replace-of-nothing"),
    pytest.param(REPLACING, ["changes", 0, "desired"], None, id="a-replace-by-nothing"),
    pytest.param(REPLACING, ["changes", 0, "calls", 0, "path"], "https://evil.example/", id="an-absolute-address"),
    pytest.param(REPLACING, ["changes", 0, "calls", 0, "path"], "//evil.example/", id="another-host"),
    pytest.param(REPLACING, ["changes", 0, "calls", 0, "purpose"], "x", id="purpose"),
    pytest.param(CREATING, ["changes", 0, "calls"], [], id="a-create-without-calls"),
    pytest.param(UPDATING, ["changes", 0, "remoteId"], None, id="an-update-of-nothing"),
    pytest.param(UPDATING, ["changes", 0, "fields", 0, "path"], ..., id="a-field-without-path"),
    pytest.param(UPDATING, ["changes", 0, "expected"], [], id="expected"),
    pytest.param(UPDATING, ["changes", 0, "destroys"], "no", id="a-flag"),
    pytest.param(UPDATING, ["asOf"], "soon", id="as-of"),
    pytest.param(UPDATING, ["state", "serial"], -1, id="serial"),
    pytest.param(BLOCKED, ["changes", 0, "calls"], plan_to_json(UPDATING)["changes"][0]["calls"], id="blocked-calls"),
    pytest.param(ORDERED, ["changes", 1, "after"], ["LinkedInExperiment/other"], id="waits-for-a-stranger"),
    pytest.param(ORDERED, ["changes", 0, "after"], ["LinkedInExperiment/a"], id="waits-in-a-circle"),
    pytest.param(ORDERED, ["changes", 1, "after"], ["LinkedInExperiment/a"], id="waits-for-itself"),
    pytest.param(ORDERED, ["changes", 1, "key"], "LinkedInExperiment/z", id="one-key-twice"),
]


@pytest.mark.parametrize(("made", "path", "value"), DAMAGE)
def test_damage_is_refused(made: Plan, path: list[Any], value: Any) -> None:
    with pytest.raises(PlanUnreadable):
        loads(damaged(made, path, value), "plan.json")


@st.composite
def somewhere(draw: st.DrawFn) -> str:
    """A real plan with one value, anywhere in it, exchanged for another JSON value."""
    data = json.loads(dumps(draw(st.sampled_from(list(PLANS.values())))))
    place: Any = data
    while True:
        steps = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not steps:
            return json.dumps(data)
        step = draw(st.sampled_from(steps))
        inner = place[step]
        if not isinstance(inner, dict | list) or draw(st.booleans()):
            odd = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
            place[step] = draw(odd | st.sampled_from([[], {}, [1]]))
            return json.dumps(data)
        place = inner


@settings(max_examples=300, deadline=None)
@given(somewhere())
def test_one_wrong_value_anywhere_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(loads(text, "plan.json"), Plan)
    except PlanUnreadable as error:
        assert "plan.json" in str(error)


JSON = st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))


@settings(max_examples=200, deadline=None)
@given(st.text() | JSON.map(json.dumps))
def test_noise_is_refused(text: str) -> None:
    with pytest.raises(PlanUnreadable):
        loads(text, "plan.json")


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('"hero"', '"\\ud800"', "half of a character"),
        ('"hero"', '"\\uDFFF\\ud800"', "half of a character"),
        ('"hero"', "NaN", "not a JSON number"),
        ('"hero"', "1e999", "too large"),
        ('"method":', '"method": "GET", "method":', "the key 'method' stands twice"),
    ],
)
def test_a_plan_that_can_be_read_in_two_ways_or_cannot_be_sent_is_refused(before: str, after: str, why: str) -> None:
    """Found by fuzzing: half a character was read, and ended apply with a traceback."""
    text = json.dumps(plan_to_json(CREATING))
    assert before in text
    with pytest.raises(PlanUnreadable, match=why):
        loads(text.replace(before, after, 1), "plan.json")


def test_both_halves_of_a_character_are_one() -> None:
    text = json.dumps(plan_to_json(CREATING)).replace('"hero"', '"\\ud83d\\ude00"')
    assert '"name": "\N{GRINNING FACE}"' in dumps(loads(text, "plan.json"))


def test_no_secret_and_no_prefix_in_it() -> None:
    text = dumps(CREATING)
    assert "Authorization" not in text and "https://" not in text
    assert at("2026-11-25T12:00:00Z") == NOW


@pytest.mark.parametrize(
    ("made", "changes", "says"),
    [
        (UPDATING, {"oldCalls": 2}, r"changes\[0\] has calls that do not go with its action"),
        (CREATING, {"oldCalls": 1}, r"changes\[0\] has calls that do not go with its action"),
        (UPDATING, {"action": "blocked"}, r"changes\[0\] has calls that do not go with its action"),
        (UPDATING, {"remoteId": None}, r"changes\[0\]\.remoteId is not text"),
        (UPDATING, {"desired": None}, r"changes\[0\]\.desired is missing"),
        (UPDATING, {"action": "other"}, r"changes\[0\]\.action is not one of create, update, "),
        (UPDATING, {"key": "nonsense"}, r"changes\[0\]\.key is wrong: "),
        (UPDATING, {"calls": {}}, r"changes\[0\]\.calls is not a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(made: Plan, changes: dict[str, Any], says: str) -> None:
    values = plan_to_json(made)
    values["changes"][0].update(changes)
    with pytest.raises(PlanUnreadable, match=rf"^plan\.json: {says}.*; make a new one with plan --out FILE$"):
        loads(json.dumps(values), "plan.json")


def test_what_is_no_object_is_told_as_a_whole() -> None:
    with pytest.raises(PlanUnreadable, match=r"^plan\.json: the whole is not an object; "):
        loads("[]", "plan.json")
