"""What the planner asks of the kind: pairs, claims, identity, the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from linkedin_samples import KIND, NOW, START, cell, live, spec

from reconciler.model.change import Action, FieldChange
from reconciler.platforms.base import Judgement, Situation

DAY = timedelta(days=1)
AT_START = datetime(2026, 12, 7, 8, tzinfo=UTC)
AT_END = datetime(2027, 1, 11, 8, tzinfo=UTC)


# --- pairs, claims, identity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "live_cells", "pairs"),
    [
        pytest.param([1, 2], [1, 2], ((0, 0), (1, 1)), id="same-order"),
        pytest.param([1, 2], [2, 1], ((0, 1), (1, 0)), id="other-order"),
        pytest.param([1, 3], [2, 1], ((0, 1), (1, 0)), id="one-exchanged"),
        pytest.param([3, 4], [1, 2], ((0, 0), (1, 1)), id="both-exchanged"),
        pytest.param([1, 1], [2, 1], ((0, 1), (1, 0)), id="twice"),
        pytest.param([1, 2], [2], ((0, None), (1, 0)), id="live-lacks-one"),
        pytest.param([1], [2, 1], ((0, 1), (None, 0)), id="live-has-more"),
        pytest.param([], [], (), id="none"),
    ],
)
def test_cells_are_tied_by_campaign(desired: list[int], live_cells: list[int], pairs: Any) -> None:
    sides = [[cell(f"cell {number}", number) for number in side] for side in (desired, live_cells)]
    assert KIND.pair("cells", *sides) == pairs


def test_only_cells_are_a_list() -> None:
    with pytest.raises(NotImplementedError):
        KIND.pair("groups", [], [])


def test_campaigns_are_claimed_for_the_window() -> None:
    claims = KIND.claims(spec())
    assert claims.entities == {"campaign urn:li:sponsoredCampaign:1", "campaign urn:li:sponsoredCampaign:2"}
    assert (claims.start, claims.end) == (AT_START, AT_END)
    after = KIND.claims(spec(scheduledStartAt="2027-01-11T08:00:00Z", scheduledEndAt="2027-02-11T08:00:00Z"))
    assert claims.shared(after) == frozenset()


@pytest.mark.parametrize("state", ["DRAFT", "CANCELED"])
def test_drafts_and_cancelled_experiments_claim_nothing(state: str) -> None:
    assert not KIND.claims(spec(userIntendedState=state)).entities


def test_an_ended_experiment_claims_nothing() -> None:
    over = live(executionState="ENDED")
    assert not KIND.claims(over.spec, over).entities
    assert not KIND.claims_after_end(live()).entities
    assert KIND.claims(live().spec, live()).entities


def test_identity_is_account_and_campaigns_in_any_order() -> None:
    other_way = live(cells=[cell("x", 2, 60), cell("y", 1, 40)], name="other")
    assert KIND.identity(spec()) == KIND.identity(other_way.spec, other_way)
    assert KIND.identity(spec()) != KIND.identity(spec(account=6))
    assert KIND.identity(spec()) != KIND.identity(spec(cells=[cell("a", 1), cell("b", 3)]))
    assert {KIND.identity(spec())}


@pytest.mark.parametrize("changes", [{"executionState": "ENDED"}, {"userIntendedState": "CANCELED"}])
def test_what_is_over_is_nobodys(changes: dict[str, Any]) -> None:
    over = live(**changes)
    assert KIND.identity(spec()) != KIND.identity(over.spec, over)


def test_who_ended_it() -> None:
    assert KIND.moved_by_platform(live(executionState="ENDED", terminationReason="90 days"))
    assert not KIND.moved_by_platform(live(executionState="ENDED", userIntendedState="CANCELED"))


@pytest.mark.parametrize(
    ("changes", "at", "status"),
    [
        ({}, AT_START - DAY, "PENDING"),
        ({}, AT_START, "RUNNING"),
        ({}, AT_END, "ENDED"),
        ({"executionState": "RUNNING"}, AT_END - DAY, "RUNNING"),
        ({"executionState": "RUNNING"}, AT_END, "ENDED"),
        ({"executionState": "ON_HOLD"}, AT_END, "ON_HOLD"),
        ({"executionState": "STOPPED"}, AT_START + 90 * DAY, "ENDED"),
        ({"executionState": "STOPPED"}, AT_START + 89 * DAY, "STOPPED"),
        ({"userIntendedState": "DRAFT"}, AT_END, "PENDING"),
    ],
)
def test_the_clock_alone(changes: dict[str, Any], at: datetime, status: str) -> None:
    seen = KIND.seen_at(live(**changes), at)
    assert seen.status == status and seen.over == (status == "ENDED")


# --- judging -------------------------------------------------------------------------------------------------------


def create(now: datetime = NOW, **changes: Any) -> Situation:
    return Situation(Action.CREATE, now, None, spec(**changes), spec(**changes))


def update(
    now: datetime = NOW, shown: dict[str, Any] | None = None, action: Action = Action.UPDATE, **wanted: Any
) -> Situation:
    state = live(**(shown or {}))
    target = {**state.spec, **wanted}
    fields = tuple(FieldChange(key, state.spec.get(key), value) for key, value in wanted.items() if key != "cells")
    if "cells" in wanted:
        fields += (FieldChange("cells[0].trafficWeight", 50, wanted["cells"][0]["trafficWeight"]),)
    return Situation(action, now, state, target, target, fields)


def ids(judgements: list[Judgement]) -> list[str]:
    """Rule ids, in capitals where they block."""
    return [item.message[-7:-1] + ("!" if item.blocks else "") for item in judgements]


RUNNING = {"executionState": "RUNNING"}
PAUSES = "LIN027"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(create(), [PAUSES], id="create"),
        pytest.param(create(autoStop="AUTO_STOP_DISABLED"), [], id="create-quiet"),
        pytest.param(create(userIntendedState="DRAFT"), [], id="create-draft"),
        pytest.param(create(userIntendedState="PAUSED"), ["LIN024!", PAUSES], id="create-paused"),
        pytest.param(create(userIntendedState="CANCELED"), ["LIN024!", PAUSES], id="create-cancelled"),
        pytest.param(create(AT_START), ["LIN022", PAUSES], id="create-start-passed"),
        pytest.param(create(AT_START, userIntendedState="DRAFT"), [], id="create-draft-start-passed"),
        pytest.param(create(AT_END), ["LIN020!", "LIN022", PAUSES], id="create-end-passed"),
        pytest.param(create(AT_END - timedelta(seconds=1)), ["LIN022", PAUSES], id="create-end-not-passed"),
        pytest.param(create(AT_END - 180 * DAY), [PAUSES], id="create-180-days-ahead"),
        pytest.param(create(AT_END - 180 * DAY - timedelta(seconds=1)), ["LIN021!", PAUSES], id="create-further-ahead"),
        pytest.param(update(name="x"), [], id="rename"),
        pytest.param(update(AT_END + DAY, {"executionState": "STOPPED"}, name="x"), [], id="unchanged-end-not-judged"),
        pytest.param(update(scheduledEndAt="2026-11-24T00:00:00Z"), ["LIN020!", "LIN007!"], id="end-in-the-past"),
        pytest.param(update(scheduledEndAt="2027-03-07T08:00:00Z"), [], id="end-90-days"),
        pytest.param(update(scheduledEndAt="2027-03-07T08:00:01Z"), ["LIN023!"], id="end-over-90-days"),
        pytest.param(
            update(NOW, RUNNING, scheduledEndAt="2027-03-07T08:00:01Z"), ["LIN023!"], id="running-over-90-days"
        ),
        pytest.param(update(scheduledEndAt="2027-05-25T00:00:00Z"), ["LIN021!", "LIN023!"], id="end-too-far"),
        pytest.param(update(scheduledStartAt="2026-11-20T00:00:00Z"), ["LIN022"], id="start-moved-to-the-past"),
        pytest.param(update(scheduledStartAt="2026-10-12T00:00:00Z"), ["LIN023!", "LIN022"], id="start-makes-it-long"),
        pytest.param(update(scheduledStartAt="2027-01-12T00:00:00Z"), ["LIN007!"], id="start-after-end"),
        pytest.param(update(NOW, RUNNING, userIntendedState="PAUSED"), [PAUSES], id="pause"),
        pytest.param(update(NOW, RUNNING, userIntendedState="CANCELED"), ["LIN028"], id="cancel"),
        pytest.param(update(NOW, RUNNING, autoStop="AUTO_STOP_AT_WINNER"), [PAUSES], id="auto-stop"),
        pytest.param(update(NOW, RUNNING, autoStop="AUTO_STOP_DISABLED"), [], id="auto-stop-off"),
        pytest.param(update(NOW, {"executionState": "ON_HOLD"}, name="x"), ["LIN026"], id="on-hold"),
        pytest.param(update(NOW, {"executionState": "ON_HOLD"}, action=Action.NO_OP), ["LIN026"], id="on-hold-at-rest"),
        pytest.param(
            update(NOW, {"executionState": "ON_HOLD", "userIntendedState": "PAUSED"}, name="x"), [], id="paused-on-hold"
        ),
        pytest.param(update(action=Action.NO_OP), [], id="at-rest"),
        pytest.param(update(AT_START - DAY, keyMetric="CPM"), ["LIN029"], id="window-closes"),
        pytest.param(update(AT_START - DAY, cells=[cell("a", 1, 40)]), ["LIN029"], id="window-closes-for-weights"),
        pytest.param(update(AT_START - DAY - timedelta(minutes=1), keyMetric="CPM"), [], id="window-open"),
        pytest.param(update(AT_START - DAY, name="x"), [], id="window-of-no-matter"),
        pytest.param(update(AT_START, keyMetric="CPM"), ["LIN025"], id="started-by-then"),
        pytest.param(update(AT_START, name="x"), [], id="started-by-then-rename"),
        pytest.param(update(AT_END, RUNNING, name="x"), ["LIN025"], id="ended-by-then"),
        pytest.param(
            update(AT_START - DAY, {"userIntendedState": "DRAFT"}, keyMetric="CPM"), [], id="drafts-do-not-start"
        ),
        pytest.param(
            update(AT_START, {"userIntendedState": "DRAFT"}, userIntendedState="ACTIVE"),
            ["LIN022", PAUSES],
            id="launch-late",
        ),
        pytest.param(
            update(AT_END, {"userIntendedState": "DRAFT"}, userIntendedState="ACTIVE"),
            ["LIN022", "LIN020!", PAUSES],
            id="launch-too-late",
        ),
        pytest.param(update(action=Action.DELETE), [], id="delete"),
        pytest.param(update(AT_START - DAY, action=Action.DELETE), ["LIN029"], id="delete-in-time"),
        pytest.param(update(AT_START, action=Action.DELETE), ["LIN025"], id="delete-late"),
        pytest.param(update(AT_START, {"userIntendedState": "DRAFT"}, action=Action.DELETE), [], id="delete-draft"),
        pytest.param(update(NOW, RUNNING, action=Action.DELETE), ["LIN028"], id="delete-is-cancel"),
        pytest.param(update(NOW, {"executionState": "ENDED"}, action=Action.DELETE), [], id="delete-ended"),
        pytest.param(update(NOW, RUNNING, action=Action.REPLACE, keyMetric="CPM"), [PAUSES, "LIN028"], id="replace"),
    ],
)
def test_judgements(situation: Situation, expected: list[str]) -> None:
    assert ids(list(KIND.judge(situation))) == expected


def test_the_live_start_counts_where_the_start_is_not_stated() -> None:
    """A start in `ignoreChanges` stays live's in the target, and the 90 days run from it."""
    state = live(executionState="RUNNING", scheduledStartAt=1793865600000)  # 2026-11-05T08:00:00Z
    end = "2027-02-10T00:00:00Z"
    change = FieldChange("scheduledEndAt", state.spec["scheduledEndAt"], end)
    wanted = spec(scheduledEndAt=end)  # the manifest's own start would allow it
    situation = Situation(Action.UPDATE, NOW, state, wanted, {**state.spec, "scheduledEndAt": end}, (change,))
    (judgement,) = KIND.judge(situation)
    assert judgement.blocks and judgement.path == "scheduledEndAt"
    assert "2026-11-05T08:00:00Z" in judgement.message and "2027-02-03T08:00:00Z at the latest" in judgement.message


def test_a_closing_window_says_until_when() -> None:
    (judgement,) = KIND.judge(update(AT_START - timedelta(hours=3), keyMetric="CPM"))
    assert judgement.message.startswith("`keyMetric` can be changed until 2026-12-07 08:00 UTC, in 3 h")
    (judgement,) = KIND.judge(update(AT_START - timedelta(minutes=40), keyMetric="CPM"))
    assert "in 40 min" in judgement.message


@pytest.mark.parametrize(
    ("situation", "path", "says"),
    [
        (create(userIntendedState="PAUSED"), "userIntendedState", "`userIntendedState` PAUSED cannot be created: "),
        (create(AT_START), "scheduledStartAt", "`scheduledStartAt` 2026-12-07T08:00:00Z is in the past"),
        (create(AT_END), "scheduledEndAt", "`scheduledEndAt` 2027-01-11T08:00:00Z is in the past"),
        (create(), "autoStop", "`autoStop` AUTO_STOP_AT_END_DATE: at its end LinkedIn pauses all campaigns"),
        (create(autoStop="AUTO_STOP_AT_WINNER"), "autoStop", "`autoStop` AUTO_STOP_AT_WINNER: at a winner or at its"),
        (update(scheduledStartAt="2027-01-12T00:00:00Z"), "scheduledEndAt", "is not after the start 2027-01-12T00:0"),
        (update(scheduledEndAt="2027-03-07T08:00:01Z"), "scheduledEndAt", "LinkedIn allows 2027-03-07T08:00:00Z at"),
        (update(NOW, RUNNING, userIntendedState="PAUSED"), "userIntendedState", "pauses both campaigns; its end date"),
        (update(NOW, RUNNING, userIntendedState="CANCELED"), "userIntendedState", "CANCELED ends the experiment for"),
        (update(NOW, {"executionState": "ON_HOLD"}, name="x"), "", "is ON_HOLD although ACTIVE is wanted"),
        (update(AT_END, RUNNING, name="x"), "", "to end at 2027-01-11T08:00:00Z, though LinkedIn reports RUNNING"),
        (update(AT_START, keyMetric="CPM"), "keyMetric", "`keyMetric`: the start at 2026-12-07T08:00:00Z has passed"),
        (update(AT_START - DAY, cells=[cell("a", 1, 40)]), "cells[0].trafficWeight", "can be changed until 2026-12-07"),
        (update(AT_START, action=Action.DELETE), "", "cannot be deleted any more, only cancelled"),
        (update(AT_START - DAY, action=Action.DELETE), "", "can be deleted until 2026-12-07 08:00 UTC, in 24 h; after"),
        (update(NOW, RUNNING, action=Action.DELETE), "", "cancelling ends the experiment for good"),
        (
            update(AT_END, {"userIntendedState": "DRAFT"}, userIntendedState="ACTIVE"),
            "userIntendedState",
            "cannot become ACTIVE: `scheduledEndAt` 2027-01-11T08:00:00Z is in the past; state a later end",
        ),
    ],
)
def test_a_sentence_names_the_field_and_what_is_wrong(situation: Situation, path: str, says: str) -> None:
    """The contract: reasons and warnings are sentences that name the field, the rule and the status."""
    found = [item.path for item in KIND.judge(situation) if says in item.message]
    assert found == [path], [item.message for item in KIND.judge(situation)]


def test_an_end_too_far_says_from_when() -> None:
    judgement = next(item for item in KIND.judge(create(AT_END - 181 * DAY)) if item.blocks)
    assert "from 2026-07-15T08:00:00Z on" in judgement.message


# --- deadlines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(create(), AT_START, id="create"),
        pytest.param(create(AT_START), AT_END, id="create-after-its-start"),
        pytest.param(create(AT_END), None, id="create-after-its-end"),
        pytest.param(create(userIntendedState="DRAFT"), AT_END, id="create-draft"),
        pytest.param(update(keyMetric="CPM"), AT_START, id="fixed-after-start"),
        pytest.param(update(cells=[cell("a", 1, 40)]), AT_START, id="weights"),
        pytest.param(update(name="x"), AT_END, id="rename"),
        pytest.param(update(scheduledEndAt="2026-12-31T00:00:00Z"), datetime(2026, 12, 31, tzinfo=UTC), id="new-end"),
        pytest.param(
            update(scheduledStartAt="2026-12-01T00:00:00Z"), datetime(2026, 12, 1, tzinfo=UTC), id="new-start"
        ),
        pytest.param(update(scheduledStartAt="2026-12-24T00:00:00Z"), AT_START, id="later-start"),
        pytest.param(update(NOW, RUNNING, name="x"), AT_END, id="running"),
        pytest.param(
            update(AT_END, {"executionState": "STOPPED"}, name="x"), AT_START + 90 * DAY, id="stopped-past-its-end"
        ),
        pytest.param(update(NOW, {"userIntendedState": "DRAFT"}, keyMetric="CPM"), None, id="draft"),
        pytest.param(update(NOW, {"userIntendedState": "DRAFT"}, userIntendedState="ACTIVE"), AT_START, id="launch"),
        pytest.param(update(action=Action.DELETE), AT_START, id="delete"),
        pytest.param(update(NOW, {"userIntendedState": "DRAFT"}, action=Action.DELETE), None, id="delete-draft"),
        pytest.param(update(NOW, RUNNING, action=Action.DELETE), AT_END, id="cancel"),
        pytest.param(update(NOW, {"executionState": "ENDED"}, action=Action.DELETE), None, id="ended"),
    ],
)
def test_deadlines(situation: Situation, expected: datetime | None) -> None:
    assert KIND.deadline(situation) == expected


def test_a_replace_has_both_deadlines() -> None:
    target = spec(scheduledStartAt="2026-12-24T00:00:00Z")
    assert KIND.deadline(Situation(Action.REPLACE, NOW, live(), target, target)) == AT_START
    started = live(executionState="RUNNING", scheduledStartAt=1795338904000)
    assert KIND.deadline(Situation(Action.REPLACE, NOW, started, target, target)) == datetime(2026, 12, 24, tzinfo=UTC)
    assert START == "2026-12-07T08:00:00Z"
