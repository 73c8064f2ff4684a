"""`reconciler validate`: everything that needs no network."""

from __future__ import annotations

import sys

import click

from reconciler.cli.common import expanded_text, out, project_of, say, style_of, variable_options


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("--show", is_flag=True, help="Print the manifests with defaults, items and expressions filled in.")
@click.option("--format", "form", type=click.Choice(["text", "sarif"]), default="text", help="How to print it.")
@variable_options
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], show: bool, form: str) -> int:
    """
    Check manifests: YAML, schema, the platforms' limits, and rules between manifests.

    Needs no network, no credentials and no clock. PATHs are files or folders; without any, the project's own globs.
    """
    from reconciler.platforms.registry import KINDS
    from reconciler.report.text import diagnostics_text
    from reconciler.workflow import validate

    project = project_of(ctx)
    found = validate(project, KINDS, paths)
    if form == "sarif":
        from reconciler.report.sarif import validate_sarif

        out(validate_sarif(found.diagnostics))
        return 1 if found.errors else 0
    if found.diagnostics:
        click.echo(diagnostics_text(found.diagnostics, style_of(sys.stderr)), err=True, nl=False)
    if show:
        out(expanded_text(found))
    if found.errors:
        return 1
    count = len(found.desired)
    tell = say if show else out  # with --show, what is printed is YAML and nothing else
    tell(
        f"{count} experiment{'' if count == 1 else 's'} in {found.documents} manifest"
        f"{'' if found.documents == 1 else 's'}: valid"
    )
    return 0
