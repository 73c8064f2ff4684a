"""What became of each experiment that an import looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.model.resource import Key


class Outcome(StrEnum):
    """What an import made of one live experiment."""

    IMPORTED = "imported"
    SKIPPED = "skipped"
    """It is managed already, or a manifest speaks of it."""
    LEFT_OUT = "left out"
    """It is over, owned elsewhere, or was never made: not asked for."""
    FAILED = "failed"


@dataclass(frozen=True)
class Imported:
    """
    One live experiment and what became of it.

    `file` is the manifest written, as messages name it (empty: one that was there already was recorded). `reason` says
    why it was not imported, `group` is the same in words that many share. `left_out` are sentences on what the manifest
    does not state.
    """

    outcome: Outcome
    platform: str
    connection: str
    remote_id: str
    name: str
    status: str
    key: Key | None = None
    file: str = ""
    reason: str = ""
    group: str = ""
    left_out: tuple[str, ...] = ()


@dataclass
class ImportResult:
    """
    What an import did. `problems` are sentences on what could not be read; `interrupted` says that it was stopped.

    It failed when there are problems, failures, or an interruption: then it can be run again.
    """

    items: list[Imported] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    def of(self, outcome: Outcome) -> Sequence[Imported]:
        """Give the experiments of one outcome, in the order in which they were met."""
        return [item for item in self.items if item.outcome is outcome]

    @property
    def complete(self) -> bool:
        """Whether everything asked for was done."""
        return not self.problems and not self.interrupted and not self.of(Outcome.FAILED)
