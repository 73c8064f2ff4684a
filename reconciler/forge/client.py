"""
A forge's REST API: JSON in, JSON out, over the HTTP client that the platforms use.

So the same holds here: https or loopback only, redirects are not followed, no token in any message, 429 is waited out
as told, and what is not known to be done (`Unclear`) is said.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from reconciler.errors import BadAnswer, NotFound, Refused, Unauthorized, UsageProblem
from reconciler.platforms.exchange import Trace
from reconciler.platforms.http import HttpClient, Response
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.urls import unsafe

PAGE = 100
MOST_PAGES = 500
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


@dataclass(frozen=True)
class Access:
    """
    How to reach a forge. `url` is the address of its API; `variable` is where the token comes from, for messages.

    `announce` is told of waits, `trace` of requests. `max_wait_s` is the longest that rate limits may make it wait.
    """

    url: str
    token: str = field(repr=False)
    variable: str
    max_wait_s: float = 900.0
    announce: Callable[[str], None] = field(default=lambda sentence: None, repr=False)
    trace: Trace | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Header:
    """The token in a header of every request, as it is handed in; there is no other when it is refused."""

    value: str = field(repr=False)

    async def base_url(self, post: object, redact: object) -> str | None:
        return None

    async def header(self, method: str, url: str, post: object, redact: object) -> str:
        return self.value

    async def renew(self, failed: str, post: object, redact: object) -> bool:
        return False


class ForgeClient:
    """One forge. `origin` is scheme and host of its API, `prefix` the path before every call's own."""

    def __init__(
        self,
        name: str,
        access: Access,
        *,
        authorization: str = "",
        headers: Mapping[str, str],
        understood: Callable[[Response], Response] | None = None,
    ) -> None:
        if reason := unsafe(access.url):
            raise UsageProblem(f"{name}: the address of the API {reason}")
        if not access.token.isascii() or not access.token.isprintable() or not access.token.strip():
            raise UsageProblem(f"{access.variable} holds no token, or a character that no token has")
        parts = urlsplit(access.url)
        self.name = name
        self.variable = access.variable
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = parts.path.rstrip("/")
        settings = ConnectionSettings(
            name=name,
            platform=name,
            base_url=self.origin,
            api_version="",
            auth={"token": access.token},
            max_wait_s=access.max_wait_s,
            announce=access.announce,
            trace=access.trace,
        )
        self._http = HttpClient(settings, Header(authorization), headers=headers, understood=understood)

    async def close(self) -> None:
        """Give back the sockets."""
        await self._http.close()

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Give the JSON of one resource; raises NotFound, Refused and the errors of a read."""
        return self._checked(await self._read("GET", self.prefix + path, urlencode(query or {})))

    async def again(self, method: str, path: str, body: Any) -> Any:
        """Send what may be sent twice without harm, again and again where that may help; give the answer's JSON."""
        return self._checked(await self._read(method, self.prefix + path, "", body))

    async def at(self, path: str, body: Any) -> Any:
        """Post what may be sent twice to a path that the prefix does not stand before."""
        return self._checked(await self._read("POST", path, "", body))

    async def once(self, method: str, path: str, body: Any) -> Any:
        """Send what must not be done twice, once; raises Unclear when it may or may not have been done."""
        try:
            return self._checked(await self._http.write(method, self.prefix + path, json=body))
        except Unauthorized as error:
            raise self._not_accepted(error) from None

    async def linked_pages(self, path: str, query: Mapping[str, str | int]) -> AsyncIterator[list[Any]]:
        """Give the pages of a list that names the next in its `Link` header (GitHub)."""
        target, text = self.prefix + path, urlencode(query)
        for _ in range(MOST_PAGES):
            response = await self._read("GET", target, text)
            yield self._listed(response)
            found = _NEXT.search(response.headers.get("link", ""))
            if not found:
                return
            parts = urlsplit(found[1])
            if f"{parts.scheme}://{parts.netloc}" != self.origin:
                raise response.error(BadAnswer, "the next page is on another host, where no token is sent")
            target, text = parts.path, parts.query
        raise UsageProblem(f"{self.name}: more than {MOST_PAGES * PAGE:,} entries; it gives up looking for its own")

    async def numbered_pages(self, path: str, query: Mapping[str, str | int]) -> AsyncIterator[list[Any]]:
        """Give the pages of a list that names the next in its `x-next-page` header (GitLab)."""
        page = "1"
        for _ in range(MOST_PAGES):
            response = await self._read("GET", self.prefix + path, urlencode({**query, "page": page}))
            yield self._listed(response)
            page = response.headers.get("x-next-page", "").strip()
            if not page.isdecimal():
                return
        raise UsageProblem(f"{self.name}: more than {MOST_PAGES * PAGE:,} entries; it gives up looking for its own")

    async def _read(self, method: str, path: str, query: str, body: Any = None) -> Response:
        try:
            return await self._http.read(method, path, query=query, json=body)
        except Unauthorized as error:
            raise self._not_accepted(error) from None

    def _listed(self, response: Response) -> list[Any]:
        found = self._checked(response)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise response.bad_answer("a list of objects was expected")
        return found

    def _checked(self, response: Response) -> Any:
        if 200 <= response.status < 300:
            return response.json() if response.body.strip() else None
        kind = NotFound if response.status == 404 else Refused
        error = response.error(kind, f'"{_said(response)}"')
        error.status = response.status
        raise error

    def _not_accepted(self, error: Unauthorized) -> Unauthorized:
        words = f"{self.name}: the token in {self.variable} was not accepted (401): it is wrong, expired or revoked"
        return Unauthorized(words, connection=self.name, status=error.status, request_id=error.request_id)


def _said(response: Response) -> str:
    """Give what a refusal says, in the forge's words."""
    try:
        body = response.json()
    except BadAnswer:
        return response.excerpt
    if isinstance(body, dict):
        words = [str(body[name]) for name in ("message", "error", "error_description") if body.get(name)]
        if words:
            details = body.get("errors")
            return response.redact.excerpt("; ".join(words) + (f" ({details})" if details else ""), 400)
    return response.excerpt


def text_of(item: Any, name: str) -> str:
    """Give a text of an object from outside; empty where it has none."""
    found = item.get(name) if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""


def number_of(item: Any, name: str) -> int:
    """Give a positive number of an object from outside; raises BadAnswer where it has none."""
    found = item.get(name) if isinstance(item, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise BadAnswer(f"the answer has no {name} where one was expected")
    return found
