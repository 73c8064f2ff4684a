"""What is said of many experiments at once is said once: problems of the items of one `forEach`, told together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.manifests.document import Document
from reconciler.manifests.layered import Layered
from reconciler.manifests.words import plain
from reconciler.model.diagnostic import Diagnostic

_NAMED = 3
_LONGEST_HINT = 300


def told(found: Iterable[tuple[Diagnostic, Document]]) -> list[Diagnostic]:
    """
    Give problems as a person should read them.

    Those of places of which an earlier step has complained are left out. One that items of `forEach` share stands
    there once and names them; where an expression gave the value, the hint shows it.
    """
    groups: dict[Diagnostic, list[Layered]] = {}
    out: list[Diagnostic] = []
    for diagnostic, document in found:
        if diagnostic.location is not None and diagnostic.location in document.flaws:
            continue
        if not isinstance(document, Layered):
            out.append(diagnostic)
            continue
        groups.setdefault(_with_expression(diagnostic, document), []).append(document)
    for diagnostic, documents in groups.items():
        out.append(replace(diagnostic, message=diagnostic.message + _items(documents)))
    return out


def _with_expression(diagnostic: Diagnostic, document: Layered) -> Diagnostic:
    text = document.expression_at(diagnostic.location) if diagnostic.location is not None else ""
    if "{{" not in text:
        return diagnostic
    hint = diagnostic.hint
    if hint.startswith("quote it"):
        hint = "make it text: | string"
    elif hint.endswith("without quotes"):
        hint = "make it a number: | int, or | float"
    where = f"the value comes from {plain(text)}"
    return replace(diagnostic, hint=plain(f"{hint}; {where}", _LONGEST_HINT) if hint else where)


def _items(documents: list[Layered]) -> str:
    names = list(dict.fromkeys(document.item for document in documents if document.item))
    if not names:
        return ""
    if len(names) == documents[0].items > 1:
        return " (every item)"
    more = len(names) - _NAMED
    listed = ", ".join(plain(name, 40) for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f" (item{'s' if len(names) > 1 else ''} {listed})"
