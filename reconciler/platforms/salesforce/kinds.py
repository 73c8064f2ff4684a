"""`SalesforceExperiment`: what the planner asks of a Salesforce experiment, answered from this package's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from reconciler.model.budget import Allowance
from reconciler.model.change import Call, Change, FieldChange
from reconciler.model.diagnostic import Finding, Rule
from reconciler.model.kind import Cell, Field
from reconciler.model.resource import Desired, Key, Live, Spec
from reconciler.platforms.base import Claims, Judgement, Kind, Pairing, Situation
from reconciler.platforms.salesforce import checks, lifecycle, wire
from reconciler.platforms.salesforce.canonical import canonical_spec, paired, same_value
from reconciler.platforms.salesforce.facts import DEFAULT_API_VERSION, STATES, bare
from reconciler.platforms.salesforce.judge import judgements
from reconciler.platforms.salesforce.limits import ALLOWANCES
from reconciler.platforms.salesforce.rules import RULES
from reconciler.platforms.salesforce.table import FIELDS

if TYPE_CHECKING:
    from pydantic import BaseModel


class SalesforceExperiment(Kind):
    """A Salesforce Personalization experiment. Its server-made cohort ids are recorded, but cohorts go by name."""

    name: ClassVar[str] = "SalesforceExperiment"
    platform: ClassVar[str] = "salesforce"
    summary: ClassVar[str] = (
        "An A/B/n experiment of Salesforce Personalization: cohorts, metrics and rules, started and stopped by state."
    )
    fields: ClassVar[tuple[Field, ...]] = FIELDS
    rules: ClassVar[tuple[Rule, ...]] = RULES
    statuses: ClassVar[tuple[str, ...]] = STATES
    status_field: ClassVar[str] = "state"
    ran_fields: ClassVar[tuple[str, str] | None] = ("startedDate", "stoppedDate")
    lifecycle_field: ClassVar[str | None] = "state"
    claims_are_local: ClassVar[bool] = True
    running_statuses: ClassVar[frozenset[str]] = frozenset({"Started"})
    split_fields: ClassVar[tuple[str, str, str] | None] = ("cohorts", "allocationWeight", "isControl")
    ending_states: ClassVar[frozenset[str]] = lifecycle.ENDING_STATES
    default_api_version: ClassVar[str] = DEFAULT_API_VERSION
    allowances: ClassVar[tuple[Allowance, ...]] = ALLOWANCES

    @property
    def spec_model(self) -> type[BaseModel]:
        """The pydantic model of `spec`."""
        from reconciler.platforms.salesforce.schema import SalesforceExperimentSpec

        return SalesforceExperimentSpec

    def canonical(self, stated: Mapping[str, Any]) -> Spec:
        """Give the canonical form of a validated spec; the only control's weight is filled where it is left out."""
        return canonical_spec(stated)

    def check(self, desired: Desired) -> Iterable[Finding]:
        """Give the findings of every rule about one manifest."""
        return checks.check_spec(desired.spec)

    def check_together(self, desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
        """Give the manifests whose API name another one of the same connection has."""
        return checks.check_names(desireds)

    def from_wire(self, body: Mapping[str, Any], *, account: str = "") -> Live:
        """Read one experiment; raises BadAnswer when it is none. `account` means nothing here."""
        return wire.read_experiment(body)

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
        """Tie list items by their natural keys (names); recorded ids are not needed."""
        return paired(list_path, desired, live)

    def same(self, path: str, desired: Any, live: Any) -> bool:
        """Tell whether two values of a leaf field mean the same."""
        return same_value(path, desired, live)

    def verdict(self, change: FieldChange, live: Live, target: Spec) -> Cell:
        """Give the table's cell; for `state` the transition from the live state to the wanted one."""
        if change.path == "state":
            return lifecycle.transition(live.status, change.after)
        return super().verdict(change, live, target)

    def judge(self, situation: Situation) -> Iterable[Judgement]:
        """Give blocks and warnings from what is live."""
        return judgements(situation)

    def create_calls(self, spec: Spec) -> tuple[Call, ...]:
        """Give the POST and, where Started is wanted, the start."""
        return wire.create_calls(self.api_version, spec)

    def update_calls(self, live: Live, target: Spec, changes: Sequence[FieldChange]) -> tuple[Call, ...]:
        """Give one PATCH of the changed top-level keys, then one PATCH an action."""
        return wire.update_calls(self.api_version, live, target, changes)

    def end_calls(self, live: Live) -> tuple[Call, ...]:
        """Give a DELETE (Created), a stop and an archive (Started), an archive (Stopped), or nothing (Archived)."""
        return wire.end_calls(self.api_version, live)

    def owns(self, call: Call, change: Change) -> bool:
        """Tell whether a call of a saved plan is a PATCH of fields, an action or a DELETE of its experiment."""
        return wire.owns(self.api_version, call, change)

    def done(self, call: Call, live: Live) -> bool:
        """Tell whether a start, stop or archive has nothing left to do."""
        return lifecycle.reached(call.purpose, live.status)

    def moved_by_platform(self, live: Live) -> bool:
        """Tell whether Salesforce may have stopped it itself: Automatic, and past its minimum duration (assumed)."""
        return lifecycle.may_have_stopped_itself(live)

    def claims(self, spec: Spec, live: Live | None = None) -> Claims:
        """Give the API name, always: an archived experiment keeps it too."""
        return Claims(frozenset({f"experiment name {self.identity(spec, live)}"}))

    def claims_after_end(self, live: Live) -> Claims:
        """Give the API name, unless ending means a DELETE."""
        return Claims() if live.status == "Created" else self.claims(live.spec, live)

    def identity(self, spec: Spec, live: Live | None = None) -> Any:
        """Give the API name without its data-space prefix."""
        return bare(str(spec.get("name", "")), spec.get("dataSpaceName"))

    def field(self, path_template: str) -> Field:
        """Give the row of a template path; a list's own path gives the row of its items."""
        index = self.field_index()
        return index.get(path_template) or index[f"{path_template}[]"]


KIND = SalesforceExperiment()
