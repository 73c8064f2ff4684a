"""
The session with a Salesforce org: reads one experiment a request, sends calls, waits until a job is over.

There is no list resource and no batch for experiments (doc D1 D33 D34): a refresh costs one GET an experiment, four at
a time. `AbnExperiment` by SOQL gives the ids of all, and tells a missing experiment from a missing licence; where the
connection is set so, it also tells which need no GET (`kept`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlencode

from reconciler.errors import BadAnswer, LimitReached, NotFound, PlatformError, Refused, Unauthorized, Unclear
from reconciler.model.batches import batches
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import Desired, Found, Gone, Live, Reading, Unknown
from reconciler.model.sharing import reading_like
from reconciler.platforms import auth
from reconciler.platforms.base import Kind
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.response import Response
from reconciler.platforms.salesforce.answers import Page, query_page, quota_told, refusal
from reconciler.platforms.salesforce.facts import DEFAULT_DATA_SPACE, PARALLEL_REQUESTS
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.salesforce.wire import experiment_path
from reconciler.platforms.session import (
    Answer,
    ConnectionSettings,
    LeftOut,
    Preflight,
    PreflightItem,
    ReadRequest,
    Snapshot,
    Wanted,
)
from reconciler.platforms.tokens import NO_TOKEN

if TYPE_CHECKING:
    import httpx

    from reconciler.platforms.salesforce.kept import Kept, Refresh

HEADERS: Final = {"X-Chatter-Entity-Encoding": "false"}
"""Without it `&` comes back as an HTML entity, and such a label would differ forever (doc D29)."""
READERS: Final = 4 * PARALLEL_REQUESTS
"""How many reads of a snapshot wait for their turn at once: one for each experiment would be memory for nothing."""
SETTLE_S: Final = 300.0
FIRST_POLL_S: Final = 0.2
LONGEST_POLL_S: Final = 30.0
NAME_ATTEMPTS: Final = 5
_VISIBLE_QUERY = "SELECT Id FROM AbnExperiment LIMIT 1"
_LISTING_QUERY = "SELECT Id FROM AbnExperiment ORDER BY DeveloperName"

Sleep = Callable[[float], Awaitable[None]]


class SalesforceSession:
    """One connection to one org. `sleep` and the client's transport are for tests."""

    platform = "salesforce"

    def __init__(self, settings: ConnectionSettings, http: HttpClient, *, sleep: Sleep = asyncio.sleep) -> None:
        self.connection = settings.name
        self.http = http
        self._version = settings.api_version.removeprefix("v") or KIND.default_api_version
        self._sleep = sleep
        self._visible: bool | None = None
        self._why_invisible = ""
        self._deleting: set[str] = set()
        self._kept = _kept_of(settings, self._version)

    @classmethod
    def open(
        cls,
        settings: ConnectionSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> SalesforceSession:
        """Make the session without I/O; raises UsageProblem for credentials or an address that cannot work."""
        authorizer = auth.salesforce(settings, clock=clock)
        http = HttpClient(
            settings,
            authorizer,
            headers=HEADERS,
            concurrency=PARALLEL_REQUESTS,
            transport=transport,
            clock=clock,
            quota=quota_told,
        )
        return cls(settings, http, sleep=sleep)

    # --- reading -------------------------------------------------------------------------------------------------

    async def snapshot(self, request: ReadRequest) -> Snapshot:
        """
        Read each wanted experiment by id, then look for each sought one by API name.

        A wanted one may be what an earlier run read, where the request and the connection let it and a query says so.
        A 404 proves that a wanted one is gone only when experiments are visible to this user at all.
        """
        halt = _Halt()
        wanted = list(dict.fromkeys(item.remote_id for item in request.wanted if item.remote_id))
        readings: dict[str, Reading] = dict.fromkeys(wanted, Unknown("it was not read"))
        waiting = iter(wanted)
        refresh = await self._refresh(request, len(wanted))

        async def read() -> None:
            for remote_id in waiting:
                known = refresh.again(remote_id) if refresh is not None and remote_id not in self._deleting else None
                reading = known or await self._reading(remote_id, halt, refresh=refresh)
                readings[remote_id] = reading_like(reading, request.records)

        await asyncio.gather(*(read() for _ in range(min(READERS, len(wanted)))))
        if refresh is not None:
            refresh.save()
        for remote_id, reading in readings.items():
            if isinstance(reading, Gone):
                readings[remote_id] = await self._proved(reading)
        known = {reading.live.name: reading.live for reading in readings.values() if isinstance(reading, Found)}
        sought = await asyncio.gather(*(self._sought(desired, known, halt) for desired in request.seek))
        others: dict[str, Live] = {}
        failures: list[str] = []
        for result in sought:
            if isinstance(result, Live):
                others[result.remote_id or result.name] = result
            elif isinstance(result, str):
                failures.append(result)
        return Snapshot(readings, tuple(others.values()), tuple(dict.fromkeys(failures)))

    async def settle(self, kind: Kind, wanted: Wanted) -> Reading:
        """
        Read one experiment until its status leaves Processing and Deleting, up to 5 minutes.

        After a DELETE (which answers 202 before it is done) it waits until the experiment is gone or DeleteError shows.
        A failed job comes back as Found with `live.failure`.
        """
        if not wanted.remote_id:
            return Unknown("its id is not known")
        waited, pause = 0.0, FIRST_POLL_S
        while True:
            reading = await self._proved(await self._reading(wanted.remote_id, _Halt(), kind))
            if not isinstance(reading, Found):
                self._deleting.discard(wanted.remote_id)
                return reading
            deleting = wanted.remote_id in self._deleting and not reading.live.failure
            if not reading.live.busy and not deleting:
                self._deleting.discard(wanted.remote_id)
                return reading
            if waited >= SETTLE_S:
                what = reading.live.busy or reading.live.status
                return Unknown(f"Salesforce is still at work on it ({what}) after {SETTLE_S / 60:.0f} minutes")
            pause = min(pause, SETTLE_S - waited)
            await self._sleep(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_POLL_S)

    async def listing(self, account: str, left_out: LeftOut | None = None) -> AsyncIterator[Live]:
        """Give every experiment of the org, by SOQL for the ids and a GET for each; `account` means nothing here."""
        async for ids in self._id_pages():
            for batch in batches(ids, PARALLEL_REQUESTS):
                for live in await asyncio.gather(*(self._listed(remote_id, left_out) for remote_id in batch)):
                    if live is not None:
                        yield live

    async def _listed(self, remote_id: str, left_out: LeftOut | None) -> Live | None:
        """Give one experiment of a list; with `left_out` an error that is about this one alone is told."""
        try:
            return await self._get(remote_id)
        except PlatformError as error:
            halt = _Halt()
            halt.note(error)
            if left_out is None or halt.error is not None:
                raise
            left_out(f"{remote_id}: {error}")
            return None

    async def preflight(self, items: Sequence[PreflightItem]) -> Preflight:
        """Give nothing: Salesforce has no dry run for experiments."""
        return Preflight()

    # --- writing -------------------------------------------------------------------------------------------------

    async def send(self, call: Call, kind: Kind) -> Answer:
        """
        Send one call, once; a create gives the new id, read by API name where the answer does not show it.

        Raises Refused (NotFound, in Salesforce's own words), Unauthorized, LimitReached (`REQUEST_LIMIT_EXCEEDED` too),
        NotSent and Unclear (timeouts, 5xx).
        """
        query = urlencode(dict(call.query), quote_via=quote, safe="")
        remote_id = unquote(call.path.rsplit("/", 1)[-1])
        if self._kept is not None:
            self._kept.met(remote_id)
        response = await self.http.write(call.method, call.path, query=query, headers=call.headers, json=call.body)
        if not 200 <= response.status < 300:
            raise refusal(response)
        if call.purpose is Purpose.DELETE:
            self._deleting.add(remote_id)
            return Answer()
        try:
            live = _experiment(response, kind)
        except BadAnswer:
            live = None  # the page's own sample of a create's answer is not valid JSON (doc D2)
        if call.purpose is Purpose.CREATE:
            self._visible = True
            if live is None or not live.remote_id:
                live = await self._created(call, response, kind)
        return Answer(live.remote_id, live) if live is not None else Answer()

    async def close(self) -> None:
        """Give back sockets; what was kept and is not so any more is dropped."""
        if self._kept is not None:
            self._kept.close()
        await self.http.close()

    async def _created(self, call: Call, response: Response, kind: Kind) -> Live:
        body: Any = call.body
        pause = FIRST_POLL_S
        for attempt in range(NAME_ATTEMPTS):
            if attempt:
                await self._sleep(pause)
                pause *= 2
            try:
                live = await self._by_name(str(body["name"]), body.get("dataSpaceName"), kind)
            except PlatformError as error:
                raise response.error(Unclear, f"taken, but its id could not be read: {error}") from None
            if live is not None and live.remote_id:
                return live
        raise response.error(Unclear, "taken, but the experiment does not show under its API name yet")

    # --- single reads --------------------------------------------------------------------------------------------

    async def _get(self, id_or_name: str, kind: Kind = KIND, refresh: Refresh | None = None) -> Live | None:
        """Give one experiment, None for a 404; raises PlatformError for anything else."""
        response = await self.http.read("GET", experiment_path(self._version, id_or_name))
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(response)
        self._visible = True
        live = _experiment(response, kind)
        if refresh is not None:
            refresh.keep(id_or_name, live, response)
        elif self._kept is not None:
            self._kept.met(live.remote_id, response)
        return live

    async def _reading(self, remote_id: str, halt: _Halt, kind: Kind = KIND, refresh: Refresh | None = None) -> Reading:
        if halt.error is not None:
            return Unknown(str(halt.error))
        try:
            live = await self._get(remote_id, kind, refresh)
        except PlatformError as error:
            halt.note(error)
            return Unknown(str(error))
        return Found(live) if live is not None else Gone(f"a read of {remote_id} answers 404 (not found)")

    async def _proved(self, reading: Reading) -> Reading:
        """Turn Gone into Unknown while experiments are not visible to this user at all."""
        if not isinstance(reading, Gone) or await self._experiments_visible():
            return reading
        return Unknown(
            f"{reading.proof}, but experiments cannot be queried either ({self._why_invisible}): "
            "the licence or the permission may be missing"
        )

    async def _experiments_visible(self) -> bool:
        """Tell, by a query at most once a session (unless that fails by accident), whether experiments are seen."""
        if self._visible is None:
            try:
                await self._query(_VISIBLE_QUERY)
            except NotFound:
                return True  # no query resource to ask: then a 404 means what it says
            except PlatformError as error:
                self._why_invisible = str(error)
                self._visible = False if isinstance(error, Refused | Unauthorized) else None
                return False
            self._visible = True
        return self._visible

    async def _sought(self, desired: Desired, known: dict[str, Live], halt: _Halt) -> Live | str | None:
        name = KIND.identity(desired.spec)
        if name in known:
            return known[name]
        if halt.error is not None:
            return f"{desired.key}: could not be searched for: {halt.error}"
        try:
            return await self._by_name(name, desired.spec.get("dataSpaceName"), KIND)
        except PlatformError as error:
            halt.note(error)
            return f"{desired.key}: could not be searched for: {error}"

    async def _by_name(self, name: str, data_space: Any, kind: Kind) -> Live | None:
        """Look for an experiment by API name, then with the data-space prefix that samples show (doc D3 D4)."""
        live = await self._get(name, kind)
        if live is None and data_space and data_space != DEFAULT_DATA_SPACE:
            live = await self._get(f"{data_space}_{name}", kind)
        return live

    async def _refresh(self, request: ReadRequest, count: int) -> Refresh | None:
        """Ask which experiments have changed; None where that is not to be asked, not worth it, or did not work."""
        if self._kept is None or not request.unless_changed:
            return None
        from reconciler.platforms.salesforce import kept

        if count < kept.WORTH_A_QUERY:
            return None
        rows: dict[str, kept.Row] = {}
        try:
            first = await self._query(kept.QUERY)
            async for page in self._pages(query_page(first)):
                rows.update(kept.rows_of(page.rows))
        except PlatformError:
            return None
        self._visible = True
        return kept.Refresh(self._kept, rows, kept.moment_of(first.headers), request.records)

    # --- SOQL ----------------------------------------------------------------------------------------------------

    async def _query(self, soql: str) -> Response:
        return await self._query_at(f"/services/data/v{self._version}/query", urlencode({"q": soql}, quote_via=quote))

    async def _query_at(self, path: str, query: str) -> Response:
        response = await self.http.read("GET", path, query=query)
        if response.status != 200:
            raise refusal(response)
        return response

    async def _id_pages(self) -> AsyncIterator[tuple[str, ...]]:
        try:
            page = query_page(await self._query(_LISTING_QUERY))
        except (LimitReached, BadAnswer):
            raise
        except PlatformError as error:
            words = f"{error}; without the object AbnExperiment experiments cannot be listed: name them by id"
            raise type(error)(
                words, connection=error.connection, status=error.status, code=error.code, request_id=error.request_id
            ) from None
        async for each in self._pages(page):
            yield each.ids

    async def _pages(self, page: Page) -> AsyncIterator[Page]:
        """Give a query's first page and all that follow."""
        seen: set[tuple[str, str]] = set()
        while True:
            yield page
            where = (page.next_path, page.next_query)
            if not page.next_path:
                return
            if where in seen:
                raise BadAnswer(f"{self.connection}: a query's next page is one that was read already")
            seen.add(where)
            response = await self._query_at(*where)
            response.check_page(len(seen))
            page = query_page(response)


class _Halt:
    """An error that every further read of the same snapshot would meet too: they are not sent."""

    def __init__(self) -> None:
        self.error: PlatformError | None = None

    def note(self, error: PlatformError) -> None:
        no_access = isinstance(error, Unauthorized) and error.status != 403  # a 403 may be about one experiment only
        hopeless = isinstance(error, LimitReached) or no_access or error.code == NO_TOKEN
        if hopeless and self.error is None:
            self.error = error


def _kept_of(settings: ConnectionSettings, api_version: str) -> Kept | None:
    if not settings.incremental:
        return None
    from reconciler.platforms.salesforce.kept import Kept

    return Kept.of_connection(settings, api_version, HEADERS)


def _experiment(response: Response, kind: Kind) -> Live:
    body = response.json()
    try:
        return kind.from_wire(body)
    except BadAnswer as error:
        raise response.bad_answer(str(error)) from None
