"""Access tokens: who they stand for, and their end after a time of inactivity (2 hours by default)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from reconciler.emulator.salesforce.errors import refusal
from reconciler.emulator.salesforce.tables import setting, table
from reconciler.emulator.world import World


@dataclass(frozen=True)
class Session:
    """The user a request runs as; `read_only` users may change nothing."""

    user_id: str
    read_only: bool


def new_session(world: World, user_id: str) -> str:
    """Start a session for a user and give its access token."""
    token = f"00DSB0000000001!{secrets.token_urlsafe(48)}"
    table(world, "sessions")[token] = {"user": user_id, "lastUsedMs": world.now_ms()}
    return token


def open_session(world: World, authorization: str) -> Session:
    """
    Give the session of an `Authorization` header and note its use.

    A token whose row has null as `lastUsedMs` is a fixed one and does not end. Refuses (401) a missing, unknown or
    ended one.
    """
    scheme, _, token = authorization.partition(" ")
    sessions = table(world, "sessions")
    row = sessions.get(token.strip()) if scheme.lower() == "bearer" else None
    if row is None:
        raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if row["lastUsedMs"] is not None:
        now_ms = world.now_ms()
        if now_ms - row["lastUsedMs"] > setting(world, "session_seconds") * 1000:
            del sessions[token.strip()]
            raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        row["lastUsedMs"] = now_ms
    user = table(world, "users").get(row["user"], {})
    return Session(user_id=row["user"], read_only=bool(user.get("readOnly")))
