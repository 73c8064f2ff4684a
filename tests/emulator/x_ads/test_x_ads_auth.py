"""The signature: the page's vectors, and every way to be turned away."""

from __future__ import annotations

import time

import pytest
from oauthlib.oauth1 import Client
from starlette.applications import Starlette

from reconciler.emulator import x_ads
from reconciler.emulator.world import World

URL = "http://testserver/x-ads/12/accounts/18ce54d4x5t/ab_tests"
KEYS = ("emulator-ck", "emulator-cs", "emulator-tk", "emulator-ts")
LIVE = "live_during=2020-11-01T08%3A00%3A00Z%2C2020-12-01T08%3A00%3A00Z&count=1000&with_deleted=true"


def signed(method="GET", url=URL, keys=KEYS, **options):
    return Client(*keys, **options).sign(url, method)[1]["Authorization"]


def get(ads, header, url=URL, **headers):
    return ads.http.request("GET", url, headers={"Authorization": header, **headers})


@pytest.mark.parametrize(
    ("method", "path", "signature", "status"),
    [
        ("GET", f"/12/accounts/a1/ab_tests?{LIVE}", "OGXyd6DZtRdPxNcmFtSvcBkFvbg%3D", 200),
        ("POST", "/12/accounts/a1/ab_tests", "ldICPpSm46fh6qyIVcxobQJAtWM%3D", 400),
        ("PUT", "/12/accounts/a1/ab_tests/hr7l0", "At2PUEoRGKSuEUb1DNR7tMzxdgE%3D", 404),
        ("DELETE", "/12/accounts/a1/ab_tests/hr7l0", "E7uAdB3U4Honni5FfC9JVDliwpY%3D", 404),
    ],
)
def test_the_vectors_of_the_page(in_process, method, path, signature, status):
    tables = x_ads.seed()
    row = {**tables["credentials"]["emulator-tk"], "consumer_key": "ck", "consumer_secret": "cs"}
    row.update(access_token="tk", access_token_secret="ts", accounts={"a1": ["AD_MANAGER"]})
    tables["credentials"] = {"tk": row}
    tables["accounts"]["a1"] = {**tables["accounts"]["acc2"], "id": "a1"}
    app = Starlette(routes=x_ads.routes(World({"tables": {"x-ads": tables}}), real_time=lambda: 30.0))
    http = in_process(app)

    def send(signature):
        header = (
            'OAuth oauth_consumer_key="ck", oauth_token="tk", oauth_nonce="n", oauth_timestamp="1", '
            f'oauth_signature_method="HMAC-SHA1", oauth_version="1.0", oauth_signature="{signature}"'
        )
        content = b'{"name": ""}' if method in ("POST", "PUT") else b""
        headers = {"Authorization": header, "Content-Type": "application/json"}
        return http.request(method, f"https://ads-api.x.com{path}", content=content, headers=headers).status_code

    assert send("z" + signature[1:]) == 401
    assert send(signature) == status
    assert send(signature) == 401, "the nonce was used"


def test_the_envelope(ads):
    answer = ads.http.request("GET", URL)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED_ACCESS"
    assert answer.json()["request"] == {"params": {"account_id": "18ce54d4x5t"}}


def test_a_realm_is_no_part_of_the_signature(ads):
    assert get(ads, signed(realm="ads")).status_code == 200


@pytest.mark.parametrize(
    "keys",
    [
        ("wrong", "emulator-cs", "emulator-tk", "emulator-ts"),
        ("emulator-ck", "wrong", "emulator-tk", "emulator-ts"),
        ("emulator-ck", "emulator-cs", "wrong", "emulator-ts"),
        ("emulator-ck", "emulator-cs", "emulator-tk", "wrong"),
        ("emulator-ck", "emulator-cs", "emulator-viewer-tk", "emulator-ts"),
    ],
)
def test_wrong_keys(ads, refused, keys):
    assert refused(get(ads, signed(keys=keys)), 401) == [("UNAUTHORIZED_ACCESS", None)]


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("/x-ads", ""),
        URL.replace("http:", "https:"),
        URL.replace("testserver", "ads-api.x.com"),
        URL + "?count=1",
        URL.replace("/12/", "/11/"),
    ],
)
def test_signed_for_another_url(ads, refused, url):
    assert refused(get(ads, signed(url=url)), 401) == [("UNAUTHORIZED_ACCESS", None)]


def test_signed_for_another_method(ads, refused):
    assert refused(get(ads, signed("POST")), 401) == [("UNAUTHORIZED_ACCESS", None)]


@pytest.mark.parametrize(("away", "status"), [(-400, 401), (400, 401), (-200, 200), (200, 200)])
def test_the_timestamp_is_near_real_time_wherever_the_worlds_clock_is(ads, away, status):
    assert get(ads, signed(timestamp=str(int(time.time()) + away))).status_code == status


def test_a_nonce_is_good_once(ads):
    header = signed(nonce="n1")
    assert [get(ads, header).status_code for _ in range(2)] == [200, 401]
    assert get(ads, signed(nonce="n1", timestamp=str(int(time.time()) - 9))).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.replace("OAuth ", "Bearer "),
        lambda header: header + ', oauth_nonce="again"',
        lambda header: header + ', oauth_version="1.0"',
        lambda header: header + ', oauth_body_hash="2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D"',
        lambda header: header.replace('oauth_version="1.0", ', ""),
        lambda header: header.replace('oauth_version="1.0"', 'oauth_version="2.0"'),
        lambda header: header.replace("HMAC-SHA1", "PLAINTEXT"),
        lambda header: header.split(", oauth_signature=")[0],
        lambda header: header.replace('oauth_timestamp="', 'oauth_timestamp="x'),
        lambda header: "OAuth nonsense",
    ],
)
def test_broken_headers(ads, refused, change):
    header = signed()
    assert change(header) != header
    assert refused(get(ads, change(header)), 401) == [("UNAUTHORIZED_ACCESS", None)]


def test_other_methods_of_signing(ads, refused):
    assert refused(get(ads, signed(signature_method="HMAC-SHA256")), 401) == [("UNAUTHORIZED_ACCESS", None)]


def test_values_in_the_query_do_not_count(ads, refused):
    url, _, _ = Client(*KEYS, signature_type="QUERY").sign(URL)
    assert refused(ads.http.request("GET", url), 401) == [("UNAUTHORIZED_ACCESS", None)]


def test_a_form_is_signed_and_then_refused_for_its_type(ads, refused):
    url, headers, body = Client(*KEYS).sign(
        URL, "POST", "name=x", {"Content-Type": "application/x-www-form-urlencoded"}
    )
    answer = ads.http.request("POST", url, content=body, headers=headers)
    assert refused(answer) == [("INVALID_PARAMETER", "Content-Type")]
    headers["Authorization"] = signed("POST")
    answer = ads.http.request("POST", url, content=body, headers=headers)
    assert refused(answer, 401) == [("UNAUTHORIZED_ACCESS", None)]
