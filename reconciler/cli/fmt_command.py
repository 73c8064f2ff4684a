"""`reconciler fmt`: manifests in the one layout."""

from __future__ import annotations

import difflib
import gc
import sys
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import EXIT_CHANGES, out, project_of, say, style_of
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.fmt import Formatted
    from reconciler.manifests.layout.order import KeyOrder
    from reconciler.model.diagnostic import Diagnostic

_STDIN = "<stdin>"


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when a file would change.")
@click.option("--diff", "as_diff", is_flag=True, help="Write nothing; show what would change as a unified diff.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], check: bool, as_diff: bool) -> int:
    """
    Put manifests into the one layout: order of keys, indentation, spacing. Comments, quotes and values stay.

    PATHs are files or folders; without any, the project's own globs. - reads standard input and writes the result to
    standard output. A file with a mistake is reported and left as it is; the others are formatted.
    """
    kinds = _orders()
    if "-" in paths:
        if len(paths) > 1:
            raise UsageProblem("- (standard input) does not go together with other PATHs")
        return _stdin(kinds, check=check, as_diff=as_diff)
    return _files(ctx, paths, kinds, check=check, as_diff=as_diff)


def _files(
    ctx: click.Context, paths: Sequence[str], kinds: Mapping[str, KeyOrder], *, check: bool, as_diff: bool
) -> int:
    from reconciler.manifests.discover import discover
    from reconciler.manifests.fmt import formatted_file, rewrite

    here = Path.cwd()
    found = discover(here, () if paths else _patterns(ctx, here), paths)
    problems = list(found.diagnostics)
    changed = failed = 0
    with _no_collector():
        for file in found.files:
            done = formatted_file(file, kinds)
            problems += done.diagnostics
            if done.changed and not check and not as_diff:
                problem = rewrite(file, done, here)
                if problem is not None:
                    problems.append(problem)
                    failed += 1
                    continue
            failed += done.failed
            if done.changed:
                changed += 1
                _show(done, as_diff=as_diff)
    _report(problems)
    verb = "would change" if check or as_diff else "formatted"
    say(
        f"{_files_text(changed)} {verb}, {len(found.files) - changed - failed} left as they are"
        + (f", {failed} with errors" if failed else "")
    )
    return _code(problems, bool(changed), check)


def _stdin(kinds: Mapping[str, KeyOrder], *, check: bool, as_diff: bool) -> int:
    from reconciler.manifests.fmt import formatted

    done = formatted(sys.stdin.buffer.read(), _STDIN, kinds)
    _report(done.diagnostics)
    if check or as_diff:
        if done.changed:
            _show(done, as_diff=as_diff)
    elif not done.failed:
        sys.stdout.buffer.write(done.after)
        sys.stdout.buffer.flush()
    return _code(done.diagnostics, done.changed, check)


def _code(problems: Iterable[Diagnostic], changed: bool, check: bool) -> int:
    from reconciler.model.diagnostic import Severity

    if any(problem.severity is Severity.ERROR for problem in problems):
        return 1
    return EXIT_CHANGES if check and changed else 0


def _orders() -> dict[str, KeyOrder]:
    """Give the order of each kind's spec: that of its field table."""
    from reconciler.manifests.layout.order import order_of
    from reconciler.platforms.registry import KINDS

    return {kind.name: order_of(row.path for row in kind.fields) for kind in KINDS}


def _patterns(ctx: click.Context, here: Path) -> Sequence[str]:
    """
    Give the project's globs.

    Nothing else of the project file is asked for: formatting needs neither an environment nor sound connections.
    """
    from pydantic import ValidationError

    from reconciler.manifests.discover import PROJECT_FILE
    from reconciler.manifests.load import load_file
    from reconciler.project.schema import ProjectEntry

    path = here / PROJECT_FILE
    loaded = load_file(path, PROJECT_FILE, quiet=True)
    if not loaded.diagnostics and isinstance(loaded.documents[0].value, dict):
        stated = {key: value for key, value in loaded.documents[0].value.items() if key == "manifests"}
        try:
            return tuple(ProjectEntry.model_validate({"version": 1, **stated}).manifests)
        except ValidationError:
            pass
    return project_of(ctx).manifests


def _show(done: Formatted, *, as_diff: bool) -> None:
    """Name a file that changes, or show how: the names go to standard error then."""
    if not as_diff:
        out(done.name)
        return
    say(done.name)
    before = done.before.decode("utf-8").splitlines(keepends=True)
    after = done.after.decode("utf-8").splitlines(keepends=True)
    for line in difflib.unified_diff(before, after, done.name, done.name):
        out(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")


def _report(problems: Sequence[Diagnostic]) -> None:
    if problems:
        from reconciler.report.diagnostics_text import diagnostics_text

        click.echo(diagnostics_text(problems, style_of(sys.stderr)), err=True, nl=False)


def _files_text(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


@contextmanager
def _no_collector() -> Iterator[None]:
    """Switch the garbage collector off: many small nodes, and none of them garbage before its file is done."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
