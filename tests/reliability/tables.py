"""Tables in Markdown, and the parts of `docs/faults.md` that are made from the fault table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from elsewhere import ELSEWHERE
from fault_table import ENDS, FAULTS, PLATFORMS, READS, TITLES, WRITES, Fault, rows

ROOT = Path(__file__).parent.parent.parent
FAULTS_PAGE = ROOT / "docs" / "faults.md"
RENEW = "make reliability"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Give a table; cells hold no line break and no bar."""
    every = [list(head), ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in every)


def with_parts(text: str, parts: dict[str, str]) -> str:
    """Give a page with what stands between its markers replaced."""
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        text = f"{before}{begin}\n{part}\n\n{end}{after}" if part else f"{before}{begin}{end}{after}"
    return text


def faults_page(text: str) -> str:
    """Give `docs/faults.md` as the data says it."""
    ends = table(("end", "meaning"), ((f"**{end}**", words) for end, words in ENDS.items()))
    outcomes = table(("fault", *(TITLES[name] for name in PLATFORMS), "why"), (_line(fault) for fault in FAULTS))
    others = table(
        ("what happens", "where", "what comes of it", "test"),
        ((one.what, one.where, one.outcome, f"`{one.test.split('::')[1]}`") for one in ELSEWHERE),
    )
    return with_parts(text, {"ends": ends, "table": outcomes, "elsewhere": others})


def _line(fault: Fault) -> list[str]:
    whys = list(dict.fromkeys(row.why for row in rows() if row.fault is fault))
    return [fault.name, *(_cell(fault, platform) for platform in PLATFORMS), "; ".join(whys)]


def _cell(fault: Fault, platform: str) -> str:
    ends: dict[str, list[str]] = {}
    for row in rows():
        if row.fault is fault and row.platform == platform and row.command == "apply":
            ends.setdefault(row.end, []).append(row.operation)
    if not ends:
        return "–"
    if len(ends) == 1 and fault.operations == (*READS, *WRITES):
        return next(iter(ends))
    return "; ".join(f"{_words(names)}: {end}" for end, names in ends.items())


def _words(operations: Sequence[str]) -> str:
    for words, names in (("reads", READS), ("writes", WRITES), ("writes", [n for n in WRITES if n != "action"])):
        if set(operations) == set(names):
            return words
    return ", ".join(operations)
