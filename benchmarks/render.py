"""
Renders a plan of many changes, and a drift report of as many experiments, in every format: how large, and how long.

Every second change is a create, as the planner makes it from a manifest; the others are updates of the same kinds of
experiments. Times are the best of several runs in one process, and the table gives them beside the time that the same
plan takes as JSON in that run, since a machine's speed is nobody's promise. `--write FILE` puts the table between the
marks of a document.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from experiments import LINKEDIN, SALESFORCE, X_ADS, Experiment, spec

from reconciler.model.change import Action, Change, FieldChange, Plan
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift
from reconciler.plan.inputs import Inputs
from reconciler.plan.planner import make_plan
from reconciler.plan.saved import dumps
from reconciler.plan.schedules import Schedule, schedules
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import kind_by_name
from reconciler.report.annotations import drift_annotations, plan_annotations
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.github import workflow_commands
from reconciler.report.html import drift_html, plan_html
from reconciler.report.json import drift_to_json
from reconciler.report.junit import drift_junit
from reconciler.report.plan_markdown import plan_markdown
from reconciler.report.sarif import drift_sarif
from reconciler.report.text import drift_text, plan_text

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
CONNECTIONS = {LINKEDIN: "linkedin", X_ADS: "x", SALESFORCE: "crm"}
MARKS = ("<!-- made by benchmarks/render.py -->", "<!-- end -->")
Rows = list[tuple[str, str, int, float]]


def wanted(count: int) -> dict[Key, Desired]:
    """Give the manifests of as many experiments."""
    found: dict[Key, Desired] = {}
    for one in map(Experiment, range(count)):
        key = Key.parse(one.key)
        kind = kind_by_name(key.kind)
        model = kind.spec_model.model_validate(spec(one))
        stated = kind.canonical(model.model_dump(exclude_unset=True, by_alias=True))
        found[key] = Desired(key, one.platform, CONNECTIONS[one.platform], stated)
    return found


def made(count: int) -> tuple[Plan, tuple[Schedule, ...], dict[Key, Desired]]:
    """Give a plan of as many changes, the experiments over time, and the manifests."""

    def kinds(kind: str, connection: str) -> Kind:
        return kind_by_name(kind)

    desired = wanted(count)
    inputs = Inputs(desired, {}, {}, (), kinds, NOW, NOW)
    plan = make_plan(inputs)
    changes = [updated(change) if number % 2 else change for number, change in enumerate(plan.changes)]
    return replace(plan, changes=tuple(changes)), schedules(plan, inputs), desired


def updated(change: Change) -> Change:
    """Give a create as an update of three of its fields."""
    texts = [item for item in change.fields if isinstance(item.after, str)][:3]
    fields = tuple(FieldChange(item.path, f"{item.after} before", item.after) for item in texts)
    (call, *_) = change.calls
    body = {item.path: item.after for item in texts}
    return replace(
        change,
        action=Action.UPDATE,
        remote_id="700000001",
        status="PENDING",
        fields=fields,
        calls=(replace(call, path=f"{call.path}/700000001", body=body),),
    )


def drifted(desired: dict[Key, Desired]) -> DriftReport:
    """Give a report in which each experiment has one field that was edited."""
    items = tuple(
        Drift(
            key,
            one.platform,
            one.connection,
            "700000001",
            DriftKind.EDITED,
            "PENDING",
            (FieldDrift("name", str(one.spec["name"]), f"{one.spec['name']} by hand"),),
        )
        for key, one in desired.items()
    )
    return DriftReport(items, checked=len(items), keys=tuple(desired))


def measured(count: int, runs: int) -> Rows:
    """Give for each format: what is rendered, how, the bytes, the seconds."""
    plan, spans, desired = made(count)
    report = drifted(desired)
    formats: list[tuple[str, str, Callable[[], str]]] = [
        ("plan", "json", lambda: dumps(plan)),
        ("plan", "text", lambda: plan_text(plan)),
        ("plan", "markdown", lambda: plan_markdown(plan, desired)),
        ("plan", "html", lambda: plan_html(plan, spans)),
        ("plan", "github", lambda: plan_text(plan) + workflow_commands(plan_annotations(plan, desired))),
        ("drift", "json", lambda: json.dumps(drift_to_json(report), indent=2, ensure_ascii=False)),
        ("drift", "text", lambda: drift_text(report)),
        ("drift", "markdown", lambda: drift_markdown(report, desired)),
        ("drift", "html", lambda: drift_html(report, NOW)),
        ("drift", "junit", lambda: drift_junit(report)),
        ("drift", "sarif", lambda: drift_sarif(report, desired, "reconciler.yaml")),
        ("drift", "github", lambda: drift_text(report) + workflow_commands(drift_annotations(report, desired))),
    ]
    rows: Rows = []
    for what, form, render in formats:
        size = len(render().encode())  # the first run pays for imports and templates, and is not counted
        rows.append((what, form, size, min(timed(render) for _ in range(runs))))
    return rows


def timed(render: Callable[[], str]) -> float:
    """Give how long one run takes, in seconds."""
    began = time.perf_counter()
    render()
    return time.perf_counter() - began


def table(rows: Rows, count: int) -> Sequence[str]:
    """Give the rows as Markdown; times beside that of the plan as JSON."""
    base = rows[0][3]
    yes = f"A plan of {count:,} changes and a report of {count:,} experiments that drifted; JSON of the plan took "
    return [
        f"{yes}{base * 1000:.0f} ms on the machine that measured.",
        "",
        "| what | format | size | time, as JSON of the plan is 1 |",
        "|---|---|---:|---:|",
        *(f"| {what} | {form} | {size / 1000:,.0f} kB | {took / base:.2f} |" for what, form, size, took in rows),
    ]


def written(text: str, lines: Sequence[str]) -> str:
    """Give a document with the lines between its marks; raises ValueError where it has none."""
    begin, end = MARKS
    if begin not in text or end not in text:
        raise ValueError(f"there is no {begin} … {end} to write between")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    inside = "\n".join([begin, "", *lines, "", end])
    return pattern.sub(lambda _: inside, text)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--write", type=Path, help="the document that keeps the table")
    given = options.parse_args()
    lines = table(measured(given.count, given.runs), given.count)
    sys.stdout.write("\n".join(lines) + "\n")
    if given.write:
        given.write.write_text(written(given.write.read_text(encoding="utf-8"), lines), encoding="utf-8")
