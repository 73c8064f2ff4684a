"""
What a plan is made of: actions, field changes, calls, changes, the plan. Data only, so that the same list is printed,
saved as JSON, read back, and executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.budget import Budget, Quota
from reconciler.model.resource import DEFAULT_LIFECYCLE, Key, Lifecycle, Spec
from reconciler.model.shard import Shard


class Action(StrEnum):
    """What becomes of one experiment."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"
    NO_OP = "no-op"
    BLOCKED = "blocked"


class Severity(StrEnum):
    """What a field's change does to the experiment."""

    HARMLESS = "harmless"
    INVALIDATES = "invalidates-results"
    DESTRUCTIVE = "destructive"


class Purpose(StrEnum):
    """What one call is for; the executor uses it to tell whether the call has already had its effect."""

    CREATE = "create"
    UPDATE = "update"
    START = "start"
    STOP = "stop"
    ARCHIVE = "archive"
    CANCEL = "cancel"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """
    One field's change. `before` is live, `after` is wanted (None: cleared, or the item is removed).

    `drifted` says that live is not what was last applied. `allowed` says that the platform lets it change now;
    otherwise `reason` is the sentence why not.
    """

    path: str
    before: Any
    after: Any
    drifted: bool = False
    allowed: bool = True
    reason: str | None = None
    severity: Severity = Severity.HARMLESS


@dataclass(frozen=True, slots=True)
class Call:
    """
    One HTTP request that changes something, as it will be sent.

    `path` leaves out the base URL's own prefix and holds no secret; `headers` are those that matter to the call (not
    the ones every call carries, such as authorization and version).
    """

    method: str
    path: str
    purpose: Purpose
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def line(self) -> str:
        """Give the call in short: method, path and query."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}{f'?{query}' if query else ''}"


@dataclass(frozen=True, slots=True)
class PolicyNote:
    """
    A policy of the project that a change does not satisfy.

    `blocks` says that it made the change blocked; otherwise it is a warning. `overridden_by` is `label` or `flag`
    where a person has set it aside, for `reason`.
    """

    name: str
    message: str
    blocks: bool = False
    overridden_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """
    What one experiment needs.

    `intent` is the action that a blocked change would have been. `expected` is what was live when the plan was made,
    for the managed fields; `status` the live status then. `target` is the managed spec as it shall be recorded when the
    calls are done. `old_calls` is how many of the calls end the old experiment of a replace. `after` are the keys of
    changes that have to succeed first. `valid_until` is the moment from which the change stops being legal or means
    something else. `reasons` say why (and why blocked), `warnings` what to think about. `destroys` says that it ends
    an experiment that has a life. `moved_from` is the key under which it is recorded until this change is applied.
    `policies` are the policies of the project that it does not satisfy.
    """

    key: Key
    platform: str
    connection: str
    action: Action
    remote_id: str | None = None
    status: str | None = None
    fields: tuple[FieldChange, ...] = ()
    calls: tuple[Call, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    intent: Action | None = None
    expected: Spec = field(default_factory=dict)
    target: Spec | None = None
    lifecycle: Lifecycle = DEFAULT_LIFECYCLE
    old_calls: int = 0
    predecessors: tuple[str, ...] = ()
    after: tuple[Key, ...] = ()
    valid_until: datetime | None = None
    destroys: bool = False
    moved_from: str = ""
    policies: tuple[PolicyNote, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """A warning of an experiment that needs no change, or of the project as a whole (`key` empty)."""

    key: str
    message: str


@dataclass(frozen=True)
class Plan:
    """
    Every managed experiment that is not a no-op, in the order of execution.

    `bookkeeping` are no-ops whose record has to follow the manifest: what was edited is live already, and `apply`
    records it without a call. `complete` is False when something could not be read; `problems` say what. `as_of` is
    the moment at which legality was judged. `state_serial` and `state_lineage` name the state it was made from.
    `budget` is what an apply needs by connection, `quotas` those that may not be enough for it. `shard` is set for the
    plan of a part of the project. `policies_digest` names the policies that it was judged by, empty without any.
    """

    created_at: datetime
    as_of: datetime
    changes: tuple[Change, ...]
    bookkeeping: tuple[Change, ...] = ()
    no_ops: int = 0
    environment: str | None = None
    warnings: tuple[PlanWarning, ...] = ()
    problems: tuple[str, ...] = ()
    complete: bool = True
    state_serial: int = 0
    state_lineage: str = ""
    budget: tuple[Budget, ...] = ()
    quotas: tuple[Quota, ...] = ()
    shard: Shard | None = None
    policies_digest: str = ""

    @property
    def valid_until(self) -> datetime | None:
        """The earliest moment at which one of the changes stops being legal or means something else."""
        return min(
            (c.valid_until for c in self.changes if c.valid_until and c.action is not Action.BLOCKED), default=None
        )

    @property
    def summary(self) -> dict[str, int]:
        """How many experiments fall under each action."""
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            counts[change.action.value] += 1
        counts[Action.NO_OP.value] = self.no_ops
        return counts


def block(change: Change, *reasons: str) -> Change:
    """Give a change as blocked for these reasons: it keeps what it would have been, and loses its calls."""
    return replace(
        change,
        action=Action.BLOCKED,
        intent=change.intent or change.action,
        calls=(),
        old_calls=0,
        valid_until=None,
        reasons=change.reasons + tuple(reason for reason in reasons if reason not in change.reasons),
    )
