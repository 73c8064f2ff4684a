"""`reconciler import` against the emulated platforms: what it writes, records, refuses and says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kinds import CASES, Case
from laboratory import CONNECTIONS, T0, Lab, at, epoch_ms

from reconciler.cli import import_command
from reconciler.state.file_store import FileStore

EVERY = [pytest.param(case, id=case.kind) for case in CASES]
STATUSES = [pytest.param(case, status, id=f"{case.kind}-{status}") for case in CASES for status in case.reach]
HERE = Path(__file__).parent


def live(lab: Lab, case: Case, status: str = "", spec: dict[str, Any] | None = None) -> str:
    """Make a live experiment that nobody manages, in a status; gives its remote id."""
    key = lab.manifest(case.kind, spec or case.spec, "made")
    lab.apply("--target", key)
    remote_id = lab.remote_id(key)
    if status:
        case.reach[status](lab, remote_id)
    lab.run("state", "rm", key).must(0)
    lab.unwrite(case.kind, "made")
    lab.forget_requests()
    return remote_id


def settled(lab: Lab) -> None:
    """Fail unless the manifests validate, nothing is to plan, nothing drifted, and nothing was sent."""
    lab.run("validate").must(0)
    assert lab.plan(code=0)["changes"] == []
    found = lab.drift()
    assert found["drift"] == []
    assert found["progress"] == []
    assert lab.writes == []


def files(lab: Lab) -> list[str]:
    """Every file of the project's manifests, hidden ones too."""
    root = lab.dir / "experiments"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def salesforce_row(name: str = "testExp50", **more: Any) -> dict[str, Any]:
    """The page's example response as a row of the emulated org."""
    row = json.loads((HERE.parent / "imports" / "salesforce_page_response.json").read_text(encoding="utf-8"))
    row.pop("url")
    return {**row, "name": name, **more}


def hold_row(lab: Lab, row: dict[str, Any]) -> str:
    """Put a row into the emulated org as it is; gives its id."""
    rows = lab.server.world.table("salesforce", "experiments")
    number = len(rows)
    row = {**row, "id": row["id"] if not number else f"1GaSB0000{number:06d}AAA"}
    rows[row["id"]] = row
    return str(row["id"])


def x_row(remote_id: str = "zz9", **more: Any) -> dict[str, Any]:
    """A row of the emulated X, as its API shows it."""
    return {
        "id": remote_id,
        "account_id": "18ce54d4x5t",
        "name": "Photo or drawing",
        "description": None,
        "entity_type": "CAMPAIGN",
        "status": "SCHEDULED",
        "start_time": at(7),
        "end_time": at(21),
        "user_groups": [
            {"id": f"{remote_id}a", "name": "photo", "description": None, "size": "50.0", "entity_ids": ["c1001"]},
            {"id": f"{remote_id}b", "name": "", "description": None, "size": "50.0", "entity_ids": ["c1002"]},
        ],
        "created_by": "756201191646691328",
        "created_at": at(-1),
        "updated_at": at(-1),
        "updated_by": "756201191646691328",
        "deleted": False,
        **more,
    }


def hold_x(lab: Lab, remote_id: str = "zz9", **more: Any) -> str:
    """Put an A/B test into the emulated X as it is."""
    lab.server.world.table("x-ads", "ab_tests")[remote_id] = x_row(remote_id, **more)
    return remote_id


def hold_linkedin(lab: Lab, number: int = 40001, **more: Any) -> str:
    """Put an experiment into the emulated LinkedIn as it is."""
    stamp = {"actor": "urn:li:person:a", "time": epoch_ms(at(-1))}
    row = {
        "id": number,
        "account": "urn:li:sponsoredAccount:123",
        "name": "Headline",
        "keyMetric": "CPC",
        "confidence": 90,
        "autoStop": "AUTO_STOP_AT_END_DATE",
        "userIntendedState": "ACTIVE",
        "executionState": "PENDING",
        "scheduledStartAt": epoch_ms(at(7)),
        "scheduledEndAt": epoch_ms(at(37)),
        "cells": [
            {"name": "a", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1001"}},
            {"name": "b", "trafficWeight": 50, "reference": {"campaign": "urn:li:sponsoredCampaign:1002"}},
        ],
        "created": stamp,
        "lastModified": stamp,
        **more,
    }
    lab.server.world.table("linkedin", "experiments")[str(number)] = row
    return str(number)


# --- one experiment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "status"), STATUSES)
def test_the_plan_after_an_import_is_empty(lab: Lab, case: Case, status: str) -> None:
    remote_id = live(lab, case, status)
    ran = lab.run("import", case.kind, remote_id).must(0)
    (written,) = files(lab)
    assert written.startswith(f"{CONNECTIONS[case.platform]}/")
    assert written in ran.err
    settled(lab)
    text = (lab.dir / "experiments" / written).read_text(encoding="utf-8")
    name = Path(written).stem
    record = lab.record(f"{case.kind}/{name}")
    assert record["remoteId"] == remote_id
    source = f"# imported from {CONNECTIONS[case.platform]} {remote_id} ({record['status']}) on {lab.now():%Y-%m-%d}\n"
    assert text.startswith(source)


@pytest.mark.parametrize("case", EVERY)
def test_what_is_stated_is_what_was_applied_before(lab: Lab, case: Case) -> None:
    remote_id = live(lab, case)
    lab.run("import", case.kind, remote_id).must(0)
    (written,) = files(lab)
    spec = yaml.load((lab.dir / "experiments" / written).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["spec"]
    stated = {key for key, value in case.spec.items() if value not in (None, "AUTO_STOP_AT_END_DATE", "Manual")}
    assert set(spec) >= stated
    for key in ("id", "created", "executionState", "createdDate", "status", "created_at"):
        assert key not in spec


def test_an_edit_after_an_import_is_one_small_update(lab: Lab) -> None:
    remote_id = hold_x(lab)
    lab.run("import", "XAdsABTest", remote_id).must(0)
    path = lab.dir / "experiments" / "x" / "photo-or-drawing.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: photo\n", "name: foto\n"), encoding="utf-8")
    (change,) = lab.plan(code=0)["changes"]
    assert change["action"] == "update"
    assert change["calls"][0]["body"] == {"user_groups": [{"id": "zz9a", "name": "foto"}]}


def test_the_page_of_salesforce_as_a_manifest(lab: Lab) -> None:
    remote_id = hold_row(lab, salesforce_row())
    lab.run("import", "SalesforceExperiment", remote_id).must(0)
    text = (lab.dir / "experiments" / "crm" / "testexp50.yaml").read_text(encoding="utf-8")
    golden = HERE.parent / "imports" / "salesforce_page_manifest.yaml"
    if os.environ.get("RENEW_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    settled(lab)


def test_an_api_name_does_for_salesforce(lab: Lab) -> None:
    remote_id = hold_row(lab, salesforce_row())
    lab.run("import", "SalesforceExperiment", "testExp50").must(0)
    assert lab.record("SalesforceExperiment/testexp50")["remoteId"] == remote_id
    settled(lab)


def test_x_is_looked_for_in_the_accounts_of_the_connection(lab: Lab) -> None:
    hold_x(lab)
    lab.run("import", "XAdsABTest", "18ce54d4x5t/zz9", "--name", "mine").must(0)
    assert files(lab) == ["x/mine.yaml"]
    settled(lab)
    ran = lab.run("import", "XAdsABTest", "zz8").must(1)
    assert "there is no XAdsABTest zz8" in ran.err
    assert "account 18ce54d4x5t" in ran.err
    assert files(lab) == ["x/mine.yaml"]


def test_sizes_as_numbers_and_missing_texts_of_x(lab: Lab) -> None:
    groups = [
        {"id": "g1", "name": None, "size": 33, "entity_ids": ["c1001"]},
        {"id": "g2", "name": "no", "size": 33.5, "entity_ids": ["c1002"]},
        {"id": "g3", "name": "012", "size": "33.50", "entity_ids": ["c1003"]},
    ]
    hold_x(lab, name=None, user_groups=groups)
    lab.run("import", "XAdsABTest", "zz9").must(0)
    assert files(lab) == ["x/xadsabtest-zz9.yaml"]
    settled(lab)


def test_in_a_project_with_schemas_the_editor_is_told(lab: Lab) -> None:
    lab.run("schema", "--out", ".reconciler/schemas").must(0)
    hold_x(lab)
    lab.run("import", "XAdsABTest", "zz9").must(0)
    first, second, *_ = (lab.dir / "experiments/x/photo-or-drawing.yaml").read_text(encoding="utf-8").split("\n")
    assert first == "# yaml-language-server: $schema=../../.reconciler/schemas/xads-ab-test.json"
    assert (lab.dir / "experiments/x" / first.partition("=")[2]).resolve().is_file()
    assert second == "# imported from x zz9 (SCHEDULED) on 2026-11-25"


def test_the_connection_is_named_where_there_are_several(lab: Lab) -> None:
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text(encoding="utf-8"))
    project["connections"]["other"] = project["connections"]["x"]
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    hold_x(lab)
    ran = lab.run("import", "XAdsABTest", "zz9").must(1)
    assert "say which: --connection other or x" in ran.err
    lab.run("import", "XAdsABTest", "zz9", "--connection", "other").must(0)
    text = (lab.dir / "experiments/other/photo-or-drawing.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["metadata"] == {"name": "photo-or-drawing", "connection": "other"}
    settled(lab)
    ran = lab.run("import", "XAdsABTest", "zz9", "--connection", "x").must(1)
    assert "managed already, as XAdsABTest/photo-or-drawing" in ran.err


def test_fmt_leaves_an_imported_manifest_as_it_is(lab: Lab) -> None:
    hold_row(lab, salesforce_row(criteria={"op": "and", "rules": [{"f": "a, b", "v": [1, 2.5, None]}, {"f": "c: d"}]}))
    hold_x(lab)
    hold_linkedin(lab, description="many words " * 30 + "end", name="Überschrift: 'neu' #1")
    lab.run("import", "--all").must(0)
    assert len(files(lab)) == 3
    lab.run("fmt", "--check").must(0)
    settled(lab)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("LinkedInExperiment", "99999"), "there is no LinkedInExperiment 99999", id="unknown-number"),
        pytest.param(("LinkedInExperiment", "1GaSB00000Cojr30AB"), "those are numbers", id="of-salesforce"),
        pytest.param(("SalesforceExperiment", "40001"), "there is no SalesforceExperiment 40001", id="of-linkedin"),
        pytest.param(("LinkedInExperimnt", "40001"), "did you mean LinkedInExperiment?", id="misspelt-kind"),
        pytest.param(("LinkedInExperiment", "40001", "--connection", "crm"), "use linkedin", id="other-platform"),
        pytest.param(("LinkedInExperiment", "40001", "--connection", "linkdin"), "did you mean linkedin?", id="typo"),
        pytest.param(("LinkedInExperiment",), "REMOTE_ID is missing", id="no-id"),
        pytest.param((), "KIND and REMOTE_ID are missing", id="nothing"),
        pytest.param(("LinkedInExperiment", "--all"), "leave out --all", id="both"),
        pytest.param(("--all", "--name", "a"), "--name is for one experiment", id="name-of-all"),
        pytest.param(("LinkedInExperiment", "40001", "--include-ended"), "belongs to --all", id="ended-of-one"),
        pytest.param(("LinkedInExperiment", "40001", "--name", "No"), "lower-case letters", id="bad-name"),
        pytest.param(("LinkedInExperiment", "40001", "--name", "../a"), "lower-case letters", id="traversal-name"),
        pytest.param(("LinkedInExperiment", "40001", "--out", "elsewhere"), "no file there would be read", id="glob"),
        pytest.param(("LinkedInExperiment", "40001", "--out", "../x"), "leads out of the project", id="outside"),
        pytest.param(("LinkedInExperiment", "40001", "--out", "experiments/.h"), "no file there", id="hidden"),
        pytest.param(("--all", "--connection", "nope"), 'there is no connection "nope"', id="all-unknown"),
    ],
)
def test_one_clear_error(lab: Lab, words: tuple[str, ...], says: str) -> None:
    hold_linkedin(lab)
    ran = lab.run("import", *words).must(1)
    assert says in ran.err
    assert len(ran.err.strip().split("\n")) <= 4
    assert not (lab.dir / "experiments").exists()
    assert not lab.state_file.exists()


def test_what_is_managed_is_named(lab: Lab) -> None:
    hold_linkedin(lab)
    lab.run("import", "LinkedInExperiment", "40001").must(0)
    before = lab.state_file.read_bytes()
    ran = lab.run("import", "LinkedInExperiment", "40001", "--name", "again").must(1)
    assert "managed already, as LinkedInExperiment/headline" in ran.err
    assert files(lab) == ["linkedin/headline.yaml"]
    assert lab.state_file.read_bytes() == before


def test_a_file_is_never_written_over(lab: Lab) -> None:
    hold_x(lab)
    lab.run("import", "XAdsABTest", "zz9", "--name", "headline", "--out", "experiments/linkedin").must(0)
    before = (lab.dir / "experiments/linkedin/headline.yaml").read_bytes()
    hold_linkedin(lab)
    ran = lab.run("import", "LinkedInExperiment", "40001", "--name", "headline").must(1)
    assert "experiments/linkedin/headline.yaml is there already; nothing is written over" in ran.err
    lab.run("import", "LinkedInExperiment", "40001").must(0)
    assert files(lab) == ["linkedin/headline-2.yaml", "linkedin/headline.yaml"]
    assert (lab.dir / "experiments/linkedin/headline.yaml").read_bytes() == before
    settled(lab)


def test_a_name_that_is_taken_gets_a_number(lab: Lab) -> None:
    lab.write_file("experiments/linkedin/headline.yaml.bak", "x")
    for number in (40001, 40002, 40003):
        cells = [
            {"name": "a", "trafficWeight": 50, "reference": {"campaign": f"urn:li:sponsoredCampaign:{number}1"}},
            {"name": "b", "trafficWeight": 50, "reference": {"campaign": f"urn:li:sponsoredCampaign:{number}2"}},
        ]
        hold_linkedin(lab, number, cells=cells, name="HEADLINE!" if number == 40002 else "Headline")
    lab.run("import", "--all").must(0)
    assert [name for name in files(lab) if name.endswith(".yaml")] == [
        "linkedin/headline-2.yaml",
        "linkedin/headline-3.yaml",
        "linkedin/headline.yaml",
    ]
    settled(lab)


def test_a_name_clash_is_an_error(lab: Lab) -> None:
    hold_linkedin(lab)
    hold_x(lab)
    lab.run("import", "LinkedInExperiment", "40001", "--name", "a").must(0)
    lab.run("import", "XAdsABTest", "zz9", "--name", "a", "--out", "experiments").must(0)
    hold_x(lab, "zz8", user_groups=[dict(g, entity_ids=[f"c101{n}"]) for n, g in enumerate(x_row()["user_groups"])])
    ran = lab.run("import", "XAdsABTest", "zz8", "--name", "a").must(1)
    assert "there is XAdsABTest/a already" in ran.err
    assert files(lab) == ["a.yaml", "linkedin/a.yaml"]


def test_an_unwritable_folder(lab: Lab) -> None:
    hold_linkedin(lab)
    lab.write_file("experiments", "a file where the folder would be\n")
    ran = lab.run("import", "LinkedInExperiment", "40001").must(1)
    assert "cannot be written" in ran.err
    assert not lab.state_file.exists()


def test_a_link_out_of_the_project_is_not_followed(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (lab.dir / "experiments").mkdir()
    (lab.dir / "experiments" / "linkedin").symlink_to(outside)
    hold_linkedin(lab)
    for words in ((), ("--out", "experiments/linkedin")):
        assert "out of the project" in lab.run("import", "LinkedInExperiment", "40001", *words).must(1).err
    assert list(outside.iterdir()) == []


def test_a_required_value_that_is_refused_writes_nothing(lab: Lab) -> None:
    hold_linkedin(lab, name="x" * 101)
    ran = lab.run("import", "LinkedInExperiment", "40001").must(1)
    assert "name cannot be stated" in ran.err
    assert not (lab.dir / "experiments").exists()
    hold_x(lab)
    ran = lab.run("import", "--all").must(1)
    assert files(lab) == ["x/photo-or-drawing.yaml"]
    assert ran.out.startswith("1 imported\n0 skipped\n0 left out\n1 failed\n")


def test_an_optional_value_that_is_refused_is_left_out_and_said(lab: Lab) -> None:
    hold_linkedin(lab, autoStop="AUTO_STOP_BY_MAGIC", description="y" * 1001)
    ran = lab.run("import", "LinkedInExperiment", "40001").must(0)
    text = (lab.dir / "experiments/linkedin/headline.yaml").read_text(encoding="utf-8")
    for said in (ran.err, text):
        assert 'autoStop ("AUTO_STOP_BY_MAGIC") is left as it is' in said
        assert re.search(r"description .* is left as it is: the text has 1001 characters", said)
    assert set(yaml.load(text, Loader=yaml.BaseLoader)["spec"]).isdisjoint({"autoStop", "description"})
    settled(lab)


def test_a_wanted_state_that_is_not_known_is_ignored(lab: Lab) -> None:
    hold_linkedin(lab, userIntendedState="ARCHIVED")
    lab.run("import", "LinkedInExperiment", "40001").must(0)
    text = (lab.dir / "experiments/linkedin/headline.yaml").read_text(encoding="utf-8")
    assert "  ignoreChanges: [userIntendedState]\n" in text
    settled(lab)


def test_salesforce_with_odd_lists_and_rules(lab: Lab) -> None:
    deep: Any = {"leaf": 1}
    for _ in range(60):
        deep = {"inner": deep}
    parameters = [{"engagementSignalName": "s", "parameterName": "p", "values": [1, 2]}]
    hold_row(lab, salesforce_row(criteria=deep, parameters=parameters))
    hold_row(lab, salesforce_row("b", criteria={"rules": [{"n": n} for n in range(51)]}))
    hold_row(lab, salesforce_row("c", criteria={"": {"{{ x }}": "{% y %}", "no": "{# z #}"}}, state="Stopped"))
    ran = lab.run("import", "--all").must(0)
    assert "parameters is left as it is" in ran.err
    assert "criteria is left as it is: 51 conditions" in ran.err
    settled(lab)


def test_in_manual_mode_odd_numbers_stay(lab: Lab) -> None:
    hold_row(lab, salesforce_row(minimumRequiredParticipants=10))
    lab.run("import", "SalesforceExperiment", "testExp50").must(0)
    spec = yaml.safe_load((lab.dir / "experiments/crm/testexp50.yaml").read_text(encoding="utf-8"))["spec"]
    assert (spec["minimumRequiredParticipants"], spec["winnerSelectionMode"]) == (10, "Manual")
    settled(lab)


def test_above_the_defaults_of_the_project(lab: Lab) -> None:
    linkedin = {"description": "ours", "autoStop": "AUTO_STOP_DISABLED", "confidence": 95}
    salesforce = {
        "minimumRequiredParticipants": 1000,
        "winnerSelectionMode": "Automatic",
        "criteria": {"theirs": 1},
        "parameters": [{"engagementSignalName": "a", "parameterName": "b", "values": ["c"]}],
    }
    defaults = {
        "LinkedInExperiment": {"lifecycle": {"ignoreChanges": ["confidence"]}, "spec": linkedin},
        "SalesforceExperiment": {"spec": salesforce, "lifecycle": {"onImmutableChange": "replace"}},
    }
    lab.project(defaults=defaults)
    hold_linkedin(lab)
    hold_row(lab, salesforce_row(minimumRequiredParticipants=None, criteria={"ours": 2}, parameters=[]))
    lab.run("import", "--all").must(0)
    settled(lab)
    linked = yaml.safe_load((lab.dir / "experiments/linkedin/headline.yaml").read_text(encoding="utf-8"))
    assert (linked["spec"]["description"], linked["spec"]["autoStop"]) == (None, "AUTO_STOP_AT_END_DATE")
    sold = yaml.safe_load((lab.dir / "experiments/crm/testexp50.yaml").read_text(encoding="utf-8"))
    assert sold["lifecycle"] == {"ignoreChanges": ["minimumRequiredParticipants"]}
    assert lab.record("SalesforceExperiment/testexp50")["lifecycle"]["onImmutableChange"] == "replace"


def test_environments_and_variables(lab: Lab) -> None:
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text(encoding="utf-8"))
    project["environments"] = {"staging": {}, "production": {}}
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    hold_x(lab)
    hold_linkedin(lab)
    named = {"account": "urn:li:sponsoredAccount:123", "name": "{{ title }}", "keyMetric": "CPC", "confidence": 90}
    cells = [
        {"name": n, "trafficWeight": 50, "reference": {"campaign": f"urn:li:sponsoredCampaign:{c}"}}
        for n, c in (("a", 1001), ("b", 1002))
    ]
    lab.manifest("LinkedInExperiment", {**named, "scheduledStartAt": at(7), "scheduledEndAt": at(37), "cells": cells})
    assert "staging" in lab.run("import", "--all", "--var", "title=Headline").must(1).err
    ran = lab.run("--env", "staging", "import", "--all", "--var", "title=Headline").must(0)
    assert ran.out.startswith("2 imported\n")
    assert "imported linkedin 40001" in ran.err
    assert files(lab) == ["LinkedInExperiment-a.yaml", "x/photo-or-drawing.yaml"]
    ran = lab.run("--env", "staging", "plan", "--format", "json", "--var", "title=Headline").must(0)
    assert ran.json["changes"] == []


# --- all -------------------------------------------------------------------------------------------------------------


def three(lab: Lab) -> None:
    """One live experiment of each platform."""
    hold_linkedin(lab)
    hold_x(lab)
    hold_row(lab, salesforce_row())


def test_all_of_three_platforms(lab: Lab) -> None:
    three(lab)
    ran = lab.run("import", "--all").must(0)
    assert files(lab) == ["crm/testexp50.yaml", "linkedin/headline.yaml", "x/photo-or-drawing.yaml"]
    assert ran.out.startswith("3 imported\n0 skipped\n0 left out\n0 failed\n")
    assert ran.err.count("looking through") == 3
    settled(lab)
    serial = json.loads(lab.state_file.read_text())["serial"]
    again = lab.run("import", "--all").must(0)
    assert again.out == "0 imported\n3 skipped (3 managed already)\n0 left out\n0 failed\n"
    assert len(files(lab)) == 3
    assert json.loads(lab.state_file.read_text())["serial"] == serial


def test_all_of_one_connection(lab: Lab) -> None:
    three(lab)
    lab.run("import", "--all", "--connection", "x").must(0)
    assert files(lab) == ["x/photo-or-drawing.yaml"]


def test_what_is_over_or_owned_elsewhere_is_left_out(lab: Lab) -> None:
    hold_linkedin(lab, executionState="ENDED", scheduledStartAt=epoch_ms(at(-40)), scheduledEndAt=epoch_ms(at(-10)))
    hold_x(lab, status="COMPLETED", start_time=at(-40), end_time=at(-10))
    hold_row(lab, salesforce_row(state="Archived"))
    hold_row(lab, salesforce_row("foreign", isRemote=True))
    ran = lab.run("import", "--all").must(0)
    assert "4 left out (" in ran.out
    assert "3 over, which --include-ended imports" in ran.out
    assert not (lab.dir / "experiments").exists()
    ran = lab.run("import", "--all", "--include-ended").must(0)
    assert "3 imported" in ran.out
    assert "1 left out (1 owned by another org" in ran.out
    settled(lab)
    lab.run("import", "SalesforceExperiment", "foreign").must(0)
    settled(lab)


def test_an_ended_test_does_not_stand_in_the_way_of_a_running_one(lab: Lab) -> None:
    hold_x(lab, "aa1", status="COMPLETED", start_time=at(-40), end_time=at(-10))
    hold_x(lab, "zz9")
    ran = lab.run("import", "--all", "--include-ended").must(0)
    assert lab.record("XAdsABTest/photo-or-drawing")["remoteId"] == "zz9"
    assert "1 left out" in ran.out
    assert "stands in XAdsABTest/photo-or-drawing too" in ran.err
    settled(lab)


def test_a_create_that_failed_is_left_out(lab: Lab) -> None:
    hold_row(lab, salesforce_row(status="CreateError", state="Created"))
    ran = lab.run("import", "--all").must(0)
    assert "Salesforce could not create it" in ran.err
    assert not (lab.dir / "experiments").exists()
    assert "Salesforce could not create it" in lab.run("import", "SalesforceExperiment", "testExp50").must(1).err


def test_connections_without_accounts_are_said(lab: Lab) -> None:
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text(encoding="utf-8"))
    del project["connections"]["x"]["accounts"]
    project["connections"]["linkedin"]["accounts"] = ["${LI_ACCOUNT}"]
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    three(lab)
    ran = lab.run("import", "--all").must(1)
    assert "connection x names no accounts" in ran.err
    assert "LI_ACCOUNT" in ran.err
    assert files(lab) == ["crm/testexp50.yaml"]
    assert "ACCOUNT/ID" in lab.run("import", "XAdsABTest", "zz9").must(1).err
    lab.run("import", "XAdsABTest", "18ce54d4x5t/zz9").must(0)


def test_an_account_that_cannot_be_read_does_not_stop_the_others(lab: Lab) -> None:
    three(lab)
    lab.faults({"match": {"path": "/x-ads/*"}, "do": {"status": 403}, "times": 100})
    ran = lab.run("import", "--all").must(1)
    assert "error: connection x, account 18ce54d4x5t" in ran.err
    assert files(lab) == ["crm/testexp50.yaml", "linkedin/headline.yaml"]
    lab.faults()
    lab.run("import", "--all").must(0)
    settled(lab)


def test_an_experiment_that_cannot_be_read_does_not_stop_the_others(lab: Lab) -> None:
    hold_linkedin(lab, 40001, confidence="high")
    hold_linkedin(lab, 40002)
    hold_x(lab, "aa1", start_time="soon", end_time="soon")
    hold_x(lab, "zz9")
    hold_row(lab, salesforce_row())
    broken = hold_row(lab, salesforce_row("other"))
    lab.faults({"match": {"path": broken}, "do": {"status": 403}, "times": 100})
    ran = lab.run("import", "--all").must(1)
    assert files(lab) == ["crm/testexp50.yaml", "linkedin/headline.yaml", "x/photo-or-drawing.yaml"]
    for words in ("experiment 40001 has confidence 'high'", "A/B test aa1", broken):
        assert words in ran.err
    lab.faults()
    assert "1 imported" in lab.run("import", "--all").must(1).out


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a" * 300,
        "{{ secret }}",
        "no",
        "#",
        "\u202e\u0000\n- x: y",
        "'\"\\",
        "ünï",
        "🙂🙂",
        " ~ ",
        "<<",
    ],
)
def test_hostile_names_stay_in_their_place(lab: Lab, name: str) -> None:
    hold_x(lab, name=name[:255], user_groups=[{**group, "name": name[:255]} for group in x_row()["user_groups"]])
    hold_row(lab, salesforce_row(label=name[:255], description=name[:255]))
    hold_linkedin(lab, name=name[:100], description=f"{name}\n  {name}\n")
    lab.run("import", "--all").must(0)
    assert len(files(lab)) == 3
    assert all(re.fullmatch(r"(x|crm|linkedin)/[a-z0-9-]{1,63}\.yaml", file) for file in files(lab))
    settled(lab)
    lab.run("fmt", "--check").must(0)


# --- interrupted -----------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing catches this."""


def many(lab: Lab, count: int = 4) -> None:
    for number in range(count):
        groups = [dict(group, entity_ids=[f"c10{number}{n}"]) for n, group in enumerate(x_row()["user_groups"])]
        hold_x(lab, f"zz{number}", name=f"Test {number}", user_groups=groups)


def test_stopped_by_a_person_and_run_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    many(lab)
    told = import_command._tell
    stops: list[Any] = []

    class Stop(import_command.Stop):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    def tell(item: Any) -> None:
        told(item)
        if item.name == "Test 1":
            stops[0].asked = True

    with monkeypatch.context() as patch:
        patch.setattr(import_command, "Stop", Stop)
        patch.setattr(import_command, "_tell", tell)
        ran = lab.run("import", "--all", "--connection", "x").must(1)
    assert "interrupted: what was imported is recorded" in ran.err
    assert files(lab) == ["x/test-0.yaml", "x/test-1.yaml"]
    settled(lab)
    lab.run("import", "--all").must(0)
    assert len(files(lab)) == 4
    settled(lab)


def test_killed_between_the_file_and_the_record(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    many(lab)
    journal = FileStore.journal
    left = [2]

    def dying(self: FileStore, entry: Any) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        journal(self, entry)

    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "journal", dying)
        patch.setattr(FileStore, "save", lambda *words, **more: None)
        with pytest.raises(Killed):
            lab.run("import", "--all", "--connection", "x")
    assert files(lab) == ["x/test-0.yaml", "x/test-1.yaml", "x/test-2.yaml"]
    before = {name: (lab.dir / "experiments" / name).stat().st_mtime_ns for name in files(lab)}
    ran = lab.run("import", "--all", "--connection", "x").must(0)
    assert "a manifest that was there already, now recorded" in ran.err
    assert ran.out.startswith("2 imported\n2 skipped (2 managed already)\n")
    assert files(lab) == [f"x/test-{number}.yaml" for number in range(4)]
    assert all((lab.dir / "experiments" / name).stat().st_mtime_ns == when for name, when in before.items())
    settled(lab)


def test_a_state_that_cannot_be_written_leaves_no_file(lab: Lab) -> None:
    hold_x(lab)
    lab.write_file(".reconciler/state.json.journal/in-the-way", "")
    lab.run("import", "XAdsABTest", "zz9").must(1)
    assert not (lab.dir / "experiments" / "x" / "photo-or-drawing.yaml").exists()


def test_a_manifest_that_says_something_else_is_left_to_apply(lab: Lab) -> None:
    case = next(case for case in CASES if case.platform == "linkedin")
    remote_id = live(lab, case)
    lab.manifest(case.kind, {**case.spec, "name": "other words"}, "mine")
    ran = lab.run("import", case.kind, remote_id).must(1)
    assert "the manifest LinkedInExperiment/mine speaks of it and is not recorded yet" in ran.err
    ran = lab.run("import", "--all").must(0)
    assert "1 skipped" in ran.out
    (change,) = lab.plan(code=0)["changes"]
    assert change["action"] == "adopt"


def test_an_unfinished_create_is_left_to_apply(lab: Lab) -> None:
    case = next(case for case in CASES if case.platform == "linkedin")
    key = lab.manifest(case.kind, case.spec)
    lab.apply()
    state = json.loads(lab.state_file.read_text())
    record = state["experiments"][key]
    del record["remoteId"]
    del record["createdAt"]
    record["intentAt"] = at(0)
    lab.state_file.write_text(json.dumps(state))
    ran = lab.run("import", "--all").must(0)
    assert "its create was interrupted" in ran.err
    assert [path.name for path in (lab.dir / "experiments").iterdir()] == ["LinkedInExperiment-a.yaml"]


def test_a_lock_keeps_it_out(lab: Lab) -> None:
    from reconciler.state.owner import owner_of

    hold_x(lab)
    with FileStore(lab.state_file).lock(owner_of({}, command="reconciler apply", now=T0)):
        ran = lab.run("import", "--all").must(1)
    assert "reconciler apply" in ran.err
    assert not (lab.dir / "experiments").exists()


@pytest.fixture
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NO_COLOR", "1")
    yield


def test_help_names_every_option(lab: Lab, _quiet: None) -> None:
    ran = lab.run("import", "--help").must(0)
    for option in ("--all", "--connection", "--name", "--out", "--include-ended", "--emulator", "--max-wait"):
        assert option in ran.out


def test_a_project_that_does_not_validate_is_not_added_to(lab: Lab) -> None:
    hold_x(lab)
    lab.write_file("experiments/bad.yaml", "apiVersion: nonsense\n")
    lab.run("import", "--all").must(1)
    assert files(lab) == ["bad.yaml"]


def test_folders_of_the_projects_own_patterns(lab: Lab) -> None:
    hold_x(lab)
    for pattern, file in (
        ("ab/*/*.yml", "ab/x/photo-or-drawing.yml"),
        ("tests/**/*.yaml", "tests/photo-or-drawing.yaml"),
        ("*.yaml", "photo-or-drawing.yaml"),
    ):
        lab.project(manifests=[pattern])
        lab.run("import", "--all", "--connection", "x").must(0)
        assert (lab.dir / file).is_file()
        lab.run("validate").must(0)
        (lab.dir / file).unlink()
        lab.run("state", "rm", "XAdsABTest/photo-or-drawing").must(0)
    lab.project(manifests=["tests/exp-[0-9].yaml"])
    assert "pass --out" in lab.run("import", "--all", "--connection", "x").must(1).err
