"""`reconciler explain`: what a kind, a field, a rule or a key of a manifest means; needs no project and no network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.cli.common import out, out_json, say, style_of
from reconciler.cli.complete import complete_topic
from reconciler.errors import ReconcilerError, UsageProblem


@click.command("explain")
@click.argument("topic", required=False, default="", metavar="[KIND[.field]|RULE]", shell_complete=complete_topic)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--out", "folder", metavar="DIR", help="Write the reference of all kinds there, as Markdown pages.")
def command(topic: str, form: str, folder: str | None) -> int:
    """
    Explain a kind, a field, a rule, or a key of a manifest.

    A field comes with its meaning, type, limits, default, when it may change, what happens otherwise, and the source
    of each of these. Without a word it lists the kinds.

    \b
    reconciler explain LinkedInExperiment
    reconciler explain XAdsABTest.user_groups.size
    reconciler explain LIN007
    reconciler explain lifecycle
    """
    from reconciler.platforms.registry import KINDS
    from reconciler.report.explain import explain_text
    from reconciler.report.explain_json import explain_json
    from reconciler.report.topics import look_up

    if folder is not None:
        if topic:
            raise UsageProblem("--out writes the reference of all kinds; leave the topic out")
        return _write(Path(folder))
    found = look_up(topic, KINDS)
    if form == "json":
        out_json(explain_json(found))
    else:
        out(explain_text(found, style_of(sys.stdout)))
    return 0


def _write(folder: Path) -> int:
    from reconciler.cli.commands_page import PAGE, commands_page
    from reconciler.platforms.registry import KINDS
    from reconciler.policy.page import PAGE as POLICIES
    from reconciler.policy.page import policies_page
    from reconciler.report.reference import reference_pages

    pages = {**reference_pages(KINDS), PAGE: commands_page(), POLICIES: policies_page()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
            say(f"wrote {folder / name}")
    except OSError as error:
        raise ReconcilerError(f"{folder} cannot be written: {error.strerror}") from None
    return 0
