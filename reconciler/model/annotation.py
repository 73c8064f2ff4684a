"""A finding as a mark beside a line of a pull request: what a check or a log of CI shows there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.diagnostic import Location


class Level(StrEnum):
    """How loud a mark is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """
    One mark. `location` is None for a finding about no file; its `file` is relative to the project's folder.

    `title` is a few words, `message` a sentence or several lines. Both may hold text from outside, as it came.
    """

    level: Level
    location: Location | None
    title: str
    message: str
