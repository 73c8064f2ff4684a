"""What the commands share: output, how an error is shown, the project, and the surroundings that a run works in."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.options import given_variables
from reconciler.cli.watching import watch_of_run
from reconciler.errors import InvalidInput, PlatformError, ReconcilerError

if TYPE_CHECKING:
    from reconciler.ahead import Ahead
    from reconciler.emulator.serve import EmulatorServer
    from reconciler.platforms.session import Session
    from reconciler.project import Project
    from reconciler.report.style import Style
    from reconciler.state.store import Store
    from reconciler.validate.validated import Validated
    from reconciler.workflow import Surroundings

T = TypeVar("T")
EXIT_CHANGES = 2
EXIT_BLOCKED = 3
PLAN_KEY = "RECONCILER_PLAN_KEY"
"""The environment variable of the key that saved plans are signed with, where one is wanted."""


# --- output ----------------------------------------------------------------------------------------------------------


def out(text: str) -> None:
    """Write data to standard output."""
    click.echo(text, nl=not text.endswith("\n"), color=True)


def say(sentence: str) -> None:
    """Write progress, a warning or a note to standard error, made safe for a terminal."""
    from reconciler.report.clean import clean

    click.echo("\n".join(clean(line) for line in sentence.split("\n")), err=True)


def out_json(value: Any) -> None:
    """Write a JSON document to standard output, which may be a terminal."""
    from reconciler.report.clean import clean_json

    out(clean_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def style_of(stream: Any) -> Style:
    """Give colours for a terminal that wants them: NO_COLOR and TERM=dumb switch them off, FORCE_COLOR on."""
    from reconciler.report.style import Style

    if os.environ.get("NO_COLOR"):
        return Style()
    if os.environ.get("FORCE_COLOR"):
        return Style(colour=True)
    return Style(colour=bool(stream.isatty()) and os.environ.get("TERM") != "dumb")


def show_error(error: ReconcilerError) -> None:
    """Write an error as a person should read it; every diagnostic of a run comes out together."""
    if isinstance(error, InvalidInput):
        from reconciler.report.diagnostics_text import diagnostics_text

        click.echo(diagnostics_text(error.diagnostics, style_of(sys.stderr)), err=True, nl=False)
        return
    where = f"connection {error.connection}: " if isinstance(error, PlatformError) and error.connection else ""
    say(f"error: {where}{error}")


# --- the project -----------------------------------------------------------------------------------------------------


def now() -> datetime:
    """Give the time, aware UTC."""
    return datetime.now(UTC)


def project_of(ctx: click.Context, environment: str | None = None) -> Project:
    """Give the project of the folder that the command runs in; `environment` is taken where --env says nothing."""
    from reconciler.project import load_project

    asked = ctx.obj["environment"]
    return load_project(Path.cwd(), environment if asked is None else asked, given=given_variables(ctx))


def validated(project: Project, paths: tuple[str, ...] = (), early: Ahead | None = None) -> Validated:
    """
    Give the manifests of a project; raises InvalidInput with everything wrong, says the warnings otherwise.

    With `early`, reads of platforms begin meanwhile.
    """
    from reconciler.report.diagnostics_text import diagnostics_text

    found = manifests_of(project, paths, early).checked()
    if found.diagnostics:
        click.echo(diagnostics_text(found.diagnostics, style_of(sys.stderr)), err=True, nl=False)
    return found


def manifests_of(project: Project, paths: tuple[str, ...] = (), early: Ahead | None = None) -> Validated:
    """Give the manifests of a project and every problem of them; what has not changed is taken from the last time."""
    from reconciler.platforms.registry import KINDS
    from reconciler.project.project import NO_CACHE
    from reconciler.validate.manifest_cache import ManifestCache
    from reconciler.validate.validated import validate

    cache = ManifestCache.of_project(Path(_cache_dir()), project.dir, project.environment)
    kept = None if os.environ.get(NO_CACHE) else cache
    return validate(project, KINDS, paths, kept, early.begin if early is not None else lambda files: None)


@contextmanager
def reading_ahead(project: Project, *, apart: bool) -> Iterator[Ahead | None]:
    """
    Let reads of platforms begin as soon as the files of manifests are counted.

    Nothing begins early where reads are done elsewhere or of a part only (`apart`), or are logged as they happen.
    """
    if apart or watch_of_run(say).trace is not None:
        yield None
        return
    from reconciler.ahead import Ahead

    early = Ahead(project, lambda: store_of(project, emulated=False), _cache_dir())
    try:
        yield early
    finally:
        early.close()


def expanded_text(found: Validated) -> str:
    """Give the manifests as they are meant, as YAML."""
    from reconciler.manifests.layout.order import order_of
    from reconciler.manifests.show import shown_documents
    from reconciler.platforms.registry import KINDS

    orders = {kind.name: order_of(row.path for row in kind.fields) for kind in KINDS}
    return shown_documents(found.expanded(), orders)


@dataclass
class Stop:
    """Whether a person has asked the run to stop: the first Ctrl-C asks, the second breaks off."""

    asked: bool = False

    def __call__(self) -> bool:
        return self.asked


@contextmanager
def surroundings(
    project: Project, *, emulated: bool, max_wait_s: float = 900.0, found: Validated | None = None
) -> Iterator[Surroundings]:
    """
    Give what the use cases are handed; with `emulated` the embedded platforms run for the length of the block.

    `found` are the manifests: the embedded platforms are given the accounts and campaigns that they speak of. Time is
    then theirs too, so that days can pass for a rehearsal.
    """
    from reconciler.platforms.registry import KINDS, platform_by_name
    from reconciler.workflow import ProjectKinds, Surroundings

    watch = watch_of_run(say)
    watch.begin(project)
    server: EmulatorServer | None = None
    if emulated:
        from reconciler.cli.emulated import embedded

        server = embedded(project, found)
        server.__enter__()

    def announce(sentence: str) -> None:
        around.warn(sentence)

    def open_session(name: str) -> Session:
        platform = platform_by_name(project.connection(name).platform)
        if server is not None:
            from reconciler.cli.emulated import CREDENTIALS

            settings = project.settings(
                name, os.environ, base_url=server.base_url(platform.name), auth=CREDENTIALS[platform.name]
            )
        else:
            settings = project.settings(name, os.environ)
        watch.learn(settings.auth)
        return platform.connect(
            replace(
                settings,
                max_wait_s=max_wait_s,
                cache_dir=_cache_dir(),
                announce=announce,
                trace=watch.trace,
                observe=lambda quota: around.note(quota),
            )
        )

    around = Surroundings(
        project=project,
        kinds=ProjectKinds(
            {kind.name: kind for kind in KINDS},
            {name: connection.api_version for name, connection in project.connections.items()},
        ),
        store=store_of(project, emulated=emulated),
        open_session=open_session,
        now=server.world.now if server is not None else now,
        warn=say,
        spans=watch.spans,
        accounts_of=accounts_reader(project),
        emulated=_emulated(server),
    )
    try:
        yield around
    finally:
        watch.close()
        if server is not None:
            server.stop()


def _emulated(server: EmulatorServer | None) -> dict[str, tuple[str, Mapping[str, str]]]:
    if server is None:
        return {}
    from reconciler.cli.emulated import CREDENTIALS

    return {name: (server.base_url(name), auth) for name, auth in CREDENTIALS.items()}


async def on_cluster(address: str | None, around: Surroundings, max_wait_s: float, work: Coroutine[Any, Any, T]) -> T:
    """Run a use case, its reads on a cluster where one is given."""
    if address is None:
        return await work
    from reconciler.cluster.coordinator import cluster_reader

    try:
        async with cluster_reader(address, around, max_wait_s):
            return await work
    finally:
        work.close()


def accounts_reader(project: Project) -> Callable[[str], Sequence[str]]:
    """Give a reader of a connection's accounts, their variables filled in; no secret is read for it."""
    return lambda name: project.settings(name, os.environ, base_url="http://127.0.0.1", auth={}).accounts


def emulated_state(project: Project) -> Path:
    """Give where the embedded platforms' own state is kept: it never mixes with that of the real ones."""
    return emulated_folder(project.dir, project.environment) / "state.json"


def emulated_folder(project_dir: Path, environment: str | None) -> Path:
    """Give the folder of a project's embedded platforms: every environment has its own."""
    folder = project_dir / ".reconciler" / "emulator"
    return folder if environment is None else folder / environment


def store_of(project: Project, *, emulated: bool) -> Store:
    """Give the store of a project's state, or of that of its embedded platforms."""
    from reconciler.state.backends import open_store
    from reconciler.state.place import Place

    place = Place("file", emulated_state(project)) if emulated else project.state
    return open_store(place, project.dir, os.environ)


def _cache_dir() -> str:
    from platformdirs import user_cache_dir

    return user_cache_dir("reconciler")


def run(work: Coroutine[Any, Any, T], stop: Stop | None = None) -> T:
    """
    Run a use case to its end.

    With `stop`, the first interrupt (Ctrl-C or SIGTERM) asks it to finish the calls in flight and no more; the second
    breaks it off.
    """

    import asyncio

    async def guarded() -> T:
        if stop is None:
            return await work
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)

        def interrupted() -> None:
            if stop.asked:
                task.cancel()
                return
            stop.asked = True
            say("stopping: the calls in flight are finished and recorded, then the run ends (again: break off)")

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted)
        try:
            return await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(guarded())
