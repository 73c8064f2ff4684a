"""
Text to nodes that know their offsets.

The event stream of libyaml gives the exact span of every scalar and of every flow collection; the token stream adds the
dashes of lists. What is left between these spans is space, punctuation and comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from reconciler.manifests.layout.tree import Entry, Marker, Node, NotLaidOut, Page, Shape, Stream

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROPERTIES = re.compile(r"(&\S+)[ \t]*")
_HEADER = re.compile(r"([|>])([0-9+-]*)[ \t]*(#.*)?$")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Words that some YAML 1.1 readers take for something else than text: such a key keeps its quotes.
_NOT_BARE = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_LONGEST_KEY = 1000  # YAML allows 1024 characters before the colon


def read(text: str) -> Stream:
    """
    Give the tree of a text that our loader takes without complaint, with `\\n` line ends and no byte order mark.

    Raises NotLaidOut for what is left as it is: a document that is no mapping, a key over several lines.
    """
    return _Reader(text).run()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.stream = Stream(text)
        self.dashes: list[Any] = [
            token.start_mark for token in yaml.scan(text, Loader=_PARSER) if isinstance(token, yaml.BlockEntryToken)
        ]
        self.dashes.reverse()

    def run(self) -> Stream:
        events = iter(yaml.parse(self.text, Loader=_PARSER))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._page(event, events)
        return self.stream

    def _page(self, opened: Any, events: Iterator[Any]) -> None:
        start = None
        if opened.explicit:
            start = self._marker(opened.end_mark.index - 3, opened.end_mark.line, "---")
        root = self._node(next(events), events, None)
        closed = next(events)
        if root.shape is not Shape.EMPTY and not (root.shape is Shape.MAP and root.entries):
            raise NotLaidOut("the document is no mapping of keys", root.line + 1)
        if root.anchor:
            raise NotLaidOut("the whole document has an anchor", root.line + 1)
        end = self._marker(closed.start_mark.index, closed.start_mark.line, "...") if closed.explicit else None
        self.stream.pages.append(Page(root, start, end))

    def _marker(self, start: int, line: int, text: str) -> Marker:
        marker = Marker(start, line, text, self._blank_above(line))
        self.stream.points.append(marker)
        self.stream.scalars.append((start, start + 3))
        return marker

    # --- nodes -----------------------------------------------------------------------------------------------

    def _node(self, event: Any, events: Iterator[Any], parent: Node | None) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, parent)
        start, end = event.start_mark, event.end_mark
        node = Node(Shape.ALIAS, start.index, end.index, start.line, start.column)
        if isinstance(event, yaml.AliasEvent):
            node.lines = [self.text[start.index : end.index].rstrip()]
            return node
        node.flow = bool(event.flow_style)
        if event.anchor is not None:
            node.anchor = f"&{event.anchor}"
        if isinstance(event, yaml.MappingStartEvent):
            node.shape = Shape.MAP
            self._map(node, events)
        else:
            node.shape = Shape.LIST
            self._list(node, events)
        return node

    def _map(self, node: Node, events: Iterator[Any]) -> None:
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            mark = event.start_mark
            if not node.entries and not node.flow:
                node.column = mark.column
            written = self.text[mark.index : event.end_mark.index]
            if event.style in ("|", ">") or "\n" in written or len(written) > _LONGEST_KEY:
                raise NotLaidOut("a key that is this long or stands on several lines", mark.line + 1)
            self.stream.scalars.append((mark.index, event.end_mark.index))
            entry = Entry(node, mark.index, mark.line, node, _key(event, written), event.value)
            self._add(entry, mark.column, events)
        node.end = _end(event)

    def _list(self, node: Node, events: Iterator[Any]) -> None:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            mark: Any = event.start_mark if node.flow else self.dashes.pop()
            if not node.entries and not node.flow:
                node.column = mark.column
            self._add(Entry(node, mark.index, mark.line, node), mark.column, events, event)
        node.end = _end(event)

    def _add(self, entry: Entry, column: int, events: Iterator[Any], event: Any = None) -> None:
        """Read an entry's value and hang the entry into its container."""
        before = self.lines[entry.line][:column].strip()
        entry.blank_before = before in ("", "?") and self._blank_above(entry.line)
        self.stream.points.append(entry)
        entry.value = self._node(next(events) if event is None else event, events, entry.container)
        entry.value.owner = entry
        entry.container.entries.append(entry)

    def _scalar(self, event: Any, parent: Node | None) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        line = event.start_mark.line
        written = self.text[start:end]
        node = Node(Shape.INLINE, start, end, line, event.start_mark.column)
        if event.anchor is not None:
            properties = _PROPERTIES.match(written)
            rest = written[properties.end() :] if properties else "\n"
            node.anchor = f"&{event.anchor}"
            if rest.startswith(("\n", "#")):
                raise NotLaidOut("an anchor that stands on another line than its value", line + 1)
            written = rest
        if not written:
            node.shape = Shape.EMPTY
            return node
        if event.style in ("|", ">"):
            self._block(node, written, event, parent)
        else:
            node.lines = _inline(written, event)
            self._inside(line, len(node.lines))
            self.stream.scalars.append((start, end))
        return node

    def _block(self, node: Node, written: str, event: Any, parent: Node | None) -> None:
        """
        Take a block scalar apart into header and lines.

        A literal one is written anew from its value; a folded one keeps the lines that it is folded at. A header that
        means something else once the file ends with a line break (`|` at the very end) is made to say what it means.
        """
        first, *source = written.split("\n")
        header = _HEADER.match(first)
        if header is None or parent is None:
            raise NotLaidOut("a block scalar whose header is not understood", node.line + 1)
        node.shape = Shape.BLOCK
        style, marks = header[1], header[2]
        stated = next((int(char) for char in marks if char.isdigit()), 0)
        body = event.value.rstrip("\n")
        breaks = len(event.value) - len(body)
        if style == "|":
            content = body.split("\n") if body else []
        else:
            content = _dedented(source, parent.column + stated if stated else None) if body else []
        first_line = next((text for text in content if text), "")
        needs_indicator = bool(stated) or first_line.startswith(" ")
        chomp = "-" if "-" in marks or (body and not breaks) else "+" if "+" in marks else ""
        if chomp == "+":
            content += [""] * (breaks - 1 if body else breaks)
        node.keeps_breaks = chomp == "+"
        node.lines = [f"{style}{'2' if needs_indicator else ''}{chomp}", *content]
        self._inside(node.line, len(node.lines))
        # The header may end in a comment, which is no part of the scalar.
        begin = node.end - len(written)
        self.stream.scalars.append((node.start, begin + (header.start(3) if header[3] else len(first))))
        self.stream.scalars.append((begin + len(first), node.end))

    def _inside(self, line: int, count: int) -> None:
        if count > 1:
            self.stream.inside.update(range(line + 1, line + count))

    def _blank_above(self, line: int) -> bool:
        return line > 0 and not self.lines[line - 1].strip() and line - 1 not in self.stream.inside


def _end(event: Any) -> int:
    end: int = event.end_mark.index
    return end


def _key(event: Any, written: str) -> str:
    """Give a key as it is to be written: without quotes where every reader takes it for the same text."""
    bare = written[1:-1]
    if (
        event.style in ("'", '"')
        and event.anchor is None
        and bare == event.value
        and _IDENTIFIER.fullmatch(bare)
        and bare.lower() not in _NOT_BARE
    ):
        return bare
    return written


def _inline(written: str, event: Any) -> list[str]:
    """Give the lines of a plain or quoted scalar without their indentation; simple text in double quotes."""
    lines = written.split("\n")
    if len(lines) == 1 and event.style == "'" and not any(char in event.value for char in "\"\\'"):
        return [f'"{event.value}"']
    return [lines[0], *(line.lstrip(" \t") for line in lines[1:])]


def _dedented(source: list[str], indent: int | None) -> list[str]:
    """Give the lines of a folded scalar without their indentation and without empty lines at the end."""
    if indent is None:
        first = next((line for line in source if line.strip(" ")), "")
        indent = len(first) - len(first.lstrip(" "))
    lines = [line[indent:] for line in source]
    while lines and not lines[-1]:
        lines.pop()
    return lines
