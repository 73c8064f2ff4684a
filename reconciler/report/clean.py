"""
Text from outside (manifests, platforms, plan files) made safe to show.

An experiment's name may hold terminal escapes, text that turns the reading direction around, characters that take no
room, or line breaks that fake a line of this tool's own output. All of them are shown as JSON escapes instead, so what
a reviewer sees is what will be sent, and a shown body is still the same JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escapes, line breaks, tabs
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible: soft hyphen, joiners, fillers
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero-width, marks, embeddings, overrides, isolates
    "\u2028\u2029\ufff9-\uffff"  # line and paragraph separators, annotations, non-characters
    "\ud800-\udfff"  # half a character: cannot be written out
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible music marks, tags, variation selectors
    "]"
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean(text: str) -> str:
    """Give text on one line in which everything that a terminal would obey or hide is a visible JSON escape."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text)


def as_json(value: Any) -> str:
    """Give a JSON value on one line, safe to show and still the same JSON."""
    return clean(_ENCODER.encode(value))


def clean_json(text: str) -> str:
    """Give a JSON document, laid out in lines, safe to show and still the same JSON."""
    return "\n".join(map(clean, text.split("\n")))  # a line break inside a JSON text is an escape already


def short(value: Any, limit: int = 120) -> str:
    """
    Give a JSON value on one line of about `limit` characters.

    A longer one loses its middle, and says how long it is in all.
    """
    return shortened(as_json(value), limit)


def shortened(text: str, limit: int) -> str:
    """Give a line of text, without its middle where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    cut = f" ...[{len(text):,} characters in all]... "
    kept = max(limit - len(cut), 16)
    tail = kept // 3
    return text[: kept - tail] + cut + text[-tail:]


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
