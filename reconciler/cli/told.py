"""What is told of on GitHub or GitLab: a saved plan, a drift report or ready Markdown, read and put into words."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import project_of, say
from reconciler.errors import InvalidInput, PlanUnreadable, ReconcilerError, UsageProblem

if TYPE_CHECKING:
    from reconciler.model.annotation import Annotation
    from reconciler.model.change import Plan
    from reconciler.model.resource import Desired, Key
    from reconciler.plan.drift import DriftReport

MOST_BYTES = 64 * 1024 * 1024
SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes of one step's summary; a longer one is not shown at all."""


@dataclass(frozen=True)
class Told:
    """One thing to tell: `kind` is plan or drift; exactly one of `plan`, `drift` and `markdown` is given."""

    kind: str
    environment: str | None
    plan: Plan | None = None
    drift: DriftReport | None = None
    markdown: str = ""


def read_told(plan: str | None, drift: str | None, markdown: str | None, environment: str | None) -> Told:
    """
    Read what one of the options names; without any, standard input, which may be any of the three.

    Raises UsageProblem for several options, PlanUnreadable for what is not what it should be.
    """
    given = [(kind, name) for kind, name in (("plan", plan), ("drift", drift), ("markdown", markdown)) if name]
    if len(given) > 1:
        raise UsageProblem("give one of --plan, --drift and --markdown")
    kind, name = given[0] if given else ("", "-")
    text, source = _text_of(name)
    if not text.strip():
        raise UsageProblem(f"{source} is empty; give --plan FILE, --drift FILE or --markdown FILE")
    kind = kind or _kind_of(text)
    if kind == "plan":
        from reconciler.plan.saved import loads

        made = loads(text, source)
        if environment is not None and made.environment != environment:
            raise UsageProblem(f"{source} is a plan for {made.environment or 'no environment'}, not for {environment}")
        return Told("plan", made.environment, plan=made)
    if kind == "drift":
        from reconciler.plan.saved_drift import drift_loads

        return Told("drift", environment, drift=drift_loads(text, source))
    first = text.lstrip().partition("\n")[0]
    return Told("drift" if first.startswith("<!-- reconciler:drift ") else "plan", environment, markdown=text)


def _text_of(name: str) -> tuple[str, str]:
    if name == "-":
        if sys.stdin.isatty():
            raise UsageProblem("give --plan FILE, --drift FILE or --markdown FILE, or hand one in on standard input")
        text = sys.stdin.buffer.read(MOST_BYTES + 1).decode("utf-8", "replace")
        source = "standard input"
    else:
        source = name
        try:
            with Path(name).open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(MOST_BYTES + 1)
        except OSError as error:
            raise UsageProblem(f"{name} cannot be read: {error.strerror}") from None
    if len(text) > MOST_BYTES:
        raise PlanUnreadable(f"{source} is longer than {MOST_BYTES // (1024 * 1024)} MiB")
    return text, source


def _kind_of(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return "markdown"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return "markdown"
    if isinstance(data, dict):
        return "plan" if "changes" in data else "drift" if "drift" in data else "markdown"
    return "markdown"


def manifests_of(ctx: click.Context, told: Told) -> Mapping[Key, Desired]:
    """Give the manifests beside the run, for lines and labels; none where there are none, or they are wrong."""
    from reconciler.platforms.registry import KINDS
    from reconciler.validate.validated import validate

    if not Path("reconciler.yaml").exists():
        return {}
    try:
        return validate(project_of(ctx, told.environment), KINDS).desired
    except InvalidInput:
        say("the manifests here do not validate; what is told names no lines of files")
    except ReconcilerError as error:
        say(f"the manifests here cannot be read, so what is told names no lines of files: {error}")
    return {}


def markdown_of(told: Told, desired: Mapping[Key, Desired], *, limit: int, address: str) -> str:
    """Give it as Markdown of at most `limit` bytes; ready Markdown as it is."""
    if told.plan is not None:
        from reconciler.report.plan_markdown import plan_markdown

        return plan_markdown(told.plan, desired, limit=limit, address=address)
    if told.drift is not None:
        from reconciler.report.drift_markdown import drift_markdown

        return drift_markdown(told.drift, desired, environment=told.environment, limit=limit, address=address)
    return told.markdown


def marks_of(told: Told, desired: Mapping[Key, Desired]) -> tuple[Annotation, ...]:
    """Give the marks on lines of manifests; ready Markdown has none."""
    from reconciler.report.annotations import drift_annotations, plan_annotations

    if told.plan is not None:
        return plan_annotations(told.plan, desired)
    return drift_annotations(told.drift, desired) if told.drift is not None else ()


def outcome(told: Told) -> tuple[str, str]:
    """Give the conclusion of a check and its title: a failure where something is blocked, unread or drifted."""
    from reconciler.report.plan_markdown import counts

    if told.plan is not None:
        if not told.plan.complete or told.plan.problems:
            return "failure", "The plan is incomplete"
        if blocked := told.plan.summary["blocked"]:
            return "failure", f"{blocked:,} blocked: {counts(told.plan)}"
        return "success", counts(told.plan) if told.plan.changes else "No changes"
    if told.drift is not None:
        if told.drift.problems:
            return "failure", "Not everything could be read"
        moved = len({item.key for item in told.drift.drift})
        return ("failure", f"Drift: {moved:,} moved") if moved else ("success", "No drift")
    return "neutral", "See the summary"


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Append to the summary of the step; raises UsageProblem where there is none, or it would be too long."""
    name = environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        raise UsageProblem("--summary: GITHUB_STEP_SUMMARY is not set; it is, in a step of GitHub Actions")
    try:
        with Path(name).open("a", encoding="utf-8") as stream:
            stream.write(text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise ReconcilerError(f"GITHUB_STEP_SUMMARY: {name} cannot be written: {error.strerror}") from None


def summary_room(environ: Mapping[str, str] = os.environ) -> int:
    """Give the bytes that the step's summary still has room for."""
    try:
        used = Path(environ["GITHUB_STEP_SUMMARY"]).stat().st_size
    except (KeyError, OSError):
        used = 0
    return SUMMARY_BYTES - used - 1_024
