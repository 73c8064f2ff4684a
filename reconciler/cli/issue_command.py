"""`reconciler issue`: one issue while there is drift, closed when it is gone."""

from __future__ import annotations

import os
from dataclasses import replace

import click

from reconciler.cli.ci import project_folder
from reconciler.cli.ci_place import Place, place_of
from reconciler.cli.common import out, out_json, run, say
from reconciler.cli.forges import access, forge_of
from reconciler.cli.options import max_wait_option, variable_options
from reconciler.cli.told import manifests_of, markdown_of, read_told
from reconciler.errors import Refused
from reconciler.report.clean import clean

MAY_NOT = "the token may not write issues here (HTTP 403); a workflow needs `permissions: {issues: write}`"


@click.command("issue")
@click.argument("forge", type=click.Choice(["github", "gitlab"]))
@click.option("--drift", "drift_file", metavar="FILE", default="-", help="What drift --format json has printed.")
@click.option("--title", metavar="TEXT", help="The title of the issue (default: Drift of experiments, and where).")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="A label for a new issue; may be given again.")
@click.option("--project", metavar="NAME", help="What tells projects of a repository apart (default: the folder).")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@max_wait_option
@variable_options
@click.pass_context
def command(
    ctx: click.Context,
    forge: str,
    drift_file: str,
    title: str | None,
    labels: tuple[str, ...],
    project: str | None,
    dry_run: bool,
    max_wait: float,
) -> int:
    """
    Open or update the one issue that tells of drift, or close it with a comment when the drift is gone.

    There is one for each project and environment. A report that could not read everything never closes it. Works from
    the variables of the CI, as `comment` does.
    """
    from reconciler.forge.marker import marked, sticky

    told = read_told(None, drift_file, None, ctx.obj["environment"])
    assert told.drift is not None
    place = replace(place_of(forge, os.environ, 1), number=None)
    folder = project_folder()
    named = folder if project is None else project
    body = markdown_of(told, manifests_of(ctx, told), limit=64_500, address=place.run_url)
    about = ", ".join(word for word in (named, told.environment or "") if word)
    request = {
        "marker": sticky("issue", named, told.environment),
        "title": clean(title or f"Drift of experiments{f' ({about})' if about else ''}")[:200],
        "body": "",
        "closing": _closing(place),
        "open": bool(told.drift.drift),
        "close": not told.drift.drift and not told.drift.problems,
    }
    request["body"] = marked(str(request["marker"]), body)
    if dry_run:
        out_json({"forge": place.forge, "api": place.api, "repository": place.repository, **request})
        return 0
    try:
        return run(_keep(place, max_wait, labels, request))
    except Refused as error:
        if error.status != 403:
            raise
        say(f"error: {MAY_NOT}: {error}")
        return 1


def _closing(place: Place) -> str:
    where = f" [This run](<{place.run_url}>) found none." if place.run_url.startswith("https://") else ""
    return f"The drift is gone: every experiment is as it was last applied.{where}"


async def _keep(place: Place, max_wait: float, labels: tuple[str, ...], request: dict[str, object]) -> int:
    from reconciler.forge.sticky import keep_issue

    forge = forge_of(place, access(place, max_wait), labels)
    try:
        kept = await keep_issue(
            forge,
            str(request["marker"]),
            title=str(request["title"]),
            body=str(request["body"]),
            closing=str(request["closing"]),
            open_=bool(request["open"]),
            close=bool(request["close"]),
        )
    finally:
        await forge.close()
    for note in kept.notes:
        say(note)
    out(f"issue {kept.did}: {kept.url}" if kept.did != "none" else "no issue: there is no drift, and none was open")
    return 0
