"""
The floors, each a process of its own: what no tool that does this work can be faster than by much.

`parse FOLDER` loads every manifest with PyYAML's C loader. `wire LOG` sends the requests of a log (as the server keeps
it) again with a bare httpx client: as many at once as the tool may have in flight, a client for each platform, all of
them abreast, every answer decoded. Each prints one JSON object: wall time in seconds and what was done.
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
        return size

    async def all_of_them() -> int:
        by_platform: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for method, target, body in log:
            by_platform[target.split("/")[1]].append((method, target, body))
        return sum(await asyncio.gather(*(platform(name, requests) for name, requests in by_platform.items())))

    began = time.perf_counter()
    size = asyncio.run(all_of_them())
    return {"seconds": time.perf_counter() - began, "requests": len(log), "bytes": size}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", choices=("parse", "wire"))
    options.add_argument("place", type=Path)
    options.add_argument("--server", default="")
    given = options.parse_args()
    if given.what == "parse":
        done = parse(given.place)
    else:
        done = wire(given.server, json.loads(given.place.read_text()))
    sys.stdout.write(json.dumps(done) + "\n")
