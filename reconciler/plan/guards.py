"""The fuses of a plan: how much may be ended or changed at once before somebody has to say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.errors import PlanProblem
from reconciler.model.change import Action, Change, Plan, block
from reconciler.model.resource import Desired, Key, Record
from reconciler.plan.inputs import Guards, Inputs
from reconciler.plan.order import propagated

CHANGING = frozenset({Action.UPDATE, Action.REPLACE, Action.DELETE})


def refuse_empty(desired: Mapping[Key, Desired], records: Mapping[Key, Record], *, allow_empty: bool) -> None:
    """
    Refuse a project that yields no manifest at all while experiments are managed.

    Raises PlanProblem: an empty folder is far more often a mistake than a wish to end everything.
    """
    if desired or not records or allow_empty:
        return
    raise PlanProblem(
        f"no manifest was found, but {len(records)} experiment(s) are managed: planning would end all of them; "
        "check the manifests globs in reconciler.yaml, or pass --allow-empty if that is what you want"
    )


def guarded(changes: Mapping[Key, Change], inputs: Inputs) -> dict[Key, Change]:
    """Give the changes with those blocked that go beyond the project's guards."""
    guards, allowed = inputs.options.guards, inputs.options.allow_destroy or 0
    destructive = [key for key, change in changes.items() if change.destroys and _would_end(change, inputs)]
    changing = [key for key, change in changes.items() if change.action in CHANGING or key in destructive]
    managed = max(len(inputs.records), inputs.managed)
    result = dict(changes)
    if destructive:
        beyond = _beyond_destroy(len(destructive), managed, guards)
        if beyond and allowed < len(destructive):
            for key in destructive:
                result[key] = block(result[key], f"{beyond}; --allow-destroy={len(destructive)} would allow it")
        elif inputs.options.allow_destroy and allowed < len(destructive):
            reason = (
                f"{len(destructive)} experiments would be ended, and --allow-destroy={allowed} names fewer; "
                f"--allow-destroy={len(destructive)} would allow it"
            )
            for key in destructive:
                result[key] = block(result[key], reason)
    share = _share(len(changing), managed, guards)
    limit = guards.max_change_percent
    if limit is not None and share is not None and share > limit and allowed < len(changing):
        reason = (
            f"{len(changing)} of {managed} managed experiments would change ({share:.0f} %), and "
            f"guards.maxChangePercent is {limit:g}; --allow-destroy={len(changing)} would allow it"
        )
        for key in changing:
            result[key] = block(result[key], reason)
    return result


def held_for_the_whole(made: Plan, any_change: bool) -> Plan:
    """
    Give the plan of a part with what the guards speak of held back: they are judged over the whole project.

    With `any_change` the project limits how much may change at all (guards.maxChangePercent).
    """
    held = {
        change.key: block(change, WHOLE) if change.destroys or (any_change and change.action in CHANGING) else change
        for change in made.changes
        if change.action is not Action.BLOCKED
    }
    changes = {change.key: held.get(change.key, change) for change in made.changes}
    return replace(made, changes=tuple(propagated(changes).values()))


WHOLE = (
    "this is the plan of a part of the project, and its guards count over the whole: put the plans of all shards "
    "together with reconciler merge-plans, and apply what it gives"
)


def _would_end(change: Change, inputs: Inputs) -> bool:
    """Tell whether a destructive change would be sent, or waits for nothing but the flag."""
    if change.lifecycle.prevent_destroy:
        return False
    return change.action is not Action.BLOCKED or inputs.options.allow_destroy is None


def _beyond_destroy(count: int, managed: int, guards: Guards) -> str:
    """Give the sentence on the guard that a number of endings goes beyond; empty when it is within all."""
    if guards.max_destroy is not None and count > guards.max_destroy:
        return f"{count} experiments would be ended, and guards.maxDestroy is {guards.max_destroy}"
    share = _share(count, managed, guards)
    if guards.max_destroy_percent is not None and share is not None and share > guards.max_destroy_percent:
        return (
            f"{count} of {managed} managed experiments would be ended ({share:.0f} %), and "
            f"guards.maxDestroyPercent is {guards.max_destroy_percent:g}"
        )
    return ""


def _share(count: int, managed: int, guards: Guards) -> float | None:
    """Give the percentage, or None below the number of experiments from which percentages count."""
    return 100 * count / managed if managed >= guards.percent_floor else None
