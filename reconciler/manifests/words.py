"""How text from files, which may be hostile, is shown inside messages: shortened, on one line, nothing invisible."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

LONGEST = 60
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, longest: int = LONGEST) -> str:
    """Give text on one line, shortened to `longest` characters; what does not print stands as its escape."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_escape(char) if unicodedata.category(char) in _UNSEEN else char for char in cut)


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(value: Any, longest: int = LONGEST) -> str:
    """Give a value of a manifest as it stands in messages: text in quotes, lists and mappings by their size."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{plain(value, longest)}"'
    if isinstance(value, dict):
        return "an empty mapping" if not value else f"a mapping of {len(value)} key{'s' if len(value) != 1 else ''}"
    if isinstance(value, (list, tuple)):
        return "an empty list" if not value else f"a list of {len(value)} item{'s' if len(value) != 1 else ''}"
    if isinstance(value, (int, float)):
        return plain(json.dumps(value), longest)
    return plain(str(value), longest)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Give the real word that a misspelt one most likely stands for, None when none is near."""
    known = list(words)
    folded = _fold(word[:100])
    for candidate in known:
        if _fold(candidate) == folded:
            return candidate
    by_fold = {_fold(candidate): candidate for candidate in known}
    close = get_close_matches(folded, by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def one_of(words: Iterable[str]) -> str:
    """Give words as a choice: `a, b or c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}" if items else "nothing"
