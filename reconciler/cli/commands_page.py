"""The reference of the command line, made from the commands themselves so that it cannot lag behind them."""

from __future__ import annotations

from collections.abc import Iterator

import click

PAGE = "commands.md"

_HEAD = """# Commands

<!-- Made by `reconciler explain --out docs/reference`; edit the commands in reconciler/cli instead. -->

`reconciler [-C DIR] [--env NAME] COMMAND`. Data goes to standard output; progress, warnings and errors go to standard
error. `NO_COLOR` is honoured. Exit codes: 0 done, 1 an error, 2 changes or drift were found, 3 something is blocked.
"""


def commands_page() -> str:
    """Give the page: every command with its words, arguments and options."""
    from reconciler.cli.main import cli

    context = click.Context(cli, info_name="reconciler")
    return "\n".join([_HEAD, *_group(cli, context)]).rstrip() + "\n"


def _group(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield from _command(command, inner)
        if isinstance(command, click.Group):
            yield from _group(command, inner)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
    yield f"## `{context.command_path}{f' {usage}' if usage else ''}`"
    yield ""
    yield _prose(command.help or "")
    yield ""
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    if not options:
        return
    yield "| option | meaning |"
    yield "|---|---|"
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            words, meaning = record
            yield f"| `{_cell(words)}` | {_cell(meaning)} |"
    yield ""


def _prose(text: str) -> str:
    """Give a command's help with its literal blocks (after `\\b`) as code."""
    blocks = []
    for block in "\n".join(line.strip() for line in text.strip().splitlines()).split("\n\n"):
        lines = block.splitlines()
        if lines and lines[0] == "\b":
            blocks.append("```\n" + "\n".join(lines[1:]) + "\n```")
        else:
            blocks.append(" ".join(lines))
    return "\n\n".join(blocks)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
