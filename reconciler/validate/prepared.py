"""
What a file without any problem comes to, small enough to keep: its experiments without text and tree of the file.

Only files of which there is nothing to say are prepared. Whatever has a problem, or gets one from a rule between
manifests, is read from the file itself, so that a message is never made from anything else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from reconciler.manifests.discover import SourceFile
from reconciler.manifests.document import Document
from reconciler.manifests.expand import expand
from reconciler.manifests.load import load_bytes, load_file
from reconciler.manifests.template.scope import Scope
from reconciler.model.diagnostic import Location, PathTuple
from reconciler.model.hypothesis import Hypothesis
from reconciler.model.resource import (
    DEFAULT_LIFECYCLE,
    NOTHING,
    Desired,
    Key,
    Lifecycle,
    OnImmutableChange,
    OnRemoval,
)
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


@dataclass(frozen=True, slots=True)
class Locate:
    """Gives the place of a value of an experiment's spec."""

    origin: Origin
    key: Key

    def __call__(self, path: PathTuple) -> Location:
        return self.origin.document(self.key).locate(("spec", *path))


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


def restore(texts: Sequence[str | bytes], origins: Sequence[Origin]) -> Iterator[Prepared | None]:
    """
    Give what `prepare` has kept in each text; None for one that it did not write.

    All of them are read at once: what repeats in them, such as names of fields, is then held once.
    """
    known: dict[str, str] = {}
    labels: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for found, origin in zip(_read(texts), origins, strict=True):
        try:
            documents, rows = found
            yield Prepared(origin, documents, tuple(_desired(row, origin, known, labels) for row in rows))
        except (ValueError, LookupError, TypeError, AttributeError):
            yield None


def _read(texts: Sequence[str | bytes]) -> list[Any]:
    try:
        found = json.loads(b"[%s]" % b",".join(text.encode() if isinstance(text, str) else text for text in texts))
        if len(found) == len(texts):
            return list(found)
    except ValueError:
        pass
    return [_read_one(text) for text in texts]


def _read_one(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


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


def _once(value: Any, known: dict[str, str]) -> Any:
    """Put in the place of the texts of a JSON value the equal ones that are known, and give it."""
    for key, item in value.items() if type(value) is dict else enumerate(value):
        kind = type(item)
        if kind is str:
            value[key] = known.setdefault(item, item)
        elif kind is dict or kind is list:
            _once(item, known)
    return value


def _desired(
    row: list[Any],
    origin: Origin,
    known: dict[str, str],
    known_labels: dict[tuple[tuple[str, str], ...], dict[str, str]],
) -> Desired:
    kind, name, platform, connection, spec, lifecycle, labels, (line, column), import_id, moved_from, figures = row
    key = Key(sys.intern(kind), name)
    return Desired(
        key=key,
        platform=sys.intern(platform),
        connection=sys.intern(connection),
        spec=_once(spec, known),
        lifecycle=DEFAULT_LIFECYCLE
        if lifecycle is None
        else Lifecycle(OnImmutableChange(lifecycle[0]), OnRemoval(lifecycle[1]), lifecycle[2], tuple(lifecycle[3])),
        labels=known_labels.setdefault(tuple(labels.items()), labels) if labels else NOTHING,
        location=Location(origin.file.name, line, column),
        locate=Locate(origin, key),
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
