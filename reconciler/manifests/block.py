"""
Manifests as most are written, read a line at a time: one `key: value` or `- item` a line.

libyaml makes an object of every event and two of its places, which is most of what reading costs. What is read here is
what `fmt` and `import` write, `{…}` and `[…]` of one line and comments included. Of everything else (text over several
lines, anchors, tags, escapes, several documents, a mistake) nothing is said here, and `build` reads the file from its
first byte. A file that is read comes to the very values and places that `build` gives: a property test holds the two
together.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from reconciler.manifests.document import Node
from reconciler.manifests.scalars import MAY_BE_MORE, resolve

MAX_DEPTH = 20
"""Lists and mappings inside each other."""
_NAME = "[A-Za-z_][A-Za-z0-9_-]{0,99}"
_KEY = re.compile(_NAME)
_OPENS = frozenset("_/$.(~+")
"""What a plain scalar may begin with, beside letters and digits."""
_HEAD = re.compile(rf"\ *(?:({_NAME}):\ +)?")
"""What may stand before a value between brackets."""
_BETWEEN = re.compile(
    r""" "[^"\\]*" | '[^']*' | [\w/$.(~+] (?: [^ ?,\[\]{}:#] | :(?=[^ ?,\[\]{}]) | \ +(?=[^ ?,\[\]{}:#]) )* """,
    re.VERBOSE,
)
"""A scalar between brackets."""
_NOTHING_YET, _MARKED = -2, -1  # before the first line with content, and after a first one that is ---
_WORTH_KEEPING = 40


class _Other(ValueError):
    """The file is written in another way."""


def read_block(text: str) -> tuple[Any, Node] | None:
    """Give the value of a text of one document and the place of everything in it; None when `build` has to read it."""
    lines = text.split("\n")
    # No tab, no other line break, nothing invisible: all that prints may stand in YAML.
    if not "".join(lines).isprintable():
        return None
    try:
        return _read(lines)
    except ValueError:  # _Other, or a number of which there are several readings
        return None


def _read(lines: list[str]) -> tuple[Any, Node]:
    root: Any = {}
    children: Any = {}
    began = _NOTHING_YET
    column, value, nodes = 0, root, children  # the innermost open list or mapping, and where its entries begin
    outer: list[tuple[int, Any, Any]] = []
    inner: Any
    places: Any
    waiting: tuple[str, int, int] | None = None  # a key whose value begins on a line to come, and its place
    for number, line in enumerate(lines):
        body = line.lstrip(" ")
        if not body or body[0] == "#":
            continue
        here = len(line) - len(body)
        if body[-1] == " ":
            body = body.rstrip(" ")
        if began < 0:
            if began == _NOTHING_YET and here == 0 and body == "---":
                began = _MARKED
                continue
            began = number
        is_item = body[:2] == "- "
        if waiting is not None:
            # A list may begin below its key, a mapping only further in.
            if here < column or (here == column and not is_item) or len(outer) >= MAX_DEPTH:
                raise _Other
            outer.append((column, value, nodes))
            inner = [] if is_item else {}
            places = [] if is_item else {}
            key, key_line, key_column = waiting
            value[key], nodes[key] = inner, (key_line, key_column, (number, here, places))
            column, value, nodes, waiting = here, inner, places, None
        else:
            while column > here or (column == here and not is_item and type(value) is list):
                if not outer:
                    raise _Other
                column, value, nodes = outer.pop()
            if column != here or (type(value) is list) is not is_item:
                raise _Other
        if is_item:
            item = body[2:].lstrip(" ")
            here += len(body) - len(item)
            if not _is_entry(item):
                stated, places = _bracketed(item, number, here) if item[0] in "{[" else (_scalar(item), None)
                value.append(stated)
                nodes.append((number, here, places))
                continue
            if len(outer) >= MAX_DEPTH:
                raise _Other
            outer.append((column, value, nodes))
            inner, places = {}, {}
            value.append(inner)
            nodes.append((number, here, places))
            column, value, nodes, body = here, inner, places, item
        key, colon, text = body.partition(": ")
        if not colon:
            if body[-1] != ":":
                raise _Other
            key = body[:-1]
        if key in value or not _is_key(key):
            raise _Other
        text = text.lstrip(" ")
        if not text or text[0] == "#":
            waiting = key, number, here
            continue
        there = here + len(body) - len(text)
        stated, places = _bracketed(text, number, there) if text[0] in "{[" else (_scalar(text), None)
        value[key], nodes[key] = stated, (number, here, (number, there, places))
    if waiting is not None or began < 0:
        raise _Other
    return root, (began, 0, children)


def _is_entry(item: str) -> bool:
    """Tell whether an item of a list is a mapping that begins on its line."""
    return item[0] not in "\"'{[" and (": " in item or item[-1] == ":")


@lru_cache(maxsize=4096)
def _is_key(text: str) -> bool:
    """Tell whether a word is a key without any doubt."""
    return _KEY.fullmatch(text) is not None and isinstance(resolve(text), str)


def _scalar(text: str) -> Any:
    """Give the value of a scalar that ends on its line, perhaps with a comment behind it."""
    first = text[0]
    if first in "\"'":
        end = text.find(first, 1)
        if end < 0 or (first == '"' and "\\" in text):
            raise _Other
        _check_behind(text, end + 1)
        return text[1:end]
    if not (first.isalnum() or first in _OPENS):
        raise _Other
    if " #" in text:
        text = text[: text.index(" #")].rstrip(" ")
    if ": " in text or text[-1] == ":":
        raise _Other
    return _plain(text)


def _plain(text: str) -> Any:
    if text[0] not in MAY_BE_MORE:
        return text
    return _resolved(text) if len(text) < _WORTH_KEEPING else resolve(text)


_resolved = lru_cache(maxsize=4096)(resolve)


def _bracketed(text: str, line: int, column: int) -> tuple[Any, Any]:
    """Give a mapping or list between brackets, and the places of what is in it."""
    value, nodes, end = _between(text, 0, line, column, 0)
    _check_behind(text, end)
    return value, nodes


def _between(text: str, start: int, line: int, column: int, depth: int) -> tuple[Any, Any, int]:
    """Give what begins with the bracket at `start`, and where it ends; the text begins in `column`."""
    is_mapping = text[start] == "{"
    close = "}" if is_mapping else "]"
    value: Any = {} if is_mapping else []
    nodes: Any = {} if is_mapping else []
    end = start + 1
    if text[end : end + 1] == close:
        return value, nodes, end + 1
    while True:
        head = _HEAD.match(text, end)
        assert head is not None  # it matches nothing at all, too
        key, at = head[1], head.end()
        inner: Any
        places: Any = None
        if text[at : at + 1] in ("{", "["):
            if depth >= MAX_DEPTH:
                raise _Other
            inner, places, end = _between(text, at, line, column, depth + 1)
        else:
            found = _BETWEEN.match(text, at)
            if found is None:
                raise _Other
            end, stated = found.end(), found[0]
            inner = stated[1:-1] if stated[0] in "\"'" else _plain(stated)
        node = (line, column + at, places)
        if is_mapping:
            if key is None or key in value or not _is_key(key):
                raise _Other
            value[key], nodes[key] = inner, (line, column + head.start(1), node)
        else:
            if key is not None:
                raise _Other
            value.append(inner)
            nodes.append(node)
        while text[end : end + 1] == " ":
            end += 1
        follows = text[end : end + 1]
        end += 1
        if follows == close:
            return value, nodes, end
        if follows != ",":
            raise _Other


def _check_behind(text: str, end: int) -> None:
    """Refuse what stands behind a scalar or bracket, unless it is a comment."""
    behind = text[end:]
    if behind and not (behind[0] == " " and behind.lstrip(" ")[0] == "#"):
        raise _Other
