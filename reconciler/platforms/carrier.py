"""
Carries the bytes of one exchange, and is the one module that imports the HTTP library.

It goes to the library's transports directly. What the library's client lays over them is done elsewhere here or not
wanted: redirects are refused, no cookie is kept, credentials go into a header that is made for each call.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

import httpx
import sniffio  # noqa: F401 - httpcore asks for it at every lock, and a module that is missing is searched for each time

from reconciler.errors import UsageProblem
from reconciler.platforms.urls import host_of, is_loopback

MAX_CONNECTIONS = 5
"""httpx 0.28 slows down with larger pools (dependencies: 1,040 requests a second at 5, 261 at 50)."""
ENCODINGS = frozenset({"identity", "gzip", "deflate"})
"""
One of them at a time: the library opens compression inside compression too, and then one packet becomes gigabytes
before the size of the body can be looked at.
"""


class TooLong(Exception):
    """A body went over the cap."""


class NotAskedFor(Exception):
    """A body is compressed by a way, or by several, that was not asked for."""


NO_ANSWER = (httpx.TransportError, httpx.DecodingError, TimeoutError)
"""What is raised when an exchange ends without a complete answer."""
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""Those of them after which nothing has left this machine."""


def why(error: BaseException) -> str:
    """Give the words for one of NO_ANSWER."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"timed out ({type(error).__name__})"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class Carrier:
    """
    The sockets of one connection. Made without I/O; they open with the first exchange; `close` gives them back.

    `base_url` tells whether the connection is to this machine itself: then neither proxies nor certificate authorities
    of the environment are looked at. `transport` is for tests, and is shown whole addresses.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        pool_timeout_s: float,
        max_body_bytes: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._local = is_loopback(urlsplit(base_url).hostname or "")
        timeout = httpx.Timeout(read_timeout_s, connect=connect_timeout_s, pool=pool_timeout_s)
        self._timeouts = timeout.as_dict()
        self._max_body_bytes = max_body_bytes
        self._given = transport
        self._opened: dict[str | None, httpx.AsyncBaseTransport] = {}
        self._ways: dict[str, tuple[httpx.URL, httpx.AsyncBaseTransport]] = {}

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """
        Send one request, and give status, header fields by lower-case names, and body, decompressed.

        Path and query of `url` go out byte for byte. Raises UsageProblem for a proxy of the environment that cannot be
        used, one of NO_ANSWER, TooLong, and NotAskedFor.
        """
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        origin, transport = self._way(f"{scheme}://{host}")
        timeouts = {"timeout": self._timeouts}
        request = httpx.Request(method, origin, headers=headers, content=content, extensions=timeouts)
        request.url = _Address(origin if self._given is None else httpx.URL(url), f"/{target}".encode("ascii"))
        answer = await transport.handle_async_request(request)
        try:
            fields = _fields(answer.headers.raw)
            if fields.get("content-encoding", "identity").strip().lower() not in ENCODINGS:
                raise NotAskedFor
            chunks: list[bytes] = []
            size = 0
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > self._max_body_bytes:
                    raise TooLong
                chunks.append(chunk)
        finally:
            await answer.aclose()
        return answer.status_code, fields, b"".join(chunks)

    async def close(self) -> None:
        """Give back the sockets; may be called twice."""
        opened, self._opened, self._ways = self._opened, {}, {}
        for transport in opened.values():
            await transport.aclose()

    def _way(self, origin: str) -> tuple[httpx.URL, httpx.AsyncBaseTransport]:
        """Give the address of an origin as the library has it, and the transport that leads there."""
        if origin not in self._ways:
            try:
                address = httpx.URL(origin)
            except httpx.InvalidURL:
                raise UsageProblem(f"the address of {host_of(origin)} cannot be used; check base_url") from None
            try:
                proxy = None if self._local or self._given else _proxy(origin)
                if proxy not in self._opened:
                    self._opened[proxy] = self._given or self._open(proxy)
                self._ways[origin] = address, self._opened[proxy]
            except (httpx.InvalidURL, ValueError, ImportError):  # the library's words would repeat the address
                raise UsageProblem(
                    "a proxy of the environment cannot be used: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no address "
                    "like http://host:port (SOCKS is not supported); correct it, or name the host in NO_PROXY"
                ) from None
        return self._ways[origin]

    def _open(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        return httpx.AsyncHTTPTransport(
            verify=_trusted(not self._local), trust_env=not self._local, limits=limits, proxy=proxy
        )


class _Address(httpx.URL):
    """
    An address whose path and query go out byte for byte, where the library would encode some characters anew.

    (Its own way to say so, an extension named `target`, reaches proxies too: they would be asked for a tunnel to it.)
    To take an address apart costs more than all else here, so what comes before the path may be one made earlier.
    """

    def __init__(self, begins: httpx.URL, target: bytes) -> None:
        super().__init__(begins)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """Path and query as they go out."""
        return self._target


def _proxy(origin: str) -> str | None:
    """Give the proxy that the environment names for an origin."""
    parts = urlsplit(origin)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    excepted = [name.strip() for name in proxies.get("no", "").split(",")]
    if not found or "*" in excepted or proxy_bypass_environment(parts.netloc, proxies):
        return None
    return found if "://" in found else f"http://{found}"


@lru_cache
def _trusted(trust_env: bool) -> ssl.SSLContext:
    """Give whom connections trust, as the library would: made once in a run, since reading it takes long."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _fields(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give header fields by lower-case names; those that stand several times as one, with commas between."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = _text(name).lower(), _text(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1")
