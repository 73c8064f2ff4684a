"""
The README is tested: its tour is run and compared with what it shows, and every command and option in it exists.

`RENEW_README=1 pytest tests/test_readme.py` writes the outputs of the tour anew; read the difference before you commit.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from reconciler.cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TOUR = re.compile(r"<!-- tour:.*?-->(.*)<!-- end of the tour -->", re.DOTALL)
BLOCK = re.compile(r"^```(console|diff)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
END = "\x1e"
EDIT = """
import pathlib, sys
path, old, new = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
text = path.read_text()
assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
path.write_text(text.replace(old, new))
"""


@dataclass(frozen=True)
class Step:
    """One command of the tour with the output that the README shows, or an edit of a file (no output)."""

    command: str
    shown: str
    edit: tuple[str, str, str] | None = None


def steps_of(text: str) -> list[Step]:
    """Read the tour: console blocks are commands with their output, diff blocks are edits."""
    found: list[Step] = []
    for language, body in BLOCK.findall(text):
        if language == "diff":
            path, old, new = body.splitlines()
            assert (path[:4], old[0], new[0]) == ("--- ", "-", "+"), body
            found.append(Step("", "", (path[4:], old[1:], new[1:])))
            continue
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Step(command, shown))
    return found


def run_tour(steps: list[Step], folder: Path) -> list[str]:
    """Run the steps in one shell, in order; gives the standard output of each."""
    (folder / "edit.py").write_text(EDIT)
    (folder / "reconciler").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n')
    (folder / "reconciler").chmod(0o755)
    script = ["code=0"]
    for step in steps:
        if step.edit:
            script.append(shlex.join([sys.executable, str(folder / "edit.py"), *step.edit]) + " || exit 99")
        else:
            script.append(f"(exit $code)\n{step.command}\ncode=$?")
        script.append("printf '\\036'")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outputs = done.stdout.split(END)[:-1]
    assert len(outputs) == len(steps)
    return outputs


def settled(text: str) -> str:
    """Give a text without what differs from one day to the next: moments, epoch milliseconds and spans."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>", text)
    text = re.sub(r"\b1[789]\d{11}\b", "<ms>", text)
    text = re.sub(r"\(\d+ \w+ left\)", "(<span> left)", text)
    return text.strip()


def renewed(text: str, outputs: list[str]) -> str:
    """Give the tour with these outputs in place of those it shows."""
    rest = iter(outputs)

    def block(match: re.Match[str]) -> str:
        if match.group(1) == "diff":
            next(rest)
            return match.group(0)
        commands = re.findall(r"^\$ (.+)$", match.group(2), re.MULTILINE)
        parts = []
        for command in commands:
            shown = next(rest).strip("\n")
            parts.append(f"$ {command}\n" + (f"{shown}\n" if shown else ""))
        return "```console\n" + "".join(parts) + "```"

    return BLOCK.sub(block, text)


def test_tour_shows_what_its_commands_print(tmp_path: Path) -> None:
    text = README.read_text()
    tour = TOUR.search(text)
    assert tour
    steps = steps_of(tour.group(1))
    assert sum(step.command.startswith("reconciler ") for step in steps) >= 10
    outputs = run_tour(steps, tmp_path)
    codes = [
        (step.shown.strip(), output.strip())
        for step, output in zip(steps, outputs, strict=True)
        if "$?" in step.command
    ]
    assert all(shown == got for shown, got in codes), "an exit code of the tour changed: that is no matter of renewal"
    if os.environ.get("RENEW_README"):
        README.write_text(text.replace(tour.group(1), renewed(tour.group(1), outputs)))
        return
    for step, output in zip(steps, outputs, strict=True):
        assert settled(output) == settled(step.shown), step.command


def commands_named(text: str) -> list[str]:
    """Give every command of the tool that a page names: in code spans, and behind a prompt in console blocks."""
    spans = re.findall(r"`(reconciler [^`\n]+)`", text)
    prompts = [re.split(r"\s{2,}#|\s\|", line)[0] for line in re.findall(r"^\$ (.*reconciler .+)$", text, re.MULTILINE)]
    prompts = [match.group(0) for line in prompts if (match := re.search(r"reconciler [^)\"]+", line))]
    return spans + prompts


def options_named(text: str) -> set[str]:
    """Give every option in the code spans and console blocks of a page, without what follows `=`."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    return {option for part in code for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", part)}


def all_options() -> set[str]:
    """Give every option of every command and subcommand."""
    found: set[str] = set()

    def walk(command: click.Command, context: click.Context) -> None:
        found.update(option for parameter in command.get_params(context) for option in parameter.opts)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child
                walk(child, click.Context(child, parent=context, info_name=name))

    walk(cli, click.Context(cli, info_name="reconciler"))
    return found


PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "examples/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_named_exists(page: Path) -> None:
    text = page.read_text()
    known = all_options() | {"--help", "--version"}
    foreign = {"--renew", "--no-deps", "--require-hashes"}  # of the tests, and of pip
    assert options_named(text) - known - foreign == set()
    for named in commands_named(text):
        words = [word for word in named.split()[1:] if not word.startswith(("-", "["))]
        skip = named.split()[1] in ("-C", "--env")
        name = words[1] if skip else words[0]
        assert name.split("|")[0] in COMMANDS, named


def test_every_command_stands_in_the_readme() -> None:
    named = {command.split()[1] for command in commands_named(README.read_text())}
    assert set(COMMANDS) - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_folders_named_in_the_readme_are_there() -> None:
    table = README.read_text().partition("## Where each thing stands")[2].partition("\n[")[0]
    names = re.findall(r"`([\w/.]+/|[\w/]+\.py)`", table)
    assert len(names) > 12
    for name in names:
        assert (ROOT / name).exists() or (ROOT / "reconciler" / name).exists(), name


def test_make_targets_named_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
