"""What a policy is once it has been read: compiled, typed, and with the place that it stands at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.diagnostic import Location
from reconciler.model.resource import NOWHERE
from reconciler.policy.engine import Compiled, NotEvaluated, Type, in_words
from reconciler.policy.variables import Phase

LONGEST_MESSAGE = 600
"""Characters of a message with its values in it."""
_DOT = re.compile(r"\s*\.\s*")


@dataclass(frozen=True)
class Message:
    """A sentence with expressions in it."""

    parts: tuple[str | Compiled, ...]

    def text(self, data: Mapping[str, Any]) -> str:
        """Give the sentence; an expression that comes to nothing stands there as it is written."""
        return _cut("".join(part if isinstance(part, str) else _value(part, data) for part in self.parts))


@dataclass(frozen=True)
class Case:
    """One row of a policy's table of test cases; `given` are variables by dotted name, `where` its place."""

    title: str
    given: Mapping[str, Any]
    expect: str
    message: str
    where: Location


@dataclass(frozen=True)
class Policy:
    """
    One policy.

    `phase` says from when on everything that it speaks of is known. `timely` says that it speaks of now, so that it may
    judge the same plan otherwise later. `params` are the values of a ready policy's parameters, as variables.
    """

    name: str
    asserts: Compiled
    message: Message
    match: Compiled | None = None
    blocks: bool = True
    overridable: bool = True
    phase: Phase = Phase.MANIFEST
    timely: bool = False
    used: frozenset[str] = frozenset()
    params: Mapping[str, Any] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    where: Location = NOWHERE
    use: str = ""

    def judge(self, data: Mapping[str, Any]) -> Verdict:
        """Give what it says of one experiment or change; what cannot be evaluated is not satisfied."""
        given = {**{name: data[name] for name in self.used if name in data}, **self.params}
        try:
            if self.match is not None and not self.match.holds(given):
                return Verdict("skip")
        except NotEvaluated as reason:
            return Verdict("fail", _cut(f"whether it applies cannot be told: {reason}"))
        try:
            if self.asserts.holds(given):
                return Verdict("pass")
        except NotEvaluated as reason:
            return Verdict("fail", _cut(f"it cannot be judged: {reason}"))
        return Verdict("fail", self.message.text(given))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pass`, `fail` with a sentence, or `skip` where the policy does not apply."""

    word: str
    message: str = ""


def used_in(texts: Iterable[str], variables: Iterable[str]) -> frozenset[str]:
    """Give the variables that expressions may speak of: at least those that they do."""
    bare = [_DOT.sub(".", text) for text in texts]
    return frozenset(name for name in variables if any(name in text for text in bare))


def params_table(types: Mapping[str, Type]) -> dict[str, Type]:
    """Give a ready policy's parameters as variables with their types."""
    return {f"params.{name}": kind for name, kind in types.items()}


def _value(part: Compiled, data: Mapping[str, Any]) -> str:
    try:
        return in_words(part.value(data))
    except NotEvaluated:
        return f"{{{{ {part.text} }}}}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"
