"""
A manifest file as it is written: nodes with the very characters of their scalars, and the comments that belong to them.

Unlike `manifests.document` this keeps everything a person wrote and nothing of what it means, save the name of a key.
It is built by `read`, filled with comments by `comments`, put in order by `order`, and written out by `emit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias


class NotLaidOut(Exception):
    """The file holds something that the layout leaves alone; `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(slots=True)
class Comment:
    """
    One comment from `#` to the end of its line, or a directive (`%YAML 1.2`), which is handled like one.

    `gap` is the space before a comment at the end of a line. Comments that stand under each other at the ends of
    consecutive lines share a `run`.
    """

    text: str
    blank_before: bool = False
    gap: int = 2
    run: int = 0


class Shape(Enum):
    """What a node is."""

    EMPTY = "empty"
    ALIAS = "alias"
    INLINE = "inline"  # a plain or quoted scalar
    BLOCK = "block"  # a scalar after | or >
    MAP = "map"
    LIST = "list"


@dataclass(slots=True, eq=False)
class Node:
    """
    One value.

    `start` and `end` are offsets into the text. `lines` are the characters of a scalar, those of a block scalar without
    their indentation and after its header. `head` comments open a block and stay there when its keys move, `foot`
    comments close it.
    """

    shape: Shape
    start: int
    end: int
    line: int
    column: int
    flow: bool = False
    anchor: str = ""
    lines: list[str] = field(default_factory=list)
    keeps_breaks: bool = False
    entries: list[Entry] = field(default_factory=list)
    owner: Entry | None = None
    head: list[Comment] = field(default_factory=list)
    head_blank: bool = False
    foot: list[Comment] = field(default_factory=list)

    @property
    def is_collection(self) -> bool:
        """Whether this is a list or a mapping."""
        return self.shape is Shape.MAP or self.shape is Shape.LIST


@dataclass(slots=True, eq=False)
class Entry:
    """
    One key of a mapping with its value, or one item of a list (`key` is empty then).

    `key` is as written, `name` what it means. `starts_line` tells that nothing but space stands before it.
    `leading` comments stand above it, `after` comments right below it, `eol` ones at the end of its line.
    """

    container: Node
    start: int
    line: int
    value: Node
    key: str = ""
    name: str = ""
    blank_before: bool = False
    leading: list[Comment] = field(default_factory=list)
    eol: list[Comment] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Marker:
    """A `---` or `...` line."""

    start: int
    line: int
    text: str
    blank_before: bool = False
    eol: list[Comment] = field(default_factory=list)


Point: TypeAlias = Entry | Marker
"""What a comment can belong to, in the order of the text."""


@dataclass(slots=True, eq=False)
class Page:
    """One document: what stands before its `---`, its value, and its markers where they are written."""

    root: Node
    start: Marker | None = None
    end: Marker | None = None
    prolog: list[Comment] = field(default_factory=list)


@dataclass(slots=True)
class Stream:
    """
    One file. `points` are in the order of the text; `scalars` are the spans in which a `#` begins no comment.

    `inside` are the numbers of the lines that belong to a scalar which began before them.
    """

    text: str
    pages: list[Page] = field(default_factory=list)
    epilog: list[Comment] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    scalars: list[tuple[int, int]] = field(default_factory=list)
    inside: set[int] = field(default_factory=set)
