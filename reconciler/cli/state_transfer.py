"""`reconciler state pull`, `push` and `migrate`: the whole state to a file, from a file, and to another backend."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import now, out, out_json, say
from reconciler.errors import ReconcilerError, StateProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.project import Project
    from reconciler.state.owner import Owner
    from reconciler.state.store import State, Store


lock_option = click.option(
    "--lock-timeout", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait for another run."
)


@click.command("pull")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_context
def pull(ctx: click.Context, file: Path | None) -> int:
    """
    Print the whole state as JSON, or write it to FILE.

    What a run that was killed left in its journal is in it.
    """
    from reconciler.state.text import state_text

    store: Store = ctx.obj["store"]
    state = store.read()
    if not state.lineage:
        raise StateProblem("there is no state yet: nothing was ever applied or imported")
    text = state_text(state)
    if file is None:
        out_json(json.loads(text))
        return 0
    _write_new(file, text)
    say(f"serial {state.serial}, {_counted(state)}, written to {file}")
    return 0


@click.command("push")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Also an older state, or one of another project.")
@lock_option
@click.pass_context
def push(ctx: click.Context, file: Path, force: bool, lock_timeout: float) -> int:
    """
    Put the state of FILE (`-`: standard input) in the place of the one there is.

    It has to be of the same lineage and no older: otherwise somebody has saved since it was pulled. What was there is
    kept beside the project.
    """
    from reconciler.state.store import State
    from reconciler.state.text import read_state

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror or error}") from None
    pushed = read_state(content, str(file), "pull it again with: reconciler state pull FILE")
    store: Store = ctx.obj["store"]
    with store.lock(_owner("state push"), lock_timeout):
        before = store.read()
        if before.lineage and not force:
            _check_fits(before, pushed)
        if before.lineage:
            say(f"the state that was there is kept in {_kept(ctx.obj['project'], before)}")
        serial = max(pushed.serial, before.serial + 1) if before.lineage else pushed.serial
        saved = store.restore(State(pushed.lineage, serial, pushed.experiments), expected_serial=before.serial)
    say(f"the state is that of {file} now: serial {saved.serial}, {_counted(saved)}")
    return 0


@click.command("migrate")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="PLACE",
    help="file:PATH, git, git:REF, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX.",
)
@lock_option
@click.pass_context
def migrate(ctx: click.Context, target: str, lock_timeout: float) -> int:
    """
    Copy the state to another place, and say what to write into reconciler.yaml.

    Both places are locked meanwhile, the copy is read back and compared, and the old one stays as it is.
    """
    from reconciler.state.backends import open_store
    from reconciler.state.place import place_of, settings_of

    project: Project = ctx.obj["project"]
    if ctx.obj["emulated"]:
        raise UsageProblem("the state of the embedded platforms stays in its file; migrate without --emulator")
    place = place_of(target, project.state, project.dir)
    if place == project.state:
        raise UsageProblem("the state is kept there already")
    source: Store = ctx.obj["store"]
    there = open_store(place, project.dir, os.environ)
    owner = _owner("state migrate")
    with source.lock(owner, lock_timeout), there.lock(owner, lock_timeout):
        state, before = source.read(), there.read()
        if not state.lineage:
            raise StateProblem("there is no state yet to migrate: just name the new place in reconciler.yaml")
        if before.lineage and before.lineage != state.lineage:
            raise StateProblem(f"{target} holds the state of another project (its lineage differs); nothing was copied")
        if before.serial > state.serial:
            raise StateProblem(
                f"{target} holds a newer state, serial {before.serial}, than this project's place, serial "
                f"{state.serial}; nothing was copied"
            )
        if before != state:
            there.restore(state, expected_serial=before.serial)
        if open_store(place, project.dir, os.environ).read() != state:
            raise StateProblem(f"what {target} gives back is not what was written; the old state is untouched")
    settings = ", ".join(f"{name}: {value}" for name, value in settings_of(place, project.dir).items())
    inside = f"environments.{project.environment}.state" if project.environment else "state"
    say(f"copied and read back: serial {state.serial}, {_counted(state)}")
    say(f"now write into {project.file}, as {inside}:")
    out(f"state: {{{settings}}}\n")
    say("until that is merged every run uses the old place; the state there stays as it is and can be removed then")
    return 0


def _check_fits(before: State, pushed: State) -> None:
    if pushed.lineage != before.lineage:
        raise StateProblem(
            f"the file is the state of another project: its lineage is {pushed.lineage}, here it is {before.lineage}; "
            "nothing was written (--force does it all the same)"
        )
    if pushed.serial < before.serial:
        raise StateProblem(
            f"the file is older: it is of serial {pushed.serial}, and the state is at {before.serial} by now; pull "
            "again and repeat the change; nothing was written (--force does it all the same)"
        )


def _kept(project: Project, state: State) -> Path:
    """Write a state that is about to be replaced beside the project, and give where."""
    from reconciler.state.text import state_text

    name = f"{project.state.name}-{state.lineage[:8]}-serial-{state.serial}"
    folder = project.dir / ".reconciler" / "replaced"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        path = folder / f"{name}{'' if number == 1 else f'-{number}'}.json"
        if not path.exists():
            _write_new(path, state_text(state))
            return path
    raise StateProblem(f"{folder} is full of states that were replaced; tidy it up")


def _write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UsageProblem(f"{path} exists already and is not written over") from None
    except OSError as error:
        raise ReconcilerError(f"{path} cannot be written: {error.strerror or error}") from None


def _counted(state: State) -> str:
    count = len(state.experiments)
    return f"{count:,} experiment{'' if count == 1 else 's'}"


def _owner(words: str) -> Owner:
    from reconciler.state.owner import owner_of

    return owner_of(os.environ, command=f"reconciler {words}", now=now())
