"""What the commands share about policies: read only where a project has some, so that the others pay nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import InvalidInput, UsageProblem

if TYPE_CHECKING:
    from reconciler.model.change import Plan
    from reconciler.policy.judge import Judge
    from reconciler.policy.read import Policies
    from reconciler.project import Project
    from reconciler.state.store import State
    from reconciler.validate.validated import Validated
    from reconciler.workflow import ProjectKinds, Surroundings


def with_policies(project: Project, found: Validated) -> Validated:
    """Give the manifests with what policies and statistics say of them; wrong policies are errors among the others."""
    from reconciler.validate.check import in_order

    if not project.policies and not _has_hypothesis(found):
        return found
    from reconciler.policy.judge import Judge
    from reconciler.policy.read import Policies, read_policies

    policies, wrong = read_policies(project) if project.policies else (Policies(), ())
    judge = Judge(_kinds(project), policies, environment=project.environment or "")
    return replace(found, diagnostics=in_order(found.diagnostics, wrong, judge.of_manifests(found.desired)))


def checked_policies(project: Project) -> Policies:
    """Give the policies of a project; raises InvalidInput with everything that is wrong with them."""
    from reconciler.policy.read import Policies, read_policies

    policies, wrong = read_policies(project) if project.policies else (Policies(), ())
    if wrong:
        raise InvalidInput(wrong)
    return policies


def reviewer(
    project: Project, found: Validated, overrides: Sequence[str] = (), parts: Sequence[Plan] = ()
) -> Judge | None:
    """
    Give who reviews the plans of a project, None where there is nothing to review by.

    `overrides` are those of the command line; what `parts`, the plans of shards, show as overridden by a flag stays so.
    Raises as `checked_policies` does, and UsageProblem for an override that is none.
    """
    if not project.policies:
        if overrides:
            raise UsageProblem(f"--override-policy: {project.file} has no policies")
        if not _has_hypothesis(found):
            return None
    from reconciler.policy.judge import Judge
    from reconciler.policy.override import overridden, read_flags

    policies = checked_policies(project)
    flags = read_flags(overrides, policies)
    known = {str(key) for key in found.desired}
    _check_keys({str(key) for key, _ in flags}, known)
    shown = {found: aside for part in parts for found, aside in overridden(part, policies, "flag").items()}
    return Judge(_kinds(project), policies, {**shown, **flags}, project.environment or "")


def review_saved(around: Surroundings, saved: Plan, state: State) -> Plan:
    """Give a saved plan as the policies leave it today: where they have changed, or speak of the time."""
    from reconciler.cli.common import manifests_of
    from reconciler.policy.judge import Judge
    from reconciler.policy.rejudge import rejudged

    project = around.project
    policies = checked_policies(project)
    if saved.policies_digest != policies.digest:
        around.warn("the policies are not those that the plan was made with: its changes are judged by today's")
    elif not any(policy.timely for policy in policies.items):
        return saved
    judge = Judge(_kinds(project), policies, environment=project.environment or "")
    found = manifests_of(project)
    return rejudged(judge, saved, found.desired, state.experiments, around.now())


def _check_keys(asked: set[str], known: set[str]) -> None:
    from reconciler.known import unknown_key

    for key in sorted(asked - known):
        raise unknown_key(key, known)


def _kinds(project: Project) -> ProjectKinds:
    from reconciler.platforms.registry import KINDS
    from reconciler.workflow import ProjectKinds

    return ProjectKinds(
        {kind.name: kind for kind in KINDS},
        {name: connection.api_version for name, connection in project.connections.items()},
    )


def _has_hypothesis(found: Validated) -> bool:
    return any(item.hypothesis is not None for item in found.desired.values())
