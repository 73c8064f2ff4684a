"""Outcomes in Markdown: a table of all, then a section each. Names from outside cannot break it or call anybody."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.time import iso
from reconciler.platforms.outcomes import Arm, ExperimentResult, ResultsReport
from reconciler.report.markdown_escape import code, escaped, table
from reconciler.report.results_words import arm_name, basis, headline, interval_title, number, schedule, summary
from reconciler.report.words import counted


def results_markdown(report: ResultsReport) -> str:
    """Give a report as Markdown of GitHub's flavour."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: ResultsReport) -> Iterator[str]:
    yield "# Results of experiments"
    yield ""
    where = f" in environment {code(report.environment)}" if report.environment else ""
    yield f"{summary(report.results)} Read at {iso(report.read_at)}{where}."
    if report.problems:
        yield ""
        count = counted(len(report.problems), "experiment")
        yield f"**Incomplete:** something of {count} could not be read."
    if report.results:
        yield ""
        rows = [
            [code(str(result.key)), escaped(result.status), schedule(result), escaped(_outcome(result))]
            for result in report.results
        ]
        yield from table(["experiment", "status", "schedule", "outcome"], rows)
    for result in report.results:
        if result.arms or result.facts or result.notes or result.problem:
            yield from _section(result)


def _outcome(result: ExperimentResult) -> str:
    found = result.statistics
    return headline(result) + (" (preliminary)" if found and found.preliminary else "")


def _section(result: ExperimentResult) -> Iterator[str]:
    yield ""
    yield f"## {code(str(result.key))}"
    about = [code(result.name)] if result.name else []
    about += [f"on {code(result.connection)}"] if result.connection else []
    about += [f"id {code(result.remote_id)}"] if result.remote_id else []
    if about:
        yield ""
        yield ", ".join(about)
    if result.problem:
        yield ""
        yield f"**Could not be read:** {escaped(result.problem)}"
    if found := basis(result):
        yield ""
        yield f"{escaped(found[0].upper() + found[1:])}."
    if result.arms:
        yield ""
        yield from _arms(result)
    rows = [
        [fact.label, escaped(fact.words) or code(str(fact.value))]
        for fact in result.facts
        if fact.words or fact.value is not None
    ]
    if rows:
        yield ""
        yield from table(["shown by the platform", "value"], rows)
    if result.notes:
        yield ""
        yield from (f"- {escaped(note)}" for note in result.notes)


def _arms(result: ExperimentResult) -> list[str]:
    charted = any(arm.interval for arm in result.arms)
    header = [result.arm_word, *([result.entity_word] if result.entity_word else []), "share"]
    header += [escaped(interval_title(result))] if charted else []
    return table(header, [_row(arm, result, charted) for arm in result.arms])


def _row(arm: Arm, result: ExperimentResult, charted: bool) -> list[str]:
    cells = [code(arm_name(arm)) + (" **winner**" if arm.winner else "") + (" (control)" if arm.control else "")]
    if result.entity_word:
        cells.append(", ".join(code(entity) for entity in arm.entities))
    cells.append(f"{arm.share} %" if arm.share else "")
    if charted:
        bounds = arm.interval
        cells.append(f"{number(bounds.lower)} to {number(bounds.upper)}" if bounds else "")
    return cells
