"""The kind LinkedInExperiment: LinkedIn's `adExperiments` as the planner meets it. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.model.change import Call, Change, FieldChange, Purpose
from reconciler.model.diagnostic import Finding
from reconciler.model.kind import Cell, Verdict
from reconciler.model.resource import Desired, Key, Live, Spec
from reconciler.model.time import iso
from reconciler.platforms.base import ALWAYS, FOREVER, NOTHING, Claims, Judgement, Kind, Pairing, Situation
from reconciler.platforms.linkedin import facts, overlaps, rules, wire
from reconciler.platforms.linkedin.clock import deadline, judge
from reconciler.platforms.linkedin.fields import FIELDS
from reconciler.platforms.linkedin.limits import ALLOWANCES
from reconciler.platforms.linkedin.transitions import transition
from reconciler.platforms.linkedin.values import account_urn, campaign_urn, canonical_text, canonical_time, moment

if TYPE_CHECKING:
    from pydantic import BaseModel

_READ = {
    "account": account_urn,
    "name": canonical_text,
    "scheduledStartAt": canonical_time,
    "scheduledEndAt": canonical_time,
}


class LinkedInExperiment(Kind):
    """An A/B test of two campaigns of one ad account."""

    name = "LinkedInExperiment"
    platform = "linkedin"
    summary = "An A/B test on LinkedIn: two campaigns of one campaign group, compared by one key metric."
    fields = FIELDS
    rules = rules.RULES
    statuses = facts.EXECUTION_STATES
    status_field = "executionState"
    clock = ("PENDING", "RUNNING", "ENDED")
    window_fields = ("scheduledStartAt", "scheduledEndAt")
    ending_states = frozenset({"CANCELED"})
    lifecycle_field = "userIntendedState"
    account_field = "account"
    running_statuses = facts.STARTED
    split_fields = ("cells", "trafficWeight", "")
    confidence_field = "confidence"
    default_api_version = "202609"
    allowances = ALLOWANCES

    @property
    def spec_model(self) -> type[BaseModel]:
        """The pydantic model of `spec`."""
        from reconciler.platforms.linkedin.schema import LinkedInSpec

        return LinkedInSpec

    # --- the manifest's side -----------------------------------------------------------------------------------

    def canonical(self, stated: Mapping[str, Any]) -> Spec:
        """
        Give the canonical form: times in UTC, full URNs, text in NFC, an empty description as null.

        A state that is not stated is ACTIVE, so that a test paused or cancelled by hand shows as drift.
        """
        spec = {key: self._canonical_value(key, value) for key, value in stated.items()}
        spec.setdefault("userIntendedState", facts.DEFAULT_INTENDED_STATE)
        return spec

    @staticmethod
    def _canonical_value(key: str, value: Any) -> Any:
        if value is None:
            return None
        if key == "cells":
            return [_canonical_cell(cell) for cell in value]
        if key == "description":
            return canonical_text(value) or None
        return _READ[key](value) if key in _READ else value

    def check(self, desired: Desired) -> Iterable[Finding]:
        """Give the findings of the rules between the values of one manifest."""
        return rules.check(desired)

    def check_together(self, desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
        """Give a finding for each campaign that two manifests claim at the same time."""
        return overlaps.check_together(desireds)

    # --- the platform's side -----------------------------------------------------------------------------------

    def from_wire(self, body: Mapping[str, Any], *, account: str = "") -> Live:
        """Read one experiment from LinkedIn's JSON; raises BadAnswer when it is not of the documented shape."""
        return wire.from_wire(body, account)

    # --- planning ----------------------------------------------------------------------------------------------

    def pair(
        self,
        list_path: str,
        desired: Sequence[Any],
        live: Sequence[Any],
        *,
        applied: Sequence[Any] = (),
        applied_ids: Sequence[str] = (),
        live_ids: Sequence[str] = (),
    ) -> Pairing:
        """Tie cells by campaign; those left over by position (a campaign exchanged in one cell)."""
        if list_path != "cells":
            raise NotImplementedError(list_path)
        by_campaign: dict[Any, list[int]] = {}
        for index, cell in enumerate(live):
            by_campaign.setdefault(_campaign(cell), []).append(index)
        partner: dict[int, int] = {}
        for index, cell in enumerate(desired):
            if found := by_campaign.get(_campaign(cell)):
                partner[index] = found.pop(0)
        rest = sorted(set(range(len(live))) - set(partner.values()))
        for index in range(len(desired)):
            if index not in partner and rest:
                partner[index] = rest.pop(0)
        return (*((index, partner.get(index)) for index in range(len(desired))), *((None, index) for index in rest))

    def verdict(self, change: FieldChange, live: Live, target: Spec) -> Cell:
        """Give the table's cell; for `userIntendedState` that of the table of transitions."""
        if change.path != "userIntendedState":
            return super().verdict(change, live, target)
        before, after = moment(live.spec.get("scheduledEndAt")), moment(target.get("scheduledEndAt"))
        extended = before is not None and after is not None and after > before
        cell = transition(live.spec.get("userIntendedState"), live.status, change.after, end_extended=extended)
        if cell.verdict is Verdict.NEVER and live.status == "PENDING" and change.after == "PAUSED" and live.start:
            return replace(cell, note=f"{cell.note} (its start is {iso(live.start)})")
        return cell

    def judge(self, situation: Situation) -> Iterable[Judgement]:
        """Give blocks and warnings from the rules that need the clock or live values."""
        return judge(situation)

    def deadline(self, situation: Situation) -> datetime | None:
        """Give the moment from which the change stops being legal or means something else."""
        return deadline(situation)

    def create_calls(self, spec: Spec) -> tuple[Call, ...]:
        """Give the one POST that creates an experiment; a state not stated is sent as ACTIVE."""
        return wire.create_calls(spec)

    def update_calls(self, live: Live, target: Spec, changes: Sequence[FieldChange]) -> tuple[Call, ...]:
        """Give the one partial update with just the changed top-level fields."""
        return wire.update_calls(live, target, changes)

    def end_calls(self, live: Live) -> tuple[Call, ...]:
        """Give DELETE while PENDING, a patch to CANCELED once started, nothing when ended."""
        return wire.end_calls(live)

    def owns(self, call: Call, change: Change) -> bool:
        """Tell whether a call of a saved plan is a patch, a cancel or a delete of the experiment it is for."""
        return wire.owns(call, change)

    def done(self, call: Call, live: Live) -> bool:
        """Tell whether a cancel has had its effect: ENDED, or CANCELED and about to end."""
        return call.purpose is Purpose.CANCEL and (live.over or live.spec.get("userIntendedState") == "CANCELED")

    def seen_at(self, live: Live, moment: datetime) -> Live:
        """
        Give a live experiment as the clock alone will have made it: started at its start, ended at its end.

        A draft does not start by itself (assumed). What is on hold or stopped ends 90 days after its start (seed).
        """
        if live.spec.get("userIntendedState") == "DRAFT" or live.over:
            return live
        if live.status in facts.STARTED and live.start is not None and moment >= live.start + facts.RUN_MAX:
            return replace(live, status="ENDED", over=True)
        return super().seen_at(live, moment)

    def moved_by_platform(self, live: Live) -> bool:
        """Tell whether LinkedIn says that it ended the experiment itself (`terminationReason`, seed)."""
        return live.over and bool(live.extra.get("terminationReason"))

    def create_is_guarded(self, spec: Spec) -> bool:
        """A second create is refused with CAMPAIGN_ALREADY_SCHEDULED (seed); that is not known to hold for a DRAFT."""
        return spec.get("userIntendedState") != "DRAFT"

    def claims(self, spec: Spec, live: Live | None = None) -> Claims:
        """Give the campaigns for the scheduled window; nothing for a draft, a cancelled or an ended experiment."""
        if (live is not None and live.over) or spec.get("userIntendedState") in ("DRAFT", "CANCELED"):
            return NOTHING
        campaigns = frozenset(f"campaign {_campaign(cell)}" for cell in spec.get("cells", ()))
        start, end = moment(spec.get("scheduledStartAt")), moment(spec.get("scheduledEndAt"))
        return Claims(campaigns, start or ALWAYS, end or FOREVER)

    def could_be(self, spec: Spec, live: Live) -> bool:
        """A test of the same campaigns at another time is another one; a draft has no time yet."""
        if "DRAFT" in (spec.get("userIntendedState"), live.spec.get("userIntendedState")):
            return True
        return bool(self.claims(spec).shared(self.claims(live.spec, live)))

    def identity(self, spec: Spec, live: Live | None = None) -> Hashable:
        """
        Give account and campaigns, by which LinkedIn itself tells experiments apart.

        An ended or cancelled live experiment is nobody's: a later test of the same campaigns is another one.
        """
        if live is not None and (live.over or live.spec.get("userIntendedState") == "CANCELED"):
            return ("over", live.remote_id)
        return (spec.get("account"), frozenset(_campaign(cell) for cell in spec.get("cells", ())))


def _campaign(cell: Mapping[str, Any]) -> Any:
    return (cell.get("reference") or {}).get("campaign")


def _canonical_cell(cell: Mapping[str, Any]) -> Spec:
    canonical = dict(cell)
    if "name" in cell:
        canonical["name"] = canonical_text(cell["name"])
    if "description" in cell:
        canonical["description"] = canonical_text(cell["description"] or "") or None
    if "reference" in cell:
        canonical["reference"] = {**cell["reference"], "campaign": campaign_urn(cell["reference"]["campaign"])}
    return canonical


LINKEDIN_EXPERIMENT = LinkedInExperiment()
