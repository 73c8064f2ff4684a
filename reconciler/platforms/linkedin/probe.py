"""What can be told of a LinkedIn connection by reading: that the token works, and which accounts it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from reconciler.model.examination import Grade, ProbeLine
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.linkedin import facts, queries, refusals
from reconciler.platforms.linkedin.client import PROTOCOL
from reconciler.platforms.linkedin.values import account_urn
from reconciler.platforms.probe import LIMITS, credentials_accepted, no_account, probed, shown_accounts
from reconciler.platforms.session import ConnectionSettings


async def probe(settings: ConnectionSettings) -> tuple[ProbeLine, ...]:
    """
    Give the lines of one connection; a search of each account is all that is sent.

    LinkedIn has no call that names the caller's role, so what can be proved is that reading works.
    """

    def client() -> HttpClient:
        headers = {"LinkedIn-Version": settings.api_version, "X-RestLi-Protocol-Version": PROTOCOL}
        return HttpClient(settings, auth.linkedin(settings), headers=headers, **LIMITS)

    async def look(http: HttpClient) -> Sequence[ProbeLine]:
        accounts = list(dict.fromkeys(account_urn(account) for account in settings.accounts))
        if not accounts:
            await _ask_for_nothing(http, settings)
            return [credentials_accepted(), no_account(settings.name)]
        asked, left_out = shown_accounts(accounts)
        roles = await asyncio.gather(*(_role(http, settings, account) for account in asked))
        return [credentials_accepted(), *roles, *left_out]

    return await probed(settings, client, look)


async def _role(http: HttpClient, settings: ConnectionSettings, account: str) -> ProbeLine:
    response = await http.read("GET", facts.COLLECTION, query=queries.search({"accountCriteria": [account]}))
    if response.status < 300:
        words = f"reads the experiments of {account}; that it may write shows with the first apply"
        return ProbeLine("role", Grade.OK, words)
    error = refusals.refusal(response, settings.api_version)
    if response.status == 403:
        return ProbeLine("role", Grade.FAILED, str(error), f"ask an admin of {account} for one of these roles")
    raise error


async def _ask_for_nothing(http: HttpClient, settings: ConnectionSettings) -> None:
    """Read an id that no experiment has: "not found" or "forbidden" both say that the token is known."""
    response = await http.read("GET", f"{facts.COLLECTION}/1")
    if response.status == 426 or response.status >= 500:
        raise refusals.refusal(response, settings.api_version)
