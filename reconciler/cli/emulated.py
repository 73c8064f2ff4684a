"""The embedded platforms of `--emulator`: a server for the length of one command, its data kept in the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.common import emulated_folder
from reconciler.emulator.provision import LinkedInNeed, XAdsNeed, provision
from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World, open_world
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.model.resource import Desired
    from reconciler.project import Project
    from reconciler.validate.validated import Validated

CREDENTIALS = {
    "linkedin": {"access_token": "emulator-linkedin-token"},
    "x-ads": {
        "consumer_key": "emulator-ck",
        "consumer_secret": "emulator-cs",
        "access_token": "emulator-tk",
        "access_token_secret": "emulator-ts",
    },
    "salesforce": {"client_id": "emulator-client", "client_secret": "emulator-secret"},
}
"""What the emulated platforms accept; no secrets: they open nothing but a server on loopback."""


def data_path(folder: Path, environment: str | None = None) -> Path:
    """Give the file that keeps a project's embedded platforms."""
    return emulated_folder(folder, environment) / "world.json"


def world_of(folder: Path, environment: str | None = None) -> World:
    """Open a project's embedded platforms, or start them afresh; raises ReconcilerError when the file is broken."""
    try:
        return open_world(data_path(folder, environment), default_seed())
    except (OSError, ValueError) as error:
        raise ReconcilerError(str(error)) from None


def embedded(project: Project, found: Validated | None) -> EmulatorServer:
    """Give a server of the project's embedded platforms, not yet started, in which what manifests speak of exists."""
    world = world_of(project.dir, project.environment)
    if found is not None:
        provision(world, _needs(found.desired.values()))
    return EmulatorServer(world)


def _needs(desired: Iterable[Desired]) -> Iterator[LinkedInNeed | XAdsNeed]:
    for item in desired:
        spec = item.spec
        if item.platform == "linkedin":
            campaigns = tuple(_number(cell["reference"]["campaign"]) for cell in spec["cells"])
            yield LinkedInNeed(_number(spec["account"]), campaigns)
        elif item.platform == "x-ads":
            entities = tuple(entity for group in spec["user_groups"] for entity in group["entity_ids"])
            yield XAdsNeed(spec["account_id"], spec["entity_type"], entities)


def _number(urn: str) -> int:
    return int(urn.rsplit(":", 1)[1])
