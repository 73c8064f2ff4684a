"""
OAuth 1.0a, HMAC-SHA1, verified for real on every request.

The platform names seven `oauth_*` values in an `Authorization: OAuth` header and nothing else, so any other `oauth_*`
name (`oauth_body_hash`, `oauth_callback`, ...) is refused, and so are OAuth values in the query. A body is part of the
signature only when it is `application/x-www-form-urlencoded` (RFC 5849 section 3.4.1.3.1); JSON is never signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from urllib.request import parse_http_list

from oauthlib.oauth1.rfc5849 import signature, utils  # type: ignore[import-untyped,unused-ignore]
from starlette.requests import Request

from reconciler.emulator.world import Table
from reconciler.emulator.x_ads.refusals import Refusal, refusal

NAMES = frozenset(
    f"oauth_{name}"
    for name in ("consumer_key", "nonce", "signature", "signature_method", "timestamp", "token", "version")
)
LEEWAY_S = 300
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Caller:
    """The user whose token signed the request, and that user's permissions by account id."""

    user_id: str
    username: str
    permissions: dict[str, list[str]]

    def shown(self) -> dict[str, str]:
        """Give the form used in `created_by` and `updated_by`."""
        return {"user_id": self.user_id, "username": self.username}


@dataclass(frozen=True)
class _Secrets:
    client_secret: str
    resource_owner_secret: str


class Gate:
    """
    Lets signed requests in.

    Nonces are remembered for as long as their timestamp would be accepted, in this process only: they belong to real
    time, not to the world's clock, and are not written to the world's file.
    """

    def __init__(self, credentials: Callable[[], Table], real_time: Callable[[], float]) -> None:
        self._credentials = credentials
        self._real_time = real_time
        self._nonces: dict[tuple[str, str, str], float] = {}

    def admit(self, request: Request, body: bytes) -> Caller:
        """Give the caller of a correctly signed request. Raises `Refusal` with status 401 for any other."""
        header, oauth = _oauth_values(request)
        now = self._real_time()
        stamp = oauth["oauth_timestamp"]
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
            raise _unauthorized("oauth_timestamp is not a whole number of seconds")
        if abs(now - int(stamp)) > LEEWAY_S:
            raise _unauthorized("oauth_timestamp is more than 5 minutes away from the server's time")
        row = self._credentials().get(oauth["oauth_token"])
        if row is None or row["consumer_key"] != oauth["oauth_consumer_key"]:
            raise _unauthorized("unknown consumer key or access token")
        expected = _signature(request, header, body, row)
        if not hmac.compare_digest(expected.encode(), oauth["oauth_signature"].encode()):
            raise _unauthorized("the signature does not match")
        self._use(oauth, now)
        return Caller(row["user_id"], row["username"], row["accounts"])

    def _use(self, oauth: dict[str, str], now: float) -> None:
        if len(self._nonces) > 10_000:
            self._nonces = {key: until for key, until in self._nonces.items() if until > now}
        key = (oauth["oauth_consumer_key"], oauth["oauth_token"], oauth["oauth_nonce"])
        if self._nonces.get(key, 0.0) > now:
            raise _unauthorized("oauth_nonce was used before")
        self._nonces[key] = now + 2 * LEEWAY_S


def _oauth_values(request: Request) -> tuple[str, dict[str, str]]:
    headers = request.headers.getlist("authorization")
    if len(headers) != 1 or not headers[0].lower().startswith("oauth "):
        raise _unauthorized("one Authorization header of the scheme OAuth is required")
    names = [item.partition("=")[0].strip() for item in parse_http_list(headers[0][6:])]
    if len(names) != len(set(names)):
        raise _unauthorized("a parameter of the Authorization header is given twice")
    try:
        values = {name: utils.unescape(value) for name, value in utils.parse_authorization_header(headers[0])}
    except ValueError:
        raise _unauthorized("the Authorization header cannot be read") from None
    values.pop("realm", None)
    if set(values) != NAMES or not all(values.values()):
        odd = ", ".join(sorted(set(values) ^ NAMES)) or "an empty value"
        raise _unauthorized(f"exactly the seven oauth values are expected; check {odd}")
    if values["oauth_signature_method"] != "HMAC-SHA1" or values["oauth_version"] != "1.0":
        raise _unauthorized("oauth_signature_method must be HMAC-SHA1 and oauth_version 1.0")
    return headers[0], values


def _signature(request: Request, header: str, body: bytes, row: dict[str, Any]) -> str:
    raw_path = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    query = request.scope["query_string"].decode("latin-1")
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    try:
        params = signature.collect_parameters(
            uri_query=query, body=body.decode("latin-1") if form else None, headers={"Authorization": header}
        )
        if (
            any(name.startswith("oauth_") and name not in NAMES for name, _ in params)
            or len([name for name, _ in params if name in NAMES]) != len(NAMES) - 1
        ):
            raise _unauthorized("oauth values belong in the Authorization header only")
        uri = signature.base_string_uri(
            f"{request.url.scheme}://host{raw_path.decode('latin-1')}", request.headers.get("host", "")
        )
    except ValueError as error:
        raise refusal(400, "ILLEGAL_CHARACTERS", "The request cannot be decoded", details=str(error)) from None
    sign: Any = signature  # its stubs name neither pairs as parameters nor every method
    text = sign.signature_base_string(request.method, uri, sign.normalize_parameters(params))
    secrets = _Secrets(row["consumer_secret"], row["access_token_secret"])
    return str(signature.sign_hmac_sha1_with_client(text, secrets))


def _unauthorized(details: str) -> Refusal:
    message = "This request is not properly authenticated"
    return refusal(401, "UNAUTHORIZED_ACCESS", message, details=details)
