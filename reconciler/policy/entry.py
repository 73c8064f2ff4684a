"""One entry of `policies` as it is stated, and how a problem with it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.manifests.document import Document
from reconciler.manifests.words import plain
from reconciler.model.diagnostic import Diagnostic, PathTuple, Severity, dotted
from reconciler.policy.engine import Flaw
from reconciler.policy.place import excerpt, place_of


@dataclass(frozen=True)
class Entry:
    """One entry as it is stated, and where."""

    stated: Mapping[str, Any]
    document: Document
    path: PathTuple

    def problem(self, path: PathTuple, message: str, hint: str = "") -> Diagnostic:
        """Give an error at a key of the entry; at the entry itself where the key is not stated."""
        whole = (*self.path, *path)
        named = plain(dotted(whole), 200)
        return Diagnostic(Severity.ERROR, self.document.locate(whole), f"{named}: {message}", path=named, hint=hint)

    def flawed(self, path: PathTuple, text: str, flaw: Flaw, offset: tuple[int, int] = (0, 0)) -> Diagnostic:
        """
        Give an error at a place inside the expression that stands at a key of the entry.

        `offset` are the lines before it, and the characters before it on its first line, where it is part of a text.
        """
        whole = (*self.path, *path)
        named = plain(dotted(whole), 200)
        inside = Flaw(flaw.line + offset[0], flaw.column + (offset[1] if flaw.line == 1 else 0), flaw.message)
        return Diagnostic(
            Severity.ERROR,
            place_of(self.document, whole, text, inside),
            f"{named}: {plain(flaw.message, 300)}",
            path=named,
            excerpt=tuple(plain_line(line) for line in excerpt(text, inside)),
        )


def plain_line(line: str) -> str:
    """Give a line of an expression so that each character takes one column."""
    return "".join(char if char.isprintable() else "?" for char in line)
