"""`reconciler validate`: everything that needs no network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.ci import marked_errors, out_github, project_folder
from reconciler.cli.common import expanded_text, manifests_of, out, project_of, say, style_of
from reconciler.cli.options import variable_options
from reconciler.cli.policing import with_policies

if TYPE_CHECKING:
    from reconciler.validate.validated import Validated


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("--show", is_flag=True, help="Print the manifests with defaults, items and expressions filled in.")
@click.option(
    "--format", "form", type=click.Choice(["text", "sarif", "github"]), default="text", help="How to print it."
)
@variable_options
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], show: bool, form: str) -> int:
    """
    Check manifests: YAML, schema, the platforms' limits, and rules between manifests.

    Needs no network, no credentials and no clock. PATHs are files or folders; without any, the project's own globs.
    """
    from reconciler.report.diagnostics_text import diagnostics_text

    with marked_errors(form):
        project = project_of(ctx)
        found = with_policies(project, manifests_of(project, paths))
    if form == "sarif":
        from reconciler.report.sarif import validate_sarif

        out(validate_sarif(found.diagnostics, project_folder()))
        return 1 if found.errors else 0
    if form == "github":
        from reconciler.report.annotations import validate_annotations

        text = diagnostics_text(found.diagnostics) if found.diagnostics else f"{_counted(found)}: valid\n"
        out_github(text, validate_annotations(found.diagnostics))
        return 1 if found.errors else 0
    if found.diagnostics:
        click.echo(diagnostics_text(found.diagnostics, style_of(sys.stderr)), err=True, nl=False)
    if show:
        out(expanded_text(found))
    if found.errors:
        return 1
    tell = say if show else out  # with --show, what is printed is YAML and nothing else
    tell(f"{_counted(found)}: valid")
    return 0


def _counted(found: Validated) -> str:
    experiments, manifests = len(found.desired), found.documents
    return (
        f"{experiments} experiment{'' if experiments == 1 else 's'} in {manifests} manifest"
        f"{'' if manifests == 1 else 's'}"
    )
