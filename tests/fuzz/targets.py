"""
What is fuzzed: each target reads bytes as the product would, and returns for any input.

The product's own errors pass. Whatever else comes out of a target (any other exception, a value that does not survive
being written and read again) is a defect of the product. What is read is shown too, since that is what happens next.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from plan_builders import NOW, desired, kinds, plan_inputs, record

# These are loaded late by the product; here they have to be watched too.
import reconciler.envelope
import reconciler.manifests.build
import reconciler.manifests.layout
import reconciler.manifests.template.sandbox
import reconciler.platforms.linkedin.schema
import reconciler.platforms.salesforce.schema
import reconciler.platforms.x_ads.schema
import reconciler.project.rules
import reconciler.project.schema
import reconciler.validate.schema_errors  # noqa: F401
from reconciler.errors import BadAnswer, PlanUnreadable, StateUnreadable, UsageProblem
from reconciler.manifests.discover import PROJECT_FILE
from reconciler.manifests.expand import expand
from reconciler.manifests.fmt import formatted
from reconciler.manifests.layout.order import order_of
from reconciler.manifests.load import load_bytes
from reconciler.manifests.template.evaluate import Evaluator, Problem
from reconciler.manifests.template.scope import Defaults, Scope, Variable
from reconciler.model.diagnostic import Diagnostic, Location, Severity
from reconciler.model.resource import Found, Live
from reconciler.plan.drift import find_drift
from reconciler.plan.planner import make_plan
from reconciler.plan.saved import dumps, loads
from reconciler.plan.saved_drift import drift_loads
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS
from reconciler.platforms.response import Response
from reconciler.project.load import read_project
from reconciler.report.drift_markdown import drift_markdown
from reconciler.report.plan_markdown import plan_markdown
from reconciler.report.text import diagnostics_text, drift_text, plan_text
from reconciler.state.journal import BadLine, entry_line, read_entry, read_journal
from reconciler.state.text import read_state, state_text
from reconciler.validate.check import check

ROOT = Path(__file__).parents[2]
Target = Callable[[bytes], None]


@dataclass(frozen=True)
class Way:
    """A connection, as far as validating asks."""

    platform: str


@dataclass(frozen=True)
class Ways:
    """A project, as far as validating asks: one connection for each platform."""

    connections: Mapping[str, Way]


_PROJECT = Ways({kind.platform: Way(kind.platform) for kind in KINDS})
_ORDERS = {kind.name: order_of(row.path for row in kind.fields) for kind in KINDS}
_DEFAULTS = load_bytes(b"metadata: {labels: {team: growth}}\nspec: {description: '{{ text }}'}\n", PROJECT_FILE)
_SCOPE = Scope(
    {"text": Variable("a"), "number": Variable(7), "map": Variable({"a": [1, 2]}), "start": Variable("2026-12-07")},
    "production",
    {"XAdsABTest": Defaults(_DEFAULTS.documents[0].value, _DEFAULTS.documents[0], ())},
)


def manifest(data: bytes) -> None:
    """A file of manifests, as `validate` reads it: whatever is wrong is a diagnostic, and can be shown."""
    loaded = load_bytes(data, "m.yaml")
    assert loaded.documents or _errors(loaded.diagnostics), "nothing was read, and nobody says why"
    expanded = expand(loaded.documents, _SCOPE)
    found, problems = check(expanded.documents, _PROJECT, KINDS)
    told = (*loaded.diagnostics, *expanded.diagnostics, *problems)
    assert len(found) >= len(expanded.documents) or _errors(told), "an experiment is gone, and nobody says why"
    diagnostics_text(told).encode("utf-8")


def expression(data: bytes) -> None:
    """What stands between two pairs of braces: a problem, or a value that a manifest can hold, of a bounded size."""
    try:
        value = Evaluator(_SCOPE).scalar(f"{{{{ {data.decode('utf-8', 'replace')} }}}}", {"name": "hero"})
    except Problem as problem:
        told = Diagnostic(Severity.ERROR, Location("m.yaml"), problem.message, hint=problem.hint)
        diagnostics_text([told]).encode("utf-8")
        return
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert json.loads(text) == value, "a value that JSON does not keep"
    assert len(text.encode("utf-8")) < 1_000_000, "a value without a bound"


def fmt(data: bytes) -> None:
    """A file of manifests, as `fmt` lays it out: it never fails its own check, and a second time changes nothing."""
    once = formatted(data, "m.yaml", _ORDERS)
    assert not any("mistake in reconciler" in item.hint for item in once.diagnostics), once.diagnostics
    if once.changed:
        twice = formatted(once.after, "m.yaml", _ORDERS)
        assert twice.after == once.after, "the layout is not stable"


def project(data: bytes) -> None:
    """A project file: UsageProblem, problems, or a project."""
    with tempfile.TemporaryDirectory(dir=_FAST) as folder:
        (Path(folder) / PROJECT_FILE).write_bytes(data)
        try:
            found, problems = read_project(folder)
        except UsageProblem:
            return
        assert found is not None or _errors(problems), "no project was read, and nobody says why"
        diagnostics_text(problems).encode("utf-8")


def _wire(kind: Kind) -> Target:
    def target(data: bytes) -> None:
        try:
            live = kind.from_wire(Response(200, {}, data).json(), account="18ce54d4x5t")
        except BadAnswer:
            return
        _judged(live)

    def _judged(live: Live) -> None:
        kind.identity(live.spec, live)
        kind.claims(live.spec)
        others = [(wanted.connection, live)]
        made = make_plan(plan_inputs([wanted], [known], {wanted.key: live}, others=others, allow=0))
        assert loads(dumps(made), "plan.json") == made, "a plan does not survive being saved"
        plan_text(made).encode("utf-8")
        make_plan(plan_inputs([], [known], {wanted.key: live}, allow=0))
        make_plan(plan_inputs([wanted], others=others))
        drift_text(find_drift({wanted.key: known}, {wanted.key: Found(live)}, {}, kinds, NOW)).encode("utf-8")

    wanted = desired(kind)
    known = record(wanted)
    target.__doc__ = f"An answer of {kind.platform}: BadAnswer, or a live experiment that plan and drift can judge."
    return target


def plan_file(data: bytes) -> None:
    """A plan file: PlanUnreadable, or a plan that can be shown and reads the same after being written."""
    try:
        plan = loads(data.decode("utf-8", "replace"), "plan.json")
    except PlanUnreadable:
        return
    assert loads(dumps(plan).encode("utf-8").decode("utf-8"), "again") == plan, "a plan does not survive being saved"
    plan_text(plan, verbose=True).encode("utf-8")
    plan_markdown(plan).encode("utf-8")


def drift_file(data: bytes) -> None:
    """A drift report: PlanUnreadable, or one that can be shown."""
    try:
        report = drift_loads(data.decode("utf-8", "replace"), "drift.json")
    except PlanUnreadable:
        return
    drift_text(report).encode("utf-8")
    drift_markdown(report, {}).encode("utf-8")


def state(data: bytes) -> None:
    """A state file: StateUnreadable, or a state that reads the same after being written."""
    try:
        found = read_state(data, "state.json", "restore it")
    except StateUnreadable:
        return
    assert read_state(state_text(found), "again", "") == found, "a state does not survive being saved"


def journal(data: bytes) -> None:
    """The state's journal: BadLine, or entries that read the same after being written."""
    try:
        found = read_journal(data)
    except BadLine:
        return
    assert found.length <= len(data)
    for entry in found.entries:
        assert read_entry(entry_line(entry), 2) == entry, "an entry does not survive being saved"


def _errors(problems: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [item for item in problems if item.severity is Severity.ERROR]


_FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
TARGETS: dict[str, Target] = {
    "manifest": manifest,
    "expression": expression,
    "fmt": fmt,
    "project": project,
    **{f"wire-{kind.platform}": _wire(kind) for kind in KINDS},
    "plan": plan_file,
    "drift": drift_file,
    "state": state,
    "journal": journal,
}
