"""The reference of policies: the ready ones and the variables, made from the tables that are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.policy.library import LIBRARY, Ready
from reconciler.policy.params import NEEDED, Param
from reconciler.policy.variables import VARIABLES, Phase

PAGE = "policies.md"
_HEAD = """# Policies: the ready ones, and what expressions may speak of

<!-- Made by `reconciler explain --out docs/reference`; edit reconciler/policy instead. -->

How policies are written, tested and overridden is told in [docs/policies.md](../policies.md).
"""
_WHEN = {
    Phase.MANIFEST: "Known to `validate` and `plan`",
    Phase.LIVE: "Known to `plan`: the clock, and what the platforms report",
    Phase.CHANGE: "Known to `plan`: the change, and the plan as a whole",
}


def policies_page() -> str:
    """Give the page as Markdown."""
    return "\n".join([_HEAD, *_library(), *_variables()]).rstrip() + "\n"


def _library() -> Iterator[str]:
    yield "## Ready policies"
    yield ""
    for row in LIBRARY.values():
        yield from _ready(row)


def _ready(row: Ready) -> Iterator[str]:
    yield f"### `{row.name}`"
    yield ""
    yield row.title
    yield ""
    if row.params:
        yield from _table(
            ("Parameter", "Takes", "Usually", "Meaning"),
            ((f"`{item.name}`", _takes(item), _usual(item), item.meaning) for item in row.params),
        )
    yield "```"
    yield f"match:   {row.match}"
    yield f"assert:  {row.asserts}"
    yield f"message: {row.message}"
    yield "```"
    yield ""


def _takes(item: Param) -> str:
    bounds = [f"at least {item.least:g}"] if item.least is not None else []
    bounds += [f"at most {item.most:g}"] if item.most is not None else []
    return ", ".join([item.sort.value, *bounds])


def _usual(item: Param) -> str:
    return "has to be stated" if item.usual is NEEDED else f"`{item.usual}`"


def _variables() -> Iterator[str]:
    yield "## Variables"
    yield ""
    for phase, title in _WHEN.items():
        yield f"### {title}"
        yield ""
        rows = [row for row in VARIABLES.values() if row.phase is phase]
        yield from _table(
            ("Variable", "Type", "Meaning"),
            (
                (f"`{row.name}`", row.type.value, f"{row.meaning}{' Not always known.' if row.may_be_missing else ''}")
                for row in rows
            ),
        )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
