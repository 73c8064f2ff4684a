"""
One project file, several environments: which one a command runs in, and what the file says for it.

What an environment states stands over the rest of the file: connections by name and key by key, guards key by key,
`manifests` whole. Its state is its own: nothing of `state.path` outside is taken over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.errors import UsageProblem
from reconciler.manifests.discover import PROJECT_FILE
from reconciler.manifests.document import Document, Node
from reconciler.manifests.layered import Layered, merged
from reconciler.manifests.words import nearest, plain
from reconciler.model.diagnostic import Diagnostic, PathTuple, Severity
from reconciler.platforms.session import Platform

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NOT_SELF_EVIDENT = frozenset({"emulator", "schemas"})
"""Folders of `.reconciler/` that have a meaning of their own."""
_OWN = ("path", "ref", "prefix")
"""The keys of `state` that say which one of a backend's places it is; none is taken over from outside."""


def state_path_of(name: str) -> str:
    """Give where an environment's state is kept when it does not say so itself, relative to the project's folder."""
    return f".reconciler/{name}/state.json"


def chosen(environments: Mapping[str, Any], asked: str | None) -> str | None:
    """
    Give the environment that a command runs in: the one asked for, or the one that is the default.

    Raises UsageProblem when there is no such one, or when there are some and none is the default.
    """
    names = list(environments)
    if asked is not None:
        if asked in environments:
            return asked
        if not names:
            raise UsageProblem(
                f'{PROJECT_FILE} names no environments, so there is no "{plain(asked)}" for --env to choose'
            )
        meant = nearest(asked, names)
        hint = f"did you mean {plain(meant)}? " if meant else ""
        raise UsageProblem(f'there is no environment "{plain(asked)}"; {hint}there are {_listed(names)}')
    if not names:
        return None
    default = [name for name, entry in environments.items() if isinstance(entry, dict) and entry.get("default") is True]
    if len(default) == 1:
        return default[0]
    raise UsageProblem(
        f"{PROJECT_FILE} has environments, so --env NAME has to say which one: {_listed(names)}; "
        "default: true in one of them makes it the one without --env"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(plain(name) for name in names)


@dataclass(frozen=True)
class Effective:
    """What the project file says in one environment, None for a file without any; `document` knows both places."""

    environment: str | None
    value: dict[str, Any]
    document: Document


def effective(document: Document, environment: str | None, platforms: Mapping[str, Platform]) -> Effective:
    """Give what the file says in an environment; `document.value` has to fit the file's shape."""
    base = {key: value for key, value in document.value.items() if key not in ("environments", "variables", "defaults")}
    if environment is None:
        return Effective(None, base, document)
    stated = document.value["environments"][environment] or {}
    value = dict(base)
    if stated.get("manifests") is not None:
        value["manifests"] = stated["manifests"]
    if isinstance(stated.get("guards"), dict):
        value["guards"] = {**(base.get("guards") or {}), **stated["guards"]}
    value["connections"] = _connections(base.get("connections") or {}, stated.get("connections") or {}, platforms)
    value["state"] = _state(base.get("state"), stated.get("state"), environment)
    node = document.root
    for step in ("environments", environment):
        children = node[2]
        node = children[step][2] if isinstance(children, dict) else node
    # One that states nothing is a mapping all the same: what stands below it is looked up further down.
    root: Node = node if isinstance(node[2], dict) else (node[0], node[1], {})
    return Effective(
        environment,
        value,
        Layered(document.file, 0, value, root, document.source, document.flaws, ((document, ()),)),
    )


def _state(base: Any, stated: Any, environment: str) -> dict[str, Any]:
    """Give where an environment keeps its state: as outside, but in a file, ref or folder of its own."""
    base = base if isinstance(base, dict) else {}
    stated = {key: given for key, given in stated.items() if given is not None} if isinstance(stated, dict) else {}
    usual = base.get("backend") or "file"
    backend = stated.get("backend") or usual
    taken = {key: given for key, given in base.items() if key not in _OWN} if backend == usual else {}
    if backend == "file":
        taken["path"] = state_path_of(environment)
    elif backend != "git":
        outside = base.get("prefix") if backend == usual else None
        taken["prefix"] = f"{outside}/{environment}" if outside else environment
    return {**taken, **stated, "backend": backend}


def _kept(state: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Give the places that a state and its lock take, as messages name them."""
    backend = state["backend"]
    if backend == "git":
        ref = f"{state.get('ref') or f'refs/reconciler/{name}'} of {state.get('remote') or 'origin'}"
        return (f"ref {ref}", f"ref {ref.replace(' of ', '-lock of ')}")
    if backend != "file":
        return (f"{state.get('account', '')} {backend} {state.get('bucket')}/{state.get('prefix')}".strip(),)
    path = state.get("path")
    return (f"file, {os.path.normpath(path if isinstance(path, str) and path else state_path_of(name))}",)


def _connections(
    base: Mapping[str, Any], stated: Mapping[str, Any], platforms: Mapping[str, Platform]
) -> dict[str, Any]:
    out = dict(base)
    for name, entry in stated.items():
        below = base.get(name)
        if not isinstance(below, dict) or not isinstance(entry, dict):
            out[name] = entry if entry is not None else below
            continue
        if entry.get("platform") not in (None, below.get("platform")):
            out[name] = entry  # another platform: nothing of the one below fits it
            continue
        out[name] = merged(below, entry)
        platform = platforms.get(str(out[name].get("platform")))
        if isinstance(entry.get("auth"), dict) and platform is not None:
            out[name]["auth"] = _auth(below.get("auth"), entry["auth"], platform)
    return out


def _auth(below: Any, stated: Mapping[str, Any], platform: Platform) -> Mapping[str, Any]:
    """Give credentials key by key, or, where that makes no set and the environment's own do, those alone."""
    both = {**below, **stated} if isinstance(below, dict) else dict(stated)
    return stated if not _fits(both, platform) and _fits(stated, platform) else both


def _fits(auth: Mapping[str, Any], platform: Platform) -> bool:
    return any(shape <= auth.keys() <= shape | platform.auth_optional for shape in platform.auth_shapes)


def problems(document: Document) -> list[Diagnostic]:
    """Give what is wrong with the environments of a file beyond the shape of each: names, defaults, shared states."""
    environments = document.value.get("environments")
    found: list[Diagnostic] = []
    defaults: list[str] = []
    paths: dict[str, str] = {}
    for name, entry in environments.items() if isinstance(environments, dict) else ():
        path: PathTuple = ("environments", name)
        shown = plain(name)
        if not _NAME.fullmatch(name):
            found.append(
                _error(
                    document, path, f'"{shown}" is no name of an environment', "use lower-case letters, digits, - and _"
                )
            )
        elif name in _NOT_SELF_EVIDENT:
            found.append(_error(document, path, f'an environment cannot be called "{shown}"', "choose another name"))
        entry = entry if isinstance(entry, dict) else {}
        if entry.get("default") is True:
            defaults.append(name)
            if len(defaults) == 2:
                where = (*path, "default")
                message = f"a second default; the first is {plain(defaults[0])}"
                found.append(_error(document, where, message, "keep one of them", key=False))
        state = _state(document.value.get("state"), entry.get("state"), name)
        own = next((key for key in _OWN if isinstance(state.get(key), str)), "path")
        stated = isinstance(entry.get("state"), dict) and isinstance(entry["state"].get(own), str)
        for kept in _kept(state, name):
            if kept in paths:
                where = (*path, "state", own) if stated else path
                message = f"{shown} and {plain(paths[kept])} would keep their state in one {plain(kept, 300)}"
                usual = f" for {state_path_of(name)}" if own == "path" else ""
                hint = f"every environment has its own; leave state.{own} out{usual}"
                found.append(_error(document, where, message, hint, key=not stated))
            paths.setdefault(kept, name)
    return found


def _error(document: Document, path: PathTuple, message: str, hint: str, *, key: bool = True) -> Diagnostic:
    place = document.locate(path, key)
    return Diagnostic(Severity.ERROR, place, message, path=plain(".".join(map(str, path)), 200), hint=hint)
