"""
From the `policies` of a project file to policies that can be judged by, with everything that is wrong in all of them.

Nothing is raised but EngineMissing: a policy that cannot be read is a diagnostic with its place, down to the character
of the expression where the file's own spelling allows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.manifests.document import Document
from reconciler.manifests.load import load_file
from reconciler.manifests.words import nearest, plain
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.policy.compile import compiled_policy
from reconciler.policy.entry import Entry
from reconciler.policy.policy import Policy
from reconciler.project import Project

MOST = 1_000
"""Policies of one project, those of included files with them."""


@dataclass(frozen=True)
class Policies:
    """The policies of a project in their order, and the digest by which a plan names them."""

    items: tuple[Policy, ...] = ()
    digest: str = ""
    by_name: Mapping[str, Policy] = field(default_factory=dict)


def read_policies(project: Project) -> tuple[Policies, tuple[Diagnostic, ...]]:
    """Give the policies of a project that are right, and what is wrong with the others; raises EngineMissing."""
    reader = _Reader(project)
    for number, entry in enumerate(reader.entries()):
        if number == MOST:
            reader.problems.append(entry.problem((), f"a project has at most {MOST:,} policies"))
            break
        reader.take(entry)
    items = tuple(reader.policies.values())
    return Policies(items, _digest(reader.stated), dict(reader.policies)), tuple(dict.fromkeys(reader.problems))


class _Reader:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.problems: list[Diagnostic] = []
        self.policies: dict[str, Policy] = {}
        self.stated: list[Mapping[str, Any]] = []

    def entries(self) -> Iterator[Entry]:
        """Give every entry, those of included files in their place."""
        document = self.project.document
        assert document is not None
        for index, stated in enumerate(self.project.policies):
            entry = Entry(stated, document, ("policies", index))
            if "include" not in stated:
                yield entry
            elif set(stated) != {"include"}:
                self.problems.append(entry.problem(("include",), "include stands alone", "make two entries of it"))
            else:
                yield from self._included(entry)

    def _included(self, entry: Entry) -> Iterator[Entry]:
        name = entry.stated["include"]
        path = self._inside(name)
        if path is None:
            hint = "a path relative to the project's folder, without leaving it"
            self.problems.append(entry.problem(("include",), f'"{plain(name)}" is not inside the project', hint))
            return
        if not path.is_file():
            self.problems.append(entry.problem(("include",), f'there is no file "{plain(name, 200)}"'))
            return
        loaded = load_file(path, name)
        self.problems += loaded.diagnostics
        for document in loaded.documents:
            if self._is_policy_file(document):
                for index, stated in enumerate(document.value["policies"]):
                    inner = Entry(stated, document, ("policies", index))
                    if "include" in stated:
                        self.problems.append(inner.problem(("include",), "an included file includes no other"))
                    else:
                        yield inner

    def _inside(self, name: str) -> Path | None:
        try:
            path = (self.project.dir / name).resolve()
            inside = path.is_relative_to(self.project.dir.resolve())
        except (OSError, ValueError, RuntimeError):
            return None
        return path if inside and not Path(name).is_absolute() else None

    def _is_policy_file(self, document: Document) -> bool:
        from pydantic import ValidationError

        from reconciler.project.schema import PolicyFile
        from reconciler.validate.schema_errors import diagnostics

        if not isinstance(document.value, dict):
            what = "a file of policies is a mapping with the key policies"
            self.problems.append(Diagnostic(Severity.ERROR, document.location, what))
            return False
        try:
            PolicyFile.model_validate(document.value)
        except ValidationError as error:
            self.problems += diagnostics(error, document, PolicyFile)
            return False
        return True

    def take(self, entry: Entry) -> None:
        """Compile one entry and remember it."""
        policy, wrong = compiled_policy(entry)
        self.problems += wrong
        if policy is None:
            return
        if policy.name in self.policies:
            first = self.policies[policy.name].where
            hint = "give one of them a name of its own" if not policy.use else "add a name to one of them"
            said = f'a second policy with the name "{policy.name}"; the first is at {first}'
            self.problems.append(entry.problem(("name",), said, hint))
            return
        self.policies[policy.name] = policy
        self.stated.append({key: value for key, value in entry.stated.items() if key != "cases"})


def unknown_policy(name: str, policies: Policies) -> str:
    """Give the sentence that there is no such policy, naming near ones."""
    meant = nearest(name, policies.by_name)
    there = f"there are {', '.join(policies.by_name)}" if policies.by_name else "the project has none"
    return f'there is no policy "{plain(name)}"; {f"did you mean {meant}?" if meant else there}'


def _digest(stated: list[Mapping[str, Any]]) -> str:
    text = json.dumps(stated, sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
