"""A server that is not what it claims, or means harm: bounded time and memory, and no credential for anyone else."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import stamina

from reconciler.errors import BadAnswer, LimitReached, PlatformError, ReconcilerError, Unclear
from reconciler.platforms.auth import FixedToken, salesforce
from reconciler.platforms.http import MAX_BODY_BYTES, HttpClient
from reconciler.platforms.ratelimit import Clock, told_wait_s, used_up_s
from reconciler.platforms.registry import KINDS
from reconciler.platforms.session import ConnectionSettings

pytestmark = pytest.mark.anyio
TOKEN = "canary-token-4b1d"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quick_curve() -> Any:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


CLOCK = Clock(sleep=at_once)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    """A server that says what it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(head: str, body: bytes = b"") -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = "" if "ransfer" in head else f"Content-Length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{head}{length}Connection: close\r\n\r\n".encode("latin-1") + body)
        await writer.drain()

    return talk


def client_of(base_url: str, **how: Any) -> HttpClient:
    settings = ConnectionSettings("li", "linkedin", base_url, "202609", auth={"access_token": TOKEN})
    return HttpClient(settings, FixedToken(TOKEN), clock=CLOCK, **how)


async def failing(base_url: str, kind: type[ReconcilerError], **how: Any) -> str:
    """Read and write against a server; both fail in words, without the credential."""
    client = client_of(base_url, **how)
    try:
        with pytest.raises(kind) as read:
            (await client.read("GET", "/e")).json()
        with pytest.raises(ReconcilerError) as written:
            (await client.write("POST", "/e", json={})).json()
        words = f"{read.value} {written.value}"
        assert TOKEN not in words
        return words
    finally:
        await client.close()


# --- bodies --------------------------------------------------------------------------------------------------------


def squeezed(size: int) -> bytes:
    return gzip.compress(b"\0" * size, 9)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(squeezed(200_000_000), 9)),
        ("gzip, gzip, gzip", gzip.compress(gzip.compress(squeezed(50_000_000), 9), 9)),
        ("gzip,deflate", zlib.compress(squeezed(1_000_000))),
        ("br", b"\x8b\x00\x80\x01"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("identity, gzip", squeezed(100)),
        ("x-evil", b"{}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a body holds the second it was compressed in
)
async def test_compression_inside_compression(encoding: str, body: bytes) -> None:
    """Refused before a byte of it is opened: one packet of it would become gigabytes."""
    async with serving(saying(f"Content-Encoding: {encoding}\r\n", body)) as url:
        tracemalloc.start()
        try:
            words = await failing(url, BadAnswer)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert "not asked for" in words
    assert peak < 30_000_000


async def test_the_cap_counts_what_comes_out() -> None:
    """A body of some kilobytes that opens to more than the cap."""
    async with serving(saying("Content-Encoding: gzip\r\n", squeezed(MAX_BODY_BYTES + 1))) as url:
        assert "longer than 64 MiB" in await failing(url, BadAnswer)


async def test_a_header_field_twice_is_no_way_around() -> None:
    async with serving(saying("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", squeezed(10))) as url:
        assert "not asked for" in await failing(url, BadAnswer)


async def test_a_body_without_end() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    async with serving(talk) as url:
        assert "longer than" in await failing(url, BadAnswer, max_body_bytes=1_000_000)


async def test_headers_without_end() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: " + b"b" * 1000 + b"\r\n")
            await writer.drain()

    async with serving(talk) as url:
        await failing(url, PlatformError)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
async def test_a_server_that_does_not_go_on(start: bytes) -> None:
    """A deadline for the whole call, however the time is spent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _ in range(1000):
            writer.write(b"x" if start.endswith(b"\r\n\r\n") else b"")
            await writer.drain()
            await asyncio.sleep(0.2)

    async with asyncio.timeout(20), serving(talk) as url:
        assert "timed out" in await failing(url, PlatformError, deadline_s=0.3)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b"[" * 900 + b"]" * 900,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"a": 1e999}',
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"{" + b",".join(b'"k%d":1' % number for number in range(200_000)) + b',"k199999":1}',
        b"\xff\xfe{}",
        b'{"a": "\x00"}',
    ],
    ids=range(10),
)
async def test_json_that_is_a_trap(body: bytes) -> None:
    """Depth, digits, doubled keys (the search for which is not quadratic): a BadAnswer, at once."""
    async with asyncio.timeout(10), serving(saying("Content-Type: application/json\r\n", body)) as url:
        await failing(url, BadAnswer)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 1},
        {"id": "1/../2"},
        {"id": "x\r\ny"},
        {"id": "١٢"},
        {"id": {}, "name": [], "cells": 1},
        {"status": 5},
    ],
    ids=range(7),
)
async def test_bodies_of_another_shape(kind: Any, body: dict[str, Any]) -> None:
    """A resource that is not of the documented shape is a BadAnswer, never another exception."""
    with pytest.raises(BadAnswer):
        kind.from_wire(body, account="a")


# --- where credentials go --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("there", ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example", "/other"])
async def test_redirects_are_not_followed(code: int, there: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(code, headers={"location": there})

    words = await failing("https://api.example.com", BadAnswer, transport=httpx.MockTransport(answer))
    assert "redirect" in words and set(seen) == {"api.example.com"}


async def test_token_endpoints_that_redirect_get_nothing_either() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.example/token"})

    auth = {"client_id": "c", "client_secret": TOKEN}
    settings = ConnectionSettings("sf", "salesforce", "https://a.my.salesforce.com", "65.0", auth=auth)
    client = HttpClient(settings, salesforce(settings, clock=CLOCK), transport=httpx.MockTransport(answer), clock=CLOCK)
    with pytest.raises(ReconcilerError) as caught:
        await client.read("GET", "/e")
    assert set(seen) == {"a.my.salesforce.com"} and TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "instance",
    [
        "http://evil.example",
        "http://127.0.0.1:8080",
        "https://localhost",
        "https://u:p@evil.example",
        "https://evil.example/?a",
        "ftp://x",
        "file:///etc/passwd",
        5,
        "",
    ],
)
async def test_an_instance_url_that_is_not_safe(instance: Any) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={"access_token": TOKEN, "instance_url": instance})

    auth = {"client_id": "c", "client_secret": "s"}
    settings = ConnectionSettings("sf", "salesforce", "https://a.my.salesforce.com", "65.0", auth=auth)
    client = HttpClient(settings, salesforce(settings, clock=CLOCK), transport=httpx.MockTransport(answer), clock=CLOCK)
    with pytest.raises(BadAnswer, match="nothing was sent"):
        await client.read("GET", "/e")
    assert seen == ["/services/oauth2/token"]


async def test_no_cookie_is_kept() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie", ""))
        cookies = [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Domain=example.com; Path=/")]
        return httpx.Response(200, json={}, headers=cookies)

    client = client_of("https://api.example.com", transport=httpx.MockTransport(answer))
    for _ in range(3):
        await client.read("GET", "/e")
    await client.close()
    assert seen == ["", "", ""]


async def test_certificates_are_checked() -> None:
    """Always: there is no switch for it, and a certificate that nobody signed is refused before anything is sent."""
    import datetime
    import ssl
    import tempfile

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(today).not_valid_after(today + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = made.sign(key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(signed.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem.write(key.private_bytes(*form))
        pem.flush()
        context.load_cert_chain(pem.name)
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    words = await failing(url, PlatformError)
    server.close()
    assert "certificate" in words.lower() and not b"".join(seen)


# --- being told to wait ----------------------------------------------------------------------------------------------

ABSURD = [
    {"retry-after": "999999999"},
    {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"x-rate-limit-reset": "99999999999"},
]


@pytest.mark.parametrize("headers", ABSURD, ids=range(len(ABSURD)))
async def test_absurd_waits_end_the_run(headers: dict[str, str]) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(429, headers=headers))
    client = client_of("https://api.example.com", transport=transport)
    for call in (client.read("GET", "/e"), client.write("POST", "/e", json={})):
        with pytest.raises(LimitReached, match="--max-wait"):
            await call


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "-inf", "-5", "1e400", "", " ", "0x10", "Mon", "Sun, 99 Zzz 0000 99:99:99", "1" * 5000, "\x00", "٣"],
)
@pytest.mark.parametrize("name", ["retry-after", "x-rate-limit-reset", "x-rate-limit-remaining", "date"])
def test_waits_that_are_none(name: str, text: str) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1800000000", name: text}
    for wait in (told_wait_s(headers, limited=True, wall=1.8e9), used_up_s(headers, wall=1.8e9)):
        assert wait is None or 0 <= wait < 1e12


async def test_a_quota_that_is_never_refilled_does_not_hang() -> None:
    """Success, with a header that asks for a century before the next call."""
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "9999999999"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}, headers=headers))
    client = client_of("https://api.example.com", transport=transport)
    await client.read("GET", "/e")
    with pytest.raises(LimitReached):
        await client.read("GET", "/e")


# --- into the next request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/e\r\nX-Evil: 1", "/e\n", "/e x", "/é", "/e#x", "e", "http://evil.example/", "/e\x00"]
)
async def test_no_line_break_gets_into_a_request(path: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    client = client_of("https://api.example.com", transport=httpx.MockTransport(answer))
    with pytest.raises(ValueError, match="ready-made"):
        await client.write("DELETE", path)
    assert seen == []


@pytest.mark.parametrize("remote_id", ["../x", "a/b", "a?b=c", "a#b", "a\r\nX: 1", "a b", "%2e%2e", "\u202e"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_ids_from_a_platform_stay_one_step_of_a_path(kind: Any, remote_id: str) -> None:
    """LinkedIn's ids are numbers or no ids at all (`test_bodies_of_another_shape`); the others are percent-encoded."""
    from reconciler.model.resource import Live

    if kind.platform == "linkedin":
        with pytest.raises(BadAnswer):
            kind.from_wire({"id": remote_id}, account="a")
        return
    live = Live(remote_id=remote_id, status=kind.statuses[0], spec={}, name="n", account=remote_id)
    for call in kind.end_calls(live):
        assert call.path.isascii() and call.path.isprintable() and not set(" #?") & set(call.path)
        steps = call.path.split("/")
        assert ".." not in steps and "b" not in steps
        assert len(steps) == len(kind.end_calls(Live("1", live.status, {}, name="n", account="1"))[0].path.split("/"))


async def test_errors_that_quote_a_server_are_bounded() -> None:
    body = json.dumps({"message": "\x1b[2J\u202e" * 100_000 + TOKEN}).encode()
    transport = httpx.MockTransport(lambda request: httpx.Response(503, content=body))
    client = client_of("https://api.example.com", transport=transport)
    with pytest.raises(Unclear) as caught:
        await client.write("POST", "/e", json={})
    assert len(str(caught.value)) < 2_000 and str(caught.value).isprintable() and TOKEN not in str(caught.value)


# --- lists and proxies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["linkedin", "x-ads", "salesforce"])
async def test_lists_without_end(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is new, and names a next one."""
    from reconciler.platforms import response
    from reconciler.platforms.registry import platform_by_name

    monkeypatch.setattr(response, "MOST_PAGES", 20)
    count = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        bodies = {
            "linkedin": {"elements": [{"id": count}], "metadata": {"nextPageToken": f"t{count}"}},
            "x-ads": {"data": [], "next_cursor": f"c{count}"},
            "salesforce": {"records": [], "done": False, "nextRecordsUrl": f"/services/data/v65.0/query/01g{count}-1"},
        }
        await saying("Content-Type: application/json\r\n", json.dumps(bodies[platform]).encode())(reader, writer)

    auth = {"access_token": TOKEN}
    if platform == "x-ads":
        auth = {"consumer_key": "k", "consumer_secret": "s", "access_token": "t", "access_token_secret": TOKEN}
    version = {"linkedin": "202609", "x-ads": "12", "salesforce": "65.0"}[platform]
    async with asyncio.timeout(30), serving(talk) as url:
        session = platform_by_name(platform).connect(ConnectionSettings("c", platform, url, version, auth=auth))
        try:
            if platform == "linkedin":
                with pytest.raises(BadAnswer, match="does not end"):
                    async for _ in session._find({"account": ["urn:li:sponsoredAccount:1"]}):  # type: ignore[attr-defined]
                        pass
            else:
                with pytest.raises(BadAnswer, match="does not end"):
                    async for _ in session.listing("18ce54d4x5t"):
                        pass
        finally:
            await session.close()
    assert count <= 22


@pytest.mark.parametrize("proxy", ["http://u:canary@host:nope", "socks5://u:canary@127.0.0.1:1", "ftp://u:canary@x"])
async def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in words, without the password that its address holds."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    words = await failing("https://api.example.com", ReconcilerError)
    assert "HTTPS_PROXY" in words and "canary" not in words
