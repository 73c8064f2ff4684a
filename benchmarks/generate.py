"""Writes a project of N experiments that all run already: manifests, project file and state."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from experiments import LINKEDIN, SALESFORCE, X_ADS, Experiment, account_of, manifest, spec

PER_FOLDER = 1_000


def project_text(server: str) -> str:
    """Give the project file, its connections at a server on loopback."""
    return f"""version: 1
manifests: ["experiments/**/*.yaml"]
connections:
  linkedin:
    platform: {LINKEDIN}
    base_url: {server}/linkedin
    auth: {{access_token: "${{BENCH_LINKEDIN_TOKEN}}"}}
  x:
    platform: {X_ADS}
    base_url: {server}/x-ads
    auth:
      consumer_key: "${{BENCH_X_KEY}}"
      consumer_secret: "${{BENCH_X_SECRET}}"
      access_token: "${{BENCH_X_TOKEN}}"
      access_token_secret: "${{BENCH_X_TOKEN_SECRET}}"
  crm:
    platform: {SALESFORCE}
    base_url: {server}/salesforce
    auth: {{client_id: "${{BENCH_SF_ID}}", client_secret: "${{BENCH_SF_SECRET}}"}}
guards: {{maxChangePercent: 100}}
"""


ENVIRONMENT = {
    name: f"benchmark-{name.lower()}"
    for name in (
        "BENCH_LINKEDIN_TOKEN",
        "BENCH_X_KEY",
        "BENCH_X_SECRET",
        "BENCH_X_TOKEN",
        "BENCH_X_TOKEN_SECRET",
        "BENCH_SF_ID",
        "BENCH_SF_SECRET",
    )
}
"""What the project's connections read; no secrets."""


def write_project(folder: Path, count: int, server: str) -> None:
    """Write a project of `count` experiments, one manifest a file, into an empty folder."""
    from reconciler.model.resource import Key, Record
    from reconciler.platforms.registry import kind_by_name
    from reconciler.state.store import State
    from reconciler.state.text import state_text

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reconciler.yaml").write_text(project_text(server))
    records: dict[Key, Record] = {}
    connections = {LINKEDIN: "linkedin", X_ADS: "x", SALESFORCE: "crm"}
    for number in range(count):
        one = Experiment(number)
        place = folder / "experiments" / f"{number // PER_FOLDER:03d}" / f"test-{number:06d}.yaml"
        if not number % PER_FOLDER:
            place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(manifest(one))
        key = Key.parse(one.key)
        kind = kind_by_name(key.kind)
        model = kind.spec_model.model_validate(spec(one))
        records[key] = Record(
            key=key,
            platform=one.platform,
            connection=connections[one.platform],
            remote_id=one.remote_id,
            applied=kind.canonical(model.model_dump(exclude_unset=True, by_alias=True)),
            children=one.children,
            status=one.status,
        )
    state = folder / ".reconciler" / "state.json"
    state.parent.mkdir(exist_ok=True)
    state.write_bytes(state_text(State("4a3d6f1e-0000-4000-8000-000000000001", 1, records)))
    (folder / "benchmark.json").write_text(json.dumps({"count": count, "account": account_of(X_ADS, 0)}))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--count", type=int, default=1_000)
    options.add_argument("--server", default="http://127.0.0.1:8900")
    given = options.parse_args()
    write_project(given.folder, given.count, given.server)
