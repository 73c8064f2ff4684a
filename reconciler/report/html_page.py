"""
One self-contained HTML page: what the pages have in common, and how a template becomes text.

The page says by its own Content-Security-Policy that it loads nothing and runs one script, named by its hash. Without
that script it works too; the script adds the search field, opens what a link points at, and opens all for printing.
Everything from outside goes through Jinja's escaping, and first through `clean`, which makes visible what hides.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.report.clean import clean
from reconciler.report.html_fields import Badge, CallView, FieldView

if TYPE_CHECKING:
    from jinja2 import Environment

OPEN = 12
"""At most so many experiments are unfolded: all of them, or those that matter most."""
PRINTED = 60
"""Pages of at most so many experiments are printed with everything unfolded; longer ones as they stand."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one sentence that counts, with its look, and what else to know at once."""

    look: str
    sentence: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter: what its class is called, how it reads, how many it stands for."""

    name: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Card:
    """One experiment of a page; `because` is the word before each of its reasons."""

    anchor: str
    kind: str
    name: str
    word: str
    look: str
    platform: str
    about: tuple[str, ...]
    badges: tuple[Badge, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    fields: tuple[FieldView, ...] = ()
    creates: bool = False
    calls: tuple[CallView, ...] = ()
    no_call: str = ""
    because: str = ""
    open: bool = True


Line: TypeAlias = tuple[tuple[str, str], ...]
"""A line in pieces, each with the anchor that it leads to, or none."""
NAMED = 12
"""Lines of an attention that stand open; the others are folded below them."""


@dataclass(frozen=True, slots=True)
class Attention:
    """
    Experiments named above all others: what it is about, and a line for each of them.

    `sentences` says that the lines are such, and no names that stand side by side.
    """

    title: str
    look: str
    sentence: str
    lines: tuple[Line, ...]
    sentences: bool = False

    @property
    def first(self) -> tuple[Line, ...]:
        """Give the lines that stand open."""
        return self.lines if len(self.lines) <= NAMED + 1 else self.lines[:NAMED]

    @property
    def rest(self) -> tuple[Line, ...]:
        """Give the lines that are folded."""
        return self.lines[len(self.first) :]


def place(platform: str, connection: str) -> list[str]:
    """Give where an experiment is: its platform, and the connection where that is called otherwise."""
    return [clean(platform)] if platform == connection else [clean(platform), f"on {clean(connection)}"]


def platforms_of(names: Sequence[str]) -> dict[str, str]:
    """Give a class of its own to every platform; names from a plan file never become part of the page's code."""
    return {name: f"p{number}" for number, name in enumerate(sorted(set(names)))}


def platform_choices(platforms: dict[str, str], names: Sequence[str]) -> list[Choice]:
    """Give the choices of the filter by platform; `names` are those of the experiments listed."""
    return [Choice(look, clean(name), names.count(name)) for name, look in platforms.items()]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("reconciler.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return (files("reconciler.report") / "templates" / name).read_text(encoding="utf-8").strip()


def render(name: str, **values: Any) -> str:
    """Give a template filled with values; raises UndefinedError when it asks for one that is not given."""
    from markupsafe import Markup

    script, style = _asset("report.js"), _asset("report.css")
    own = {"style": Markup(style), "script": Markup(script)}  # nosec B704
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _environment().get_template(name).render(**values, **own, script_hash=digest)
