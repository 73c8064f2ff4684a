"""The pages as a reviewer uses them: they load from one file alone, filter, fold, print, and fit any screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import page_cases as cases
import pytest

PAGES: dict[str, Callable[[], str]] = {
    "everything": cases.everything,
    "ordinary": cases.ordinary,
    "quiet": cases.quiet,
    "drifted": cases.drifted,
}
SEEN = "() => [...document.querySelectorAll('.card')].filter(card => card.getClientRects().length).map(card => card.id)"
TITLES = """() => [...document.querySelectorAll('.card')].filter(card => card.getClientRects().length)
    .map(card => card.querySelector('h3').textContent)"""


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("everything", "light"), ("everything", "dark"), ("ordinary", "dark"), ("quiet", "light"), ("drifted", "dark")],
)
def test_a_page_is_one_file_and_says_nothing(show: Any, name: str, scheme: str) -> None:
    one = show(PAGES[name](), color_scheme=scheme)
    one.page.mouse.wheel(0, 5_000)
    one.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert one.requests == [one.address]
    assert one.said == []


def test_actions_and_platforms_are_filtered_together(show: Any) -> None:
    page = show(cases.everything()).page
    assert len(page.evaluate(SEEN)) == 14
    page.locator("label[for=fa-update]").click()
    assert {title.split("/")[0] for title in page.evaluate(TITLES)} == {
        "LinkedInExperiment",
        "XAdsABTest",
        "SalesforceExperiment",
    }
    assert len(page.evaluate(SEEN)) == 4
    assert page.locator("#shown").inner_text() == "4 of 14 shown"
    page.get_by_role("radio", name="x-ads").check(force=True)
    assert page.evaluate(TITLES) == ["XAdsABTest/creative"]
    assert [item.inner_text() for item in page.locator("figure:visible h3").all()] == ["x-ads"], "drawings follow"
    page.get_by_role("radio", name="all").first.check(force=True)
    page.locator("label[for=fp-all]").click()
    assert len(page.evaluate(SEEN)) == 14
    assert page.locator("#shown").inner_text() == ""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("pricing", ["LinkedInExperiment/pricing"], id="name"),
        pytest.param("PRICING", ["LinkedInExperiment/pricing"], id="case-does-not-matter"),
        pytest.param("trafficweight invalidates", ["LinkedInExperiment/spring-sale"], id="all-words-field-and-value"),
        pytest.param("abn-experiments archive", ["SalesforceExperiment/checkout"], id="inside-a-folded-call"),
        pytest.param("no such thing", [], id="nothing"),
    ],
)
def test_find_looks_into_all_of_a_change(show: Any, words: str, found: list[str]) -> None:
    page = show(cases.everything()).page
    page.get_by_label("Find").fill(words)
    page.wait_for_function(
        "count => document.getElementById('shown').textContent.startsWith(count)", arg=f"{len(found)} of"
    )
    assert page.evaluate(TITLES) == found
    assert page.get_by_text("Nothing is left under this filter.").is_visible() is not bool(found)
    page.get_by_label("Find").fill("")
    page.wait_for_function("() => document.getElementById('shown').textContent === ''")
    assert len(page.evaluate(SEEN)) == 14


def test_a_link_leads_to_its_change_even_where_a_filter_hid_it(show: Any) -> None:
    page = show(cases.many(60)).page
    page.locator("label[for=fa-create]").click()
    link = page.get_by_role("region", name="What to look at first").get_by_role("link").first
    name = link.inner_text()
    link.click()
    page.wait_for_function("() => document.activeElement.tagName === 'SUMMARY'")
    card = page.locator(".card:target")
    assert card.locator("h3").inner_text() == name
    assert card.evaluate("card => card.open") and card.is_visible()
    top = card.evaluate("card => card.getBoundingClientRect().top")
    covered = page.locator(".filters").evaluate("bar => bar.getBoundingClientRect().bottom")
    assert top >= min(covered, 0) and top < 900
    card.locator("summary").first.click()
    assert not card.evaluate("card => card.open")
    link.click()
    page.wait_for_function("() => document.querySelector('.card:target').open")


def test_an_address_with_an_anchor_opens_that_change(show: Any) -> None:
    page = show(cases.many(60), anchor="e40").page
    page.wait_for_function("() => document.activeElement.tagName === 'SUMMARY'")
    assert page.locator("#e40").evaluate("card => card.open && card.contains(document.activeElement)")


def test_a_row_of_the_drawing_leads_to_its_change(show: Any) -> None:
    page = show(cases.everything()).page
    page.locator("g.row", has_text="brand-lift").locator(".name").click()
    page.wait_for_function("() => document.activeElement.tagName === 'SUMMARY'")
    assert page.locator(".card:target h3").inner_text() == "LinkedInExperiment/brand-lift"


def test_all_are_opened_and_closed_but_not_those_that_are_filtered_out(show: Any) -> None:
    page = show(cases.many(60)).page
    count = "() => document.querySelectorAll('.card[open]').length"
    page.get_by_role("button", name="Close all").click()
    assert page.evaluate(count) == 0
    page.locator("label[for=fa-create]").click()
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate(count) == len(page.evaluate(SEEN)) > 0
    page.locator("label[for=fa-all]").click()
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate(count) == 60


def test_calls_are_folded_within_a_change_and_show_the_whole_body(show: Any) -> None:
    page = show(cases.ordinary()).page
    calls = page.locator(".card", has_text="headline-test").locator("details.calls").first
    assert not calls.locator("pre").is_visible()
    calls.locator("summary").click()
    assert '"scheduledStartAt": 1796115600000' in calls.locator("pre").inner_text()


def test_without_scripts_all_can_be_read_and_the_choices_still_filter(show: Any) -> None:
    page = show(cases.everything(), java_script_enabled=False).page
    assert not page.get_by_label("Find").is_visible()
    page.locator("label[for=fa-delete]").click()
    assert page.locator(".card:visible h3").all_inner_texts() == ["SalesforceExperiment/checkout"]


@pytest.mark.parametrize("name", ["plan", "drift"])
def test_no_page_is_wider_than_its_screen(show: Any, name: str) -> None:
    long = "urn:li:" + "x" * 3_000
    texts = [cases.everything(), cases.hostile_plan(long)] if name == "plan" else [cases.hostile_drift(long)]
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for text in texts:
        page = show(text).page
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(wide) <= 0, width


def test_the_drawing_keeps_its_texts_apart(show: Any) -> None:
    page = show(cases.everything()).page
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll('figure svg')].map(svg => {
          const box = item => item.getBoundingClientRect();
          const flag = box(svg.querySelector('.nowflag rect'));
          const dates = [...svg.querySelectorAll('.date')].map(box);
          const under = dates.filter(date => date.right > flag.left && date.left < flag.right).length;
          const close = dates.slice(1).filter((date, index) => date.left < dates[index].right).length;
          const signs = [...svg.querySelectorAll('.row')].filter(
            row => box(row.querySelector('.sym')).right > box(row.querySelector('.name')).left).length;
          const word = box(svg.querySelector('.nowflag text'));
          return [dates.length >= 4, under, close, signs, word.left >= flag.left && word.right <= flag.right];
        })"""
    )
    assert overlaps == [[True, 0, 0, 0, True]] * 3


@pytest.mark.parametrize("name", ["everything", "drifted"])
def test_printed_all_is_unfolded_on_white_without_tools(show: Any, name: str) -> None:
    one = show(PAGES[name](), color_scheme="dark")
    page = one.page
    page.get_by_role("button", name="Close all").click()
    page.emulate_media(media="print")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.card .fields td, .card pre')]
            .every(item => item.checkVisibility({contentVisibilityAuto: true}))"""
    )
    assert not page.locator(".filters").is_visible()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    printed = page.pdf(format="A4")
    assert 1 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 15
    assert page.locator(".card[open]").count() == 0, "after printing it is as it was"


def test_a_thousand_changes(show: Any) -> None:
    one = show(cases.many(1_000))
    page = one.page
    assert len(page.evaluate(SEEN)) == 1_000
    assert page.evaluate("() => document.querySelectorAll('.card[open]').length") <= 12
    assert page.locator("g.row").count() <= 160
    page.get_by_label("Find").fill("variant-777")
    page.wait_for_function("() => document.getElementById('shown').textContent === '1 of 1000 shown'")
    assert page.evaluate(TITLES) == [
        "XAdsABTest/headline-family-2-variant-777".replace("XAdsABTest", cases.kind_of(777))
    ]
    page.get_by_label("Find").fill("")
    page.locator("label[for=fp-p1]").click()
    assert len(page.evaluate(SEEN)) == 333
    page.get_by_text("All 1,013 as a table").click()
    rows = (
        "() => [...document.querySelectorAll('.timeline .list tbody tr')].filter(row => row.checkVisibility()).length"
    )
    assert page.evaluate(rows) == 337
    assert one.requests == [one.address] and one.said == []


def test_a_thousand_that_drifted(show: Any) -> None:
    one = show(cases.many_drifted(1_000))
    assert len(one.page.evaluate(SEEN)) == 1_000
    one.page.locator("label[for=fa-missing]").click()
    assert len(one.page.evaluate(SEEN)) == 112
    assert one.requests == [one.address] and one.said == []
