"""
One open connection to LinkedIn: the only file here that sends. What to send and what an answer means is decided in
`queries`, `wire` and `refusals`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.errors import BadAnswer, PlatformError, Unclear
from reconciler.model.batches import batches
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import Desired, Found, Gone, Key, Live, Reading, Record, Unknown
from reconciler.model.sharing import reading_like
from reconciler.platforms import auth, restli
from reconciler.platforms.base import Kind
from reconciler.platforms.http import HttpClient
from reconciler.platforms.linkedin import answers, facts, queries, refusals, wire
from reconciler.platforms.linkedin.values import account_urn
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.response import Response
from reconciler.platforms.session import (
    Answer,
    ConnectionSettings,
    LeftOut,
    Preflight,
    PreflightFinding,
    PreflightItem,
    ReadRequest,
    Session,
    Snapshot,
    Wanted,
)

if TYPE_CHECKING:
    import httpx

PROTOCOL = "2.0.0"
"""`X-RestLi-Protocol-Version`; without it `List(…)` is not understood (seed)."""
PREFLIGHTS_AT_ONCE = 3
SETTLE_WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""How long a cancelled experiment is waited for to be ENDED (assumed: the page does not say how soon that is)."""
SEARCH_PASSES = 5
"""How often a search is read from its start, when experiments go away between its pages, before it is given up."""
OTHER_ACCOUNT = "BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT"


def connect(settings: ConnectionSettings) -> Session:
    """Open a connection; nothing is sent before the first call."""
    return LinkedInSession(settings)


class LinkedInSession:
    """One connection to LinkedIn. `transport` and `clock` are for tests."""

    platform = "linkedin"

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.connection = settings.name
        self._version = settings.api_version
        self._clock = clock or Clock()
        self._http = HttpClient(
            settings,
            auth.linkedin(settings, clock=clock),
            headers={"LinkedIn-Version": settings.api_version, "X-RestLi-Protocol-Version": PROTOCOL},
            transport=transport,
            clock=clock,
        )

    async def close(self) -> None:
        """Give back sockets."""
        await self._http.close()

    # --- reading -----------------------------------------------------------------------------------------------

    async def snapshot(self, request: ReadRequest) -> Snapshot:
        """Read recorded ids in batch gets, and search what is sought by its campaigns; no failure looks like gone."""
        reads = [self._read_batch(ids, request.records) for ids in _batches(request.wanted)]
        searches = [self._search_campaigns(*sought) for sought in _sought(request.seek)]
        readings, found = await asyncio.gather(asyncio.gather(*reads), asyncio.gather(*searches))
        others = {live.remote_id: live for lives, _ in found for live in lives}
        odd = {item.remote_id: _not_an_id(item.remote_id) for item in request.wanted if not item.remote_id.isdecimal()}
        return Snapshot(
            readings={**odd, **{remote_id: reading for batch in readings for remote_id, reading in batch.items()}},
            others=tuple(others[remote_id] for remote_id in sorted(others, key=int)),
            failures=tuple(dict.fromkeys(failure for _, failure in found if failure)),
        )

    async def settle(self, kind: Kind, wanted: Wanted) -> Reading:
        """Read one experiment; one that is cancelled is waited for, for some seconds, until it is ENDED."""
        for wait_s in (*SETTLE_WAITS_S, None):
            reading = await self._read_one(wanted.remote_id)
            ending = isinstance(reading, Found) and wire.is_ending(reading.live)
            if not ending or wait_s is None:
                break
            await self._clock.sleep(wait_s)
        return reading

    async def listing(self, account: str, left_out: LeftOut | None = None) -> AsyncIterator[Live]:
        """Give every experiment of an account, in the order of ids; `account` is a URN or its number."""
        try:
            urn = account_urn(account)
        except ValueError as error:
            raise BadAnswer(f"{self.connection}: {error}", connection=self.connection) from None
        async for element in self._find({"accountCriteria": [urn]}):
            try:
                live = wire.from_wire(element)
            except BadAnswer as error:
                if left_out is None:
                    raise
                left_out(str(error))
                continue
            yield live

    async def _read_batch(self, ids: Sequence[str], records: Mapping[str, Record]) -> dict[str, Reading]:
        """Read at most 100 ids of one account in one request; ids that cannot be read together are read one by one."""
        try:
            response = await self._http.read("GET", facts.COLLECTION, query=queries.batch_get(ids))
            if response.status >= 300:
                error = self._refusal(response)
                if error.code == OTHER_ACCOUNT and len(ids) > 1:
                    return {remote_id: await self._read_one(remote_id) for remote_id in ids}
                raise error
            body = response.json()
            results, errors = answers.mapping(body, "results"), answers.mapping(body, "errors")
            if results is None and errors is None:
                raise response.bad_answer("neither results nor errors in a batch answer")
        except PlatformError as error:
            return {remote_id: Unknown(str(error)) for remote_id in ids}
        readings: dict[str, Reading] = {}
        for remote_id in ids:
            reading = answers.reading_of(remote_id, results or {}, errors or {})
            alone = isinstance(reading, Unknown) and OTHER_ACCOUNT in reading.reason
            readings[remote_id] = reading_like(await self._read_one(remote_id) if alone else reading, records)
        return readings

    async def _read_one(self, remote_id: str) -> Reading:
        if not remote_id.isdecimal():
            return _not_an_id(remote_id)
        try:
            response = await self._http.read("GET", wire.path_of(remote_id))
            if refusals.is_not_found(response):
                return Gone(f"LinkedIn answers {refusals.NOT_FOUND}")
            if response.status >= 300:
                return Unknown(str(self._refusal(response)))
            return Found(wire.from_wire(response.json()))
        except PlatformError as error:
            return Unknown(str(error))

    async def _search_campaigns(self, account: str, campaigns: Sequence[str]) -> tuple[list[Live], str]:
        """Give the experiments of an account that hold one of the campaigns, and a sentence when that is not known."""
        wanted = set(campaigns)
        found: list[Live] = []
        try:
            for criteria in queries.campaign_criteria(account, campaigns):
                async for element in self._find(criteria):
                    live = wire.from_wire(element)
                    if wanted & {cell["reference"]["campaign"] for cell in live.spec.get("cells", ())}:
                        found.append(live)
        except PlatformError as error:
            return found, f"{self.connection}: experiments of {account} could not be searched: {error}"
        return found, ""

    async def _find(self, criteria: Mapping[str, Sequence[str]]) -> AsyncIterator[Mapping[str, Any]]:
        """
        Give every element of a search, each id once, page after page to the end.

        Offsets shift when an experiment before them goes away between two pages, and one is skipped unseen. So each
        page begins with the last element of the page before, sorted by id: where another stands there, the list is read
        again from its start. Raises BadAnswer when it changes on every one of several passes.
        """
        seen: set[Any] = set()
        start, token, last, passes = 0, "", None, 1
        for number in itertools.count(1):
            response = await self._http.read("GET", facts.COLLECTION, query=queries.search(criteria, start, token))
            response.check_page(number)
            if response.status >= 300:
                raise self._refusal(response)
            body = response.json()
            elements = body.get("elements") if isinstance(body, Mapping) else None
            if not isinstance(elements, list) or not all(isinstance(element, Mapping) for element in elements):
                raise response.bad_answer("no list of elements in the answer of a search")
            fresh = [element for element in elements if element.get("id") not in seen]
            for element in fresh:
                seen.add(element.get("id"))
                yield element
            if last is not None and (not elements or elements[0].get("id") != last):
                if passes == SEARCH_PASSES:
                    raise response.bad_answer("the list changed each time while it was read page by page; run again")
                start, token, last, passes = 0, "", None, passes + 1
                continue
            reached = start + len(elements)
            token = answers.next_token(body)
            behind = len(elements) > (last is not None) and (fresh or not token)
            if not behind or not (token or answers.goes_on(body, len(elements), reached)):
                return
            overlaps = not token and len(elements) > 1
            last = elements[-1].get("id") if overlaps else None
            start = reached - 1 if overlaps else reached

    # --- the dry run -------------------------------------------------------------------------------------------

    async def preflight(self, items: Sequence[PreflightItem]) -> Preflight:
        """Ask `validateExperimentSetup` about each item; what cannot be asked is a warning, never a failure."""
        slots = asyncio.Semaphore(PREFLIGHTS_AT_ONCE)

        async def ask(item: PreflightItem) -> tuple[PreflightFinding, ...] | PlatformError:
            async with slots:
                try:
                    return await self._validate(item)
                except PlatformError as error:
                    return error

        answers = await asyncio.gather(*(ask(item) for item in items))
        findings: dict[Key, tuple[PreflightFinding, ...]] = {}
        refused: list[Key] = []
        warnings: list[str] = []
        for item, answer in zip(items, answers, strict=True):
            if not isinstance(answer, PlatformError):
                findings[item.key] = answer
            elif answer.status == 403:
                refused.append(item.key)
            else:
                warnings.append(f"{item.key}: LinkedIn's own check could not be asked: {answer}")
        sentence = (
            f"{self.connection}: LinkedIn's own check was refused (403) for {{names}}: it needs {refusals.ROLES}; "
            "only the rules known here were applied"
        )
        return Preflight(findings, tuple(warnings), {sentence: tuple(refused)} if refused else {})

    async def _validate(self, item: PreflightItem) -> tuple[PreflightFinding, ...]:
        body = {"adExperiment": wire.validation_entity(item.target, item.live)}
        response = await self._http.read("POST", facts.COLLECTION, query=queries.VALIDATE, json=body)
        if response.status >= 300:
            raise self._refusal(response)
        answer = response.json()
        value = answer.get("value") if isinstance(answer, Mapping) else None
        if not isinstance(value, Mapping):
            raise response.bad_answer("no value in the answer of validateExperimentSetup")
        listed = value.get("items") or []
        if not isinstance(listed, list):
            raise response.bad_answer("no list of items in the answer of validateExperimentSetup")
        return tuple(answers.finding_of(entry) for entry in listed if isinstance(entry, Mapping))

    # --- writing -----------------------------------------------------------------------------------------------

    async def send(self, call: Call, kind: Kind) -> Answer:
        """
        Send one call, once.

        Raises NotFound for EXPERIMENT_NOT_FOUND, Unauthorized for 403 and a second 401, Refused for every other no,
        Unclear after a timeout, a broken connection or a 5xx, and for a create whose answer names no id.
        """
        response = await self._http.write(
            call.method,
            call.path,
            query=restli.query(**call.query) if call.query else "",
            headers=call.headers,
            json=call.body,
        )
        if response.status >= 300:
            raise self._refusal(response)
        if call.purpose is not Purpose.CREATE:
            return Answer()
        live = answers.created(response)
        remote_id = live.remote_id if live else answers.created_id(response)
        if not remote_id:
            raise response.error(Unclear, "the experiment was created, but the answer does not name its id")
        return Answer(remote_id, live)

    def _refusal(self, response: Response) -> PlatformError:
        return refusals.refusal(response, self._version)


def _batches(wanted: Iterable[Wanted]) -> list[Sequence[str]]:
    """Give the ids to read by account (a batch may not mix accounts), at most 100 each; no id twice."""
    by_account: dict[str, dict[str, None]] = {}
    for item in wanted:
        if item.remote_id.isdecimal():
            by_account.setdefault(item.account, {})[item.remote_id] = None
    return [batch for ids in by_account.values() for batch in batches(list(ids), facts.BATCH_MAX)]


def _sought(seek: Iterable[Desired]) -> list[tuple[str, list[str]]]:
    by_account: dict[str, dict[str, None]] = {}
    for desired in seek:
        campaigns = by_account.setdefault(desired.spec.get("account", ""), {})
        campaigns.update((cell["reference"]["campaign"], None) for cell in desired.spec.get("cells", ()))
    return [(account, list(campaigns)) for account, campaigns in by_account.items()]


def _not_an_id(remote_id: str) -> Unknown:
    return Unknown(f"{remote_id!r} is not the id of a LinkedIn experiment; those are numbers")
