"""
A manifest as text, laid out as a person would write it: canonical key order, short values on one line, few quotes.

What is written reads back as the same value, by this project's loader. Text is quoted only where the loader would take
it for something else, or where a reader could not see what stands there (control and other invisible characters).
What would be taken for an expression is escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.manifests.layout.order import ENVELOPE, LIFECYCLE, METADATA, KeyOrder
from reconciler.manifests.scalars import Ambiguous, resolve
from reconciler.manifests.template.scan import LONGEST_SCALAR, escaped, has_expression
from reconciler.manifests.words import plain
from reconciler.model.diagnostic import PathTuple

WIDTH = 120
STEP = 2
DEEPEST = 40
"""Nesting of one value; the loader takes 50 for a whole document."""
LONGEST_KEY = 1000
"""YAML allows 1024 characters before a colon."""

_FOLD_FROM = 100
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_NO_BEGINNING = frozenset("-?:,[]{}#&*!|>'\"%@`=<~")
_FLOW_COLON = re.compile(r":[^\w./-]")


def manifest_text(
    kind: str,
    name: str,
    spec: Mapping[str, Any],
    order: KeyOrder,
    *,
    connection: str = "",
    ignored: Sequence[str] = (),
    comments: Sequence[str] = (),
    schema: str = "",
) -> str:
    """
    Give the text of one manifest.

    `order` is that of the kind's spec, `schema` the path of its JSON Schema from the file's folder, `comments` are
    lines above the document, `ignored` is `lifecycle.ignoreChanges`. Empty ones are left out. Every value has to be one
    that `unwritable` has nothing against.
    """
    lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
    lines += [f"# {plain(comment, WIDTH * 4)}" for comment in comments]
    lines += ["apiVersion: reconciler/v1", f"kind: {kind}", "metadata:", f"  name: {_scalar(name)}"]
    if connection:
        lines.append(f"  connection: {_scalar(connection)}")
    if ignored:
        lines.append("lifecycle:")
        lines += _entry("ignoreChanges:", list(ignored), STEP, 1)
    lines.append("spec:")
    for key, value in in_order(_literal(spec), order).items():
        lines += _entry(f"{_key(key)}:", value, STEP, 0)
    return "\n".join(lines) + "\n"


def document_lines(value: Mapping[str, Any], spec: KeyOrder) -> list[str]:
    """Give the lines of any manifest, its keys in their order; `spec` is the order of its kind's spec."""
    orders = {"metadata": METADATA, "lifecycle": LIFECYCLE, "spec": spec}
    lines: list[str] = []
    for key, inner in in_order(_literal(value), KeyOrder(ENVELOPE, orders)).items():
        if not isinstance(inner, Mapping) or not inner:
            lines += _entry(f"{_key(key)}:", inner, 0, 0)
            continue
        lines.append(f"{_key(key)}:")
        for name, deeper in inner.items():
            lines += _entry(f"{_key(name)}:", deeper, STEP, 0 if key == "spec" else 1)
    return lines


def in_order(value: Any, order: KeyOrder) -> Any:
    """Give a value with the keys of its mappings in the order wanted; keys that it does not name come last, as is."""
    if isinstance(value, list):
        return [in_order(item, order) for item in value]
    if not isinstance(value, Mapping):
        return value
    keys = [*(key for key in order.keys if key in value), *(key for key in value if key not in order.keys)]
    inside = order.inside
    return {key: in_order(value[key], inside[key]) if key in inside else value[key] for key in keys}


def _literal(value: Any) -> Any:
    """Escape what would be taken for an expression."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {key: _literal(inner) for key, inner in value.items()}
    return [_literal(inner) for inner in value] if isinstance(value, list) else value


def unwritable(value: Any) -> tuple[PathTuple, str] | None:
    """Give the first place in a value that no manifest can hold, and why; None when there is none."""
    return next(_unwritable(value, ()), None)


def _unwritable(value: Any, path: PathTuple) -> Iterator[tuple[PathTuple, str]]:
    if len(path) > DEEPEST:
        yield path, f"it is nested more than {DEEPEST} deep"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if _lone_surrogate(key) or len(key) > LONGEST_KEY or "\n" in key or has_expression(key):
                yield path, f'"{plain(key)}" cannot be a key of a manifest'
            yield from _unwritable(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unwritable(inner, (*path, index))
    elif isinstance(value, str):
        if _lone_surrogate(value):
            yield path, "the text holds half a character (a lone surrogate), which UTF-8 cannot hold"
        elif has_expression(value) and len(escaped(value)) > LONGEST_SCALAR:
            yield path, f"text of more than {LONGEST_SCALAR} characters cannot hold what looks like an expression"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            same = resolve(repr(value))
        except Ambiguous as error:
            yield path, str(error)
        else:
            if same != value or type(same) is not type(value):
                yield path, f"the number {value!r:.40} would not be read back as it is"


def _lone_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


# --- entries ---------------------------------------------------------------------------------------------------------


def _entry(head: str, value: Any, indent: int, level: int) -> list[str]:
    """Give the lines of a key (or a dash) with its value; `level` counts from the keys of `spec`, which are 0."""
    pad = " " * indent
    if isinstance(value, str):
        block = _block_text(value, indent, len(pad) + len(head) + 1)
        if block:
            return [f"{pad}{head} {block[0]}", *block[1:]]
    if not isinstance(value, Mapping | list):
        return [f"{pad}{head} {_scalar(value)}"]
    if not value or _may_flow(value, level):
        text = _flow(value)
        if not value or len(pad) + len(head) + 1 + len(text) <= WIDTH:
            return [f"{pad}{head} {text}"]
    inner = _lines(value, indent + STEP, level + 1)
    if head == "-":
        return [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
    return [f"{pad}{head}", *inner]


def _lines(value: Mapping[str, Any] | list[Any], indent: int, level: int) -> list[str]:
    lines: list[str] = []
    if isinstance(value, list):
        for item in value:  # items of a list that is a key of `spec` are blocks, however short
            lines += _entry("-", item, indent, level if level > 1 else 0)
        return lines
    for key, inner in value.items():
        lines += _entry(f"{_key(key)}:", inner, indent, level)
    return lines


def _may_flow(value: Any, level: int) -> bool:
    """A list of plain values goes on one line, and below the keys of `spec` whatever is not nested much."""
    return _height(value) <= (2 if level else 1 if isinstance(value, list) else 0)


def _height(value: Any) -> int:
    """Give how many lists and mappings are nested in a value, itself included; a plain value has 0."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((_height(item) for item in inner), default=0)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key, flow=True)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value, flow=True)


# --- scalars ---------------------------------------------------------------------------------------------------------


def _key(text: str, *, flow: bool = False) -> str:
    return _quoted(text) if text == "<<" else _scalar(text, flow=flow)


def _scalar(value: Any, *, flow: bool = False) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _is_plain(value, flow) else _quoted(value)
    return repr(value)


def _is_plain(text: str, flow: bool) -> bool:
    """Tell whether the loader takes text without quotes for itself, and a reader sees all of it."""
    if not text or text[0] in _NO_BEGINNING or text[-1] in ": " or text[0] == " ":
        return False
    if ": " in text or " #" in text or any(_is_unseen(char) for char in text):
        return False
    if flow and (any(char in ",[]{}" for char in text) or _FLOW_COLON.search(text)):
        return False
    try:
        return resolve(text) is text
    except Ambiguous:
        return False


def _is_unseen(char: str) -> bool:
    return char != " " and unicodedata.category(char) in _UNSEEN


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if not _is_unseen(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block_text(text: str, indent: int, used: int) -> list[str]:
    """Give text of several lines as a literal block and long text as a folded one; nothing where neither is safe."""
    pad = " " * (indent + STEP)
    if any(_is_unseen(char) and char != "\n" for char in text):
        return []
    if "\n" in text:
        body = text.removesuffix("\n")
        lines = body.split("\n")
        if lines[0][:1] in ("", " ") or not lines[-1] or any(line.endswith(" ") for line in lines):
            return []
        return ["|" if text.endswith("\n") else "|-", *(f"{pad}{line}" if line else "" for line in lines)]
    if len(text) < _FOLD_FROM or used + len(text) <= WIDTH or " " not in text or "  " in text:
        return []
    if text[0] == " " or text[-1] == " ":
        return []
    return [">-", *_folded(text.split(" "), pad)]


def _folded(words: Sequence[str], pad: str) -> list[str]:
    lines, line = [], pad + words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = pad + word
        else:
            line += f" {word}"
    return [*lines, line]
