"""The shared client: what goes over the wire, what is repeated, what a failed write says, what errors show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

import httpx
import pytest
import stamina

from reconciler.errors import (
    BadAnswer,
    LimitReached,
    NotSent,
    PlatformError,
    Unauthorized,
    Unclear,
    UsageProblem,
)
from reconciler.platforms.auth import FixedToken
from reconciler.platforms.http import HttpClient, Response
from reconciler.platforms.ratelimit import Clock, Pace
from reconciler.platforms.session import READ_ATTEMPTS, ConnectionSettings
from reconciler.platforms.waits import WAIT_ATTEMPTS

pytestmark = pytest.mark.anyio
TOKEN = "tok-9f8e7d6c5b"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quick_curve() -> Any:
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        yield


class FakeTime:
    """A clock that only moves when somebody sleeps; `slept` are the waits."""

    def __init__(self) -> None:
        self.epoch = 1_800_000_000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.epoch += seconds
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.epoch, lambda: self.epoch, self.sleep, lambda low, high: low)


Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Script:
    """A transport that gives prepared answers in turn (the last one again and again) and keeps the requests."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        if not isinstance(step, httpx.Response):
            return step(request)
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)


def client_of(
    script: Script, time: FakeTime | None = None, *, announced: list[str] | None = None, **how: Any
) -> HttpClient:
    settings = ConnectionSettings(
        name="x",
        platform="x-ads",
        base_url=how.pop("base_url", "https://api.example.com/prefix"),
        api_version="12",
        auth={"access_token": TOKEN},
        max_wait_s=how.pop("max_wait_s", 900.0),
        announce=(announced if announced is not None else []).append,
    )
    auth = how.pop("auth", FixedToken(TOKEN))
    return HttpClient(settings, auth, transport=script.transport, clock=(time or FakeTime()).clock, **how)


def ok(body: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=body if body is not None else {"ok": True}, headers=headers)


def status(code: int, body: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(code, content=body.encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})


# --- over the wire -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def raw_server(*answers: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that keeps the bytes of each request and gives raw answers; None drops the connection."""
    seen: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")), 0
            )
            seen.append(head + await reader.readexactly(length))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer is not None:
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/linkedin", seen
    finally:
        server.close()


def real_client(base_url: str, **how: Any) -> HttpClient:
    settings = ConnectionSettings("li", "linkedin", base_url, "202609", auth={"access_token": TOKEN})
    return HttpClient(settings, FixedToken(TOKEN), clock=FakeTime().clock, **how)


OK_BYTES = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.mark.parametrize(
    "query",
    [
        "ids=List(1,2)&q=search",
        "search=(a:(values:List(urn%3Ali%3AsponsoredAccount%3A1)),b:'')",
        "x=%27%28%2c%2C~!$*;:@/?",
        'odd="<>[]\\^`{|}',
    ],
)
async def test_query_goes_out_byte_for_byte(query: str) -> None:
    async with raw_server(OK_BYTES) as (base_url, seen):
        client = real_client(base_url)
        await client.read("GET", "/rest/adExperiments/a%3A(b)'", query=query)
        await client.close()
    assert seen[0].split(b"\r\n")[0] == f"GET /linkedin/rest/adExperiments/a%3A(b)'?{query} HTTP/1.1".encode()
    assert f"Authorization: Bearer {TOKEN}".encode() in seen[0]


async def test_body_and_headers() -> None:
    script = Script(ok())
    client = client_of(script, headers={"LinkedIn-Version": "202609"})
    await client.write("PATCH", "/e/1", json={"name": "é"}, headers={"linkedin-version": "1", "X-A": "b"})
    await client.write("PATCH", "/e/1", json={})
    await client.write("POST", "/e/1")
    await client.read("POST", "/q", content=b"q=1", headers={"content-type": "application/x-www-form-urlencoded"})
    first, second, third, fourth = script.requests
    assert first.content == b'{"name":"\xc3\xa9"}'
    assert first.headers["content-type"] == "application/json"
    assert first.headers["linkedin-version"] == "1"
    assert first.headers["x-a"] == "b"
    assert second.content == b"{}"
    assert second.headers["linkedin-version"] == "202609"
    assert third.headers["content-length"] == "0"
    assert fourth.content == b"q=1"
    assert fourth.headers["content-type"] == "application/x-www-form-urlencoded"
    assert client.requests == 4
    assert str(first.url) == "https://api.example.com/prefix/e/1"


@pytest.mark.parametrize("target", [("x", ""), ("/a b", ""), ("/a", "b\r\nX: 1"), ("/a", "é"), ("/a#b", "")])
async def test_a_target_that_is_not_ready_made_is_a_bug(target: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="ready-made"):
        await client_of(Script(ok())).read("GET", target[0], query=target[1])


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.example.com",
        "ftp://x",
        "https://u:p@h",
        "https://h?x=1",
        "nonsense",
        "https://h:x",
        "http://127.0.0.1.evil",
    ],
)
def test_unsafe_base_urls_are_refused(base_url: str) -> None:
    with pytest.raises(UsageProblem, match="base_url"):
        client_of(Script(ok()), base_url=base_url)


@pytest.mark.parametrize("base_url", ["http://localhost:1/x", "http://127.0.0.1", "http://[::1]:8", "https://h/p/"])
def test_safe_base_urls(base_url: str) -> None:
    assert client_of(Script(ok()), base_url=base_url).requests == 0


# --- reads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        status(500),
        status(503),
        status(504),
        status(408),
        status(423),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
    ],
)
async def test_reads_are_repeated(failure: Step) -> None:
    script = Script(failure, failure, ok({"a": 1}))
    client = client_of(script)
    assert (await client.read("GET", "/e")).json() == {"a": 1}
    assert client.requests == 3


@pytest.mark.parametrize("code", [400, 403, 404, 409, 422, 426])
async def test_reads_that_are_refused_are_not_repeated(code: int) -> None:
    client = client_of(Script(status(code, "no")))
    assert (await client.read("GET", "/e")).status == code
    assert client.requests == 1


async def test_a_last_failure_is_given_back() -> None:
    client = client_of(Script(status(503, "busy", x_li_uuid="abc")))
    response = await client.read("GET", "/e")
    assert (response.status, response.request_id, client.requests) == (503, "abc", READ_ATTEMPTS)


async def test_a_read_without_any_answer() -> None:
    client = client_of(Script(httpx.ReadTimeout("slow")))
    with pytest.raises(PlatformError, match=r"x: GET /e: .*timed out .*5 attempts") as caught:
        await client.read("GET", "/e")
    assert not isinstance(caught.value, Unclear | NotSent)
    assert client.requests == READ_ATTEMPTS
    with pytest.raises(NotSent, match=r"cannot be reached at api\.example\.com"):
        await client_of(Script(httpx.ConnectError("refused"))).read("GET", "/e")


async def test_retry_after_of_a_503_is_obeyed_and_announced() -> None:
    time, announced = FakeTime(), []
    script = Script(status(503, retry_after="7"), ok())
    await client_of(script, time, announced=announced).read("GET", "/e")
    assert time.slept == [7.0]
    assert announced == ["x: HTTP 503 from GET /e, waiting 7 s"]


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry-after": "40"}, 40.0),
        ({"retry-after": formatdate(1_800_000_030, usegmt=True)}, 30.0),
        ({"date": formatdate(1_800_000_020, usegmt=True), "retry-after": formatdate(1_800_000_030, usegmt=True)}, 10.0),
        ({"x-rate-limit-reset": "1800000050"}, 50.0),
        ({"x-rate-limit-reset": "1800000050", "x-account-rate-limit-reset": "1800000020"}, 20.0),
        (
            {
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": "1800000050",
                "x-account-rate-limit-remaining": "9",
                "x-account-rate-limit-reset": "1800000020",
            },
            50.0,
        ),
        ({"retry-after": "3", "x-rate-limit-remaining": "7", "x-rate-limit-reset": "1800000050"}, 3.0),
        ({"retry-after": "3", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1800000050"}, 50.0),
        ({"date": formatdate(1_800_000_040, usegmt=True), "x-rate-limit-reset": "1800000050"}, 10.0),
    ],
)
@pytest.mark.parametrize("write", [True, False])
async def test_429_waits_as_told(headers: dict[str, str], waits: float, write: bool) -> None:
    time, announced = FakeTime(), []
    script = Script(httpx.Response(429, headers=headers), ok())
    client = client_of(script, time, announced=announced)
    response = await (client.write("POST", "/e", json={}) if write else client.read("GET", "/e"))
    assert response.status == 200
    assert time.slept == [waits]
    assert announced == [f"x: rate limit reached (429), waiting {waits:.0f} s"]


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"x-rate-limit-reset": "-5"}, {"retry-after": "nan"}])
async def test_429_without_a_usable_header_backs_off(headers: dict[str, str]) -> None:
    time = FakeTime()
    limited = httpx.Response(429, headers=headers)
    await client_of(Script(limited, limited, limited, ok()), time).write("PUT", "/e", json={})
    assert len(time.slept) == 3
    for nominal, slept in zip((1, 2, 4), time.slept, strict=True):
        assert 0.75 * nominal <= slept <= 1.25 * nominal


async def test_a_wait_longer_than_allowed_is_refused_at_once() -> None:
    time = FakeTime()
    client = client_of(Script(status(429, retry_after="2400")), time)
    with pytest.raises(
        LimitReached, match=r"x: rate limit reached \(429\).*40 min.*--max-wait allows 15 min"
    ) as caught:
        await client.write("POST", "/e", json={})
    assert (time.slept, caught.value.status, caught.value.connection) == ([], 429, "x")
    with pytest.raises(LimitReached):  # the others do not even ask
        await client.read("GET", "/other")
    assert client.requests == 1


async def test_the_sum_of_waits_counts() -> None:
    time = FakeTime()
    client = client_of(Script(status(429, retry_after="40")), time, max_wait_s=100)
    with pytest.raises(LimitReached, match="after 80 s of waiting"):
        await client.write("POST", "/e", json={})
    assert time.slept == [40.0, 40.0]


async def test_a_server_that_asks_for_no_wait_forever_is_given_up() -> None:
    client = client_of(Script(status(429, retry_after="0")), max_wait_s=30)
    with pytest.raises(LimitReached):
        await client.read("GET", "/e")
    assert client.requests < 20


async def test_long_waits_are_told_every_minute() -> None:
    announced: list[str] = []
    await client_of(Script(status(429, retry_after="150"), ok()), announced=announced).read("GET", "/e")
    assert [line.rpartition("waiting ")[2] for line in announced] == ["3 min", "90 s", "30 s"]


async def test_a_429_holds_every_task() -> None:
    time = FakeTime()
    sent_at: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent_at.append(time.epoch)
        return status(429, retry_after="30") if len(sent_at) == 1 else ok()

    client = client_of(Script(answer), time, concurrency=1)
    await asyncio.gather(*(client.read("GET", f"/e/{n}") for n in range(6)))
    assert sent_at[0] == 1_800_000_000.0
    assert all(moment >= 1_800_000_030.0 for moment in sent_at[1:])
    assert len(sent_at) == 7


async def test_a_used_up_quota_holds_its_endpoint_only() -> None:
    time = FakeTime()
    used_up = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1800000060"}
    client = client_of(Script(ok(**used_up), ok()), time)
    await client.read("GET", "/e")
    await client.read("GET", "/other")
    await client.write("POST", "/e", json={})
    assert time.slept == []
    await client.read("GET", "/e", query="page=2")
    assert time.slept == [60.0]


async def test_the_accounts_own_limit_takes_precedence() -> None:
    time = FakeTime()
    headers = {
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": "1800000060",
        "x-account-rate-limit-remaining": "5",
        "x-account-rate-limit-reset": "1800000060",
    }
    client = client_of(Script(ok(**headers)), time)
    await client.read("GET", "/e")
    await client.read("GET", "/e")
    assert time.slept == []


async def test_pace_keeps_writes_under_a_rate_and_leaves_reads_alone() -> None:
    loop = asyncio.get_running_loop()
    client = client_of(Script(ok()), pace=Pace(5, 0.4))
    began = loop.time()
    await asyncio.gather(*(client.read("GET", "/e") for _ in range(20)))
    assert loop.time() - began < 0.4
    began = loop.time()
    await asyncio.gather(*(client.write("POST", "/e", json={}) for _ in range(6)))
    assert loop.time() - began >= 0.4


async def test_concurrency_is_capped() -> None:
    under_way, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            return httpx.Response(200)

    script = Script(ok())
    script.transport = Slow()  # type: ignore[assignment]
    await asyncio.gather(
        *(client.read("GET", "/e") for client in [client_of(script, concurrency=4)] for _ in range(12))
    )
    assert most == 4


# --- writes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [status(408), status(500), status(502), status(503, retry_after="1"), status(504)])
async def test_an_unclear_answer_to_a_write(failure: httpx.Response) -> None:
    client = client_of(Script(failure, ok()))
    with pytest.raises(Unclear, match="not known whether") as caught:
        await client.write("POST", "/e", json={})
    assert (caught.value.status, client.requests) == (failure.status_code, 1)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("pipe"),
        httpx.RemoteProtocolError("server disconnected"),
        httpx.DecodingError("bad gzip"),
    ],
)
async def test_a_write_that_may_have_left(failure: Exception) -> None:
    client = client_of(Script(failure, ok()))
    with pytest.raises(Unclear, match=r"x: POST /e: no complete answer from api\.example\.com"):
        await client.write("POST", "/e", json={})
    assert client.requests == 1


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")])
async def test_a_write_that_never_left(failure: Exception) -> None:
    client = client_of(Script(failure, ok()))
    with pytest.raises(NotSent):
        await client.write("POST", "/e", json={})
    assert client.requests == 1


async def test_real_sockets() -> None:
    async with raw_server(None) as (base_url, seen):
        client = real_client(base_url)
        with pytest.raises(Unclear):
            await client.write("POST", "/e", json={"a": 1})
        assert len(seen) == 1
        await client.close()
    async with raw_server(OK_BYTES.replace(b"Length: 2", b"Length: 9")) as (base_url, seen):
        client = real_client(base_url)
        with pytest.raises(Unclear):
            await client.write("POST", "/e", json={})
        await client.close()
    client = real_client(base_url)  # nobody listens there any more
    with pytest.raises(NotSent):
        await client.write("POST", "/e", json={})
    await client.close()
    await client.close()


async def test_the_deadline_covers_a_server_that_trickles() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    client = real_client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", deadline_s=0.3)
    with pytest.raises(Unclear, match="timed out"):
        await client.write("POST", "/e", json={})
    await client.close()
    server.close()


@pytest.mark.parametrize("code", [201, 204, 400, 403, 404, 409, 422, 423, 426])
async def test_other_answers_to_a_write_are_given_back(code: int) -> None:
    client = client_of(Script(status(code)))
    assert (await client.write("DELETE", "/e/1")).status == code
    assert client.requests == 1


async def test_waiting_on_other_statuses_where_asked() -> None:
    time = FakeTime()
    client = client_of(Script(status(423), status(423, retry_after="9"), ok()), time)
    assert (await client.write("PUT", "/e", json={}, waits_on=(429, 423))).status == 200
    assert 0.75 <= time.slept[0] <= 1.25
    assert time.slept[1] == 9.0
    client = client_of(Script(status(423)))
    assert (await client.write("PUT", "/e", json={}, waits_on=(429, 423))).status == 423
    assert client.requests == WAIT_ATTEMPTS


@pytest.mark.parametrize("write", [True, False])
async def test_redirects_are_not_followed(write: bool) -> None:
    client = client_of(Script(status(307, location="https://u:p@evil.example/steal?x=1")))
    with pytest.raises(BadAnswer, match=r"redirect to host evil\.example,") as caught:
        await (client.write("POST", "/e", json={}) if write else client.read("GET", "/e"))
    assert "steal" not in str(caught.value)
    assert client.requests == 1


# --- what is shown -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"<html><h1>Gateway</h1>", "text/html", "web page"),
        (b'{"a": [1, 2', "application/json", "not the JSON"),
        (b"", "application/json", "empty"),
        (b'{"a": 1, "a": 2}', "application/json", "'a' stands twice"),
        (b'{"a": NaN}', "application/json", "NaN"),
        (b'{"a": -Infinity}', "application/json", "Infinity"),
        (b'{"a": 1e999}', "application/json", "1e999"),
        (b'{"a": 1} {}', "application/json", "not the JSON"),
        (b'{"a": "\xff"}', "application/json", "not the JSON"),
        (b"[" * 100_000, "application/json", "nested too deep"),
        (b"1" * 5000, "application/json", "not the JSON"),
    ],
)
async def test_bodies_that_are_not_json(body: bytes, kind: str, says: str) -> None:
    answer = httpx.Response(200, content=body, headers={"content-type": kind, "x-request-id": "r-1"})
    response = await client_of(Script(answer)).read("GET", "/e", query="q=1")
    with pytest.raises(BadAnswer) as caught:
        response.json()
    text = str(caught.value)
    assert text.startswith("x: GET /e: HTTP 200, request id r-1: ")
    assert says in text
    assert kind in text
    assert len(text) < 500


async def test_json_is_read_as_it_is() -> None:
    answer = httpx.Response(200, content='\ufeff{"a": [1, 1.5, "é", null, true, {"b": {}}]}'.encode())
    response = await client_of(Script(answer)).read("GET", "/e")
    assert response.json() == {"a": [1, 1.5, "é", None, True, {"b": {}}]}


async def test_errors_hold_no_secret_and_no_control_character() -> None:
    secret_body = f"\x1b[31m{TOKEN}\r\n::error::{json.dumps(TOKEN)} \u202e{'z' * 500}"
    client = client_of(Script(status(401, secret_body, x_li_uuid=f"id-{TOKEN}\x07")))
    with pytest.raises(Unauthorized) as caught:
        await client.read("GET", f"/e/{TOKEN}")
    text = str(caught.value)
    assert TOKEN not in text + repr(caught.value.__dict__)
    assert "connections.x.auth (access_token)" in text
    assert "[secret]" in text
    assert text.isprintable()
    assert len(text) < 700
    assert client.requests == 1


async def test_a_secret_at_the_edge_of_the_excerpt_is_not_cut_open() -> None:
    response = await client_of(Script(status(400, "a" * 195 + TOKEN))).read("GET", "/e")
    assert "tok" not in response.excerpt
    assert len(response.excerpt) <= 200


async def test_transport_errors_are_redacted_too() -> None:
    client = client_of(Script(httpx.ReadError(f"boom {TOKEN}")))
    with pytest.raises(Unclear) as caught:
        await client.write("POST", "/e", json={})
    assert TOKEN not in str(caught.value)


async def test_bodies_over_the_cap() -> None:
    big = httpx.Response(200, content=b"x" * 2000)
    with pytest.raises(BadAnswer, match="longer than"):
        await client_of(Script(big), max_body_bytes=1000).read("GET", "/e")
    with pytest.raises(Unclear, match="longer than"):
        await client_of(Script(big), max_body_bytes=1000).write("POST", "/e", json={})


def test_response_builds_errors_about_its_call() -> None:
    response = Response(422, {}, b"", "r", "crm", "PATCH", "/e/1")
    error = response.error(BadAnswer, "said\nno", code="BAD")
    assert str(error) == "crm: PATCH /e/1: HTTP 422, request id r: said no"
    assert (error.connection, error.status, error.code, error.request_id) == ("crm", 422, "BAD", "r")
