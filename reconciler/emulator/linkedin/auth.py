"""
Who is asking, and what the roles of an ad account allow; the token endpoint with its refresh grant.

Source: "Permissions" of the A/B Testing page, and LinkedIn's page on programmatic refresh tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from reconciler.emulator.linkedin.problems import Refused, gateway, refused
from reconciler.emulator.linkedin.seeds import token
from reconciler.emulator.world import World

WRITE_ROLES = frozenset({"ACCOUNT_BILLING_ADMIN", "ACCOUNT_MANAGER", "CAMPAIGN_MANAGER"})
READ_ROLES = WRITE_ROLES | {"CREATIVE_MANAGER", "VIEWER"}
ACCESS_SECONDS = 60 * 86_400
REFRESH_SECONDS = 365 * 86_400


@dataclass(frozen=True)
class Caller:
    """The member behind an access token, with one role on all `accounts` (None: on every account)."""

    member: str
    role: str
    scopes: frozenset[str]
    accounts: frozenset[int] | None

    def may_read(self, account: int) -> bool:
        """Tell whether the member may read experiments of the account."""
        return bool(self.scopes & {"r_ads", "rw_ads"}) and self.role in READ_ROLES and self._holds(account)

    def may_write(self, account: int) -> bool:
        """Tell whether the member may create, change and delete experiments of the account."""
        return self.writes_at_all and self._holds(account)

    @property
    def writes_at_all(self) -> bool:
        """Whether scope and role allow writing in some account."""
        return "rw_ads" in self.scopes and self.role in WRITE_ROLES

    def _holds(self, account: int) -> bool:
        return self.accounts is None or account in self.accounts


def caller(world: World, authorization: str | None) -> Caller:
    """Give who sent the request; raises Refused (401, gateway envelope) for a missing, unknown or expired token."""
    match = re.fullmatch(r"Bearer ([!-~]+)", authorization or "", re.IGNORECASE)
    if not match:
        raise gateway(401, "Empty oauth2 access token", "EMPTY_ACCESS_TOKEN", 65604)
    row = world.table("linkedin", "credentials").get(match.group(1))
    if row is None or row.get("kind") != "token":
        raise gateway(401, "Invalid access token", "INVALID_ACCESS_TOKEN", 65600)
    if row.get("revoked"):
        raise gateway(401, "The token used in the request has been revoked by the user", "REVOKED_ACCESS_TOKEN", 65601)
    if row.get("expiresAt") is not None and world.now_ms() >= row["expiresAt"]:
        raise gateway(401, "The token used in the request has expired", "EXPIRED_ACCESS_TOKEN", 65602)
    accounts = row.get("accounts")
    return Caller(
        member=row.get("member", "urn:li:member:7"),
        role=row.get("role", "VIEWER"),
        scopes=frozenset(row.get("scopes", ())),
        accounts=None if accounts in (None, "*") else frozenset(int(number) for number in accounts),
    )


def demand_write(who: Caller, account: int) -> None:
    """Raise Refused (403 FORBIDDEN) unless the member may write in the account."""
    if not who.may_write(account):
        raise refused("FORBIDDEN")


def grant_token(world: World, content_type: str, body: bytes) -> dict[str, Any]:
    """
    Give the reply of `POST /oauth/v2/accessToken` for the grant `refresh_token`.

    The refresh token lives 365 days from its first use and is handed back unchanged; an access token lives 60 days,
    or as long as the refresh token where that is less. Raises Refused with the OAuth error body.
    """
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _oauth(400, "invalid_request", "The body must be form-encoded")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise _oauth(400, "invalid_request", "The body is not a form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise _oauth(400, "invalid_request", "A parameter is repeated")
    form = {name: values[0] for name, values in fields.items()}
    for name in ("grant_type", "client_id", "client_secret"):
        if not form.get(name):
            raise _oauth(400, "invalid_request", f'A required parameter "{name}" is missing')
    if form["grant_type"] != "refresh_token":
        raise _oauth(400, "unsupported_grant_type", "Only the refresh_token grant is emulated")
    if not form.get("refresh_token"):
        raise _oauth(400, "invalid_request", 'A required parameter "refresh_token" is missing')
    credentials = world.table("linkedin", "credentials")
    client = credentials.get(form["client_id"])
    if client is None or client.get("kind") != "client" or client.get("secret") != form["client_secret"]:
        raise _oauth(401, "invalid_client", "Client authentication failed")
    now = world.now_ms()
    refresh_ends = client.setdefault("refreshExpiresAt", now + REFRESH_SECONDS * 1000)
    if client.get("refreshToken") != form["refresh_token"] or now >= refresh_ends:
        raise _oauth(
            400, "invalid_grant", "The provided authorization grant or refresh token is invalid, expired or revoked"
        )
    left = (refresh_ends - now) // 1000
    seconds = min(int(client.get("accessSeconds", ACCESS_SECONDS)), left)
    access = f"emulator-linkedin-issued-{world.next_number('linkedin.token')}"
    role, scopes = client.get("role", "ACCOUNT_MANAGER"), client.get("scopes", ["r_ads", "rw_ads"])
    credentials[access] = token(role, scopes, client.get("accounts"), now + seconds * 1000)
    return {
        "access_token": access,
        "expires_in": seconds,
        "refresh_token": form["refresh_token"],
        "refresh_token_expires_in": left,
        "scope": ",".join(scopes),
    }


def _oauth(status: int, error: str, words: str) -> Refused:
    return Refused(status, {"error": error, "error_description": words})
