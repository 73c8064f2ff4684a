"""
Reads begun while manifests are still being read: what is recorded has to be read whatever they say.

A copy of this process reads the state, and then every recorded experiment of the connections whose platform gives one a
request: those requests are most of what a large plan waits for, and the same ones that the plan would send later. Reads
of several experiments at once are left to the plan, which knows what is new and chooses them by it.

Nothing depends on it. What is not certain here (a limit, an error, an answer that makes no sense) is not handed on, so
that the plan reads it again and tells what is wrong; a process that ends early hands on nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler.model.batches import batches
from reconciler.model.budget import Quota
from reconciler.model.resource import Reading, Record, Unknown
from reconciler.platforms.session import ReadRequest, Session, Wanted
from reconciler.project import Project
from reconciler.reading import Sessions
from reconciler.state.store import State, Store
from reconciler.validate.reading import WORTH_A_PROCESS, may_fork

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

_SOME = 100
"""Experiments that are read before it is looked at whether any could not be."""
_SOME_S = 60.0
"""How long they may take; after that the plan reads the connection itself."""
_END_S = 5.0
"""How long the process may take to end in an orderly way."""
_LOOK_S = 0.5
"""How often the process looks whether the one that began it is still there."""


@dataclass(frozen=True)
class _Found:
    """What was read of a connection, by remote id, and what the answers told; `state` names what was to be read."""

    connection: str
    readings: Mapping[str, Reading]
    quotas: tuple[Quota, ...]
    state: tuple[str, int]


class Ahead:
    """
    The reads of one run that are under way early; none before `begin`, and none after `close`.

    `store` opens the project's state; `cache_dir` is where token caches are.
    """

    def __init__(self, project: Project, store: Callable[[], Store], cache_dir: str) -> None:
        self._project = project
        self._store = store
        self._cache_dir = cache_dir
        self._process: BaseProcess | None = None
        self._pipe: Pipe | None = None
        self._listener: asyncio.Task[None] | None = None
        self._found: dict[str, asyncio.Future[_Found | None]] = {}
        self._state = ("", 0)
        self.quotas: list[Quota] = []
        self.connections = frozenset(
            name
            for name, connection in project.connections.items()
            # A token that is exchanged for the next one is lost when the process is stopped in between.
            if project.platforms[connection.platform].reads_one_by_one and "refresh_token" not in connection.auth
        )

    def begin(self, files: int) -> None:
        """Start, where it is worth it for this many files of manifests and where a copy of this process can go on."""
        if files < WORTH_A_PROCESS or not self.connections or not may_fork():
            return
        import multiprocessing

        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=self._work, args=(ours, theirs, os.getpid()), daemon=True)
        try:
            process.start()
        except OSError:  # no further process is allowed: then there is none
            ours.close()
        else:
            self._process, self._pipe = process, ours
        finally:
            theirs.close()

    def judged_by(self, state: State) -> None:
        """Tell the state that the plan is made from: what was read for another one is not handed on."""
        self._state = (state.lineage, state.serial)

    async def readings(self, connection: str) -> Mapping[str, Reading]:
        """Give what was read of a connection, by remote id, once; waits until all of it is there."""
        if self._process is None or connection not in self.connections:
            return {}
        if self._listener is None:
            self._found = {name: asyncio.get_running_loop().create_future() for name in self.connections}
            self._listener = asyncio.create_task(self._listen())
        if connection not in self._found:
            return {}
        found = await self._found[connection]
        self._found.pop(connection, None)  # from now on it is the plan's, which keeps of it what is new
        if found is None or found.state != self._state:
            return {}
        self.quotas += found.quotas
        return found.readings

    def close(self) -> None:
        """End the process; may be called twice."""
        process, self._process = self._process, None
        if process is not None and self._pipe is not None:
            process.terminate()
            process.join(_END_S)
            if process.is_alive():
                process.kill()
                process.join()
            self._pipe.close()

    async def _listen(self) -> None:
        """Take what comes, connection by connection, until there is no more."""
        assert self._pipe is not None
        loop, pipe = asyncio.get_running_loop(), self._pipe
        arrived = asyncio.Event()
        loop.add_reader(pipe.fileno(), arrived.set)
        try:
            with suppress(Exception):  # it ended early, or half way: whatever is missing is read again
                while not all(waiting.done() for waiting in self._found.values()):
                    await arrived.wait()
                    arrived.clear()
                    found: _Found = pipe.recv()
                    self._found[found.connection].set_result(found)
        finally:
            loop.remove_reader(pipe.fileno())
            for waiting in self._found.values():
                if not waiting.done():
                    waiting.set_result(None)

    # --- in the other process ------------------------------------------------------------------------------------

    def _work(self, theirs: Pipe, pipe: Pipe, parent: int) -> None:
        theirs.close()
        _end_with(parent)
        with suppress(Exception):  # whatever it is, the plan meets it too, and tells it
            state = self._store().read()
            asyncio.run(self._read(pipe, state))

    def _wanted(self, records: Iterable[Record]) -> dict[str, list[Record]]:
        wanted: dict[str, list[Record]] = {}
        for record in records:
            # Whether one that is abandoned when its manifest goes has to be read, only the manifests tell.
            if record.remote_id and record.connection in self.connections and record.lifecycle.on_removal != "abandon":
                wanted.setdefault(record.connection, []).append(record)
        return wanted

    async def _read(self, pipe: Pipe, state: State) -> None:
        wanted = self._wanted(state.experiments.values())
        quotas: dict[tuple[str, str], Quota] = {}

        def note(quota: Quota) -> None:
            quotas[quota.connection, quota.what] = quota

        def opened(name: str) -> Session:
            settings = self._project.settings(name, os.environ)
            # What has to be waited for or tried again is the plan's to tell and to wait for.
            given = replace(settings, max_wait_s=0.0, cache_dir=self._cache_dir, observe=note, read_attempts=1)
            return self._project.platforms[settings.platform].connect(given)

        async def read(name: str) -> None:
            found: dict[str, Reading] = {}
            with suppress(Exception):
                # What has changed is asked for once, of all of them.
                most = len(wanted[name]) if self._project.connections[name].refresh == "incremental" else _SOME
                for some in batches(wanted[name], most):
                    request = _request(some)
                    async with asyncio.timeout(_SOME_S * -(-len(some) // _SOME)):
                        readings = (await sessions.get(name).snapshot(request)).readings
                    found |= {place: one for place, one in readings.items() if not isinstance(one, Unknown)}
                    if len(found) % most:
                        break  # one could not be read, and so it may be with those after it
            told = tuple(quota for quota in quotas.values() if quota.connection == name)
            pipe.send(_Found(name, found, told, (state.lineage, state.serial)))

        sessions = Sessions(opened)
        try:
            await asyncio.gather(*map(read, wanted))
        finally:
            await sessions.close()


def _request(records: Sequence[Record]) -> ReadRequest:
    return ReadRequest(
        tuple(Wanted(record.key, record.remote_id) for record in records),
        records={record.remote_id: record for record in records},
        unless_changed=True,
    )


def _end_with(parent: int) -> None:
    """Let this process end with its parent, however that ends, and in an orderly way; what it says goes nowhere."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        signal.pthread_kill(main, signal.SIGTERM)

    def end(*_: Any) -> None:
        sys.exit()

    main = threading.get_ident()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a person, for the run as a whole: that ends this process
    signal.signal(signal.SIGTERM, end)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    threading.Thread(target=watch, daemon=True).start()
