"""
What happens while a plan is carried out: plain lines for logs, a live display for terminals.

Both are told the same two things: events of experiments, and sentences such as "rate limit, waiting 40 s". A person who
waits sees that something is waited for, what, and for how long; a log keeps one line for each event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from reconciler.model.outcome import Progress, Result
from reconciler.model.resource import Key
from reconciler.report.apply_text import outcome_line
from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import counted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

RUNNING_SHOWN = 8
"""Experiments under way that the live display shows at once."""


class ProgressDisplay(Protocol):
    """Where progress goes; used as a context, called with events."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, progress: Progress) -> None:
        """Show an event of one experiment."""
        ...

    def announce(self, sentence: str) -> None:
        """Show a sentence about the run, such as a wait and the time left."""
        ...


class PlainProgress:
    """One line for each event, written at once; nothing is ever overwritten. `total` is how many changes there are."""

    def __init__(self, stream: TextIO, style: Style = PLAIN, total: int = 0) -> None:
        self._stream = stream
        self._style = style
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, progress: Progress) -> None:
        """Write an event of one experiment: its end with the count, anything else with its key."""
        with self._lock:
            if progress.outcome is None:
                self._write(f"{clean(str(progress.key))}: {clean(progress.message)}")
                return
            self._done += 1
            count = f"[{self._done}/{self._total}] " if self._total else ""
            self._write(count + outcome_line(progress.outcome, self._style))

    def announce(self, sentence: str) -> None:
        """Write a sentence about the run."""
        with self._lock:
            self._write(self._style.changed(clean(sentence)))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class LiveProgress:
    """
    A few lines at the foot of a terminal that say what runs now; what has ended scrolls away above them.

    Nothing is drawn before the first event: the question whether to go on is asked on the same terminal.
    `clock` gives seconds from any start, and only measures how long things have been going on.
    """

    def __init__(
        self,
        stream: TextIO,
        style: Style = PLAIN,
        total: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console

        self._console = Console(file=stream, markup=False, highlight=False, emoji=False, no_color=not style.colour)
        self._style = style
        self._clock = clock
        self._started = clock()
        self._total = total
        self._running: dict[Key, tuple[str, float]] = {}
        self._counts: dict[Result, int] = {}
        self._said: tuple[str, float] | None = None
        self._live: Live | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, progress: Progress) -> None:
        """Show an event of one experiment; its end stays on the screen, the rest is replaced by what comes next."""
        self._draw()
        with self._lock:
            if progress.outcome is None:
                since = self._running.get(progress.key, ("", self._clock()))[1]
                self._running[progress.key] = (clean(progress.message), since)
                return
            self._running.pop(progress.key, None)
            result = progress.outcome.result
            self._counts[result] = self._counts.get(result, 0) + 1
        # Not under our lock: the drawing thread holds rich's lock when it asks for our lines.
        self._print(outcome_line(progress.outcome, self._style))

    def announce(self, sentence: str) -> None:
        """Show a sentence about the run; it stays on the screen until the next one, or for a minute."""
        with self._lock:
            self._said = (clean(sentence), self._clock())
        if self._live is None:
            self._print(self._style.changed(clean(sentence)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines at the foot of the terminal as they are now."""
        from rich.text import Text

        for line in self.lines():
            yield Text.from_ansi(line, overflow="ellipsis", no_wrap=True)

    def lines(self) -> list[str]:
        """Give the lines at the foot of the terminal: what runs, what is waited for, how far the run is."""
        with self._lock:
            now = self._clock()
            running = list(self._running.items())
            lines = [
                f"{self._style.changed('>')} {clean(str(key))}: {message} {self._style.dim(_since(now - since))}"
                for key, (message, since) in running[:RUNNING_SHOWN]
            ]
            if len(running) > RUNNING_SHOWN:
                lines.append(f"  ... and {len(running) - RUNNING_SHOWN} more under way")
            if self._said is not None and now - self._said[1] < 60:
                ago = f"(said {_since(now - self._said[1])} ago)"
                lines.append(f"{self._style.changed('! ' + self._said[0])} {self._style.dim(ago)}")
            lines.append(self._style.bold(self._tally(now)))
            return lines

    def _draw(self) -> None:
        """Begin to draw, once."""
        if self._live is not None:
            return
        from rich.live import Live

        self._started = self._clock()
        self._live = Live(self, console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    def _tally(self, now: float) -> str:
        ended = sum(self._counts.values())
        good = self._counts.get(Result.DONE, 0) + self._counts.get(Result.UNCHANGED, 0)
        head = f"{ended} of {self._total} changes" if self._total else counted(ended, "change")
        bad = ended - good
        return f"{head} ended{f', {bad} of them not done' if bad else ''}, {_since(now - self._started)} so far"

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text.from_ansi(line), soft_wrap=True)


def _since(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"
