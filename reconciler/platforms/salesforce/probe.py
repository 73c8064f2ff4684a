"""What a Salesforce org tells of a connection: whether a token is to be had, and whether experiments are visible."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from reconciler.model.examination import Grade, ProbeLine
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.probe import LIMITS, credentials_accepted, probed
from reconciler.platforms.salesforce.answers import query_page, refusal
from reconciler.platforms.salesforce.client import HEADERS
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings

QUERY = "SELECT Id FROM AbnExperiment LIMIT 1"
_ADVICE = (
    "give the user Salesforce's permission set Personalization Admin or Personalization User, "
    "and check that the org has the Personalization licence"
)


async def probe(settings: ConnectionSettings) -> tuple[ProbeLine, ...]:
    """Give the lines of one connection; sends a query of one experiment, after the token where one has to be made."""

    def client() -> HttpClient:
        return HttpClient(settings, auth.salesforce(settings), headers=HEADERS, **LIMITS)

    async def look(http: HttpClient) -> Sequence[ProbeLine]:
        version = settings.api_version.removeprefix("v") or KIND.default_api_version
        query = urlencode({"q": QUERY}, quote_via=quote)
        response = await http.read("GET", f"/services/data/v{version}/query", query=query)
        if response.status in (400, 403):  # INVALID_TYPE: the object is not there for this user
            return [credentials_accepted(), ProbeLine("role", Grade.FAILED, str(refusal(response)), _ADVICE)]
        if response.status >= 300:
            raise refusal(response)
        seen = "experiments are visible" if query_page(response).ids else "experiments are visible; there are none yet"
        return [credentials_accepted(), ProbeLine("role", Grade.OK, f"{seen}; that it may write shows with an apply")]

    return await probed(settings, client, look)
