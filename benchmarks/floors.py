"""
The floors, each a process of its own: what no tool that does this work can be faster than by much.

`parse FOLDER` loads every manifest with PyYAML's C loader. `wire LOG` sends the requests of a log (as the server keeps
it) again with a bare httpx client: as many at once as the tool may have in flight, a client for each platform, all of
them abreast, every answer decoded. `plan FOLDER --log LOG` does one after the other, which is what a plan cannot do
without. Each prints one JSON object: wall time in seconds without the start of the interpreter, and what was done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

AT_ONCE = {"linkedin": 5, "x-ads": 5, "salesforce": 4}


def parse(folder: Path) -> dict[str, Any]:
    """Load every manifest below a folder, one after the other, keeping nothing."""
    import yaml

    began = time.perf_counter()
    count = size = 0
    for path in sorted(folder.glob("experiments/**/*.yaml")):
        data = path.read_bytes()
        yaml.load(data, Loader=yaml.CSafeLoader)
        count, size = count + 1, size + len(data)
    return {"seconds": time.perf_counter() - began, "files": count, "bytes": size}


def wire(server: str, log: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Send every request of a log again."""
    import httpx

    took: dict[str, float] = {}

    async def platform(name: str, requests: list[tuple[str, str, str]]) -> int:
        waiting = iter(requests)
        size = 0
        limits = httpx.Limits(max_connections=AT_ONCE[name], max_keepalive_connections=AT_ONCE[name])
        async with httpx.AsyncClient(limits=limits, timeout=60, verify=False) as client:

            async def work() -> None:
                nonlocal size
                for method, target, body in waiting:
                    how = {"content": body.encode(), "headers": {"content-type": "application/json"}} if body else {}
                    answer = await client.request(method, server + target, **how)  # type: ignore[arg-type]
                    content = answer.content
                    size += len(content)
                    if content:
                        json.loads(content)

            await asyncio.gather(*(work() for _ in range(AT_ONCE[name])))
        took[name] = time.perf_counter() - began
        return size

    async def all_of_them() -> int:
        by_platform: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for method, target, body in log:
            by_platform[target.split("/")[1]].append((method, target, body))
        return sum(await asyncio.gather(*(platform(name, requests) for name, requests in by_platform.items())))

    began = time.perf_counter()
    size = asyncio.run(all_of_them())
    return {"seconds": time.perf_counter() - began, "requests": len(log), "bytes": size, "platforms": took}


def main() -> None:
    """Measure one floor, as the command line says, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", choices=("parse", "wire", "plan"))
    options.add_argument("place", type=Path)
    options.add_argument("--log", type=Path)
    options.add_argument("--server", default="")
    given = options.parse_args()
    done: dict[str, Any] = {}
    if given.what in ("parse", "plan"):
        done["parse"] = parse(given.place)
    if given.what in ("wire", "plan"):
        done["wire"] = wire(given.server, json.loads((given.log or given.place).read_text()))
    sys.stdout.write(json.dumps(done) + "\n")


if __name__ == "__main__":
    main()
