"""`reconciler merge-plans`: puts the plans of all shards together; sends nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.also import save
from reconciler.cli.apply_command import read_plan
from reconciler.cli.common import PLAN_KEY, out, project_of, say, style_of, surroundings, validated
from reconciler.cli.options import emulator_option, variable_options
from reconciler.cli.plan_command import exit_code, shown
from reconciler.cli.policing import reviewer
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.model.change import Plan


@click.command("merge-plans")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", "out_file", metavar="FILE", required=True, help="Where to save the plan of the whole project.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    help="How to print it.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@emulator_option
@variable_options
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], out_file: str, form: str, detailed_exitcode: bool, emulated: bool
) -> int:
    """
    Make the plan of the whole project from those that plan --shard saved, FILE by FILE. Asks no platform.

    The guards are judged here, over the whole. Manifests, state and options have to be those of the shards.
    """
    from reconciler.plan.saved import dumps
    from reconciler.plan.signing import signed
    from reconciler.planning import merged

    parts: dict[str, Plan] = {}
    for name in files:
        if any(Path(name).resolve() == Path(other).resolve() for other in parts):
            raise UsageProblem(f"{name} is given twice; give the plan of each shard once")
        parts[name] = read_plan(name)
    project = project_of(ctx, environment=next(iter(parts.values())).environment)
    found = validated(project)
    judge = reviewer(project, found, parts=tuple(parts.values()))
    with surroundings(project, emulated=emulated, found=found) as around:
        if judge is not None:
            around.review = judge.of_plan
        made = merged(around, found.desired, parts)
    text = dumps(made)
    key = os.environ.get(PLAN_KEY)
    save(out_file, signed(text, key) if key else text)
    out(shown(form, made, text, found.desired, (), style_of(sys.stdout)))
    rehearsal = " --emulator" if emulated else ""
    say(f"saved to {out_file}; carry it out with: reconciler apply{rehearsal} {out_file}")
    return exit_code(made, detailed=detailed_exitcode)
