"""A drift report as an HTML page for those who decide: keep what somebody changed by hand, or take it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.plan.drift import Drift, DriftKind, DriftReport, Unmanaged
from reconciler.report.clean import clean
from reconciler.report.html_fields import drift_fields
from reconciler.report.html_page import (
    OPEN,
    PRINTED,
    Attention,
    Card,
    Choice,
    Verdict,
    place,
    platform_choices,
    platforms_of,
    render,
)
from reconciler.report.timeline_words import day
from reconciler.report.words import counted

KINDS = (
    (DriftKind.STATE, "state moved"),
    (DriftKind.EDITED, "edited"),
    (DriftKind.MISSING, "missing"),
    (DriftKind.PROGRESS, "progress"),
)


def drift_html(report: DriftReport, made_at: datetime, environment: str | None = None) -> str:
    """Give a drift report as an HTML page; `made_at` is when it was read, aware UTC."""
    items = sorted(
        (*report.drift, *report.progress), key=lambda item: ([kind for kind, _ in KINDS].index(item.kind), item.key)
    )
    platforms = platforms_of([item.platform for item in items] + [item.platform for item in report.unmanaged])
    few = len(items) <= OPEN
    cards = [_drift_card(item, number, platforms, few) for number, item in enumerate(items, 1)]
    counts = {kind: sum(item.kind is kind for item in items) for kind, _ in KINDS}
    return render(
        "drift.html.j2",
        title="Drift" + (f" in {clean(environment)}" if environment else ""),
        verdict=_drift_verdict(report),
        facts=[
            ("Environment", clean(environment) if environment else "none"),
            ("Read at", day(made_at)),
            ("Checked", counted(report.checked, "managed experiment")),
        ],
        problems=[clean(item) for item in report.problems],
        complete=not report.problems,
        choices=[Choice(kind.value, text, counts[kind]) for kind, text in KINDS if counts[kind]],
        attention=_attention(items),
        long=len(items) > PRINTED,
        total=len(items),
        platforms=platform_choices(platforms, [item.platform for item in items]),
        cards=cards,
        unmanaged=[(platforms[item.platform], *_live(item)) for item in report.unmanaged],
    )


# --- parts -----------------------------------------------------------------------------------------------------------


def _drift_verdict(report: DriftReport) -> Verdict:
    moved = len({item.key for item in report.drift})
    what = f"{counted(moved, 'experiment')} of {report.checked:,} moved away from what was applied"
    todo = "To take a change back, run plan and apply; to keep it, write it into the manifest."
    if report.problems:
        more = (f"{what}." if moved else "No drift among what could be read; the rest is unknown.",)
        return Verdict("alarm", "Incomplete: not everything could be read", more + ((todo,) if moved else ()))
    if moved:
        return Verdict("warn", f"Drift: {what}", (todo,))
    if not report.checked:
        return Verdict("good", "No drift", ("Nothing is managed yet.",))
    alike = counted(report.checked, "experiment is as it was", "experiments are as they were")
    return Verdict("good", "No drift", (f"{alike} last applied.",))


def _attention(items: Sequence[Drift]) -> list[Attention]:
    kinds = (
        (DriftKind.MISSING, "Missing", "alarm", "is", "are", "gone from the platform; plan would create anew"),
        (DriftKind.STATE, "Lifecycle", "warn", "was", "were", "started, paused or ended outside of this tool"),
    )
    found = []
    for kind, title, look, one, many, words in kinds:
        lines = tuple(
            ((f"e{number}", clean(str(item.key))),) for number, item in enumerate(items, 1) if item.kind is kind
        )
        if lines:
            sentence = f"{counted(len(lines), f'experiment {one}', f'experiments {many}')} {words}:"
            found.append(Attention(title, look, sentence, lines))
    return found


def _drift_card(item: Drift, number: int, platforms: Mapping[str, str], unfold: bool) -> Card:
    about = place(item.platform, item.connection)
    about += [f"id {clean(item.remote_id)}"] if item.remote_id else []
    about += [clean(item.status)] if item.status else []
    reasons = {
        DriftKind.MISSING: ("It is gone from the platform; plan would create it anew.",),
        DriftKind.STATE: ("Its lifecycle was moved outside of this tool.",),
        DriftKind.PROGRESS: ("The clock or the platform moved it on; this is no drift.",),
    }
    return Card(
        f"e{number}",
        clean(item.key.kind),
        clean(item.key.name),
        dict(KINDS)[item.kind],
        item.kind.value,
        platforms[item.platform],
        tuple(about),
        reasons=reasons.get(item.kind, ()),
        fields=drift_fields(item.fields),
        open=unfold,
    )


def _live(item: Unmanaged) -> tuple[str, ...]:
    texts = (item.platform, item.connection, item.account, item.remote_id, item.status, item.name)
    return tuple(clean(text) for text in texts)
