"""`reconciler drift`: compares live with what was last applied; changes nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.also import also_option, save
from reconciler.cli.ci import marked_errors, out_github, project_folder
from reconciler.cli.common import (
    EXIT_CHANGES,
    now,
    on_cluster,
    out,
    project_of,
    reading_ahead,
    run,
    style_of,
    surroundings,
    validated,
)
from reconciler.cli.options import (
    cluster_option,
    emulator_option,
    max_wait_option,
    shard_of,
    shard_option,
    variable_options,
)

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.plan.drift import DriftReport
    from reconciler.project import Project
    from reconciler.report.style import Style
    from reconciler.validate.validated import Validated

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "github")


@click.command("drift")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to print it.")
@also_option([form for form in FORMATS if form != "github"])
@click.option("--unmanaged", is_flag=True, help="Also list live experiments that no manifest manages.")
@shard_option
@cluster_option
@emulator_option
@max_wait_option
@variable_options
@click.pass_context
def command(
    ctx: click.Context,
    form: str,
    also: tuple[tuple[str, str], ...],
    unmanaged: bool,
    shard_text: str | None,
    cluster: str | None,
    emulated: bool,
    max_wait: float,
) -> int:
    """
    Compare live experiments with what was last applied. Changes nothing, takes no lock.

    Exits 2 when a field was edited, a lifecycle moved by hand, or an experiment is gone. What the clock or the
    platform did is progress, and no drift.
    """
    from reconciler.workflow import drift

    shard = shard_of(shard_text)
    with marked_errors(form):
        project = project_of(ctx)
        early = ctx.with_resource(reading_ahead(project, apart=emulated or bool(cluster or shard)))
        found = validated(project, early=early)
    with surroundings(project, emulated=emulated, max_wait_s=max_wait) as around:
        around.early = early
        work = drift(around, found.desired, unmanaged=unmanaged, shard=shard)
        report = run(on_cluster(cluster, around, max_wait, work))
    for other, name in also:
        save(name, _shown(other, report, project, found, now()))
    if form == "github":
        from reconciler.report.annotations import drift_annotations
        from reconciler.report.text import drift_text

        out_github(drift_text(report), drift_annotations(report, found.desired))
    else:
        out(_shown(form, report, project, found, now(), style_of(sys.stdout)))
    if report.problems:
        return 1
    return EXIT_CHANGES if report.drift else 0


def _shown(
    form: str, report: DriftReport, project: Project, found: Validated, at: datetime, style: Style | None = None
) -> str:
    """Give the report in the form that was asked for."""
    match form:
        case "json":
            from reconciler.report.clean import clean_json
            from reconciler.report.json import drift_to_json

            return clean_json(json.dumps(drift_to_json(report), indent=2, ensure_ascii=False) + "\n")
        case "markdown":
            from reconciler.report.drift_markdown import drift_markdown

            return drift_markdown(report, found.desired, environment=project.environment)
        case "html":
            from reconciler.report.html import drift_html

            return drift_html(report, at, project.environment)
        case "junit":
            from reconciler.report.junit import drift_junit

            return drift_junit(report)
        case "sarif":
            from reconciler.report.sarif import drift_sarif

            return drift_sarif(report, found.desired, project.file, project_folder())
    from reconciler.report.style import Style
    from reconciler.report.text import drift_text

    return drift_text(report, style or Style())
