"""
The rules that need live values or the moment judged at: `judge` gives blocks and warnings, `deadline` the moment from
which a change stops being legal or means something else. Pure: the moment is handed in.

Only what would be sent is judged: an end that does not change is not held against a patch that leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.model.change import Action
from reconciler.model.diagnostic import Rule
from reconciler.model.kind import template
from reconciler.model.resource import Live
from reconciler.model.time import iso
from reconciler.platforms.base import Judgement, Situation
from reconciler.platforms.linkedin import facts, rules
from reconciler.platforms.linkedin.fields import FIXED_AFTER_START
from reconciler.platforms.linkedin.transitions import CREATE
from reconciler.platforms.linkedin.values import moment

_SOON = timedelta(hours=24)
_PAUSING = frozenset({"AUTO_STOP_AT_END_DATE", "AUTO_STOP_AT_WINNER"})
_READOUT = "its readout may still move for some days"


def judge(situation: Situation) -> Iterator[Judgement]:
    """Give the blocks and warnings of one change."""
    live, now = situation.live, situation.now
    creates = situation.action in (Action.CREATE, Action.REPLACE) or live is None
    if creates:
        yield from _judge_create(situation)
    if live is None:
        return
    if situation.action in (Action.DELETE, Action.REPLACE):
        yield from _judge_end(live, now)
        return
    if live.status == "ON_HOLD" and live.spec.get("userIntendedState") == "ACTIVE":
        yield _say(
            rules.ON_HOLD,
            "the experiment is ON_HOLD although ACTIVE is wanted; LinkedIn resumes it when the cause is gone: look at "
            "its campaigns, creatives and budgets",
        )
    if situation.fields:
        yield from _judge_update(situation, live)


def deadline(situation: Situation) -> datetime | None:
    """
    Give the earliest moment, after `now`, from which the change is no longer what was planned; None when there is none.

    A create or a changed start: the start passes (then it would start at once). A create, a launch or a changed end:
    the end passes (then it is refused). PENDING: the live start passes, for a delete (which becomes a cancel) and for
    fields that are fixed after it. Started: the experiment ends by itself, at its end or 90 days after its start, and
    is immutable then. A draft does not start by itself, so its own start is no deadline.
    """
    live, target = situation.live, situation.target
    moments: list[datetime | None] = []
    sends_new = situation.action in (Action.CREATE, Action.REPLACE) or live is None
    start, end = moment(target.get("scheduledStartAt")), moment(target.get("scheduledEndAt"))
    if situation.action is not Action.DELETE:
        draft = target.get("userIntendedState") == "DRAFT"
        launch = not draft and live is not None and _is_draft(live)
        if (sends_new or launch or situation.changes("scheduledStartAt")) and not draft:
            moments.append(start)
        if sends_new or launch or situation.changes("scheduledEndAt"):
            moments.append(end)
    if live is not None and not live.over:
        ends = situation.action in (Action.DELETE, Action.REPLACE)
        if live.status == "PENDING" and not _is_draft(live) and (ends or _fixed_later(situation)):
            moments.append(live.start)
        if not _is_draft(live):
            moments.append(_ends_by_itself(live, situation.now))
    return min((at for at in moments if at is not None and at > situation.now), default=None)


# --- create --------------------------------------------------------------------------------------------------------


def _judge_create(situation: Situation) -> Iterator[Judgement]:
    target, now = situation.target, situation.now
    state = target.get("userIntendedState", facts.DEFAULT_INTENDED_STATE)
    cell = CREATE.get(state)
    if cell is None or cell.verdict.value != "in place":
        note = cell.note if cell else "LinkedIn's page does not know this state"
        yield _block(rules.CREATE_STATE, f"`userIntendedState` {state} cannot be created: {note}", "userIntendedState")
    start, end = moment(target.get("scheduledStartAt")), moment(target.get("scheduledEndAt"))
    yield from _judge_end_moment(end, now)
    yield from _judge_run(start, end)
    if start is not None and start <= now and state != "DRAFT":
        yield _starts_at_once(start)
    if state != "DRAFT":
        yield from _judge_auto_stop(target.get("autoStop") or facts.DEFAULT_AUTO_STOP)


def _judge_end_moment(end: datetime | None, now: datetime) -> Iterator[Judgement]:
    """Judge an end that would be sent against the moment of sending: not in the past, at most 180 days ahead."""
    if end is None:
        return
    if end <= now:
        yield _block(
            rules.END_PASSED, f"`scheduledEndAt` {iso(end)} is in the past; choose a later end", "scheduledEndAt"
        )
    if end > now + facts.END_HORIZON:
        latest, possible = now + facts.END_HORIZON, end - facts.END_HORIZON
        yield _block(
            rules.END_TOO_FAR,
            f"`scheduledEndAt` {iso(end)} is more than 180 days ahead; it can be sent from {iso(possible)} on, or with "
            f"an end of {iso(latest)} at the latest",
            "scheduledEndAt",
        )


def _judge_run(start: datetime | None, end: datetime | None) -> Iterator[Judgement]:
    """Judge the run that would be: its end after its start, and at most 90 days after it."""
    if start is None or end is None:
        return
    if end > start + facts.RUN_MAX:
        yield _block(
            rules.RUN_FROM_LIVE,
            f"`scheduledEndAt` {iso(end)} is more than 90 days after the start {iso(start)}; LinkedIn allows "
            f"{iso(start + facts.RUN_MAX)} at the latest",
            "scheduledEndAt",
        )
    if end <= start:
        yield _block(
            rules.END_AFTER_START,
            f"`scheduledEndAt` {iso(end)} is not after the start {iso(start)}; choose a later end",
            "scheduledEndAt",
        )


def _starts_at_once(start: datetime) -> Judgement:
    return _say(
        rules.START_PASSED,
        f"`scheduledStartAt` {iso(start)} is in the past: the experiment starts at once",
        "scheduledStartAt",
    )


def _judge_auto_stop(auto_stop: str) -> Iterator[Judgement]:
    if auto_stop in _PAUSING:
        when = "at its end" if auto_stop == "AUTO_STOP_AT_END_DATE" else "at a winner or at its end"
        yield _say(
            rules.CAMPAIGNS_PAUSE,
            f"`autoStop` {auto_stop}: {when} LinkedIn pauses all campaigns of the experiment",
            "autoStop",
        )


# --- update --------------------------------------------------------------------------------------------------------


def _judge_update(situation: Situation, live: Live) -> Iterator[Judgement]:
    target, now = situation.target, situation.now
    yield from _judge_phase(situation, live)
    start, end = moment(target.get("scheduledStartAt")), moment(target.get("scheduledEndAt"))
    if live.status in facts.STARTED:
        start = live.start or start
    if situation.changes("scheduledEndAt"):
        yield from _judge_end_moment(end, now)
    if situation.changes("scheduledStartAt", "scheduledEndAt"):
        yield from _judge_run(start, end)
    wanted = target.get("userIntendedState")
    launch = _is_draft(live) and wanted == "ACTIVE"
    moves_start = situation.changes("scheduledStartAt") and live.status == "PENDING" and wanted != "DRAFT"
    if (launch or moves_start) and start is not None and start <= now:
        yield _starts_at_once(start)
    if wanted == "ACTIVE" and situation.changes("userIntendedState") and not situation.changes("scheduledEndAt"):
        yield from _judge_run_again(end, now)
    if situation.changes("userIntendedState"):
        if wanted == "PAUSED":
            yield _say(
                rules.CAMPAIGNS_PAUSE,
                "pausing the experiment pauses both campaigns; its end date does not change",
                "userIntendedState",
            )
        elif wanted == "CANCELED":
            yield _say(rules.CANCEL, f"CANCELED ends the experiment for good; {_READOUT}", "userIntendedState")
    if situation.changes("autoStop") or launch:
        yield from _judge_auto_stop(target.get("autoStop") or facts.DEFAULT_AUTO_STOP)


def _judge_run_again(end: datetime | None, now: datetime) -> Iterator[Judgement]:
    """Judge a launch or a resumption whose end, which would not be sent, is over."""
    if end is not None and end <= now:
        yield _block(
            rules.END_PASSED,
            f"`userIntendedState` cannot become ACTIVE: `scheduledEndAt` {iso(end)} is in the past; state a later end "
            "in the same change",
            "userIntendedState",
        )


def _judge_phase(situation: Situation, live: Live) -> Iterator[Judgement]:
    """
    Warn of a window that closes, and of a status that lags behind the clock: LinkedIn decides by its own.
    """
    now = situation.now
    if live.over or _is_draft(live):
        return
    ends = _ends_by_itself(live, None)
    if ends is not None and ends <= now:
        if live.status != "STOPPED" or (live.start and live.start + facts.RUN_MAX <= now):
            yield _say(
                rules.STARTED_BY_THEN,
                f"the experiment was to end at {iso(ends)}, though LinkedIn reports {live.status}: it may refuse "
                "the change",
            )
        return
    if live.status != "PENDING" or live.start is None:
        return
    for change in situation.fields:
        if template(change.path) not in FIXED_AFTER_START:
            continue
        if live.start <= now:
            yield _say(
                rules.STARTED_BY_THEN,
                f"`{change.path}`: the start at {iso(live.start)} has passed, though LinkedIn reports PENDING: it may "
                "refuse the change",
                change.path,
            )
        elif live.start - now <= _SOON:
            yield _say(
                rules.WINDOW_CLOSES,
                f"`{change.path}` can be changed until {live.start:%Y-%m-%d %H:%M} UTC, in {_left(live.start - now)}",
                change.path,
            )


def _left(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


# --- end -----------------------------------------------------------------------------------------------------------


def _judge_end(live: Live, now: datetime) -> Iterator[Judgement]:
    if live.over:
        return
    if live.status == "PENDING":
        if _is_draft(live) or live.start is None:
            return
        if live.start <= now:
            yield _say(
                rules.STARTED_BY_THEN,
                f"the experiment starts at {iso(live.start)}: after that it cannot be deleted any more, only cancelled",
            )
        elif live.start - now <= _SOON:
            yield _say(
                rules.WINDOW_CLOSES,
                f"the experiment can be deleted until {live.start:%Y-%m-%d %H:%M} UTC, in {_left(live.start - now)}; "
                "after that it has to be cancelled",
            )
    elif live.spec.get("userIntendedState") != "CANCELED":
        yield _say(rules.CANCEL, f"cancelling ends the experiment for good; {_READOUT}")


def _is_draft(live: Live) -> bool:
    return live.spec.get("userIntendedState") == "DRAFT"


def _fixed_later(situation: Situation) -> bool:
    return any(template(change.path) in FIXED_AFTER_START for change in situation.fields)


def _ends_by_itself(live: Live, now: datetime | None) -> datetime | None:
    """Give when LinkedIn ends the experiment: its end or 90 days after its start, the first that is after `now`."""
    moments = (live.end, live.start + facts.RUN_MAX if live.start else None)
    return min((at for at in moments if at is not None and (now is None or at > now)), default=None)


def _block(rule: Rule, message: str, path: str = "") -> Judgement:
    return Judgement(f"{message} ({rule.id})", blocks=True, path=path)


def _say(rule: Rule, message: str, path: str = "") -> Judgement:
    return Judgement(f"{message} ({rule.id})", path=path)
