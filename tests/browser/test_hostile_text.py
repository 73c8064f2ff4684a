"""No text from manifests or platforms runs, opens, loads or becomes part of a page, whatever it holds."""

from __future__ import annotations

from typing import Any

import page_cases as cases
import pytest

from reconciler.report.html import plan_html

RUN = "window.pwned=1;try{top.pwned=1}catch(e){}"
ATTEMPTS = {
    "script": f"<script>{RUN}</script>",
    "handler": f'"><img src=x onerror="{RUN}"><svg onload="{RUN}"><details open ontoggle="{RUN}">',
    "attribute": f'" autofocus onfocus="{RUN}" onmouseover="{RUN}" x="',
    "breakout": f"</title></style></textarea></svg></pre></table>--></script><script>{RUN}</script>",
    "link": f"<a href=\"javascript:{RUN}\">x</a><iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "load": "<link rel=stylesheet href=https://evil.test/x.css><img src=https://evil.test/x.png><base href=//a.test>",
    "template": "{{ 7*7 }}{% set x = 1 %}${7*7}#{7*7}<%= 7 %>\\u003cscript>window.pwned=1\\u003c/script>",
    "style": "}*{background:url(https://evil.test/x)}@import 'https://evil.test/x.css';/*",
}
USE = """async () => {
  document.querySelectorAll('details').forEach(item => { item.open = true; });
  const find = document.getElementById('find');
  find.value = 'script'; find.dispatchEvent(new Event('input')); find.value = '';
  for (const item of document.querySelectorAll('a, label, .row, summary')) {
    item.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
    item.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
  }
  for (const item of document.querySelectorAll('a, input, [tabindex]')) item.focus();
  await new Promise(done => setTimeout(done, 60));
}"""
SHAPE = "() => [...document.querySelectorAll('*')].map(item => item.tagName).sort().join(' ')"


@pytest.fixture(scope="module")
def shapes() -> dict[str, str]:
    """Give where the elements of the pages with harmless text are kept, as they are the same for every attempt."""
    return {}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("which", ["plan", "drift"])
def test_every_text_field_of_every_platform_stays_text(
    show: Any, shapes: dict[str, str], which: str, attempt: str
) -> None:
    bad = ATTEMPTS[attempt]
    make = cases.hostile_plan if which == "plan" else cases.hostile_drift
    one = show(make(bad))
    shape = one.page.evaluate(SHAPE)
    one.page.evaluate(USE)
    assert one.pwned is None
    assert one.requests == [one.address]
    assert one.said == []
    assert bad[:12] in one.page.locator("body").text_content()
    if which not in shapes:
        shapes[which] = show(make("harmless")).page.evaluate(SHAPE)
    assert shape == shapes[which], "it made an element of its own, or took one away"


@pytest.mark.parametrize("attempt", ["script", "handler", "attribute", "breakout"])
def test_the_attempts_would_run_on_a_page_that_does_not_escape(show: Any, attempt: str) -> None:
    value = ATTEMPTS[attempt]
    one = show(f'<!doctype html><title>x</title><body><input value="{value}"><div>{value}</div>')
    if attempt == "attribute":
        one.page.locator("input").focus()
    one.page.wait_for_function("() => window.pwned === 1")


def test_what_slipped_through_would_still_be_stopped_by_the_page_s_own_policy(show: Any) -> None:
    text = plan_html(cases.cases.plan(cases.cases.created()))
    raw = "".join(ATTEMPTS[name] for name in ("script", "handler", "load"))
    one = show(text.replace("<main>", f"<main>{raw}"))
    one.page.evaluate(USE.replace("find.", "(find || {dispatchEvent() {}})."))
    assert one.pwned is None
    outside = {url for url in one.requests if not url.startswith("file:")}
    assert outside <= {url for url, why in one.failed if why == "csp"}, "asked for, and never sent"
    assert any("Content Security Policy" in text for text in one.said), "it was the policy that stopped it"
