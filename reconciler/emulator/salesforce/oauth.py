"""
The token endpoint: client credentials, JWT bearer and refresh token.

Answers have the documented keys and no `expires_in`; errors are the OAuth object, not the data API's array.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reconciler.emulator.salesforce.http import Endpoint
from reconciler.emulator.salesforce.sessions import new_session
from reconciler.emulator.salesforce.tables import setting, table
from reconciler.emulator.world import Row, World

TOKEN_PATH = "/services/oauth2/token"
ORG_ID = "00DSB00000000012AA"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class TokenRefused(Exception):
    """No token is given: the OAuth error word, its description and an HTTP status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def token_endpoint(world: World) -> Endpoint:
    """Give the endpoint of `/services/oauth2/token`."""

    async def serve(request: Request) -> Response:
        raw_body = await request.body()
        headers = {"Cache-Control": "no-store"}
        try:
            answer = _token(world, request, raw_body)
        except TokenRefused as refused:
            content = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(content, refused.status, headers)
        return JSONResponse(answer, headers=headers)

    return serve


def own_url(request: Request) -> str:
    """Give the base URL by which the client reached this platform: scheme, host and what precedes `/services`."""
    return f"{request.url.scheme}://{request.url.netloc}{request.url.path.partition('/services/')[0]}"


def _token(world: World, request: Request, raw_body: bytes) -> dict[str, Any]:
    if request.method != "POST":
        raise TokenRefused("invalid_request", "must use HTTP POST", 405)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise TokenRefused("unsupported_grant_type", "grant type not supported")
    try:
        form = dict(parse_qsl(raw_body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise TokenRefused("invalid_request", "the form cannot be read") from None
    match form.get("grant_type"):
        case "client_credentials":
            client_id = form.get("client_id", "")
            client = _client(world, client_id)
            _check_secret(client, form.get("client_secret"), needed=True)
            return _grant(world, request, client, client["runAs"])
        case "refresh_token":
            return _refresh(world, request, form)
        case grant if grant == JWT_GRANT:
            return _bearer(world, request, form.get("assertion", ""))
    raise TokenRefused("unsupported_grant_type", "grant type not supported")


def _client(world: World, client_id: str) -> Row:
    client = table(world, "clients").get(client_id)
    if client is None:
        raise TokenRefused("invalid_client_id", "client identifier invalid")
    return client


def _check_secret(client: Row, given: str | None, *, needed: bool) -> None:
    if given is None and not needed:
        return
    if not hmac.compare_digest((given or "").encode(), str(client["clientSecret"]).encode()):
        raise TokenRefused("invalid_client", "invalid client credentials")


def _refresh(world: World, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
    client_id = form.get("client_id", "")
    client = _client(world, client_id)
    _check_secret(client, form.get("client_secret"), needed=False)
    tokens = table(world, "refreshTokens")
    given = form.get("refresh_token", "")
    row = tokens.get(given)
    if row is None or row["clientId"] != client_id:
        raise TokenRefused("invalid_grant", "expired access/refresh token")
    answer = _grant(world, request, client, row["user"])
    if setting(world, "refresh_token_rotation"):
        fresh = f"emulator-refresh-{world.next_number('salesforce.refreshToken', start=2)}"
        tokens[fresh] = tokens.pop(given)
        answer["refresh_token"] = fresh
    return answer


def _bearer(world: World, request: Request, assertion: str) -> dict[str, Any]:
    from reconciler.emulator.salesforce import assertions  # the JWT library is slow to import and seldom needed here

    audiences = (*AUDIENCES, own_url(request), f"{request.url.scheme}://{request.url.netloc}")
    try:
        client = _client(world, assertions.stated_issuer(assertion))
        subject = assertions.subject(assertion, client.get("publicKey"), audiences)
    except assertions.BadAssertion as error:
        raise TokenRefused("invalid_grant", str(error)) from None
    user = next((key for key, row in table(world, "users").items() if row["username"] == subject), None)
    if user is None:
        raise TokenRefused("invalid_grant", "user hasn't approved this consumer")
    return _grant(world, request, client, user)


def _grant(world: World, request: Request, client: Row, user_id: str) -> dict[str, Any]:
    base = own_url(request)
    identity = f"{base}/id/{ORG_ID}/{user_id}"
    issued_at = str(world.now_ms())
    signed = hmac.new(str(client["clientSecret"]).encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
    return {
        "access_token": new_session(world, user_id),
        "id": identity,
        "instance_url": base,
        "issued_at": issued_at,
        "scope": "api",
        "signature": base64.b64encode(signed).decode(),
        "token_format": "opaque",
        "token_type": "Bearer",
    }
