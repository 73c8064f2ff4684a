"""The use case of `validate`: a project's files in, what they want and everything that is to say about them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reconciler.errors import InvalidInput
from reconciler.manifests.discover import discover
from reconciler.manifests.document import Document
from reconciler.manifests.template.scope import Scope
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.resource import Desired, Key
from reconciler.platforms.base import Kind
from reconciler.validate.check import HasConnections, in_order
from reconciler.validate.manifest_cache import ManifestCache, settings_digest
from reconciler.validate.reading import Setting, read_files


class HasManifests(HasConnections, Protocol):
    """What is asked of a project here."""

    @property
    def dir(self) -> Path:
        """The project's folder."""
        ...

    @property
    def manifests(self) -> tuple[str, ...]:
        """The patterns of manifest files."""
        ...

    @property
    def document(self) -> Document | None:
        """The project file."""
        ...

    @property
    def scope(self) -> Scope:
        """The variables and defaults of manifests."""
        ...


@dataclass(frozen=True)
class Validated:
    """
    What the manifests of a project want, and everything that is to say about them.

    `documents` counts those of the files, `expanded` gives what they come to.
    """

    desired: Mapping[Key, Desired]
    diagnostics: tuple[Diagnostic, ...]
    documents: int
    expanded: Callable[[], tuple[Document, ...]] = tuple

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that stop a run."""
        return tuple(item for item in self.diagnostics if item.severity is Severity.ERROR)

    def checked(self) -> Validated:
        """Give itself; raises InvalidInput with everything found when there is an error."""
        if self.errors:
            raise InvalidInput(self.diagnostics)
        return self


def validate(
    project: HasManifests,
    kinds: Sequence[Kind],
    paths: Sequence[str] = (),
    cache: ManifestCache | None = None,
    begun: Callable[[int], None] = lambda files: None,
) -> Validated:
    """
    Give what the manifests want and every problem of all of them; needs no network and looks at no clock.

    With a `cache`, files that have not changed since are not parsed and checked by themselves again. `begun` is told
    how many files there are, before they are read.
    """
    found = discover(project.dir, project.manifests, paths)
    begun(len(found.files))
    digest = settings_digest(project.document, project.scope, kinds, project.connections) if cache else b""
    read = read_files(found.files, Setting(project.scope, project, kinds, digest), cache, whole=not paths)
    diagnostics = in_order(found.diagnostics, read.diagnostics)
    return Validated({item.key: item for item in read.desired}, diagnostics, read.documents, read.expanded)
