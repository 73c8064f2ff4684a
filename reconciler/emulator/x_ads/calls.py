"""What a handler is given and what it gives back, and the one way all list calls answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.emulator.world import Row, World
from reconciler.emulator.x_ads import fields, paging
from reconciler.emulator.x_ads.auth import Caller
from reconciler.emulator.x_ads.query import Query

MAX_COUNT = 1000
DEFAULT_COUNT = 200


@dataclass(frozen=True)
class Call:
    """One request, authenticated, its account known to the caller. `account_id` is empty where the path has none."""

    world: World
    caller: Caller
    account_id: str
    path: Mapping[str, str]
    query: dict[str, str]
    content_type: str | None
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Give the JSON object of the body. Raises `Refusal` where there is none."""
        return fields.json_object(self.content_type, self.body)


@dataclass(frozen=True)
class Answer:
    """A success: the accepted parameters to echo (path ids are added later), the data, and what stands beside it."""

    params: Mapping[str, Any]
    data: Any
    status: int = 200
    beside: Mapping[str, Any] = field(default_factory=dict)


def listed(
    call: Call,
    query: Query,
    found: Iterable[Row],
    sortable: frozenset[str],
    shown: Callable[[Row], dict[str, Any]],
) -> Answer:
    """
    Answer one page of `found`, reading `count`, `cursor`, `sort_by` and, where the endpoint has it, `with_total_count`.

    Raises `Refusal` for everything wrong with the query, including what was noted before.
    """
    count = query.whole("count", 1, MAX_COUNT, DEFAULT_COUNT)
    cursor = query.text("cursor")
    attribute, descending = query.order(sortable)
    total = query.flag("with_total_count")
    if total and cursor is not None:
        query.findings.exclusive("cursor", "with_total_count")
    query.findings.settle()

    def key(row: Row) -> tuple[str, str]:
        value = row.get(attribute)
        return "" if value is None else str(value), f"{row.get('number', 0):012d}{row['id']}"

    everything = list(found)
    mark = paging.fingerprint(call.account_id, call.query)
    page, next_cursor = paging.one_page(everything, key, descending, count, cursor, mark)
    beside: dict[str, Any] = {"next_cursor": next_cursor}
    if total:
        beside["total_count"] = len(everything)
    return Answer(query.echo, [shown(row) for row in page], beside=beside)
