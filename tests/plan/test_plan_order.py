"""Who holds what, who goes first, circles, and the platform's own dry run laid over the plan."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from plan_builders import (
    LI,
    NOW,
    REPLACE,
    SF,
    X,
    cell,
    desired,
    group,
    live,
    only,
    plan,
    plan_inputs,
    record,
)

from reconciler.model.change import Action, Plan
from reconciler.model.resource import Desired, Found, Key, Live
from reconciler.plan.order import freed_for
from reconciler.plan.planner import make_plan
from reconciler.plan.preflight import preflight_items, with_preflight
from reconciler.platforms.session import Preflight, PreflightFinding


def li(name: str, /, *campaigns: int, status: str = "PENDING", **changes: Any) -> Desired:
    return desired(LI, name, status, cells=[cell("a", campaigns[0]), cell("b", campaigns[1])], **changes)


def seen(*wanted: Desired, status: str = "") -> dict[Key, Live]:
    return {item.key: live(item, status, str(70 + n)) for n, item in enumerate(wanted)}


def recorded(found: dict[Key, Live], *wanted: Desired) -> list[Any]:
    return [record(item, found[item.key]) for item in wanted]


def names(made: Plan) -> list[str]:
    return [change.key.name for change in made.changes]


# --- order -----------------------------------------------------------------------------------------------------------


def test_what_releases_goes_before_what_claims() -> None:
    old, new = li("z-old", 1, 2), li("a-new", 2, 3)
    found = seen(old)
    made = plan([new], recorded(found, old), found, allow=0)
    assert names(made) == ["z-old", "a-new"]
    assert made.changes[1].after == (old.key,)


def test_what_is_free_by_then_is_what_all_that_go_before_had() -> None:
    """An error of LinkedIn's own check about any of these campaigns does not block: it is gone by then."""
    one, two, new = li("one", 1, 5), li("two", 2, 6), li("new", 1, 2)
    found = seen(one, two)
    inputs = plan_inputs([new], recorded(found, one, two), found, allow=0)
    made = make_plan(inputs)
    (create,) = [change for change in made.changes if change.key == new.key]
    assert create.after == (one.key, two.key)
    assert freed_for(create, made, inputs) == {f"campaign urn:li:sponsoredCampaign:{n}" for n in (1, 2, 5, 6)}


def test_an_update_that_releases_goes_first() -> None:
    z, a = li("z", 1, 2), li("a", 3, 4)
    found = seen(z, a)
    made = plan([li("z", 1, 5), li("a", 3, 2)], recorded(found, z, a), found)
    assert names(made) == ["z", "a"] and made.changes[1].after == (z.key,)


def test_a_chain() -> None:
    a, b, c = li("a", 1, 2), li("b", 3, 4), li("c", 5, 6)
    found = seen(a, b, c)
    made = plan([li("a", 1, 4), li("b", 3, 6), li("c", 5, 7)], recorded(found, a, b, c), found)
    assert names(made) == ["c", "b", "a"]


def test_a_circle_is_blocked_with_both_named() -> None:
    a, b = li("a", 1, 2), li("b", 3, 4)
    found = seen(a, b)
    made = plan([li("a", 1, 4), li("b", 3, 2)], recorded(found, a, b), found)
    assert made.summary["blocked"] == 2
    for change in made.changes:
        assert not change.calls and change.intent is Action.UPDATE
        assert any("LinkedInExperiment/a" in text and "LinkedInExperiment/b" in text for text in change.reasons)


def test_a_circle_of_three_and_what_waits_for_it() -> None:
    a, b, c, d = li("a", 1, 2), li("b", 3, 4), li("c", 5, 6), li("d", 7, 8)
    found = seen(a, b, c, d)
    wanted = [li("a", 2, 3), li("b", 4, 5), li("c", 6, 1), li("d", 7, 8, name="free")]
    made = plan(wanted, recorded(found, a, b, c, d), found)
    assert made.summary["blocked"] == 3 and made.summary["update"] == 1


def test_windows_that_do_not_overlap_do_not_wait() -> None:
    a = li("a", 1, 2)
    later = {"scheduledStartAt": "2027-01-11T08:00:00Z", "scheduledEndAt": "2027-02-11T08:00:00Z"}
    b = li("b", 2, 3, **later)
    found = seen(a)
    made = plan([a, b], recorded(found, a), found)
    assert only(made).action is Action.CREATE


def test_what_waits_for_a_blocked_change_is_blocked() -> None:
    old, new = li("old", 1, 2), li("new", 2, 3)
    found = seen(old)
    made = plan([new], recorded(found, old), found)  # no --allow-destroy
    assert [(change.key.name, change.action) for change in made.changes] == [
        ("new", Action.BLOCKED),
        ("old", Action.BLOCKED),
    ]
    assert any("campaign urn:li:sponsoredCampaign:2" in text and "old" in text for text in made.changes[0].reasons)


def test_salesforce_name_is_free_after_a_delete_only() -> None:
    old, new = desired(SF, "old"), desired(SF, "new")
    created = live(old, "Created")
    made = plan([new], [record(old, created)], {old.key: created}, allow=0)
    assert names(made) == ["old", "new"] and made.changes[1].action is Action.CREATE
    started = live(old, "Started")
    made = plan([new], [record(old, started)], {old.key: started}, allow=0)
    assert {change.key.name: change.action for change in made.changes} == {
        "old": Action.DELETE,
        "new": Action.BLOCKED,
    }


def test_salesforce_names_of_two_connections_do_not_meet() -> None:
    old = desired(SF, "old")
    new = replace(desired(SF, "new"), connection="second")
    found = live(old, "Started")
    made = plan([old, new], [record(old, found)], {old.key: found}, others=[("crm", found)])
    assert only(made).action is Action.CREATE


# --- holders ---------------------------------------------------------------------------------------------------------


def test_x_entity_held_by_a_test_that_is_not_managed() -> None:
    stranger = live(desired(X, user_groups=[group("p", "50.00", "e2"), group("q", "50.00", "e7")]), "LIVE", "zz1")
    made = plan([desired(X)], others=[("x", stranger)])
    change = only(made)
    assert change.action is Action.BLOCKED and change.intent is Action.CREATE
    assert any("zz1" in text and "e2" in text for text in change.reasons)


def test_x_entity_of_a_completed_test_does_not_block() -> None:
    other = desired(X, "o", "COMPLETED", user_groups=[group("p", "50.00", "e2"), group("q", "50.00", "e7")])
    made = plan([desired(X)], others=[("x", live(other, "COMPLETED", "zz1"))])
    assert only(made).action is Action.CREATE
    (warning,) = (text for text in only(made).warnings if "zz1" in text)
    assert "e2" in warning and "e7" not in warning and "a refusal will be reported" in warning


def test_x_entity_of_a_completed_test_that_is_managed_is_told_too() -> None:
    other = desired(X, "o", "COMPLETED", user_groups=[group("p", "50.00", "e2"), group("q", "50.00", "e7")])
    found = live(other, "COMPLETED", "zz1")
    made = plan([desired(X), other], [record(other, found)], {other.key: found})
    assert [change.key for change in made.changes] == [desired(X).key]
    assert any("zz1, which is over (COMPLETED)" in text for text in made.changes[0].warnings)


def test_x_an_update_that_takes_a_held_entity_is_blocked() -> None:
    before = desired(X)
    stranger = live(desired(X, user_groups=[group("p", "50.00", "e8"), group("q", "50.00", "e9")]), "LIVE", "zz1")
    after = desired(X, user_groups=[group("a", "50.00", "e1", "e2", "e8"), group("b", "50.00", "e3", "e4")])
    made = plan([after], [record(before)], {before.key: live(before)}, others=[("x", stranger)])
    assert only(made).action is Action.BLOCKED


def test_a_managed_holder_that_stays() -> None:
    a, b = li("a", 1, 2), li("b", 3, 4)
    found = seen(a, b)
    made = plan([a, li("b", 3, 2)], recorded(found, a, b), found)
    change = only(made)
    assert change.action is Action.BLOCKED and any("LinkedInExperiment/a" in text for text in change.reasons)


def test_a_managed_holder_that_is_not_targeted() -> None:
    """With --target only the claimer is planned; the holder was met while searching for its campaigns."""
    a, b = li("a", 1, 2), li("b", 3, 2)
    found = seen(a)
    made = plan([b], recorded(found, a), {}, others=[("linkedin", found[a.key])], targets=[b.key], allow=0)
    change = only(made)
    assert change.action is Action.BLOCKED
    assert any("LinkedInExperiment/a" in text for text in change.reasons)


def test_what_both_held_before_is_no_new_conflict() -> None:
    a, b = li("a", 1, 2), li("b", 2, 3)
    found = seen(a, b)
    made = plan([a, li("b", 2, 3, name="new")], recorded(found, a, b), found)
    assert only(made).action is Action.UPDATE


def test_a_replace_keeps_its_own_campaigns() -> None:
    before = li("a", 1, 2, status="RUNNING")
    found = seen(before, status="RUNNING")
    after = replace(before, spec={**before.spec, "keyMetric": "CPM"}, lifecycle=REPLACE)
    assert only(plan([after], recorded(found, before), found, allow=0)).action is Action.REPLACE


def test_an_ended_holder_holds_nothing() -> None:
    old, new = li("old", 1, 2, status="ENDED"), li("new", 2, 3)
    found = seen(old, status="ENDED")
    made = plan([old, new], recorded(found, old), found)
    assert only(made).action is Action.CREATE and not only(made).after


# --- permutations ----------------------------------------------------------------------------------------------------


def test_the_order_of_inputs_does_not_matter() -> None:
    a, b, c = li("a", 1, 2), li("b", 3, 4), li("c", 5, 6)
    found = seen(a, b, c)
    wanted = [li("a", 1, 4), li("b", 3, 6), li("d", 5, 8)]
    inputs = plan_inputs(wanted, recorded(found, a, b, c), found, others=[("linkedin", x) for x in found.values()])
    expected = make_plan(replace(inputs, options=replace(inputs.options, allow_destroy=0)))
    shuffler = random.Random(1)
    for _ in range(20):

        def mixed(mapping: Any) -> Any:
            items = list(mapping.items())
            shuffler.shuffle(items)
            return dict(items)

        others = list(inputs.others)
        shuffler.shuffle(others)
        again = replace(
            inputs,
            desired=mixed(inputs.desired),
            records=mixed(inputs.records),
            readings=mixed(inputs.readings),
            others=tuple(others),
            options=replace(inputs.options, allow_destroy=0),
        )
        assert make_plan(again) == expected


# --- preflight -------------------------------------------------------------------------------------------------------


def error(code: str, entity: str = "") -> PreflightFinding:
    return PreflightFinding(code, "text", True, entity)


def warned(code: str) -> PreflightFinding:
    return PreflightFinding(code, "text", False)


def test_errors_block_and_warnings_are_shown() -> None:
    a, b = li("a", 1, 2), li("b", 3, 4)
    inputs = plan_inputs([a, b])
    made = make_plan(inputs)
    answers = {"linkedin": Preflight({a.key: (error("CAMPAIGN_NOT_FOUND"),), b.key: (warned("CAMPAIGN_ON_HOLD"),)})}
    laid = with_preflight(made, answers, inputs)
    first, second = laid.changes
    assert first.action is Action.BLOCKED and not first.calls and "CAMPAIGN_NOT_FOUND" in first.reasons[-1]
    assert second.action is Action.CREATE and any("CAMPAIGN_ON_HOLD" in text for text in second.warnings)


def test_refused_by_role_is_a_warning() -> None:
    inputs = plan_inputs([li("a", 1, 2)])
    laid = with_preflight(make_plan(inputs), {"linkedin": Preflight(warnings=("403",))}, inputs)
    assert laid.summary["create"] == 1 and [item.message for item in laid.warnings] == ["403"]


@pytest.mark.parametrize(
    ("finding", "action"),
    [
        pytest.param(
            error("CAMPAIGN_ALREADY_SCHEDULED", "campaign urn:li:sponsoredCampaign:2"), Action.CREATE, id="freed"
        ),
        pytest.param(
            error("CAMPAIGN_ALREADY_SCHEDULED", "campaign urn:li:sponsoredCampaign:3"), Action.BLOCKED, id="not-freed"
        ),
        pytest.param(error("CAMPAIGN_NOT_FOUND", "campaign urn:li:sponsoredCampaign:2"), Action.BLOCKED, id="other"),
    ],
)
def test_an_error_about_a_campaign_that_an_earlier_change_frees(finding: PreflightFinding, action: Action) -> None:
    old, new = li("old", 1, 2), li("new", 2, 3)
    found = seen(old)
    inputs = plan_inputs([new], recorded(found, old), found, allow=0)
    laid = with_preflight(make_plan(inputs), {"linkedin": Preflight({new.key: (finding,)})}, inputs)
    assert {change.key.name: change.action for change in laid.changes} == {"old": Action.DELETE, "new": action}


def test_a_replace_frees_its_own_campaigns() -> None:
    before = li("a", 1, 2, status="RUNNING")
    found = seen(before, status="RUNNING")
    after = replace(before, spec={**before.spec, "keyMetric": "CPM"}, lifecycle=REPLACE)
    inputs = plan_inputs([after], recorded(found, before), found, allow=0)
    finding = error("CAMPAIGN_ALREADY_SCHEDULED", "campaign urn:li:sponsoredCampaign:1")
    laid = with_preflight(make_plan(inputs), {"linkedin": Preflight({after.key: (finding,)})}, inputs)
    assert only(laid).action is Action.REPLACE


def test_what_waits_for_one_that_the_dry_run_blocks_is_blocked() -> None:
    z, a = li("z", 1, 2), li("a", 3, 4)
    found = seen(z, a)
    inputs = plan_inputs([li("z", 1, 5), li("a", 3, 2)], recorded(found, z, a), found)
    laid = with_preflight(make_plan(inputs), {"linkedin": Preflight({z.key: (error("X"),)})}, inputs)
    assert [change.action for change in laid.changes] == [Action.BLOCKED, Action.BLOCKED]
    assert any("waits for" in text for text in laid.changes[1].reasons)


def test_what_is_asked_about() -> None:
    """An update is asked with the whole merged entity, a create with what it states, an ending not at all."""
    changed, gone = li("a", 1, 2, description="d"), li("b", 3, 4)
    found = seen(changed, gone)
    new = li("c", 5, 6, description=None)
    inputs = plan_inputs([li("a", 1, 2, name="new"), new], recorded(found, changed, gone), found, allow=0)
    made = make_plan(inputs)
    items = {item.key.name: item for item in preflight_items(made, inputs)["linkedin"]}
    assert set(items) == {"a", "c"}
    assert items["a"].live == found[changed.key]
    expected = {**found[changed.key].spec, "name": "new"}
    del expected["description"]
    assert items["a"].target == expected
    assert items["c"].live is None and items["c"].target == {k: v for k, v in new.spec.items() if v is not None}


def test_a_state_that_the_plan_leaves_alone_is_not_asked_about() -> None:
    """Cancelled by hand and not over yet: it cannot become ACTIVE again, and the plan does not try."""
    before = li("a", 1, 2, status="RUNNING", userIntendedState="ACTIVE")
    shown = live(before, "RUNNING", "70", userIntendedState="CANCELED")
    after = li("a", 1, 2, status="RUNNING", userIntendedState="ACTIVE", name="new")
    inputs = plan_inputs([after], [record(before, shown)], {before.key: Found(shown)}, now=NOW)
    (item,) = preflight_items(make_plan(inputs), inputs)["linkedin"]
    assert item.target["userIntendedState"] == "CANCELED"


def test_what_a_role_may_not_ask_about_is_one_warning_that_names_what_was_asked() -> None:
    """Refused by role (403): a warning, not a failure; an experiment that was not asked about is not named."""
    a, b = li("a", 1, 2), li("b", 3, 4)
    inputs = plan_inputs([a, b])
    said = {"a VIEWER may not ask about {names}": (b.key, a.key, Key(LI.name, "c")), "nobody: {names}": ()}
    made = with_preflight(make_plan(inputs), {"linkedin": Preflight(refused=said)}, inputs)
    assert [(warning.key, warning.message) for warning in made.warnings] == [
        ("", "a VIEWER may not ask about LinkedInExperiment/a, LinkedInExperiment/b")
    ]
    assert made.summary["create"] == 2
