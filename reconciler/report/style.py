"""Colours as a value that is handed in: the command line decides, the reports only say what a piece of text is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How to mark text: with ANSI colours, or not at all. The words alone always carry the meaning."""

    colour: bool = False

    def bold(self, text: str) -> str:
        """Give a heading."""
        return self._paint("1", text)

    def dim(self, text: str) -> str:
        """Give what matters less."""
        return self._paint("2", text)

    def good(self, text: str) -> str:
        """Give what is added or done, in green."""
        return self._paint("32", text)

    def bad(self, text: str) -> str:
        """Give what is removed, failed or dangerous, in red."""
        return self._paint("31", text)

    def alarm(self, text: str) -> str:
        """Give what must not be overlooked, in bold red."""
        return self._paint("1;31", text)

    def changed(self, text: str) -> str:
        """Give what is changed or to be thought about, in yellow."""
        return self._paint("33", text)

    def note(self, text: str) -> str:
        """Give what is only recorded or only informs, in cyan."""
        return self._paint("36", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style(colour=False)
ANSI = Style(colour=True)
