"""
Files in the one layout of manifests, and the promise that nothing is lost.

The layout is our own work over the positions of libyaml's events rather than a round trip through a YAML library: those
fold long lines, drop quotes and move comments. Before a text is given back, it is read again with the loader that
`validate` and `plan` use: other values or another set of comments, and the file is left as it is.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.manifests.discover import SourceFile
from reconciler.manifests.layout.order import KeyOrder
from reconciler.manifests.load import MAX_BYTES, Loaded, load_bytes, load_file, load_text
from reconciler.model.diagnostic import Diagnostic, Location, Severity

_BREAK = re.compile(r"\r\n?")


@dataclass(frozen=True)
class Formatted:
    """
    A file before and after.

    `after` equals `before` where nothing is to change, and also where there is an error: nothing is to be written then.
    """

    name: str
    before: bytes = b""
    after: bytes = b""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the file would change."""
        return self.before != self.after

    @property
    def failed(self) -> bool:
        """Whether the file could not be formatted."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def formatted_file(file: SourceFile, kinds: Mapping[str, KeyOrder]) -> Formatted:
    """Read a file and give it in the one layout; whatever is wrong with it is among the diagnostics."""
    try:
        if not file.path.is_file() or file.path.stat().st_size > MAX_BYTES:
            return Formatted(file.name, diagnostics=load_file(file.path, file.name).diagnostics)
        data = file.path.read_bytes()
    except OSError as error:
        return Formatted(file.name, diagnostics=(_error(file.name, f"the file cannot be read: {error.strerror}"),))
    return formatted(data, file.name, kinds)


def formatted(data: bytes, name: str, kinds: Mapping[str, KeyOrder]) -> Formatted:
    """
    Give the bytes of one file in the one layout; `kinds` holds the order of each kind's spec.

    A file that the loader refuses is given back as it is, with what the loader says.
    """
    from reconciler.manifests.layout import NotLaidOut, comments_of, laid_out  # brings in PyYAML

    loaded = load_bytes(data, name)
    if loaded.diagnostics:
        return Formatted(name, data, data, loaded.diagnostics)
    text = _BREAK.sub("\n", data.decode("utf-8-sig").removeprefix("\ufeff"))
    try:
        result = laid_out(text, kinds)
        same = result == text or (
            _values(load_text(result, name)) == _values(loaded) and comments_of(result) == comments_of(text)
        )
    except NotLaidOut as left:
        note = Diagnostic(Severity.WARNING, Location(name, left.line, 1), f"the file is left as it is: {left.reason}")
        return Formatted(name, data, data, (note,))
    if not same:
        problem = _error(
            name,
            "formatting would have changed what this file says, so it is left as it is",
            "this is a mistake in reconciler: please report it with the file",
        )
        return Formatted(name, data, data, (problem,))
    return Formatted(name, data, result.encode())


def rewrite(file: SourceFile, done: Formatted, project_dir: Path) -> Diagnostic | None:
    """
    Put the new text in the place of the old, whole or not at all; gives what went wrong, None when nothing did.

    Permissions stay. A link stays too, and its target is rewritten as long as that lies inside the project.
    """
    real = Path(os.path.realpath(file.path))
    folder = Path(os.path.realpath(project_dir))
    temporary: str | None = None
    try:
        if file.path.is_symlink() and folder not in real.parents:
            return _error(file.name, "this link leads out of the project's folder; it is not followed")
        mode = real.stat().st_mode & 0o7777
        if not os.access(real, os.W_OK):
            return _error(file.name, "the file cannot be written: it is read-only")
        handle, temporary = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".tmp", dir=real.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(done.after)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        if real.read_bytes() != done.before:
            return _error(file.name, "the file changed while it was being formatted; it is left as it is")
        Path(temporary).replace(real)
        temporary = None
    except OSError as error:
        return _error(file.name, f"the file cannot be written: {error.strerror or error}")
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
    return None


def _values(loaded: Loaded) -> list[str]:
    """Give the documents in a form in which 1, 1.0 and true differ; what cannot be read again is not equal."""
    if loaded.diagnostics:
        return ["unreadable"]
    return [json.dumps(document.value, sort_keys=True) for document in loaded.documents]


def _error(name: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, Location(name), message, hint=hint)
