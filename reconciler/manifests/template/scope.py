"""What expressions may speak of, and what manifests leave to their project: variables, defaults, the environment."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.manifests.document import Document
from reconciler.model.diagnostic import Location, PathTuple

HELPERS = ("at", "date", "days", "hours", "minutes", "next_weekday", "tz", "weeks")
BUILT_IN = ("each", "environment", "name")
CHANGING = frozenset(
    {"now", "today", "tomorrow", "yesterday", "utcnow", "time", "timestamp", "random", "uuid", "uuid4", "env", "getenv"}
)
"""Names that would give another value each time, or on each machine."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "self", "super", "caller", "loop"}
    | {"varargs", "kwargs", "import", "include", "context"}
)


def _nowhere(path: PathTuple) -> Location:
    return Location("")


@dataclass(frozen=True)
class Variable:
    """
    A value that expressions may use.

    `locate` gives the place of a part of it. A `literal` one (`--var`) holds no expressions, whatever stands there.
    """

    value: Any
    locate: Callable[[PathTuple], Location] = field(default=_nowhere, compare=False, repr=False)
    literal: bool = False


@dataclass(frozen=True)
class Defaults:
    """What manifests of one kind say when they do not say otherwise: a part of the project file at `prefix`."""

    value: Mapping[str, Any]
    document: Document
    prefix: PathTuple


@dataclass(frozen=True)
class Scope:
    """What a project hands to its manifests; `environment` is what `--env` chose, `defaults` are by kind."""

    variables: Mapping[str, Variable] = field(default_factory=dict)
    environment: str | None = None
    defaults: Mapping[str, Defaults] = field(default_factory=dict)


def name_problem(name: str) -> str | None:
    """Tell why a variable cannot have a name; None when it can."""
    if not _NAME.fullmatch(name):
        return "a variable's name is a letter, then letters, digits and _"
    if name in HELPERS or name in BUILT_IN:
        return "the name is taken by what expressions know anyway"
    if name in CHANGING:
        return "the name reads like a value that changes by itself"
    if name in _WORDS or keyword.iskeyword(name):
        return "the name is a word of the expression language"
    return None
