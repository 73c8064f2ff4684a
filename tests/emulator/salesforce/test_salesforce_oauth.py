"""The token endpoint and the life of what it gives."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATH = "/salesforce/services/oauth2/token"
CLIENT = {"client_id": "emulator-client", "client_secret": "emulator-secret"}
CREDENTIALS = {"grant_type": "client_credentials", **CLIENT}
REFRESH = {"grant_type": "refresh_token", "client_id": "emulator-client", "refresh_token": "emulator-refresh"}
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEYS = {"access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope", "token_format"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ask(api: Any, **form: Any) -> Any:
    return api.client.post(PATH, data=form)


def refused(response: Any) -> str:
    content = response.json()
    assert content.keys() == {"error", "error_description"}
    assert content["error_description"]
    assert response.status_code == 400
    return str(content["error"])


def works(api: Any, token: str) -> int:
    response = api.call("GET", "nothing", headers={"Authorization": f"Bearer {token}"})
    return int(response.status_code)


def assertion(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {
        "iss": "emulator-client",
        "sub": "integration@example.com",
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
        **changes,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not ...}, key, algorithm=algorithm)


@pytest.fixture
def uploaded(world: Any) -> None:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    world.table("salesforce", "clients")["emulator-client"]["publicKey"] = pem


def test_client_credentials_give_exactly_the_documented_keys(api: Any) -> None:
    response = ask(api, **CREDENTIALS)
    answer = response.json()
    assert (response.status_code, answer.keys(), answer["token_type"]) == (200, KEYS, "Bearer")
    assert answer["instance_url"] == "http://testserver/salesforce"
    assert answer["id"].startswith("http://testserver/salesforce/id/00D")
    assert works(api, answer["access_token"]) == 404
    assert ask(api, **CREDENTIALS).json()["access_token"] != answer["access_token"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ],
)
def test_refused_credentials(api: Any, changes: dict[str, str], error: str) -> None:
    assert refused(ask(api, **{**CREDENTIALS, **changes})) == error


def test_only_a_form_is_read(api: Any) -> None:
    assert refused(api.client.post(PATH, json=CREDENTIALS)) == "unsupported_grant_type"
    assert refused(api.client.post(PATH, params=CREDENTIALS)) == "unsupported_grant_type"
    assert api.client.get(PATH, params=CREDENTIALS).status_code == 405
    without_secret = {key: value for key, value in CREDENTIALS.items() if key != "client_secret"}
    assert refused(ask(api, **without_secret)) == "invalid_client"


def test_a_token_ends_after_two_hours_without_use(api: Any) -> None:
    token = ask(api, **CREDENTIALS).json()["access_token"]
    for _ in range(3):
        api.wait(7200)
        assert works(api, token) == 404
    api.wait(7201)
    assert works(api, token) == 401
    assert works(api, token) == 401
    assert works(api, "emulator-salesforce-token") == 404


def test_refresh_without_rotation(api: Any) -> None:
    for form in (REFRESH, {**REFRESH, **CLIENT}, REFRESH):
        response = ask(api, **form)
        assert (response.status_code, response.json().keys()) == (200, KEYS)
        assert works(api, response.json()["access_token"]) == 404


def test_rotation_voids_the_old_refresh_token(api: Any, settings: dict[str, Any]) -> None:
    settings["refresh_token_rotation"] = True
    answer = ask(api, **REFRESH).json()
    assert answer.keys() == KEYS | {"refresh_token"}
    assert refused(ask(api, **REFRESH)) == "invalid_grant"
    again = ask(api, **{**REFRESH, "refresh_token": answer["refresh_token"]}).json()
    assert again["refresh_token"] not in (answer["refresh_token"], "emulator-refresh")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"refresh_token": "wrong"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client_id"),
    ],
)
def test_refused_refresh(api: Any, changes: dict[str, str], error: str) -> None:
    assert refused(ask(api, **{**REFRESH, **changes})) == error


@pytest.mark.usefixtures("uploaded")
@pytest.mark.parametrize(
    "audience",
    [
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        "http://testserver/salesforce",
        "http://testserver",
    ],
)
def test_jwt_bearer(api: Any, audience: str) -> None:
    response = ask(api, grant_type=JWT_GRANT, assertion=assertion(aud=audience))
    assert (response.status_code, response.json().keys()) == (200, KEYS)
    assert works(api, response.json()["access_token"]) == 404


@pytest.mark.usefixtures("uploaded")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "nobody"}, "invalid_client_id"),
        ({"iss": ...}, "invalid_client_id"),
        ({"sub": "stranger@example.com"}, "invalid_grant"),
        ({"sub": ...}, "invalid_grant"),
        ({"aud": "https://example.com"}, "invalid_grant"),
        ({"aud": ["https://login.salesforce.com"]}, "invalid_grant"),
        ({"aud": ...}, "invalid_grant"),
        ({"exp": ...}, "invalid_grant"),
    ],
    ids=str,
)
def test_refused_claims(api: Any, changes: dict[str, Any], error: str) -> None:
    assert refused(ask(api, grant_type=JWT_GRANT, assertion=assertion(**changes))) == error


@pytest.mark.usefixtures("uploaded")
@pytest.mark.parametrize("ahead_s", [-60, 3600])
def test_refused_expiries(api: Any, ahead_s: int) -> None:
    expired_or_far = assertion(exp=int(time.time()) + ahead_s)
    assert refused(ask(api, grant_type=JWT_GRANT, assertion=expired_or_far)) == "invalid_grant"


def test_refused_signatures(api: Any, uploaded: None, world: Any) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for text in (
        assertion(stranger),
        assertion("s" * 64, "HS256"),
        assertion(KEY, "RS512"),
        "no.jwt.here",
        "",
    ):
        assert refused(ask(api, grant_type=JWT_GRANT, assertion=text)) == "invalid_grant"
    for unusable in (None, "no key"):
        world.table("salesforce", "clients")["emulator-client"]["publicKey"] = unusable
        assert refused(ask(api, grant_type=JWT_GRANT, assertion=assertion())) == "invalid_grant"


def test_claims_are_judged_by_real_time_not_by_the_worlds(api: Any, uploaded: None) -> None:
    api.wait(86400 * 365)
    assert ask(api, grant_type=JWT_GRANT, assertion=assertion()).status_code == 200
