"""What became of a plan: what was done, what failed and why, what was not tried, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.change import Action, Plan
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.report.clean import clean
from reconciler.report.style import PLAIN, Style
from reconciler.report.words import DONE, RESULT, SYMBOL, action_style, counted, wrapped

SECTIONS = (
    (Result.FAILED, "Failed"),
    (Result.STALE, "Refused as stale: it moved since the plan was made"),
    (Result.SKIPPED, "Held back: what it waits for did not succeed"),
    (Result.NOT_TRIED, "Not tried"),
    (Result.BLOCKED, "Blocked"),
)


def apply_text(result: ApplyResult, plan: Plan, style: Style = PLAIN) -> str:
    """Give the end of an apply as text: one line an experiment that was done, then all that was not, with the why."""
    return "\n".join(_lines(result, plan, style)) + "\n"


def outcome_line(outcome: Outcome, style: Style = PLAIN) -> str:
    """Give one line of progress: `done     update LinkedInExperiment/headline-test (id 123, 1 call)`."""
    about = [f"id {clean(outcome.remote_id)}"] if outcome.remote_id else []
    about += [counted(outcome.calls_sent, "call")] if outcome.calls_sent else []
    tail = f" ({', '.join(about)})" if about else ""
    message = f": {clean(outcome.message)}" if outcome.message else ""
    word = "end" if outcome.action is Action.DELETE else outcome.action.value
    return f"{_result_word(outcome, style)} {word} {clean(str(outcome.key))}{tail}{message}"


def _result_word(outcome: Outcome, style: Style) -> str:
    word = f"{RESULT[outcome.result]:<10}"
    match outcome.result:
        case Result.DONE | Result.UNCHANGED:
            return style.good(word)
        case Result.FAILED | Result.STALE | Result.BLOCKED:
            return style.alarm(word)
        case Result.SKIPPED | Result.NOT_TRIED:
            return style.changed(word)


def _lines(result: ApplyResult, plan: Plan, style: Style) -> Iterator[str]:
    done = [item for item in result.outcomes if item.result is Result.DONE]
    same = [item for item in result.outcomes if item.result is Result.UNCHANGED]
    if done:
        yield style.bold("Done")
        yield from (_done(item, DONE[item.action], style) for item in done)
        yield ""
    if same:
        yield style.bold("Already as planned, nothing sent")
        yield from (_done(item, "unchanged", style) for item in same)
        yield ""
    for kind, title in SECTIONS:
        found = [item for item in result.outcomes if item.result is kind]
        if found:
            yield (style.bold if kind is Result.NOT_TRIED else style.alarm)(title)
            for item in found:
                yield from _not_done(item, style)
            yield ""
    noted = [(item.key, text) for item in result.outcomes for text in item.warnings]
    if noted:
        yield style.changed("What the platforms said or stored differently")
        for key, text in noted:
            yield from wrapped("", f"{key}: {text}", 2)
        yield ""
    yield from _end(result, plan, style)


def _done(item: Outcome, word: str, style: Style) -> str:
    mark = action_style(item.action, style)
    about = [f"id {clean(item.remote_id)}"] if item.remote_id else []
    about += [counted(item.calls_sent, "call")] if item.calls_sent else []
    tail = f" {style.dim('(' + ', '.join(about) + ')')}" if about else ""
    message = f": {clean(item.message)}" if item.message else ""
    return f"{mark(f'{SYMBOL[item.action]:>3} {word}')} {clean(str(item.key))}{tail}{message}"


def _not_done(item: Outcome, style: Style) -> Iterator[str]:
    word = "end" if item.action is Action.DELETE else item.action.value
    sent = f" {style.dim('(' + counted(item.calls_sent, 'call') + ' sent)')}" if item.calls_sent else ""
    yield f"{action_style(item.action, style)(f'{SYMBOL[item.action]:>3} {word}')} {clean(str(item.key))}{sent}"
    if item.message:
        yield from wrapped("", item.message, 6)


def _end(result: ApplyResult, plan: Plan, style: Style) -> Iterator[str]:
    counts = [(kind, result.count(kind)) for kind in Result]
    parts = [f"{number:,} {RESULT[kind]}" for kind, number in counts if number]
    bad = [kind for kind, number in counts if number and kind not in (Result.DONE, Result.UNCHANGED)]
    mark = style.alarm if bad or result.interrupted else style.good
    if result.interrupted:
        yield style.alarm("Interrupted: stopped as asked, between two calls.")
    if parts:
        yield mark(f"Apply: {', '.join(parts)}.") + f" {counted(_sent(result.outcomes), 'call')} sent."
    else:
        yield mark("Apply: nothing to do.")
    if plan.bookkeeping and not result.interrupted:
        yield f"{counted(len(plan.bookkeeping), 'record follows its manifest', 'records follow their manifests')} now."
    saved = "The state is saved."
    if result.count(Result.STALE) or (Result.BLOCKED in bad and len(bad) == 1):
        yield f"{saved} Run plan again for what is left." if result.count(Result.STALE) else saved
    elif bad or result.interrupted:
        yield f"{saved} Run apply again for what is left; what is done is not sent twice."
    else:
        yield saved


def _sent(outcomes: Sequence[Outcome]) -> int:
    return sum(item.calls_sent for item in outcomes)
