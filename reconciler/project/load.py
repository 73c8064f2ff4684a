"""Reads `reconciler.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import InvalidInput, UsageProblem
from reconciler.manifests.discover import PROJECT_FILE
from reconciler.manifests.document import Document
from reconciler.manifests.load import load_file
from reconciler.manifests.words import plain, shown
from reconciler.model.diagnostic import Diagnostic, PathTuple, Severity
from reconciler.platforms.base import Platform
from reconciler.project.project import Connection, Guards, Project, State

if TYPE_CHECKING:
    from reconciler.project.schema import ProjectEntry


def load_project(directory: str | Path, env: str | None = None, platforms: Sequence[Platform] | None = None) -> Project:
    """
    Read the project of a folder.

    `platforms` are those that connections may use, by default all there are. Raises UsageProblem when there is no
    project file or no such environment, and InvalidInput with everything that is wrong in the file.
    """
    project, problems = read_project(directory, env, platforms)
    if project is None:
        raise InvalidInput(problems)
    return project


def read_project(
    directory: str | Path, env: str | None = None, platforms: Sequence[Platform] | None = None
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """
    Read the project of a folder; gives it, or None and everything that is wrong in the file.

    Raises UsageProblem when there is no project file or no such environment.
    """
    folder = Path(directory).absolute()
    path = folder / PROJECT_FILE
    if not path.exists():
        raise UsageProblem(f"there is no {PROJECT_FILE} in {plain(str(folder), 300)}; `reconciler init` writes one")
    if env is not None:
        raise UsageProblem(f'{PROJECT_FILE} names no environments, so there is no "{plain(env)}" for --env to choose')
    if platforms is None:
        from reconciler.platforms.registry import PLATFORMS

        platforms = PLATFORMS
    loaded = load_file(path, PROJECT_FILE, quiet=True)
    problems = list(loaded.diagnostics)
    project = None
    for document in loaded.documents[1:]:
        problems.append(Diagnostic(Severity.ERROR, document.location, "the project file is one document, not several"))
    if loaded.documents:
        project = _read(loaded.documents[0], folder, {platform.name: platform for platform in platforms}, problems)
    return (None if problems else project), tuple(problems)


def _read(
    document: Document, folder: Path, platforms: dict[str, Platform], problems: list[Diagnostic]
) -> Project | None:
    from pydantic import ValidationError

    from reconciler.project.rules import problems as broken_rules
    from reconciler.project.schema import ProjectEntry
    from reconciler.validate.schema_errors import diagnostics

    if not isinstance(document.value, dict):
        found = shown(document.value) if isinstance(document.value, (list, dict)) else "a single value"
        problems.append(
            Diagnostic(Severity.ERROR, document.location, f"the project file is a mapping of keys; found {found}")
        )
        return None
    try:
        entry = ProjectEntry.model_validate(document.value)
    except ValidationError as error:
        problems += diagnostics(error, document, ProjectEntry, hidden=_may_be_secret)
        problems += broken_rules(_sound_part(document.value), document, platforms)
        return None
    problems += broken_rules(entry, document, platforms)
    return None if problems else _project(entry, document, folder, platforms)


def _sound_part(value: dict[str, Any]) -> ProjectEntry:
    """Give what can be read of a file that has mistakes, so that one mistake does not hide the others."""
    from pydantic import ValidationError

    from reconciler.project.schema import ProjectEntry

    sound: dict[str, Any] = {"version": 1}
    connections = value.get("connections")
    parts: list[dict[str, Any]] = [{key: value[key]} for key in value if key != "connections"]
    if isinstance(connections, dict):
        parts += [{"connections": {name: entry}} for name, entry in connections.items()]
    for part in parts:
        try:
            ProjectEntry.model_validate({"version": 1, **part})
        except ValidationError:
            continue
        sound["connections"] = {**sound.get("connections", {}), **part.pop("connections", {})}
        sound.update(part)
    return ProjectEntry.model_validate(sound)


def _may_be_secret(path: PathTuple) -> bool:
    """Tell whether a value at a path may be a credential: anything in a connection but what never is one."""
    return path[:1] == ("connections",) and path[2:3] not in (("platform",), ("api_version",), ("accounts",))


def _project(entry: ProjectEntry, document: Document, folder: Path, platforms: dict[str, Platform]) -> Project:
    connections = {}
    for name, given in entry.connections.items():
        platform = platforms[given.platform]
        connections[name] = Connection(
            name=name,
            platform=given.platform,
            base_url=given.base_url or platform.default_base_url or "",
            api_version=given.api_version or platform.default_api_version,
            accounts=tuple(given.accounts),
            auth=dict(given.auth or {}),
        )
    guards = entry.guards
    return Project(
        dir=folder,
        file=PROJECT_FILE,
        manifests=tuple(entry.manifests),
        connections=connections,
        state=State(entry.state.backend, folder / entry.state.path),
        guards=Guards(guards.maxDestroy, guards.maxDestroyPercent, guards.maxChangePercent),
        document=document,
        platforms=platforms,
    )
