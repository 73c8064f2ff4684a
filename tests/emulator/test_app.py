"""The shared server: sockets, faults, control routes, seeds, and what is on disk when an answer is out."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import requests

from reconciler.emulator.app import build
from reconciler.emulator.faults import Faults, parse_faults
from reconciler.emulator.seed import default_seed, seed_from
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World, open_world

HEADERS = {
    "Authorization": "Bearer emulator-linkedin-token",
    "LinkedIn-Version": "202609",
    "X-RestLi-Protocol-Version": "2.0.0",
}


def body(world: World, **changes: Any) -> dict[str, Any]:
    urn = "urn:li:sponsoredCampaign:"
    return {
        "account": "urn:li:sponsoredAccount:123",
        "name": "headline",
        "keyMetric": "CPC",
        "confidence": 90,
        "scheduledStartAt": world.now_ms() + 86_400_000,
        "scheduledEndAt": world.now_ms() + 30 * 86_400_000,
        "userIntendedState": "ACTIVE",
        "cells": [
            {"name": "a", "trafficWeight": 50, "reference": {"campaign": f"{urn}1001"}},
            {"name": "b", "trafficWeight": 50, "reference": {"campaign": f"{urn}1002"}},
        ],
        **changes,
    }


class Site:
    """A server with faults of its own."""

    def __init__(self, world: World, *faults: dict[str, Any]) -> None:
        self.world = world
        self.server = EmulatorServer(world, faults=Faults.parse(list(faults)))

    def __enter__(self) -> Site:
        self.server.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.server.stop()

    def send(self, method: str, path: str, value: Any = None) -> requests.Response:
        url = self.server.base_url("linkedin") + path
        return requests.request(method, url, json=value, headers=HEADERS, timeout=10)

    def create(self) -> requests.Response:
        return self.send("POST", "/rest/adExperiments", body(self.world))

    def stored(self) -> list[str]:
        return list(self.world.table("linkedin", "experiments"))


class TestFaults:
    def test_a_status_instead_of_the_platform(self, world: World) -> None:
        do = {"status": 503, "headers": {"Retry-After": "3"}, "body": {"message": "busy"}}
        with Site(world, {"match": {"method": "post"}, "times": 2, "do": do}) as site:
            for _ in range(2):
                answer = site.create()
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
                assert answer.json() == {"message": "busy"}
                assert answer.headers["Content-Type"] == "application/json"
            assert site.stored() == []
            assert site.create().status_code == 201

    def test_after_lets_requests_through_first(self, world: World) -> None:
        with Site(world, {"match": {"path": "/rest/adExp"}, "after": 2, "do": {"status": 500}}) as site:
            statuses = [site.send("GET", "/rest/adExperiments/1").status_code for _ in range(4)]
        assert statuses == [404, 404, 500, 404]

    def test_match_looks_at_platform_path_and_query(self, world: World) -> None:
        faults = (
            {"match": {"platform": "x-ads"}, "times": 9, "do": {"status": 500}},
            {"match": {"path": "^/linkedin/rest/adExperiments$", "query": "^q=search&"}, "do": {"status": 502}},
        )
        with Site(world, *faults) as site:
            assert site.send("GET", "/rest/adExperiments?ids=List(1)").status_code == 200
            assert site.send("GET", "/rest/adExperiments?q=search&search=()").status_code == 502

    def test_drop_before_leaves_no_trace(self, world: World) -> None:
        with Site(world, {"match": {"method": "POST"}, "do": {"drop": "before"}}) as site:
            with pytest.raises(requests.ConnectionError):
                site.create()
            assert site.stored() == []
            assert site.create().status_code == 201

    def test_drop_after_has_done_the_work(self, world: World, tmp_path: Path) -> None:
        world.path = tmp_path / "world.json"
        with Site(world, {"match": {"method": "POST"}, "do": {"drop": "after"}}) as site:
            with pytest.raises(requests.ConnectionError):
                site.create()
            assert site.stored() == ["40001"]
            assert "40001" in json.loads(world.path.read_text())["tables"]["linkedin"]["experiments"]
            assert site.create().status_code == 409

    def test_an_error_after_the_work_is_done(self, world: World) -> None:
        with Site(world, {"match": {"method": "POST"}, "do": {"status": 500, "commit": True}}) as site:
            assert site.create().status_code == 500
            assert site.stored() == ["40001"]

    def test_truncated_body(self, world: World) -> None:
        with Site(world, {"match": {"method": "POST"}, "do": {"truncate": 10}}) as site:
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                site.create()
            assert site.stored() == ["40001"]
            with httpx.Client() as client, pytest.raises(httpx.RemoteProtocolError):
                faulty = Faults.parse([{"do": {"truncate": 3}}])
                site.server._app.faults = faulty
                client.get(site.server.base_url("linkedin") + "/rest/adExperiments/1", headers=HEADERS)

    def test_dropped_connection_as_httpx_sees_it(self, world: World) -> None:
        with Site(world, {"do": {"drop": "before"}}) as site, httpx.Client() as client:
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(site.server.base_url("linkedin") + "/rest/adExperiments/1", headers=HEADERS)
            assert client.get(site.server.base_url("linkedin") + "/rest/x", headers=HEADERS).status_code == 404

    def test_delay(self, world: World) -> None:
        with Site(world, {"do": {"delay": 0.5}}) as site, pytest.raises(requests.Timeout):
            requests.get(site.server.base_url("linkedin") + "/rest/x", headers=HEADERS, timeout=0.1)

    def test_stale_read_sees_the_state_before_the_last_write(self, world: World) -> None:
        with Site(world, {"match": {"method": "GET"}, "do": {"stale": True}}) as site:
            number = site.create().json()["id"]
            assert site.send("GET", f"/rest/adExperiments/{number}").status_code == 404
            assert site.send("GET", f"/rest/adExperiments/{number}").status_code == 200

    def test_stale_read_ignores_refused_writes(self, world: World) -> None:
        with Site(world, {"match": {"method": "GET"}, "after": 1, "do": {"stale": True}}) as site:
            number = site.create().json()["id"]
            assert site.send("GET", f"/rest/adExperiments/{number}").status_code == 200
            assert site.create().status_code == 409
            assert site.send("GET", f"/rest/adExperiments/{number}").status_code == 404

    def test_a_reset_connection(self, world: World) -> None:
        with Site(world, {"do": {"drop": "after", "reset": True}}) as site, pytest.raises(httpx.ReadError):
            httpx.get(site.server.base_url("linkedin") + "/rest/adExperiments/1", headers=HEADERS)

    def test_a_body_that_comes_in_drips(self, world: World) -> None:
        with Site(world, {"do": {"drip": 0.05}}) as site, httpx.Client() as client:
            address = site.server.base_url("linkedin") + "/rest/adExperiments/1"
            began = time.monotonic()
            slow = client.get(address, headers=HEADERS)
            assert time.monotonic() - began > 0.5
            assert slow.content == client.get(address, headers=HEADERS).content

    def test_a_person_meanwhile(self, world: World) -> None:
        """The answer shows what was; the next one what the person has made of it; unknown ids are left alone."""
        with Site(world) as site:
            number = site.create().json()["id"]
            site.server._app.faults = Faults.parse(
                [{"do": {"edit": {number: {"name": "by hand"}, "7": {}}}}, {"do": {"remove": [number]}}]
            )
            seen = [site.send("GET", f"/rest/adExperiments/{number}") for _ in range(3)]
            assert [answer.json().get("name") for answer in seen] == ["headline", "by hand", None]
            assert seen[2].status_code == 404

    def test_a_clock_that_is_off(self, world: World) -> None:
        with Site(world, {"do": {"clock": 90 * 86_400}}) as site:
            assert site.create().status_code == 422, "its start has passed by that clock"
            assert site.create().status_code == 201

    def test_control_routes_are_never_hit(self, world: World) -> None:
        with Site(world, {"times": 99, "do": {"status": 500}}) as site:
            assert requests.get(site.server.control_url + "/clock", timeout=10).status_code == 200

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ({}, "faults: a list"),
            ([1], r"faults\[0\]: a mapping"),
            ([{}], "'do' is missing"),
            ([{"do": {}}], "says nothing"),
            ([{"do": {"status": 500}}, {"do": {"sttus": 500}}], r"faults\[1\].do: unknown key 'sttus'"),
            ([{"do": {"status": 42}}], "status"),
            ([{"do": {"status": 600}}], "600"),
            ([{"do": {"drop": "during"}}], "'before' or 'after'"),
            ([{"do": {"drop": "after", "status": 500}}], "exclude"),
            ([{"do": {"body": "x"}}], "'body' needs 'status'"),
            ([{"do": {"delay": -1}}], "seconds"),
            ([{"do": {"stale": "yes"}}], "true or false"),
            ([{"do": {"reset": True}}], "'reset' needs 'drop'"),
            ([{"do": {"edit": {"1": 2}}}], "edit"),
            ([{"do": {"remove": "1"}}], "remove"),
            ([{"do": {"clock": "1h"}}], "clock"),
            ([{"do": {"status": 500}, "times": 0}], "times"),
            ([{"do": {"status": 500}, "match": {"path": "("}}], "regular expression"),
            ([{"do": {"status": 500}, "match": {"platform": "linkdin"}}], "linkdin"),
            ([{"do": {"status": 500}, "match": {"method": 1}}], "text"),
        ],
    )
    def test_bad_files(self, value: object, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            parse_faults(value)


class TestControl:
    def test_clock(self, world: World) -> None:
        with EmulatorServer(world) as server:
            url = server.control_url + "/clock"
            there = requests.post(url, json={"to": "2027-01-01T00:00:00Z"}, timeout=10).json()
            assert there["now"] == "2027-01-01T00:00:00+00:00"
            on = requests.post(url, json={"advance": 90}, timeout=10).json()
            assert on["now"] == requests.get(url, timeout=10).json()["now"] == "2027-01-01T00:01:30+00:00"
            for bad in (
                {},
                {"to": "2027-01-01"},
                {"to": "soon"},
                {"advance": "1"},
                {"advance": 1e30},
                {"advance": True},
            ):
                assert requests.post(url, json=bad, timeout=10).status_code == 400
            assert world.now() == datetime(2027, 1, 1, 0, 1, 30, tzinfo=UTC)

    def test_requests_are_listed_with_what_was_sent(self, world: World) -> None:
        with Site(world, {"match": {"method": "GET"}, "do": {"drop": "before"}}) as site:
            sent = body(world)
            site.send("POST", "/rest/adExperiments", sent)
            with pytest.raises(requests.ConnectionError):
                site.send("GET", "/rest/adExperiments?ids=List(1)")
            listed = requests.get(site.server.control_url + "/requests", timeout=10).json()
            path = "/linkedin/rest/adExperiments"
            assert listed == [
                {"platform": "linkedin", "method": "POST", "path": path, "query": "", "body": sent, "status": 201},
                {
                    "platform": "linkedin",
                    "method": "GET",
                    "path": path,
                    "query": "ids=List(1)",
                    "body": None,
                    "status": None,
                },
            ]
            assert requests.post(site.server.control_url + "/requests/reset", timeout=10).status_code == 204
            assert requests.get(site.server.control_url + "/requests", timeout=10).json() == []

    def test_tables_and_people(self, world: World) -> None:
        with EmulatorServer(world) as server:
            row = requests.get(server.control_url + "/tables/linkedin/campaigns", timeout=10).json()["1001"]
            assert row["status"] == "ACTIVE"
            assert requests.get(server.control_url + "/tables/linkedin/nothing", timeout=10).status_code == 404
            for bad in ({}, {"platform": "google", "id": "1", "changes": {}}, {"platform": "linkedin", "id": "1"}):
                assert requests.post(server.control_url + "/edit", json=bad, timeout=10).status_code == 400

    @pytest.mark.parametrize("platform", ["linkedin", "x-ads", "salesforce"])
    def test_people_reach_every_platform(self, world: World, platform: str) -> None:
        with EmulatorServer(world) as server:
            for action in ("edit", "remove"):
                sent = {"platform": platform, "id": "no-such-id", "changes": {}}
                assert requests.post(f"{server.control_url}/{action}", json=sent, timeout=10).status_code == 404


class TestSeeds:
    def test_defaults_of_all_platforms(self) -> None:
        data = default_seed(datetime(2027, 3, 1, tzinfo=UTC))
        assert set(data["tables"]) == {"linkedin", "x-ads", "salesforce"}
        assert all(data["tables"].values())
        assert abs(World(data).now() - datetime(2027, 3, 1, tzinfo=UTC)) < timedelta(seconds=5)
        assert json.loads(json.dumps(data)) == data

    def test_hand_written_rows_are_completed(self) -> None:
        urn = "urn:li:sponsored"
        accounts = {"accounts": {5: {}}, "campaignGroups": {6: {"account": f"{urn}Account:5"}}}
        row = {"account": f"{urn}Account:5", "campaignGroup": f"{urn}CampaignGroup:6"}
        world = World(seed_from({"linkedin": {**accounts, "campaigns": {1001: row, 1002: dict(row)}}}))
        stored = body(world, account=f"{urn}Account:5")
        world.table("linkedin", "experiments")["40001"] = stored
        with Site(world) as site:
            assert site.send("GET", "/rest/adExperiments/40001").json()["executionState"] == "PENDING"
            answer = site.send("POST", "/rest/adExperiments", {**body(world), "account": f"{urn}Account:5"})
            assert answer.status_code == 409
            site.send("DELETE", "/rest/adExperiments/40001")
            assert site.send("POST", "/rest/adExperiments", body(world, account=f"{urn}Account:5")).status_code == 201

    @pytest.mark.parametrize(
        ("table", "row", "words"),
        [
            ("campaigns", {}, "linkedin.campaigns.1.account: a URN"),
            ("campaigns", {"account": "urn:li:sponsoredAccount:1"}, "linkedin.campaigns.1.campaignGroup"),
            ("experiments", {}, "linkedin.experiments.1/account: .*required"),
        ],
    )
    def test_rows_that_cannot_be_completed(self, table: str, row: dict[str, Any], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            build(World(seed_from({"linkedin": {table: {1: row}}})))

    def test_fresh_objects_each_time(self) -> None:
        first = default_seed()
        first["tables"]["linkedin"]["campaigns"].clear()
        assert default_seed()["tables"]["linkedin"]["campaigns"]

    def test_a_file_takes_the_place_of_whole_tables(self) -> None:
        data = seed_from({"clock": "2027-01-01T00:00:00Z", "linkedin": {"campaigns": {1: {"id": 1}}}})
        assert data["tables"]["linkedin"]["campaigns"] == {"1": {"id": 1}}
        assert "123" in data["tables"]["linkedin"]["accounts"]
        assert data["tables"]["x-ads"] == default_seed()["tables"]["x-ads"]
        assert abs(World(data).now() - datetime(2027, 1, 1, tzinfo=UTC)) < timedelta(seconds=5)

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ([], "a mapping is expected"),
            ({"linkdin": {}}, "unknown key 'linkdin'"),
            ({"clock": "yesterday"}, "seed.clock"),
            ({"clock": "2027-01-01T00:00:00"}, "offset"),
            ({"linkedin": []}, "seed.linkedin: a mapping"),
            ({"linkedin": {"campaigns": []}}, "seed.linkedin.campaigns: a mapping"),
            ({"linkedin": {"campaigns": {"1": 2}}}, "seed.linkedin.campaigns.1"),
        ],
    )
    def test_bad_files(self, value: object, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            seed_from(value)


class TestServer:
    def test_every_platform_answers_below_its_prefix(self, world: World) -> None:
        with EmulatorServer(world) as server:
            for platform in ("linkedin", "x-ads", "salesforce"):
                assert server.base_url(platform) == f"http://127.0.0.1:{server.port}/{platform}"
                assert requests.get(server.base_url(platform) + "/no/such/thing", timeout=10).status_code in (401, 404)
            assert requests.get(f"http://127.0.0.1:{server.port}/other", timeout=10).status_code == 404

    def test_a_taken_port_is_said_so(self, world: World) -> None:
        with EmulatorServer(world) as server, pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}"):
            EmulatorServer(World(default_seed()), port=server.port).__enter__()

    def test_a_port_is_free_again_after_the_stop(self, world: World) -> None:
        with EmulatorServer(world) as server:
            session = requests.Session()
            session.get(server.control_url + "/clock", timeout=10)
            port = server.port
        with EmulatorServer(world, port=port) as again:
            assert again.port == port

    def test_answers_are_not_held_back_by_the_network(self, world: World) -> None:
        with EmulatorServer(world) as server, requests.Session() as session:
            took = []
            for _ in range(10):
                took.append(session.get(server.control_url + "/clock", timeout=10).elapsed.total_seconds())
        assert sorted(took)[5] < 0.03

    def test_a_failing_handler_is_a_plain_500(self, world: World) -> None:
        with Site(world) as site:
            number = site.create().json()["id"]
            del world.table("linkedin", "experiments")[str(number)]["account"]
            answer = site.send("GET", f"/rest/adExperiments/{number}")
            assert (answer.status_code, answer.json()["status"]) == (500, 500)
            world.table("linkedin", "experiments").clear()
            assert site.send("GET", f"/rest/adExperiments/{number}").status_code == 404

    def test_concurrent_creates_of_one_campaign_leave_one(self, world: World) -> None:
        with Site(world) as site:
            statuses: list[int] = []
            threads = [threading.Thread(target=lambda: statuses.append(site.create().status_code)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(statuses) == [201] + [409] * 7
            assert site.stored() == ["40001"]

    def test_in_process_without_a_socket(self, world: World) -> None:
        async def go() -> tuple[int, int]:
            transport = httpx.ASGITransport(app=build(world))
            async with httpx.AsyncClient(transport=transport, base_url="http://x/linkedin", headers=HEADERS) as client:
                made = await client.post("/rest/adExperiments", json=body(world))
                found = await client.get(f"/rest/adExperiments?ids=List({made.json()['id']},1)")
                return made.status_code, len(found.json()["results"])

        assert anyio.run(go) == (201, 1)

    def test_a_dropped_connection_in_process(self, world: World) -> None:
        async def go() -> None:
            faults = Faults.parse([{"do": {"drop": "after"}}])
            transport = httpx.ASGITransport(app=build(world, faults))
            async with httpx.AsyncClient(transport=transport, base_url="http://x/linkedin", headers=HEADERS) as client:
                await client.post("/rest/adExperiments", json=body(world))

        with pytest.raises(ConnectionResetError):
            anyio.run(go)
        assert list(world.table("linkedin", "experiments")) == ["40001"]


class TestStandAlone:
    CODE = """
import sys
from pathlib import Path
from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import run_forever
from reconciler.emulator.world import open_world
run_forever(open_world(Path(sys.argv[1]), default_seed()), 0, announce=lambda line: print(line, flush=True))
print("stopped")
"""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_announces_serves_and_stops_cleanly(self, tmp_path: Path, number: int) -> None:
        path = tmp_path / "world.json"
        command = [sys.executable, "-c", self.CODE, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            urls = dict(process.stdout.readline().split() for _ in range(3))
            assert list(urls) == ["linkedin", "x-ads", "salesforce"]
            assert (
                requests.get(urls["linkedin"] + "/rest/adExperiments/1", headers=HEADERS, timeout=10).status_code == 404
            )
            process.send_signal(number)
            assert process.stdout.read() == "stopped\n"
            assert process.wait(timeout=10) == 0
        assert open_world(path, {}).table("linkedin", "accounts")


class TestData:
    def test_what_was_answered_is_on_disk(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "world.json"
        with Site(open_world(path, default_seed())) as site:
            number = site.create().json()["id"]
            again = open_world(path, {})
            assert again.table("linkedin", "experiments")[str(number)]["name"] == "headline"
            assert again.next_number("linkedin.experiment", 40001) == number + 1
            requests.post(site.server.control_url + "/clock", json={"advance": 86_400 * 2}, timeout=10)
        ticked = open_world(path, {})
        assert ticked.data["clockOffset"] == 86_400 * 2
        assert list(tmp_path.rglob("*.tmp")) == []

    def test_the_clock_moves_the_stored_state(self, tmp_path: Path) -> None:
        path = tmp_path / "world.json"
        with Site(open_world(path, default_seed())) as site:
            number = site.create().json()["id"]
            requests.post(site.server.control_url + "/clock", json={"advance": 86_400 * 2}, timeout=10)
            site.send("GET", f"/rest/adExperiments/{number}")
        row = open_world(path, {}).table("linkedin", "experiments")[str(number)]
        assert row["executionState"] == "RUNNING"

    @pytest.mark.parametrize("text", ["{", "[]", "{}"])
    def test_another_file_is_no_world(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "world.json"
        path.write_text(text)
        with pytest.raises(ValueError, match="not an emulator data file"):
            open_world(path, default_seed())

    def test_the_world_needs_no_server_library(self) -> None:
        code = "import sys, reconciler.emulator.world; print(sorted({'starlette', 'uvicorn'} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_the_emulator_shares_no_code_with_the_planner() -> None:
    root = Path(__file__).parents[2] / "reconciler" / "emulator"
    strangers = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "."] if node.level == 0 else ["."]
            strangers += [
                f"{path.name}: {name}"
                for name in names
                if name == "." or (name.split(".")[0] == "reconciler" and not name.startswith("reconciler.emulator"))
            ]
    assert len(list(root.rglob("*.py"))) > 20
    assert strangers == []
