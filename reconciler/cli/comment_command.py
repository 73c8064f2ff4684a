"""`reconciler comment`: the one comment of a plan under its pull request, and a check with marks on lines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.ci import project_folder
from reconciler.cli.ci_place import Place, place_of
from reconciler.cli.common import out, out_json, run, say
from reconciler.cli.forges import access, footer, forge_of
from reconciler.cli.options import max_wait_option, variable_options
from reconciler.cli.told import (
    Told,
    manifests_of,
    markdown_of,
    marks_of,
    outcome,
    read_told,
    summary_room,
    write_summary,
)
from reconciler.errors import PlatformError, Refused, UsageProblem

if TYPE_CHECKING:
    from reconciler.forge.github_checks import Check
    from reconciler.model.annotation import Annotation

READ_ONLY = (
    "the token may not write here (HTTP 403). A workflow needs `permissions: {pull-requests: write}`; a pull request "
    "from a fork has a token that only reads, and gets no comment"
)


@click.command("comment")
@click.argument("forge", type=click.Choice(["github", "gitlab"]))
@click.option("--plan", "plan_file", metavar="FILE", help="The plan that plan --out has saved; - for standard input.")
@click.option("--drift", "drift_file", metavar="FILE", help="What drift --format json has printed.")
@click.option("--markdown", "markdown_file", metavar="FILE", help="Markdown that plan or drift has printed.")
@click.option("--number", type=click.IntRange(min=1), help="The pull or merge request, where the CI does not say.")
@click.option("--project", metavar="NAME", help="What tells projects of a repository apart (default: the folder).")
@click.option("--check/--no-check", default=True, help="GitHub: also make a check run with marks on lines.")
@click.option("--summary", is_flag=True, help="GitHub: also write the whole into the summary of the step.")
@click.option("--skip-empty", is_flag=True, help="Make no comment for a plan without changes; an old one is updated.")
@click.option("--read-only-ok", is_flag=True, help="Exit 0 where the token may not write, as under a fork.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@max_wait_option
@variable_options
@click.pass_context
def command(
    ctx: click.Context,
    forge: str,
    plan_file: str | None,
    drift_file: str | None,
    markdown_file: str | None,
    number: int | None,
    project: str | None,
    check: bool,
    summary: bool,
    skip_empty: bool,
    read_only_ok: bool,
    dry_run: bool,
    max_wait: float,
) -> int:
    """
    Post a plan or a drift report as the one comment of a pull request, or bring that comment up to date.

    Works from the variables of the CI: GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_EVENT_PATH, or GITLAB_TOKEN,
    CI_PROJECT_ID and CI_MERGE_REQUEST_IID. Without --plan, --drift and --markdown it reads standard input.
    """
    from reconciler.forge.marker import marked, sticky

    told = read_told(plan_file, drift_file, markdown_file, ctx.obj["environment"])
    place = place_of(forge, os.environ, number)
    desired = manifests_of(ctx, told)
    if summary:
        room = min(max(summary_room(), 30_000), 1_000_000)
        text = markdown_of(told, desired, limit=room, address=place.run_url)
        if dry_run:
            say(f"would write {len(text.encode()):,} bytes into the summary of the step")
        else:
            write_summary(text)
    if place.number is None:
        raise UsageProblem(f"it is not known which {_request(forge)} to comment on; give --number")
    folder = project_folder()
    marker = sticky(told.kind, folder if project is None else project, told.environment)
    text = markdown_of(told, desired, limit=64_500, address=place.run_url)
    try:
        body = marked(marker, text + footer(place) if not told.markdown else text)
    except ValueError as error:
        raise UsageProblem(f"{error}; hand in the JSON with --plan or --drift, which is fitted") from None
    checked = _check(told, marks_of(told, desired), place, project, folder) if check and forge == "github" else None
    if dry_run:
        out_json(_shown(place, body, checked))
        return 0
    try:
        return run(_post(place, max_wait, marker, body, checked, create=not (skip_empty and _empty(told))))
    except Refused as error:
        if error.status != 403:
            raise
        say(f"{'warning' if read_only_ok else 'error'}: {READ_ONLY}: {error}")
        return 0 if read_only_ok else 1


def _request(forge: str) -> str:
    return "pull request" if forge == "github" else "merge request"


def _empty(told: Told) -> bool:
    """Tell whether there is nothing to look at; ready Markdown is taken to hold something."""
    if told.plan is not None:
        return told.plan.complete and not told.plan.changes and not told.plan.problems
    return told.drift is not None and not told.drift.drift and not told.drift.problems


def _check(told: Told, marks: Sequence[Annotation], place: Place, project: str | None, folder: str) -> Check | None:
    if not place.commit:
        say("no check run: the commit is not known (GITHUB_SHA)")
        return None
    from reconciler.forge.github_checks import Check

    conclusion, title = outcome(told)
    parts = [word for word in (project or folder, told.environment or "") if word]
    return Check(
        name=" ".join((f"reconciler {told.kind}", *(f"({part[:80]})" for part in parts))),
        sha=place.commit,
        conclusion=conclusion,
        title=title,
        summary=f"{title}. The comment of the pull request shows it whole; {len(marks):,} findings are marked here.",
        annotations=marks,
        run=place.run,
        details_url=place.run_url,
        folder=folder,
    )


async def _post(place: Place, max_wait: float, marker: str, body: str, checked: Check | None, *, create: bool) -> int:
    from reconciler.forge.github import GitHub
    from reconciler.forge.github_checks import post_check, refusal
    from reconciler.forge.sticky import keep_comment

    forge = forge_of(place, access(place, max_wait))
    try:
        kept = await keep_comment(forge, marker, body, create=create)
        for note in kept.notes:
            say(note)
        where = f": {kept.url}" if kept.url else f" of {place.repository}, {_request(place.forge)} {place.number}"
        out(f"comment {kept.did}{where}" if kept.did != "none" else "no comment: there is nothing to change")
        if checked is not None and isinstance(forge, GitHub):
            try:
                out(f"check run {checked.conclusion}: {await post_check(forge, checked)}")
            except PlatformError as error:
                if error.status not in (403, 404, 422):
                    raise
                say(refusal(error))
    finally:
        await forge.close()
    return 0


def _shown(place: Place, body: str, checked: Check | None) -> dict[str, object]:
    """Give what would be sent, without the token."""
    return {
        "forge": place.forge,
        "api": place.api,
        "repository": place.repository,
        "number": place.number,
        "body": body,
        "check": None
        if checked is None
        else {
            "name": checked.name,
            "sha": checked.sha,
            "conclusion": checked.conclusion,
            "title": checked.title,
            "annotations": len(checked.annotations),
        },
    }
