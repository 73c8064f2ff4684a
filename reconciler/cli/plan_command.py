"""`reconciler plan`: reads live state, changes nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.also import also_option, save
from reconciler.cli.ci import marked_errors, out_github
from reconciler.cli.common import (
    EXIT_BLOCKED,
    EXIT_CHANGES,
    PLAN_KEY,
    expanded_text,
    on_cluster,
    out,
    project_of,
    reading_ahead,
    run,
    say,
    style_of,
    surroundings,
    validated,
)
from reconciler.cli.options import (
    allowed_destroys,
    cluster_option,
    parsed_keys,
    planning_options,
    shard_of,
    shard_option,
)
from reconciler.cli.policing import reviewer
from reconciler.cli.watching import watch_of_run
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.change import Plan
    from reconciler.model.resource import Desired, Key
    from reconciler.plan.schedules import Schedule
    from reconciler.report.style import Style


FORMATS = ("text", "json", "markdown", "html", "github")


@click.command("plan")
@click.option("--out", "out_file", metavar="FILE", help="Save the plan, for: reconciler apply FILE.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to print it.")
@also_option([form for form in FORMATS if form != "github"])
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@click.option("--as-of", metavar="TIME", help="Judge as if it were TIME (ISO 8601 with an offset or Z).")
@click.option("--show", is_flag=True, help="First print the manifests, as they are meant, to standard error.")
@shard_option
@cluster_option
@planning_options
@click.pass_context
def command(
    ctx: click.Context,
    out_file: str | None,
    form: str,
    also: tuple[tuple[str, str], ...],
    detailed_exitcode: bool,
    as_of: str | None,
    show: bool,
    shard_text: str | None,
    cluster: str | None,
    targets: tuple[str, ...],
    allow_destroy: str | None,
    allow_empty: bool,
    no_preflight: bool,
    overrides: tuple[str, ...],
    emulated: bool,
    max_wait: float,
) -> int:
    """Show what it takes to make the platforms match the manifests. Changes nothing, takes no lock."""
    from reconciler.model.time import parse_time
    from reconciler.plan.saved import dumps
    from reconciler.plan.schedules import schedules
    from reconciler.plan.signing import signed
    from reconciler.workflow import PlanRequest, plan

    try:
        moment = parse_time(as_of) if as_of is not None else None
    except ValueError as error:
        raise UsageProblem(f"--as-of: {error}") from None
    request = PlanRequest(
        as_of=moment,
        targets=parsed_keys(targets),
        allow_destroy=allowed_destroys(allow_destroy),
        allow_empty=allow_empty,
        preflight=not no_preflight,
        shard=shard_of(shard_text),
    )
    with marked_errors(form):
        project = project_of(ctx)
        apart = emulated or bool(cluster or shard_text or targets)
        early = ctx.with_resource(reading_ahead(project, apart=apart))
        found = validated(project, early=early)
        judge = reviewer(project, found, overrides)
    if show:
        say(expanded_text(found).rstrip("\n"))
    with surroundings(project, emulated=emulated, max_wait_s=max_wait, found=found) as around:
        around.early = early
        if judge is not None:
            around.review = judge.of_plan
        spans: list[Schedule] = []
        if form == "html" or "html" in dict(also):
            around.planned = lambda made, inputs: spans.extend(schedules(made, inputs))
        made = run(on_cluster(cluster, around, max_wait, plan(around, found.desired, request)))
        watch_of_run(say).planned(made)
    text = dumps(made)
    if out_file is not None:
        key = os.environ.get(PLAN_KEY)
        save(out_file, signed(text, key) if key else text)
    for other, name in also:
        save(name, shown(other, made, text, found.desired, spans))
    if form == "github":
        from reconciler.report.annotations import plan_annotations
        from reconciler.report.text import plan_text

        out_github(plan_text(made), plan_annotations(made, found.desired))
    else:
        out(shown(form, made, text, found.desired, spans, style_of(sys.stdout)))
    if out_file is not None:
        rehearsal = " --emulator" if emulated else ""
        if made.shard is None:
            say(f"saved to {out_file}; carry it out with: reconciler apply{rehearsal} {out_file}")
        else:
            say(
                f"saved to {out_file}; put all shards together with: reconciler merge-plans{rehearsal} FILE… --out FILE"
            )
    return exit_code(made, detailed=detailed_exitcode)


def shown(
    form: str,
    made: Plan,
    text: str,
    desired: Mapping[Key, Desired],
    spans: Sequence[Schedule],
    style: Style | None = None,
) -> str:
    """Give the plan in the form that was asked for."""
    if form == "json":
        from reconciler.report.clean import clean_json

        return clean_json(text)
    if form == "markdown":
        from reconciler.report.plan_markdown import plan_markdown

        return plan_markdown(made, desired)
    if form == "html":
        from reconciler.report.html import plan_html

        return plan_html(made, spans)
    from reconciler.report.style import Style
    from reconciler.report.text import plan_text

    return plan_text(made, style or Style())


def exit_code(made: Plan, *, detailed: bool) -> int:
    """Give the exit code of a plan: incomplete before blocked before changed."""
    if not made.complete:
        return 1
    if made.summary["blocked"]:
        return EXIT_BLOCKED
    return EXIT_CHANGES if detailed and made.changes else 0
