"""The one layout of manifests: text in, text out; comments, quotes and blank lines stay."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifests.layout.comments import attach, texts
from reconciler.manifests.layout.emit import WIDTH, emit
from reconciler.manifests.layout.order import KeyOrder, order_of, put_in_order
from reconciler.manifests.layout.read import read
from reconciler.manifests.layout.tree import NotLaidOut, Shape

__all__ = ["WIDTH", "KeyOrder", "NotLaidOut", "comments_of", "laid_out", "order_of"]


def laid_out(text: str, kinds: Mapping[str, KeyOrder]) -> str:
    """
    Give a text in the canonical layout; `kinds` holds the order of each kind's spec.

    The text has to be one that the loader takes without complaint, with `\\n` line ends and no byte order mark. Raises
    NotLaidOut where it holds what is left as it is.
    """
    stream = read(text)
    attach(stream)
    for page in stream.pages:
        if page.root.shape is Shape.MAP:
            put_in_order(page.root, kinds)
    return emit(stream)


def comments_of(text: str) -> list[str]:
    """Give the texts of all comments and directives of a text, sorted."""
    return texts(read(text))
