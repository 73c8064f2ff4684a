"""A team for each test: platforms, a bare repository, the stand-in forge, and machines that run CI for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from ci_runner import ROOT, Runner
from ci_team import SECRETS, Team
from stand_in import StandIn

from reconciler.emulator.provision import LinkedInNeed, XAdsNeed, provision
from reconciler.emulator.seed import default_seed
from reconciler.emulator.serve import EmulatorServer
from reconciler.emulator.world import World

INSTALLERS = {
    # What installs packages is not run: it says what it was asked for, and hands on the command of this checkout.
    "pip": 'echo "pip $*"\n',
    "python": 'mkdir -p "$3/bin"\nln -sf "$(command -v reconciler)" "$(command -v pip)" "$3/bin/"\n',
}


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for PATH with the command of this checkout, whatever is installed."""
    folder = tmp_path_factory.mktemp("tools")
    command = folder / "reconciler"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m reconciler "$@"\n')
    command.chmod(0o755)
    for name, text in INSTALLERS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def team(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Give a team whose starter project is on main; nothing is applied yet."""
    server = EmulatorServer(World(default_seed(), real_now=lambda: datetime.now(UTC)))
    forge = StandIn()
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    variables = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    (tmp_path / "gitconfig").write_text(
        "[user]\nname = Anna\nemail = anna@example.org\n[init]\ndefaultBranch = main\n[advice]\ndetachedHead = false\n"
    )
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, variables[name])
    runner = Runner(remote, tmp_path, variables, dict(SECRETS), api=forge.url)
    team = Team(remote, clone, forge, server, runner)
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    with server:
        team.git("clone", "-q", str(remote), str(clone), folder=tmp_path)
        assert team.command("init").returncode == 0
        project = yaml.safe_load((clone / "reconciler.yaml").read_text())
        project["state"] = {"backend": "git"}
        for connection in project["connections"].values():
            connection["base_url"] = server.base_url(connection["platform"])
        (clone / "reconciler.yaml").write_text(yaml.safe_dump(project))
        _provide(server.world)
        team.commit("main", "start")
        yield team
    forge.close()
    assert forge.wrong == []


def _provide(world: World) -> None:
    """Have on the platforms what the manifests of the starter speak of."""
    provision(
        world, [LinkedInNeed(123, (1001, 1002)), XAdsNeed("18ce54d4x5t", "CAMPAIGN", ("c1001", "c1002", "c1003"))]
    )
