"""
A plan as the comment under a pull request: what a marketer has to know first, all that an engineer wants below.

Verdict, counts, and what cannot be undone stand open; each experiment is folded, its calls folded deeper. The report
never takes more than `limit` bytes. It loses, in this order and for all experiments alike, the calls, the unchanged
context, the details, and at last whole experiments; the end says what was left out and where the whole is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.model.resource import Desired, Key
from reconciler.report.budget_text import budget_words, quota_words
from reconciler.report.change_markdown import CONTEXT, LEFT_OUT, LEVELS, LINE, change_part, kept
from reconciler.report.markdown_escape import table
from reconciler.report.markdown_fit import LIMIT, Part, bullets, fitted, link, marker, name, said, size
from reconciler.report.words import counted, left, moment

NOTHING_WANTED: Final[Mapping[Key, Desired]] = MappingProxyType({})
_ORDER = (
    (Action.CREATE, "create"),
    (Action.UPDATE, "update"),
    (Action.REPLACE, "replace"),
    (Action.DELETE, "end"),
    (Action.ADOPT, "adopt"),
    (Action.FORGET, "forget"),
    (Action.BLOCKED, "blocked"),
)
_END = 900
"""Bytes kept for the end of the report."""


def plan_markdown(
    plan: Plan, desired: Mapping[Key, Desired] = NOTHING_WANTED, *, limit: int = LIMIT, address: str = ""
) -> str:
    """
    Give a plan as Markdown of GitHub's and GitLab's flavour, of at most `limit` bytes (not below 30,000).

    `desired` are the manifests, for labels and places in files; `address` is where the whole plan can be seen.
    """
    room = max(limit, 30_000)
    head = "\n".join(_head(plan, room)) + "\n"
    parts = [
        Part(kept(change), partial(change_part, change, plan.created_at, desired.get(change.key)))
        for change in plan.changes
    ]
    chosen = fitted(parts, room - size(head) - _END, LEVELS)
    body = "".join(text for _, text in chosen)
    return head + body + "\n".join(_end(plan, [level for level, _ in chosen], address)) + "\n"


def counts(plan: Plan) -> str:
    """Give the counts of a plan in words, without what there is none of."""
    summary = plan.summary
    words = [f"{summary[action.value]:,} {_to(word)}" for action, word in _ORDER if summary[action.value]]
    return ", ".join([*words, f"{summary['no-op']:,} unchanged"])


def _to(word: str) -> str:
    return word if word == "blocked" else f"to {word}"


# --- the head --------------------------------------------------------------------------------------------------------


def _head(plan: Plan, room: int) -> Iterator[str]:
    yield marker("plan", plan.environment)
    yield f"## Plan of experiments{f' for {name(plan.environment, 60)}' if plan.environment else ''}"
    yield ""
    yield _verdict(plan)
    yield ""
    if plan.shard is not None:
        yield f"Only shard {plan.shard} of the project: its guards are judged when all shards are merged."
        yield ""
    yield from _problems(plan, room // 10)
    if plan.changes:
        yield from _by_platform(plan.changes)
        yield ""
        yield from _budget(plan, room // 20)
    yield from _attention(plan, room // 8)
    yield from _windows(plan, room // 20)
    yield from _warnings(plan, room // 12)


def _verdict(plan: Plan) -> str:
    summary = plan.summary
    blocked, acting = summary["blocked"], len(plan.changes) - summary["blocked"]
    ending = sum(1 for change in plan.changes if ends(change))
    spoiling = sum(1 for change in plan.changes if spoils(change))
    if not plan.complete or plan.problems:
        return (
            f"**INCOMPLETE: not everything could be read, and nothing can be applied.** Planned so far: {counts(plan)}."
        )
    if not plan.changes:
        if not plan.no_ops and plan.shard is not None:
            return "**No changes.** Nothing of the project is in this part."
        if not plan.no_ops:
            return "**No changes.** There are no manifests, and nothing is managed."
        alike = counted(plan.no_ops, "experiment is as its manifest wants it", "experiments are as their manifests say")
        return f"**No changes.** {alike}."
    if blocked:
        rest = f"; <code>apply --skip-blocked</code> carries out the other {acting:,}" if acting else ""
        first = f"**Blocked: {blocked:,} of {counted(len(plan.changes), 'change')}.** Apply sends nothing{rest}."
    elif ending:
        first = f"**Ends {counted(ending, 'experiment')}, which cannot be undone.**"
    elif spoiling:
        first = f"**Spoils the comparison of {counted(spoiling, 'running experiment')}.**"
    else:
        first = "**Ready to apply.** Nothing ends, and no running comparison is spoilt."
    return f"{first} {counts(plan)[0].upper()}{counts(plan)[1:]}."


def ends(change: Change) -> bool:
    """Tell whether carrying out a change ends an experiment."""
    destroys = change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields)
    return destroys and change.action is not Action.BLOCKED


def spoils(change: Change) -> bool:
    """Tell whether carrying out a change leaves an experiment running with results that do not compare."""
    spoilt = any(item.severity is Severity.INVALIDATES for item in change.fields)
    return spoilt and change.action is not Action.BLOCKED and not ends(change)


def _problems(plan: Plan, room: int) -> Iterator[str]:
    if plan.complete and not plan.problems:
        return
    yield "> [!WARNING]"
    yield "> **INCOMPLETE: what was not read is not planned.** There may be more changes than are shown here."
    yield ">"
    lines = bullets((said(problem) for problem in plan.problems), room, lambda rest: f"and {rest:,} more")
    yield from (f"> {line}" for line in lines)
    yield ""


def _by_platform(changes: Sequence[Change]) -> list[str]:
    used = [(action, word) for action, word in _ORDER if any(change.action is action for change in changes)]
    cells = Counter((change.platform, change.action) for change in changes)
    calls = Counter[str]()
    for change in changes:
        calls[change.platform] += len(change.calls)
    platforms = sorted({change.platform for change in changes})
    rows = [
        [name(platform, 40), *(_number(cells[platform, action]) for action, _ in used), _number(calls[platform])]
        for platform in platforms[:12]
    ]
    if len(platforms) > 1:
        total = Counter(change.action for change in changes)
        every = "all" if len(platforms) <= 12 else f"all {len(platforms):,} platforms"
        sums = (f"**{total[action]:,}**" for action, _ in used)
        rows.append([f"**{every}**", *sums, f"**{sum(calls.values()):,}**"])
    lines = table(["platform", *(word for _, word in used), "calls"], rows)
    lines[1] = "| --- |" + " ---: |" * (len(used) + 1)
    return lines


def _budget(plan: Plan, room: int) -> Iterator[str]:
    """Say what an apply costs in requests, and which quota may not be enough for it."""
    if plan.budget:
        yield "<details><summary>What an apply sends, and about how long it takes</summary>"
        yield ""
        yield from bullets((said(budget_words(item)) for item in plan.budget), room, lambda rest: f"and {rest:,} more")
        yield ""
        yield "</details>"
        yield ""
    if plan.quotas:
        yield from _alert("WARNING", "Nearly used up", (said(sentence) for sentence in quota_words(plan)), room)


def _number(count: int) -> str:
    return f"{count:,}" if count else "·"


def _attention(plan: Plan, room: int) -> Iterator[str]:
    """Name what cannot be undone, what is blocked, and what spoils a running comparison, before the long list."""
    ending = [change for change in plan.changes if ends(change)]
    if ending:
        yield from _alert("CAUTION", "Cannot be undone", [_ending(change) for change in ending], room)
    blocked = [change for change in plan.changes if change.action is Action.BLOCKED]
    if blocked:
        reasons = (f"{name(str(change.key))}: {said('; '.join(change.reasons[:4]))}" for change in blocked)
        yield from _alert("IMPORTANT", "Blocked", reasons, room)
    spoiling = [change for change in plan.changes if spoils(change)]
    if spoiling:
        lines = (f"{name(str(change.key))}: {_spoilt(change)}" for change in spoiling)
        yield from _alert("WARNING", "Results do not compare any more", lines, room)
    undoing = [change for change in plan.changes if change.action is not Action.BLOCKED and _undoes(change)]
    if undoing:
        taken = (f"{name(str(change.key))}: {_fields(change, drifted=True)}" for change in undoing)
        yield from _alert("NOTE", "Takes back what was changed outside of this tool", taken, room // 2)


def _undoes(change: Change) -> bool:
    return any(item.drifted for item in change.fields)


def _alert(kind: str, title: str, lines: Sequence[str] | Iterator[str], room: int) -> Iterator[str]:
    yield f"> [!{kind}]"
    yield f"> **{title}**"
    yield ">"
    every = bullets(lines, room, lambda rest: f"and {counted(rest, 'more', 'more')}, see below")
    yield from (f"> {line}" for line in every)
    yield ""


def _ending(change: Change) -> str:
    about = ", ".join(
        [*([f"id {name(change.remote_id, 60)}"] if change.remote_id else []), f"on {name(change.connection, 60)}"]
    )
    status = f" while it is {said(change.status, 40)}" if change.status else ""
    if change.action is Action.REPLACE:
        what = f"ends it{status} and creates a new one: results restart, people are assigned anew"
    elif change.action is Action.DELETE:
        what = f"ends it{status}"
    else:
        what = f"ends it{status}, as its manifest says"
    reason = f" ({said(change.reasons[0], 200)})" if change.reasons else ""
    return f"{name(str(change.key))} ({about}): {what}{reason}"


def _spoilt(change: Change) -> str:
    status = f" while it is {said(change.status, 40)}" if change.status else ""
    return f"changes {_fields(change)}{status}"


def _fields(change: Change, *, drifted: bool = False) -> str:
    paths = [
        item.path for item in change.fields if (item.drifted if drifted else item.severity is Severity.INVALIDATES)
    ]
    shown = ", ".join(name(path, 60) for path in paths[:5])
    return shown + (f" and {len(paths) - 5:,} more" if len(paths) > 5 else "")


def _windows(plan: Plan, room: int) -> Iterator[str]:
    """Name which changes stop being possible first."""
    closing = [(change.valid_until, change) for change in plan.changes if change.valid_until]
    closing = [(until, change) for until, change in closing if change.action is not Action.BLOCKED]
    if plan.as_of != plan.created_at:
        yield f"Judged as of {moment(plan.as_of)}: what is allowed then, which may not be what is allowed now."
        yield ""
    if not closing:
        return
    closing.sort(key=lambda item: (item[0], item[1].key))
    first = closing[0][0]
    assert first is not None
    yield f"**Valid until {moment(first)}**, {left(first, plan.created_at)} when it was planned. What closes when:"
    yield ""
    lines = (f"{moment(until)}: {name(str(change.key))}" for until, change in closing if until)
    yield from bullets(list(lines)[:5], room, lambda rest: f"and {rest:,} more")
    if len(closing) > 5:
        yield f"- and {counted(len(closing) - 5, 'more', 'more')} later"
    yield ""


def _warnings(plan: Plan, room: int) -> Iterator[str]:
    if not plan.warnings:
        return
    yield f"<details><summary>{counted(len(plan.warnings), 'warning')} besides those of the changes</summary>"
    yield ""
    sentences = (f"{f'{name(item.key)}: ' if item.key else ''}{said(item.message)}" for item in plan.warnings)
    yield from bullets(sentences, room, lambda rest: f"and {rest:,} more")
    yield ""
    yield "</details>"
    yield ""


# --- the end ---------------------------------------------------------------------------------------------------------


def _end(plan: Plan, levels: Sequence[int], address: str) -> Iterator[str]:
    cut = Counter(levels)
    shown = [
        (sum(cut[level] for level in range(1, LINE)), "the calls of {}"),
        (sum(cut[level] for level in range(CONTEXT, LINE)), "values and who is affected of {}"),
        (cut[LINE], "all but a line of {}"),
        (cut[LEFT_OUT], "{} entirely"),
    ]
    parts = [words.format(counted(number, "experiment")) for number, words in shown if number]
    environment = f" --env {plan.environment}" if plan.environment else ""
    command = name(f"reconciler{environment} plan --format json", 120)
    whole = link("see the whole plan", address) if address else ""
    if parts:
        yield f"**Left out, to fit into a comment:** {', '.join(parts)}."
        where = f"{whole}, or run {command}" if whole != "see the whole plan" and whole else f"run {command}"
        yield f"For the whole plan {where}; a plan saved with <code>--out</code> holds it too."
        yield ""
    elif whole and whole != "see the whole plan":
        yield f"<sub>{whole}</sub>"
        yield ""
    if plan.bookkeeping:
        number = len(plan.bookkeeping)
        follow = counted(number, "record follows its manifest", "records follow their manifests")
        yield f"<sub>{follow} without a call.</sub>"
    state = f", from state {plan.state_serial:,}" if plan.state_serial else ""
    yield f"<sub>Made at {moment(plan.created_at)}{state}. Planning changed nothing.</sub>"
