"""
The three sides of an experiment: what the manifest wants (`Desired`), what the platform reports (`Live`), and what was
last applied (`Record`), which the state keeps.

A `Spec` is canonical: plain JSON values in which one meaning has one spelling (times are ISO 8601 in UTC with `Z`, X
sizes are text with two decimals, enums and ids are text). The platform packages make them; everything else compares
and prints them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from reconciler.model.diagnostic import Location, PathTuple
from reconciler.model.hypothesis import Hypothesis

Spec: TypeAlias = dict[str, Any]


class Key(NamedTuple):
    """
    Our name of an experiment, unique in a project: `Kind/name`.

    A tuple, since a plan looks up and sorts keys many times each: hashing and comparing are the interpreter's own.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read `Kind/name`; raises ValueError when there is no single slash between two words."""
        kind, slash, name = text.partition("/")
        if not (kind and slash and name) or "/" in name:
            raise ValueError(f"{text!r} is not a key; a key is Kind/name, such as LinkedInExperiment/headline-test")
        return cls(kind, name)


class OnImmutableChange(StrEnum):
    """What to do when a field changes that the platform does not let change."""

    BLOCK = "block"
    REPLACE = "replace"


class OnRemoval(StrEnum):
    """What to do when the manifest is gone: end the experiment, or leave it running and forget it."""

    END = "end"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The manifest's `lifecycle` block."""

    on_immutable_change: OnImmutableChange = OnImmutableChange.BLOCK
    on_removal: OnRemoval = OnRemoval.END
    prevent_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()


DEFAULT_LIFECYCLE = Lifecycle()
NOWHERE = Location("")
NOTHING: Final[dict[str, Any]] = {}
"""What is empty in most of a hundred thousand values, once for all of them; never written to."""


def _nothing() -> dict[str, Any]:
    return NOTHING


def _anywhere(path: PathTuple) -> Location:
    return NOWHERE


@dataclass(frozen=True, slots=True)
class Desired:
    """
    One manifest, validated and canonical.

    `spec` holds only stated keys; an explicit `null` is kept as None. `locate(path)` gives the place of a value of the
    spec in its file (of its nearest stated parent where the value itself is not stated). `import_id` is the remote id
    that the manifest asks to take over, `moved_from` the name that it had before. `hypothesis` is what it says of the
    effect it looks for.
    """

    key: Key
    platform: str
    connection: str
    spec: Spec
    lifecycle: Lifecycle = DEFAULT_LIFECYCLE
    labels: Mapping[str, str] = field(default_factory=_nothing)
    location: Location = NOWHERE
    locate: Callable[[PathTuple], Location] = field(default=_anywhere, compare=False, repr=False)
    import_id: str = ""
    moved_from: str = ""
    hypothesis: Hypothesis | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """
    What the platform reports of one experiment.

    `status` is LinkedIn's executionState, X's status, Salesforce's state. `spec` has every writable field that the
    platform shows, canonical, in the platform's list order. `children` are server-made ids of list items by list name
    (`{"user_groups": ("p1bcx", "p1bcy")}`), in the order of `spec`'s list. `over` says that it can never run again.
    `busy` is the platform's word for a job under way that has to settle first, `failure` its words for a failed one.
    `start` and `end` are the scheduled window where the platform has one. `extra` holds what the answer shows beyond
    all that and somebody asks for, under the platform's own keys; the answer itself is not kept.
    """

    remote_id: str
    status: str
    spec: Spec
    name: str = ""
    account: str = ""
    children: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    over: bool = False
    busy: str = ""
    failure: str = ""
    owned_elsewhere: bool = False
    start: datetime | None = None
    end: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=_nothing, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A resource was read."""

    live: Live


@dataclass(frozen=True, slots=True)
class Gone:
    """The platform has proved that a resource is not there any more; `proof` says how."""

    proof: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """
    A resource could not be read; this is never taken for gone.

    `unlisted` says that the platform answered and no list of its knows the id: shortly after a create, that is not
    visible yet.
    """

    reason: str
    unlisted: bool = False


Reading: TypeAlias = Found | Gone | Unknown


@dataclass(frozen=True, slots=True)
class Record:
    """
    What the state keeps of one managed experiment.

    `applied` is the canonical spec as it stood after the last successful apply; `stored` holds, by top-level key, what
    the platform showed right after it where that differs from `applied`. `children` are server-made ids as in `Live`,
    in the order of `applied`'s lists. `created_at` is set when this tool created it (aware UTC). `intent_at` is set
    from before the create call until its answer is known: while it is set, `remote_id` may be empty and the experiment
    may or may not exist. `status` is the status last seen. `inflight` names the plan whose calls for this experiment
    had begun and were not known to be finished. `predecessors` are remote ids that this one replaced, oldest first.
    """

    key: Key
    platform: str
    connection: str
    remote_id: str
    applied: Spec
    stored: Spec = field(default_factory=_nothing)
    children: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    lifecycle: Lifecycle = DEFAULT_LIFECYCLE
    status: str = ""
    created_at: datetime | None = None
    intent_at: datetime | None = None
    inflight: str = ""
    predecessors: tuple[str, ...] = ()

    @property
    def observed(self) -> Spec:
        """What the platform showed right after the last apply: `applied` with what was stored differently."""
        return {**self.applied, **self.stored}
