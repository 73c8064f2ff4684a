"""Makes all schemas and writes them, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from reconciler.platforms.session import Platform
from reconciler.schema.draft7 import Schema

_NAMES = {
    "LinkedInExperiment": "linkedin-experiment",
    "XAdsABTest": "xads-ab-test",
    "SalesforceExperiment": "salesforce-experiment",
}


def schemas(platforms: Sequence[Platform] | None = None) -> dict[str, Schema]:
    """Give every schema by the name of its file; of all platforms there are, unless told otherwise."""
    from reconciler.schema.manifests import kind_schema, manifest_schema
    from reconciler.schema.plan import plan_schema
    from reconciler.schema.project import project_schema

    if platforms is None:
        from reconciler.platforms.registry import PLATFORMS

        platforms = PLATFORMS
    kinds = [kind for platform in platforms for kind in platform.kinds]
    return {
        **{f"{_name(kind.name)}.json": kind_schema(_name(kind.name), kind) for kind in kinds},
        "manifest.json": manifest_schema("manifest", kinds),
        "project.json": project_schema("project", platforms),
        "plan.json": plan_schema("plan"),
    }


def text_of(schema: Schema) -> str:
    """Give a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(out_dir: Path) -> tuple[Path, ...]:
    """Write every schema into a folder, which is made if need be; gives the files written. May raise OSError."""
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = out_dir / name
        path.write_text(text_of(schema), encoding="utf-8")
        written.append(path)
    return tuple(written)


def file_name(kind: str) -> str:
    """Give the name of the file of a kind's schema."""
    return f"{_name(kind)}.json"


def _name(kind: str) -> str:
    return _NAMES.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
