"""
What files came to last time, kept by their content: a file that has not changed need not be parsed and checked again.

An entry is found by a digest over the program, the project's settings, and the file's name and bytes, so that whatever
could make it come to something else also makes it another entry. The file may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reconciler.manifests.document import Document
from reconciler.manifests.template.scope import Scope
from reconciler.platforms.base import Kind

_HEAD = b"reconciler manifests 1\n"
_DIGEST = 20
_KEPT_FOR_S = 90 * 86_400
_LIBRARIES = ("pydantic", "pydantic-core", "PyYAML", "jinja2")


def settings_digest(document: Document | None, scope: Scope, kinds: Sequence[Kind], connections: object) -> bytes:
    """Give the digest of all that decides, beside the file itself, what a manifest comes to."""
    parts = {
        "program": _program(),
        "python": sys.version,
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "project": document.source.text if document is not None else "",
        "environment": scope.environment,
        "variables": {name: (item.value, item.literal) for name, item in scope.variables.items()},
        "defaults": {name: dict(item.value) for name, item in scope.defaults.items()},
        "kinds": [(kind.name, kind.api_version) for kind in kinds],
        "connections": repr(connections),
    }
    return hashlib.blake2b(json.dumps(parts, sort_keys=True, default=repr).encode(), digest_size=_DIGEST).digest()


def file_digest(settings: bytes, name: str, data: bytes) -> str:
    """Give the digest by which a file's entry is found."""
    found = hashlib.blake2b(settings, digest_size=_DIGEST)
    found.update(f"{len(name)}:{name}".encode("utf-8", "surrogateescape"))
    found.update(data)
    return found.hexdigest()


class ManifestCache:
    """The entries of one project, in one file of the user's cache folder that nobody else can write to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_project(cls, folder: Path, project_dir: Path, environment: str | None) -> ManifestCache:
        """Give the cache of a project and environment below a cache folder."""
        name = hashlib.sha256(f"{project_dir}\0{environment or ''}".encode("utf-8", "surrogateescape")).hexdigest()
        return cls(folder / "manifests" / f"{name[:32]}.txt")

    def read(self) -> Mapping[str, bytes]:
        """Give the entries by digest; none when there is no file, or one that cannot be trusted."""
        try:
            with self.path.open("rb") as stream:
                found = os.fstat(stream.fileno())
                if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
                    return {}
                if stream.read(len(_HEAD)) != _HEAD:
                    return {}
                return _Entries(stream.read())
        except OSError:
            return {}

    def write(self, entries: Iterable[tuple[str, str | bytes]]) -> None:
        """Keep exactly these entries; a folder that cannot be written to keeps none, which costs time alone."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".manifests-")
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(_HEAD)
                    for digest, entry in entries:
                        content = entry.encode() if isinstance(entry, str) else entry
                        stream.write(b"%s %s %s\n" % (digest.encode(), _sum(content), content))
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._forget_old()

    def _forget_old(self) -> None:
        """Remove what projects have left that nobody has run for a long time."""
        for path in self.path.parent.glob("*.txt"):
            if path.stat().st_mtime < self.path.stat().st_mtime - _KEPT_FOR_S:
                path.unlink(missing_ok=True)


class _Entries(Mapping[str, bytes]):
    """The entries of a file: its content once, and where in it each of them is."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at: dict[str, int] = {}
        at = 0
        while at < len(content):
            end = content.find(b"\n", at)
            end = len(content) if end < 0 else end
            digest, space, rest = content[at:end].partition(b" ")
            sum_, second, entry = rest.partition(b" ")
            if space and second and sum_ == _sum(entry):
                self._at[digest.decode("ascii", "replace")] = at + len(digest) + len(sum_) + 2
            at = end + 1

    def __getitem__(self, digest: str) -> bytes:
        at = self._at[digest]
        end = self._content.find(b"\n", at)
        return self._content[at : len(self._content) if end < 0 else end]

    def __contains__(self, digest: object) -> bool:
        return digest in self._at

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


def _sum(content: bytes) -> bytes:
    """Give a check sum: what was damaged on the disk is not taken for an entry."""
    return hashlib.blake2b(content, digest_size=8).hexdigest().encode()


def _is_ours(found: os.stat_result) -> bool:
    """Tell whether nobody but this user can have written a file."""
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _program() -> list[tuple[str, int, int]]:
    """Give name, size and time of every module of the package: an edited program is another one."""
    found: list[tuple[str, int, int]] = []
    folders = [(str(Path(__file__).resolve().parent.parent), "")]
    while folders:
        folder, prefix = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    told = entry.stat()
                    found.append((prefix + entry.name, told.st_size, told.st_mtime_ns))
                elif "." not in entry.name and entry.is_dir():
                    folders.append((entry.path, f"{prefix}{entry.name}/"))
    return sorted(found)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
