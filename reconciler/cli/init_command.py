"""`reconciler init`: a starter project that validates, and runs on the embedded platforms at once."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from shlex import quote

import click

from reconciler.cli.common import now, out, say
from reconciler.errors import ReconcilerError, UsageProblem

STARTER = Path(__file__).parent / "starter"
FILES = {
    "reconciler.yaml": "reconciler.yaml.txt",
    "experiments/linkedin/headline-test.yaml": "linkedin.yaml.txt",
    "experiments/x/creative-test.yaml": "x.yaml.txt",
    "experiments/salesforce/hero-test.yaml": "salesforce.yaml.txt",
    ".github/workflows/reconciler.yaml": "workflow.yaml.txt",
}
IGNORED = (
    "# reconciler: the state belongs into git, what else is in its folder does not",
    ".reconciler/*",
    "!.reconciler/state.json",
    "!.reconciler/state.json.journal",
    "# the states of environments",
    "!.reconciler/*/",
    ".reconciler/*/*",
    "!.reconciler/*/state.json",
    "!.reconciler/*/state.json.journal",
    ".reconciler/emulator/",
    "plan.json",
)


@click.command("init")
@click.argument("folder", required=False, default=".", metavar="[DIR]")
def command(folder: str) -> int:
    """Write a starter project into DIR: project file, one experiment a platform, schemas, .gitignore, CI workflow."""
    from reconciler.schema import write_schemas

    root = Path(folder)
    there = [name for name in FILES if os.path.lexists(root / name)]
    if there:
        raise UsageProblem(f"{root / there[0]} exists already, so nothing was written; init wants a fresh folder")
    try:
        for name, source in FILES.items():
            _write(root / name, _filled((STARTER / source).read_text(encoding="utf-8")))
        _ignore(root / ".gitignore")
        schemas = root / ".reconciler" / "schemas"
        schemas.mkdir(parents=True, exist_ok=True)
        write_schemas(schemas)
    except OSError as error:
        raise ReconcilerError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    for name in (*FILES, ".gitignore", ".reconciler/schemas/"):
        say(f"wrote {root / name}{'/' if name.endswith('/') else ''}")
    place = "" if folder == "." else f" -C {quote(folder)}"
    out(
        "A project with three experiments is ready. Try it without any account:\n"
        f"  reconciler{place} validate\n"
        f"  reconciler{place} plan --emulator\n"
        f"  reconciler{place} apply --emulator"
    )
    return 0


def _filled(text: str) -> str:
    """Give a template with its dates: a start in a week, on the hour, so that the starter can be applied today."""
    start = (now() + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
    for name, moment in {
        "@START@": start,
        "@END_28@": start + timedelta(days=28),
        "@END_14@": start + timedelta(days=14),
    }.items():
        text = text.replace(name, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _ignore(path: Path) -> None:
    """Add our lines to .gitignore, keeping what is there; the state itself is to be kept in git."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in before.splitlines()]
    if missing:
        joint = "" if not before or before.endswith("\n") else "\n"
        path.write_text(before + joint + "\n".join(missing) + "\n", encoding="utf-8")
