"""`--also FORMAT=FILE`: further reports of one run, so that nobody has to ask the platforms once for each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import click

from reconciler.errors import ReconcilerError


def also_option(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--also`, which gives pairs of a format and the file it goes to."""

    def read(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        pairs = []
        for text in value:
            form, equals, name = text.partition("=")
            if form not in formats or not equals or not name:
                raise click.BadParameter(f"{text!r}: write FORMAT=FILE, with a format of {', '.join(formats)}")
            pairs.append((form, name))
        return tuple(pairs)

    return click.option(
        "--also",
        multiple=True,
        metavar="FORMAT=FILE",
        callback=read,
        help="Also write the report to FILE in that format, with what this one run has read; may be given again.",
    )


def save(name: str, text: str) -> None:
    """Write a file whole or not at all; raises ReconcilerError when that fails."""
    path = Path(name)
    draft = path.with_name(f".{path.name}.{token_hex(8)}.tmp")
    try:
        try:
            with draft.open("x", encoding="utf-8") as stream:  # a link that stands there already is not followed
                stream.write(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ReconcilerError(f"{name} cannot be written: {error.strerror}") from None
