"""What X tells of a connection: whether the signature is taken, and the caller's permissions on each ad account."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.model.examination import Grade, ProbeLine
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.probe import LIMITS, credentials_accepted, no_account, probed, shown_accounts
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.x_ads.answers import refusal

WRITERS: Final = frozenset({"ACCOUNT_ADMIN", "AD_MANAGER"})
"""The permissions of `authenticated_user_access` that may change campaigns (doc: X's reference of that resource)."""
_NO_ROLE: Final = frozenset({403, 404})


async def probe(settings: ConnectionSettings) -> tuple[ProbeLine, ...]:
    """Give the lines of one connection; sends one read an account, or one read of the list of accounts."""

    def client() -> HttpClient:
        return HttpClient(settings, auth.x_ads(settings), **LIMITS)

    async def look(http: HttpClient) -> Sequence[ProbeLine]:
        accounts = list(dict.fromkeys(settings.accounts))
        if not accounts:
            response = await http.read("GET", f"/{settings.api_version}/accounts")
            if response.status >= 300:
                raise refusal(response)
            return [credentials_accepted(), no_account(settings.name)]
        asked, left_out = shown_accounts(accounts)
        roles = await asyncio.gather(*(_role(http, settings, account) for account in asked))
        return [credentials_accepted(), *roles, *left_out]

    return await probed(settings, client, look)


async def _role(http: HttpClient, settings: ConnectionSettings, account: str) -> ProbeLine:
    path = f"/{settings.api_version}/accounts/{quote(account, safe='')}/authenticated_user_access"
    response = await http.read("GET", path)
    if response.status in _NO_ROLE:
        return ProbeLine(
            "role",
            Grade.FAILED,
            str(refusal(response)),
            f"check the account id {account}, and that the token's user has a role on it",
        )
    if response.status >= 300:
        raise refusal(response)
    body = response.json()
    data = body.get("data") if isinstance(body, Mapping) else None
    permissions = data.get("permissions") if isinstance(data, Mapping) else None
    if not isinstance(permissions, list):
        raise response.bad_answer("no list of permissions")
    shown = ", ".join(http.redact.excerpt(str(item), 60) for item in permissions[:5]) or "none"
    if WRITERS & {str(item) for item in permissions}:
        return ProbeLine("role", Grade.OK, f"may write to account {account} ({shown})")
    return ProbeLine(
        "role",
        Grade.WARNING,
        f"may only read account {account} ({shown}): plan and drift work, apply would be refused",
        f"ask an admin of {account} for {' or '.join(sorted(WRITERS))}",
    )
