"""The command as processes of their own, at the laboratory's platforms."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from kinds import Case
from laboratory import ENVIRONMENT, Lab

COMMAND = (sys.executable, "-m", "reconciler")
UPDATES = {"linkedin": "POST", "x-ads": "PUT", "salesforce": "PATCH"}
EXPERIMENTS = {"linkedin": "adExperiments", "x-ads": "ab_tests", "salesforce": "abn-experiments"}
TABLES = {"linkedin": "experiments", "x-ads": "ab_tests", "salesforce": "experiments"}


@pytest.fixture(autouse=True)
def real_time(lab: Lab) -> Iterator[None]:
    """A process of its own has the real clock, so the platforms get it too."""
    world = lab.server.world
    frozen, world._real_now = world._real_now, lambda: datetime.now(UTC)
    yield
    world._real_now = frozen


def environment(lab: Lab, **more: str) -> dict[str, str]:
    """Give the variables of a process: what it needs and nothing of this one's terminal."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(lab.dir), **ENVIRONMENT, **more}


def start(lab: Lab, *words: str, folder: Path | None = None, **more: str) -> subprocess.Popen[str]:
    """Start a command in the project's folder, without a terminal."""
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder or lab.dir,
        env=environment(lab, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(lab: Lab, *words: str, folder: Path | None = None, **more: str) -> tuple[int, str, str]:
    """Run a command to its end; gives exit code, standard output and standard error."""
    process = start(lab, *words, folder=folder, **more)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for something to be so; fails when it does not come."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come"
        time.sleep(0.01)


def future(case: Case, number: int = 0) -> dict[str, Any]:
    """Give the spec of an experiment whose times are to come by the real clock."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)
    times = {
        "LinkedInExperiment": ("scheduledStartAt", "scheduledEndAt"),
        "XAdsABTest": ("start_time", "end_time"),
        "SalesforceExperiment": (),
    }[case.kind]
    moments = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (start, start + timedelta(days=28)))
    return {**case.fresh(number), **dict(zip(times, moments, strict=False))}


def alive(lab: Lab, case: Case) -> list[dict[str, Any]]:
    rows = lab.table(case.platform, TABLES[case.platform]).values()
    return [row for row in rows if not row.get("deleted")]


def slow(case: Case, method: str = "POST", *, delay: float = 1.5, **more: Any) -> dict[str, Any]:
    """Give a fault that makes the platform think before it answers a write."""
    match = {
        "platform": case.platform,
        "method": method,
        "path": EXPERIMENTS[case.platform],
        "query": "^(?!action=val)",
    }
    return {"match": match, "do": {"delay": delay}, **more}


def process_at(port: int) -> int | None:
    """Give the process among our descendants that holds a local port."""
    for child in psutil.Process().children(recursive=True):
        try:
            if any(one.laddr and one.laddr.port == port for one in child.net_connections("tcp")):
                return child.pid
        except psutil.Error:
            continue
    return None
