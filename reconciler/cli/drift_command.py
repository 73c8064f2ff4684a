"""`reconciler drift`: compares live with what was last applied; changes nothing."""

from __future__ import annotations

import sys

import click

from reconciler.cli.common import (
    EXIT_CHANGES,
    emulator_option,
    max_wait_option,
    out,
    out_json,
    project_of,
    run,
    style_of,
    surroundings,
    validated,
    variable_options,
)


@click.command("drift")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--unmanaged", is_flag=True, help="Also list live experiments that no manifest manages.")
@emulator_option
@max_wait_option
@variable_options
@click.pass_context
def command(ctx: click.Context, form: str, unmanaged: bool, emulated: bool, max_wait: float) -> int:
    """
    Compare live experiments with what was last applied. Changes nothing, takes no lock.

    Exits 2 when a field was edited, a lifecycle moved by hand, or an experiment is gone. What the clock or the
    platform did is progress, and no drift.
    """
    from reconciler.report.json import drift_to_json
    from reconciler.report.text import drift_text
    from reconciler.workflow import drift

    project = project_of(ctx)
    found = validated(project)
    with surroundings(project, emulated=emulated, max_wait_s=max_wait) as around:
        report = run(drift(around, found.desired, unmanaged=unmanaged))
    if form == "json":
        out_json(drift_to_json(report))
    else:
        out(drift_text(report, style_of(sys.stdout)))
    if report.problems:
        return 1
    return EXIT_CHANGES if report.drift else 0
