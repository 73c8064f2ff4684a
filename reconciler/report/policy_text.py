"""Policies as a person reads them: lists, what one says, the variables, and how their test cases came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import counted, wrapped

Row = tuple[str, str]
"""A name or label, and the text beside it."""


def rows_text(parts: Sequence[tuple[str, Sequence[Row]]], style: Style = PLAIN) -> str:
    """Give lists of names with a sentence each, every list below its title."""
    lines: list[str] = []
    for title, rows in parts:
        lines += ["", style.bold(title)] if lines else [style.bold(title)]
        for name, text in rows:
            first, *rest = wrapped("", text, 4) or [""]
            lines += [f"  {style.bold(clean(name))}", first, *rest]
    return "\n".join(lines) + "\n"


def details_text(title: str, about: str, rows: Mapping[str, str], style: Style = PLAIN) -> str:
    """Give what one policy says, label by label; expressions keep their own lines."""
    lines = [style.bold(clean(title)), *wrapped("", about, 2)] if about else [style.bold(clean(title))]
    for label, text in rows.items():
        first, *rest = (clean(line) for line in text.rstrip("\n").split("\n"))
        lines += ["", f"  {style.bold(label)}", f"    {first}", *(f"    {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def cases_text(results: Iterable[tuple[str, str, str, str]], without: Sequence[str], style: Style = PLAIN) -> str:
    """
    Give how test cases came out, each as policy, case, place and why it failed (empty: it did not).

    `without` are the policies that have no cases.
    """
    lines: list[str] = []
    done = failed = 0
    policy = None
    for name, case, place, why in results:
        if name != policy:
            lines += [style.bold(clean(name))]
            policy = name
        done += 1
        failed += bool(why)
        lines += list(_case(case, place, why, style))
    if without:
        lines += wrapped("", f"without cases: {', '.join(without)}", 0)
    if not done:
        return "\n".join([*lines, "No cases: write them beside a policy, as cases: [{given, expect}]."]) + "\n"
    counts = f"{counted(done, 'case')}, {failed:,} failed." if failed else f"{counted(done, 'case')}, all as expected."
    return "\n".join([*lines, "", style.alarm(counts) if failed else style.good(counts)]) + "\n"


def _case(case: str, place: str, why: str, style: Style) -> Iterator[str]:
    if not why:
        yield f"  {style.good('ok')}    {clean(case)}"
        return
    yield f"  {style.alarm('FAIL')}  {clean(case)}  {style.dim(clean(place))}"
    yield from wrapped("", why, 8)
