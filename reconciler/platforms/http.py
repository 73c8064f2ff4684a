"""
The HTTP client that all platforms share: when a call goes out, how often, and what its answer means.

Reads are repeated, writes are sent once: only an answer that says "not done" (429, a 401 before a token refresh, other
statuses where the platform's page says so) makes a write go out again. What happened to a write is told by the error:
`NotSent` (nothing happened), `Unclear` (look before sending again), or a `Response` for the platform to decipher.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from reconciler.errors import BadAnswer, NotSent, PlatformError, Unauthorized, Unclear, UsageProblem
from reconciler.model.budget import Quota
from reconciler.platforms.auth import Authorizer, secrets_of
from reconciler.platforms.carrier import MAX_CONNECTIONS, NO_ANSWER, NOT_SENT, Carrier, NotAskedFor, TooLong, why
from reconciler.platforms.exchange import Teller
from reconciler.platforms.outgoing import Outgoing, outgoing
from reconciler.platforms.ratelimit import Clock, Pace
from reconciler.platforms.redact import Redactor
from reconciler.platforms.repeats import REPEATED_FOR_READS, Again, repeated
from reconciler.platforms.response import REQUEST_ID_HEADERS, Response
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.tokens import NO_TOKEN, TokenReply
from reconciler.platforms.urls import host_of, unsafe
from reconciler.platforms.waits import WAIT_ATTEMPTS, Waits

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

__all__ = ["HttpClient", "Response"]

MAX_BODY_BYTES = 64 * 1024 * 1024
_EVERY_CALL = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "reconciler"}


class HttpClient:
    """
    One connection's client. Made without I/O; sockets open with the first call; `close` gives them back.

    `headers` go with every call. `concurrency` (at most 5) bounds the calls under way. `pace` slows writes down to a
    documented rate. `understood` gives an answer as the platform means it, such as a 403 that is a rate limit as 429;
    `quota` gives what its headers tell of a quota, by connection and endpoint.
    `transport` and `clock` are for tests. `requests` counts the requests sent to the API;
    `last_date` is the `Date` header of the latest answer, its own or a token endpoint's.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        auth: Authorizer,
        *,
        headers: Mapping[str, str] | None = None,
        concurrency: int = MAX_CONNECTIONS,
        pace: Pace | None = None,
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 60.0,
        deadline_s: float = 120.0,
        max_body_bytes: int = MAX_BODY_BYTES,
        request_id_headers: Collection[str] = REQUEST_ID_HEADERS,
        transport: AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        understood: Callable[[Response], Response] | None = None,
        quota: Callable[[str, Mapping[str, str], str], Quota | None] | None = None,
    ) -> None:
        if reason := unsafe(settings.base_url):
            raise UsageProblem(f"connections.{settings.name}.base_url {reason}")
        self.requests = 0
        self.last_date = ""
        self.redact = Redactor(secrets_of(settings.auth))
        self._tell = Teller(settings.trace, settings.name, self.redact)
        self._settings = settings
        self._auth = auth
        self._headers = {**_EVERY_CALL, **(headers or {})}
        self._pace = pace
        self._deadline_s = deadline_s
        self._max_body_bytes = max_body_bytes
        self._carrier = Carrier(
            settings.base_url,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            pool_timeout_s=deadline_s,
            max_body_bytes=max_body_bytes,
            transport=transport,
        )
        self._request_id_headers = tuple(request_id_headers)
        self._waits = Waits(settings.name, settings.max_wait_s, settings.announce, clock or Clock())
        self._slots = asyncio.Semaphore(max(1, min(concurrency, MAX_CONNECTIONS)))
        self._understood = understood
        self._quota = quota

    async def read(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
    ) -> Response:
        """
        Send a call that changes nothing, again and again where that may help; give the last answer.

        Repeated on 408, 423, 429, 5xx, timeouts and broken connections: as often as `read_attempts` says, with growing
        waits, 429 as long as `max_wait_s` allows. `path` starts with `/` and is relative to the base URL; `query` is
        ready-made and goes out byte for byte. `content` is a ready-made body instead of `json` (give its Content-Type
        in `headers`).

        Raises NotSent when the platform cannot be reached, PlatformError when no answer came, Unauthorized,
        LimitReached, BadAnswer (a redirect, a body over the cap). A last 5xx is given back, not raised.
        """
        call = outgoing(method, path, query, (self._headers, headers or {}), json, content, write=False)
        return await repeated(
            lambda last: self._read_once(call, last=last),
            self.name,
            timeout_s=self._settings.max_wait_s + 5 * self._deadline_s,
            attempts=self._settings.read_attempts,
        )

    async def write(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        waits_on: Collection[int] = (429,),
    ) -> Response:
        """
        Send a call that changes something, once; give the answer, whatever its status, for the platform to decipher.

        It is sent again only after an answer that says "not done": the statuses of `waits_on` (after the wait that the
        platform asks for; 429 as long as `max_wait_s` allows, others six times), and one 401 after a token refresh.

        Raises NotSent when nothing left this machine or no token is to be had, Unclear after a timeout, a broken
        connection, 408 or 5xx (unless in `waits_on`), a web page instead of an answer, Unauthorized, LimitReached,
        BadAnswer for a redirect.
        """
        call = outgoing(method, path, query, (self._headers, headers or {}), json, content, write=True)
        attempt = 0
        while True:
            response = await self._exchange(call)
            attempt += 1
            if response.status in waits_on and (response.status == 429 or attempt < WAIT_ATTEMPTS):
                self._waits.not_done(call, response, attempt)
            elif (response.status == 408 or response.status >= 500) and response.status not in waits_on:
                raise response.error(Unclear, f'it is not known whether this was carried out: "{response.excerpt}"')
            elif response.status < 300 and response.is_page:
                words = "a web page answered, such as a gateway's: it is not known whether this was carried out"
                raise response.error(Unclear, f'{words}: "{response.excerpt}"')
            else:
                return response

    @property
    def name(self) -> str:
        """The connection's name."""
        return self._settings.name

    async def close(self) -> None:
        """Give back the sockets; may be called twice."""
        await self._carrier.close()

    # --- repeating ---------------------------------------------------------------------------------------------

    async def _read_once(self, call: Outgoing, *, last: bool) -> Response:
        attempt = 0
        while True:
            try:
                response = await self._exchange(call)
            except (NotSent, Unclear) as error:
                if error.code != NO_TOKEN:
                    raise Again(None, error) from None
                raise
            if response.status != 429:
                break
            attempt += 1
            self._waits.not_done(call, response, attempt)
        if response.status not in REPEATED_FOR_READS and response.status < 500:
            return response
        told = self._waits.told_s(response)
        if told is not None and not last:
            self._waits.failed_read(call, response, told)
        raise Again(response, told=told is not None)

    # --- one exchange ------------------------------------------------------------------------------------------

    async def _exchange(self, call: Outgoing) -> Response:
        """Send when nothing holds the call back, once more after a token refresh; redirects and second 401s raise."""
        renewed = False
        while True:
            response, used = await self._send_when_free(call)
            if 300 <= response.status < 400:
                host = host_of(response.headers.get("location", ""))
                raise response.error(BadAnswer, f"a redirect to host {host}, which is not followed; check base_url")
            self._waits.used_up(call, response)
            if self._quota and (quota := self._quota(self.name, response.headers, call.endpoint)):
                self._settings.observe(quota)
            if response.status != 401:
                return response
            if renewed or not await self._auth.renew(used, self._post_form, self.redact):
                raise self._unauthorized(response)
            renewed = True

    async def _send_when_free(self, call: Outgoing) -> tuple[Response, str]:
        if call.write and self._pace is not None:
            await self._pace.take()
        while True:
            await self._waits.over(call)
            async with self._slots:
                if self._waits.hold_back(call):  # placed by another call while this one queued
                    continue
                base = await self._auth.base_url(self._post_form, self.redact) or self._settings.base_url
                url = base.rstrip("/") + call.target
                used = await self._auth.header(call.method, url, self._post_form, self.redact)
                return await self._send(call, url, used), used

    async def _send(self, call: Outgoing, url: str, authorization: str) -> Response:
        self.requests += 1
        call.sends += 1
        began = time.monotonic()
        try:
            response = await self._answer(call, url, authorization)
        except PlatformError as error:
            self._tell(call, url, began, None, str(error))
            raise
        self._tell(call, url, began, response)
        return self._understood(response) if self._understood else response

    async def _answer(self, call: Outgoing, url: str, authorization: str) -> Response:
        try:
            async with asyncio.timeout(self._deadline_s):
                headers = {**call.headers, "Authorization": authorization} if authorization else call.headers
                status, fields, body = await self._carrier.exchange(call.method, url, headers, call.content)
        except TooLong:
            size = f"the answer is longer than {self._max_body_bytes // (1024 * 1024)} MiB"
            if call.write:
                raise self._failed(Unclear, call, f"{size}; it is not known whether this was carried out") from None
            raise self._failed(BadAnswer, call, size) from None
        except NotAskedFor:
            words = "the answer is compressed in a way that was not asked for"
            raise self._failed(Unclear if call.write else BadAnswer, call, words) from None
        except NOT_SENT as error:
            raise self._failed(NotSent, call, f"cannot be reached at {host_of(url)}: {why(error)}") from None
        except NO_ANSWER as error:
            raise self._failed(Unclear, call, f"no complete answer from {host_of(url)}: {why(error)}") from None
        self.last_date = fields.get("date", self.last_date)
        request_id = next((fields[name] for name in self._request_id_headers if fields.get(name)), "")
        return Response(
            status=status,
            headers=fields,
            body=body,
            request_id=self.redact.excerpt(request_id, 100) if request_id else "",
            connection=self.name,
            method=call.method,
            path=call.path,
            redact=self.redact,
        )

    async def _post_form(self, url: str, form: Mapping[str, str]) -> TokenReply:
        """Post to a token endpoint, once; raises NotSent when no answer came (nothing was sent to the API then)."""
        headers = {**_EVERY_CALL, "Content-Type": "application/x-www-form-urlencoded"}
        call, began = outgoing("POST", urlsplit(url).path or "/", "", (), None, None, write=False), time.monotonic()
        try:
            async with asyncio.timeout(self._deadline_s):
                reply = TokenReply(*await self._carrier.exchange("POST", url, headers, urlencode(form).encode()))
        except (*NO_ANSWER, TooLong, NotAskedFor) as error:
            words = f"{self.name}: no token from {host_of(url)}: {self.redact.excerpt(why(error))}"
            self._tell(call, url, began, None, words, token=True)
            raise NotSent(words, connection=self.name, code=NO_TOKEN) from None
        self.last_date = reply.headers.get("date", self.last_date)
        self._tell(call, url, began, reply, token=True)
        return reply

    def _unauthorized(self, response: Response) -> Unauthorized:
        names = ", ".join(sorted(self._settings.auth)) or "none given"
        return response.error(
            Unauthorized,
            f'not authorised: "{response.excerpt}"; the credentials are wrong, expired or revoked: check the variables '
            f"behind connections.{self.name}.auth ({names})",
        )

    def _failed(self, kind: type[PlatformError], call: Outgoing, words: str) -> PlatformError:
        about = f"{self.name}: {call.method} {self.redact.excerpt(call.path, 300)}"
        return kind(f"{about}: {self.redact.excerpt(words, 300)}", connection=self.name)
