"""The session over a played network: what it asks, how often, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.errors import BadAnswer, LimitReached, NotFound, PlatformError, Refused, Unauthorized, Unclear
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import Desired, Found, Gone, Key, Unknown
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.salesforce import PLATFORM
from reconciler.platforms.salesforce.client import SalesforceSession
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings, ReadRequest, Wanted

pytestmark = pytest.mark.anyio

BASE = "/services/data/v65.0/personalization/abn-experiments/"
QUERY = "/services/data/v65.0/query"
ID = "1GaSB00000Cojr30AB"
Body = Callable[..., Any]
Reply = tuple[int, Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Retries of reads do not wait in tests."""
    import stamina

    stamina.set_testing(True, attempts=2, cap=True)
    yield
    stamina.set_testing(False)


class Org:
    """Answers by method and path: the first of the waiting replies, and the last one again and again."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[httpx.Request] = []

    def on(self, method: str, path: str, *replies: Reply) -> None:
        self.replies[f"{method} {path}"] = list(replies)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        waiting = self.replies.get(f"{request.method} {request.url.path}", [(404, MISSING)])
        status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(body, str):
            return httpx.Response(status, text=body)
        return httpx.Response(status, json=body) if body is not None else httpx.Response(status)

    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


MISSING = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
VISIBLE: Reply = (200, {"totalSize": 0, "done": True, "records": []})


class Naps:
    """Counts the seconds that would have been slept."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def org() -> Org:
    return Org()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def session(org: Org, naps: Naps) -> SalesforceSession:
    settings = ConnectionSettings(
        name="crm",
        platform="salesforce",
        base_url="https://example.my.salesforce.com",
        api_version="65.0",
        auth={"access_token": "00Dsecrettoken"},
        max_wait_s=0,
    )
    return SalesforceSession.open(settings, transport=httpx.MockTransport(org), clock=Clock(), sleep=naps)


def wanted(remote_id: str = ID) -> Wanted:
    return Wanted(Key("SalesforceExperiment", "a"), remote_id)


def seek(name: str, **more: Any) -> Desired:
    return Desired(Key("SalesforceExperiment", "a"), "salesforce", "crm", {"name": name, **more})


def start() -> Call:
    return Call("PATCH", BASE + ID, Purpose.START, query={"action": "Start"}, body={})


# --- snapshot ------------------------------------------------------------------------------------------------------


async def test_at_most_four_requests_are_under_way(body: Body) -> None:
    """Salesforce counts long calls of an org together; the contract: at most 4 requests at once."""
    under_way, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            return httpx.Response(200, json=body("updated"))

    settings = ConnectionSettings(
        "crm", "salesforce", "https://example.my.salesforce.com", "65.0", auth={"access_token": "00Dsecrettoken"}
    )
    session = SalesforceSession.open(settings, transport=Slow(), clock=Clock())
    snapshot = await session.snapshot(ReadRequest(tuple(wanted(f"1GaSB00000Cojr{n:02}AB") for n in range(12))))
    await session.close()
    assert len(snapshot.readings) == 12 and most == 4


async def test_one_get_an_experiment_with_the_headers(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("GET", BASE + ID, (200, body("updated")))
    snapshot = await session.snapshot(ReadRequest((wanted(),)))
    reading = snapshot.readings[ID]
    assert isinstance(reading, Found) and reading.live.name == "testExp50"
    assert org.asked() == [f"GET {BASE}{ID}"]
    assert org.requests[0].headers["X-Chatter-Entity-Encoding"] == "false"
    assert org.requests[0].headers["Authorization"] == "Bearer 00Dsecrettoken"
    assert (snapshot.others, snapshot.failures) == ((), ())


async def test_a_404_is_gone_once_experiments_are_seen_to_be_visible(session: SalesforceSession, org: Org) -> None:
    org.on("GET", QUERY, VISIBLE)
    snapshot = await session.snapshot(ReadRequest((wanted("1GaA"), wanted("1GaB"))))
    assert all(isinstance(reading, Gone) for reading in snapshot.readings.values())
    assert org.asked().count(f"GET {QUERY}") == 1
    assert org.requests[-1].url.params["q"] == "SELECT Id FROM AbnExperiment LIMIT 1"


async def test_another_experiment_that_is_read_proves_it_too(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("GET", BASE + ID, (200, body("updated")))
    snapshot = await session.snapshot(ReadRequest((wanted("1GaA"), wanted())))
    assert isinstance(snapshot.readings["1GaA"], Gone)
    assert f"GET {QUERY}" not in org.asked()


@pytest.mark.parametrize("status", [400, 403])
async def test_without_a_licence_a_404_proves_nothing(status: int, session: SalesforceSession, org: Org) -> None:
    org.on("GET", QUERY, (status, [{"errorCode": "INVALID_TYPE", "message": "sObject type 'AbnExperiment'"}]))
    snapshot = await session.snapshot(ReadRequest((wanted(),)))
    reading = snapshot.readings[ID]
    assert isinstance(reading, Unknown) and "INVALID_TYPE" in reading.reason


async def test_where_nothing_can_be_queried_a_404_means_what_it_says(session: SalesforceSession, org: Org) -> None:
    org.on("GET", QUERY, (404, [{"errorCode": "NOT_FOUND", "message": "no such resource"}]))
    assert isinstance((await session.snapshot(ReadRequest((wanted(),)))).readings[ID], Gone)


@pytest.mark.parametrize(
    "reply",
    [
        (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]),
        (500, "<html>oops</html>"),
        (200, "<html>maintenance</html>"),
        (200, {"name": "x"}),
    ],
)
async def test_what_cannot_be_read_is_unknown(reply: Reply, session: SalesforceSession, org: Org) -> None:
    org.on("GET", BASE + ID, reply)
    reading = (await session.snapshot(ReadRequest((wanted(),)))).readings[ID]
    assert isinstance(reading, Unknown) and "crm" in reading.reason and "00Dsecrettoken" not in reading.reason


async def test_sought_by_name_and_absent_when_404(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("GET", BASE + "testExp50", (200, body("updated")))
    snapshot = await session.snapshot(ReadRequest(seek=(seek("testExp50"), seek("nothing"))))
    assert [live.remote_id for live in snapshot.others] == [ID]
    assert snapshot.failures == ()
    assert sorted(org.asked()) == [f"GET {BASE}nothing", f"GET {BASE}testExp50"]


async def test_what_is_wanted_is_not_read_again_by_name(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("GET", BASE + ID, (200, body("updated")))
    snapshot = await session.snapshot(ReadRequest((wanted(),), (seek("testExp50"),)))
    assert [live.remote_id for live in snapshot.others] == [ID]
    assert org.asked() == [f"GET {BASE}{ID}"]


async def test_in_a_data_space_of_its_own_the_prefixed_name_is_tried(
    session: SalesforceSession, org: Org, body: Body
) -> None:
    org.on("GET", BASE + "myDs_exp", (200, body("updated", name="myDs_exp", dataSpaceName="myDs")))
    snapshot = await session.snapshot(ReadRequest(seek=(seek("exp", dataSpaceName="myDs"),)))
    assert [live.name for live in snapshot.others] == ["exp"]


async def test_a_search_that_fails_says_so(session: SalesforceSession, org: Org) -> None:
    org.on("GET", BASE + "exp", (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no access"}]))
    snapshot = await session.snapshot(ReadRequest(seek=(seek("exp"),)))
    assert len(snapshot.failures) == 1 and "no access" in snapshot.failures[0]


async def test_a_used_up_allocation_stops_the_search(session: SalesforceSession, org: Org) -> None:
    limit = (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    org.on("GET", BASE + ID, limit)
    request = ReadRequest((wanted(),), tuple(seek(f"e{n}") for n in range(20)))
    snapshot = await session.snapshot(request)
    assert isinstance(snapshot.readings[ID], Unknown)
    assert len(snapshot.failures) == 1 and "REQUEST_LIMIT_EXCEEDED" in snapshot.failures[0]
    assert org.asked() == [f"GET {BASE}{ID}"]


# --- listing -------------------------------------------------------------------------------------------------------


async def test_listing_follows_the_pages_and_reads_each(session: SalesforceSession, org: Org, body: Body) -> None:
    ids = [f"1Ga{n}" for n in range(6)]
    following = "/services/data/v65.0/query/01g-2000"
    org.on("GET", QUERY, (200, {"done": False, "nextRecordsUrl": following, "records": [{"Id": i} for i in ids[:4]]}))
    org.on("GET", following, (200, {"done": True, "records": [{"Id": i} for i in ids[4:]]}))
    for remote_id in ids[1:]:
        org.on("GET", BASE + remote_id, (200, body("updated", id=remote_id)))
    found = [live.remote_id async for live in session.listing("")]
    assert found == ids[1:], "in the order of the query, without the one that is gone meanwhile"


async def test_pages_that_go_in_a_circle_end(session: SalesforceSession, org: Org) -> None:
    following = "/services/data/v65.0/query/01g-2000"
    page = (200, {"done": False, "nextRecordsUrl": following, "records": []})
    org.on("GET", QUERY, page)
    org.on("GET", following, page)
    with pytest.raises(BadAnswer):
        [live async for live in session.listing("")]


async def test_a_hidden_object_says_what_to_do(session: SalesforceSession, org: Org) -> None:
    org.on("GET", QUERY, (400, [{"errorCode": "INVALID_TYPE", "message": "not supported"}]))
    with pytest.raises(Refused, match="name them by id") as caught:
        [live async for live in session.listing("")]
    assert (caught.value.code, caught.value.status) == ("INVALID_TYPE", 400)


# --- send ----------------------------------------------------------------------------------------------------------


async def test_an_action_goes_out_as_a_query_with_an_empty_object(
    session: SalesforceSession, org: Org, body: Body
) -> None:
    org.on("PATCH", BASE + ID, (200, body("updated")))
    answer = await session.send(start(), KIND)
    (sent,) = org.requests
    assert (sent.url.query, sent.content) == (b"action=Start", b"{}")
    assert sent.headers["Content-Type"] == "application/json"
    assert answer.live is not None and answer.live.status == "Started"


async def test_a_create_whose_answer_shows_the_id(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("POST", BASE, (201, body("created")))
    (create,) = KIND.create_calls(KIND.canonical(body("create_request")))
    answer = await session.send(create, KIND)
    assert answer.remote_id == ID
    assert answer.live is not None and answer.live.busy
    assert json.loads(org.requests[0].content) == create.body
    assert org.asked() == [f"POST {BASE}"]


@pytest.mark.parametrize("reply", ['{"name": "testExp50",, }', {"name": "testExp50", "state": "Created"}, None])
async def test_a_create_whose_answer_does_not_is_read_by_name(
    reply: Any, session: SalesforceSession, org: Org, naps: Naps, body: Body
) -> None:
    org.on("POST", BASE, (201, reply))
    org.on("GET", BASE + "testExp50", (404, MISSING), (200, body("created")))
    (create,) = KIND.create_calls(KIND.canonical(body("create_request")))
    assert (await session.send(create, KIND)).remote_id == ID
    assert org.asked() == [f"POST {BASE}", f"GET {BASE}testExp50", f"GET {BASE}testExp50"]
    assert len(naps.taken) == 1


async def test_a_create_that_never_shows_is_unclear(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("POST", BASE, (201, None))
    (create,) = KIND.create_calls(KIND.canonical(body("create_request")))
    with pytest.raises(Unclear):
        await session.send(create, KIND)
    assert org.asked().count(f"POST {BASE}") == 1


@pytest.mark.parametrize(
    ("status", "reply", "error"),
    [
        (400, [{"errorCode": "INVALID_INPUT", "message": "Weights", "fields": ["cohorts"]}], Refused),
        (409, [{"errorCode": "DUPLICATE_VALUE", "message": "name"}], Refused),
        (404, MISSING, NotFound),
        (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], Unauthorized),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "used up"}], LimitReached),
        (401, [{"errorCode": "INVALID_SESSION_ID", "message": "expired"}], Unauthorized),
        (422, "<html>edge</html>", Refused),
        (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "oops"}], Unclear),
        (503, "", Unclear),
    ],
)
async def test_refusals(status: int, reply: Any, error: type[Exception], session: SalesforceSession, org: Org) -> None:
    org.on("PATCH", BASE + ID, (status, reply))
    with pytest.raises(PlatformError) as caught:
        await session.send(start(), KIND)
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.connection) == (status, "crm")
    assert len(org.requests) == 1
    if isinstance(reply, list) and status < 500 and status != 401:
        assert caught.value.code == reply[0]["errorCode"]
        assert reply[0]["message"] in str(caught.value)


async def test_a_patch_whose_answer_cannot_be_read_was_still_done(session: SalesforceSession, org: Org) -> None:
    org.on("PATCH", BASE + ID, (204, None))
    assert await session.send(start(), KIND) is not None


# --- settle --------------------------------------------------------------------------------------------------------


async def test_settle_waits_until_the_job_is_over(session: SalesforceSession, org: Org, naps: Naps, body: Body) -> None:
    busy = (200, body("updated", status="Processing"))
    org.on("GET", BASE + ID, busy, busy, busy, (200, body("updated")))
    reading = await session.settle(KIND, wanted())
    assert isinstance(reading, Found) and not reading.live.busy
    assert naps.taken == [0.2, 0.4, 0.8]


async def test_settle_gives_up_after_five_minutes(session: SalesforceSession, org: Org, naps: Naps, body: Body) -> None:
    org.on("GET", BASE + ID, (200, body("updated", status="Processing")))
    reading = await session.settle(KIND, wanted())
    assert isinstance(reading, Unknown) and "Processing" in reading.reason
    assert sum(naps.taken) == pytest.approx(300)
    assert max(naps.taken) == 30


async def test_settle_reports_a_failed_job(session: SalesforceSession, org: Org, body: Body) -> None:
    org.on("GET", BASE + ID, (200, body("updated", status="EditError")))
    reading = await session.settle(KIND, wanted())
    assert isinstance(reading, Found) and reading.live.failure == "EditError"


async def test_after_a_delete_it_waits_until_it_is_gone(
    session: SalesforceSession, org: Org, naps: Naps, body: Body
) -> None:
    created = body("updated", state="Created")
    org.on("DELETE", BASE + ID, (202, None))
    org.on("GET", BASE + ID, (200, created), (200, {**created, "status": "Deleting"}), (404, MISSING))
    (delete,) = KIND.end_calls(KIND.from_wire(created))
    await session.send(delete, KIND)
    assert isinstance(await session.settle(KIND, wanted()), Gone)
    assert len(naps.taken) == 2


async def test_a_delete_that_fails_shows_its_failure(session: SalesforceSession, org: Org, body: Body) -> None:
    created = body("updated", state="Created")
    org.on("DELETE", BASE + ID, (202, None))
    org.on("GET", BASE + ID, (200, created), (200, {**created, "status": "DeleteError", "message": "in use"}))
    (delete,) = KIND.end_calls(KIND.from_wire(created))
    await session.send(delete, KIND)
    reading = await session.settle(KIND, wanted())
    assert isinstance(reading, Found) and reading.live.failure == "DeleteError: in use"


async def test_connect_opens_a_session_without_sending() -> None:
    settings = ConnectionSettings(
        name="crm",
        platform="salesforce",
        base_url="https://example.my.salesforce.com",
        api_version="66.0",
        auth={"client_id": "a", "client_secret": "b"},
    )
    opened = PLATFORM.connect(settings)
    assert (opened.connection, opened.platform) == ("crm", "salesforce")
    assert (await opened.preflight(())).findings == {}
    await opened.close()
