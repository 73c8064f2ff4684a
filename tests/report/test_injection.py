"""The corpus of hostile text over every format: each stays what it is, and gives back what it was given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import report_cases as cases
from hostile_cases import PIECES, hostile_drift, hostile_plan

from reconciler.model.change import Action
from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.model.resource import Key
from reconciler.plan.saved import dumps
from reconciler.report.annotations import drift_annotations, plan_annotations, validate_annotations
from reconciler.report.clean import clean, clean_json
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.github import workflow_commands
from reconciler.report.html import drift_html, plan_html
from reconciler.report.json import apply_to_json, drift_to_json
from reconciler.report.junit import drift_junit
from reconciler.report.plan_markdown import plan_markdown
from reconciler.report.sarif import drift_sarif, validate_sarif
from reconciler.report.text import apply_text, diagnostics_text, drift_text, plan_text

CORPUS = (*PIECES, "".join(PIECES), "\ud800", "\U000e0041", "x" * 20_000, "]]>", "%0A::error::x", "\x9b2J", "\u2067")
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What a terminal obeys, and what nobody sees."""


def found(bad: str) -> list[Diagnostic]:
    """Give a diagnostic that consists of hostile text."""
    return [Diagnostic(Severity.ERROR, Location(f"experiments/{bad}", 3, 4), bad, "LIN004", bad, bad, bad)]


def applied(bad: str) -> ApplyResult:
    """Give the end of an apply that consists of hostile text."""
    key = Key("XAdsABTest", bad)
    return ApplyResult((Outcome(key, Action.UPDATE, Result.FAILED, bad, 1, bad, (bad,)),))


def as_json(value: Mapping[str, Any]) -> str:
    """Give a JSON document as the commands print it."""
    return clean_json(json.dumps(value, indent=2, ensure_ascii=False))


FORMATS: dict[str, Callable[[str], str]] = {
    "plan.text": lambda bad: plan_text(hostile_plan(bad)[0], verbose=True),
    "plan.json": lambda bad: clean_json(dumps(hostile_plan(bad)[0])),
    "plan.markdown": lambda bad: plan_markdown(*hostile_plan(bad)),
    "plan.html": lambda bad: plan_html(hostile_plan(bad)[0]),
    "plan.github": lambda bad: workflow_commands(plan_annotations(*hostile_plan(bad)), bad),
    "apply.text": lambda bad: apply_text(applied(bad), hostile_plan(bad)[0]),
    "apply.json": lambda bad: as_json(apply_to_json(applied(bad), hostile_plan(bad)[0])),
    "drift.text": lambda bad: drift_text(hostile_drift(bad)[0]),
    "drift.json": lambda bad: as_json(drift_to_json(hostile_drift(bad)[0])),
    "drift.markdown": lambda bad: drift_markdown(*hostile_drift(bad), environment=bad),
    "drift.html": lambda bad: drift_html(hostile_drift(bad)[0], cases.NOW, bad),
    "drift.junit": lambda bad: drift_junit(hostile_drift(bad)[0]),
    "drift.sarif": lambda bad: drift_sarif(*hostile_drift(bad), bad, bad),
    "drift.github": lambda bad: workflow_commands(drift_annotations(*hostile_drift(bad)), bad),
    "validate.text": lambda bad: diagnostics_text(found(bad)),
    "validate.sarif": lambda bad: validate_sarif(found(bad), bad),
    "validate.github": lambda bad: workflow_commands(validate_annotations(found(bad)), bad),
}


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and the names of its attributes."""
        self.found.append(f"{tag} {[name for name, _ in attrs]}")


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_over_every_format(name: str) -> None:
    make, form = FORMATS[name], name.partition(".")[2]
    harmless = make("harmless")
    for bad in CORPUS:
        shown = make(bad)
        assert not UNSEEN.search(shown), (bad, UNSEEN.search(shown))
        shown.encode()
        if form in ("json", "sarif"):
            assert isinstance(json.loads(shown), dict)
        elif form == "junit":
            assert Xml.tostring(Xml.fromstring(shown))
            shape, expected = (sorted(item.tag for item in Xml.fromstring(text).iter()) for text in (shown, harmless))
            assert shape == expected
        elif form == "github":
            assert len(shown.splitlines()) == len(harmless.splitlines())
            assert all(re.match(r"::(error|warning|notice) [^\n]*::", line) for line in shown.splitlines())
        elif form == "html":
            assert sorted(Tags(shown).found) == sorted(Tags(harmless).found) or len(bad) > 1_000
        elif form == "text":
            assert not re.search(r"(?m)^(::|No changes)", shown)


@pytest.mark.parametrize("bad", CORPUS, ids=range(len(CORPUS)))
def test_json_gives_back_what_it_was_given(bad: str) -> None:
    plan, report = json.loads(FORMATS["plan.json"](bad)), json.loads(FORMATS["drift.json"](bad))
    change, drift = plan["changes"][0], report["drift"][0]
    assert (
        change["remoteId"] == bad
        and change["fields"][0]["path"] == bad
        and change["calls"][0]["body"] == {bad: [bad, {bad: bad}]}
    )
    assert drift["remoteId"] == bad and drift["fields"][0]["live"] == [bad]
    assert clean(bad) in FORMATS["plan.text"](bad) or len(bad) > 1_000
