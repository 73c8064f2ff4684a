"""
A real browser for the pages: Chromium as the machine has it, without a window.

Without one the tests are skipped; where RECONCILER_BROWSER is `required`, as in CI, a missing one is a failure.
RECONCILER_CHROMIUM names another program than the `chromium` or `google-chrome` of PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "report")]  # page_cases, report_cases

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")


@dataclass
class Opened:
    """A page in the browser, and all that it asked for, said and tried beside showing itself."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    failed: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def pwned(self) -> object:
        """Give what a script from the data left, None when none ran."""
        return self.page.evaluate("() => window.pwned ?? null")


def chromium() -> str:
    """Give the browser's program, or an empty text."""
    names = (os.environ.get("RECONCILER_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Give the browser.

    It lives no longer than a module: while it does, its thread has an event loop, and no other test could start one.
    """
    program = chromium()
    if not program:
        reason = "there is no Chromium here: install the package chromium, or name one by RECONCILER_CHROMIUM"
        if os.environ.get("RECONCILER_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Give a function that opens a page's text in a browser of its own, cut off from any network."""
    contexts = []

    def opened(text: str, *, anchor: str = "", **options: Any) -> Opened:
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        one = Opened(page, file.as_uri())
        page.on("request", lambda request: one.requests.append(request.url.partition("#")[0]))
        page.on("requestfailed", lambda request: one.failed.append((request.url, request.failure)))
        page.on("console", lambda message: one.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: one.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (one.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda popup: one.said.append(f"popup: {popup.url}"))
        page.goto(one.address + (f"#{anchor}" if anchor else ""))
        return one

    yield opened
    for context in contexts:
        context.close()
