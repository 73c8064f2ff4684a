"""`reconciler state`: the record of what is managed, to look at and to repair."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import emulated_state, now, out, out_json, project_of, say, store_of
from reconciler.cli.complete import complete_managed_key
from reconciler.cli.options import parsed_keys
from reconciler.cli.state_transfer import lock_option, migrate, pull, push
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.model.resource import Record
    from reconciler.project import Project
    from reconciler.state.owner import Owner
    from reconciler.state.store import State, Store


@click.group("state")
@click.option("--emulator", "emulated", is_flag=True, help="The state of the embedded platforms.")
@click.pass_context
def command(ctx: click.Context, emulated: bool) -> None:
    """
    List, show and repair the record of what is managed.

    In a project that was only ever run with --emulator, this is the embedded platforms' state.
    """
    project = project_of(ctx)
    if not emulated and _nothing_yet(project) and emulated_state(project).exists():
        emulated = True
        say("this is the state of the embedded platforms: nothing was applied to the real ones yet")
    ctx.obj["store"] = store_of(project, emulated=emulated)
    ctx.obj["project"], ctx.obj["emulated"] = project, emulated


def _nothing_yet(project: Project) -> bool:
    """Tell, without asking a server, that the real state is not there yet: no file, or no clone to keep it in."""
    if project.state.backend == "file":
        return not project.state.path.exists()
    folder = project.dir.resolve()
    return project.state.backend == "git" and not any((at / ".git").exists() for at in (folder, *folder.parents))


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.pass_context
def list_(ctx: click.Context, form: str) -> int:
    """List every managed experiment: key, connection, remote id, status when last applied."""
    from reconciler.report.text import state_text
    from reconciler.state.records import record_to_json

    records = _store(ctx).read().experiments
    if form == "json":
        out_json({str(key): record_to_json(records[key]) for key in sorted(records)})
    elif records:
        out(state_text([records[key] for key in sorted(records)]))
    else:
        say("nothing is managed yet")
    return 0


@command.command("show")
@click.argument("key", shell_complete=complete_managed_key)
@click.pass_context
def show(ctx: click.Context, key: str) -> int:
    """Show the record of one experiment as JSON."""
    from reconciler.state.records import record_to_json

    state = _store(ctx).read()
    found = _record(state, key)
    out_json({"key": str(found.key), **record_to_json(found)})
    return 0


@command.command("rm")
@click.argument("key", shell_complete=complete_managed_key)
@lock_option
@click.pass_context
def remove(ctx: click.Context, key: str, lock_timeout: float) -> int:
    """Forget an experiment; it stays as it is on its platform."""
    store = _store(ctx)
    with store.lock(_owner("state rm"), lock_timeout):
        state = store.read()
        found = _record(state, key)
        rest = {other: record for other, record in state.experiments.items() if other != found.key}
        store.save(replace(state, experiments=rest), expected_serial=state.serial)
    say(f"{found.key} is forgotten; {found.remote_id or 'it'} stays as it is on {found.platform}")
    return 0


@command.command("mv")
@click.argument("old", shell_complete=complete_managed_key)
@click.argument("new")
@lock_option
@click.pass_context
def move(ctx: click.Context, old: str, new: str, lock_timeout: float) -> int:
    """Give a record another key, after metadata.name was changed; nothing changes on the platform."""
    store = _store(ctx)
    (to,) = parsed_keys((new,))
    with store.lock(_owner("state mv"), lock_timeout):
        state = store.read()
        found = _record(state, old)
        if to.kind != found.key.kind:
            raise UsageProblem(f"{old} cannot become {new}: a record keeps its kind, {found.key.kind}")
        if to in state.experiments:
            raise UsageProblem(f"{new} is recorded already, as {state.experiments[to].remote_id}")
        rest = {key: record for key, record in state.experiments.items() if key != found.key}
        rest[to] = replace(found, key=to)
        store.save(replace(state, experiments=rest), expected_serial=state.serial)
    say(f"{old} is {new} now")
    return 0


@command.command("unlock")
@click.option("--force", is_flag=True, help="Also when the owner may still live, on a machine that cannot be asked.")
@click.pass_context
def unlock(ctx: click.Context, force: bool) -> int:
    """Remove the lock that a dead run left; refuses while its owner lives or may live, and names it."""
    say(_store(ctx).unlock(force=force) or "nothing is locked")
    return 0


@command.command("log")
@click.argument("key", required=False, shell_complete=complete_managed_key)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many runs (default: 20).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.pass_context
def log(ctx: click.Context, key: str | None, limit: int, form: str) -> int:
    """
    Show who applied what and when, the newest run first; with KEY only the runs that concern that experiment.

    Read from the audit records, which are kept beside the state: run, user, commit, plan, calls with their answers.
    """
    from reconciler.audit import runs_of, touches
    from reconciler.cli.watching import audit_path
    from reconciler.report.audit_text import audit_text

    wanted = str(parsed_keys((key,))[0]) if key else ""
    store = _store(ctx)
    path = audit_path(store, ctx.obj["project"])
    files = [path, path.with_name(path.name + ".1")]
    try:
        kept = [each.read_bytes() for each in files if each.is_file() and not each.is_symlink()]
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}") from None
    there = getattr(store, "records", None)
    if there is not None:  # two commits for a run where it is git; with a key, older runs have to be looked through
        kept += there(10_000 if wanted else 2 * limit)
    runs = [lines for lines in runs_of(kept) if not wanted or touches(lines, wanted)][:limit]
    if form == "json":
        out_json(runs)
    elif runs:
        out(audit_text(runs, wanted))
    else:
        say(f"no apply{f' of {wanted}' if wanted else ''} is recorded")
    return 0


for transfer in (pull, push, migrate):
    command.add_command(transfer)


def _store(ctx: click.Context) -> Store:
    store: Store = ctx.obj["store"]
    return store


def _record(state: State, text: str) -> Record:
    from reconciler.known import unknown_key

    (key,) = parsed_keys((text,))
    if key not in state.experiments:
        raise unknown_key(text, [str(known) for known in state.experiments])
    return state.experiments[key]


def _owner(words: str) -> Owner:
    from reconciler.state.owner import owner_of

    return owner_of(os.environ, command=f"reconciler {words}", now=now())
