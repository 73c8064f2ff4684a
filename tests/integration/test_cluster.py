"""Reads on a real Dask cluster, whose workers are killed: the same bytes as from one process, nothing done twice."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kinds import LINKEDIN, SALESFORCE, X_ADS
from laboratory import ENVIRONMENT, Lab
from running import process_at
from test_shards import agency, whole

from reconciler.cli import common

distributed: Any = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give a cluster of two worker processes, which have the credentials in their environment."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50, host="127.0.0.1"
        ) as started:
            yield started
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def one_moment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every plan be of the same moment."""
    at = lab.now()
    monkeypatch.setattr(common, "now", lambda: at)


class Killer:
    """Kills the process that sends a certain request, before it is answered; so many times."""

    def __init__(self, lab: Lab, path: str, times: int = 1) -> None:
        self.app = lab.server.recorder.app
        self.path = path
        self.times = times
        self.killed: list[int] = []
        lab.server.recorder.app = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.path in scope["path"] and scope["method"] == "GET" and len(self.killed) < self.times:
            sender = process_at(scope["client"][1])
            assert sender not in (None, os.getpid())
            self.killed.append(sender)
            os.kill(sender, signal.SIGKILL)
        await self.app(scope, receive, send)


@pytest.fixture
def killing(lab: Lab) -> Iterator[Any]:
    app = lab.server.recorder.app
    yield lambda path, times=1: Killer(lab, path, times)
    lab.server.recorder.app = app


@pytest.mark.usefixtures("one_moment")
def test_a_worker_killed_while_it_reads_loses_nothing(lab: Lab, cluster: Any, killing: Any) -> None:
    agency(lab)
    expected = whole(lab, "--allow-destroy=9")
    killer = killing("/ab_tests")
    words = ("plan", "--cluster", cluster.scheduler_address, "--allow-destroy=9", "--out", "cluster.json")
    assert lab.run(*words).code in (0, 3)
    assert len(killer.killed) == 1 and not psutil.pid_exists(killer.killed[0])
    assert Path("cluster.json").read_bytes() == expected
    assert [one.status for one in lab.requests].count(None) == 0


def test_drift_and_apply_are_those_of_one_process(lab: Lab, cluster: Any, killing: Any) -> None:
    agency(lab)
    lab.unwrite(LINKEDIN.kind, "across")
    alone = lab.run("drift", "--format", "json").must(2).out
    assert lab.run("drift", "--format", "json", "--cluster", cluster.scheduler_address).must(2).out == alone
    killer = killing("/ab_tests")
    lab.forget_requests()
    ran = lab.apply("--allow-destroy=9", "--format", "json", "--cluster", cluster.scheduler_address)
    assert len(killer.killed) == 1
    assert {one["result"] for one in ran.json["outcomes"]} == {"done"}
    sent = [(one.method, one.path) for one in lab.writes]
    assert len(sent) == len(set(sent)) == sum(one["callsSent"] for one in ran.json["outcomes"])
    lab.settled()


@pytest.mark.usefixtures("one_moment")
def test_a_cluster_of_its_own(lab: Lab) -> None:
    agency(lab)
    expected = whole(lab)
    assert lab.run("plan", "--cluster", "local:1", "--out", "cluster.json").code in (0, 3)
    assert Path("cluster.json").read_bytes() == expected


def test_what_kills_every_worker_is_unknown_and_never_gone(lab: Lab, cluster: Any, killing: Any) -> None:
    lab.manifest(SALESFORCE.kind, SALESFORCE.fresh(0))
    lab.apply()
    killer = killing("/abn-experiments", times=99)
    ran = lab.run("plan", "--format", "json", "--cluster", cluster.scheduler_address).must(1)
    assert len(killer.killed) > 1
    assert not ran.json["complete"] and ran.json["changes"] == []
    assert "every worker that was to read it was lost" in ran.json["problems"][0]


def test_credentials_are_the_workers_own(lab: Lab, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that only this process has is never sent: the workers use what they have, or say what they lack."""
    lab.manifest(X_ADS.kind, X_ADS.fresh(0))
    lab.apply()
    text = Path("reconciler.yaml").read_text()
    lab.write_file("reconciler.yaml", text.replace("${X_CONSUMER_KEY}", "${ONLY_HERE}"))
    monkeypatch.setenv("ONLY_HERE", ENVIRONMENT["X_CONSUMER_KEY"])
    lab.plan(code=0)
    err = lab.run("plan", "--cluster", cluster.scheduler_address).must(1).err
    assert "on a worker" in err and "needs the environment variable ONLY_HERE, which is not set" in err


def test_no_secret_travels(lab: Lab, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.cluster import coordinator

    made: list[bytes] = []
    original = coordinator.Job

    def noted(*how: Any) -> Any:
        job = original(*how)
        made.append(pickle.dumps(job) + repr(job).encode())
        return job

    monkeypatch.setattr(coordinator, "Job", noted)
    agency(lab)
    assert lab.run("plan", "--cluster", cluster.scheduler_address).code in (0, 3)
    assert len(made) >= 3
    assert not [name for name, value in ENVIRONMENT.items() if any(value.encode() in job for job in made)]


@pytest.mark.parametrize(
    "address", ["", "local:0", "local:x", "http://h:1", "tcp://", "tcp://h", "tls://h:1/p", "tls://u@h:1", "local:999"]
)
def test_an_address_that_is_none_is_refused(lab: Lab, address: str) -> None:
    assert "--cluster is local, local:N" in lab.run("drift", "--cluster", address).must(1).err


def test_a_scheduler_that_is_not_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.cluster import coordinator

    monkeypatch.setattr(coordinator, "CONNECT_S", 0.2)
    lab.manifest(X_ADS.kind, X_ADS.fresh(0))
    err = lab.run("plan", "--cluster", "tcp://127.0.0.1:9").must(1).err
    assert "the cluster at tcp://127.0.0.1:9 cannot be used" in err


def test_a_saved_plan_is_not_for_a_cluster(lab: Lab) -> None:
    assert "only this process sends" in lab.run("apply", "plan.json", "--cluster", "local").must(1).err


def test_a_worker_of_another_version_reads_nothing(lab: Lab, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.cluster import coordinator

    monkeypatch.setattr(coordinator, "own_version", lambda: "0.0.0")
    lab.manifest(X_ADS.kind, X_ADS.fresh(0))
    err = lab.run("plan", "--cluster", cluster.scheduler_address).must(1).err
    assert "this is 0.0.0: install the same on all" in err and lab.requests == []


def test_a_cluster_whose_workers_are_all_lost_ends_the_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler is there, and nobody comes to do the work."""
    from reconciler.cluster import coordinator

    monkeypatch.setattr(coordinator, "NO_WORKERS_S", 0.05)
    monkeypatch.setattr(coordinator, "_LOOK_S", 0.01)
    lab.manifest(X_ADS.kind, X_ADS.fresh(0))
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
    ) as deserted:
        address = deserted.scheduler_address

        async def none_left(client: Any, address: str) -> None:
            await client.retire_workers(workers=list((await client.scheduler.identity())["workers"]))

        monkeypatch.setattr(coordinator, "_workers", none_left)
        err = lab.run("plan", "--cluster", address).must(1).err
    assert "has had no worker for" in err and lab.requests == []
