"""
A plan for the people who review it and for those who are on call when it runs.

Changes stand in the order in which they will be executed; what cannot be undone and what spoils a running comparison is
named once more above them, so that nobody has to find it in a long list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.report.body import call_lines
from reconciler.report.budget_text import budget_words, quota_words
from reconciler.report.clean import clean
from reconciler.report.fields_text import field_lines
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import SYMBOL, action_style, counted, left, listed, moment, wrapped


def plan_text(plan: Plan, style: Style = PLAIN, *, verbose: bool = False) -> str:
    """Give a plan as text; `verbose` shows long values and lists in full, and names what is only recorded."""
    return "\n".join(plan_lines(plan, style, verbose=verbose)) + "\n"


def plan_lines(plan: Plan, style: Style = PLAIN, *, verbose: bool = False) -> Iterator[str]:
    """Give a plan as lines without line breaks: for plans that are too long to hold as one text."""
    yield from _head(plan, style)
    yield from _problems(plan, style)
    yield from _attention(plan, style)
    for change in plan.changes:
        yield ""
        yield from change_lines(change, plan.created_at, style, verbose=verbose)
    for quota in quota_words(plan):
        yield ""
        yield from wrapped("warning", quota, 0, style.changed)
    if plan.warnings:
        yield ""
        for warning in plan.warnings:
            sentence = f"{warning.key}: {warning.message}" if warning.key else warning.message
            yield from wrapped("warning", sentence, 0, style.changed)
    for change in plan.bookkeeping:
        if change.moved_from and not verbose:
            yield ""
            title = f"  {style.note('=')} {clean(str(change.key))}"
            yield f"{title} was {clean(change.moved_from)}: its record moves, nothing else does"
    if verbose and plan.bookkeeping:
        yield ""
        yield "Recorded without a call, because live is already what the manifest says:"
        yield from (f"  {style.note('=')} {clean(str(change.key))}" for change in plan.bookkeeping)
    yield ""
    yield from summary_lines(plan, style)


def change_lines(change: Change, now: datetime, style: Style = PLAIN, *, verbose: bool = False) -> list[str]:
    """Give one experiment's part; `now` is the moment from which the time left is counted."""
    lines = [_title(change, style)]
    reasons, blocked = change.reasons, change.action is Action.BLOCKED
    for reason in reasons:
        lines += wrapped("blocked" if blocked else "because", reason, 4, style.alarm if blocked else style.bold)
    for warning in change.warnings:
        lines += wrapped("warning", warning, 4, style.changed)
    lines += field_lines(change, style, verbose=verbose)
    if change.after:
        lines += wrapped("waits for", listed(str(key) for key in change.after), 4, style.bold)
    if change.valid_until and not blocked:
        until = f"{moment(change.valid_until)} ({left(change.valid_until, now)})"
        lines += wrapped("valid until", until, 4, style.bold)
    lines += _calls(change, style)
    return lines


def summary_lines(plan: Plan, style: Style = PLAIN) -> list[str]:
    """Give the end of a plan: the counts, the calls, until when it holds, and what to do about what is blocked."""
    counts = plan.summary
    if not plan.changes:
        return _nothing(plan, style)
    parts = [
        f"{counts['create']:,} to create",
        f"{counts['update']:,} to update",
        f"{counts['replace']:,} to replace",
        f"{counts['delete']:,} to end",
    ]
    parts += [f"{counts['adopt']:,} to adopt"] if counts["adopt"] else []
    parts += [f"{counts['forget']:,} to forget"] if counts["forget"] else []
    parts += [f"{counts['blocked']:,} blocked"] if counts["blocked"] else []
    parts.append(f"{counts['no-op']:,} unchanged")
    calls = sum(len(change.calls) for change in plan.changes)
    lines = [
        style.bold(f"Plan: {', '.join(parts)}."),
        f"{counted(calls, 'call')} would be sent." if calls else "No call would be sent.",
    ]
    for budget in plan.budget:
        lines += [f"  {line}" for line in wrapped("", budget_words(budget), 0)]
    if plan.bookkeeping:
        lines.append(_bookkeeping(plan))
    if plan.valid_until:
        lines.append(f"The plan is valid until {moment(plan.valid_until)} ({left(plan.valid_until, plan.created_at)}).")
    if counts["blocked"]:
        lines += _blocked(counts["blocked"], len(plan.changes), style)
    if not plan.complete:
        lines.append(style.alarm("The plan is INCOMPLETE: not everything could be read; see the top."))
    return lines


# --- parts -----------------------------------------------------------------------------------------------------------


def _head(plan: Plan, style: Style) -> Iterator[str]:
    environment = f" for environment {clean(plan.environment)}" if plan.environment else ""
    yield style.bold(f"Plan{environment}, made at {moment(plan.created_at)}")
    if plan.shard is not None:
        yield style.note(f"Only shard {plan.shard} of the project: its guards are judged when all shards are merged.")
    if plan.as_of != plan.created_at:
        yield style.note(
            f"Judged as of {moment(plan.as_of)}: what is allowed then, which may not be what is allowed now."
        )


def _problems(plan: Plan, style: Style) -> Iterator[str]:
    if plan.complete and not plan.problems:
        return
    yield ""
    yield style.alarm("INCOMPLETE: not everything could be read. What was not read is not planned; the rest holds.")
    for problem in plan.problems:
        yield from _bullet("!", problem, style)


def _bullet(symbol: str, sentence: str, style: Style) -> list[str]:
    first, *rest = wrapped("", sentence, 4)
    return [f"  {style.alarm(symbol)} {first[4:]}", *rest]


def _attention(plan: Plan, style: Style) -> Iterator[str]:
    """Name what cannot be undone and what spoils a running comparison, before the long list."""
    acting = [change for change in plan.changes if change.action is not Action.BLOCKED]
    ending = [change for change in acting if _destroys(change)]
    spoiling = [
        change
        for change in acting
        if not _destroys(change) and any(item.severity is Severity.INVALIDATES for item in change.fields)
    ]
    undoing = [change for change in acting if any(item.drifted for item in change.fields)]
    if ending or spoiling or undoing:
        yield ""
    if ending:
        yield from wrapped("Cannot be undone", f"ends {_keys(ending)}", 0, style.alarm)
    if spoiling:
        yield from wrapped("Invalidates results", f"changes the comparison of {_keys(spoiling)}", 0, style.changed)
    if undoing:
        yield from wrapped("Takes back", f"what was changed outside of this tool in {_keys(undoing)}", 0, style.note)


def _destroys(change: Change) -> bool:
    return change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields)


def _keys(changes: Sequence[Change]) -> str:
    return listed(str(change.key) for change in changes)


def _title(change: Change, style: Style) -> str:
    mark = action_style(change.action, style)
    about = [f"would be: {_word(change.intent)}"] if change.intent and change.action is Action.BLOCKED else []
    about += [f"id {clean(change.remote_id)}"] if change.remote_id else []
    about += [clean(change.status)] if change.status else []
    about += [f"on {clean(change.connection)}"]
    title = f"{mark(f'{SYMBOL[change.action]:>3} {_word(change.action)}')} {style.bold(clean(str(change.key)))}"
    danger = f"  {style.alarm('[ends it: cannot be undone]')}" if change.destroys and change.calls else ""
    return f"{title} {style.dim('(' + ', '.join(about) + ')')}{danger}"


def _word(action: Action) -> str:
    return "end" if action is Action.DELETE else action.value


def _calls(change: Change, style: Style) -> Iterator[str]:
    if not change.calls:
        if change.action is Action.FORGET:
            yield "    no call: only the record is dropped"
        elif change.action is Action.ADOPT:
            yield "    no call: it is only recorded"
        return
    yield f"    {style.bold(counted(len(change.calls), 'call') + ':')}"
    several = len(change.calls) > 1
    for number, call in enumerate(change.calls, 1):
        which = "" if not change.old_calls else " the old one" if number <= change.old_calls else " the new one"
        label = f"{number}. {call.purpose.value}{which}: " if several else ""
        yield from call_lines(call, label, 6, style)


def _bookkeeping(plan: Plan) -> str:
    number = len(plan.bookkeeping)
    follow = counted(number, "record follows its manifest", "records follow their manifests")
    return f"{follow} without a call."


def _blocked(number: int, changes: int, style: Style) -> list[str]:
    tells = "it says" if number == 1 else "each says"
    blocked = f"{counted(number, 'change is', 'changes are')} blocked; {tells} above what would lift it."
    lines = [style.alarm(blocked)]
    if number < changes:
        rest = counted(changes - number, "other change", "other changes")
        lines.append(f"apply sends nothing while something is blocked; apply --skip-blocked carries out the {rest}.")
    else:
        lines.append("apply sends nothing while something is blocked.")
    return lines


def _nothing(plan: Plan, style: Style) -> list[str]:
    alike = counted(plan.no_ops, "experiment is as its manifest wants it", "experiments are as the manifests want them")
    if not plan.complete or plan.problems:
        lines = [style.alarm("The plan is INCOMPLETE: not everything could be read. There may well be changes.")]
        return [*lines, f"Of what was read, {alike}."] if plan.no_ops else lines
    if not plan.no_ops and plan.shard is not None:
        return [style.good(f"No changes: nothing of the project is in shard {plan.shard}.")]
    if not plan.no_ops:
        return [style.good("No changes: there are no manifests, and nothing is managed.")]
    lines = [style.good(f"No changes: {alike}.")]
    return [*lines, _bookkeeping(plan)] if plan.bookkeeping else lines
