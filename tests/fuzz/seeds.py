"""What fuzzing starts from: the examples, the pages' own answers, what the product writes, and what once broke it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from plan_builders import IDS, NOW, WINDOWS, desired, kinds, live, managed, plan, record, wire
from targets import ROOT

from reconciler.model.change import Plan
from reconciler.model.resource import Found
from reconciler.plan.drift import Unmanaged, find_drift
from reconciler.plan.saved import dumps
from reconciler.platforms.registry import KINDS
from reconciler.report.json import drift_to_json
from reconciler.state.journal import entry_line, header_line
from reconciler.state.store import Put, Remove, State
from reconciler.state.text import state_text

CORPUS = Path(__file__).parent / "corpus"

_ODD_YAML = [
    b"a: &a [1]\nb: *a\n",
    b"---\n...\n---\n? [a]\n: b\n",
    b"a: !!binary aGk=\nb: !x y\n",
    b"<<: {a: 1}\nk: |-\n  text\n\ttab\n",
    b"a: 2026-11-25T08:00:00Z\nb: 0x1F\nc: 1_000\nd: .inf\ne: 190:20:30\n",
    b"\xef\xbb\xbfa: 'x'\r\nb: \"\\u0000\\ud800\"\r\n",
    b"# one\na: 1 # two\n\n# three\nb:\n- c # four\n# five\n",
]
_EXPRESSIONS = b"""
apiVersion: reconciler/v1
kind: XAdsABTest
metadata: {name: "{{ each.key }}"}
forEach: {a: 1, b: "{{ number * 2 }}"}
spec:
  start_time: "{{ at(date(start) + weeks(each.value), '08:00') }}"
  name: "{{ map.a[0] if each.index else text ~ 'x' }} {{ text | upper }}"
"""


_SOME = (
    "number * 2 + map.a[-1] // 3 % 4 - 1.5",
    "at(date(start) + weeks(2) - days(1), '08:00', tz='Europe/Berlin')",
    "next_weekday(date('2026-12-07'), 'monday') if number > 3 and not text else date(start)",
    "map.a | join(', ') ~ text | upper | replace('A', name)",
    "{'a': [number, text, (1, 2)], 'b': environment == 'production'}",
    "text is defined and text in ['a', 'b'] or map.c | default('x', true)",
    "'abc'[1:] ~ ('%s' % 1) * 3",
    "(date(start) - date('2026-12-01')).days",
)


def seeds(name: str) -> list[bytes]:
    """Give a target's inputs: those made here, then the files of its corpus."""
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    return [*_made(name), *kept]


def _made(name: str) -> list[bytes]:
    match name:
        case "manifest" | "fmt" | "project":
            wants_project = name == "project"
            found = sorted((ROOT / "examples").rglob("*.yaml"))
            files = [path for path in found if (path.name == "reconciler.yaml") == wants_project]
            texts = [path.read_bytes() for path in files]
            documents = [document for text in texts for document in yaml.safe_load_all(text)]
            odd = [] if name == "project" else [*_ODD_YAML, _EXPRESSIONS]
            return texts + odd + [json.dumps(document, default=str).encode() for document in documents]
        case "expression":
            return [text.encode() for text in _SOME]
        case "plan":
            return [dumps(made).encode() for made in _plans()]
        case "drift":
            return [json.dumps(_drift()).encode()]
        case "state":
            return [state_text(State("a-lineage", 4, {item.key: item for item in map(record, _WANTED)}))]
        case "journal":
            entries = [Put(item.key, item, "created") for item in map(record, _WANTED)]
            lines = [*map(entry_line, entries), entry_line(Remove(entries[0].key, "ended"))]
            return [header_line("a-lineage", 4), header_line("a-lineage", 4) + b"".join(lines)]
        case _:
            folder = ROOT / "tests" / "platforms" / name.removeprefix("wire-").replace("-", "_") / "bodies"
            bodies = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
            found = [item for body in bodies for item in _experiments(body)]
            return [json.dumps(item).encode() for item in [*found, *_answers(name.removeprefix("wire-"))]]


_WANTED = [desired(kind) for kind in KINDS]


def _plans() -> list[Plan]:
    """A plan of creates, one that ends, one that edits, and one of replacements."""
    first = _WANTED[0]
    later = {"linkedin": "scheduledEndAt", "x-ads": "end_time", "salesforce": "label"}
    other = [desired(kind, **{later[kind.platform]: "2027-02-01T08:00:00Z"}) for kind in KINDS]
    made = [managed(one, two) for one, two in zip(_WANTED, other, strict=True)]
    return [plan(_WANTED), plan([], [record(first)], {first.key: live(first)}), *made]


def _drift() -> Any:
    records = {item.key: item for item in map(record, _WANTED)}
    seen = {item.key: Found(live(item)) for item in _WANTED[1:]}
    edited = desired(KINDS[0], cells=_WANTED[0].spec["cells"][::-1], name="edited")
    found = find_drift(records, {**seen, _WANTED[0].key: Found(live(edited))}, {}, kinds, NOW)
    unmanaged = Unmanaged("linkedin", "linkedin", "urn:li:sponsoredAccount:5", "7", "hand-made", "RUNNING")
    return drift_to_json(replace(found, unmanaged=(unmanaged,)))


def _answers(platform: str) -> list[Any]:
    """Give an experiment as its platform reports it, in every status of its kind."""
    return [
        wire(KINDS[number], wanted.spec, status, IDS[platform])
        for number, wanted in enumerate(_WANTED)
        if wanted.platform == platform
        for status in WINDOWS
    ]


def _experiments(body: Any) -> list[Any]:
    """Give every object in an answer that may be one experiment."""
    if isinstance(body, list):
        return [found for item in body for found in _experiments(item)]
    if not isinstance(body, dict):
        return []
    if {"cells", "user_groups", "cohorts"} & body.keys():
        return [body]
    return [found for item in body.values() for found in _experiments(item)]
