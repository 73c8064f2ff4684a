"""X Ads: A/B tests of campaigns and line items."""

from __future__ import annotations

from reconciler.platforms.session import ConnectionSettings, Platform, Session
from reconciler.platforms.x_ads.facts import API_VERSION, BASE_URL, PLATFORM_NAME
from reconciler.platforms.x_ads.kinds import XAdsABTest


def _connect(settings: ConnectionSettings) -> Session:
    """Open a session; the HTTP client is imported here, so that offline commands do not pay for it."""
    from reconciler.platforms.x_ads.client import XAdsSession

    return XAdsSession(settings)


PLATFORM = Platform(
    name=PLATFORM_NAME,
    title="X Ads",
    kinds=(XAdsABTest(),),
    connect=_connect,
    default_base_url=BASE_URL,
    default_api_version=API_VERSION,
    auth_shapes=(frozenset({"consumer_key", "consumer_secret", "access_token", "access_token_secret"}),),
    account_pattern=r"[^\s/]+",
)
