"""
One open connection to X Ads: reads tests by id or by account, and sends calls once.

X proves that a test is gone only by showing it with `deleted: true`; so every read asks for deleted ones too, and an id
that no list knows is unknown.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any, TypeVar
from urllib.parse import unquote

from reconciler.errors import BadAnswer, LimitReached, NotFound, PlatformError, Unauthorized, Unclear
from reconciler.model.batches import batches
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import NOTHING, Desired, Found, Gone, Live, Reading, Record, Unknown
from reconciler.model.sharing import reading_like
from reconciler.platforms import auth
from reconciler.platforms.base import Kind
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Pace
from reconciler.platforms.response import Response
from reconciler.platforms.session import (
    Answer,
    ConnectionSettings,
    LeftOut,
    Preflight,
    PreflightItem,
    ReadRequest,
    Session,
    Snapshot,
    Wanted,
)
from reconciler.platforms.x_ads.answers import UNAUTHORIZED_HINT, Page, page_of, query_of, quota_told, refusal
from reconciler.platforms.x_ads.facts import IDS_PER_READ, PAGE_SIZE, PLATFORM_NAME, WRITES_PER_MINUTE
from reconciler.platforms.x_ads.kinds import XAdsABTest
from reconciler.platforms.x_ads.wire import collection_path, is_deleted

T = TypeVar("T")

NOT_DONE = (423, 429)
"""Statuses that say that a write was not carried out: it is sent again after a wait (errors page; 423 assumed)."""


class XAdsSession(Session):
    """Reads are retried inside; writes go out once, 450 a minute at most. `http` is handed in by tests."""

    platform = PLATFORM_NAME

    def __init__(self, settings: ConnectionSettings, http: HttpClient | None = None) -> None:
        self.connection = settings.name
        self._settings = settings
        self._http = http or HttpClient(
            settings, auth.x_ads(settings), pace=Pace(WRITES_PER_MINUTE, 60.0), quota=quota_told
        )
        self._kind = XAdsABTest(settings.api_version)
        self._warned = False

    # --- reading ---------------------------------------------------------------------------------------------------

    async def snapshot(self, request: ReadRequest) -> Snapshot:
        """
        Read each account once: whole where something is sought in it, else by ids or pages, whichever is cheaper.

        Raises Unauthorized (401) and LimitReached; any other failure makes the readings of its account Unknown.
        """
        wanted: dict[str, list[str]] = defaultdict(list)
        sought: dict[str, list[Desired]] = defaultdict(list)
        for item in request.wanted:
            wanted[item.account].append(item.remote_id)
        for desired in request.seek:
            sought[str(desired.spec.get("account_id") or "")].append(desired)
        accounts = sorted({*wanted, *sought})
        parts = await _all(self._account(name, wanted[name], sought[name], request.records) for name in accounts)
        return Snapshot(
            readings={remote_id: reading for part in parts for remote_id, reading in part.readings.items()},
            others=tuple(live for part in parts for live in part.others),
            failures=tuple(sentence for part in parts for sentence in part.failures),
        )

    async def settle(self, kind: Kind, wanted: Wanted) -> Reading:
        """Read one test, deleted or not; X has no jobs to wait for. Raises as `snapshot` does."""
        part = await self._account(wanted.account, [wanted.remote_id], ())
        return part.readings[wanted.remote_id]

    async def listing(self, account: str, left_out: LeftOut | None = None) -> AsyncIterator[Live]:
        """Give every test of an account that is not deleted; one that cannot be read is told (or announced)."""
        async for page in self._pages(account, {"count": str(PAGE_SIZE)}):
            for body in page.tests:
                match self._reading(body, account):
                    case Found(live):
                        yield live
                    case Unknown(reason) if left_out is not None:
                        left_out(reason)
                    case Unknown(reason):
                        self._settings.announce(f"{self.connection}: left out: {reason}")

    async def preflight(self, items: Sequence[PreflightItem]) -> Preflight:
        """X has no dry run."""
        return Preflight()

    async def _account(
        self,
        account: str,
        ids: Sequence[str],
        sought: Sequence[Desired],
        records: Mapping[str, Record] = NOTHING,
    ) -> Snapshot:
        """Read what is wanted and sought of one account."""
        ids = list(dict.fromkeys(ids))
        failures: tuple[str, ...] = ()
        read: dict[str, Reading] = {}
        missing = Unknown(
            f"no list of X account {account} knows this id, not even among the deleted tests", unlisted=True
        )
        try:
            if not account:
                raise BadAnswer(
                    f"{self.connection}: no ad account is recorded for this test", connection=self.connection
                )
            await (self._read_all(account, read) if sought else self._read_some(account, ids, read))
        except LimitReached:
            raise
        except PlatformError as error:
            if isinstance(error, Unauthorized) and error.status == 401:
                raise
            missing = Unknown(str(error))
            failures = (f"account {account or '(none)'}: {error}",) if sought else ()
        read = {remote_id: reading_like(reading, records) for remote_id, reading in read.items()}
        readings = {remote_id: read.get(remote_id, missing) for remote_id in ids}
        if sought:
            failures += tuple(reading.reason for reading in read.values() if isinstance(reading, Unknown))
        return Snapshot(readings, self._related(read, sought), failures)

    async def _read_all(self, account: str, read: dict[str, Reading]) -> None:
        async for page in self._pages(account, {"count": str(PAGE_SIZE), "with_deleted": "true"}):
            self._add(page, account, read)

    async def _read_some(self, account: str, ids: Sequence[str], read: dict[str, Reading]) -> None:
        """
        Read ids in lists of 200; where those are several, by pages as long as pages find more for a request.

        A 404 to a list of ids makes the whole account be read (no page says what an unknown id among them does).
        """
        missing = list(ids)
        if len(missing) > IDS_PER_READ:
            async for page in self._pages(account, {"count": str(PAGE_SIZE), "with_deleted": "true"}):
                self._add(page, account, read)
                before, missing = len(missing), [remote_id for remote_id in missing if remote_id not in read]
                found = before - len(missing)
                if not missing or not page.next_cursor:
                    return
                if not found or ceil(len(missing) / IDS_PER_READ) <= ceil(len(missing) / found):
                    break
        chunks = batches(missing, IDS_PER_READ)
        try:
            await _all(self._read_ids(account, chunk, read) for chunk in chunks)
        except NotFound:
            await self._read_all(account, read)

    async def _read_ids(self, account: str, ids: Sequence[str], read: dict[str, Reading]) -> None:
        query = {"ab_test_ids": ",".join(ids), "count": str(PAGE_SIZE), "with_deleted": "true"}
        async for page in self._pages(account, query):
            self._add(page, account, read)

    async def _pages(self, account: str, query: Mapping[str, str]) -> AsyncIterator[Page]:
        path = collection_path(self._settings.api_version, account)
        cursors: set[str] = set()
        cursor = ""
        for number in itertools.count(1):
            values = {**query, "cursor": cursor} if cursor else query
            try:
                response = await self._http.read("GET", path, query=query_of(values))
            except Unauthorized as error:
                raise _with_hint(error) from None
            response.check_page(number)
            self._note_version(response)
            page = page_of(response)
            yield page
            cursor = page.next_cursor
            if not cursor:
                return
            if cursor in cursors:
                raise response.bad_answer("the list comes back to a cursor that it had before")
            cursors.add(cursor)

    def _add(self, page: Page, account: str, read: dict[str, Reading]) -> None:
        for body in page.tests:
            read[str(body.get("id"))] = self._reading(body, account)

    def _reading(self, body: Mapping[str, Any], account: str) -> Reading:
        if is_deleted(body):
            return Gone(f"X shows A/B test {body.get('id')} with deleted: true")
        try:
            return Found(self._kind.from_wire(body, account=account))
        except BadAnswer as error:
            return Unknown(f"account {account}: {error}")

    def _related(self, read: Mapping[str, Reading], sought: Sequence[Desired]) -> tuple[Live, ...]:
        """The tests, completed ones too, that are what is sought or have one of its entities."""
        kind = self._kind
        identities = {kind.identity(desired.spec) for desired in sought}
        entities = {entity for desired in sought for entity in kind.claims(desired.spec).entities}
        return tuple(
            reading.live
            for reading in read.values()
            if isinstance(reading, Found)
            and (
                kind.identity(reading.live.spec, reading.live) in identities
                or kind.claims(reading.live.spec).entities & entities
            )
        )

    def _note_version(self, response: Response) -> None:
        """X warns of old versions in a header of every answer; said once."""
        warning = response.headers.get("x-api-warn", "")
        if warning and not self._warned:
            self._warned = True
            shown = self._http.redact.excerpt(warning)
            self._settings.announce(f'{self.connection}: X on API version {self._settings.api_version}: "{shown}"')

    # --- writing ---------------------------------------------------------------------------------------------------

    async def send(self, call: Call, kind: Kind) -> Answer:
        """
        Send one call, once, save after 429 and 423, which say that nothing was done.

        Raises what `refusal` gives when X says no, and Unclear when it says yes in an answer that cannot be read.
        """
        try:
            response = await self._http.write(
                call.method,
                call.path,
                query=query_of(call.query),
                headers=call.headers,
                json=call.body,
                waits_on=NOT_DONE,
            )
        except Unauthorized as error:
            raise _with_hint(error) from None
        self._note_version(response)
        if not 200 <= response.status < 300:
            raise refusal(response)
        return self._answer(response, call, kind)

    def _answer(self, response: Response, call: Call, kind: Kind) -> Answer:
        if call.purpose is not Purpose.CREATE and not response.body.strip():
            return Answer()
        try:
            answer = response.json()
        except BadAnswer as error:
            raise response.error(Unclear, f"X took the call, but its answer cannot be read: {error}") from None
        data = answer.get("data") if isinstance(answer, Mapping) else None
        remote_id = data.get("id") if isinstance(data, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(remote_id, str) or not remote_id:
            raise response.error(Unclear, f'X took the call, but its answer names no A/B test: "{response.excerpt}"')
        match self._reading(data, unquote(call.path.split("/")[3])):
            case Found(live):
                return Answer(remote_id, live)
            case _:
                return Answer(remote_id)

    async def close(self) -> None:
        """Give back sockets."""
        await self._http.close()


async def _all(works: Iterable[Awaitable[T]]) -> list[T]:
    """Give all results when all are done; raises the first error then, so that none is left running."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _with_hint(error: Unauthorized) -> Unauthorized:
    """Add what else X's 401 may mean to the client's own words."""
    return Unauthorized(
        f"{error}; {UNAUTHORIZED_HINT}",
        connection=error.connection,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
    )
