"""
Reads files into documents: bytes to text to values, with everything that is wrong in all of them.

What ends the reading of one file (bytes that are not UTF-8, a YAML syntax error) does not end that of the others.
"""

from __future__ import annotations

import gc
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reconciler.manifests.block import read_block
from reconciler.manifests.discover import SourceFile
from reconciler.manifests.document import Document, Source
from reconciler.model.diagnostic import Diagnostic, Location, Severity

MAX_BYTES = 10 * 1024 * 1024

_BREAK = re.compile(r"\r\n|\r|\n")


@cache
def _not_allowed() -> re.Pattern[str]:
    """
    Give what no YAML stream holds (https://yaml.org/spec/1.2.2/#51-character-set).

    Nor the line breaks that YAML 1.1 knows and 1.2 does not (NEL, LS, PS: libyaml would fold them silently), nor byte
    order marks inside. Made when a text is met that is not read by lines: it takes longer than most of this module.
    """
    return re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Loaded:
    """The documents of one or many files, in order, and every problem met while reading them."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def load(files: Iterable[SourceFile]) -> Loaded:
    """Read files in the order given; every problem of all of them is in the answer, nothing is raised."""
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    # Many small containers and no garbage among them: the collector would only walk them again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        for file in files:
            loaded = load_file(file.path, file.name)
            documents += loaded.documents
            problems += loaded.diagnostics
    finally:
        if collecting:
            gc.enable()
    return Loaded(tuple(documents), tuple(problems))


def load_file(path: Path, name: str, *, quiet: bool = False) -> Loaded:
    """Read one file; `name` is what messages call it. A file that cannot be read is a diagnostic."""
    try:
        try:
            found = os.stat(path)  # noqa: PTH116 - ten thousand times in a run, and Path.stat makes a Path of it first
        except (FileNotFoundError, NotADirectoryError):
            return _failed(Location(name), "no such file")
        if not stat.S_ISREG(found.st_mode):
            return _failed(Location(name), "this is not a file that can be read")
        size = found.st_size
        if size > MAX_BYTES:
            return _failed(
                Location(name),
                f"the file is {size / 1024 / 1024:.1f} MiB large; at most {MAX_BYTES // 1024 // 1024} MiB are read",
                hint="split it into several files",
            )
        with path.open("rb") as stream:
            data = stream.read(size + 1)  # not room for the most that there may be
            if len(data) > size:  # it grows, or is of a file system that tells no sizes
                data += stream.read(MAX_BYTES + 1 - len(data))
    except OSError as error:
        return _failed(Location(name), f"the file cannot be read: {error.strerror or error}")
    return load_bytes(data, name, quiet=quiet)


def load_bytes(data: bytes, name: str, *, quiet: bool = False) -> Loaded:
    """Read the bytes of one file as UTF-8, with or without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _failed(Location(name, 1, 1), "the file is UTF-16", hint="save it as UTF-8")
    try:
        text = data.decode("utf-8-sig" if data[:1] == b"\xef" else "utf-8")  # the latter is much sooner done
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        place = _place(name, before, len(before))
        return _failed(place, "the file is not UTF-8 here", hint="save it as UTF-8")
    return load_text(text, name, quiet=quiet)


def load_text(text: str, name: str, *, quiet: bool = False) -> Loaded:
    """
    Read the text of one file.

    With `quiet` no message repeats a value (the project file may hold a secret where none belongs). A text without
    any document is an error.
    """
    text = text.removeprefix("\ufeff")
    plain = read_block(text)
    if plain is not None:
        return Loaded((Document(name, 0, *plain, Source(text)),))
    stray = _not_allowed().search(text)
    if stray:
        return _failed(
            _place(name, text, stray.start()),
            f"the character U+{ord(stray.group()):04X} is not allowed in YAML",
            hint="remove it, or write it as an escape inside double quotes",
        )
    from reconciler.manifests.build import Builder  # brings in PyYAML, which --help does not need

    builder = Builder(name, Source(text), quiet=quiet)
    builder.run()
    problems = builder.problems
    if not builder.documents and not problems:
        problems = [
            Diagnostic(Severity.ERROR, Location(name), "the file is empty" if quiet else "the file holds no manifest")
        ]
    return Loaded(tuple(builder.documents), tuple(problems))


def _place(name: str, text: str, offset: int) -> Location:
    """Give the place of a character by its offset."""
    line, start = 1, 0
    for found in _BREAK.finditer(text, 0, offset):
        line, start = line + 1, found.end()
    return Location(name, line, offset - start + 1)


def _failed(place: Location, message: str, hint: str = "") -> Loaded:
    return Loaded(diagnostics=(Diagnostic(Severity.ERROR, place, message, hint=hint),))
