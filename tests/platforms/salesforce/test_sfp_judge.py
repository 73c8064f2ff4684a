"""Blocks and warnings that need to know what is live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.model.change import Action, FieldChange
from reconciler.model.resource import Live
from reconciler.platforms.base import Situation
from reconciler.platforms.salesforce.kinds import KIND

NOW = datetime(2026, 11, 25, tzinfo=UTC)
Lives = Callable[..., Live]
Spec = dict[str, Any]


def judged(action: Action, live: Live | None, wanted: Spec, *paths: str) -> list[tuple[bool, str]]:
    base = live.spec if live is not None and action is Action.UPDATE else {}
    fields = tuple(FieldChange(path, None, wanted.get(path)) for path in paths)
    situation = Situation(action, NOW, live, wanted, {**base, **wanted}, fields)
    assert KIND.deadline(situation) is None
    return [(item.blocks, item.message) for item in KIND.judge(situation)]


def test_nothing_to_say(live: Lives, spec: Spec) -> None:
    assert judged(Action.CREATE, None, spec) == []
    assert judged(Action.UPDATE, live(), {"label": "new"}, "label") == []
    assert judged(Action.DELETE, live(), {}) == []
    assert judged(Action.REPLACE, live(), {**spec, "name": "another"}) == []


@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLACE, Action.DELETE])
def test_owned_by_another_org(action: Action, live: Lives, spec: Spec) -> None:
    ((blocks, message),) = judged(action, live(isRemote=True), {**spec, "name": "another"})
    assert blocks and "isRemote" in message


def test_an_unknown_state_blocks(live: Lives) -> None:
    ((blocks, message),) = judged(Action.UPDATE, live(state="Running"), {"label": "new"}, "label")
    assert blocks and "'Running'" in message


def test_a_failed_create_blocks_with_the_platform_words_but_may_be_deleted(live: Lives) -> None:
    broken = live(state="Created", status="CreateError", errorMessage="no such schema")
    ((blocks, message),) = judged(Action.UPDATE, broken, {"label": "new"}, "label")
    assert blocks and "no such schema" in message
    assert [blocks for blocks, _ in judged(Action.DELETE, broken, {})] == [False]
    assert [blocks for blocks, _ in judged(Action.NO_OP, broken, {})] == [True]


@pytest.mark.parametrize("status", ["EditError", "DeleteError"])
def test_another_failure_is_a_warning(status: str, live: Lives) -> None:
    ((blocks, message),) = judged(Action.UPDATE, live(status=status), {"label": "new"}, "label")
    assert not blocks and status in message


@pytest.mark.parametrize("status", ["Processing", "Deleting"])
def test_a_job_under_way_is_a_warning(status: str, live: Lives) -> None:
    ((blocks, message),) = judged(Action.UPDATE, live(status=status), {"label": "new"}, "label")
    assert not blocks and status in message


@pytest.mark.parametrize("state", ["Stopped", "Archived"])
def test_a_new_experiment_cannot_begin_ended(state: str, live: Lives, spec: Spec) -> None:
    for action, old in ((Action.CREATE, None), (Action.REPLACE, live())):
        ((blocks, message),) = judged(action, old, {**spec, "name": "another", "state": state})
        assert blocks and state in message and "expose visitors" in message


@pytest.mark.parametrize("state", ["Created", "Started"])
def test_a_new_experiment_begins_created_or_started(state: str, spec: Spec) -> None:
    assert judged(Action.CREATE, None, {**spec, "state": state}) == []


@pytest.mark.parametrize("state", ["Created", "Started", "Stopped", "Archived"])
def test_a_replace_needs_another_name(state: str, live: Lives, spec: Spec) -> None:
    ((blocks, message),) = judged(Action.REPLACE, live(state=state), spec)
    assert blocks and "testExp50" in message and "another name" in message


def test_the_order_of_durations_is_judged_with_what_is_live(live: Lives) -> None:
    wanted = {"maximumDurationInMinutes": 20000}
    automatic = live(state="Created", winnerSelectionMode="Automatic")
    ((blocks, message),) = judged(Action.UPDATE, automatic, wanted, "maximumDurationInMinutes")
    assert blocks and "20160" in message
    manual = judged(Action.UPDATE, live(state="Created"), wanted, "maximumDurationInMinutes")
    assert [blocks for blocks, _ in manual] == [False, False]
    assert "has no effect while winnerSelectionMode is Manual" in manual[1][1]


def test_a_switch_to_automatic_needs_values_in_range(live: Lives) -> None:
    few = live(state="Created", minimumRequiredParticipants=5)
    ((blocks, message),) = judged(Action.UPDATE, few, {"winnerSelectionMode": "Automatic"}, "winnerSelectionMode")
    assert blocks and "300" in message


def test_who_stopped_it(live: Lives) -> None:
    automatic = {"state": "Stopped", "winnerSelectionMode": "Automatic", "minimumDurationInMinutes": 120}
    dates = {"startedDate": "2026-01-07T14:00:00.000Z", "stoppedDate": "2026-01-07T16:00:00.000Z"}
    assert KIND.moved_by_platform(live(**automatic, **dates))
    early = {**dates, "stoppedDate": "2026-01-07T15:59:00.000Z"}
    assert not KIND.moved_by_platform(live(**automatic, **early)), "a person stopped it before the platform may"
    assert KIND.moved_by_platform(live(**automatic, startedDate=None, stoppedDate=None))
    assert not KIND.moved_by_platform(live(state="Stopped"))
    assert not KIND.moved_by_platform(live(winnerSelectionMode="Automatic"))


def test_a_name_with_the_prefix_of_its_data_space_is_the_same_name(live: Lives, spec: Spec) -> None:
    """Salesforce shows names with and without it."""
    old = live(state="Started")
    wanted = {**spec, "dataSpaceName": "myDs", "name": f"myDs_{old.name}"}
    assert any(blocks and "another name" in message for blocks, message in judged(Action.REPLACE, old, wanted))
    other = {**spec, "dataSpaceName": "default", "name": f"myDs_{old.name}"}
    assert not any("another name" in message for _, message in judged(Action.REPLACE, old, other))


@pytest.mark.parametrize(
    ("field", "value"),
    [("minimumRequiredParticipants", 5000), ("minimumDurationInMinutes", 30000), ("maximumDurationInMinutes", 90000)],
)
def test_what_has_no_effect_in_manual_mode_is_told(field: str, value: int, live: Lives) -> None:
    manual = live(state="Created", winnerSelectionMode="Manual")
    situation = Situation(
        Action.UPDATE, NOW, manual, {field: value}, {**manual.spec, field: value}, (FieldChange(field, None, value),)
    )
    found = [item for item in KIND.judge(situation) if "no effect while winnerSelectionMode is Manual" in item.message]
    assert [(item.path, item.blocks, field in item.message) for item in found] == [(field, False, True)]
