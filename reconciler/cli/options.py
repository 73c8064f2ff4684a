"""Options that several commands take, and how what they say is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.complete import complete_key
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.model.resource import Key
    from reconciler.model.shard import Shard
    from reconciler.project.variables import Given


def emulator_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--emulator`."""
    return click.option(
        "--emulator",
        "emulated",
        is_flag=True,
        help="Use the embedded platforms, whose data lives under .reconciler/emulator/.",
    )(command)


def variable_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--var` and `--var-file`; `project_of` hands what they say to the manifests."""

    def keep(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
        if value and ctx.obj is not None:
            ctx.obj[param.name] = value

    for option in (
        click.option(
            "--var",
            "var_texts",
            multiple=True,
            metavar="NAME=VALUE",
            expose_value=False,
            callback=keep,
            help="A variable for expressions in manifests, as text; NAME:=JSON for other types. Wins over all others.",
        ),
        click.option(
            "--var-file",
            "var_files",
            multiple=True,
            metavar="FILE",
            expose_value=False,
            callback=keep,
            help="A YAML or JSON file of variables, over those of the project file; later files win.",
        ),
    ):
        command = option(command)
    return command


def given_variables(ctx: click.Context) -> Given:
    """Give the variables of the command line."""
    from reconciler.project.variables import given_of

    return given_of(ctx.obj.get("var_files", ()), ctx.obj.get("var_texts", ()))


def shard_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--shard`."""
    return click.option(
        "--shard",
        "shard_text",
        metavar="I/N",
        help="Only the I-th of N parts of the project, split by connection and ad account.",
    )(command)


def shard_of(text: str | None) -> Shard | None:
    """Read `--shard i/n`; raises UsageProblem for anything else."""
    from reconciler.model.shard import Shard

    try:
        return None if text is None else Shard.parse(text)
    except ValueError as error:
        raise UsageProblem(f"--shard: {error}") from None


def max_wait_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--max-wait`."""
    return click.option(
        "--max-wait",
        type=click.FloatRange(min=0),
        default=900.0,
        metavar="SECONDS",
        help="The longest that rate limits may make the run wait (default: 900).",
    )(command)


def planning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what `plan` and `apply` share."""
    for option in reversed(
        (
            click.option(
                "--target",
                "targets",
                multiple=True,
                metavar="KEY…",
                shell_complete=complete_key,
                help="Only these experiments.",
            ),
            click.option(
                "--allow-destroy",
                metavar="[=N]",
                help="Allow experiments to be ended or replaced; =N also lifts the guards up to N.",
            ),
            click.option("--allow-empty", is_flag=True, help="Allow a project without any manifest to end everything."),
            click.option("--no-preflight", is_flag=True, help="Do not ask the platforms' own checks."),
            click.option(
                "--override-policy",
                "overrides",
                multiple=True,
                metavar="KEY=POLICY[:REASON]",
                help="Set a policy aside for one experiment; the plan shows it.",
            ),
        )
    ):
        command = option(command)
    return emulator_option(max_wait_option(variable_options(command)))


def allowed_destroys(text: str | None) -> int | None:
    """Read `--allow-destroy[=N]`: None without the flag, 0 without a number."""
    if text is None:
        return None
    if text == "any":
        return 0
    if not text.isdecimal() or not int(text):
        raise UsageProblem(f"--allow-destroy={text}: N is a number from 1 up")
    return int(text)


def parsed_keys(texts: tuple[str, ...]) -> tuple[Key, ...]:
    """Read keys given on the command line; raises UsageProblem for one that is none."""
    from reconciler.model.resource import Key

    try:
        return tuple(Key.parse(text) for text in texts)
    except ValueError as error:
        raise UsageProblem(str(error)) from None


def cluster_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--cluster`."""
    return click.option(
        "--cluster",
        "cluster",
        metavar="ADDRESS",
        help="Let a Dask cluster read: local[:N], tls://HOST:PORT or tcp://HOST:PORT.",
    )(command)
