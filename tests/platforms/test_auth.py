"""Tokens and signatures: who asks for them, how often, where they are kept, and what is said when there are none."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from reconciler.errors import BadAnswer, NotSent, ReconcilerError, Unauthorized, UsageProblem
from reconciler.platforms import auth as auths
from reconciler.platforms.auth import OAuth1, RenewedToken
from reconciler.platforms.http import HttpClient
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.session import ConnectionSettings

SECRETS = {"client_id": "client-7f3a", "client_secret": "secret-51c2", "refresh_token": "refresh-aa01"}
BASE = "https://mine.my.salesforce.com"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Time:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now, self.sleep)


class Platform:
    """A token endpoint that numbers its tokens, and an API that takes those in `valid` only."""

    def __init__(self, **extra: Any) -> None:
        self.extra = extra
        self.forms: list[dict[str, str]] = []
        self.token_urls: list[str] = []
        self.calls: list[httpx.Request] = []
        self.valid: set[str] = set()
        self.accept_new = True
        self.answers: list[httpx.Response | Exception] = []
        self.transport = httpx.MockTransport(self.serve)

    async def serve(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if not ("token" in request.url.path or "accessToken" in request.url.path):
            self.calls.append(request)
            good = request.headers["authorization"].removeprefix("Bearer ") in self.valid
            return httpx.Response(200 if good else 401, json={"ok": good})
        self.token_urls.append(str(request.url))
        assert "authorization" not in request.headers
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        token = f"access-{len(self.forms):04}"
        if self.accept_new:
            self.valid.add(token)
        return httpx.Response(200, json={"access_token": token, "token_type": "Bearer", **self.extra})


def settings_of(platform: str, auth: dict[str, str], **how: Any) -> ConnectionSettings:
    how.setdefault("base_url", BASE if platform == "salesforce" else "https://api.linkedin.com")
    return ConnectionSettings(name="c1", platform=platform, api_version="1", auth=auth, **how)


def client_of(server: Platform, settings: ConnectionSettings, time: Time | None = None, ci: bool = False) -> HttpClient:
    clock = (time or Time()).clock
    make = auths.linkedin if settings.platform == "linkedin" else auths.salesforce
    return HttpClient(settings, make(settings, clock=clock, ci=ci), transport=server.transport, clock=clock)


# --- bearer --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_linkedin_refreshes_before_the_first_call_and_early_before_the_end() -> None:
    server, time = Platform(expires_in=3600), Time()
    client = client_of(server, settings_of("linkedin", SECRETS), time)
    assert (await client.read("GET", "/rest/x")).status == 200
    assert server.forms == [{"grant_type": "refresh_token", **SECRETS}]
    assert server.token_urls == [auths.LINKEDIN_TOKEN_URL]
    time.now += 3539
    await client.read("GET", "/rest/x")
    assert len(server.forms) == 1
    time.now += 1  # 60 seconds before the end
    await client.read("GET", "/rest/x")
    assert len(server.forms) == 2
    assert server.calls[-1].headers["authorization"] == "Bearer access-0002"
    assert client.requests == 3


@pytest.mark.anyio
async def test_a_short_lived_token_is_used_nevertheless() -> None:
    server, time = Platform(expires_in=30), Time()
    client = client_of(server, settings_of("linkedin", SECRETS), time)
    await client.read("GET", "/x")
    await client.read("GET", "/x")
    assert len(server.forms) == 1
    time.now += 15
    await client.read("GET", "/x")
    assert len(server.forms) == 2


@pytest.mark.anyio
async def test_many_calls_share_one_token_request_and_one_renewal() -> None:
    server = Platform()
    client = client_of(server, settings_of("salesforce", SECRETS))
    await asyncio.gather(*(client.read("GET", "/x") for _ in range(50)))
    assert len(server.forms) == 1
    server.valid.clear()  # the session is over on the server's side
    answers = await asyncio.gather(*(client.write("PATCH", "/x", json={}) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len(server.forms) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("write", [True, False])
async def test_a_second_401_is_final(write: bool) -> None:
    server = Platform()
    server.accept_new = False
    client = client_of(server, settings_of("salesforce", SECRETS))
    with pytest.raises(Unauthorized, match=r"connections\.c1\.auth") as caught:
        await (client.write("POST", "/x", json={}) if write else client.read("GET", "/x"))
    assert len(server.forms) == 2
    assert len(server.calls) == 2
    assert_no_secret(str(caught.value))


@pytest.mark.anyio
async def test_a_fixed_token_is_not_asked_for_again() -> None:
    server = Platform()
    client = client_of(server, settings_of("linkedin", {"access_token": "fixed-token-1"}))
    with pytest.raises(Unauthorized):
        await client.write("POST", "/x", json={})
    assert len(server.calls) == 1
    assert server.forms == []


def assert_no_secret(text: str) -> None:
    for secret in (*SECRETS.values(), "access-0"):
        assert secret not in text


@pytest.mark.anyio
async def test_invalid_grant_asks_for_consent() -> None:
    server = Platform()
    body = {"error": "invalid_grant", "error_description": f"token {SECRETS['refresh_token']} \x1b revoked"}
    server.answers = [httpx.Response(400, json=body)]
    with pytest.raises(Unauthorized, match="go through the consent page again") as caught:
        await client_of(server, settings_of("linkedin", SECRETS)).write("POST", "/x", json={})
    assert caught.value.code == "invalid_grant"
    assert_no_secret(str(caught.value))
    assert str(caught.value).isprintable()
    assert len(server.forms) == 1
    assert server.calls == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(200, html="<html>login</html>"), "text/html"),
        (httpx.Response(200, json={"token": "x"}), "no usable access_token"),
        (httpx.Response(200, json=["access_token"]), "no usable access_token"),
        (httpx.Response(200, json={"access_token": "a\r\nX: b"}), "no usable access_token"),
        (httpx.Response(200, json={"access_token": 7}), "no usable access_token"),
        (httpx.Response(200, json={"access_token": "abc-123", "expires_in": "soon"}), "expires_in"),
        (httpx.Response(200, content=b'{"access_token": "abc'), "no usable access_token"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "HTTP 302"),
        (httpx.Response(404, html="<html>"), "HTTP 404"),
    ],
)
async def test_useless_answers_of_the_token_endpoint(answer: httpx.Response, says: str) -> None:
    server = Platform()
    server.answers = [answer]
    with pytest.raises(NotSent) as caught:
        await client_of(server, settings_of("salesforce", SECRETS)).write("POST", "/x", json={})
    assert says in str(caught.value)
    assert "the token endpoint mine.my.salesforce.com" in str(caught.value)
    assert_no_secret(str(caught.value))
    assert "abc-123" not in str(caught.value)
    assert server.calls == []


@pytest.mark.anyio
async def test_a_token_endpoint_in_trouble_is_asked_again() -> None:
    server = Platform()
    server.answers = [httpx.Response(503), httpx.ReadTimeout("slow"), httpx.Response(429, headers={"retry-after": "5"})]
    client = client_of(server, settings_of("salesforce", SECRETS))
    assert (await client.read("GET", "/x")).status == 200
    assert len(server.forms) == 4
    server = Platform()
    server.answers = [httpx.ConnectError("refused")] * 40
    with pytest.raises(NotSent, match="no token from") as caught:
        await client_of(server, settings_of("salesforce", SECRETS)).read("GET", "/x")
    assert len(server.forms) == 4  # not four for every attempt of the read
    assert server.calls == []
    assert_no_secret(str(caught.value))


@pytest.mark.anyio
async def test_a_failed_renewal_leaves_no_stale_token() -> None:
    server = Platform()
    client = client_of(server, settings_of("salesforce", SECRETS))
    await client.read("GET", "/x")
    server.valid.clear()
    server.answers = [httpx.Response(400, json={"error": "invalid_client"})]
    with pytest.raises(Unauthorized):
        await client.read("GET", "/x")
    assert (await client.read("GET", "/x")).status == 200
    assert len(server.calls) == 3


# --- Salesforce ----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_client_credentials_and_instance_url() -> None:
    server = Platform(instance_url="https://na1.salesforce.com/")
    auth = {"client_id": "client-7f3a", "client_secret": "secret-51c2"}
    client = client_of(server, settings_of("salesforce", auth, base_url=BASE + "/"))
    await client.read("GET", "/services/data/v65.0/x", query="a=1")
    assert server.forms == [{"grant_type": "client_credentials", **auth}]
    assert server.token_urls == [BASE + "/services/oauth2/token"]
    assert str(server.calls[0].url) == "https://na1.salesforce.com/services/data/v65.0/x?a=1"


@pytest.mark.anyio
@pytest.mark.parametrize("instance", ["http://evil.example", "javascript:x", "https://a@b", "", 7, "https://a?x"])
async def test_an_unsafe_instance_url_gets_nothing(instance: Any) -> None:
    server = Platform(instance_url=instance)
    with pytest.raises(BadAnswer, match="instance_url"):
        await client_of(server, settings_of("salesforce", SECRETS)).write("POST", "/x", json={})
    assert server.calls == []


@pytest.mark.anyio
async def test_refresh_token_without_a_secret() -> None:
    server = Platform()
    auth = {
        "client_id": "client-7f3a",
        "refresh_token": "refresh-aa01",
        "token_url": "https://login.salesforce.com/t/token",
    }
    await client_of(server, settings_of("salesforce", auth)).read("GET", "/x")
    assert server.forms == [
        {"grant_type": "refresh_token", "client_id": "client-7f3a", "refresh_token": "refresh-aa01"}
    ]
    assert server.token_urls == ["https://login.salesforce.com/t/token"]


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["text", "one line", "file"])
async def test_jwt_bearer(how: str, tmp_path: Path) -> None:
    auth = {"client_id": "client-7f3a", "username": "ci@example.com"}
    match how:
        case "text":
            auth["private_key"] = pem(RSA_KEY)
        case "one line":
            auth["private_key"] = pem(RSA_KEY).replace("\n", "\\n")
        case "file":
            (tmp_path / "key.pem").write_text(pem(RSA_KEY))
            auth |= {"private_key_file": str(tmp_path / "key.pem"), "audience": "https://test.salesforce.com"}
    server = Platform()
    settings = settings_of("salesforce", auth)
    maker = auths.salesforce(settings, ci=False)
    assert isinstance(maker, RenewedToken)
    maker.endpoint.grant.now = lambda: 4_000_000_000.0  # type: ignore[attr-defined]
    await HttpClient(settings, maker, transport=server.transport, clock=Time().clock).read("GET", "/x")
    (form,) = server.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    audience = "https://test.salesforce.com" if how == "file" else "https://login.salesforce.com"
    claims = jwt.decode(form["assertion"], RSA_KEY.public_key(), algorithms=["RS256"], audience=audience)
    assert claims == {"iss": "client-7f3a", "sub": "ci@example.com", "aud": audience, "exp": 4_000_000_180}


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ({"private_key": "not a key"}, "private_key is not an unencrypted PEM"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "not an RSA key"),
        ({"private_key_file": "/nonexistent/key.pem"}, "private_key_file cannot be read"),
    ],
)
def test_keys_that_cannot_be_used(key: dict[str, str], says: str) -> None:
    settings = settings_of("salesforce", {"client_id": "c", "username": "u", **key})
    with pytest.raises(UsageProblem, match=says) as caught:
        auths.salesforce(settings)
    assert "BEGIN PRIVATE KEY-----\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://login.example.com/token", "ftp://x", "https://u:p@h/token", "x"])
def test_token_urls_that_are_not_safe(url: str) -> None:
    with pytest.raises(UsageProblem, match="token_url"):
        auths.linkedin(settings_of("linkedin", {**SECRETS, "token_url": url}))


@pytest.mark.parametrize(
    ("make", "platform", "given"),
    [
        (auths.linkedin, "linkedin", {"client_id": "c"}),
        (auths.salesforce, "salesforce", {"client_id": "c"}),
        (auths.salesforce, "salesforce", {"client_id": "c", "private_key": "k"}),
        (auths.x_ads, "x-ads", {"consumer_key": "c"}),
    ],
)
def test_missing_keys_are_named(make: Any, platform: str, given: dict[str, str]) -> None:
    with pytest.raises(ReconcilerError, match=r"connections\.c1\.auth lacks"):
        make(settings_of(platform, given))


# --- rotated refresh tokens ----------------------------------------------------------------------------------------


async def run_once(cache_dir: str | None, rotated: str | None, given: str = "refresh-aa01", ci: bool = False) -> Any:
    server = Platform(**({"refresh_token": rotated} if rotated else {}))
    announced: list[str] = []
    settings = settings_of(
        "linkedin", {**SECRETS, "refresh_token": given}, cache_dir=cache_dir, announce=announced.append
    )
    client = client_of(server, settings, ci=ci)
    await client.read("GET", "/x")
    server.valid.clear()
    await client.read("GET", "/x")
    return [form["refresh_token"] for form in server.forms], announced


@pytest.mark.anyio
async def test_a_rotated_token_is_used_kept_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "tokens"
    used, announced = await run_once(str(folder), "refresh-bb02")
    assert (used, announced) == (["refresh-aa01", "refresh-bb02"], [])
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "client-7f3a" not in file.name
    assert "refresh-aa01" not in file.read_text()
    used, _ = await run_once(str(folder), None)
    assert used == ["refresh-bb02", "refresh-bb02"]  # the next run starts from the kept one
    used, _ = await run_once(str(folder), None, given="refresh-cc03")
    assert used == ["refresh-cc03", "refresh-cc03"]  # somebody consented anew: the kept one is not used


@pytest.mark.anyio
async def test_a_damaged_cache_file_is_not_trusted(tmp_path: Path) -> None:
    await run_once(str(tmp_path / "c"), "refresh-bb02")
    (file,) = (tmp_path / "c").iterdir()
    for text in ("", "{", "[]", json.dumps({"from": "x", "refresh_token": "evil"}), '{"from": null}', "\x00"):
        file.write_text(text)
        used, _ = await run_once(str(tmp_path / "c"), None)
        assert used == ["refresh-aa01"] * 2


@pytest.mark.anyio
async def test_warnings_where_a_rotated_token_does_not_last(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, ci, says in [
        (None, False, "no cache folder"),
        (str(tmp_path / "file" / "x"), False, "cannot be kept"),
        (str(tmp_path / "ci"), True, "does not outlive a CI run"),
    ]:
        used, announced = await run_once(folder, "refresh-bb02", ci=ci)
        assert used == ["refresh-aa01", "refresh-bb02"]
        assert len(announced) == 1
        assert says in announced[0]
        assert_no_secret(announced[0])


# --- OAuth 1.0a ----------------------------------------------------------------------------------------------------

AB_TESTS = "https://ads-api.x.com/12/accounts/a1/ab_tests"
DURING = quote("2020-11-01T08:00:00Z,2020-12-01T08:00:00Z", safe="")


@pytest.mark.parametrize(
    ("method", "url", "signature"),
    [
        ("GET", f"{AB_TESTS}?live_during={DURING}&count=1000&with_deleted=true", "OGXyd6DZtRdPxNcmFtSvcBkFvbg="),
        ("POST", AB_TESTS, "ldICPpSm46fh6qyIVcxobQJAtWM="),
        ("PUT", f"{AB_TESTS}/hr7l0", "At2PUEoRGKSuEUb1DNR7tMzxdgE="),
        ("DELETE", f"{AB_TESTS}/hr7l0", "E7uAdB3U4Honni5FfC9JVDliwpY="),
    ],
)
def test_signing_vectors(method: str, url: str, signature: str) -> None:
    header = OAuth1("ck", "cs", "tk", "ts", nonce="n", timestamp="1").sign(method, url)
    assert f'oauth_signature="{quote(signature, safe="")}"' in header
    assert header.startswith("OAuth ")


@pytest.mark.parametrize(
    ("host", "signature"),
    [("api.x.com", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="), ("api.twitter.com", "hCtSmYh+iHYCEqBWrE7C7hYmtUk=")],
)
def test_the_platforms_worked_example(host: str, signature: str) -> None:
    """X's page "Creating a signature" (doc D11); its form parameters stand in the query here, which signs alike."""
    signer = OAuth1(
        "xvz1evFS4wEEPTGEFPHBog",
        "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
        "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        timestamp="1318622958",
    )
    text = quote("Hello Ladies + Gentlemen, a signed OAuth request!", safe="")
    header = signer.sign("POST", f"https://{host}/1.1/statuses/update.json?include_entities=true&status={text}")
    assert quote(signature, safe="") in header


@pytest.mark.anyio
async def test_every_attempt_is_signed_anew_and_bodies_are_not_signed() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200 if len(seen) > 1 else 429, headers={"retry-after": "1"})

    auth = dict.fromkeys(("consumer_key", "consumer_secret", "access_token", "access_token_secret"), "some-key")
    settings = settings_of("x-ads", auth, base_url="https://ads-api.x.com")
    client = HttpClient(settings, auths.x_ads(settings), transport=httpx.MockTransport(answer), clock=Time().clock)
    await client.write("POST", "/12/accounts/a1/ab_tests", json={"a": 1})
    assert len(seen) == 2
    nonces = {header.partition("oauth_nonce=")[2].partition(",")[0] for header in seen}
    assert len(nonces) == 2
    assert all("body_hash" not in header for header in seen)
