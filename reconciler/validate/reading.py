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
from pathlib import Path

from reconciler.manifests.discover import SourceFile
from reconciler.manifests.document import Document
from reconciler.manifests.expand import expand
from reconciler.manifests.load import MAX_BYTES, load
from reconciler.manifests.template.scope import Scope
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
    entries: Mapping[str, str | bytes] = {}
    if cache is not None or len(files) >= WORTH_A_PROCESS:
        entries = _entries(files, setting, cache, whole)
    prepared = {
        file: found
        for file in files
        if (text := entries.get(file.name)) is not None and (found := _restored(text, file, setting)) is not None
    }
    loaded = load(file for file in files if file not in prepared)
    expanded = expand(loaded.documents, setting.scope)
    desired, problems = check(_in_files_order(files, prepared, expanded.documents), setting.project, setting.kinds)
    return Read(
        desired,
        in_order(loaded.diagnostics, expanded.diagnostics, problems),
        len(loaded.documents) + sum(item.documents for item in prepared.values()),
        lambda: expand(load(files).documents, setting.scope).documents if prepared else expanded.documents,
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


def _restored(text: str | bytes, file: SourceFile, setting: Setting) -> Prepared | None:
    try:
        return restore(text, Origin(file, setting.scope))
    except (ValueError, LookupError, TypeError):
        return None  # a damaged entry is no entry


# --- entries: kept ones, and new ones for the rest -------------------------------------------------------------------


def _entries(
    files: Sequence[SourceFile], setting: Setting, cache: ManifestCache | None, whole: bool
) -> dict[str, str | bytes]:
    """Give the entries of the files that have one, by the files' names."""
    kept: Mapping[str, str | bytes] = cache.read() if cache is not None else {}
    digests: dict[str, str] = {}
    found: dict[str, str | bytes] = {}
    missing: list[SourceFile] = []
    for file in files:
        if not kept:
            missing.append(file)
            continue
        data = _bytes(file.path)
        digest = digests[file.name] = file_digest(setting.digest, file.name, data) if data is not None else ""
        if digest in kept:
            found[file.name] = kept[digest]
        else:
            missing.append(file)
    made = list(_prepared(missing, setting))
    for file, (digest, text) in zip(missing, made, strict=True):
        digests[file.name] = digest
        if text is not None:
            found[file.name] = text
    if cache is not None:
        now = {digests[name]: entry for name, entry in found.items()}
        if any(text is not None for _, text in made) or (whole and len(now) < len(kept)):
            cache.write(now if whole else {**kept, **now})
    return found


def _bytes(path: Path) -> bytes | None:
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
    data = _bytes(file.path)
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
            chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
            for answer in pool.map(_work, chunks):
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
