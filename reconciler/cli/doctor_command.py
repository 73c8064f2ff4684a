"""`reconciler doctor`: looks at project, variables, platforms, credentials, roles and clock; changes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import (
    emulated_state,
    manifests_of,
    now,
    out,
    out_json,
    project_of,
    run,
    say,
    store_of,
    style_of,
)
from reconciler.cli.options import emulator_option, variable_options
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.model.examination import Examination
    from reconciler.platforms.session import ConnectionSettings
    from reconciler.project import Project

PATIENCE_S = 20.0
"""The longest that a rate limit may hold up the doctor."""


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@emulator_option
@variable_options
@click.pass_context
def command(ctx: click.Context, form: str, emulated: bool) -> int:
    """
    Check everything that has to work before a plan can, with one line each and what to do.

    Looks at the project file, manifests and state; then, for each connection, at its variables, whether the platform
    can be reached, whether it accepts the credentials, which role they have, and the clock. Sends reads only. Exits 1
    when something failed; warnings are no failure.
    """
    from reconciler.doctor import broken_project
    from reconciler.report.doctor_text import doctor_json, doctor_text

    try:
        project = project_of(ctx)
    except ReconcilerError as error:
        found = broken_project(str(Path.cwd()), error)
    else:
        found = _examined(project, emulated=emulated)
    if form == "json":
        out_json(doctor_json(found))
    else:
        out(doctor_text(found, style_of(sys.stdout)))
    return 0 if found.healthy else 1


def _examined(project: Project, *, emulated: bool) -> Examination:
    from platformdirs import user_cache_dir

    from reconciler.doctor import Ways, examine
    from reconciler.platforms.probes import probe_of
    from reconciler.platforms.registry import KINDS, platform_by_name
    from reconciler.state.owner import owner_of

    found = manifests_of(project)
    with ExitStack() as stack:
        addresses = {}
        if emulated:
            from reconciler.cli.emulated import embedded

            server = stack.enter_context(embedded(project, found))
            addresses = {name: server.base_url(entry.platform) for name, entry in project.connections.items()}

        def settings(name: str, environ: Mapping[str, str]) -> ConnectionSettings:
            if name in addresses:
                from reconciler.cli.emulated import CREDENTIALS

                auth = CREDENTIALS[project.connection(name).platform]
                given = project.settings(name, environ, base_url=addresses[name], auth=auth)
            else:
                given = project.settings(name, environ)
            return replace(given, max_wait_s=PATIENCE_S, cache_dir=user_cache_dir("reconciler"), announce=say)

        path = emulated_state(project) if emulated else project.state.path
        # A folder that is not there yet would be made by locking it; other places have no such trace.
        lockable = path.parent.is_dir() or (project.state.backend != "file" and not emulated)
        owner = owner_of(os.environ, command="reconciler doctor", now=now()) if lockable else None
        ways = Ways(
            kinds=KINDS,
            store=store_of(project, emulated=emulated),
            settings=settings,
            probe=lambda name: probe_of(platform_by_name(name)),
            environ=os.environ,
            owner=owner,
            emulated=emulated,
        )
        return run(examine(project, ways, found))
