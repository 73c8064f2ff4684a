"""Start-up is a feature: a command loads what it needs and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLUSTER = {"dask", "distributed"}
HEAVY = {
    *CLUSTER,
    "httpx",
    "deepdiff",
    "jinja2",
    "starlette",
    "uvicorn",
    "rich",
    "oauthlib",
    "jwt",
    "cryptography",
    "stamina",
    "opentelemetry",
    "obstore",
    "cel_expr_python",
}
EXAMPLE = Path(__file__).parent.parent / "examples" / "growth-team"


def loaded(*arguments: str) -> set[str]:
    """Give the names of the top-level packages that a run of the command loads."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reconciler", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)
    assert len(names) > 50
    return {name.split(".")[0] for name in names} | {name for name in names if name.startswith("reconciler")}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)], ids=" ".join)
def test_help_loads_click_and_little_else(arguments: tuple[str, ...]) -> None:
    names = loaded(*arguments)
    assert "click" in names
    assert not names & {*HEAVY, "yaml", "pydantic", "asyncio"}
    assert not {name for name in names if name.startswith(("reconciler.platforms", "reconciler.workflow"))}


def test_validate_loads_no_network_and_no_display() -> None:
    names = loaded("-C", str(EXAMPLE), "validate")
    assert "pydantic" in names  # and yaml only for a file that is neither kept nor written one entry a line
    assert not names & {*HEAVY, "asyncio", "multiprocessing"}
    others = ("emulator", "policy", "workflow", "planning", "apply", "plan.", "state.file_store")
    assert not {name for name in names if name.startswith(tuple(f"reconciler.{other}" for other in others))}


def test_a_plan_without_a_cluster_loads_no_dask(tmp_path: Path) -> None:
    assert loaded("init", str(tmp_path / "project"))
    names = loaded("-C", str(tmp_path / "project"), "plan", "--emulator")
    assert "httpx" in names
    assert not names & CLUSTER and "reconciler.cluster" not in names
    assert not {name for name in names if name.startswith(("reconciler.policy", "cel_expr"))}


def test_a_plan_loads_neither_what_repeats_calls_nor_what_locks(tmp_path: Path) -> None:
    """Most runs meet no failure and take no lock."""
    shutil.copytree(EXAMPLE, tmp_path / "project")
    names = loaded("-C", str(tmp_path / "project"), "plan", "--emulator")
    assert "httpx" in names
    assert not names & {"stamina", "tenacity", "filelock", "pyrate_limiter", "deepdiff", "jinja2"}
