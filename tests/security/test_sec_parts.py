"""The plans of parts on their way to the merge, and what goes to the workers of a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kinds import LINKEDIN, X_ADS
from laboratory import Lab

Evidence = dict[str, Any]


def live(evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(evidence["readings"].values()))["live"]
    return found


CHANGES: dict[str, Callable[[Evidence], object]] = {
    "no readings": lambda found: found.pop("readings"),
    "readings of another type": lambda found: found.update(readings=[1]),
    "a key that is none": lambda found: found["readings"].update(nonsense={"gone": "x"}),
    "a spec that is none": lambda found: live(found).update(spec=7),
    "lists that are none": lambda found: live(found)["spec"].update(cells=5, user_groups=5),
    "items that are none": lambda found: live(found)["spec"].update(cells=[None], user_groups=[None]),
    "a time that is none": lambda found: live(found).update(start="tomorrow"),
    "children that are none": lambda found: live(found).update(children={"user_groups": 1}),
    "others that are none": lambda found: found.update(others=[{"connection": 1}]),
    "a connection that is none": lambda found: found.update(
        others=[{"connection": "nowhere", "live": {"remoteId": "1", "status": "LIVE", "spec": {}}}]
    ),
    "a policy that is none": lambda found: found.update(policy="all"),
    "another policy": lambda found: found["policy"].update(allowDestroy=99),
    "quotas that are none": lambda found: found.update(quotas=[{"left": -1}]),
    "a check that is none": lambda found: found.update(preflight={"linkedin": {"findings": {"a": 1}}}),
}


def test_parts_that_were_changed(lab: Lab) -> None:
    """Each ends in an error that names the file, or in a plan that is reviewed as any other; never in a traceback."""
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.apply()
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "description": "another"})
    lab.run("plan", "--shard", "1/1", "--out", "sound.json").must(0)
    sound = json.loads(Path("sound.json").read_text())
    refused = 0
    for change in CHANGES.values():
        changed = json.loads(json.dumps(sound))
        change(changed["shard"]["evidence"])
        Path("part.json").write_text(json.dumps(changed))
        ran = lab.run("merge-plans", "part.json", "--out", "merged.json")
        assert "Traceback" not in ran.out + ran.err and ran.code in (0, 1, 3)
        refused += ran.err.startswith("error: ")
    assert refused >= len(CHANGES) - 3


def test_parts_are_signed_where_plans_are(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.run("plan", "--shard", "1/1", "--out", "bare.json").must(0)
    monkeypatch.setenv("RECONCILER_PLAN_KEY", "canary-plan-key-0123456789")
    lab.run("plan", "--shard", "1/1", "--out", "part.json").must(0)
    assert "is not signed" in lab.run("merge-plans", "bare.json", "--out", "merged.json").must(1).err
    changed = json.loads(Path("part.json").read_text())
    changed["shard"]["evidence"]["problems"] = ["x"]
    Path("bare.json").write_text(json.dumps(changed))
    assert "does not fit" in lab.run("merge-plans", "bare.json", "--out", "merged.json").must(1).err
    lab.run("merge-plans", "part.json", "--out", "merged.json").must(0)
    lab.apply("merged.json")
    lab.settled()


def test_tasks_of_a_cluster_hold_no_secret() -> None:
    """What is sent is the project file's own text; a value is not even where it could be taken from."""
    pytest.importorskip("distributed")
    from dataclasses import fields

    from reconciler.cluster.task import Job
    from reconciler.project.project import Connection

    assert {field.name for field in fields(Job)} == {
        *("connection", "request", "project_dir", "project_file", "max_wait_s", "version", "base_url", "auth")
    }
    connection = Connection("x", "x-ads", "https://ads-api.x.com", "12", auth={"access_token": "${X_ACCESS_TOKEN}"})
    assert "auth" not in repr(connection)
