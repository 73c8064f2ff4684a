"""What is kept of an earlier run: when it may be, when it is given, and how the file is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.model.resource import Found, Key, Record
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.redact import Redactor
from reconciler.platforms.response import Response
from reconciler.platforms.salesforce.client import SalesforceSession
from reconciler.platforms.salesforce.kept import Kept, Refresh, Row, at_rest, moment_of, record_digest, rows_of
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings, ReadRequest, Wanted

BODY = Callable[..., Any]
ID = "1GaSB00000Cojr30AB"
ROW = Row("Created", "Active", "2026-11-25T08:00:00.000+0000")
LATER = datetime(2026, 11, 25, 9, tzinfo=UTC)
TOKEN = "00Dsecrettoken"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def settings(tmp_path: Path, **more: Any) -> ConnectionSettings:
    given: dict[str, Any] = {
        "base_url": "https://example.my.salesforce.com",
        "api_version": "65.0",
        "auth": {"access_token": TOKEN},
        "max_wait_s": 0,
        "cache_dir": str(tmp_path),
        "incremental": True,
    }
    return ConnectionSettings("crm", "salesforce", **{**given, **more})


def place(tmp_path: Path, **more: Any) -> Kept:
    made = Kept.of_connection(settings(tmp_path, **more), "65.0", {})
    assert made is not None
    return made


@pytest.fixture
def answer(body: BODY) -> Response:
    shown = body("updated", id=ID, state="Created", status="Active")
    return Response(200, {}, json.dumps(shown).encode(), redact=Redactor(["canary"]))


def refreshed(kept: Kept, row: Row | None = ROW, at: datetime | None = LATER, **records: Record) -> Refresh:
    return Refresh(kept, {ID: row} if row is not None else {}, at, records)


def keep(kept: Kept, answer: Response, row: Row = ROW, at: datetime | None = LATER, **records: Record) -> None:
    refresh = refreshed(kept, row, at, **records)
    refresh.keep(ID, KIND.from_wire(answer.json()), answer)
    refresh.save()


def record(**more: Any) -> Record:
    return Record(Key("SalesforceExperiment", "a"), "salesforce", "crm", ID, {"label": "A"}, **more)


@pytest.mark.parametrize(
    ("row", "at", "rests"),
    [
        pytest.param(ROW, LATER, True, id="long-ago"),
        pytest.param(ROW, LATER - timedelta(minutes=59, seconds=30), False, id="a-second-change-may-not-show"),
        pytest.param(ROW, LATER - timedelta(hours=3), False, id="a-change-to-come"),
        pytest.param(ROW, None, False, id="no-time-told"),
        pytest.param(ROW._replace(status="Processing"), LATER, False, id="busy"),
        pytest.param(ROW._replace(status="Deleting"), LATER, False, id="being-deleted"),
        pytest.param(ROW._replace(status="EditError"), LATER, False, id="failed"),
        pytest.param(ROW._replace(modified="yesterday"), LATER, False, id="no-date"),
        pytest.param(ROW._replace(modified="2026-11-25T08:00:00"), LATER, False, id="no-zone"),
    ],
)
def test_what_may_be_kept(row: Row, at: datetime | None, rests: bool) -> None:
    assert at_rest(row, at) is rests


def test_the_platform_s_own_time() -> None:
    assert moment_of({"date": "Wed, 25 Nov 2026 09:00:00 GMT"}) == LATER
    assert moment_of({}) is None and moment_of({"date": "soon"}) is None


def test_rows_without_a_value_are_none() -> None:
    whole = {"Id": ID, "State": "Created", "Status": "Active", "LastModifiedDate": ROW.modified}
    assert rows_of([whole, {**whole, "Id": "b", "Status": None}]) == {ID: ROW}


def test_it_is_given_again(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer)
    assert refreshed(kept).again(ID) == Found(KIND.from_wire(answer.json()))


@pytest.mark.parametrize(
    "row",
    [
        None,
        ROW._replace(state="Started"),
        ROW._replace(status="Processing"),
        ROW._replace(modified="2026-11-25T08:00:01.000+0000"),
        ROW._replace(modified="2026-11-25T07:59:59.000+0000"),
    ],
)
def test_any_difference_is_read(tmp_path: Path, answer: Response, row: Row | None) -> None:
    kept = place(tmp_path)
    keep(kept, answer)
    refresh = refreshed(kept, row)
    assert refresh.again(ID) is None
    refresh.save()
    assert kept.read() == {}, "an answer that was of no use is not kept on"


def test_another_record_is_read(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer, **{ID: record()})
    assert refreshed(kept, **{ID: record()}).again(ID) is not None
    assert refreshed(kept, **{ID: record(inflight="plan-1")}).again(ID) is None
    assert refreshed(kept).again(ID) is None and record_digest(None) == ""


def test_what_differs_from_its_row_is_not_kept(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer, ROW._replace(state="Started"))
    assert kept.read() == {}


def test_an_answer_with_a_secret_is_not_kept(tmp_path: Path, body: BODY) -> None:
    kept = place(tmp_path)
    shown = body("updated", id=ID, state="Created", status="Active", description="a canary")
    keep(kept, Response(200, {}, json.dumps(shown).encode(), redact=Redactor(["canary"])))
    assert kept.read() == {}


def test_what_nobody_asks_for_is_dropped(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer)
    for days, there in ((20, True), (45, True)):
        refresh = refreshed(kept, at=LATER + timedelta(days=days))
        assert (refresh.again(ID) is not None) is there
        refresh.save()
    (entry,) = kept.read().values()
    kept.write({"other": entry._replace(day=entry.day - 31), ID: entry._replace(day=entry.day - 1)})
    refresh = refreshed(kept, at=LATER + timedelta(days=45))
    refresh.again(ID)
    refresh.save()
    assert list(kept.read()) == [ID]


def test_what_was_met_as_something_else_is_dropped(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer)
    kept.met(ID, answer)
    kept.close()
    assert kept.read()
    kept.met(ID)
    kept.close()
    assert kept.read() == {}


def test_every_way_in_has_a_file_of_its_own(tmp_path: Path) -> None:
    secrets = {"client_id": "a", "client_secret": "b"}
    ways: list[dict[str, Any]] = [
        {},
        {"base_url": "https://other.my.salesforce.com"},
        {"auth": {"access_token": "another"}},
        {"auth": secrets},
        {"auth": {**secrets, "client_id": "c"}},
    ]
    names = {place(tmp_path, **way).path.name for way in ways}
    assert len(names) == len(ways) and not any(TOKEN in name for name in names)
    assert place(tmp_path, auth={**secrets, "client_secret": "rotated"}).path == place(tmp_path, auth=secrets).path
    assert Kept.of_connection(settings(tmp_path, incremental=False), "65.0", {}) is None
    assert Kept.of_connection(settings(tmp_path, cache_dir=None), "65.0", {}) is None


def test_another_version_s_file_is_none(tmp_path: Path, answer: Response) -> None:
    kept = place(tmp_path)
    keep(kept, answer)
    assert kept.read()
    assert Kept(kept.path, "another").read() == {}
    content = json.loads(kept.path.read_text())
    for entries in ({ID: []}, {ID: [1, 2, 3, 4, 5, 6]}, [], {ID: None}):
        kept.path.write_text(json.dumps({**content, "entries": entries}))
        assert kept.read() == {}
    kept.path.unlink()
    kept.path.mkdir()
    assert kept.read() == {}
    kept.write({})  # which cannot be, and is no error


@pytest.mark.anyio
@pytest.mark.parametrize("asked", [True, False])
async def test_only_what_may_be_is_taken(tmp_path: Path, body: BODY, asked: bool) -> None:
    """A request that does not allow it is answered by reads, whatever is kept."""
    ids = [f"1GaSB00000Cojr{n:02}AB" for n in range(10)]
    sent: list[str] = []

    def org(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path.rsplit("/", 1)[-1])
        if sent[-1] != "query":
            return httpx.Response(200, json=body("updated", id=sent[-1], state="Created", status="Active"))
        names = ("State", "Status", "LastModifiedDate")
        rows = [{"Id": one, **dict(zip(names, ROW, strict=True))} for one in ids]
        headers = {"Date": "Wed, 25 Nov 2026 09:00:00 GMT"}
        return httpx.Response(200, headers=headers, json={"totalSize": 10, "done": True, "records": rows})

    async def plan(unless_changed: bool) -> int:
        session = SalesforceSession.open(settings(tmp_path), transport=httpx.MockTransport(org), clock=Clock())
        wanted = tuple(Wanted(Key("SalesforceExperiment", one), one) for one in ids)
        found = (await session.snapshot(ReadRequest(wanted, unless_changed=unless_changed))).readings
        await session.close()
        assert [reading.live.remote_id for reading in found.values() if isinstance(reading, Found)] == ids
        count = len(sent)
        sent.clear()
        return count

    assert await plan(True) == 11
    assert await plan(asked) == (1 if asked else 10)
    assert await plan(True) == 1
