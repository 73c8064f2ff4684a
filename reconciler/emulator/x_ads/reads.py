"""The reads around A/B tests: accounts, the caller's permissions, campaigns and line items."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.world import Row
from reconciler.emulator.x_ads import rows
from reconciler.emulator.x_ads.calls import Answer, Call, listed
from reconciler.emulator.x_ads.query import Query

_COMMON = frozenset({"count", "cursor", "q", "sort_by", "with_deleted", "with_total_count"})
_ACCOUNTS = _COMMON | {"account_ids"}
_CAMPAIGNS = _COMMON | {"campaign_ids", "with_draft"}
_LINE_ITEMS = _CAMPAIGNS | {"line_item_ids"}
_SORTABLE = frozenset({"created_at", "updated_at", "deleted", "name"})
_FLIGHT_SORTABLE = _SORTABLE | {"start_time", "end_time"}


def accounts(call: Call) -> Answer:
    """Answer the accounts the caller has a role on."""
    query = Query(call.query, _ACCOUNTS)
    ids = query.ids("account_ids")
    found = [
        row
        for row in rows.table(call.world, "accounts").values()
        if row["id"] in call.caller.permissions and (ids is None or row["id"] in ids)
    ]
    return listed(call, query, _kept(query, found), _SORTABLE, dict)


def account(call: Call) -> Answer:
    """Answer the account of the path."""
    query = Query(call.query, frozenset({"with_deleted"}))
    query.flag("with_deleted")
    query.findings.settle()
    return Answer(query.echo, rows.table(call.world, "accounts")[call.account_id])


def user_access(call: Call) -> Answer:
    """Answer the caller's permissions on the account of the path."""
    Query(call.query, frozenset()).findings.settle()
    permissions = call.caller.permissions[call.account_id]
    return Answer({}, {"user_id": call.caller.user_id, "permissions": permissions})


def campaigns(call: Call) -> Answer:
    """Answer the campaigns of the account; ids that do not exist are left out."""
    query = Query(call.query, _CAMPAIGNS)
    ids = query.ids("campaign_ids")
    found = [row for row in _of_account(call, "campaigns") if ids is None or row["id"] in ids]
    return listed(call, query, _kept(query, _published(query, found)), _SORTABLE, _without_account)


def line_items(call: Call) -> Answer:
    """Answer the line items of the account, by their own ids or their campaigns'; unknown ids are left out."""
    query = Query(call.query, _LINE_ITEMS)
    ids, campaign_ids = query.ids("line_item_ids"), query.ids("campaign_ids")
    found = [
        row
        for row in _of_account(call, "line_items")
        if (ids is None or row["id"] in ids) and (campaign_ids is None or row["campaign_id"] in campaign_ids)
    ]
    return listed(call, query, _kept(query, _published(query, found)), _FLIGHT_SORTABLE, _without_account)


def _of_account(call: Call, name: str) -> list[Row]:
    return [row for row in rows.table(call.world, name).values() if row["account_id"] == call.account_id]


def _kept(query: Query, found: list[Row]) -> list[Row]:
    """Leave out the deleted unless asked for, and the names that do not start with `q`, whatever their case."""
    deleted_too, prefix = query.flag("with_deleted"), query.text("q", longest=255)
    return [
        row
        for row in found
        if (deleted_too or not row.get("deleted"))
        and (prefix is None or row["name"].lower().startswith(prefix.lower()))
    ]


def _published(query: Query, found: list[Row]) -> list[Row]:
    drafts_too = query.flag("with_draft")
    return [row for row in found if drafts_too or row.get("entity_status") != "DRAFT"]


def _without_account(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "account_id"}
