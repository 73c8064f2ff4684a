"""A document whose values come from more than one place: the manifest over the project's defaults, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.manifests.document import Document, Node
from reconciler.model.diagnostic import Location, PathTuple


@dataclass(frozen=True)
class Layered(Document):
    """
    A document that others stand behind: `below` are documents and the path in each, nearest first.

    `root` is the node tree of the uppermost one, `value` what all of them come to. `computed` gives the text of the
    scalar at each path whose value an expression gave; what lies inside such a value has the scalar's place. `item` is
    the key of the `forEach` item that the document stands for, of `items` in all.
    """

    below: tuple[tuple[Document, PathTuple], ...] = ()
    computed: Mapping[PathTuple, str] = field(default_factory=dict)
    item: str = ""
    items: int = 0

    def locate(self, path: PathTuple, key: bool = False) -> Location:
        """Give the place of a value, or of its key, in the file where it is stated; otherwise of its nearest parent."""
        for length in range(len(path)):
            if path[:length] in self.computed:
                path, key = path[:length], False
                break
        reached, may_go_on = depth(self.root, path)
        best: tuple[Document, PathTuple] | None = None
        if reached < len(path) and may_go_on:
            for document, prefix in self.below:
                there = depth(document.root, (*prefix, *path))[0] - len(prefix)
                if there > reached:
                    reached, best = there, (document, prefix)
        if best is not None:
            return best[0].locate((*best[1], *path), key)
        return super().locate(path, key)

    def written(self, path: PathTuple) -> str | None:
        """Give the characters of a number or word at `path`; None for one that an expression gave."""
        if any(path[: length + 1] in self.computed for length in range(len(path))):
            return None
        reached, may_go_on = depth(self.root, path)
        if reached < len(path) and may_go_on:
            for document, prefix in self.below:
                if depth(document.root, (*prefix, *path))[0] == len(prefix) + len(path):
                    return document.written((*prefix, *path))
        return super().written(path)

    def expression_at(self, place: Location) -> str:
        """Give the text of the scalar with expressions that stands at a place; empty when there is none."""
        return next((text for path, text in self.computed.items() if self.locate(path) == place), "")


def depth(root: Node, path: PathTuple) -> tuple[int, bool]:
    """Give how many steps of a path a tree has, and whether it ends at a mapping, which others may add to."""
    node = root
    for count, step in enumerate(path):
        children = node[2]
        if isinstance(children, dict):
            if step not in children:
                return count, True
            node = children[str(step)][2]
        elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
            node = children[step]
        else:
            return count, False
    return len(path), False


def merged(lower: Any, upper: Any) -> Any:
    """Give two values as one: mappings key by key, and whatever else `upper` says as it stands, null included."""
    if not isinstance(lower, Mapping) or not isinstance(upper, Mapping):
        return upper
    out = {**lower, **upper}
    for key in lower.keys() & upper.keys():
        out[key] = merged(lower[key], upper[key])
    return out
