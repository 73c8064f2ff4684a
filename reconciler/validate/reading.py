"""
From the files of a project to what they want: kept entries first, then the rest on all processors.

What comes out is what reading every file in turn would give; where a file has anything to be said about it, that is
what is done.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from reconciler.manifests.discover import SourceFile
from reconciler.manifests.document import Document
from reconciler.manifests.expand import expand
from reconciler.manifests.load import MAX_BYTES, load
from reconciler.manifests.template.scope import Scope
from reconciler.model.batches import batches
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.resource import Desired
from reconciler.platforms.base import Kind
from reconciler.validate.check import FromFile, HasConnections, check, in_order
from reconciler.validate.manifest_cache import ManifestCache, file_digest
from reconciler.validate.prepared import Origin, Prepared, prepare, restore

WORTH_A_PROCESS = 400
"""Files from which on a second process reads them sooner than it starts."""
_CHUNK = 100
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""How files are opened, which is done ten thousand times in a run; a pipe among them does not hold it up."""


@dataclass(frozen=True)
class Setting:
    """What decides, beside the files, what manifests come to; `digest` stands for all of it."""

    scope: Scope
    project: HasConnections
    kinds: Sequence[Kind]
    digest: bytes = field(repr=False, default=b"")


@dataclass(frozen=True)
class Read:
    """What the files want, every problem, the number of documents in them, and how to get what they expand to."""

    desired: tuple[Desired, ...]
    diagnostics: tuple[Diagnostic, ...]
    documents: int
    expanded: Callable[[], tuple[Document, ...]]


def read_files(
    files: Sequence[SourceFile], setting: Setting, cache: ManifestCache | None = None, *, whole: bool = True
) -> Read:
    """
    Give what files want, and every problem of all of them.

    With a `cache`, files that have not changed are not parsed again, and it is brought up to date; `whole` tells that
    the files are all of the project's, so that other entries are of no more use.
    """
    prepared: dict[SourceFile, Prepared] = {}
    if cache is not None or len(files) >= WORTH_A_PROCESS:
        prepared = _restored(files, _entries(files, setting, cache, whole), setting)
    loaded = load(file for file in files if file not in prepared)
    expanded = expand(loaded.documents, setting.scope)
    desired, problems = check(_in_files_order(files, prepared, expanded.documents), setting.project, setting.kinds)
    documents = len(loaded.documents) + sum(item.documents for item in prepared.values())
    anew = bool(prepared)  # and not prepared itself, which would then be kept as long as what is given here
    return Read(
        desired,
        in_order(loaded.diagnostics, expanded.diagnostics, problems),
        documents,
        lambda: expand(load(files).documents, setting.scope).documents if anew else expanded.documents,
    )


def _in_files_order(
    files: Sequence[SourceFile], prepared: Mapping[SourceFile, Prepared], documents: Sequence[Document]
) -> Iterator[Document | FromFile]:
    by_file: dict[str, list[Document]] = {}
    for document in documents:
        by_file.setdefault(document.file, []).append(document)
    for file in files:
        found = prepared.get(file)
        if found is None:
            yield from by_file.pop(file.name, ())
        else:
            for item in found.desireds:
                yield FromFile(item, partial(found.origin.document, item.key))


def _restored(files: Sequence[SourceFile], entries: _Entries, setting: Setting) -> dict[SourceFile, Prepared]:
    """Give what the files that have an entry come to; some at a time, so that their texts are not all there at once."""
    found: dict[SourceFile, Prepared] = {}
    for chunk in batches(files, _CHUNK):
        some = [(file, text) for file in chunk if (text := entries.get(file.name)) is not None]
        origins = [Origin(file, setting.scope) for file, _ in some]
        for prepared in restore([text for _, text in some], origins):
            if prepared is not None:  # a damaged entry is no entry
                found[prepared.origin.file] = prepared
    return found


# --- entries: kept ones, and new ones for the rest -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries of files: those `made` by the names of the files, those `kept` by their `digests`."""

    kept: Mapping[str, bytes]
    digests: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | bytes | None:
        """Give the entry of a file; None when it has none."""
        return self.made.get(name) or self.kept.get(self.digests.get(name, ""))

    def now(self) -> Iterator[tuple[str, str | bytes]]:
        """Give what is to be kept of these files."""
        for name, digest in self.digests.items():
            if (entry := self.get(name)) is not None:
                yield digest, entry


def _entries(files: Sequence[SourceFile], setting: Setting, cache: ManifestCache | None, whole: bool) -> _Entries:
    """Give the entries of files, kept ones and those made anew."""
    entries = _Entries(cache.read() if cache is not None else {})
    kept, digests = entries.kept, entries.digests
    missing: list[SourceFile] = []
    for file in files:
        if not kept:
            missing.append(file)
            continue
        data = _bytes(file.place)
        digest = digests[file.name] = file_digest(setting.digest, file.name, data) if data is not None else ""
        if digest not in kept:
            missing.append(file)
    for file, (digest, text) in zip(missing, _prepared(missing, setting), strict=True):
        digests[file.name] = digest
        if text is not None:
            entries.made[file.name] = text
    if cache is not None:
        left = kept.keys() - digests.values()
        if entries.made or (whole and left):
            cache.write(chain(entries.now(), () if whole else ((digest, kept[digest]) for digest in left)))
    return entries


def _bytes(path: str) -> bytes | None:
    """Give the bytes of a file, None for one that is not read here: too large, not a file, changed as it was read."""
    try:
        descriptor = os.open(path, _READ)
        try:
            found = os.fstat(descriptor)
            if found.st_size > MAX_BYTES or not stat.S_ISREG(found.st_mode):
                return None
            # As many bytes as there are: room for the most that there may be costs more than all the rest of this.
            data = os.read(descriptor, found.st_size + 1)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    return data if len(data) == found.st_size else None


def _prepare_one(file: SourceFile, setting: Setting) -> tuple[str, str | None]:
    data = _bytes(file.place)
    if data is None:
        return "", None
    text = prepare(data, file.name, setting.scope, setting.project, setting.kinds)
    return file_digest(setting.digest, file.name, data), text


def _prepared(files: Sequence[SourceFile], setting: Setting) -> Iterator[tuple[str, str | None]]:
    """Give digest and entry for each file, in their order; many are shared among processes."""
    workers = _processors()
    if len(files) < WORTH_A_PROCESS or workers < 2 or not may_fork():
        for file in files:
            yield _prepare_one(file, setting)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # The libraries that the files need come in once, here, and not in each of the processes.
    for file in files[:_CHUNK]:
        yield _prepare_one(file, setting)
    files = files[_CHUNK:]
    global _of_workers
    _of_workers = setting
    try:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
            for answer in pool.map(_work, batches(files, _CHUNK)):
                yield from answer
    finally:
        _of_workers = None


_of_workers: Setting | None = None
"""What the processes that are forked off find in their memory: it need not be sent to them."""


def _work(files: Sequence[SourceFile]) -> list[tuple[str, str | None]]:
    assert _of_workers is not None
    return [_prepare_one(file, _of_workers) for file in files]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_fork() -> bool:
    """Tell whether a copy of this process is safe to go on: on Linux, before any thread was started."""
    return sys.platform == "linux" and threading.active_count() == 1
