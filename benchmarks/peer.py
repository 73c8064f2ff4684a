"""octoDNS as a peer: as many records as there are experiments, planned from one folder of YAML to another."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ZONE = "example.com."


def installed() -> bool:
    """Tell whether it can be run; the extra `bench` brings it."""
    return importlib.util.find_spec("octodns") is not None


def write_peer(folder: Path, count: int) -> list[str]:
    """Write both sides of a zone of `count` records that are alike, and give the command that plans it."""
    for side in ("wanted", "live"):
        place = folder / side / f"{ZONE}yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        rows = (
            f"test-{number:06d}:\n  octodns:\n    healthcheck:\n      host: h{number % 97}.example.com\n"
            f"      path: /landing/{number % 31}\n  ttl: {300 + number % 9}\n  type: A\n"
            f"  values:\n  - 10.{number % 200}.{number // 200 % 250}.1\n  - 10.{number % 200}.{number // 200 % 250}.2\n"
            for number in range(count)
        )
        place.write_text("---\n" + "".join(rows))
    (folder / "octodns.yaml").write_text(
        "manager:\n  max_workers: 2\nproviders:\n"
        + "".join(
            f"  {side}:\n    class: octodns.provider.yaml.YamlProvider\n    directory: ./{side}\n    default_ttl: 300\n"
            for side in ("wanted", "live")
        )
        + f"zones:\n  {ZONE}:\n    sources: [wanted]\n    targets: [live]\n"
    )
    return [sys.executable, "-m", "octodns.cmds.sync", "--config-file", "octodns.yaml", "--quiet"]
