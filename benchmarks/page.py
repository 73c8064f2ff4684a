"""Writes what was measured into docs/performance.md, between its markers, and the plot beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goals import Goal, goals, growth
from measure import middle
from plot import plotted

BEGIN, END = "<!-- measured: written by `make bench` -->", "<!-- end of what was measured -->"
ROWS = (
    ("`python -c pass`", "interpreter"),
    ("`--help`", "help"),
    ("parse floor", "parse floor"),
    ("`validate`, nothing kept", "validate cold"),
    ("`validate`, unchanged", "validate warm"),
    ("parse and wire floor", "plan floor"),
    ("`plan`, nothing kept", "plan cold"),
    ("`plan`, unchanged", "plan warm"),
    ("octoDNS, as many records", "octodns"),
    ("`plan`, nothing kept, 100 ms late", "late plan"),
    ("the same requests, bare, 100 ms late", "late floor"),
    ("`apply`, every experiment changed", "apply"),
    ("the same requests, bare", "apply floor"),
)


def write_page(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Write the figures into the page; raises ValueError when it has no place for them."""
    by_count = {found["count"]: found for found in sorted(results, key=lambda found: int(found["count"]))}
    text = path.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{path} has no place for figures: the lines {BEGIN} and {END}")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    plot = path.with_suffix(".svg")
    plot.write_text(plotted(by_count))
    path.write_text(f"{before}{BEGIN}\n\n{_measured(by_count, plot.name)}\n{END}{after}")


def _measured(by_count: Mapping[int, Mapping[str, Any]], plot: str) -> str:
    parts = ["## Goals\n", _goals_table(goals(by_count)), "\n## Figures\n", _where(by_count)]
    for count, found in by_count.items():
        parts += [f"\n### {count:,} experiments\n", _rows_table(found, count)]
    words = " ".join(_growth(by_count, least) for least in (1_000, 10_000))
    return "\n".join([*parts, f"\n![Time and memory against the number of experiments]({plot})\n", words, ""])


def _growth(by_count: Mapping[int, Mapping[str, Any]], least: int) -> str:
    slopes = [
        f"{title} {value:.2f}"
        for title, name, key in (
            ("`plan`, nothing kept", "plan cold", "cpu"),
            ("`plan`, unchanged", "plan warm", "cpu"),
            ("`validate`, nothing kept", "validate cold", "cpu"),
            ("peak memory of `plan`", "plan warm", "peak"),
        )
        if (value := growth(by_count, name, key, least)) is not None
    ]
    fitted = ", ".join(slopes) or "not measured"
    return f"Growth exponents of processor time and memory from {least:,} experiments on: {fitted}."


def _goals_table(listed: Sequence[Goal]) -> str:
    lines = ["| goal | at most | measured | in processor time | |", "|---|---|---|---|---|"]
    for goal in listed:
        value = "" if goal.value is None else f"{_number(goal.value)}{goal.unit}"
        cpu = "" if goal.cpu is None else f"{_number(goal.cpu)}×"
        lines.append(f"| {goal.title} | {_number(goal.limit)}{goal.unit} | {value} | {cpu} | {goal.verdict()} |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.2f}"


def _where(by_count: Mapping[int, Mapping[str, Any]]) -> str:
    said = dict.fromkeys(
        f"{found['made']}, {found['machine']['system']}, {found['machine']['processors']} processors, Python "
        f"{found['machine']['python']}"
        for found in by_count.values()
    )
    loads = ", ".join(f"{found['machine']['load']} at {count:,}" for count, found in by_count.items())
    free = ", ".join(
        f"{middle(found['rows'], 'at once', 'cpu') / middle(found['rows'], 'at once'):.1f} at {count:,}"
        for count, found in by_count.items()
        if "at once" in found["rows"]
    )
    words = (
        f"Two processes that only compute got this many processors: {free or 'not measured'}. Load of the machine when "
        "each began (other work on it is noise here)"
    )
    return f"Measured on {'; '.join(said)}. {words}: {loads}.\n"


def _rows_table(found: Mapping[str, Any], count: int) -> str:
    lines = [
        "| process | wall s (fastest … slowest) | processor s | peak MB | requests | KB received |",
        "|---|---|---|---|---|---|",
    ]
    rows = found["rows"]
    for title, name in ROWS:
        walls = rows.get(name, {}).get("wall")
        if not walls:
            continue
        cpu, peak, requests, sent = (middle(rows, name, key) for key in ("cpu", "peak", "requests", "sent"))
        lines.append(
            f"| {title} | {middle(rows, name):.2f} ({min(walls):.2f} … {max(walls):.2f}) | {cpu:.2f} "
            f"| {(peak or 0) / 1e6:.0f} | {f'{requests:,.0f}' if requests else ''} "
            f"| {f'{sent / 1000:,.0f}' if sent else ''} |"
        )
    by_platform = found.get("counted", {}).get("plan warm", {})
    if by_platform:
        listed = ", ".join(
            f"{name} {by_platform[name]:,}" for name in sorted(by_platform) if name not in ("all", "writes")
        )
        lines.append(f"\nRequests of one plan by platform: {listed}; {by_platform['writes']} change anything.")
    inner = middle(rows, "plan floor", "inner")
    if inner:
        lines.append(
            f"The floor of a plan without start and imports of its interpreter: {inner:.2f} s "
            f"({inner / count * 1e6:.0f} µs an experiment)."
        )
    return "\n".join(lines) + "\n"
