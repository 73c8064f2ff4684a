"""`reconciler import`: writes manifests for live experiments and records them as managed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import Stop, accounts_reader, manifests_of, now, out, project_of, run, say, surroundings
from reconciler.cli.options import emulator_option, max_wait_option, variable_options
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.imports import Imported, ImportResult
    from reconciler.platforms.base import Kind
    from reconciler.project import Project

SCHEMA_FOLDERS = ("schemas", ".reconciler/schemas")


@click.command("import")
@click.argument("kind_name", required=False, metavar="[KIND]")
@click.argument("remote_id", required=False, metavar="[REMOTE_ID]")
@click.option("--all", "everything", is_flag=True, help="Import whatever is live and not managed yet.")
@click.option(
    "--connection", "connections", multiple=True, metavar="C", help="The connection (with --all: or several)."
)
@click.option("--name", metavar="NAME", help="What to call it (default: the platform's name, made fit).")
@click.option("--out", "folder", metavar="DIR", help="Where to write (default: experiments/CONNECTION).")
@click.option("--include-ended", is_flag=True, help="With --all: also what is over.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait this long for another run to finish (default: not at all).",
)
@emulator_option
@max_wait_option
@variable_options
@click.pass_context
def command(
    ctx: click.Context,
    kind_name: str | None,
    remote_id: str | None,
    everything: bool,
    connections: tuple[str, ...],
    name: str | None,
    folder: str | None,
    include_ended: bool,
    lock_timeout: float,
    emulated: bool,
    max_wait: float,
) -> int:
    """
    Write manifests for live experiments and record them as managed; the plan right after is empty.

    REMOTE_ID is the platform's id (X: ACCOUNT/ID, or an ID in one of the connection's accounts; Salesforce: record id
    or API name). Nothing is changed on a platform, and no file is written over.
    """
    from reconciler.imports import Options, import_all, import_one
    from reconciler.imports.run import connection_for
    from reconciler.platforms.registry import KINDS
    from reconciler.state.owner import owner_of

    _check_usage(kind_name, remote_id, everything, connections, name, include_ended)
    project = project_of(ctx)
    kind = None if everything else _kind(kind_name or "", KINDS)
    connection = connection_for(project, kind, next(iter(connections), None)) if kind else ""
    for given in connections:
        project.connection(given)
    found = manifests_of(project).checked()
    options = Options(include_ended, folder, name, lambda kind: _schema_of(project, kind))
    stop = Stop()
    owner = owner_of(os.environ, command="reconciler import", now=now())
    with (
        surroundings(project, emulated=emulated, max_wait_s=max_wait, found=found) as around,
        around.store.lock(owner, lock_timeout),
    ):
        around.stopping = stop
        accounts = accounts_reader(project)
        if kind is None:
            result = run(import_all(around, found, connections, options, accounts, _tell), stop)
            return _report(result)
        item = run(import_one(around, found, kind, remote_id or "", connection, options, accounts), stop)
    _tell(item)
    out(_next(1))
    return 0


def _check_usage(
    kind: str | None,
    remote_id: str | None,
    everything: bool,
    connections: Sequence[str],
    name: str | None,
    include_ended: bool,
) -> None:
    if everything:
        if kind or remote_id:
            raise UsageProblem("--all imports every kind: leave out KIND and REMOTE_ID, or leave out --all")
        if name:
            raise UsageProblem("--name is for one experiment; with --all names are made from the platform's")
        return
    if not kind or not remote_id:
        missing = "REMOTE_ID is missing" if kind else "KIND and REMOTE_ID are missing"
        raise UsageProblem(f"{missing}: reconciler import KIND REMOTE_ID, or reconciler import --all")
    if len(connections) > 1:
        raise UsageProblem("one experiment is imported through one connection")
    if include_ended:
        raise UsageProblem("--include-ended belongs to --all; an experiment named by its id is imported in any status")


def _kind(name: str, kinds: Sequence[Kind]) -> Kind:
    from reconciler.manifests.words import nearest, one_of, plain

    by_name = {kind.name: kind for kind in kinds}
    if name in by_name:
        return by_name[name]
    meant = nearest(name, by_name)
    raise UsageProblem(
        f'there is no kind "{plain(name)}"; ' + (f"did you mean {meant}?" if meant else f"it is {one_of(by_name)}")
    )


def _schema_of(project: Project, kind: str) -> str:
    """Give the path, in the project, of a kind's JSON Schema; empty where the project has none."""
    from reconciler.schema.write import file_name

    paths = (f"{folder}/{file_name(kind)}" for folder in SCHEMA_FOLDERS)
    return next((path for path in paths if (project.dir / path).is_file()), "")


# --- what it says ----------------------------------------------------------------------------------------------------


def _tell(item: Imported) -> None:
    """Say what became of one experiment; what many share is only counted in the end."""
    from reconciler.manifests.words import plain

    what = f"{item.connection} {plain(item.remote_id)}"
    what += f' "{plain(item.name)}" ({plain(item.status)})' if item.name else f" ({plain(item.status)})"
    if item.outcome == "imported":
        where = item.file or "a manifest that was there already, now recorded"
        say(f"imported {what} as {item.key}: {where}")
        for sentence in item.left_out:
            say(f"  {sentence}")
    elif not item.group:
        say(f"{'error: ' if item.outcome == 'failed' else ''}{what} {item.outcome}: {item.reason}")


def _report(result: ImportResult) -> int:
    """Print the summary; gives the exit code."""
    from reconciler.imports import Outcome

    for problem in result.problems:
        say(f"error: {problem}")
    lines = []
    for outcome in Outcome:
        items = result.of(outcome)
        groups = Counter(item.group for item in items if item.group)
        reasons = ", ".join(f"{count} {group}" for group, count in groups.items())
        lines.append(f"{len(items)} {outcome}" + (f" ({reasons})" if reasons else ""))
    out("\n".join(lines))
    if result.interrupted:
        say("interrupted: what was imported is recorded; run it again for the rest")
    if result.problems:
        say("not everything could be looked through; run it again for the rest")
    if result.of(Outcome.IMPORTED):
        out(_next(len(result.of(Outcome.IMPORTED))))
    return 0 if result.complete else 1


def _next(count: int) -> str:
    return f"Commit the {'manifest' if count == 1 else 'manifests'}; `reconciler plan` has nothing to change."
