"""What the doctor found: one line a check, gathered by what it was about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """One check: what it was about, how it came out, what was seen, and what to do (empty when nothing is)."""

    subject: str
    grade: Grade
    message: str
    advice: str = ""


@dataclass(frozen=True)
class Section:
    """The lines about one thing: the project, or one connection."""

    title: str
    detail: str
    lines: tuple[ProbeLine, ...]


@dataclass(frozen=True)
class Examination:
    """Everything that was looked at."""

    sections: tuple[Section, ...]

    def count(self, grade: Grade) -> int:
        """Give how many checks came out so."""
        return sum(line.grade is grade for section in self.sections for line in section.lines)

    @property
    def healthy(self) -> bool:
        """Tell whether nothing failed; warnings do not count."""
        return not self.count(Grade.FAILED)
