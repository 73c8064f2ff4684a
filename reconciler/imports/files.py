"""Where imported manifests go, and how they are written: inside the project, whole, never over a file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ReconcilerError, UsageProblem
from reconciler.imports.names import slug
from reconciler.manifests.discover import covers
from reconciler.manifests.words import plain

SUFFIXES = (".yaml", ".yml")
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


@dataclass(frozen=True)
class Folder:
    """A folder that manifests are written into; `name` is its path in the project, empty for the project's own."""

    project: Path
    name: str
    patterns: Sequence[str]

    def file(self, name: str) -> str | None:
        """Give the path, in the project, of the file of a manifest; None when no pattern would take it."""
        for suffix in SUFFIXES:
            relative = f"{self.name}/{name}{suffix}" if self.name else f"{name}{suffix}"
            if any(covers(pattern, relative) for pattern in self.patterns):
                return relative
        return None

    def exists(self, name: str) -> bool:
        """Tell whether something of that name is there already, whatever its suffix."""
        return any(os.path.lexists(self.project / self.name / f"{name}{suffix}") for suffix in SUFFIXES)


def folder_of(project: Path, patterns: Sequence[str], connection: str, out: str | None) -> Folder:
    """
    Give the folder to write into: `out` (relative to the project), or the first that the project's patterns cover.

    Raises UsageProblem for a folder outside the project or one whose files no pattern would take.
    """
    listed = ", ".join(patterns)
    if out is not None:
        folder = Folder(project, _inside(project, out), patterns)
        if folder.file("x") is None:
            raise UsageProblem(
                f"--out {plain(out, 200)}: no file there would be read, since manifests in reconciler.yaml is "
                f"[{listed}]; choose a folder that it covers, or add a pattern"
            )
        return folder
    for name in _usual(patterns, connection):
        folder = Folder(project, name, patterns)
        if folder.file("x") is not None and _stays(project, name):
            return folder
    raise UsageProblem(
        f"no folder is known whose files manifests in reconciler.yaml, [{listed}], would take; "
        "pass --out, or add a pattern"
    )


def _usual(patterns: Sequence[str], connection: str) -> Iterator[str]:
    """Give the folders to try: `experiments/<connection>`, then what each pattern begins with."""
    own = slug(connection) or "imported"
    yield f"experiments/{own}"
    for pattern in patterns:
        steps = [step for step in pattern.split("/")[:-1] if step not in ("", ".", "**")]
        yield "/".join(own if step == "*" else step for step in steps)


def _inside(project: Path, out: str) -> str:
    root = os.path.realpath(project)
    target = os.path.realpath(project / out)
    if target != root and os.path.commonpath((root, target)) != root:
        raise UsageProblem(f"--out {plain(out, 200)} leads out of the project's folder; manifests stay inside it")
    given = os.path.relpath(os.path.normpath(project / out), os.path.normpath(project))
    if Path(given).parts[:1] == (os.pardir,):  # a path that comes back in by another name
        given = os.path.relpath(target, root)
    return "" if given == os.curdir else Path(given).as_posix()


def _stays(project: Path, name: str) -> bool:
    root = os.path.realpath(project)
    return os.path.commonpath((root, os.path.realpath(project / name))) == root


def write_new(path: Path, text: str) -> None:
    """
    Write a file that is not there yet, as a whole or not at all.

    Raises FileExistsError when there is one, ReconcilerError when the folder cannot be written to.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            _put(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        if os.path.lexists(path):
            raise
        raise _unwritable(path, error) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def _put(draft: Path, path: Path) -> None:
    """Give the draft its name; a link fails where a rename would write over a file."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        draft.rename(path)


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    return ReconcilerError(
        f"{plain(str(error.filename or path), 300)} cannot be written: {error.strerror or error}; nothing was imported "
        "for it"
    )
