"""
Drift as the text of an issue or a comment: what somebody changed outside of this tool, and what to do about it.

It never takes more than `limit` bytes: it loses values first, then fields, then whole experiments, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import Final

from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.report.affected import affected
from reconciler.report.detail import inner_changes
from reconciler.report.drift_text import TITLES
from reconciler.report.field_rows import inner_rows
from reconciler.report.fields_text import two_sides
from reconciler.report.markdown_escape import NOTHING_SHOWN, table
from reconciler.report.markdown_fit import (
    LIMIT,
    Part,
    bullets,
    fitted,
    link,
    marker,
    name,
    names,
    said,
    shown_text,
    size,
)
from reconciler.report.words import counted

NOTHING_WANTED: Final[Mapping[Key, Desired]] = MappingProxyType({})
_VALUE = (160, 48)
_ROWS = (80, 10)
_ITEMS = (30, 5)
_LINE, _LEVELS = 2, 3
_END = 700


def drift_markdown(
    report: DriftReport,
    desired: Mapping[Key, Desired] = NOTHING_WANTED,
    *,
    environment: str | None = None,
    limit: int = LIMIT,
    address: str = "",
) -> str:
    """
    Give a drift report as Markdown of GitHub's and GitLab's flavour, of at most `limit` bytes (not below 30,000).

    `desired` are the manifests, for labels and places in files; `address` is where the whole report can be seen.
    """
    room = max(limit, 30_000)
    groups = [(key, list(items)) for key, items in groupby(report.drift, key=lambda item: item.key)]
    head = "\n".join(_head(report, len({key for key, _ in groups}), environment, room)) + "\n"
    tail = "\n".join(_tail(report, room // 6))
    parts = [Part(_rank(items), partial(_part, items, desired.get(items[0].key))) for _, items in groups]
    chosen = fitted(parts, room - size(head) - size(tail) - _END, _LEVELS)
    end = "\n".join(_end([level for level, _ in chosen], environment, address))
    return "".join([head, *(text for _, text in chosen), tail, end])


def _rank(items: Sequence[Drift]) -> int:
    return 0 if any(item.kind is DriftKind.MISSING for item in items) else 1


# --- the head --------------------------------------------------------------------------------------------------------


def _head(report: DriftReport, moved: int, environment: str | None, room: int) -> Iterator[str]:
    yield marker("drift", environment)
    yield f"## Drift of experiments{f' in {name(environment, 60)}' if environment else ''}"
    yield ""
    yield _verdict(report, moved)
    yield ""
    if report.problems:
        yield "> [!WARNING]"
        yield "> **INCOMPLETE: what could not be read may have drifted too.**"
        yield ">"
        lines = bullets((said(problem) for problem in report.problems), room // 8, lambda rest: f"and {rest:,} more")
        yield from (f"> {line}" for line in lines)
        yield ""
    if report.drift:
        yield from _by_platform(report.drift)
        yield ""
        yield "To take a change back, run <code>reconciler plan</code> and <code>apply</code>; to keep it, write it"
        yield "into the manifest. Values are as they were applied, and as they are live."
        yield ""


def _verdict(report: DriftReport, moved: int) -> str:
    if report.drift:
        away = f"{counted(moved, 'experiment')} of {report.checked:,} moved away from what was applied"
        return f"**Drift: {away}.**" + (" Some could not be read." if report.problems else "")
    if report.problems:
        return "**INCOMPLETE: not everything could be read.** What could be read has not drifted."
    if report.checked:
        alike = counted(report.checked, "experiment is as it was", "experiments are as they were")
        return f"**No drift.** {alike} last applied."
    return "**No drift.** Nothing is managed yet."


def _by_platform(items: Sequence[Drift]) -> list[str]:
    kinds = [kind for kind in DriftKind if any(item.kind is kind for item in items)]
    cells = Counter((item.platform, item.kind) for item in items)
    rows = [
        [name(platform, 40), *(f"{cells[platform, kind]:,}" if cells[platform, kind] else "·" for kind in kinds)]
        for platform in sorted({item.platform for item in items})[:12]
    ]
    lines = table(["platform", *(TITLES[kind] for kind in kinds)], rows)
    lines[1] = "| --- |" + " ---: |" * len(kinds)
    return lines


# --- one experiment --------------------------------------------------------------------------------------------------


def _part(items: Sequence[Drift], wanted: Desired | None, level: int) -> str:
    first = items[0]
    what = " and ".join(dict.fromkeys(TITLES[item.kind] for item in items))
    fields = [field for item in items for field in item.fields]
    extent = f" – {counted(len(fields), 'field')}" if fields else ""
    title = f"<b>{what}</b> {name(str(first.key))}{extent}"
    if level == _LINE:
        return f"- {title}\n\n"
    lines = [f"<details><summary>{title}</summary>", "", *_about(first, wanted, level)]
    if any(item.kind is DriftKind.MISSING for item in items):
        lines += ["**It is gone from the platform**; plan would create it anew.", ""]
    lines += [*_fields(fields, level), "</details>", "", ""]
    return "\n".join(lines)


def _about(item: Drift, wanted: Desired | None, level: int) -> Iterator[str]:
    about = [f"id {name(item.remote_id, 80)}"] if item.remote_id else []
    about += [said(item.status, 40)] if item.status else []
    about += [f"connection {name(item.connection, 60)}"]
    if wanted is None:
        about.append("no manifest")
    elif wanted.location.file:
        place = wanted.location
        about.append(f"manifest {name(f'{place.file}:{place.line}' if place.line else place.file, 160)}")
    yield ", ".join(about)
    yield ""
    if level or wanted is None:
        return
    lines = [f"{word} {names(values)}" for word, values in affected(wanted.spec)]
    if lines:
        yield f"- **Affects:** {'; '.join(lines)}"
    if wanted.labels:
        yield f"- **Labels:** {names([f'{label}: {text}' for label, text in sorted(wanted.labels.items())])}"
    if lines or wanted.labels:
        yield ""


def _fields(fields: Sequence[FieldDrift], level: int) -> Iterator[str]:
    if not fields:
        return
    rows: list[list[str]] = []
    shown = 0
    for field in fields:
        if len(rows) >= _ROWS[level]:
            break
        inner = inner_changes(field.applied, field.live)
        if inner:
            rows += inner_rows(field.path, inner, _ITEMS[level], _VALUE[level])
        else:
            before, after = two_sides(field.applied, field.live, _VALUE[level])
            before = NOTHING_SHOWN if field.applied is None else shown_text(before)
            rows.append([name(field.path, 100), before, "*cleared*" if field.live is None else shown_text(after)])
        shown += 1
    yield from table(["field", "applied", "live"], rows)
    yield ""
    if shown < len(fields):
        yield f"and {counted(len(fields) - shown, 'more field')}."
        yield ""


# --- the rest --------------------------------------------------------------------------------------------------------


def _tail(report: DriftReport, room: int) -> Iterator[str]:
    if report.progress:
        number = len({item.key for item in report.progress})
        moved = counted(number, "experiment")
        yield f"<details><summary>{moved} moved on by the clock or the platform: no drift</summary>"
        yield ""
        yield from bullets((_progress(item) for item in report.progress), room, lambda rest: f"and {rest:,} more")
        yield ""
        yield "</details>"
        yield ""
    if report.unmanaged:
        live = counted(len(report.unmanaged), "live experiment is", "live experiments are")
        yield f"<details><summary>{live} not managed here</summary>"
        yield ""
        yield from _unmanaged(report.unmanaged, room)
        yield ""
        yield "</details>"
        yield ""
    yield ""


def _progress(item: Drift) -> str:
    moves = [f"{name(field.path, 40)} {_pair(field)}" for field in item.fields[:3]]
    return f"{name(str(item.key))}: {', '.join(moves)}" if moves else name(str(item.key))


def _pair(field: FieldDrift) -> str:
    before, after = two_sides(field.applied, field.live, 48)
    return f"{shown_text(before)} to {shown_text(after)}"


def _unmanaged(items: Sequence[Unmanaged], room: int) -> list[str]:
    rows: list[list[str]] = []
    used = 0
    for item in items:
        cells = [name(item.connection, 60), name(item.account, 60), name(item.remote_id, 60), said(item.status, 40)]
        cells.append(name(item.name, 80))
        used += sum(size(cell) + 3 for cell in cells)
        if used > room:
            break
        rows.append(cells)
    lines = table(["connection", "account", "id", "status", "name"], rows)
    rest = len(items) - len(rows)
    return [*lines, "", f"and {rest:,} more."] if rest else lines


def _end(levels: Sequence[int], environment: str | None, address: str) -> Iterator[str]:
    cut = Counter(levels)
    shown = (
        (cut[1], "long values and who is affected of {}"),
        (cut[_LINE], "all but a line of {}"),
        (cut[_LEVELS], "{} entirely"),
    )
    parts = [words.format(counted(number, "experiment")) for number, words in shown if number]
    whole = link("the whole report", address)
    if parts:
        chosen = f" --env {environment}" if environment else ""
        command = name(f"reconciler{chosen} drift --format json", 120)
        where = f"{whole}, or run {command}" if whole != "the whole report" else f"run {command}"
        yield f"**Left out, to fit into a comment:** {', '.join(parts)}. For everything: {where}."
    elif whole != "the whole report":
        yield f"<sub>{whole}</sub>"
    yield ""
