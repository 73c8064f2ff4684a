"""Clients written by others, over a real socket: requests-oauthlib, and the official SDK's generic request."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from requests_oauthlib import OAuth1Session
from starlette.applications import Starlette
from starlette.routing import Mount

from reconciler.emulator import x_ads
from reconciler.emulator.world import World

KEYS = ("emulator-ck", "emulator-cs", "emulator-tk", "emulator-ts")
START = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
BODY = {
    "name": "over a socket: 50 % ü",
    "entity_type": "CAMPAIGN",
    "start_time": START.isoformat(),
    "end_time": (START + timedelta(days=2)).isoformat(),
    "user_groups": [{"size": "50", "entity_ids": ["c1001"]}, {"size": "50", "entity_ids": ["c1002"]}],
}


@pytest.fixture
def base():
    routes = x_ads.routes(World({"tables": {"x-ads": x_ads.seed()}}))
    app = Starlette(routes=[Mount(x_ads.PREFIX, routes=routes)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.002)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{x_ads.PREFIX}"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def session():
    consumer, consumer_secret, token, token_secret = KEYS
    with OAuth1Session(consumer, consumer_secret, token, token_secret) as session:
        yield session


def test_requests_oauthlib(base, session):
    url = f"{base}/12/accounts/18ce54d4x5t/ab_tests"
    made = session.post(url, json=BODY)
    assert made.status_code == 201, made.text
    remote_id = made.json()["data"]["id"]
    span = ",".join(moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (START, START + timedelta(days=9)))
    query = {"ab_test_ids": f"{remote_id},nosuch", "live_during": span, "q": "over a socket: 50 % ü"}
    found = session.get(url, params=query)
    assert found.json()["data"] == [made.json()["data"]]
    changed = session.put(f"{url}/{remote_id}", json={"name": "renamed"})
    assert changed.json()["data"]["name"] == "renamed"
    assert [session.delete(f"{url}/{remote_id}").status_code for _ in range(2)] == [200, 404]


def test_a_wrong_secret_over_the_socket(base):
    with OAuth1Session(*KEYS[:3], "wrong") as session:
        assert session.get(f"{base}/12/accounts").status_code == 401


def test_the_official_sdk(base):
    sdk = pytest.importorskip("twitter_ads.client")
    errors = pytest.importorskip("twitter_ads.error")
    request = pytest.importorskip("twitter_ads.http").Request
    client = sdk.Client(*KEYS)
    path = "/11/accounts/18ce54d4x5t/ab_tests"
    headers = {"Content-Type": "application/json"}

    def perform(method, resource, **options):
        return request(client, method, resource, domain=base, **options).perform()

    made = perform("post", path, headers=headers, body=json.dumps(BODY)).body["data"]
    assert made["status"] == "SCHEDULED"
    listed = perform("get", path, params={"ab_test_ids": f"{made['id']},nosuch", "with_deleted": "true"})
    assert listed.body["data"] == [made]
    ended = (START + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changed = perform("put", f"{path}/{made['id']}", headers=headers, body=json.dumps({"end_time": ended}))
    assert changed.body["data"]["end_time"] == ended
    with pytest.raises(errors.BadRequest) as refused:
        perform("post", path, headers=headers, body=json.dumps({**BODY, "name": ""}))
    assert refused.value.details[0]["parameter"] == "name"
    assert perform("delete", f"{path}/{made['id']}").body["data"]["deleted"] is True
    with pytest.raises(errors.NotFound):
        perform("delete", f"{path}/{made['id']}")


def test_the_sdks_account_reads(base, monkeypatch):
    http = pytest.importorskip("twitter_ads.http")
    monkeypatch.setattr(http.Request, "_DEFAULT_DOMAIN", base)
    client = pytest.importorskip("twitter_ads.client").Client(*KEYS)
    account = client.accounts("18ce54d4x5t")
    assert account.name == "Emulated account"
    assert sorted(campaign.id for campaign in account.campaigns(count=10))[:2] == ["c1001", "c1002"]
    assert sum(1 for _ in account.line_items(count=10)) == 49
