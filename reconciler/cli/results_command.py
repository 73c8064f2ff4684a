"""`reconciler results`: what the managed experiments have come to; changes nothing."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import common
from reconciler.cli.common import out, out_json, style_of
from reconciler.cli.complete import complete_key
from reconciler.cli.options import emulator_option, max_wait_option, parsed_keys, variable_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.model.resource import Key
    from reconciler.platforms.outcomes import ExperimentResult, Subject
    from reconciler.platforms.session import ConnectionSettings, Session
    from reconciler.project import Project
    from reconciler.results import Ways


@click.command("results")
@click.argument("keys", nargs=-1, metavar="[KEY…]", shell_complete=complete_key)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", help="How to print it."
)
@emulator_option
@max_wait_option
@variable_options
@click.pass_context
def command(ctx: click.Context, keys: tuple[str, ...], form: str, emulated: bool, max_wait: float) -> int:
    """
    Show what every managed experiment, or those named, has come to. Changes nothing, takes no lock.

    LinkedIn: winner, p-value, smallest visible difference and confidence intervals. Salesforce: how far the analysis
    is. X has no results: where its figures stand. Exits 1 when something could not be read; the rest is shown.
    """
    from reconciler.results import read_results

    named = parsed_keys(keys)
    project = common.project_of(ctx)
    found = common.validated(project)
    with ExitStack() as stack:
        ways = _ways(project, stack, emulated=emulated, max_wait_s=max_wait)
        report = common.run(read_results(ways, found.desired, named))
    if form == "json":
        from reconciler.report.results_json import results_to_json

        out_json(results_to_json(report))
    elif form == "markdown":
        from reconciler.report.results_markdown import results_markdown

        out(results_markdown(report))
    else:
        from reconciler.report.results_text import results_text

        unicode = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
        out(results_text(report, style_of(sys.stdout), unicode=unicode))
    return 1 if report.problems else 0


def _ways(project: Project, stack: ExitStack, *, emulated: bool, max_wait_s: float) -> Ways:
    """Give how the use case gets at things; the embedded platforms run until the stack is closed."""
    from platformdirs import user_cache_dir

    from reconciler.platforms.outcomes import outcome_reader_of
    from reconciler.platforms.registry import KINDS, platform_by_name
    from reconciler.results import Ways
    from reconciler.workflow import ProjectKinds

    now = common.now
    addresses = {}
    if emulated:
        from reconciler.cli.emulated import embedded

        server = stack.enter_context(embedded(project, None))
        addresses = {name: server.base_url(entry.platform) for name, entry in project.connections.items()}
        now = server.world.now

    def settings(name: str) -> ConnectionSettings:
        if name in addresses:
            from reconciler.cli.emulated import CREDENTIALS

            auth = CREDENTIALS[project.connection(name).platform]
            given = project.settings(name, os.environ, base_url=addresses[name], auth=auth)
        else:
            given = project.settings(name, os.environ)
        return replace(given, max_wait_s=max_wait_s, cache_dir=user_cache_dir("reconciler"), announce=common.say)

    def open_session(name: str) -> Session:
        return platform_by_name(project.connection(name).platform).connect(settings(name))

    async def read_outcomes(name: str, subjects: Sequence[Subject], moment: datetime) -> Mapping[Key, ExperimentResult]:
        reader = outcome_reader_of(platform_by_name(project.connection(name).platform))
        return await reader(settings(name), subjects, moment)

    return Ways(
        project=project,
        kinds=ProjectKinds(
            {kind.name: kind for kind in KINDS},
            {name: connection.api_version for name, connection in project.connections.items()},
        ),
        store=common.store_of(project, emulated=emulated),
        open_session=open_session,
        read_outcomes=read_outcomes,
        now=now,
    )
