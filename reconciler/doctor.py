"""
The doctor: looks at project, manifests, state and every connection, and says of each thing whether it works.

A check never stops the others; what cannot be looked at because of something before it is told as skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.errors import InvalidInput, Locked, ReconcilerError
from reconciler.model.examination import Examination, Grade, ProbeLine, Section
from reconciler.platforms.base import Kind
from reconciler.platforms.probe import UNSEEN, Probe
from reconciler.platforms.session import ConnectionSettings
from reconciler.project import Project
from reconciler.project.project import Connection
from reconciler.state.owner import Owner
from reconciler.state.store import Store
from reconciler.validate.check import in_order
from reconciler.validate.validated import Validated, validate


class Noting(Mapping[str, str]):
    """An environment that remembers which of its variables were asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.asked: dict[str, None] = {}

    def __getitem__(self, name: str) -> str:
        self.asked[name] = None
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


@dataclass(frozen=True)
class Ways:
    """
    How the doctor gets at things.

    `settings` gives those of a connection, told which environment to read; `probe` the function that looks at a
    platform, by name. `owner` is who takes the lock for a moment, None when there is no state to lock yet.
    `emulated` says that no variable is needed.
    """

    kinds: Sequence[Kind]
    store: Store
    settings: Callable[[str, Mapping[str, str]], ConnectionSettings]
    probe: Callable[[str], Probe]
    environ: Mapping[str, str] = field(repr=False)
    owner: Owner | None = None
    emulated: bool = False


def broken_project(directory: str, error: ReconcilerError) -> Examination:
    """Give the examination of a folder whose project file cannot be used; nothing else can be looked at then."""
    return Examination((Section("project", directory, tuple(_broken(error))),))


async def examine(project: Project, ways: Ways, found: Validated | None = None) -> Examination:
    """Look at everything; connections are looked at beside each other. Never raises ReconcilerError."""
    checked = found or validate(project, ways.kinds)
    environment = f" (environment {project.environment})" if project.environment else ""
    own = (_file_line(project), _manifest_line(checked), *_state_lines(ways))
    connections = await asyncio.gather(
        *(_connection(item, ways, _accounts(checked, item, ways)) for item in project.connections.values())
    )
    return Examination((Section("project", f"{project.dir}{environment}", own), *connections))


# --- the project ---------------------------------------------------------------------------------------------------


def _broken(error: ReconcilerError) -> Iterator[ProbeLine]:
    if not isinstance(error, InvalidInput):
        advice = "" if "reconciler init" in str(error) else "correct the command line, or see reconciler --help"
        yield ProbeLine("project file", Grade.FAILED, str(error), advice)
        return
    for item in in_order(error.diagnostics):
        grade = Grade.FAILED if item.severity.value == "error" else Grade.WARNING
        yield ProbeLine("project file", grade, f"{item.location}: {item.message}", item.hint)


def _file_line(project: Project) -> ProbeLine:
    count = len(project.connections)
    if not count:
        advice = f"add a connection to {project.file}; reconciler init shows what one looks like"
        return ProbeLine("project file", Grade.WARNING, f"{project.file} names no connection", advice)
    return ProbeLine("project file", Grade.OK, f"{project.file}, {_counted(count, 'connection')}")


def _manifest_line(found: Validated) -> ProbeLine:
    errors = len(found.errors)
    warnings = len(found.diagnostics) - errors
    if errors:
        first = found.errors[0]
        words = f"{_counted(errors, 'error')}, the first: {first.location}: {first.message}"
        return ProbeLine("manifests", Grade.FAILED, words, "see all with: reconciler validate")
    words = f"{_counted(len(found.desired), 'experiment')}, valid"
    if warnings:
        advice = "see them with: reconciler validate"
        return ProbeLine("manifests", Grade.WARNING, f"{words}, with {_counted(warnings, 'warning')}", advice)
    return ProbeLine("manifests", Grade.OK, words)


def _state_lines(ways: Ways) -> Iterator[ProbeLine]:
    try:
        managed = len(ways.store.read().experiments)
    except ReconcilerError as error:
        yield ProbeLine("state", Grade.FAILED, str(error), "restore the state file from a copy, or import anew")
        return
    yield ProbeLine("state", Grade.OK, f"{_counted(managed, 'experiment')} managed")
    if ways.owner is None:
        return
    try:
        with ways.store.lock(ways.owner):
            pass
    except Locked as error:
        yield ProbeLine("lock", Grade.WARNING, str(error), "plan and drift work; apply waits with --lock-timeout")
    except ReconcilerError as error:
        yield ProbeLine("lock", Grade.FAILED, str(error), "make the folder of the state writable")
    else:
        yield ProbeLine("lock", Grade.OK, "free")


# --- connections ---------------------------------------------------------------------------------------------------


async def _connection(connection: Connection, ways: Ways, accounts: Sequence[str]) -> Section:
    environ = Noting(ways.environ)
    try:
        settings = ways.settings(connection.name, environ)
    except ReconcilerError as error:
        lines: tuple[ProbeLine, ...] = tuple(_missing(error, environ))
        return Section(f"connection {connection.name}", f"{connection.platform}, {connection.base_url}", lines)
    known = tuple(dict.fromkeys((*settings.accounts, *accounts)))
    detail = f"{connection.platform}, {settings.base_url}, version {settings.api_version}"
    try:
        seen = await ways.probe(connection.platform)(replace(settings, accounts=known))
    except ReconcilerError as error:  # credentials of a shape that cannot work, a key that is none
        advice = f"correct connections.{connection.name}.auth"
        seen = (ProbeLine("credentials", Grade.FAILED, str(error), advice),)
    return Section(f"connection {connection.name}", detail, (_variables(environ, ways.emulated), *seen))


def _variables(environ: Noting, emulated: bool) -> ProbeLine:
    if emulated:
        return ProbeLine("variables", Grade.OK, "none needed: the embedded platforms")
    there = [name for name in environ.asked if name in environ]
    return ProbeLine("variables", Grade.OK, f"{', '.join(there)} set" if there else "none needed")


def _missing(error: ReconcilerError, environ: Noting) -> Iterator[ProbeLine]:
    """Give one line on all variables that are missing, and one for each other thing that is wrong."""
    names = [name for name in environ.asked if not environ.get(name)]
    others = [text for text in str(error).splitlines() if not any(f"environment variable {n}," in text for n in names)]
    if len(others) < len(str(error).splitlines()):
        words = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not set"
        yield ProbeLine("variables", Grade.FAILED, words, "set in this shell (export), or as secrets of the CI job")
    for sentence in others:
        yield ProbeLine("variables", Grade.FAILED, sentence, "correct it in the project file, or in the variable")
    for subject in ("reachable", "credentials", "role", "clock"):
        yield ProbeLine(subject, Grade.SKIPPED, UNSEEN)


def _accounts(found: Validated, connection: Connection, ways: Ways) -> tuple[str, ...]:
    """Give the accounts that the valid manifests of a connection name."""
    fields = {kind.name: kind.account_field for kind in ways.kinds}
    named = (
        item.spec.get(str(fields.get(item.key.kind)))
        for item in found.desired.values()
        if item.connection == connection.name
    )
    return tuple(dict.fromkeys(str(account) for account in named if account))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
