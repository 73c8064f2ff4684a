"""
The process that kills others: it keeps the platforms, the backends and everything imported, and forks a child for
every run of the command line. It is a process of its own, so that no thread of a test's is ever forked along.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import hashlib
import io
import json
import mmap
import os
import pickle
import struct
import sys
import tempfile
import time
import traceback
import uuid
import warnings
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import obstore
from kill_edges import Fuse, Operation, Point
from kill_site import FileSite, GitSite, S3Site, Site, masked
from kill_stories import APPLY
from kinds import CASES
from laboratory import T0, Lab, Ran, Server

import reconciler.platforms.registry
import reconciler.state.backends
import reconciler.state.file_store
import reconciler.state.git_store
import reconciler.state.object_store
import reconciler.workflow
from reconciler.cli import apply_command, common, import_command, plan_command, state_command
from reconciler.cli.main import main
from reconciler.emulator.seed import PLATFORMS

LOADED = (obstore, reconciler, apply_command, import_command, plan_command, state_command)
TABLES = (("linkedin", "experiments"), ("x-ads", "ab_tests"), ("salesforce", "experiments"))
PASSES = ("credentials", "sessions", "users", "clients", "refreshTokens", "cursors")
"""Tables of the emulator that hold who may ask, and nothing of experiments."""
COUNTERS = ("linkedin.experiment", "x-ads.ab_test", "salesforce.experiment")
KILLED = -9
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Shot:
    """Everything outside of the process, at one moment."""

    world: bytes
    clock: float
    files: dict[str, bytes]
    held: Any
    mark: str


class SharedClock:
    """Seconds that have passed, in memory that parent and children share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    @property
    def value(self) -> float:
        return float(struct.unpack("d", self._memory[:8])[0])

    @value.setter
    def value(self, seconds: float) -> None:
        self._memory[:8] = struct.pack("d", seconds)


class Host(Lab):
    """The laboratory, its command line run in children."""

    def __init__(self, folder: Path) -> None:
        self.clock = SharedClock()
        server = Server(lambda: T0 + timedelta(seconds=self.clock.value))
        server.emulator.__enter__()
        super().__init__(server, folder, None)  # type: ignore[arg-type]
        self.folder = folder
        self.site: Site = FileSite()
        self.sites: dict[str, Site] = {}
        self._passed = mmap.mmap(-1, 1 << 20)
        self._libc = ctypes.CDLL(None)
        self._libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.seed = ""
        self.careless = False
        """Whether what is to be killed keeps no journal: the trial itself is tried so."""
        self._adjust()
        self._warm_up()

    # --- beginning anew ----------------------------------------------------------------------------------------

    def open(self, backend: str) -> None:
        """Make a project at fresh platforms, its state in a backend."""
        self.dir = self.folder / backend
        if backend not in self.sites:
            self.dir.mkdir()
            make: dict[str, Any] = {
                "file": FileSite,
                "git": lambda: GitSite(self.folder, self.dir),
                "s3": S3Site,
            }
            self.sites[backend] = make[backend]()
        self.site = self.sites[backend]
        os.chdir(self.dir)
        os.environ["XDG_CACHE_HOME"] = str(self.dir / "cache")
        self.clock.value = 0.0
        self.server.reset()
        self._put_files({})
        empty: Any = None if backend == "file" else {}
        self.site.put_back(empty)
        self.project(state=self.site.settings())

    def _warm_up(self) -> None:
        """Run commands in this very process once, so that children find everything imported and made."""
        self.open("file")
        for case in CASES:
            self.manifest(case.kind, case.spec)
        shown = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        try:
            for words in (APPLY, ("state", "pull"), ("plan", "--format", "json"), ("import", "--all")):
                code = main(list(words))
                assert code == 0, (words, sys.stderr.getvalue())
        finally:
            sys.stdout, sys.stderr = shown
        gc.collect()
        gc.freeze()

    def shot(self) -> Shot:
        """Give everything outside of the process as it is now."""
        with self.server.world.lock:
            data = self.server.world.data
            world = pickle.dumps(data)
            seen = json.dumps(
                {
                    platform: {name: rows for name, rows in tables.items() if name not in PASSES}
                    for platform, tables in data["tables"].items()
                },
                sort_keys=True,
            )
            counters = [data["counters"].get(name) for name in COUNTERS]
        files = self._files()
        held = self.site.taken()
        mark = _digest(files)
        mark.update(f"{self.clock.value} {data['clockOffset']} {counters} {seen}".encode())
        mark.update(self.site.told(held))
        return Shot(world, self.clock.value, files, held, mark.hexdigest())

    def _files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.dir)): path.read_bytes()
            for path in sorted(self.dir.rglob("*"))
            if path.is_file() and not str(path.relative_to(self.dir)).startswith(".git/")
        }

    def _look(self) -> str:
        """Give a text that differs when the project's files do."""
        return _digest(self._files()).hexdigest()

    def put_back(self, shot: Shot) -> None:
        """Make everything outside as it was."""
        with self.server.world.lock:
            self.server.world.data = pickle.loads(shot.world)
        self.clock.value = shot.clock
        self._put_files(shot.files)
        self.site.put_back(shot.held)

    def _put_files(self, files: dict[str, bytes]) -> None:
        for path in sorted(self.dir.rglob("*"), reverse=True):
            name = str(path.relative_to(self.dir))
            if path.is_file() and not name.startswith(".git/") and name not in files:
                path.unlink()
        for name, content in files.items():
            path = self.dir / name
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    # --- running -----------------------------------------------------------------------------------------------

    def run(self, *words: str) -> Ran:
        """Run one command to its end."""
        return self.runs([words])[0]

    def runs(self, commands: list[tuple[str, ...]]) -> list[Ran]:
        """Run commands one after the other, in one child."""
        with tempfile.TemporaryFile("w+") as shown:
            status = self._forked(commands, 0, "", shown.fileno())
            shown.seek(0)
            lines = shown.read().splitlines()
        assert status == 0, (status, commands, lines[-3:])
        return [Ran(*json.loads(line)) for line in lines]

    def passed(self, words: tuple[str, ...]) -> list[Operation]:
        """Run a command to its end and give every operation that it passed."""
        with tempfile.TemporaryFile("w+") as shown:
            status = self._forked([words], -1, "", shown.fileno())
            assert status == 0, status
        return self._operations()

    def killed(self, words: tuple[str, ...], point: Point) -> str:
        """Run a command that is killed at a point; gives what it was about to do then, or nothing."""
        with tempfile.TemporaryFile("w+") as shown:
            status = self._forked([words], point.number, point.how, shown.fileno())
        self._wait_for_quiet()
        return self._operations()[-1].name if status == KILLED else ""

    def _wait_for_quiet(self) -> None:
        """Wait until the platforms have done all that a dead client had asked for, and have seen that it is gone."""
        server = self.server.emulator._server
        while server is not None and (server.server_state.connections or server.server_state.tasks):
            time.sleep(0.0005)

    def _operations(self) -> list[Operation]:
        (size,) = struct.unpack("I", self._passed[:4])
        return [
            Operation(name, writes, tuple(ways), mark)
            for name, writes, ways, mark in json.loads(self._passed[4 : 4 + size])
        ]

    def _forked(self, commands: list[tuple[str, ...]], number: int, how: str, shown: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the one thread is the server's, at rest
            child = os.fork()
        if child == 0:
            code = 70
            try:
                code = self._child(commands, number, how, shown)
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
            os._exit(code)
        _, status = os.waitpid(child, 0)
        self._wait_for_orphans()
        return os.waitstatus_to_exitcode(status)

    def _wait_for_orphans(self) -> None:
        """Wait for what a killed child had started and what goes on without it: they are ours now."""
        mine = {site.server.pid for site in self.sites.values() if isinstance(site, S3Site)}
        while True:
            tasks = Path("/proc/self/task").iterdir()
            children = {int(pid) for task in tasks for pid in (task / "children").read_text().split()} - mine
            if not children:
                return
            for pid in children:
                os.waitpid(pid, 0)

    def _child(self, commands: list[tuple[str, ...]], number: int, how: str, shown: int) -> int:
        self._name_by_seed(self.seed)
        if number:
            fuse = Fuse(number, how, self._tell, self._look)
            fuse.install(self.dir)
            if self.careless:
                reconciler.workflow.StoreJournal.put = lambda *given: None  # type: ignore[method-assign]
        for words in commands:
            sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
            code = main(list(words))
            line = json.dumps([code, sys.stdout.getvalue(), sys.stderr.getvalue()])
            os.writev(shown, [line.encode() + b"\n"])
        if number:
            fuse.before(Operation("the end", False))
            fuse.tell()
        return 0

    def _tell(self, text: bytes) -> None:
        self._passed[: 4 + len(text)] = struct.pack("I", len(text)) + text

    def _adjust(self) -> None:
        """Let waits pass on the clock that all share."""
        import httpx._transports.default as transports
        import stamina

        from reconciler import workflow
        from reconciler.platforms import auth, http, ratelimit
        from reconciler.platforms.linkedin import client as linkedin_client
        from reconciler.platforms.salesforce.client import SalesforceSession

        original, world = workflow.Surroundings, self.server.world

        async def sleep(seconds: float) -> None:
            self.clock.value += seconds
            await asyncio.sleep(0)

        def clock() -> ratelimit.Clock:
            real = ratelimit.Clock()
            return ratelimit.Clock(real.wall, lambda: real.monotonic() + self.clock.value, sleep)

        workflow.Surroundings = lambda **how: original(**how, sleep=sleep)  # type: ignore[misc,assignment]
        common.now = world.now
        for module in (apply_command, import_command, plan_command, state_command):
            module.now = world.now  # type: ignore[attr-defined]
        for place in (http, auth, linkedin_client):
            place.Clock = clock  # type: ignore[attr-defined]
        SalesforceSession.open.__func__.__kwdefaults__["sleep"] = sleep  # type: ignore[attr-defined]
        transports.create_ssl_context = functools.cache(transports.create_ssl_context)  # type: ignore[attr-defined]
        stamina.set_testing(True, attempts=5)

    def _name_by_seed(self, seed: str) -> None:
        count = iter(range(1 << 30))

        def name() -> uuid.UUID:
            return uuid.UUID(bytes=hashlib.sha256(f"{seed} {next(count)}".encode()).digest()[:16], version=4)

        uuid.uuid4 = name  # type: ignore[assignment]
        moment = (T0 + timedelta(seconds=self.clock.value)).isoformat()
        os.environ.update(GIT_AUTHOR_DATE=moment, GIT_COMMITTER_DATE=moment)

    # --- judging -----------------------------------------------------------------------------------------------

    def facts(self, shown: Ran) -> dict[str, Any]:
        """Give what has to be the same after every interruption: what lives, how many were made, what is recorded."""
        data = self.server.world.data
        for module in PLATFORMS.values():
            module.tick(self.server.world)
        return flat(
            {
                "live": {f"{platform}.{name}": data["tables"][platform][name] for platform, name in TABLES},
                "made": [data["counters"].get(name) for name in COUNTERS],
                "recorded": shown.json["experiments"] if shown.code == 0 else shown.err,
            }
        )


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Give the leaves of nested values by their paths."""
    if isinstance(value, dict) and value:
        return {k: v for name, inner in value.items() for k, v in flat(inner, f"{path}/{name}").items()}
    if isinstance(value, list) and value:
        return {k: v for number, inner in enumerate(value) for k, v in flat(inner, f"{path}/{number}").items()}
    return {path: value}


def _digest(files: dict[str, bytes]) -> Any:
    mark = hashlib.sha256()
    for name, content in files.items():
        if not name.endswith(".audit.jsonl") and "cache/reconciler/manifests" not in name:
            mark.update(name.encode() + b"\0" + masked(content) + b"\0")
    return mark
