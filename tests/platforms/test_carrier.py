"""The bytes of one exchange: which way they go, and what of an answer's head comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from reconciler.errors import UsageProblem
from reconciler.platforms.carrier import NOT_SENT, Carrier

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[tuple[int, list[str]]]:
    """Listen on loopback: gives the port and the first lines of what arrives; everything is answered alike."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def carrier(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> Carrier:
    """Make a carrier that gives up soon."""
    times = {"connect_timeout_s": 2.0, "read_timeout_s": 2.0, "pool_timeout_s": 2.0}
    return Carrier(base_url, **times, max_body_bytes=1_000, transport=transport)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no proxy yet."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


REFUSES = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_the_proxy_of_the_environment_is_used(name: str, scheme: str, env: pytest.MonkeyPatch) -> None:
    async with listening(REFUSES) as (port, heard):
        env.setenv(name, f"{scheme}127.0.0.1:{port}")
        carries = carrier("https://api.reconciler.invalid")
        with pytest.raises(NOT_SENT):
            await carries.exchange("GET", "https://api.reconciler.invalid/x", {}, None)
        await carries.close()
    assert heard == ["CONNECT api.reconciler.invalid:443 HTTP/1.1"]


@pytest.mark.parametrize(
    "excepted", ["api.reconciler.invalid", "reconciler.invalid", ".reconciler.invalid", "*", "localhost, *"]
)
async def test_hosts_that_the_environment_excepts(excepted: str, env: pytest.MonkeyPatch) -> None:
    async with listening(REFUSES) as (port, heard):
        env.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        env.setenv("NO_PROXY", excepted)
        carries = carrier("https://api.reconciler.invalid")
        with pytest.raises(NOT_SENT):
            await carries.exchange("GET", "https://api.reconciler.invalid/x", {}, None)
        await carries.close()
    assert heard == []


async def test_this_machine_is_reached_without_a_proxy(env: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    async with listening(REFUSES) as (proxy, passed), listening(answer) as (port, heard):
        env.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        carries = carrier(f"http://127.0.0.1:{port}")
        got = await carries.exchange("GET", f"http://127.0.0.1:{port}/a%2Fb?q=(1,2)", {}, None)
        await carries.close()
    assert got == (200, {"content-length": "2"}, b"hi")
    assert (heard, passed) == (["GET /a%2Fb?q=(1,2) HTTP/1.1"], [])


async def test_an_address_that_is_none(env: pytest.MonkeyPatch) -> None:
    """It is not a proxy's fault."""
    with pytest.raises(UsageProblem, match=r"the address of 999\.1\.1\.1 cannot be used"):
        await carrier("https://999.1.1.1").exchange("GET", "https://999.1.1.1/x", {}, None)


async def test_header_fields() -> None:
    """Names are lower case, repeated ones stand together, and bytes that are no UTF-8 are Latin-1."""
    fields = [(b"Link", b"a"), (b"LINK", b"b"), (b"X-Word", "ä".encode()), (b"X-Other", "ö".encode("latin-1"))]
    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=fields))
    carries = carrier("https://api.example.com", transport)
    _, found, _ = await carries.exchange("GET", "https://api.example.com", {}, None)
    assert found == {"link": "a, b", "x-word": "ä", "x-other": "ö"}
