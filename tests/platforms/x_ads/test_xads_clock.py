from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.model.change import Action, FieldChange
from reconciler.model.resource import Live
from reconciler.platforms.base import Situation
from reconciler.platforms.x_ads import PLATFORM

KIND = PLATFORM.kinds[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


START, END = at("2022-05-25T01:00"), at("2022-05-30T01:00")
LONG_BEFORE = at("2022-05-01T00:00")


def live_test(spec: dict[str, Any], status: str) -> Live:
    return Live("hr7l0", status, spec, over=status == "COMPLETED", start=START, end=END)


def creating(
    spec: dict[str, Any], now: datetime, action: Action = Action.CREATE, live: Live | None = None
) -> Situation:
    return Situation(action, now, live, spec, spec)


def updating(spec: dict[str, Any], status: str, now: datetime, **changes: Any) -> Situation:
    target = copy.deepcopy(spec) | changes
    fields = tuple(FieldChange(key, spec.get(key), value) for key, value in changes.items())
    return Situation(Action.UPDATE, now, live_test(spec, status), target, target, fields)


def judged(situation: Situation) -> list[tuple[bool, str]]:
    """What blocks (True) or warns, by rule."""
    found = []
    for judgement in KIND.judge(situation):
        rule = judgement.message.partition("(XAD")[2][:3]
        found.append((judgement.blocks, f"XAD{rule}" if rule else ""))
        assert judgement.message[0] != "("
    return found


@pytest.mark.parametrize("action", [Action.CREATE, Action.REPLACE])
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(LONG_BEFORE, [], id="in-time"),
        pytest.param(at("2022-05-25T00:55"), [], id="five-minutes-before"),
        pytest.param(at("2022-05-25T00:56"), [(False, "XAD015")], id="four-minutes-before"),
        pytest.param(START, [(True, "XAD012")], id="at-the-start"),
        pytest.param(at("2022-05-26T00:00"), [(True, "XAD012")], id="started"),
        pytest.param(END, [(True, "XAD012"), (True, "XAD013")], id="at-the-end"),
    ],
)
def test_create(spec: dict[str, Any], action: Action, now: datetime, expected: Any) -> None:
    assert judged(creating(spec, now, action)) == expected


BLOCK, WARN = True, False
UPDATES = [
    pytest.param("SCHEDULED", LONG_BEFORE, {"name": "new"}, [], id="name-in-time"),
    pytest.param("SCHEDULED", at("2022-05-24T22:00"), {"name": "new"}, [(WARN, "XAD014")], id="window-closes"),
    pytest.param("SCHEDULED", START, {"name": "new"}, [(WARN, "XAD014")], id="status-lags-behind-the-clock"),
    pytest.param("SCHEDULED", START, {"end_time": "2022-06-10T00:00:00Z"}, [], id="end-of-a-started-one"),
    pytest.param("SCHEDULED", END, {"end_time": "2022-06-10T00:00:00Z"}, [(WARN, "XAD014")], id="after-the-end"),
    pytest.param("SCHEDULED", LONG_BEFORE, {"start_time": "2022-05-24T00:00:00Z"}, [], id="start-ahead"),
    pytest.param(
        "SCHEDULED", LONG_BEFORE, {"start_time": "2022-04-30T00:00:00Z"}, [(BLOCK, "XAD012")], id="start-in-the-past"
    ),
    pytest.param(
        "SCHEDULED", LONG_BEFORE, {"start_time": "2022-05-01T00:02:00Z"}, [(WARN, "XAD015")], id="start-very-soon"
    ),
    pytest.param("SCHEDULED", LONG_BEFORE, {"end_time": "2022-05-25T12:00:00Z"}, [(BLOCK, "XAD008")], id="too-short"),
    pytest.param(
        "SCHEDULED", LONG_BEFORE, {"start_time": "2022-06-25T12:00:00Z"}, [(BLOCK, "XAD007")], id="start-after-end"
    ),
    pytest.param("LIVE", at("2022-05-27T00:00"), {"end_time": "2022-06-10T00:00:00Z"}, [], id="extended"),
    pytest.param(
        "LIVE", at("2022-05-27T00:00"), {"end_time": "2022-05-29T00:00:00Z"}, [(WARN, "XAD016")], id="shortened"
    ),
    pytest.param(
        "LIVE", at("2022-05-27T00:00"), {"end_time": "2022-05-27T00:00:00Z"}, [(BLOCK, "XAD013")], id="ended-now"
    ),
    pytest.param(
        "LIVE",
        at("2022-05-25T02:00"),
        {"end_time": "2022-05-25T20:00:00Z"},
        [(WARN, "XAD016"), (BLOCK, "XAD008")],
        id="shortened-below-a-day",
    ),
    pytest.param(
        "LIVE", at("2022-05-30T00:00"), {"end_time": "2022-06-10T00:00:00Z"}, [(WARN, "XAD014")], id="ends-soon"
    ),
    pytest.param("LIVE", END, {"end_time": "2022-06-10T00:00:00Z"}, [(WARN, "XAD014")], id="ended-by-the-clock"),
    pytest.param("COMPLETED", at("2022-06-01T00:00"), {"name": "new"}, [], id="left-to-the-table"),
]


@pytest.mark.parametrize(("status", "now", "changes", "expected"), UPDATES)
def test_update(spec: dict[str, Any], status: str, now: datetime, changes: dict[str, Any], expected: Any) -> None:
    assert judged(updating(spec, status, now, **changes)) == expected


def test_the_window_is_named_with_its_end_and_the_time_left(spec: dict[str, Any]) -> None:
    situation = updating(spec, "SCHEDULED", at("2022-05-24T22:00"), user_groups=[], name="new")
    (warning,) = KIND.judge(situation)
    assert "`name`, `user_groups` can be changed until 2022-05-25 01:00 UTC, in 3 h" in warning.message


def test_a_change_that_the_table_refuses_has_no_window(spec: dict[str, Any]) -> None:
    situation = updating(spec, "SCHEDULED", at("2022-05-24T22:00"), entity_type="LINE_ITEM")
    assert judged(situation) == []


@pytest.mark.parametrize(
    ("status", "now", "expected"),
    [
        ("SCHEDULED", LONG_BEFORE, []),
        ("SCHEDULED", at("2022-05-24T22:00"), [(WARN, "XAD014")]),
        ("SCHEDULED", START, []),
        ("LIVE", at("2022-05-26T00:00"), []),
        ("COMPLETED", END, []),
    ],
)
def test_at_rest_a_closing_window_is_said(spec: dict[str, Any], status: str, now: datetime, expected: Any) -> None:
    assert judged(Situation(Action.NO_OP, now, live_test(spec, status), spec, spec)) == expected


@pytest.mark.parametrize(
    ("status", "now", "words"),
    [
        ("SCHEDULED", LONG_BEFORE, None),
        ("SCHEDULED", at("2022-05-25T00:00"), "starts at 2022-05-25 01:00 UTC, in 60 min"),
        ("SCHEDULED", at("2022-05-26T00:00"), None),
        ("LIVE", at("2022-05-26T00:00"), "is running"),
        ("LIVE", END, "was to end at"),
        ("COMPLETED", END, None),
    ],
)
def test_delete(spec: dict[str, Any], status: str, now: datetime, words: str | None) -> None:
    found = list(KIND.judge(Situation(Action.DELETE, now, live_test(spec, status), {}, {})))
    assert [judgement.blocks for judgement in found] == [False] * (words is not None)
    assert words is None or words in found[0].message


DEADLINES = [
    pytest.param("SCHEDULED", {"name": "new"}, START, id="fields-until-the-start"),
    pytest.param("SCHEDULED", {"end_time": "2022-06-10T00:00:00Z"}, START, id="the-end-means-more-once-it-runs"),
    pytest.param("SCHEDULED", {"start_time": "2022-05-20T00:00:00Z"}, at("2022-05-20T00:00"), id="an-earlier-start"),
    pytest.param("SCHEDULED", {"start_time": "2022-05-28T00:00:00Z"}, START, id="a-later-start"),
    pytest.param("LIVE", {"end_time": "2022-06-10T00:00:00Z"}, END, id="extended-until-the-old-end"),
    pytest.param("LIVE", {"end_time": "2022-05-28T00:00:00Z"}, at("2022-05-28T00:00"), id="shortened-to-the-new-end"),
    pytest.param("COMPLETED", {"name": "new"}, None, id="nothing-moves-any-more"),
]


@pytest.mark.parametrize(("status", "changes", "moment"), DEADLINES)
def test_deadline_of_an_update(spec: dict[str, Any], status: str, changes: Any, moment: datetime | None) -> None:
    assert KIND.deadline(updating(spec, status, LONG_BEFORE, **changes)) == moment


def test_other_deadlines(spec: dict[str, Any]) -> None:
    assert KIND.deadline(creating(spec, LONG_BEFORE)) == START
    later = spec | {"start_time": "2022-07-01T00:00:00Z", "end_time": "2022-07-10T00:00:00Z"}
    replace = Action.REPLACE
    assert KIND.deadline(creating(later, LONG_BEFORE, replace, live_test(spec, "SCHEDULED"))) == START
    assert KIND.deadline(creating(later, LONG_BEFORE, replace, live_test(spec, "LIVE"))) == END
    assert KIND.deadline(creating(later, LONG_BEFORE, replace, live_test(spec, "COMPLETED"))) == at("2022-07-01T00:00")
    for status, moment in (("SCHEDULED", START), ("LIVE", END), ("COMPLETED", None)):
        assert KIND.deadline(Situation(Action.DELETE, LONG_BEFORE, live_test(spec, status), {}, {})) == moment


def told(situation: Situation) -> list[tuple[str, str]]:
    return [(judgement.path, judgement.message) for judgement in KIND.judge(situation)]


JUST_BEFORE, JUST_AFTER = at("2022-05-24T12:00"), at("2022-05-25T01:10")
LAST_DAY = at("2022-05-29T12:00")


@pytest.mark.parametrize(
    ("status", "now", "field", "value", "says"),
    [
        ("SCHEDULED", LONG_BEFORE, "end_time", "2022-05-25T00:00:00Z", "would end at 2022-05-25 00:00 UTC, not after"),
        ("SCHEDULED", LONG_BEFORE, "end_time", "2022-05-25T00:00:00Z", "not after its start at 2022-05-25 01:00 UTC"),
        ("SCHEDULED", LONG_BEFORE, "end_time", "2022-05-25T03:30:30Z", "would last 2 h; X asks for at least 1 day"),
        ("SCHEDULED", LONG_BEFORE, "end_time", "2022-05-25T02:59:00Z", "would last 119 min; X asks"),
        ("SCHEDULED", JUST_BEFORE, "name", "n", "`name` can be changed until 2022-05-25 01:00 UTC, in 13 h"),
        ("SCHEDULED", JUST_AFTER, "name", "n", "has passed, though X reports SCHEDULED"),
        ("LIVE", LAST_DAY, "end_time", "2022-06-30T01:00:00Z", "can be changed until 2022-05-30 01:00 UTC, in 13 h"),
        ("LIVE", JUST_AFTER, "end_time", "2022-05-29T01:00:00Z", "moves from 2022-05-30 01:00 UTC back to 2022-05-29"),
        ("LIVE", LAST_DAY, "end_time", "2022-05-29T01:00:00Z", "would become 2022-05-29 01:00 UTC, which has passed"),
    ],
)
def test_a_judgement_names_its_field_and_the_moments(
    spec: dict[str, Any], status: str, now: datetime, field: str, value: str, says: str
) -> None:
    found = told(updating(spec, status, now, **{field: value}))
    assert any(where == field and says in message for where, message in found), found


@pytest.mark.parametrize("field", ["name", "description", "start_time", "user_groups"])
def test_every_field_that_is_open_until_the_start_says_until_when(spec: dict[str, Any], field: str) -> None:
    value = "2022-05-25T00:30:00Z" if field == "start_time" else spec.get(field)
    found = told(updating(spec, "SCHEDULED", JUST_BEFORE, **{field: value}))
    assert any(f"`{field}` can be changed until 2022-05-25 01:00 UTC" in message for _, message in found), found
