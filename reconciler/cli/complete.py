"""
What the shell completes: keys of experiments, and topics of `explain`.

Nothing here prints or raises: at a prompt, no suggestion is better than an error. Manifests are read as YAML only, not
checked; the project file is read as a whole only where names have to be computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

    from reconciler.manifests.document import Document


def complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Give the keys of manifests and of what is managed that begin with the word."""
    try:
        folder, environment = _folder(ctx), _environment(ctx)
        keys = {*_manifest_keys(folder, environment), *_managed_keys(folder, environment)}
    except Exception:
        return []
    return sorted(key for key in keys if key.startswith(incomplete))


def complete_managed_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Give the keys of what is managed that begin with the word."""
    try:
        return sorted(key for key in set(_managed_keys(_folder(ctx), _environment(ctx))) if key.startswith(incomplete))
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
            from reconciler.sanity.rules import RULES

            names += [rule.id for kind in KINDS for rule in kind.rules] + [rule.id for rule in RULES]
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


def _environment(ctx: click.Context) -> str | None:
    """Give what `--env` says so far."""
    return ctx.find_root().params.get("environment")


def _manifest_keys(folder: Path, environment: str | None) -> Iterator[str]:
    from reconciler.manifests.discover import discover
    from reconciler.manifests.load import load

    patterns = _project_values(folder).get("manifests") or ["experiments/**/*.yaml"]
    documents = load(discover(folder.absolute(), patterns).files).documents
    for value in (document.value for document in _expanded(folder, environment, documents)):
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if isinstance(metadata, dict) and isinstance(value.get("kind"), str) and isinstance(metadata.get("name"), str):
            yield f"{value['kind']}/{metadata['name']}"


def _expanded(folder: Path, environment: str | None, documents: Sequence[Document]) -> Sequence[Document]:
    """Give documents with the names that `forEach` and expressions make; those that cannot be made are left out."""
    if not any(_is_computed(document.value) for document in documents):
        return documents
    from reconciler.manifests.expand import expand
    from reconciler.project import load_project

    try:
        made = expand(documents, load_project(folder, environment).scope).documents
    except Exception:
        made = tuple(documents)
    return [document for document in made if not _is_computed(document.value)]


def _is_computed(value: Any) -> bool:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    return isinstance(value, dict) and (
        "forEach" in value or (isinstance(metadata, dict) and "{{" in str(metadata.get("name")))
    )


def _managed_keys(folder: Path, environment: str | None) -> Iterator[str]:
    from reconciler.project.environments import chosen, state_path_of

    values = _project_values(folder)
    environments = values.get("environments")
    environments = environments if isinstance(environments, dict) else {}
    name = chosen(environments, environment)
    state = values.get("state") if name is None else (environments[name] or {}).get("state")
    stated = state.get("path") if isinstance(state, dict) else None
    usual = ".reconciler/state.json" if name is None else state_path_of(name)
    emulated = "/".join((".reconciler/emulator", *((name,) if name else ()), "state.json"))
    for path in (stated or usual, emulated):
        try:
            experiments = json.loads((folder / path).read_text("utf-8")).get("experiments", {})
        except (OSError, ValueError):
            continue
        yield from experiments
