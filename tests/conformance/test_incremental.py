"""An incremental refresh: one query tells what has to be read; what was kept is never taken for more than it is."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from kinds import SALESFORCE
from laboratory import Lab

from reconciler.platforms.salesforce import kept

COUNT = 12


def spec(number: int) -> dict[str, Any]:
    """Give the spec of one of them; the seventh can be stopped by the platform itself."""
    its = {**SALESFORCE.spec, "name": "hero_7"} if number == 7 else SALESFORCE.fresh(number)
    return {**its, "state": "Created"}


def incremental(lab: Lab) -> None:
    """Set the connection so."""
    project = yaml.safe_load((lab.dir / "reconciler.yaml").read_text())
    project["connections"]["crm"]["refresh"] = "incremental"
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))


def asked(lab: Lab) -> tuple[int, int]:
    """Give how many queries and how many reads of an experiment there were since the last time."""
    paths = [one.path for one in lab.requests if one.method == "GET"]
    lab.forget_requests()
    return sum("/query" in path for path in paths), sum("abn-experiments/" in path for path in paths)


def kept_file(lab: Lab) -> Path:
    (path,) = (lab.dir / "cache").rglob("readings/*.json")
    return path


@pytest.fixture
def many(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Give a project whose experiments are as they should be, planned once."""
    monkeypatch.setattr(kept, "AT_REST_S", float("-inf"))  # the platforms' clock stands apart from that of HTTP here
    incremental(lab)
    for number in range(COUNT):
        lab.manifest(SALESFORCE.kind, spec(number), name=f"e{number}")
    lab.apply()
    lab.pass_time(minutes=5)  # what is not there shortly after a create counts as not visible yet
    lab.forget_requests()
    assert lab.plan(code=0)["changes"] == []
    assert asked(lab) == (1, COUNT)
    return lab


def key(number: int) -> str:
    return f"{SALESFORCE.kind}/e{number}"


def test_nothing_changed_is_one_query(many: Lab) -> None:
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, 0)
    assert many.drift()["drift"] == [] and asked(many) == (1, 0)


def test_the_same_plan_comes_out(many: Lab) -> None:
    remote_id = many.remote_id(key(3))
    many.by_hand("salesforce", remote_id, state="Started", status="Active")
    many.manifest(SALESFORCE.kind, {**spec(5), "label": "Another"}, name="e5")
    many.plan()
    asked(many)
    taken = many.plan()
    assert asked(many) == (1, 0)
    kept_file(many).unlink()
    whole = many.plan()
    assert asked(many) == (1, COUNT)
    assert taken["changes"] == whole["changes"] and len(taken["changes"]) == 1


@pytest.mark.parametrize("change", [{"label": "By hand"}, {"state": "Started"}], ids=["field", "state"])
def test_what_is_changed_by_hand_is_seen(many: Lab, change: dict[str, str]) -> None:
    many.pass_time(seconds=1)
    many.by_hand("salesforce", many.remote_id(key(7)), **change)
    assert [item["key"] for item in many.drift()["drift"]] == [key(7)]
    assert asked(many) == (1, 1)
    assert len(many.drift()["drift"]) == 1 and asked(many) == (1, 0)


def test_what_the_clock_changes_is_seen(many: Lab) -> None:
    many.by_hand("salesforce", many.remote_id(key(7)), state="Started")
    asked(many)
    assert [item["status"] for item in many.drift()["drift"]] == ["Started"]
    many.pass_time(days=100)  # past the longest duration
    found = many.drift()
    assert [(item["key"], item["status"]) for item in (*found["drift"], *found["progress"])] == [(key(7), "Stopped")]
    assert asked(many) == (2, 2)


def test_what_is_gone_is_proved(many: Lab) -> None:
    many.take_away("salesforce", many.remote_id(key(7)))
    assert [item["kind"] for item in many.drift()["drift"]] == ["missing"]
    assert asked(many) == (1, 1)


def test_an_apply_reads_before_it_writes(many: Lab) -> None:
    """A change that moves no date goes unseen by a plan; it is not written over, and the next plan sees it."""
    remote_id = many.remote_id(key(7))
    many.server.world.table("salesforce", "experiments")[remote_id]["label"] = "Moved no date"
    assert many.plan(code=0)["changes"] == []
    many.manifest(SALESFORCE.kind, {**spec(7), "label": "Wanted"}, name="e7")
    ran = many.apply(code=1)
    assert "label" in ran.err + ran.out and many.writes == []
    (change,) = many.plan()["changes"]
    assert change["fields"][0]["before"] == "Moved no date"
    many.apply()
    many.settled()


def test_an_apply_elsewhere_is_seen(many: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state says what was applied, whatever the date says and wherever the apply ran."""
    many.manifest(SALESFORCE.kind, {**spec(7), "label": "Another"}, name="e7")
    here = kept_file(many).read_bytes()
    many.apply()
    for row in many.server.world.table("salesforce", "experiments").values():
        row["lastModifiedDate"] = row["createdDate"]
    kept_file(many).write_bytes(here)  # as on a machine that the apply did not run on
    asked(many)
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, 1)


def test_a_query_that_fails_costs_reads(many: Lab) -> None:
    many.faults({"match": {"platform": "salesforce", "path": "/query"}, "times": 100, "do": {"status": 403}})
    ran = many.run("plan").must(0)
    assert asked(many)[1] == COUNT and "403" not in ran.out + ran.err


def test_few_are_read(many: Lab) -> None:
    many.plan("--target", key(1), "--target", key(2))
    assert asked(many) == (0, 2)
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, 0)


def test_pages_are_followed(many: Lab) -> None:
    many.settings(page_size=5)
    assert many.plan(code=0)["changes"] == []
    assert asked(many)[0] > 1 and many.plan(code=0) and asked(many)[1] == 0


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "reconciler readings 1"}'])
def test_a_damaged_file_is_none(many: Lab, damage: bytes) -> None:
    path = kept_file(many)
    path.write_bytes(damage)
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, COUNT)
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_others_can_write_is_none(many: Lab) -> None:
    kept_file(many).chmod(0o666)
    many.plan(code=0)
    assert asked(many) == (1, COUNT)


def test_results_are_read_as_they_are(many: Lab) -> None:
    many.run("results").must(0)
    assert asked(many) == (0, COUNT)
    assert many.plan(code=0)["changes"] == [] and asked(many) == (1, 0), "what is still so stays kept"


def test_a_run_without_caches_reads_in_full(many: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way for a scheduled drift: what moves no date is seen."""
    remote_id = many.remote_id(key(3))
    many.server.world.table("salesforce", "experiments")[remote_id]["label"] = "Moved no date"
    assert many.drift()["drift"] == [] and asked(many) == (1, 0)
    monkeypatch.setenv("RECONCILER_NO_CACHE", "1")
    assert [item["key"] for item in many.drift()["drift"]] == [key(3)] and asked(many) == (0, COUNT)


def test_the_embedded_platforms_keep_nothing(many: Lab) -> None:
    kept_file(many).unlink()
    many.run("plan", "--emulator").must(0)
    assert not list((many.dir / "cache").rglob("readings/*.json"))
