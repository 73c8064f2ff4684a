"""
Where a process can be killed: every operation by which the command line touches something that outlives it.

An operation is a request to a platform, a change of a file of the state or of a manifest, the kernel's lock, a git
command, or a request to an object store. The process is killed between two operations (which is after the one and
before the next: nothing happens outside meanwhile), after half of a write to a file, and while git is pushing, which
then goes on without us. What is killed is always the real command; only the edges are wrapped, and only in the child.
"""

from __future__ import annotations

import fcntl
import functools
import io
import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CLEAN, TORN, LOOSE = "clean", "torn", "loose"
_TREES = (".reconciler", "experiments", "cache")
_NOT_OURS = ("manifests/.manifests-", "/cache/reconciler/manifests/", ".audit.jsonl")
"""What nothing is ever decided by: the cache of parsed manifests, the audit record."""


@dataclass(frozen=True)
class Point:
    """One moment to be killed at: before operation `number` (from 1), or in the middle of it."""

    number: int
    how: str
    before: str
    same: bool
    """Whether everything outside is as it was at the moment before."""

    def __str__(self) -> str:
        where = {CLEAN: "before", TORN: "half way through", LOOSE: "during"}[self.how]
        return f"{where} operation {self.number}, {self.before}"


@dataclass(frozen=True)
class Operation:
    """What was about to be done; `writes` says whether it changes anything but the project's files."""

    name: str
    writes: bool
    ways: tuple[str, ...] = (CLEAN,)
    mark: str = ""
    """What the project's files were like just before it."""


def points_of(operations: list[Operation]) -> list[Point]:
    """Give every moment of a run at which it can be killed."""
    found = []
    for number, operation in enumerate(operations, 1):
        last = operations[number - 2] if number > 1 else None
        same = last is not None and not last.writes and last.mark == operation.mark
        found += [Point(number, how, operation.name, same and how == CLEAN) for how in operation.ways]
    return found


class Fuse:
    """
    Kills its own process at one point; without one (`number` -1) it notes what it passes.

    `told` takes what was passed, `look` gives what the files are like.
    """

    def __init__(self, number: int, how: str, told: Callable[[bytes], None], look: Callable[[], str]) -> None:
        self.number = number
        self._look = look
        self.how = how
        self.passed: list[Operation] = []
        self._told = told

    def before(self, operation: Operation, *, torn: Callable[[], object] = lambda: None) -> bool:
        """Pass an operation; gives whether to end while it is under way."""
        if self.number < 0:
            operation = replace(operation, mark=self._look())
        self.passed.append(operation)
        if len(self.passed) != self.number or self.how not in operation.ways:
            return False
        if self.how == LOOSE:
            return True
        if self.how == TORN:
            torn()
        self.kill()
        return True

    def tell(self) -> None:
        """Say what was passed, to whoever survives."""
        self._told(json.dumps([[item.name, item.writes, item.ways, item.mark] for item in self.passed]).encode())

    def kill(self) -> None:
        """End this process as `kill -9` does."""
        self.tell()
        os.kill(os.getpid(), signal.SIGKILL)

    # --- the edges -----------------------------------------------------------------------------------------------

    def install(self, root: Path) -> None:
        """Wrap every edge of this process; `root` is the project's folder."""
        self._http()
        self._files(root)
        self._git()
        self._objects()

    def _http(self) -> None:
        from reconciler.platforms.carrier import Carrier

        exchange = Carrier.exchange

        async def wrapped(carrier: Carrier, method: str, url: str, *how: Any) -> Any:
            path = url.partition("://")[2].partition("/")[2]
            writes = method not in ("GET", "HEAD") and "oauth" not in path and "validateExperimentSetup" not in path
            self.before(Operation(f"{method} {path.partition('?')[0]}", writes))
            return await exchange(carrier, method, url, *how)

        Carrier.exchange = wrapped  # type: ignore[method-assign]

    def _files(self, root: Path) -> None:
        def ours(path: Any) -> str | None:
            full = os.path.normpath(root / os.fsdecode(path))
            inside = any(full.startswith(f"{root}/{tree}/") or full == f"{root}/{tree}" for tree in _TREES)
            return (
                full[len(str(root)) + 1 :].replace(str(os.getpid()), "PID")
                if inside and not any(word in full for word in _NOT_OURS)
                else None
            )

        def by_path(module: Any, name: str, *, applies: Callable[..., bool] = lambda *rest: True) -> None:
            real = getattr(module, name)

            @functools.wraps(real)
            def wrapped(path: Any, *rest: Any, **more: Any) -> Any:
                known = ours(path) if isinstance(path, (str, bytes, os.PathLike)) else None
                if known is not None and applies(path, *rest, *more.values()):
                    self.before(Operation(f"{name} {known}", False))
                return real(path, *rest, **more)

            setattr(module, name, wrapped)

        by_path(os, "open", applies=lambda path, flags=0, *rest: bool(flags & (os.O_CREAT | os.O_TRUNC)))
        by_path(
            io, "open", applies=lambda path, mode="r", *rest: isinstance(mode, str) and bool(set(mode) & set("wxa"))
        )
        for name in ("replace", "rename", "link", "unlink", "mkdir", "rmdir"):
            by_path(os, name)

        def of(descriptor: Any) -> str | None:
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            try:
                regular = stat.S_ISREG(os.fstat(number).st_mode)
                return ours(Path(f"/proc/self/fd/{number}").readlink()) if regular else None
            except OSError:
                return None

        write, ftruncate, flock = os.write, os.ftruncate, fcntl.flock

        def wrapped_write(descriptor: int, data: Any) -> int:
            known = of(descriptor)
            if known is not None:
                ways = (CLEAN, TORN) if len(data) > 1 else (CLEAN,)
                half = bytes(data)[: len(data) // 2]
                self.before(Operation(f"write {known}", False, ways), torn=lambda: write(descriptor, half))
            return write(descriptor, data)

        def wrapped_ftruncate(descriptor: int, length: int) -> None:
            known = of(descriptor)
            if known is not None:
                self.before(Operation(f"ftruncate {known}", False))
            ftruncate(descriptor, length)

        def wrapped_flock(descriptor: Any, how: int) -> None:
            known = of(descriptor)
            if known is not None:
                self.before(Operation(f"{'unlock' if how & fcntl.LOCK_UN else 'lock'} {known}", False))
            flock(descriptor, how)

        os.write, os.ftruncate, fcntl.flock = wrapped_write, wrapped_ftruncate, wrapped_flock

    def _git(self) -> None:
        from reconciler.state.git_command import Git

        run, popen = Git.run, subprocess.Popen

        def wrapped(git: Git, *words: str, **how: Any) -> Any:
            pushes = words[0] == "push"
            ref = words[-1].rpartition(":")[2] if pushes else ""
            operation = Operation(f"git {words[0]} {ref}".rstrip(), pushes, _ways(pushes))
            if self.before(operation):

                def begun(*given: Any, **more: Any) -> Any:
                    popen(*given, **more)
                    self.kill()

                subprocess.Popen = begun  # type: ignore[assignment,misc]
            return run(git, *words, **how)

        Git.run = wrapped  # type: ignore[method-assign]

    def _objects(self) -> None:
        import obstore

        for name in ("put", "delete", "get", "head", "list"):
            self._object(obstore, name)

    def _object(self, library: Any, name: str) -> None:
        real = getattr(library, name)

        @functools.wraps(real)
        def wrapped(store: Any, path: Any, *rest: Any, **more: Any) -> Any:
            shown = path if isinstance(path, str) else f"{len(path)} objects"
            self.before(Operation(f"{name} {shown}", name in ("put", "delete")))
            return real(store, path, *rest, **more)

        setattr(library, name, wrapped)


def _ways(pushes: bool) -> tuple[str, ...]:
    return (CLEAN, LOOSE) if pushes else (CLEAN,)
