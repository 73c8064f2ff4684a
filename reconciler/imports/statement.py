"""
What a manifest says to mean one live experiment, no more and no less. Pure.

Stated is what the platform shows of the writable fields, without nulls, without what is empty, and without what the
platform is documented to take by itself when it is left out (`Field.default`). A value that this project's schema or
rules refuse is left out where it may be (what a manifest does not state is left alone); where it may not, the
experiment cannot be imported. At the end the manifest is held against the live experiment as the planner does it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.manifests.words import plain, shown
from reconciler.manifests.write import unwritable
from reconciler.model.diagnostic import PathTuple, Severity, dotted
from reconciler.model.kind import top_level
from reconciler.model.resource import Desired, Key, Lifecycle, Live, Spec
from reconciler.plan.fields import difference, list_templates
from reconciler.platforms.base import Kind

_ATTEMPTS = 200


class CannotState(Exception):
    """No valid manifest means this experiment; the message says why."""


@dataclass(frozen=True)
class Statement:
    """
    What to write: the `spec` as it is stated, what to ignore, and sentences on what is left out.

    `dropped` are the top-level keys that live has and that cannot be stated.
    """

    spec: Spec
    ignored: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()


def statement_of(kind: Kind, live: Live) -> Statement:
    """
    Give what a manifest states for a live experiment; raises CannotState.

    Where leaving defaults out makes a rule refuse more (a rule that judges an unstated mode by the stricter one), they
    are stated.
    """
    brief: Statement | None = None
    try:
        brief = _statement(kind, live, shown_fields(kind, live))
    except CannotState:
        return _statement(kind, live, shown_fields(kind, live, defaults=True))
    if not brief.left_out:
        return brief
    full = _statement(kind, live, shown_fields(kind, live, defaults=True))
    return full if len(full.left_out) < len(brief.left_out) else brief


def _statement(kind: Kind, live: Live, spec: Spec) -> Statement:
    ignored: tuple[str, ...] = ()
    left_out: list[str] = []
    dropped: set[str] = set()
    for _ in range(_ATTEMPTS):
        found = next(_refused(kind, live, spec, ignored), None)
        if found is None:
            return Statement(spec, ignored, tuple(left_out), frozenset(dropped))
        path, why = found
        smaller = _without(kind, spec, path, why)
        if smaller is not None:
            spec, place = smaller
        elif path == (kind.lifecycle_field,) and kind.lifecycle_field not in (*spec, *ignored):
            # The canonical form fills in a state where none is stated.
            place, ignored = path, (*ignored, str(path[0]))
        else:
            raise CannotState(f"{dotted(path)} cannot be stated: {why}" if path else why)
        if len(place) == 1:
            dropped.add(str(place[0]))
        value = _at(live.spec, place)
        held = f" ({shown(value)})" if isinstance(value, str | int | float) else ""
        left_out.append(f"{dotted(place)}{held} is left as it is: {why}")
    raise CannotState("too many of its values are ones that a manifest cannot state")


def over_defaults(kind: Kind, live: Live, statement: Statement, beneath: Mapping[str, Any]) -> Statement:
    """
    Give a statement that means the same above a project's defaults for the kind (`beneath`, a part of a spec).

    What the defaults say and the statement does not is stated as live has it, as null where live has nothing, or
    ignored where it cannot be stated.
    """
    spec, ignored = dict(statement.spec), list(statement.ignored)
    for key, given in beneath.items():
        if key in spec:
            if isinstance(given, Mapping) and isinstance(spec[key], Mapping):
                spec[key] = json.dumps(spec[key])  # two mappings would be merged
            continue
        value = live.spec.get(key)
        stated = None if value in ("", [], {}) else copy.deepcopy(value)
        if key in statement.dropped or any(
            path[:1] == (key,) for path, _ in _schema_errors(kind, {**spec, key: stated})
        ):
            ignored.append(key)
        else:
            spec[key] = stated
    return replace(statement, spec=spec, ignored=tuple(dict.fromkeys(ignored)))


def shown_fields(kind: Kind, live: Live, *, defaults: bool = False) -> Spec:
    """Give what live shows: no nulls, nothing empty that may be left out, no documented default unless asked for."""
    lists = list_templates(kind)
    index = kind.field_index()

    def said(path: str, value: Any) -> bool:
        row = index.get(path) or index.get(f"{path}[]")
        if value is None or (value in ("", [], {}) and not (row and row.required)):
            return False
        return (
            defaults
            or row is None
            or row.default is None
            or value != row.default
            or type(value) is not type(row.default)
        )

    def walk(path: str, value: Any) -> Any:
        if isinstance(value, list) and path in lists:
            return [walk(f"{path}[]", item) for item in value]
        if isinstance(value, Mapping) and (path.endswith("[]") or path not in index):
            inner = {key: walk(f"{path}.{key}" if path else key, item) for key, item in value.items()}
            return {key: item for key, item in inner.items() if said(f"{path}.{key}" if path else key, item)}
        return copy.deepcopy(value)

    spec: Spec = walk("", {key: value for key, value in live.spec.items() if key in _tops(kind)})
    return _as_text(spec)


def _as_text(spec: Spec) -> Spec:
    """Write a mapping that YAML cannot hold (too deep, odd numbers) as JSON text; kinds that do not take it say so."""
    return {
        key: json.dumps(value) if isinstance(value, Mapping) and unwritable(value) else value
        for key, value in spec.items()
    }


def _tops(kind: Kind) -> frozenset[str]:
    return frozenset(top_level(row.path) for row in kind.fields)


# --- what stands against it ------------------------------------------------------------------------------------------


def _refused(kind: Kind, live: Live, spec: Spec, ignored: tuple[str, ...]) -> Iterator[tuple[PathTuple, str]]:
    """Give what is wrong with a spec, place and reason: unwritable, refused by schema or rule, not the same as live."""
    found = unwritable(spec)
    if found:
        yield found
        return
    errors = list(_schema_errors(kind, spec))
    if errors:
        yield from errors
        return
    canonical = _canonical(kind, spec)
    lifecycle = Lifecycle(ignore_changes=ignored)
    desired = Desired(Key(kind.name, "imported"), kind.platform, "", canonical, lifecycle)
    for finding in kind.check(desired):
        if finding.level is Severity.ERROR:
            yield finding.path, finding.message
    delta = difference(kind, canonical, live, ignored=ignored)
    for change in delta.changes:
        yield _steps(change.path), f"it would change from {shown(change.before)} to {shown(change.after)}"


def _schema_errors(kind: Kind, spec: Spec) -> Iterator[tuple[PathTuple, str]]:
    from pydantic import ValidationError

    try:
        kind.spec_model.model_validate(spec)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=False):
            why = "it is missing" if item["type"] == "missing" else plain(item["msg"], 200)
            yield _known(item["loc"], spec), why


def _canonical(kind: Kind, spec: Spec) -> Spec:
    model = kind.spec_model.model_validate(spec)
    return kind.canonical(model.model_dump(exclude_unset=True, by_alias=True))


def _known(place: PathTuple, spec: Spec) -> PathTuple:
    """Cut a path where the schema's steps (`list`, a branch of a union) are no steps of the value any more."""
    value: Any = spec
    for number, step in enumerate(place):
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            last = isinstance(value, Mapping) and isinstance(step, str) and number == len(place) - 1
            return place[: number + last]
    return place


# --- taking things out -----------------------------------------------------------------------------------------------


def _without(kind: Kind, spec: Spec, path: PathTuple, why: str) -> tuple[Spec, PathTuple] | None:
    """
    Give the spec without the innermost key on a path that may be left out; None where none may.

    Items of lists are never taken out alone: a list that is stated is stated whole.
    """
    for end in range(len(path), 0, -1):
        place = path[:end]
        if not isinstance(place[-1], str):
            continue
        smaller = _dropped(spec, place)
        if smaller is not None and _fits(kind, smaller, place, why):
            return smaller, place
    return None


def _fits(kind: Kind, spec: Spec, place: PathTuple, why: str) -> bool:
    """Tell whether a spec without the value at `place` is one that schema and rules have nothing new against there."""
    errors = [path for path, _ in _schema_errors(kind, spec)]
    if any(path[: len(place)] == place or place[: len(path)] == path for path in errors):
        return False
    if errors:
        return True
    desired = Desired(Key(kind.name, "imported"), kind.platform, "", _canonical(kind, spec))
    return not any(
        finding.level is Severity.ERROR and finding.path == place[:-1] and finding.message != why
        for finding in kind.check(desired)
    )


def _dropped(spec: Spec, place: PathTuple) -> Spec | None:
    smaller = copy.deepcopy(spec)
    parent = _at(smaller, place[:-1])
    if not isinstance(parent, dict) or place[-1] not in parent:
        return None
    del parent[place[-1]]
    return smaller


def _at(value: Any, path: PathTuple) -> Any:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value


def _steps(path: str) -> PathTuple:
    """Give the steps of a dotted path: `cells[0].name` is `("cells", 0, "name")`."""
    steps: list[str | int] = []
    for part in path.split("."):
        name, *indexes = part.replace("]", "").split("[")
        steps += [name, *(int(index) for index in indexes)]
    return tuple(steps)
