"""The order of a manifest's keys: the envelope's, then the kind's own field table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.manifests.layout.tree import Entry, Node, Shape


@dataclass(frozen=True)
class KeyOrder:
    """The keys of a mapping in their order, and the order inside their values; lists hand it on to their items."""

    keys: tuple[str, ...] = ()
    inside: Mapping[str, KeyOrder] = field(default_factory=dict)


HYPOTHESIS = KeyOrder(("baseline", "relativeEffect", "absoluteEffect", "dailyTraffic", "alpha", "power", "audience"))
METADATA = KeyOrder(("name", "connection", "labels", "importId", "movedFrom", "hypothesis"), {"hypothesis": HYPOTHESIS})
LIFECYCLE = KeyOrder(("onImmutableChange", "onRemoval", "preventDestroy", "ignoreChanges"))
ENVELOPE = ("apiVersion", "kind", "forEach", "metadata", "lifecycle", "spec")
_UNORDERED = KeyOrder()


def order_of(paths: Iterable[str]) -> KeyOrder:
    """Give the order that a kind's field table states, from its paths such as `cells[].reference.campaign`."""
    inside: dict[str, list[str]] = {}
    for path in paths:
        key, _, rest = path.replace("[]", "").partition(".")
        deeper = inside.setdefault(key, [])
        if rest:
            deeper.append(rest)
    return KeyOrder(tuple(inside), {key: order_of(deeper) for key, deeper in inside.items() if deeper})


def put_in_order(root: Node, kinds: Mapping[str, KeyOrder]) -> None:
    """
    Sort the keys of a manifest; `kinds` are the orders of the kinds' specs.

    Keys that are not known come after those that are, in the author's order. Where an alias would come to stand before
    its anchor, the document keeps the order it has.
    """
    spec = kinds.get(_kind(root), _UNORDERED)
    order = KeyOrder(ENVELOPE, {"metadata": METADATA, "lifecycle": LIFECYCLE, "spec": spec})
    plan: list[tuple[Node, list[Entry]]] = []
    _sort(root, order, plan)
    before = [node.entries for node, _ in plan]
    for node, entries in plan:
        node.entries = entries
    if plan and not _anchors_first(root):
        for (node, _), entries in zip(plan, before, strict=True):
            node.entries = entries
        return
    for (node, _), entries in zip(plan, before, strict=True):
        _mend_blanks(node, entries[0])


def _kind(root: Node) -> str:
    for entry in root.entries:
        if entry.name == "kind" and entry.value.lines:
            return entry.value.lines[0].strip("\"'")
    return ""


def _sort(node: Node, order: KeyOrder, plan: list[tuple[Node, list[Entry]]]) -> None:
    if node.shape is Shape.MAP and order.keys:
        rank = {key: index for index, key in enumerate(order.keys)}
        entries = sorted(node.entries, key=lambda entry: rank.get(entry.name, len(rank)))
        if any(now is not then for now, then in zip(entries, node.entries, strict=True)):
            plan.append((node, entries))
    for entry in node.entries:
        deeper = order if node.shape is Shape.LIST else order.inside.get(entry.name)
        if deeper is not None and entry.value.is_collection:
            _sort(entry.value, deeper, plan)


def _anchors_first(root: Node) -> bool:
    seen: set[str] = set()

    def names() -> Iterator[str]:
        pending = [root]
        while pending:
            node = pending.pop()
            if node.anchor:
                yield node.anchor
            if node.shape is Shape.ALIAS:
                yield node.lines[0]
            for entry in reversed(node.entries):
                pending.append(entry.value)
                if entry.key.startswith("&"):
                    pending.append(Node(Shape.EMPTY, 0, 0, 0, 0, anchor=entry.key.split()[0]))

    for name in names():
        if name.startswith("*") and name[1:] not in seen:
            return False
        seen.add(name[1:])
    return True


def _mend_blanks(node: Node, was_first: Entry) -> None:
    """A blank line above the key that is now the first goes to the one that was, so that groups stay apart."""
    first = node.entries[0]
    if first is was_first:
        return
    holder = first.leading[0] if first.leading else first
    other = was_first.leading[0] if was_first.leading else was_first
    other.blank_before = holder.blank_before  # its own, at the start of the block, set nothing apart
    holder.blank_before = False
