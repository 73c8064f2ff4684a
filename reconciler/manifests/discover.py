"""
Which files hold manifests: the project's patterns, or the paths given on the command line.

Hidden files and folders are left out of patterns and folders. Links are followed as long as they stay inside the
project; one that leaves it is an error, since a pull request could otherwise make the tool read any file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reconciler.manifests.words import plain
from reconciler.model.diagnostic import Diagnostic, Location, Severity

PROJECT_FILE = "reconciler.yaml"
_SUFFIXES = (".yaml", ".yml")
LONGEST_PATH = 1000
"""Characters of a path that messages show."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read and the name it goes by in messages: relative to the project where it lies inside."""

    place: str
    name: str

    @property
    def path(self) -> Path:
        """Where it is: kept as text, since a path is four times the size and there is one for each experiment."""
        return Path(self.place)


@dataclass(frozen=True)
class Discovered:
    """The files found, sorted by name, each once; and what went wrong or looks wrong."""

    files: tuple[SourceFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def discover(project_dir: Path, patterns: Sequence[str], paths: Sequence[str | Path] = ()) -> Discovered:
    """
    Give the manifest files of a project, or those that `paths` (files or folders, relative to the project) name.

    A pattern that matches nothing is a warning; a path that does not exist is an error.
    """
    search = _Search(project_dir)
    if paths:
        for path in paths:
            search.take_path(Path(path))
    else:
        for pattern in patterns:
            search.take_pattern(pattern)
    files = tuple(search.found[real] for real in sorted(search.found, key=lambda real: search.found[real].name))
    return Discovered(files, tuple(dict.fromkeys(search.problems)))


def pattern_problem(pattern: str) -> str | None:
    """Tell what is wrong with a pattern of the project file, None when nothing is."""
    if not pattern.strip():
        return "an empty pattern matches nothing"
    if pattern.startswith(("/", "~")) or re.match(r"[A-Za-z]:", pattern):
        return "a pattern is relative to the project's folder"
    if ".." in pattern.split("/"):
        return "a pattern cannot leave the project's folder"
    if "\\" in pattern:
        return "a pattern separates folders by /"
    return None


def covers(pattern: str, relative: str) -> bool:
    """Tell whether a pattern takes the file at a path relative to the project, were it there."""
    if pattern_problem(pattern) or relative == PROJECT_FILE:
        return False
    steps, parts = _steps(pattern)
    names = relative.split("/")
    rest = names[len(steps) :]
    return (
        names[: len(steps)] == steps
        and not any(name.startswith(".") or not name for name in rest)
        and re.fullmatch(_regex(parts), "/".join(rest)) is not None
    )


class _Seen(NamedTuple):
    """A file of a folder: as it was found, relative to that folder, and its real path if it is a regular file."""

    path: str
    relative: str
    real: str | None


class _Search:
    def __init__(self, project_dir: Path) -> None:
        self.dir = project_dir
        self.real_dir = Path(os.path.realpath(project_dir))
        self.project_file = str(project_dir / PROJECT_FILE)
        self._plain_dir = f"{os.path.normpath(project_dir)}/"
        self.found: dict[str, SourceFile] = {}
        self.problems: list[Diagnostic] = []

    def take_pattern(self, pattern: str) -> None:
        problem = pattern_problem(pattern)
        if problem:
            self._error(PROJECT_FILE, f'the pattern "{plain(pattern)}": {problem}')
            return
        before = len(self.problems)
        fixed, rest = _steps(pattern)
        matches = re.compile(_regex(rest)).fullmatch
        hits = 0
        for found in self._walk(self.dir.joinpath(*fixed)):
            if matches(found.relative) and found.path != self.project_file:
                hits += 1
                self._take(found.path, found.real)
        if not hits and len(self.problems) == before:
            message = f'the pattern "{plain(pattern)}" matches no file'
            self.problems.append(Diagnostic(Severity.WARNING, Location(PROJECT_FILE), message))

    def take_path(self, given: Path) -> None:
        path = self.dir / given
        if os.path.normpath(path) == os.path.normpath(self.dir / PROJECT_FILE):
            return  # hooks name every file that changed; the project file is read anyway
        if path.is_dir():
            hits = 0
            for found in self._walk(path):
                if found.relative.endswith(_SUFFIXES) and found.path != self.project_file:
                    hits += 1
                    self._take(found.path, found.real)
            if not hits:
                self._error(_name(given), "the folder holds no .yaml or .yml file")
        elif path.is_file():
            if not self._leaves(path):
                self._take(path)
        else:
            self._error(_name(given), "no such file or folder" if not path.exists() else "this is not a file")

    def _take(self, given: str | Path, real: str | None = None) -> None:
        """Take a file; `real` is its real path where that is known, and that it is a regular file."""
        place = str(given)
        if real is None:
            real = os.path.realpath(place)
            if not Path(real).is_file():
                self._error(self._shown(place), "this is not a file that can be read")
                return
        self.found.setdefault(real, SourceFile(place, self._shown(place)))

    def _walk(self, top: Path) -> Iterator[_Seen]:
        """Give the files below a folder that are not hidden."""
        if not top.is_dir():
            return
        if self._leaves(top):
            return
        real_top = os.path.realpath(top)
        seen = {real_top}
        pending = [(str(top), real_top, "")]
        while pending:
            folder, real_folder, prefix = pending.pop()
            try:
                with os.scandir(folder) as entries:
                    here = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._error(self._shown(Path(folder)), f"the folder cannot be read: {error.strerror or error}")
                continue
            for entry in here:
                if entry.name.startswith("."):
                    continue
                linked = entry.is_symlink()
                is_dir = entry.is_dir()
                if linked and (entry.name.endswith(_SUFFIXES) or is_dir) and self._leaves(Path(entry.path)):
                    continue
                real = os.path.realpath(entry.path) if linked else f"{real_folder.rstrip('/')}/{entry.name}"
                if is_dir:
                    if real not in seen:
                        seen.add(real)
                        pending.append((entry.path, real, f"{prefix}{entry.name}/"))
                else:
                    regular = not linked and entry.is_file(follow_symlinks=False)
                    yield _Seen(entry.path, prefix + entry.name, real if regular else None)

    def _leaves(self, path: Path) -> bool:
        """Tell whether a path inside the project leads out of it through a link, and say so."""
        if not _inside(Path(os.path.normpath(path.absolute())), Path(os.path.normpath(self.dir.absolute()))):
            return False  # a folder outside was named on the command line
        real = Path(os.path.realpath(path))
        if _inside(real, self.real_dir):
            return False
        self._error(self._shown(path), "this link leads out of the project's folder; it is not followed")
        return True

    def _shown(self, path: Path | str) -> str:
        text = str(path)
        if text.startswith(self._plain_dir):  # most paths of most projects: what follows would give the same
            inside = text[len(self._plain_dir) :]
            if inside.isascii() and inside.isprintable() and ".." not in inside and len(inside) < LONGEST_PATH:
                return inside
        try:
            return _name(Path(os.path.normpath(path)).relative_to(os.path.normpath(self.dir)))
        except ValueError:
            return _name(Path(path))

    def _error(self, file: str, message: str) -> None:
        self.problems.append(Diagnostic(Severity.ERROR, Location(file), message))


def _inside(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _name(path: Path) -> str:
    """Give a path as messages show it: with slashes, and escapes for what does not print."""
    return plain(os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace"), LONGEST_PATH)


def _steps(pattern: str) -> tuple[list[str], list[str]]:
    """Give the folders of a pattern before its first wildcard, and the steps after them."""
    steps = [step for step in pattern.split("/") if step not in ("", ".")]
    fixed = 0
    while fixed < len(steps) - 1 and not _has_wildcard(steps[fixed]):
        fixed += 1
    return steps[:fixed], steps[fixed:]


def _has_wildcard(step: str) -> bool:
    return any(char in step for char in "*?[")


def _regex(steps: Iterable[str]) -> str:
    """Give a regular expression for a pattern: `*`, `?` and `[…]` inside a step, `**` for any folders."""
    steps = list(steps)
    out = ""
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if step == "**":
            out += ".*" if last else "(?:[^/]+/)*"
            continue
        out += "".join(_piece(piece) for piece in re.findall(r"\[[^\]/]+\]|.", step, re.DOTALL))
        out += "" if last else "/"
    return out


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        body = piece[1:-1].replace("\\", r"\\").replace("^", r"\^")
        return f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]"
    return re.escape(piece)
