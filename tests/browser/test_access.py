"""The pages for those who do not use a mouse, do not see them, or see them in other colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import page_cases as cases
import pytest

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
PAGES: dict[str, Callable[[], str]] = {
    "everything": cases.everything,
    "ordinary": cases.ordinary,
    "quiet": cases.quiet,
    "drifted": cases.drifted,
}
UNFOLD = "() => document.querySelectorAll('details').forEach(item => { item.open = true; })"
CONTRAST = """() => {
  const parse = (text) => {
    const found = (text.match(/[\\d.]+/g) || []).map(Number);
    return text.startsWith('color(') ? found.slice(0, 3).map(part => part * 255).concat(found[3] ?? 1)
      : [found[0], found[1], found[2], found[3] ?? 1];
  };
  const over = (top, under) =>
    top.slice(0, 3).map((part, index) => part * top[3] + under[index] * (1 - top[3])).concat(1);
  const light = (rgb) => {
    const [r, g, b] = rgb.map(part => part / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const layers = [];
    for (let item = node; item; item = item.parentElement) layers.push(parse(getComputedStyle(item).backgroundColor));
    let found = [255, 255, 255, 1];
    for (const layer of layers.reverse()) found = over(layer, found);
    return found;
  };
  const below = (text) => {
    const box = text.getBoundingClientRect(), svg = text.closest('svg');
    let found = behind(svg);
    for (const rect of svg.querySelectorAll('.account, .past, .nowflag rect')) {
      const its = rect.getBoundingClientRect(), y = (box.top + box.bottom) / 2;
      const holds = its.left <= box.left + 1 && its.right >= box.right - 1 && its.top <= y && its.bottom >= y;
      if (holds) found = over(parse(getComputedStyle(rect).fill), found);
    }
    return found;
  };
  const worst = {};
  const note = (item, colour, ground) => {
    const [one, other] = [light(over(parse(colour), ground)), light(ground)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const look = (one) => one.tagName + '.' + (one.getAttribute('class') || '');
    const name = look(item) + ' in ' + look(item.parentElement);
    if (!(name in worst) || worst[name] > ratio) worst[name] = ratio;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const item = node.parentElement;
    if (!node.data.trim() || !item.checkVisibility() || item.closest('script, style, title, desc')) continue;
    const style = getComputedStyle(item);
    if (item.closest('svg')) note(item, style.fill, below(item.closest('text') || item));
    else note(item, style.color, behind(item));
  }
  return worst;
}"""
FOCUSED = """() => {
  const item = document.activeElement;
  if (!item || item === document.body) return null;
  const drawn = item.type === 'radio' ? item.nextElementSibling : item;
  const style = getComputedStyle(drawn), box = drawn.getBoundingClientRect();
  const bar = document.querySelector('.filters');
  const covering = bar && getComputedStyle(bar).position === 'sticky' && !bar.contains(item) && !bar.contains(drawn)
    ? bar.getBoundingClientRect() : null;
  return {
    at: [...document.querySelectorAll('*')].indexOf(item),
    marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    covered: Boolean(covering && box.bottom <= covering.bottom && box.bottom > covering.top),
    name: item.getAttribute('aria-label') || item.textContent.trim() || item.id,
  };
}"""
EXPECTED = """() => {
  const all = [...document.querySelectorAll('*')];
  const reached = 'a[href], button, input:not([type=radio]), summary, [tabindex="0"], input:checked';
  return all.filter(item => item.matches(reached) && item.checkVisibility({contentVisibilityAuto: true}))
    .map(item => all.indexOf(item));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out_from_its_ground(show: Any, name: str, scheme: str) -> None:
    page = show(PAGES[name](), color_scheme=scheme).page
    page.evaluate(UNFOLD)
    found = page.evaluate(CONTRAST)
    assert len(found) > 15
    assert {what: round(ratio, 2) for what, ratio in found.items() if ratio < 4.5} == {}


def test_the_measure_of_contrast_finds_pale_text(show: Any) -> None:
    page = show("<!doctype html><body style='background:#fff'><p style='color:#999'>pale</p><p>dark</p>").page
    assert [round(ratio, 2) for ratio in page.evaluate(CONTRAST).values()] == [2.85]


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("everything", "light"), ("drifted", "dark"), ("quiet", "light")],
    ids=["plan", "drift", "quiet"],
)
def test_axe_finds_nothing(show: Any, name: str, scheme: str) -> None:
    page = show(PAGES[name](), color_scheme=scheme).page
    page.evaluate(UNFOLD)
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    told = [(item["id"], item["nodes"][0]["html"][:200], len(item["nodes"])) for item in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("name", ["everything", "drifted"])
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(show: Any, name: str) -> None:
    page = show(PAGES[name]()).page
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent").startswith("Skip to")
    expected = page.evaluate(EXPECTED)
    seen = []
    for _ in range(len(expected) + 3):
        one = page.evaluate(FOCUSED)
        if one is None or one["at"] in seen:
            break
        assert one["marked"] and one["inside"] and not one["covered"] and one["name"], one
        seen.append(one["at"])
        page.keyboard.press("Tab")
    assert seen == sorted(seen), "the order of the page"
    assert seen == expected


def test_the_skip_link_leads_past_all_that_stands_above_the_changes(show: Any) -> None:
    page = show(cases.everything()).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "fa-all"


def test_choices_and_folds_work_by_keyboard(show: Any) -> None:
    page = show(cases.everything()).page
    page.locator("#fa-all").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".card:visible h3").all_inner_texts() == ["LinkedInExperiment/headline-test"]
    summary = page.locator(".card:visible > summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator(".card:visible").evaluate("card => card.open")
    page.keyboard.press("Space")
    assert not page.locator(".card:visible").evaluate("card => card.open")


def test_what_a_screen_reader_is_told(show: Any) -> None:
    page = show(cases.everything()).page
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    (title,) = page.get_by_role("heading", level=1).all_inner_texts()
    assert title == "Incomplete: not everything could be read"
    assert page.get_by_role("heading", level=2, name="Changes", exact=True).count() == 1
    assert page.get_by_role("heading", level=3).count() == 3 + 14, "a platform each, and a change each"
    assert page.get_by_role("group", name="Action").get_by_role("radio").count() == 8
    assert page.get_by_role("group", name="Platform").get_by_role("radio").count() == 4
    assert page.get_by_role("img", name="Experiments on linkedin over time").count() == 1
    assert page.get_by_role("searchbox", name="Find").count() == 1
    table = page.get_by_role("region", name="All schedules as a table")
    page.get_by_text("All 27 as a table").click()
    assert table.get_by_role("row").count() == 28
    assert table.get_by_role("columnheader", name="Free to change until").count() == 1
    assert table.get_by_role("rowheader").first.inner_text().startswith("LinkedInExperiment/")
    fields = page.locator(".card", has_text="spring-sale").get_by_role("table").first
    assert fields.get_by_role("columnheader").all_inner_texts() == ["Field", "Before", "After"]
    assert "cells[0].trafficWeight" in fields.get_by_role("rowheader").all_inner_texts()[2]
    page.get_by_label("Find").fill("pricing")
    assert page.locator("output[aria-live=polite]").count() == 1


def test_what_is_drawn_is_said_in_words_too(show: Any) -> None:
    page = show(cases.everything()).page
    told = page.locator("g.row title").all_text_contents()
    assert len(told) == 27
    table = page.locator(".timeline .list").text_content()
    assert all(text.split(" (")[0].split(", ")[0] in table for text in told)
    assert sum("conflict with" in text for text in told) == 4
    assert any("can still be changed until" in text for text in told)
