"""
Holds manifests and plans against the policies, and gives the statistics' advice.

In a plan policies come after everything that the plan itself decides and before the platforms' own checks: what a
policy blocks is not asked about, and what waits for it is blocked too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.manifests.words import plain
from reconciler.model.change import Action, Change, Plan, PolicyNote, block
from reconciler.model.diagnostic import Diagnostic, Severity, dotted
from reconciler.model.resource import Desired, Found, Key, Live
from reconciler.plan.inputs import Inputs, Kinds
from reconciler.plan.order import propagated
from reconciler.policy.data import (
    Around,
    account_key,
    account_of,
    around_plan,
    of_change,
    of_live,
    of_manifest,
    of_project,
)
from reconciler.policy.override import Override, how_to_lift, label_problems, of_label
from reconciler.policy.policy import Policy
from reconciler.policy.read import Policies
from reconciler.policy.variables import Phase
from reconciler.sanity.rules import findings, overlaps

_NOTHING = Policies()
_LONGEST = 700


@dataclass(frozen=True)
class Judge:
    """The policies of a project, the kinds of its experiments, and what the command line sets aside."""

    kinds: Kinds
    policies: Policies = _NOTHING
    flags: Mapping[tuple[Key, str], Override] = field(default_factory=dict)
    environment: str = ""

    # --- validate --------------------------------------------------------------------------------------------

    def of_manifests(self, desired: Mapping[Key, Desired]) -> list[Diagnostic]:
        """Give what policies that need no live data, and statistics, say of manifests; in no order."""
        told = list(self._advice(desired))
        early = [policy for policy in self.policies.items if policy.phase is Phase.MANIFEST]
        told += label_problems(desired.values(), self.policies) if self.policies.items else ()
        if not early:
            return told
        around = Around(self.environment, len(desired), self._overlaps(desired))
        for item in desired.values():
            data = of_manifest(item, self._kind(item), around)
            for policy, note in self._notes(early, item.key, item.labels, data):
                told.append(_diagnostic(item, policy, note))
        return told

    def _advice(self, desired: Mapping[Key, Desired]) -> Iterator[Diagnostic]:
        for key, finding in findings(desired, self._kind):
            yield Diagnostic(
                Severity.WARNING,
                desired[key].location,
                plain(finding.message, _LONGEST),
                rule=finding.rule.id,
                path=dotted(finding.path),
                hint=finding.rule.fix,
                source=finding.rule.source,
            )

    # --- plan ------------------------------------------------------------------------------------------------

    def of_plan(self, plan: Plan, inputs: Inputs) -> Plan:
        """Give a plan with the statistics' advice as warnings, and with what policies forbid blocked."""
        plan = self._advised(plan, inputs.desired)
        if not self.policies.items:
            return plan
        around = around_plan(plan, inputs, self._overlaps(inputs.desired))
        judged = {}
        for change in plan.changes:
            kind = inputs.kinds(change.key.kind, change.connection)
            reading = inputs.readings.get(change.key)
            live = inputs.seen(kind, reading.live) if isinstance(reading, Found) else None
            judged[change.key] = self._judged(change, inputs.desired.get(change.key), live, around, inputs.as_of)
        return replace(plan, changes=tuple(propagated(judged).values()), policies_digest=self.policies.digest)

    def _advised(self, plan: Plan, desired: Mapping[Key, Desired]) -> Plan:
        said: dict[Key, list[str]] = {}
        for key, finding in findings(desired, self._kind):
            said.setdefault(key, []).append(f"{finding.rule.id} {plain(finding.message, _LONGEST)}")
        if not said:
            return plan
        ends = (Action.DELETE, Action.FORGET)
        return replace(
            plan,
            changes=tuple(
                _warned(change, said[change.key])
                if change.key in said and (change.intent or change.action) not in ends
                else change
                for change in plan.changes
            ),
        )

    def _judged(
        self, change: Change, wanted: Desired | None, live: Live | None, around: Around, now: datetime
    ) -> Change:
        """Give one change as its policies leave it; of a manifest that is gone only those that speak of more."""
        kind = self.kinds(change.key.kind, change.connection)
        policies = self.policies.items
        item = wanted
        if item is None:
            policies = tuple(policy for policy in policies if policy.phase is not Phase.MANIFEST)
            spec = change.expected or change.target or {}
            item = Desired(change.key, change.platform, change.connection, spec)
        data = of_manifest(item, kind, around) | of_live(live, kind) | of_change(change)
        if wanted is None:
            data["experiment.ending"] = True
        account = account_key(account_of(kind, item.spec) or (live.account if live else ""), change.connection)
        data |= of_project(around, account, now)
        for policy, note in self._notes(policies, change.key, item.labels, data):
            change = _with(change, policy, note)
        return change

    # --- both ------------------------------------------------------------------------------------------------

    def _notes(
        self, policies: Iterable[Policy], key: Key, labels: Mapping[str, str], data: Mapping[str, Any]
    ) -> Iterator[tuple[Policy, PolicyNote]]:
        """Give the policies that are not satisfied, each with what it says and who set it aside."""
        for policy in policies:
            verdict = policy.judge(data)
            if verdict.word != "fail":
                continue
            aside = self.flags.get((key, policy.name)) or of_label(policy, labels)
            message = plain(" ".join(verdict.message.split()), _LONGEST)
            if aside is None:
                yield policy, PolicyNote(policy.name, message, policy.blocks)
            else:
                yield policy, PolicyNote(policy.name, message, False, aside.by, aside.reason)

    def _kind(self, item: Desired) -> Any:
        return self.kinds(item.key.kind, item.connection)

    def _overlaps(self, desired: Mapping[Key, Desired]) -> Mapping[Key, tuple[Key, ...]]:
        stated: Sequence[Desired] = [item for item in desired.values() if item.hypothesis is not None]
        return overlaps(stated, self._kind) if stated else {}


def _with(change: Change, policy: Policy, note: PolicyNote) -> Change:
    change = replace(change, policies=(*change.policies, note))
    if note.blocks:
        return block(change, f"policy {note.name}: {note.message}; {how_to_lift(policy, change.key)}")
    return _warned(change, [_warning(note)])


def _warned(change: Change, sentences: Iterable[str]) -> Change:
    """Give a change with more warnings; what it says already (a saved one, judged again) is not said twice."""
    more = tuple(sentence for sentence in sentences if sentence not in change.warnings)
    return replace(change, warnings=(*change.warnings, *more))


def _warning(note: PolicyNote) -> str:
    if not note.overridden_by:
        return f"policy {note.name}: {note.message}"
    by = "a label of the manifest" if note.overridden_by == "label" else "--override-policy"
    return f"policy {note.name} is overridden by {by} ({note.reason}): {note.message}"


def _diagnostic(item: Desired, policy: Policy, note: PolicyNote) -> Diagnostic:
    severity = Severity.ERROR if note.blocks else Severity.WARNING
    message = f"{item.key}: {note.message}"
    if note.overridden_by:
        message = f"{item.key}: overridden by a label of the manifest ({note.reason}): {note.message}"
    return Diagnostic(
        severity,
        item.location,
        message,
        rule=f"policy/{note.name}",
        hint=how_to_lift(policy, item.key) if note.blocks else "",
        source=f"{policy.where}",
    )
