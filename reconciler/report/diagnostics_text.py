"""What is wrong in manifests, in the form that editors and people jump to: `file:line:column: error RULE path: …`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import counted, wrapped


def diagnostics_text(diagnostics: Iterable[Diagnostic], style: Style = PLAIN) -> str:
    """Give every diagnostic by file and place, then a line that counts them; empty text when there is none."""
    ordered = sorted(diagnostics, key=_position)
    if not ordered:
        return ""
    lines: list[str] = []
    file: str | None = None
    for item in ordered:
        here = item.location.file if item.location else ""
        if file is not None and here != file:
            lines.append("")
        file = here
        lines += _one(item, style)
    errors = sum(1 for item in ordered if item.severity is Severity.ERROR)
    warnings = len(ordered) - errors
    files = len({item.location.file for item in ordered if item.location and item.location.file})
    parts = [style.alarm(counted(errors, "error"))] if errors else []
    parts += [style.changed(counted(warnings, "warning"))] if warnings else []
    where = f" in {counted(files, 'file')}" if files else ""
    return "\n".join([*lines, "", f"{', '.join(parts)}{where}."]) + "\n"


def _one(item: Diagnostic, style: Style) -> list[str]:
    place = f"{clean(str(item.location))}: " if item.location and str(item.location) else ""
    mark = style.alarm if item.severity is Severity.ERROR else style.changed
    rule = f" {clean(item.rule)}" if item.rule else ""
    path = f"{clean(item.path)}: " if item.path and not item.message.startswith(item.path) else ""
    tail = path if path or not rule else ""
    colon = "" if path and rule else ":" if not path else ""
    head = f"{style.bold(place)}{mark(item.severity.value)}{rule}{colon} {tail}"
    lines = [f"{head}{clean(item.message)}", *(f"    {clean(line)}" for line in item.excerpt)]
    if item.hint:
        lines += wrapped("", item.hint, 4)
    if item.source:
        lines += [style.dim(line) for line in wrapped("", f"source: {item.source}", 4)]
    return lines


def _position(item: Diagnostic) -> tuple[str, int, int, str, str]:
    place = item.location
    file, line, column = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (file, line, column, item.rule, item.message)
