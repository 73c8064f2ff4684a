"""Plans as text: golden files for the look, and sentences that must or must not be there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import report_cases as cases

from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose
from reconciler.model.resource import Key
from reconciler.report.text import ANSI, PLAIN, plan_text

Golden = Callable[[str, str], None]

PLANS = {
    "everything": cases.everything,
    **{make.__name__: (lambda make=make: cases.plan(make())) for make in cases.ALL},
    "blocked": lambda: cases.plan(*cases.blocked()),
    "blocked_and_not": lambda: cases.plan(cases.updated(), *cases.blocked()[:1]),
    "hostile": lambda: cases.plan(cases.hostile(), warnings=(PlanWarning(cases.HOSTILE, cases.HOSTILE),)),
    "long": lambda: cases.plan(cases.long_text()),
    "empty": lambda: cases.plan(),
    "empty_one": lambda: cases.plan(no_ops=1),
    "nothing_managed": lambda: cases.plan(no_ops=0),
    "empty_bookkeeping": lambda: cases.plan(bookkeeping=(cases.linkedin("edited", Action.NO_OP),)),
    "empty_warned": lambda: cases.plan(warnings=(PlanWarning("LinkedInExperiment/a", "it ends tomorrow"),)),
    "incomplete": lambda: cases.plan(complete=False, problems=("LinkedInExperiment/a: 1 could not be read: HTTP 500",)),
}


@pytest.mark.parametrize("name", PLANS)
def test_looks_as_reviewed(name: str, golden: Golden) -> None:
    golden(f"plan_{name}", plan_text(PLANS[name](), PLAIN))


def test_looks_as_reviewed_in_colour(golden: Golden) -> None:
    golden("plan_colour", plan_text(cases.everything(), ANSI).replace("\x1b", "^"))


def test_verbose_shows_all(golden: Golden) -> None:
    text = plan_text(cases.plan(cases.long_text(), bookkeeping=(cases.linkedin("noted", Action.NO_OP),)), verbose=True)
    golden("plan_verbose", text)
    assert text.count("Buy two!") == 2 and text.count("Buy one.") == 1
    assert "LinkedInExperiment/noted" in text


@pytest.mark.parametrize("name", PLANS)
def test_colours_add_nothing_but_colours(name: str) -> None:
    made = PLANS[name]()
    assert re.sub(r"\x1b\[[0-9;]*m", "", plan_text(made, ANSI)) == plan_text(made, PLAIN)


def test_hostile_text_cannot_reach_the_terminal() -> None:
    text = plan_text(PLANS["hostile"]())
    assert not set(text) & set("\x1b\x07\r\x9b\u202e\u200b")
    assert sum(line.startswith("Plan:") for line in text.splitlines()) == 1


@pytest.mark.parametrize("no_ops", [0, 3])
def test_an_incomplete_plan_never_says_no_changes(no_ops: int) -> None:
    text = plan_text(cases.plan(complete=False, problems=("a: HTTP 500",), no_ops=no_ops))
    assert "INCOMPLETE" in text and "a: HTTP 500" in text
    assert "No changes" not in text


def test_every_call_is_shown_with_its_whole_body() -> None:
    text = plan_text(cases.plan(cases.groups()))
    body = text[text.index("PUT /12/") :]
    assert [entity in body for entity in ('"e35"', '"e56"', '"e74"')] == [True] * 3


def test_query_values_are_shown_as_sent() -> None:
    call = Call("PUT", "/12/x", Purpose.UPDATE, {"ids": "a,b", "start": "2026-01-01T00:00:00Z"})
    text = plan_text(cases.plan(cases.linkedin("a", Action.UPDATE, calls=(call,))))
    assert "PUT /12/x?ids=a%2Cb&start=2026-01-01T00%3A00%3A00Z" in text


def test_a_reason_that_the_change_gives_is_not_repeated_at_the_field() -> None:
    text = plan_text(cases.plan(cases.blocked()[0]))
    assert text.count("it has started") == 1


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(days=24), "24 days left"),
        (timedelta(days=2, hours=3), "2 days 3 h left"),
        (timedelta(days=1), "1 day left"),
        (timedelta(hours=5, minutes=2), "5 h 2 min left"),
        (timedelta(minutes=9), "9 min left"),
        (timedelta(seconds=9), "less than a minute left"),
        (timedelta(0), "passed"),
    ],
)
def test_time_left_counts_from_when_the_plan_was_made(ahead: timedelta, words: str) -> None:
    change = replace(cases.cancelled(), valid_until=cases.NOW + ahead)
    assert plan_text(cases.plan(change)).count(f"({words})") == 2


def test_ten_thousand_changes_take_less_than_a_second() -> None:
    def made(number: int) -> Plan:
        changes = [
            Change(
                Key("XAdsABTest", f"t{index}"),
                "x-ads",
                "x",
                Action.UPDATE,
                remote_id=str(index),
                status="LIVE",
                fields=(
                    FieldChange("end_time", "2026-12-20T00:00:00Z", "2026-12-27T00:00:00Z"),
                    FieldChange("user_groups[0].entity_ids", ["a", "b"], ["b", "c"]),
                ),
                calls=(Call("PUT", f"/12/accounts/a/ab_tests/{index}", Purpose.UPDATE, body={"end_time": "2026"}),),
                warnings=("it runs",),
            )
            for index in range(number)
        ]
        return cases.plan(*changes)

    plan = made(10_000)
    began = time.process_time()
    text = plan_text(plan)
    assert time.process_time() - began < 2.5, "about 0.6 s on a quiet machine"
    assert text.count("PUT /12/") == 10_000
