"""LinkedIn: A/B tests of two campaigns, `adExperiments`. Light to import: neither pydantic nor httpx."""

from __future__ import annotations

from reconciler.platforms.linkedin.kinds import LINKEDIN_EXPERIMENT, LinkedInExperiment
from reconciler.platforms.session import ConnectionSettings, Platform, Session


def _connect(settings: ConnectionSettings) -> Session:
    from reconciler.platforms.linkedin.client import connect

    return connect(settings)


PLATFORM = Platform(
    name="linkedin",
    title="LinkedIn",
    kinds=(LINKEDIN_EXPERIMENT,),
    connect=_connect,
    default_base_url="https://api.linkedin.com",
    default_api_version=LinkedInExperiment.default_api_version,
    auth_shapes=(frozenset({"access_token"}), frozenset({"client_id", "client_secret", "refresh_token"})),
    auth_optional=frozenset({"token_url"}),
    account_pattern=r"(urn:li:sponsoredAccount:)?[1-9][0-9]*",
)
