"""Reads `reconciler.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.errors import InvalidInput, UsageProblem
from reconciler.manifests.discover import PROJECT_FILE
from reconciler.manifests.document import Document
from reconciler.manifests.load import load_file
from reconciler.manifests.template.scope import Scope
from reconciler.manifests.words import plain, shown
from reconciler.model.diagnostic import Diagnostic, PathTuple, Severity
from reconciler.platforms.session import Platform
from reconciler.project.environments import chosen, effective
from reconciler.project.environments import problems as environment_problems
from reconciler.project.project import Connection, Guards, Project
from reconciler.project.variables import NOTHING_GIVEN, Given, scope_of
from reconciler.project.variables import problems as variable_problems
from reconciler.state.place import DEFAULT_LOCK_S, Place, seconds_of

if TYPE_CHECKING:
    from reconciler.project.schema import ProjectEntry, StateEntry


def load_project(
    directory: str | Path,
    env: str | None = None,
    platforms: Sequence[Platform] | None = None,
    given: Given = NOTHING_GIVEN,
) -> Project:
    """
    Read the project of a folder.

    `env` names an environment, None takes the default one. `platforms` are those that connections may use, by default
    all there are; `given` are the variables of the command line. Raises UsageProblem when there is no project file, no
    such environment, or several and none is the default, and InvalidInput with everything that is wrong in the file.
    """
    project, problems = read_project(directory, env, platforms, given)
    if project is None:
        raise InvalidInput(problems)
    return project


def read_project(
    directory: str | Path,
    env: str | None = None,
    platforms: Sequence[Platform] | None = None,
    given: Given = NOTHING_GIVEN,
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """
    Read the project of a folder; gives it, or None and everything that is wrong in the file, in every environment.

    Raises UsageProblem when there is no project file, no such environment, or several and none is the default, and
    what `scope_of` raises for `given`.
    """
    folder = Path(directory).absolute()
    path = folder / PROJECT_FILE
    if not path.exists():
        raise UsageProblem(f"there is no {PROJECT_FILE} in {plain(str(folder), 300)}; `reconciler init` writes one")
    if platforms is None:
        from reconciler.platforms.registry import PLATFORMS

        platforms = PLATFORMS
    loaded = load_file(path, PROJECT_FILE, quiet=True)
    problems = list(loaded.diagnostics)
    for document in loaded.documents[1:]:
        problems.append(Diagnostic(Severity.ERROR, document.location, "the project file is one document, not several"))
    if not loaded.documents:
        return None, tuple(problems)
    document = loaded.documents[0]
    known = {platform.name: platform for platform in platforms}
    found = _read(document, known, problems)
    if problems:
        return None, tuple(dict.fromkeys(problems))
    environment = chosen(document.value.get("environments") or {}, env)
    scope = scope_of(document, environment, given)
    entry, where = found[environment]
    return _project(entry, where, folder, known, environment, scope), ()


_Found: TypeAlias = "dict[str | None, tuple[ProjectEntry, Document]]"


def _read(document: Document, platforms: dict[str, Platform], problems: list[Diagnostic]) -> _Found:
    """Give what the file says in each of its environments, or, under None, of a file without any."""
    from pydantic import ValidationError

    from reconciler.project import rules
    from reconciler.project.schema import ProjectEntry
    from reconciler.validate.schema_errors import diagnostics

    if not isinstance(document.value, dict):
        told = shown(document.value) if isinstance(document.value, (list, dict)) else "a single value"
        problems.append(
            Diagnostic(Severity.ERROR, document.location, f"the project file is a mapping of keys; found {told}")
        )
        return {}
    problems += rules.credential_problems(document, platforms)
    problems += environment_problems(document)
    problems += variable_problems(document)
    try:
        whole = ProjectEntry.model_validate(document.value)
    except ValidationError as error:
        problems += diagnostics(error, document, ProjectEntry, hidden=_may_be_secret)
        problems += rules.problems(_sound_part(document.value), document, platforms)
        return {}
    problems += rules.kind_problems(whole, document, platforms)
    out: _Found = {}
    for name in document.value.get("environments") or (None,):
        effect = effective(document, name, platforms)
        try:
            entry = ProjectEntry.model_validate(effect.value)
        except ValidationError as error:
            problems += diagnostics(error, effect.document, ProjectEntry, hidden=_may_be_secret)
            continue
        problems += rules.problems(entry, effect.document, platforms)
        out[name] = (entry, effect.document)
    return out


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
    if path[:1] == ("environments",):
        path = path[2:]
    return path[:1] == ("connections",) and not {*path[2:3]} & {"platform", "api_version", "accounts", "refresh"}


def _project(
    entry: ProjectEntry,
    document: Document,
    folder: Path,
    platforms: dict[str, Platform],
    environment: str | None,
    scope: Scope,
) -> Project:
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
            refresh=given.refresh or "full",
        )
    guards = entry.guards
    return Project(
        dir=folder,
        file=PROJECT_FILE,
        manifests=tuple(entry.manifests),
        connections=connections,
        state=_place(entry.state, folder, environment),
        guards=Guards(guards.maxDestroy, guards.maxDestroyPercent, guards.maxChangePercent),
        document=document,
        platforms=platforms,
        environment=environment,
        scope=scope,
        policies=tuple(document.value.get("policies") or ()),
    )


def _place(entry: StateEntry, folder: Path, environment: str | None) -> Place:
    return Place(
        backend=entry.backend,
        path=folder / entry.path,
        name=environment or "state",
        remote=entry.remote or "origin",
        ref=entry.ref or "",
        bucket=entry.bucket or "",
        prefix=entry.prefix or "",
        region=entry.region or "",
        endpoint=entry.endpoint or "",
        account=entry.account or "",
        lock_expires_s=seconds_of(entry.lock_expires) if entry.lock_expires else DEFAULT_LOCK_S,
    )
