"""The session against a transport that answers as LinkedIn's pages say: what is sent, and how answers are read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stamina
from linkedin_samples import KIND, body, cell, desired, live, spec, wire

from reconciler.errors import BadAnswer, NotFound, PlatformError, Refused, Unauthorized, Unclear
from reconciler.model.change import Call, Purpose
from reconciler.model.resource import Found, Gone, Key, Unknown
from reconciler.platforms.linkedin import PLATFORM, queries
from reconciler.platforms.linkedin.client import LinkedInSession
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.session import ConnectionSettings, PreflightItem, ReadRequest, Wanted

ACCOUNT = "urn:li:sponsoredAccount:5"
KEY = Key("LinkedInExperiment", "hero")
NOT_FOUND = {"code": "EXPERIMENT_NOT_FOUND", "status": 404, "exceptionClass": "x", "message": "it doesn't exist"}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5):
        yield


class Server:
    """Answers requests in turn, or by a function; keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        status, payload, *headers = answer if isinstance(answer, tuple) else (200, answer)
        content = (
            payload if isinstance(payload, bytes) else json.dumps(payload).encode() if payload is not None else b""
        )
        return httpx.Response(status, content=content, headers=headers[0] if headers else {})

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return sum(self.slept)

    def ask(self, use: Callable[[LinkedInSession], Any], **changes: Any) -> Any:
        async def run() -> Any:
            given = {"base_url": "https://api.linkedin.com", "auth": {"access_token": "sesame-token"}, **changes}
            settings = ConnectionSettings("work", "linkedin", api_version="202609", **given)
            session = LinkedInSession(
                settings, transport=httpx.MockTransport(self), clock=Clock(monotonic=self.now, sleep=self.sleep)
            )
            try:
                return await use(session)
            finally:
                await session.close()

        return asyncio.run(run())

    def read(self, *ids: str, account: str = ACCOUNT) -> Any:
        wanted = tuple(Wanted(Key("LinkedInExperiment", f"n{number}"), number, account) for number in ids)
        return self.ask(lambda session: session.snapshot(ReadRequest(wanted=wanted))).readings

    def send(self, call: Call) -> Any:
        return self.ask(lambda session: session.send(call, KIND))


def target_of(request: httpx.Request) -> str:
    return request.url.raw_path.decode()


def page(elements: list[dict[str, Any]], **paging: Any) -> dict[str, Any]:
    return {"elements": elements, "paging": {"start": 0, "count": 100, "links": [], **paging}}


# --- batch gets ----------------------------------------------------------------------------------------------------


def test_the_sample_of_batch_get_is_read() -> None:
    server = Server(body("batch_get_answer"))
    readings = server.read("12685", "11111")
    assert isinstance(readings["12685"], Found) and readings["12685"].live.status == "ON_HOLD"
    assert readings["11111"] == Gone("LinkedIn answers EXPERIMENT_NOT_FOUND (404)")
    (request,) = server.requests
    assert target_of(request) == "/rest/adExperiments?ids=List(12685,11111)"
    assert request.headers["authorization"] == "Bearer sesame-token"
    assert request.headers["linkedin-version"] == "202609"
    assert request.headers["x-restli-protocol-version"] == "2.0.0"


def test_a_prefix_of_the_base_url_is_kept() -> None:
    server = Server({"results": {}, "errors": {}})
    wanted = (Wanted(KEY, "1", ACCOUNT),)
    server.ask(lambda s: s.snapshot(ReadRequest(wanted=wanted)), base_url="http://127.0.0.1:9/linkedin")
    assert target_of(server.requests[0]) == "/linkedin/rest/adExperiments?ids=List(1)"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "FORBIDDEN", "status": 403, "message": "User has no access"}, "FORBIDDEN: User has no access"),
        ({"status": 500, "message": "oops"}, "oops"),
        ("odd", "no reason given"),
    ],
)
def test_an_error_of_one_id_is_not_gone(error: Any, words: str) -> None:
    readings = Server({"results": {"2": wire(id=2)}, "errors": {"1": error}}).read("1", "2")
    assert isinstance(readings["1"], Unknown) and words in readings["1"].reason
    assert isinstance(readings["2"], Found)


def test_an_id_left_out_is_not_gone() -> None:
    readings = Server({"results": {"2": wire(id=2)}}).read("1", "2")
    assert isinstance(readings["1"], Unknown) and "leaves it out" in readings["1"].reason


def test_an_unreadable_result_is_unknown() -> None:
    readings = Server({"results": {"1": {"id": 1}, "2": wire(id=2)}, "errors": {}}).read("1", "2")
    assert isinstance(readings["1"], Unknown) and "lacks" in readings["1"].reason
    assert isinstance(readings["2"], Found)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"status": 500, "message": "oops"}),
        (403, {"status": 403, "code": "FORBIDDEN", "message": "no"}),
        (404, NOT_FOUND),
        (404, b"<html>not here</html>"),
        (200, b"<html>sign in</html>"),
        (200, b'{"results": {"1'),
        (200, []),
        (200, {"value": 1}),
        (401, {"status": 401, "serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN", "message": "revoked"}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("down"),
    ],
)
def test_a_batch_that_fails_leaves_everything_unknown(answer: Any) -> None:
    readings = Server(answer).read("1", "2")
    assert set(readings) == {"1", "2"}
    for reading in readings.values():
        assert isinstance(reading, Unknown) and reading.reason and "sesame" not in reading.reason


def test_batches_hold_at_most_100_ids_of_one_account() -> None:
    def answer(request: httpx.Request) -> Any:
        return {"results": {}, "errors": {}}

    server = Server(answer)
    wanted = [Wanted(KEY, str(number), ACCOUNT) for number in range(1, 251)]
    wanted += [Wanted(KEY, "900", "urn:li:sponsoredAccount:6"), Wanted(KEY, "1", ACCOUNT)]
    snapshot = server.ask(lambda session: session.snapshot(ReadRequest(wanted=tuple(wanted))))
    sizes = sorted(len(target_of(request).split(",")) for request in server.requests)
    assert sizes == [1, 50, 100, 100]
    assert len(snapshot.readings) == 251


def test_ids_that_cannot_be_read_together_are_read_one_by_one() -> None:
    mixed = (422, {"code": "BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT", "status": 422})
    server = Server(mixed, wire(id=1), (404, NOT_FOUND))
    readings = server.read("1", "2", account="")
    assert isinstance(readings["1"], Found) and isinstance(readings["2"], Gone)
    assert [target_of(request) for request in server.requests[1:]] == ["/rest/adExperiments/1", "/rest/adExperiments/2"]


def test_an_id_of_another_account_in_a_batch_is_read_alone() -> None:
    other = {"code": "BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT", "status": 422}
    readings = Server({"results": {"1": wire(id=1)}, "errors": {"2": other}}, wire(id=2)).read("1", "2")
    assert isinstance(readings["2"], Found)


def test_what_is_no_id_is_not_asked_for() -> None:
    server = Server({"results": {"1": wire(id=1)}, "errors": {}})
    readings = server.read("1", "1)&x=(")
    assert isinstance(readings["1"], Found)
    assert isinstance(readings["1)&x=("], Unknown) and "numbers" in readings["1)&x=("].reason
    assert len(server.requests) == 1


def test_a_read_is_repeated_after_a_5xx() -> None:
    server = Server((503, {"status": 503}), {"results": {"1": wire(id=1)}, "errors": {}})
    assert isinstance(server.read("1")["1"], Found)
    assert len(server.requests) == 2


# --- searching -----------------------------------------------------------------------------------------------------


def test_what_is_sought_is_searched_by_campaign_and_account() -> None:
    stranger = wire(id=9, cells=[cell("a", 7), cell("b", 8)])
    server = Server(page([wire(id=12), wire(id=11), stranger], total=3))
    snapshot = server.ask(lambda s: s.snapshot(ReadRequest(seek=(desired(), desired("other")))))
    assert [found.remote_id for found in snapshot.others] == ["11", "12"]
    assert snapshot.failures == () and snapshot.readings == {}
    (request,) = server.requests
    assert target_of(request) == (
        "/rest/adExperiments?q=search&search=(accountCriteria:(values:List(urn%3Ali%3AsponsoredAccount%3A5)),"
        "campaignCriteria:(values:List(urn%3Ali%3AsponsoredCampaign%3A1,urn%3Ali%3AsponsoredCampaign%3A2)))"
        "&sort=List((field:ID))&start=0&count=100"
    )


def test_each_account_is_searched_for_itself() -> None:
    server = Server(page([], total=0))
    server.ask(lambda s: s.snapshot(ReadRequest(seek=(desired(), desired("b", account=6)))))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer", [(500, {"status": 500}), (200, {"elements": 5}), (403, {"status": 403}), (200, b"<a>")]
)
def test_a_search_that_fails_says_so(answer: Any) -> None:
    snapshot = Server(answer).ask(lambda s: s.snapshot(ReadRequest(seek=(desired(),))))
    (failure,) = snapshot.failures
    assert failure.startswith(f"work: experiments of {ACCOUNT} could not be searched")


def test_queries_stay_below_four_kilobytes() -> None:
    campaigns = [f"urn:li:sponsoredCampaign:{number}" for number in range(10**9, 10**9 + 500)]
    chunks = list(queries.campaign_criteria(ACCOUNT, campaigns))
    assert [item for chunk in chunks for item in chunk["campaignCriteria"]] == campaigns
    assert 1 < len(chunks) < 10
    assert all(len(queries.search(chunk, start=9999)) <= 4000 for chunk in chunks)


def listed(server: Server, account: str = "5") -> list[str]:
    async def collect(session: LinkedInSession) -> list[str]:
        return [found.remote_id async for found in session.listing(account)]

    return server.ask(collect)


def test_the_sample_of_the_finder_is_listed() -> None:
    server = Server(body("find_answer"))
    assert listed(server) == ["11113", "11103"]
    assert "accountCriteria:(values:List(urn%3Ali%3AsponsoredAccount%3A5))" in target_of(server.requests[0])


def starts(server: Server) -> list[str]:
    return [dict(request.url.params).get("start", "-") for request in server.requests]


def paged(count: int, *, cap: int = 100, total: bool = True) -> Callable[[httpx.Request], Any]:
    """A finder of `count` experiments that gives at most `cap` a page."""

    def answer(request: httpx.Request) -> Any:
        start = int(request.url.params["start"])
        elements = [wire(id=number) for number in range(start + 1, min(start + cap, count) + 1)]
        more = {"total": count} if total else {}
        return page(elements, start=start, count=cap, **more)

    return answer


@pytest.mark.parametrize(
    ("count", "how", "expected"),
    [
        (0, {}, ["0"]),
        (99, {}, ["0"]),
        (100, {}, ["0"]),
        (131, {}, ["0", "99"]),
        (199, {}, ["0", "99"]),
        (200, {}, ["0", "99", "198"]),
        (131, {"total": False}, ["0", "99"]),
        (199, {"total": False}, ["0", "99", "198"]),
        (25, {"cap": 10}, ["0", "9", "18"]),
        (25, {"cap": 10, "total": False}, ["0", "9", "18"]),
    ],
)
def test_every_page_is_read_and_no_more(count: int, how: dict[str, Any], expected: list[str]) -> None:
    server = Server(paged(count, **how))
    assert listed(server) == [str(number) for number in range(1, count + 1)]
    assert starts(server) == expected


class Changing:
    """A finder of experiments 1 to `count`, some of which go away (or come) before a page of that number is given."""

    def __init__(self, count: int, changes: dict[int, tuple[set[int], set[int]]], *, total: bool = True) -> None:
        self.ids, self.changes, self.total, self.given = set(range(1, count + 1)), changes, total, 0

    def __call__(self, request: httpx.Request) -> Any:
        gone, come = self.changes.get(self.given, (set(), set()))
        self.ids = self.ids - gone | come
        self.given += 1
        start, now = int(request.url.params["start"]), sorted(self.ids)
        more = {"total": len(now)} if self.total else {}
        return page([wire(id=number) for number in now[start : start + 100]], start=start, **more)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(
    ("gone", "come"),
    [
        ({5}, set()),
        ({100}, set()),
        ({99, 100}, set()),
        ({101}, set()),
        (set(range(1, 60)), set()),
        ({5}, {400}),
        (set(), {400}),
        (set(range(101, 251)), set()),
        (set(range(1, 101)), set()),
    ],
)
@pytest.mark.parametrize("before", [1, 2])
def test_a_page_that_changes_while_it_is_paged_hides_nothing(
    before: int, gone: set[int], come: set[int], total: bool
) -> None:
    """Whatever was there all the time is listed once, however the offsets shift below."""
    server = Server(Changing(250, {before: (gone, come)}, total=total))
    found = listed(server)
    assert len(found) == len(set(found))
    assert set(found) >= {str(number) for number in set(range(1, 251)) - gone}
    assert len(server.requests) <= 8


def test_a_list_that_never_stands_still_is_not_believed() -> None:
    """It raises; a search that is part of a plan makes the plan incomplete then."""
    changes = {number: ({number}, {1000 + number}) for number in range(1, 50)}
    server = Server(Changing(250, changes))
    with pytest.raises(BadAnswer, match="changed each time"):
        listed(server)
    server = Server(Changing(250, changes))
    (failure,) = server.ask(lambda s: s.snapshot(ReadRequest(seek=(desired(),)))).failures
    assert "could not be searched" in failure and "changed each time" in failure


def test_a_finder_that_does_not_heed_the_start_is_not_believed() -> None:
    server = Server(page([wire(id=number) for number in range(1, 101)]))
    with pytest.raises(BadAnswer, match="changed each time"):
        listed(server)
    assert len(server.requests) == 10


def test_an_empty_page_before_the_total_is_the_end() -> None:
    server = Server(page([wire(id=1)], total=50), page([], total=50))
    assert listed(server) == ["1"]
    assert len(server.requests) == 2


def test_a_cursor_is_followed_where_there_is_one() -> None:
    first = {"elements": [wire(id=1)], "metadata": {"nextPageToken": "next(1)"}}
    server = Server(first, {"elements": [wire(id=2)], "metadata": {}})
    assert listed(server) == ["1", "2"]
    assert "pageToken=next%281%29" in target_of(server.requests[1])


def test_a_listing_that_fails_raises() -> None:
    with pytest.raises(Unauthorized, match="rw_ads"):
        listed(Server((403, {"status": 403, "code": "FORBIDDEN", "message": "User has no access."})))
    with pytest.raises(BadAnswer, match="does not name an ad account"):
        listed(Server(page([])), "abc")


# --- the dry run ---------------------------------------------------------------------------------------------------


def check(server: Server, *items: PreflightItem) -> Any:
    return server.ask(lambda session: session.preflight(items))


def test_the_sample_of_the_dry_run_is_read() -> None:
    server = Server(body("validate_answer"))
    preflight = check(server, PreflightItem(KEY, spec(), None))
    (finding,) = preflight.findings[KEY]
    assert (finding.code, finding.is_error, finding.entity) == (
        "CAMPAIGN_STARTS_TOO_EARLY",
        False,
        "campaign urn:li:sponsoredCampaign:12345",
    )
    assert finding.message == "The campaign is scheduled to run before the experiment scheduled start time."
    (request,) = server.requests
    assert (request.method, target_of(request)) == ("POST", "/rest/adExperiments?action=validateExperimentSetup")
    sent = json.loads(request.content)["adExperiment"]
    assert "id" not in sent and sent["userIntendedState"] == "ACTIVE"
    assert sent.keys() <= body("validate_request")["adExperiment"].keys() | {"description"}


def test_a_stored_experiment_is_sent_whole_with_its_id() -> None:
    server = Server({"value": {"items": []}})
    now = live(description="memo")
    assert check(server, PreflightItem(KEY, {**now.spec, "confidence": 95}, now)).findings == {KEY: ()}
    sent = json.loads(server.requests[0].content)["adExperiment"]
    assert (sent["id"], sent["confidence"], sent["description"]) == (40001, 95, "memo")
    assert not {"executionState", "created", "lastModified", "endedAt", "terminationReason"} & sent.keys()


@pytest.mark.parametrize(
    ("item", "is_error"),
    [
        ({"code": "INVALID_SCHEDULE", "level": "ERROR"}, True),
        ({"code": "AB_TEST_PAUSED", "level": "WARN"}, False),
        ({"code": "AB_TEST_PAUSED", "level": "WARNING"}, False),
        ({"code": "BRAND_NEW", "level": "ERROR"}, True),
        ({"code": "BRAND_NEW", "level": "WARNING"}, False),
        ({"code": "INVALID_SCHEDULE"}, True),
        ({"code": "AB_TEST_PAUSED"}, False),
        ({"code": "BRAND_NEW"}, True),
        ({"code": "BRAND_NEW", "level": "INFO"}, False),
    ],
)
def test_levels(item: dict[str, Any], is_error: bool) -> None:
    preflight = check(Server({"value": {"items": [item]}}), PreflightItem(KEY, spec(), None))
    assert [finding.is_error for finding in preflight.findings[KEY]] == [is_error]


@pytest.mark.parametrize(
    ("entity", "shown"),
    [
        ("urn:li:sponsoredCampaign:7", "campaign urn:li:sponsoredCampaign:7"),
        ({"campaign": "urn:li:sponsoredCampaign:7"}, "campaign urn:li:sponsoredCampaign:7"),
        ({"account": "urn:li:sponsoredAccount:5"}, "account urn:li:sponsoredAccount:5"),
        ("urn:li:sponsoredAccount:5", "account urn:li:sponsoredAccount:5"),
        (None, ""),
    ],
)
def test_what_a_finding_is_about(entity: Any, shown: str) -> None:
    item = {"code": "X", "level": "ERROR", "detail": {"associatedEntity": entity}}
    preflight = check(Server({"value": {"items": [item]}}), PreflightItem(KEY, spec(), None))
    assert preflight.findings[KEY][0].entity == shown


def test_a_missing_role_is_one_warning() -> None:
    server = Server((403, {"status": 403, "code": "FORBIDDEN", "message": "no"}))
    items = [PreflightItem(Key("LinkedInExperiment", name), spec(), None) for name in ("a", "b")]
    preflight = check(server, *items)
    assert preflight.findings == {}
    ((sentence, keys),) = preflight.refused.items()
    assert keys == tuple(item.key for item in items) and preflight.warnings == ()
    assert "403" in sentence and "{names}" in sentence and "rw_ads" in sentence


@pytest.mark.parametrize(
    "answer", [(500, {"status": 500}), (200, {"items": []}), (200, b"<html>"), (400, {"status": 400})]
)
def test_a_dry_run_that_fails_is_a_warning(answer: Any) -> None:
    preflight = check(Server(answer), PreflightItem(KEY, spec(), None))
    assert preflight.findings == {}
    (warning,) = preflight.warnings
    assert warning.startswith("LinkedInExperiment/hero: LinkedIn's own check could not be asked")


def test_few_dry_runs_at_once() -> None:
    running, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
            return httpx.Response(200, json={"value": {"items": []}})

    async def run() -> int:
        settings = ConnectionSettings(
            "work", "linkedin", "https://x.example", "202609", auth={"access_token": "t-o-k-e-n"}
        )
        session = LinkedInSession(settings, transport=Slow())
        items = [PreflightItem(Key("LinkedInExperiment", f"n{number}"), spec(), None) for number in range(9)]
        answers = await session.preflight(items)
        await session.close()
        return len(answers.findings)

    assert asyncio.run(run()) == 9
    assert most == 3


# --- sending -------------------------------------------------------------------------------------------------------

(CREATE,) = KIND.create_calls(spec())
(DELETE,) = KIND.end_calls(live())
(CANCEL,) = KIND.end_calls(live(executionState="RUNNING"))


def test_a_create_is_sent_once_and_gives_the_entity() -> None:
    server = Server((201, wire(), {"X-RestLi-Id": "40001"}))
    answer = server.send(CREATE)
    assert answer.remote_id == "40001" and answer.live is not None and answer.live.status == "PENDING"
    (request,) = server.requests
    assert (request.method, target_of(request)) == ("POST", "/rest/adExperiments")
    assert json.loads(request.content) == CREATE.body
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("payload", "headers", "expected"),
    [
        ({"id": 7}, {"X-RestLi-Id": "8"}, "7"),
        (None, {"X-RestLi-Id": "8", "Location": "/adExperiments/9"}, "8"),
        (None, {"Location": "/rest/adExperiments/9"}, "9"),
        (b"created", {"X-RestLi-Id": "8"}, "8"),
    ],
)
def test_the_id_of_a_create_is_found_where_it_stands(payload: Any, headers: dict[str, str], expected: str) -> None:
    answer = Server((201, payload, headers)).send(CREATE)
    assert (answer.remote_id, answer.live) == (expected, None)


def test_a_create_whose_answer_names_no_id_is_unclear() -> None:
    with pytest.raises(Unclear, match="does not name its id"):
        Server((201, None)).send(CREATE)


def test_an_update_is_sent_with_its_method() -> None:
    server = Server((204, None))
    assert server.send(CANCEL).remote_id == ""
    (request,) = server.requests
    assert (request.method, target_of(request)) == ("POST", "/rest/adExperiments/40001")
    assert request.headers["x-restli-method"] == "partial_update"
    assert json.loads(request.content) == {"patch": {"$set": {"userIntendedState": "CANCELED"}}}


@pytest.mark.parametrize("answer", [(204, None), (200, wire()), (202, b"")])
def test_any_success_is_a_success(answer: Any) -> None:
    assert Server(answer).send(DELETE).live is None


def refused(answer: Any, call: Call = CREATE) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        Server(answer).send(call)
    assert caught.value.connection == "work"
    assert "sesame" not in str(caught.value)
    return caught.value


def test_the_sample_of_several_failures_is_told_whole() -> None:
    error = refused((422, body("multiple_failures"), {"x-li-uuid": "u-1"}))
    assert type(error) is Refused and (error.status, error.code) == (422, "MULTIPLE_VALIDATIONS_FAILED")
    assert error.request_id == "u-1"
    assert (
        "INVALID_START_TIME: Scheduled start time is not valid. (scheduledStartAt = -156111971530); "
        "INVALID_END_TIME: Scheduled end time is not valid. (scheduledEndAt = 156211978530); "
        "INVALID_SCHEDULE: Experiment's schedule is not valid."
    ) in str(error)


def test_one_failure_is_told_with_its_field_and_entity() -> None:
    detail = {
        "associatedEntity": {"campaign": "urn:li:sponsoredCampaign:1"},
        "pathErrors": [{"input": {"inputPath": {"fieldPath": "/cells/0/reference/campaign"}}}],
    }
    error = refused(
        (409, {"code": "CAMPAIGN_ALREADY_SCHEDULED", "status": 409, "message": "Taken.", "errorDetails": detail})
    )
    assert type(error) is Refused and (error.status, error.code) == (409, "CAMPAIGN_ALREADY_SCHEDULED")
    assert "Taken. (cells[0].reference.campaign, campaign urn:li:sponsoredCampaign:1)" in str(error)


@pytest.mark.parametrize(
    ("answer", "call", "kind", "code", "words"),
    [
        (
            (409, {"code": "WRITE_CONFLICT", "status": 409, "message": "changed"}),
            CANCEL,
            Refused,
            "WRITE_CONFLICT",
            "changed",
        ),
        ((404, NOT_FOUND), CANCEL, NotFound, "EXPERIMENT_NOT_FOUND", "doesn't exist"),
        ((404, NOT_FOUND), DELETE, NotFound, "EXPERIMENT_NOT_FOUND", "doesn't exist"),
        (
            (404, {"status": 404}, {"X-RestLi-Error-Response": "true"}),
            DELETE,
            NotFound,
            "EXPERIMENT_NOT_FOUND",
            "no reason",
        ),
        (
            (404, {"status": 404, "code": "RESOURCE_NOT_FOUND"}),
            DELETE,
            Refused,
            "RESOURCE_NOT_FOUND",
            "RESOURCE_NOT_FOUND",
        ),
        ((404, b"<html>nothing here</html>"), DELETE, Refused, "", "nothing here"),
        (
            (405, {"code": "DELETION_NOT_ALLOWED", "status": 405}),
            DELETE,
            Refused,
            "DELETION_NOT_ALLOWED",
            "only a PENDING",
        ),
        ((400, {"status": 400, "message": "running"}), DELETE, Refused, "DELETION_NOT_ALLOWED", "only a PENDING"),
        (
            (400, {"status": 400, "message": "Parameter 'x' is invalid"}),
            CREATE,
            Refused,
            "",
            "Parameter 'x' is invalid",
        ),
        (
            (403, {"code": "FORBIDDEN", "status": 403, "message": "No."}),
            CREATE,
            Unauthorized,
            "FORBIDDEN",
            "CAMPAIGN_MANAGER",
        ),
        (
            (401, {"status": 401, "serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN", "message": "revoked"}),
            CREATE,
            Unauthorized,
            None,
            "revoked",
        ),
        (
            (
                426,
                {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 20240901 is not active"},
            ),
            CREATE,
            Refused,
            "NONEXISTENT_VERSION",
            "202609.*connections.work.api_version.*20240901 is not active",
        ),
        ((422, {"status": 422, "serviceErrorCode": 100, "message": "hm"}), CREATE, Refused, "100", "hm"),
        (
            (422, {"code": "INVALID_KEY_METRIC", "errorDetails": {"details": []}}),
            CREATE,
            Refused,
            "INVALID_KEY_METRIC",
            "KEY",
        ),
        ((422, b"[1]"), CREATE, Refused, "", "1"),
        ((500, {"status": 500, "message": "oops"}), CREATE, Unclear, None, "not known"),
        ((408, {"status": 408}), CREATE, Unclear, None, "not known"),
    ],
)
def test_what_a_no_means(answer: Any, call: Call, kind: type[PlatformError], code: str | None, words: str) -> None:
    server = Server(answer)
    with pytest.raises(PlatformError, match=words) as caught:
        server.send(call)
    assert type(caught.value) is kind
    assert code is None or caught.value.code == code
    assert len(server.requests) == 1


def test_a_throttled_write_waits_and_goes_out_again() -> None:
    throttled = (429, {"status": 429, "serviceErrorCode": 101, "message": "throttle limit"}, {"Retry-After": "2"})
    server = Server(throttled, (201, wire()))
    assert server.send(CREATE).remote_id == "40001"
    assert sum(server.slept) >= 1.9


def test_a_query_of_a_call_is_encoded() -> None:
    server = Server((204, None))
    server.send(Call("POST", "/rest/adExperiments/1", Purpose.UPDATE, query={"x": "a,b:c"}, body={}))
    assert target_of(server.requests[0]) == "/rest/adExperiments/1?x=a%2Cb%3Ac"


# --- settling ------------------------------------------------------------------------------------------------------


def settle(server: Server) -> Any:
    return server.ask(lambda session: session.settle(KIND, Wanted(KEY, "40001", ACCOUNT)))


def test_one_experiment_is_read_by_its_id() -> None:
    server = Server(wire())
    assert settle(server) == Found(live())
    assert target_of(server.requests[0]) == "/rest/adExperiments/40001"


def test_a_cancelled_experiment_is_waited_for() -> None:
    server = Server(
        wire(userIntendedState="CANCELED", executionState="RUNNING"),
        wire(userIntendedState="CANCELED", executionState="ENDED"),
    )
    assert settle(server).live.over
    assert server.slept == [1.0]


def test_waiting_for_a_cancelled_experiment_comes_to_an_end() -> None:
    server = Server(wire(userIntendedState="CANCELED", executionState="RUNNING"))
    assert settle(server).live.status == "RUNNING"
    assert server.slept == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((404, NOT_FOUND), Gone),
        ((404, b"<html>"), Unknown),
        ((404, {"status": 404, "code": "RESOURCE_NOT_FOUND"}), Unknown),
        ((403, {"status": 403}), Unknown),
        ((500, {}), Unknown),
        ((200, {"id": 1}), Unknown),
        (httpx.ReadTimeout("slow"), Unknown),
    ],
)
def test_only_the_code_proves_that_it_is_gone(answer: Any, kind: type) -> None:
    assert isinstance(settle(Server(answer)), kind)


def test_the_platform_connects_without_sending() -> None:
    settings = ConnectionSettings("work", "linkedin", "https://x.example", "202609", auth={"access_token": "t-o-k-e-n"})
    session = PLATFORM.connect(settings)
    assert (session.connection, session.platform) == ("work", "linkedin")
    asyncio.run(session.close())
