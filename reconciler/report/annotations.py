"""What `validate`, `plan` and `drift` found, as marks on the lines of manifests: the loudest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.annotation import Annotation, Level
from reconciler.model.change import Action, Change, Plan, Severity
from reconciler.model.diagnostic import Diagnostic, Location, PathTuple
from reconciler.model.diagnostic import Severity as Weight
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftReport
from reconciler.report.clean import clean, short

_LOUDNESS = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTICE: 2}


def validate_annotations(diagnostics: Sequence[Diagnostic]) -> tuple[Annotation, ...]:
    """Give one mark for each diagnostic; its title is the rule."""
    return _sorted(
        Annotation(
            Level.ERROR if item.severity is Weight.ERROR else Level.WARNING,
            item.location,
            f"{item.rule or 'reconciler'}{f': {item.path}' if item.path else ''}",
            "\n".join(line for line in (item.message, item.hint, item.source) if line),
        )
        for item in diagnostics
    )


def plan_annotations(plan: Plan, desired: Mapping[Key, Desired]) -> tuple[Annotation, ...]:
    """Give a mark for what blocks, ends, spoils or is warned of; a plan of harmless changes has none."""
    every = [Annotation(Level.ERROR, None, "the plan is incomplete", problem) for problem in plan.problems]
    for change in plan.changes:
        every += _of_change(change, desired.get(change.key))
    for warning in plan.warnings:
        wanted = next((item for key, item in desired.items() if str(key) == warning.key), None)
        title = f"warning: {warning.key}" if warning.key else "warning"
        every.append(Annotation(Level.WARNING, _place(wanted), title, warning.message))
    return _sorted(every)


def drift_annotations(report: DriftReport, desired: Mapping[Key, Desired]) -> tuple[Annotation, ...]:
    """Give a mark for each field that moved outside of this tool, at the manifest's line of it."""
    every = [Annotation(Level.ERROR, None, "the report is incomplete", problem) for problem in report.problems]
    for item in report.drift:
        every += _of_drift(item, desired.get(item.key))
    return _sorted(every)


def steps(path: str) -> PathTuple:
    """Give the steps of a dotted path: `cells[0].name` is `("cells", 0, "name")`."""
    found: list[str | int] = []
    for piece in path.replace("[", ".[").split("."):
        found.append(int(piece[1:-1]) if piece.startswith("[") and piece[1:-1].isdigit() else piece)
    return tuple(found)


def _of_change(change: Change, wanted: Desired | None) -> Iterator[Annotation]:
    place = _place(wanted)
    if change.action is Action.BLOCKED:
        refused = next((item.path for item in change.fields if not item.allowed), "")
        reasons = "\n".join(change.reasons) or "it is blocked"
        yield Annotation(Level.ERROR, _place(wanted, refused), f"blocked: {change.key}", reasons)
    elif change.destroys or any(item.severity is Severity.DESTRUCTIVE for item in change.fields):
        ending = next((item.path for item in change.fields if item.severity is Severity.DESTRUCTIVE), "")
        words = f"{change.key} ends, which cannot be undone"
        yield Annotation(
            Level.WARNING, _place(wanted, ending), f"ends: {change.key}", "\n".join((words, *change.reasons))
        )
    elif spoilt := [item.path for item in change.fields if item.severity is Severity.INVALIDATES]:
        words = f"changing {', '.join(spoilt)} spoils the comparison of a running experiment"
        yield Annotation(Level.WARNING, _place(wanted, spoilt[0]), f"results: {change.key}", words)
    for warning in change.warnings:
        yield Annotation(Level.WARNING, place, f"warning: {change.key}", warning)


def _of_drift(item: Drift, wanted: Desired | None) -> Iterator[Annotation]:
    title = f"drift: {item.key}"
    if not item.fields:
        gone = f"{item.remote_id} is gone from {item.platform}; plan would create it anew"
        yield Annotation(Level.ERROR, _place(wanted), title, gone)
    for field in item.fields:
        message = f"{field.path} was applied as {short(field.applied)} and is {short(field.live)}"
        yield Annotation(Level.WARNING, _place(wanted, field.path), title, message)


def _place(wanted: Desired | None, path: str = "") -> Location | None:
    """Give the place of a field in its manifest, else that of the manifest; None without a manifest."""
    if wanted is None or not wanted.location.file:
        return None
    at = wanted.locate(steps(path)) if path else wanted.location
    return at if at.line else wanted.location


def _sorted(every: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """Give the marks made clean, the loudest first: CI shows only the first few of a step."""
    cleaned = (
        Annotation(
            item.level,
            item.location,
            clean(item.title),
            "\n".join(clean(line) for line in item.message.split("\n")),
        )
        for item in every
    )
    return tuple(sorted(cleaned, key=lambda item: _LOUDNESS[item.level]))
