"""
Findings as workflow commands of GitHub Actions: lines of the log that the runner turns into marks on files.

The runner obeys such lines wherever they stand, in the text of a plan too: `::…` at the start of a line, `##[…]`
anywhere in it. Text for people is therefore put between `stop-commands` and its token, which switch that off (GitHub,
"Workflow commands for GitHub Actions").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from reconciler.model.annotation import Annotation
from reconciler.report.clean import clean

MOST = 50
"""Marks of one report; the runner shows 10 of a level and step, and 50 of a job."""
_TITLE, _MESSAGE = 200, 4_000


def workflow_commands(annotations: Sequence[Annotation], folder: str = "") -> str:
    """
    Give one command a line, at most 50 and a line that counts the rest; empty for none.

    `folder` is the project's folder within the repository: files are named from the repository's root.
    """
    lines = [_command(item, folder) for item in annotations[:MOST]]
    if rest := len(annotations) - MOST:
        lines += [f"::notice title=reconciler::{rest} more, see the log"] if rest > 0 else []
    return "".join(f"{line}\n" for line in lines)


def quiet(text: str, token: str) -> str:
    """Give a text between commands that keep the runner from obeying it; `token` must not be guessable."""
    body = text if text.endswith("\n") or not text else f"{text}\n"
    return f"::stop-commands::{token}\n{body}::{token}::\n"


def _command(item: Annotation, folder: str) -> str:
    properties: list[tuple[str, str]] = []
    if item.location is not None and item.location.file:
        properties.append(("file", clean((PurePosixPath(folder) / item.location.file).as_posix())))
        if item.location.line:
            properties += [("line", str(item.location.line)), ("col", str(max(item.location.column, 1)))]
    properties.append(("title", item.title[:_TITLE]))
    words = ",".join(f"{name}={_property(value)}" for name, value in properties)
    return f"::{item.level.value} {words}::{_data(item.message[:_MESSAGE])}"


def _data(text: str) -> str:
    """Give a message as the toolkit writes it: `%`, carriage return and line feed as percent codes."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Give a property's value: colon and comma are its syntax too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
