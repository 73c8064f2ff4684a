"""Policies: expressions have an end and reach nothing, files outside are not read, messages break out of nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.cli.main import main
from reconciler.policy.engine import NotEvaluated, Type, compiled
from reconciler.policy.read import read_policies
from reconciler.project import load_project


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("n.all(x, n.all(y, n.all(z, true)))", id="many-steps"),
        pytest.param("n[99] == 1", id="past-the-end"),
        pytest.param("n.map(x, x / 0) == n", id="division"),
        pytest.param("int('9' + string(n[0])) == 9999999999999999999 / n[1]", id="digits"),
    ],
)
def test_policies_that_cost_much_or_fail_are_never_satisfied(text: str) -> None:
    numbers = [0, 1, *range(2, 60)]
    try:
        answer = compiled(text, {"n": Type.INTS}).holds({"n": numbers})
    except NotEvaluated:
        return
    except Exception as error:
        assert type(error).__name__ == "BadExpression"
        return
    raise AssertionError(f"it gave {answer}")


@pytest.mark.parametrize(
    "text", ["open('/etc/passwd')", "env('HOME')", "now.__class__", "import os", "experiment.file"]
)
def test_policies_get_at_nothing_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(json.dumps({"version": 1, "policies": [{"name": "a", "assert": text}]}))
    policies, problems = read_policies(load_project(tmp_path))
    assert not policies.items
    assert problems


@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "link-to-folder"])
def test_policy_files_outside_of_the_project_are_not_read(tmp_path: Path, kind: str) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    outside = tmp_path / "outside.yaml"
    outside.write_text("policies: [{name: sesame, assert: 'true'}]\n")
    (inside / "link.yaml").symlink_to(outside)
    (inside / "folder").symlink_to(tmp_path)
    named = {"parent": "../outside.yaml", "absolute": str(outside), "link": "link.yaml"}
    stated = named.get(kind, "folder/outside.yaml")
    (inside / "reconciler.yaml").write_text(json.dumps({"version": 1, "policies": [{"include": stated}]}))
    policies, problems = read_policies(load_project(inside))
    assert not policies.items
    assert "sesame" not in str(problems)


def test_messages_of_policies_break_out_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[31mred\u202e @everyone #1 | `x` ``` <script>alert(1)</script> \n::error::x"
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "XAdsABTest",
        "metadata": {"name": "a", "labels": {"policy-override/second": evil}},
        "spec": {
            "account_id": "18ce54d4x5t",
            "entity_type": "CAMPAIGN",
            "name": "x",
            "start_time": "2027-03-01T09:00:00Z",
            "end_time": "2027-03-15T09:00:00Z",
            "user_groups": [{"entity_ids": ["c1"], "size": 50}, {"entity_ids": ["c2"], "size": 50}],
        },
    }
    auth = {name: f"${{{name.upper()}}}" for name in ("consumer_key", "consumer_secret")}
    auth |= {name: f"${{{name.upper()}}}" for name in ("access_token", "access_token_secret")}
    policies = [
        {"name": "first", "assert": "experiment.days < 1.0", "message": evil + "{{ experiment.labels }}"},
        {"name": "second", "assert": "experiment.days < 1.0", "message": evil},
    ]
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/a.yaml").write_text(json.dumps(manifest))
    project = {"version": 1, "connections": {"x": {"platform": "x-ads", "auth": auth}}, "policies": policies}
    (tmp_path / "reconciler.yaml").write_text(json.dumps(project))
    monkeypatch.chdir(tmp_path)
    outputs = {}
    for form in ("text", "markdown", "html", "github", "json"):
        assert main(["plan", "--emulator", "--format", form, "--as-of", "2027-02-01T00:00:00Z"]) == 3
        outputs[form] = capsys.readouterr().out
    for form in ("text", "sarif", "github"):
        assert main(["validate", "--format", form]) == 1
        done = capsys.readouterr()
        outputs[f"validate {form}"] = done.out + done.err
    for form, text in outputs.items():
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), form
        assert "red" in text, form
    assert "<script>alert" not in outputs["html"] + outputs["markdown"]
    for form in ("github", "validate github"):
        assert "\n::error::x" not in outputs[form]
    assert not re.search(r"(?<![\\`&])@everyone", outputs["markdown"].replace("@\u2060", "").replace("@\u200b", ""))
