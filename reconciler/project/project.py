"""A project as the commands know it, and how one of its connections gets its secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcilerError, UsageProblem
from reconciler.manifests.document import Document
from reconciler.manifests.template.scope import Scope
from reconciler.manifests.words import nearest, plain
from reconciler.model.diagnostic import PathTuple, dotted
from reconciler.platforms.session import ConnectionSettings, Platform
from reconciler.project.addresses import address_problem
from reconciler.project.references import MissingVariable, resolved
from reconciler.project.rules import account_problem, token_problem
from reconciler.state.place import Place

MULTILINE = frozenset({"private_key"})
NO_CACHE = "RECONCILER_NO_CACHE"
"""The variable that, when set, lets nothing be taken from what earlier runs have kept."""


@dataclass(frozen=True)
class Connection:
    """One entry of `connections`, with the platform's defaults filled in and references not yet resolved."""

    name: str
    platform: str
    base_url: str
    api_version: str
    accounts: tuple[str, ...] = ()
    auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    refresh: str = "full"


@dataclass(frozen=True)
class Guards:
    """How much one run may destroy or change; None is no limit, percentages count from 10 managed experiments up."""

    max_destroy: int | None = 5
    max_destroy_percent: float | None = 30
    max_change_percent: float | None = None


@dataclass(frozen=True)
class Project:
    """
    One project. `dir` is absolute, `file` is what messages call the project file, `manifests` are its patterns.

    `environment` is the one that the command runs in, None for a project without any; `scope` is what its manifests
    may speak of. `policies` are as the file states them: their shape is right, their expressions have not been read.
    """

    dir: Path
    file: str
    manifests: tuple[str, ...]
    connections: Mapping[str, Connection]
    state: Place
    guards: Guards
    environment: str | None = None
    document: Document | None = field(default=None, repr=False, compare=False)
    platforms: Mapping[str, Platform] = field(default_factory=dict, repr=False, compare=False)
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)
    policies: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def connection(self, name: str) -> Connection:
        """Give a connection by name; raises UsageProblem naming those there are."""
        if name not in self.connections:
            meant = nearest(name, self.connections)
            there_are = f"there are {', '.join(self.connections)}" if self.connections else "there are none"
            more = f"did you mean {meant}?" if meant else there_are
            raise UsageProblem(f'there is no connection "{plain(name)}" in {self.file}; {more}')
        return self.connections[name]

    def settings(
        self,
        name: str,
        environ: Mapping[str, str],
        *,
        base_url: str | None = None,
        auth: Mapping[str, str] | None = None,
    ) -> ConnectionSettings:
        """
        Give a connection with every variable of it read from `environ`.

        With `base_url` or `auth` these take the place of the project file's (the emulator's, which need no variables;
        it is always read in full).
        Raises UsageProblem for an unknown name, and ReconcilerError with every variable that is missing or empty and
        every value that cannot be used; no message repeats a value.
        """
        connection = self.connection(name)
        reader = _Reader(self, connection, environ)
        url = base_url if base_url is not None else reader.address(("base_url",), connection.base_url)
        secrets = dict(auth) if auth is not None else dict(reader.auth())
        accounts = tuple(reader.accounts())
        if reader.problems:
            raise ReconcilerError("\n".join(dict.fromkeys(reader.problems)))
        return ConnectionSettings(
            name=name,
            platform=connection.platform,
            base_url=url.rstrip("/"),
            api_version=connection.api_version,
            accounts=accounts,
            auth=secrets,
            incremental=connection.refresh == "incremental" and base_url is None and not environ.get(NO_CACHE),
        )


class _Reader:
    """Reads the values of one connection and collects what is wrong with them."""

    def __init__(self, project: Project, connection: Connection, environ: Mapping[str, str]) -> None:
        self.project = project
        self.connection = connection
        self.environ = environ
        self.problems: list[str] = []

    def read(self, path: PathTuple, text: str) -> str:
        try:
            value = resolved(text, self.environ)
        except MissingVariable as missing:
            name = str(missing)
            how = "empty" if name in self.environ else "not set"
            self._say(path, f"needs the environment variable {name}, which is {how}")
            return ""
        return value.strip()

    def address(self, path: PathTuple, text: str) -> str:
        value = self.read(path, text)
        problem = address_problem(value) if value else None
        if problem:
            self._say(path, problem)
        return value

    def accounts(self) -> Iterator[str]:
        platform = self.project.platforms[self.connection.platform]
        for index, text in enumerate(self.connection.accounts):
            value = self.read(("accounts", index), text)
            if value and account_problem(value, platform):
                self._say(("accounts", index), f"is no account of {platform.title}")
            yield value

    def auth(self) -> Iterator[tuple[str, str]]:
        if not self.connection.auth:
            self._say(("auth",), "is missing; it says how to sign in")
        for key, text in self.connection.auth.items():
            path = ("auth", key)
            if key == "token_url":
                yield key, self.address(path, text)
                continue
            value = self.read(path, text)
            problem = token_problem(value) if key not in MULTILINE else None
            if problem:
                self._say(path, problem)
            yield key, str(self.project.dir / value) if key == "private_key_file" and value else value

    def _say(self, path: PathTuple, problem: str) -> None:
        name = self.connection.name
        where = self.project.file
        if self.project.document is not None:
            where = str(self.project.document.locate(("connections", name, *path)))
        self.problems.append(f"{where}: connection {plain(name)}: {plain(dotted(path))} {problem}")
