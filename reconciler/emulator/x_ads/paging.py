"""Pages of a list: an opaque cursor that holds the place and a fingerprint of the call it belongs to."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.emulator.world import Row
from reconciler.emulator.x_ads.refusals import Refusal, refusal

SortKey = Callable[[Row], tuple[str, str]]


def fingerprint(path: str, values: Mapping[str, str]) -> str:
    """Give a short digest of everything that must stay the same while paging: the path and all but the cursor."""
    rest = sorted((name, value) for name, value in values.items() if name != "cursor")
    return hashlib.sha256(json.dumps([path, rest]).encode()).hexdigest()[:16]


def one_page(
    rows: Iterable[Row], key: SortKey, descending: bool, count: int, cursor: str | None, mark: str
) -> tuple[list[Row], str | None]:
    """
    Give the page of at most `count` rows after `cursor`, and the next cursor or None on the last page.

    The place is the sort key of the last row given out, so rows that come or go meanwhile do not shift the pages.
    Raises `Refusal` 400 for a cursor that is none, or that belongs to a call with other parameters.
    """
    ordered = sorted(rows, key=key, reverse=descending)
    if cursor is not None:
        place = _place(cursor, mark)
        ordered = [row for row in ordered if (key(row) < place if descending else key(row) > place)]
    page = ordered[:count]
    if len(ordered) <= count:
        return page, None
    token = json.dumps([mark, *key(page[-1])]).encode()
    return page, base64.urlsafe_b64encode(token).decode().rstrip("=")


def _place(cursor: str, mark: str) -> tuple[str, str]:
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        found, value, tie = parts
        if not isinstance(value, str) or not isinstance(tie, str):
            raise ValueError("not a place")
    except (ValueError, TypeError):
        raise _bad_cursor(cursor, "the cursor is not one of this endpoint's") from None
    if found != mark:
        raise _bad_cursor(cursor, "all other parameters must stay as they were on the first page")
    return value, tie


def _bad_cursor(cursor: str, details: str) -> Refusal:
    message = "Invalid cursor"
    return refusal(400, "INVALID_PARAMETER", message, parameter="cursor", details=details, value=cursor)
