"""List calls: every parameter, paging, the helper reads, roles, paths and headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

MAIN = "18ce54d4x5t"


@pytest.fixture
def five(ads, world, groups):
    """Five tests `t0`..`t4`, made a minute apart, each a week long, starting a week apart."""
    ids = []
    for number in range(5):
        begin = datetime(2022, 6, 1, tzinfo=UTC) + timedelta(weeks=number)
        answer = ads.create(
            name=f"t{number}",
            start_time=begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            end_time=(begin + timedelta(weeks=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            user_groups=groups(("50", f"c{1001 + 2 * number}"), ("50", f"c{1002 + 2 * number}")),
        )
        ids.append(answer.json()["data"]["id"])
        world.advance(timedelta(minutes=1))
    return ids


def names(answer):
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "01234"),
        ("?sort_by=created_at-desc", "43210"),
        ("?sort_by=name-desc", "43210"),
        ("?sort_by=start_time-asc", "01234"),
        ("?q=T3", "3"),
        ("?q=3", ""),
        ("?status=SCHEDULED", "01234"),
        ("?status=LIVE", ""),
        ("?user_id=756201191646691328", "01234"),
        ("?user_id=1", ""),
        ("?username=apimctestface", "01234"),
        ("?username=viewer", ""),
        ("?with_deleted=false", "01234"),
        ("?live_during=2022-06-05T00%3A00%3A00Z%2C2022-06-09T00%3A00%3A00Z", "01"),
        ("?live_during=2022-06-10T02%3A00%3A00%2B02%3A00%2C2022-06-11T00%3A00%3A00Z", "1"),
        ("?live_during=2022-06-15T00%3A00%3A00Z%2C2022-06-22T00%3A00%3A00Z", "2"),
    ],
)
def test_filters(ads, five, query, wanted):
    assert names(ads.tests(query)) == [f"t{letter}" for letter in wanted]


def test_statuses_follow_the_clock(ads, world, five):
    world.move_to(datetime(2022, 6, 9, tzinfo=UTC))
    assert names(ads.tests("?status=COMPLETED")) == ["t0"]
    assert names(ads.tests("?status=LIVE")) == ["t1"]
    assert names(ads.tests("?status=SCHEDULED")) == ["t2", "t3", "t4"]


def test_by_ids(ads, five):
    ads.delete(five[0])
    query = f"?ab_test_ids={five[3]}%2Cnosuch%2C{five[0]}"
    answer = ads.tests(query)
    assert names(answer) == ["t3"]
    assert answer.json()["request"]["params"] == {
        "account_id": MAIN,
        "ab_test_ids": [five[3], "nosuch", five[0]],
    }
    assert names(ads.tests(query + "&with_deleted=true")) == ["t0", "t3"]
    assert names(ads.tests("?ab_test_ids=" + "%2C".join(f"x{number}" for number in range(200)))) == []


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("?with_total_count=true", "INVALID_PARAMETER", "with_total_count"),
        ("?page=2", "INVALID_PARAMETER", "page"),
        ("?count=0", "INVALID_PARAMETER", "count"),
        ("?count=1001", "INVALID_PARAMETER", "count"),
        ("?count=ten", "INVALID_PARAMETER", "count"),
        ("?cursor=nonsense", "INVALID_PARAMETER", "cursor"),
        ("?cursor=", "INVALID_PARAMETER", "cursor"),
        ("?q=", "INVALID_PARAMETER", "q"),
        ("?q=" + "x" * 81, "INVALID_PARAMETER", "q"),
        ("?status=RUNNING", "INVALID_PARAMETER", "status"),
        ("?sort_by=created_at", "INVALID_PARAMETER", "sort_by"),
        ("?sort_by=id-asc", "INVALID_PARAMETER", "sort_by"),
        ("?sort_by=status-asc", "INVALID_PARAMETER", "sort_by"),
        ("?user_id=me", "INVALID_PARAMETER", "user_id"),
        ("?username=%40apimctestface", "INVALID_PARAMETER", "username"),
        ("?user_id=1&username=a", "EXCLUSIVE_PARAMETERS", "username"),
        ("?with_deleted=yes", "INVALID_PARAMETER", "with_deleted"),
        ("?ab_test_ids=", "INVALID_PARAMETER", "ab_test_ids"),
        ("?ab_test_ids=a%2C%2Cb", "INVALID_PARAMETER", "ab_test_ids"),
        ("?ab_test_ids=" + "%2C".join("x" * 201), "INVALID_PARAMETER", "ab_test_ids"),
        ("?live_during=2022-06-05T00%3A00%3A00Z", "INVALID_PARAMETER", "live_during"),
        ("?live_during=2022-06-05%2C2022-06-06", "INVALID_PARAMETER", "live_during"),
        ("?live_during=2022-06-06T00%3A00%3A00Z%2C2022-06-05T00%3A00%3A00Z", "INVALID_PARAMETER", "live_during"),
        ("?ab_test_ids=a,b", "ILLEGAL_CHARACTERS", "ab_test_ids"),
        ("?live_during=2022-06-05T00:00:00Z%2C2022-06-06T00:00:00Z", "ILLEGAL_CHARACTERS", "live_during"),
        ("?q=%FF", "ILLEGAL_CHARACTERS", "q"),
        ("?count=5&count=5", "INVALID_PARAMETER", "count"),
    ],
)
def test_refused_queries(ads, refused, query, code, parameter):
    assert refused(ads.tests(query)) == [(code, parameter)]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_paging_gives_each_row_once(ads, five, groups, order):
    query = f"?count=2&sort_by=created_at-{order}"
    seen, cursor, extra = [], "", ""
    while cursor is not None:
        answer = ads.tests(f"{query}{extra}")
        seen += names(answer)
        cursor = answer.json()["next_cursor"]
        extra = f"&cursor={cursor}"
        if len(seen) == 2:
            ads.delete(five[0] if order == "asc" else five[4])
    assert seen == [f"t{n}" for n in (range(5) if order == "asc" else reversed(range(5)))]


def test_a_full_last_page_has_no_cursor(ads, five):
    assert ads.tests("?count=5").json()["next_cursor"] is None
    assert ads.tests("?count=4").json()["next_cursor"] is not None


@pytest.mark.parametrize("change", ["?count=3", "?count=2&status=SCHEDULED", "?count=2&with_deleted=true"])
def test_a_cursor_belongs_to_its_call(ads, refused, five, change):
    cursor = ads.tests("?count=2").json()["next_cursor"]
    assert refused(ads.tests(f"{change}&cursor={cursor}")) == [("INVALID_PARAMETER", "cursor")]


def test_paging_on_a_column_with_equal_and_missing_values(ads, five):
    for remote_id in five[:3]:
        ads.update({"name": None}, remote_id)
    first = ads.tests("?count=2&sort_by=name-asc").json()
    second = ads.tests(f"?count=2&sort_by=name-asc&cursor={first['next_cursor']}").json()
    assert [row["id"] for row in first["data"] + second["data"]] == five[:4]


def test_accounts_keep_apart(ads, groups):
    ads.create()
    answer = ads.create(account="acc2", user_groups=groups(("50", "d2001"), ("50", "d2002")))
    assert answer.status_code == 201
    assert [row["id"] for row in ads.tests(account="acc2").json()["data"]] == [answer.json()["data"]["id"]]
    assert len(ads.tests().json()["data"]) == 1


def test_accounts(ads):
    answer = ads.send("GET", "/12/accounts")
    assert [row["id"] for row in answer.json()["data"]] == [MAIN, "acc2"]
    assert ads.send("GET", "/12/accounts?account_ids=acc2").json()["data"][0]["id"] == "acc2"
    one = ads.send("GET", "/12/accounts/acc2").json()
    assert one["data"]["id"] == "acc2" and one["request"]["params"] == {"account_id": "acc2"}


def test_unknown_account(ads, world, refused):
    assert refused(ads.send("GET", "/12/accounts/nosuch"), 403) == [("ACCOUNT_NOT_FOUND", "account_id")]
    assert refused(ads.create(account="nosuch"), 403) == [("ACCOUNT_NOT_FOUND", "account_id")]
    del world.table("x-ads", "credentials")["emulator-tk"]["accounts"]["acc2"]
    assert refused(ads.tests(account="acc2"), 403) == [("ACCOUNT_NOT_FOUND", "account_id")]
    assert [row["id"] for row in ads.send("GET", "/12/accounts").json()["data"]] == [MAIN]


def test_roles(ads, viewer, refused):
    ads.create()
    path = f"/12/accounts/{MAIN}/authenticated_user_access"
    assert ads.send("GET", path).json()["data"] == {
        "user_id": "756201191646691328",
        "permissions": ["ACCOUNT_ADMIN"],
    }
    assert viewer.send("GET", path).json()["data"]["permissions"] == ["ANALYST"]
    assert names(viewer.tests()) == ["first AB test"]
    for answer in (viewer.create(), viewer.update({"name": "n"}), viewer.delete()):
        assert refused(answer, 403) == [("ACTION_NOT_ALLOWED", None)]


def test_campaigns_and_line_items(ads, world):
    answer = ads.send("GET", f"/12/accounts/{MAIN}/campaigns?campaign_ids=c1001%2Cd2001%2Cf2qcw")
    assert [row["id"] for row in answer.json()["data"]] == ["c1001", "f2qcw"]
    assert "start_time" not in answer.json()["data"][0]
    world.table("x-ads", "campaigns")["c1001"]["deleted"] = True
    path = f"/12/accounts/{MAIN}/campaigns?campaign_ids=c1001"
    assert ads.send("GET", path).json()["data"] == []
    assert ads.send("GET", f"{path}&with_deleted=true").json()["data"][0]["deleted"] is True

    answer = ads.send("GET", f"/12/accounts/{MAIN}/line_items?campaign_ids=c1030%2Cc1039")
    assert [(row["id"], row["objective"]) for row in answer.json()["data"]] == [
        ("l1030a", "WEBSITE_CLICKS"),
        ("l1030b", "WEBSITE_CLICKS"),
        ("l1030c", "WEBSITE_CLICKS"),
        ("l1039", "APP_INSTALLS"),
    ]
    assert (answer.json()["data"][0]["start_time"], answer.json()["data"][0]["end_time"]) == (
        "2020-01-01T00:00:00Z",
        None,
    )
    assert ads.send("GET", f"/12/accounts/{MAIN}/line_items?line_item_ids=l1001").json()["data"][0]["id"] == "l1001"


def test_drafts_are_left_out_unless_asked_for(ads, world):
    world.table("x-ads", "campaigns")["c1001"]["entity_status"] = "DRAFT"
    path = f"/12/accounts/{MAIN}/campaigns?campaign_ids=c1001"
    assert ads.send("GET", path).json()["data"] == []
    assert len(ads.send("GET", f"{path}&with_draft=true").json()["data"]) == 1


def test_total_count_where_the_endpoint_has_it(ads, refused):
    path = f"/12/accounts/{MAIN}/campaigns?count=3&with_total_count=true"
    answer = ads.send("GET", path).json()
    assert (answer["total_count"], len(answer["data"])) == (47, 3)
    answer = ads.send("GET", f"{path}&cursor={answer['next_cursor']}")
    assert refused(answer) == [("EXCLUSIVE_PARAMETERS", "with_total_count")]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/10/accounts/{MAIN}/ab_tests", 404, "ROUTE_NOT_FOUND"),
        ("GET", f"/13/accounts/{MAIN}/ab_tests", 404, "ROUTE_NOT_FOUND"),
        ("GET", f"/accounts/{MAIN}/ab_tests", 404, "ROUTE_NOT_FOUND"),
        ("PUT", f"/12/accounts/{MAIN}/hr7l0", 404, "ROUTE_NOT_FOUND"),
        ("GET", f"/12/accounts/{MAIN}/ab_tests/", 404, "ROUTE_NOT_FOUND"),
        ("POST", f"/12/batch/accounts/{MAIN}/ab_tests", 404, "ROUTE_NOT_FOUND"),
        ("GET", f"/12/accounts/{MAIN}/ab_tests/hr7l0", 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", f"/12/accounts/{MAIN}/ab_tests/hr7l0", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", f"/12/accounts/{MAIN}/ab_tests", 405, "METHOD_NOT_ALLOWED"),
        ("POST", f"/12/accounts/{MAIN}/campaigns", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_paths_that_are_not_there(ads, refused, method, path, status, code):
    assert refused(ads.send(method, path), status) == [(code, None)]


def test_headers_are_on_every_answer(ads):
    answers = [
        ads.tests(),
        ads.create(),
        ads.create(name=""),
        ads.send("GET", "/nowhere"),
        ads.http.request("GET", "http://testserver/x-ads/12/accounts"),
    ]
    for answer in answers:
        assert answer.headers["x-current-api-version"] == "12"
        assert int(answer.headers["x-rate-limit-remaining"]) >= 1
        assert int(answer.headers["x-rate-limit-reset"]) > 0
    assert [answer.headers["x-rate-limit-limit"] for answer in answers[:3]] == ["2000", "450", "450"]


def test_reads_of_all_accounts_are_counted_but_not_refused(ads):
    left = [ads.send("GET", "/12/accounts").headers["x-rate-limit-remaining"] for _ in range(7)]
    assert left[-1] == "1" and "0" not in left
