"""Each backend as the conformance tests see it: several stores of one place, as so many runs would open them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from reconciler.state.backends import open_store
from reconciler.state.lock import utc_now
from reconciler.state.place import Place
from reconciler.state.store import Store

CHILD = """
import json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.model.resource import Key, Record
from reconciler.state.backends import open_store
from reconciler.state.owner import owner_of
from reconciler.state.place import Place
from reconciler.state.store import Put, Remove, State
values = json.loads(sys.argv[1])
folder = Path(values.pop("folder"))
place = Place(path=Path(values.pop("path")), **values)
store = open_store(place, folder, os.environ)
owner = owner_of({"USER": "bob"}, command="apply", now=datetime.now(UTC))
"""


def git(folder: Path, *words: str) -> str:
    """Run git as a person would, and give what it prints."""
    settings = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def bare_with_clones(folder: Path, count: int = 2, *, shallow: bool = False) -> tuple[Path, list[Path]]:
    """Make a bare repository with two commits, and clones of it."""
    bare, first = folder / "server.git", folder / "first"
    git(folder, "init", "-q", "--bare", str(bare))
    git(folder, "init", "-q", str(first))
    for number in range(2):
        (first / "reconciler.yaml").write_text(f"version: 1\n# {number}\n")
        git(first, "add", ".")
        git(first, "commit", "-q", "-m", f"number {number}")
    git(first, "push", "-q", str(bare), "HEAD:refs/heads/main")
    clones = [folder / f"clone{number}" for number in range(count)]
    for clone in clones:
        depth = ("--depth=1",) if shallow else ()
        git(folder, "clone", "-q", *depth, f"file://{bare}", str(clone))
    return bare, clones


@dataclass
class Backend:
    """One place; every call of `open` gives the store of another run, in a folder of its own where that counts."""

    name: str
    place: Place
    folders: list[Path]
    opener: Callable[[Place, Path, Callable[[], datetime]], Store] | None = None
    opened: int = field(default=0)

    def open(self, now: Callable[[], datetime] = utc_now, **changes: object) -> Store:
        folder = self.folders[self.opened % len(self.folders)]
        self.opened += 1
        place = replace(self.place, **changes)  # type: ignore[arg-type]
        if self.opener is not None:
            return self.opener(place, folder, now)
        return open_store(place, folder, os.environ, now=now)

    def child(self, code: str) -> subprocess.Popen[str]:
        """Start a process with `store` and `owner` at hand; it is the caller's to end."""
        place = {**vars(self.place), "path": str(self.place.path), "folder": str(self.folders[-1])}
        return subprocess.Popen(
            [sys.executable, "-c", CHILD + code, json.dumps(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def file_backend(folder: Path) -> Backend:
    return Backend("file", Place("file", folder / ".reconciler" / "state.json"), [folder])


def git_backend(folder: Path) -> Backend:
    _, clones = bare_with_clones(folder)
    return Backend("git", Place("git", folder / "unused.json"), clones)


def s3_backend(folder: Path) -> Backend:
    """Give a bucket of its own on the server that `s3_server` has started."""
    bucket = f"b{uuid.uuid4().hex}"
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT"), timeout=10):
        pass
    place = Place("s3", folder, bucket=bucket, prefix="team/experiments", region="us-east-1", endpoint=endpoint)
    return Backend("s3", place, [folder])


def memory_backend(folder: Path) -> Backend:
    """Give the library's own store in memory, which has the same conditional writes as Google's and Azure's."""
    from obstore.store import MemoryStore

    from reconciler.state.object_store import ObjectMedium
    from reconciler.state.remote_store import RemoteStore

    kept = MemoryStore()

    def opener(place: Place, folder: Path, now: Callable[[], datetime]) -> Store:
        medium = ObjectMedium(lambda: kept, "memory", "team")
        return RemoteStore(medium, lock_expires_s=place.lock_expires_s, now=now)

    return Backend("memory", Place("gcs", folder), [folder], opener)
