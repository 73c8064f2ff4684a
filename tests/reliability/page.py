"""
`docs/reliability.md`, made from the records of test runs; nobody writes it by hand.

    python tests/reliability/page.py collect FOLDER   sums up into records/ what a run has left in FOLDER
    python tests/reliability/page.py write            writes the page, and the tables of docs/faults.md

A run leaves facts: JSON objects, one a line in `TOPIC.jsonl`, or in files of a folder `TOPIC/` (lines, a list, or one
object). Facts of a topic that agree in every text are summed up in their numbers; each becomes a line of its table.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "conformance")]

from elsewhere import ELSEWHERE, NOT_COVERED  # noqa: E402
from fault_table import ENDS, FAULTS, TITLES, rows  # noqa: E402
from tables import FAULTS_PAGE, ROOT, faults_page, table  # noqa: E402

Fact: TypeAlias = dict[str, Any]
PAGE = ROOT / "docs" / "reliability.md"
RECORDS = Path(__file__).parent / "records"
TOPICS: Mapping[str, tuple[str, str]] = {
    "faults": (
        "Faults tried",
        "Each row of the [fault table](faults.md) on each platform, by command: how many came out as documented.",
    ),
    "kill": (
        "Kill points",
        "The process is killed (SIGKILL) at every point where it talks to a platform or to the state, started again, "
        "and held against an undisturbed run: what lives, how much was made, what is recorded, and an empty plan. "
        "Stories are situations of a kind of change on a platform; `points` moments to be killed at, `states found` "
        "those that leave something else behind; `pairs` second kills, in the recovery from each such state, of one "
        "story of each kind, and `further states` what these leave that the first did not.",
    ),
    "machine": (
        "Invariants found by machine",
        "Manifests, live edits, moves of the clock, faults and interruptions at random; what must hold, and how many "
        "rounds it held for (`clean`: nothing went wrong on purpose; `minimal` is judged there alone).",
    ),
    "mutation": (
        "Mutation testing",
        "Changes made on purpose to planning and to the rule tables of the platforms, and how many of them the fast "
        "unit tests noticed (`make mutation`). It is a sample of all changes that are possible, as even over the "
        "modules as their sizes allow, drawn with a fixed seed: the same code gives the same sample. Inside functions "
        "the changes are mutmut's; in tables an entry is dropped, a word misspelt, a number, flag, verdict or row of "
        "cells exchanged. Changes of sentences alone are not counted: they are held by the tests of texts.",
    ),
    "fuzz": (
        "Fuzzing",
        "What reads text from outside, fuzzed with coverage as the guide (`make fuzz`). Each input has to come to a "
        "value or to one of the tool's own errors, within 20 seconds and 2 GiB; what is read is shown, and what is "
        "written reads back equal. `findings` are inputs that did not; those of earlier runs are kept in "
        "`tests/fuzz/corpus/` and tried by every test run. `edges` are branches of the tool's code that were taken.",
    ),
}
_PEAKS = frozenset({"edges", "inputs kept", "peak MiB"})
"""Numbers that are not added up: of several the highest counts."""
NOT_RUN = "Not run: no record of it is kept."


# --- collecting --------------------------------------------------------------------------------------------------


def facts_of(folder: Path, topic: str) -> list[Fact]:
    """Give every fact that a run has left on a topic; raises ValueError, naming the file, for what is none."""
    files = [folder / f"{topic}.jsonl", folder / f"{topic}.json", *sorted((folder / topic).glob("**/*.json*"))]
    return [fact for path in files if path.is_file() for fact in _read(path)]


def _read(path: Path) -> Iterator[Fact]:
    text = path.read_text("utf-8")
    parts = text.splitlines() if path.suffix == ".jsonl" else [text]
    try:
        values = [json.loads(part) for part in parts if part]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for value in (one for whole in values for one in (whole if isinstance(whole, list) else [whole])):
        if not isinstance(value, dict):
            raise ValueError(f"{path}: a fact is an object, found {value!r}")
        yield value


def summed(topic: str, facts: Sequence[Fact]) -> list[Fact]:
    """Give the lines of a topic's table: facts alike in every text, their numbers added up (of peaks the highest)."""
    if topic == "faults":  # a row tried twice is one row
        unique = {json.dumps(fact, sort_keys=True): fact for fact in facts}
        facts = [{**{k: fact[k] for k in ("platform", "command", "end")}, "rows": 1} for fact in unique.values()]
    lines: dict[str, Fact] = {}
    for fact in facts:
        flat = {name: value for name, value in fact.items() if isinstance(value, str | int | float)}
        words = {name: value for name, value in flat.items() if isinstance(value, str | bool)}
        line = lines.setdefault(json.dumps(words, sort_keys=True), dict(words))
        for name, value in flat.items():
            if name not in words:
                line[name] = max(line.get(name, 0), value) if name in _PEAKS else line.get(name, 0) + value
        for name, counts in fact.items():
            if isinstance(counts, dict):
                line[name] = {each: line.get(name, {}).get(each, 0) + count for each, count in counts.items()}
    return [lines[key] for key in sorted(lines)]


def collect(folder: Path, records: Path = RECORDS) -> list[str]:
    """Sum up a run's facts into `records`, topic by topic; gives the topics that it had facts on."""
    found = []
    commit = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty"], capture_output=True, text=True, cwd=ROOT
    )
    for topic in TOPICS:
        lines = summed(topic, facts_of(folder, topic))
        if lines:
            found.append(topic)
            record = {"on": datetime.now(UTC).date().isoformat(), "at": commit.stdout.strip(), "lines": lines}
            (records / f"{topic}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return found


# --- writing -----------------------------------------------------------------------------------------------------


def page(records: Path = RECORDS) -> str:
    """Give the page as the records have it."""
    parts = [
        "# Reliability: what was tried, and what came of it",
        "This page is made by `make reliability` from records of test runs (`tests/reliability/records/`); a test "
        "fails when it says anything else. What each fault comes to is in [faults.md](faults.md).",
    ]
    for topic, (title, words) in TOPICS.items():
        parts += [f"## {title}", words, *_topic(topic, records / f"{topic}.json")]
    parts += ["## Faults with a test of their own", _elsewhere()]
    parts += ["## What is not covered", table(("what", "why"), NOT_COVERED)]
    return "\n\n".join(parts) + "\n"


def _topic(topic: str, path: Path) -> list[str]:
    if not path.is_file():
        return [NOT_RUN]
    record = json.loads(path.read_text("utf-8"))
    lines: list[Fact] = record["lines"]
    run = " ".join([f"Run on {record['on']}, on commit `{record['at']}`.", *record.get("notes", ())])
    if topic == "mutation":
        return [f"{run} The seed was {lines[0]['seed']}.", _scored(lines)]
    return [run, _faults(lines)] if topic == "faults" else [run, _lines(lines), *_counts(lines)]


def _counts(lines: Sequence[Fact]) -> Iterator[str]:
    """Give a table for each thing that was counted by name, such as how often each invariant held."""
    for name in dict.fromkeys(name for line in lines for name, value in line.items() if isinstance(value, dict)):
        sums: dict[str, int] = {}
        for line in lines:
            for each, count in line.get(name, {}).items():
                sums[each] = sums.get(each, 0) + count
        yield table((name, "times"), [(f"`{each}`", _number(count)) for each, count in sorted(sums.items())])


def _scored(lines: Sequence[Fact]) -> str:
    """Give the lines with their score, the percentage that was noticed, and that of all."""
    names = ("module", "changes in")
    numbers = ("possible", "tried", "noticed", "survived")
    whole = {name: sum(line[name] for line in lines) for name in numbers}
    body = [[*(line[n] for n in names), *(_number(line[n]) for n in numbers), _score(line)] for line in lines]
    body.append(["**all**", "", *(f"**{_number(whole[name])}**" for name in numbers), f"**{_score(whole)}**"])
    return table((*names, *numbers, "score"), body)


def _score(line: Fact) -> str:
    return f"{100 * line['noticed'] / line['tried']:.1f} %"


def _faults(lines: Sequence[Fact]) -> str:
    counts = {(line["platform"], line["command"], line["end"]): line["rows"] for line in lines}
    body = []
    for platform in TITLES:
        for command in ("apply", "plan", "drift"):
            tried = [counts.get((platform, command, end), 0) for end in ENDS]
            stated = sum(1 for row in rows() if (row.platform, row.command) == (platform, command))
            body.append([TITLES[platform], command, f"{sum(tried)} of {stated}", *map(str, tried)])
    total, stated = sum(counts.values()), len(list(rows()))
    body.append(["**all**", "", f"**{total} of {stated}**", *(_total(counts, end) for end in ENDS)])
    words = f"{len(FAULTS)} faults, {stated} rows: a fault, a platform, a command and what it was about to do."
    return f"{words}\n\n{table(('platform', 'command', 'rows that came out as documented', *ENDS), body)}"


def _total(counts: Mapping[tuple[str, str, str], int], end: str) -> str:
    return f"**{sum(count for key, count in counts.items() if key[2] == end)}**"


def _lines(lines: Sequence[Fact]) -> str:
    names = list(dict.fromkeys(name for line in lines for name, value in line.items() if isinstance(value, str)))
    scalars = [name for line in lines for name, value in line.items() if isinstance(value, int | float)]
    numbers = list(dict.fromkeys(scalars))
    body = [[*(str(line.get(n, "")) for n in names), *(_number(line.get(n)) for n in numbers)] for line in lines]
    if len(lines) > 1:
        sums = ["" if n in _PEAKS else _number(sum(line.get(n, 0) for line in lines)) for n in numbers]
        body.append(["**all**", *[""] * (len(names) - 1), *(f"**{text}**" if text else "" for text in sums)])
    return table([*names, *numbers], body)


def _number(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.2f}"
    return "" if value is None else f"{int(value):,}"


def _elsewhere() -> str:
    body = [(one.what, one.where, f"`tests/{one.test.split('::')[0]}`") for one in ELSEWHERE]
    return table(("what happens", "where", "test"), body)


def write() -> None:
    """Write both pages."""
    PAGE.write_text(page(), encoding="utf-8")
    FAULTS_PAGE.write_text(faults_page(FAULTS_PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["collect", folder]:
            sys.stdout.write(f"recorded: {', '.join(collect(Path(folder))) or 'nothing'}\n")
        case ["write"]:
            write()
        case _:
            sys.exit(__doc__)
