"""Manifests as they are meant: defaults, items and expressions filled in, as YAML that validates to the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.manifests.document import Document
from reconciler.manifests.layered import Layered
from reconciler.manifests.layout.order import KeyOrder
from reconciler.manifests.words import plain
from reconciler.manifests.write import document_lines


def shown_documents(documents: Iterable[Document], orders: Mapping[str, KeyOrder]) -> str:
    """Give documents as one YAML text, each below a comment of where it stands; `orders` are those of kinds' specs."""
    parts = []
    for document in documents:
        value = document.value
        if not isinstance(value, dict):
            continue
        kind = value.get("kind")
        order = orders.get(kind, KeyOrder()) if isinstance(kind, str) else KeyOrder()
        parts.append("\n".join((f"# {_origin(document)}", *document_lines(value, order))) + "\n")
    return "---\n".join(parts)


def _origin(document: Document) -> str:
    item = f", item {plain(document.item)}" if isinstance(document, Layered) and document.item else ""
    return f"{plain(str(document.location), 300)}{item}"
