"""
What a worker does: read some ad accounts of one connection, and give back what it found.

A task changes nothing, so it can be run again elsewhere when its worker is lost. It takes credentials from the worker's
own environment: a job holds the project file's `${NAME}`, never a value. It raises nothing, as what a task raises is
logged with its arguments; what went wrong is part of what it gives back.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from reconciler.errors import ReconcilerError
from reconciler.model.budget import Quota
from reconciler.model.diagnostic import Location, PathTuple
from reconciler.model.resource import NOWHERE, Desired
from reconciler.platforms.registry import PLATFORMS, platform_by_name
from reconciler.platforms.session import ReadRequest, Session
from reconciler.project.project import Connection, Guards, Project
from reconciler.reading import Sessions, Sides, read_from
from reconciler.state.place import Place


@dataclass(frozen=True)
class Job:
    """
    What to read of one connection, and how to reach it; goes over the wire.

    `connection` is as the project file has it. `base_url` and `auth` stand in for it where platforms are emulated.
    """

    connection: Connection
    request: ReadRequest = field(repr=False)
    project_dir: Path
    project_file: str
    max_wait_s: float
    version: str
    base_url: str | None = None
    auth: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Done:
    """What a worker found; `failure` says why it could not even begin. `told` are sentences for a person."""

    sides: Sides = field(default_factory=Sides, repr=False)
    told: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    failure: str = ""


def own_version() -> str:
    """Give the version of this tool."""
    return version("reconciler")


def read_part(job: Job) -> Done:
    """Read what a job asks for; runs on a worker."""
    if job.version != own_version():
        return Done(failure=f"a worker has reconciler {own_version()}, this is {job.version}: install the same on all")
    told: list[str] = []
    quotas: dict[tuple[str, str], Quota] = {}

    def note(quota: Quota) -> None:
        quotas[quota.connection, quota.what] = quota

    def open_session(name: str) -> Session:
        from platformdirs import user_cache_dir

        settings = _project(job).settings(name, os.environ, base_url=job.base_url, auth=job.auth)
        cache = user_cache_dir("reconciler")
        given = replace(
            settings, max_wait_s=job.max_wait_s, cache_dir=cache, announce=told.append, observe=note, trace=None
        )
        return platform_by_name(job.connection.platform).connect(given)

    async def read() -> Sides:
        sessions = Sessions(open_session)
        try:
            return await read_from(sessions, {job.connection.name: job.request})
        finally:
            await sessions.close()

    try:
        sides = asyncio.run(read())
    except ReconcilerError as error:
        return Done(failure=f"on a worker: {error}")
    return Done(sides, tuple(told), tuple(quotas.values()))


def _project(job: Job) -> Project:
    """Give a project of the one connection: all that its settings are read from."""
    return Project(
        dir=job.project_dir,
        file=job.project_file,
        manifests=(),
        connections={job.connection.name: job.connection},
        state=Place("file", job.project_dir / "state.json"),
        guards=Guards(),
        platforms={platform.name: platform for platform in PLATFORMS},
    )


def _nowhere(path: PathTuple) -> Location:
    return NOWHERE


def plain(desired: Desired) -> Desired:
    """Give what is wanted without its place in a file, which a read does not ask for and which does not travel."""
    return replace(desired, labels={}, location=NOWHERE, locate=_nowhere)
