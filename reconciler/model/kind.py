"""
A kind of experiment as data: its fields, what they mean, and when they may change.

The planner, the `explain` command and the reference all read this one table, so that a person can hold it against the
platform's page line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Evidence(StrEnum):
    """How firm a fact of a platform is: stated on its page, on another public page, or assumed by us."""

    SEED = "seed"
    DOC = "doc"
    ASSUMED = "assumed"


class Verdict(StrEnum):
    """What becomes of a field's change in one status."""

    IN_PLACE = "in place"
    REPLACE = "replace"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the mutability table: the verdict, how firm it is, and what to say about it."""

    verdict: Verdict
    evidence: Evidence
    note: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field of a kind's spec.

    `path` is a template such as `cells[].reference.campaign`; a template that ends in `[]` stands for adding or
    removing a whole item of that list. `change` gives, by status column, what becomes of a change; a column that is
    missing there is never allowed. `spoils_in` names the columns in which a legal change spoils the comparison.
    `set_like` lists mean the same in any order. `clearable` says that the platform documents a way to clear it.
    `default` is what the platform takes for a value left out, None where that is not documented.
    """

    path: str
    type: str
    meaning: str
    source: str
    change: Mapping[str, Cell]
    limits: str = ""
    required: bool = False
    default: Any = None
    clearable: bool = False
    set_like: bool = False
    spoils_in: frozenset[str] = field(default_factory=frozenset)

    def cell(self, column: str) -> Cell:
        """Give the table's cell for a status column; an unlisted column reads as never, assumed."""
        return self.change.get(column, Cell(Verdict.NEVER, Evidence.ASSUMED, "this status is not known to the table"))


def template(path: str) -> str:
    """Give the table's path for a concrete one: `cells[1].name` is `cells[].name`."""
    out, depth = [], 0
    for char in path:
        if char == "[":
            depth += 1
            out.append("[")
        elif char == "]":
            depth -= 1
            out.append("]")
        elif depth == 0:
            out.append(char)
    return "".join(out)


def top_level(path: str) -> str:
    """Give the top-level key of a path: `cells[1].name` is `cells`."""
    return path.split(".", 1)[0].split("[", 1)[0]
