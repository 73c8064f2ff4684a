"""`reconciler emulator`: the three platforms on loopback, by themselves, and a hand on the embedded ones."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import out, out_json, say
from reconciler.errors import ReconcilerError, UsageProblem

if TYPE_CHECKING:
    from reconciler.emulator.world import World

PLATFORMS = ("linkedin", "x-ads", "salesforce")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group("emulator", invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--seed", metavar="FILE", help="Starting data (YAML): {clock, linkedin, x-ads, salesforce}.")
@click.option("--faults", metavar="FILE", help="Failures to inject (YAML), by matcher and count.")
@click.option("--data", metavar="FILE", help="Keep the data in FILE (default: in memory).")
@click.pass_context
def command(ctx: click.Context, port: int, seed: str | None, faults: str | None, data: str | None) -> int:
    """
    Run the emulated platforms on loopback, paths under /linkedin, /x-ads and /salesforce.

    The subcommands act on the embedded platforms of a project (those of --emulator), as a person at the platform's own
    pages would: to try out drift, and to let days pass in a second.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from reconciler.emulator.faults import Faults
    from reconciler.emulator.seed import default_seed, seed_from
    from reconciler.emulator.serve import run_forever
    from reconciler.emulator.world import World, open_world

    try:
        start = seed_from(_read(seed)) if seed is not None else default_seed()
        world = open_world(Path(data), start) if data is not None else World(start)
        injected = Faults.parse(_read(faults)) if faults is not None else None
        run_forever(world, port, injected, announce=out)
    except (ValueError, OSError) as error:
        raise ReconcilerError(str(error)) from None
    return 0


@command.command("clock")
@click.argument("span", required=False)
def clock(span: str | None) -> int:
    """Show the embedded platforms' time, or let SPAN pass: 90s, 45m, 12h, 3d."""
    world = _world()
    if span is not None:
        number, unit = span[:-1].lstrip("+"), span[-1:]
        if unit not in _UNITS or not number.isdecimal():
            raise UsageProblem(f"{span!r} is no span of time; write 90s, 45m, 12h or 3d")
        try:
            world.advance(timedelta(seconds=int(number) * _UNITS[unit]))
            world.now()
        except OverflowError:
            raise UsageProblem(f"{span!r} is too far") from None
        world.save()
    out(world.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    return 0


@command.command("edit")
@click.argument("platform", type=click.Choice(PLATFORMS))
@click.argument("remote_id")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE…")
def edit(platform: str, remote_id: str, changes: tuple[str, ...]) -> int:
    """Change fields of an embedded experiment by hand; VALUE is JSON, or text as it is."""
    world = _world()
    try:
        _hands(platform, world).edit(world, remote_id, dict(_change(text) for text in changes))
    except KeyError:
        raise UsageProblem(f"there is no {remote_id!r} on the embedded {platform}") from None
    except ValueError as error:
        raise UsageProblem(str(error)) from None
    world.save()
    say(f"{remote_id} was changed by hand on {platform}")
    return 0


@command.command("remove")
@click.argument("platform", type=click.Choice(PLATFORMS))
@click.argument("remote_id")
def remove(platform: str, remote_id: str) -> int:
    """Remove an embedded experiment by hand."""
    world = _world()
    try:
        _hands(platform, world).remove(world, remote_id)
    except KeyError:
        raise UsageProblem(f"there is no {remote_id!r} on the embedded {platform}") from None
    world.save()
    say(f"{remote_id} was removed by hand on {platform}")
    return 0


@command.command("show")
@click.argument("platform", type=click.Choice(PLATFORMS))
@click.argument("table", required=False)
def show(platform: str, table: str | None) -> int:
    """Show the tables of an embedded platform, or the rows of one."""
    world = _world()
    tables: dict[str, Any] = world.data["tables"].get(platform, {})
    if table is None:
        out("\n".join(f"{name}: {len(rows)}" for name, rows in sorted(tables.items())))
        return 0
    if table not in tables:
        raise UsageProblem(f"there is no table {table!r}; there are {', '.join(sorted(tables))}")
    out_json(tables[table])
    return 0


def _world() -> World:
    from reconciler.cli.emulated import data_path, world_of

    environment = _environment()
    if not data_path(Path.cwd(), environment).exists():
        of = "this folder" if environment is None else f"the environment {environment}"
        raise UsageProblem(f"{of} has no embedded platforms yet; they begin with: reconciler plan --emulator")
    return world_of(Path.cwd(), environment)


def _environment() -> str | None:
    """Give the environment whose embedded platforms are meant; a folder without a project file has none."""
    from reconciler.cli.common import project_of
    from reconciler.manifests.discover import PROJECT_FILE

    context = click.get_current_context()
    if not Path(PROJECT_FILE).exists() and context.obj["environment"] is None:
        return None
    return project_of(context).environment


def _hands(platform: str, world: World) -> Any:
    from reconciler.emulator.seed import PLATFORMS as modules

    module = modules[platform]
    module.tick(world)
    return module


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageProblem(f"{text!r} is no FIELD=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _read(name: str) -> Any:
    """Read a YAML (or JSON) file of starting data or faults."""
    import yaml

    try:
        return yaml.load(Path(name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise ReconcilerError(f"{name} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ReconcilerError(f"{name} is not YAML: {error}") from None
