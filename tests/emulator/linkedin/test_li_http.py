"""Headers, tokens, roles, encodings, the finder and the reads of campaigns: what a client must get right."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from reconciler.emulator.linkedin import restli
from reconciler.emulator.linkedin.seeds import token

VIEWER = {"Authorization": "Bearer emulator-linkedin-viewer"}


class TestHeaders:
    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({"Authorization": None}, 401, "EMPTY_ACCESS_TOKEN"),
            ({"Authorization": "Bearer nonsense"}, 401, "INVALID_ACCESS_TOKEN"),
            ({"Authorization": "Basic abc"}, 401, "EMPTY_ACCESS_TOKEN"),
            ({"Authorization": "Bearer emulator-client"}, 401, "INVALID_ACCESS_TOKEN"),
            ({"LinkedIn-Version": None}, 400, "VERSION_MISSING"),
            ({"LinkedIn-Version": "2026-09"}, 400, "VERSION_INVALID"),
            ({"LinkedIn-Version": "202613"}, 400, "VERSION_INVALID"),
            ({"LinkedIn-Version": "202409"}, 426, "NONEXISTENT_VERSION"),
            ({"LinkedIn-Version": "203001"}, 426, "NONEXISTENT_VERSION"),
            ({"X-RestLi-Protocol-Version": None}, 400, "ILLEGAL_ARGUMENT"),
            ({"X-RestLi-Protocol-Version": "1.0.0"}, 400, "ILLEGAL_ARGUMENT"),
        ],
    )
    def test_refusals(self, api: Any, headers: dict[str, str | None], status: int, code: str) -> None:
        answer = api.get("/rest/adExperiments/1", headers=headers)
        assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)

    def test_words_of_a_sunset_version(self, api: Any) -> None:
        answer = api.get("/rest/adExperiments/1", headers={"LinkedIn-Version": "202409"})
        assert answer.json()["message"] == "Requested version 20240901 is not active"

    @pytest.mark.parametrize("version", ["202602", "202611", "202609.01"])
    def test_versions_in_the_window(self, api: Any, version: str) -> None:
        assert api.get("/rest/adExperiments/1", headers={"LinkedIn-Version": version}).status_code == 404

    def test_method_header_has_to_fit(self, api: Any) -> None:
        number = api.created()
        path = f"/rest/adExperiments/{number}"
        assert api.get(path, headers={"X-RestLi-Method": "GET"}).status_code == 200
        assert api.get(path, headers={"X-RestLi-Method": "batch_get"}).status_code == 400

    def test_bodies_are_json(self, api: Any) -> None:
        url = api.server.base_url("linkedin") + "/rest/adExperiments"
        headers = {**api.session.headers, "Authorization": "Bearer emulator-linkedin-token"}
        headers |= {"LinkedIn-Version": "202609", "X-RestLi-Protocol-Version": "2.0.0"}

        def post(data: str, kind: str) -> int:
            return requests.post(url, data=data, headers={**headers, "Content-Type": kind}, timeout=10).status_code

        assert post("{}", "text/plain") == 415
        assert post("{", "application/json") == 400
        assert post("[]", "application/json") == 400
        assert post('{"name": "a", "name": "b"}', "application/json") == 400
        assert post('{"confidence": NaN}', "application/json") == 400
        assert post("{}", "application/json; charset=utf-8") == 422

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/rest/nothing", 404),
            ("GET", "/v2/adExperiments/1", 404),
            ("PUT", "/rest/adExperiments/1", 405),
            ("DELETE", "/rest/adExperiments?ids=List(1)", 405),
            ("GET", "/rest/adExperiments", 400),
            ("GET", "/rest/adExperiments/abc", 400),
            ("GET", "/rest/adExperiments/01", 400),
            ("POST", "/rest/adExperiments?action=other", 400),
            ("GET", "/rest/adExperiments/1/cells", 405),
        ],
    )
    def test_paths(self, api: Any, method: str, path: str, status: int) -> None:
        assert api.call(method, path).status_code == status


class TestRoles:
    def test_a_viewer_reads(self, api: Any) -> None:
        number = api.created()
        assert api.get(f"/rest/adExperiments/{number}", headers=VIEWER).status_code == 200
        assert api.get(f"/rest/adExperiments?ids=List({number})", headers=VIEWER).json()["results"]
        assert api.get("/rest/adAccounts/123/adCampaigns/1001", headers=VIEWER).status_code == 200

    def test_a_viewer_writes_nothing_and_does_not_validate(self, api: Any) -> None:
        number = api.created()
        path = f"/rest/adExperiments/{number}"
        patch = {**VIEWER, "X-RestLi-Method": "partial_update"}
        answers = [
            api.call("POST", "/rest/adExperiments", api.body(), VIEWER),
            api.call("POST", path, {"patch": {"$set": {"name": "b"}}}, patch),
            api.call("DELETE", path, headers=VIEWER),
            api.validate(api.body(), headers=VIEWER),
        ]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [(403, "FORBIDDEN")] * 4

    def test_an_account_without_a_role_is_closed(self, api: Any) -> None:
        number = api.created()
        table = api.world.table("linkedin", "credentials")
        table["other"] = token("CAMPAIGN_MANAGER", ["rw_ads"], [500000001])
        headers = {"Authorization": "Bearer other"}
        assert api.get(f"/rest/adExperiments/{number}", headers=headers).status_code == 403
        batch = api.get(f"/rest/adExperiments?ids=List({number})", headers=headers)
        assert batch.json()["errors"][str(number)]["code"] == "FORBIDDEN"
        found = api.get("/rest/adExperiments?q=search&search=()", headers=headers)
        assert found.json()["elements"] == []
        assert api.call("POST", "/rest/adExperiments", api.body(), headers).status_code == 403

    def test_write_needs_the_write_scope(self, api: Any) -> None:
        api.world.table("linkedin", "credentials")["reader"] = token("ACCOUNT_MANAGER", ["r_ads"])
        headers = {"Authorization": "Bearer reader"}
        assert api.call("POST", "/rest/adExperiments", api.body(), headers).status_code == 403


FORM = {
    "grant_type": "refresh_token",
    "refresh_token": "emulator-refresh",
    "client_id": "emulator-client",
    "client_secret": "emulator-secret",
}


class TestTokens:
    def ask(self, api: Any, **changes: str) -> Any:
        url = api.server.base_url("linkedin") + "/oauth/v2/accessToken"
        form = {name: text for name, text in {**FORM, **changes}.items() if text}
        return requests.post(url, data=form, timeout=10)

    def test_a_token_works_until_it_expires(self, api: Any) -> None:
        answer = self.ask(api)
        assert answer.status_code == 200
        body = answer.json()
        assert set(body) == {"access_token", "expires_in", "refresh_token", "refresh_token_expires_in", "scope"}
        assert (body["expires_in"], body["refresh_token"]) == (5_184_000, "emulator-refresh")
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert api.get("/rest/adExperiments/1", headers=headers).status_code == 404
        api.pass_days(60)
        late = api.get("/rest/adExperiments/1", headers=headers)
        assert (late.status_code, late.json()["code"]) == (401, "EXPIRED_ACCESS_TOKEN")
        assert self.ask(api).json()["access_token"] != body["access_token"]

    def test_the_refresh_token_is_not_extended(self, api: Any) -> None:
        self.ask(api)
        api.pass_days(360)
        body = self.ask(api).json()
        assert body["expires_in"] == body["refresh_token_expires_in"] == 5 * 86_400
        api.pass_days(5)
        assert (self.ask(api).status_code, self.ask(api).json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"refresh_token": "other"}, 400, "invalid_grant"),
            ({"client_secret": "other"}, 401, "invalid_client"),
            ({"client_id": "other"}, 401, "invalid_client"),
            ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
            ({"refresh_token": ""}, 400, "invalid_request"),
            ({"client_id": ""}, 400, "invalid_request"),
        ],
    )
    def test_refusals(self, api: Any, changes: dict[str, str], status: int, error: str) -> None:
        answer = self.ask(api, **changes)
        assert (answer.status_code, answer.json()["error"]) == (status, error)

    def test_json_is_no_form(self, api: Any) -> None:
        url = api.server.base_url("linkedin") + "/oauth/v2/accessToken"
        assert requests.post(url, json=FORM, timeout=10).json()["error"] == "invalid_request"


class TestRestLi:
    @pytest.mark.parametrize(
        ("raw", "value"),
        [
            ("abc", "abc"),
            ("''", ""),
            ("%27%27", "''"),
            ("a+b", "a+b"),
            ("a%20b", "a b"),
            ("%C3%A9", "é"),
            ("List()", []),
            ("List(1,2)", ["1", "2"]),
            ("List('',a)", ["", "a"]),
            ("()", {}),
            ("(a:1,b:List((c:d)))", {"a": "1", "b": [{"c": "d"}]}),
            ("urn%3Ali%3AadExperimentCell%3A%28x%2C1%29", "urn:li:adExperimentCell:(x,1)"),
            ("List%281%2C2%29", "List(1,2)"),
            ("Listing", "Listing"),
        ],
    )
    def test_values(self, raw: str, value: object) -> None:
        assert restli.parse_value(raw) == value

    @pytest.mark.parametrize(
        "raw",
        [
            "",
            "(a:)",
            "(a)",
            "(a:b:c)",
            "(a:b,)",
            "(:b)",
            "(a:b",
            "(a:1,a:2)",
            "List(a,,b)",
            "List(a,b,)",
            "List(,a)",
            "List(a",
            "List(a))",
            "a:b",
            "a,b",
            "'a'",
            "%",
            "%2",
            "%zz",
            "%ff",
            "a b",
            "é",
        ],
    )
    def test_malformed(self, raw: str) -> None:
        with pytest.raises(restli.Malformed):
            restli.parse_value(raw)

    @pytest.mark.parametrize("raw", ["a", "=b", "a=1&a=2", "a=1&&b=2", "a%20b=1"])
    def test_malformed_queries(self, raw: str) -> None:
        with pytest.raises(restli.Malformed):
            restli.parse_query(raw)

    @pytest.mark.parametrize("text", ["01", "+1", "1.0", "", "9223372036854775808", "x"])
    def test_no_longs(self, text: str) -> None:
        with pytest.raises(restli.Malformed):
            restli.as_long(text)

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("ids=List%281%2C2%29", "ids"),
            ("ids=1,2", "ids"),
            ("ids=List(a)", "ids"),
            ("ids=List(1)&ids=List(2)", "ids"),
            ("ids=List(1)&other=1", "other"),
            ("q=searching&search=()", "q"),
            ("q=search", "search"),
            ("q=search&search=(nameCriteria:(values:List(a)))", "search"),
            ("q=search&search=(idCriteria:List(1))", "search"),
            ("q=search&search=(accountCriteria:(values:List(urn:li:sponsoredAccount:123)))", "search"),
            ("q=search&search=(accountCriteria:(values:List(123)))", "search"),
            ("q=search&search=(executionStateCriteria:(values:List(GONE)))", "search"),
            ("q=search&search=()&sort=List(ID)", "sort"),
            ("q=search&search=()&sort=(field:ID)", "sort"),
            ("q=search&search=()&sort=List((field:ID,order:DOWN))", "sort"),
            ("q=search&search=()&count=1001", "count"),
            ("q=search&search=()&count=-1", "count"),
            ("q=search&search=()&start=x", "start"),
        ],
    )
    def test_a_parameter_that_cannot_be_read_is_400(self, api: Any, query: str, name: str) -> None:
        answer = api.get(f"/rest/adExperiments?{query}")
        assert answer.status_code == 400
        assert answer.json()["message"] == f"Parameter '{name}' is invalid"

    def test_requests_params_would_break_the_structure(self, api: Any) -> None:
        url = api.server.base_url("linkedin") + "/rest/adExperiments"
        headers = {"Authorization": "Bearer emulator-linkedin-token", "LinkedIn-Version": "202609"}
        headers["X-RestLi-Protocol-Version"] = "2.0.0"
        answer = requests.get(url, params={"ids": "List(1,2)"}, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["message"]) == (400, "Parameter 'ids' is invalid")

    def test_a_query_beyond_4_kb_is_414(self, api: Any) -> None:
        many = ",".join(str(40000 + number) for number in range(700))
        assert api.get(f"/rest/adExperiments?ids=List({many})").status_code == 414


class TestFinder:
    def test_criteria_sort_and_pages(self, api: Any) -> None:
        for number in range(12):
            first = 1001 + 2 * number if number < 9 else 2001 + 2 * number - 18
            api.created(first=first, second=first + 1, name=f"n{number % 3}", confidence=51 + number)
        all_ids = [40001 + number for number in range(12)]
        first = api.get("/rest/adExperiments?q=search&search=()").json()
        assert [one["id"] for one in first["elements"]] == all_ids[:10]
        assert first["paging"] == {"start": 0, "count": 10, "total": 12, "links": []}
        second = api.get("/rest/adExperiments?q=search&search=()&start=10&count=10").json()
        assert [one["id"] for one in second["elements"]] == all_ids[10:]
        sort = "sort=List((field:NAME),(field:ID,order:DESCENDING))"
        by_name = api.get(f"/rest/adExperiments?q=search&search=()&{sort}&count=100").json()["elements"]
        keys = [(one["name"], -one["id"]) for one in by_name]
        assert keys == sorted(keys)
        ids = api.get("/rest/adExperiments?q=search&search=(idCriteria:(values:List(40003,40001,9)))").json()
        assert [one["id"] for one in ids["elements"]] == [40001, 40003]
        group = "urn%3Ali%3AsponsoredCampaignGroup%3A602"
        in_group = api.get(f"/rest/adExperiments?q=search&search=(campaignGroupCriteria:(values:List({group})))").json()
        assert in_group["paging"]["total"] == 3
        campaigns = "urn%3Ali%3AsponsoredCampaign%3A1001,urn%3Ali%3AsponsoredCampaign%3A1004"
        either = api.get(f"/rest/adExperiments?q=search&search=(campaignCriteria:(values:List({campaigns})))").json()
        assert [one["id"] for one in either["elements"]] == [40001, 40002]

    def test_fields_projects(self, api: Any) -> None:
        number = api.created()
        assert api.get(f"/rest/adExperiments/{number}?fields=id,name").json() == {"id": number, "name": "headline"}
        assert api.get("/rest/adExperiments?q=search&search=()&fields=id").json()["elements"] == [{"id": number}]
        assert api.get(f"/rest/adExperiments/{number}?fields=List(id)").status_code == 400

    def test_batch_get_keeps_to_one_account(self, api: Any) -> None:
        one = api.created()
        other = api.created(first=160000001, second=160000002, account="urn:li:sponsoredAccount:500000001")
        answer = api.get(f"/rest/adExperiments?ids=List({one},{other})")
        assert answer.status_code == 200
        assert set(answer.json()["results"]) == {str(one)}
        assert answer.json()["errors"][str(other)]["code"] == "BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT"

    def test_nothing_of_the_emulator_leaks(self, api: Any) -> None:
        number = api.created(scheduledStartAt=api.days(-1))
        assert not [name for name in api.read(number) if name.startswith("_")]


class TestCampaigns:
    def test_reads_under_the_account(self, api: Any) -> None:
        one = api.get("/rest/adAccounts/123/adCampaigns/1001").json()
        assert (one["id"], one["campaignGroup"]) == (1001, "urn:li:sponsoredCampaignGroup:601")
        assert api.get("/rest/adAccounts/123/adCampaigns/160000001").status_code == 404
        assert api.get("/rest/adAccounts/9/adCampaigns/1001").status_code == 404
        batch = api.get("/rest/adAccounts/123/adCampaigns?ids=List(1001,160000001)").json()
        assert (set(batch["results"]), set(batch["errors"])) == ({"1001"}, {"160000001"})
        assert api.get("/rest/adAccounts/123").json()["id"] == 123
        assert api.get("/rest/adAccounts/123/adCampaignGroups/605").json()["budgetOptimization"]

    def test_search_by_group_with_a_cursor(self, api: Any) -> None:
        group = "urn%3Ali%3AsponsoredCampaignGroup%3A602"
        path = f"/rest/adAccounts/123/adCampaigns?q=search&search=(campaignGroup:(values:List({group})))&pageSize=8"
        first = api.get(path).json()
        assert [one["id"] for one in first["elements"]] == list(range(2001, 2009))
        rest = api.get(f"{path}&pageToken={first['metadata']['nextPageToken']}").json()
        assert [one["id"] for one in rest["elements"]] == list(range(2009, 2013))
        assert "nextPageToken" not in rest["metadata"]
