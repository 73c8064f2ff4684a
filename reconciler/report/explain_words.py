"""The words that `explain` and the reference share for cells of the mutability table, evidence and clearing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.kind import Cell, Field, Verdict
from reconciler.platforms.base import Kind

VERDICT = {Verdict.IN_PLACE: "in place", Verdict.REPLACE: "replace", Verdict.NEVER: "never"}

LEGEND = (
    "seed: stated on the platform's own page of this resource; doc: stated on another public page of the platform; "
    "assumed: no page says, and this is the careful reading"
)
REPLACE = (
    "replace: the change is blocked, unless the manifest says `lifecycle: {onImmutableChange: replace}` and the run "
    "has --allow-destroy; then the old experiment is ended in the way that keeps its results, a new one is made, "
    "results restart and people are assigned anew"
)
NEVER = "never: the change is blocked, whatever the manifest says"
IN_PLACE = "in place: the change is sent, and the experiment goes on as it is"
SPOILS = "allowed, but it spoils the comparison"
OTHER_MOVES = "Every other move is blocked: no page says that it works."


def first_sentence(text: str) -> str:
    """Give the first sentence of a meaning, for lists."""
    return text.split(". ", 1)[0].rstrip(".") + "."


def default_words(field: Field) -> str:
    """Give the default as a manifest writes it, or say that there is none that the platform documents."""
    if field.default is None:
        return "" if field.required else "none documented"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def clearing_words(field: Field) -> str:
    """Tell what becomes of a value that is taken out of the manifest."""
    if field.clearable:
        return "yes: with null, or by leaving it out once it was applied"
    if field.required:
        return "no: it is required"
    return "no: left out, the value on the platform stays as it is"


def notes(kind: Kind, field: Field, status: str) -> str:
    """Give what is to say about one cell: its note, and whether the change spoils the comparison."""
    parts = [field.cell(status).note]
    if status in field.spoils_in and field.cell(status).verdict is Verdict.IN_PLACE:
        parts.append(SPOILS)
    return "; ".join(part for part in parts if part)


def consequences(cells: Sequence[Cell]) -> Iterator[str]:
    """Give one sentence for each verdict that needs explaining among some cells."""
    verdicts = {cell.verdict for cell in cells}
    if Verdict.REPLACE in verdicts:
        yield REPLACE
    if Verdict.NEVER in verdicts:
        yield NEVER
