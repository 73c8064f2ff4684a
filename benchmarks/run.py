"""
Measures the tool against its floors and a peer, and writes docs/performance.md.

    make bench COUNTS="100 1000 10000" RUNS=5

Every figure is of a whole process. What is compared is measured in turn within one run, so that a slow moment of the
machine meets all of it; the medians count. Results are kept in benchmarks/results/, one file for each number of
experiments, and the page is made from all of them.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peer
from generate import ENVIRONMENT, write_project
from measure import HERE, Rows, Server, run, serving

RESULTS = HERE / "results"
PYTHON = sys.executable
LATENCY_MS = 100.0
CHANGES = 1_000
AT_ONCE = """
import os
children = [os.fork() or sum(range(12_000_000)) and os._exit(0) for _ in range(2)]
for child in children:
    os.waitpid(child, 0)
"""
"""Two processes that only compute: processor time beside wall time tells how many processors were free."""


class Bench:
    """One project of `count` experiments, its server, and the figures so far."""

    def __init__(self, count: int, server: Server, folder: Path) -> None:
        self.count = count
        self.server = server
        self.folder = folder
        self.project = folder / "project"
        self.log = folder / "log.json"
        self.rows = Rows()
        self.counted: dict[str, Any] = {}
        write_project(self.project, count, server.url)

    def tool(self, name: str, *words: str, cold: bool) -> None:
        """Run the tool; `cold` without anything kept from earlier runs."""
        cache = self.folder / "cache"
        if cold:
            shutil.rmtree(cache, ignore_errors=True)
        environment = {**ENVIRONMENT, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(HERE.parent), "NO_COLOR": "1"}
        self.server.ask("/_reset")
        took = run([PYTHON, "-m", "reconciler", *words], self.project, environment)
        stats = self.server.ask("/_stats?log=1")
        log = stats.pop("log")
        self.rows.add(name, took, **stats)
        if log:
            self.log.write_text(json.dumps(log))
            self.counted[name] = counted(log)

    def floor(self, name: str, what: str) -> None:
        """Run a floor; what it says of its parts is kept beside the whole."""
        place = self.log if what == "wire" else self.project
        command = [PYTHON, str(HERE / "floors.py"), what, str(place), "--server", self.server.url]
        took = run([*command, "--log", str(self.log)], self.folder, {})
        said = json.loads(took.out.splitlines()[-1])
        inner = sum(part["seconds"] for part in said.values())
        slowest = max(said.get("wire", {}).get("platforms", {"": 0.0}).values())
        self.rows.add(name, took, inner=inner, slowest=slowest)


def counted(log: Sequence[Sequence[str]]) -> dict[str, int]:
    """Give how many requests went to each platform, and how many of them change something."""
    found: dict[str, int] = {"all": len(log), "writes": 0}
    for method, target, _ in log:
        name = target.split("/")[1]
        found[name] = found.get(name, 0) + 1
        asks = method == "GET" or "action=validateExperimentSetup" in target or target.endswith("/oauth2/token")
        found["writes"] += not asks
    return found


def unchanged(bench: Bench, runs: int, with_peer: bool) -> None:
    """Measure a project that nobody has changed: floors, validate, plan, and the peer."""
    if runs > 1:  # the first run of all finds the disk's and the interpreter's caches empty
        bench.tool("plan cold", "plan", cold=True)
        bench.rows.values.clear()
    peer_command = peer.write_peer(bench.folder, bench.count) if with_peer and peer.installed() else None
    for _ in range(runs):
        bench.rows.add("interpreter", run([PYTHON, "-c", "pass"], bench.folder, {}))
        bench.rows.add("imports", run([PYTHON, "-c", "import yaml, argparse"], bench.folder, {}))
        bench.tool("help", "--help", cold=False)
        bench.floor("parse floor", "parse")
        bench.tool("validate cold", "validate", cold=True)
        bench.tool("validate warm", "validate", cold=False)
        bench.tool("plan cold", "plan", cold=True)
        bench.tool("plan warm", "plan", cold=False)
        bench.floor("plan floor", "plan")
        bench.rows.add("at once", run([PYTHON, "-I", "-S", "-c", AT_ONCE], bench.folder, {}))
        if peer_command:
            bench.rows.add("octodns", run(peer_command, bench.folder, {}))


def changed(bench: Bench, runs: int) -> None:
    """Measure an apply that changes every experiment, and a bare client that sends the same requests."""
    for index in range(runs):
        for path in bench.project.glob("experiments/**/*.yaml"):
            lines = path.read_text().splitlines(keepends=True)
            new = [
                f"  description: Variant of run {index}.\n" if line.startswith("  description:") else line
                for line in lines
            ]
            path.write_text("".join(new))
        bench.tool("apply", "apply", "--auto-approve", cold=False)
        bench.floor("apply floor", "wire")


def measured(count: int, runs: int, folder: Path) -> dict[str, Any]:
    """Give everything measured on projects of one size."""
    say(f"{count:,} experiments: unchanged")
    with serving(count) as server:
        bench = Bench(count, server, folder / "unchanged")
        unchanged(bench, runs, with_peer=count <= 10_000)
        found = {"rows": bench.rows.values, "counted": bench.counted}
    if count in (CHANGES, 10_000):
        few = max(2, runs // 2)
        say(f"{count:,} experiments: every answer {LATENCY_MS:.0f} ms late")
        with serving(count, LATENCY_MS) as server:
            late = Bench(count, server, folder / "late")
            late.tool("late plan", "plan", cold=True)
            late.rows.values.clear()
            for _ in range(few):
                late.tool("late plan", "plan", cold=True)
                late.floor("late floor", "wire")
        found["rows"] |= late.rows.values
    if count == CHANGES:
        say(f"{count:,} experiments: all of them changed")
        with serving(count) as server:
            busy = Bench(count, server, folder / "changed")
            changed(busy, max(3, runs // 2))
        found["rows"] |= busy.rows.values
        found["counted"] |= busy.counted
    return found


def machine() -> dict[str, Any]:
    """Give what the figures depend on."""
    return {
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
    }


def say(sentence: str) -> None:
    """Tell whoever waits what is under way."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {sentence}\n")


def main() -> None:
    """Measure as the command line says, keep the results, and write the page."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    options.add_argument("counts", type=int, nargs="*", metavar="COUNT")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--page", type=Path, default=HERE.parent / "docs" / "performance.md")
    given = options.parse_args()
    # As pip leaves a package behind: where PYTHONDONTWRITEBYTECODE is set, each run would compile the tool anew.
    compileall.compile_dir(str(HERE.parent / "reconciler"), quiet=1)
    for count in given.counts:
        before = machine()
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found = measured(count, given.runs, Path(folder))
        made = {"count": count, "runs": given.runs, "made": f"{datetime.now(UTC):%Y-%m-%d}", "machine": before, **found}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{count}.json").write_text(json.dumps(made, indent=1) + "\n")
    from page import write_page

    write_page(given.page, [json.loads(path.read_text()) for path in RESULTS.glob("*.json")])


if __name__ == "__main__":
    main()
