"""
What the shell completes: keys of experiments, and topics of `explain`.

Nothing here prints or raises: at a prompt, no suggestion is better than an error. Manifests are read as YAML only, not
checked; templates are not expanded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click


def complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Give the keys of manifests and of what is managed that begin with the word."""
    try:
        folder = _folder(ctx)
        keys = {*_manifest_keys(folder), *_managed_keys(folder)}
    except Exception:
        return []
    return sorted(key for key in keys if key.startswith(incomplete))


def complete_managed_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Give the keys of what is managed that begin with the word."""
    try:
        return sorted(key for key in set(_managed_keys(_folder(ctx))) if key.startswith(incomplete))
    except Exception:
        return []


def complete_topic(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Give kinds, then a kind's fields once its name stands there, rules, and the parts of a manifest."""
    try:
        from reconciler.platforms.registry import KINDS

        if "." in incomplete:
            fields = (f"{kind.name}.{row.path.replace('[]', '')}" for kind in KINDS for row in kind.fields)
            return [name for name in fields if name.startswith(incomplete)]
        names = [*(kind.name for kind in KINDS), "metadata", "lifecycle"]
        if incomplete:
            names += [rule.id for kind in KINDS for rule in kind.rules]
        found = [name for name in names if name.startswith(incomplete)]
        kind_alone = [kind for kind in KINDS if found == [kind.name]]
        if kind_alone:  # one step further, or the shell would close the word after the kind
            found += [f"{found[0]}.{row.path.replace('[]', '')}" for row in kind_alone[0].fields]
    except Exception:
        return []
    return found


def _folder(ctx: click.Context) -> Path:
    """Give the folder of the project: that of `-C`, which is not acted upon while completing."""
    root = ctx.find_root()
    return Path(str(root.params.get("directory") or "."))


def _project_values(folder: Path) -> dict[str, Any]:
    from reconciler.manifests.load import load_file

    documents = load_file(folder / "reconciler.yaml", "reconciler.yaml", quiet=True).documents
    value = documents[0].value if documents else None
    return value if isinstance(value, dict) else {}


def _manifest_keys(folder: Path) -> Iterator[str]:
    from reconciler.manifests.discover import discover
    from reconciler.manifests.load import load

    patterns = _project_values(folder).get("manifests") or ["experiments/**/*.yaml"]
    for document in load(discover(folder.absolute(), patterns).files).documents:
        value = document.value
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if isinstance(metadata, dict) and isinstance(value.get("kind"), str) and isinstance(metadata.get("name"), str):
            yield f"{value['kind']}/{metadata['name']}"


def _managed_keys(folder: Path) -> Iterator[str]:
    state = _project_values(folder).get("state")
    named = state.get("path") if isinstance(state, dict) else None
    for path in (named or ".reconciler/state.json", ".reconciler/emulator/state.json"):
        try:
            experiments = json.loads((folder / path).read_text("utf-8")).get("experiments", {})
        except (OSError, ValueError):
            continue
        yield from experiments
