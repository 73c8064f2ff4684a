"""A plan as an HTML page for those who review it: the verdict, what cannot be undone, a timeline, every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.model.resource import Key
from reconciler.plan.schedules import Schedule, Window
from reconciler.report.budget_text import budget_words, quota_words
from reconciler.report.clean import clean
from reconciler.report.html_fields import Badge, call_views, change_fields
from reconciler.report.html_page import (
    OPEN,
    PRINTED,
    Attention,
    Card,
    Choice,
    Line,
    Verdict,
    place,
    platform_choices,
    platforms_of,
    render,
)
from reconciler.report.timeline import timeline
from reconciler.report.timeline_axis import LABELS, WIDTH
from reconciler.report.timeline_words import conflict_words, day, shared_words, span
from reconciler.report.words import counted, left, listed

ACTIONS = (
    (Action.CREATE, "to create"),
    (Action.UPDATE, "to update"),
    (Action.REPLACE, "to replace"),
    (Action.DELETE, "to end"),
    (Action.ADOPT, "to adopt"),
    (Action.FORGET, "to forget"),
    (Action.BLOCKED, "blocked"),
)
_PLANNED = {action: action.value for action in Action} | {Action.NO_OP: "unchanged", Action.DELETE: "end"}


def plan_html(plan: Plan, schedules: Sequence[Schedule] = ()) -> str:
    """Give a plan as an HTML page; with `schedules` also a timeline of all experiments."""
    steps = {change.key: number for number, change in enumerate(plan.changes, 1)}
    changes = sorted(plan.changes, key=lambda change: (_rank(change), steps[change.key]))
    platforms = platforms_of([change.platform for change in changes] + [item.platform for item in schedules])
    windows = {item.key: item for item in schedules if item.key}
    anchors = {key: f"e{step}" for key, step in steps.items()}
    open_to = next((rank for rank in (3, 2, 1, 0) if sum(_rank(change) <= rank for change in changes) <= OPEN), -1)
    cards = [
        _card(change, steps[change.key], plan, platforms, windows.get(change.key), _rank(change) <= open_to)
        for change in changes
    ]
    counts = plan.summary
    moment_word = "now" if plan.as_of == plan.created_at else "judged as of"
    return render(
        "plan.html.j2",
        title="Plan" + (f" for {clean(plan.environment)}" if plan.environment else ""),
        verdict=_plan_verdict(plan),
        facts=_plan_facts(plan),
        problems=[clean(item) for item in plan.problems],
        complete=plan.complete,
        attention=_attention(changes, steps, schedules),
        choices=[Choice(item.value, text, counts[item.value]) for item, text in ACTIONS if counts[item.value]],
        total=len(changes),
        no_ops=plan.no_ops,
        platforms=platform_choices(platforms, [change.platform for change in changes]),
        cards=cards,
        warnings=[
            *(("", clean(sentence)) for sentence in quota_words(plan)),
            *((clean(item.key), clean(item.message)) for item in plan.warnings),
        ],
        recorded=[(clean(str(item.key)), clean(item.moved_from)) for item in plan.bookkeeping],
        timeline=timeline(schedules, plan.as_of, now_word=moment_word, anchors=anchors) if schedules else None,
        schedule_rows=[_schedule_row(item, platforms, steps) for item in schedules],
        platform_class=platforms,
        WIDTH=WIDTH,
        LABELS=LABELS,
        long=len(changes) > PRINTED,
    )


# --- parts -----------------------------------------------------------------------------------------------------------


def _destroys(change: Change) -> bool:
    acting = change.action is not Action.BLOCKED
    return acting and (change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields))


def _spoils(change: Change) -> bool:
    acting = change.action is not Action.BLOCKED and not _destroys(change)
    return acting and any(item.severity is Severity.INVALIDATES for item in change.fields)


def _takes_back(change: Change) -> bool:
    return change.action is not Action.BLOCKED and any(item.drifted for item in change.fields)


def _rank(change: Change) -> int:
    """What cannot be undone comes first, then what is blocked, then what spoils a comparison."""
    if _destroys(change):
        return 0
    if change.action is Action.BLOCKED:
        return 1
    return 2 if _spoils(change) else 3


def _plan_verdict(plan: Plan) -> Verdict:
    counts = plan.summary
    calls = sum(len(change.calls) for change in plan.changes)
    sent = f"{counted(calls, 'call')} would be sent." if calls else "No call would be sent."
    destroying = sum(_destroys(change) for change in plan.changes)
    cannot = f"{counted(destroying, 'experiment')} would be ended, which cannot be undone." if destroying else ""
    changes = counted(len(plan.changes), "change")
    if not plan.complete or plan.problems:
        more = ("What was not read is not planned; the rest holds.", f"{changes}. {sent}", cannot)
        return Verdict("alarm", "Incomplete: not everything could be read", tuple(filter(None, more)))
    if blocked := counts[Action.BLOCKED.value]:
        what = "1 change is blocked" if blocked == 1 else f"{blocked:,} changes are blocked"
        rest = len(plan.changes) - blocked
        lift = f"With --skip-blocked it would carry out the other {rest:,}." if rest else ""
        more = ("Apply sends nothing while something is blocked; each says what would lift it.", lift, cannot)
        return Verdict("alarm", what, tuple(filter(None, more)))
    if destroying:
        return Verdict("alarm", cannot.rstrip("."), (f"{changes} in all. {sent}",))
    if plan.changes:
        return Verdict("change", f"{changes} to apply", (sent,))
    if plan.no_ops:
        alike = counted(plan.no_ops, "experiment is as its manifest wants it", "experiments are as the manifests want")
        return Verdict("good", "No changes", (f"{alike}.",))
    if plan.shard is not None:
        return Verdict("good", "No changes", ("Nothing of the project is in this part.",))
    return Verdict("good", "No changes", ("There are no manifests, and nothing is managed.",))


def _plan_facts(plan: Plan) -> list[tuple[str, str]]:
    facts = [
        ("Environment", clean(plan.environment) if plan.environment else "none"),
        ("Made at", day(plan.created_at)),
    ]
    if plan.shard is not None:
        facts.append(("Part", f"shard {plan.shard}: guards are judged when all shards are merged"))
    if plan.as_of != plan.created_at:
        facts.append(("Judged as of", f"{day(plan.as_of)}: what is allowed then may not be allowed now"))
    until = plan.valid_until
    facts.append(("Valid until", f"{day(until)} ({left(until, plan.created_at)})" if until else "no window closes"))
    facts.append(("State", f"serial {plan.state_serial}"))
    for item in plan.budget:
        place, _, words = clean(budget_words(item)).partition(": ")
        facts.append((f"Requests, {place}", words))
    return facts


def _attention(changes: Sequence[Change], steps: Mapping[Key, int], schedules: Sequence[Schedule]) -> list[Attention]:
    kinds = (
        ("Cannot be undone", "alarm", "Apply would end", _destroys),
        ("Invalidates results", "warn", "Apply would change the comparison of a running test in", _spoils),
        ("Takes back", "note", "Apply would take back what was changed outside of this tool in", _takes_back),
    )
    found = []
    if blocked := [change for change in changes if change.action is Action.BLOCKED]:
        reasons = (clean(change.reasons[0]) if change.reasons else "" for change in blocked)
        lines = [
            (_name(change, steps), ("", f": {why}" if why else ""))
            for change, why in zip(blocked, reasons, strict=True)
        ]
        sentence = f"Apply would refuse {counted(len(lines), 'change')}, and with it all others:"
        found.append(Attention("Blocked", "alarm", sentence, tuple(lines), sentences=True))
    for title, look, words, test in kinds:
        if names := [(_name(change, steps),) for change in changes if test(change)]:
            sentence = f"{words} {counted(len(names), 'experiment')}:"
            found.append(Attention(title, look, sentence, tuple(names)))
    if clashes := _clashes(steps, schedules):
        sentence = f"{counted(len(clashes), 'pair claims', 'pairs claim')} the same things at the same time:"
        found.append(Attention("Conflicts", "alarm", sentence, clashes, sentences=True))
    return found


def _name(change: Change, steps: Mapping[Key, int]) -> tuple[str, str]:
    return f"e{steps[change.key]}", clean(str(change.key))


def _clashes(steps: Mapping[Key, int], schedules: Sequence[Schedule]) -> tuple[Line, ...]:
    """Give every pair that is in each other's way once; which of the two tells of it does not matter."""
    anchors = {item.title: f"e{steps[item.key]}" for item in schedules if item.key and item.key in steps}
    seen: set[tuple[frozenset[str], tuple[str, ...], Window]] = set()
    lines: list[Line] = []
    for item in schedules:
        for conflict in item.conflicts if item.key else ():
            pair = (frozenset((item.title, conflict.other)), conflict.entities, conflict.window)
            if pair in seen:
                continue
            seen.add(pair)
            one, other = ((anchors.get(title, ""), clean(title)) for title in (item.title, conflict.other))
            lines.append((one, ("", " and "), other, ("", clean(f": {shared_words(conflict)}"))))
    return tuple(lines)


def _card(
    change: Change, step: int, plan: Plan, platforms: Mapping[str, str], window: Schedule | None, unfold: bool
) -> Card:
    blocked = change.action is Action.BLOCKED
    word = "end" if change.action is Action.DELETE else change.action.value
    about = place(change.platform, change.connection)
    about += [f"id {clean(change.remote_id)}"] if change.remote_id else []
    about += [clean(change.status)] if change.status else []
    badges = []
    if blocked and change.intent:
        badges.append(Badge("would " + ("end" if change.intent is Action.DELETE else change.intent.value), "note"))
    if _destroys(change):
        badges.append(Badge("cannot be undone", "alarm"))
    if _spoils(change):
        badges.append(Badge("invalidates results", "warn"))
    facts = [] if blocked else [("Step", f"{step:,} of {len(plan.changes):,}")]
    if window and (window.before or window.after):
        facts.append(("Runs", span(window.after or window.before)))
    if change.after:
        facts.append(("Waits for", clean(listed(str(key) for key in change.after))))
    if change.valid_until and not blocked:
        facts.append(("Valid until", f"{day(change.valid_until)} ({left(change.valid_until, plan.created_at)})"))
    if change.moved_from:
        facts.append(("Was called", clean(change.moved_from)))
    no_call = {Action.FORGET: "No call: only the record is dropped.", Action.ADOPT: "No call: it is only recorded."}
    return Card(
        f"e{step}",
        clean(change.key.kind),
        clean(change.key.name),
        word,
        change.action.value,
        platforms[change.platform],
        tuple(about),
        tuple(badges),
        tuple(clean(item) for item in change.reasons),
        tuple(clean(item) for item in change.warnings),
        tuple(facts),
        change_fields(change),
        (change.intent or change.action) is Action.CREATE and all(item.before is None for item in change.fields),
        call_views(change),
        "" if change.calls else no_call.get(change.action, ""),
        "Blocked" if blocked else "Because",
        unfold,
    )


def _schedule_row(item: Schedule, platforms: Mapping[str, str], steps: Mapping[Key, int]) -> dict[str, Any]:
    changed = item.before and item.after and item.before != item.after
    return {
        "platform": platforms[item.platform],
        "anchor": f"e{steps[item.key]}" if item.key is not None and item.key in steps else "",
        "title": clean(item.title),
        "where": clean(" · ".join(part for part in (item.connection, item.account) if part)),
        "status": clean(item.status) or "not live yet",
        "action": "not managed here" if item.key is None else "end" if item.ends else _PLANNED[item.action],
        "span": _bare(span(item.after or item.before)),
        "was": _bare(span(item.before)) if changed else "",
        "editable": _bare(day(item.editable_until)) if item.editable_until else "",
        "conflicts": [clean(conflict_words(conflict)) for conflict in item.conflicts[:5]],
    }


def _bare(text: str) -> str:
    """Give times without their zone: the page says once that they are UTC."""
    return text.replace(" UTC", "")
