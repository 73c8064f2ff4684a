"""
The default tables: two accounts, their campaigns with one line item each, two users, no A/B test.

Campaign `c1030` has three line items, so that a test at line item level is possible; `c1039` and `c1040` are for apps,
where a test must run for five days. All flights began in 2020 and are open.

Rows of a seed file need the columns of the rows here. A row of `ab_tests` is what the API shows plus `account_id`, and
without `entities`; sizes are written "50.0" and times in UTC with `Z`.
"""

from __future__ import annotations

from reconciler.emulator.world import Row, Table

MAIN_ACCOUNT = "18ce54d4x5t"
OTHER_ACCOUNT = "acc2"
PAGE_CAMPAIGNS = ("f2qcw", "f2tht", "f2rqi", "f2tws", "f2syz", "i1vwr", "i1xre")  # of the reference page's examples
APP_CAMPAIGNS = frozenset({"c1039", "c1040"})
_SINCE = "2020-01-01T00:00:00Z"


def seed() -> dict[str, Table]:
    """Give the default tables of this platform, new objects on every call."""
    main = [*PAGE_CAMPAIGNS, *(f"c{number}" for number in range(1001, 1041))]
    other = [f"d{number}" for number in range(2001, 2011)]
    owned = [(name, MAIN_ACCOUNT) for name in main] + [(name, OTHER_ACCOUNT) for name in other]
    items = [item for name, account in owned for item in _line_items(name, account)]
    return {
        "credentials": {row["access_token"]: row for row in (_writer(), _viewer())},
        "accounts": {
            MAIN_ACCOUNT: account(MAIN_ACCOUNT, "Emulated account"),
            OTHER_ACCOUNT: account(OTHER_ACCOUNT, "Second emulated account"),
        },
        "campaigns": {name: campaign(name, account) for name, account in owned},
        "line_items": {item["id"]: item for item in items},
        "ab_tests": {},
    }


def _writer() -> Row:
    return _credentials("emulator-tk", "emulator-ts", "756201191646691328", "apimctestface", "ACCOUNT_ADMIN")


def _viewer() -> Row:
    return _credentials("emulator-viewer-tk", "emulator-viewer-ts", "756201191646691329", "viewer", "ANALYST")


def _credentials(token: str, secret: str, user_id: str, username: str, permission: str) -> Row:
    return {
        "consumer_key": "emulator-ck",
        "consumer_secret": "emulator-cs",
        "access_token": token,
        "access_token_secret": secret,
        "user_id": user_id,
        "username": username,
        "accounts": {MAIN_ACCOUNT: [permission], OTHER_ACCOUNT: [permission]},
    }


def account(remote_id: str, name: str) -> Row:
    """Give the row of an account."""
    return {
        "id": remote_id,
        "name": name,
        "business_name": None,
        "timezone": "Etc/UTC",
        "timezone_switch_at": _SINCE,
        "approval_status": "ACCEPTED",
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "deleted": False,
    }


def campaign(remote_id: str, account_id: str) -> Row:
    """Give the row of an active campaign."""
    return {
        "id": remote_id,
        "account_id": account_id,
        "name": f"Campaign {remote_id}",
        "entity_status": "ACTIVE",
        "effective_status": "RUNNING",
        "servable": True,
        "reasons_not_servable": [],
        "currency": "USD",
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "deleted": False,
    }


def _line_items(campaign_id: str, account_id: str) -> list[Row]:
    """The line item of `c1001` is `l1001`; the three of `c1030` are `l1030a`, `l1030b`, `l1030c`."""
    number = campaign_id[1:] if campaign_id[1:].isdigit() else campaign_id
    suffixes = ("a", "b", "c") if campaign_id == "c1030" else ("",)
    return [line_item(f"l{number}{suffix}", campaign_id, account_id) for suffix in suffixes]


def line_item(remote_id: str, campaign_id: str, account_id: str) -> Row:
    """Give the row of a line item whose flight is open."""
    return {
        "id": remote_id,
        "account_id": account_id,
        "campaign_id": campaign_id,
        "name": f"Line item {remote_id}",
        "objective": "APP_INSTALLS" if campaign_id in APP_CAMPAIGNS else "WEBSITE_CLICKS",
        "product_type": "PROMOTED_TWEETS",
        "placements": ["ALL_ON_TWITTER"],
        "entity_status": "ACTIVE",
        "start_time": _SINCE,
        "end_time": None,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "deleted": False,
    }
