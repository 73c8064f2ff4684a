"""The drawing of experiments over time, as geometry: bars, the axis and its flag, and what is told of conflicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import report_cases as cases

from reconciler.model.change import Action, block
from reconciler.model.resource import Key
from reconciler.plan.schedules import Conflict, Schedule, Window
from reconciler.report.html import plan_html
from reconciler.report.html_page import NAMED
from reconciler.report.timeline import timeline
from reconciler.report.timeline_axis import LABELS, LOWER, UPPER, WHOLE, WIDTH


def days(start: float, end: float | None) -> Window:
    """Give the window between two numbers of days from now."""
    return Window(cases.NOW + timedelta(days=start), None if end is None else cases.NOW + timedelta(days=end))


def item(name: str, before: Window | None, after: Window | None, action: Action = Action.UPDATE) -> Schedule:
    """Give an experiment on LinkedIn over time."""
    key = Key("LinkedInExperiment", name)
    return Schedule(key, str(key), "linkedin", "linkedin", "512", action, before=before, after=after)


def bars(one: Schedule) -> list[tuple[str, int, int]]:
    """Give the bars of one experiment: what each means, its top and its height."""
    (panel,) = timeline([one], cases.NOW).panels
    return [(bar.look, bar.top, bar.height) for row in panel.rows for bar in row.bars]


@pytest.mark.parametrize(
    ("before", "after", "action", "found"),
    [
        pytest.param(None, days(1, 9), Action.BLOCKED, [("wanted", *WHOLE)], id="a-blocked-create-stands-as-any-other"),
        pytest.param(None, days(1, 9), Action.CREATE, [("new", *WHOLE)], id="create"),
        pytest.param(days(-1, 9), days(-1, 9), Action.UPDATE, [("live", *WHOLE)], id="dates-stay"),
        pytest.param(
            days(-1, 9), days(-1, 12), Action.BLOCKED, [("before", *UPPER), ("wanted", *LOWER)], id="blocked-end"
        ),
        pytest.param(
            days(-1, 9), days(-1, 12), Action.UPDATE, [("before", *UPPER), ("after", *LOWER)], id="another-end"
        ),
        pytest.param(days(-1, 9), None, Action.BLOCKED, [("live", *WHOLE)], id="a-blocked-end-goes-on"),
    ],
)
def test_bars_stand_alone_or_above_each_other(
    before: Window | None, after: Window | None, action: Action, found: list[tuple[str, int, int]]
) -> None:
    assert bars(item("a", before, after, action)) == found


@pytest.mark.parametrize("word", ["now", "judged as of"])
@pytest.mark.parametrize("offset", [-70, -7, 0, 1, 3, 40, 190])
def test_the_flag_lies_over_no_date_and_within_the_drawing(word: str, offset: int) -> None:
    items = [item("a", days(-80, 20), days(-80, 200))]
    (panel,) = timeline(items, cases.NOW + timedelta(days=offset), now_word=word).panels
    flag = panel.now
    assert flag.left >= LABELS and flag.left + flag.width <= WIDTH
    for tick in panel.ticks:
        half = 3.3 * len(tick.text)
        assert not tick.text or tick.x + half <= flag.left or tick.x - half >= flag.left + flag.width
    assert sum(bool(tick.text) for tick in panel.ticks) >= 4


class Boxes(HTMLParser):
    """The boxes of a page: the lines that stand open in each, and those that are folded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: dict[str, list[str]] = {}
        self.folded: dict[str, list[str]] = {}
        self._title, self._in, self._rest = "", "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where in a box the parser stands."""
        if tag == "section":
            self._title, self._rest = "", False
        elif tag == "details":
            self._rest = True
        elif tag in ("h2", "li"):
            self._in = tag
            if tag == "li":
                (self.folded if self._rest else self.open).setdefault(self._title, []).append("")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a heading or a line."""
        if tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        """Take a heading's or a line's text."""
        if self._in == "h2":
            self._title += data
        elif self._in == "li":
            (self.folded if self._rest else self.open)[self._title][-1] += data


def test_a_conflict_is_told_once_for_both() -> None:
    one, other = item("one", None, days(1, 9)), item("other", None, days(2, 9))
    window, entities = days(2, 9), ("urn:li:sponsoredCampaign:1",)
    pair = (
        replace(one, conflicts=(Conflict(other.title, entities, window),)),
        replace(other, conflicts=(Conflict(one.title, entities, window),)),
    )
    made = cases.plan(cases.linkedin("one", Action.CREATE), cases.linkedin("other", Action.CREATE))
    (line,) = Boxes(plan_html(made, pair)).open["Conflicts"]
    assert line.startswith(
        "LinkedInExperiment/one and LinkedInExperiment/other: urn:li:sponsoredCampaign:1, 2026-11-27"
    )


def test_two_conflicts_of_one_pair_are_both_told() -> None:
    one, other = item("one", None, days(1, 9)), item("other", None, days(2, 9))
    held = (Conflict(other.title, ("a",), days(2, 4)), Conflict(other.title, ("b",), days(5, 9)))
    made = cases.plan(cases.linkedin("one", Action.CREATE))
    assert len(Boxes(plan_html(made, (replace(one, conflicts=held), other))).open["Conflicts"]) == 2


@pytest.mark.parametrize("count", [1, NAMED, NAMED + 1, NAMED + 2, 400])
def test_a_long_list_of_names_is_folded_and_none_is_lost(count: int) -> None:
    changes = [cases.linkedin(f"x{number}", Action.DELETE, destroys=True) for number in range(count)]
    boxes = Boxes(plan_html(cases.plan(*changes)))
    title = "Cannot be undone"
    assert len(boxes.open[title]) <= NAMED + 1
    assert [*boxes.open[title], *boxes.folded.get(title, [])] == [str(change.key) for change in changes]


def test_what_is_blocked_is_named_with_its_reason() -> None:
    blocked = block(cases.linkedin("rule", Action.UPDATE), "it has started")
    assert Boxes(plan_html(cases.plan(blocked))).open["Blocked"] == ["LinkedInExperiment/rule: it has started"]
