"""A YAML document as plain values, and where each of them stands in its file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from reconciler.model.diagnostic import Location, PathTuple

# (line, column, children), counted from 0; children of a mapping by key as (key line, key column, node).
Node: TypeAlias = tuple[int, int, dict[str, "Entry"] | list["Node"] | None]
Entry: TypeAlias = tuple[int, int, Node]

_TOKEN = re.compile(r"[^\s,\[\]{}]+")


@dataclass(frozen=True)
class Source:
    """The text of a file, shared by its documents."""

    text: str

    def line(self, number: int) -> str:
        """Give a line without its end; lines count from 1. Empty where there is no such line."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return re.split(r"\r\n|\r|\n", self.text)


@dataclass(frozen=True)
class Document:
    """
    One YAML document of a file.

    `file` is the name shown to people, `index` the document's position among the file's non-empty ones, from 0.
    `value` holds plain JSON values with text keys. `flaws` are the places of which the loader has already complained.
    """

    file: str
    index: int
    value: Any
    root: Node = field(repr=False)
    source: Source = field(default_factory=lambda: Source(""), repr=False, compare=False)
    flaws: frozenset[Location] = frozenset()

    @property
    def location(self) -> Location:
        """The place where the document's content begins."""
        return Location(self.file, self.root[0] + 1, self.root[1] + 1)

    def locate(self, path: PathTuple, key: bool = False) -> Location:
        """
        Give the place of the value at `path`, or with `key` the place of its key.

        Where nothing is stated at `path`, gives the place of the nearest stated parent's key (or of the list item).
        """
        node = self.root
        entry: Node | Entry = node
        for step in path:
            children = node[2]
            if isinstance(children, dict) and isinstance(step, str) and step in children:
                entry = children[step]
                node = children[step][2]
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                entry = node = children[step]
            else:
                key = True
                break
        place = entry if key else node
        return Location(self.file, place[0] + 1, place[1] + 1)

    def written(self, path: PathTuple) -> str | None:
        """Give the characters of a number or word at `path` as they stand in the file; None when unknown."""
        place = self.locate(path)
        token = _TOKEN.match(self.source.line(place.line), place.column - 1)
        return token.group() if token else None
