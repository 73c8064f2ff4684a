"""A call as a reviewer reads it: method, path, headers that matter, and the whole body, wrapped where it is long."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reconciler.model.change import Call
from reconciler.report.clean import as_json, clean
from reconciler.report.style import Style
from reconciler.report.words import WIDTH


def call_lines(call: Call, label: str, indent: int, style: Style) -> list[str]:
    """Give a call in full, on one line where it fits: `POST /path?query (Header: value) {body}`."""
    query = "&".join(f"{quote(str(key), safe='')}={quote(str(value), safe='')}" for key, value in call.query.items())
    target = clean(f"{call.path}?{query}" if query else call.path)
    method = clean(call.method)
    headers = ", ".join(f"{clean(str(key))}: {clean(str(value))}" for key, value in call.headers.items())
    plain = f"{label}{method} {target}" + (f" ({headers})" if headers else "")
    line = f"{' ' * indent}{label}{style.bold(method)} {target}" + (f" {style.dim(f'({headers})')}" if headers else "")
    if call.body is None:
        return [line]
    one = as_json(call.body)
    if indent + len(plain) + 1 + len(one) <= WIDTH:
        return [f"{line} {one}"]
    return [line, *body_lines(call.body, indent + len(label))]


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
        return [(depth, head + "["), *_filled([as_json(item) for item in value], depth + 1, room), (depth, "]" + tail)]
    for index, item in enumerate(value):
        lines += _layout(item, "", "," if index < last else "", depth + 1, room)
    return [(depth, head + "["), *lines, (depth, "]" + tail)]


def _filled(items: list[str], depth: int, room: int) -> list[tuple[int, str]]:
    """Give plain items several to a line."""
    lines: list[tuple[int, str]] = []
    line = ""
    for index, item in enumerate(items):
        piece = item + ("," if index < len(items) - 1 else "")
        if line and depth * 2 + len(line) + 1 + len(piece) > room:
            lines.append((depth, line))
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    return [*lines, (depth, line)]
