"""
Documents as they are meant: the project's defaults under them, one for each item of `forEach`, expressions evaluated.

All of it happens on values that are read already, so that nothing a variable holds can add a key or a document, and
every value keeps the place where it, or the expression that gave it, stands. A document that uses none of this comes
out as it went in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.manifests.document import Document, Source
from reconciler.manifests.layered import Layered, merged
from reconciler.manifests.template.evaluate import Evaluator, Problem
from reconciler.manifests.template.scan import has_expression
from reconciler.manifests.template.scope import Defaults, Scope
from reconciler.manifests.told import told
from reconciler.manifests.words import plain, shown
from reconciler.model.diagnostic import Diagnostic, Location, PathTuple, Severity, dotted

MOST_ITEMS = 1_000
"""Experiments that one manifest may make."""


MOST_VALUES = 2_000_000
"""Values of all the documents that one manifest comes to."""

FOR_EACH = "forEach"
_LITERAL = ("apiVersion", "kind")
_ONCE = ("importId", "movedFrom")
# Two braces, or one beside something that may turn into one: an escape, or a line that goes on.
_MARK = re.compile(r"\{[{%#\\]|\\(?:x7|u007|U0000007)[bB]")


@dataclass(frozen=True)
class Expanded:
    """The documents that manifests come to, in order, and every problem met on the way."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def expand(documents: Iterable[Document], scope: Scope) -> Expanded:
    """Give what documents come to in a scope; a document with a mistake comes out too, as far as it goes."""
    expander = _Expander(scope)
    out: list[Document] = []
    for document in documents:
        out += expander.take(document)
    return Expanded(tuple(out), (*expander.problems, *told(expander.of_items)))


@dataclass(frozen=True)
class _Item:
    """One item of `forEach`; a document without it has none."""

    key: str
    value: Any
    index: int
    path: PathTuple

    def names(self) -> dict[str, Any]:
        return {"each": {"key": self.key, "value": self.value, "index": self.index}}


@dataclass
class _Filled:
    """What the scalars of a document came to."""

    computed: dict[PathTuple, str] = field(default_factory=dict)
    flaws: set[Location] = field(default_factory=set)


class _Expander:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.evaluator = Evaluator(scope)
        self.problems: list[Diagnostic] = []
        self.of_items: list[tuple[Diagnostic, Document]] = []
        self._marked: dict[int, tuple[Source, bool]] = {}
        self._marked_defaults = {kind: _holds_expression(given.value) for kind, given in scope.defaults.items()}

    def take(self, document: Document) -> Iterable[Document]:
        value = document.value
        if not isinstance(value, dict):
            return (document,)
        kind = value.get("kind")
        defaults = self.scope.defaults.get(kind) if isinstance(kind, str) else None
        marked = self._is_marked(document)
        if defaults is None and not marked and FOR_EACH not in value:
            return (document,)
        base = _with_defaults(document, defaults)
        if defaults is not None and self._marked_defaults[str(kind)]:
            marked = True
        if FOR_EACH in value:
            return self._each(base)
        return (self._filled(base, None) if marked else base,)

    def _is_marked(self, document: Document) -> bool:
        source = document.source
        if id(source) not in self._marked:
            text = source.text
            marked = ("{" in text or "\\" in text) and _MARK.search(text) is not None
            self._marked[id(source)] = (source, marked)
        return self._marked[id(source)][1]

    # --- forEach ---------------------------------------------------------------------------------------------

    def _each(self, base: Layered) -> Iterator[Document]:
        stated = base.value[FOR_EACH]
        rest = {key: value for key, value in base.value.items() if key != FOR_EACH}
        base = replace(base, value=rest)
        before = len(self.problems)
        if isinstance(stated, list) and len(stated) > MOST_ITEMS:
            value = stated  # too many: not worth evaluating
        else:
            filled = _Filled()
            value = self._walk(base, stated, (FOR_EACH,), {}, filled)
            if filled.flaws:
                return
            base = replace(base, computed=filled.computed)
        items = self._items(base, value)
        if len(self.problems) > before:
            return
        if not items:
            self._tell(base, (FOR_EACH,), "forEach is empty, so this manifest makes no experiment", Severity.WARNING)
            return
        self._check_once(base)
        size = _size(rest)
        if size * len(items) > MOST_VALUES:
            message = f"forEach would make {len(items)} experiments of {size} values each, which is too much"
            self._tell(base, (FOR_EACH,), message, hint="use fewer items")
            return
        for item in items:
            yield self._filled(replace(base, item=item.key, items=len(items)), item)

    def _items(self, base: Document, value: Any) -> list[_Item]:
        if not isinstance(value, list | dict):
            self._tell(base, (FOR_EACH,), f"forEach is {shown(value)}; it has to be a list or a mapping")
            return []
        if len(value) > MOST_ITEMS:
            message = f"forEach has {len(value)} items; one manifest makes at most {MOST_ITEMS} experiments"
            self._tell(base, (FOR_EACH,), message, hint="split it into several manifests")
            return []
        if isinstance(value, dict):
            entries = value.items()
            return [_Item(key, item, index, (FOR_EACH, key)) for index, (key, item) in enumerate(entries)]
        items: dict[str, _Item] = {}
        for index, entry in enumerate(value):
            path: PathTuple = (FOR_EACH, index)
            key = _key_of(entry)
            if key is None:
                what = "a mapping without a key" if isinstance(entry, dict) else shown(entry)
                message = f"forEach[{index}] is {what}, so its experiment has no name of its own"
                self._tell(base, path, message, hint="add key: NAME to the item, or write forEach as a mapping by name")
            elif key in items:
                first = items[key].index
                message = f'forEach[{index}] has the key "{plain(key)}", which forEach[{first}] has already'
                self._tell(base, path, message, hint="give one of them another key")
            else:
                items[key] = _Item(key, entry, index, path)
        return list(items.values())

    def _check_once(self, base: Layered) -> None:
        """Refuse what can be true of one experiment only."""
        metadata = base.value.get("metadata")
        for key in _ONCE:
            stated = metadata.get(key) if isinstance(metadata, dict) else None
            if isinstance(stated, str) and not self.evaluator.uses(stated, "each"):
                message = f"metadata.{key} would be the same for every item of forEach"
                self._tell(base, ("metadata", key), message, hint="use each in it, such as {{ each.value.id }}")

    # --- expressions -----------------------------------------------------------------------------------------

    def _filled(self, base: Layered, item: _Item | None) -> Layered:
        filled = _Filled()
        names: dict[str, Any] = item.names() if item else {}
        value = dict(base.value)
        for key in _LITERAL:
            if isinstance(value.get(key), str) and has_expression(value[key]):
                self._tell(base, (key,), f"{key} is written out, never an expression", filled=filled)
        name = self._name(base, names, item, filled)
        if name is not None:
            value["metadata"] = {**value["metadata"], "name": name}
            names["name"] = name
        for key, inner in value.items():
            if key not in _LITERAL:
                self._check_key(base, (), key)
                value[key] = self._walk(base, inner, (key,), names, filled)
        return replace(base, value=value, computed=filled.computed, flaws=base.flaws | filled.flaws)

    def _name(self, base: Layered, names: Mapping[str, Any], item: _Item | None, filled: _Filled) -> Any:
        """Give the experiment's name: with the item's key behind it, where the manifest does not use that itself."""
        metadata = base.value.get("metadata")
        stated = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(stated, str):
            return None
        path = ("metadata", "name")
        name = self._scalar(base, stated, path, names, filled) if has_expression(stated) else stated
        if base.locate(path) in filled.flaws or item is None or self.evaluator.uses(stated, "each"):
            return name
        filled.computed.setdefault(path, stated)
        return f"{name}-{item.key}"

    def _walk(self, base: Layered, value: Any, path: PathTuple, names: Mapping[str, Any], filled: _Filled) -> Any:
        """Give a value with its expressions evaluated; what holds none stays the very same object."""
        if isinstance(value, str):
            if path == ("metadata", "name") or not has_expression(value):
                return value
            return self._scalar(base, value, path, names, filled)
        if isinstance(value, dict):
            changed = value
            for key, inner in value.items():
                self._check_key(base, path, key)
                new = self._walk(base, inner, (*path, key), names, filled)
                if new is not inner:
                    changed = dict(value) if changed is value else changed
                    changed[key] = new
            return changed
        if isinstance(value, list):
            items = [self._walk(base, inner, (*path, index), names, filled) for index, inner in enumerate(value)]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        return value

    def _check_key(self, base: Document, path: PathTuple, key: str) -> None:
        if has_expression(key):
            place = base.locate((*path, key), True)
            message = f'the key "{plain(key)}" holds an expression; only values may'
            self.problems.append(Diagnostic(Severity.ERROR, place, message, path=plain(dotted(path), 200)))

    def _scalar(self, base: Layered, text: str, path: PathTuple, names: Mapping[str, Any], filled: _Filled) -> Any:
        filled.computed[path] = text
        try:
            return self.evaluator.scalar(text, names)
        except Problem as problem:
            place = base.locate(path)
            filled.flaws.add(place)
            if problem.known:
                return text
            if problem.location is not None:
                used = f"used at {place}"
                hint = f"{problem.hint}; {used}" if problem.hint else used
                self.problems.append(Diagnostic(Severity.ERROR, problem.location, problem.message, hint=hint))
                return text
            named = plain(dotted(path), 200)
            found = Diagnostic(Severity.ERROR, place, f"{named}: {problem.message}", path=named, hint=problem.hint)
            self.of_items.append((found, replace(base, computed={})))
            return text

    def _tell(
        self,
        base: Document,
        path: PathTuple,
        message: str,
        severity: Severity = Severity.ERROR,
        hint: str = "",
        filled: _Filled | None = None,
    ) -> None:
        place = base.locate(path)
        if filled is not None:
            filled.flaws.add(place)
        self.problems.append(Diagnostic(severity, place, message, path=plain(dotted(path), 200), hint=hint))


def _key_of(entry: Any) -> str | None:
    """Give the key of an item: a scalar's text, or what a mapping states as its `key` or `name`."""
    if isinstance(entry, dict):
        entry = entry["key"] if "key" in entry else entry.get("name")
    if isinstance(entry, str) and entry:
        return entry
    return str(entry) if isinstance(entry, int) and not isinstance(entry, bool) else None


def _with_defaults(document: Document, defaults: Defaults | None) -> Layered:
    """Give a document over the defaults of its kind: mappings are merged, and what it states itself counts."""
    below: tuple[tuple[Document, PathTuple], ...] = ()
    value = document.value
    if defaults is not None:
        value = {
            **value,
            **{key: merged(given, value[key]) if key in value else given for key, given in defaults.value.items()},
        }
        below = ((defaults.document, defaults.prefix),)
    return Layered(document.file, document.index, value, document.root, document.source, document.flaws, below)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_size(item) for item in value.values())
    return 1 + sum(_size(item) for item in value) if isinstance(value, list) else 1


def _holds_expression(value: Any) -> bool:
    if isinstance(value, str):
        return has_expression(value)
    if isinstance(value, Mapping):
        return any(_holds_expression(item) for item in value.values())
    return isinstance(value, list) and any(_holds_expression(item) for item in value)
