"""What is wrong, where, and what to do: findings of validation and of planning, and the rules behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

PathTuple: TypeAlias = tuple[str | int, ...]


class Severity(StrEnum):
    """How much a finding weighs: an error stops the run, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: `line` and `column` count from 1, in characters; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A platform's or our own rule as data.

    `id` is area and number, never reused (`LIN007`); `source` names the page or section that states it, with its mark
    (seed, doc, assumed); `fix` says what would satisfy it.
    """

    id: str
    title: str
    source: str
    fix: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that one manifest breaks: `path` leads into its `spec`, `message` says what is there."""

    rule: Rule
    path: PathTuple
    message: str
    severity: Severity | None = None

    @property
    def level(self) -> Severity:
        """The finding's own severity, or the rule's."""
        return self.severity or self.rule.severity


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem as shown to a person: where, which rule, what, and what to do; `excerpt` is shown line by line."""

    severity: Severity
    location: Location | None
    message: str
    rule: str = ""
    path: str = ""
    hint: str = ""
    source: str = field(default="", compare=False)
    excerpt: tuple[str, ...] = field(default=(), compare=False)


def dotted(path: PathTuple) -> str:
    """Give a path as people write it: `("cells", 0, "name")` is `cells[0].name`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
