"""
The command `reconciler`: its global options, its commands (each loaded only when it is used), and its exit codes.

Start-up is a feature: this module imports click and nothing else, so that `--help` and completion stay fast.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": "write a starter project that validates",
    "validate": "check manifests; needs no network",
    "fmt": "put manifests into the one layout; comments stay",
    "plan": "show what would change; changes nothing",
    "merge-plans": "put the plans of all shards together",
    "apply": "carry out a saved plan, or plan, ask and carry out",
    "import": "write manifests for live experiments and manage them",
    "drift": "compare live experiments with what was applied",
    "comment": "post a plan as the one comment of a pull request",
    "issue": "keep one issue while there is drift; close it after",
    "results": "what experiments have come to: winner, intervals, or where to look",
    "state": "list, show and repair the record of what is managed",
    "policy": "list, explain and test the project's guardrails",
    "explain": "what a field means, its limits, and when it may change",
    "doctor": "check project, credentials, roles and clock, with what to do",
    "schema": "print or write the JSON Schemas",
    "emulator": "run the three platforms on loopback",
    "completion": "print the completion script for bash, zsh or fish",
}
EXIT_ERROR = 1
_KEY = re.compile(r"[A-Z]\w*/\S+")


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, and not for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"reconciler.cli.{cmd_name.replace('-', '_')}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; a misspelt one is answered with the nearest."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing:  # while completing, errors are nobody's business
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"reconciler {version('reconciler')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "directory", metavar="DIR", help="Act as if started in DIR.")
@click.option("--env", "environment", metavar="NAME", help="The environment of the project file to use.")
@click.option("-v", "--verbose", is_flag=True, help="Log every request and step to standard error.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show it.")
@click.pass_context
def cli(ctx: click.Context, directory: str | None, environment: str | None, verbose: bool) -> None:
    """Experiments as code: plan and apply A/B tests on LinkedIn, X Ads and Salesforce from YAML in git."""
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise click.UsageError(f"-C {directory}: {error.strerror}") from None
    ctx.obj = {"environment": environment, "verbose": verbose}


_COLLECT_AT = (200_000, 50, 100)
"""
When the collector of cyclic garbage looks, in containers: seldom.

A run makes many values that live to its end, and hardly any cycles; at Python's own setting a third of a plan's time
goes into walking them again and again. A long apply still gets its cycles collected.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    gc.set_threshold(*_COLLECT_AT)
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    words = _with_values(list(sys.argv[1:] if arguments is None else arguments))
    try:
        code = cli.main(args=words, prog_name="reconciler", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        error.show()
        return EXIT_ERROR
    except click.ClickException as error:
        error.show()
        return EXIT_ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_ERROR
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nobody is left to tell, and the rest would only fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as error:
        from reconciler.errors import ReconcilerError

        if not isinstance(error, ReconcilerError):
            raise
        from reconciler.cli.common import show_error

        show_error(error)
        return error.exit_code


def _with_values(words: list[str]) -> list[str]:
    """
    Spell out what click cannot read by itself.

    `--allow-destroy` takes a number only after `=`, and `--target` takes every key that follows it.
    """
    out: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return out + words[index:]
        if word == "--allow-destroy":
            word = "--allow-destroy=any"
        out.append(word)
        index += 1
        if word == "--target" and index < len(words):
            out.append(words[index])
            index += 1
            while index < len(words) and _KEY.fullmatch(words[index]):
                out += ["--target", words[index]]
                index += 1
    return out
