"""
Which part of a scalar is an expression.

Jinja's own lexer is not asked: it changes line ends, knows statements, comments and white-space control, and would have
to be loaded for every manifest that holds two braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_EXPRESSION = 2_000
"""Characters of one expression."""

LONGEST_SCALAR = 100_000
"""Characters of a scalar that holds expressions, before and after."""

_OPENING = re.compile(r"\{[{%#]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\}\}|.', re.DOTALL)
_MARKS = re.compile(r"\{(?=[{%#])")


class Malformed(ValueError):
    """An expression that cannot be read; `expression` is what stands there, `hint` what to do."""

    def __init__(self, message: str, expression: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.expression = expression
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a scalar: text as it is, or the inside of `{{ … }}`."""

    text: str
    is_expression: bool


def has_expression(text: str) -> bool:
    """Tell whether a scalar holds an expression, or a statement or comment, which are refused."""
    if "{" not in text:
        return False
    return "{{" in text or ("{%" in text and "%}" in text) or ("{#" in text and "#}" in text)


def escaped(text: str) -> str:
    """Give text as it has to stand in a manifest so that nothing in it is taken for an expression."""
    return _MARKS.sub('{{ "{" }}', text) if has_expression(text) else text


def pieces(text: str) -> list[Piece]:
    """Split a scalar; raises Malformed for an expression without an end, a statement or a comment."""
    if len(text) > LONGEST_SCALAR:
        raise Malformed(f"text of more than {LONGEST_SCALAR} characters cannot hold expressions")
    refused = {"{%": "%}" in text, "{#": "#}" in text, "{{": False}
    found: list[Piece] = []
    at = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < at:
            continue  # inside the quotes of an expression
        if opening.group() != "{{" and not refused[opening.group()]:
            continue
        if opening.group() != "{{":
            what = "statements {% … %}" if opening.group() == "{%" else "comments {# … #}"
            raise Malformed(
                f"{what} are not used in manifests",
                hint="use an expression {{ … }}, forEach for repetition, and # for comments",
            )
        if opening.start() > at:
            found.append(Piece(text[at : opening.start()], False))
        end = _end(text, opening.end())
        inside = text[opening.end() : end]
        found.append(Piece(_sound(inside), True))
        at = end + 2
    if at < len(text):
        found.append(Piece(text[at:], False))
    return found


def _end(text: str, start: int) -> int:
    """Give where the `}}` of an expression stands: not inside quotes, nor where braces of a mapping close."""
    depth = 0
    at = start
    while at < min(len(text), start + LONGEST_EXPRESSION + 2):
        match = _TOKEN.match(text, at)
        assert match is not None
        token = match.group()
        if token == "}}" and depth <= 0:
            return at
        if token == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            at += 1
            continue
        at = match.end()
    if at < len(text):
        raise Malformed(
            f"the expression has more than {LONGEST_EXPRESSION} characters",
            text[start:at],
            "close it with }}, or put a part of it into a variable",
        )
    raise Malformed("the expression has no end", text[start:], "close it with }}")


def _sound(inside: str) -> str:
    if not inside.strip():
        raise Malformed("the expression is empty", inside, "write a name between {{ and }}")
    if inside[0] in "-+" or inside[-1] in "-+":
        raise Malformed("{{- and -}} are not used here", inside, "put a space after {{ and before }}")
    return inside.strip()
