"""Stretches of a run that somebody may want to time; whoever wants to is handed in as `Spans`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeAlias

Fact: TypeAlias = str | int | bool


class Note(Protocol):
    """Adds facts to a stretch; `error`, when it is not empty, says that it failed and why."""

    def __call__(self, *, error: str = "", **facts: Fact) -> None:
        """Take the facts."""
        ...


class Spans(Protocol):
    """Marks a stretch as a context; its facts are plain values, without secrets."""

    def __call__(self, name: str, **facts: Fact) -> AbstractContextManager[Note]:
        """Give the context."""
        ...


@contextmanager
def no_spans(name: str, **facts: Fact) -> Iterator[Note]:
    """Mark nothing."""

    def note(*, error: str = "", **facts: Fact) -> None:
        return None

    yield note
