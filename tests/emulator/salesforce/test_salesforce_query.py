"""Listing by SOQL: what is answered, how it is paged, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator import salesforce

LISTING = (
    "SELECT Id,DeveloperName,Name,State,Status,Source,IsRemote,LastModifiedDate,DataSpace.DataSpaceApiName "
    "FROM AbnExperiment ORDER BY DeveloperName"
)


@pytest.fixture
def three(api: Any, world: Any) -> Any:
    for number, name in enumerate(("Beta", "alpha", "gamma")):
        api.create(name=name, label=f"Label {number} R&D")
        api.wait(99)
    api.bring_to("gamma", "Started")
    salesforce.edit(world, "Beta", {"isRemote": True})
    return api


def names(api: Any, rest: str) -> list[str]:
    response = api.query(f"SELECT DeveloperName FROM AbnExperiment {rest}")
    assert response.status_code == 200, response.text
    return [record["DeveloperName"] for record in response.json()["records"]]


def test_the_pages_query(three: Any) -> None:
    answer = three.query(LISTING).json()
    assert (answer["totalSize"], answer["done"], "nextRecordsUrl" in answer) == (3, True, False)
    first, second, third = answer["records"]
    assert [row["DeveloperName"] for row in answer["records"]] == ["alpha", "Beta", "gamma"]
    assert first == {
        "attributes": {
            "type": "AbnExperiment",
            "url": f"/services/data/v65.0/sobjects/AbnExperiment/{first['Id']}",
        },
        "Id": three.get("alpha")["id"],
        "DeveloperName": "alpha",
        "Name": "Label 1 R&D",
        "State": "Created",
        "Status": "Active",
        "Source": "FlowBuilder",
        "IsRemote": False,
        "LastModifiedDate": "2026-01-07T14:57:01.000+0000",
        "DataSpace": {"attributes": {"type": "DataSpace"}, "DataSpaceApiName": "default"},
    }
    assert (second["IsRemote"], third["State"]) == (True, "Started")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("WHERE DeveloperName = 'alpha'", ["alpha"]),
        ("where developername = 'ALPHA'", ["alpha"]),
        ("WHERE DeveloperName IN ('alpha','gamma', 'delta') ORDER BY DeveloperName DESC", ["gamma", "alpha"]),
        ("WHERE DeveloperName NOT IN ('alpha')", ["Beta", "gamma"]),
        ("WHERE State != 'Started'", ["Beta", "alpha"]),
        ("WHERE State = 'Started' AND IsRemote = false", ["gamma"]),
        ("WHERE State = 'Started' AND IsRemote = TRUE", []),
        ("WHERE CreatedDate > 2026-01-07T14:57:01Z", ["gamma"]),
        ("WHERE CreatedDate >= 2026-01-07T15:57:01.000+01:00 AND State = 'Created'", ["alpha"]),
        ("WHERE CreatedDate < 2026-01-07T14:57:01-00:00", ["Beta"]),
        ("WHERE ChanceToWinThreshold > 94.5 LIMIT 2", ["Beta", "alpha"]),
        ("WHERE StartedDate = null", ["Beta", "alpha"]),
        ("WHERE StartedDate != NULL", ["gamma"]),
        ("WHERE StartedDate > 2020-01-01T00:00:00Z", ["gamma"]),
        ("WHERE Name = 'Label 1 R&D'", ["alpha"]),
        ("WHERE Name = 'it\\'s'", []),
        ("WHERE DataSpace.DataSpaceApiName = 'default' ORDER BY CreatedDate DESC LIMIT 1", ["gamma"]),
        ("ORDER BY StartedDate NULLS LAST, DeveloperName ASC", ["gamma", "alpha", "Beta"]),
        ("ORDER BY StartedDate, DeveloperName DESC", ["Beta", "alpha", "gamma"]),
        ("LIMIT 0", []),
    ],
)
def test_conditions_and_order(three: Any, rest: str, expected: list[str]) -> None:
    assert names(three, rest) == expected


def test_ids_in_both_forms(three: Any) -> None:
    full = three.get("alpha")["id"]
    for key in (full, full[:15]):
        assert names(three, f"WHERE Id = '{key}'") == ["alpha"]


@pytest.mark.parametrize(
    ("soql", "error"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT Id", "MALFORMED_QUERY"),
        ("SELECT FROM AbnExperiment", "MALFORMED_QUERY"),
        ("SELECT * FROM AbnExperiment", "MALFORMED_QUERY"),
        ("SELECT Id, FROM AbnExperiment", "MALFORMED_QUERY"),
        ("SELECT Id,Id FROM AbnExperiment", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment nonsense", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State = Started", "MALFORMED_QUERY"),
        ('SELECT Id FROM AbnExperiment WHERE State = "Started"', "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State = 'Started", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State = '\\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State IN ()", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State = 'a' OR State = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE State LIKE 'a%'", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment WHERE CreatedDate > 2026-13-01T00:00:00Z", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment LIMIT 1.5", "MALFORMED_QUERY"),
        ("SELECT Id FROM AbnExperiment LIMIT 1 ORDER BY Id", "MALFORMED_QUERY"),
        ("SELECT COUNT() FROM AbnExperiment", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account", "INVALID_TYPE"),
        ("SELECT Colour FROM AbnExperiment", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment ORDER BY Colour", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment WHERE IsRemote = 'false'", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment WHERE State = 5", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment WHERE CreatedDate = '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment WHERE ChanceToWinThreshold = true", "INVALID_FIELD"),
        ("SELECT Id FROM AbnExperiment WHERE IsRemote > false", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM AbnExperiment WHERE StartedDate > null", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM AbnExperiment WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_refused_queries(three: Any, soql: str, error: str) -> None:
    response = three.query(soql)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, error)


def pages(api: Any, soql: str) -> list[dict[str, Any]]:
    found = [api.query(soql).json()]
    while not found[-1]["done"]:
        found.append(api.call("GET", "/salesforce" + found[-1]["nextRecordsUrl"]).json())
    return found


def test_pages(api: Any, settings: dict[str, Any]) -> None:
    settings["page_size"] = 2
    made = [api.create(name=f"e{number}")["name"] for number in range(5)]
    found = pages(api, LISTING)
    assert [len(page["records"]) for page in found] == [2, 2, 1]
    assert [page["totalSize"] for page in found] == [5, 5, 5]
    assert [record["DeveloperName"] for page in found for record in page["records"]] == made
    assert all(page["nextRecordsUrl"].startswith("/services/data/v65.0/query/01g") for page in found[:-1])
    assert [len(page["records"]) for page in pages(api, f"{LISTING} LIMIT 4")] == [2, 2]


def test_a_page_has_2000_rows_at_most(api: Any, world: Any, settings: dict[str, Any]) -> None:
    settings["page_size"] = 100_000
    made = api.create()
    rows = world.table("salesforce", "experiments")
    for number in range(2000):
        rows[f"1Ga{number:015d}"] = {**rows[made["id"]], "id": f"1Ga{number:015d}", "name": f"n{number}"}
    assert [len(page["records"]) for page in pages(api, "SELECT Id FROM AbnExperiment")] == [2000, 1]


def test_a_row_removed_between_pages_is_left_out(api: Any, world: Any, settings: dict[str, Any]) -> None:
    settings["page_size"] = 2
    for number in range(4):
        api.create(name=f"e{number}")
    first = api.query(LISTING).json()
    salesforce.remove(world, "e2")
    second = api.call("GET", "/salesforce" + first["nextRecordsUrl"]).json()
    assert [record["DeveloperName"] for record in second["records"]] == ["e3"]


def test_cursors_belong_to_their_user_and_ten_are_open(api: Any, settings: dict[str, Any]) -> None:
    settings["page_size"] = 1
    api.create(name="a")
    api.create(name="b")
    urls = ["/salesforce" + api.query(LISTING).json()["nextRecordsUrl"] for _ in range(11)]

    def status(url: str, token: str = "emulator-salesforce-token") -> tuple[int, Any]:
        response = api.call("GET", url, headers={"Authorization": f"Bearer {token}"})
        return response.status_code, response.json()[0]["errorCode"] if response.status_code != 200 else None

    assert status(urls[0]) == (400, "INVALID_QUERY_LOCATOR")
    assert status(urls[1]) == (200, None)
    assert status(urls[1], "emulator-salesforce-viewer") == (400, "INVALID_QUERY_LOCATOR")
    for bad in (urls[1].replace("-1", "-99"), urls[1].replace("-1", "-x"), urls[1].replace("-1", "")):
        assert status(bad) == (400, "INVALID_QUERY_LOCATOR")
