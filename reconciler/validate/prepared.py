"""
What a file without any problem comes to, small enough to keep: its experiments without text and tree of the file.

Only files of which there is nothing to say are prepared. Whatever has a problem, or gets one from a rule between
manifests, is read from the file itself, so that a message is never made from anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import Any

from reconciler.manifests.discover import SourceFile
from reconciler.manifests.document import Document
from reconciler.manifests.expand import expand
from reconciler.manifests.load import load_bytes, load_file
from reconciler.manifests.template.scope import Scope
from reconciler.model.diagnostic import Location, PathTuple
from reconciler.model.hypothesis import Hypothesis
from reconciler.model.resource import DEFAULT_LIFECYCLE, Desired, Key, Lifecycle, OnImmutableChange, OnRemoval
from reconciler.platforms.base import Kind
from reconciler.validate.check import HasConnections, check_alone

KEPT = frozenset(
    (
        "key",
        "platform",
        "connection",
        "spec",
        "lifecycle",
        "labels",
        "location",
        "import_id",
        "moved_from",
        "hypothesis",
    )
)
"""What is kept of a Desired: all of it but `locate`, which is made anew."""


@dataclass(frozen=True)
class Origin:
    """A file, read again when a place in it is asked for."""

    file: SourceFile
    scope: Scope = field(repr=False)

    @cached_property
    def _documents(self) -> tuple[Document, ...]:
        return expand(load_file(self.file.path, self.file.name).documents, self.scope).documents

    def document(self, key: Key) -> Document:
        """Give the document of an experiment; one without content when it is no longer there."""
        for document in self._documents:
            value = document.value
            metadata = value.get("metadata") if isinstance(value, dict) else None
            if isinstance(metadata, dict) and (value.get("kind"), metadata.get("name")) == (key.kind, key.name):
                return document
        return Document(self.file.name, 0, {}, (0, 0, None))

    def locate(self, key: Key, path: PathTuple) -> Location:
        """Give the place of a value of an experiment's spec."""
        return self.document(key).locate(("spec", *path))


@dataclass(frozen=True, slots=True)
class Prepared:
    """The experiments of one file, in order; `documents` counts those of the file before `forEach`."""

    origin: Origin
    documents: int
    desireds: tuple[Desired, ...]


def prepare(data: bytes, name: str, scope: Scope, project: HasConnections, kinds: Sequence[Kind]) -> str | None:
    """Give the text that keeps what a file comes to, None when there is anything to say about it."""
    loaded = load_bytes(data, name)
    if loaded.diagnostics:
        return None
    expanded = expand(loaded.documents, scope)
    if expanded.diagnostics:
        return None
    desireds = check_alone(expanded.documents, project, kinds)
    if desireds is None or len(desireds) != len(expanded.documents):
        return None
    return _text(len(loaded.documents), desireds)


def restore(text: str | bytes, origin: Origin) -> Prepared:
    """Give what `prepare` has kept; raises ValueError, LookupError or TypeError for a text that it did not write."""
    documents, rows = json.loads(text)
    return Prepared(origin, documents, tuple(_desired(row, origin) for row in rows))


_AS_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def _text(documents: int, desireds: Iterable[Desired]) -> str:
    rows = [
        (
            item.key.kind,
            item.key.name,
            item.platform,
            item.connection,
            item.spec,
            _lifecycle(item.lifecycle),
            dict(item.labels),
            (item.location.line, item.location.column),
            item.import_id,
            item.moved_from,
            _figures(item.hypothesis),
        )
        for item in desireds
    ]
    return _AS_JSON((documents, rows))


def _desired(row: list[Any], origin: Origin) -> Desired:
    kind, name, platform, connection, spec, lifecycle, labels, (line, column), import_id, moved_from, figures = row
    key = Key(kind, name)
    return Desired(
        key=key,
        platform=platform,
        connection=connection,
        spec=spec,
        lifecycle=DEFAULT_LIFECYCLE
        if lifecycle is None
        else Lifecycle(OnImmutableChange(lifecycle[0]), OnRemoval(lifecycle[1]), lifecycle[2], tuple(lifecycle[3])),
        labels=labels,
        location=Location(origin.file.name, line, column),
        locate=partial(origin.locate, key),
        import_id=import_id,
        moved_from=moved_from,
        hypothesis=None if figures is None else Hypothesis(*figures),
    )


def _figures(stated: Hypothesis | None) -> tuple[float | str | None, ...] | None:
    return None if stated is None else tuple(getattr(stated, item.name) for item in fields(stated))


def _lifecycle(block: Lifecycle) -> tuple[str, str, bool, tuple[str, ...]] | None:
    if block == DEFAULT_LIFECYCLE:
        return None
    return (block.on_immutable_change, block.on_removal, block.prevent_destroy, block.ignore_changes)
