"""
Where the platform keeps things in the world, how it writes times, and what it starts with.

Tables: `experiments` (id -> representation without `url`), `jobs` (experiment id -> pending operation), `sessions`
(access token -> user and last use), `users`, `clients`, `refreshTokens`, `cursors` (open queries), `settings` (one
row, `default`), and the names that experiments refer to: `dataSpaces`, `schemas`, `engagementSignals`,
`compoundMetrics`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reconciler.emulator.world import Row, Table, World

PLATFORM = "salesforce"

DEFAULT_SETTINGS: Row = {
    "processing_seconds": 0.3,  # how long create, edit and action stay Processing
    "deleting_seconds": 0.3,  # how long a deleted experiment stays Deleting
    "page_size": 2000,  # rows on a page of a query, at most 2000
    "session_seconds": 7200,  # inactivity after which an access token ends
    "refresh_token_rotation": False,  # every refresh voids the refresh token and gives a new one
    "daily_requests": 100000,  # shown in Sforce-Limit-Info and /limits; not enforced
    "check_references": False,  # data space, schema, signal and metric names must be in the tables
    "create_error": [],  # API names whose creation ends in CreateError
    "edit_error": [],  # API names whose edits and actions end in EditError
    "delete_error": [],  # API names whose deletion ends in DeleteError
    "winner_after_minutes": {},  # API name -> minutes from the start to the winner; Automatic only
}

ADMIN_USER = "005SB000002HsR5YAK"
VIEWER_USER = "005SB000002HvvEYAS"
UI_USER = "005SB000002HuuDYAS"


def table(world: World, name: str) -> Table:
    """Give the live table `name` of this platform."""
    return world.table(PLATFORM, name)


def setting(world: World, name: str) -> Any:
    """Give one setting: the seed's, else the default. Raises KeyError for a name that is no setting."""
    return table(world, "settings").get("default", {}).get(name, DEFAULT_SETTINGS[name])


def timestamp(instant: datetime) -> str:
    """Write an instant as the platform does, `2025-04-01T14:23:03.000Z`: whole seconds, UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def instant_of(text: str) -> datetime:
    """Read a time that `timestamp` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def seed() -> dict[str, Table]:
    """Give the tables of a fresh org: users, one connected app, names of the page's example, no experiments."""
    return {
        "settings": {"default": dict(DEFAULT_SETTINGS)},
        "users": {
            ADMIN_USER: {"username": "integration@example.com", "readOnly": False},
            VIEWER_USER: {"username": "viewer@example.com", "readOnly": True},
            UI_USER: {"username": "marketer@example.com", "readOnly": False},
        },
        "clients": {"emulator-client": {"clientSecret": "emulator-secret", "runAs": ADMIN_USER, "publicKey": None}},
        "refreshTokens": {"emulator-refresh": {"clientId": "emulator-client", "user": ADMIN_USER}},
        "sessions": {
            "emulator-salesforce-token": {"user": ADMIN_USER, "lastUsedMs": None},
            "emulator-salesforce-viewer": {"user": VIEWER_USER, "lastUsedMs": None},
        },
        "dataSpaces": {"default": {"label": "default"}},
        "schemas": {"AResponseTemplate": {"attributes": ["Attr1"]}},
        "engagementSignals": {
            "Flow_Email_Click_3": {"metrics": ["Count Indv_Flow_Email_Click_3"]},
            "A_New_Flow_Email_Click_New": {"metrics": []},
        },
        "compoundMetrics": {"TwoCompound": {}},
        "experiments": {},
        "jobs": {},
        "cursors": {},
    }
