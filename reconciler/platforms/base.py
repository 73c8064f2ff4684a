"""
What a kind of experiment is, as the planner and the executor meet it; pure.

The field table, canonical forms, rules and calls of one kind. Reading and sending are in `session`. `plan/` and
`apply/` know nothing else of a platform; where they would ask "is this LinkedIn?", the difference is a method or a
field here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from reconciler.model.budget import Allowance
from reconciler.model.change import Action, Call, Change, FieldChange
from reconciler.model.diagnostic import Finding, Rule
from reconciler.model.kind import Cell, Evidence, Field, Verdict, template
from reconciler.model.resource import Desired, Key, Live, Spec

if TYPE_CHECKING:
    from pydantic import BaseModel

FOREVER = datetime.max.replace(tzinfo=UTC)
ALWAYS = datetime.min.replace(tzinfo=UTC)

Pairing = tuple[tuple[int | None, int | None], ...]


@dataclass(frozen=True)
class Claims:
    """
    What an experiment holds for itself while it runs: entities (`campaign …`, `line item …`, `name …`) during a window.

    Two experiments conflict when they share an entity and their windows overlap; windows that only touch do not.
    """

    entities: frozenset[str] = frozenset()
    start: datetime = ALWAYS
    end: datetime = FOREVER

    def shared(self, other: Claims) -> frozenset[str]:
        """Give the entities that both claim at the same time."""
        if self.start >= other.end or other.start >= self.end:
            return frozenset()
        return self.entities & other.entities


NOTHING = Claims()


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    A sentence about one change, from a rule that needs live values or the clock.

    `blocks` makes the change blocked; otherwise it is a warning. `lifts` says what would help.
    """

    message: str
    blocks: bool = False
    path: str = ""


@dataclass(frozen=True)
class Situation:
    """
    One experiment's change as the clock and live rules see it.

    `action` is create, update, replace or delete; `desired` is the manifest's spec (for create and replace also what is
    sent), `target` the whole spec as it will be, `fields` the changes (empty for a create), `now` the moment judged at.
    """

    action: Action
    now: datetime
    live: Live | None
    desired: Spec
    target: Spec
    fields: tuple[FieldChange, ...] = ()

    def changes(self, *tops: str) -> bool:
        """Tell whether any of the given top-level keys changes; a create changes all that it states."""
        if self.live is None:
            return any(self.target.get(top) is not None for top in tops)
        return any(change.path.split(".", 1)[0].split("[", 1)[0] in tops for change in self.fields)


class Kind(ABC):
    """One kind of experiment of one platform. Pure: no method does I/O or looks at a clock."""

    name: ClassVar[str]
    platform: ClassVar[str]
    summary: ClassVar[str]
    """One sentence for `explain`: what this kind is."""
    fields: ClassVar[tuple[Field, ...]]
    rules: ClassVar[tuple[Rule, ...]]
    """Every rule that `check`, `check_together` or `judge` may name."""
    statuses: ClassVar[tuple[str, ...]]
    """The status columns of the field table, in order of life."""
    ending_states: ClassVar[frozenset[str]] = frozenset()
    """The values of the lifecycle field that end an experiment."""
    lifecycle_field: ClassVar[str | None] = None
    """The top-level key that states the wanted state, where there is one."""
    account_field: ClassVar[str | None] = None
    """The top-level key that names the ad account, where there is one."""
    needs_account: ClassVar[bool] = False
    """Whether an experiment can be read only through the account that it belongs to."""
    label_field: ClassVar[str] = "name"
    """The top-level key that people know the experiment by."""
    claims_are_local: ClassVar[bool] = False
    """Whether what is claimed (a name) means something within one connection only."""
    default_api_version: ClassVar[str] = ""
    allowances: ClassVar[tuple[Allowance, ...]] = ()
    """The platform's documented limits on requests."""

    def __init__(self, api_version: str = "") -> None:
        """Make the kind for one API version; calls carry it in their path where the platform wants that."""
        self.api_version = api_version or self.default_api_version

    status_field: ClassVar[str] = "status"
    """What the platform itself calls the status column."""
    clock: ClassVar[tuple[str, str, str] | None] = None
    """The statuses before, during and after the scheduled window, where the clock moves them."""
    window_fields: ClassVar[tuple[str, str] | None] = None
    """The top-level keys that state when it starts and ends, where a manifest schedules it."""
    ran_fields: ClassVar[tuple[str, str] | None] = None
    """Where nothing is scheduled: the keys of the platform's own JSON that say when it was started and stopped."""
    running_statuses: ClassVar[frozenset[str]] = frozenset()
    """The statuses between start and end: people take part, or would if it were not held up."""
    split_fields: ClassVar[tuple[str, str, str] | None] = None
    """The list of arms, the key of an arm's share, and the key that marks the control (empty: the first is it)."""
    confidence_field: ClassVar[str | None] = None
    """The top-level key that states the confidence in percent at which the platform declares a winner."""

    def at(self, api_version: str) -> Self:
        """Give this kind for the API version of a connection."""
        return self if api_version == self.api_version else type(self)(api_version)

    @property
    @abstractmethod
    def spec_model(self) -> type[BaseModel]:
        """The pydantic model of `spec` (imported on first use: start-up is a feature)."""

    # --- the manifest's side ---------------------------------------------------------------------------------

    @abstractmethod
    def canonical(self, stated: Mapping[str, Any]) -> Spec:
        """
        Give the canonical form of a validated spec: only stated keys, explicit null as None.

        `stated` is `spec_model` dumped with `exclude_unset=True`. Never invents a key that the manifest leaves out,
        save what the platform's page says follows from it (a control's remaining weight).
        """

    @abstractmethod
    def check(self, desired: Desired) -> Iterable[Finding]:
        """Give the findings of every rule that needs neither live data nor a clock, past the schema."""

    def check_together(self, desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
        """Give the findings of rules between manifests of this kind: `(the later manifest's key, finding)`."""
        return ()

    # --- the platform's side ---------------------------------------------------------------------------------

    @abstractmethod
    def from_wire(self, body: Mapping[str, Any], *, account: str = "") -> Live:
        """Read one resource from the platform's JSON; raises BadAnswer when it is not of the documented shape."""

    # --- planning --------------------------------------------------------------------------------------------

    def column(self, live: Live) -> str:
        """Give the status column of the field table that holds for a live experiment."""
        return live.status

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
        """
        Tie the items of a manifest's list to those of another list (live, or the last applied one).

        `list_path` is a template (`cells`, `cohorts[].attributeValues`). `applied_ids` are the recorded server-made ids
        of the items of `applied`, `live_ids` those of `live`, for platforms that have them (empty otherwise). Gives
        pairs of indexes; None stands for "only on the other side". Every index of both sides occurs exactly once; the
        pairs that have a desired index come in the manifest's order, then those that only live has.
        """
        raise NotImplementedError(list_path)

    def same(self, path: str, desired: Any, live: Any) -> bool:
        """Tell whether two canonical values of a leaf field (a template path) mean the same; absent is None."""
        return type(desired) is type(live) and bool(desired == live)

    def verdict(self, change: FieldChange, live: Live, target: Spec) -> Cell:
        """
        Give the cell that decides one field's change on a live experiment: by default the table's.

        A kind whose lifecycle field has a table of transitions overrides this for that field.
        """
        return self.field(template(change.path)).cell(self.column(live))

    def judge(self, situation: Situation) -> Iterable[Judgement]:
        """Give blocks and warnings from the rules that need the clock or live values."""
        return ()

    def deadline(self, situation: Situation) -> datetime | None:
        """Give the earliest moment from which this change stops being legal or means something else."""
        return None

    @abstractmethod
    def create_calls(self, spec: Spec) -> tuple[Call, ...]:
        """Give the calls that make an experiment of this spec, the first of which is the create itself."""

    @abstractmethod
    def update_calls(self, live: Live, target: Spec, changes: Sequence[FieldChange]) -> tuple[Call, ...]:
        """
        Give the fewest calls that bring `live` to `target`, which is live with the wanted changes laid over it.

        List items of `target` that exist in live carry their server-made id under the key `"#id"` where the platform
        has one (`children`); items without it are new.
        """

    @abstractmethod
    def end_calls(self, live: Live) -> tuple[Call, ...]:
        """Give the calls of the platform's way of ending a live experiment; none when it is over (forget it)."""

    @abstractmethod
    def owns(self, call: Call, change: Change) -> bool:
        """
        Tell whether a call, read from a saved plan, can be one that this kind makes for a change of a live experiment.

        Method, path, query, headers and the keys of the body have to be the kind's own for this remote id. Creates are
        compared whole with `create_calls` and not asked here.
        """

    @abstractmethod
    def done(self, call: Call, live: Live) -> bool:
        """
        Tell whether a start, stop, archive or cancel call has already had its effect, judged by what is live now.

        Updates are judged by comparing fields and deletes by `Gone`; neither is asked here.
        """

    def create_is_guarded(self, spec: Spec) -> bool:
        """Tell whether the platform itself refuses a second create of the same experiment."""
        return True

    def claims(self, spec: Spec, live: Live | None = None) -> Claims:
        """Give what an experiment of this spec holds; nothing when it is over or is wanted ended."""
        return NOTHING

    def seen_at(self, live: Live, moment: datetime) -> Live:
        """Give a live experiment as the clock alone will have made it by a later moment."""
        if self.clock is None:
            return live
        before, during, after = self.clock
        if live.status in (before, during) and live.end is not None and moment >= live.end:
            return replace(live, status=after, over=True)
        if live.status == before and live.start is not None and moment >= live.start:
            return replace(live, status=during)
        return live

    def moved_by_platform(self, live: Live) -> bool:
        """Tell whether the platform itself, not a person, brought the experiment into its present state."""
        return False

    def claims_after_end(self, live: Live) -> Claims:
        """Give what an experiment still holds when `end_calls` have been made."""
        return NOTHING

    def perhaps_held(self, live: Live) -> Claims:
        """Give what an experiment that is over may still hold: the platform's page does not say whether it is freed."""
        return NOTHING

    @abstractmethod
    def identity(self, spec: Spec, live: Live | None = None) -> Any:
        """
        Give a hashable by which a live experiment is recognised as that of a manifest (adoption, unclear creates).

        Equal identities mean the same experiment. `live` is given when `spec` is a live one's.
        """

    def could_be(self, spec: Spec, live: Live) -> bool:
        """Tell whether a live experiment of the same identity can be the one that a manifest speaks of."""
        return True

    # --- shared ----------------------------------------------------------------------------------------------

    def field(self, path_template: str) -> Field:
        """Give the table's row of a template path; raises KeyError when there is none."""
        return self.field_index()[path_template]

    @classmethod
    def field_index(cls) -> Mapping[str, Field]:
        """Give the field table by template path, made once a class."""
        if "_index" not in cls.__dict__:
            cls._index = {row.path: row for row in cls.fields}
        return cls._index

    _index: ClassVar[Mapping[str, Field]]


def unchangeable(note: str, evidence: Evidence = Evidence.ASSUMED) -> Cell:
    """Give a cell that never allows a change, with the sentence why."""
    return Cell(Verdict.NEVER, evidence, note)
