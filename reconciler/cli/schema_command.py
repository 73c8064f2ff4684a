"""`reconciler schema`: the JSON Schemas of manifests, the project file and the plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.common import out_json, say
from reconciler.errors import ReconcilerError


@click.command("schema")
@click.option("--out", "folder", metavar="DIR", help="Write one file for each schema there, instead of printing them.")
def command(folder: str | None) -> int:
    """Give the JSON Schemas, for editors (YAML language server) and for programs that read plans."""
    from reconciler.schema import schemas, write_schemas

    if folder is None:
        out_json(schemas())
        return 0
    try:
        written = write_schemas(Path(folder))
    except OSError as error:
        raise ReconcilerError(f"{folder} cannot be written: {error.strerror}") from None
    for path in written:
        say(f"wrote {path}")
    return 0
