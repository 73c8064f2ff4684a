"""
Setting a policy aside, for one experiment and with a reason: by a label of its manifest, or by a flag of one run.

The label `policy-override/NAME` carries the reason as its value and stays in the file, where a review sees it; the flag
`--override-policy KEY=NAME:REASON` holds for one plan, which shows and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.errors import UsageProblem
from reconciler.manifests.words import plain
from reconciler.model.change import Plan
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.resource import Desired, Key
from reconciler.policy.policy import Policy
from reconciler.policy.read import Policies, unknown_policy

LABEL = "policy-override/"
_LONGEST = 300
_UNSTATED = "no reason given"


@dataclass(frozen=True, slots=True)
class Override:
    """Who set a policy aside (`label` or `flag`), and why."""

    by: str
    reason: str


def read_flags(texts: Iterable[str], policies: Policies) -> dict[tuple[Key, str], Override]:
    """
    Give the overrides of the command line by key and policy.

    Raises UsageProblem for one that is not KEY=NAME[:REASON], and for a policy that is not there or allows none.
    """
    found = {}
    for text in texts:
        key_text, equals, rest = text.partition("=")
        name, _, reason = rest.partition(":")
        try:
            key = Key.parse(key_text)
        except ValueError as error:
            raise UsageProblem(f"--override-policy {plain(text, 100)}: {error}") from None
        if not equals or not name:
            raise UsageProblem(f"--override-policy {plain(text, 100)}: write KEY=POLICY or KEY=POLICY:REASON")
        if name not in policies.by_name:
            raise UsageProblem(f"--override-policy {plain(text, 100)}: {unknown_policy(name, policies)}")
        if not policies.by_name[name].overridable:
            raise UsageProblem(f"the policy {name} cannot be overridden: it says overridable: false")
        found[key, name] = Override("flag", plain(reason.strip() or _UNSTATED, _LONGEST))
    return found


def overridden(plan: Plan, policies: Policies, *by: str) -> dict[tuple[Key, str], Override]:
    """Give what a saved plan shows as set aside, by label or flag, as far as the policies still allow it."""
    return {
        (change.key, note.name): Override(note.overridden_by, note.reason)
        for change in plan.changes
        for note in change.policies
        if note.overridden_by in by and (known := policies.by_name.get(note.name)) and known.overridable
    }


def of_label(policy: Policy, labels: Mapping[str, str]) -> Override | None:
    """Give the override that a manifest's labels state with a reason, None where the policy allows none."""
    reason = labels.get(f"{LABEL}{policy.name}", "").strip()
    return Override("label", plain(reason, _LONGEST)) if reason and policy.overridable else None


def label_problems(desired: Iterable[Desired], policies: Policies) -> Iterator[Diagnostic]:
    """Give a warning for each override label that does nothing: no such policy, no reason, or not allowed."""
    for item in desired:
        for label, reason in item.labels.items():
            if not label.startswith(LABEL):
                continue
            name = label.removeprefix(LABEL)
            if name not in policies.by_name:
                said = unknown_policy(name, policies)
            elif not policies.by_name[name].overridable:
                said = f"the policy {name} cannot be overridden"
            elif not reason.strip():
                said = "it gives no reason, so it overrides nothing"
            else:
                continue
            yield Diagnostic(
                Severity.WARNING, item.location, f"the label {plain(label, 100)}: {said}", path="metadata.labels"
            )


def how_to_lift(policy: Policy, key: Key) -> str:
    """Give the words on how a policy may be set aside for an experiment."""
    if not policy.overridable:
        return "this policy cannot be overridden"
    return (
        f"to override it, give the manifest the label {LABEL}{policy.name}: REASON, or plan with "
        f"--override-policy {key}={policy.name}:REASON"
    )
