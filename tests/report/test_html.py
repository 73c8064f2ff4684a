"""The HTML pages: whole, closed to the outside, and nothing from outside becomes part of their code."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import report_cases as cases

from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, block
from reconciler.model.resource import Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.plan.schedules import Conflict, Schedule, Window
from reconciler.report.html import drift_html, plan_html

EVIL = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)><a href=javascript:alert(3)>",
    "</title></style></script></svg></table><iframe src=https://evil.test></iframe><b id=own>",
    "{{ 7 * 7 }}{% raw %}<svg onload=alert(4)><!-- ]]>",
)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_plan(bad: str) -> tuple[Plan, tuple[Schedule, ...]]:
    call = Call(bad, f"/{bad}", Purpose.UPDATE, {bad: bad}, {bad: bad}, {bad: [bad]})
    change = Change(
        Key(bad, bad),
        bad,
        bad,
        Action.UPDATE,
        remote_id=bad,
        status=bad,
        fields=(
            FieldChange(bad, bad, bad + "!", allowed=False, reason=bad + "?"),
            FieldChange("l", [bad], [bad + "2"]),
            FieldChange("o", {bad: bad}, {bad: 1}),
            FieldChange("n", None, bad),
        ),
        calls=(call,),
        reasons=(bad,),
        warnings=(bad,),
        after=(Key(bad, "x"),),
        moved_from=bad,
        valid_until=cases.NOW,
    )
    window = Window(cases.NOW, None)
    item = Schedule(
        change.key,
        bad,
        bad,
        bad,
        bad,
        Action.UPDATE,
        bad,
        bad,
        window,
        window,
        conflicts=(Conflict(bad, (bad,), window),),
    )
    made = cases.plan(
        change,
        block(replace(change, key=Key(bad, "b")), bad),
        environment=bad,
        problems=(bad,),
        warnings=(PlanWarning(bad, bad),),
        complete=False,
        bookkeeping=(change,),
    )
    return made, (item, replace(item, key=None))


def hostile_drift(bad: str) -> DriftReport:
    item = Drift(Key(bad, bad), bad, bad, bad, DriftKind.EDITED, bad, (FieldDrift(bad, bad, [bad]),))
    return DriftReport((item,), (replace(item, kind=DriftKind.PROGRESS),), (Unmanaged(*[bad] * 6),), (bad,), 3)


def pages(bad: str) -> tuple[str, str]:
    return plan_html(*hostile_plan(bad)), drift_html(hostile_drift(bad), cases.NOW, bad)


@pytest.mark.parametrize("bad", EVIL)
@pytest.mark.parametrize("which", [0, 1], ids=["plan", "drift"])
def test_hostile_text_makes_no_element_and_no_attribute(bad: str, which: int) -> None:
    page, harmless = Page(pages(bad)[which]), Page(pages("harmless")[which])
    assert page.tags == harmless.tags
    shape = Counter((tag, name) for tag, name, _ in page.attributes)
    assert shape == Counter((tag, name) for tag, name, _ in harmless.attributes)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "style", "action")]
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    assert bad in page.text


def test_every_action_is_on_the_page() -> None:
    page = Page(plan_html(cases.everything()))
    for change in cases.everything().changes:
        assert str(change.key) in page.text
    assert "Incomplete: not everything could be read" in page.text and "Cannot be undone" in page.text


@pytest.mark.parametrize("bad", EVIL)
def test_ids_stand_once_and_links_lead_to_one(bad: str) -> None:
    for text in pages(bad):
        page = Page(text)
        ids = [value for _, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        assert {value[1:] for _, name, value in page.attributes if name == "href"} <= set(ids)
