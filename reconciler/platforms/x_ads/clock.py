"""X's rules that need the clock or live times: what blocks a change now, what to think about, how long it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from reconciler.model.change import Action
from reconciler.model.diagnostic import Rule
from reconciler.model.kind import top_level
from reconciler.model.resource import Live, Spec
from reconciler.model.time import iso, parse_time
from reconciler.platforms.base import Judgement, Situation
from reconciler.platforms.x_ads.facts import COMPLETED, LIVE, MIN_DURATION, SCHEDULED, SOON, START_MARGIN
from reconciler.platforms.x_ads.rules import (
    END_AFTER_START,
    END_AHEAD,
    LONG_ENOUGH,
    NOT_SHORTENED,
    START_AHEAD,
    START_MARGIN_KEPT,
    WINDOW_OPEN,
)

_MAKES: Final = (Action.CREATE, Action.REPLACE)
_UNTIL_START: Final = {"name", "description", "start_time", "user_groups"}
"""What changes until the test starts, and not after that."""


def judgements(situation: Situation) -> Iterator[Judgement]:
    """Give blocks and warnings for one change at `situation.now`."""
    if situation.action in _MAKES:
        yield from _judge_new(situation.target, situation.now)
    elif situation.action is Action.DELETE:
        yield from _judge_end(situation)
    elif situation.action is Action.NO_OP:
        yield from _judge_rest(situation)
    elif situation.live is not None and not _over(situation.live):
        yield from _judge_update(situation, situation.live)


def deadline_of(situation: Situation) -> datetime | None:
    """
    Give the earliest moment from which the change stops being legal or means something else; None when there is none.

    A live test's next move (it starts, it ends) always counts: then other fields may change, a changed end spoils a
    running comparison, or a delete ends a running split.
    """
    moments: list[datetime] = []
    live = situation.live
    if live is not None and not _over(live):
        moments += [moment for moment in (_next_move(live),) if moment]
    if situation.action in _MAKES:
        moments.append(_time(situation.target, "start_time"))
    elif situation.action is not Action.DELETE:
        moments += [_time(situation.target, name) for name in ("start_time", "end_time") if situation.changes(name)]
    return min((moment for moment in moments if moment > situation.now), default=None)


def _judge_new(spec: Spec, now: datetime) -> Iterator[Judgement]:
    start, end = _time(spec, "start_time"), _time(spec, "end_time")
    if start <= now:
        yield _block(START_AHEAD, "start_time", f"start_time {_at(start)} has passed")
    elif start - now < START_MARGIN:
        message = f"start_time {_at(start)} is in {_span(start - now)}; the create fails once it has passed"
        yield _warning(START_MARGIN_KEPT, "start_time", message)
    if end <= now:
        yield _block(END_AHEAD, "end_time", f"end_time {_at(end)} has passed")


def _judge_update(situation: Situation, live: Live) -> Iterator[Judgement]:
    now = situation.now
    yield from _judge_window(situation, live)
    if situation.changes("start_time") and live.status == SCHEDULED:
        start = _time(situation.target, "start_time")
        if start <= now:
            yield _block(START_AHEAD, "start_time", f"start_time would become {_at(start)}, which has passed")
        elif start - now < START_MARGIN:
            message = f"start_time would become {_at(start)}, in {_span(start - now)}"
            yield _warning(START_MARGIN_KEPT, "start_time", message)
    if situation.changes("end_time"):
        yield from _judge_end_time(_time(situation.target, "end_time"), live, now)
    if situation.changes("start_time", "end_time"):
        yield from _judge_duration(situation.target)


def _judge_window(situation: Situation, live: Live) -> Iterator[Judgement]:
    """
    The status follows the clock with an unknown lag, and X decides by its own: what it reports counts.

    A test whose time has come may be refused, which is said beforehand.
    """
    now = situation.now
    early = sorted({top_level(change.path) for change in situation.fields if change.allowed} & _UNTIL_START)
    if live.end is not None and live.end <= now:
        message = f"the test was to end at {_at(live.end)}, though X reports {live.status}: X may refuse any change"
        yield _warning(WINDOW_OPEN, "", message)
    elif live.status == SCHEDULED and live.start is not None and early:
        names = ", ".join(f"`{name}`" for name in early)
        if live.start <= now:
            passed = f"the start at {_at(live.start)} has passed, though X reports {SCHEDULED}"
            message = f"{names}: {passed}: X may refuse it"
            yield _warning(WINDOW_OPEN, early[0], message)
        elif live.start - now <= SOON:
            message = f"{names} can be changed until {_at(live.start)}, in {_span(live.start - now)}"
            yield _warning(WINDOW_OPEN, early[0], message)
    elif live.status == LIVE and live.end is not None and live.end - now <= SOON and situation.changes("end_time"):
        message = f"`end_time` can be changed until {_at(live.end)}, in {_span(live.end - now)}"
        yield _warning(WINDOW_OPEN, "end_time", message)


def _judge_end_time(end: datetime, live: Live, now: datetime) -> Iterator[Judgement]:
    if end <= now:
        yield _block(END_AHEAD, "end_time", f"end_time would become {_at(end)}, which has passed")
    elif live.status == LIVE and live.end is not None and end < live.end:
        message = (
            f"end_time of a {LIVE} test moves from {_at(live.end)} back to {_at(end)}; "
            "no page of X says whether it takes that, a refusal would be reported"
        )
        yield _warning(NOT_SHORTENED, "end_time", message)


def _judge_duration(target: Spec) -> Iterator[Judgement]:
    start, end = _time(target, "start_time"), _time(target, "end_time")
    if end <= start:
        message = f"the test would end at {_at(end)}, not after its start at {_at(start)}"
        yield _block(END_AFTER_START, "end_time", message)
    elif end - start < MIN_DURATION:
        yield _block(LONG_ENOUGH, "end_time", f"the test would last {_span(end - start)}; X asks for at least 1 day")


def _judge_rest(situation: Situation) -> Iterator[Judgement]:
    live, now = situation.live, situation.now
    if live is not None and live.status == SCHEDULED and live.start is not None and now < live.start <= now + SOON:
        message = f"all but `end_time` can be changed until {_at(live.start)}, in {_span(live.start - now)}"
        yield _warning(WINDOW_OPEN, "", message)


def _judge_end(situation: Situation) -> Iterator[Judgement]:
    live, now = situation.live, situation.now
    if live is None or _over(live):
        return
    if live.end is not None and live.end <= now:
        message = f"the test was to end at {_at(live.end)}, though X reports {live.status}"
        yield Judgement(message)
    elif live.status == LIVE:
        message = f"the test is running (status {live.status}): deleting it ends the split of people, for good"
        yield Judgement(message)
    elif live.start is not None and now < live.start <= now + SOON:
        yield Judgement(
            f"the test starts at {_at(live.start)}, in {_span(live.start - now)}; until then nobody is in it"
        )


def _next_move(live: Live) -> datetime | None:
    return live.start if live.status == SCHEDULED else live.end if live.status == LIVE else None


def _over(live: Live) -> bool:
    return live.over or live.status == COMPLETED


def _time(spec: Spec, name: str) -> datetime:
    return parse_time(spec[name])


def _block(rule: Rule, path: str, message: str) -> Judgement:
    return Judgement(f"{message} ({rule.id}: {rule.title}). To lift it: {rule.fix}", blocks=True, path=path)


def _warning(rule: Rule, path: str, message: str) -> Judgement:
    return Judgement(f"{message} ({rule.id})", path=path)


def _at(moment: datetime) -> str:
    text = iso(moment)
    return f"{text[:10]} {text[11:16]} UTC" if text.endswith(":00Z") else f"{text[:10]} {text[11:19]} UTC"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
