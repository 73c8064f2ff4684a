"""
Markdown that fits: a comment has room for 65,536 characters on GitHub, and a plan may be of any size.

Sizes are counted in bytes of UTF-8, which are never fewer than the characters, so that either way of counting holds.
Whatever is left out is left out in steps, the same for all parts first; what room remains goes to the parts that
matter most. What comes from outside is bounded here too: one name cannot take the room of all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from reconciler.report.clean import as_json, clean, shortened
from reconciler.report.markdown_escape import code, escaped

LIMIT = 64_900
"""Bytes of a whole report; GitHub refuses a comment of more than 65,536 characters."""
_NAME, _SENTENCE, _ENVIRONMENT = 120, 400, 60
_TOO_LITTLE = 60
_LINK = re.compile(r"https://[A-Za-z0-9._~:/?=&%+,;@-]{1,500}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a report: `at(level)` gives its text, shorter with every level; a lower `rank` keeps more."""

    rank: int
    at: Callable[[int], str]


def size(text: str) -> int:
    """Give the bytes that a text takes."""
    return len(text) if text.isascii() else len(text.encode())


def fitted(parts: Sequence[Part], room: int, levels: int) -> list[tuple[int, str]]:
    """
    Give each part's level and text so that all texts together take at most `room` bytes.

    The first level at which all fit is taken for all, those of rank 0 apart, for which half of the room is kept; then
    parts are widened one level at a time, by rank. `levels` itself stands for a part that is left out, its text empty.
    """
    first = [index for index, part in enumerate(parts) if part.rank == 0]
    others = [index for index, part in enumerate(parts) if part.rank != 0]
    chosen, texts, left = [levels] * len(parts), [""] * len(parts), room
    for group, its_room in ((first, room // 2 if others else room), (others, None)):
        base, found, used = _alike([parts[index] for index in group], left if its_room is None else its_room, levels)
        for index, text in zip(group, found, strict=True):
            chosen[index], texts[index] = base, text
        left -= used
    order = sorted(range(len(parts)), key=lambda index: parts[index].rank)
    for level in range(levels - 1, -1, -1):
        for index in order:
            if left < _TOO_LITTLE:
                break
            if chosen[index] != level + 1:
                continue
            text = parts[index].at(level)
            grows = size(text) - size(texts[index])
            if grows <= left:
                chosen[index], texts[index], left = level, text, left - grows
    return list(zip(chosen, texts, strict=True))


def _alike(parts: Sequence[Part], room: int, levels: int) -> tuple[int, list[str], int]:
    for level in range(levels):
        texts: list[str] = []
        used = 0
        for part in parts:
            texts.append(part.at(level))
            used += size(texts[-1])
            if used > room:
                break
        else:
            return level, texts, used
    return levels, [""] * len(parts), 0


def bullets(lines: Iterable[str], room: int, more: Callable[[int], str]) -> list[str]:
    """Give lines as a list that takes about `room` bytes; `more` words the line about those left out."""
    every = list(lines)
    shown: list[str] = []
    used = 0
    for line in every:
        used += size(line) + 3
        if used > room:
            break
        shown.append(f"- {line}")
    rest = len(every) - len(shown)
    return [*shown, *([f"- {more(rest)}"] if rest else [])]


def name(text: str, limit: int = _NAME) -> str:
    """Give a name in the type of code; a long one without its middle."""
    return _unlinked(code(shortened(clean(text), limit)))


def names(every: Sequence[str], most: int = 8) -> str:
    """Give names in a row, at most about `most` of them, and how many more there are."""
    shown = every if len(every) <= most + 1 else every[:most]
    rest = len(every) - len(shown)
    return ", ".join(name(item, 80) for item in shown) + (f" and {rest:,} more" if rest else "")


def said(sentence: str, limit: int = _SENTENCE) -> str:
    """Give a sentence that may hold text from outside; a long one without its middle."""
    return escaped(shortened(clean(sentence), limit))


def value(item: Any, limit: int) -> str:
    """Give a JSON value in the type of code, of about `limit` characters."""
    return _unlinked(code(shortened(as_json(item), limit)))


def shown_text(text: str) -> str:
    """Give a text that is clean and short already in the type of code."""
    return _unlinked(code(text))


def _unlinked(coded: str) -> str:
    """An address of mail becomes a link even in the type of code, unless a character of no width parts it."""
    return coded.replace("&#64;", "&#64;&#8203;")


def fenced(lines: Sequence[str], language: str) -> list[str]:
    """Give lines as a block of code that nothing in them can close; the lines hold no line break."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def marker(kind: str, environment: str | None) -> str:
    """Give the hidden line by which a report of a kind and an environment is found again, whatever its name holds."""
    known = environment or ""
    if len(known) > _ENVIRONMENT:
        known = f"{known[: _ENVIRONMENT // 2]}.{sha256(known.encode(errors='replace')).hexdigest()[:16]}"
    return f"<!-- reconciler:{kind} env={quote(known, safe='', errors='replace')} -->"


def link(words: str, address: str) -> str:
    """Give words that lead to an https address; the words alone where it is none that can stand in Markdown."""
    return f"[{words}](<{address}>)" if _LINK.fullmatch(address) else words
