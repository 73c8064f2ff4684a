"""A project planned in parts: the parts put together are, byte for byte, the plan of one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kinds import LINKEDIN, SALESFORCE, X_ADS
from laboratory import Lab

from reconciler.emulator.provision import LinkedInNeed, XAdsNeed, provision

ACCOUNTS = 5


def linkedin(account: int, number: int, **more: Any) -> dict[str, Any]:
    spec = LINKEDIN.fresh(number)
    spec["account"] = f"urn:li:sponsoredAccount:{700 + account}"
    for place, cell in enumerate(spec["cells"]):
        cell["reference"] = {"campaign": f"urn:li:sponsoredCampaign:{71000 + 100 * account + 2 * number + place}"}
    return {**spec, **more}


def x_ads(account: int, number: int, **more: Any) -> dict[str, Any]:
    spec = X_ADS.fresh(number)
    spec["account_id"] = f"acc{account}"
    for place, group in enumerate(spec["user_groups"]):
        group["entity_ids"] = [f"e{account}n{number}p{place}"]
    return {**spec, **more}


def agency(lab: Lab) -> None:
    """
    Write and apply two experiments in each of five accounts of LinkedIn and X, and three of one Salesforce org.

    Then some are edited, moved by hand, taken out or new; one takes what another gives up, one wants what is another
    account's.
    """
    for account in range(ACCOUNTS):
        campaigns = tuple(range(71000 + 100 * account, 71010 + 100 * account))
        entities = tuple(f"e{account}n{number}p{place}" for number in range(4) for place in range(2))
        needs: list[LinkedInNeed | XAdsNeed] = [LinkedInNeed(700 + account, campaigns)]
        provision(lab.server.world, [*needs, XAdsNeed(f"acc{account}", "CAMPAIGN", entities)])
        for number in range(2):
            lab.manifest(LINKEDIN.kind, linkedin(account, number), name=f"l{account}-{number}")
            lab.manifest(X_ADS.kind, x_ads(account, number), name=f"x{account}-{number}")
    for number in range(3):
        lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(number), name=f"s{number}")
    lab.apply()
    lab.manifest(LINKEDIN.kind, linkedin(0, 0, description="another"), name="l0-0")
    lab.manifest(LINKEDIN.kind, linkedin(1, 2), name="new")
    lab.unwrite(LINKEDIN.kind, "l2-0")
    lab.unwrite(LINKEDIN.kind, "l3-1")
    lab.manifest(X_ADS.kind, x_ads(0, 0, name="another"), name="x0-0")
    lab.unwrite(X_ADS.kind, "x1-0")
    taken = x_ads(1, 3)
    taken["user_groups"][0]["entity_ids"] = x_ads(1, 0)["user_groups"][0]["entity_ids"]
    lab.manifest(X_ADS.kind, taken, name="taker")
    across = linkedin(4, 3)
    across["cells"][0] = linkedin(2, 0)["cells"][0]
    lab.manifest(LINKEDIN.kind, across, name="across")
    lab.by_hand("x-ads", lab.remote_id(f"{X_ADS.kind}/x3-0"), name="by hand")
    lab.unwrite(SALESFORCE.kind, "s1")
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.fresh(2), "label": "another"}, name="s2")


def shards(lab: Lab, count: int, *words: str) -> list[str]:
    names = [f"part{index}.json" for index in range(1, count + 1)]
    for index, name in enumerate(names, 1):
        ran = lab.run("plan", "--shard", f"{index}/{count}", "--out", name, *words)
        assert ran.code in (0, 3), ran.err
    return names


def whole(lab: Lab, *words: str) -> bytes:
    ran = lab.run("plan", "--out", "whole.json", *words)
    assert ran.code in (0, 3), ran.err
    return Path("whole.json").read_bytes()


WAYS = {
    "guarded": ("--allow-destroy",),
    "allowed": ("--allow-destroy=9",),
    "too-few-allowed": ("--allow-destroy=2",),
    "not-allowed": (),
    "later": ("--as-of", "2027-06-01T00:00:00Z"),
}


@pytest.mark.parametrize("count", range(1, 8))
def test_all_shards_together_are_the_plan_of_one_run(lab: Lab, count: int) -> None:
    agency(lab)
    if count == 3:  # a role that may not ask LinkedIn's own check is one sentence about all of them
        lab.faults({"match": {"platform": "linkedin", "query": "action=val"}, "times": 999, "do": {"status": 403}})
    way = list(WAYS)[count % len(WAYS)]
    expected = whole(lab, *WAYS[way])
    names = shards(lab, count, *WAYS[way])
    lab.forget_requests()
    lab.run("merge-plans", *reversed(names), "--out", "merged.json").must(3 if b'"blocked": 0' not in expected else 0)
    assert Path("merged.json").read_bytes() == expected
    assert lab.requests == []
    made = json.loads(expected)
    assert len(made["changes"]) >= 8
    if way == "allowed":
        waits = {change["key"]: change["after"] for change in made["changes"]}
        assert waits[f"{X_ADS.kind}/taker"] == [f"{X_ADS.kind}/x1-0"]


def test_guards_are_judged_over_the_whole(lab: Lab) -> None:
    """Each part ends one or two, together they are more than five: no part may end any, and the whole says why."""
    agency(lab)
    for account in range(ACCOUNTS):
        for name in (f"l{account}-1", f"x{account}-1"):
            Path(f"experiments/{LINKEDIN.kind if name[0] == 'l' else X_ADS.kind}-{name}.yaml").unlink(missing_ok=True)
    names = shards(lab, 4, "--allow-destroy")
    for name in names:
        part = json.loads(Path(name).read_text())
        assert part["shard"]["count"] == 4
        ending = [change for change in part["changes"] if change["destroys"]]
        assert all("count over the whole" in " ".join(change["reasons"]) for change in ending)
        assert all(change["calls"] == [] for change in ending)
    lab.run("merge-plans", *names, "--out", "merged.json").must(3)
    made = json.loads(Path("merged.json").read_text())
    ending = [change for change in made["changes"] if change["destroys"]]
    assert len(ending) > 5
    assert all(f"{len(ending)} experiments would be ended" in " ".join(change["reasons"]) for change in ending)


def test_an_empty_project_is_refused_in_every_part(lab: Lab) -> None:
    agency(lab)
    for path in Path("experiments").iterdir():
        path.unlink()
    for index in (1, 2):
        assert "no manifest was found" in lab.run("plan", "--shard", f"{index}/2").must(1).err


def test_parts_of_the_merged_plan_are_applied_one_after_the_other(lab: Lab) -> None:
    agency(lab)
    lab.unwrite(LINKEDIN.kind, "across")
    lab.run("merge-plans", *shards(lab, 3, "--allow-destroy=9"), "--out", "merged.json").must(0)
    planned = json.loads(Path("merged.json").read_text())["changes"]
    done: list[str] = []
    for index in (1, 2, 3):
        ran = lab.run("apply", "merged.json", "--shard", f"{index}/3", "--format", "json").must(0)
        done += [one["key"] for one in ran.json["outcomes"]]
    assert sorted(done) == sorted(change["key"] for change in planned)
    lab.settled()


def test_drift_in_parts_is_the_drift_of_the_whole(lab: Lab) -> None:
    agency(lab)
    everything = lab.drift("--unmanaged")
    parts = [lab.drift("--unmanaged", "--shard", f"{index}/3") for index in (1, 2, 3)]
    assert [item for part in parts for item in part["drift"]] == everything["drift"] != []
    assert sum(part["checked"] for part in parts) == everything["checked"] == 23
    found = sorted(item["remoteId"] for part in parts for item in part["unmanaged"])
    assert found == sorted(item["remoteId"] for item in everything["unmanaged"])


def test_what_cannot_be_merged_is_refused_with_the_reason(lab: Lab) -> None:
    agency(lab)
    one, two, three = shards(lab, 3)
    whole(lab)

    def refused(words: str, *names: str) -> None:
        err = " ".join(lab.run("merge-plans", *names, "--out", "merged.json").must(1).err.split())
        assert words in err and not Path("merged.json").exists(), err

    refused("the plan of shard 2 of 3 is missing", one, three)
    refused("part1.json is given twice", one, two, one)
    Path("copy.json").write_bytes(Path(one).read_bytes())
    refused("part1.json and copy.json are both shard 1/3", one, "copy.json", two, three)
    refused("is not what plan --shard i/n --out FILE saves", one, two, "whole.json")
    lab.run("plan", "--shard", "2/2", "--out", "other.json")
    refused("part1.json is one of 3", one, "other.json", three)
    lab.run("plan", "--shard", "3/3", "--allow-destroy", "--out", "other.json")
    refused("planned with other options", one, two, "other.json")
    changed = json.loads(Path(two).read_text())
    changed["shard"]["evidence"]["readings"]["nonsense"] = {}
    Path("other.json").write_text(json.dumps(changed))
    refused("shard.evidence", one, "other.json", three)
    lab.project(guards={"maxDestroy": 9})
    refused("judged by other guards", one, two, three)
    lab.project()
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.fresh(2), "label": "third"}, name="s2")
    refused("made from other manifests", one, two, three)
    lab.apply("--target", f"{SALESFORCE.kind}/s2")
    refused("plan all shards again", one, two, three)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/2/3", "-1/2", "1/10001", "١/٢"])
def test_what_is_no_shard_is_refused(lab: Lab, text: str) -> None:
    for command in ("plan", "drift"):
        assert "is no shard" in lab.run(command, "--shard", text).must(1).err


def test_a_part_without_experiments_says_so(lab: Lab) -> None:
    lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(0))
    lab.apply()
    empty, full = sorted((1, 2), key=lambda index: lab.plan("--shard", f"{index}/2")["summary"]["no-op"])
    assert "nothing of the project is in shard" in lab.run("plan", "--shard", f"{empty}/2").must(0).out
    for form in ("markdown", "html"):
        shown = lab.run("plan", "--shard", f"{empty}/2", "--format", form).must(0).out
        assert "Nothing of the project is in this part" in shown
    assert "1 experiment is as its manifest wants it" in lab.run("plan", "--shard", f"{full}/2").must(0).out
