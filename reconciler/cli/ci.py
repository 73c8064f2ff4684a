"""What a run of CI tells through its environment: where the repository's root is, and what was asked for in a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import out
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.model.annotation import Annotation


def project_folder(environ: Mapping[str, str] = os.environ, here: Path | None = None) -> str:
    """
    Give the project's folder as the repository names it; empty at its root, or where that is unknown.

    The root is `GITHUB_WORKSPACE` or `CI_PROJECT_DIR` where the project stands in it, else the nearest folder that
    has a `.git`.
    """
    folder = (here or Path.cwd()).resolve()
    named = [environ[name] for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR") if environ.get(name)]
    roots = [Path(name).resolve() for name in named]
    roots += [parent for parent in (folder, *folder.parents) if (parent / ".git").exists()]
    for root in roots:
        if folder.is_relative_to(root):
            inside = folder.relative_to(root).as_posix()
            return "" if inside == "." else inside
    return ""


def out_github(text: str, annotations: Sequence[Annotation]) -> None:
    """Write a report for the log of GitHub Actions: the text, which the runner does not obey, and the marks."""
    from secrets import token_hex

    from reconciler.report.github import quiet, workflow_commands

    sys.stderr.flush()
    out(quiet(text, token_hex(16)) + workflow_commands(annotations, project_folder()))


@contextmanager
def marked_errors(form: str) -> Iterator[None]:
    """Write what is wrong with manifests or the project file as marks too, where the format is that of GitHub's log."""
    try:
        yield
    except InvalidInput as error:
        if form != "github":
            raise
        from reconciler.report.annotations import validate_annotations
        from reconciler.report.diagnostics_text import diagnostics_text

        out_github(diagnostics_text(error.diagnostics), validate_annotations(error.diagnostics))
        raise click.exceptions.Exit(1) from None
