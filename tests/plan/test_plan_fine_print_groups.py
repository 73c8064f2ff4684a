"""Contract, section 7: X groups, paths, the life of a Salesforce experiment, targets and summary."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_builders import (
    LI,
    REPLACE,
    SF,
    X,
    bodies,
    cell,
    cohort,
    desired,
    group,
    live,
    managed,
    only,
    plan,
    quiet,
    record,
    wire,
)

from reconciler.model.change import Action

# --- X groups --------------------------------------------------------------------------------------------------------


def test_x_groups_are_tied_by_recorded_ids() -> None:
    """Both groups were renamed and swapped by hand; the recorded ids still tell which is which."""
    before = desired(X)
    body = wire(X, before.spec, "SCHEDULED", "hr7l0")
    body["user_groups"][0]["name"], body["user_groups"][1]["name"] = "b", "a"
    body["user_groups"].reverse()
    shown = X.from_wire(body, account="18ce54d4x5t")
    change = only(managed(before, before, "", shown))
    assert {item.path for item in change.fields} == {"user_groups[0].name", "user_groups[1].name"}
    assert {item["id"]: item["name"] for item in bodies(change)[0]["user_groups"]} == {"hr7l0g0": "a", "hr7l0g1": "b"}


def test_x_groups_without_a_record_are_tied_by_unique_name() -> None:
    wanted = desired(X, user_groups=[group("b", "60.00", "e3", "e4"), group("a", "40.00", "e1", "e2")])
    change = only(plan([wanted], others=[("x", live(desired(X)))]))
    assert {item["id"]: item["size"] for item in bodies(change)[0]["user_groups"]} == {
        "hr7l0g0": "40.00",
        "hr7l0g1": "60.00",
    }


def test_x_groups_without_names_are_tied_by_the_largest_overlap() -> None:
    before = desired(X, user_groups=[group(None, "50.00", "e1", "e2", "e5"), group(None, "50.00", "e3", "e4")])
    after = desired(X, user_groups=[group(None, "50.00", "e3", "e4", "e5"), group(None, "50.00", "e1", "e2")])
    change = only(managed(before, after))
    sent = {item["id"]: set(item["entity_ids"]) for item in bodies(change)[0]["user_groups"]}
    assert sent == {"hr7l0g0": {"e1", "e2"}, "hr7l0g1": {"e3", "e4", "e5"}}
    assert {item.path for item in change.fields} == {"user_groups[0].entity_ids", "user_groups[1].entity_ids"}


def test_x_entity_ids_is_one_path() -> None:
    after = desired(X, user_groups=[group("a", "50.00", "e1", "e9"), group("b", "50.00", "e3", "e4")])
    (item,) = only(managed(desired(X), after)).fields
    assert (item.path, item.before, item.after) == ("user_groups[0].entity_ids", ["e1", "e2"], ["e1", "e9"])


def test_x_a_moved_entity_names_both_groups() -> None:
    after = desired(X, user_groups=[group("a", "50.00", "e1"), group("b", "50.00", "e2", "e3", "e4")])
    change = only(managed(desired(X), after))
    assert len(bodies(change)[0]["user_groups"]) == 2


# --- paths -----------------------------------------------------------------------------------------------------------


def test_paths_go_by_position_in_the_manifest_and_in_live_where_only_live_has_them() -> None:
    before = desired(SF, cohorts=[cohort("control", 4000, control=True), cohort("gone", 3000), cohort("red", 3000)])
    after = desired(SF, cohorts=[cohort("red", 3000, label="R"), cohort("control", 7000, control=True)])
    change = only(managed(before, after))
    assert [item.path for item in change.fields] == [
        "cohorts[0].label",
        "cohorts[1].allocationWeight",
        "cohorts[1]",
    ]
    assert change.fields[2].after is None and change.fields[2].before["name"] == "gone"


# --- Salesforce lifecycle --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["Created", "Started", "Stopped"])
def test_a_state_not_stated_is_never_touched(state: str) -> None:
    wanted = desired(SF)
    made = managed(wanted, wanted, "Created", live(wanted, state))
    assert not made.changes and not made.bookkeeping


def test_stopped_by_hand_while_started_is_wanted() -> None:
    wanted = desired(SF, state="Started")
    made = managed(wanted, wanted, "Started", live(wanted, "Stopped"))
    assert quiet(made)
    assert "cannot be started again" in made.warnings[0].message
    change = only(managed(wanted, desired(SF, state="Started", label="L"), "Started", live(wanted, "Stopped")))
    assert change.action is Action.UPDATE and bodies(change) == [{"label": "L"}]
    assert any("cannot be started again" in text for text in change.warnings)


def test_started_by_hand_while_created_is_wanted_is_said() -> None:
    wanted = desired(SF, state="Created")
    made = managed(wanted, wanted, "Created", live(wanted, "Started"))
    assert not made.changes and "state" in made.warnings[0].message


def test_a_replace_that_keeps_the_api_name_is_blocked() -> None:
    before = desired(SF)
    change = only(managed(before, desired(SF, "hero", "", REPLACE, source="Agentforce"), "Started", allow=0))
    assert change.action is Action.BLOCKED and change.intent is Action.REPLACE
    assert any("API name" in text for text in change.reasons)


def test_a_replace_with_a_new_name_stops_and_archives_first() -> None:
    before = desired(SF, state="Started")
    after = desired(SF, "hero", "", REPLACE, state="Started", source="Agentforce", name="hero2")
    change = only(managed(before, after, "Started", allow=0))
    assert change.action is Action.REPLACE and change.old_calls == 2
    assert [(call.method, call.query.get("action")) for call in change.calls] == [
        ("PATCH", "Stop"),
        ("PATCH", "Archive"),
        ("POST", None),
        ("PATCH", "Start"),
    ]
    assert change.calls[3].path.endswith("/hero2")


def test_manual_mode_out_of_range_is_a_warning() -> None:
    before = desired(SF, winnerSelectionMode="Manual")
    after = desired(SF, winnerSelectionMode="Manual", minimumRequiredParticipants=10)
    change = only(managed(before, after))
    assert change.action is Action.UPDATE and any("minimumRequiredParticipants" in text for text in change.warnings)


# --- targets, summary ------------------------------------------------------------------------------------------------


def test_targets_leave_out_the_rest() -> None:
    a, b = desired(LI, "a"), desired(LI, "b", cells=[cell("x", 7), cell("y", 8)])
    made = plan([a, b], targets=[a.key])
    assert [change.key.name for change in made.changes] == ["a"] and made.summary["no-op"] == 0


def test_summary_counts_every_managed_experiment_once() -> None:
    a, b = desired(LI, "a"), desired(LI, "b", cells=[cell("x", 7), cell("y", 8)])
    found = live(b, "PENDING", "9")
    made = plan([a, b], [record(b, found)], {b.key: found})
    assert sum(made.summary.values()) == 2
    assert made.summary == {
        "create": 1,
        "update": 0,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "forget": 0,
        "no-op": 1,
        "blocked": 0,
    }


def test_blocked_reasons_name_field_rule_and_status() -> None:
    before = desired(X, "hero", "LIVE")
    change = only(managed(before, desired(X, "hero", "LIVE", name="n"), "LIVE"))
    text = " ".join(change.reasons)
    assert "name" in text and "LIVE" in text and "SCHEDULED" in text


def test_status_words_per_platform() -> None:
    for kind, status in ((LI, "RUNNING"), (X, "LIVE"), (SF, "Started")):
        before = desired(kind, "hero", status)
        change = only(managed(before, None, status, allow=0))
        assert change.status == status
    moved = replace(live(desired(SF)), busy="Processing")
    change = only(managed(desired(SF), desired(SF, label="L"), "", moved))
    assert change.status == "Created", "Salesforce's own status is no status of ours"
