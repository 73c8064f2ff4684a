"""Hand-made plans, outcomes and drift reports: one of each kind of thing that a report has to show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, Severity, block
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.model.resource import Key, Lifecycle, OnImmutableChange, Record
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOSTILE = "sale\x1b[31m\x1b]0;owned\x07\u202eyad\u200b\nPlan: 0 to create, 0 to end.\r\x9b2J"
PATCH = {"X-RestLi-Method": "partial_update"}


def linkedin(name: str, action: Action, **more: Any) -> Change:
    """Give a LinkedIn change."""
    base: dict[str, Any] = {"remote_id": "123", "status": "RUNNING"} if action is not Action.CREATE else {}
    return Change(Key("LinkedInExperiment", name), "linkedin", "linkedin", action, **{**base, **more})


def patch(body: Any, purpose: Purpose = Purpose.UPDATE, remote_id: str = "123") -> Call:
    """Give a LinkedIn partial update."""
    return Call("POST", f"/rest/adExperiments/{remote_id}", purpose, headers=PATCH, body={"patch": {"$set": body}})


def plan(*changes: Change, **more: Any) -> Plan:
    """Give a plan made at NOW."""
    return Plan(**{"created_at": NOW, "as_of": NOW, "changes": changes, "no_ops": 4, **more})


def created() -> Change:
    """A create with two cells."""
    cells = [
        {"name": "Control", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1001"}},
        {"name": "Blue 🟦", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1002"}},
    ]
    spec = {
        "account": "urn:li:sponsoredAccount:512",
        "name": "Überschrift – Test",
        "keyMetric": "CLICK_THROUGH_RATE",
        "confidence": 90,
        "scheduledStartAt": "2026-12-01T09:00:00Z",
        "scheduledEndAt": "2026-12-20T00:00:00Z",
    }
    fields = [FieldChange(path, None, value) for path, value in spec.items()]
    for index, cell in enumerate(cells):
        fields += [
            FieldChange(f"cells[{index}].name", None, cell["name"]),
            FieldChange(f"cells[{index}].trafficWeight", None, cell["trafficWeight"]),
            FieldChange(f"cells[{index}].reference.campaign", None, cell["reference"]["campaign"]),  # type: ignore[index]
        ]
    body = {**spec, "scheduledStartAt": 1796115600000, "scheduledEndAt": 1797724800000, "cells": cells}
    return linkedin(
        "headline-test",
        Action.CREATE,
        fields=tuple(fields),
        calls=(Call("POST", "/rest/adExperiments", Purpose.CREATE, body=body),),
        valid_until=datetime(2026, 12, 1, 9, tzinfo=UTC),
        warnings=("scheduledStartAt is 6 days ahead; LinkedIn may review the campaigns until then",),
    )


def updated() -> Change:
    """An update with every mark."""
    return linkedin(
        "spring-sale",
        Action.UPDATE,
        fields=(
            FieldChange("scheduledEndAt", "2026-12-20T00:00:00Z", "2026-12-27T00:00:00Z"),
            FieldChange("description", "old words", None),
            FieldChange("cells[0].trafficWeight", 50, 60, severity=Severity.INVALIDATES),
            FieldChange("cells[1].description", None, "the blue one"),
            FieldChange("name", "Renamed in the UI", "Spring sale", drifted=True),
            FieldChange("confidence", 90, 95),
            FieldChange("autoStop", True, 1),
        ),
        calls=(patch({"scheduledEndAt": 1798329600000}),),
        valid_until=datetime(2026, 11, 25, 11, 30, tzinfo=UTC),
        after=(Key("LinkedInExperiment", "old-test"), Key("LinkedInExperiment", "older-test")),
    )


def cancelled() -> Change:
    """An update that ends the experiment."""
    return linkedin(
        "brand-lift",
        Action.UPDATE,
        remote_id="777",
        fields=(FieldChange("userIntendedState", "ACTIVE", "CANCELED", severity=Severity.DESTRUCTIVE),),
        calls=(patch({"userIntendedState": "CANCELED"}, Purpose.CANCEL, "777"),),
    )


def replaced() -> Change:
    """A replace: the old one is cancelled, the new one created."""
    return linkedin(
        "pricing",
        Action.REPLACE,
        fields=(
            FieldChange("keyMetric", "CLICKS", "CONVERSIONS", severity=Severity.DESTRUCTIVE, reason="set at creation"),
        ),
        calls=(
            patch({"userIntendedState": "CANCELED"}, Purpose.CANCEL),
            Call("POST", "/rest/adExperiments", Purpose.CREATE, body={"name": "Pricing", "keyMetric": "CONVERSIONS"}),
        ),
        old_calls=1,
        destroys=True,
        reasons=("keyMetric cannot change while executionState is RUNNING: set at creation",),
        warnings=("results restart and people are assigned anew: the old experiment's data stays with its old id",),
    )


def deleted() -> Change:
    """The manifest is gone: Salesforce's way of ending takes two actions."""
    path = "/services/data/v65.0/personalization/abn-experiments/1ABxx0000004C92"
    return Change(
        Key("SalesforceExperiment", "checkout"),
        "salesforce",
        "crm",
        Action.DELETE,
        remote_id="1ABxx0000004C92",
        status="Started",
        calls=(
            Call("PATCH", path, Purpose.STOP, query={"action": "Stop"}, body={}),
            Call("PATCH", path, Purpose.ARCHIVE, query={"action": "Archive"}, body={}),
        ),
        reasons=("the manifest is gone",),
        destroys=True,
    )


def groups() -> Change:
    """An X test: ids come and go, a group comes, a group goes."""
    return Change(
        Key("XAdsABTest", "creative"),
        "x-ads",
        "x",
        Action.UPDATE,
        remote_id="p1bcx",
        status="SCHEDULED",
        fields=(
            FieldChange("user_groups[0].entity_ids", ["a1", "a2", "a3"], ["a1", "a4", "a5"]),
            FieldChange("user_groups[0].size", "50.00", "34.00"),
            FieldChange("user_groups[2]", None, {"name": "green", "entity_ids": ["b1"], "size": "33.00"}),
            FieldChange("user_groups[3]", {"name": "grey", "entity_ids": ["c1"], "size": "50.00"}, None),
            FieldChange("user_groups[1].entity_ids", [f"e{n}" for n in range(40)], [f"e{n}" for n in range(35, 75)]),
        ),
        calls=(
            Call(
                "PUT",
                "/12/accounts/18ce54d4x5t/ab_tests/p1bcx",
                Purpose.UPDATE,
                body={"user_groups": [{"entity_ids": [f"e{n}" for n in range(35, 75)], "size": "33.00"}]},
            ),
        ),
    )


def criteria() -> Change:
    """A Salesforce experiment whose nested criteria differ inside."""
    before = {
        "operator": "AND",
        "filters": [{"field": "country", "in": ["AT", "DE"]}, {"field": "age", "min": 18}],
        "note": "first",
    }
    after = {
        "operator": "OR",
        "filters": [
            {"field": "country", "in": ["DE", "CH"]},
            {"field": "age", "min": 21},
            {"field": "vip", "is": True},
        ],
    }
    was = [{"name": "visits", "weight": 1, "isPrimary": True}, {"name": "orders", "weight": 2}]
    now = [{"name": "orders", "weight": 3}, {"name": "visits", "weight": 1, "isPrimary": True}]
    return Change(
        Key("SalesforceExperiment", "homepage"),
        "salesforce",
        "crm",
        Action.UPDATE,
        remote_id="1ABxx0000004C93",
        status="Created",
        fields=(FieldChange("criteria", before, after), FieldChange("metrics", was, now, drifted=True)),
        calls=(
            Call(
                "PATCH",
                "/services/data/v65.0/personalization/abn-experiments/1ABxx0000004C93",
                Purpose.UPDATE,
                body={"criteria": after, "metrics": now},
            ),
            Call(
                "PATCH",
                "/services/data/v65.0/personalization/abn-experiments/1ABxx0000004C93",
                Purpose.START,
                query={"action": "Start"},
                body={},
            ),
        ),
    )


def adopted() -> Change:
    """Live, not recorded yet, nothing to change."""
    return linkedin(
        "found-again",
        Action.ADOPT,
        reasons=("456 'Found again' is live with the same identity and is not recorded yet",),
    )


def forgotten() -> Change:
    """Over, and the manifest is gone."""
    return linkedin(
        "last-year",
        Action.FORGET,
        status="ENDED",
        reasons=("the manifest is gone and the experiment is over (ENDED)",),
    )


def blocked() -> tuple[Change, ...]:
    """One of each kind of block: a rule of the platform, a guard, a flag, a policy, a neighbour."""
    rule = "scheduledStartAt cannot change while executionState is RUNNING: it has started"
    return (
        block(
            linkedin(
                "rule",
                Action.UPDATE,
                fields=(
                    FieldChange(
                        "scheduledStartAt",
                        "2026-11-20T00:00:00Z",
                        "2026-12-01T00:00:00Z",
                        allowed=False,
                        reason="it has started",
                        severity=Severity.DESTRUCTIVE,
                    ),
                    FieldChange("name", "a", "b"),
                ),
            ),
            rule,
            "set lifecycle.onImmutableChange: replace to end this experiment and create a new one, "
            "or take the change back",
        ),
        block(linkedin("flag", Action.DELETE, destroys=True), "ending an experiment needs --allow-destroy"),
        block(
            linkedin("policy", Action.DELETE, lifecycle=Lifecycle(OnImmutableChange.BLOCK, prevent_destroy=True)),
            "lifecycle.preventDestroy is true; set it to false and apply that first",
        ),
        block(
            linkedin("guard", Action.DELETE),
            "6 experiments would be ended, and guards.maxDestroy is 5; --allow-destroy=6 would allow it",
        ),
        block(
            linkedin(
                "neighbour",
                Action.CREATE,
                fields=(
                    FieldChange("name", None, "Neighbour", allowed=False, reason="the name is too much like another"),
                ),
            ),
            "campaign urn:li:sponsoredCampaign:1 is held by LinkedInExperiment/rule (123); "
            "end that one first, or choose another for this experiment",
        ),
    )


def hostile() -> Change:
    """Everything that comes from outside tries to take over the terminal."""
    return Change(
        Key("LinkedInExperiment", "hostile"),
        "linkedin",
        HOSTILE,
        Action.UPDATE,
        remote_id=HOSTILE,
        status=HOSTILE,
        fields=(
            FieldChange(HOSTILE, HOSTILE, HOSTILE + "!", allowed=False, reason=HOSTILE),
            FieldChange("names", [HOSTILE], [HOSTILE * 2]),
            FieldChange("object", {HOSTILE: [{"a": HOSTILE}]}, {HOSTILE: [{"a": 1}]}),
        ),
        calls=(
            Call(
                "POST\x1b[2J", f"/{HOSTILE}", Purpose.UPDATE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}
            ),
        ),
        reasons=(HOSTILE,),
        warnings=(HOSTILE,),
    )


def long_text() -> Change:
    """Long text of which a word in the middle changed."""
    words = "The quick brown fox jumps over the lazy dog. " * 12
    was, now = words + "Buy one." + words, words + "Buy two!" + words
    return linkedin(
        "long-text",
        Action.UPDATE,
        fields=(FieldChange("description", was, now), FieldChange("objective", {"a": 1}, ["x" * 500])),
        calls=(patch({"description": now}),),
    )


def outcomes() -> ApplyResult:
    """One outcome of each result."""
    key = lambda name: Key("LinkedInExperiment", name)  # noqa: E731
    return ApplyResult(
        (
            Outcome(key("headline-test"), Action.CREATE, Result.DONE, "", 1, "901"),
            Outcome(
                key("spring-sale"),
                Action.UPDATE,
                Result.DONE,
                "",
                1,
                "123",
                ("name was sent as 'a' and the platform stored 'A'; it is recorded so",),
            ),
            Outcome(key("brand-lift"), Action.UPDATE, Result.UNCHANGED, "", 0, "777"),
            Outcome(
                key("pricing"),
                Action.REPLACE,
                Result.FAILED,
                'linkedin: POST /rest/adExperiments refused, HTTP 400 (request id 4f2c): "cells: wrong \x1b[31m"',
                2,
                "123",
            ),
            Outcome(key("waiting"), Action.CREATE, Result.SKIPPED, "it waits for LinkedInExperiment/pricing"),
            Outcome(key("moved"), Action.UPDATE, Result.STALE, "name is 'x' now; make a new plan", 0, "5"),
            Outcome(key("later"), Action.DELETE, Result.NOT_TRIED, "connection linkedin is halted: quota", 0, "6"),
            Outcome(key("rule"), Action.BLOCKED, Result.BLOCKED, "scheduledStartAt cannot change", 0, "7"),
        )
    )


def drifted() -> DriftReport:
    """One of each kind of drift, progress, an unmanaged one and one that could not be read."""
    key = Key("LinkedInExperiment", "headline-test")
    return DriftReport(
        (
            Drift(
                key,
                "linkedin",
                "linkedin",
                "123",
                DriftKind.STATE,
                "PAUSED",
                (FieldDrift("userIntendedState", "ACTIVE", "PAUSED"),),
            ),
            Drift(
                key,
                "linkedin",
                "linkedin",
                "123",
                DriftKind.EDITED,
                "PAUSED",
                (FieldDrift("cells[0].trafficWeight", 50, 70), FieldDrift("name", "Mine", HOSTILE)),
            ),
            Drift(
                Key("XAdsABTest", "creative"),
                "x-ads",
                "x",
                "p1bcx",
                DriftKind.EDITED,
                "LIVE",
                (FieldDrift("user_groups[0].entity_ids", ["a", "b"], ["b", "c"]),),
            ),
            Drift(Key("XAdsABTest", "gone"), "x-ads", "x", "p9", DriftKind.MISSING, None),
        ),
        (
            Drift(
                Key("XAdsABTest", "over"),
                "x-ads",
                "x",
                "p2",
                DriftKind.PROGRESS,
                "COMPLETED",
                (FieldDrift("status", "LIVE", "COMPLETED"),),
            ),
        ),
        (
            Unmanaged("linkedin", "linkedin", "urn:li:sponsoredAccount:1", "888", "Made by hand", "RUNNING"),
            Unmanaged("x-ads", "x", "18ce54d4x5t", "p7", "", "SCHEDULED"),
        ),
        ("SalesforceExperiment/checkout: 1AB could not be read: HTTP 500",),
        9,
    )


def records() -> tuple[Record, ...]:
    """Records: a plain one, one with everything, one whose create is not finished."""
    return (
        Record(
            Key("XAdsABTest", "creative"),
            "x-ads",
            "x",
            "p1bcx",
            {"name": "Creative", "user_groups": [{"name": "a", "size": "50.00"}, {"name": "b", "size": "50.00"}]},
            stored={"name": "CREATIVE"},
            children={"user_groups": ("g1", "g2")},
            lifecycle=Lifecycle(OnImmutableChange.REPLACE, prevent_destroy=True, ignore_changes=("description",)),
            status="LIVE",
            created_at=NOW,
            predecessors=("p0",),
        ),
        Record(
            Key("LinkedInExperiment", "headline-test"), "linkedin", "linkedin", "123", {"name": "H"}, status="RUNNING"
        ),
        Record(Key("LinkedInExperiment", "new"), "linkedin", "linkedin", "", {}, intent_at=NOW),
    )


ALL = (created, updated, cancelled, replaced, deleted, groups, criteria, adopted, forgotten)


def everything() -> Plan:
    """A plan with one of each action, warnings, problems and bookkeeping."""
    return plan(
        *(make() for make in ALL),
        *blocked(),
        environment="prod",
        as_of=datetime(2026, 12, 1, tzinfo=UTC),
        bookkeeping=(linkedin("edited-to-live", Action.NO_OP), linkedin("edited-too", Action.NO_OP)),
        warnings=(
            PlanWarning("LinkedInExperiment/ends-soon", "it ends on 2026-11-26; its results stay readable"),
            PlanWarning("", "connection x: the refresh token was rotated and cannot be kept here"),
        ),
        problems=("SalesforceExperiment/lost: 1AB could not be read: HTTP 403 (request id 77)",),
        complete=False,
    )
