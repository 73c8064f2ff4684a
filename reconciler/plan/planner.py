"""
The plan of a project: one draft per experiment, then what ties them together (guards, order, conflicts).

The order of the passes matters. Drafts know only their own experiment. Guards may block a draft, so they come before
order: what waits for a blocked change is blocked too.
"""

from __future__ import annotations

from reconciler.model.change import Action, Change, Plan, PlanWarning
from reconciler.model.resource import Key
from reconciler.plan.draft import Draft, draft_removed, draft_wanted
from reconciler.plan.guards import guarded
from reconciler.plan.inputs import Inputs
from reconciler.plan.order import ordered
from reconciler.plan.renames import with_moves, with_rename_hints


def make_plan(inputs: Inputs) -> Plan:
    """
    Give the plan: every managed experiment that is not a no-op, in the order of execution.

    A pure function: equal inputs give equal plans. An experiment that could not be read has no change, and the plan
    says that it is incomplete.
    """
    keys = sorted({*inputs.desired, *inputs.records})
    if inputs.options.targets:
        keys = [key for key in keys if key in inputs.options.targets]
    drafts: dict[Key, Draft] = {}
    for key in keys:
        wanted = inputs.desired.get(key)
        drafts[key] = draft_wanted(wanted, inputs) if wanted else draft_removed(inputs.records[key], inputs)

    changes = {key: draft.change for key, draft in drafts.items() if draft.change is not None}
    changes = with_rename_hints(with_moves(changes, inputs), inputs)
    changes = guarded(changes, inputs)
    changes = ordered(changes, inputs)

    listed = tuple(change for change in changes.values() if change.action is not Action.NO_OP)
    bookkeeping = tuple(change for change in changes.values() if change.action is Action.NO_OP)
    problems = (*inputs.problems, *(draft.problem for draft in drafts.values() if draft.problem))
    quiet = [
        PlanWarning(str(key), message)
        for key, draft in drafts.items()
        if key not in changes or changes[key].action is Action.NO_OP
        for message in draft.warnings
    ]
    return Plan(
        created_at=inputs.now,
        as_of=inputs.as_of,
        changes=listed,
        bookkeeping=bookkeeping,
        no_ops=sum(1 for key, draft in drafts.items() if not draft.problem and _is_quiet(changes.get(key))),
        environment=inputs.environment,
        warnings=tuple(quiet),
        problems=problems,
        complete=not problems,
        state_serial=inputs.state_serial,
        state_lineage=inputs.state_lineage,
    )


def _is_quiet(change: Change | None) -> bool:
    return change is None or change.action is Action.NO_OP
