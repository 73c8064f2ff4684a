"""What a project and its state know: kinds, connections, specs and keys; and the errors for what they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.errors import PlanProblem, UsageProblem
from reconciler.manifests.words import nearest
from reconciler.model.resource import Desired, Key, Record
from reconciler.project import Project

_NOTHING: Mapping[Key, Desired] = {}


def check_known(project: Project, records: Mapping[Key, Record], desired: Mapping[Key, Desired] = _NOTHING) -> None:
    """
    Raise PlanProblem when the state speaks of a kind or a connection that is not there, or a spec that is none.

    What is recorded just as its manifest in `desired` states it is a spec, as that one is.
    """
    kinds = {kind.name: kind for platform in project.platforms.values() for kind in platform.kinds}
    for key, record in records.items():
        if key.kind not in kinds:
            raise PlanProblem(
                f"{key} is recorded in the state, and there is no kind {key.kind!r} in this version; use the version "
                f"that recorded it, or take the record out with: reconciler state rm {key}"
            )
        if record.connection not in project.connections:
            raise PlanProblem(
                f"{key} was applied through connection {record.connection!r}, which {project.file} does not have; "
                f"put the connection back, or take the record out with: reconciler state rm {key}"
            )
        wanted = desired.get(key)
        if wanted is not None and (wanted.spec is record.applied or wanted.spec == record.applied):
            continue
        try:
            kinds[key.kind].claims(record.applied)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise PlanProblem(
                f"what the state says was applied for {key} is no spec of {key.kind}: the state was changed by hand or "
                f"damaged; restore it, or take the record out with: reconciler state rm {key}"
            ) from None


def known_targets(
    targets: Sequence[Key], desired: Mapping[Key, Desired], records: Mapping[Key, Record]
) -> frozenset[Key]:
    """Give the keys that a plan is limited to; raises UsageProblem for one that nobody knows, naming near ones."""
    known = {str(key) for key in (*desired, *records)}
    for target in targets:
        if str(target) not in known:
            raise unknown_key(str(target), known)
    return frozenset(targets)


def unknown_key(text: str, known: Iterable[str]) -> UsageProblem:
    """Give the error for a key that is neither in a manifest nor in the state, naming near ones."""
    names = sorted(known)
    meant = nearest(text, names)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    hint = f"did you mean {meant}?" if meant else f"there are: {listed}" if names else "nothing is managed yet"
    return UsageProblem(f"there is no experiment {text}; {hint}")
