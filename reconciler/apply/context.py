"""What the execution of a plan is handed: sessions, kinds, the journal, time. Nothing here is global."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.model.outcome import Progress
from reconciler.model.resource import Key, Record
from reconciler.model.span import Spans, no_spans
from reconciler.plan.inputs import GRACE, Kinds
from reconciler.platforms.session import Session


class Journal(Protocol):
    """Where the record of an experiment is written after every call, durably."""

    def put(self, key: Key, record: Record, event: str) -> None:
        """Write the record of an experiment as it is now."""
        ...

    def remove(self, key: Key, event: str) -> None:
        """Write that an experiment is not managed any more."""
        ...


class Stopped(Exception):
    """A person asked to stop, or the connection may not be used any more: no further call is sent."""


@dataclass
class Context:
    """
    The surroundings of one run.

    `records` is the run's own view of the state and follows the journal. `stopping` is asked before every call.
    `halted` holds, by connection, why nothing more is sent through it (a quota, credentials).
    """

    plan_id: str
    sessions: Mapping[str, Session]
    kinds: Kinds
    journal: Journal
    records: dict[Key, Record]
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    notify: Callable[[Progress], None] = lambda progress: None
    stopping: Callable[[], bool] = lambda: False
    grace: timedelta = GRACE
    spans: Spans = no_spans
    halted: dict[str, str] = field(default_factory=dict)

    def put(self, record: Record, event: str) -> Record:
        """Write a record to the journal and to the run's own view; gives it back."""
        self.journal.put(record.key, record, event)
        self.records[record.key] = record
        return record

    def remove(self, key: Key, event: str) -> None:
        """Take a record out of the journal and the run's own view."""
        self.journal.remove(key, event)
        self.records.pop(key, None)

    def check_stopped(self, connection: str) -> None:
        """Raise Stopped when no further call may be sent through a connection."""
        if self.stopping():
            raise Stopped("stopped by request")
        if connection in self.halted:
            raise Stopped(self.halted[connection])
