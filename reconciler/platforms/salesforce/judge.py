"""Blocks and warnings about one change that need to know what is live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.model.change import Action
from reconciler.model.diagnostic import Severity
from reconciler.model.resource import Live, Spec
from reconciler.platforms.base import Judgement, Situation
from reconciler.platforms.salesforce import lifecycle
from reconciler.platforms.salesforce.checks import check_judged
from reconciler.platforms.salesforce.facts import CREATE_ERROR, STATES, bare

_NO_EFFECT_IN_MANUAL = ("minimumRequiredParticipants", "minimumDurationInMinutes", "maximumDurationInMinutes")


def judgements(situation: Situation) -> Iterator[Judgement]:
    """Give every block and warning about a create, update, replace or delete."""
    if situation.live is not None:
        yield from _of_live(situation.action, situation.live)
    if situation.action in (Action.CREATE, Action.REPLACE):
        yield from _of_new(situation.desired)
    if situation.action is Action.REPLACE and situation.live is not None:
        yield from _of_name(situation.live, situation.desired)
    if situation.action is Action.UPDATE:
        yield from _of_target(situation)


def _of_live(action: Action, live: Live) -> Iterator[Judgement]:
    resting = action is Action.NO_OP
    if live.owned_elsewhere and not resting:
        yield Judgement("isRemote: the experiment is owned by another org and can be changed only there", blocks=True)
    if live.status not in STATES:
        message = f"state: {live.status!r} is not known, so nothing is sent; known are {', '.join(STATES)}"
        yield Judgement(message, blocks=not resting, path="state")
    if live.failure.startswith(CREATE_ERROR) and action is not Action.DELETE:
        message = (
            f"status: Salesforce could not create it ({live.failure}); it is not created again while this record "
            "is there: remove the record in Salesforce, or remove the manifest to delete it"
        )
        yield Judgement(message, blocks=True)
    elif live.failure:
        yield Judgement(f"status: the last operation on Salesforce failed ({live.failure})")
    if live.busy and not resting:
        yield Judgement(f"status: Salesforce is still at work on it ({live.busy}); apply waits until that is over")


def _of_new(spec: Spec) -> Iterator[Judgement]:
    wanted: Any = spec.get("state")
    if wanted in lifecycle.ENDING_STATES:
        message = (
            f"state: a new experiment begins as Created and becomes {wanted} only after it has been Started, which "
            "would expose visitors; ask for Created or Started, or remove the manifest"
        )
        yield Judgement(message, blocks=True, path="state")


def _of_name(live: Live, spec: Spec) -> Iterator[Judgement]:
    name = bare(str(spec.get("name", "")), spec.get("dataSpaceName"))
    if name == live.name:
        message = f"name: the old experiment keeps the API name {name!r}; give the new one another name"
        yield Judgement(message, blocks=True, path="name")


def _of_target(situation: Situation) -> Iterator[Judgement]:
    """Judge what the manifest leaves to the platform together with what it states."""
    touched = (*_NO_EFFECT_IN_MANUAL, "winnerSelectionMode")
    if not situation.changes(*touched):
        return
    for finding in check_judged(situation.target):
        manual = finding.level is Severity.WARNING
        message = f"{finding.path[0]}: {finding.message} (rule {finding.rule.id}, with the values that are live)"
        yield Judgement(message, blocks=not manual, path=str(finding.path[0]))
    if situation.target.get("winnerSelectionMode") == "Manual":
        for key in _NO_EFFECT_IN_MANUAL:
            if situation.changes(key):
                yield Judgement(f"{key}: has no effect while winnerSelectionMode is Manual", path=key)
