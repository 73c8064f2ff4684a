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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from reconciler.model.budget import Quota
from reconciler.model.resource import Key, Reading, Record, Unknown
from reconciler.platforms.session import ReadRequest, Session, Wanted
from reconciler.project import Project
from reconciler.reading import Sessions
from reconciler.state.store import Store
from reconciler.validate.reading import WORTH_A_PROCESS, may_fork

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

_Answer: TypeAlias = tuple[dict[str, dict[str, Reading]], tuple[Quota, ...]]
_NOTHING: _Answer = ({}, ())


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
        self._answer: asyncio.Task[_Answer] | None = None
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
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=self._work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    async def readings(self, connection: str) -> Mapping[str, Reading]:
        """Give what was read of a connection, by remote id; waits until all of it is there."""
        if self._process is None or connection not in self.connections:
            return {}
        found, _ = await self._received()
        return found.get(connection, {})

    @property
    def quotas(self) -> Sequence[Quota]:
        """What the answers told of quotas; nothing before any readings were given."""
        return self._answer.result()[1] if self._answer is not None and self._answer.done() else ()

    def close(self) -> None:
        """End the process; may be called twice."""
        process, self._process = self._process, None
        if process is not None and self._pipe is not None:
            process.terminate()
            process.join()
            self._pipe.close()

    async def _received(self) -> _Answer:
        if self._answer is None:
            self._answer = asyncio.ensure_future(self._receive())
        return await self._answer

    async def _receive(self) -> _Answer:
        assert self._pipe is not None
        loop, pipe = asyncio.get_running_loop(), self._pipe
        arrives: asyncio.Future[None] = loop.create_future()
        loop.add_reader(pipe.fileno(), _arrived, arrives)
        try:
            await arrives
            answer: _Answer = pipe.recv()
        except (EOFError, OSError):  # it ended before it could say anything
            return _NOTHING
        finally:
            loop.remove_reader(pipe.fileno())
        return answer

    # --- in the other process ------------------------------------------------------------------------------------

    def _work(self, pipe: Pipe) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a person, for the run as a whole: that ends this process
        with suppress(Exception):  # whatever it is, the plan meets it too, and tells it
            requests = self._requests(self._store().read().experiments)
            pipe.send(asyncio.run(self._read(requests)))

    def _requests(self, records: Mapping[Key, Record]) -> dict[str, ReadRequest]:
        wanted: dict[str, list[Wanted]] = {}
        known: dict[str, dict[str, Record]] = {}
        for key, record in records.items():
            # Whether one that is abandoned when its manifest goes has to be read, only the manifests tell.
            if record.remote_id and record.connection in self.connections and record.lifecycle.on_removal != "abandon":
                wanted.setdefault(record.connection, []).append(Wanted(key, record.remote_id))
                known.setdefault(record.connection, {})[record.remote_id] = record
        return {
            name: ReadRequest(tuple(items), records=known[name], unless_changed=True) for name, items in wanted.items()
        }

    async def _read(self, requests: Mapping[str, ReadRequest]) -> _Answer:
        quotas: dict[tuple[str, str], Quota] = {}

        def note(quota: Quota) -> None:
            quotas[quota.connection, quota.what] = quota

        def opened(name: str) -> Session:
            settings = self._project.settings(name, os.environ)
            # A limit that asks to wait is the plan's to tell and to wait for.
            given = replace(settings, max_wait_s=0.0, cache_dir=self._cache_dir, observe=note)
            return self._project.platforms[settings.platform].connect(given)

        async def read(name: str) -> dict[str, Reading]:
            with suppress(Exception):
                readings = (await sessions.get(name).snapshot(requests[name])).readings
                return {place: reading for place, reading in readings.items() if not isinstance(reading, Unknown)}
            return {}

        sessions = Sessions(opened)
        try:
            found = await asyncio.gather(*map(read, requests))
        finally:
            await sessions.close()
        return dict(zip(requests, found, strict=True)), tuple(quotas.values())


def _arrived(arrives: asyncio.Future[None]) -> None:
    if not arrives.done():
        arrives.set_result(None)
