"""
Reading ad accounts, campaign groups and campaigns: what a client looks up before it plans an experiment.

Source: LinkedIn's pages on campaigns and cursor paging. Campaigns stand under the path of their account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.linkedin import restli
from reconciler.emulator.linkedin.auth import Caller
from reconciler.emulator.linkedin.experiments import public
from reconciler.emulator.linkedin.finder import criterion_values
from reconciler.emulator.linkedin.problems import Refused, bad_parameter, gateway, refused
from reconciler.emulator.world import Row, World

TABLES = {"adCampaigns": "campaigns", "adCampaignGroups": "campaignGroups"}
_FIELDS = {"campaignGroup": "campaignGroup", "status": "status", "type": "type", "id": "id", "name": "name"}


def get_account(world: World, who: Caller, account: int) -> dict[str, Any]:
    """Give one ad account; raises Refused."""
    _demand_read(world, who, account)
    return public(world.table("linkedin", "accounts")[str(account)])


def get_one(world: World, who: Caller, account: int, resource: str, number: int) -> dict[str, Any]:
    """Give one campaign or group of the account; raises Refused (404 also for one of another account)."""
    _demand_read(world, who, account)
    row = _rows(world, account, resource).get(str(number))
    if row is None:
        raise _missing(resource, number)
    return public(row)


def batch_get(world: World, who: Caller, account: int, resource: str, numbers: list[int]) -> dict[str, Any]:
    """Give `results` and `errors` by id."""
    _demand_read(world, who, account)
    rows = _rows(world, account, resource)
    found = {str(number): public(rows[str(number)]) for number in numbers if str(number) in rows}
    errors = {str(number): _missing(resource, number).body for number in numbers if str(number) not in found}
    return {"results": found, "errors": errors}


def find(world: World, who: Caller, account: int, resource: str, raw: Mapping[str, str]) -> dict[str, Any]:
    """Give one page of `q=search`, paged by cursor (`pageSize`, `pageToken`); raises Refused."""
    _demand_read(world, who, account)
    rows = list(_rows(world, account, resource).values())
    try:
        search = restli.as_record(restli.parse_value(raw["search"])) if "search" in raw else {}
        for name, criterion in search.items():
            values = criterion_values(criterion)
            if name not in _FIELDS:
                raise restli.Malformed(name)
            rows = [row for row in rows if str(row.get(_FIELDS[name])) in values]
    except restli.Malformed:
        raise bad_parameter("search") from None
    size = _number(raw, "pageSize", 100)
    if not 1 <= size <= 1000:
        raise bad_parameter("pageSize")
    start = _number(raw, "pageToken", 0)
    rows.sort(key=lambda row: int(row["id"]))
    body: dict[str, Any] = {"elements": [public(row) for row in rows[start : start + size]], "metadata": {}}
    if start + size < len(rows):
        body["metadata"]["nextPageToken"] = str(start + size)
    return body


def _rows(world: World, account: int, resource: str) -> dict[str, Row]:
    urn = f"urn:li:sponsoredAccount:{account}"
    return {key: row for key, row in world.table("linkedin", TABLES[resource]).items() if row["account"] == urn}


def _demand_read(world: World, who: Caller, account: int) -> None:
    if str(account) not in world.table("linkedin", "accounts"):
        raise gateway(404, f"Ad account {account} does not exist", "NOT_FOUND")
    if not who.may_read(account):
        raise refused("FORBIDDEN")


def _missing(resource: str, number: int) -> Refused:
    return gateway(404, f"{resource} {number} does not exist", "NOT_FOUND")


def _number(raw: Mapping[str, str], name: str, default: int) -> int:
    try:
        number = restli.as_long(restli.parse_value(raw[name])) if name in raw else default
    except restli.Malformed:
        raise bad_parameter(name) from None
    if number < 0:
        raise bad_parameter(name)
    return number
