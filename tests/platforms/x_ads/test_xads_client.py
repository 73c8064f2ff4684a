from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qs

import httpx
import pytest
import stamina

from reconciler.errors import (
    BadAnswer,
    LimitReached,
    NotFound,
    NotSent,
    PlatformError,
    Refused,
    Unauthorized,
    Unclear,
)
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import Desired, Found, Gone, Key, Unknown
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.session import ConnectionSettings, ReadRequest, Wanted
from reconciler.platforms.x_ads import PLATFORM
from reconciler.platforms.x_ads.client import XAdsSession

ACCOUNT = "18ce54d4x5t"
PATH = f"/12/accounts/{ACCOUNT}/ab_tests"
KIND = PLATFORM.kinds[0]
SECRETS = {
    "consumer_key": "consumer-key-1",
    "consumer_secret": "consumer-secret-1",
    "access_token": "access-token-1",
    "access_token_secret": "access-token-secret-1",
}
T = TypeVar("T")
Body = Callable[[str], Any]
Answerer = Callable[[httpx.Request], httpx.Response]


class Platform:
    """A session whose requests are answered by a function; keeps what was asked, said and waited for."""

    def __init__(self, answer: Answerer, version: str = "12", max_wait_s: float = 900) -> None:
        self.requests: list[httpx.Request] = []
        self.said: list[str] = []
        self.waited: list[float] = []
        self.now = 1000.0

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        async def sleep(seconds: float) -> None:
            self.waited.append(seconds)
            self.now += seconds

        settings = ConnectionSettings(
            "x",
            "x-ads",
            "https://ads.example/prefix",
            version,
            auth=SECRETS,
            max_wait_s=max_wait_s,
            announce=self.said.append,
        )
        clock = Clock(lambda: self.now, lambda: self.now, sleep, lambda low, high: low)
        http = HttpClient(settings, auth.x_ads(settings), transport=httpx.MockTransport(handle), clock=clock)
        self.session = XAdsSession(settings, http)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def main() -> T:
            try:
                return await work
            finally:
                await self.session.close()

        return asyncio.run(main())

    def snapshot(self, *ids: str, seek: tuple[Desired, ...] = (), account: str = ACCOUNT) -> Any:
        wanted = tuple(Wanted(Key("XAdsABTest", name), name, account) for name in ids)
        return self.run(self.session.snapshot(ReadRequest(wanted, seek)))

    @property
    def queries(self) -> list[dict[str, str]]:
        return [
            {name: values[0] for name, values in parse_qs(str(r.url.query, "ascii")).items()} for r in self.requests
        ]


@pytest.fixture(autouse=True)
def _no_waiting_between_reads() -> Iterator[None]:
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.fixture
def test_body(body: Body) -> Callable[..., dict[str, Any]]:
    data = body("create_answer")["data"]
    return lambda remote_id, **changes: {**data, "id": remote_id, **changes}


def a_list(*tests: dict[str, Any], cursor: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"request": {}, "data": list(tests), "next_cursor": cursor})


def an_error(status: int, code: str, message: str = "no", **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"code": code, "message": message, **more}], "request": {}})


def desired(spec: dict[str, Any]) -> Desired:
    return Desired(Key("XAdsABTest", "a"), "x-ads", "x", spec)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_read_by_ids_as_it_goes_out(test_body: Any) -> None:
    platform = Platform(lambda request: a_list(test_body("a1"), test_body("b2", deleted=True)))
    snapshot = platform.snapshot("a1", "b2", "c3")
    (request,) = platform.requests
    assert request.method == "GET"
    target = request.url.raw_path.decode()
    assert target == f"/prefix{PATH}?ab_test_ids=a1%2Cb2%2Cc3&count=1000&with_deleted=true"
    assert request.headers["authorization"].startswith("OAuth ")
    assert isinstance(snapshot.readings["a1"], Found)
    assert snapshot.readings["a1"].live.account == ACCOUNT
    assert isinstance(snapshot.readings["b2"], Gone)
    assert isinstance(snapshot.readings["c3"], Unknown)
    assert snapshot.others == () and snapshot.failures == ()


def test_the_pages_list_is_read(body: Body) -> None:
    platform = Platform(lambda request: httpx.Response(200, json=body("list")))
    reading = platform.snapshot("hr7l0").readings["hr7l0"]
    assert reading == Found(KIND.from_wire(body("list")["data"][0], account=ACCOUNT))


def test_one_object_in_place_of_a_list_is_read(test_body: Any) -> None:
    platform = Platform(lambda request: httpx.Response(200, json={"data": test_body("a1")}))
    assert isinstance(platform.snapshot("a1").readings["a1"], Found)


def account_of(tests: list[dict[str, Any]], size: int) -> Answerer:
    """An account that pages its tests, or gives those asked for by id."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        if "ab_test_ids" in query:
            ids = query["ab_test_ids"].split(",")
            assert len(ids) <= 200
            return a_list(*(test for test in tests if test["id"] in ids))
        start = int(query.get("cursor", "0"))
        more = str(start + size) if start + size < len(tests) else None
        return a_list(*tests[start : start + size], cursor=more)

    return answer


@pytest.mark.parametrize(
    ("recorded", "in_account", "by_ids", "by_page"),
    [
        pytest.param(1, 5000, 1, 0, id="one"),
        pytest.param(200, 5000, 1, 0, id="a-full-list-of-ids"),
        pytest.param(201, 201, 0, 1, id="one-page-has-all"),
        pytest.param(1000, 1000, 0, 1, id="a-full-page"),
        pytest.param(2500, 2500, 0, 3, id="pages"),
        pytest.param(300, 20000, 2, 1, id="few-in-a-large-account"),
    ],
)
def test_the_cheaper_way_of_reading(test_body: Any, recorded: int, in_account: int, by_ids: int, by_page: int) -> None:
    tests = [test_body(f"t{index}") for index in range(in_account)]
    step = in_account // recorded
    platform = Platform(account_of(tests, 1000))
    ids = [f"t{index * step}" for index in range(recorded)]
    snapshot = platform.snapshot(*ids)
    assert all(isinstance(snapshot.readings[remote_id], Found) for remote_id in ids)
    assert sum("ab_test_ids" in query for query in platform.queries) == by_ids
    assert sum("ab_test_ids" not in query for query in platform.queries) == by_page
    assert all(query["with_deleted"] == "true" for query in platform.queries)


def test_unknown_ids_of_a_wholly_read_account_are_not_asked_for_again(test_body: Any) -> None:
    platform = Platform(account_of([test_body(f"t{index}") for index in range(250)], 1000))
    snapshot = platform.snapshot(*(f"t{index}" for index in range(260)))
    assert len(platform.requests) == 1
    assert isinstance(snapshot.readings["t255"], Unknown)


def test_a_404_to_a_list_of_ids_reads_the_account(test_body: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return an_error(404, "NOT_FOUND") if "ab_test_ids" in request.url.params else a_list(test_body("a1"))

    platform = Platform(answer)
    snapshot = platform.snapshot("a1", "b2")
    assert isinstance(snapshot.readings["a1"], Found)
    assert isinstance(snapshot.readings["b2"], Unknown)
    assert len(platform.requests) == 2


def test_pages_keep_their_parameters_and_go_on_past_a_short_one(test_body: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        pages = {None: ("a1", "c/1"), "c/1": (None, "c2"), "c2": ("b2", None)}
        remote_id, cursor = pages[request.url.params.get("cursor")]
        return a_list(*([test_body(remote_id)] if remote_id else []), cursor=cursor)

    platform = Platform(answer)

    async def listed() -> list[str]:
        return [live.remote_id async for live in platform.session.listing(ACCOUNT)]

    assert platform.run(listed()) == ["a1", "b2"]
    assert platform.queries == [
        {"count": "1000"},
        {"count": "1000", "cursor": "c/1"},
        {"count": "1000", "cursor": "c2"},
    ]
    assert b"cursor=c%2F1" in platform.requests[1].url.raw_path


def test_a_cursor_that_comes_again_ends_the_reading(test_body: Any) -> None:
    platform = Platform(lambda request: a_list(test_body("a1"), cursor="again"))

    async def listed() -> None:
        async for _ in platform.session.listing(ACCOUNT):
            pass

    with pytest.raises(BadAnswer, match="cursor"):
        platform.run(listed())
    assert len(platform.requests) == 2


def test_a_listing_leaves_out_deleted_ones_and_says_which_it_could_not_read(test_body: Any) -> None:
    platform = Platform(
        lambda request: a_list(test_body("a1"), test_body("b2", deleted=True), test_body("c3", user_groups=None))
    )

    async def listed() -> list[str]:
        return [live.remote_id async for live in platform.session.listing(ACCOUNT)]

    assert platform.run(listed()) == ["a1"]
    (sentence,) = platform.said
    assert "c3" in sentence


# --- searching -------------------------------------------------------------------------------------------------------


def test_a_search_reads_the_account_once_and_serves_all(test_body: Any, spec: dict[str, Any]) -> None:
    elsewhere = [{"id": "g1", "size": "100.0", "entity_ids": ["other"]}]
    tests = [
        test_body("same", name="by another name"),
        test_body("holder", start_time="2030-01-01T00:00:00Z", end_time="2030-02-01T00:00:00Z", status="LIVE"),
        test_body("finished", status="COMPLETED"),
        test_body("deleted", deleted=True),
        test_body("stranger", user_groups=elsewhere),
    ]
    platform = Platform(account_of(tests, 2))
    snapshot = platform.snapshot("stranger", "deleted", seek=(desired(spec),))
    assert [live.remote_id for live in snapshot.others] == ["same", "holder", "finished"]
    assert isinstance(snapshot.readings["stranger"], Found)
    assert isinstance(snapshot.readings["deleted"], Gone)
    assert set(snapshot.readings) == {"stranger", "deleted"}
    assert [query.get("cursor") for query in platform.queries] == [None, "2", "4"]
    assert all("ab_test_ids" not in query for query in platform.queries)
    same = snapshot.others[0]
    assert KIND.identity(same.spec, same) == KIND.identity(spec)


def test_accounts_are_told_apart(test_body: Any, spec: dict[str, Any]) -> None:
    platform = Platform(lambda request: a_list(test_body("a1")))
    snapshot = platform.snapshot("a1", seek=(desired({**spec, "account_id": "other"}),), account=ACCOUNT)
    assert sorted(request.url.path for request in platform.requests) == [
        f"/prefix{PATH}",
        "/prefix/12/accounts/other/ab_tests",
    ]
    assert [live.account for live in snapshot.others] == ["other"]


def test_what_cannot_be_searched_is_said(test_body: Any, spec: dict[str, Any]) -> None:
    platform = Platform(lambda request: an_error(403, "ACCOUNT_NOT_FOUND", "Account was not found"))
    snapshot = platform.snapshot("a1", seek=(desired(spec),))
    reading = snapshot.readings["a1"]
    assert isinstance(reading, Unknown)
    assert "ACCOUNT_NOT_FOUND: Account was not found" in reading.reason
    assert "no role on it" in reading.reason
    (failure,) = snapshot.failures
    assert ACCOUNT in failure


def test_a_test_that_cannot_be_read_leaves_the_search_incomplete(test_body: Any, spec: dict[str, Any]) -> None:
    platform = Platform(lambda request: a_list(test_body("a1"), test_body("b2", start_time=None)))
    snapshot = platform.snapshot("b2", seek=(desired(spec),))
    assert isinstance(snapshot.readings["b2"], Unknown)
    assert [live.remote_id for live in snapshot.others] == ["a1"]
    assert len(snapshot.failures) == 1 and "b2" in snapshot.failures[0]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(500, text="<html>oops</html>"), id="500"),
        pytest.param(httpx.Response(503, text=""), id="503"),
        pytest.param(an_error(403, "UNAUTHORIZED_CLIENT_APPLICATION"), id="403"),
        pytest.param(httpx.Response(200, text="<html>hello</html>"), id="html"),
        pytest.param(httpx.Response(200, text='{"data": ['), id="cut"),
        pytest.param(httpx.Response(200, json={"data": None}), id="no-data"),
        pytest.param(httpx.Response(200, json={"data": [1]}), id="no-objects"),
        pytest.param(httpx.Response(200, json={"data": [], "next_cursor": 5}), id="odd-cursor"),
        pytest.param(an_error(404, "ROUTE_NOT_FOUND"), id="wrong-route"),
    ],
)
def test_what_cannot_be_read_is_unknown_never_gone(answer: httpx.Response) -> None:
    platform = Platform(lambda request: answer)
    assert isinstance(platform.snapshot("a1").readings["a1"], Unknown)
    assert len(platform.requests) == 1


def test_an_id_without_an_account_is_unknown() -> None:
    platform = Platform(lambda request: a_list())
    assert isinstance(platform.snapshot("a1", account="").readings["a1"], Unknown)
    assert platform.requests == []


def test_one_failing_list_of_ids_does_not_lose_the_others(test_body: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        ids = request.url.params.get("ab_test_ids")
        if ids is None:
            return a_list(test_body("t0"), cursor="more")
        if "t399" in ids.split(","):
            return httpx.Response(500)
        return a_list(*(test_body(remote_id) for remote_id in ids.split(",")))

    snapshot = Platform(answer).snapshot(*(f"t{index}" for index in range(400)))
    assert isinstance(snapshot.readings["t1"], Found)
    assert isinstance(snapshot.readings["t399"], Unknown)


def test_wrong_credentials_end_the_run_with_what_they_may_mean() -> None:
    platform = Platform(lambda request: an_error(401, "UNAUTHORIZED_ACCESS", "This request is not authorized"))
    with pytest.raises(Unauthorized) as caught:
        platform.snapshot("a1")
    text = str(caught.value)
    assert "revoked" in text and "clock" in text and caught.value.connection == "x"
    assert not any(secret in text for secret in SECRETS.values())


def test_a_wait_that_is_too_long_ends_the_run() -> None:
    platform = Platform(lambda request: httpx.Response(429, headers={"retry-after": "5000"}))
    with pytest.raises(LimitReached):
        platform.snapshot("a1")


def test_a_rate_limit_is_waited_for_until_the_reset(test_body: Any) -> None:
    answers = iter(
        [
            httpx.Response(429, headers={"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1040"}),
            a_list(test_body("a1")),
        ]
    )
    platform = Platform(lambda request: next(answers))
    assert isinstance(platform.snapshot("a1").readings["a1"], Found)
    assert sum(platform.waited) == pytest.approx(40)
    assert any("40 s" in sentence for sentence in platform.said)


def test_settling(test_body: Any) -> None:
    platform = Platform(lambda request: a_list(test_body("a1", deleted=True)))
    reading = platform.run(platform.session.settle(KIND, Wanted(Key("XAdsABTest", "a"), "a1", ACCOUNT)))
    assert isinstance(reading, Gone)
    assert platform.queries == [{"ab_test_ids": "a1", "count": "1000", "with_deleted": "true"}]


def test_a_deprecated_version_is_said_once(test_body: Any) -> None:
    answer = httpx.Response(
        200, json={"data": [test_body("a1")], "next_cursor": None}, headers={"x-api-warn": "11 is old"}
    )
    platform = Platform(lambda request: answer, version="11")

    async def twice() -> None:
        for _ in range(2):
            await platform.session.settle(KIND.at("11"), Wanted(Key("XAdsABTest", "a"), "a1", ACCOUNT))

    platform.run(twice())
    assert platform.requests[0].url.path == f"/prefix/11/accounts/{ACCOUNT}/ab_tests"
    assert len(platform.said) == 1 and "11 is old" in platform.said[0]


# --- writing ---------------------------------------------------------------------------------------------------------


def test_a_create_as_it_goes_out(body: Body, spec: dict[str, Any]) -> None:
    platform = Platform(lambda request: httpx.Response(201, json=body("create_answer")))
    answer = platform.run(platform.session.send(KIND.create_calls(spec)[0], KIND))
    (request,) = platform.requests
    assert (request.method, request.url.path, request.url.query) == ("POST", f"/prefix{PATH}", b"")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == body("create_request")
    assert answer.remote_id == "hr7l0"
    assert answer.live == KIND.from_wire(body("create_answer")["data"], account=ACCOUNT)


def test_an_update_gives_the_test_back(body: Body) -> None:
    platform = Platform(lambda request: httpx.Response(200, json=body("update_answer")))
    call = Call("PUT", f"{PATH}/hr7l0", Purpose.UPDATE, body=body("update_request"))
    answer = platform.run(platform.session.send(call, KIND))
    assert json.loads(platform.requests[0].content) == body("update_request")
    assert answer.live is not None and answer.live.spec["user_groups"][0]["size"] == "60.00"
    assert answer.live.account == ACCOUNT


def test_a_delete_has_no_body(body: Body) -> None:
    platform = Platform(lambda request: httpx.Response(200, json=body("delete_answer")))
    answer = platform.run(platform.session.send(Call("DELETE", f"{PATH}/hr7l0", Purpose.DELETE), KIND))
    assert platform.requests[0].content == b""
    assert (answer.remote_id, answer.live) == ("hr7l0", None)


CREATE = Call("POST", PATH, Purpose.CREATE, body={})
UPDATE = Call("PUT", f"{PATH}/hr7l0", Purpose.UPDATE, body={"name": "n"})
DELETE = Call("DELETE", f"{PATH}/hr7l0", Purpose.DELETE)


@pytest.mark.parametrize(
    ("call", "answer", "error"),
    [
        pytest.param(CREATE, an_error(400, "INVALID_PARAMETER"), Refused, id="400"),
        pytest.param(CREATE, an_error(403, "ACTION_NOT_ALLOWED"), Refused, id="403"),
        pytest.param(CREATE, an_error(403, "READONLY_CLIENT_APPLICATION"), Unauthorized, id="403-app"),
        pytest.param(CREATE, an_error(404, "CAMPAIGN_NOT_FOUND"), Refused, id="404-create"),
        pytest.param(CREATE, httpx.Response(404, text="<html>"), Refused, id="404-create-html"),
        pytest.param(UPDATE, an_error(404, "NOT_FOUND"), NotFound, id="404-update"),
        pytest.param(UPDATE, an_error(404, "CAMPAIGN_NOT_FOUND"), Refused, id="404-update-entity"),
        pytest.param(DELETE, an_error(404, "NOT_FOUND"), NotFound, id="404-delete"),
        pytest.param(DELETE, httpx.Response(404), NotFound, id="404-delete-empty"),
        pytest.param(DELETE, an_error(404, "ROUTE_NOT_FOUND"), Refused, id="404-route"),
        pytest.param(UPDATE, an_error(405, "METHOD_NOT_ALLOWED"), Refused, id="405"),
        pytest.param(CREATE, an_error(408, "CANCELLED_REQUEST"), Unclear, id="408"),
        pytest.param(CREATE, an_error(500, "INTERNAL_ERROR"), Unclear, id="500"),
        pytest.param(UPDATE, httpx.Response(503, text="<html>"), Unclear, id="503"),
        pytest.param(UPDATE, an_error(401, "UNAUTHORIZED_ACCESS"), Unauthorized, id="401"),
        pytest.param(CREATE, httpx.Response(200, text="<html>fine</html>"), Unclear, id="html-for-yes"),
        pytest.param(CREATE, httpx.Response(200, text=""), Unclear, id="empty-create"),
        pytest.param(CREATE, httpx.Response(200, json={"data": {}}), Unclear, id="create-without-id"),
        pytest.param(UPDATE, httpx.Response(200, text='{"da'), Unclear, id="cut-update"),
        pytest.param(UPDATE, httpx.Response(302, headers={"location": "https://login.example"}), BadAnswer, id="302"),
    ],
)
def test_refusals(call: Call, answer: httpx.Response, error: type[PlatformError]) -> None:
    platform = Platform(lambda request: answer)
    with pytest.raises(PlatformError) as caught:
        platform.run(platform.session.send(call, KIND))
    assert type(caught.value) is error
    assert caught.value.connection == "x" and caught.value.status == answer.status_code
    assert len(platform.requests) == 1


def test_an_empty_yes_to_update_or_delete_is_a_yes() -> None:
    for call in (UPDATE, DELETE):
        platform = Platform(lambda request: httpx.Response(204))
        assert platform.run(platform.session.send(call, KIND)).live is None


def test_a_yes_whose_test_cannot_be_read_still_names_it(test_body: Any) -> None:
    platform = Platform(lambda request: httpx.Response(200, json={"data": test_body("new1", user_groups=None)}))
    answer = platform.run(platform.session.send(CREATE, KIND))
    assert (answer.remote_id, answer.live) == ("new1", None)


def test_every_error_is_told_in_xs_words() -> None:
    errors = [
        {
            "code": "INVALID_PARAMETER",
            "message": 'Expected time, got "" for start_time',
            "parameter": "start_time",
            "details": "invalid date",
        },
        {"code": "INVALID", "message": "sizes must sum up", "attribute": "user_groups"},
    ]
    platform = Platform(
        lambda request: httpx.Response(400, json={"errors": errors}, headers={"x-transaction-id": "tx-9"})
    )
    with pytest.raises(Refused) as caught:
        platform.run(platform.session.send(CREATE, KIND))
    assert 'INVALID_PARAMETER: Expected time, got "" for start_time (start_time: invalid date)' in str(caught.value)
    assert "INVALID: sizes must sum up (user_groups)" in str(caught.value)
    assert (caught.value.code, caught.value.request_id) == ("INVALID_PARAMETER", "tx-9")


def test_a_lock_or_a_limit_is_waited_for(body: Body) -> None:
    answers = iter(
        [
            an_error(423, "LOCK_ACQUISITION_TIMEOUT"),
            httpx.Response(429, headers={"retry-after": "7"}),
            httpx.Response(200, json=body("update_answer")),
        ]
    )
    platform = Platform(lambda request: next(answers))
    assert platform.run(platform.session.send(UPDATE, KIND)).remote_id == "hr7l0"
    assert len(platform.requests) == 3
    assert sum(platform.waited) >= 7


def test_a_lock_that_stays_is_a_refusal() -> None:
    platform = Platform(lambda request: an_error(423, "LOCK_ACQUISITION_TIMEOUT"))
    with pytest.raises(Refused, match="nothing was done"):
        platform.run(platform.session.send(UPDATE, KIND))


def test_a_lost_connection_is_unclear_and_an_unreachable_one_is_not_sent() -> None:
    for cause, error in ((httpx.ReadTimeout("slow"), Unclear), (httpx.ConnectError("refused"), NotSent)):

        def fail(request: httpx.Request, cause: Exception = cause) -> httpx.Response:
            raise cause

        platform = Platform(fail)
        with pytest.raises(PlatformError) as caught:
            platform.run(platform.session.send(CREATE, KIND))
        assert type(caught.value) is error
        assert len(platform.requests) == 1


def test_connecting_and_the_empty_dry_run() -> None:
    settings = ConnectionSettings("x", "x-ads", "https://ads-api.x.com", "12", auth=SECRETS)
    session = PLATFORM.connect(settings)
    assert (session.connection, session.platform) == ("x", "x-ads")
    assert asyncio.run(session.preflight(())).findings == {}
    asyncio.run(session.close())
