"""
How a connection proves who it is: `Authorization` headers, and where the calls go.

`linkedin`, `salesforce` and `x_ads` choose by the keys of a connection's `auth`. Nothing here sends by itself: the HTTP
client hands in a function that posts a form, so that the HTTP library stays in one module.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.errors import UsageProblem
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.redact import Redactor
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.token_cache import TokenCache
from reconciler.platforms.tokens import (
    SALESFORCE_AUDIENCE,
    ClientCredentials,
    Grant,
    JwtBearer,
    PostForm,
    RefreshToken,
    Token,
    TokenEndpoint,
    load_private_key,
)

# While signing, the library logs the token and all that is signed, at level DEBUG.
logging.getLogger("oauthlib").setLevel(logging.INFO)

LINKEDIN_TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"
"""linkedin.md 13 (doc D13, D15)."""
SALESFORCE_TOKEN_PATH = "/services/oauth2/token"
"""salesforce.md 6 (doc D36)."""
EARLY_S = 60.0
"""A token is renewed this long before it runs out."""
_NOT_SECRET = frozenset({"token_url", "audience", "private_key_file"})


class Authorizer(Protocol):
    """What the HTTP client asks before it sends."""

    async def base_url(self, post: PostForm, redact: Redactor) -> str | None:
        """Give the address that calls go to where the platform names it (`instance_url`), else None."""
        ...

    async def header(self, method: str, url: str, post: PostForm, redact: Redactor) -> str:
        """Give the `Authorization` header of one attempt; made anew for every attempt."""
        ...

    async def renew(self, failed: str, post: PostForm, redact: Redactor) -> bool:
        """Tell, after a 401 to the header `failed`, whether another is to be had: then the call may go out again."""
        ...


def secrets_of(auth: Mapping[str, str]) -> tuple[str, ...]:
    """Give the values of a connection's `auth` that must not be shown."""
    return tuple(value for name, value in auth.items() if name not in _NOT_SECRET and value)


@dataclass
class FixedToken:
    """A bearer token given as it is; there is no other when it is refused."""

    access_token: str = field(repr=False)

    async def base_url(self, post: PostForm, redact: Redactor) -> str | None:
        return None

    async def header(self, method: str, url: str, post: PostForm, redact: Redactor) -> str:
        return f"Bearer {self.access_token}"

    async def renew(self, failed: str, post: PostForm, redact: Redactor) -> bool:
        return False


@dataclass
class RenewedToken:
    """
    A bearer token fetched from a token endpoint when first needed, early before it runs out, and after a 401.

    However many calls wait for it, one request fetches it. After a 401 it is fetched anew only when the token in use
    is still the one that failed.
    """

    endpoint: TokenEndpoint
    clock: Clock = field(default_factory=Clock)
    _token: Token | None = field(default=None, init=False, repr=False)
    _renew_at: float = field(default=float("inf"), init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def base_url(self, post: PostForm, redact: Redactor) -> str | None:
        return (await self._current(post, redact)).instance_url

    async def header(self, method: str, url: str, post: PostForm, redact: Redactor) -> str:
        return _bearer(await self._current(post, redact))

    async def renew(self, failed: str, post: PostForm, redact: Redactor) -> bool:
        async with self._lock:
            if self._token is not None and _bearer(self._token) == failed:
                await self._fetch(post, redact)
        return True

    async def _current(self, post: PostForm, redact: Redactor) -> Token:
        async with self._lock:
            if self._token is None or self.clock.monotonic() >= self._renew_at:
                return await self._fetch(post, redact)
            return self._token

    async def _fetch(self, post: PostForm, redact: Redactor) -> Token:
        self._token = None
        asked_at = self.clock.monotonic()
        token = await self.endpoint.fetch(post, redact)
        self._renew_at = float("inf")
        if token.lifetime_s is not None:  # at least a moment of use, or a short-lived token would never be used at all
            self._renew_at = asked_at + max(token.lifetime_s - EARLY_S, token.lifetime_s / 2)
        self._token = token
        return token


def _bearer(token: Token) -> str:
    return f"Bearer {token.access}"


@dataclass
class OAuth1:
    """
    OAuth 1.0a with HMAC-SHA1: a new nonce and timestamp on every attempt. JSON bodies are not signed (x-ads.md 7).

    `nonce` and `timestamp` fix them for tests.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)
    nonce: str | None = None
    timestamp: str | None = None

    async def base_url(self, post: PostForm, redact: Redactor) -> str | None:
        return None

    async def header(self, method: str, url: str, post: PostForm, redact: Redactor) -> str:
        return self.sign(method, url)

    async def renew(self, failed: str, post: PostForm, redact: Redactor) -> bool:
        return False

    def sign(self, method: str, url: str) -> str:
        """Give the header of a request whose body is not a form; `url` as it is sent, query included."""
        from oauthlib.oauth1 import Client

        client = Client(
            self.consumer_key,
            self.consumer_secret,
            self.access_token,
            self.access_token_secret,
            nonce=self.nonce,
            timestamp=self.timestamp,
        )
        _, headers, _ = client.sign(url, method)  # type: ignore[arg-type,unused-ignore]  # any HTTP method
        return str(headers["Authorization"])


def linkedin(settings: ConnectionSettings, *, clock: Clock | None = None, ci: bool | None = None) -> Authorizer:
    """Give LinkedIn's: `access_token`, or `client_id`, `client_secret` and `refresh_token` (contract 3)."""
    auth = settings.auth
    if auth.get("access_token"):
        return _fixed(settings)
    _need(settings, "client_id", "client_secret", "refresh_token")
    token_url = auth.get("token_url") or LINKEDIN_TOKEN_URL
    return _renewed(settings, token_url, _refresh(settings, token_url, ci), clock)


def salesforce(settings: ConnectionSettings, *, clock: Clock | None = None, ci: bool | None = None) -> Authorizer:
    """Give Salesforce's: an access token, JWT bearer, refresh token, or client credentials, by the keys given."""
    auth = settings.auth
    if auth.get("access_token"):
        return _fixed(settings)
    token_url = auth.get("token_url") or settings.base_url.rstrip("/") + SALESFORCE_TOKEN_PATH
    grant: Grant
    if auth.get("refresh_token"):
        _need(settings, "client_id")
        grant = _refresh(settings, token_url, ci)
    elif auth.get("private_key") or auth.get("private_key_file"):
        _need(settings, "client_id", "username")
        key = load_private_key(auth, settings.name)
        grant = JwtBearer(auth["client_id"], auth["username"], key, auth.get("audience") or SALESFORCE_AUDIENCE)
    else:
        _need(settings, "client_id", "client_secret")
        grant = ClientCredentials(auth["client_id"], auth["client_secret"])
    return _renewed(settings, token_url, grant, clock)


def x_ads(settings: ConnectionSettings) -> Authorizer:
    """Give X's: OAuth 1.0a user context with its four secrets."""
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    _need(settings, *names)
    return OAuth1(*(settings.auth[name] for name in names))


def _fixed(settings: ConnectionSettings) -> FixedToken:
    token = settings.auth["access_token"]
    if not token.isascii():
        raise UsageProblem(f"connections.{settings.name}.auth.access_token holds a character that no token has")
    return FixedToken(token)


def _renewed(settings: ConnectionSettings, token_url: str, grant: Grant, clock: Clock | None) -> RenewedToken:
    clock = clock or Clock()
    return RenewedToken(TokenEndpoint(settings.name, token_url, grant, clock), clock)


def _refresh(settings: ConnectionSettings, token_url: str, ci: bool | None) -> RefreshToken:
    auth = settings.auth
    short_lived = bool(os.environ.get("CI")) if ci is None else ci
    cache = TokenCache(
        settings.cache_dir, settings.name, auth["client_id"], token_url, settings.announce, short_lived=short_lived
    )
    return RefreshToken(auth["client_id"], auth.get("client_secret"), auth["refresh_token"], cache)


def _need(settings: ConnectionSettings, *names: str) -> None:
    missing = [name for name in names if not settings.auth.get(name)]
    if missing:
        raise UsageProblem(f"connections.{settings.name}.auth lacks {', '.join(missing)}")
