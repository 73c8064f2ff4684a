"""Variables, environments and expanded manifests through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import main

PROJECT = """\
version: 1
variables: {weight: 50, start: "2027-02-01T09:00:00Z", accounts: {de: 111, fr: 222}}
connections:
  linkedin: {platform: linkedin, auth: {access_token: "${LINKEDIN_TOKEN}"}}
defaults:
  LinkedInExperiment:
    metadata: {labels: {team: growth}}
    lifecycle: {onImmutableChange: replace}
    spec: {keyMetric: CPC, confidence: 90, scheduledStartAt: "{{ start }}", scheduledEndAt: "{{ start + weeks(4) }}"}
environments:
  staging: {default: true, variables: {weight: 40}}
  production: {}
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: LinkedInExperiment
forEach: "{{ accounts }}"
metadata: {name: headline}
spec:
  name: "Headline {{ each.key | upper }} in {{ environment }}"
  account: "{{ each.value }}"
  cells:
    - {name: a, trafficWeight: "{{ weight }}", reference: {campaign: "{{ each.value * 10 + 1 }}"}}
    - {name: b, trafficWeight: "{{ 100 - weight }}", reference: {campaign: "{{ each.value * 10 + 2 }}"}}
"""
AS_OF = ("--as-of", "2027-01-04T00:00:00Z")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "experiments" / "headline.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Read = pytest.CaptureFixture[str]


def test_show_prints_manifests_that_validate_to_the_same(project: Path, capsys: Read) -> None:
    assert main(["validate", "--show"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "2 experiments in 1 manifest: valid\n"
    first, second = shown.out.split("---\n")
    assert (
        first
        == """\
# experiments/headline.yaml:1:1, item de
apiVersion: reconciler/v1
kind: LinkedInExperiment
metadata:
  name: headline-de
  labels: {team: growth}
lifecycle:
  onImmutableChange: replace
spec:
  account: 111
  name: Headline DE in staging
  keyMetric: CPC
  confidence: 90
  scheduledStartAt: 2027-02-01T09:00:00Z
  scheduledEndAt: 2027-03-01T09:00:00Z
  cells:
    - name: a
      trafficWeight: 40
      reference: {campaign: 1111}
    - name: b
      trafficWeight: 60
      reference: {campaign: 1112}
"""
    )
    (project / "experiments" / "headline.yaml").write_text(shown.out)
    assert main(["validate", "--show"]) == 0
    again = capsys.readouterr().out
    assert [line for line in again.splitlines() if line[0] != "#"] == [
        line for line in shown.out.splitlines() if line[0] != "#"
    ]
    assert "item fr" in second


def test_mistakes_point_at_the_manifest_and_at_the_defaults(project: Path, capsys: Read) -> None:
    (project / "reconciler.yaml").write_text(PROJECT.replace("confidence: 90", "confidence: 190"))
    assert main(["validate", "--var", "weight:=400"]) == 1
    told = capsys.readouterr().err
    assert "experiments/headline.yaml:9:32: error LIN003: spec.cells[0].trafficWeight: 400 is outside" in told
    assert "(every item)" in told and "the value comes from {{ weight }}" in told
    place = PROJECT.splitlines()[8].index("90") + 1
    assert told.count(f"reconciler.yaml:9:{place}: error LIN005: spec.confidence: 190") == 1


def test_text_where_a_number_is_wanted_says_how(project: Path, capsys: Read) -> None:
    manifest = project / "experiments" / "headline.yaml"
    manifest.write_text(MANIFEST.replace("100 - weight", "100 - (weight | int)"))
    assert main(["validate", "--var", "weight=40"]) == 1
    told = capsys.readouterr().err
    assert 'is "40"; it has to be a whole number (every item)' in told and "make it a number: | int" in told
    manifest.write_text(manifest.read_text().replace('"{{ weight }}"', '"{{ weight | int }}"'))
    assert main(["validate", "--var", "weight=40"]) == 0


def test_variables_come_from_files_too(project: Path, capsys: Read) -> None:
    (project / "vars.yaml").write_text("accounts: {it: 333}\n")
    assert main(["validate", "--show", "--var-file", "vars.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "name: headline-it" in shown and "headline-de" not in shown
    assert main(["validate", "--var-file", "nope.yaml"]) == 1
    assert "nope.yaml: error: no such file" in capsys.readouterr().err


def test_a_project_with_environments_wants_one(project: Path, capsys: Read) -> None:
    (project / "reconciler.yaml").write_text(PROJECT.replace("default: true, ", ""))
    for command in (["validate"], ["plan", "--emulator"], ["state", "list"], ["drift"], ["apply", "--auto-approve"]):
        assert main(command) == 1
        assert "--env NAME has to say which one: staging, production" in capsys.readouterr().err
    assert main(["--env", "production", "validate"]) == 0


def test_environments_do_not_see_each_other(project: Path, capsys: Read) -> None:
    run = ["apply", "--emulator", "--auto-approve", "--format", "json"]
    assert main(run) == 0
    capsys.readouterr()
    assert main(["--env", "staging", "plan", "--emulator", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["environment"], plan["changes"]) == ("staging", [])
    assert main(["--env", "production", "plan", "--emulator", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["environment"], plan["summary"]["create"]) == ("production", 2)
    assert main(["--env", "production", "state", "--emulator", "list", "--format", "json"]) == 0
    assert "headline" not in capsys.readouterr().out
    kept = {str(path.relative_to(project)) for path in project.rglob("*.json")}
    folder = ".reconciler/emulator"
    assert {f"{folder}/staging/state.json", f"{folder}/staging/world.json", f"{folder}/production/world.json"} <= kept
    assert f"{folder}/production/state.json" not in kept


def test_the_emulator_s_hand_reaches_the_chosen_environment(project: Path, capsys: Read) -> None:
    assert main(["plan", "--emulator"]) == 0
    assert main(["emulator", "clock"]) == 0
    capsys.readouterr()
    assert main(["--env", "production", "emulator", "clock"]) == 1
    assert "the environment production has no embedded platforms yet" in capsys.readouterr().err


def test_a_saved_plan_keeps_its_environment_and_needs_no_flag(project: Path, capsys: Read) -> None:
    (project / "reconciler.yaml").write_text(PROJECT.replace("default: true, ", ""))
    assert main(["--env", "production", "plan", "--emulator", "--var", "weight:=30", "--out", "plan.json"]) == 0
    capsys.readouterr()
    assert main(["--env", "staging", "apply", "plan.json", "--emulator"]) == 1
    assert "the plan was made for production" in capsys.readouterr().err
    assert main(["apply", "plan.json", "--emulator", "--var", "weight:=30"]) == 1
    assert "a saved plan is carried out as it is" in capsys.readouterr().err
    assert main(["apply", "plan.json", "--emulator"]) == 0
    assert "2 done" in capsys.readouterr().out
    assert (project / ".reconciler/emulator/production/state.json").exists()


def test_plan_shows_the_manifests_first(project: Path, capsys: Read) -> None:
    assert main(["plan", "--emulator", "--show", "--format", "json", *AS_OF]) == 0
    shown = capsys.readouterr()
    assert "name: Headline DE in staging" in shown.err and json.loads(shown.out)["summary"]["create"] == 2


def test_an_item_taken_out_ends_its_experiment_alone(project: Path, capsys: Read) -> None:
    assert main(["apply", "--emulator", "--auto-approve"]) == 0
    capsys.readouterr()
    wanted = ["plan", "--emulator", "--format", "json", "--var", 'accounts:={"fr": 222}', "--allow-destroy"]
    assert main(wanted) == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert [(change["key"], change["action"]) for change in changes] == [("LinkedInExperiment/headline-de", "delete")]


def test_names_from_items_have_to_be_names(project: Path, capsys: Read) -> None:
    assert main(["validate", "--var", 'accounts:={"DE": 1, "fr": 2}']) == 1
    told = capsys.readouterr().err
    assert 'metadata.name is "headline-DE"' in told and "(item DE)" in told


def test_one_manifest_may_take_over_and_rename(project: Path, capsys: Read) -> None:
    renamed = MANIFEST.replace("name: headline}", 'name: title, movedFrom: "headline-{{ each.key }}"}')
    assert main(["apply", "--emulator", "--auto-approve"]) == 0
    (project / "experiments" / "headline.yaml").write_text(renamed)
    capsys.readouterr()
    assert main(["plan", "--emulator", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["changes"] == [] and plan["summary"]["delete"] == 0


def suggested(*words: str) -> list[str]:
    """Give what the shell is offered for the last word."""
    from click.shell_completion import ShellComplete

    from reconciler.cli.main import cli

    *before, word = words
    return [item.value for item in ShellComplete(cli, {}, "reconciler", "_X").get_completions(list(before), word)]


def test_keys_of_items_and_of_the_environment_are_completed(project: Path, capsys: Read) -> None:
    keys = ["LinkedInExperiment/headline-de", "LinkedInExperiment/headline-fr"]
    assert suggested("plan", "--target", "Linked") == keys
    assert suggested("--env", "production", "state", "show", "") == []
    assert main(["--env", "production", "apply", "--emulator", "--auto-approve"]) == 0
    assert suggested("--env", "production", "state", "show", "") == keys
    assert suggested("--env", "staging", "state", "show", "") == []
    (project / "reconciler.yaml").write_text("version: [\n")
    assert suggested("plan", "--target", "Linked") == []
