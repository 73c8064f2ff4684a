"""
Documents to desired experiments, with every problem of the run.

A manifest goes through envelope, connection, schema, canonical form and the kind's own rules; then the manifests are
held against each other. One manifest's problems do not hide another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reconciler.manifests.document import Document
from reconciler.manifests.told import told
from reconciler.manifests.words import nearest, one_of, plain, shown
from reconciler.model.diagnostic import Diagnostic, Finding, Location, PathTuple, Severity, dotted
from reconciler.model.kind import template, top_level
from reconciler.model.resource import Desired, Key

if TYPE_CHECKING:
    from reconciler.envelope import Envelope
    from reconciler.platforms.base import Kind


class HasPlatform(Protocol):
    """What is asked of a connection here."""

    @property
    def platform(self) -> str:
        """The platform's name."""
        ...


class HasConnections(Protocol):
    """What is asked of a project here."""

    @property
    def connections(self) -> Mapping[str, HasPlatform]:
        """The connections by name."""
        ...


@dataclass(frozen=True, slots=True)
class FromFile:
    """An experiment that is known to be fine by itself, and how to get the document that it stands in."""

    desired: Desired
    document: Callable[[], Document]


def check(
    documents: Iterable[Document | FromFile], project: HasConnections, kinds: Sequence[Kind]
) -> tuple[tuple[Desired, ...], tuple[Diagnostic, ...]]:
    """
    Give the desired experiments in the order of the documents, and every problem in the order of files and lines.

    A manifest that does not fit its schema gives no desired experiment; of two with one key the first counts. What is
    known to be fine by itself is not checked by itself again.
    """
    checker = _Checker(project, kinds)
    for document in documents:
        if isinstance(document, Document):
            checker.take(document)
        else:
            checker.take_checked(document)
    checker.take_together()
    return tuple(desired for desired, _ in checker.desireds.values()), in_order(told(checker.problems))


def check_alone(
    documents: Iterable[Document], project: HasConnections, kinds: Sequence[Kind]
) -> tuple[Desired, ...] | None:
    """Give the desired experiments of documents looked at by themselves; None when there is anything to say of them."""
    checker = _Checker(project, kinds)
    for document in documents:
        checker.take(document)
    return None if checker.problems else tuple(desired for desired, _ in checker.desireds.values())


def in_order(*groups: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Give diagnostics sorted by file, position and message, each once."""
    once = dict.fromkeys(diagnostic for group in groups for diagnostic in group)
    return tuple(sorted(once, key=_position))


def _position(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    place = diagnostic.location
    file, line, column = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (file, line, column, diagnostic.rule, diagnostic.message)


class _Checker:
    def __init__(self, project: HasConnections, kinds: Sequence[Kind]) -> None:
        self.connections = project.connections
        self.kinds = {kind.name: kind for kind in kinds}
        self.desireds: dict[Key, tuple[Desired, Callable[[], Document]]] = {}
        self.places: dict[Key, Location] = {}
        self.problems: list[tuple[Diagnostic, Document]] = []

    # --- one manifest ----------------------------------------------------------------------------------------

    def take(self, document: Document) -> None:
        """Check one document on its own, and remember what it wants."""
        if not isinstance(document.value, dict):
            if document.location not in document.flaws:
                found = (
                    f"a manifest is a mapping with apiVersion, kind, metadata and spec; found {shown(document.value)}"
                )
                self._error(document, (), found)
            return
        envelope = self._envelope(document)
        kind = self._kind(document)
        spec = self._spec(document, kind) if kind else None
        connection = self._connection(document, kind) if kind else None
        if kind and envelope:
            self._ignored(document, envelope, kind)
        if kind and envelope:
            self._remember(document, envelope, kind, connection, spec)

    def _envelope(self, document: Document) -> Envelope | None:
        from pydantic import ValidationError

        from reconciler.envelope import Envelope
        from reconciler.validate.schema_errors import diagnostics

        try:
            return Envelope.model_validate(document.value)
        except ValidationError as error:
            self._add(document, diagnostics(error, document, Envelope))
            return None

    def _kind(self, document: Document) -> Kind | None:
        name = document.value.get("kind")
        if not isinstance(name, str):
            return None  # the envelope says so
        if name not in self.kinds:
            meant = nearest(name, self.kinds)
            self._error(
                document,
                ("kind",),
                f"kind is {shown(name)}; it has to be {one_of(self.kinds)}",
                f"did you mean {meant}?" if meant else "",
            )
        return self.kinds.get(name)

    def _spec(self, document: Document, kind: Kind) -> dict[str, object] | None:
        """Give the canonical spec, None when the stated one does not fit the schema."""
        from pydantic import ValidationError

        from reconciler.validate.schema_errors import diagnostics

        stated = document.value.get("spec")
        if not isinstance(stated, dict):
            return None  # the envelope says so
        try:
            model = kind.spec_model.model_validate(stated)
        except ValidationError as error:
            rules = {rule.id: rule for rule in kind.rules}
            self._add(document, diagnostics(error, document, kind.spec_model, ("spec",), rules=rules))
            self._rest(document, kind, stated, {str(item["loc"][0]) for item in error.errors() if item["loc"]})
            return None
        return kind.canonical(model.model_dump(exclude_unset=True, by_alias=True))

    def _rest(self, document: Document, kind: Kind, stated: dict[str, object], wrong: set[str]) -> None:
        """
        Check what is left of a spec without the top-level keys that do not fit the schema.

        One mistake shall not hide another. What is left may not be enough for a rule to judge by, so a rule that fails
        on it says nothing, and findings about the wrong keys themselves are left out.
        """
        rest = {key: value for key, value in stated.items() if key not in wrong}
        found: list[Finding] = []
        try:
            spec = kind.canonical(rest)
            desired = Desired(Key(kind.name, ""), kind.platform, "", spec)
            for finding in kind.check(desired):
                if finding.path and finding.path[0] in rest:
                    found.append(finding)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            return
        finally:
            for finding in found:
                self._finding(document, finding)

    def _connection(self, document: Document, kind: Kind) -> str | None:
        """Give the name of the connection to use, None when that is not clear."""
        of_platform = [name for name, connection in self.connections.items() if connection.platform == kind.platform]
        metadata = document.value.get("metadata")
        stated = metadata.get("connection") if isinstance(metadata, dict) else None
        path = ("metadata", "connection")
        if isinstance(stated, str) and stated:
            if stated in of_platform:
                return stated
            named = plain(stated)
            if stated in self.connections:
                other = self.connections[stated].platform
                message = f'the connection "{named}" is one of {other}; {kind.name} needs one of {kind.platform}'
                hint = f"use {one_of(of_platform)}" if of_platform else ""
            else:
                meant = nearest(stated, of_platform)
                message = f'there is no connection "{named}" in reconciler.yaml'
                hint = f"did you mean {meant}?" if meant else _there_are(of_platform, kind.platform)
            self._error(document, path, message, hint)
            return None
        if isinstance(metadata, dict) and "connection" in metadata:
            return None  # not text: the envelope says so
        if len(of_platform) == 1:
            return of_platform[0]
        message = (
            f"metadata.connection is missing, and {kind.platform} has several connections: {', '.join(of_platform)}"
            if of_platform
            else f"{kind.name} needs a connection of {kind.platform}, and reconciler.yaml has none"
        )
        hint = "name one of them" if of_platform else f"add one with platform: {kind.platform}"
        self._error(document, path, message, hint)
        return None

    def _ignored(self, document: Document, envelope: Envelope, kind: Kind) -> None:
        if envelope.lifecycle is None or not envelope.lifecycle.ignoreChanges:
            return
        known = set(kind.field_index()) | {top_level(row.path) for row in kind.fields}
        for index, entry in enumerate(envelope.lifecycle.ignoreChanges):
            if template(entry) in known:
                continue
            meant = nearest(entry, known) or nearest(entry.removeprefix("spec."), known)
            self._error(
                document,
                ("lifecycle", "ignoreChanges", index),
                f"lifecycle.ignoreChanges[{index}] is {shown(entry)}, which is no field of {kind.name}",
                f"did you mean {meant}?" if meant else f"`reconciler explain {kind.name}` lists the fields",
            )

    def _remember(
        self,
        document: Document,
        envelope: Envelope,
        kind: Kind,
        connection: str | None,
        spec: dict[str, object] | None,
    ) -> None:
        key = Key(kind.name, envelope.metadata.name)
        place = document.locate(("metadata", "name"))
        if not self._is_first(key, place, lambda: document) or spec is None:
            return
        desired = Desired(
            key=key,
            platform=kind.platform,
            connection=connection or "",
            spec=spec,
            lifecycle=envelope.rules,
            labels=envelope.metadata.labels,
            location=place,
            locate=lambda path: document.locate(("spec", *path)),
            import_id=envelope.metadata.importId,
            moved_from=envelope.metadata.movedFrom,
            hypothesis=envelope.metadata.hypothesis.value() if envelope.metadata.hypothesis else None,
        )
        for finding in kind.check(desired):
            self._finding(document, finding)
        self.desireds[key] = (desired, lambda: document)

    def take_checked(self, given: FromFile) -> None:
        """Remember what a manifest wants that is known to be fine by itself."""
        desired = given.desired
        if self._is_first(desired.key, desired.location, given.document):
            self.desireds[desired.key] = (desired, given.document)

    def _is_first(self, key: Key, place: Location, document: Callable[[], Document]) -> bool:
        """Remember where a key stands; a second manifest with it is an error."""
        first = self.places.setdefault(key, place)
        if first is place:
            return True
        self._error(
            document(),
            ("metadata", "name"),
            f"a second manifest with the key {key}; the first is at {first}",
            "give one of them another name",
        )
        return False

    # --- between manifests -----------------------------------------------------------------------------------

    def take_together(self) -> None:
        """Check the manifests against each other, kind by kind."""
        for kind in self.kinds.values():
            mine = [desired for key, (desired, _) in self.desireds.items() if key.kind == kind.name]
            for key, finding in kind.check_together(mine):
                self._finding(self.desireds[key][1](), finding)

    # --- problems --------------------------------------------------------------------------------------------

    def _finding(self, document: Document, finding: Finding) -> None:
        path: PathTuple = ("spec", *finding.path)
        found = Diagnostic(
            Severity(finding.level),
            document.locate(path),
            plain(finding.message, 1000),
            rule=finding.rule.id,
            path=plain(dotted(path), 200),
            hint=finding.rule.fix,
            source=finding.rule.source,
        )
        self._add(document, (found,))

    def _error(self, document: Document, path: PathTuple, message: str, hint: str = "") -> None:
        place = document.locate(path)
        self._add(document, (Diagnostic(Severity.ERROR, place, message, path=dotted(path), hint=hint),))

    def _add(self, document: Document, found: Iterable[Diagnostic]) -> None:
        self.problems += [(diagnostic, document) for diagnostic in found]


def _there_are(names: Sequence[str], platform: str) -> str:
    return f"connections of {platform}: {', '.join(names)}" if names else f"there is none of {platform}"
