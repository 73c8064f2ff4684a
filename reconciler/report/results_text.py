"""Outcomes for people at a terminal: what came out, how sure that is, and the intervals side by side."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from itertools import zip_longest

from reconciler.platforms.outcomes import Arm, Conclusion, ExperimentResult, Fact, ResultsReport
from reconciler.report import results_chart
from reconciler.report.clean import clean
from reconciler.report.results_words import (
    arm_name,
    basis,
    headline,
    interval_title,
    number,
    schedule,
    summary,
)
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import counted, listed, wrapped

_NAME_MAX = 32
"""A longer name stands on a line of its own above its figures."""


def results_text(report: ResultsReport, style: Style = PLAIN, *, unicode: bool = True) -> str:
    """Give a report as text; the charts are plain ASCII without `unicode`."""
    lines: list[str] = []
    for result in report.results:
        lines += [*_result(result, style, unicode=unicode), ""]
    if report.problems:
        count = counted(len(report.problems), "experiment")
        lines.append(style.alarm(f"INCOMPLETE: something of {count} could not be read; see above."))
    lines += [style.bold(line) for line in wrapped("", summary(report.results), 0)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _result(result: ExperimentResult, style: Style, *, unicode: bool) -> Iterator[str]:
    name = f"  {style.dim(clean(result.name))}" if result.name else ""
    yield f"{style.bold(clean(str(result.key)))}{name}"
    about = [clean(result.status)] if result.status else []
    about += [f"on {clean(result.connection)}"] if result.connection else []
    about += [f"id {clean(result.remote_id)}"] if result.remote_id else []
    about += [when] if (when := schedule(result)) else []
    if about:
        yield f"  {', '.join(about)}"
    if result.problem:
        yield from wrapped("could not be read", result.problem, 2, style.alarm)
    if result.conclusion is not Conclusion.UNKNOWN:
        words = clean(headline(result))
        yield f"  {_mark(result, style)(words[0].upper() + words[1:])}"
    if found := basis(result):
        yield f"  {clean(found)}"
    if result.arms and result.conclusion is not Conclusion.GONE:
        yield from _arms(result, style, unicode=unicode)
    yield from _facts(result.facts)
    for note in result.notes:
        yield from wrapped("", note, 2)


def _mark(result: ExperimentResult, style: Style) -> Callable[[str], str]:
    match result.conclusion:
        case Conclusion.WINNER:
            return style.good
        case Conclusion.NO_DIFFERENCE | Conclusion.NO_WINNER | Conclusion.NOT_CREATED:
            return style.changed
        case Conclusion.GONE:
            return style.alarm
        case _:
            return style.note


def _arms(result: ExperimentResult, style: Style, *, unicode: bool) -> Iterator[str]:
    """Give the arms as a table; with intervals, a bar for each and the scale below."""
    intervals = [arm.interval for arm in result.arms]
    charted = any(intervals)
    header = [result.arm_word, *([result.entity_word] if result.entity_word else []), "share"]
    rows = [
        [*_label(arm), *_entities(arm, result, charted), f"{arm.share} %" if arm.share else "-"] for arm in result.arms
    ]
    widths = [
        max([_width(header[column]), *(_width(row[column]) for row in rows if _fits(row[0]) or column)])
        for column in range(len(header))
    ]
    title = f"  {interval_title(result)}" if charted else ""
    yield "    " + style.dim(
        "  ".join(_padded(word, width) for word, width in zip(header, widths, strict=True)) + title
    )
    drawn = results_chart.bars(intervals, unicode=unicode) if charted else []
    for arm, row, bar in zip_longest(result.arms, rows, drawn):
        mark, paint = ("*", style.good) if arm.winner else (" ", str)
        if not _fits(row[0]):
            yield f"  {paint(mark)} {paint(row[0])}"
            mark, row = " ", ["", *row[1:]]
        cells = "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True))
        figures = f"  {bar}  {_bounds(arm)}" if charted else ""
        yield f"  {paint(mark)} {paint(cells)}{paint(figures)}"
    if charted:
        yield " " * (4 + sum(widths) + 2 * len(widths)) + style.dim(results_chart.scale(intervals))


def _label(arm: Arm) -> list[str]:
    return [(clean(arm_name(arm)) or "-") + (" (control)" if arm.control else "")]


def _entities(arm: Arm, result: ExperimentResult, charted: bool) -> list[str]:
    if not result.entity_word:
        return []
    return [clean(listed(arm.entities, 3 if charted else 50)) or "-"]


def _bounds(arm: Arm) -> str:
    if arm.interval is None:
        return "no figures"
    return f"{number(arm.interval.lower)} to {number(arm.interval.upper)}"


def _facts(facts: tuple[Fact, ...]) -> Iterator[str]:
    shown = [(fact.label, fact.words or ("" if fact.value is None else str(fact.value))) for fact in facts]
    shown = [(label, words) for label, words in shown if words]
    width = max((len(label) for label, _ in shown), default=0)
    for label, words in shown:
        yield f"    {label.ljust(width)}  {clean(words)}"


def _fits(name: str) -> bool:
    return _width(name) <= _NAME_MAX


def _padded(text: str, width: int) -> str:
    return text + " " * max(width - _width(text), 0)


def _width(text: str) -> int:
    """Give the columns that text takes: two for wide characters of East Asia, none for combining marks."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
