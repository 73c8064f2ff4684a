"""
Nothing hangs: what a deadline is for, how long it is, and that it ends what never would.

Deadlines of git commands are tested in `tests/state/test_git_store.py`, of whole exchanges with a platform in
`tests/security/test_sec_server.py`, of waits for a lock and for a rate limit in the conformance suite.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from socket import create_server

import pytest

from reconciler.errors import NotSent, StateProblem
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.session import ConnectionSettings
from reconciler.state import object_store
from reconciler.state.place import Place

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


TALKS = {
    "says nothing": (b"", b""),
    "head without end": (b"HTTP/1.1 200 OK\r\n", b""),
    "drips its body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
}


@asynccontextmanager
async def talking(first: bytes, then: bytes) -> AsyncIterator[str]:
    """Serve what says a beginning, and then a byte at a time for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        try:
            while True:
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("talk", TALKS)
async def test_a_token_endpoint_that_never_comes_to_an_end(talk: str) -> None:
    async def no_wait(seconds: float) -> None:
        await asyncio.sleep(0)

    clock = Clock(sleep=no_wait)
    async with asyncio.timeout(30), talking(*TALKS[talk]) as url:
        settings = ConnectionSettings(
            name="crm",
            platform="salesforce",
            api_version="65.0",
            base_url=url,
            auth={"client_id": "id", "client_secret": "secret-of-the-client"},
        )
        client = HttpClient(settings, auth.salesforce(settings, clock=clock), clock=clock, deadline_s=0.2)
        with pytest.raises(NotSent, match=r"no token from 127\.0\.0\.1"):
            await client.read("GET", "/services/data")
        await client.close()
    assert client.requests == 0, "nothing went to the API"


@pytest.fixture
def mute() -> Iterator[int]:
    """Give the port of a server that takes connections and says nothing."""
    taken = []
    with create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
    for connection in taken:
        connection.close()


def test_a_bucket_that_never_answers(mute: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setattr(object_store, "_PATIENCE", {"timeout": "200ms", "connect_timeout": "200ms"})
    monkeypatch.setattr(object_store, "_RETRIES", {"max_retries": 1, "retry_timeout": timedelta(seconds=1)})
    place = Place(
        "s3", tmp_path, bucket="state", prefix="team", region="us-east-1", endpoint=f"http://127.0.0.1:{mute}"
    )
    medium = object_store.object_medium(place)
    began = time.monotonic()
    with pytest.raises(StateProblem, match="cannot be read"):
        medium.load()
    with pytest.raises(StateProblem):
        medium.write_lock(b"{}", None)
    assert time.monotonic() - began < 60
