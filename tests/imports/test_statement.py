"""Any live experiment that a platform can show is stated so that nothing is to change, or refused in words."""

from __future__ import annotations

import copy
import json
from typing import Any, ClassVar

import pytest
from bodies import NOW, PAGE, linkedin_bodies, salesforce_bodies, x_bodies
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import BadAnswer
from reconciler.imports.statement import CannotState, Statement, statement_of
from reconciler.manifests.expand import expand
from reconciler.manifests.layout import order_of
from reconciler.manifests.load import load_text
from reconciler.manifests.template.scope import Scope
from reconciler.manifests.write import manifest_text
from reconciler.model.resource import Found, Live, Record
from reconciler.plan.fields import recorded_children
from reconciler.plan.inputs import Inputs
from reconciler.plan.planner import make_plan
from reconciler.platforms.base import Kind
from reconciler.platforms.registry import KINDS
from reconciler.project.project import Connection
from reconciler.validate.check import check

BY_NAME = {kind.name: kind for kind in KINDS}
LINKEDIN, X, SALESFORCE = (BY_NAME[name] for name in ("LinkedInExperiment", "XAdsABTest", "SalesforceExperiment"))


class Project:
    connections: ClassVar = {
        kind.platform: Connection(kind.platform, kind.platform, "https://a.example", kind.api_version) for kind in KINDS
    }


def plan_after(kind: Kind, live: Live) -> Statement:
    """Import by hand: state, write, read back, record; fails unless the plan right after is empty."""
    statement = statement_of(kind, live)
    order = order_of(row.path for row in kind.fields)
    text = manifest_text(kind.name, "a", statement.spec, order, ignored=statement.ignored, comments=statement.left_out)
    loaded = load_text(text, "a.yaml")
    expanded = expand(loaded.documents, Scope())
    (desired,), problems = check(expanded.documents, Project(), KINDS)
    found = (*loaded.diagnostics, *expanded.diagnostics, *problems)
    assert [item for item in found if item.severity == "error"] == []
    record = Record(
        desired.key,
        kind.platform,
        kind.platform,
        live.remote_id,
        desired.spec,
        children=recorded_children(kind, desired.spec, live),
        status=live.status,
    )
    made = make_plan(
        Inputs(
            desired={desired.key: desired},
            records={desired.key: record},
            readings={desired.key: Found(live)},
            others=(),
            kinds=lambda name, connection: BY_NAME[name],
            now=NOW,
            as_of=NOW,
        )
    )
    assert made.changes == ()
    assert made.complete
    return statement


# --- LinkedIn --------------------------------------------------------------------------------------------------------


@given(linkedin_bodies())
def test_any_experiment_of_linkedin(body: dict[str, Any]) -> None:
    live = LINKEDIN.from_wire(body)
    statement = plan_after(LINKEDIN, live)
    assert statement.left_out == ()
    assert statement.spec["userIntendedState"] == body["userIntendedState"]
    assert ("autoStop" in statement.spec) == (body["autoStop"] not in (None, "AUTO_STOP_AT_END_DATE"))


# --- X ---------------------------------------------------------------------------------------------------------------


@given(x_bodies())
def test_any_test_of_x(body: dict[str, Any]) -> None:
    statement = plan_after(X, X.from_wire(body, account="18ce54d4x5t"))
    assert statement.left_out == ()
    assert all(isinstance(group["size"], str) for group in statement.spec["user_groups"])


# --- Salesforce ------------------------------------------------------------------------------------------------------


@given(salesforce_bodies())
def test_any_experiment_of_salesforce(body: dict[str, Any]) -> None:
    statement = plan_after(SALESFORCE, SALESFORCE.from_wire(body))
    assert statement.spec["state"] == body["state"]
    assert all(sentence.startswith(("minimumRequired", "criteria", "chanceToWin")) for sentence in statement.left_out)


# --- values that are refused -----------------------------------------------------------------------------------------


def garbled(body: dict[str, Any], draw: st.DrawFn) -> dict[str, Any]:
    """Exchange one value somewhere for nonsense."""
    here: Any = copy.deepcopy(body)
    whole = here
    while True:
        step = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        if isinstance(here[step], dict | list) and here[step] and draw(st.booleans()):
            here = here[step]
            continue
        here[step] = draw(st.sampled_from(["", "x" * 2000, -1, 0, 10**9, True, None, "\ud800", "NEW_WORD", 1.5]))
        return whole


@given(st.data())
def test_whatever_is_wrong_is_left_out_or_refused(data: st.DataObject) -> None:
    kind, bodies = data.draw(
        st.sampled_from([(LINKEDIN, linkedin_bodies()), (X, x_bodies()), (SALESFORCE, salesforce_bodies())])
    )
    body = garbled(data.draw(bodies), data.draw)
    try:
        live = kind.from_wire(body, account="18ce54d4x5t" if kind is X else "")
    except (BadAnswer, TypeError):  # not even a shape that the platform documents
        return
    if not live.remote_id:  # the importer says so before it comes to this
        return
    try:
        plan_after(kind, live)
    except CannotState as error:
        assert str(error)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "x" * 101}, "name cannot be stated: the text has 101 characters"),
        ({"keyMetric": "CPA"}, "keyMetric cannot be stated"),
        ({"cells": []}, "cells cannot be stated: there are 0 cells"),
    ],
)
def test_required_values_of_linkedin(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CannotState, match=says):
        statement_of(LINKEDIN, LINKEDIN.from_wire({**_LINKEDIN, **changes}))


def test_a_draft_that_is_not_finished_cannot_be_stated() -> None:
    body = {key: _LINKEDIN[key] for key in ("id", "account", "name", "userIntendedState")}
    with pytest.raises(CannotState, match="cannot be stated: it is missing"):
        statement_of(LINKEDIN, LINKEDIN.from_wire({**body, "userIntendedState": "DRAFT"}))


def test_half_a_character_is_left_out_where_it_may_be() -> None:
    body = {**_LINKEDIN, "description": "a\ud800"}
    assert plan_after(LINKEDIN, LINKEDIN.from_wire(body)).left_out[0].startswith("description")
    with pytest.raises(CannotState, match="name cannot be stated: the text holds half a character"):
        statement_of(LINKEDIN, LINKEDIN.from_wire({**_LINKEDIN, "name": "a\ud800"}))


def test_a_cells_own_text_is_left_out_alone() -> None:
    cells = copy.deepcopy(_LINKEDIN["cells"])
    cells[1]["description"] = "x" * 500
    statement = plan_after(LINKEDIN, LINKEDIN.from_wire({**_LINKEDIN, "cells": cells}))
    assert [sentence.partition(" ")[0] for sentence in statement.left_out] == ["cells[1].description"]
    assert "description" not in statement.spec["cells"][1]


def test_a_list_that_holds_something_refused_is_left_out_whole() -> None:
    metrics = PAGE["secondaryMetrics"] * 2
    statement = plan_after(SALESFORCE, SALESFORCE.from_wire({**PAGE, "secondaryMetrics": metrics}))
    assert "secondaryMetrics" not in statement.spec
    assert "stands at secondaryMetrics[0] already" in statement.left_out[0]


def test_rules_that_yaml_cannot_hold_are_written_as_json() -> None:
    deep: Any = {"leaf": [1, "a"]}
    for _ in range(60):
        deep = {"inner": deep}
    statement = plan_after(SALESFORCE, SALESFORCE.from_wire({**PAGE, "criteria": deep}))
    assert json.loads(statement.spec["criteria"]) == deep
    assert statement.left_out == ()


def test_stated_is_never_more_than_what_is_live() -> None:
    live = SALESFORCE.from_wire(PAGE)
    statement = statement_of(SALESFORCE, live)
    assert set(statement.spec) <= set(live.spec)


_LINKEDIN: dict[str, Any] = {
    "id": 1,
    "account": "urn:li:sponsoredAccount:123",
    "name": "a",
    "keyMetric": "CPC",
    "confidence": 90,
    "userIntendedState": "ACTIVE",
    "executionState": "PENDING",
    "scheduledStartAt": 1_780_000_000_000,
    "scheduledEndAt": 1_781_000_000_000,
    "cells": [
        {"name": "a", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1"}},
        {"name": "b", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:2"}},
    ],
}
