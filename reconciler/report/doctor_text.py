"""What the doctor found, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from reconciler.model.examination import Examination, Grade, ProbeLine
from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import WIDTH, counted

_GRADE = 9
_SUBJECT = 14


def doctor_text(found: Examination, style: Style = PLAIN) -> str:
    """Give one line for each check, what to do below it where there is something, and a last line on all."""
    lines: list[str] = []
    for section in found.sections:
        lines.append(f"{style.bold(clean(section.title))}  {style.dim(clean(section.detail))}")
        for line in _merged(section.lines):
            lines += _line(line, style)
        lines.append("")
    lines.append(_verdict(found, style))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def doctor_json(found: Examination) -> dict[str, Any]:
    """Give the same as a JSON object."""
    return {
        "healthy": found.healthy,
        "summary": {grade.value: found.count(grade) for grade in Grade},
        "sections": [
            {
                "title": section.title,
                "detail": section.detail,
                "checks": [
                    {
                        "subject": line.subject,
                        "result": line.grade.value,
                        "message": line.message,
                        "advice": line.advice,
                    }
                    for line in section.lines
                ],
            }
            for section in found.sections
        ],
    }


def _merged(lines: Iterable[ProbeLine]) -> Iterator[ProbeLine]:
    """Put neighbours that were skipped for the same reason into one line."""
    for (grade, message, advice), group in groupby(lines, lambda line: (line.grade, line.message, line.advice)):
        same = list(group)
        if grade is Grade.SKIPPED and len(same) > 1:
            yield ProbeLine("the rest", grade, f"{message}: {', '.join(line.subject for line in same)}", advice)
        else:
            yield from same


def _line(line: ProbeLine, style: Style) -> Iterator[str]:
    start = 2 + _GRADE + _SUBJECT
    mark = _mark(line.grade, style)
    message = _wrapped(line.message, WIDTH - start)
    yield f"  {mark(line.grade.value.ljust(_GRADE))}{line.subject.ljust(_SUBJECT)}{message[0]}"
    yield from (" " * start + part for part in message[1:])
    if line.advice:
        advice = _wrapped(line.advice, WIDTH - start - 3)
        yield " " * start + style.note("->") + " " + advice[0]
        yield from (" " * (start + 3) + part for part in advice[1:])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), width, break_long_words=False, break_on_hyphens=False) or [""]


def _mark(grade: Grade, style: Style) -> Callable[[str], str]:
    return {
        Grade.OK: style.good,
        Grade.WARNING: style.changed,
        Grade.FAILED: style.alarm,
        Grade.SKIPPED: style.dim,
    }[grade]


def _verdict(found: Examination, style: Style) -> str:
    failed, warnings = found.count(Grade.FAILED), found.count(Grade.WARNING)
    if failed:
        more = f", {counted(warnings, 'warning')}" if warnings else ""
        return style.alarm(f"{counted(failed, 'problem')}{more}")
    if warnings:
        return style.changed(f"no problem, {counted(warnings, 'warning')}") + "; next: reconciler plan"
    return style.good("everything is fine") + "; next: reconciler plan"
