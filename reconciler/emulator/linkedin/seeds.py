"""
The default LinkedIn tables, and the row makers for other ones.

| table | rows |
| --- | --- |
| `credentials` | tokens and the client of the token endpoint, see `auth` |
| `accounts` | `123` and `500000001`; `600000001` is canceled |
| `campaignGroups` | `601` and `602` of account 123; `603`, `604` of 500000001; `605` of 123 with dynamic budgets |
| `campaigns` of 123 in 601 | `123`, `345`, `1001` to `1024`: sponsored updates, all quiet but 1019 to 1024 |
| `campaigns` of 123 in 602 | `2001` to `2012`: single video |
| `campaigns` of 123 in 605 | `3001`, `3002` |
| `campaigns` of 500000001 | `160000001` to `160000012` in 603; `170000001` to `170000004` in 604: sponsored messages |
| `experiments` | none |

The six odd campaigns: 1019 started on 2026-01-01 (too early for any test), 1020 starts in 2036 (too late), 1021 has
audience expansion, 1022 another audience, 1023 is paused, 1024 is canceled.
Keys that begin with `_` are the emulator's own and never leave it.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.linkedin.schema import check_whole, urn_id
from reconciler.emulator.world import Row, Table, World

TOKEN = "emulator-linkedin-token"
VIEWER_TOKEN = "emulator-linkedin-viewer"
CLIENT_ID = "emulator-client"
CLIENT_SECRET = "emulator-secret"
REFRESH_TOKEN = "emulator-refresh"
MEMBER = "urn:li:member:7"


def seed() -> dict[str, Table]:
    """Give the default tables of the platform, rows by id; fresh objects with every call."""
    odd: dict[int, dict[str, Any]] = {
        1019: {"runSchedule": {"start": 1767225600000}},
        1020: {"runSchedule": {"start": 2082758400000}},
        1021: {"audienceExpansionEnabled": True},
        1022: {"targetingCriteria": _targeting("urn:li:geo:102713980")},
        1023: {"status": "PAUSED", "servingStatuses": ["STOPPED"]},
        1024: {"status": "CANCELED", "servingStatuses": ["STOPPED"]},
    }
    rows = [
        *(campaign(number, 123, 601, **odd.get(number, {})) for number in (123, 345, *range(1001, 1025))),
        *(campaign(number, 123, 602, format="SINGLE_VIDEO") for number in range(2001, 2013)),
        *(campaign(number, 123, 605) for number in (3001, 3002)),
        *(campaign(number, 500000001, 603) for number in range(160000001, 160000013)),
        *(
            campaign(number, 500000001, 604, type="SPONSORED_INMAILS", format="SPONSORED_INMAIL")
            for number in range(170000001, 170000005)
        ),
    ]
    dynamic = {"budgetOptimization": {"budgetOptimizationStrategy": "DYNAMIC"}}
    return {
        "credentials": {
            TOKEN: token("ACCOUNT_MANAGER", ["r_ads", "rw_ads"]),
            VIEWER_TOKEN: token("VIEWER", ["r_ads"]),
            CLIENT_ID: {"kind": "client", "secret": CLIENT_SECRET, "refreshToken": REFRESH_TOKEN},
        },
        "accounts": keyed(account(123), account(500000001), account(600000001, status="CANCELED")),
        "campaignGroups": keyed(
            group(601, 123), group(602, 123), group(603, 500000001), group(604, 500000001), group(605, 123, **dynamic)
        ),
        "campaigns": keyed(*rows),
        "experiments": {},
    }


def complete(world: World) -> None:
    """
    Fill in what rows of a hand-written seed leave out: ids, statuses, and what the platform itself makes.

    Raises ValueError that names the row when it lacks what only its author can know.
    """
    tables = {name: world.table("linkedin", name) for name in ("accounts", "campaignGroups", "campaigns")}
    for key, row in tables["accounts"].items():
        tables["accounts"][key] = {**account(_number("accounts", key)), **row}
    for key, row in tables["campaignGroups"].items():
        owner = _linked("campaignGroups", key, row, "account", "sponsoredAccount")
        tables["campaignGroups"][key] = {**group(_number("campaignGroups", key), owner), **row}
    for key, row in tables["campaigns"].items():
        owner = _linked("campaigns", key, row, "account", "sponsoredAccount")
        above = _linked("campaigns", key, row, "campaignGroup", "sponsoredCampaignGroup")
        tables["campaigns"][key] = {**campaign(_number("campaigns", key), owner, above), **row}
    stamp = {"actor": MEMBER, "time": world.now_ms()}
    for key, row in world.table("linkedin", "experiments").items():
        flaws = check_whole({name: value for name, value in row.items() if not name.startswith("_")})
        if flaws:
            raise ValueError(f"linkedin.experiments.{key}{flaws[0].path}: {flaws[0].message}")
        row.setdefault("id", _number("experiments", key))
        row.setdefault("autoStop", "AUTO_STOP_AT_END_DATE")
        row.setdefault("executionState", "PENDING")
        for name in ("created", "lastModified"):
            row.setdefault(name, dict(stamp))
        if row["executionState"] in ("RUNNING", "ON_HOLD", "STOPPED"):
            row.setdefault("_startedAt", row["scheduledStartAt"])


def _number(table: str, key: str) -> int:
    if not key.isdecimal():
        raise ValueError(f"linkedin.{table}.{key}: an id is a number")
    return int(key)


def _linked(table: str, key: str, row: Row, name: str, kind: str) -> int:
    number = urn_id(kind, row.get(name))
    if number is None:
        raise ValueError(f"linkedin.{table}.{key}.{name}: a URN urn:li:{kind}:N is expected, found {row.get(name)!r}")
    return number


def keyed(*rows: Row) -> Table:
    """Give the rows as a table by their `id`."""
    return {str(row["id"]): row for row in rows}


def token(role: str, scopes: list[str], accounts: list[int] | None = None, expires_at: int | None = None) -> Row:
    """Give the row of an access token; no `accounts` means every account, no `expires_at` (epoch ms) never."""
    return {
        "kind": "token",
        "member": MEMBER,
        "role": role,
        "scopes": scopes,
        "accounts": accounts,
        "expiresAt": expires_at,
    }


def account(number: int, **more: Any) -> Row:
    """Give the row of an ad account."""
    return {
        "id": number,
        "name": f"Account {number}",
        "type": "BUSINESS",
        "currency": "USD",
        "status": "ACTIVE",
        "servingStatuses": ["RUNNABLE"],
        "test": False,
        **more,
    }


def group(number: int, account_number: int, **more: Any) -> Row:
    """Give the row of a campaign group."""
    return {
        "id": number,
        "account": f"urn:li:sponsoredAccount:{account_number}",
        "name": f"Group {number}",
        "status": "ACTIVE",
        "servingStatuses": ["RUNNABLE"],
        "runSchedule": {"start": 1735689600000},
        "test": False,
        **more,
    }


def campaign(number: int, account_number: int, group_number: int, **more: Any) -> Row:
    """Give the row of a campaign; without a start of its own, so that no test finds it running too early."""
    return {
        "id": number,
        "account": f"urn:li:sponsoredAccount:{account_number}",
        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{group_number}",
        "name": f"Campaign {number}",
        "status": "ACTIVE",
        "servingStatuses": ["RUNNABLE"],
        "type": "SPONSORED_UPDATES",
        "format": "STANDARD_UPDATE",
        "objectiveType": "WEBSITE_VISIT",
        "costType": "CPM",
        "unitCost": {"amount": "12.50", "currencyCode": "USD"},
        "dailyBudget": {"amount": "200.00", "currencyCode": "USD"},
        "runSchedule": {},
        "audienceExpansionEnabled": False,
        "targetingCriteria": _targeting("urn:li:geo:103644278"),
        "test": False,
        **more,
    }


def _targeting(geo: str) -> dict[str, Any]:
    return {"include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": [geo]}}]}}
