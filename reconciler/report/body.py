"""A call as a reviewer reads it: method, path, headers that matter, and the whole body, wrapped where it is long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.model.change import Call
from reconciler.report.clean import as_json, clean
from reconciler.report.style import Style
from reconciler.report.words import WIDTH


def call_lines(call: Call, label: str, indent: int, style: Style) -> list[str]:
    """Give a call in full, on one line where it fits: `POST /path?query (Header: value) {body}`."""
    target = target_of(call)
    method = clean(call.method)
    headers = ", ".join(f"{clean(str(key))}: {clean(str(value))}" for key, value in call.headers.items())
    plain = f"{label}{method} {target}" + (f" ({headers})" if headers else "")
    line = f"{' ' * indent}{label}{style.bold(method)} {target}" + (f" {style.dim(f'({headers})')}" if headers else "")
    if call.body is None:
        return [line]
    one = as_json(call.body)
    if indent + len(plain) + 1 + len(one) <= WIDTH:
        return [f"{line} {one}"]
    return [line, *body_lines(call.body, indent + (3 if label else 0))]


def target_of(call: Call) -> str:
    """Give a call's path with its query, as it stands on the wire."""
    query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in call.query.items())
    return clean(f"{call.path}?{query}" if query else call.path)


def _quoted(value: object) -> str:
    return quote(str(value), safe="", errors="replace")  # half a character is refused before anything is sent


def body_lines(value: Any, indent: int, width: int = WIDTH) -> list[str]:
    """Give a JSON value in full: what fits stays on one line, the rest gets one line an item. Still the same JSON."""
    return [" " * (indent + depth * 2) + text for depth, text in _layout(value, "", "", 0, width - indent)]


def _layout(value: Any, head: str, tail: str, depth: int, room: int) -> list[tuple[int, str]]:
    one = as_json(value)
    fits = depth * 2 + len(head) + len(one) + len(tail) <= room
    if fits or not value or not isinstance(value, (dict, list)):
        return [(depth, f"{head}{one}{tail}")]
    lines: list[tuple[int, str]] = []
    last = len(value) - 1
    if isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            lines += _layout(item, f"{as_json(str(key))}: ", "," if index < last else "", depth + 1, room)
        return [(depth, head + "{"), *lines, (depth, "}" + tail)]
    if not any(isinstance(item, (dict, list)) for item in value):
        items = [as_json(item) + ("," if index < last else "") for index, item in enumerate(value)]
        lines = [(depth + 1, line) for line in filled(items, room - depth * 2 - 2)]
        return [(depth, head + "["), *lines, (depth, "]" + tail)]
    for index, item in enumerate(value):
        lines += _layout(item, "", "," if index < last else "", depth + 1, room)
    return [(depth, head + "["), *lines, (depth, "]" + tail)]


def filled(pieces: Sequence[str], room: int) -> list[str]:
    """Give pieces several to a line of at most `room` characters; a longer piece has a line of its own."""
    lines: list[str] = []
    line = ""
    for piece in pieces:
        if line and len(line) + 1 + len(piece) > room:
            lines.append(line)
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    return [*lines, line] if line else lines
