"""What became of each change of a plan when it was applied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.change import Action
from reconciler.model.resource import Key


class Result(StrEnum):
    """How one change ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    STALE = "stale"
    FAILED = "failed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    NOT_TRIED = "not-tried"


GOOD = frozenset({Result.DONE, Result.UNCHANGED})
"""Results after which what waits for the change may go on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change's end: `message` says why where it is not done; `calls_sent` counts the requests that were sent."""

    key: Key
    action: Action
    result: Result
    message: str = ""
    calls_sent: int = 0
    remote_id: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened on the way, for a progress display: a sentence about one experiment."""

    key: Key
    message: str
    outcome: Outcome | None = None


@dataclass(frozen=True)
class ApplyResult:
    """What became of a whole plan; `interrupted` says that a person stopped it."""

    outcomes: tuple[Outcome, ...]
    interrupted: bool = False

    def count(self, *results: Result) -> int:
        """Give how many changes ended in one of the given ways."""
        return sum(1 for outcome in self.outcomes if outcome.result in results)
