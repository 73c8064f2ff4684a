"""What an apply shows while it runs: plain lines in CI, a live display on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from reconciler.model.outcome import Progress
from reconciler.report.apply_text import outcome_line
from reconciler.report.clean import clean

if TYPE_CHECKING:
    from rich.progress import TaskID


class PlainProgress:
    """One line an event, to a stream that nobody moves a cursor on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, progress: Progress) -> None:
        """Write one event."""
        if progress.outcome is not None:
            self._stream.write(f"{outcome_line(progress.outcome)}\n")
        else:
            self._stream.write(f"{clean(str(progress.key))}: {clean(progress.message)}\n")
        self._stream.flush()


class LiveProgress:
    """
    A line for each experiment at work, which goes when it is done, and a line of its outcome that stays.

    Nothing is drawn before the first event: the question whether to go on is asked on the same terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> LiveProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show one event."""
        self._bars.start()
        key = clean(str(progress.key))
        if progress.outcome is not None:
            if key in self._tasks:
                self._bars.remove_task(self._tasks.pop(key))
            self._console.print(outcome_line(progress.outcome), soft_wrap=True)
            return
        words = f"{key}: {clean(progress.message)}"
        if key in self._tasks:
            self._bars.update(self._tasks[key], description=words)
        else:
            self._tasks[key] = self._bars.add_task(words, total=None)
