"""
OAuth 2.0 tokens: the four ways of asking for one, and the reading of the answer.

LinkedIn: refresh token (linkedin.md 13). Salesforce: client credentials, JWT bearer, refresh token (salesforce.md 6).
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.errors import BadAnswer, NotSent, Unauthorized, UsageProblem
from reconciler.platforms.ratelimit import Clock, backoff_s, told_wait_s
from reconciler.platforms.redact import Redactor
from reconciler.platforms.token_cache import TokenCache
from reconciler.platforms.urls import host_of, is_loopback, unsafe

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SALESFORCE_AUDIENCE = "https://login.salesforce.com"
JWT_LIFETIME_S = 180
"""Salesforce takes an `exp` a few minutes ahead (salesforce.md 6; at most 3 minutes is assumed safe)."""
ATTEMPTS = 4
MAX_TOLD_WAIT_S = 60.0
NO_TOKEN = "no_token"
"""The `code` of a NotSent that the token endpoint is to blame for; it has been tried several times already."""


@dataclass(frozen=True)
class TokenReply:
    """A token endpoint's answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


PostForm = Callable[[str, Mapping[str, str]], Awaitable[TokenReply]]
"""Sends a form to a URL once; raises NotSent when no answer came."""


@dataclass(frozen=True)
class Token:
    """An access token. `lifetime_s` is None when the answer did not say; `instance_url` is Salesforce's."""

    access: str = field(repr=False)
    lifetime_s: float | None = None
    instance_url: str | None = None


class Grant(Protocol):
    """One way of asking for a token."""

    def form(self) -> Mapping[str, str]:
        """Give the form to post; made anew for every request."""
        ...

    def took(self, answer: Mapping[str, Any]) -> None:
        """Take note of a successful answer (a rotated refresh token)."""
        ...

    @property
    def advice(self) -> str:
        """What a person has to do when the platform calls the grant invalid."""
        ...


@dataclass
class ClientCredentials:
    """Salesforce's client credentials: asked for again whenever a token is over."""

    client_id: str
    client_secret: str = field(repr=False)

    advice = "check client_id and client_secret, and that the app allows client credentials and has an execution user"

    def form(self) -> Mapping[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    def took(self, answer: Mapping[str, Any]) -> None:
        """Nothing to keep."""


@dataclass
class JwtBearer:
    """Salesforce's JWT bearer: a short-lived RS256 assertion, made anew for every request."""

    client_id: str
    username: str
    key: RSAPrivateKey = field(repr=False)
    audience: str = SALESFORCE_AUDIENCE
    now: Callable[[], float] = time.time

    advice = (
        "check client_id, username, audience and that the certificate of private_key is uploaded to the app, "
        "which has to be approved for the user beforehand"
    )

    def form(self) -> Mapping[str, str]:
        import jwt

        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(self.now()) + JWT_LIFETIME_S,
        }
        return {"grant_type": JWT_GRANT, "assertion": jwt.encode(claims, self.key, algorithm="RS256")}

    def took(self, answer: Mapping[str, Any]) -> None:
        """Nothing to keep."""


@dataclass
class RefreshToken:
    """A refresh token, replaced by whatever newer one an answer carries; that one is kept in the cache."""

    client_id: str
    client_secret: str | None = field(repr=False)
    given: str = field(repr=False)
    cache: TokenCache
    _current: str | None = field(default=None, init=False, repr=False)

    advice = (
        "the refresh token is expired or revoked: go through the consent page again and store the new refresh_token"
    )

    @property
    def current(self) -> str:
        """The refresh token to use now."""
        if self._current is None:
            self._current = self.cache.load(self.given)
        return self._current

    def form(self) -> Mapping[str, str]:
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": self.current}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return form

    def took(self, answer: Mapping[str, Any]) -> None:
        fresh = answer.get("refresh_token")
        if isinstance(fresh, str) and fresh and fresh != self.current:
            self._current = fresh
            self.cache.save(self.given, fresh)


def load_private_key(auth: Mapping[str, str], connection: str) -> RSAPrivateKey:
    """
    Give the RSA key of `private_key` (PEM text; `\\n` written out counts as a line end) or `private_key_file`.

    Raises UsageProblem, without quoting it, when there is none or it cannot be used.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    source = "private_key" if auth.get("private_key") else "private_key_file"
    try:
        pem = auth["private_key"].replace("\\n", "\n") if source == "private_key" else _read_key(auth[source])
        key = load_pem_private_key(pem.strip().encode(), None)
    except OSError as error:
        raise UsageProblem(f"{connection}: private_key_file cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageProblem(
            f"{connection}: {source} is not an unencrypted PEM private key (-----BEGIN PRIVATE KEY----- …)"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise UsageProblem(f"{connection}: {source} is not an RSA key; Salesforce's JWT bearer flow needs RS256")
    return key


def _read_key(path: str) -> str:
    return Path(path).expanduser().read_text("utf-8")


@dataclass
class TokenEndpoint:
    """
    Asks one token URL for tokens by one grant. Repeats on 429, 5xx and when no answer came, a few times.

    Raises Unauthorized when the platform refuses, NotSent when no usable answer is to be had (nothing was sent to the
    API itself then), BadAnswer when the answer sends us to an address that is not safe.
    """

    connection: str
    url: str
    grant: Grant
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        if reason := unsafe(self.url):
            raise UsageProblem(f"{self.connection}: token_url {reason}")

    async def fetch(self, post: PostForm, redact: Redactor) -> Token:
        """Give a new access token; every token that comes by is made known to `redact` first."""
        form = self.grant.form()
        for name in ("refresh_token", "client_secret", "assertion"):
            redact.add(form.get(name, ""))
        reply = await self._ask(post, form)
        answer = _object(reply.body)
        for name in ("access_token", "refresh_token", "id_token", "signature"):
            if isinstance(answer.get(name), str):
                redact.add(answer[name])
        if reply.status != 200:
            raise self._refusal(reply, answer, redact)
        token = self._token(reply, answer, redact)
        self.grant.took(answer)
        return token

    async def _ask(self, post: PostForm, form: Mapping[str, str]) -> TokenReply:
        for attempt in range(1, ATTEMPTS + 1):
            wait = backoff_s(attempt)
            try:
                reply = await post(self.url, form)
            except NotSent:
                if attempt == ATTEMPTS:
                    raise
            else:
                if reply.status not in (408, 429) and reply.status < 500:
                    return reply
                told = told_wait_s(reply.headers, limited=reply.status == 429, wall=self.clock.wall())
                if attempt == ATTEMPTS or (told or 0) > MAX_TOLD_WAIT_S:
                    return reply
                wait = max(wait, told or 0.0)
            await self.clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _token(self, reply: TokenReply, answer: Mapping[str, Any], redact: Redactor) -> Token:
        access = answer.get("access_token")
        if not isinstance(access, str) or not access or not access.isascii() or not access.isprintable():
            raise self._unusable(reply, "no usable access_token", redact)
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, str) and lifetime.isdecimal():
            lifetime = int(lifetime)
        if lifetime is not None and (isinstance(lifetime, bool) or not isinstance(lifetime, int | float)):
            raise self._unusable(reply, "an expires_in that is no number", redact)
        return Token(access, float(lifetime) if lifetime is not None else None, self._instance(answer, redact))

    def _instance(self, answer: Mapping[str, Any], redact: Redactor) -> str | None:
        instance = answer.get("instance_url")
        if instance is None:
            return None
        reason = unsafe(instance) if isinstance(instance, str) else "is not text"
        if not reason and is_loopback(host_of(instance)) and not is_loopback(host_of(self.url)):
            reason = "is this machine itself, which a token endpoint elsewhere has no say about"
        if reason:
            shown = redact.excerpt(host_of(str(instance)), 100)
            raise BadAnswer(
                f"{self.connection}: the instance_url of the token answer (host {shown}) {reason}; nothing was sent",
                connection=self.connection,
            )
        return str(instance)

    def _refusal(self, reply: TokenReply, answer: Mapping[str, Any], redact: Redactor) -> Unauthorized | NotSent:
        error = answer.get("error")
        if reply.status >= 500 or reply.status in (408, 429) or not isinstance(error, str):
            return self._unusable(reply, "no token", redact)
        words = redact.excerpt(" ".join(filter(None, (error, str(answer.get("error_description") or "")))), 200)
        advice = self.grant.advice if error.startswith("invalid") else "check the connection's auth"
        return Unauthorized(
            f"{self.connection}: the token endpoint {host_of(self.url)} refuses (HTTP {reply.status}): {words}; "
            f"{advice} (the variables behind connections.{self.connection}.auth)",
            connection=self.connection,
            status=reply.status,
            code=redact.excerpt(error, 100),
        )

    def _unusable(self, reply: TokenReply, what: str, redact: Redactor) -> NotSent:
        kind = redact.excerpt(reply.headers.get("content-type", "") or "none", 60)
        return NotSent(
            f"{self.connection}: the token endpoint {host_of(self.url)} gave {what} (HTTP {reply.status}, content type "
            f'{kind}): "{redact.excerpt(reply.body)}"',
            connection=self.connection,
            status=reply.status,
            code=NO_TOKEN,
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
