"""
The expressions `${{ … }}` of GitHub Actions, as far as our files use them.

Written from "Evaluate expressions in workflows and actions" (docs.github.com): literals, contexts, `!`, `&&`, `||`,
`==`, `!=`, parentheses and the functions named here; a name that is not there is null, text compares without case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+)|(&&|\|\||==|!=|[!().,\[\]*])|([A-Za-z_][\w-]*))")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """Give a text with every hole filled."""
    return _HOLE.sub(lambda hole: shown(value_of(hole.group(1), contexts)), text)


def holds(condition: str | None, contexts: Mapping[str, Any]) -> bool:
    """Tell whether an `if` holds; one that names no status function holds only while nothing has failed."""
    text = (condition or "success()").strip().removeprefix("${{").removesuffix("}}")
    if not re.search(r"\b(always|failure|success|cancelled)\(\)", text):
        text = f"success() && ({text})"
    return truth(value_of(text, contexts))


def value_of(text: str, contexts: Mapping[str, Any]) -> Any:
    """Give the value of an expression; raises ValueError for what is none."""
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"no expression: {text!r}")
        tokens.append(found.group(0).strip())
        at = found.end()
    parser = _Parser(tokens, contexts)
    value = parser.either()
    if parser.tokens:
        raise ValueError(f"no expression: {text!r}")
    return value


def shown(value: Any) -> str:
    """Give a value as text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def truth(value: Any) -> bool:
    """Tell whether a value counts as true: not null, false, 0 or an empty text."""
    return value not in (None, False, 0, "")


class _Parser:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any]) -> None:
        self.tokens, self.contexts = tokens, contexts

    def _take(self, *wanted: str) -> str | None:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else None

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._take("&&"):
            other = self._equal()
            value = other if truth(value) else value
        return value

    def _equal(self) -> Any:
        value = self._unary()
        while sign := self._take("==", "!="):
            value = (_folded(value) == _folded(self._unary())) is (sign == "==")
        return value

    def _unary(self) -> Any:
        if self._take("!"):
            return not truth(self._unary())
        if self._take("("):
            value = self.either()
            if not self._take(")"):
                raise ValueError("a parenthesis is open")
            return value
        return self._atom()

    def _atom(self) -> Any:
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdecimal():
            return int(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self.either())
                self._take(",")
            return self._call(token, arguments)
        if token not in self.contexts:
            raise ValueError(f"there is no context {token}")
        value = self.contexts[token]
        while self._take("."):
            name = self.tokens.pop(0)
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _call(self, name: str, arguments: list[Any]) -> Any:
        failed = self.contexts["job"]["status"] == "failure"
        match name:
            case "always":
                return True
            case "success":
                return not failed
            case "failure":
                return failed
            case "cancelled":
                return False
            case "hashFiles":
                files = [Path(self.contexts["github"]["workspace"]) / name for name in arguments]
                return "hash" if any(path.exists() for path in files) else ""
        raise ValueError(f"the function {name} is not known here")


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else "" if value is None else value
