"""What an imported experiment is called: the platform's name as a manifest may have it, made unique."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.envelope import NAME_LENGTH, NAME_PATTERN

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """
    Give text as a name: lower case, other characters to `-`, at most 63 characters; empty when nothing is left.

    It holds no dot and no slash, so that a file of that name lies where it is meant to.
    """
    return _OTHER.sub("-", text.lower()).strip("-")[:NAME_LENGTH].rstrip("-")


def is_name(text: str) -> bool:
    """Tell whether a manifest may have this name."""
    return len(text) <= NAME_LENGTH and re.fullmatch(NAME_PATTERN, text) is not None and "\n" not in text


def name_for(wanted: str, kind: str, remote_id: str, is_free: Callable[[str], bool]) -> str:
    """Give a free name made from the platform's, else from kind and id; taken ones get `-2`, `-3` and so on."""
    base = slug(wanted) or slug(f"{kind}-{remote_id}") or slug(kind)
    if is_free(base):
        return base
    number = 2
    while not is_free(numbered(base, number)):
        number += 1
    return numbered(base, number)


def numbered(base: str, number: int) -> str:
    """Give a name with a number behind it, shortened so that both fit."""
    tail = f"-{number}"
    return base[: NAME_LENGTH - len(tail)].rstrip("-") + tail
