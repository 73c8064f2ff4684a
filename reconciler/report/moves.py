"""
Which value of a lifecycle field may follow which, asked of the kind itself cell by cell.

`Kind.verdict` is what the planner asks, so what is shown is what will be done. Combinations that are told apart by
nothing but their names are left out: the reports say that every other move is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.model.change import Action, FieldChange
from reconciler.model.kind import Cell, Verdict
from reconciler.model.resource import Live
from reconciler.platforms.base import Kind, Situation

_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """
    One row of a table of transitions: in these statuses, from any of `currents` to any of `wanted`.

    `currents` is empty where it does not matter, and where the status itself is the current value.
    """

    statuses: tuple[str, ...]
    currents: tuple[str, ...]
    wanted: tuple[str, ...]
    cell: Cell


@dataclass(frozen=True, slots=True)
class Birth:
    """Whether an experiment can be created with a value; `note` says why not."""

    wanted: str
    allowed: bool
    note: str = ""


def lifecycle_values(kind: Kind) -> tuple[str, ...]:
    """Give the values of a kind's lifecycle field, in order; none where it has no such field."""
    if kind.lifecycle_field is None:
        return ()
    entry = kind.spec_model.model_json_schema()["properties"][kind.lifecycle_field]
    options = [entry, *entry.get("anyOf", ())]
    return next((tuple(option["enum"]) for option in options if "enum" in option), ())


def moves_of(kind: Kind) -> tuple[Move, ...]:
    """Give the table of transitions of a kind, rows that say the same put together; none without a lifecycle field."""
    values = lifecycle_values(kind)
    by_status: dict[tuple[str, str, Cell], list[str]] = {}
    for status in kind.statuses:
        for current in (status,) if status in values else values:
            for wanted in values:
                if wanted == current:
                    continue
                cell = _verdict(kind, status, current, wanted)
                if not _names_the_combination(cell, status, current, wanted):
                    by_status.setdefault((current, wanted, cell), []).append(status)
    by_current: dict[tuple[tuple[str, ...], str, Cell], list[str]] = {}
    for (current, wanted, cell), statuses in by_status.items():
        by_current.setdefault((tuple(statuses), wanted, cell), []).append(current)
    by_wanted: dict[tuple[tuple[str, ...], tuple[str, ...], Cell], list[str]] = {}
    for (where, target, cell), held in by_current.items():
        whatever = tuple(held) == where or {*held, target} == set(values)
        by_wanted.setdefault((where, () if whatever else tuple(held), cell), []).append(target)
    rows = [
        Move(where, held_values, tuple(sorted(targets, key=values.index)), cell)
        for (where, held_values, cell), targets in by_wanted.items()
    ]
    return tuple(sorted(rows, key=lambda row: _place(row, kind.statuses, values)))


def _place(row: Move, statuses: Sequence[str], values: Sequence[str]) -> tuple[int, list[int], int]:
    return statuses.index(row.statuses[0]), [values.index(value) for value in row.currents], values.index(row.wanted[0])


def births_of(kind: Kind) -> tuple[Birth, ...]:
    """Tell for each value of the lifecycle field whether an experiment can be created with it."""
    return tuple(_births(kind))


def _births(kind: Kind) -> Iterator[Birth]:
    for wanted in lifecycle_values(kind):
        spec = {str(kind.lifecycle_field): wanted}
        judged = kind.judge(Situation(Action.CREATE, _SOME_DAY, None, spec, spec))
        blocks = [item.message for item in judged if item.blocks and item.path == kind.lifecycle_field]
        yield Birth(wanted, not blocks, blocks[0] if blocks else "")


def _verdict(kind: Kind, status: str, current: str, wanted: str) -> Cell:
    field = str(kind.lifecycle_field)
    live = Live("1", status, {field: current})
    return kind.verdict(FieldChange(field, current, wanted), live, {field: wanted})


def _names_the_combination(cell: Cell, status: str, current: str, wanted: str) -> bool:
    """Tell whether a refusal says no more than that this very combination is not documented."""
    if cell.verdict is not Verdict.NEVER or status == current:
        return False
    return all(word in cell.note for word in (status, current, wanted))
