"""
A laboratory: a project folder, the emulated platforms behind real HTTP, and the real command line between them.

Time stands still until a test moves it; whenever the tool sleeps, the platforms' clock moves on by that much instead.
Every request is recorded as it came over the wire, headers included.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml

from reconciler.cli import common
from reconciler.cli.main import main
from reconciler.emulator.faults import Faults
from reconciler.emulator.seed import PLATFORMS, default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World

T0 = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
PREFIXES = {"linkedin": "/linkedin", "x-ads": "/x-ads", "salesforce": "/salesforce"}
CONNECTIONS = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}
ENVIRONMENT = {
    "LINKEDIN_ACCESS_TOKEN": "emulator-linkedin-token",
    "X_CONSUMER_KEY": "emulator-ck",
    "X_CONSUMER_SECRET": "emulator-cs",
    "X_ACCESS_TOKEN": "emulator-tk",
    "X_ACCESS_TOKEN_SECRET": "emulator-ts",
    "SF_CLIENT_ID": "emulator-client",
    "SF_CLIENT_SECRET": "emulator-secret",
}


def at(days: float, hours: float = 0) -> str:
    """Give the time so many days (and hours) after T0 as a manifest writes it."""
    return (T0 + timedelta(days=days, hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch_ms(text: str) -> int:
    """Give a manifest's time in epoch milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire; `path` is without the platform's prefix."""

    platform: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int | None

    @property
    def writes(self) -> bool:
        """Whether it changes an experiment: no GET, no dry run, no token."""
        if self.method == "GET" or "validateExperimentSetup" in self.query:
            return False
        return "oauth" not in self.path


class Recorder:
    """An ASGI layer that keeps every request with its headers and the status of its answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests: list[Request] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["raw_path"].decode()
        platform = next((name for name, prefix in PREFIXES.items() if path.startswith(prefix + "/")), None)
        if platform is None:
            await self.app(scope, receive, send)
            return
        parts: list[bytes] = []
        status: list[int] = []
        log, entry = self.requests, len(self.requests)
        headers = {name.decode().lower(): text.decode() for name, text in scope["headers"]}
        query = scope["query_string"].decode()
        first = Request(platform, scope["method"], path.removeprefix(PREFIXES[platform]), query, headers, None, None)
        log.append(first)

        async def receiving() -> Any:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        class Sending:
            """Passes answers on; keeps the bound `send`'s owner, which faults reach the socket through."""

            __self__ = getattr(send, "__self__", None)

            async def __call__(self, message: Any) -> None:
                if message["type"] == "http.response.start":
                    status.append(message["status"])
                await send(message)

        await self.app(scope, receiving, Sending())
        text = b"".join(parts)
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text.decode()
        log[entry] = replace(first, body=body, status=status[0] if status else None)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    def must(self, code: int) -> Ran:
        """Give itself; fails the test when the exit code is another one, or a traceback shows."""
        assert "Traceback" not in self.out + self.err, self.err
        assert self.code == code, f"exit {self.code}, not {code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return self


class Server:
    """The one server of a test run, its world made fresh for each test."""

    def __init__(self, real_now: Callable[[], datetime] = lambda: T0) -> None:
        self.world = World(default_seed(), real_now=real_now)
        self.emulator = EmulatorServer(self.world)
        self.app: Any = self.emulator._app
        self.recorder = Recorder(self.app)
        self.emulator._app = self.recorder  # type: ignore[assignment]
        self._fresh = default_seed()

    def reset(self) -> None:
        """Make everything as it was at the start."""
        with self.world.lock:
            self.world.data = copy.deepcopy(self._fresh)
            self.app.faults, self.app._before = Faults(), None
        self.recorder.requests = []

    def base_url(self, platform: str) -> str:
        """Give the base URL of a platform."""
        return self.emulator.base_url(platform)


@dataclass
class Lab:
    """One test's project and platforms."""

    server: Server
    dir: Path
    capsys: pytest.CaptureFixture[str]

    # --- the project ---------------------------------------------------------------------------------------------

    def project(self, **more: Any) -> None:
        """Write the project file, its connections at the emulated platforms; `more` are further keys."""
        auth: dict[str, dict[str, str]] = {
            "linkedin": {"access_token": "${LINKEDIN_ACCESS_TOKEN}"},
            "x-ads": {
                "consumer_key": "${X_CONSUMER_KEY}",
                "consumer_secret": "${X_CONSUMER_SECRET}",
                "access_token": "${X_ACCESS_TOKEN}",
                "access_token_secret": "${X_ACCESS_TOKEN_SECRET}",
            },
            "salesforce": {"client_id": "${SF_CLIENT_ID}", "client_secret": "${SF_CLIENT_SECRET}"},
        }
        accounts = {"linkedin": ["urn:li:sponsoredAccount:123"], "x-ads": ["18ce54d4x5t"]}
        connections = {
            name: {
                "platform": platform,
                "base_url": self.server.base_url(platform),
                "auth": auth[platform],
                **({"accounts": accounts[platform]} if platform in accounts else {}),
            }
            for platform, name in CONNECTIONS.items()
        }
        self.write_file("reconciler.yaml", yaml.safe_dump({"version": 1, "connections": connections, **more}))

    def write_file(self, name: str, text: str | bytes) -> Path:
        """Write a file of the project."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def manifest(self, kind: str, spec: Mapping[str, Any], name: str = "a", **lifecycle: Any) -> str:
        """Write (or write over) a manifest; gives its key."""
        document: dict[str, Any] = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}}
        if lifecycle:
            document["lifecycle"] = lifecycle
        document["spec"] = dict(spec)
        self.write_file(f"experiments/{kind}-{name}.yaml", yaml.safe_dump(document, sort_keys=False))
        return f"{kind}/{name}"

    def unwrite(self, kind: str, name: str = "a") -> None:
        """Remove a manifest."""
        (self.dir / f"experiments/{kind}-{name}.yaml").unlink()

    @property
    def state_file(self) -> Path:
        """The file of the state."""
        return self.dir / ".reconciler" / "state.json"

    def record(self, key: str) -> dict[str, Any]:
        """Give the record of an experiment as the state shows it."""
        shown: dict[str, Any] = self.run("state", "show", key).must(0).json
        return shown

    def remote_id(self, key: str) -> str:
        """Give the remote id of a managed experiment."""
        return str(self.record(key)["remoteId"])

    # --- the command line ------------------------------------------------------------------------------------------

    def run(self, *words: str) -> Ran:
        """Run the command line in this process."""
        self.capsys.readouterr()
        code = main(list(words))
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)

    def plan(self, *words: str, code: int | None = None) -> dict[str, Any]:
        """Plan as JSON; `code` is the exit code that it must have (None: 0 or 3, whichever fits the plan)."""
        ran = self.run("plan", "--format", "json", *words)
        made: dict[str, Any] = ran.must(ran.code if code is None else code).json
        if code is None:
            assert ran.code == (3 if made["summary"]["blocked"] else 0), ran.err
        return made

    def apply(self, *words: str, code: int = 0) -> Ran:
        """Apply without asking."""
        saved = [word for word in words if word.endswith(".json")]
        return self.run("apply", *([] if saved else ["--auto-approve"]), *words).must(code)

    def drift(self, *words: str) -> dict[str, Any]:
        """Give the drift as JSON; its exit code must fit it."""
        ran = self.run("drift", "--format", "json", *words)
        found: dict[str, Any] = ran.must(ran.code).json
        assert ran.code == (2 if found["drift"] else 0), ran.err
        return found

    def settled(self) -> None:
        """Fail unless there is nothing to plan and nothing drifted."""
        made = self.plan(code=0)
        assert made["changes"] == [], made["changes"]
        found = self.drift()
        assert found["drift"] == [], found["drift"]

    # --- the platforms -----------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """Every request since the start or the last `forget_requests`."""
        return self.server.recorder.requests

    @property
    def writes(self) -> list[Request]:
        """Every request that changes an experiment."""
        return [request for request in self.requests if request.writes]

    def forget_requests(self) -> None:
        """Begin counting requests anew."""
        self.server.recorder.requests = []

    def pass_time(self, **span: float) -> None:
        """Let time pass on the platforms, and for the tool."""
        with self.server.world.lock:
            self.server.world.advance(timedelta(**span))

    def now(self) -> datetime:
        """Give the platforms' time."""
        return self.server.world.now()

    def by_hand(self, platform: str, remote_id: str, **changes: Any) -> None:
        """Change something as a person at the platform's own pages."""
        with self.server.world.lock:
            PLATFORMS[platform].tick(self.server.world)
            PLATFORMS[platform].edit(self.server.world, remote_id, changes)

    def take_away(self, platform: str, remote_id: str) -> None:
        """Remove an experiment as a person at the platform's own pages."""
        with self.server.world.lock:
            PLATFORMS[platform].remove(self.server.world, remote_id)

    def table(self, platform: str, name: str) -> dict[str, Any]:
        """Give a table of a platform as it is now."""
        with self.server.world.lock:
            for module in PLATFORMS.values():
                module.tick(self.server.world)
            return copy.deepcopy(self.server.world.table(platform, name))

    def settings(self, **values: Any) -> None:
        """Change settings of the emulated Salesforce."""
        self.server.world.table("salesforce", "settings")["default"].update(values)

    def faults(self, *entries: Mapping[str, Any]) -> None:
        """Let the platforms do wrong from now on, as a faults file says."""
        self.server.app.faults = Faults.parse(list(entries))


def same_calls(sent: list[Request], calls: list[dict[str, Any]]) -> None:
    """Fail unless exactly these calls of a plan were sent, in this order."""
    assert [(one.method, one.path) for one in sent] == [(call["method"], call["path"]) for call in calls]
    for one, call in zip(sent, calls, strict=True):
        assert dict(parse_qsl(one.query)) == call["query"]
        assert one.body == call["body"]
        for name, text in call["headers"].items():
            assert one.headers[name.lower()] == text


@contextmanager
def fast(world: World, patch: pytest.MonkeyPatch) -> Any:
    """Make the tool's waits pass on the world's clock, at once."""
    import httpx._transports.default as transports
    import stamina

    from reconciler import workflow
    from reconciler.platforms import auth, http, ratelimit
    from reconciler.platforms.linkedin import client as linkedin_client
    from reconciler.platforms.salesforce.client import SalesforceSession

    original = workflow.Surroundings
    waited = [0.0]

    async def sleep(seconds: float) -> None:
        waited[0] += seconds
        with world.lock:
            world.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def clock() -> ratelimit.Clock:
        real = ratelimit.Clock()
        return ratelimit.Clock(lambda: real.wall() + waited[0], lambda: real.monotonic() + waited[0], sleep)

    def surroundings(**how: Any) -> workflow.Surroundings:
        return original(**how, sleep=sleep)

    patch.setattr(workflow, "Surroundings", surroundings)
    patch.setattr(common, "now", world.now)
    patch.setattr(http, "Clock", clock)
    patch.setattr(auth, "Clock", clock)
    patch.setattr(linkedin_client, "Clock", clock)
    patch.setitem(SalesforceSession.open.__func__.__kwdefaults__, "sleep", sleep)  # type: ignore[attr-defined]
    context = functools.cache(transports.create_ssl_context)  # type: ignore[attr-defined]
    patch.setattr(transports, "create_ssl_context", context)  # making one costs 14 ms
    stamina.set_testing(True, attempts=5)
    try:
        yield
    finally:
        stamina.set_testing(False)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The emulated platforms behind a socket; starting them for each test would cost more than the tests."""
    made = Server()
    with made.emulator:
        yield made


@pytest.fixture
def lab(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lab]:
    """A project at the emulated platforms, all fresh."""
    server.reset()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    made = Lab(server, tmp_path, capsys)
    made.project()
    with fast(server.world, monkeypatch):
        yield made
