"""`reconciler apply`: executes a saved plan, or plans, asks, and executes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import (
    EXIT_BLOCKED,
    PLAN_KEY,
    Stop,
    now,
    on_cluster,
    out,
    out_json,
    project_of,
    run,
    say,
    style_of,
    surroundings,
    validated,
)
from reconciler.cli.options import (
    allowed_destroys,
    cluster_option,
    given_variables,
    parsed_keys,
    planning_options,
    shard_of,
    shard_option,
)
from reconciler.cli.policing import review_saved, reviewer
from reconciler.cli.watching import Watch, audit_of, watch_of_run
from reconciler.errors import PlanUnreadable, UsageProblem
from reconciler.model.outcome import ApplyResult, Result

if TYPE_CHECKING:
    from reconciler.model.change import Plan
    from reconciler.model.resource import Key
    from reconciler.report.progress import ProgressDisplay
    from reconciler.state.owner import Owner
    from reconciler.workflow import Applied, Surroundings

NOT_CONFIRMED = "not confirmed"
LONGEST_PLAN = 256 * 1024 * 1024
"""Bytes of a plan file: a plan of ten thousand changes has some ten million."""


@click.command("apply")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--skip-blocked", is_flag=True, help="Apply what is not blocked, and still exit 3.")
@click.option("--same-state", is_flag=True, help="Refuse FILE as a whole when something was applied since it was made.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait this long for another run to finish (default: not at all).",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@shard_option
@cluster_option
@planning_options
@click.pass_context
def command(
    ctx: click.Context,
    file: str | None,
    auto_approve: bool,
    skip_blocked: bool,
    same_state: bool,
    lock_timeout: float,
    form: str,
    shard_text: str | None,
    cluster: str | None,
    targets: tuple[str, ...],
    allow_destroy: str | None,
    allow_empty: bool,
    no_preflight: bool,
    overrides: tuple[str, ...],
    emulated: bool,
    max_wait: float,
) -> int:
    """
    Make the platforms match the manifests, or carry out the saved plan FILE as it was saved.

    Without FILE it plans and asks first; where there is no terminal to ask on, pass --auto-approve or a saved plan.
    """
    from reconciler.report.text import plan_text
    from reconciler.state.owner import owner_of
    from reconciler.workflow import PlanRequest, apply_fresh, apply_saved

    request = PlanRequest(
        targets=parsed_keys(targets),
        allow_destroy=allowed_destroys(allow_destroy),
        allow_empty=allow_empty,
        preflight=not no_preflight,
        shard=shard_of(shard_text),
    )
    if file is not None and cluster is not None:
        raise UsageProblem("a saved plan was read already, and only this process sends: --cluster belongs to plan")
    if file is not None and given_variables(ctx):
        raise UsageProblem("a saved plan is carried out as it is: --var belongs to plan")
    if same_state and (file is None or shard_text is not None):
        raise UsageProblem("--same-state is about a whole saved plan: name its FILE, and no --shard")
    if file is not None and overrides:
        raise UsageProblem("a saved plan is carried out as it is: --override-policy belongs to plan")
    if file is None and not auto_approve and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageProblem("there is no terminal to ask on, so nothing was sent; pass --auto-approve or a saved plan")

    saved = read_plan(file) if file is not None else None
    if saved is not None and targets:
        _check_targets(saved, request.targets)
    project = project_of(ctx, environment=saved.environment if saved is not None else None)
    found = validated(project) if saved is None else None
    judge = reviewer(project, found, overrides) if found is not None else None

    watch = watch_of_run(say)

    def confirm(made: Plan, digest: str) -> bool:
        watch.planned(made, digest)
        if form == "text":
            out(plan_text(made, style_of(sys.stdout)))
        if auto_approve:
            return True
        return click.confirm("Carry out this plan?", default=False, err=True)

    stop = Stop()
    owner = owner_of(os.environ, command="reconciler apply", now=now())
    with (
        surroundings(project, emulated=emulated, max_wait_s=max_wait, found=found) as around,
        around.store.lock(owner, lock_timeout),
        progress_display(plain=watch.log is not None) as display,
        audited(watch, around, owner, emulated=emulated),
    ):
        around.notify, around.warn, around.stopping = watch.progress(display), display.announce, stop
        if judge is not None:
            around.review = judge.of_plan
        if saved is not None:
            if project.policies or saved.policies_digest:
                around.review_saved = partial(review_saved, around)
            watch.planned(saved)
            carried = apply_saved(around, saved, skip_blocked=skip_blocked, same_state=same_state, shard=request.shard)
            applied = run(carried, stop)
        else:
            assert found is not None
            fresh = apply_fresh(around, found.desired, request, skip_blocked=skip_blocked, confirm=confirm)
            applied = run(on_cluster(cluster, around, max_wait, fresh), stop)
        watch.ended(applied.plan, applied.result, applied.why_not)
    return report(applied, form)


def _check_targets(saved: Plan, targets: Sequence[Key]) -> None:
    """Raise UsageProblem when a saved plan holds more than the targets named: it is carried out as it is."""
    beyond = sorted(str(change.key) for change in saved.changes if change.key not in targets)
    if beyond:
        raise UsageProblem(
            f"the saved plan also changes {', '.join(beyond[:5])}, and it is carried out as it is; make one with "
            "plan --target … --out FILE"
        )


def report(applied: Applied, form: str) -> int:
    """Print what became of a plan and give the exit code."""
    from reconciler.report.json import apply_to_json
    from reconciler.report.text import apply_text, plan_text

    made, result = applied.plan, applied.result
    blocked = made.summary["blocked"] > 0
    if result is None:
        if form == "json":
            out_json(apply_to_json(ApplyResult(()), made))
        elif applied.why_not != NOT_CONFIRMED:
            out(plan_text(made, style_of(sys.stdout)))
        say(f"nothing was sent: {applied.why_not}")
        return EXIT_BLOCKED if blocked and made.complete else 1
    if form == "json":
        out_json(apply_to_json(result, made))
    else:
        out(apply_text(result, made, style_of(sys.stdout)))
    failed = result.count(Result.FAILED, Result.STALE, Result.SKIPPED, Result.NOT_TRIED)
    held_back = _held_back_by_blocks(result)
    if failed > held_back or result.interrupted:
        return 1
    return EXIT_BLOCKED if blocked else 0


def _held_back_by_blocks(result: ApplyResult) -> int:
    """Count what was skipped only because it waits for something blocked."""
    return sum(1 for item in result.outcomes if item.result is Result.SKIPPED and "blocked" in item.message)


@contextmanager
def audited(watch: Watch, around: Surroundings, owner: Owner, *, emulated: bool) -> Iterator[None]:
    """Keep the audit record of what runs inside; a run that breaks off is recorded as such."""
    watch.audit = audit_of(around.store, around.project, owner, say, run=watch.run, emulated=emulated)
    try:
        yield
    except BaseException as error:
        watch.audit.end(None, f"broken off: {type(error).__name__}: {error}")
        raise


@contextmanager
def progress_display(*, plain: bool = False) -> Iterator[ProgressDisplay]:
    """Give where progress goes: a live display on a terminal; plain lines elsewhere, and where `plain` asks for it."""
    from reconciler.report.progress import LiveProgress, PlainProgress

    live = not plain and sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
    kind = LiveProgress if live else PlainProgress
    with kind(sys.stderr, style_of(sys.stderr)) as display:
        yield display


def read_plan(name: str) -> Plan:
    """Read a saved plan; raises PlanUnreadable for anything that is not one, or not signed where a key is set."""
    from reconciler.plan.saved import loads
    from reconciler.plan.signing import check_signature

    try:
        with Path(name).open("rb") as stream:
            data = stream.read(LONGEST_PLAN + 1)
        if len(data) > LONGEST_PLAN:
            raise PlanUnreadable(f"{name} is not a plan file: it is longer than {LONGEST_PLAN // 1024 // 1024} MiB")
        text = data.decode("utf-8")
    except OSError as error:
        raise PlanUnreadable(f"{name} cannot be read: {error.strerror}; make one with plan --out {name}") from None
    except UnicodeDecodeError:
        raise PlanUnreadable(f"{name} is not a plan file: it is not UTF-8 text") from None
    if key := os.environ.get(PLAN_KEY):
        check_signature(text, key, name)
    return loads(text, name)
