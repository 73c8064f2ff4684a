"""Rows in columns, for terminals and for logs: no cell is ever cut."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.clean import clean

WIDEST = 48
"""A cell beyond this does not widen its column for all rows."""


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]], indent: int = 0) -> list[str]:
    """Give a header and rows as aligned lines; every cell is cleaned and whole, an empty one shows as `-`."""
    cells = [list(header), *([clean(cell) or "-" for cell in row] for row in rows)]
    widths = [min(max(len(row[index]) for row in cells), WIDEST) for index in range(len(header))]
    return [
        " " * indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
