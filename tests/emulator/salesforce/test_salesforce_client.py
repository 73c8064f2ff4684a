"""
An independent client over a real socket: simple-salesforce, unchanged, and plain requests under the prefix.

simple-salesforce speaks https and keeps no path of `instance_url`, so it is served the platform at the root, over TLS
with a certificate made for the test.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.types import Receive, Scope, Send

from reconciler.emulator import salesforce
from reconciler.emulator.world import World

EXPERIMENTS = "personalization/abn-experiments/"


@contextlib.contextmanager
def served(app: Any, **tls: str) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", **tls))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.002)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = server.force_exit = True  # clients may keep their connections open
        thread.join(10)


def certificate(folder: Path) -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "key.pem", folder / "cert.pem"
    paths[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    paths[1].write_bytes(made.public_bytes(Encoding.PEM))
    return str(paths[0]), str(paths[1])


@pytest.fixture
def live() -> World:
    """Give a world that runs with real time."""
    return World({"tables": {"salesforce": salesforce.seed()}})


def rooted(world: World) -> Any:
    from starlette.applications import Starlette

    inner = Starlette(routes=salesforce.routes(world))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        salesforce.tick(world)
        await inner(scope, receive, send)

    return app


@pytest.fixture
def client(live: World, tmp_path: Path) -> Iterator[Any]:
    simple_salesforce = pytest.importorskip("simple_salesforce")
    key, cert = certificate(tmp_path)
    with served(rooted(live), ssl_keyfile=key, ssl_certfile=cert) as port:
        session = requests.Session()
        session.verify = cert
        session.trust_env = False
        form = {
            "grant_type": "client_credentials",
            "client_id": "emulator-client",
            "client_secret": "emulator-secret",
        }
        token = session.post(f"https://127.0.0.1:{port}/services/oauth2/token", data=form).json()
        assert token["instance_url"] == f"https://127.0.0.1:{port}"
        yield simple_salesforce.Salesforce(
            session_id=token["access_token"], instance_url=token["instance_url"], version="65.0", session=session
        )


def settled(client: Any, name: str) -> dict[str, Any]:
    for _ in range(100):
        shown: dict[str, Any] = client.restful(EXPERIMENTS + name)
        if shown["status"] != "Processing":
            return shown
        time.sleep(0.05)
    raise AssertionError("still Processing after 5 seconds")


def test_simple_salesforce_through_a_life(client: Any, make_body: Callable[..., Any]) -> None:
    from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

    made = client.restful(EXPERIMENTS, method="POST", data=json.dumps(make_body()))
    assert made["status"] == "Processing"
    assert client.api_usage["api-usage"].used == 1
    assert settled(client, "testExp50")["status"] == "Active"
    path = EXPERIMENTS + made["id"]
    for action, state in (("Start", "Started"), ("Stop", "Stopped"), ("Archive", "Archived")):
        assert client.restful(path, params={"action": action}, method="PATCH", data="{}")["state"] == state
        assert settled(client, "testExp50")["state"] == state
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.restful(path, params={"action": "Start"}, method="PATCH", data="{}")
    assert refused.value.content[0]["errorCode"] == "INVALID_OPERATION"
    with pytest.raises(SalesforceResourceNotFound):
        client.restful(EXPERIMENTS + "nothing")
    assert client.limits()["DailyApiRequests"]["Max"] == 100000


def test_simple_salesforce_reads_all_pages(client: Any, live: World, make_body: Callable[..., Any]) -> None:
    live.table("salesforce", "settings")["default"]["page_size"] = 2
    for number in range(5):
        client.restful(EXPERIMENTS, method="POST", data=json.dumps(make_body(name=f"e{number}")))
    soql = "SELECT DeveloperName, DataSpace.DataSpaceApiName FROM AbnExperiment ORDER BY DeveloperName"
    answer = client.query_all(soql)
    assert (answer["totalSize"], answer["done"]) == (5, True)
    assert [record["DeveloperName"] for record in answer["records"]] == [f"e{number}" for number in range(5)]
    assert {record["DataSpace"]["DataSpaceApiName"] for record in answer["records"]} == {"default"}


def test_simple_salesforce_tells_an_ended_session(client: Any, live: World) -> None:
    from simple_salesforce.exceptions import SalesforceExpiredSession

    live.advance(datetime.timedelta(hours=3))
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM AbnExperiment")


def test_the_served_emulator_under_its_prefix(live: World, make_body: Callable[..., Any]) -> None:
    from reconciler.emulator.seed import default_seed
    from reconciler.emulator.serve import EmulatorServer

    with EmulatorServer(World(default_seed())) as server, requests.Session() as session:
        session.trust_env = False
        base = server.base_url("salesforce")
        form = {
            "grant_type": "client_credentials",
            "client_id": "emulator-client",
            "client_secret": "emulator-secret",
        }
        token = session.post(f"{base}/services/oauth2/token", data=form).json()
        assert token["instance_url"] == base
        session.headers["Authorization"] = f"Bearer {token['access_token']}"
        root = f"{token['instance_url']}/services/data/v65.0"
        made = session.post(f"{root}/{EXPERIMENTS}", json=make_body())
        assert made.status_code == 201
        assert session.get(token["instance_url"] + made.json()["url"]).json()["name"] == "testExp50"
        listed = session.get(f"{root}/query", params={"q": "SELECT Id FROM AbnExperiment"}).json()
        assert [record["Id"] for record in listed["records"]] == [made.json()["id"]]
        assert session.put(f"{root}/{EXPERIMENTS}testExp50", json={}).status_code == 405
        assert session.head(f"{root}/{EXPERIMENTS}testExp50").status_code == 200
