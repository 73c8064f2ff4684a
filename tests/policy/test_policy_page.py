"""The page on policies: what it shows as an example is read, and its cases come out as it says."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.policy.cases import run_cases
from reconciler.policy.read import read_policies
from reconciler.project import load_project
from reconciler.sanity.rules import RULES

PAGE = (Path(__file__).parent.parent.parent / "docs/policies.md").read_text("utf-8")


def test_the_example_of_the_page_is_a_project(tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/growth.yaml").write_text("policies: [{use: owner-label}]\n")
    (tmp_path / "reconciler.yaml").write_text(f"version: 1\n{example}")
    policies, problems = read_policies(load_project(tmp_path))
    assert problems == ()
    assert list(policies.by_name) == ["min-duration", "freeze-windows", "small-first", "owner-label"]
    assert not policies.by_name["freeze-windows"].overridable
    results = list(run_cases(policies.items))
    assert [item.case.expect for item in results] == ["pass", "fail", "skip"]
    assert [item.why for item in results] == ["", "", ""]


def test_the_page_names_every_rule() -> None:
    assert [rule.id for rule in RULES if f"| {rule.id} |" not in PAGE] == []
