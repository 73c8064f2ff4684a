"""Drift for the people who have to decide: keep what somebody changed by hand, or take it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.report.clean import clean
from reconciler.report.detail import inner_changes
from reconciler.report.fields_text import change_lines, inner_lines, padding, two_sides
from reconciler.report.style import PLAIN, Style
from reconciler.report.table import table_lines
from reconciler.report.words import counted, wrapped

TITLES = {
    DriftKind.EDITED: "edited",
    DriftKind.STATE: "state moved",
    DriftKind.MISSING: "missing",
    DriftKind.PROGRESS: "progress",
}


def drift_text(report: DriftReport, style: Style = PLAIN) -> str:
    """Give a drift report as text; `applied -> live` for every field that moved."""
    return "\n".join(_lines(report, style)) + "\n"


def _lines(report: DriftReport, style: Style) -> Iterator[str]:
    if report.problems:
        number = counted(len(report.problems), "experiment")
        yield style.alarm(f"INCOMPLETE: {number} could not be read, and may have drifted.")
        for problem in report.problems:
            first, *rest = wrapped("", problem, 4)
            yield f"  {style.alarm('!')} {first[4:]}"
            yield from rest
        yield ""
    if report.drift:
        yield style.bold("Changed outside of this tool (applied -> live)")
        for item in report.drift:
            yield from _item(item, style)
        yield ""
    if report.progress:
        yield style.bold("Progress: moved by the clock or the platform, no drift")
        for item in report.progress:
            yield from _item(item, style)
        yield ""
    if report.unmanaged:
        yield style.bold("Live and not managed here")
        yield from _unmanaged(report.unmanaged)
        yield ""
    yield from _end(report, style)


def _item(item: Drift, style: Style) -> Iterator[str]:
    mark = (
        style.note
        if item.kind is DriftKind.PROGRESS
        else style.alarm
        if item.kind is DriftKind.MISSING
        else style.changed
    )
    about = [f"id {clean(item.remote_id)}"] if item.remote_id else []
    about += [clean(item.status)] if item.status else []
    about += [f"on {clean(item.connection)}"]
    symbol = {DriftKind.MISSING: "-", DriftKind.PROGRESS: "."}.get(item.kind, "~")
    title = mark(f"  {symbol} {TITLES[item.kind]}")
    yield f"{title} {style.bold(clean(str(item.key)))} {style.dim('(' + ', '.join(about) + ')')}"
    if item.kind is DriftKind.MISSING:
        yield "      it is gone from the platform; plan would create it anew"
    pad = padding([field.path for field in item.fields])
    for field in item.fields:
        yield from _field(field, pad, style)


def _field(field: FieldDrift, pad: int, style: Style) -> list[str]:
    head = " " * 6 + f"{clean(field.path)}: ".ljust(pad)
    if inner := inner_changes(field.applied, field.live):
        return [head.rstrip(), *inner_lines(inner, style, 8)]
    before, after = two_sides(field.applied, field.live)
    before = "(not set)" if field.applied is None else before
    after = "(cleared)" if field.live is None else after
    return change_lines(head, before, after, style)


def _unmanaged(items: Sequence[Unmanaged]) -> list[str]:
    rows = [(item.connection, item.account, item.remote_id, item.status, item.name) for item in items]
    return table_lines(("CONNECTION", "ACCOUNT", "ID", "STATUS", "NAME"), rows, indent=2)


def _end(report: DriftReport, style: Style) -> Iterator[str]:
    moved = len({item.key for item in report.drift})
    rest = max(report.checked - moved - len(report.problems), 0)
    progress = len({item.key for item in report.progress})
    if report.drift:
        yield style.changed(
            f"Drift: {counted(moved, 'experiment')} of {report.checked:,} moved away from what was applied."
        )
        yield "To take a change back, run plan and apply; to keep it, write it into the manifest."
    elif report.problems:
        yield style.alarm(
            f"No drift among the {counted(rest, 'experiment')} that could be read; the others are unknown."
        )
    elif report.checked:
        alike = counted(report.checked, "experiment is as it was", "experiments are as they were")
        yield style.good(f"No drift: {alike} last applied.")
    else:
        yield style.good("No drift: nothing is managed yet.")
    if progress:
        yield f"{counted(progress, 'experiment')} moved on by the clock or the platform."
    if report.unmanaged:
        live = counted(len(report.unmanaged), "live experiment is", "live experiments are")
        yield f"{live} not managed here; import would take over what you choose."
