"""The platform's own page, "Personalization Experiment Update": its request, against its record, gives its response."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from reconciler.emulator.salesforce.ids import record_id, same_record, with_suffix

PAGE = json.loads("""
{"chanceToWinThreshold": 95,
 "cohorts": [
  {"allocationWeight": 5000, "attributeValues": [{"attributeEnum": null, "attributeName": "Attr1", "value": "1"}],
   "createdById": "005SB000002HvvEYAS", "createdDate": "2025-04-01T14:23:03.000Z", "id": "1GcSB000000032j0AA",
   "isControl": true, "isFallThrough": false, "label": "Cohort 1 (Control)", "name": "cohort_1"},
  {"allocationWeight": 5000, "attributeValues": [{"attributeEnum": null, "attributeName": "Attr1", "value": "2"}],
   "createdById": "005SB000002HvvEYAS", "createdDate": "2025-04-01T14:23:03.000Z", "id": "1GcSB000000032k0AA",
   "isControl": false, "isFallThrough": false, "label": "Cohort 2", "name": "cohort_2"}],
 "createdById": "005SB000002HvvEYAS", "createdDate": "2025-04-01T14:23:02.000Z", "dataSpaceName": "default",
 "description": "new description", "id": "1GaSB00000Cojr30AB", "isRemote": false, "label": "newExperimentLabel",
 "lastAnalyzed": null, "lastModifiedById": "005SB000002HsR5YAK", "lastModifiedDate": "2026-01-07T14:55:21.000Z",
 "maximumDurationInMinutes": 129600, "minimumDurationInMinutes": 20160, "minimumRequiredParticipants": 1000,
 "name": "testExp50",
 "parameters": [
  {"engagementSignalName": "Flow_Email_Click_3", "parameterName": "DeviceModel",
   "values": ["iPhone 16", "iPad Air", "iPad Mini"]},
  {"engagementSignalName": "Flow_Email_Click_3", "parameterName": "EmailsInFlowExp",
   "values": ["testEmail1", "testEmail1"]},
  {"engagementSignalName": "A_New_Flow_Email_Click_New", "parameterName": "EmailsInFlowExp2",
   "values": ["testEmail3", "testEmail3"]},
  {"engagementSignalName": "Flow_Email_Click_3", "parameterName": "OS", "values": ["iOS 26", "iOS 18"]}],
 "primaryMetrics": [{"higherIsBetter": true, "metricName": "TwoCompound", "metricType": "EngagementSignalCompound",
                     "overallScoreWeight": 10000}],
 "profileDataGraphName": "RTDG", "scheduleFrequencyInMinutes": 1440, "schemaName": "AResponseTemplate",
 "secondaryMetrics": [{"engagementSignalName": "Flow_Email_Click_3", "higherIsBetter": true,
                       "metricName": "Count Indv_Flow_Email_Click_3", "metricType": "EngagementSignal"}],
 "source": "FlowBuilder", "sourceRecordId": null, "startedDate": "2025-06-17T01:46:53.000Z", "state": "Started",
 "status": "Active", "stoppedDate": null,
 "url": "/services/data/v65.0/personalization/abn-experiments/1GaSB00000Cojr30AB", "winnerSelectionMode": "Manual"}
""")
REQUEST = {"label": "newExperimentLabel", "description": "new description"}


@pytest.fixture
def page_row(world: Any) -> dict[str, Any]:
    row = copy.deepcopy(PAGE)
    del row["url"]
    row.update(label="old label", description=None, lastModifiedDate="2025-06-17T01:46:53.000Z")
    world.table("salesforce", "experiments")[row["id"]] = row
    return dict(row)


@pytest.mark.parametrize("target", ["1GaSB00000Cojr30AB", "1GaSB00000Cojr3", "testExp50"])
def test_the_pages_request_gives_the_pages_response_in_its_key_order(api: Any, page_row: Any, target: str) -> None:
    response = api.patch(target, REQUEST)
    assert response.status_code == 200
    assert json.dumps(response.json()) == json.dumps(PAGE)
    assert api.get(target) == PAGE


def test_a_created_experiment_has_the_pages_key_set(api: Any) -> None:
    made = api.create()
    assert list(made) == list(PAGE)
    assert [list(cohort) for cohort in made["cohorts"]] == [list(cohort) for cohort in PAGE["cohorts"]]
    assert list(made["primaryMetrics"][0]) == list(PAGE["primaryMetrics"][0])
    assert list(made["secondaryMetrics"][0]) == list(PAGE["secondaryMetrics"][0])
    lifecycle = {key: made[key] for key in ("state", "status", "startedDate", "stoppedDate", "lastAnalyzed")}
    assert lifecycle == {
        "state": "Created",
        "status": "Processing",
        "startedDate": None,
        "stoppedDate": None,
        "lastAnalyzed": None,
    }
    for record, prefix in [(made, "1Ga"), *((cohort, "1Gc") for cohort in made["cohorts"])]:
        assert record["id"].startswith(prefix)
        assert record["id"] == with_suffix(record["id"][:15])
    assert made["url"].endswith(f"/v65.0/personalization/abn-experiments/{made['id']}")
    assert made["createdDate"] == "2026-01-07T14:55:21.000Z"


@pytest.mark.parametrize(
    "full",
    ["1GaSB00000Cojr30AB", "1GcSB000000032j0AA", "1GcSB000000032k0AA", "005SB000002HvvEYAS", "005SB000002HsR5YAK"],
)
def test_the_suffix_is_that_of_the_pages_ids(full: str) -> None:
    assert with_suffix(full[:15]) == full
    assert same_record(full[:15], full)
    assert not same_record(full.swapcase()[:15], full)


def test_ids_never_repeat_though_some_differ_in_capitals_alone() -> None:
    ids = [record_id("1Ga", number) for number in range(4000)]
    assert len(set(ids)) == 4000
    assert len({key[:15].lower() for key in ids}) < 4000
    with pytest.raises(ValueError):
        with_suffix("short")
    with pytest.raises(ValueError):
        record_id("1Ga", -1)
