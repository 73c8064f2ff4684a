"""The kind `XAdsABTest`: the field table and the answers that the planner asks for, each from a module of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.model.change import Call, Change, FieldChange
from reconciler.model.diagnostic import Finding
from reconciler.model.resource import Desired, Key, Live, Spec
from reconciler.platforms.base import NOTHING, Claims, Judgement, Kind, Pairing, Situation
from reconciler.platforms.x_ads.clock import deadline_of, judgements
from reconciler.platforms.x_ads.facts import API_VERSION, COMPLETED, FIELDS, PLATFORM_NAME, STATUSES, USER_GROUPS
from reconciler.platforms.x_ads.groups import pair_groups
from reconciler.platforms.x_ads.limits import ALLOWANCES
from reconciler.platforms.x_ads.rules import RULES, check_between, check_spec
from reconciler.platforms.x_ads.wire import (
    canonical_spec,
    create_call,
    delete_call,
    live_of,
    owns,
    size_of,
    update_call,
)

if TYPE_CHECKING:
    from pydantic import BaseModel


class XAdsABTest(Kind):
    """An A/B test of X Ads: people split into groups, each of which sees its own campaigns or line items."""

    name = "XAdsABTest"
    platform = PLATFORM_NAME
    summary = "Splits people on X into groups, each of which sees its own campaigns or line items."
    fields = FIELDS
    rules = RULES
    statuses = STATUSES
    clock = STATUSES
    window_fields = ("start_time", "end_time")
    account_field = "account_id"
    running_statuses = frozenset({"LIVE"})
    split_fields = ("user_groups", "size", "")
    needs_account = True
    default_api_version = API_VERSION
    allowances = ALLOWANCES

    @property
    def spec_model(self) -> type[BaseModel]:
        from reconciler.platforms.x_ads.schema import ABTestSpec

        return ABTestSpec

    def canonical(self, stated: Mapping[str, Any]) -> Spec:
        return canonical_spec(stated)

    def check(self, desired: Desired) -> Iterable[Finding]:
        return check_spec(desired.spec)

    def check_together(self, desireds: Sequence[Desired]) -> Iterable[tuple[Key, Finding]]:
        return check_between(desireds)

    def from_wire(self, body: Mapping[str, Any], *, account: str = "") -> Live:
        return live_of(body, account)

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
        if list_path != USER_GROUPS:
            raise NotImplementedError(list_path)
        return pair_groups(desired, live, applied=applied, applied_ids=applied_ids, live_ids=live_ids)

    def same(self, path: str, desired: Any, live: Any) -> bool:
        """Entities compare as sets, sizes as exact decimals, all else as it is."""
        if path.endswith(".entity_ids") and isinstance(desired, list) and isinstance(live, list):
            return set(desired) == set(live)
        if path.endswith(".size") and isinstance(desired, str) and isinstance(live, str):
            return size_of(desired) == size_of(live)
        return super().same(path, desired, live)

    def judge(self, situation: Situation) -> Iterable[Judgement]:
        return judgements(situation)

    def deadline(self, situation: Situation) -> datetime | None:
        return deadline_of(situation)

    def create_calls(self, spec: Spec) -> tuple[Call, ...]:
        return (create_call(self.api_version, spec),)

    def update_calls(self, live: Live, target: Spec, changes: Sequence[FieldChange]) -> tuple[Call, ...]:
        return update_call(self.api_version, live, target, changes, self.same)

    def end_calls(self, live: Live) -> tuple[Call, ...]:
        return () if live.over else (delete_call(self.api_version, live),)

    def owns(self, call: Call, change: Change) -> bool:
        return owns(self.api_version, call, change)

    def done(self, call: Call, live: Live) -> bool:
        """X has no start, stop, archive or cancel call."""
        return False

    def claims(self, spec: Spec, live: Live | None = None) -> Claims:
        """
        Every entity, at all times: an entity can be in one test only, whatever the windows.

        A completed test claims nothing, so that it does not block: whether X frees its entities is not documented.
        """
        return NOTHING if live is not None and live.over else self._entities_held(spec)

    def perhaps_held(self, live: Live) -> Claims:
        """Give the entities of a completed test; that a deleted one frees them is assumed."""
        return self._entities_held(live.spec) if live.status == COMPLETED else NOTHING

    def _entities_held(self, spec: Spec) -> Claims:
        word = str(spec.get("entity_type", "")).lower().replace("_", " ")
        return Claims(frozenset(f"{word} {spec.get('account_id', '')}/{entity}" for entity in _entities(spec)))

    def claims_after_end(self, live: Live) -> Claims:
        """Assumed: a deleted test frees its entities."""
        return NOTHING

    def identity(self, spec: Spec, live: Live | None = None) -> Any:
        """Same account, same entities, same window."""
        return (spec.get("account_id"), frozenset(_entities(spec)), spec.get("start_time"), spec.get("end_time"))


def _entities(spec: Spec) -> Iterable[str]:
    return (entity for group in spec.get(USER_GROUPS) or () for entity in group.get("entity_ids") or ())
