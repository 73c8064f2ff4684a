"""
Variables of expressions: from the project file, then the environment, then `--var-file`, then `--var`; later ones win.

A variable is taken over whole. `--var` is never read as an expression, whatever stands there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.errors import InvalidInput, UsageProblem
from reconciler.manifests.document import Document
from reconciler.manifests.load import load_file
from reconciler.manifests.template.scope import Defaults, Scope, Variable, name_problem
from reconciler.manifests.words import plain, shown
from reconciler.model.diagnostic import Diagnostic, Location, PathTuple, Severity, dotted
from reconciler.project.references import has_reference


@dataclass(frozen=True)
class Given:
    """What the command line hands in: files of `--var-file` in their order, and the texts of `--var`."""

    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.texts)


NOTHING_GIVEN = Given()


def scope_of(document: Document, environment: str | None, given: Given) -> Scope:
    """
    Give what the manifests of a project may speak of; the document has to be sound.

    Raises UsageProblem for a `--var` that cannot be read, InvalidInput for a file of variables that cannot.
    """
    variables = dict(_stated(document, ("variables",)))
    if environment is not None:
        variables |= _stated(document, ("environments", environment, "variables"))
    for name in given.files:
        variables |= _of_file(name)
    for text in given.texts:
        key, value = _of_text(text)
        variables[key] = Variable(value, lambda path: Location("--var"), literal=True)
    stated = document.value.get("defaults") or {}
    defaults = {
        kind: Defaults({key: part for key, part in value.items() if part is not None}, document, ("defaults", kind))
        for kind, value in stated.items()
        if isinstance(value, dict)
    }
    return Scope(variables, environment, defaults)


def problems(document: Document) -> Iterator[Diagnostic]:
    """Give what is wrong with the variables that a project file states."""
    yield from _problems(document, ("variables",))
    environments = document.value.get("environments")
    for name in environments if isinstance(environments, dict) else ():
        yield from _problems(document, ("environments", name, "variables"))


def _stated(document: Document, prefix: PathTuple) -> Iterator[tuple[str, Variable]]:
    for name, value in _mapping(document, prefix).items():
        yield name, Variable(value, partial(_place, document, (*prefix, name)))


def _place(document: Document, prefix: PathTuple, path: PathTuple) -> Location:
    return document.locate((*prefix, *path))


def _mapping(document: Document, prefix: PathTuple) -> Mapping[str, Any]:
    value = document.value
    for step in prefix:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _problems(document: Document, prefix: PathTuple) -> Iterator[Diagnostic]:
    for name, value in _mapping(document, prefix).items():
        path = (*prefix, name)
        wrong = name_problem(name)
        if wrong:
            place = document.locate(path, True)
            yield Diagnostic(
                Severity.ERROR, place, f'the variable "{plain(name)}": {wrong}', path=plain(dotted(path), 200)
            )
        for inside in _references(value, ()):
            yield Diagnostic(
                Severity.ERROR,
                document.locate((*path, *inside)),
                f"{plain(dotted((*path, *inside)), 200)}: environment variables are not read here",
                path=plain(dotted((*path, *inside)), 200),
                hint='hand the value in: --var "NAME=$VALUE"',
            )


def _references(value: Any, path: PathTuple) -> Iterator[PathTuple]:
    if isinstance(value, str) and has_reference(value):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, (*path, index))


def _of_file(name: str) -> dict[str, Variable]:
    loaded = load_file(Path(name), name, quiet=True)
    found = list(loaded.diagnostics)
    for extra in loaded.documents[1:]:
        found.append(Diagnostic(Severity.ERROR, extra.location, "a file of variables is one document, not several"))
    document = loaded.documents[0] if loaded.documents else None
    if document is not None and not isinstance(document.value, dict):
        message = f"a file of variables is a mapping of names; found {_sort(document.value)}"
        found.append(Diagnostic(Severity.ERROR, document.location, message))
    elif document is not None:
        for key in document.value:
            wrong = name_problem(key)
            if wrong:
                place = document.locate((key,), True)
                found.append(
                    Diagnostic(Severity.ERROR, place, f'the variable "{plain(key)}": {wrong}', path=plain(key))
                )
    if found or document is None:
        raise InvalidInput(found)
    return dict(_stated(document, ()))


def _sort(value: Any) -> str:
    return shown(value) if isinstance(value, list) else "a single value"


def _of_text(text: str) -> tuple[str, Any]:
    """Read `NAME=TEXT` or `NAME:=JSON`."""
    name, equals, value = text.partition("=")
    as_json = name.endswith(":")
    name = name.removesuffix(":")
    if not equals:
        raise UsageProblem(f"--var {plain(text)}: write NAME=VALUE, or NAME:=JSON for a number, true, a list and so on")
    wrong = name_problem(name)
    if wrong:
        raise UsageProblem(f"--var {plain(name)}: {wrong}")
    if not as_json:
        return name, value
    try:
        return name, json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UsageProblem(f"--var {name}:=…: what stands after := is no JSON; for text write {name}=VALUE") from None


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def given_of(files: Sequence[str], texts: Sequence[str]) -> Given:
    """Give what the command line hands in as one value."""
    return Given(tuple(files), tuple(texts))
