"""Runs a process to its end and tells what it took: wall time, processor time of it and its children, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Took:
    """What one process took, in seconds and bytes; `peak` is that of its largest process. `out` is what it printed."""

    wall: float
    cpu: float
    peak: int
    out: str


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Took:
    """Run a command to its end; raises RuntimeError, with what it said, when it fails."""
    said, used = folder / ".said", folder / ".used"
    spawn = [sys.executable, "-I", "-S", str(HERE / "spawn.py"), str(used)]
    with said.open("wb") as stream:
        subprocess.run(
            [*spawn, *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            check=True,
        )
    out, figures = said.read_text(errors="replace"), used.read_text().split()
    said.unlink()
    used.unlink()
    code, wall, cpu, peak = int(figures[0]), *map(float, figures[1:])
    if code:
        raise RuntimeError(f"{' '.join(command)} in {folder} gave {code}:\n{out[-2000:]}")
    return Took(wall, cpu, int(peak) * (1 if sys.platform == "darwin" else 1024), out)


class Server:
    """The stand-in for the platforms, a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str) -> dict[str, Any]:
        """Give what a path of the server's own answers."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:  # loopback, and an address of our own
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def serving(count: int, latency_ms: float = 0.0) -> Iterator[Server]:
    """Run the server for the length of the block."""
    command = [sys.executable, str(HERE / "server.py"), "--count", str(count), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait()


class Rows:
    """Figures by what was measured: every run of it, in turn."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, took: Took, **more: float) -> None:
        """Keep what one run took."""
        row = self.values.setdefault(name, {})
        for key, value in {"wall": took.wall, "cpu": took.cpu, "peak": took.peak, **more}.items():
            row.setdefault(key, []).append(value)


def middle(rows: Mapping[str, Mapping[str, Sequence[float]]], name: str, key: str = "wall") -> float | None:
    """Give the median of a figure; None when it was not measured."""
    values = rows.get(name, {}).get(key)
    return median(values) if values else None
