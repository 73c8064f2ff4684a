"""Salesforce Personalization: experiments through the Connect REST API resource `abn-experiments`."""

from __future__ import annotations

from reconciler.platforms.salesforce.facts import DEFAULT_API_VERSION
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings, Platform, Session


def _connect(settings: ConnectionSettings) -> Session:
    from reconciler.platforms.salesforce.client import SalesforceSession

    return SalesforceSession.open(settings)


PLATFORM = Platform(
    name="salesforce",
    title="Salesforce Personalization",
    kinds=(KIND,),
    connect=_connect,
    default_base_url=None,
    default_api_version=DEFAULT_API_VERSION,
    auth_shapes=(
        frozenset({"access_token"}),
        frozenset({"client_id", "client_secret"}),
        frozenset({"client_id", "username", "private_key"}),
        frozenset({"client_id", "username", "private_key_file"}),
        frozenset({"client_id", "refresh_token"}),
    ),
    auth_optional=frozenset({"client_secret", "token_url", "audience"}),
    refreshes=frozenset({"full", "incremental"}),
    reads_one_by_one=True,
)
