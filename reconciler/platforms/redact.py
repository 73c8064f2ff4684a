"""Text from outside made fit to show: no secret in it, no control character, no more of it than a line holds."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "[secret]"
EXCERPT_CHARACTERS = 200
_WINDOW = 65_536
_SHORT = 4


class Redactor:
    """
    Replaces every secret that it has been told of, also where it stands percent-encoded or as JSON text.

    A secret under four characters is replaced only where it stands as a word of its own.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Learn one more secret, such as a token that was just obtained."""
        parts = [secret, *(line for line in secret.splitlines() if len(line) >= 16)]
        forms = {
            form.strip()
            for part in parts
            for form in (part, quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1])
        }
        forms.discard("")
        if forms <= self._forms:
            return
        self._forms |= forms
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(_pattern(form) for form in longest_first))

    def __call__(self, text: str) -> str:
        """Give the text with every known secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def excerpt(self, body: bytes | str, limit: int = EXCERPT_CHARACTERS) -> str:
        """Give the beginning of a hostile text: masked first, then escaped, then cut to `limit` characters."""
        text = body[: _WINDOW * 4].decode("utf-8", "replace") if isinstance(body, bytes) else body
        shown = escaped(self(text[:_WINDOW]))
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _pattern(form: str) -> str:
    escaped_form = re.escape(form)
    return rf"(?<!\w){escaped_form}(?!\w)" if len(form) < _SHORT else escaped_form


def escaped(text: str) -> str:
    """Give the text on one line: runs of white space as one blank, control and format characters as escapes."""
    blanks = re.sub(r"[ \t\r\n]+", " ", text).strip()
    if blanks.isascii() and blanks.isprintable():
        return blanks
    return "".join(_shown(character) for character in blanks)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
