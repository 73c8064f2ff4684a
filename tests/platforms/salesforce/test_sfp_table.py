"""The mutability table and the lifecycle, written out again from the page (salesforce.md 4) cell by cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.model.change import FieldChange, Purpose
from reconciler.model.kind import Evidence, Verdict
from reconciler.model.resource import Live
from reconciler.platforms.salesforce import PLATFORM
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.salesforce.wire import BODY_KEYS

STATES = ("Created", "Started", "Stopped", "Archived")
YES, NEW = Verdict.IN_PLACE, Verdict.REPLACE

METRIC = ("metricType", "metricName", "engagementSignalName", "higherIsBetter")
# field: verdict in Created, Started, Stopped, Archived
PAGE = {
    "label": (YES, YES, YES, NEW),
    "description": (YES, YES, YES, NEW),
    "winnerSelectionMode": (YES, NEW, NEW, NEW),
    "chanceToWinThreshold": (YES, NEW, NEW, NEW),
    "minimumDurationInMinutes": (YES, NEW, NEW, NEW),
    "maximumDurationInMinutes": (YES, NEW, NEW, NEW),
    "minimumRequiredParticipants": (YES, NEW, NEW, NEW),
    "scheduleFrequencyInMinutes": (YES, NEW, NEW, NEW),
    "cohorts[].label": (YES, NEW, NEW, NEW),
    "cohorts[].description": (YES, NEW, NEW, NEW),
    "cohorts[].allocationWeight": (YES, NEW, NEW, NEW),
    "cohorts[]": (YES, NEW, NEW, NEW),
    "cohorts[].name": (YES, NEW, NEW, NEW),
    "cohorts[].isControl": (YES, NEW, NEW, NEW),
    "cohorts[].isFallThrough": (YES, NEW, NEW, NEW),
    "cohorts[].personalizerName": (YES, NEW, NEW, NEW),
    "cohorts[].attributeValues[]": (YES, NEW, NEW, NEW),
    "cohorts[].attributeValues[].attributeName": (YES, NEW, NEW, NEW),
    "cohorts[].attributeValues[].attributeEnum": (YES, NEW, NEW, NEW),
    "cohorts[].attributeValues[].value": (YES, NEW, NEW, NEW),
    "primaryMetrics[]": (YES, NEW, NEW, NEW),
    **{f"primaryMetrics[].{key}": (YES, NEW, NEW, NEW) for key in (*METRIC, "overallScoreWeight")},
    "secondaryMetrics[]": (YES, NEW, NEW, NEW),
    **{f"secondaryMetrics[].{key}": (YES, NEW, NEW, NEW) for key in METRIC},
    "parameters[]": (YES, NEW, NEW, NEW),
    "parameters[].engagementSignalName": (YES, NEW, NEW, NEW),
    "parameters[].parameterName": (YES, NEW, NEW, NEW),
    "parameters[].values": (YES, NEW, NEW, NEW),
    "criteria": (YES, NEW, NEW, NEW),
    "name": (NEW, NEW, NEW, NEW),
    "dataSpaceName": (NEW, NEW, NEW, NEW),
    "schemaName": (NEW, NEW, NEW, NEW),
    "schemaEnum": (NEW, NEW, NEW, NEW),
    "source": (NEW, NEW, NEW, NEW),
    "sourceRecordId": (NEW, NEW, NEW, NEW),
    "profileDataGraphName": (NEW, NEW, NEW, NEW),
}

# (from, wanted): actions on the way; None is never
MOVES = {
    ("Created", "Started"): ("Start",),
    ("Created", "Stopped"): None,
    ("Created", "Archived"): None,
    ("Started", "Created"): None,
    ("Started", "Stopped"): ("Stop",),
    ("Started", "Archived"): ("Stop", "Archive"),
    ("Stopped", "Created"): None,
    ("Stopped", "Started"): None,
    ("Stopped", "Archived"): ("Archive",),
    ("Archived", "Created"): None,
    ("Archived", "Started"): None,
    ("Archived", "Stopped"): None,
}


def test_the_table_has_exactly_the_page_fields_and_the_state() -> None:
    assert {row.path for row in KIND.fields} == {*PAGE, "state"}


@pytest.mark.parametrize("path", PAGE)
@pytest.mark.parametrize("column", range(4), ids=STATES)
def test_cell(path: str, column: int, live: Callable[..., Live]) -> None:
    now = live(state=STATES[column])
    concrete = path.replace("[]", "[0]")
    cell = KIND.verdict(FieldChange(concrete, "a", "b"), now, now.spec)
    assert cell.verdict is PAGE[path][column]
    assert cell.note or cell.verdict is YES


def test_only_label_and_description_while_started_are_proven() -> None:
    proven = {
        (row.path, state) for row in KIND.fields for state, cell in row.change.items() if cell.evidence is Evidence.SEED
    }
    assert proven == {("label", "Started"), ("description", "Started")}


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_move(before: str, after: str, live: Callable[..., Live]) -> None:
    now = live(state=before)
    target = {**now.spec, "state": after}
    change = FieldChange("state", before, after)
    cell = KIND.verdict(change, now, target)
    calls = KIND.update_calls(now, target, [change])
    expected = MOVES[before, after]
    if expected is None:
        assert cell.verdict is Verdict.NEVER
        assert after in cell.note or cell.note.startswith("cannot be started again")
        assert calls == ()
    else:
        assert cell.verdict is Verdict.IN_PLACE
        assert [call.query["action"] for call in calls] == list(expected)
        assert all(call.method == "PATCH" and call.body == {} for call in calls)


@pytest.mark.parametrize("before", ["Stopped", "Archived"])
def test_a_restart_is_told_apart(before: str, live: Callable[..., Live]) -> None:
    now = live(state=before)
    cell = KIND.verdict(FieldChange("state", before, "Started"), now, now.spec)
    assert cell.note.startswith("cannot be started again")


def test_an_unknown_state_lets_nothing_change(live: Callable[..., Live]) -> None:
    now = live(state="Running")
    assert KIND.verdict(FieldChange("label", "a", "b"), now, now.spec).verdict is Verdict.NEVER
    assert KIND.verdict(FieldChange("state", "Running", "Stopped"), now, now.spec).verdict is Verdict.NEVER


DONE = {
    Purpose.START: ("Started", "Stopped", "Archived"),
    Purpose.STOP: ("Stopped", "Archived"),
    Purpose.ARCHIVE: ("Archived",),
}


@pytest.mark.parametrize("state", STATES)
def test_an_action_is_done_in_its_state_and_those_after(state: str, live: Callable[..., Live]) -> None:
    started = live(state="Started")
    stop, archive = KIND.end_calls(started)
    start = KIND.create_calls({"name": "a", "state": "Started"})[1]
    for call in (start, stop, archive):
        assert KIND.done(call, live(state=state)) is (state in DONE[call.purpose])


def test_every_writable_key_has_a_row_in_the_table_and_in_the_schema() -> None:
    tops = {row.path.split(".")[0].removesuffix("[]") for row in KIND.fields}
    assert tops == {*BODY_KEYS, "state"} == set(KIND.spec_model.model_fields)
    assert KIND.field("cohorts") is KIND.field("cohorts[]")
    with pytest.raises(KeyError):
        KIND.field("cohort")


def test_the_platform() -> None:
    assert (PLATFORM.name, PLATFORM.default_base_url, PLATFORM.default_api_version) == ("salesforce", None, "65.0")
    assert frozenset({"client_id", "username", "private_key_file"}) in PLATFORM.auth_shapes
    assert [kind.name for kind in PLATFORM.kinds] == ["SalesforceExperiment"]
