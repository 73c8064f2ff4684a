"""
The coordinator: hands reads to the workers of a Dask cluster and puts together what they find.

Workers only read. Plans are made here, from what all of them found, by the function that plans everywhere; calls that
change something are sent from here alone, with the journal and the lock of the state. Dask runs the tasks of a lost
worker again, which is right for reads and would be wrong for writes: a worker that is cut off may still be sending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from reconciler.cluster.task import Done, Job, own_version, plain, read_part
from reconciler.errors import ReconcilerError, UsageProblem
from reconciler.model.resource import Desired, Key, Reading, Record, Unknown
from reconciler.planning import Surroundings
from reconciler.platforms.session import ReadRequest, Wanted
from reconciler.platforms.urls import is_loopback
from reconciler.reading import Sides, merged_sides, read_requests

PER_TASK = 500
"""Experiments of one task, where accounts are smaller: few enough to share, enough to be worth a session."""
CONNECT_S = 30.0
"""How long a scheduler, and a first worker, may take to be there."""
NO_WORKERS_S = 60.0
"""How long a run waits for a worker when all are lost."""
_LOOK_S = 1.0
_NO_PAGES: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""A cluster of our own shows nobody what it does: the pages of its dashboard are left out."""
_LOCAL = "local"
_INSTALL = "--cluster needs the extra: pip install 'reconciler[cluster]'"


def check_address(address: str) -> None:
    """Raise UsageProblem unless an address is `local`, `local:N`, `tcp://HOST:PORT` or `tls://HOST:PORT`."""
    kind, _, count = address.partition(":")
    if kind == _LOCAL and (address == _LOCAL or (count.isdecimal() and 1 <= int(count) <= 256)):
        return
    with suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and not (parts.path or parts.username):
            return
    raise UsageProblem(
        "--cluster is local, local:N (N worker processes on this machine), tls://HOST:PORT or tcp://HOST:PORT (of a "
        "Dask scheduler)"
    )


@asynccontextmanager
async def cluster_reader(address: str, around: Surroundings, max_wait_s: float) -> AsyncIterator[None]:
    """
    Let the reads of a run be done by a cluster as long as the block lasts.

    Raises UsageProblem where Dask is not installed, ReconcilerError where no worker is to be had.
    """
    check_address(address)
    try:
        import dask  # noqa: F401
        import distributed  # noqa: F401
    except ImportError:
        raise UsageProblem(_INSTALL) from None
    parts = urlsplit(address)
    if parts.scheme == "tcp" and not is_loopback(parts.hostname or ""):
        around.warn(
            "the way to the cluster is neither encrypted nor checked (tcp://): who can reach the scheduler can run "
            "code on it; use tls:// outside of a network of your own"
        )
    async with _client(address) as client:
        coordinator = Coordinator(client, around, max_wait_s)
        around.reader = coordinator.read
        try:
            yield
        finally:
            around.reader = None


@asynccontextmanager
async def _client(address: str) -> AsyncIterator[Any]:
    import dask
    import distributed

    parts: Any = distributed  # its functions have no types

    with _quiet():
        try:
            if not address.startswith(_LOCAL):
                async with parts.Client(address, asynchronous=True, timeout=CONNECT_S, set_as_default=False) as client:
                    await _workers(client, address)
                    yield client
                return
            count = int(address.partition(":")[2] or 2)
            with dask.config.set(_NO_PAGES):
                async with (
                    parts.LocalCluster(
                        n_workers=count,
                        threads_per_worker=1,
                        processes=True,
                        host="127.0.0.1",
                        dashboard_address="127.0.0.1:0",
                        security=True,  # certificates of this run alone, so that nobody else on the machine gets in
                        silence_logs=logging.CRITICAL,
                        asynchronous=True,
                    ) as cluster,
                    parts.Client(cluster, asynchronous=True, set_as_default=False) as client,
                ):
                    yield client
        except (OSError, TimeoutError, ValueError) as error:
            raise ReconcilerError(f"the cluster at {address} cannot be used: {type(error).__name__}: {error}") from None


class _quiet:
    """Keeps Dask's own log off standard error: what matters of it is told as an error of this tool."""

    def __enter__(self) -> None:
        self._log = logging.getLogger("distributed")
        self._before = self._log.level
        self._log.setLevel(logging.CRITICAL + 1)

    def __exit__(self, *error: object) -> None:
        self._log.setLevel(self._before)


async def _workers(client: Any, address: str) -> None:
    try:
        await client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError:
        raise ReconcilerError(f"the cluster at {address} has no worker; start one, or plan without --cluster") from None


class Coordinator:
    """One run's view of a cluster."""

    def __init__(self, client: Any, around: Surroundings, max_wait_s: float) -> None:
        self._client = client
        self._around = around
        self._max_wait_s = max_wait_s

    async def read(self, desired: Mapping[Key, Desired], records: Mapping[Key, Record], asked: Iterable[Key]) -> Sides:
        """Read what is live of the asked experiments, on the workers; what none of them could read is unknown."""
        requests = read_requests(self._around.kinds, desired, records, asked)
        jobs = [job for name in sorted(requests) for job in self._jobs(name, requests[name])]
        futures = self._client.map(read_part, jobs, pure=False, key="reconciler-read")
        parts = await self._together([self._result(future, job) for future, job in zip(futures, jobs, strict=True)])
        failures = sorted({part.failure for part in parts if part.failure})
        if failures:
            raise ReconcilerError("\n".join(failures))
        for sentence in dict.fromkeys(sentence for part in parts for sentence in part.told):
            self._around.warn(sentence)
        for quota in (quota for part in parts for quota in part.quotas):
            self._around.note(quota)
        return merged_sides(part.sides for part in parts)

    def _jobs(self, name: str, request: ReadRequest) -> Iterator[Job]:
        connection = self._around.project.connection(name)
        base_url, auth = self._around.emulated.get(connection.platform, (None, None))
        for part in split(request, self._account_of):
            yield Job(
                connection,
                part,
                self._around.project.dir,
                self._around.project.file,
                self._max_wait_s,
                own_version(),
                base_url,
                auth,
            )

    def _account_of(self, desired: Desired) -> str:
        field = self._around.kinds(desired.key.kind, desired.connection).account_field
        return str(desired.spec.get(field) or "") if field else ""

    async def _result(self, future: Any, job: Job) -> Done:
        """Give what a task found; when every worker that took it was lost, its experiments are unknown."""
        from distributed import KilledWorker

        try:
            done = await future
        except KilledWorker:
            words = "every worker that was to read it was lost"
            readings: dict[Key, Reading] = {item.key: Unknown(words) for item in job.request.wanted}
            name = job.connection.name
            problems = (f"connection {name}: {words}",) if job.request.seek else ()
            return Done(Sides(readings, (), problems, frozenset([name] if problems else [])))
        except Exception as error:  # whatever keeps a worker from running the task at all, such as a missing package
            words = f"{type(error).__name__}: {error}"
            return Done(failure=f"a worker could not run a task ({words[:300]}): it needs reconciler {own_version()}")
        assert isinstance(done, Done)
        return done

    async def _together(self, results: list[Any]) -> list[Done]:
        """Wait for all results; raises ReconcilerError when there has been no worker for a while."""
        every: asyncio.Future[list[Done]] = asyncio.gather(*results)
        watch: asyncio.Future[None] = asyncio.create_task(self._deserted())
        both: set[asyncio.Future[Any]] = {every, watch}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not every.done():
            every.cancel()
            with suppress(asyncio.CancelledError):
                await every
            raise ReconcilerError(f"the cluster has had no worker for {NO_WORKERS_S:.0f} s; nothing was changed")
        watch.cancel()
        return await every

    async def _deserted(self) -> None:
        """Return when there has been no worker for too long, or no scheduler."""
        missing = 0.0
        while missing < NO_WORKERS_S:
            await asyncio.sleep(_LOOK_S)
            try:
                workers = (await self._client.scheduler.identity())["workers"]
            except OSError:
                workers = {}
            missing = 0.0 if workers else missing + _LOOK_S


def split(request: ReadRequest, account_of: Any) -> Iterator[ReadRequest]:
    """Give a request in parts of whole ad accounts, small ones together; what is sought is read with its account."""
    wanted: dict[str, list[Wanted]] = {}
    seek: dict[str, list[Desired]] = {}
    for item in request.wanted:
        wanted.setdefault(item.account, []).append(item)
    for desired in request.seek:
        seek.setdefault(account_of(desired), []).append(plain(desired))
    some: list[Wanted] = []
    others: list[Desired] = []
    for account in sorted({*wanted, *seek}):
        some += wanted.get(account, [])
        others += seek.get(account, [])
        if len(some) + len(others) >= PER_TASK:
            yield ReadRequest(tuple(some), tuple(others))
            some, others = [], []
    if some or others:
        yield ReadRequest(tuple(some), tuple(others))
