"""
YAML events to documents, with the place of every key and value.

PyYAML's constructors are not used: they follow YAML 1.1 (`no` is False, `012` is 10), keep the last of two equal keys,
and follow references without a limit. The event stream is not recursive, so that depth can be limited here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import yaml

from reconciler.manifests.document import Document, Entry, Node, Source
from reconciler.manifests.scalars import MAY_BE_MORE, Ambiguous, resolve
from reconciler.manifests.words import plain
from reconciler.model.diagnostic import Diagnostic, Location, Severity

MAX_DEPTH = 50
MAX_ALIASED_NODES = 100_000

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME = re.compile(r"[a-z][a-z_]{0,30}")
_NO_KEY: Final = object()  # the next node of a mapping is a key
_ITEM: Final = object()  # the next node belongs to a list
_LOST: Final = object()  # the key was refused: its value is read and dropped


@lru_cache(maxsize=4096)
def _is_word(text: str) -> bool:
    """Tell whether a plain scalar is text that may be a key."""
    try:
        return text != "<<" and isinstance(resolve(text), str)
    except Ambiguous:
        return False


class _Stop(Exception):
    """The file cannot be read further."""


class _Frame:
    """One open list or mapping."""

    __slots__ = (
        "anchor",
        "column",
        "height",
        "is_key",
        "key",
        "key_column",
        "key_line",
        "line",
        "nodes",
        "size",
        "value",
    )

    def __init__(self, value: Any, nodes: Any, line: int, column: int, anchor: str | None, is_key: bool) -> None:
        self.value = value
        self.nodes = nodes
        self.line = line
        self.column = column
        self.anchor = anchor
        self.is_key = is_key
        self.key: Any = _NO_KEY if type(value) is dict else _ITEM
        self.key_line = self.key_column = 0
        self.size = 1
        self.height = 1


class Builder:
    """Reads one text; `documents` and `problems` are filled by `run`."""

    def __init__(self, file: str, source: Source, *, quiet: bool = False) -> None:
        self.file = file
        self.source = source
        self.quiet = quiet
        self.documents: list[Document] = []
        self.problems: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._aliased = 0
        self._start_document()

    def run(self) -> None:
        """Read the text to its end, or to the first place from which the rest makes no sense."""
        try:
            next_event = _PARSER(self.source.text).get_event
            while (event := next_event()) is not None:
                kind = type(event)
                if kind is yaml.ScalarEvent:
                    self._scalar(event)
                elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                    self._open(event, kind is yaml.MappingStartEvent)
                elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                    self._close()
                elif kind is yaml.AliasEvent:
                    self._alias(event)
                elif kind is yaml.DocumentStartEvent:
                    self._start_document()
                elif kind is yaml.DocumentEndEvent:
                    self._end_document()
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError as error:
            self.problems.append(
                Diagnostic(Severity.ERROR, Location(self.file), f"not valid YAML: {plain(str(error), 200)}")
            )
        except _Stop:
            pass

    # --- documents -------------------------------------------------------------------------------------------

    def _start_document(self) -> None:
        self._root: tuple[Any, Node] | None = None
        self._anchors: dict[str, tuple[Any, Node, int, int] | None] = {}
        self._first_problem = len(self.problems)

    def _end_document(self) -> None:
        if self._root is None or self._root[0] is None:
            return
        value, root = self._root
        flaws = frozenset(p.location for p in self.problems[self._first_problem :] if p.location is not None)
        self.documents.append(Document(self.file, len(self.documents), value, root, self.source, flaws))

    # --- nodes -----------------------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        line, column = mark.line, mark.column
        text: str = event.value
        if event.tag is None and event.anchor is None and self._quick(text, line, column, event.implicit[0]):
            return
        if event.tag is not None:
            self._refuse(
                line, column, f"the tag {self._word(event.tag)} is not used here", "remove it; quote what is text"
            )
        if event.anchor is not None:
            self._anchor(event.anchor, line, column)
        is_plain = event.implicit[0] and event.tag is None
        stack = self._stack
        if stack:
            frame = stack[-1]
            if frame.key is _NO_KEY:
                self._key(frame, text, line, column, is_plain)
                if event.anchor is not None:
                    self._anchors[event.anchor] = (text, (line, column, None), 1, 0)
                return
        value: Any = text
        if is_plain:
            try:
                value = resolve(text)
            except Ambiguous as problem:
                fix = "" if self.quiet else f'write "{plain(text)}" for text'
                self._refuse(line, column, f"{self._word(text)}: {problem}", fix)
        node: Node = (line, column, None)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, node, 1, 0)
        self._attach(value, node, 1, 0)

    def _quick(self, text: str, line: int, column: int, is_plain: bool) -> bool:
        """Take the scalars that nearly all are: a known key, text, or an item of a list. Gives False for the rest."""
        if not self._stack:
            return False
        frame = self._stack[-1]
        key = frame.key
        if key is _NO_KEY:
            if text in frame.nodes or not (is_plain and _is_word(text)):
                return False
            frame.key, frame.key_line, frame.key_column = text, line, column
            return True
        if key is _LOST or (is_plain and (not text or text[0] in MAY_BE_MORE)):
            return False
        frame.size += 1
        if key is _ITEM:
            frame.value.append(text)
            frame.nodes.append((line, column, None))
        else:
            frame.value[key] = text
            frame.nodes[key] = (frame.key_line, frame.key_column, (line, column, None))
            frame.key = _NO_KEY
        return True

    def _key(self, frame: _Frame, text: str, line: int, column: int, is_plain: bool) -> None:
        frame.key_line, frame.key_column = line, column
        frame.key = _LOST
        if is_plain:
            if text == "<<":
                self._refuse(
                    line,
                    column,
                    "merge keys (<<) are not supported",
                    "write the keys out, or use an alias for a whole value",
                )
                return
            if not _is_word(text):
                what = "an empty key" if not text else f"the key {self._word(text)}"
                self._refuse(line, column, f"{what} is not text", "quote it" if text else "name the key")
                return
        first: Entry | None = frame.nodes.get(text)
        if first is not None:
            self._refuse(
                line,
                column,
                f'the key "{self._word(text)}" stands twice in one mapping; first at {first[0] + 1}:{first[1] + 1}',
                "keep one of them",
            )
            return
        frame.key = text

    def _open(self, event: Any, is_mapping: bool) -> None:
        mark = event.start_mark
        line, column = mark.line, mark.column
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(line, column, f"more than {MAX_DEPTH} lists and mappings inside each other", "flatten it")
            raise _Stop
        if event.tag is not None:
            self._refuse(line, column, f"the tag {self._word(event.tag)} is not used here", "remove it")
        if event.anchor is not None:
            self._anchor(event.anchor, line, column)
        is_key = self._expects_key()
        if is_key:
            is_expression = self.source.line(line + 1)[max(column - 1, 0) : column + 1] == "{{"
            hint = 'put an expression into quotes: "{{ … }}"' if is_expression else "keys are text"
            self._refuse(line, column, "a list or mapping cannot be a key", hint)
        value: Any = {} if is_mapping else []
        nodes: Any = {} if is_mapping else []
        self._stack.append(_Frame(value, nodes, line, column, event.anchor, is_key))

    def _close(self) -> None:
        frame = self._stack.pop()
        node: Node = (frame.line, frame.column, frame.nodes)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, node, frame.size, frame.height)
        if frame.is_key:
            self._stack[-1].key = _LOST
            return
        self._attach(frame.value, node, frame.size, frame.height)

    def _attach(self, value: Any, node: Node, size: int, height: int) -> None:
        if not self._stack:
            self._root = (value, node)
            return
        frame = self._stack[-1]
        frame.size += size
        if height >= frame.height:
            frame.height = height + 1
        key = frame.key
        if key is _ITEM:
            frame.value.append(value)
            frame.nodes.append(node)
            return
        frame.key = _NO_KEY
        if key is not _LOST:
            frame.value[key] = value
            frame.nodes[key] = (frame.key_line, frame.key_column, node)

    # --- anchors and aliases -----------------------------------------------------------------------------------

    def _anchor(self, name: str, line: int, column: int) -> None:
        if name in self._anchors:
            self._refuse(
                line, column, f"the anchor &{self._word(name)} stands twice in one document", "rename one of them"
            )
        self._anchors[name] = None

    def _alias(self, event: Any) -> None:
        line, column = event.start_mark.line, event.start_mark.column
        name = self._word(event.anchor)
        is_key = self._expects_key()
        target = self._anchors.get(event.anchor)
        if is_key:
            self._refuse(line, column, f"the alias *{name} cannot be a key", "write the key out")
            self._stack[-1].key = _LOST
            return
        if target is None:
            if event.anchor in self._anchors:
                self._refuse(
                    line, column, f"the alias *{name} stands inside its own anchor", "a value cannot hold itself"
                )
            else:
                self._refuse(line, column, f"the alias *{name} has no anchor &{name} before it in this document", "")
            self._attach(None, (line, column, None), 1, 0)
            return
        value, node, size, height = target
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES:
            self._refuse(
                line,
                column,
                f"the aliases of this file stand for more than {MAX_ALIASED_NODES} values",
                "use fewer aliases",
            )
            raise _Stop
        if len(self._stack) + height > MAX_DEPTH:
            self._refuse(line, column, f"more than {MAX_DEPTH} lists and mappings inside each other", "flatten it")
            raise _Stop
        self._attach(value, node, size, height)

    # --- problems ----------------------------------------------------------------------------------------------

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].key is _NO_KEY

    def _word(self, text: str) -> str:
        """Give a word of the file as messages show it; of a file that may hold secrets only what a name can be."""
        if not self.quiet:
            return plain(text)
        name = _NAME.match(text)
        return "(not shown)" if name is None else name.group() if len(name.group()) == len(text) else f"{name.group()}…"

    def _refuse(self, line: int, column: int, message: str, hint: str) -> None:
        self.problems.append(Diagnostic(Severity.ERROR, Location(self.file, line + 1, column + 1), message, hint=hint))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        place = Location(self.file, mark.line + 1, mark.column + 1) if mark else Location(self.file)
        problem = error.problem or "it cannot be read"
        context = f" {error.context}" if error.context else ""
        if error.context_mark and mark and error.context_mark.line != mark.line:
            context += f" that begins at {error.context_mark.line + 1}:{error.context_mark.column + 1}"
        hint = ""
        line = self.source.line(place.line)
        if "\\t" in problem or line[: max(place.column, 1)].strip(" ").startswith("\t"):
            hint = "indent with spaces; YAML allows no tabs there"
        elif "mapping values are not allowed" in problem:
            hint = "quote text that holds a colon, or check the indentation"
        message = f"not valid YAML: {problem}{context}"
        self.problems.append(Diagnostic(Severity.ERROR, place, plain(message, 300), hint=hint))
