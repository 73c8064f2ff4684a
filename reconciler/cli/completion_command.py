"""`reconciler completion`: the script that makes a shell complete commands, options, keys and topics of `explain`."""

from __future__ import annotations

import click

from reconciler.cli.common import out

VARIABLE = "_RECONCILER_COMPLETE"
"""Where click looks for what a shell asks; it derives the name from that of the program."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """
    Print the completion script for a shell.

    \b
    bash:  eval "$(reconciler completion bash)"      in ~/.bashrc
    zsh:   eval "$(reconciler completion zsh)"       in ~/.zshrc
    fish:  reconciler completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from reconciler.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # the three that click brings
    # ShellComplete.source alone: bash's own first runs bash to learn its version, and complains where there is none.
    out(ShellComplete.source(kind(cli, {}, "reconciler", VARIABLE)))
    return 0
