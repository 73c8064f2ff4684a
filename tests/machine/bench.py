"""
A bench: a project folder, the three emulated platforms in this process, and the real use cases between them.

No socket, no thread and no real waiting: requests go from the real HTTP client straight into the emulator's app, and
when the tool sleeps, the platforms' clock moves on. A fuse ends a run at its n-th point, as a kill would: from there on
neither a platform nor the state hears of that run again.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import stamina
import yaml

from reconciler import workflow
from reconciler.emulator.app import build
from reconciler.emulator.faults import Faults
from reconciler.emulator.seed import PLATFORMS, default_seed
from reconciler.emulator.world import World
from reconciler.model.resource import Record
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.linkedin.client import LinkedInSession
from reconciler.platforms.ratelimit import Clock
from reconciler.platforms.registry import KINDS
from reconciler.platforms.salesforce.client import SalesforceSession
from reconciler.platforms.session import Session
from reconciler.platforms.x_ads.client import XAdsSession
from reconciler.project import Project, load_project
from reconciler.state.file_store import FileStore
from reconciler.state.store import Entry, State
from reconciler.validate.validated import Validated, validate
from reconciler.workflow import Applied, PlanRequest, ProjectKinds, Surroundings

T = TypeVar("T")
T0 = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
HOST = "http://127.0.0.1"
PREFIXES = {"linkedin": "/linkedin", "x-ads": "/x-ads", "salesforce": "/salesforce"}
CONNECTIONS = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}
PLATFORM_OF = {"LinkedInExperiment": "linkedin", "XAdsABTest": "x-ads", "SalesforceExperiment": "salesforce"}
CREDENTIALS: dict[str, dict[str, str]] = {
    "linkedin": {"access_token": "emulator-linkedin-token"},
    "x-ads": {
        "consumer_key": "emulator-ck",
        "consumer_secret": "emulator-cs",
        "access_token": "emulator-tk",
        "access_token_secret": "emulator-ts",
    },
    "salesforce": {"client_id": "emulator-client", "client_secret": "emulator-secret"},
}
SEED = default_seed()
MOST_POINTS = 4000
LEAST_S = 0.001
"""A wait moves the clock by so much at least: a real one always moves on."""
PROJECT = {
    "version": 1,
    "connections": {
        CONNECTIONS[platform]: {
            "platform": platform,
            "base_url": HOST + prefix,
            "auth": {name: f"${{{name.upper()}}}" for name in CREDENTIALS[platform]},
            **({"accounts": ["urn:li:sponsoredAccount:123"]} if platform == "linkedin" else {}),
            **({"accounts": ["18ce54d4x5t"]} if platform == "x-ads" else {}),
        }
        for platform, prefix in PREFIXES.items()
    },
}
stamina.set_testing(True, attempts=5)


class Killed(BaseException):
    """The run is killed here; nothing in the tool may catch it and go on."""


class Hangs(BaseException):
    """The run goes on for ever: it has slept, or sent, more often than any run may."""


class Fuse:
    """
    Ends a run at its n-th point; once it has, every further point of that run ends it again.

    A run that passes more points or waits than any run needs is taken to hang.
    """

    def __init__(self, points: int | None = None) -> None:
        self.left = points
        self.dead = False
        self.passed = 0

    def wait(self) -> None:
        """Count a wait or a point; raises Hangs when there were too many."""
        self.passed += 1
        if self.passed > MOST_POINTS:
            raise Hangs(f"{self.passed} requests and waits in one run")

    def point(self) -> None:
        """Pass a point; raises Killed when it is the one, or behind it."""
        self.wait()
        if self.left is not None:
            self.left -= 1
            self.dead = self.dead or self.left < 0
        if self.dead:
            raise Killed


@dataclass(frozen=True)
class Sent:
    """One request that reached a platform, or would have; `status` is None where no answer came."""

    platform: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    answer: bytes = b""

    @property
    def writes(self) -> bool:
        """Whether it changes an experiment: no GET, no dry run, no token."""
        return self.method != "GET" and "validateExperimentSetup" not in self.query and "oauth" not in self.path

    def __str__(self) -> str:
        told = f": {self.answer.decode(errors='replace')[:300]}" if (self.status or 0) >= 300 else ""
        return f"{self.method} {self.path} {json.dumps(self.body)} -> {self.status}{told}"


class Wire(httpx.AsyncBaseTransport):
    """The way from the HTTP client into the emulator's app; passes the fuse before and after each request."""

    def __init__(self, app: Any, log: list[Sent], fuse: Fuse) -> None:
        self.app = app
        self.log = log
        self.fuse = fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the app answer; a connection that it breaks is a read that failed."""
        self.fuse.point()
        content = await request.aread()
        target = request.url.raw_path
        path, _, query = target.partition(b"?")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": headers,
            "scheme": request.url.scheme,
            "path": httpx.URL(HOST + path.decode()).path,
            "raw_path": path,
            "query_string": query,
            "server": (request.url.host, request.url.port or 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        messages = [{"type": "http.request", "body": content, "more_body": False}]
        answer: dict[str, Any] = {"status": None, "headers": [], "body": b""}

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.update(status=message["status"], headers=message["headers"])
            else:
                answer["body"] += message.get("body", b"")

        broken: ConnectionResetError | None = None
        try:
            await self.app(scope, receive, send)
        except ConnectionResetError as error:
            broken = error
        platform = next(name for name, prefix in PREFIXES.items() if path.decode().startswith(prefix + "/"))
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = content.decode()
        self.log.append(
            Sent(
                platform,
                request.method,
                path.decode().removeprefix(PREFIXES[platform]),
                query.decode(),
                {name.decode(): value.decode() for name, value in headers},
                body,
                answer["status"],
                answer["body"],
            )
        )
        self.fuse.point()
        if broken is not None:
            raise httpx.ReadError(str(broken), request=request)
        return httpx.Response(answer["status"], headers=answer["headers"], content=answer["body"], request=request)


class MortalStore(FileStore):
    """The store of files, which a killed run can reach no more."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    def journal(self, entry: Entry) -> None:
        """Append, with a point before and one behind."""
        self._fuse.point()
        super().journal(entry)
        self._fuse.point()

    def save(self, state: State, *, expected_serial: int) -> State:
        """Save, with a point before and one behind."""
        self._fuse.point()
        saved = super().save(state, expected_serial=expected_serial)
        self._fuse.point()
        return saved


def session_of(project: Project, name: str, world: World, app: Any, log: list[Sent], fuse: Fuse) -> Session:
    """Give the real session of a connection, over a wire into an app; its waits move that world's clock."""

    async def sleep(seconds: float) -> None:
        fuse.wait()
        with world.lock:
            world.advance(timedelta(seconds=max(seconds, LEAST_S)))
        await asyncio.sleep(0)

    platform = project.connections[name].platform
    clock = Clock(lambda: world.now().timestamp(), lambda: world.now().timestamp(), sleep)
    settings = replace(project.settings(name, {}, auth=CREDENTIALS[platform]), max_wait_s=900.0)
    wire = Wire(app, log, fuse)
    if platform == "linkedin":
        return LinkedInSession(settings, transport=wire, clock=clock)
    if platform == "x-ads":
        return XAdsSession(settings, HttpClient(settings, auth.x_ads(settings), transport=wire, clock=clock))
    return SalesforceSession.open(settings, transport=wire, clock=clock, sleep=sleep)


class Bench:
    """One project and its platforms."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        (folder / "experiments").mkdir(parents=True)
        (folder / "reconciler.yaml").write_text(yaml.safe_dump(PROJECT))
        (folder / "experiments" / "all.yaml").write_text("{}")
        self.project = load_project(folder)
        self.kinds = ProjectKinds({kind.name: kind for kind in KINDS}, {})
        self.world = World(copy.deepcopy(SEED), real_now=lambda: T0)
        self.app = build(self.world)
        self.log: list[Sent] = []
        self.state_path = folder / ".reconciler" / "state.json"

    # --- the use cases -------------------------------------------------------------------------------------------

    def validate(self, documents: list[dict[str, Any]]) -> Validated:
        """Write the manifests and give what the real check says of them."""
        text = "".join(f"---\n{json.dumps(document)}\n" for document in documents)
        (self.dir / "experiments" / "all.yaml").write_text(text)
        return validate(self.project, KINDS)

    def surroundings(self, fuse: Fuse | None = None) -> Surroundings:
        """Give what a use case is handed; each run has a store of its own, as each process has."""
        fuse = fuse or Fuse()

        async def sleep(seconds: float) -> None:
            fuse.wait()
            self.move(seconds=max(seconds, LEAST_S))
            await asyncio.sleep(0)

        return Surroundings(
            project=self.project,
            kinds=self.kinds,
            store=MortalStore(self.state_path, fuse),
            open_session=lambda name: session_of(self.project, name, self.world, self.app, self.log, fuse),
            now=self.world.now,
            sleep=sleep,
        )

    def plan(self, desired: Mapping[Any, Any], request: PlanRequest) -> Any:
        """Plan as the command does."""
        return run(workflow.plan(self.surroundings(), desired, request))

    def apply(self, desired: Mapping[Any, Any], request: PlanRequest, fuse: Fuse | None = None) -> Applied:
        """Plan and apply as the command does with `--auto-approve --skip-blocked`."""
        around = self.surroundings(fuse)
        return run(workflow.apply_fresh(around, desired, request, skip_blocked=True, confirm=lambda plan, digest: True))

    def drift(self, desired: Mapping[Any, Any]) -> Any:
        """Look for drift as the command does."""
        return run(workflow.drift(self.surroundings(), desired, unmanaged=True))

    def records(self) -> dict[Any, Record]:
        """Give what the state holds."""
        return dict(FileStore(self.state_path).read().experiments)

    # --- the platforms -------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Give the platforms' time, which is the tool's too."""
        return self.world.now()

    def move(self, **span: float) -> None:
        """Let time pass."""
        with self.world.lock:
            self.world.advance(timedelta(**span))

    def tick(self) -> None:
        """Let the clock do to the platforms what it does."""
        ticked(self.world)

    def rows(self, platform: str) -> dict[str, dict[str, Any]]:
        """Give the experiments of a platform as they are now, by id; changes to them reach nothing."""
        self.tick()
        return copy.deepcopy(self.world.table(platform, TABLES[platform]))

    def by_hand(self, platform: str, remote_id: str, **changes: Any) -> bool:
        """Change something as a person at the platform's own pages; tells whether the platform let them."""
        self.tick()
        try:
            PLATFORMS[platform].edit(self.world, remote_id, changes)
        except (KeyError, ValueError):
            return False
        return True

    def take_away(self, platform: str, remote_id: str) -> None:
        """Remove an experiment as a person at the platform's own pages; one that is gone stays so."""
        try:
            PLATFORMS[platform].remove(self.world, remote_id)
        except KeyError:
            return

    def stranger(self, kind: str, spec: Mapping[str, Any]) -> str:
        """Let another tool create an experiment; gives its id, empty when the platform refuses."""
        platform = PLATFORM_OF[kind]
        made = self.kinds(kind, CONNECTIONS[platform])

        async def create() -> str:
            session = session_of(self.project, CONNECTIONS[platform], self.world, self.app, [], Fuse())
            try:
                for call in made.create_calls(made.canonical(made.spec_model(**spec).model_dump(exclude_unset=True))):
                    answer = await session.send(call, made)
                    return answer.remote_id
            finally:
                await session.close()
            return ""

        from reconciler.errors import PlatformError

        try:
            return run(create())
        except PlatformError:
            return ""

    @contextmanager
    def faults(self, entries: list[dict[str, Any]]) -> Iterator[None]:
        """Let the platforms do wrong for the length of the block."""
        self.app.faults = Faults.parse(entries)
        try:
            yield
        finally:
            self.app.faults, self.app._before = Faults(), None


def ticked(world: World) -> World:
    """Let the clock do to a world what it does; gives it back."""
    for module in PLATFORMS.values():
        module.tick(world)
    return world


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a use case to its end."""
    return asyncio.run(work)
